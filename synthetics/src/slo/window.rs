//! The stretch of time that an objective is judged over.
//!
//! A rolling window always has its full length and ends at the last measured point. A calendar
//! window is the part of the running day, week, month or quarter that has passed. Calendars are
//! in UTC: a month must not be a different one for each reader.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::Timestamp;

/// One day, in seconds.
const DAY: u64 = 86_400;

/// What an objective is judged over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// So much time up to now.
    Rolling(Duration),
    /// The running calendar period, up to now.
    Calendar(Calendar),
}

/// A calendar period, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
    /// From the first of January, April, July or October.
    Quarter,
}

/// Why a text is no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Neither a length nor a calendar period.
    #[error(
        "`{0}` is no window: write a length such as `7d` or `12h`, or one of calendar-day, calendar-week, calendar-month, calendar-quarter"
    )]
    Unknown(String),
    /// Not a whole number of minutes: slices would be cut.
    #[error("a window of `{0}` is not a whole number of minutes, which is the length of a slice")]
    NotMinutes(String),
    /// Longer than a year, or nothing at all.
    #[error("a window of `{0}` is not between one minute and 366 days")]
    Length(String),
}

impl Window {
    /// The rolling week that the objectives of the bookshop have.
    pub const SEVEN_DAYS: Self = Self::Rolling(Duration::from_secs(7 * DAY));
    /// The longest window.
    pub const LONGEST: Duration = Duration::from_secs(366 * DAY);

    /// Start of the window that ends at `end`, which itself is not in it.
    #[must_use]
    pub fn start(self, end: Timestamp) -> Timestamp {
        match self {
            Self::Rolling(length) => end.minus(length),
            Self::Calendar(calendar) => calendar.start(end),
        }
    }

    /// The length of the whole period that the error budget is for. That of a calendar period is
    /// its longest: burn alerts take their factors from it, and those must not change by month.
    #[must_use]
    pub const fn period(self) -> Duration {
        let days = match self {
            Self::Rolling(length) => return length,
            Self::Calendar(Calendar::Day) => 1,
            Self::Calendar(Calendar::Week) => 7,
            Self::Calendar(Calendar::Month) => 31,
            Self::Calendar(Calendar::Quarter) => 92,
        };
        Duration::from_secs(days * DAY)
    }
}

impl Calendar {
    const NAMES: [(&str, Self); 4] = [
        ("calendar-day", Self::Day),
        ("calendar-week", Self::Week),
        ("calendar-month", Self::Month),
        ("calendar-quarter", Self::Quarter),
    ];

    /// Start of the period that the last moment before `end` lies in.
    fn start(self, end: Timestamp) -> Timestamp {
        let day = end.as_micros().saturating_sub(1) / 1_000_000 / DAY;
        let first = match self {
            Self::Day => day,
            // 1970-01-01 was a Thursday, three days after a Monday.
            Self::Week => day.saturating_sub((day + 3) % 7),
            Self::Month => first_of_month(day),
            Self::Quarter => {
                let mut first = first_of_month(day);
                while !(month_and_day(first).0 - 1).is_multiple_of(3) {
                    first = first_of_month(first - 1);
                }
                first
            }
        };
        Timestamp::from_micros(first * DAY * 1_000_000)
    }
}

fn first_of_month(day: u64) -> u64 {
    day + 1 - month_and_day(day).1
}

/// Month and day of the month, both from 1, of a day since 1970-01-01 in the Gregorian calendar.
///
/// Counted in eras of 400 years that begin on the first of March, so that the leap day is the
/// last one of its year.
const fn month_and_day(day: u64) -> (u64, u64) {
    const ERA: u64 = 146_097;
    let of_era = (day + 719_468) % ERA;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // From March, months have 153 days in five.
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (month, day)
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let text = text.trim();
        let shown = || text.chars().take(40).collect();
        if let Some((_, calendar)) = Calendar::NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Calendar(*calendar));
        }
        let length = humantime::parse_duration(text).map_err(|_| WindowError::Unknown(shown()))?;
        if length.is_zero() || length > Self::LONGEST {
            return Err(WindowError::Length(shown()));
        }
        if !length.as_nanos().is_multiple_of(60_000_000_000) {
            return Err(WindowError::NotMinutes(shown()));
        }
        Ok(Self::Rolling(length))
    }
}

/// As it is written: `7d`, `1h 30m`, `calendar-month`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar(calendar) => {
                let name = Calendar::NAMES.iter().find(|(_, c)| c == calendar);
                f.write_str(name.map_or("calendar", |(name, _)| name))
            }
            Self::Rolling(length) => {
                // Days as days: "7days" and "1month 2h" are no way to write a window.
                let minutes = length.as_secs() / 60;
                let parts = [
                    (minutes / 1_440, "d"),
                    (minutes / 60 % 24, "h"),
                    (minutes % 60, "m"),
                ];
                let parts = parts.iter().filter(|(number, _)| *number > 0);
                let parts: Vec<_> = parts.map(|(n, unit)| format!("{n}{unit}")).collect();
                f.write_str(&parts.join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        humantime::parse_rfc3339(text).expect("a time").into()
    }

    #[test]
    fn calendar_windows_start_where_the_calendar_says() {
        for (window, end, start) in [
            (
                "calendar-day",
                "2028-02-29T13:30:00Z",
                "2028-02-29T00:00:00Z",
            ),
            (
                "calendar-week",
                "2026-11-05T13:30:00Z",
                "2026-11-02T00:00:00Z",
            ),
            (
                "calendar-week",
                "2026-11-02T00:01:00Z",
                "2026-11-02T00:00:00Z",
            ),
            (
                "calendar-month",
                "2028-02-29T13:30:00Z",
                "2028-02-01T00:00:00Z",
            ),
            (
                "calendar-month",
                "2100-03-01T00:01:00Z",
                "2100-03-01T00:00:00Z",
            ),
            (
                "calendar-quarter",
                "2026-12-31T23:59:00Z",
                "2026-10-01T00:00:00Z",
            ),
            (
                "calendar-quarter",
                "2026-01-01T00:01:00Z",
                "2026-01-01T00:00:00Z",
            ),
            // The end is not in the window, so on the stroke it is the old period still.
            (
                "calendar-month",
                "2026-11-01T00:00:00Z",
                "2026-10-01T00:00:00Z",
            ),
            ("7d", "2026-11-08T10:00:00Z", "2026-11-01T10:00:00Z"),
        ] {
            let window: Window = window.parse().expect("a window");
            assert_eq!(window.start(at(end)), at(start), "{window} up to {end}");
        }
    }

    #[test]
    fn windows_are_shown_as_they_are_written() {
        for text in ["7d", "30d", "12h", "1d 6h", "90m", "calendar-quarter"] {
            let window: Window = text.parse().expect("a window");
            assert_eq!(window.to_string().parse(), Ok(window), "{text}");
        }
        assert_eq!(Window::SEVEN_DAYS.to_string(), "7d");
        for bad in ["", "7", "week", "90s", "0s", "400d", "-7d"] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn dates_are_those_of_another_calendar(day in 0_u64..2_900_000) {
            let date = Timestamp::from_micros(day * DAY * 1_000_000).to_string();
            let part = |from: usize, to: usize| date[from..to].parse::<u64>();
            prop_assert_eq!(Ok(month_and_day(day).0), part(5, 7));
            prop_assert_eq!(Ok(month_and_day(day).1), part(8, 10));
        }
    }
}
