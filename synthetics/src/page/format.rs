//! Figures and times for people.

use std::time::Duration;

use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Timestamp;

/// A moment on the clock of the history: RFC 3339 in UTC in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Moment {
    /// RFC 3339.
    pub(super) fn iso(&self) -> String {
        self.0.to_string()
    }

    fn part(&self, from: usize, until: usize) -> String {
        let text = self.iso();
        text.get(from..until).unwrap_or(&text).to_owned()
    }

    /// `12:34:56`.
    pub(super) fn time(&self) -> String {
        self.part(11, 19)
    }

    /// `12:34`.
    pub(super) fn minute(&self) -> String {
        self.part(11, 16)
    }

    /// `5 Nov`.
    pub(super) fn short_day(&self) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let (month, day) = (self.part(5, 7), self.part(8, 10));
        let month = month.parse::<usize>().ok();
        let month = month.and_then(|month| MONTHS.get(month.checked_sub(1)?));
        format!("{} {}", day.trim_start_matches('0'), month.unwrap_or(&"-"))
    }

    /// `5 Nov 12:34`.
    pub(super) fn day_minute(&self) -> String {
        format!("{} {}", self.short_day(), self.minute())
    }

    /// `5 Nov 12:34:56`.
    pub(super) fn day_time(&self) -> String {
        format!("{} {}", self.short_day(), self.time())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .build()
            .into()
    }
}

impl ToSchema for Moment {}

/// A whole number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A time of an answer with three digits: `2.41 ms`, `1.3 s`.
pub(super) fn latency(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        ..100.0 => format!("{millis:.1} ms"),
        ..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1e3),
    }
}

/// A length of time: `5 min`, `3 h`, `7 d`.
pub(super) fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    // The two largest: nobody plans by the seconds of a week.
    let parts = parts.iter().skip_while(|(number, _)| *number == 0).take(2);
    let parts: Vec<_> = parts
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    if parts.is_empty() {
        "0 s".to_owned()
    } else {
        parts.join(" ")
    }
}

/// Milliseconds with three digits after the point, for JSON.
pub(super) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_figures_are_as_people_write_them() {
        let at = humantime::parse_rfc3339("2026-11-05T07:34:56Z").expect("a time");
        let at = Moment(at.into());
        assert_eq!(at.day_time(), "5 Nov 07:34:56");
        assert_eq!(at.day_minute(), "5 Nov 07:34");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(999), "999");
        assert_eq!(latency(Duration::from_micros(2_414)), "2.41 ms");
        assert_eq!(latency(Duration::from_micros(99_400)), "99.4 ms");
        assert_eq!(latency(Duration::from_millis(1_250)), "1.25 s");
        assert_eq!(length(Duration::from_secs(7 * 86_400)), "7 d");
        assert_eq!(
            length(Duration::from_secs(3_600 * 3 + 60 * 14 + 5)),
            "3 h 14 min"
        );
        assert_eq!(length(Duration::ZERO), "0 s");
    }
}
