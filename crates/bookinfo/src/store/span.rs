//! The client span of one DynamoDB call, by the OpenTelemetry conventions for databases.

use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, StringValue, global};

use super::StoreError;

/// Where the engine is.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) address: StringValue,
    pub(super) port: i64,
}

pub(super) fn start(operation: &'static str, table: &str, server: &Server) -> Context {
    let parent = Context::current();
    let tracer = global::tracer("bookwatch");
    let span = tracer
        .span_builder(format!("{operation} {table}"))
        .with_kind(SpanKind::Client)
        .with_attributes([
            // Datadog names the operation after `db.system`; the conventions have moved on to `db.system.name`.
            KeyValue::new("db.system", "dynamodb"),
            KeyValue::new("db.system.name", "aws.dynamodb"),
            KeyValue::new("db.operation.name", operation),
            KeyValue::new("db.collection.name", table.to_owned()),
            KeyValue::new("server.address", server.address.clone()),
            KeyValue::new("server.port", server.port),
        ])
        .start_with_context(&tracer, &parent);
    parent.with_span(span)
}

pub(super) fn end(context: &Context, error: Option<&StoreError>) {
    let span = context.span();
    if let Some(error) = error {
        span.set_attribute(KeyValue::new("error.type", error.kind().to_owned()));
        span.set_status(Status::error(error.to_string()));
    }
    span.end();
}
