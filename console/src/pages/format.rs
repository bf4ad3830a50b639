//! Figures and times for people.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::aggregate::map::NodeKind;
use crate::aggregate::red::Red;
use crate::monitor::State;

/// With so many digits as can be told apart: three, or all before the point.
pub(crate) fn figure(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() {
        "-".to_owned()
    } else if magnitude >= 100.0 || magnitude == 0.0 {
        grouped(value)
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else if magnitude >= 0.01 {
        format!("{value:.2}")
    } else {
        format!("{value:.1e}")
    }
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < 0.0 {
        format!("\u{2212}{text}")
    } else {
        text
    }
}

/// A count with its thousands apart.
#[expect(clippy::cast_precision_loss, reason = "a count to look at")]
pub(crate) fn count(count: u64) -> String {
    grouped(count as f64)
}

/// A duration in the unit that suits it.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{} µs", figure(seconds * 1e6))
    } else if seconds < 1.0 {
        format!("{} ms", figure(seconds * 1e3))
    } else {
        format!("{} s", figure(seconds))
    }
}

/// A time that has passed, roughly.
pub(crate) fn ago(seconds: u64) -> String {
    match seconds {
        0..=1 => "now".to_owned(),
        2..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A size.
#[expect(clippy::cast_precision_loss, reason = "a size to look at")]
pub(crate) fn bytes(bytes: usize) -> String {
    format!("{} MiB", figure(bytes as f64 / f64::from(1 << 20)))
}

/// The time of day.
pub(crate) fn clock(unix_ms: u64, zone: &TimeZone) -> String {
    local(unix_ms, zone, "%H:%M:%S")
}

/// The time of day with milliseconds.
pub(crate) fn fine_clock(unix_ms: u64, zone: &TimeZone) -> String {
    local(unix_ms, zone, "%H:%M:%S%.3f")
}

/// Day and time.
pub(crate) fn day_clock(unix_ms: u64, zone: &TimeZone) -> String {
    local(unix_ms, zone, "%a %d %b %H:%M:%S")
}

fn local(unix_ms: u64, zone: &TimeZone, format: &str) -> String {
    i64::try_from(unix_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .map_or_else(
            || "-".to_owned(),
            |at| at.to_zoned(zone.clone()).strftime(format).to_string(),
        )
}

/// A unit by UCUM, for people. What stands in braces is a note and no unit.
pub(crate) fn unit(unit: &str) -> String {
    match unit {
        "1" | "" => String::new(),
        other => other.replace(['{', '}'], ""),
    }
}

/// More than this share of failures is a fault.
const BAD: f64 = 0.05;

impl Red {
    pub(crate) fn rate_text(&self) -> String {
        format!("{}/s", figure(self.rate))
    }

    pub(crate) fn errors_text(&self) -> String {
        match self.error_ratio {
            Some(ratio) => format!("{} %", figure(ratio * 100.0)),
            None => "-".to_owned(),
        }
    }

    pub(crate) fn p50_text(&self) -> String {
        self.p50_s.map_or_else(|| "-".to_owned(), seconds)
    }

    pub(crate) fn p95_text(&self) -> String {
        self.p95_s.map_or_else(|| "-".to_owned(), seconds)
    }

    pub(crate) fn p99_text(&self) -> String {
        self.p99_s.map_or_else(|| "-".to_owned(), seconds)
    }

    pub(crate) fn in_progress_text(&self) -> String {
        figure(self.in_progress)
    }

    /// The style of its errors: `idle`, `well`, `some` or `bad`.
    pub(crate) fn class(&self) -> &'static str {
        match self.error_ratio {
            None => "idle",
            Some(ratio) if ratio >= BAD => "bad",
            Some(ratio) if ratio > 0.0 => "some",
            Some(_) => "well",
        }
    }

    /// The same as a sign, so that it does not hang on colours.
    pub(crate) fn sign(&self) -> &'static str {
        match self.class() {
            "bad" => "▲",
            "some" => "△",
            "well" => "●",
            _ => "○",
        }
    }
}

impl State {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Ok => "well",
            Self::Unknown | Self::NoData => "idle",
            Self::Warning => "some",
            Self::Alert => "bad",
        }
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Ok => "●",
            Self::Unknown | Self::NoData => "○",
            Self::Warning => "△",
            Self::Alert => "▲",
        }
    }
}

impl NodeKind {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Database => "database",
            Self::Unknown => "unknown",
        }
    }
}

/// A span of time for people: `1 min`, `30 min`.
pub(crate) fn length(length: Duration) -> String {
    ago(length.as_secs())
}

/// A text as one segment of a path, or as one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_matter() {
        for (value, text) in [
            (0.0, "0"),
            (0.0034, "3.4e-3"),
            (0.034, "0.03"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (999.5, "1\u{202f}000"),
            (1_234_567.0, "1\u{202f}234\u{202f}567"),
            (-1234.0, "\u{2212}1\u{202f}234"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(figure(value), text);
        }
        assert_eq!(seconds(0.000_42), "420 µs");
        assert_eq!(seconds(0.034_26), "34.3 ms");
        assert_eq!(seconds(7.5), "7.50 s");
        assert_eq!(unit("{request}/s"), "request/s");
    }

    #[test]
    fn texts_become_one_segment() {
        assert_eq!(encoded("a/b?<c>&d"), "a%2Fb%3F%3Cc%3E%26d");
    }

    #[test]
    fn any_time_can_be_shown() {
        assert_eq!(clock(u64::MAX, &TimeZone::UTC), "-");
        assert_eq!(
            fine_clock(1_795_168_800_250, &TimeZone::UTC),
            "10:00:00.250"
        );
    }
}
