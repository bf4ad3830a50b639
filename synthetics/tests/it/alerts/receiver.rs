//! A receiver of webhooks on a real socket, which answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

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
        let inner = Inner::default();
        inner.replies.lock().expect("a lock").extend(replies);
        let app = Router::new().fallback(take).with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            inner,
            url: format!("http://{address}/s3cret-path"),
        }
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
