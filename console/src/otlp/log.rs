//! Log records.

use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord as WireRecord;

use super::{Attributes, Batch, Resource, SpanId, TraceId, Value};

/// How grave a log record is: the six ranges of the OpenTelemetry log data model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not said.
    Unspecified,
    /// 1 to 4.
    Trace,
    /// 5 to 8.
    Debug,
    /// 9 to 12.
    Info,
    /// 13 to 16.
    Warn,
    /// 17 to 20.
    Error,
    /// 21 to 24.
    Fatal,
}

impl Severity {
    fn from_number(number: i32) -> Self {
        match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            9..=12 => Self::Info,
            13..=16 => Self::Warn,
            17..=20 => Self::Error,
            21..=24 => Self::Fatal,
            _ => Self::Unspecified,
        }
    }
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRecord {
    /// When it happened, or else when it was seen, in nanoseconds since 1970; 0 if neither was said.
    pub time_unix_nanos: u64,
    /// How grave it is.
    pub severity: Severity,
    /// How the sender calls that.
    pub severity_text: Box<str>,
    /// The message, usually text.
    pub body: Value,
    /// More about it.
    pub attributes: Attributes,
    /// The trace during which it was written.
    pub trace_id: Option<TraceId>,
    /// The span during which it was written.
    pub span_id: Option<SpanId>,
    /// The name of the instrumentation or logger.
    pub scope: Arc<str>,
    /// Who sent it.
    pub resource: Arc<Resource>,
    /// When it arrived here.
    pub received_at: SystemTime,
}

impl LogRecord {
    /// The service that sent it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.resource.service
    }

    /// About how many bytes it takes, without what it shares.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.severity_text.len()
            + self.body.heap_bytes()
            + self.attributes.heap_bytes()
    }
}

pub(super) fn convert(request: ExportLogsServiceRequest, batch: &mut Batch) {
    for resource_logs in request.resource_logs {
        let resource = Resource::from_wire(resource_logs.resource);
        for scope_logs in resource_logs.scope_logs {
            let scope: Arc<str> = scope_logs
                .scope
                .map(|scope| scope.name)
                .unwrap_or_default()
                .into();
            batch.logs.extend(
                scope_logs
                    .log_records
                    .into_iter()
                    .map(|record| one(record, &scope, &resource)),
            );
        }
    }
}

/// Nothing in a log record is mandatory, so nothing is refused: a broken id is no id.
fn one(record: WireRecord, scope: &Arc<str>, resource: &Arc<Resource>) -> LogRecord {
    LogRecord {
        time_unix_nanos: if record.time_unix_nano == 0 {
            record.observed_time_unix_nano
        } else {
            record.time_unix_nano
        },
        severity: Severity::from_number(record.severity_number),
        severity_text: record.severity_text.into(),
        body: record.body.map(Value::from).unwrap_or_default(),
        attributes: record.attributes.into(),
        trace_id: TraceId::from_bytes(&record.trace_id),
        span_id: SpanId::from_bytes(&record.span_id),
        scope: Arc::clone(scope),
        resource: Arc::clone(resource),
        received_at: SystemTime::UNIX_EPOCH,
    }
}
