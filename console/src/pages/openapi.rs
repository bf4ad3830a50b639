//! The description of the API, made from the code that answers, so that it cannot say anything else.

use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::{api, logs_in};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bookwatch console",
        description = "All that the console shows. Times are in milliseconds or seconds since 1970, as their names say; figures are of the last minute unless `window` asks for another time. Nothing here changes anything, but `/intake/logs`, which takes log lines.",
        license(name = "Apache-2.0")
    ),
    paths(
        api::get_overview,
        api::get_routes,
        api::get_signals,
        api::get_traces,
        api::get_trace,
        api::get_metrics,
        api::get_chart,
        api::get_logs,
        api::get_slos,
        api::get_monitors,
        api::get_telemetry,
        take_logs,
    )
)]
struct Api;

/// Takes log lines, one JSON object or text a line.
#[utoipa::path(
    post,
    path = "/intake/logs",
    params(("service" = Option<String>, Query, description = "Whose lines they are where they do not say.")),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 204, description = "Taken."),
        (status = 408, description = "They came too slowly."),
        (status = 413, description = "They were too many."),
        (status = 503, description = "Try again."),
    )
)]
#[expect(
    dead_code,
    reason = "it only carries the description of `logs_in::take`"
)]
fn take_logs() {
    let _ = logs_in::take;
}

pub(super) fn document() -> Document {
    Api::openapi()
}
