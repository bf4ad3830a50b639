//! Files that are built into the program: only their names are served, so no path leads out.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What pages of different programs look alike by.
#[derive(RustEmbed)]
#[folder = "static/"]
struct Shared;

/// A file.
#[derive(Debug)]
struct Asset {
    body: Bytes,
    etag: HeaderValue,
    version: String,
    media_type: HeaderValue,
}

/// Files by name.
#[derive(Debug)]
pub struct Assets(HashMap<String, Asset>);

impl Asset {
    fn of(file: EmbeddedFile) -> Option<Self> {
        let mut version = String::with_capacity(16);
        for byte in file.metadata.sha256_hash().iter().take(8) {
            let _ = write!(version, "{byte:02x}");
        }
        let media_type = match file.metadata.mimetype() {
            text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
            other => other.to_owned(),
        };
        Some(Self {
            etag: HeaderValue::try_from(format!("\"{version}\"")).ok()?,
            media_type: HeaderValue::try_from(media_type).ok()?,
            body: Bytes::from(file.data.into_owned()),
            version,
        })
    }
}

impl Assets {
    /// The files of a folder that was embedded, and those that all pages share: `theme.css`, `look.js`
    /// and `icon.svg`. A file of the folder stands in the place of a shared one with its name.
    #[must_use]
    pub fn of<Files: RustEmbed>() -> Self {
        let shared = Shared::iter().map(|name| (Shared::get(&name), name));
        let own = Files::iter().map(|name| (Files::get(&name), name));
        Self(
            shared
                .chain(own)
                .filter_map(|(file, name)| Some((name.into_owned(), Asset::of(file?)?)))
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
