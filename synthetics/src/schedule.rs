//! A fixed rate from one start instant.
//!
//! Tick `k` of a lane is due at `start + first + k x interval`, whatever earlier probes took: never
//! "sleep after the last one". Lanes share nothing, so a slow check delays no other.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;

/// Measures time from the start of a schedule, and waits in it. Handed in, so that tests and a
/// faster demo clock need no real waiting.
pub trait Timer: Send + Sync {
    /// Time since the start.
    fn elapsed(&self) -> Duration;
    /// Waits until `offset` after the start; not at all where that is past.
    fn sleep_until(&self, offset: Duration) -> impl Future<Output = ()> + Send;
}

/// Real time, from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct RealTimer(Instant);

impl RealTimer {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Timer for RealTimer {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep_until(&self, offset: Duration) {
        match self.0.checked_add(offset) {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// A series of ticks for one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Position of the check in the list of checks.
    pub check: usize,
    /// From the start to the first tick.
    pub first: Duration,
    /// From one tick to the next; a probe's time-out is never longer.
    pub interval: Duration,
    /// A tick that can only be served this much later, or more, is a gap.
    pub late_limit: Duration,
    /// How many ticks there are; without end if `None`.
    pub ticks: Option<u64>,
}

/// What the schedule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Probe now.
    Probe {
        /// When the tick was due.
        scheduled: Timestamp,
        /// When it really is.
        started: Timestamp,
    },
    /// Too late to probe: note a gap.
    Missed {
        /// When the tick was due.
        scheduled: Timestamp,
        /// When that was noticed.
        noticed: Timestamp,
    },
}

impl Lane {
    /// From the start to tick `k`.
    #[must_use]
    pub fn offset(&self, k: u64) -> Duration {
        // Duration only multiplies by 32 bits; a lane of 1 ms ticks would get there in 50 days.
        let nanos = self.interval.as_nanos().saturating_mul(u128::from(k));
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.first.saturating_add(Duration::from_nanos(nanos))
    }

    /// Serves the ticks until they end or `stop` is cancelled. What `serve` is doing then is
    /// dropped: an unfinished probe has no result. `wall` is the wall-clock time of the start.
    pub async fn run<T, F, Fut>(
        self,
        timer: &T,
        wall: Timestamp,
        stop: &CancellationToken,
        mut serve: F,
    ) where
        T: Timer,
        F: FnMut(Due) -> Fut,
        Fut: Future<Output = ()>,
    {
        let ticks = async {
            let mut k = 0;
            while self.ticks.is_none_or(|ticks| k < ticks) {
                let offset = self.offset(k);
                timer.sleep_until(offset).await;
                let late = timer.elapsed().saturating_sub(offset);
                let scheduled = wall.plus(offset);
                let now = scheduled.plus(late);
                serve(if late >= self.late_limit {
                    Due::Missed {
                        scheduled,
                        noticed: now,
                    }
                } else {
                    Due::Probe {
                        scheduled,
                        started: now,
                    }
                })
                .await;
                k += 1;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = ticks => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const LANE: Lane = Lane {
        check: 0,
        first: Duration::from_millis(100),
        interval: Duration::from_secs(1),
        late_limit: Duration::from_secs(1),
        ticks: Some(6),
    };

    /// Time that passes only by waiting for it.
    #[derive(Default)]
    struct TestTimer(Mutex<Duration>);

    impl TestTimer {
        fn pass(&self, time: Duration) {
            *self.0.lock().expect("no panic holds the lock") += time;
        }
    }

    impl Timer for TestTimer {
        fn elapsed(&self) -> Duration {
            *self.0.lock().expect("no panic holds the lock")
        }

        async fn sleep_until(&self, offset: Duration) {
            let left = offset.saturating_sub(self.elapsed());
            self.pass(left);
        }
    }

    /// Runs the lane; serving the `n`-th probe takes `work(n)`. Tells (probed, due at ms).
    async fn serve(lane: Lane, work: fn(usize) -> u64) -> Vec<(bool, u64)> {
        let timer = TestTimer::default();
        let mut seen = Vec::new();
        let stop = CancellationToken::new();
        lane.run(&timer, Timestamp::from_micros(0), &stop, |due| {
            let (probe, at) = match due {
                Due::Probe { scheduled, .. } => (true, scheduled),
                Due::Missed { scheduled, .. } => (false, scheduled),
            };
            if probe {
                timer.pass(Duration::from_millis(work(seen.len())));
            }
            seen.push((probe, at.as_micros() / 1_000));
            std::future::ready(())
        })
        .await;
        seen
    }

    #[tokio::test]
    async fn ticks_do_not_drift_with_the_work() {
        let seen = serve(LANE, |_| 700).await;
        let due: Vec<_> = (0..6).map(|k| (true, 100 + k * 1_000)).collect();
        assert_eq!(seen, due);
    }

    #[tokio::test]
    async fn ticks_missed_are_gaps_and_the_rate_stays() {
        // The first probe takes 3.2 s: ticks 1 and 2 are late by a whole interval or more,
        // tick 3 by 200 ms only.
        let seen = serve(LANE, |n| if n == 0 { 3_200 } else { 0 }).await;
        let expected = [
            (true, 100),
            (false, 1_100),
            (false, 2_100),
            (true, 3_100),
            (true, 4_100),
            (true, 5_100),
        ];
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn a_stopped_lane_ends_though_its_probe_hangs() {
        let stop = CancellationToken::new();
        let timer = TestTimer::default();
        let wall = Timestamp::from_micros(0);
        let lane = Lane {
            ticks: None,
            ..LANE
        };
        let run = lane.run(&timer, wall, &stop, |_| {
            stop.cancel();
            std::future::pending()
        });
        let ended = tokio::time::timeout(Duration::from_secs(5), run).await;
        assert!(ended.is_ok(), "the lane goes on after the stop");
    }

    #[test]
    fn offsets_of_far_ticks_are_exact() {
        let far = LANE.offset(10_000_000_000);
        let expected = Duration::from_millis(100) + Duration::from_secs(10_000_000_000);
        assert_eq!(far, expected);
    }
}
