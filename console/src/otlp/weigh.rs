//! How much memory a request will take once decoded, found out without decoding it.
//!
//! Two bytes of protobuf can be one empty span, and that is a structure of some hundred bytes; so a limit on the size of a body is no limit on
//! memory. One pass over the tags (no allocation, no text looked at) finds how many structures there will be.

use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, SummaryDataPoint, summary_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};

use super::{Encoding, Error, Signal};

/// The deepest nesting that is walked into: one more than the decoder takes (its recursion limit is 100), which refuses the rest.
const DEPTH: usize = 101;

/// An allowance for each object and each further element in JSON: above the largest structure, and above what serde buffers while it
/// finds out which variant an object is.
const JSON_OBJECT: usize = 512;
const JSON_ELEMENT: usize = 64;

/// About how many bytes of memory the request will take once decoded: an upper bound within a factor of two.
///
/// # Errors
/// [`Error::Protobuf`], if the outermost structure is broken.
pub fn weigh(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<usize, Error> {
    match encoding {
        Encoding::Json => Ok(body.iter().fold(body.len(), |sum, byte| match byte {
            b'{' => sum.saturating_add(JSON_OBJECT),
            b',' => sum.saturating_add(JSON_ELEMENT),
            _ => sum,
        })),
        Encoding::Protobuf => {
            let root = match signal {
                Signal::Traces => Shape::Traces,
                Signal::Metrics => Shape::Metrics,
                Signal::Logs => Shape::Logs,
            };
            let structures = walk(body, root, DEPTH)
                .ok_or_else(|| Error::Protobuf("a field is cut off or malformed".into()))?;
            Ok(body.len().saturating_add(structures))
        }
    }
}

/// The messages of OTLP, as far as they contain others.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Traces,
    Metrics,
    Logs,
    ResourceSpans,
    ResourceMetrics,
    ResourceLogs,
    ScopeSpans,
    ScopeMetrics,
    ScopeLogs,
    Resource,
    EntityRef,
    Scope,
    Span,
    Event,
    Link,
    Status,
    LogRecord,
    Metric,
    Numbers,
    Histograms,
    Exponentials,
    Summaries,
    Number,
    Histogram,
    Exponential,
    Buckets,
    Summary,
    Quantile,
    Exemplar,
    KeyValue,
    AnyValue,
    Array,
    Map,
    /// Text in a list: it has no fields of its own.
    Text,
    /// Packed variable-length numbers: eight bytes for every byte.
    Packed,
}

