//! `/api/v1`: the contract line by line.

use crate::fake::{Answer, DETAILS, Fake, RATINGS, REVIEWS_V3, nobody, ok, status};
use crate::shop::{SHORT, Shop, get, raw, send, start};

const SORRY_DETAILS: &str =
    r#"{"error":"Sorry, product details are currently unavailable for this book."}"#;
const SORRY_REVIEWS: &str =
    r#"{"error":"Sorry, product reviews are currently unavailable for this book."}"#;
const SORRY_RATINGS: &str =
    r#"{"error":"Sorry, product ratings are currently unavailable for this book."}"#;

/// Path, the service behind it, what it says when that one does not.
const PARTS: [(&str, &str, &str); 3] = [
    ("/api/v1/products/0", "details", SORRY_DETAILS),
    ("/api/v1/products/0/reviews", "reviews", SORRY_REVIEWS),
    ("/api/v1/products/0/ratings", "ratings", SORRY_RATINGS),
];

#[tokio::test]
async fn products_are_listed_in_the_contracts_shape() {
    let seen = Shop::good().await.get("/api/v1/products").await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.header("content-type"), "application/json");
    assert!(
        seen.body
            .starts_with(r#"[{"id":0,"title":"The Comedy of Errors","descriptionHtml":""#),
        "{}",
        seen.body
    );
    let books: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(&seen.body).unwrap();
    assert!(books.len() >= 12);
    for (index, book) in books.iter().enumerate() {
        assert_eq!(book["id"], index);
        assert_eq!(book.len(), 3);
    }
}

#[tokio::test]
async fn each_service_is_passed_on_as_it_answers() {
    // White space and fields of a service that is not ours stay as they are.
    let strange = r#"{ "id" : 0, "extra":[1.50, "ü"] }"#;
    let shop = Shop::of(
        Fake::answering(ok(strange)),
        Fake::answering(ok(REVIEWS_V3)),
        Fake::answering(ok(RATINGS)),
        &[],
    )
    .await;
    for (path, body) in [
        ("/api/v1/products/7", strange),
        ("/api/v1/products/7/reviews", REVIEWS_V3),
        ("/api/v1/products/7/ratings", RATINGS),
    ] {
        let seen = shop.get(path).await;
        assert_eq!((seen.status, seen.body.as_str()), (200, body), "{path}");
        assert_eq!(seen.header("content-type"), "application/json");
    }
    assert_eq!(shop.details.asked()[0].target, "/details/7");
    assert_eq!(shop.reviews.asked()[0].target, "/reviews/7");
    assert_eq!(shop.ratings.asked()[0].target, "/ratings/7");
}

#[tokio::test]
async fn a_failed_service_keeps_its_status() {
    for code in [201, 302, 400, 404, 429, 500, 503] {
        let failing = || Fake::answering(status(code));
        let shop = Shop::of(failing(), failing(), failing(), &[]).await;
        for (path, service, sorry) in PARTS {
            let seen = shop.get(path).await;
            assert_eq!((seen.status, seen.body.as_str()), (code, sorry), "{path}");
            assert_eq!(seen.header("content-type"), "application/json");
            assert!(seen.header("location").is_empty());
            let asked = match service {
                "details" => shop.details.asked(),
                "reviews" => shop.reviews.asked(),
                _ => shop.ratings.asked(),
            };
            let tries = if service == "reviews" { 2 } else { 1 };
            assert_eq!(asked.len(), tries, "{service} at {code}");
        }
    }
}

