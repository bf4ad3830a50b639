//! A server that can be started on port 0, asked for its port, and stopped well.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::{StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpRequest, HttpServer};
use telemetry::Metrics;

use crate::config::Config;
use crate::error::Error;
use crate::health::{self, ReadyCheck};
use crate::observe::{Shared, observe};

/// Idle time after which a kept connection is closed; longer than clients keep theirs, so that the
/// client closes first and never sends into a closing connection.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Time for a client to send a whole request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// What the server itself allows connections once nothing is in flight, in seconds.
const CLOSE_TIMEOUT_S: u64 = 1;
const IN_FLIGHT_CHECK: Duration = Duration::from_millis(10);

/// A bound server, not yet running.
pub struct Server {
    address: SocketAddr,
    server: actix_web::dev::Server,
    shared: Arc<Shared>,
    config: Config,
}

impl Server {
    /// Binds and gets everything ready. `open` runs once in each worker thread: build clients there, so that
    /// each thread has its own connections. What it made says whether the service is `ready`, and is there for
    /// `configure` to hand to the routes.
    ///
    /// # Errors
    /// Where the address cannot be bound; the error names it.
    pub fn bind<T>(
        config: &Config,
        metrics: Metrics,
        open: impl Fn() -> T + Clone + Send + 'static,
        ready: impl Fn(&T) -> ReadyCheck + Clone + Send + 'static,
        configure: impl Fn(&T, &mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            metrics,
            in_flight: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            request_timeout: config.request_timeout,
            max_header_bytes: config.max_header_bytes,
        });
        let limit = config.max_body_bytes;
        let factory_shared = Arc::clone(&shared);
        let address = SocketAddr::new(config.listen_address, config.port);
        let server = HttpServer::new(move || {
            let (observed, probed) = (Arc::clone(&factory_shared), Arc::clone(&factory_shared));
            let opened = open();
            let ready = ready(&opened);
            App::new()
                .app_data(web::PayloadConfig::new(limit))
                .app_data(web::JsonConfig::default().limit(limit))
                .app_data(
                    web::FormConfig::default()
                        .limit(limit)
                        .error_handler(|error, _| {
                            Error::new(error.status_code_or_bad_request(), error.to_string()).into()
                        }),
                )
                .service(get(health::LIVE, health::livez))
                .service(get(health::READY, move || {
                    let (shared, ready) = (Arc::clone(&probed), Arc::clone(&ready));
                    async move { health::readyz(&shared, ready).await }
                }))
                .default_service(web::to(not_found))
                .configure(|app| configure(&opened, app))
                .wrap(from_fn(move |request, next| {
                    observe(Arc::clone(&observed), request, next)
                }))
        })
        .workers(usize::from(config.workers))
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(CLOSE_TIMEOUT_S)
        .disable_signals()
        .bind(address)
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot listen on {address}: {error}; set --port or PORT to a free port"),
            )
        })?;
        let bound = server.addrs().first().copied().unwrap_or(address);
        Ok(Self {
            address: bound,
            server: server.run(),
            shared,
            config: config.clone(),
        })
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is done; then is no longer ready, still accepts for the drain delay,
    /// stops accepting, and lets what is in flight end within the grace period.
    ///
    /// # Errors
    /// Where the server itself fails.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let handle = self.server.handle();
        let mut server = self.server;
        tokio::select! {
            ended = &mut server => return ended,
            () = shutdown => {}
        }
        self.shared.draining.store(true, Ordering::Relaxed);
        tracing::info!(
            drain_delay_ms = self.config.drain_delay.as_millis() as u64,
            "draining"
        );
        let drained = async {
            tokio::time::sleep(self.config.drain_delay).await;
            handle.pause().await;
            let deadline = Instant::now() + self.config.grace_period;
            while self.shared.in_flight.load(Ordering::Acquire) > 0 && Instant::now() < deadline {
                tokio::time::sleep(IN_FLIGHT_CHECK).await;
            }
            let left = self.shared.in_flight.load(Ordering::Acquire);
            if left > 0 {
                tracing::warn!(requests = left, "grace period over, requests are cut off");
            }
            handle.stop(left == 0).await;
        };
        let (ended, ()) = tokio::join!(server, drained);
        ended
    }
}

/// JSON for a path that is not there.
async fn not_found(request: HttpRequest) -> Result<actix_web::HttpResponse, Error> {
    Err(Error::new(
        StatusCode::NOT_FOUND,
        format!("no such path: {}", request.path()),
    ))
}

/// A resource that answers `GET` and `HEAD`, and JSON 405 with `Allow` to the rest.
pub fn get<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    resource(path, "GET, HEAD").route(get_or_head().to(handler))
}

/// A resource that answers only the routes added to it, and JSON 405 with `allow` to the rest.
pub fn resource(path: &str, allow: &'static str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(move || async move {
        let mut response = actix_web::ResponseError::error_response(&Error::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("method not allowed, use {allow}"),
        ));
        response
            .headers_mut()
            .insert(header::ALLOW, header::HeaderValue::from_static(allow));
        response
    }))
}

/// A route for `GET` and `HEAD`; the server leaves the body of `HEAD` out by itself.
pub fn get_or_head() -> actix_web::Route {
    use actix_web::guard;
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Errors of extractors that bring a status of their own.
trait StatusOf {
    fn status_code_or_bad_request(&self) -> StatusCode;
}

impl StatusOf for actix_web::error::UrlencodedError {
    fn status_code_or_bad_request(&self) -> StatusCode {
        match self {
            Self::Overflow { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
