//! What holds for the whole site: headers, files, health, other paths, settings.

use crate::fake::{Fake, REVIEWS_V1, REVIEWS_V3, nobody, ok};
use crate::shop::{Shop, cli, get, raw, send, start};

#[tokio::test]
async fn pages_say_what_browsers_may_do_with_them() {
    let shop = Shop::good().await;
    for path in ["/", "/productpage", "/productpage?id=99", "/nothing"] {
        let seen = shop.get(path).await;
        let policy = seen.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{part} on {path}: {policy}");
        }
        assert_eq!(seen.header("x-content-type-options"), "nosniff");
        assert_eq!(seen.header("referrer-policy"), "same-origin");
        assert_eq!(seen.header("cache-control"), "no-store");
        // What the policy forbids is not there.
        assert!(!seen.body.contains("<script") && !seen.body.contains(" style="));
        assert!(!seen.body.contains("http://") && !seen.body.contains("https://"));
    }
}

#[tokio::test]
async fn health_and_readiness_do_not_depend_on_others() {
    let (d, v) = (nobody(), nobody());
    let address = start(&["--details-hostname", &d, "--reviews-hostname", &v]).await;
    let seen = get(address, "/health", &[]).await;
    assert_eq!(
        (seen.status, seen.body.as_str()),
        (200, "Product page is healthy")
    );
    assert!(seen.header("content-type").starts_with("text/plain"));
    assert!(seen.cookie("bookshop_session").is_none());
    assert_eq!(get(address, "/livez", &[]).await.status, 200);
    assert_eq!(get(address, "/readyz", &[]).await.status, 200);
}

#[tokio::test]
async fn static_files_are_cached_by_content() {
    let shop = Shop::good().await;
    let home = shop.get("/").await.body;
    let (_, rest) = home.split_once(r#"rel="stylesheet" href=""#).unwrap();
    let address = rest.split('"').next().unwrap();
    let seen = shop.get(address).await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.header("content-type"), "text/css; charset=utf-8");
    assert!(seen.header("cache-control").ends_with("immutable"));
    assert!(seen.body.contains("prefers-color-scheme: dark"));
    assert!(!seen.body.contains("url(") && !seen.body.contains("@import"));
    let etag = seen.header("etag").to_owned();

    let bare = "/static/bookshop.css";
    let known = format!("\"x\", W/{etag}");
    let same = get(shop.address, bare, &[("if-none-match", &known)]).await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    assert_eq!(same.header("etag"), etag);
    let other = get(shop.address, bare, &[("if-none-match", "\"x\"")]).await;
    assert_eq!(other.status, 200);
    assert!(!other.header("cache-control").contains("immutable"));
    let icon = shop.get("/static/icon.svg").await;
    assert_eq!(
        (icon.status, icon.header("content-type")),
        (200, "image/svg+xml")
    );
}

#[tokio::test]
async fn no_path_leads_out_of_the_static_files() {
    let shop = Shop::good().await;
    for path in [
        "/static/",
        "/static",
        "/static/nothing.css",
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/static/..%2fCargo.toml",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/./bookshop.css/..",
        "/static/bookshop.css%00",
    ] {
        let answer = raw(shop.address, path).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(!answer.contains("[package]") && !answer.contains("root:"));
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_with_a_page() {
    let shop = Shop::good().await;
    let seen = shop.get("/nothing/%3Cscript%3E").await;
    assert_eq!(seen.status, 404);
    assert!(seen.is_html() && !seen.body.contains("<script"));
    for (method, path, allow) in [
        (reqwest::Method::POST, "/", "GET, HEAD"),
        (reqwest::Method::DELETE, "/productpage", "GET, HEAD"),
        (reqwest::Method::PUT, "/health", "GET, HEAD"),
        (reqwest::Method::GET, "/login", "POST"),
        (reqwest::Method::GET, "/productpage/rate", "POST"),
        (reqwest::Method::PUT, "/logout", "GET, HEAD, POST"),
    ] {
        let seen = send(method, shop.address, path, &[], None).await;
        assert_eq!((seen.status, seen.header("allow")), (405, allow), "{path}");
        assert!(seen.is_html(), "{path}");
    }
    let head = send(
        reqwest::Method::HEAD,
        shop.address,
        "/productpage",
        &[],
        None,
    )
    .await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn settings_have_the_contracts_defaults_and_limits() {
    let settings = cli(&[]).unwrap();
    assert_eq!(settings.backend_timeout.as_millis(), 3000);
    assert_eq!(settings.details_hostname, "details");
    assert_eq!(settings.reviews_hostname, "reviews");
    assert_eq!(settings.ratings_hostname, "ratings");
    assert_eq!(
        (
            settings.details_service_port,
            settings.reviews_service_port,
            settings.ratings_service_port
        ),
        (9080, 9080, 9080)
    );
    assert_eq!((settings.flood_factor, settings.cookie_secure), (0, false));
    for bad in [
        ["--flood-factor", "101"],
        ["--flood-factor", "-1"],
        ["--backend-timeout", "0s"],
        ["--details-hostname", ""],
        ["--details-hostname", "http://details"],
        ["--reviews-hostname", "a,,b"],
        ["--session-ttl", "soon"],
    ] {
        assert!(cli(&bad).is_err(), "{bad:?} was taken");
    }
    let taken = cli(&["--session-key", &"k".repeat(32)]).unwrap();
    assert!(!format!("{taken:?}").contains("kkk"), "the key shows");
}

#[tokio::test]
async fn several_hosts_are_asked_in_turn() {
    let (one, two) = (
        Fake::answering(ok(REVIEWS_V1)),
        Fake::answering(ok(REVIEWS_V3)),
    );
    let hosts = format!("{},{}", one.host(), two.host());
    let address = start(&["--reviews-hostname", &hosts]).await;
    for _ in 0..4 {
        get(address, "/api/v1/products/0/reviews", &[]).await;
    }
    assert_eq!((one.asked().len(), two.asked().len()), (2, 2));
}
