//! Reads what other probers find, and what was found before.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::HistoryError;
use super::live::Live;
use super::load::load;
use super::minute::{Level, Minute};
use super::store::{LocationRecord, Store};
use crate::clock::{Clock as _, FastClock};

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(5);
/// Minutes are read again for so long, since late answers change them.
const AGAIN: u64 = 2;

/// Keeps a live history up to date with the table.
pub struct Watcher {
    live: Live,
    store: Store,
    clock: FastClock,
    span: Duration,
    /// By location: up to where it is read.
    read: HashMap<String, Progress>,
    reachable: bool,
}

#[derive(Clone, Copy)]
struct Progress {
    minutes: Minute,
    hours: Minute,
}

impl Watcher {
    /// A watcher that reads `span` of time when it begins.
    #[must_use]
    pub fn new(live: Live, store: Store, clock: FastClock, span: Duration) -> Self {
        Self {
            live,
            store,
            clock,
            span,
            read: HashMap::new(),
            reachable: true,
        }
    }

    /// Reads until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look() => looked,
            };
            self.live.reached(looked.is_ok());
            match looked {
                Ok(()) => {
                    self.live.set_loaded();
                    self.reachable = true;
                }
                Err(error) => {
                    if self.reachable {
                        let error: &dyn std::error::Error = &error;
                        tracing::error!(error, "the history cannot be read");
                    }
                    self.reachable = false;
                }
            }
        }
    }

    /// Reads once what is new.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn look(&mut self) -> Result<(), HistoryError> {
        for record in self.store.locations().await? {
            let known = self.read.get(&record.name).copied();
            let progress = match known {
                None => self.all(&record).await?,
                Some(known) => self.news(&record, known).await?,
            };
            self.read.insert(record.name, progress);
        }
        Ok(())
    }

    async fn all(&self, record: &LocationRecord) -> Result<Progress, HistoryError> {
        let now = self.clock.now();
        let range = Minute::of(now.minus(self.span))..Minute::of(now).plus(1);
        let mut newest = range.start;
        let live = &self.live;
        load(&self.store, record, range, now, |level, first, checks| {
            live.take(&record.name, level, first, checks);
            newest = newest.max(first.plus(level.minutes()));
        })
        .await?;
        Ok(Progress {
            minutes: newest,
            hours: record.hours_until,
        })
    }

    async fn news(
        &self,
        record: &LocationRecord,
        known: Progress,
    ) -> Result<Progress, HistoryError> {
        let own = self.live.sites().iter().any(|p| *p.name == *record.name);
        if own {
            return Ok(known);
        }
        let (live, name) = (&self.live, &record.name);
        let hours = known.hours..record.hours_until;
        self.store
            .read(name, Level::Hour, hours, |first, checks| {
                live.take(name, Level::Hour, first, &checks);
            })
            .await?;
        let from = Minute(known.minutes.0.saturating_sub(AGAIN)).max(record.hours_until);
        let until = Minute::of(self.clock.now()).plus(1);
        let mut newest = known.minutes.max(record.hours_until);
        self.store
            .read(name, Level::Minute, from..until, |first, checks| {
                live.take(name, Level::Minute, first, &checks);
                newest = newest.max(first.plus(1));
            })
            .await?;
        Ok(Progress {
            minutes: newest,
            hours: record.hours_until,
        })
    }
}
