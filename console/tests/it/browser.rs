//! The pages in a real browser: what a viewer sees, with pictures, and a check of accessibility by axe.

use std::time::Duration;

use console::{Config, Console};
use sandbox::Browser;
use thirtyfour::prelude::*;

use crate::web::{get, packet};
use crate::{CLIENT, PATIENCE, shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_it_all_and_axe_finds_no_serious_fault() -> WebDriverResult<()> {
    let Some(browser) = Browser::start().await else {
        return Ok(());
    };
    let console = Console::bind(Config::loopback()).await.unwrap();
    let trace = shop::fill(&console).await;
    let seen = look(&browser, &console, &trace).await;
    browser.quit().await?;
    console.shutdown().await;
    seen
}

async fn look(browser: &Browser, console: &Console, trace: &str) -> WebDriverResult<()> {
    let pages = [
        (
            "overview",
            "/".to_owned(),
            ["productpage", "dynamodb", "Golden signals"],
        ),
        (
            "service",
            "/services/details".to_owned(),
            ["Latency", "GET /details/{id}", "Saturation"],
        ),
        (
            "traces",
            "/traces".to_owned(),
            ["GET /productpage", "productpage", "Duration"],
        ),
        (
            "trace",
            format!("/traces/{trace}"),
            ["GET /reviews/{id}", "shelf is dusty", "Spans"],
        ),
        (
            "metrics",
            "/metrics".to_owned(),
            ["my_metric", "warning above 500", "alert above 800"],
        ),
        (
            "logs",
            "/logs".to_owned(),
            ["shelf is dusty", "warn", "reviews"],
        ),
        (
            "slos",
            "/slos".to_owned(),
            ["availability", "99.500 %", "Burn rate"],
        ),
        (
            "monitors",
            "/monitors".to_owned(),
            ["my_metric is too high", "Alert", "History"],
        ),
        (
            "telemetry",
            "/telemetry".to_owned(),
            ["Who sends what", "mymetric", "nonsense|"],
        ),
    ];
    for (name, path, words) in &pages {
        for (look, query, width) in [
            ("", "theme=light", 1400),
            ("-dark-large", "theme=dark&type=large", 1600),
            ("-phone", "theme=light", 390),
        ] {
            browser.resize(width, 1000).await?;
            browser
                .goto(format!("{}{path}?{query}", console.url()))
                .await?;
            drawn(browser).await?;
            let text = browser.find(By::Tag("main")).await?.text().await?;
            for word in words {
                assert!(text.contains(word), "{name}{look} has no {word}:\n{text}");
            }
            let name = format!("{name}{look}");
            browser.assert_fits(&name).await?;
            browser.picture(&format!("console-{name}")).await?;
            browser.assert_accessible(&name).await?;
        }
    }
    charts_have_lines(browser, console).await?;
    print_is_readable(browser, console).await?;
    news_come_by_themselves(browser, console).await?;
    keys_are_enough(browser, console, trace).await
}

/// Waits until the charts of a page are there.
async fn drawn(browser: &WebDriver) -> WebDriverResult<()> {
    let script = "return document.documentElement.dataset.drawn === 'yes'";
    let done = async {
        while browser.execute(script, vec![]).await?.json() != &serde_json::json!(true) {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok::<_, WebDriverError>(())
    };
    tokio::time::timeout(PATIENCE, done)
        .await
        .expect("the charts are drawn")
}

async fn charts_have_lines(browser: &WebDriver, console: &Console) -> WebDriverResult<()> {
    browser.set_window_rect(0, 0, 1400, 1000).await?;
    browser.goto(format!("{}/metrics", console.url())).await?;
    drawn(browser).await?;
    browser.find(By::Css(".plot canvas")).await?;
    let legend = browser
        .find(By::Css(".plot .u-legend"))
        .await?
        .text()
        .await?;
    assert!(legend.contains("stage"), "{legend}");
    browser
        .find(By::Css("details.values summary"))
        .await?
        .click()
        .await?;
    let table = browser
        .find(By::Css("details.values table"))
        .await?
        .text()
        .await?;
    assert!(table.contains("912"), "{table}");
    Ok(())
}

/// A printed chart has the inks of paper, whatever the screen has, which gets its own back.
async fn print_is_readable(browser: &Browser, console: &Console) -> WebDriverResult<()> {
    // Contrast with white of the numbers at the side of the first chart, without their ticks.
    let contrast = r#"
        const canvas = document.querySelector(".plot canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, 60, canvas.height);
        const part = (share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        let most = 1;
        for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] < 128) continue;
            const [red, green, blue] = [0, 1, 2].map((n) => part(data[at + n] / 255));
            most = Math.max(most, 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05));
        }
        return most;"#;
    let printed = format!(
        "addEventListener('beforeprint', () => {{ window.printed = (() => {{ {contrast} }})(); }})"
    );
    browser.prefer("dark").await?;
    for theme in ["", "?theme=dark"] {
        browser
            .goto(format!("{}/metrics{theme}", console.url()))
            .await?;
        drawn(browser).await?;
        browser.execute(&*printed, vec![]).await?;
        let number = async |script: &str| {
            let found = browser.execute(script, vec![]).await?;
            Ok::<_, WebDriverError>(found.json().as_f64().expect("a number"))
        };
        let before = number(contrast).await?;
        assert!(before < 3.0, "{before} is for a dark screen");
        let nothing = serde_json::json!({});
        browser.cdp().send_raw("Page.printToPDF", nothing).await?;
        let printed = number("return window.printed").await?;
        assert!(printed > 4.5, "{printed} is too pale for paper");
        assert_eq!(number(contrast).await?, before, "the screen is as it was");
    }
    browser.prefer("light").await
}

async fn news_come_by_themselves(browser: &WebDriver, console: &Console) -> WebDriverResult<()> {
    browser.goto(format!("{}/logs", console.url())).await?;
    let lines = format!("{}/intake/logs?service=late", console.url());
    CLIENT
        .post(lines)
        .body("a line that came later")
        .send()
        .await
        .unwrap();
    let there = async {
        while !browser
            .find(By::Id("live"))
            .await?
            .text()
            .await?
            .contains("a line that came later")
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok::<_, WebDriverError>(())
    };
    tokio::time::timeout(PATIENCE, there)
        .await
        .expect("the page learns of it")
}

/// A span is opened, and a page left, by keys alone.
async fn keys_are_enough(
    browser: &WebDriver,
    console: &Console,
    trace: &str,
) -> WebDriverResult<()> {
    browser
        .goto(format!("{}/traces/{trace}", console.url()))
        .await?;
    let body = browser.find(By::Tag("body")).await?;
    body.send_keys(Key::Tab + "").await?;
    let first = browser.active_element().await?.text().await?;
    assert_eq!(first, "Skip to content");
    let summary = browser.find(By::Css(".waterfall summary")).await?;
    summary.focus().await?;
    summary.send_keys(Key::Enter + "").await?;
    assert!(
        browser
            .find(By::Css(".waterfall details[open]"))
            .await?
            .text()
            .await?
            .contains("http.route")
    );
    // It stays open when news come.
    packet(console, "again:1|c").await;
    let theme = browser.find(By::Id("theme")).await?;
    let before = theme.attr("aria-pressed").await?;
    theme.send_keys(Key::Enter + "").await?;
    assert_ne!(theme.attr("aria-pressed").await?, before);
    assert!(
        browser
            .find(By::Css(".waterfall details[open]"))
            .await
            .is_ok()
    );
    assert_eq!(get(console, "/livez").await.0, 200);
    Ok(())
}
