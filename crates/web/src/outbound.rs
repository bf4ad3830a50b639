//! Calls to the next service: pooled connections, one time-out for all of it, a client span, the caller's headers.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry::propagation::Injector;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use telemetry::{names::attribute, traces};

/// Headers of an inbound request that go on to the next service, besides the W3C context, which is
/// continued with our own span and not copied.
const FORWARDED: [&str; 19] = [
    "x-request-id",
    "x-ot-span-context",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "baggage",
    "x-cloud-trace-context",
    "grpc-trace-bin",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "sw8",
    "end-user",
    "user-agent",
    "cookie",
    "authorization",
    "jwt",
];

/// The signed-in user, as services tell it each other.
const END_USER: HeaderName = HeaderName::from_static("end-user");

/// Longest answer that is read from another service.
const BODY_LIMIT: usize = 4 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const POOL_IDLE: Duration = Duration::from_secs(60);

/// Headers that one request hands on.
#[derive(Clone, Debug, Default)]
pub struct Forwarded(HeaderMap);

impl Forwarded {
    /// Picks from an inbound request what the contract hands on.
    pub fn from_request(request: &actix_web::HttpRequest) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers() {
            let Some(known) = FORWARDED.iter().find(|known| name.as_str() == **known) else {
                continue;
            };
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(HeaderName::from_static(known), value);
            }
        }
        Self(headers)
    }

    /// Replaces the user; an inbound `end-user` is never believed by the front of the shop.
    #[must_use]
    pub fn with_end_user(mut self, user: Option<&str>) -> Self {
        self.0.remove(END_USER);
        // Header values are bytes: a name outside of ASCII goes as UTF-8.
        if let Some(value) = user.and_then(|u| HeaderValue::from_bytes(u.as_bytes()).ok()) {
            self.0.insert(END_USER, value);
        }
        self
    }
}

/// What another service answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its body, whole.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Nothing came in time.
    #[error("no answer from {peer} within {} ms", limit.as_millis())]
    Timeout {
        /// Who was asked.
        peer: String,
        /// The time it had.
        limit: Duration,
    },
    /// Refused, reset, or the name does not resolve.
    #[error("no connection to {peer}")]
    Connect {
        /// Who was asked.
        peer: String,
        /// What the network said.
        #[source]
        source: hyper_util::client::legacy::Error,
    },
    /// The answer broke off or is larger than is read.
    #[error("unreadable answer from {peer}")]
    Body {
        /// Who was asked.
        peer: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The path or the host does not make an address.
    #[error("unusable address for {peer}")]
    Address {
        /// Who was to be asked.
        peer: String,
        /// What is wrong with it.
        #[source]
        source: http::Error,
    },
}

impl OutboundError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "timeout",
            Self::Connect { .. } => "connect",
            Self::Body { .. } => "body",
            Self::Address { .. } => "address",
        }
    }
}

/// A client of one service, with its own connection pool. Make one a worker thread, so that no
/// connection is woken from another thread.
#[derive(Clone)]
pub struct Outbound {
    peers: Arc<[Peer]>,
    next: Arc<AtomicUsize>,
    client: Client<HttpConnector, Full<Bytes>>,
    timeout: Duration,
}

struct Peer {
    authority: String,
    host: String,
    port: u16,
}

