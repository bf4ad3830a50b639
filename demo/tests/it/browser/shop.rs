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
