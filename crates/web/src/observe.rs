//! Round every request: limits, a server span, a count and a duration, one access-log line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError as _};
use opentelemetry::context::FutureExt as _;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use telemetry::names::{self, attribute, tag};
use telemetry::{Metrics, traces};

use crate::error::{Error, chain};
use crate::health::{LIVE, READY};

/// Route of a request that no route matches: one tag value for all of them.
const UNMATCHED: &str = "unmatched";

/// What the requests of one server share.
pub(crate) struct Shared {
    pub(crate) metrics: Metrics,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) draining: AtomicBool,
    pub(crate) request_timeout: Duration,
    pub(crate) max_header_bytes: usize,
}

/// One more in flight for as long as it lives.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The middleware.
pub(crate) async fn observe(
    shared: Arc<Shared>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    shared.in_flight.fetch_add(1, Ordering::AcqRel);
    let _in_flight = InFlight(Arc::clone(&shared));
    if matches!(request.path(), LIVE | READY) {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let started = Instant::now();
    let method = known_method(request.method());
    let parent = traces::extract(&Inbound(request.headers()));
    let context = traces::start(
        &parent,
        SpanKind::Server,
        method,
        vec![
            KeyValue::new(attribute::HTTP_REQUEST_METHOD, method),
            KeyValue::new(attribute::URL_PATH, request.path().to_owned()),
            KeyValue::new(attribute::URL_SCHEME, "http"),
        ],
    );
    let mut response = if header_bytes(&request) > shared.max_header_bytes {
        let error = Error::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            format!(
                "request headers are larger than {} bytes",
                shared.max_header_bytes
            ),
        );
        refused(request, error)
    } else {
        answer(&shared, request, next, &context).await
    };
    if shared.draining.load(Ordering::Relaxed) {
        // Lets clients with a kept connection go elsewhere now.
        response.headers_mut().insert(
            header::CONNECTION,
            header::HeaderValue::from_static("close"),
        );
    }
    report(
        &shared.metrics,
        &context,
        method,
        &response,
        started.elapsed(),
    );
    Ok(response)
}

async fn answer(
    shared: &Shared,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    context: &Context,
) -> ServiceResponse<BoxBody> {
    let http_request = request.request().clone();
    let handled = next.call(request).with_context(context.clone());
    let failed = |error: actix_web::Error| {
        let response = HttpResponse::from_error(error);
        ServiceResponse::new(http_request.clone(), response)
    };
    match tokio::time::timeout(shared.request_timeout, handled).await {
        Ok(Ok(response)) => response.map_into_boxed_body(),
        Ok(Err(error)) => failed(error),
        Err(_) => failed(
            Error::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("no answer within {} ms", shared.request_timeout.as_millis()),
            )
            .into(),
        ),
    }
}

fn refused(request: ServiceRequest, error: Error) -> ServiceResponse<BoxBody> {
    let response = error.error_response();
    request.into_response(response)
}

/// Ends the span, sends the metrics, writes the line.
fn report(
    metrics: &Metrics,
    context: &Context,
    method: &'static str,
    response: &ServiceResponse<BoxBody>,
    elapsed: Duration,
) {
    let pattern = response.request().match_pattern();
    let route = pattern.as_deref();
    let status = response.status().as_u16();
    let status_text = response.status();
    let span = context.span();
    if let Some(route) = route {
        span.update_name(format!("{method} {route}"));
        span.set_attribute(KeyValue::new(attribute::HTTP_ROUTE, route.to_owned()));
    }
    span.set_attribute(KeyValue::new(
        attribute::HTTP_RESPONSE_STATUS_CODE,
        i64::from(status),
    ));
    if status >= 500 {
        span.set_attribute(KeyValue::new(attribute::ERROR_TYPE, status.to_string()));
        span.set_status(Status::error(""));
    }
    span.end();

    let route = route.unwrap_or(UNMATCHED);
    let tags = [
        (tag::HTTP_REQUEST_METHOD, method),
        (tag::HTTP_ROUTE, route),
        (tag::HTTP_RESPONSE_STATUS_CODE, status_text.as_str()),
    ];
    metrics.count(&names::HTTP_SERVER_REQUEST_COUNT, 1, &tags);
    metrics.distribution(
        &names::HTTP_SERVER_REQUEST_DURATION,
        elapsed.as_secs_f64(),
        &tags,
    );

    let _current = context.clone().attach();
    let duration_ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
    let path = response.request().path();
    match response.response().error() {
        Some(error) if status >= 500 => {
            let cause = error
                .as_error::<Error>()
                .map_or_else(|| error.to_string(), |e| chain(e));
            tracing::error!(
                http.request.method = method,
                http.route = route,
                url.path = path,
                http.response.status_code = status,
                duration_ms,
                error = %cause,
                "request failed"
            );
        }
        _ => tracing::info!(
            http.request.method = method,
            http.route = route,
            url.path = path,
            http.response.status_code = status,
            duration_ms,
            "request"
        ),
    }
}

fn header_bytes(request: &ServiceRequest) -> usize {
    let headers = request.headers();
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// The method, or `_OTHER` for anything outside of the standard (OpenTelemetry's word for it).
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        "OPTIONS" => "OPTIONS",
        "CONNECT" => "CONNECT",
        "TRACE" => "TRACE",
        _ => "_OTHER",
    }
}

struct Inbound<'a>(&'a header::HeaderMap);

impl Extractor for Inbound<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(header::HeaderName::as_str).collect()
    }
}