#[tokio::test]
async fn a_status_that_cannot_carry_the_reason_becomes_500() {
    for code in [204, 304] {
        let empty = || Fake::answering(Answer::With(code, Vec::new()));
        let shop = Shop::of(empty(), empty(), empty(), &[]).await;
        for (path, _, sorry) in PARTS {
            let seen = shop.get(path).await;
            assert_eq!((seen.status, seen.body.as_str()), (500, sorry), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_no_json_becomes_500() {
    for body in [
        &b"<html>"[..],
        b"",
        b"{",
        b"{} x",
        b"{\"a\":\"\xff\"}",
        b"\xff",
    ] {
        let garbled = || Fake::answering(Answer::With(200, body.to_vec()));
        let shop = Shop::of(garbled(), garbled(), garbled(), &[]).await;
        for (path, _, sorry) in PARTS {
            let seen = shop.get(path).await;
            assert_eq!(
                (seen.status, seen.body.as_str()),
                (500, sorry),
                "{path}: {body:?}"
            );
        }
        assert_eq!(shop.reviews.asked().len(), 1, "a 200 is not asked again");
    }
}

#[tokio::test]
async fn a_refused_connection_is_500() {
    let (d, v, t) = (nobody(), nobody(), nobody());
    let address = start(&[
        "--details-hostname",
        &d,
        "--reviews-hostname",
        &v,
        "--ratings-hostname",
        &t,
    ])
    .await;
    for (path, _, sorry) in PARTS {
        let seen = get(address, path, &[]).await;
        assert_eq!((seen.status, seen.body.as_str()), (500, sorry), "{path}");
    }
}

#[tokio::test]
async fn silence_is_500_after_one_time_out_and_for_reviews_after_two() {
    let silent = || Fake::answering(Answer::Silence);
    let shop = Shop::of(silent(), silent(), silent(), &["--backend-timeout", SHORT]).await;
    for (path, _, sorry) in PARTS {
        let seen = shop.get(path).await;
        assert_eq!((seen.status, seen.body.as_str()), (500, sorry), "{path}");
    }
    assert_eq!(shop.details.asked().len(), 1);
    assert_eq!(shop.reviews.asked().len(), 2);
    assert_eq!(shop.ratings.asked().len(), 1);
}

#[tokio::test]
async fn reviews_have_a_second_try_and_no_third() {
    let reviews = Fake::answering(ok(REVIEWS_V3)).first(vec![status(503)]);
    let good = || Fake::answering(ok(DETAILS));
    let shop = Shop::of(good(), reviews, good(), &[]).await;
    let seen = shop.get("/api/v1/products/0/reviews").await;
    assert_eq!((seen.status, seen.body.as_str()), (200, REVIEWS_V3));
    assert_eq!(shop.reviews.asked().len(), 2);

    let reviews = Fake::answering(ok(REVIEWS_V3)).first(vec![status(503), status(404)]);
    let shop = Shop::of(good(), reviews, good(), &[]).await;
    let seen = shop.get("/api/v1/products/0/reviews").await;
    assert_eq!((seen.status, seen.body.as_str()), (404, SORRY_REVIEWS));
    assert_eq!(shop.reviews.asked().len(), 2);
}

#[tokio::test]
async fn details_and_ratings_have_no_second_try() {
    let once = || Fake::answering(ok(DETAILS)).first(vec![status(503)]);
    let shop = Shop::of(once(), once(), once(), &[]).await;
    assert_eq!(shop.get("/api/v1/products/0").await.status, 503);
    assert_eq!(shop.get("/api/v1/products/0/ratings").await.status, 503);
    assert_eq!(shop.details.asked().len(), 1);
    assert_eq!(shop.ratings.asked().len(), 1);
}

#[tokio::test]
async fn any_id_is_one_segment() {
    let shop = Shop::good().await;
    for (sent, passed) in [
        ("abc", "abc"),
        ("-1", "-1"),
        ("..", "%2E%2E"),
        ("%2e%2e", "%2E%2E"),
        ("..%2F..%2Fadmin", "%2E%2E%2F%2E%2E%2Fadmin"),
        ("0%3Fx=1%23y", "0%3Fx%3D1%23y"),
        ("%00%0d%0a", "%00%0D%0A"),
        ("%FF", "%FF"),
        ("%zz", "%25zz"),
        ("a+b", "a%2Bb"),
    ] {
        let answer = raw(shop.address, &format!("/api/v1/products/{sent}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{sent}: {answer}");
        let asked = shop.details.asked().pop().unwrap().target;
        assert_eq!(asked, format!("/details/{passed}"), "{sent}");
        raw(shop.address, &format!("/api/v1/products/{sent}/reviews")).await;
        let asked = shop.reviews.asked().pop().unwrap().target;
        assert_eq!(asked, format!("/reviews/{passed}"), "{sent}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_in_json() {
    let shop = Shop::good().await;
    for path in [
        "/api",
        "/api/v1/nothing",
        "/api/v1/products/0/nothing",
        "/api/v1/products//reviews",
    ] {
        let seen = shop.get(path).await;
        assert_eq!(seen.status, 404, "{path}");
        assert_eq!(seen.header("content-type"), "application/json");
        assert_eq!(seen.body, format!(r#"{{"error":"no such path: {path}"}}"#));
    }
    for path in ["/api/v1/products", "/api/v1/products/0"] {
        let seen = send(reqwest::Method::PUT, shop.address, path, &[], None).await;
        assert_eq!((seen.status, seen.header("allow")), (405, "GET, HEAD"));
        assert!(seen.body.starts_with(r#"{"error":""#), "{}", seen.body);
        let seen = send(reqwest::Method::HEAD, shop.address, path, &[], None).await;
        assert_eq!((seen.status, seen.body.as_str()), (200, ""));
    }
}
