//! The HTTP probe: one request over a fresh connection, judged by status and content.

use std::time::{Duration, Instant};

use opentelemetry::propagation::Injector;
use opentelemetry::trace::TraceContextExt as _;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use telemetry::names::attribute;
use tracing::Instrument as _;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::assertion::Answer;
use super::{Check, Failure, FailureKind, Measurement};

/// Runs HTTP checks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpProber {
    client: reqwest::Client,
}

impl HttpProber {
    /// A prober that opens a connection of its own for each probe, as a new visitor does, follows
    /// no redirect (a redirect is an answer) and ignores proxy settings of the environment.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("bookwatch-synthetics/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()?;
        Ok(Self { client })
    }

    /// Probes once. Every way to fail is a result; this has no error of its own.
    pub async fn probe(&self, check: &Check) -> Measurement {
        let span = tracing::info_span!(
            "probe",
            otel.name = %format!("probe {}", check.name),
            otel.kind = "client",
            otel.status_code = Empty,
            { attribute::HTTP_REQUEST_METHOD } = %check.method,
            { attribute::URL_FULL } = %check.url,
            { attribute::SERVER_ADDRESS } = check.url.host_str(),
            { attribute::SERVER_PORT } = check.url.port_or_known_default(),
            { attribute::HTTP_RESPONSE_STATUS_CODE } = Empty,
            { attribute::ERROR_TYPE } = Empty,
        );
        let context = span.context();
        let mut headers = HeaderMap::new();
        opentelemetry::global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&context, &mut Headers(&mut headers));
        });
        let span_context = context.span().span_context().clone();
        let trace_id = span_context
            .is_valid()
            .then(|| span_context.trace_id().to_string());

        let started = Instant::now();
        let exchange = self.exchange(check, headers).instrument(span.clone());
        let result = tokio::time::timeout(check.timeout, exchange).await;
        let duration = started.elapsed();

        let (answered, status, failure) = match result {
            Ok(Ok((status, body))) => {
                let verdict = Answer::new(status, &body).satisfies(&check.assertions);
                (true, Some(status), verdict.err())
            }
            Ok(Err((status, failure))) => (false, status, Some(failure)),
            Err(_) => (false, None, Some(timed_out(check.timeout))),
        };
        if let Some(status) = status {
            span.record(attribute::HTTP_RESPONSE_STATUS_CODE, status);
        }
        if let Some(failure) = &failure {
            span.record("otel.status_code", "ERROR");
            span.record(attribute::ERROR_TYPE, failure.kind.name());
        }
        Measurement {
            duration,
            answered,
            status,
            failure,
            trace_id,
            ..Measurement::default()
        }
    }

    async fn exchange(
        &self,
        check: &Check,
        headers: HeaderMap,
    ) -> Result<(u16, Vec<u8>), (Option<u16>, Failure)> {
        let request = self
            .client
            .request(check.method.clone(), check.url.clone())
            .headers(headers);
        let mut response = request
            .send()
            .await
            .map_err(|error| (None, explain(&error)))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > check.body_limit => {
                    let detail = format!("the body has more than {} bytes", check.body_limit);
                    let failure = Failure::new(FailureKind::TooLarge, &detail);
                    return Err((Some(status), failure));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok((status, body)),
                Err(error) => return Err((Some(status), explain(&error))),
            }
        }
    }
}

fn timed_out(limit: Duration) -> Failure {
    let limit = humantime::format_duration(limit);
    Failure::new(
        FailureKind::Timeout,
        &format!("no whole answer within {limit}"),
    )
}

/// The class of a client error, and its innermost cause: the outer texts only repeat the address.
fn explain(error: &reqwest::Error) -> Failure {
    let kind = if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_connect() {
        FailureKind::Connect
    } else {
        FailureKind::Protocol
    };
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Failure::new(kind, &cause.to_string())
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let pair = (HeaderName::try_from(key), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = pair {
            self.0.insert(name, value);
        }
    }
}
