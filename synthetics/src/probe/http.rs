//! One HTTP exchange over a connection of its own, with its redirects.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use cookie_store::CookieStore;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use url::{Host, Url};

use super::check::{HttpVersion, Request};
use super::dial::{self, Dialer};
use super::phases::{Phase, Stopwatch};
use super::template::Variables;
use super::tls::{Protocols, days_left};
use super::{Failure, FailureKind};
use crate::clock::Timestamp;

/// Largest head of an answer.
const MOST_HEADERS: usize = 256 * 1024;

const USER_AGENT: &str = concat!("bookwatch-synthetics/", env!("CARGO_PKG_VERSION"));

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What is known of an exchange while it runs, so that a time-out does not lose it.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) watch: Stopwatch,
    /// Of the newest answer.
    pub(crate) status: Option<u16>,
    /// Of the newest connection.
    pub(crate) certificate_days: Option<i64>,
}

impl Progress {
    pub(crate) fn start() -> Self {
        Self {
            watch: Stopwatch::start(),
            status: None,
            certificate_days: None,
        }
    }
}

/// What an exchange is done with.
pub(crate) struct Exchange<'a> {
    pub(crate) dialer: &'a Dialer,
    pub(crate) variables: &'a Variables,
    /// Headers that join the trace of the probe.
    pub(crate) trace: &'a HeaderMap,
    /// Time that there is for all of it.
    pub(crate) timeout: Duration,
    /// Time of the start, for certificates.
    pub(crate) now: Timestamp,
}

/// One request on its way, which redirects change.
struct Hop {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
}

impl Exchange<'_> {
    /// Asks, follows redirects and reads the answer. Cookies go along and come back.
    pub(crate) async fn run(
        &self,
        request: &Request,
        cookies: &mut CookieStore,
        progress: &mut Progress,
    ) -> Result<Reply, Failure> {
        let mut hop = self.first(request)?;
        let mut followed = 0;
        loop {
            let reply = self.hop(request, &hop, cookies, progress).await?;
            let Some(location) = redirect(&reply).filter(|_| request.redirects > 0) else {
                return Ok(reply);
            };
            let fail = |detail: &str| Failure::new(FailureKind::Redirect, detail);
            if followed == request.redirects {
                return Err(fail(&format!("more than {followed} redirects")));
            }
            followed += 1;
            let url = hop.url.join(location);
            let url = url.map_err(|error| fail(&format!("redirected to no address: {error}")))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err(fail(&format!("redirected to `{}:`", url.scheme())));
            }
            hop.follow(url, reply.status);
            progress.watch.redirected();
        }
    }

    fn first(&self, request: &Request) -> Result<Hop, Failure> {
        let protocol = |detail: &str| Failure::new(FailureKind::Protocol, detail);
        let url = request.address.resolve(self.variables);
        let url = url.map_err(|detail| protocol(&detail))?;
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        headers.extend(self.trace.clone());
        for (name, template) in &request.headers {
            let text = template.render(self.variables);
            let text = text.map_err(|name| protocol(&format!("`{name}` has no value yet")))?;
            let value = HeaderValue::from_str(&text);
            let value = value.map_err(|_| protocol(&format!("`{name}` has no value that fits")))?;
            headers.insert(name, value);
        }
        let body = match &request.body {
            None => Bytes::new(),
            Some(template) => {
                let text = template.render(self.variables);
                let text = text.map_err(|name| protocol(&format!("`{name}` has no value yet")))?;
                Bytes::copy_from_slice(text.as_bytes())
            }
        };
        Ok(Hop {
            method: request.method.clone(),
            url,
            headers,
            body,
        })
    }

    /// One request and its answer.
    async fn hop(
        &self,
        request: &Request,
        hop: &Hop,
        cookies: &mut CookieStore,
        progress: &mut Progress,
    ) -> Result<Reply, Failure> {
        let host = host(&hop.url)?;
        let port = hop.url.port_or_known_default().unwrap_or(80);
        let watch = &mut progress.watch;
        let stream = self
            .dialer
            .connect(&host, port, self.timeout, watch)
            .await?;
        let limit = request.body_limit;
        if hop.url.scheme() == "http" {
            watch.enter(Phase::FirstByte);
            let two = request.version == HttpVersion::Two;
            let request = hop.request(two, cookies)?;
            return self
                .talk(stream, two, request, &hop.url, limit, cookies, progress)
                .await;
        }
        let protocols = Protocols::from(request.version);
        let client = request.tls.as_ref();
        let secured = self.dialer.secure(stream, &host, client, protocols, watch);
        let stream = secured.await?;
        progress.certificate_days =
            dial::certificate(&stream).and_then(|leaf| days_left(&leaf, self.now));
        progress.watch.enter(Phase::FirstByte);
        let agreed = stream.get_ref().1.alpn_protocol();
        let two = agreed == Some(b"h2");
        if request.version == HttpVersion::Two && !two {
            let detail = "the server does not speak HTTP/2";
            return Err(Failure::new(FailureKind::Protocol, detail));
        }
        let request = hop.request(two, cookies)?;
        self.talk(stream, two, request, &hop.url, limit, cookies, progress)
            .await
    }

    #[expect(clippy::too_many_arguments, reason = "it is the end of one long line")]
    async fn talk<S>(
        &self,
        stream: S,
        two: bool,
        request: http::Request<Full<Bytes>>,
        url: &Url,
        limit: usize,
        cookies: &mut CookieStore,
        progress: &mut Progress,
    ) -> Result<Reply, Failure>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.dialer.round_trip().await;
        let io = TokioIo::new(stream);
        let reply = async {
            if two {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.max_header_list_size(u32::try_from(MOST_HEADERS).unwrap_or(u32::MAX));
                let (mut sender, connection) = builder.handshake(io).await.map_err(explain)?;
                let reply = async {
                    let response = sender.send_request(request).await.map_err(explain)?;
                    read(response, limit, progress).await
                };
                drive(connection, reply).await
            } else {
                let mut builder = http1::Builder::new();
                builder.max_header_size(MOST_HEADERS);
                let (mut sender, connection) = builder.handshake(io).await.map_err(explain)?;
                let reply = async {
                    let response = sender.send_request(request).await.map_err(explain)?;
                    read(response, limit, progress).await
                };
                drive(connection, reply).await
            }
        };
        let reply = reply.await?;
        for cookie in reply.headers.get_all(header::SET_COOKIE) {
            if let Ok(text) = cookie.to_str() {
                // A cookie that a browser would refuse is refused here too.
                let _ = cookies.parse(text, url);
            }
        }
        Ok(reply)
    }
}

