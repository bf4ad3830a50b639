//! The files of a page: its own and those that all pages share.

use axum::body::to_bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use rust_embed::RustEmbed;
use site::Assets;

#[derive(RustEmbed)]
#[folder = "tests/static/"]
struct Files;

async fn text(assets: &Assets, name: &str) -> String {
    let answer = assets.answer(name, &HeaderMap::new(), None);
    assert_eq!(answer.status(), StatusCode::OK, "{name}");
    let body = to_bytes(answer.into_body(), usize::MAX).await;
    String::from_utf8(body.expect("a body").into()).expect("text")
}

#[tokio::test]
async fn a_page_has_the_shared_files_and_its_own_in_their_place() {
    let assets = Assets::of::<Files>();
    assert!(text(&assets, "theme.css").await.contains("--ground"));
    assert!(text(&assets, "icon.svg").await.contains("<svg"));
    assert!(text(&assets, "own.css").await.contains("Of its own"));
    let look = text(&assets, "look.js").await;
    assert!(look.contains("In the place of the one"), "{look}");
    let none = assets.answer("none.css", &HeaderMap::new(), None);
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_file_is_kept_for_ever_under_the_address_that_names_its_version() {
    let assets = Assets::of::<Files>();
    let address = assets.address("theme.css");
    let (path, query) = address.split_once('?').expect("a version");
    assert_eq!(path, "/static/theme.css");
    let by_version = assets.answer("theme.css", &HeaderMap::new(), Some(query));
    assert_eq!(
        by_version.headers()[CACHE_CONTROL],
        "public, max-age=31536000, immutable"
    );
    assert_eq!(
        by_version.headers()[CONTENT_TYPE],
        "text/css; charset=utf-8"
    );
    let by_name = assets.answer("theme.css", &HeaderMap::new(), None);
    assert_eq!(by_name.headers()[CACHE_CONTROL], "no-cache");
    let known = [(IF_NONE_MATCH, by_name.headers()[ETAG].clone())];
    let again = assets.answer("theme.css", &known.into_iter().collect(), None);
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}
