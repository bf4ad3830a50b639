//! What Kubernetes asks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::server::Site;

/// `GET /livez` and `/health`: the process answers.
#[utoipa::path(get, path = "/livez", responses((status = 200, description = "It answers.")))]
pub(super) async fn live() -> Response {
    Json(json!({ "status": "live" })).into_response()
}

/// `GET /readyz`: the history has been read, and answers where it was asked for with
/// `--history on`. Elsewhere a table that went away makes nothing unready: probing goes on, the
/// newest minutes wait, and the page says so.
#[utoipa::path(get, path = "/readyz", responses((status = 200, description = "It has numbers to show."), (status = 503, description = "Not yet, or not any more; the answer says why.")))]
pub(super) async fn ready(State(site): State<Site>) -> Response {
    let ready = match site.show.scene() {
        _ if site.stop.is_cancelled() => Err("stopping"),
        Some(scene) => scene.ready(),
        None => Err("starting"),
    };
    match ready {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(reason) => {
            let body = Json(json!({ "status": "not ready", "error": reason }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}
