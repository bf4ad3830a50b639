//! The console of `bookwatch up`: each page as the presenter shows it, with real telemetry in it.

use std::time::{Duration, Instant};

use sandbox::Browser;
use thirtyfour::prelude::*;

use crate::harness::{LIMIT, Running, get, port_base};

/// From one look at a page to the next.
const LOOK: Duration = Duration::from_millis(100);
/// As a projector has it, more or less.
const SCREEN: (u32, u32) = (1280, 900);

/// Waits until the page that is open says all of this. It keeps itself up to date.
async fn until_it_says(browser: &Browser, words: &[&str]) -> WebDriverResult<String> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let text = browser.find(By::Tag("main")).await?.text().await?;
        let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
        if missing.is_empty() {
            return Ok(text);
        }
        assert!(
            Instant::now() < deadline,
            "in vain: {missing:?} in:\n{text}"
        );
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_console_shows_the_shop() -> WebDriverResult<()> {
    let Some(browser) = Browser::start().await else {
        return Ok(());
    };
    let base = port_base();
    let demo = tokio::task::block_in_place(|| {
        let mut demo = Running::json(base, &["--quiet"]);
        demo.event("ready");
        demo
    });
    let seen = look(&browser, base).await;
    browser.quit().await?;
    drop(demo);
    seen
}

async fn look(browser: &Browser, base: u16) -> WebDriverResult<()> {
    let console = format!("http://127.0.0.1:{}", base + 10);
    browser.resize(SCREEN.0, SCREEN.1).await?;
    browser.goto(&console).await?;
    let services = ["productpage", "details", "reviews", "ratings"];
    let others = ["aws.dynamodb", "mymetric", "loadgen", "synthetics"];
    until_it_says(
        browser,
        &[&services[..], &others, &["Golden signals"]].concat(),
    )
    .await?;
    // Each service and each call between them has its figures on the map, which grows as traces come.
    let class = |name: &str| format!("//*[contains(concat(' ', @class, ' '), ' {name} ')]");
    let fifth = format!("({}{})[5]", class("servicemap"), class("node"));
    browser.query(By::XPath(&fifth)).first().await?;
    let map = browser.find(By::Css("svg.servicemap")).await?;
    let label = map.find(By::Css(".label")).await?.text().await?;
    for unit in ["/s", "%", "s"] {
        assert!(label.contains(unit), "{label:?}");
    }
    browser.picture("console-overview").await?;

    // A trace of five services with its log lines, found as a viewer finds it.
    let search = format!("{console}/traces?service=productpage&route=productpage&min_ms=0");
    browser.goto(&search).await?;
    until_it_says(browser, &["probe productpage", "ratings"]).await?;
    browser.picture("console-traces").await?;
    browser
        .query(By::XPath(
            "//tr[contains(., 'probe productpage') and td[contains(., 'ratings')]]//a",
        ))
        .first()
        .await?
        .click()
        .await?;
    until_it_says(
        browser,
        &["5 services", "GET /ratings/{id}", "Logs of this trace"],
    )
    .await?;
    for service in services {
        let line = format!("//ol[@class='logs']/li[span[@class='service']='{service}']");
        browser.query(By::XPath(&line)).first().await?;
    }
    browser.picture("console-trace").await?;
    browser
        .find(By::Css(".waterfall summary"))
        .await?
        .click()
        .await?;
    until_it_says(browser, &["service.name"]).await?;

    browser
        .goto(format!("{console}/metrics?name=my_metric&by=host"))
        .await?;
    until_it_says(browser, &["warning above 500", "alert above 800"]).await?;
    browser.query(By::Css(".plot canvas")).first().await?;
    let value = browser.query(By::XPath(
        "//tr[contains(@class, 'u-series')][2]//td[contains(@class, 'u-value') and number() > 0]",
    ));
    value.first().await?;
    browser.picture("console-metrics").await?;
    browser
        .find(By::Css(".values summary"))
        .await?
        .click()
        .await?;
    browser
        .query(By::Css("[data-table] tbody td.number"))
        .first()
        .await?;

    // What is asked now stands among the lines a moment later, without a reload.
    browser.goto(format!("{console}/logs")).await?;
    browser.query(By::Css(".logs li")).first().await?;
    let asked = tokio::task::block_in_place(|| get(base, "/api/v1/products/12345"));
    assert_eq!(asked.map(|(status, _)| status), Some(404));
    until_it_says(browser, &["/api/v1/products/12345"]).await?;
    browser.picture("console-logs").await?;
    let jump = "//li[contains(., '/api/v1/products/12345')]/a[@class='jump']";
    browser
        .query(By::XPath(jump))
        .first()
        .await?
        .click()
        .await?;
    until_it_says(browser, &["GET /api/v1/products/{id}", "Spans"]).await?;

    browser.goto(format!("{console}/slos")).await?;
    let slos = ["availability", "latency-100ms", "success"];
    until_it_says(browser, &slos).await?;
    browser.picture("console-slos").await?;

    browser.goto(format!("{console}/monitors")).await?;
    until_it_says(
        browser,
        &["my_metric is too high", "warning above 500", "History"],
    )
    .await?;
    browser.picture("console-monitors").await?;

    browser.goto(format!("{console}/telemetry")).await?;
    let senders = [&services[..], &others[1..]].concat();
    let text = until_it_says(browser, &senders).await?;
    assert!(text.contains("Everything could be used"), "{text}");
    browser.picture("console-telemetry").await?;

    // On a projector, and on a phone.
    browser.resize(1920, 1080).await?;
    browser.goto(format!("{console}/?type=large")).await?;
    until_it_says(browser, &services).await?;
    browser.assert_fits("the overview in large type").await?;
    browser.picture("console-projector").await?;
    browser.resize(390, 844).await?;
    browser.goto(&console).await?;
    until_it_says(browser, &services).await?;
    browser.assert_fits("the overview on a phone").await?;
    browser.picture("console-phone").await
}