impl Outbound {
    /// A client of `hosts`: one `host[:port]`, or several separated by commas, asked in turn.
    ///
    /// `domain` is appended to plain host names (the contract's `SERVICES_DOMAIN`).
    pub fn new(hosts: &str, default_port: u16, domain: &str, timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT.min(timeout)));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        let peers = hosts
            .split(',')
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(|host| Peer::parse(host, default_port, domain))
            .collect();
        Self {
            peers,
            next: Arc::new(AtomicUsize::new(0)),
            client,
            timeout,
        }
    }

    /// `GET path` (percent-encoded by the caller) as a child of the current span.
    ///
    /// # Errors
    /// Where no whole answer came; any status is an answer.
    pub async fn get(&self, path: &str, forwarded: &Forwarded) -> Result<Reply, OutboundError> {
        self.send(Method::GET, path, forwarded, None).await
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`Outbound::get`].
    pub async fn post_json(
        &self,
        path: &str,
        forwarded: &Forwarded,
        body: Vec<u8>,
    ) -> Result<Reply, OutboundError> {
        self.send(Method::POST, path, forwarded, Some(body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        forwarded: &Forwarded,
        body: Option<Vec<u8>>,
    ) -> Result<Reply, OutboundError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let fallback = Peer {
            authority: String::new(),
            host: String::new(),
            port: 0,
        };
        let peer = match self.peers.len() {
            0 => &fallback, // an empty host name: the address is refused below
            n => &self.peers[turn % n],
        };
        let mut url = String::with_capacity(7 + peer.authority.len() + path.len());
        let _ = write!(url, "http://{}{path}", peer.authority);
        let span = traces::start(
            &Context::current(),
            SpanKind::Client,
            if method == Method::POST {
                "POST"
            } else {
                "GET"
            },
            vec![
                KeyValue::new(attribute::HTTP_REQUEST_METHOD, method_name(&method)),
                KeyValue::new(attribute::SERVER_ADDRESS, peer.host.clone()),
                KeyValue::new(attribute::SERVER_PORT, i64::from(peer.port)),
                KeyValue::new(attribute::URL_FULL, url.clone()),
            ],
        );
        let result = self
            .exchange(&span, peer, method, url, forwarded, body)
            .await;
        let span = span.span();
        match &result {
            Ok(reply) => {
                let status = reply.status.as_u16();
                span.set_attribute(KeyValue::new(
                    attribute::HTTP_RESPONSE_STATUS_CODE,
                    i64::from(status),
                ));
                if status >= 400 {
                    span.set_attribute(KeyValue::new(attribute::ERROR_TYPE, status.to_string()));
                    span.set_status(Status::error(""));
                }
            }
            Err(error) => {
                span.set_attribute(KeyValue::new(attribute::ERROR_TYPE, error.kind()));
                span.set_status(Status::error(error.to_string()));
            }
        }
        span.end();
        result
    }

    async fn exchange(
        &self,
        span: &Context,
        peer: &Peer,
        method: Method,
        url: String,
        forwarded: &Forwarded,
        body: Option<Vec<u8>>,
    ) -> Result<Reply, OutboundError> {
        let name = || peer.authority.clone();
        let is_json = body.is_some();
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .body(Full::new(body.map(Bytes::from).unwrap_or_default()))
            .map_err(|source| OutboundError::Address {
                peer: name(),
                source,
            })?;
        let headers = request.headers_mut();
        headers.extend(
            forwarded
                .0
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        if is_json {
            headers.insert(
                http::header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        traces::inject(span, &mut Headers(headers));
        let answer =
            async {
                let response = self.client.request(request).await.map_err(|source| {
                    OutboundError::Connect {
                        peer: name(),
                        source,
                    }
                })?;
                let status = response.status();
                let body = Limited::new(response.into_body(), BODY_LIMIT)
                    .collect()
                    .await
                    .map_err(|source| OutboundError::Body {
                        peer: name(),
                        source,
                    })?
                    .to_bytes();
                Ok(Reply { status, body })
            };
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(result) => result,
            Err(_) => Err(OutboundError::Timeout {
                peer: name(),
                limit: self.timeout,
            }),
        }
    }
}

impl Peer {
    fn parse(host: &str, default_port: u16, domain: &str) -> Self {
        let with_port = host
            .rsplit_once(':')
            .filter(|(name, _)| !name.contains(':') || name.ends_with(']'))
            .and_then(|(name, port)| port.parse().ok().map(|port| (name, port)));
        let (name, port) = with_port.unwrap_or((host, default_port));
        let host = match domain {
            "" => name.to_owned(),
            domain => format!("{name}.{}", domain.trim_start_matches('.')),
        };
        Self {
            authority: format!("{host}:{port}"),
            host,
            port,
        }
    }
}

fn method_name(method: &Method) -> &'static str {
    if *method == Method::POST {
        "POST"
    } else {
        "GET"
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let parsed = (HeaderName::try_from(key), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = parsed
            && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
