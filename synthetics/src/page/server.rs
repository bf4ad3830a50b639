//! The page as a server that can be started on port 0 and stopped.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use site::{Guard, Protocol, Room};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::show::Show;
use super::{Exposition, Scene};
use super::{api, assets, badge, events, health, html};

/// Connections at the same time: a page and its stream of news for everybody in a room.
const CONNECTIONS: usize = 256;
/// How long a client may take for the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer may take; one takes milliseconds.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the end waits for answers under way.
const GRACE: Duration = Duration::from_secs(2);

/// What a page is to be.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Host names that it may be called by, beside addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
    /// Origins that may have it in a frame, beside those of this machine.
    pub allowed_frames: Vec<String>,
    /// From one time that the numbers are worked out to the next; at zero it is done for each who
    /// asks.
    pub pace: Duration,
}

impl Default for Config {
    /// A free port of this machine, for nobody else.
    fn default() -> Self {
        Self {
            address: SocketAddr::from((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)),
            allowed_hosts: Vec::new(),
            allowed_frames: Vec::new(),
            pace: Duration::from_secs(1),
        }
    }
}

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot show the page on {address}; set --port or SYNTHETICS_PORT to a free port, or to 0")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl BindError {
    /// Whether somebody else has the port.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// What every handler sees.
#[derive(Clone)]
pub(super) struct Site(Arc<Parts>);

pub(super) struct Parts {
    pub(super) show: Show,
    pub(super) exposition: Exposition,
    pub(super) viewers: Arc<tokio::sync::Semaphore>,
    pub(super) stop: CancellationToken,
    guard: Guard,
    policy: HeaderValue,
}

impl std::ops::Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A page at work. Dropping it leaves it at work until the process ends; [`Page::shutdown`] ends it.
pub struct Page {
    site: Site,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Page {
    /// Listens. Until there is a [`Scene`], it says that it is starting.
    ///
    /// # Errors
    /// [`BindError`], where the address cannot be listened on.
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        let failed = |source| BindError {
            address: config.address,
            source,
        };
        let listener = TcpListener::bind(config.address).await.map_err(failed)?;
        let address = listener.local_addr().unwrap_or(config.address);
        let stop = CancellationToken::new();
        let site = Site(Arc::new(Parts {
            show: Show::new(config.pace),
            exposition: Exposition::new(),
            viewers: Arc::new(tokio::sync::Semaphore::new(events::VIEWERS)),
            stop: stop.clone(),
            guard: Guard::new(&config.allowed_hosts),
            policy: policy(&config.allowed_frames),
        }));
        let room = Room {
            connections: CONNECTIONS,
            patience: PATIENCE,
        };
        let (shown, until) = (site.clone(), stop.clone());
        let served = site::serve(listener, Protocol::Http1, router(site.clone()), room, stop);
        let task = tokio::spawn(async move {
            tokio::join!(served, shown.show.keep_new(until));
        });
        Ok(Self {
            site,
            address,
            task,
        })
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, to open.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Shows this from now on.
    pub fn show(&self, scene: Scene) {
        self.site.show.set(scene);
    }

    /// What counts probes for Prometheus.
    #[must_use]
    pub fn exposition(&self) -> Exposition {
        self.site.exposition.clone()
    }

    /// Stops listening and lets answers under way end, for two seconds.
    pub async fn shutdown(mut self) {
        self.site.stop.cancel();
        if tokio::time::timeout(GRACE, &mut self.task).await.is_err() {
            tracing::warn!(
                grace_ms = GRACE.as_millis(),
                "answers under way were cut off"
            );
            self.task.abort();
        }
    }
}

/// Nothing from elsewhere, nothing inline. Pages of this machine, such as the console on its own
/// port, may have it in a frame: it has nothing to press that does anything.
fn policy(frames: &[String]) -> HeaderValue {
    let mut ancestors = "'self' http://127.0.0.1:* http://localhost:*".to_owned();
    for origin in frames {
        ancestors.push(' ');
        ancestors.push_str(origin);
    }
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(html::status))
        .route("/checks/{name}", get(html::check))
        .route("/events", get(events::events))
        .route("/badge/{file}", get(badge::badge))
        .route("/metrics", get(super::exposition::scrape))
        .route("/static/{*name}", get(assets::serve))
        .route("/livez", get(health::live))
        .route("/health", get(health::live))
        .route("/readyz", get(health::ready))
        .merge(api::router())
        .fallback(html::not_found)
        .layer(from_fn_with_state(site.clone(), around))
        .with_state(site)
}

/// What holds for every request and every answer.
async fn around(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (method, headers) = (request.method(), request.headers());
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    // A badge is there to stand in pages of others.
    let is_badge = request.uri().path().starts_with("/badge/");
    let allowed = if is_badge {
        site.guard.check_host(headers, authority).map(|_| ())
    } else {
        site.guard.check(method, headers, authority)
    };
    let mut response = match allowed {
        Ok(()) => match tokio::time::timeout(ANSWER, next.run(request)).await {
            Ok(response) => response,
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "it took too long").into_response(),
        },
        Err(refused) => (StatusCode::FORBIDDEN, refused.to_string()).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, site.policy.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let readers = if is_badge {
        "cross-origin"
    } else {
        "same-origin"
    };
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static(readers),
    );
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
