//! `GET /reviews/{id}`: what people wrote, and in v2 and v3 the stars they gave.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::{self as actix, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use bookinfo::store::{
    Cache, CacheArgs, Store, StoreArgs, StoreConfig, StoreError, StoredReview, Table,
};
use bookinfo::wire::{Rating, Ratings, Review, Reviews};
use bookinfo::{ProductId, Reviewer, Stars};
use clap::Parser;
use telemetry::Metrics;
use web::{Error, Forwarded, Outbound, ReadyCheck, Server};

/// The reviews service of the bookshop. v1 shows texts; with `ENABLE_RATINGS=true` (v2) black stars
/// come with them, and with `STAR_COLOR=red` (v3) red ones.
#[derive(Parser, Clone, Debug)]
#[command(name = "reviews", version)]
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
    /// Asks the ratings service for stars; only the text `true` does, as upstream has it.
    #[arg(long, env = "ENABLE_RATINGS", default_value = "false")]
    pub enable_ratings: String,
    /// Colour of the stars.
    #[arg(long, env = "STAR_COLOR", default_value = "black")]
    pub star_color: String,
    /// Host of the ratings service, with a port where it differs.
    #[arg(long, env = "RATINGS_HOSTNAME", default_value = "ratings")]
    pub ratings_hostname: String,
    /// Port of the ratings service.
    #[arg(long, env = "RATINGS_SERVICE_PORT", default_value_t = 9080)]
    pub ratings_service_port: u16,
    /// Domain that is appended to the host's name.
    #[arg(long, env = "SERVICES_DOMAIN", default_value = "")]
    pub services_domain: String,
    /// Name shown as `podname`.
    #[arg(long, env = "HOSTNAME", default_value = "localhost")]
    pub podname: String,
    /// Name shown as `clustername`.
    #[arg(long, env = "CLUSTER_NAME", default_value = "null")]
    pub cluster_name: String,
    /// Longest wait for ratings. Default: 10s where the stars are black, else 2.5s.
    #[arg(long, env = "RATINGS_TIMEOUT", value_parser = humantime::parse_duration)]
    pub ratings_timeout: Option<Duration>,
    /// Logs, traces and metrics.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

impl Cli {
    fn ratings_timeout(&self) -> Duration {
        self.ratings_timeout
            .unwrap_or(match self.star_color.as_str() {
                "black" => Duration::from_secs(10),
                _ => Duration::from_millis(2500),
            })
    }
}

/// Runs the service until SIGTERM.
pub fn main(cli: Cli) -> ExitCode {
    let settings = cli.telemetry.clone();
    web::run("reviews", &settings, |metrics| async move {
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
    let cli = cli.clone();
    let server = cli.server.clone();
    Ok(Server::bind(
        &server,
        bound,
        open,
        ready,
        move |store, app| {
            let shop = Shop {
                store: store.clone(),
                cache: cache.clone(),
                metrics: metrics.clone(),
                ratings: (cli.enable_ratings == "true").then(|| {
                    Outbound::new(
                        &cli.ratings_hostname,
                        cli.ratings_service_port,
                        &cli.services_domain,
                        cli.ratings_timeout(),
                    )
                }),
                color: cli.star_color.clone(),
                podname: cli.podname.clone(),
                clustername: cli.cluster_name.clone(),
            };
            app.app_data(Data::new(shop))
                .service(web::get("/reviews/{id}", reviews))
                .service(web::get("/reviews/{id}/", reviews))
                .service(web::get("/health", health));
        },
    )?)
}

fn ready(store: &Store) -> ReadyCheck {
    web::ready_when(store, |store: Store| async move {
        store.ping(Table::Reviews).await
    })
}

struct Shop {
    store: Store,
    cache: Cache<Arc<Vec<StoredReview>>>,
    metrics: Metrics,
    /// `None` in v1.
    ratings: Option<Outbound>,
    color: String,
    podname: String,
    clustername: String,
}

async fn reviews(
    path: Path<String>,
    request: HttpRequest,
    shop: Data<Shop>,
) -> Result<actix::Json<Reviews>, Error> {
    // Upstream's id is a Java int; anything else matches no path of its.
    let id: i32 = path.parse().map_err(|_| {
        Error::new(
            StatusCode::NOT_FOUND,
            format!("no such path: {}", request.path()),
        )
    })?;
    let id = ProductId::new(i64::from(id));
    let (stored, ratings) = tokio::join!(shop.stored(id), shop.stars(id, &request));
    let stored = stored.map_err(store_failed)?;
    let reviews = stored
        .iter()
        .map(|review| Review {
            reviewer: review.reviewer.clone(),
            text: review.text.clone(),
            rating: shop.rating(&review.reviewer, ratings.as_ref()),
        })
        .collect();
    Ok(actix::Json(Reviews {
        id: id.to_string(),
        podname: shop.podname.clone(),
        clustername: shop.clustername.clone(),
        reviews,
    }))
}

/// What the ratings service said: nothing in v1, an error where it failed.
type Stared = Option<Result<BTreeMap<Reviewer, Stars>, ()>>;

impl Shop {
    async fn stored(&self, id: ProductId) -> Result<Arc<Vec<StoredReview>>, StoreError> {
        let read = async { Ok(Some(Arc::new(self.store.reviews(id).await?))) };
        let looked_up = |hit| self.metrics.cache_lookup(hit);
        let found = self.cache.get_or(id, looked_up, read).await;
        found.map(Option::unwrap_or_default)
    }

    async fn stars(&self, id: ProductId, request: &HttpRequest) -> Stared {
        let ratings = self.ratings.as_ref()?;
        let reply = ratings
            .get(&format!("/ratings/{id}"), &Forwarded::from_request(request))
            .await;
        let parsed = match reply {
            Ok(reply) if reply.status == 200 => {
                serde_json::from_slice::<Ratings>(&reply.body).map_err(|error| error.to_string())
            }
            Ok(reply) => Err(format!("status {}", reply.status.as_u16())),
            Err(error) => Err(error.to_string()),
        };
        Some(match parsed {
            Ok(ratings) => Ok(ratings.ratings),
            Err(error) => {
                tracing::warn!(error, "no ratings, reviews go out without stars");
                Err(())
            }
        })
    }

    fn rating(
        &self,
        reviewer: &str,
        ratings: Option<&Result<BTreeMap<Reviewer, Stars>, ()>>,
    ) -> Option<Rating> {
        match ratings? {
            Ok(stars) => stars.get(reviewer).map(|stars| Rating::Stars {
                stars: i64::from(stars.get()),
                color: self.color.clone(),
            }),
            Err(()) => Some(Rating::unavailable()),
        }
    }
}

/// Upstream writes a space after the colon, and so do we.
async fn health() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(r#"{"status": "Reviews is healthy"}"#)
}

fn store_failed(error: StoreError) -> Error {
    let message = error.for_client(Table::Reviews);
    Error::new(StatusCode::INTERNAL_SERVER_ERROR, message).with_cause(error)
}
