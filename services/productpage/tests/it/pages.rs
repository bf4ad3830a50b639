//! The pages, and what they say when a part is missing.

use std::net::TcpListener;
use std::sync::Arc;

use tokio::sync::Barrier;

use crate::fake::{
    Answer, DETAILS, Fake, RATINGS, REVIEWS_UNRATED, REVIEWS_V1, REVIEWS_V3, ok, status,
};
use crate::shop::{SHORT, Shop, get, start};

const NO_DETAILS: &str = r#"data-unavailable="details""#;
const NO_REVIEWS: &str = r#"data-unavailable="reviews""#;
const NO_RATINGS: &str = r#"data-unavailable="ratings""#;

async fn shop(details: Answer, reviews: Answer, arguments: &[&str]) -> Shop {
    Shop::of(
        Fake::answering(details),
        Fake::answering(reviews),
        Fake::answering(ok(RATINGS)),
        arguments,
    )
    .await
}

#[tokio::test]
async fn home_shows_every_book() {
    let shop = Shop::good().await;
    let books: Vec<serde_json::Value> =
        serde_json::from_str(&shop.get("/api/v1/products").await.body).unwrap();
    for path in ["/", "/index.html"] {
        let seen = shop.get(path).await;
        assert_eq!(seen.status, 200);
        assert!(seen.is_html());
        for book in &books {
            let title = book["title"].as_str().unwrap().replace('\'', "&#39;");
            let link = format!(r#"<a href="/productpage?id={}">{title}</a>"#, book["id"]);
            assert!(seen.body.contains(&link), "{link} is not on {path}");
        }
    }
    assert!(shop.details.asked().is_empty() && shop.reviews.asked().is_empty());
}

#[tokio::test]
async fn a_product_page_has_details_reviews_and_stars() {
    let shop = Shop::good().await;
    let seen = shop.get("/productpage").await;
    assert_eq!(seen.status, 200);
    assert!(seen.is_html());
    for text in [
        "<title>The Comedy of Errors · Bookwatch</title>",
        "<h1>The Comedy of Errors</h1>",
        "<dd>paperback</dd>",
        "<dd>200</dd>",
        "<dd>1595</dd>",
        "<dd>PublisherA</dd>",
        "<dd>1234567890</dd>",
        "<dd>123-1234567890</dd>",
        "Knots I had forgotten.",
        "Reviewer2",
        "5 of 5 stars",
        "4 of 5 stars",
        "★★★★<i>☆</i>",
        r#"class="stars red""#,
        r#"class="stars black""#,
        "reviews-v3-abc",
    ] {
        assert!(seen.body.contains(text), "{text} is missing");
    }
    assert!(!seen.body.contains("data-unavailable"));
    assert_eq!(shop.details.asked()[0].target, "/details/0");
    assert_eq!(shop.reviews.asked()[0].target, "/reviews/0");
    assert!(shop.ratings.asked().is_empty());
}

#[tokio::test]
async fn a_page_of_another_book_asks_for_that_book() {
    let shop = Shop::good().await;
    let seen = shop.get("/productpage?u=normal&id=3").await;
    assert!(seen.body.contains("<h1>Frankenstein</h1>"));
    assert_eq!(shop.details.asked()[0].target, "/details/3");
    assert_eq!(shop.reviews.asked()[0].target, "/reviews/3");
}

#[tokio::test]
async fn reviews_v1_have_no_stars_and_miss_none() {
    let seen = shop(ok(DETAILS), ok(REVIEWS_V1), &[])
        .await
        .get("/productpage")
        .await;
    assert!(seen.body.contains("Never stops for breath."));
    assert!(!seen.body.contains("of 5 stars") && !seen.body.contains("data-unavailable"));
}

#[tokio::test]
async fn an_unknown_book_is_404_and_no_number_is_400() {
    let shop = Shop::good().await;
    for (query, code) in [
        ("id=99", 404),
        ("id=-1", 404),
        ("id=9223372036854775807", 404),
        ("id=abc", 400),
        ("id=", 400),
        ("id=1.0", 400),
        ("id=9223372036854775808", 400),
        ("id=1&id=2", 400),
        ("id=%3Cscript%3E", 400),
    ] {
        let seen = shop.get(&format!("/productpage?{query}")).await;
        assert_eq!(seen.status, code, "{query}");
        assert!(seen.is_html(), "{query}");
        assert!(seen.body.contains(r#"<p class="status">"#) && !seen.body.contains("<script"));
    }
    assert!(shop.details.asked().is_empty());
}

#[tokio::test]
async fn without_details_the_page_says_so_and_keeps_the_rest() {
    let broken = [
        status(404),
        status(500),
        ok("<html>"),
        ok("[]"),
        Answer::Silence,
    ];
    for details in broken {
        let shop = shop(details, ok(REVIEWS_V3), &["--backend-timeout", SHORT]).await;
        let seen = shop.get("/productpage").await;
        assert_eq!(seen.status, 200);
        assert!(seen.body.contains(NO_DETAILS));
        assert!(
            seen.body
                .contains("Sorry, product details are currently unavailable for this book.")
        );
        assert!(seen.body.contains("5 of 5 stars") && !seen.body.contains(NO_REVIEWS));
        assert_eq!(shop.details.asked().len(), 1);
    }
}

#[tokio::test]
async fn without_reviews_the_page_says_so_and_keeps_the_rest() {
    let broken = [
        (status(503), 2),
        (ok("{\"id\":\"0\"}"), 1),
        (Answer::Silence, 2),
    ];
    for (reviews, tries) in broken {
        let shop = shop(ok(DETAILS), reviews, &["--backend-timeout", SHORT]).await;
        let seen = shop.get("/productpage").await;
        assert_eq!(seen.status, 200);
        assert!(seen.body.contains(NO_REVIEWS));
        assert!(
            seen.body
                .contains("Sorry, product reviews are currently unavailable for this book.")
        );
        assert!(seen.body.contains("<dd>paperback</dd>") && !seen.body.contains(NO_DETAILS));
        assert_eq!(shop.reviews.asked().len(), tries);
    }
}

#[tokio::test]
async fn without_ratings_the_reviews_stay() {
    let seen = shop(ok(DETAILS), ok(REVIEWS_UNRATED), &[])
        .await
        .get("/productpage")
        .await;
    assert!(seen.body.contains(NO_RATINGS));
    assert!(
        seen.body
            .contains("Ratings service is currently unavailable")
    );
    assert!(seen.body.contains("Knots I had forgotten.") && !seen.body.contains("of 5 stars"));
}

#[tokio::test]
async fn stars_out_of_range_and_strange_colours_do_no_harm() {
    let reviews = |rating: &str| {
        format!(
            r#"{{"id":"0","podname":"p","clustername":"c","reviews":[{{"reviewer":"R","text":"T","rating":{rating}}}]}}"#
        )
    };
    for stars in ["0", "6", "-1", "9223372036854775807"] {
        let body = reviews(&format!(r#"{{"stars":{stars},"color":"red"}}"#));
        let seen = shop(ok(DETAILS), ok(&body), &[])
            .await
            .get("/productpage")
            .await;
        assert!(seen.body.contains(NO_RATINGS), "{stars}");
    }
    let body = reviews(r#"{"stars":3,"color":"\"><script>"}"#);
    let seen = shop(ok(DETAILS), ok(&body), &[])
        .await
        .get("/productpage")
        .await;
    assert!(seen.body.contains(r#"class="stars black""#) && !seen.body.contains("<script"));
}

#[tokio::test]
async fn a_service_that_comes_back_is_found_again() {
    let reserved = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let details = reserved.local_addr().unwrap();
    drop(reserved);
    let reviews = Fake::answering(ok(REVIEWS_V3));
    let address = start(&[
        "--details-hostname",
        &details.to_string(),
        "--reviews-hostname",
        &reviews.host(),
    ])
    .await;
    let seen = get(address, "/productpage", &[]).await;
    assert_eq!(seen.status, 200);
    assert!(seen.body.contains(NO_DETAILS) && seen.body.contains("5 of 5 stars"));
    Fake::on(TcpListener::bind(details).unwrap(), ok(DETAILS));
    let seen = get(address, "/productpage", &[]).await;
    assert!(!seen.body.contains(NO_DETAILS) && seen.body.contains("<dd>paperback</dd>"));
}

#[tokio::test]
async fn details_and_reviews_are_asked_at_the_same_time() {
    // Each answers only once the other one is asked.
    let both = Arc::new(Barrier::new(2));
    let together = |body: &str| Answer::Together(Arc::clone(&both), body.as_bytes().to_vec());
    let seen = shop(together(DETAILS), together(REVIEWS_V3), &[])
        .await
        .get("/productpage")
        .await;
    assert!(!seen.body.contains("data-unavailable"));
}

#[tokio::test]
async fn a_flood_asks_for_more_reviews_at_once_and_ignores_them() {
    // The page's own call and nine more answer only once all of them are asked.
    let all = Arc::new(Barrier::new(10));
    let reviews = Answer::Together(all, REVIEWS_V3.as_bytes().to_vec());
    let flooding = shop(ok(DETAILS), reviews, &["--flood-factor", "9"]).await;
    let seen = flooding.get("/productpage").await;
    assert!(!seen.body.contains("data-unavailable"));
    assert_eq!(flooding.reviews.asked().len(), 10);
    assert_eq!(flooding.details.asked().len(), 1);

    let failing = shop(ok(DETAILS), status(500), &["--flood-factor", "3"]).await;
    assert!(failing.get("/productpage").await.body.contains(NO_REVIEWS));
    assert_eq!(
        failing.reviews.asked().len(),
        2 + 3,
        "an extra call is one try"
    );
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let evil = r#"<script>alert(1)</script>\"'&<img src=x onerror=y>"#;
    let details = DETAILS
        .replace("paperback", evil)
        .replace("William Shakespeare", evil);
    let reviews = REVIEWS_V3
        .replace("Reviewer1", evil)
        .replace("Knots I had forgotten.", evil)
        .replace("reviews-v3-abc", evil);
    let unrated = REVIEWS_UNRATED.replace("Ratings service is currently unavailable", evil);
    for reviews in [reviews, unrated] {
        let shop = shop(ok(&details), ok(&reviews), &[]).await;
        let browser = shop.browser();
        browser
            .sign_in("%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27%26")
            .await;
        let seen = browser.get("/productpage").await;
        assert_eq!(seen.status, 200);
        assert!(!seen.body.contains("data-unavailable=\"details\""));
        assert!(!seen.body.contains("<script") && !seen.body.contains("<img"));
        assert!(
            seen.body.contains("&#60;script&#62;alert(1)"),
            "{}",
            seen.body
        );
    }
}
