//! OTLP, decoded into small structures of our own.
//!
//! [`decode`] takes the body of one export request, protobuf or JSON, already unpacked, and never builds more than it is allowed to
//! from it: a body of a few megabytes can otherwise name millions of empty spans.

mod ids;
mod log;
mod metric;
mod trace;
mod value;
mod weigh;

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use prost::Message;
use serde::de::DeserializeOwned;

pub use ids::{BadId, SpanId, TraceId};
pub use log::{LogRecord, Severity};
pub use metric::{Buckets, MetricPoint, PointKind, PointValue, Temporality};
pub use trace::{Span, SpanEvent, SpanKind, SpanLink, SpanStatus};
pub use value::{Attributes, Value};
pub use weigh::weigh;

/// The name of a service that sends none, as the Agent has it.
pub const UNNAMED_SERVICE: &str = "otlpresourcenoservicename";

/// What an export request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Data points.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// The name in paths and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

/// How an export request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`, and gRPC.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Who sent something: the resource of an export request, shared by all that came with it.
#[derive(Debug, PartialEq, Default)]
pub struct Resource {
    /// `service.name`, or [`UNNAMED_SERVICE`].
    pub service: Box<str>,
    /// All attributes of the resource.
    pub attributes: Attributes,
}

impl Resource {
    fn from_wire(resource: Option<WireResource>) -> Arc<Self> {
        let attributes = Attributes::from(
            resource
                .map(|resource| resource.attributes)
                .unwrap_or_default(),
        );
        let service = attributes["service.name"]
            .as_str()
            .filter(|name| !name.is_empty())
            .unwrap_or(UNNAMED_SERVICE);
        Arc::new(Self {
            service: service.into(),
            attributes,
        })
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.service.len() + self.attributes.heap_bytes()
    }
}

/// What came in one export request.
#[derive(Debug, Default, PartialEq)]
pub struct Batch {
    /// Spans, in the order sent.
    pub spans: Vec<Span>,
    /// Data points, in the order sent.
    pub points: Vec<MetricPoint>,
    /// Log records, in the order sent.
    pub logs: Vec<LogRecord>,
    /// How many were refused, each on its own, and why the last one was: the answer's `partial_success`.
    pub rejected: Option<Rejected>,
}

/// Items that were refused while the rest of their request was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// How many.
    pub items: usize,
    /// Why the last one was.
    pub why: &'static str,
}

impl Batch {
    fn reject(&mut self, why: &'static str) {
        let items = self.rejected.as_ref().map_or(0, |rejected| rejected.items) + 1;
        self.rejected = Some(Rejected { items, why });
    }
}

/// Why an export request was refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The protobuf is broken.
    #[error("not a protobuf export request: {0}")]
    Protobuf(String),
    /// The JSON is broken, or is not OTLP's.
    #[error("not a JSON export request: {0}")]
    Json(String),
    /// Unpacked into memory it would take too much.
    #[error(
        "the request would take about {estimate} bytes decoded, more than the limit of {limit}"
    )]
    TooLarge {
        /// What it would take, in bytes.
        estimate: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Error {
    /// A short name in snake case, for counting.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Protobuf(_) => "protobuf",
            Self::Json(_) => "json",
            Self::TooLarge { .. } => "decoded_size",
        }
    }
}

/// Decodes the body of one export request.
///
/// # Errors
/// [`Error`], if the body is broken or would take more than `limit` bytes of memory.
pub fn decode(
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
    limit: usize,
) -> Result<Batch, Error> {
    let estimate = weigh(signal, encoding, body)?;
    if estimate > limit {
        return Err(Error::TooLarge { estimate, limit });
    }
    let mut batch = Batch::default();
    match signal {
        Signal::Traces => trace::convert(
            read::<ExportTraceServiceRequest>(encoding, body)?,
            &mut batch,
        ),
        Signal::Metrics => metric::convert(
            read::<ExportMetricsServiceRequest>(encoding, body)?,
            &mut batch,
        ),
        Signal::Logs => log::convert(
            read::<ExportLogsServiceRequest>(encoding, body)?,
            &mut batch,
        ),
    }
    Ok(batch)
}

fn read<T: Message + Default + DeserializeOwned>(
    encoding: Encoding,
    body: &[u8],
) -> Result<T, Error> {
    match encoding {
        Encoding::Protobuf => T::decode(body).map_err(|error| Error::Protobuf(error.to_string())),
        // The derived reader would take a list of the fields' values for the structure as well.
        Encoding::Json if body.trim_ascii_start().first() != Some(&b'{') => {
            Err(Error::Json("an object is expected".into()))
        }
        Encoding::Json => {
            serde_json::from_slice(body).map_err(|error| Error::Json(error.to_string()))
        }
    }
}
