//! Files that are built into the program: only their names are served, so no path leads out.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;

/// A file.
#[derive(Debug)]
pub struct Asset {
    body: Bytes,
    etag: HeaderValue,
    version: String,
    media_type: HeaderValue,
}

/// Files by name.
#[derive(Debug)]
pub struct Assets(HashMap<String, Asset>);

impl Assets {
    /// The files of a folder that was embedded.
    #[must_use]
    pub fn of<Files: RustEmbed>() -> Self {
        Self(
            Files::iter()
                .filter_map(|name| {
                    let file = Files::get(&name)?;
                    let mut version = String::with_capacity(16);
                    for byte in file.metadata.sha256_hash().iter().take(8) {
                        let _ = write!(version, "{byte:02x}");
                    }
                    let media_type = match file.metadata.mimetype() {
                        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
                        other => other.to_owned(),
                    };
                    let asset = Asset {
                        etag: HeaderValue::try_from(format!("\"{version}\"")).ok()?,
                        media_type: HeaderValue::try_from(media_type).ok()?,
                        body: Bytes::from(file.data.into_owned()),
                        version,
                    };
                    Some((name.into_owned(), asset))
                })
                .collect(),
        )
    }

    /// The address of a file under `/static/`, with its version, so that browsers may keep it.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(asset) => format!("/static/{name}?v={}", asset.version),
            None => format!("/static/{name}"),
        }
    }

    /// Answers a request for a file. What has its version in the `query` is kept for ever; the rest
    /// is asked for again.
    #[must_use]
    pub fn answer(&self, name: &str, headers: &HeaderMap, query: Option<&str>) -> Response {
        let Some(asset) = self.0.get(name) else {
            return (StatusCode::NOT_FOUND, "no such file").into_response();
        };
        let keep = match query.and_then(|query| query.strip_prefix("v=")) {
            Some(version) if version == asset.version => "public, max-age=31536000, immutable",
            _ => "no-cache",
        };
        let head = [
            (CONTENT_TYPE, asset.media_type.clone()),
            (ETAG, asset.etag.clone()),
            (CACHE_CONTROL, HeaderValue::from_static(keep)),
        ];
        if headers.get(IF_NONE_MATCH) == Some(&asset.etag) {
            return (StatusCode::NOT_MODIFIED, head).into_response();
        }
        (head, asset.body.clone()).into_response()
    }
}
