//! The pages: whole without script, which only keeps them up to date.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::board::{Board, CheckView};
use super::chart::Chart;
use super::server::Site;
use super::{api, assets};

/// How the page is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Whose frame it stands in: with any, it leaves its own out.
    frame: Option<String>,
}

/// What is round every page.
struct Frame {
    framed: bool,
}

impl Frame {
    fn of(asked: &Asked) -> Self {
        Self {
            framed: asked.frame.is_some(),
        }
    }

    fn asset(&self, name: &str) -> String {
        assets::address(name)
    }
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage<'a> {
    frame: Frame,
    board: &'a Board,
    chart: Option<Chart>,
}

#[derive(Template)]
#[template(path = "check.html")]
struct CheckPage<'a> {
    frame: Frame,
    board: &'a Board,
    check: &'a CheckView,
    chart: Option<Chart>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: Frame,
    heading: &'a str,
    text: &'a str,
    again: bool,
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    let mut html = String::with_capacity(64 * 1024);
    match template.render_into(&mut html) {
        Ok(()) => {
            let media_type = HeaderValue::from_static("text/html; charset=utf-8");
            (status, [(CONTENT_TYPE, media_type)], html).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn starting(asked: &Asked) -> Response {
    let notice = NoticePage {
        frame: Frame::of(asked),
        heading: "The prober is starting",
        text: "There is nothing to show yet.",
        again: true,
    };
    page(StatusCode::SERVICE_UNAVAILABLE, &notice)
}

fn missing(asked: &Asked, heading: &str) -> Response {
    let notice = NoticePage {
        frame: Frame::of(asked),
        heading,
        text: "The address may have been mistyped, or it is not in the configuration any more.",
        again: false,
    };
    page(StatusCode::NOT_FOUND, &notice)
}

/// `GET /`.
pub(super) async fn status(State(site): State<Site>, Query(asked): Query<Asked>) -> Response {
    let Some(board) = site.show.board().await else {
        return starting(&asked);
    };
    let checks: Vec<_> = board.checks.iter().collect();
    page(
        StatusCode::OK,
        &StatusPage {
            frame: Frame::of(&asked),
            chart: Chart::of(&board, &checks),
            board: &board,
        },
    )
}

/// `GET /checks/{name}`.
pub(super) async fn check(
    State(site): State<Site>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(board): Option<Arc<Board>> = site.show.board().await else {
        return starting(&asked);
    };
    let Some(check) = board.checks.iter().find(|check| check.name == name) else {
        return missing(&asked, "There is no such check");
    };
    page(
        StatusCode::OK,
        &CheckPage {
            frame: Frame::of(&asked),
            chart: Chart::of(&board, &[check]),
            board: &board,
            check,
        },
    )
}

/// Anything else.
pub(super) async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        let error = "no such path; see /api/v1/openapi.json";
        return api::problem(StatusCode::NOT_FOUND, error);
    }
    missing(&Asked::default(), "There is no such page")
}
