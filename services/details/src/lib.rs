//! `GET /details/{id}`: what the shop knows about a book.

use std::process::ExitCode;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self as actix, Data, Path};
use actix_web::{HttpResponse, ResponseError as _};
use bookinfo::ProductId;
use bookinfo::store::{Cache, CacheArgs, Store, StoreArgs, StoreConfig, StoreError, Table};
use bookinfo::wire::Details;
use clap::Parser;
use telemetry::Metrics;
use web::{Error, ReadyCheck, Server};

/// The details service of the bookshop: author, year, pages and numbers of a book, from DynamoDB.
#[derive(Parser, Clone, Debug)]
#[command(name = "details", version)]
pub struct Cli {
    /// The HTTP server.
    #[command(flatten)]
    pub server: web::Config,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The cache.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Logs, traces and metrics.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

/// Runs the service until SIGTERM.
pub fn main(cli: Cli) -> ExitCode {
    let settings = cli.telemetry.clone();
    web::run("details", &settings, |metrics| async move {
        server(&cli, metrics).await
    })
}

/// The service, bound and not yet running.
///
/// # Errors
/// Where a setting cannot be used or the port is taken.
pub async fn server(cli: &Cli, metrics: Metrics) -> anyhow::Result<Server> {
    let store = StoreConfig::load(&cli.store).await?;
    let cache = Cache::new(&cli.cache);
    let open = move || store.open();
    let bound = metrics.clone();
    Ok(Server::bind(
        &cli.server,
        bound,
        open,
        ready,
        move |store, app| {
            let shop = Shop {
                store: store.clone(),
                cache: cache.clone(),
                metrics: metrics.clone(),
            };
            app.app_data(Data::from(Arc::new(shop)))
                .service(web::get("/details/{id}", details))
                .service(web::get("/details/{id}/", details))
                .service(web::get("/details", no_id))
                .service(web::get("/details/", no_id))
                .service(web::get("/health", health));
        },
    )?)
}

fn ready(store: &Store) -> ReadyCheck {
    web::ready_when(store, |store: Store| async move {
        store.ping(Table::Details).await
    })
}

struct Shop {
    store: Store,
    cache: Cache<Details>,
    metrics: Metrics,
}

async fn details(path: Path<String>, shop: Data<Shop>) -> Result<actix::Json<Details>, Error> {
    let id: ProductId = path.parse().map_err(|_| not_numeric())?;
    let (read, looked_up) = (shop.store.details(id), |hit| shop.metrics.cache_lookup(hit));
    let found = shop.cache.get_or(id, looked_up, read).await;
    match found.map_err(store_failed)? {
        Some(details) => Ok(actix::Json(details)),
        None => Err(Error::new(
            StatusCode::NOT_FOUND,
            format!("no details for product {id}"),
        )),
    }
}

async fn no_id() -> HttpResponse {
    not_numeric().error_response()
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "Details is healthy"}))
}

fn not_numeric() -> Error {
    Error::new(StatusCode::BAD_REQUEST, "please provide numeric product id")
}

fn store_failed(error: StoreError) -> Error {
    let message = error.for_client(Table::Details);
    Error::new(StatusCode::INTERNAL_SERVER_ERROR, message).with_cause(error)
}
