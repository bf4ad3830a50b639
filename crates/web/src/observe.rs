//! Round every request: limits, a server span, a count and a duration, one access-log line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{ConnectionType, Method, StatusCode, header};
use actix_web::middleware::Next;
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
    let seen = Seen {
        method: known_method(request.method()),
        route: request.match_pattern(),
        path: request.path().to_owned(),
        started: Instant::now(),
    };
    let context = seen.start_span(&traces::extract(&Inbound(request.headers())));
    let answered = answer(&shared, request, next, &context).await;
    let error = match &answered {
        Ok(response) => response.response().error(),
        Err(error) => Some(error),
    };
    let status = match &answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    seen.report(&shared.metrics, &context, status, error);
    answered.map(|mut response| {
        if shared.draining.load(Ordering::Relaxed) {
            // Lets clients with a kept connection go elsewhere now.
            response
                .response_mut()
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        response
    })
}

/// The handler's answer, within the limits.
async fn answer(
    shared: &Shared,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    context: &Context,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if header_bytes(&request) > shared.max_header_bytes {
        let limit = shared.max_header_bytes;
        let message = format!("request headers are larger than {limit} bytes");
        return Err(Error::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message).into());
    }
    let handled = next.call(request).with_context(context.clone());
    match tokio::time::timeout(shared.request_timeout, handled).await {
        Ok(answered) => answered.map(ServiceResponse::map_into_boxed_body),
        Err(_) => {
            let message = format!("no answer within {} ms", shared.request_timeout.as_millis());
            Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, message).into())
        }
    }
}

/// What is known of a request before it is answered.
struct Seen {
    method: &'static str,
    /// Template of the route; `None` where no route matches.
    route: Option<String>,
    path: String,
    started: Instant,
}

impl Seen {
    fn start_span(&self, parent: &Context) -> Context {
        let mut attributes = Vec::with_capacity(6);
        attributes.extend([
            KeyValue::new(attribute::HTTP_REQUEST_METHOD, self.method),
            KeyValue::new(attribute::URL_PATH, self.path.clone()),
            KeyValue::new(attribute::URL_SCHEME, "http"),
        ]);
        let Some(route) = &self.route else {
            return traces::start(parent, SpanKind::Server, self.method, attributes);
        };
        attributes.push(KeyValue::new(attribute::HTTP_ROUTE, route.clone()));
        traces::start(
            parent,
            SpanKind::Server,
            format!("{} {route}", self.method),
            attributes,
        )
    }

    /// Ends the span, sends the metrics, writes the line.
    fn report(
        &self,
        metrics: &Metrics,
        context: &Context,
        status: StatusCode,
        error: Option<&actix_web::Error>,
    ) {
        let elapsed = self.started.elapsed();
        let span = context.span();
        span.set_attribute(KeyValue::new(
            attribute::HTTP_RESPONSE_STATUS_CODE,
            i64::from(status.as_u16()),
        ));
        if status.is_server_error() {
            span.set_attribute(KeyValue::new(
                attribute::ERROR_TYPE,
                status.as_str().to_owned(),
            ));
            span.set_status(Status::error(""));
        }
        span.end();

        let route = self.route.as_deref().unwrap_or(UNMATCHED);
        let tags = [
            (tag::HTTP_REQUEST_METHOD, self.method),
            (tag::HTTP_ROUTE, route),
            (tag::HTTP_RESPONSE_STATUS_CODE, status.as_str()),
        ];
        metrics.count(&names::HTTP_SERVER_REQUEST_COUNT, 1, &tags);
        metrics.distribution(
            &names::HTTP_SERVER_REQUEST_DURATION,
            elapsed.as_secs_f64(),
            &tags,
        );

        let _current = context.clone().attach();
        let duration_ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
        match error.filter(|_| status.is_server_error()) {
            Some(error) => {
                let cause = error
                    .as_error::<Error>()
                    .map_or_else(|| error.to_string(), |e| chain(e));
                tracing::error!(
                    http.request.method = self.method,
                    http.route = route,
                    url.path = self.path,
                    http.response.status_code = status.as_u16(),
                    duration_ms,
                    error = %cause,
                    "request failed"
                );
            }
            None => tracing::info!(
                http.request.method = self.method,
                http.route = route,
                url.path = self.path,
                http.response.status_code = status.as_u16(),
                duration_ms,
                "request"
            ),
        }
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
