//! The client span of one DynamoDB call, by the OpenTelemetry conventions for databases.

use std::sync::Arc;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, StringValue};

use super::StoreError;

/// Makes the spans of one store. Asking the global provider for its tracer costs as much as a span, so that
/// is done once; the process has set up its telemetry before it opens a store.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    tracer: Arc<BoxedTracer>,
    server: Server,
}

/// Where the engine is.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) address: StringValue,
    pub(super) port: i64,
}

impl Spans {
    pub(super) fn of(server: Server) -> Self {
        Self {
            tracer: Arc::new(global::tracer("bookwatch")),
            server,
        }
    }

    pub(super) fn start(&self, operation: &'static str, table: &str) -> Context {
        let parent = Context::current();
        let span = self
            .tracer
            .span_builder(format!("{operation} {table}"))
            .with_kind(SpanKind::Client)
            .with_attributes([
                // Datadog names the operation after `db.system`; the conventions have moved on to `db.system.name`.
                KeyValue::new("db.system", "dynamodb"),
                KeyValue::new("db.system.name", "aws.dynamodb"),
                KeyValue::new("db.operation.name", operation),
                KeyValue::new("db.collection.name", table.to_owned()),
                KeyValue::new("server.address", self.server.address.clone()),
                KeyValue::new("server.port", self.server.port),
            ])
            .start_with_context(&*self.tracer, &parent);
        parent.with_span(span)
    }
}

pub(super) fn end(context: &Context, error: Option<&StoreError>) {
    let span = context.span();
    if let Some(error) = error {
        span.set_attribute(KeyValue::new("error.type", error.kind().to_owned()));
        span.set_status(Status::error(error.to_string()));
    }
    span.end();
}
