//! A receiver of webhooks on a real socket, with or without TLS, which answers as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::server::Authority;

/// What to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// This status.
    Status(u16),
    /// This status and a `Retry-After` of seconds.
    After(u16, &'static str),
    /// Nothing at all.
    Hang,
}

#[derive(Clone, Default)]
struct Inner {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    turned_away: Arc<Mutex<Vec<String>>>,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: tokio::time::Instant,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn key(&self) -> &str {
        let key = self.headers.get("idempotency-key");
        key.and_then(|key| key.to_str().ok()).expect("it has a key")
    }
}

pub(crate) struct Receiver {
    inner: Inner,
    pub(crate) url: String,
}

impl Receiver {
    /// One that gives these answers, and then 200.
    pub(crate) async fn start(replies: &[Reply]) -> Self {
        let (inner, app) = answering(replies);
        let listener = listen().await;
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            inner,
            url: format!("http://{address}/s3cret-path"),
        }
    }

    /// The same by TLS, with a certificate of `authority`.
    pub(crate) async fn start_tls(authority: &Authority, replies: &[Reply]) -> Self {
        let (inner, app) = answering(replies);
        let listener = listen().await;
        let address = listener.local_addr().expect("bound");
        let listener = TlsListener {
            listener,
            acceptor: authority.acceptor(86_400, &["http/1.1"]),
            turned_away: Arc::clone(&inner.turned_away),
        };
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            inner,
            url: format!("https://localhost:{}/s3cret-path", address.port()),
        }
    }

    /// Why connections came to nothing: what the other side said of the certificate.
    pub(crate) fn turned_away(&self) -> Vec<String> {
        self.inner.turned_away.lock().expect("a lock").clone()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().expect("a lock").clone()
    }

    /// What came, when there are so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Seen> {
        crate::gate::wait_for(|| self.seen().len() >= count).await;
        self.seen()
    }
}

fn answering(replies: &[Reply]) -> (Inner, Router) {
    let inner = Inner::default();
    inner.replies.lock().expect("a lock").extend(replies);
    let app = Router::new().fallback(take).with_state(inner.clone());
    (inner, app)
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    turned_away: Arc<Mutex<Vec<String>>>,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
            match self.acceptor.accept(stream).await {
                Ok(stream) => return (stream, address),
                Err(error) => {
                    let mut turned_away = self.turned_away.lock().expect("a lock");
                    turned_away.push(error.to_string());
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn take(State(inner): State<Inner>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    inner.seen.lock().expect("a lock").push(Seen {
        at: tokio::time::Instant::now(),
        headers: head.headers,
        body: serde_json::from_slice(&body).expect("JSON"),
    });
    let reply = inner.replies.lock().expect("a lock").pop_front();
    let status = |status: u16| axum::http::StatusCode::from_u16(status).expect("a status");
    match reply.unwrap_or(Reply::Status(200)) {
        Reply::Status(code) => status(code).into_response(),
        Reply::After(code, after) => (status(code), [("retry-after", after)]).into_response(),
        Reply::Hang => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            status(200).into_response()
        }
    }
}
