//! What is probed, and what must come of it.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};
use http::{HeaderName, Method};
use regex::bytes::Regex;
use url::Url;

use super::assertion::{Assertion, TextTest};
use super::json_path::JsonPath;
use super::template::{Template, Variables};
use super::tls::TlsClient;

/// One thing to ask for, and what the answer must be.
#[derive(Clone, Debug)]
pub struct Check {
    /// Short unique name: a tag value, so letters, digits and dashes.
    pub name: Arc<str>,
    /// How it asks.
    pub kind: Kind,
    /// Longest time for one attempt, from resolving the name to the last byte.
    pub timeout: Duration,
    /// How often it tries again.
    pub retries: Retries,
}

impl Check {
    /// Longest time for a tick of this check, all attempts and pauses together.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let Retries { most, pause } = self.retries;
        self.timeout
            .saturating_mul(most.saturating_add(1))
            .saturating_add(pause.saturating_mul(most))
    }
}

/// Trying again after a failure. The last attempt has the final word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    /// Attempts after the first one, at most.
    pub most: u32,
    /// From the end of one attempt to the start of the next.
    pub pause: Duration,
}

/// The ways to ask.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One request.
    Http(Box<Request>),
    /// Several requests that carry cookies and values from one to the next.
    Journey(Arc<[Step]>),
    /// A connection, with a few words if wished.
    Tcp(TcpCheck),
    /// A question to a name server.
    Dns(DnsCheck),
    /// A TLS session and the certificate in it.
    Tls(TlsCheck),
}

impl Kind {
    /// The name of the kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Journey(_) => "journey",
            Self::Tcp(_) => "tcp",
            Self::Dns(_) => "dns",
            Self::Tls(_) => "tls",
        }
    }
}

/// An HTTP request and what must come back.
#[derive(Clone, Debug)]
pub struct Request {
    /// Request method.
    pub method: Method,
    /// Where to.
    pub address: Address,
    /// Headers, as well as those that every request has.
    pub headers: Vec<(HeaderName, Template)>,
    /// Body.
    pub body: Option<Template>,
    /// Redirects that are followed, at most. One more is an answer like any other where this is
    /// 0, and a failure where it is not.
    pub redirects: u8,
    /// Which version of HTTP.
    pub version: HttpVersion,
    /// Whom to trust; `None` for the system's certificate authorities.
    pub tls: Option<TlsClient>,
    /// Most bytes of a body that are read; a longer one is a failure.
    pub body_limit: usize,
    /// What the answer must be; all of them are looked at in this order.
    pub assertions: Vec<Assertion>,
}

impl Request {
    /// Most bytes of a body that are read where nothing else is said: 1 MiB.
    pub const BODY_LIMIT: usize = 1 << 20;

    /// A GET that must be answered with 200.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            address: Address::Fixed(url),
            headers: Vec::new(),
            body: None,
            redirects: 0,
            version: HttpVersion::Auto,
            tls: None,
            body_limit: Self::BODY_LIMIT,
            assertions: vec![Assertion::Status(vec![200..=200])],
        }
    }
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum Address {
    /// Always the same.
    Fixed(Url),
    /// With values of a journey in it.
    Template(Template),
}

impl Address {
    /// The address with the values filled in.
    ///
    /// # Errors
    /// What is wrong with it, without the values.
    pub fn resolve(&self, variables: &Variables) -> Result<Url, String> {
        match self {
            Self::Fixed(url) => Ok(url.clone()),
            Self::Template(template) => {
                let text = template
                    .render(variables)
                    .map_err(|name| format!("`{name}` has no value yet"))?;
                Url::parse(&text).map_err(|error| format!("`{template}` is no address: {error}"))
            }
        }
    }
}

/// Which version of HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1.
    One,
    /// HTTP/2, without TLS too (with prior knowledge).
    Two,
}

/// One request of a journey.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name of the step.
    pub name: Arc<str>,
    /// The request.
    pub request: Request,
    /// Values to pick up from the answer.
    pub captures: Vec<Capture>,
}

/// A value to pick up.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Its name in later steps.
    pub name: String,
    /// Where it stands.
    pub from: CaptureFrom,
}

/// Where a value stands in an answer.
#[derive(Clone, Debug)]
pub enum CaptureFrom {
    /// In the JSON of the body: the first that the path points at.
    Json(JsonPath),
    /// In this header.
    Header(HeaderName),
    /// In the body: the first group of the expression, or its whole match without one.
    Body(Regex),
}

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Connects.
#[derive(Clone, Debug)]
pub struct TcpCheck {
    /// Where to.
    pub endpoint: Endpoint,
    /// What to say first.
    pub send: Option<Template>,
    /// What must be heard within the first 4 KiB.
    pub expect: Option<TextTest>,
    /// Longest time that is good, if less than the time-out.
    pub latency: Option<Duration>,
}

/// Asks a name server.
#[derive(Clone, Debug)]
pub struct DnsCheck {
    /// Name to ask for.
    pub name: Name,
    /// Type of record to ask for.
    pub record: RecordType,
    /// Whom to ask; `None` for the first server of the system.
    pub server: Option<Endpoint>,
    /// What the server must answer.
    pub code: ResponseCode,
    /// Tests, each of which one record at least must meet.
    pub answers: Vec<TextTest>,
    /// Longest time that is good, if less than the time-out.
    pub latency: Option<Duration>,
}

/// Agrees on TLS and looks at the certificate.
#[derive(Clone, Debug)]
pub struct TlsCheck {
    /// Where to.
    pub endpoint: Endpoint,
    /// Name that the certificate must be for, where it is not the host.
    pub server_name: Option<String>,
    /// Days that the certificate must last.
    pub certificate_days: i64,
    /// Whom to trust; `None` for the system's certificate authorities.
    pub tls: Option<TlsClient>,
    /// Longest time that is good, if less than the time-out.
    pub latency: Option<Duration>,
}

/// A range of status codes as a person writes it: `200` or `200 to 299`.
#[must_use]
pub fn show_range(range: &RangeInclusive<u16>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{} to {}", range.start(), range.end())
    }
}
