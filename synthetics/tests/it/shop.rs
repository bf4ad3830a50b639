//! A bookshop on a real socket whose answers can be made wrong, route by route.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};

/// How a route answers.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// With this status and body.
    Answer(u16, String),
    /// As it should, after this time.
    Slow(Duration),
    /// Never.
    Hang,
}

#[derive(Default)]
struct Inner {
    behaviours: HashMap<String, Behaviour>,
    traceparents: HashSet<String>,
    requests: usize,
    asked: HashMap<String, usize>,
}

/// The shop; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Shop {
    /// A shop where all is well.
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let app = Router::new().fallback(serve).with_state(Arc::clone(&inner));
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = tokio::net::TcpListener::bind(local)
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// Makes a route answer otherwise.
    pub(crate) fn set(&self, path: &str, behaviour: Behaviour) {
        let mut inner = self.inner.lock().expect("no panic holds the lock");
        inner.behaviours.insert(path.to_owned(), behaviour);
    }

    /// Number of requests for this path.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let inner = self.inner.lock().expect("no panic holds the lock");
        inner.asked.get(path).copied().unwrap_or(0)
    }

    /// Number of requests, and the distinct `traceparent` headers they brought.
    pub(crate) fn seen(&self) -> (usize, HashSet<String>) {
        let inner = self.inner.lock().expect("no panic holds the lock");
        (inner.requests, inner.traceparents.clone())
    }
}

async fn serve(State(inner): State<Arc<Mutex<Inner>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let behaviour = {
        let mut inner = inner.lock().expect("no panic holds the lock");
        inner.requests += 1;
        *inner.asked.entry(path.clone()).or_default() += 1;
        if let Some(value) = request.headers().get("traceparent") {
            let value = value.to_str().unwrap_or("not text").to_owned();
            inner.traceparents.insert(value);
        }
        inner.behaviours.get(&path).cloned()
    };
    match behaviour {
        Some(Behaviour::Answer(status, body)) => {
            let status = axum::http::StatusCode::from_u16(status).expect("a status");
            return (status, body).into_response();
        }
        Some(Behaviour::Slow(time)) => tokio::time::sleep(time).await,
        Some(Behaviour::Hang) => std::future::pending().await,
        None => {}
    }
    let body = match path.as_str() {
        "/productpage" => "<h1>The Comedy of Errors</h1><dt>ISBN-10</dt><blockquote>t</blockquote>",
        "/health" => "Product page is healthy",
        "/api/v1/products" => r#"[{"id":0,"title":"The Comedy of Errors","descriptionHtml":""}]"#,
        "/api/v1/products/0" => r#"{"id":0,"author":"William Shakespeare"}"#,
        "/api/v1/products/0/reviews" => {
            r#"{"id":"0","reviews":[{"reviewer":"A","text":"t","rating":{"stars":5,"color":"red"}}]}"#
        }
        "/api/v1/products/0/ratings" => r#"{"id":0,"ratings":{"A":5}}"#,
        _ => return (axum::http::StatusCode::NOT_FOUND, "not here").into_response(),
    };
    body.into_response()
}
