//! Spans.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{Span as WireSpan, span, status};

use super::value::allocated;
use super::{Attributes, Batch, Resource, SpanId, TraceId};

/// The role of a span in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanKind {
    /// Not said, or not known here.
    Unspecified,
    /// Work inside a service.
    Internal,
    /// Handles a request from outside.
    Server,
    /// Sends a request and waits for the answer.
    Client,
    /// Sends a message for later.
    Producer,
    /// Handles such a message.
    Consumer,
}

/// How the work of a span ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "lowercase", tag = "code", content = "message")]
pub enum SpanStatus {
    /// Not said, which counts as well.
    #[default]
    Unset,
    /// Explicitly well.
    Ok,
    /// Failed, with what was said about it (may be empty).
    Error(Box<str>),
}

impl SpanStatus {
    /// Whether it failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SpanEvent {
    /// When, in nanoseconds since 1970.
    pub time_unix_nanos: u64,
    /// What.
    pub name: Box<str>,
    /// More about it.
    pub attributes: Attributes,
}

/// A reference to another span.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SpanLink {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// More about it.
    pub attributes: Attributes,
}

/// One operation of one service within a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span that caused it; none for the root of a trace.
    pub parent_span_id: Option<SpanId>,
    /// What was done.
    pub name: Box<str>,
    /// Its role.
    pub kind: SpanKind,
    /// Start, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// End, in nanoseconds since 1970.
    pub end_unix_nanos: u64,
    /// How it ended.
    pub status: SpanStatus,
    /// More about it.
    pub attributes: Attributes,
    /// What happened during it.
    pub events: Box<[SpanEvent]>,
    /// Other spans it refers to.
    pub links: Box<[SpanLink]>,
    /// The name of the instrumentation that made it.
    pub scope: Arc<str>,
    /// Who sent it.
    pub resource: Arc<Resource>,
    /// When it arrived here.
    pub received_at: SystemTime,
}

impl Span {
    /// The service that sent it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.resource.service
    }

    /// How long it took; zero if it ends before it starts.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_unix_nanos.saturating_sub(self.start_unix_nanos))
    }

    /// Whether it is the child of the other one: same trace, and the other one is its parent.
    #[must_use]
    pub fn is_child_of(&self, parent: &Self) -> bool {
        self.trace_id == parent.trace_id && self.parent_span_id == Some(parent.span_id)
    }

    /// About how many bytes it takes, without what it shares.
    pub(crate) fn bytes(&self) -> usize {
        let events = self
            .events
            .iter()
            .map(|event| size_of::<SpanEvent>() + event.name.len() + event.attributes.heap_bytes());
        let links = self
            .links
            .iter()
            .map(|link| size_of::<SpanLink>() + link.attributes.heap_bytes());
        let status = if let SpanStatus::Error(message) = &self.status {
            message.len()
        } else {
            0
        };
        size_of::<Self>()
            + allocated(self.name.len())
            + status
            + self.attributes.heap_bytes()
            + events.chain(links).sum::<usize>()
    }
}

pub(super) fn convert(request: ExportTraceServiceRequest, batch: &mut Batch) {
    for resource_spans in request.resource_spans {
        let resource = Resource::from_wire(resource_spans.resource);
        for scope_spans in resource_spans.scope_spans {
            let scope: Arc<str> = scope_spans
                .scope
                .map(|scope| scope.name)
                .unwrap_or_default()
                .into();
            for span in scope_spans.spans {
                match one(span, &scope, &resource) {
                    Ok(span) => batch.spans.push(span),
                    Err(why) => batch.reject(why),
                }
            }
        }
    }
}

fn one(span: WireSpan, scope: &Arc<str>, resource: &Arc<Resource>) -> Result<Span, &'static str> {
    Ok(Span {
        trace_id: TraceId::from_bytes(&span.trace_id)
            .ok_or("a trace id is 16 bytes, not all zero")?,
        span_id: SpanId::from_bytes(&span.span_id).ok_or("a span id is 8 bytes, not all zero")?,
        parent_span_id: parent(&span.parent_span_id)?,
        name: span.name.into(),
        kind: match span::SpanKind::try_from(span.kind) {
            Ok(span::SpanKind::Internal) => SpanKind::Internal,
            Ok(span::SpanKind::Server) => SpanKind::Server,
            Ok(span::SpanKind::Client) => SpanKind::Client,
            Ok(span::SpanKind::Producer) => SpanKind::Producer,
            Ok(span::SpanKind::Consumer) => SpanKind::Consumer,
            Ok(span::SpanKind::Unspecified) | Err(_) => SpanKind::Unspecified,
        },
        start_unix_nanos: span.start_time_unix_nano,
        end_unix_nanos: span.end_time_unix_nano,
        status: match span.status {
            Some(status) if status.code == status::StatusCode::Error as i32 => {
                SpanStatus::Error(status.message.into())
            }
            Some(status) if status.code == status::StatusCode::Ok as i32 => SpanStatus::Ok,
            _ => SpanStatus::Unset,
        },
        attributes: span.attributes.into(),
        events: span
            .events
            .into_iter()
            .map(|event| SpanEvent {
                time_unix_nanos: event.time_unix_nano,
                name: event.name.into(),
                attributes: event.attributes.into(),
            })
            .collect(),
        // A link with a broken id refers to nothing: it is left out, the span is good.
        links: span
            .links
            .into_iter()
            .filter_map(|link| {
                Some(SpanLink {
                    trace_id: TraceId::from_bytes(&link.trace_id)?,
                    span_id: SpanId::from_bytes(&link.span_id)?,
                    attributes: link.attributes.into(),
                })
            })
            .collect(),
        scope: Arc::clone(scope),
        resource: Arc::clone(resource),
        received_at: SystemTime::UNIX_EPOCH,
    })
}

/// No bytes is no parent; so are eight zeros, which some exporters write for it.
fn parent(bytes: &[u8]) -> Result<Option<SpanId>, &'static str> {
    match SpanId::from_bytes(bytes) {
        None if !matches!(bytes.len(), 0 | 8) => Err("a parent span id is 8 bytes or none"),
        id => Ok(id),
    }
}
