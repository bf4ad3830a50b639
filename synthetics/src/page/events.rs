//! `GET /events`: tells a page, by server-sent events, when there are other numbers. The page then
//! asks for itself again, so what it shows live and what it shows at first are the same.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::Instant;

use super::server::Site;

/// Pages that are kept up to date at the same time.
pub(super) const VIEWERS: usize = 64;
/// No page is told more often: nobody reads faster.
const PACE: Duration = Duration::from_secs(1);
/// Numbers age also where nothing new comes: a silent prober becomes no data.
const AT_LEAST: Duration = Duration::from_secs(10);

pub(super) async fn events(State(site): State<Site>) -> Response {
    let Ok(seat) = Arc::clone(&site.viewers).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open").into_response();
    };
    let start = (site, seat, None::<u64>, Instant::now());
    let events = stream::unfold(start, |(site, seat, told, when)| async move {
        loop {
            if told.is_some() {
                tokio::select! {
                    () = site.stop.cancelled() => return None,
                    () = tokio::time::sleep(PACE) => {}
                }
            }
            let changes = site.show.board().await.map_or(0, |board| board.changes);
            if told != Some(changes) || when.elapsed() >= AT_LEAST {
                // Browsers pass on no event without data.
                let event = Event::default().event("news").data(changes.to_string());
                let next = (site, seat, Some(changes), Instant::now());
                return Some((Ok::<_, Infallible>(event), next));
            }
        }
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}
