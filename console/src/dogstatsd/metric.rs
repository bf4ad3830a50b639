//! `name:value[:value…]|type[|@rate][|#tags][|T…][|c:…][|e:…][|card:…]`

use super::fields::{Origin, Tags};
use super::{Error, Reason};

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `c`: added up.
    Count,
    /// `g`: the last one holds.
    Gauge,
    /// `ms`: a histogram of durations in milliseconds.
    Timing,
    /// `h`: summed up by the Agent of each host.
    Histogram,
    /// `d`: percentiles over all hosts.
    Distribution,
    /// `s`: how many different values.
    Set,
}

impl Kind {
    /// The letters that stand for it on the wire.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Count => "c",
            Self::Gauge => "g",
            Self::Timing => "ms",
            Self::Histogram => "h",
            Self::Distribution => "d",
            Self::Set => "s",
        }
    }

    fn parse(symbol: &str) -> Result<Self, Reason> {
        Ok(match symbol {
            "c" => Self::Count,
            "g" => Self::Gauge,
            "ms" => Self::Timing,
            "h" => Self::Histogram,
            "d" => Self::Distribution,
            "s" => Self::Set,
            _ => return Err(Reason::Kind),
        })
    }
}

/// What a message measured: numbers, or the member of a set.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// One number, by far the most frequent case.
    One(f64),
    /// Packed numbers (protocol 1.1), in the order sent; two or more, or one that was packed with empty ones.
    Many(Box<[f64]>),
    /// The member of a set. It is text, and is never packed.
    Member(Box<str>),
}

impl Values {
    /// The numbers; none for a set.
    #[must_use]
    pub fn numbers(&self) -> &[f64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Many(numbers) => numbers,
            Self::Member(_) => &[],
        }
    }

    /// The member of a set.
    #[must_use]
    pub fn member(&self) -> Option<&str> {
        match self {
            Self::Member(member) => Some(member),
            Self::One(_) | Self::Many(_) => None,
        }
    }
}

/// A metric message.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric<'a> {
    /// The name as sent: the Agent does not change it, the back end does.
    pub name: &'a str,
    /// The type.
    pub kind: Kind,
    /// What was measured.
    pub values: Values,
    /// The share of all samples that are sent, in `(0, 1]`. A count of 2 at a rate of 0.5 stands for 4.
    pub sample_rate: f64,
    /// The tags.
    pub tags: Tags<'a>,
    /// The sender.
    pub origin: Origin<'a>,
    /// When it was measured, in seconds since 1970, if the sender says so (gauges and counts only).
    pub timestamp: Option<i64>,
}

pub(super) fn parse(line: &str) -> Result<(Metric<'_>, Option<Reason>), Error> {
    let mut fields = line.split('|');
    let (Some(head), Some(symbol)) = (fields.next(), fields.next()) else {
        return Err(Reason::Format.into());
    };
    let (name, raw_values) = head.split_once(':').ok_or(Reason::Name)?;
    if name.is_empty() || raw_values.is_empty() {
        return Err(Reason::Name.into());
    }
    let kind = Kind::parse(symbol)?;
    let values = if kind == Kind::Set {
        Values::Member(raw_values.into())
    } else {
        numbers(raw_values)?
    };

    let mut metric = Metric {
        name,
        kind,
        values,
        sample_rate: 1.0,
        tags: Tags::default(),
        origin: Origin::default(),
        timestamp: None,
    };
    let mut ignored = None;
    for field in fields {
        if let Some(tags) = field.strip_prefix('#') {
            metric.tags = Tags(tags);
        } else if let Some(rate) = field.strip_prefix('@') {
            metric.sample_rate = rate
                .parse()
                .ok()
                .filter(|&rate| rate > 0.0 && rate <= 1.0)
                .ok_or(Reason::SampleRate)?;
        } else if let Some(seconds) = field.strip_prefix('T') {
            metric.timestamp = Some(
                seconds
                    .parse()
                    .ok()
                    .filter(|&seconds| seconds > 0)
                    .ok_or(Reason::Timestamp)?,
            );
        } else if let Err(reason) = metric.origin.take(field) {
            ignored = Some(reason);
        }
    }
    if metric.timestamp.is_some() && !matches!(kind, Kind::Gauge | Kind::Count) {
        return Err(Reason::TimestampKind.into());
    }
    Ok((metric, ignored))
}

fn numbers(raw: &str) -> Result<Values, Reason> {
    if !raw.contains(':') {
        return number(raw).map(Values::One);
    }
    // A trailing or doubled colon is skipped, as the Agent does; only colons is no value at all.
    let numbers: Box<[f64]> = raw
        .split(':')
        .filter(|part| !part.is_empty())
        .map(number)
        .collect::<Result<_, _>>()?;
    if numbers.is_empty() {
        Err(Reason::Value)
    } else {
        Ok(Values::Many(numbers))
    }
}

fn number(raw: &str) -> Result<f64, Reason> {
    let number: f64 = raw.parse().map_err(|_| Reason::Value)?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(Reason::ValueRange)
    }
}
