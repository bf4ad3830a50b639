//! How long from one value to the next.

use std::str::FromStr;
use std::time::Duration;

/// The time from one value to the next: 100 ms to one day, 45 s where nothing is said.
///
/// Written as seconds (`45`, `0.5`) or with units (`45s`, `1m`, `1m 30s`, `500ms`).
///
/// ```
/// use std::time::Duration;
/// let interval: mymetric::Interval = "1m".parse()?;
/// assert_eq!(interval.get(), Duration::from_secs(60));
/// assert!("0".parse::<mymetric::Interval>().is_err());
/// # Ok::<(), mymetric::IntervalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(Duration);

/// Why a text is no [`Interval`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// Neither a number nor a number with units.
    #[error("it is no length of time: write seconds such as 45, or a unit as in 45s or 1m")]
    Unreadable,
    /// A length of time, but no usable one.
    #[error("it must be at least {}ms and at most {}h", Interval::MIN.as_millis(), Interval::MAX.as_secs() / 3600)]
    OutOfRange,
}

impl Interval {
    /// The shortest. Ten a second is as fast as anybody can watch; an agent keeps one gauge in ten seconds.
    pub const MIN: Duration = Duration::from_millis(100);
    /// The longest. Beyond a day, a stuck emitter and a slow one look the same.
    pub const MAX: Duration = Duration::from_secs(24 * 60 * 60);

    /// The length of time, between [`Interval::MIN`] and [`Interval::MAX`].
    pub fn get(self) -> Duration {
        self.0
    }
}

impl Default for Interval {
    fn default() -> Self {
        Self(Duration::from_secs(45))
    }
}

impl TryFrom<Duration> for Interval {
    type Error = IntervalError;

    fn try_from(length: Duration) -> Result<Self, IntervalError> {
        match (Self::MIN..=Self::MAX).contains(&length) {
            true => Ok(Self(length)),
            false => Err(IntervalError::OutOfRange),
        }
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let text = text.trim();
        if let Some(size) = text.strip_prefix('-') {
            // A negative length deserves a better answer than that it cannot be read.
            return Err(match length(size) {
                Some(_) => IntervalError::OutOfRange,
                None => IntervalError::Unreadable,
            });
        }
        length(text).ok_or(IntervalError::Unreadable)?.try_into()
    }
}

/// `None` where it cannot be read; what is too long to be held counts as the longest there is.
fn length(text: &str) -> Option<Duration> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain {
        let seconds = text.parse().ok()?; // digits and dots alone: never negative, never NaN
        return Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
    match humantime::parse_duration(text) {
        Ok(length) => Some(length),
        Err(humantime::DurationError::NumberOverflow) => Some(Duration::MAX),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Duration, IntervalError> {
        text.parse().map(Interval::get)
    }

    #[test]
    fn seconds_and_units_are_read() {
        for (text, milliseconds) in [
            ("45", 45_000),
            (" 45 ", 45_000),
            ("45s", 45_000),
            ("1m", 60_000),
            ("1m 30s", 90_000),
            ("0.5", 500),
            ("100ms", 100),
            ("24h", 86_400_000),
            ("86400", 86_400_000),
        ] {
            assert_eq!(
                parse(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for text in [
            "0",
            "0s",
            "-5",
            "-5s",
            "99ms",
            "0.05",
            "86400.1",
            "25h",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text), Err(IntervalError::OutOfRange), "{text}");
        }
        for text in [
            "",
            " ",
            "soon",
            "45 bananas",
            ".",
            "1.2.3",
            "NaN",
            "inf",
            "1e3",
            "--once",
            "-",
            "4５",
        ] {
            assert_eq!(parse(text), Err(IntervalError::Unreadable), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_gets_past_the_bounds(text in "\\PC{0,24}|[-0-9.]{1,12} ?(ns|us|ms|s|m|h|d|)") {
            if let Ok(length) = parse(&text) {
                prop_assert!((Interval::MIN..=Interval::MAX).contains(&length));
            }
        }

        #[test]
        fn every_allowed_length_is_read_back(milliseconds in 100_u64..=86_400_000) {
            let length = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse(&humantime::format_duration(length).to_string()), Ok(length));
        }
    }
}
