//! The front of the bookshop: the pages that people see, and the JSON interface beside them.
//!
//! It keeps no state of its own. Books come from the catalogue; details, reviews and ratings from the
//! services behind it; who is signed in stands in a signed cookie. A service that does not answer
//! leaves a notice on the page and never takes the page down.

mod assets;
mod backends;
mod config;
mod cover;
mod handlers;
mod origin;
mod session;
mod views;

use std::io;
use std::process::ExitCode;

use actix_web::web::{self as actix, Data};
use telemetry::Metrics;
use web::Server;

pub use config::{Cli, SessionKey, SessionKeyError};

use backends::Backends;
use session::Sessions;

/// What the handlers of one worker thread share.
struct Shop {
    backends: Backends,
    sessions: Sessions,
    /// Extra calls of reviews a page.
    flood_factor: u8,
}

/// Runs the service until SIGTERM.
pub fn main(cli: Cli) -> ExitCode {
    let settings = cli.telemetry.clone();
    web::run("productpage", &settings, |metrics| async move {
        server(&cli, metrics)
    })
}

/// The service, bound and not yet running.
///
/// # Errors
/// Where the port is taken, or the session key too short.
pub fn server(cli: &Cli, metrics: Metrics) -> io::Result<Server> {
    match &cli.session_key {
        Some(key) => key.check().map_err(io::Error::other)?,
        None => tracing::info!(
            "session key made at random: users are signed out at every start, and with several replicas at every other request; set SESSION_KEY to prevent both"
        ),
    }
    views::prepare();
    let sessions = Sessions::new(cli.session_key.as_ref(), cli.session_ttl, cli.cookie_secure);
    let cli = cli.clone();
    let server = cli.server.clone();
    let open = move || {
        Data::new(Shop {
            backends: Backends::new(&cli),
            sessions: sessions.clone(),
            flood_factor: cli.flood_factor,
        })
    };
    let ready = |_: &Data<Shop>| web::always_ready();
    Server::bind(&server, metrics, open, ready, |shop, app| {
        app.app_data(shop.clone());
        routes(app);
    })
}

fn routes(app: &mut actix::ServiceConfig) {
    use handlers::{account, api, not_found, pages, rate, resource, with_get};

    app.service(
        actix::scope("/api")
            .service(web::get("/v1/products", api::products))
            .service(web::get("/v1/products/{id}", api::details))
            .service(web::get("/v1/products/{id}/reviews", api::reviews))
            .service(web::get("/v1/products/{id}/ratings", api::ratings))
            .default_service(actix::to(api::not_found)),
    )
    .service(with_get("/", pages::home))
    .service(with_get("/index.html", pages::home))
    .service(with_get("/productpage", pages::product))
    .service(resource("/productpage/rate", "POST").route(actix::post().to(rate::rate)))
    .service(resource("/login", "POST").route(actix::post().to(account::login)))
    .service(
        resource("/logout", "GET, HEAD, POST")
            .route(web::get_or_head().to(account::logout_by_link))
            .route(actix::post().to(account::logout)),
    )
    .service(with_get("/health", pages::health))
    .service(with_get("/static/{name:.*}", assets::serve))
    .default_service(actix::to(not_found));
}
