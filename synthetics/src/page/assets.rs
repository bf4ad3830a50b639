//! The files under `/static/`.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

static ASSETS: LazyLock<site::Assets> = LazyLock::new(site::Assets::of::<Files>);

/// The address of a file, with its version.
pub(super) fn address(name: &str) -> String {
    ASSETS.address(name)
}

/// `GET /static/{name}`.
pub(super) async fn serve(Path(name): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    ASSETS.answer(&name, &headers, uri.query())
}
