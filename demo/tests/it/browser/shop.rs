//! The shop in a real browser, as a visitor has it.

use sandbox::Browser;
use thirtyfour::prelude::*;

use crate::harness::{Running, get, port_base};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_finds_a_book_signs_in_and_rates_it() -> WebDriverResult<()> {
    let Some(browser) = Browser::start().await else {
        return Ok(());
    };
    browser.resize(1280, 1600).await?;
    let base = port_base();
    let shop = tokio::task::block_in_place(|| {
        let mut shop = Running::json(base, &["--no-load", "--no-prober"]);
        shop.event("ready");
        shop
    });
    let seen = visit(&browser, base).await;
    browser.quit().await?;
    drop(shop);
    seen
}

async fn visit(browser: &Browser, base: u16) -> WebDriverResult<()> {
    browser.goto(format!("http://127.0.0.1:{base}/")).await?;
    browser.picture("shop-home").await?;
    browser
        .find(By::PartialLinkText("The Comedy of Errors"))
        .await?
        .click()
        .await?;
    // `query` waits until the next page is there; `find` would look at the last one.
    browser
        .query(By::XPath("//h2[contains(., 'Book details')]"))
        .first()
        .await?;
    let text = browser.find(By::Tag("main")).await?.text().await?;
    for words in ["William Shakespeare", "200", "Reviewer1", "Reviewer2"] {
        assert!(text.contains(words), "the page has no {words}:\n{text}");
    }
    // v1 has no stars; v2 and v3 take their turns.
    let mut turns = 0;
    while !browser.source().await?.contains("of 5 stars") {
        turns += 1;
        assert!(turns < 6, "no version of reviews brings stars");
        browser.refresh().await?;
    }
    browser.picture("shop-product").await?;

    browser
        .find(By::Css("form[action='/login'] input[name='username']"))
        .await?
        .send_keys("Ann <b>")
        .await?;
    browser
        .find(By::Css("form[action='/login'] button"))
        .await?
        .click()
        .await?;
    let rate = browser
        .query(By::Css("form[action='/productpage/rate']"))
        .first()
        .await?;
    assert!(
        browser
            .find(By::Tag("body"))
            .await?
            .text()
            .await?
            .contains("Ann <b>"),
        "the name is shown as it is"
    );
    rate.find(By::Css("input[type='radio'][value='2']"))
        .await?
        .send_keys(" ")
        .await?;
    rate.find(By::Css("button")).await?.click().await?;
    browser
        .query(By::XPath("//*[contains(text(), 'Thank you')]"))
        .first()
        .await?;
    let (status, ratings) =
        tokio::task::block_in_place(|| get(base, "/api/v1/products/0/ratings")).expect("ratings");
    assert_eq!(status, 200);
    assert!(ratings.contains(r#""Ann <b>":2"#), "{ratings}");
    browser.picture("shop-rated").await?;
    Ok(())
}

/// Light and dark, wide and as narrow as a phone: nothing is cut off, and axe finds no serious fault.
#[tokio::test(flavor = "multi_thread")]
async fn the_shop_is_for_everybody() -> WebDriverResult<()> {
    let Some(browser) = Browser::start().await else {
        return Ok(());
    };
    let base = port_base();
    let shop = tokio::task::block_in_place(|| {
        let mut shop = Running::json(base, &["--no-load", "--no-prober", "--only", ALMOST_ALL]);
        shop.event("ready");
        shop
    });
    let seen = in_all_looks(&browser, base).await;
    browser.quit().await?;
    drop(shop);
    seen
}

/// Ratings are left out: that has a look of its own.
const ALMOST_ALL: &str = "dynamodb,details,reviews-v3,productpage";

async fn in_all_looks(browser: &Browser, base: u16) -> WebDriverResult<()> {
    let url = |path: &str| format!("http://127.0.0.1:{base}{path}");
    browser.goto(url("/productpage?id=1")).await?;
    let name = By::Css("form[action='/login'] input[name='username']");
    for signed_in in [false, true] {
        if signed_in {
            let name = browser.find(name.clone()).await?;
            name.send_keys("W".repeat(64)).await?;
            name.send_keys(Key::Enter + "").await?;
            browser
                .query(By::Css("form[action='/productpage/rate']"))
                .first()
                .await?;
        }
        for (look, scheme, width) in [
            ("light", "light", 1280),
            ("dark", "dark", 1280),
            ("phone", "light", 360),
            ("phone-dark", "dark", 360),
        ] {
            browser.resize(width, 1000).await?;
            browser.prefer(scheme).await?;
            for (page, path, words) in [
                ("home", "/", "A small shop of old books"),
                ("product", "/productpage?id=9", "currently unavailable"),
                ("nothing", "/nothing", "No such page"),
            ] {
                browser.goto(url(path)).await?;
                let text = browser.find(By::Tag("main")).await?.text().await?;
                assert!(text.contains(words), "{page} {look}:\n{text}");
                let who = if signed_in { "-signed-in" } else { "" };
                let name = format!("shop-{page}{who}-{look}");
                browser.picture(&name).await?;
                browser.assert_fits(&name).await?;
                browser.assert_accessible(&name).await?;
            }
        }
        browser.resize(1280, 1000).await?;
        browser.goto(url("/productpage?id=1")).await?;
    }
    Ok(())
}
