//! `GET` and `POST /ratings/{id}`: stars by reviewer, with Bookinfo's fault modes.

mod faults;

use std::process::ExitCode;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self as actix, Bytes, Data, Path};
use bookinfo::ProductId;
use bookinfo::store::{Store, StoreArgs, StoreConfig, StoreError, Table};
use bookinfo::wire::{Ratings, parse_ratings};
use clap::Parser;
pub use faults::{Behaviour, Faults, Mode};
use telemetry::Metrics;
use web::{Error, ReadyCheck, Server};

/// The ratings service of the bookshop: stars by reviewer, in DynamoDB.
#[derive(Parser, Clone, Debug)]
#[command(name = "ratings", version)]
pub struct Cli {
    /// The HTTP server.
    #[command(flatten)]
    pub server: web::Config,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// How it behaves: `v-faulty` fails half of the reads, `v-delayed` holds half of them up for 7 s,
    /// `v-unavailable` fails in turns of 60 s, `v-unhealthy` in turns of 15 min and its health with
    /// it. Anything else is a plain version.
    #[arg(long, env = "SERVICE_VERSION", default_value = "v1")]
    pub service_version: String,
    /// Logs, traces and metrics.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

/// Runs the service until SIGTERM.
pub fn main(cli: Cli) -> ExitCode {
    let settings = cli.telemetry.clone();
    web::run("ratings", &settings, |metrics| async move {
        let faults = Faults::from_now(Mode::of_version(&cli.service_version));
        server(&cli, metrics, faults).await
    })
}

/// The service, bound and not yet running.
///
/// # Errors
/// Where a setting cannot be used or the port is taken.
pub async fn server(cli: &Cli, metrics: Metrics, faults: Faults) -> anyhow::Result<Server> {
    let store = StoreConfig::load(&cli.store).await?;
    let faults = Arc::new(faults);
    let open = move || store.open();
    Ok(Server::bind(
        &cli.server,
        metrics,
        open,
        ready,
        move |store, app| {
            app.app_data(Data::new(store.clone()))
                .app_data(Data::from(Arc::clone(&faults)))
                .service(ratings_resource("/ratings/{id}"))
                .service(ratings_resource("/ratings/"))
                .service(ratings_resource("/ratings/{id}/{rest:.*}"))
                .service(web::get("/health", health));
        },
    )?)
}

fn ready(store: &Store) -> ReadyCheck {
    web::ready_when(store, |store: Store| async move {
        store.ping(Table::Ratings).await
    })
}

fn ratings_resource(path: &str) -> actix_web::Resource {
    web::resource(path, "GET, HEAD, POST")
        .route(web::get_or_head().to(read))
        .route(actix::post().to(write))
}

async fn read(
    path: Option<Path<String>>,
    store: Data<Store>,
    faults: Data<Faults>,
) -> Result<actix::Json<Ratings>, Error> {
    let id = product_id(path)?;
    match faults.next_read() {
        Behaviour::Good => {}
        Behaviour::Delay(time) => tokio::time::sleep(time).await,
        Behaviour::Fail => {
            return Err(Error::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service unavailable",
            ));
        }
    }
    let ratings = store.ratings(id).await.map_err(store_failed)?;
    Ok(actix::Json(Ratings { id, ratings }))
}

/// Answers with what this call stored, as upstream does; a read shows everybody's ratings.
async fn write(
    path: Option<Path<String>>,
    body: Bytes,
    store: Data<Store>,
) -> Result<actix::Json<Ratings>, Error> {
    let id = product_id(path)?;
    let ratings =
        parse_ratings(&body).map_err(|e| Error::new(StatusCode::BAD_REQUEST, e.to_string()))?;
    store.rate(id, &ratings).await.map_err(store_failed)?;
    Ok(actix::Json(Ratings { id, ratings }))
}

async fn health(faults: Data<Faults>) -> HttpResponse {
    match faults.is_healthy() {
        true => HttpResponse::Ok().json(serde_json::json!({"status": "Ratings is healthy"})),
        false => HttpResponse::InternalServerError()
            .json(serde_json::json!({"status": "Ratings is not healthy"})),
    }
}

fn product_id(path: Option<Path<String>>) -> Result<ProductId, Error> {
    path.and_then(|path| path.parse().ok())
        .ok_or_else(|| Error::new(StatusCode::BAD_REQUEST, "please provide numeric product ID"))
}

fn store_failed(error: StoreError) -> Error {
    let message = error.for_client(Table::Ratings);
    Error::new(StatusCode::INTERNAL_SERVER_ERROR, message).with_cause(error)
}
