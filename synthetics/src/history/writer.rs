//! Saves what the prober finds, and rolls it up.
//!
//! Once a second the minutes that have ended, and late answers to them, are saved; so a kill loses
//! the running minute at most. While the table is away they wait, in bounded memory. A location
//! that another prober holds is waited for: where that one was killed its lease ends, and where it
//! is alive, it is said, and this one ends.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::bucket::ProbeCounts;
use super::error::HistoryError;
use super::live::Live;
use super::minute::{Level, Minute};
use super::roll_up;
pub use super::seat::Lease;
use super::seat::{Desk, Hold, Seat};
use super::store::{Holder, LocationRecord, Saved, Store};
use crate::clock::{Clock as _, FastClock, SystemClock};

/// How often there is something to save, at most.
const TICK: Duration = Duration::from_secs(1);
/// How long the end may take.
const GOODBYE: Duration = Duration::from_secs(5);
/// Writes the history of the places of this process.
pub struct Writer {
    desk: Desk,
    seats: Vec<Seat>,
}

impl Writer {
    /// A writer for all sites of `live`, as `holder`. `timeout` is the longest time, in real
    /// time, that a probe may take.
    #[must_use]
    pub fn new(
        live: Live,
        store: Store,
        clock: FastClock,
        system: SystemClock,
        holder: Holder,
        timeout: Duration,
    ) -> Self {
        let seat = |site: super::live::Site| Seat {
            name: site.name.to_string(),
            simulated: site.simulated,
            hold: Hold::Wanted(None),
            lost: 0,
        };
        let seats = live.sites().into_iter().map(seat).collect();
        // A moment for the result to come through the channel.
        let grace = clock.shown_time(timeout + TICK);
        Self {
            desk: Desk {
                live,
                store,
                clock,
                system,
                holder,
                lease: Lease::default(),
                grace,
                reachable: true,
            },
            seats,
        }
    }

    /// The same writer with another lease.
    #[must_use]
    pub fn with_lease(mut self, lease: Lease) -> Self {
        self.desk.lease = lease;
        self
    }

    /// Saves until `stop`, then saves the running minute and gives up the places.
    ///
    /// # Errors
    /// [`HistoryError::TwoProbers`]; other errors are waited out.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), HistoryError> {
        let minute = self.desk.clock.real_time(Minute::LENGTH);
        let mut ticks = tokio::time::interval(TICK.min(minute).max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ended = Ok(());
        while ended.is_ok() {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            for seat in &mut self.seats {
                let served = self.desk.serve(seat, false).await;
                ended = ended.and(self.desk.note(seat, served));
            }
        }
        let goodbye = async {
            let mut ended = Ok(());
            for seat in &mut self.seats {
                let served = self.desk.serve(seat, true).await;
                ended = ended.and(self.desk.note(seat, served));
            }
            ended
        };
        let goodbye = tokio::time::timeout(GOODBYE, goodbye).await;
        let open = self.seats.iter().map(|seat| {
            let unsaved = self.desk.live.unsaved(&seat.name, self.desk.clock.now());
            unsaved.len()
        });
        let open: usize = open.sum();
        if open > 0 {
            tracing::warn!(minutes = open, "the history ends without its last minutes");
        }
        ended.and(goodbye.unwrap_or(Ok(())))
    }
}

impl Desk {
    /// Tells errors that pass by themselves when they begin and when they end, and gives back the
    /// others.
    fn note(
        &mut self,
        seat: &mut Seat,
        served: Result<(), HistoryError>,
    ) -> Result<(), HistoryError> {
        match served {
            Ok(()) => {
                if !self.reachable {
                    tracing::info!(
                        table = self.store.table(),
                        "the history is within reach again"
                    );
                }
                self.reachable = true;
            }
            Err(error @ HistoryError::TwoProbers { .. }) => return Err(error),
            Err(error) => {
                if self.reachable {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(
                        location = seat.name,
                        error,
                        "the history cannot be saved; minutes wait"
                    );
                }
                self.reachable = false;
            }
        }
        let lost = self.live.lost();
        let lost = lost.minutes + lost.results;
        if lost > seat.lost {
            tracing::warn!(
                lost,
                "minutes waited for too long, or results came too late, and are lost"
            );
            seat.lost = lost;
        }
        Ok(())
    }

    /// One round for one place; at the `end` also the running minute, and the place is given up.
    async fn serve(&self, seat: &mut Seat, end: bool) -> Result<(), HistoryError> {
        self.hold(seat).await?;
        let Hold::Held { record, beaten } = &mut seat.hold else {
            return Ok(());
        };
        self.save(&record.name, end).await?;
        let now = self.clock.now();
        self.live.seal(&record.name, now.minus(self.grace), true);
        if end {
            record.beat += 1;
            self.beat(record, true).await?;
            return Ok(());
        }
        if beaten.elapsed() >= self.lease.beat {
            record.beat += 1;
            self.beat(record, false).await?;
            *beaten = Instant::now();
        }
        self.roll_up(record).await
    }

    /// Saves the minutes that have ended, at the `end` all of them.
    async fn save(&self, name: &str, end: bool) -> Result<(), HistoryError> {
        let now = self.clock.now();
        let until = if end { Minute::of(now).end() } else { now };
        for (mut item, mut state) in self.live.unsaved(name, until) {
            let minute = item.minute;
            loop {
                let (run, real) = (&self.holder.run, self.system.now());
                match self.store.save_minute(name, run, &item, real).await? {
                    Saved::Done => break,
                    Saved::NotHeld => return Err(self.taken(name).await?),
                    Saved::Another => {
                        if let Some((run, checks)) = self.store.minute(name, minute).await? {
                            self.live.contain(name, minute, run, &checks);
                        }
                        // Now with what the run before had of this minute.
                        let again = self.live.unsaved(name, minute.end());
                        let Some(found) = again.into_iter().find(|(i, _)| i.minute == minute)
                        else {
                            break;
                        };
                        (item, state) = found;
                    }
                }
            }
            self.live.saved(name, minute, state);
            let minutes = item.checks.iter().flat_map(|(_, series)| series.minutes());
            let sum = minutes.fold(ProbeCounts::default(), |sum, (_, more)| sum.plus(more));
            let ProbeCounts {
                good, bad, gaps, ..
            } = sum;
            tracing::debug!(location = name, %minute, good, bad, gaps, "minute saved");
        }
        Ok(())
    }

    async fn roll_up(&self, record: &mut LocationRecord) -> Result<(), HistoryError> {
        let ended = Minute::of(self.clock.now().minus(self.grace));
        // What is not saved yet is not rolled up without.
        let until = ended.min(self.live.open_from(&record.name));
        let job = roll_up::Job {
            store: &self.store,
            run: &self.holder.run,
            now: self.system.now(),
        };
        let done = job.hours(record, until, |first, checks| {
            self.live.take(&record.name, Level::Hour, first, checks);
        });
        let done = match done.await? {
            Some(until) => until,
            None => return Err(self.taken(&record.name).await?),
        };
        record.hours_until = done;
        match job.days(record).await? {
            Some(until) => record.days_until = until,
            None => return Err(self.taken(&record.name).await?),
        }
        Ok(())
    }
}
