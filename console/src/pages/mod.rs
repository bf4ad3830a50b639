//! The pages and the JSON API.

mod api;
mod assets;
mod format;
mod html;
mod live;
mod logs_in;
mod map;
mod openapi;
mod query;
mod templates;
mod words;

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use site::Guard;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::monitor::Monitors;
use crate::store::Store;

/// So many pages are kept up to date at the same time.
const VIEWERS: usize = 64;

/// So many requests with log lines are read at the same time.
const INTAKES: usize = 16;

/// How many datagrams were lost, as far as the kernel says.
pub(crate) type Lost = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// What the pages are made of.
#[derive(Clone)]
pub(crate) struct Site(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) monitors: Arc<Mutex<Monitors>>,
    pub(crate) guard: Guard,
    pub(crate) synthetics: Option<Url>,
    pub(crate) zone: TimeZone,
    pub(crate) lost: Lost,
    pub(crate) stop: CancellationToken,
    policy: HeaderValue,
    viewers: Arc<Semaphore>,
    intakes: Semaphore,
}

impl Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Site {
    pub(crate) fn new(
        store: Store,
        monitors: Arc<Mutex<Monitors>>,
        allowed: &[String],
        synthetics: Option<Url>,
        lost: Lost,
        stop: CancellationToken,
    ) -> Self {
        let zone = lock(&monitors).zone().clone();
        // Nothing from elsewhere, nothing inline; the prober's page may stand in a frame of ours, and nobody has us in one.
        let frame = synthetics.as_ref().map_or_else(
            || "'none'".to_owned(),
            |url| url.origin().ascii_serialization(),
        );
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src {frame}"
        );
        Self(Arc::new(Parts {
            store,
            monitors,
            guard: Guard::new(allowed),
            synthetics,
            zone,
            lost,
            stop,
            policy: HeaderValue::try_from(policy)
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
            viewers: Arc::new(Semaphore::new(VIEWERS)),
            intakes: Semaphore::new(INTAKES),
        }))
    }

    pub(crate) fn watch(&self) -> MutexGuard<'_, Monitors> {
        lock(&self.monitors)
    }
}

/// A thread that panicked left whole monitors behind.
pub(crate) fn lock(monitors: &Mutex<Monitors>) -> MutexGuard<'_, Monitors> {
    monitors.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All there is to ask for.
pub(crate) fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(html::overview))
        .route("/services/{name}", get(html::service))
        .route("/traces", get(html::traces))
        .route("/traces/{id}", get(html::trace))
        .route("/metrics", get(html::metrics))
        .route("/logs", get(html::logs))
        .route("/slos", get(html::slos))
        .route("/monitors", get(html::monitors))
        .route("/telemetry", get(html::telemetry))
        .route("/live", get(live::live))
        .route("/static/{*name}", get(assets::serve))
        .route("/intake/logs", post(logs_in::take))
        .route("/livez", get(|| async { "live" }))
        .route("/readyz", get(|| async { "ready" }))
        .merge(api::router())
        .fallback(html::not_found)
        .layer(from_fn_with_state(site.clone(), around))
        .with_state(site)
}

/// What holds for every request and every answer.
async fn around(State(site): State<Site>, request: Request, next: Next) -> Response {
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let mut response = match site
        .guard
        .check(request.method(), request.headers(), authority)
    {
        Ok(()) => next.run(request).await,
        Err(refused) => (StatusCode::FORBIDDEN, refused.to_string()).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, site.policy.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
