//! Giving stars.

use crate::fake::{DETAILS, Fake, RATINGS, REVIEWS_V3, ok, status};
use crate::shop::{Browser, SHORT, Seen, Shop, start};

async fn rate(browser: &Browser, form: &str) -> Seen {
    let token = browser.get("/productpage").await.token();
    browser
        .post("/productpage/rate", &format!("csrf={token}&{form}"))
        .await
}

#[tokio::test]
async fn stars_reach_the_ratings_service_and_the_page_says_thanks_once() {
    let shop = Shop::good().await;
    let browser = shop.browser();
    browser.sign_in("Ada+%22L%22").await;
    let page = browser.get("/productpage?id=3").await;
    for part in [
        r#"action="/productpage/rate""#,
        r#"name="id" value="3""#,
        r#"name="stars" value="5""#,
    ] {
        assert!(page.body.contains(part), "{part}");
    }
    let form = format!("csrf={}&id=3&stars=4", page.token());
    let seen = browser.post("/productpage/rate", &form).await;
    assert_eq!(
        (seen.status, seen.header("location")),
        (303, "/productpage?id=3")
    );
    let asked = shop.ratings.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].method.as_str(), asked[0].target.as_str()),
        ("POST", "/ratings/3")
    );
    assert_eq!(asked[0].body, r#"{"Ada \"L\"":4}"#);
    assert_eq!(
        asked[0].header("content-type").as_deref(),
        Some("application/json")
    );
    assert_eq!(asked[0].header("end-user").as_deref(), Some("Ada \"L\""));

    let thanks = "Your 4 of 5 stars for this book are stored.";
    assert!(!browser.get("/productpage?id=2").await.body.contains(thanks));
    assert!(browser.get("/productpage?id=3").await.body.contains(thanks));
    assert!(!browser.get("/productpage?id=3").await.body.contains(thanks));
}

#[tokio::test]
async fn visitors_see_how_to_sign_in_and_cannot_rate() {
    let shop = Shop::good().await;
    let browser = shop.browser();
    let page = browser.get("/productpage").await;
    assert!(!page.body.contains("/productpage/rate"));
    assert!(page.body.contains(r##"<a href="#username">Sign in</a>"##));
    let seen = rate(&browser, "id=0&stars=5").await;
    assert_eq!(seen.status, 403);
    assert!(seen.is_html() && seen.body.contains("Sign in to rate"));
    assert!(shop.ratings.asked().is_empty());
}

#[tokio::test]
async fn a_form_without_this_sessions_token_is_refused() {
    let shop = Shop::good().await;
    let (ours, theirs) = (shop.browser(), shop.browser());
    ours.sign_in("ada").await;
    theirs.sign_in("eve").await;
    let other = theirs.get("/").await.token();
    for form in [
        "id=0&stars=5".to_owned(),
        "csrf=&id=0&stars=5".to_owned(),
        format!("csrf={other}&id=0&stars=5"),
    ] {
        let seen = ours.post("/productpage/rate", &form).await;
        assert_eq!(seen.status, 403, "{form}");
        assert!(seen.is_html());
    }
    assert!(shop.ratings.asked().is_empty());
}

#[tokio::test]
async fn what_is_no_rating_is_refused() {
    let shop = Shop::good().await;
    let browser = shop.browser();
    browser.sign_in("ada").await;
    for (form, code) in [
        ("id=0", 400),
        ("id=0&stars=", 400),
        ("id=0&stars=0", 400),
        ("id=0&stars=6", 400),
        ("id=0&stars=4.5", 400),
        ("id=0&stars=five", 400),
        ("id=0&stars=5&stars=1", 400),
        ("stars=5", 400),
        ("id=x&stars=5", 400),
        ("id=0%2F..&stars=5", 400),
        ("id=99&stars=5", 404),
    ] {
        let seen = rate(&browser, form).await;
        assert_eq!(seen.status, code, "{form}");
        assert!(seen.is_html(), "{form}");
    }
    assert!(shop.ratings.asked().is_empty());
}

#[tokio::test]
async fn without_ratings_the_page_says_that_nothing_is_stored() {
    for (code, expected) in [(400, 502), (500, 502), (503, 502)] {
        let good = |body| Fake::answering(ok(body));
        let failing = Fake::answering(status(code));
        let shop = Shop::of(good(DETAILS), good(REVIEWS_V3), failing, &[]).await;
        let browser = shop.browser();
        browser.sign_in("ada").await;
        let seen = rate(&browser, "id=2&stars=5").await;
        assert_eq!(seen.status, expected);
        assert!(seen.is_html());
        assert!(seen.body.contains(r#"data-unavailable="ratings""#));
        assert!(seen.body.contains(r#"href="/productpage?id=2""#));
        assert_eq!(shop.ratings.asked().len(), 1, "stars are sent once");
        assert!(seen.cookie("bookshop_thanks").is_none());
    }
}

#[tokio::test]
async fn without_an_answer_of_ratings_it_is_503() {
    let silent = Fake::answering(crate::fake::Answer::Silence);
    for ratings in [crate::fake::nobody(), silent.host()] {
        let reviews = Fake::answering(ok(REVIEWS_V3));
        let details = Fake::answering(ok(RATINGS));
        let address = start(&[
            "--ratings-hostname",
            &ratings,
            "--reviews-hostname",
            &reviews.host(),
            "--details-hostname",
            &details.host(),
            "--backend-timeout",
            SHORT,
        ])
        .await;
        let browser = Browser::at(address);
        browser.sign_in("ada").await;
        let seen = rate(&browser, "id=0&stars=5").await;
        assert_eq!(seen.status, 503);
        assert!(seen.body.contains(r#"data-unavailable="ratings""#));
    }
}
