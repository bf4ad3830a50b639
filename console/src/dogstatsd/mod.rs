//! A parser of the DogStatsD datagram protocol, versions 1.0 to 1.6.
//!
//! It takes what the Datadog Agent takes and refuses what the Agent drops, with a [`Reason`] that can be counted and an
//! [`Error`] that can be read. It borrows from the datagram, allocates only for packed values and for event texts with escapes, and
//! has no input on which it panics.
//!
//! The grammar is that of the public "DogStatsD datagram format" pages. Where the pages are silent, the Agent's own behaviour
//! decides: empty values in a pack (`1::2`) are skipped, unknown fields are skipped, of a repeated field the last one holds, and a
//! broken optional field of an event or a service check costs the field, not the message (see [`Parsed::ignored`]).
//!
//! Three points where this parser is stricter than the Agent, because each is always a fault of the sender that the Agent only shows as
//! odd numbers: text that is not UTF-8, a sample rate outside `(0, 1]`, and an unknown `card:` value (which is reported as an ignored field).

mod check;
mod event;
mod fields;
mod metric;

pub use check::{CheckStatus, ServiceCheck};
pub use event::{Alert, Event, Priority};
pub use fields::{Cardinality, Origin, Tags};
pub use metric::{Kind, Metric, Values};

/// The largest datagram the Agent reads (its setting `dogstatsd_buffer_size`), in bytes. It cuts off what is longer.
pub const MAX_DATAGRAM: usize = 8192;

/// Why a message, or one field of it, was refused. Stable enough to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The message is not UTF-8.
    NotUtf8,
    /// No `|` in a metric, or fewer than two in a service check.
    Format,
    /// The name, or the `:` after it, is missing.
    Name,
    /// A value is missing or not a number.
    Value,
    /// A value is infinite, not a number (NaN), or too large for 64 bits.
    ValueRange,
    /// The type is none of `c`, `g`, `ms`, `h`, `s`, `d`.
    Kind,
    /// The sample rate is not a number in `(0, 1]`.
    SampleRate,
    /// The timestamp is not a whole number of seconds above 0 (or, in events and checks, not a whole number).
    Timestamp,
    /// A timestamp on a type that takes none: only gauges and counts do.
    TimestampKind,
    /// An event without a good `_e{title,text}:` header.
    EventHeader,
    /// An event shorter than its header promises, or cut inside a character.
    EventLength,
    /// An event with an empty title.
    EventTitle,
    /// An event's priority is neither `normal` nor `low`.
    EventPriority,
    /// An event's alert type is none of `error`, `warning`, `info`, `success`.
    EventAlert,
    /// A service check's status is none of `0`, `1`, `2`, `3`.
    CheckStatus,
    /// `card:` is none of `none`, `low`, `orchestrator`, `high`.
    Cardinality,
    /// The datagram is longer than [`MAX_DATAGRAM`]: what follows the last whole line is lost.
    Oversize,
}

impl Reason {
    /// A short name in snake case, for counting and for tags.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::Format => "format",
            Self::Name => "name",
            Self::Value => "value",
            Self::ValueRange => "value_range",
            Self::Kind => "type",
            Self::SampleRate => "sample_rate",
            Self::Timestamp => "timestamp",
            Self::TimestampKind => "timestamp_type",
            Self::EventHeader => "event_header",
            Self::EventLength => "event_length",
            Self::EventTitle => "event_title",
            Self::EventPriority => "event_priority",
            Self::EventAlert => "event_alert_type",
            Self::CheckStatus => "check_status",
            Self::Cardinality => "cardinality",
            Self::Oversize => "oversize",
        }
    }

    /// One sentence for a person: what the grammar wants.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::NotUtf8 => "the message is not UTF-8",
            Self::Format => {
                "too few `|` for any message: expected `name:value|type`, `_e{..}:..` or `_sc|name|status`"
            }
            Self::Name => "expected `name:value` before the first `|`, both not empty",
            Self::Value => "a value is missing or not a number",
            Self::ValueRange => "a value is not finite",
            Self::Kind => "the type must be one of c, g, ms, h, s, d",
            Self::SampleRate => "the sample rate must be a number above 0 and at most 1",
            Self::Timestamp => {
                "the timestamp must be a whole number of seconds since 1970, above 0"
            }
            Self::TimestampKind => "only gauges and counts take a timestamp",
            Self::EventHeader => "expected `_e{<title bytes>,<text bytes>}:`",
            Self::EventLength => {
                "the event is shorter than its header says, or is cut inside a character"
            }
            Self::EventTitle => "the event's title is empty",
            Self::EventPriority => "the priority must be normal or low",
            Self::EventAlert => "the alert type must be error, warning, info or success",
            Self::CheckStatus => "the status must be 0, 1, 2 or 3",
            Self::Cardinality => "the cardinality must be none, low, orchestrator or high",
            Self::Oversize => "the datagram is longer than the 8192 bytes that the Agent reads",
        }
    }
}

/// A message that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bad DogStatsD message ({}): {}", reason.code(), reason.explanation())]
pub struct Error {
    /// Why.
    pub reason: Reason,
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

/// One message of a datagram, borrowed from it.
#[derive(Debug, Clone, PartialEq)]
pub enum Message<'a> {
    /// `name:value|type…`
    Metric(Metric<'a>),
    /// `_e{…}:…`
    Event(Event<'a>),
    /// `_sc|…`
    ServiceCheck(ServiceCheck<'a>),
}

/// A message, and what was wrong with a field that it could do without.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<'a> {
    /// The message, its broken optional fields at their defaults.
    pub message: Message<'a>,
    /// The last optional field that was broken and therefore ignored, if any: the Agent logs a warning here.
    pub ignored: Option<Reason>,
}

/// The messages of a datagram: its lines, without empty ones and without a carriage return at the end.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    datagram
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
}

/// Parses one message: one line of a datagram (see [`messages`]).
///
/// # Errors
/// [`Error`] with the [`Reason`] if the message is not one that the Agent would use.
pub fn parse(line: &[u8]) -> Result<Parsed<'_>, Error> {
    let line = std::str::from_utf8(line).map_err(|_| Reason::NotUtf8)?;
    let (message, ignored) = if line.starts_with("_e{") {
        let (event, ignored) = event::parse(line)?;
        (Message::Event(event), ignored)
    } else if line.starts_with("_sc") {
        let (check, ignored) = check::parse(line)?;
        (Message::ServiceCheck(check), ignored)
    } else {
        let (metric, ignored) = metric::parse(line)?;
        (Message::Metric(metric), ignored)
    };
    Ok(Parsed { message, ignored })
}
