//! Probing: the schedule's lanes on one side, the sinks on the other, one channel between.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::probe::Prober;
use crate::probe::{Check, Gap, Outcome, ProbeResult};
use crate::schedule::{Due, Lane, Timer};

/// Results that may wait for the sinks. Sinks do not wait themselves, so this only takes bursts;
/// where it is full, finished probes wait, and no memory grows.
const QUEUE: usize = 4_096;

/// What a running session reports.
#[derive(Debug)]
pub enum Event<'a> {
    /// A result: for the sinks.
    Result(&'a ProbeResult),
    /// The interval has passed: for what goes out by time.
    Interval,
}

/// A place that is probed from.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name.
    pub name: Arc<str>,
    /// Sends the requests.
    pub prober: Prober,
}

/// What to probe with.
#[derive(Clone)]
pub struct Session {
    /// The checks.
    pub checks: Arc<[Check]>,
    /// Where from; each check is probed from each place.
    pub places: Arc<[Place]>,
    /// Wall-clock time of the start.
    pub start: Timestamp,
}

impl Session {
    /// Serves all lanes until they end, or until `stop` is cancelled. All results, and every
    /// `interval` a sign of life, go to `on`, one after the other.
    pub async fn run<T: Timer + Clone + 'static>(
        self,
        lanes: Vec<Lane>,
        timer: T,
        stop: CancellationToken,
        interval: Duration,
        mut on: impl FnMut(Event<'_>),
    ) {
        let (sender, mut results) = mpsc::channel(QUEUE);
        // Dropping the set ends the lanes, should this future be dropped.
        let mut tasks = JoinSet::new();
        for lane in lanes {
            for place in 0..self.places.len() {
                let session = self.clone();
                let (timer, stop, sender) = (timer.clone(), stop.clone(), sender.clone());
                tasks.spawn(async move {
                    session.serve(lane, place, &timer, &stop, &sender).await;
                });
            }
        }
        drop(sender);
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                result = results.recv() => match result {
                    Some(result) => on(Event::Result(&result)),
                    None => return,
                },
                _ = ticks.tick() => on(Event::Interval),
            }
        }
    }

    async fn serve<T: Timer>(
        &self,
        lane: Lane,
        place: usize,
        timer: &T,
        stop: &CancellationToken,
        sender: &mpsc::Sender<ProbeResult>,
    ) {
        let (Some(check), Some(place)) = (self.checks.get(lane.check), self.places.get(place))
        else {
            return;
        };
        let result = |scheduled, started, outcome| ProbeResult {
            check_index: lane.check,
            check: Arc::clone(&check.name),
            location: Arc::clone(&place.name),
            scheduled,
            started,
            outcome,
        };
        lane.run(timer, self.start, stop, |due| async move {
            let result = match due {
                Due::Probe { scheduled, started } => {
                    let measurement = place.prober.probe(check).await;
                    result(scheduled, started, Outcome::Measured(measurement))
                }
                Due::Missed { scheduled, noticed } => {
                    let by = noticed.since(scheduled).as_millis();
                    let by_ms = u64::try_from(by).unwrap_or(u64::MAX);
                    result(scheduled, noticed, Outcome::Gap(Gap::Late { by_ms }))
                }
            };
            // The receiver only goes when the session is dropped, and this task with it.
            let _ = sender.send(result).await;
        })
        .await;
    }
}
