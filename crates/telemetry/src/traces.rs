//! Spans over OTLP: the provider, and the spans that every request makes.
//!
//! The spans of a request are made with the OpenTelemetry API directly, because that costs a third of a
//! `tracing` span; `tracing` spans elsewhere join the same trace through `tracing-opentelemetry`.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt, TracerProvider as _};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
};

use crate::export::Exporter;
use crate::settings::Identity;

const SCOPE: &str = "bookwatch";
/// Made once: asking the global provider for a tracer costs as much as a span.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Builds the provider and makes it and the W3C propagator the global ones.
pub(crate) fn init(
    exporter: Option<Exporter>,
    delay: Duration,
    identity: &Identity,
) -> Option<SdkTracerProvider> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let exporter = exporter?;
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(
            BatchConfigBuilder::default()
                .with_scheduled_delay(delay)
                .build(),
        )
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(resource(identity))
        .build();
    global::set_tracer_provider(provider.clone());
    // Already set where a test initialises twice; then the first provider keeps the spans of requests.
    let _ = TRACER.set(tracer(&provider));
    Some(provider)
}

pub(crate) fn tracer(provider: &SdkTracerProvider) -> SdkTracer {
    provider.tracer(SCOPE)
}

fn resource(identity: &Identity) -> Resource {
    let mut attributes = vec![
        KeyValue::new("service.name", identity.service.clone()),
        KeyValue::new("service.version", identity.version.clone()),
    ];
    if let Some(env) = &identity.env {
        attributes.push(KeyValue::new("deployment.environment.name", env.clone()));
    }
    for (key, value) in &identity.tags {
        attributes.push(KeyValue::new(key.clone(), value.clone()));
    }
    // The builder reads OTEL_RESOURCE_ATTRIBUTES; what stands here wins.
    Resource::builder().with_attributes(attributes).build()
}

/// Continues the trace that the headers carry, or an empty context.
pub fn extract(headers: &dyn Extractor) -> Context {
    if headers.get("traceparent").is_none() {
        return Context::new();
    }
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), headers)
    })
}

/// Writes `traceparent` and `tracestate` of `context`.
pub fn inject(context: &Context, headers: &mut dyn Injector) {
    global::get_text_map_propagator(|propagator| propagator.inject_context(context, headers));
}

/// Starts a span as a child of `parent` and returns the context that holds it.
///
/// End it with `context.span().end()`, or let the last clone of the context go.
pub fn start(
    parent: &Context,
    kind: SpanKind,
    name: impl Into<Cow<'static, str>>,
    attributes: Vec<KeyValue>,
) -> Context {
    let builder = SpanBuilder::from_name(name)
        .with_kind(kind)
        .with_attributes(attributes);
    match TRACER.get() {
        Some(tracer) => parent.with_span(builder.start_with_context(tracer, parent)),
        // Somebody else's provider, or none: then the parent goes on to the next service as it is.
        None => parent.with_span(builder.start_with_context(&global::tracer(SCOPE), parent)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::trace::TraceContextExt as _;
    use proptest::prelude::*;

    use super::*;

    /// What a request with these headers hands on to the next service.
    fn handed_on(headers: &HashMap<String, String>) -> (Context, HashMap<String, String>) {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let context = extract(headers);
        let mut next = HashMap::new();
        inject(&context, &mut next);
        (context, next)
    }

    proptest! {
        #[test]
        fn a_good_parent_is_continued_with_its_state(
            trace in 1..u128::MAX, span in 1..u64::MAX, sampled: bool, state in "([a-z]{1,5}=[a-z0-9]{1,5})?",
        ) {
            let parent = format!("00-{trace:032x}-{span:016x}-0{}", u8::from(sampled));
            let headers = HashMap::from([
                ("traceparent".to_owned(), parent.clone()),
                ("tracestate".to_owned(), state.clone()),
            ]);
            let (context, next) = handed_on(&headers);
            let span_context = context.span().span_context().clone();
            prop_assert!(span_context.is_valid() && span_context.is_remote());
            prop_assert_eq!(span_context.is_sampled(), sampled);
            prop_assert_eq!(&next["traceparent"], &parent);
            prop_assert_eq!(&next["tracestate"], &state);
        }

        #[test]
        fn any_headers_are_continued_or_begun_anew(
            parent in "\\PC{0,60}|(00|ff|cc)-[0-9a-fA-F]{30,34}-[0-9a-f]{15,17}-[0-9a-f]{1,3}(-x)?",
            state in "\\PC{0,60}|([a-z@=,]){0,40}",
            baggage in "\\PC{0,40}",
        ) {
            let headers = HashMap::from([
                ("traceparent".to_owned(), parent.clone()),
                ("tracestate".to_owned(), state),
                ("baggage".to_owned(), baggage),
            ]);
            let (context, next) = handed_on(&headers);
            let is_valid = context.span().span_context().is_valid();
            prop_assert_eq!(is_valid, next.contains_key("traceparent"));
            if is_valid {
                let same = next["traceparent"][3..52] == parent.to_ascii_lowercase()[3..52];
                prop_assert!(same, "{} became {}", parent, next["traceparent"]);
            }
        }
    }
}
