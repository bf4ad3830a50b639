//! `GET /live`: server-sent events that tell a page when something new is there. A page then asks for itself again; so what it shows live and
//! what it shows at first are the same.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::Site;

/// No page is told more often: nobody reads faster.
const PACE: Duration = Duration::from_secs(1);

pub(super) async fn live(State(site): State<Site>) -> Response {
    let Ok(seat) = Arc::clone(&site.viewers).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open").into_response();
    };
    let stop = site.stop.clone();
    let start = (site.store.arrivals(), seat, true);
    let events = stream::unfold(start, move |(mut arrivals, seat, first)| {
        let stop = stop.clone();
        async move {
            if !first {
                // Figures age also when nothing arrives: rates fall, silence becomes no data.
                let news = tokio::time::timeout(Duration::from_secs(5), arrivals.changed());
                tokio::select! {
                    () = stop.cancelled() => return None,
                    _ = news => {}
                }
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = tokio::time::sleep(PACE) => {}
                }
            }
            arrivals.mark_unchanged();
            // Browsers pass on no event without data.
            let event = Event::default().event("news").data("yes");
            Some((Ok::<_, Infallible>(event), (arrivals, seat, false)))
        }
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}
