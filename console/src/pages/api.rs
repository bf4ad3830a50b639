//! The JSON API: all that the pages show, for tests and scenarios to ask.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{self, BadQuery};
use super::{Site, openapi};
use crate::intake;
use crate::view::{health, logs, metrics, monitors, overview, service, slos, traces};

/// Figures are of so long a time where nothing else is asked.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/api/v1/overview", get(get_overview))
        .route("/api/v1/routes", get(get_routes))
        .route("/api/v1/services/{name}/signals", get(get_signals))
        .route("/api/v1/traces", get(get_traces))
        .route("/api/v1/traces/{id}", get(get_trace))
        .route("/api/v1/metrics", get(get_metrics))
        .route("/api/v1/metrics/chart", get(get_chart))
        .route("/api/v1/logs", get(get_logs))
        .route("/api/v1/slos", get(get_slos))
        .route("/api/v1/monitors", get(get_monitors))
        .route("/api/v1/telemetry", get(get_telemetry))
        .route(
            "/api/v1/openapi.json",
            get(|| async { Json(openapi::document()) }),
        )
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// For a person.
    error: String,
}

fn problem(status: StatusCode, error: impl ToString) -> Response {
    let error = error.to_string();
    (status, Json(Problem { error })).into_response()
}

impl IntoResponse for BadQuery {
    fn into_response(self) -> Response {
        problem(StatusCode::BAD_REQUEST, self)
    }
}

/// The service map: who there is, who calls whom, and the figures of both.
#[utoipa::path(get, path = "/api/v1/overview", params(query::Window), responses((status = 200, body = overview::Overview), (status = 400, body = Problem)))]
pub(super) async fn get_overview(
    State(site): State<Site>,
    Query(query): Query<query::Window>,
) -> Result<Json<overview::Overview>, BadQuery> {
    Ok(Json(overview::overview(&site.store, query.length(MINUTE)?)))
}

/// Requests by route.
#[utoipa::path(get, path = "/api/v1/routes", params(query::Window), responses((status = 200, body = Vec<overview::Route>), (status = 400, body = Problem)))]
pub(super) async fn get_routes(
    State(site): State<Site>,
    Query(query): Query<query::Window>,
) -> Result<Json<Vec<overview::Route>>, BadQuery> {
    let (service, route) = (query.service(), query.route());
    let length = query.length(MINUTE)?;
    Ok(Json(overview::routes(
        &site.store,
        length,
        service.as_deref(),
        route.as_deref(),
    )))
}

/// Latency, traffic, errors and saturation of a service over time.
#[utoipa::path(get, path = "/api/v1/services/{name}/signals", params(("name" = String, Path, description = "The service."), query::Window), responses((status = 200, body = Vec<metrics::Chart>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn get_signals(
    State(site): State<Site>,
    Path(name): Path<String>,
    Query(query): Query<query::Window>,
) -> Result<Response, BadQuery> {
    let length = query.length(site.store.limits().age)?;
    Ok(match service::signals(&site.store, &name, length) {
        Some(charts) => Json(charts).into_response(),
        None => problem(
            StatusCode::NOT_FOUND,
            "nothing has arrived from a service of this name",
        ),
    })
}

/// Finds traces, the one that began last first.
#[utoipa::path(get, path = "/api/v1/traces", params(query::Traces), responses((status = 200, body = Vec<traces::TraceLine>), (status = 400, body = Problem)))]
pub(super) async fn get_traces(
    State(site): State<Site>,
    Query(query): Query<query::Traces>,
) -> Result<Json<Vec<traces::TraceLine>>, BadQuery> {
    Ok(Json(traces::search(&site.store, &query.search()?)))
}

/// A trace with its spans and log lines.
#[utoipa::path(get, path = "/api/v1/traces/{id}", params(("id" = String, Path, description = "32 hexadecimal digits.")), responses((status = 200, body = traces::TraceView), (status = 404, body = Problem)))]
pub(super) async fn get_trace(State(site): State<Site>, Path(id): Path<String>) -> Response {
    match intake::trace_id(&id).and_then(|id| traces::trace(&site.store, id)) {
        Some(trace) => Json(trace).into_response(),
        None => problem(
            StatusCode::NOT_FOUND,
            "nothing is kept of a trace with this id",
        ),
    }
}

/// Lists the metrics.
#[utoipa::path(get, path = "/api/v1/metrics", responses((status = 200, body = Vec<metrics::MetricLine>)))]
pub(super) async fn get_metrics(State(site): State<Site>) -> Json<Vec<metrics::MetricLine>> {
    Json(metrics::list(&site.store))
}

/// The values of a metric over time.
#[utoipa::path(get, path = "/api/v1/metrics/chart", params(query::Metric), responses((status = 200, body = metrics::Chart), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn get_chart(
    State(site): State<Site>,
    Query(query): Query<query::Metric>,
) -> Result<Response, BadQuery> {
    let Some(query) = query.query(site.store.limits().age)? else {
        return Ok(problem(
            StatusCode::BAD_REQUEST,
            "name is the name of a metric",
        ));
    };
    Ok(match metrics::chart(&site.store, &query) {
        Some(chart) => Json(chart).into_response(),
        None => problem(StatusCode::NOT_FOUND, "no value of this metric is kept"),
    })
}

/// Finds log lines, newest first.
#[utoipa::path(get, path = "/api/v1/logs", params(query::Logs), responses((status = 200, body = logs::Found), (status = 400, body = Problem)))]
pub(super) async fn get_logs(
    State(site): State<Site>,
    Query(query): Query<query::Logs>,
) -> Result<Json<logs::Found>, BadQuery> {
    Ok(Json(logs::find(&site.store, &query.filter()?)))
}

/// The service level objectives that the prober reports.
#[utoipa::path(get, path = "/api/v1/slos", responses((status = 200, body = Vec<slos::Slo>)))]
pub(super) async fn get_slos(State(site): State<Site>) -> Json<Vec<slos::Slo>> {
    Json(slos::slos(&site.store))
}

/// Monitors, their downtime and their history.
#[utoipa::path(get, path = "/api/v1/monitors", responses((status = 200, body = monitors::MonitorsView)))]
pub(super) async fn get_monitors(State(site): State<Site>) -> Json<monitors::MonitorsView> {
    Json(monitors::monitors(&site.watch(), site.store.now()))
}

/// What arrives from whom, what is missing, and what had to go.
#[utoipa::path(get, path = "/api/v1/telemetry", responses((status = 200, body = health::Health)))]
pub(super) async fn get_telemetry(State(site): State<Site>) -> Json<health::Health> {
    Json(health::health(&site.store, (site.lost)()))
}
