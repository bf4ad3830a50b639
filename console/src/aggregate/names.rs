//! What a span is called: the route it answers, the peer it calls, whether it failed.

use std::borrow::Cow;

use crate::otlp::{Attributes, Span, SpanKind};

/// Names are cut to so many bytes.
pub(crate) const NAME: usize = 120;

/// The name that all get who come after the limit.
pub const OTHER: &str = "(other)";

/// Cuts a name that is longer than anybody can read.
#[must_use]
pub fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME))
        .unwrap_or_default()
}

/// A peer as a client names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A database, by its system.
    Database(Box<str>),
    /// A service that the span names (`peer.service`).
    Service(Box<str>),
    /// Only an address is known.
    Address(Box<str>),
}

/// Whether a span takes work from outside: what is counted as a request of its service.
#[must_use]
pub fn is_entry(span: &Span) -> bool {
    matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
        || (span.parent_span_id.is_none()
            && !matches!(span.kind, SpanKind::Client | SpanKind::Producer))
}

/// Whether it failed: it says so, or it answered 5xx.
#[must_use]
pub fn is_error(span: &Span) -> bool {
    span.status.is_error() || status_code(span).is_some_and(|code| code >= 500)
}

/// The HTTP status it answered with, or was answered with.
#[must_use]
pub fn status_code(span: &Span) -> Option<i64> {
    span.attributes["http.response.status_code"].as_i64()
}

/// `METHOD route` of a server, as Datadog names a resource; without a route the method alone, since a path is no bounded name; otherwise the
/// span's name.
#[must_use]
pub fn resource(span: &Span) -> Cow<'_, str> {
    let text = |key| {
        span.attributes[key]
            .as_str()
            .filter(|text| !text.is_empty())
    };
    match (span.kind, text("http.request.method"), text("http.route")) {
        (SpanKind::Server, Some(method), Some(route)) => format!("{method} {route}").into(),
        (SpanKind::Server, Some(method), None) => method.into(),
        _ => (&*span.name).into(),
    }
}

/// The system of the database that a client calls.
#[must_use]
pub fn database(attributes: &Attributes) -> Option<&str> {
    ["db.system.name", "db.system"]
        .into_iter()
        .find_map(|key| attributes[key].as_str())
        .filter(|system| !system.is_empty())
}

/// Whom a client span calls. `None` if it does not say.
#[must_use]
pub fn peer(span: &Span) -> Option<Peer> {
    if !matches!(span.kind, SpanKind::Client | SpanKind::Producer) {
        return None;
    }
    if let Some(system) = database(&span.attributes) {
        return Some(Peer::Database(short(system).into()));
    }
    if let Some(service) = span.attributes["peer.service"].as_str() {
        return Some(Peer::Service(short(service).into()));
    }
    let host = span.attributes["server.address"].as_str()?;
    Some(Peer::Address(
        match span.attributes["server.port"].as_i64() {
            Some(port) => format!("{}:{port}", short(host)).into(),
            None => short(host).into(),
        },
    ))
}
