//! The description of the API, made from the code that answers.

use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::{api, badge, exposition, health};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bookwatch status",
        description = "All that the status page shows. Times are on the clock of the history, which `time_scale` says how many times as fast as real time runs. Counts are the truth; percentages are for reading. Nothing here changes anything.",
        license(name = "Apache-2.0")
    ),
    paths(
        api::get_status,
        api::get_slos,
        api::get_slo,
        api::get_checks,
        api::get_locations,
        api::get_alerts,
        api::get_timeline,
        api::get_failures,
        badge::badge,
        exposition::scrape,
        health::live,
        health::ready,
    )
)]
struct Api;

pub(super) fn document() -> Document {
    Api::openapi()
}
