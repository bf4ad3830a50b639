//! Looks at the live history again and again, and passes on what changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::handle::Alerts;
use super::ledger::Ledger;
use super::onset;
use super::state::Transition;
use crate::clock::{Clock as _, FastClock, Timestamp};
use crate::history::{Live, Minute};
use crate::objective::Slo;

/// From one look to the next, at most and at least, in real time. On a fast clock it is a quarter
/// of a minute of that.
const LOOK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// How long the first look waits for what was found before, in real time. A table that is away
/// must not keep an alarm from being raised.
const PATIENCE: Duration = Duration::from_secs(30);

/// The one owner of the alerts' state. It outlives configurations; clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Sentry {
    clock: FastClock,
    alerts: Alerts,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    ledger: Ledger,
    /// Whether it is known what fired before this process began.
    remembers: bool,
}

impl Sentry {
    /// One that goes by `clock` and shows what it knows in `alerts`.
    #[must_use]
    pub fn new(clock: FastClock, alerts: Alerts) -> Self {
        Self {
            clock,
            alerts,
            inner: Arc::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What a panic elsewhere leaves behind is a ledger of whole alerts.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a configuration's alerts in place of those before.
    pub fn adopt(&self, slos: &[Slo], now: Timestamp) -> Vec<Transition> {
        let mut inner = self.inner();
        let changes = inner.ledger.adopt(slos, now);
        self.alerts.show(inner.ledger.alerts());
        changes
    }

    /// Looks until `stop`, and hands every change to `tell`.
    pub async fn watch(
        self,
        live: Live,
        stop: CancellationToken,
        mut tell: impl FnMut(&Transition),
    ) {
        let began = Minute::of(self.clock.now());
        let known = tokio::time::timeout(PATIENCE, live.loaded());
        let known = tokio::select! {
            () = stop.cancelled() => return,
            known = known => known.is_ok(),
        };
        if !known {
            tracing::warn!("alerts begin without what was found before");
        }
        self.remember(&live, began, self.clock.now());
        let (least, most) = LOOK;
        let every = self.clock.real_time(Minute::LENGTH / 4).clamp(least, most);
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            for change in self.look(&live, self.clock.now()) {
                tell(&change);
            }
        }
    }

    /// Looks once.
    pub fn look(&self, live: &Live, now: Timestamp) -> Vec<Transition> {
        let readings = live.burn(now);
        let mut inner = self.inner();
        let began = |slo, alert| onset::of(live, slo, alert, live.end(slo, now));
        let changes = inner.ledger.observe(&readings, now, began);
        self.alerts.show(inner.ledger.alerts());
        changes
    }

    /// Takes from the history which alerts fired when this process began: once, so that a
    /// restart does not tell again what was told.
    pub fn remember(&self, live: &Live, began: Minute, now: Timestamp) {
        let mut inner = self.inner();
        if std::mem::replace(&mut inner.remembers, true) {
            return;
        }
        let readings = live.burn(now);
        let positions = readings.iter().enumerate();
        let positions = positions.flat_map(|(slo, all)| (0..all.len()).map(move |at| (slo, at)));
        let ids: Vec<_> = inner.ledger.alerts().iter().map(|a| a.id.clone()).collect();
        for (id, (slo, at)) in ids.iter().zip(positions) {
            if let Some(since) = onset::before(live, slo, at, began) {
                tracing::info!(alert = %id, %since, "alert was firing before this start");
                inner.ledger.restore(id, since);
            }
        }
        self.alerts.show(inner.ledger.alerts());
    }
}