impl Hop {
    fn request(
        &self,
        two: bool,
        cookies: &CookieStore,
    ) -> Result<http::Request<Full<Bytes>>, Failure> {
        let mut headers = self.headers.clone();
        let own: Vec<_> = cookies.get_request_values(&self.url).collect();
        if !own.is_empty() {
            let own: Vec<_> = own
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            if let Ok(value) = HeaderValue::from_str(&own.join("; ")) {
                headers.insert(header::COOKIE, value);
            }
        }
        let target = if two {
            &self.url[..url::Position::AfterQuery]
        } else {
            // The server closes, so that its side and not ours keeps the port for a while: at a
            // thousand probes a second this machine would run out of ports.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            if !headers.contains_key(header::HOST) {
                let authority = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
                if let Ok(value) = HeaderValue::from_str(authority) {
                    headers.insert(header::HOST, value);
                }
            }
            &self.url[url::Position::BeforePath..url::Position::AfterQuery]
        };
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = target.parse().map_err(|_| {
            Failure::new(
                FailureKind::Protocol,
                "the address cannot stand in a request",
            )
        })?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Turns to where the answer pointed, as browsers do (RFC 9110, 15.4).
    fn follow(&mut self, url: Url, status: u16) {
        let method = &self.method;
        let get = match status {
            303 => method != Method::HEAD,
            301 | 302 => method == Method::POST,
            _ => false,
        };
        if get {
            self.method = Method::GET;
            self.body = Bytes::new();
            for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
                self.headers.remove(name);
            }
        }
        if self.url.origin() != url.origin() {
            // What was meant for one host is not for another: any header may be a secret.
            let keep = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT];
            let mut kept: HeaderMap = keep
                .into_iter()
                .filter_map(|name| Some((name.clone(), self.headers.remove(&name)?)))
                .collect();
            for name in ["traceparent", "tracestate"] {
                let name = HeaderName::from_static(name);
                if let Some(value) = self.headers.remove(&name) {
                    kept.insert(name, value);
                }
            }
            self.headers = kept;
        }
        self.url = url;
    }
}

fn host(url: &Url) -> Result<String, Failure> {
    match url.host() {
        Some(Host::Domain(name)) => Ok(name.to_owned()),
        Some(Host::Ipv4(address)) => Ok(address.to_string()),
        Some(Host::Ipv6(address)) => Ok(address.to_string()),
        None => Err(Failure::new(
            FailureKind::Protocol,
            "the address has no host",
        )),
    }
}

/// Where the answer points, if it is a redirect.
fn redirect(reply: &Reply) -> Option<&str> {
    let status = StatusCode::from_u16(reply.status).ok()?;
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    reply.headers.get(header::LOCATION)?.to_str().ok()
}

/// Reads the body up to `limit`.
async fn read(
    response: http::Response<Incoming>,
    limit: usize,
    progress: &mut Progress,
) -> Result<Reply, Failure> {
    progress.watch.enter(Phase::Transfer);
    let (head, mut incoming) = response.into_parts();
    let status = head.status.as_u16();
    progress.status = Some(status);
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(explain)?.into_data() else {
            continue;
        };
        if body.len() + data.len() > limit {
            let detail = format!("the body has more than {limit} bytes");
            return Err(Failure::new(FailureKind::TooLarge, &detail));
        }
        body.extend_from_slice(&data);
    }
    Ok(Reply {
        status,
        headers: head.headers,
        body,
    })
}

/// Runs the connection for as long as the exchange over it takes, in the same task.
async fn drive<T>(
    connection: impl Future<Output = Result<(), hyper::Error>>,
    exchange: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut connection = pin!(connection);
    let mut exchange = pin!(exchange);
    tokio::select! {
        biased;
        result = &mut exchange => return result,
        // What it has to say is said to the exchange as well.
        _ = &mut connection => {}
    }
    exchange.await
}

/// The innermost cause: the outer texts only repeat what was tried.
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn explain(error: hyper::Error) -> Failure {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Failure::new(FailureKind::Protocol, &cause.to_string())
}
