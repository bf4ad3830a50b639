//! Time in the units of the history: minutes, and the hours and days that they roll up into.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::clock::Timestamp;

/// A minute, counted from 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(pub u64);

impl Minute {
    /// Its length: that of a slice.
    pub const LENGTH: Duration = Duration::from_secs(60);
    const MICROS: u64 = 60_000_000;

    /// The minute that `at` lies in.
    #[must_use]
    pub const fn of(at: Timestamp) -> Self {
        Self(at.as_micros() / Self::MICROS)
    }

    /// Its first moment.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(Self::MICROS))
    }

    /// The first moment after it.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// So many minutes later.
    #[must_use]
    pub const fn plus(self, minutes: u64) -> Self {
        Self(self.0.saturating_add(minutes))
    }

    /// The minutes that have a moment in `from..until`.
    #[must_use]
    pub fn covering(from: Timestamp, until: Timestamp) -> Range<Self> {
        let last = Timestamp::from_micros(until.as_micros().saturating_sub(1));
        let end = if until <= from {
            Self::of(from)
        } else {
            Self::of(last).plus(1)
        };
        Self::of(from)..end
    }
}

/// `2026-11-05T12:34Z`: it sorts as time passes, which makes it a sort key.
impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        write!(f, "{}Z", text.get(..16).unwrap_or(&text))
    }
}

/// How long the stretch of an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// As it is recorded.
    Minute,
    /// Sixty minutes in one item.
    Hour,
    /// A day, from midnight UTC, in one item.
    Day,
}

impl Level {
    /// Minutes in it.
    #[must_use]
    pub const fn minutes(self) -> u64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 60,
            Self::Day => 1_440,
        }
    }

    /// The stretch's first minute, for any minute in it.
    #[must_use]
    pub const fn floor(self, minute: Minute) -> Minute {
        Minute(minute.0 - minute.0 % self.minutes())
    }

    /// The first minute of the first stretch that does not begin before `minute`.
    #[must_use]
    pub const fn ceil(self, minute: Minute) -> Minute {
        Minute(
            minute
                .0
                .div_ceil(self.minutes())
                .saturating_mul(self.minutes()),
        )
    }

    /// The name in keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_named_and_counted_from_their_start() {
        let at: Timestamp = humantime::parse_rfc3339("2026-11-05T12:34:56Z")
            .expect("a time")
            .into();
        let minute = Minute::of(at);
        assert_eq!(minute.to_string(), "2026-11-05T12:34Z");
        assert!(minute.start() <= at && at < minute.end());
        assert_eq!(Level::Hour.floor(minute).to_string(), "2026-11-05T12:00Z");
        assert_eq!(Level::Hour.ceil(minute).to_string(), "2026-11-05T13:00Z");
        assert_eq!(Level::Day.floor(minute).to_string(), "2026-11-05T00:00Z");
        let hour = Level::Hour.floor(minute);
        assert_eq!(Level::Hour.ceil(hour), hour);
        assert_eq!(Minute::covering(at, at), minute..minute);
        assert_eq!(Minute::covering(at, minute.end()), minute..minute.plus(1));
        assert_eq!(
            Minute::covering(
                minute.start(),
                minute.plus(2).start().plus(Duration::from_micros(1))
            ),
            minute..minute.plus(3)
        );
    }
}
