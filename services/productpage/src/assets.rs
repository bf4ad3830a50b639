//! The files under `/static/`, held in memory from the first use on.
//!
//! Only names in the list are served, so that no path leads out of it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use crate::handlers;

/// For an address that names its content's hash: it can never change.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// For a bare address: kept a little, then asked for again with the entity tag.
const BRIEFLY: &str = "public, max-age=300";

const STYLESHEET: &str = "bookshop.css";
const ICON: &str = "icon.svg";

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

struct Asset {
    body: Bytes,
    /// Beginning of the content's SHA-256, in hex.
    version: String,
    etag: HeaderValue,
    content_type: HeaderValue,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|name| {
            let file = Files::get(&name)?;
            let mut version = String::with_capacity(16);
            for byte in &file.metadata.sha256_hash()[..8] {
                let _ = write!(version, "{byte:02x}");
            }
            let content_type = match file.metadata.mimetype() {
                text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
                other => other.to_owned(),
            };
            let asset = Asset {
                etag: HeaderValue::try_from(format!("\"{version}\"")).ok()?,
                content_type: HeaderValue::try_from(content_type).ok()?,
                body: Bytes::from(file.data.into_owned()),
                version,
            };
            Some((name.into_owned(), asset))
        })
        .collect()
});

fn address(name: &str) -> String {
    match ASSETS.get(name) {
        Some(asset) => format!("/static/{name}?v={}", asset.version),
        None => format!("/static/{name}"),
    }
}

/// Where pages find their style sheet.
pub(crate) fn stylesheet() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| address(STYLESHEET));
    &ADDRESS
}

/// Where pages find their icon.
pub(crate) fn icon() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| address(ICON));
    &ADDRESS
}

/// `GET /static/{name}`.
pub(crate) async fn serve(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.get(name.as_str()) else {
        return handlers::not_found(request).await;
    };
    let by_version = request
        .query_string()
        .strip_prefix("v=")
        .is_some_and(|version| version == asset.version);
    let mut response = match is_known(&request, &asset.etag) {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    response
        .insert_header((header::ETAG, asset.etag.clone()))
        .insert_header((
            header::CACHE_CONTROL,
            if by_version { FOREVER } else { BRIEFLY },
        ))
        .insert_header((header::CONTENT_TYPE, asset.content_type.clone()))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // An image opened by itself is a document of its own: nothing in it may run.
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ));
    match is_known(&request, &asset.etag) {
        true => response.finish(),
        false => response.body(asset.body.clone()),
    }
}

/// Whether the client has this content (RFC 9110, 13.1.2: weak comparison).
fn is_known(request: &HttpRequest, etag: &HeaderValue) -> bool {
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.trim_start_matches("W/").as_bytes() == etag.as_bytes())
}