impl Shape {
    /// The shape of a length-delimited field, if it is one that grows when decoded. Numbers as in `opentelemetry-proto` 1.x.
    fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Traces, 1) => Self::ResourceSpans,
            (Self::Metrics, 1) => Self::ResourceMetrics,
            (Self::Logs, 1) => Self::ResourceLogs,
            (Self::ResourceSpans | Self::ResourceMetrics | Self::ResourceLogs, 1) => Self::Resource,
            (Self::ResourceSpans, 2) => Self::ScopeSpans,
            (Self::ResourceMetrics, 2) => Self::ScopeMetrics,
            (Self::ResourceLogs, 2) => Self::ScopeLogs,
            (Self::ScopeSpans | Self::ScopeMetrics | Self::ScopeLogs, 1) => Self::Scope,
            (Self::ScopeSpans, 2) => Self::Span,
            (Self::ScopeMetrics, 2) => Self::Metric,
            (Self::ScopeLogs, 2) => Self::LogRecord,
            (Self::Resource, 3) => Self::EntityRef,
            (Self::EntityRef, 3 | 4) => Self::Text,
            (Self::Span, 11) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::Span, 15) => Self::Status,
            (Self::LogRecord, 5) | (Self::KeyValue, 2) | (Self::Array, 1) => Self::AnyValue,
            (Self::Metric, 5 | 7) => Self::Numbers,
            (Self::Metric, 9) => Self::Histograms,
            (Self::Metric, 10) => Self::Exponentials,
            (Self::Metric, 11) => Self::Summaries,
            (Self::Numbers, 1) => Self::Number,
            (Self::Histograms, 1) => Self::Histogram,
            (Self::Exponentials, 1) => Self::Exponential,
            (Self::Summaries, 1) => Self::Summary,
            (Self::Number, 5) | (Self::Histogram, 8) | (Self::Exponential, 11) => Self::Exemplar,
            (Self::Exponential, 8 | 9) => Self::Buckets,
            (Self::Buckets, 2) => Self::Packed,
            (Self::Summary, 6) => Self::Quantile,
            (Self::AnyValue, 5) => Self::Array,
            (Self::AnyValue, 6) => Self::Map,
            (Self::Resource | Self::Exponential | Self::Map, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Link, 4)
            | (Self::LogRecord, 6)
            | (Self::Number | Self::Summary | Self::Exemplar, 7)
            | (Self::Span | Self::Histogram, 9)
            | (Self::Metric, 12) => Self::KeyValue,
            _ => return None,
        })
    }

    /// What one of it takes in memory, its texts not counted. Lists double as they grow, so every element counts twice.
    fn bytes(self) -> usize {
        2 * match self {
            Self::Traces | Self::Metrics | Self::Logs | Self::Packed => 0,
            // Part of the structure that holds them.
            Self::Resource
            | Self::Scope
            | Self::Status
            | Self::Buckets
            | Self::Array
            | Self::Map => size_of::<Resource>()
                .max(size_of::<InstrumentationScope>())
                .max(size_of::<Status>()),
            Self::Numbers | Self::Histograms | Self::Exponentials | Self::Summaries => 0,
            Self::ResourceSpans => size_of::<ResourceSpans>(),
            Self::ResourceMetrics => size_of::<ResourceMetrics>(),
            Self::ResourceLogs => size_of::<ResourceLogs>(),
            Self::ScopeSpans => size_of::<ScopeSpans>(),
            Self::ScopeMetrics => size_of::<ScopeMetrics>(),
            Self::ScopeLogs => size_of::<ScopeLogs>(),
            Self::EntityRef => size_of::<EntityRef>(),
            Self::Span => size_of::<Span>() + size_of::<super::Span>(),
            Self::Event => size_of::<span::Event>() + size_of::<super::SpanEvent>(),
            Self::Link => size_of::<span::Link>() + size_of::<super::SpanLink>(),
            Self::LogRecord => size_of::<LogRecord>() + size_of::<super::LogRecord>(),
            Self::Metric => size_of::<Metric>(),
            Self::Number => size_of::<NumberDataPoint>() + size_of::<super::MetricPoint>(),
            Self::Histogram => size_of::<HistogramDataPoint>() + size_of::<super::MetricPoint>(),
            Self::Exponential => {
                size_of::<ExponentialHistogramDataPoint>() + size_of::<super::MetricPoint>()
            }
            Self::Summary => size_of::<SummaryDataPoint>() + size_of::<super::MetricPoint>(),
            Self::Quantile => size_of::<summary_data_point::ValueAtQuantile>(),
            Self::Exemplar => size_of::<Exemplar>(),
            Self::KeyValue => size_of::<KeyValue>() + size_of::<(Box<str>, super::Value)>(),
            Self::AnyValue => size_of::<AnyValue>() + size_of::<super::Value>(),
            Self::Text => size_of::<String>(),
        }
    }
}

/// The bytes of all structures in the message; `None` if it is malformed. Groups, which OTLP does not have, are walked as if their fields
/// stood in the message itself: that can only find more.
fn walk(mut message: &[u8], shape: Shape, depth: usize) -> Option<usize> {
    let mut sum = 0_usize;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        match key & 7 {
            0 => {
                varint(&mut message)?;
                // Numbers of a list may also be sent one by one.
                sum = sum.saturating_add(16);
            }
            1 => {
                message = message.get(8..)?;
                sum = sum.saturating_add(16);
            }
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (field, rest) = message.split_at_checked(length)?;
                message = rest;
                match shape.field(key >> 3) {
                    Some(Shape::Packed) => sum = sum.saturating_add(length.saturating_mul(16)),
                    Some(child) => {
                        sum = sum.saturating_add(child.bytes());
                        if depth > 0 {
                            sum = sum.saturating_add(walk(field, child, depth - 1)?);
                        }
                    }
                    None => {}
                }
            }
            3 | 4 => {}
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    Some(sum)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (at, &byte) in message.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            *message = message.get(at + 1..)?;
            return Some(value);
        }
    }
    None
}
