//! Wall-clock time, handed in. The SLO engine and the tally never ask what time it is.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment in wall-clock time: microseconds since 1970-01-01T00:00:00Z, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This much later; the end of time at the latest.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }

    /// This much earlier; 1970 at the earliest.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }

    /// How long after `earlier` this is; zero where it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, micros))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_micros(time.0)
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The formatter ends with the year 9999.
        const LAST: u64 = 253_402_300_799_000_000;
        let time = UNIX_EPOCH + Duration::from_micros(self.0.min(LAST));
        humantime::format_rfc3339_millis(time).fmt(f)
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock, read once and carried on by the monotonic clock: within one process it
/// never jumps, so a step of the wall clock neither repeats nor skips a slice.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
    wall: Timestamp,
}

impl SystemClock {
    /// A clock that starts with the machine's time.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that is handed in"
    )]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            wall: SystemTime::now().into(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.wall.plus(self.started.elapsed())
    }
}

/// A clock that runs `factor` times as fast as the machine's from an anchor on; with a factor of 1
/// it is the machine's.
#[derive(Clone, Copy, Debug)]
pub struct FastClock {
    system: SystemClock,
    real: Timestamp,
    shown: Timestamp,
    factor: u32,
}

impl FastClock {
    /// The machine's time.
    #[must_use]
    pub const fn real(system: SystemClock) -> Self {
        Self {
            real: system.wall,
            shown: system.wall,
            factor: 1,
            system,
        }
    }

    /// A clock that showed `shown` at `real`, and runs `factor` times as fast as `system`.
    #[must_use]
    pub const fn anchored(
        system: SystemClock,
        real: Timestamp,
        shown: Timestamp,
        factor: u32,
    ) -> Self {
        Self {
            system,
            real,
            shown,
            factor,
        }
    }

    /// How many times as fast as real time it runs.
    #[must_use]
    pub const fn factor(&self) -> u32 {
        self.factor
    }

    /// What this clock shows at a moment of real time.
    #[must_use]
    pub fn at(&self, real: Timestamp) -> Timestamp {
        if real < self.real {
            return self.shown.minus(self.shown_time(self.real.since(real)));
        }
        self.shown.plus(self.shown_time(real.since(self.real)))
    }

    /// How much time passes on this clock within some real time.
    #[must_use]
    pub fn shown_time(&self, real: Duration) -> Duration {
        real.saturating_mul(self.factor)
    }

    /// How much real time some time on this clock takes.
    #[must_use]
    pub fn real_time(&self, shown: Duration) -> Duration {
        shown / self.factor.max(1)
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        self.at(self.system.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_passes_its_anchor_and_runs_ahead() {
        let at = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
        let clock = FastClock::anchored(SystemClock::new(), at(100), at(5_000), 600);
        assert_eq!(clock.at(at(100)), at(5_000));
        assert_eq!(clock.at(at(102)), at(6_200));
        assert_eq!(clock.at(at(99)), at(4_400));
        assert_eq!(clock.at(at(0)), at(0), "never before 1970");
        assert_eq!(clock.real_time(Duration::from_secs(60)).as_millis(), 100);
        let real = FastClock::real(SystemClock::new());
        assert_eq!(real.at(at(7_000_000_000)), at(7_000_000_000));
        let (before, after) = (SystemClock::new().now(), real.now());
        assert!(
            after.since(before) < Duration::from_secs(60)
                && before <= after.plus(Duration::from_secs(1))
        );
    }
}
