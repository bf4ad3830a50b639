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
