//! `GET /badge/{slo}.svg`: where an objective stands, to put into a README or a wiki.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use askama::Template;

use super::board::SloView;
use super::server::Site;

/// Half a minute: caches in between must not show yesterday's.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=30");

/// The picture. Its words say all that its colour does.
#[derive(Template)]
#[template(path = "badge.svg")]
struct Badge {
    label: String,
    value: String,
    class: &'static str,
    left: usize,
    right: usize,
}

impl Badge {
    fn new(slo: &SloView) -> Self {
        let label = short(&slo.title);
        let measured = slo.sli.as_deref().unwrap_or("no data");
        let value = match &slo.budget {
            Some(budget) if slo.is_judged() => {
                format!(
                    "{measured} {}, budget {}",
                    slo.sign(),
                    budget.percent_text()
                )
            }
            _ => format!("{} {}", slo.sign(), slo.verdict_word()),
        };
        Self {
            left: width(&label),
            right: width(&value),
            class: slo.class(),
            label,
            value,
        }
    }

    fn colour(&self) -> &'static str {
        // Dark enough for white letters.
        match self.class {
            "well" => "#1d6b3f",
            "bad" => "#a81d17",
            _ => "#5c554b",
        }
    }

    fn whole(&self) -> usize {
        self.left + self.right
    }

    fn left_middle(&self) -> usize {
        self.left / 2
    }

    fn right_middle(&self) -> usize {
        self.left + self.right / 2
    }
}

fn short(title: &str) -> String {
    const LONGEST: usize = 40;
    if title.chars().count() <= LONGEST {
        return title.to_owned();
    }
    let begin: String = title.chars().take(LONGEST - 1).collect();
    format!("{begin}…")
}

/// About as wide as the letters are; the text is fitted to it.
fn width(text: &str) -> usize {
    text.chars().count() * 7 + 14
}

/// A badge.
#[utoipa::path(get, path = "/badge/{slo}.svg", params(("slo" = String, Path, description = "Name of the objective.")), responses((status = 200, description = "A picture.", content_type = "image/svg+xml"), (status = 404, description = "No such objective.")))]
pub(super) async fn badge(State(site): State<Site>, Path(file): Path<String>) -> Response {
    let board = site.show.board().await;
    let name = file.strip_suffix(".svg");
    let slo = board.as_deref().zip(name).and_then(|(board, name)| {
        let mut slos = board.slos.iter();
        slos.find(|slo| slo.name == name)
    });
    let Some(slo) = slo else {
        return (StatusCode::NOT_FOUND, "no such objective").into_response();
    };
    match Badge::new(slo).render() {
        Ok(svg) => {
            let media_type = HeaderValue::from_static("image/svg+xml; charset=utf-8");
            ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, KEEP)], svg).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a badge cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
