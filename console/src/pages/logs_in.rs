//! `POST /intake/logs`: log lines, newline-delimited, as processes write them on standard output.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Site;
use crate::intake;
use crate::store::Source;

/// The largest body, in bytes: some thousands of lines.
pub(super) const LARGEST: usize = 4 << 20;

/// How long a sender may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
pub(super) struct Sender {
    /// Whose lines they are where they do not say.
    service: Option<String>,
}

/// 204 if the lines are taken, 413 if they are too many, 408 if they come too slowly, 503 for "try again".
pub(super) async fn take(
    State(site): State<Site>,
    Query(sender): Query<Sender>,
    request: Request,
) -> Response {
    let Ok(_seat) = site.intakes.try_acquire() else {
        return refuse(
            &site,
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "too much is under way, try again",
        );
    };
    let body = to_bytes(request.into_body(), LARGEST);
    let body = match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            return refuse(
                &site,
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_size",
                "the body is larger than 4 MiB, or broke off",
            );
        }
        Err(_) => {
            return refuse(
                &site,
                StatusCode::REQUEST_TIMEOUT,
                "body_slow",
                "the body did not arrive within 10 s",
            );
        }
    };
    let service = sender.service.as_deref().filter(|name| !name.is_empty());
    let batch = intake::lines(&body, service.unwrap_or("unknown"), site.store.now());
    site.store.take_batch(Source::LogLines, batch);
    StatusCode::NO_CONTENT.into_response()
}

fn refuse(site: &Site, status: StatusCode, reason: &'static str, why: &'static str) -> Response {
    site.store.take_bad(Source::LogLines, reason, why, b"");
    (status, why).into_response()
}
