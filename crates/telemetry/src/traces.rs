//! Spans over OTLP: the provider, and the spans that every request makes.
//!
//! The spans of a request are made with the OpenTelemetry API directly, because that costs a third of a
//! `tracing` span; `tracing` spans elsewhere join the same trace through `tracing-opentelemetry`.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt, TracerProvider as _};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData, SpanExporter,
};

use crate::settings::{Identity, InitError};

const SCOPE: &str = "bookwatch";
/// Made once: asking the global provider for a tracer costs as much as a span.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();
/// Longest answer that is read from the receiver.
const ANSWER_LIMIT: u64 = 1 << 20;
/// After a failed batch the next ones are dropped unsent for this long.
const PAUSE: Duration = Duration::from_secs(5);

/// Builds the provider and makes it and the W3C propagator the global ones.
pub(crate) fn init(
    endpoint: Option<&str>,
    delay: Duration,
    timeout: Duration,
    identity: &Identity,
) -> Result<Option<SdkTracerProvider>, InitError> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let Some(endpoint) = endpoint else {
        return Ok(None);
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_retry_policy(opentelemetry_otlp::RetryPolicy::disabled()) // the pause below is the policy
        .with_http_client(Post::within(timeout))
        .with_endpoint(endpoint)
        .build()
        .map_err(|source| InitError::Otlp {
            endpoint: endpoint.to_owned(),
            source,
        })?;
    let exporter = Announcing {
        inner: exporter,
        endpoint: endpoint.to_owned(),
        reachable: AtomicBool::new(true),
        paused_until: Mutex::new(None),
    };
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
    Ok(Some(provider))
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

/// Sends batches, waiting for the answer: the exporter has a thread to itself.
#[derive(Debug)]
struct Post(ureq::Agent);

impl Post {
    fn within(timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self(config.into())
    }
}

#[async_trait::async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let response = self.0.run(Request::from_parts(head, body.as_ref()))?;
        let (head, mut body) = response.into_parts();
        let body = body.with_config().limit(ANSWER_LIMIT).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}

/// Says once when the receiver goes and once when it comes back, and spares the work in between.
#[derive(Debug)]
struct Announcing<E> {
    inner: E,
    endpoint: String,
    reachable: AtomicBool,
    paused_until: Mutex<Option<Instant>>,
}

impl<E: SpanExporter> SpanExporter for Announcing<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let paused = *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if paused.is_some_and(|until| Instant::now() < until) {
            return Err(OTelSdkError::InternalFailure(
                "receiver out of reach".into(),
            ));
        }
        let result = self.inner.export(batch).await;
        let pause = result.is_err().then(|| Instant::now() + PAUSE);
        *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = pause;
        match &result {
            Err(error) if self.reachable.swap(false, Ordering::Relaxed) => {
                tracing::warn!(endpoint = %self.endpoint, %error, "no receiver for traces, spans are dropped until it answers");
            }
            Ok(()) if !self.reachable.swap(true, Ordering::Relaxed) => {
                tracing::info!(endpoint = %self.endpoint, "the receiver for traces answers again");
            }
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
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
