//! The numbers of the page as JSON.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;

use super::board::{Alert, Board, CheckView, FailureView, LocationView, SloView, Timeline};
use super::openapi;
use super::server::Site;

/// What is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// A sentence.
    pub(super) error: String,
}

pub(super) fn problem(status: StatusCode, error: &str) -> Response {
    let body = Problem {
        error: error.to_owned(),
    };
    (status, Json(body)).into_response()
}

pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/api/v1/status", get(get_status))
        .route("/api/v1/slos", get(get_slos))
        .route("/api/v1/slos/{name}", get(get_slo))
        .route("/api/v1/checks", get(get_checks))
        .route("/api/v1/locations", get(get_locations))
        .route("/api/v1/alerts", get(get_alerts))
        .route("/api/v1/timeline", get(get_timeline))
        .route("/api/v1/failures", get(get_failures))
        .route(
            "/api/v1/openapi.json",
            get(|| async { Json(openapi::document()) }),
        )
}

/// The numbers, or that there are none yet.
struct Now(Arc<Board>);

impl Now {
    async fn of(site: &Site) -> Result<Self, Response> {
        let board = site.show.board().await;
        let starting = || problem(StatusCode::SERVICE_UNAVAILABLE, "the prober is starting");
        board.map(Self).ok_or_else(starting)
    }

    fn part<T: Serialize>(&self, part: impl FnOnce(&Board) -> &T) -> Response {
        Json(part(&self.0)).into_response()
    }
}

/// Everything at once.
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = Board), (status = 503, body = Problem)))]
pub(super) async fn get_status(State(site): State<Site>) -> Result<Response, Response> {
    Ok(Now::of(&site).await?.part(|board| board))
}

/// The objectives.
#[utoipa::path(get, path = "/api/v1/slos", responses((status = 200, body = Vec<SloView>), (status = 503, body = Problem)))]
pub(super) async fn get_slos(State(site): State<Site>) -> Result<Response, Response> {
    Ok(Now::of(&site).await?.part(|board| &board.slos))
}

/// One objective.
#[utoipa::path(get, path = "/api/v1/slos/{name}", params(("name" = String, Path, description = "Its name.")), responses((status = 200, body = SloView), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn get_slo(
    State(site): State<Site>,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let now = Now::of(&site).await?;
    let slo = now.0.slos.iter().find(|slo| slo.name == name);
    Ok(match slo {
        Some(slo) => Json(slo).into_response(),
        None => problem(StatusCode::NOT_FOUND, "there is no objective of this name"),
    })
}

/// The checks, with their times over the window.
#[utoipa::path(get, path = "/api/v1/checks", responses((status = 200, body = Vec<CheckView>), (status = 503, body = Problem)))]
pub(super) async fn get_checks(State(site): State<Site>) -> Result<Response, Response> {
    Ok(Now::of(&site).await?.part(|board| &board.checks))
}

/// The locations, with their uptime.
#[utoipa::path(get, path = "/api/v1/locations", responses((status = 200, body = Vec<LocationView>), (status = 503, body = Problem)))]
pub(super) async fn get_locations(State(site): State<Site>) -> Result<Response, Response> {
    Ok(Now::of(&site).await?.part(|board| &board.locations))
}

/// The burn alerts.
#[utoipa::path(get, path = "/api/v1/alerts", responses((status = 200, body = Vec<Alert>), (status = 503, body = Problem)))]
pub(super) async fn get_alerts(State(site): State<Site>) -> Result<Response, Response> {
    Ok(Now::of(&site).await?.part(|board| &board.alerts))
}

/// What each stretch of the window was.
#[utoipa::path(get, path = "/api/v1/timeline", responses((status = 200, body = Timeline), (status = 503, body = Problem)))]
pub(super) async fn get_timeline(State(site): State<Site>) -> Result<Response, Response> {
    Ok(Now::of(&site).await?.part(|board| &board.timeline))
}

/// The newest failures.
#[utoipa::path(get, path = "/api/v1/failures", responses((status = 200, body = Vec<FailureView>), (status = 503, body = Problem)))]
pub(super) async fn get_failures(State(site): State<Site>) -> Result<Response, Response> {
    Ok(Now::of(&site).await?.part(|board| &board.failures))
}
