//! The trace of a probe, which the target's own spans join.
//!
//! A probe is one trace. Its root is the first attempt, and covers the retries, which are children
//! of it, as the steps of a journey are. Each request carries the ids of its own span, so the
//! target's server span is a child of exactly the request that it answers. Without a receiver of
//! spans nothing is made of all this, and no attribute is built.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Injector;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use telemetry::names::attribute;
use telemetry::traces;
use url::{Position, Url};

use super::check::{Address, Check, Endpoint, Kind, Request, Step};
use super::phases::{Phase, Phases};
use super::{Failure, Measurement};

/// Where a probe runs, as its spans tell it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) location: Option<&'a str>,
    pub(crate) simulated: bool,
}

/// A span that runs.
#[derive(Clone, Debug)]
pub(crate) struct ProbeSpan(Context);

impl ProbeSpan {
    /// The root of a probe, and its first attempt.
    pub(crate) fn root(check: &Check, place: Place<'_>) -> Self {
        let kind = match check.kind {
            // It is the steps that ask.
            Kind::Journey(_) => SpanKind::Internal,
            _ => SpanKind::Client,
        };
        let name = format!("probe {}", check.name);
        let span = Self(traces::start(&Context::new(), kind, name, Vec::new()));
        span.describe(|| {
            let mut attributes = about(&check.kind);
            attributes.push(KeyValue::new(
                attribute::SYNTHETICS_CHECK,
                check.name.clone(),
            ));
            if let Some(location) = place.location {
                let location = location.to_owned();
                attributes.push(KeyValue::new(attribute::SYNTHETICS_LOCATION, location));
            }
            if place.simulated {
                attributes.push(KeyValue::new(attribute::SYNTHETICS_SIMULATED, true));
            }
            attributes
        });
        span
    }

    /// A further attempt, after `before` others.
    pub(crate) fn retry(&self, check: &Check, before: usize) -> Self {
        let kind = match check.kind {
            Kind::Journey(_) => SpanKind::Internal,
            _ => SpanKind::Client,
        };
        let name = format!("probe {} again", check.name);
        let span = Self(traces::start(&self.0, kind, name, Vec::new()));
        span.describe(|| {
            let mut attributes = about(&check.kind);
            let before = i64::try_from(before).unwrap_or(i64::MAX);
            attributes.push(KeyValue::new(attribute::HTTP_REQUEST_RESEND_COUNT, before));
            attributes
        });
        span
    }

    /// A step of a journey.
    pub(crate) fn step(&self, step: &Step) -> Self {
        let name = format!("step {}", step.name);
        let span = Self(traces::start(&self.0, SpanKind::Client, name, Vec::new()));
        span.describe(|| asked(&step.request));
        span
    }

    /// Its trace, where there is one: 32 hexadecimal digits.
    pub(crate) fn trace_id(&self) -> Option<String> {
        let span = self.0.span();
        let context = span.span_context();
        context.is_valid().then(|| context.trace_id().to_string())
    }

    /// The headers that let the target's spans join this one.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        traces::inject(&self.0, &mut Headers(&mut headers));
        headers
    }

    /// Says how a request ended.
    pub(crate) fn note(&self, status: Option<u16>, failure: Option<&Failure>, phases: &Phases) {
        self.describe(|| {
            let mut attributes: Vec<KeyValue> = phases
                .iter()
                .filter(|(_, time)| !time.is_zero())
                .map(|(phase, time)| KeyValue::new(key(phase), time.as_secs_f64()))
                .collect();
            if let Some(status) = status {
                let status = i64::from(status);
                attributes.push(KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, status));
            }
            if let Some(failure) = failure {
                let kind = failure.kind.name();
                attributes.push(KeyValue::new(attribute::ERROR_TYPE, kind));
            }
            attributes
        });
    }

    /// Ends it as a failure or as what is well.
    pub(crate) fn end(self, failure: Option<&Failure>) {
        let span = self.0.span();
        if let (Some(failure), true) = (failure, span.is_recording()) {
            span.set_status(Status::error(failure.detail.clone()));
        }
        span.end();
    }

    /// Ends the root of a probe with its confirmed result.
    pub(crate) fn finish(self, measurement: &Measurement) {
        if !measurement.earlier.is_empty() {
            let attempts = i64::try_from(measurement.earlier.len() + 1).unwrap_or(i64::MAX);
            self.describe(|| vec![KeyValue::new(attribute::SYNTHETICS_ATTEMPTS, attempts)]);
        }
        self.end(measurement.failure.as_ref());
    }

    fn describe(&self, attributes: impl FnOnce() -> Vec<KeyValue>) {
        let span = self.0.span();
        if span.is_recording() {
            span.set_attributes(attributes());
        }
    }
}

/// The attribute that a phase's seconds stand in.
const fn key(phase: Phase) -> &'static str {
    match phase {
        Phase::Redirect => attribute::SYNTHETICS_PHASE_REDIRECT,
        Phase::Dns => attribute::SYNTHETICS_PHASE_DNS,
        Phase::Connect => attribute::SYNTHETICS_PHASE_CONNECT,
        Phase::Tls => attribute::SYNTHETICS_PHASE_TLS,
        Phase::FirstByte => attribute::SYNTHETICS_PHASE_FIRST_BYTE,
        Phase::Transfer => attribute::SYNTHETICS_PHASE_TRANSFER,
    }
}

/// What is asked, without what may be a secret.
fn about(kind: &Kind) -> Vec<KeyValue> {
    match kind {
        Kind::Http(request) => asked(request),
        Kind::Tcp(check) => endpoint(&check.endpoint),
        Kind::Tls(check) => endpoint(&check.endpoint),
        Kind::Dns(check) => check.server.as_ref().map_or_else(Vec::new, endpoint),
        Kind::Journey(_) => Vec::new(),
    }
}

fn asked(request: &Request) -> Vec<KeyValue> {
    let method = request.method.to_string();
    let mut attributes = vec![KeyValue::new(attribute::HTTP_REQUEST_METHOD, method)];
    match &request.address {
        Address::Fixed(url) => {
            attributes.push(KeyValue::new(attribute::URL_FULL, shown(url).to_owned()));
            if let Some(host) = url.host_str() {
                attributes.push(KeyValue::new(attribute::SERVER_ADDRESS, host.to_owned()));
            }
            if let Some(port) = url.port_or_known_default() {
                attributes.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
            }
        }
        Address::Template(template) => {
            attributes.push(KeyValue::new(attribute::URL_FULL, template.to_string()));
        }
    }
    attributes
}

fn endpoint(endpoint: &Endpoint) -> Vec<KeyValue> {
    vec![
        KeyValue::new(attribute::SERVER_ADDRESS, endpoint.host.clone()),
        KeyValue::new(attribute::SERVER_PORT, i64::from(endpoint.port)),
    ]
}

/// An address without its query, which often holds a key.
fn shown(url: &Url) -> &str {
    &url[..Position::AfterPath]
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
