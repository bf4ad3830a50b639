//! The page in a real browser: what a viewer sees, with pictures, and a check of accessibility.

use std::time::Duration;

use sandbox::Browser;
use thirtyfour::prelude::*;

use super::{Set, Stage, availability, bad, good, latency, success};

const PATIENCE: Duration = Duration::from_secs(60);

/// The three objectives of the webinar from four played locations, over a day with some trouble.
async fn day() -> Stage {
    let checks = vec!["productpage", "health", "api-products", "api-reviews"];
    let mut slos = vec![availability(), latency(), success()];
    slos[0].checks = vec![0, 1];
    slos[1].checks = vec![2, 3];
    slos[2].checks = vec![0, 1, 2, 3];
    let locations = [
        "tokyo-simulated",
        "singapore-simulated",
        "sydney-simulated",
        "seoul-simulated",
    ];
    let stage = Stage::of(Set {
        slos,
        checks,
        locations: locations.into(),
        ..Set::default()
    })
    .await;
    for minute in 0..1_470 {
        if (700..712).contains(&minute) {
            continue;
        }
        for (place, location) in locations.iter().enumerate() {
            for check in 0..4 {
                let slow = 1 + (minute / 90 % 5) * 4 + 9 * check as u64 + 3 * place as u64;
                let down = (900..918).contains(&minute) && check == 0
                    || (1_200..1_205).contains(&minute) && place == 1;
                let found = if down {
                    bad("the body lacks \"<blockquote\"")
                } else {
                    good(slow + minute % 7)
                };
                stage.record(minute, check, location, found);
            }
        }
        if minute % 60 == 0 {
            stage.live.seal_unsaved(super::START.plus(minute).start());
        }
    }
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_in_a_browser() -> WebDriverResult<()> {
    let Some(browser) = Browser::start().await else {
        return Ok(());
    };
    let stage = day().await;
    stage.watch();
    let seen = look(&browser, &stage).await;
    browser.quit().await?;
    seen
}

async fn look(browser: &Browser, stage: &Stage) -> WebDriverResult<()> {
    let url = stage.page.url();
    for (name, query, width, height) in [
        ("desktop", "theme=light", 1_400, 2_600),
        ("projector", "theme=light&type=large", 1_920, 1_080),
        ("dark", "theme=dark", 1_400, 2_600),
        ("phone", "theme=light", 500, 2_400),
    ] {
        browser.resize(width, height).await?;
        browser.goto(format!("{url}/?{query}")).await?;
        let text = browser.find(By::Tag("main")).await?.text().await?;
        for word in [
            "availability",
            "Error budget left",
            "Tokyo",
            "simulated",
            "API latency <= 100 ms",
        ] {
            assert!(text.contains(word), "{name} has no {word}:\n{text}");
        }
        let name = format!("status-{name}");
        browser.picture(&name).await?;
        browser.assert_fits(&name).await?;
        browser.assert_accessible(&name).await?;
    }
    browser.resize(1_400, 1_400).await?;
    browser
        .goto(format!("{url}/checks/productpage?theme=light"))
        .await?;
    browser.picture("status-check").await?;
    browser.assert_accessible("status-check").await?;
    on_paper(browser, &url).await?;
    news_come_by_themselves(browser, stage).await?;
    whole_without_script(browser, &url).await?;
    in_a_frame(browser, &url).await
}

/// Ink is dark on white, whether the page is dark because somebody pressed the button or because the device is.
async fn on_paper(browser: &Browser, url: &str) -> WebDriverResult<()> {
    browser.resize(800, 1_600).await?;
    let tools = browser.cdp();
    for (dark_by, query, device) in [("choice", "?theme=dark", "light"), ("device", "", "dark")] {
        browser.goto(format!("{url}/{query}")).await?;
        let device = serde_json::json!({ "name": "prefers-color-scheme", "value": device });
        let mut media = serde_json::json!({ "media": "", "features": [device] });
        tools
            .send_raw("Emulation.setEmulatedMedia", media.clone())
            .await?;
        assert_eq!(
            inks(browser).await?.0,
            "rgb(21, 23, 26)",
            "{dark_by}: dark at first"
        );
        media["media"] = "print".into();
        tools.send_raw("Emulation.setEmulatedMedia", media).await?;
        browser.picture(&format!("status-print-{dark_by}")).await?;
        let (ground, others) = inks(browser).await?;
        assert_eq!(ground, "rgb(255, 255, 255)", "{dark_by}: white paper");
        for ink in others {
            assert!(
                ["rgb(0, 0, 0)", "rgb(51, 51, 51)"].contains(&ink.as_str()),
                "{dark_by}: {ink} on paper"
            );
        }
        let looks = browser.find(By::Css(".looks")).await?;
        assert!(!looks.is_displayed().await?);
    }
    let screen = serde_json::json!({ "media": "", "features": [] });
    tools.send_raw("Emulation.setEmulatedMedia", screen).await?;
    Ok(())
}

/// The colour of the page, and those of all its words.
async fn inks(browser: &Browser) -> WebDriverResult<(String, Vec<String>)> {
    let script = "return [getComputedStyle(document.body).backgroundColor, [...new Set(
        [...document.querySelectorAll('main *:not(svg, svg *)')].filter((e) => e.checkVisibility())
            .map((e) => getComputedStyle(e).color))]]";
    let found = browser.execute(script, vec![]).await?;
    Ok(serde_json::from_value(found.json().clone()).expect("a colour and colours"))
}

async fn news_come_by_themselves(browser: &Browser, stage: &Stage) -> WebDriverResult<()> {
    browser.resize(1_400, 1_400).await?;
    browser
        .goto(format!("{}/?theme=light", stage.page.url()))
        .await?;
    let summary = browser.find(By::Css("#timeline-table > summary")).await?;
    summary.send_keys(Key::Enter + "").await?;
    let mark = "window.mark = 'the same page'";
    browser.execute(mark, vec![]).await?;
    stage.record(1_470, 0, "tokyo-simulated", bad("news from the shop"));
    let there = async {
        loop {
            let failures = browser.find(By::Id("failures")).await?.text().await?;
            if failures.contains("news from the shop") {
                return Ok::<_, WebDriverError>(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, there)
        .await
        .expect("the page learns of it")?;
    let mark = browser.execute("return window.mark", vec![]).await?;
    assert_eq!(mark.json(), "the same page", "it was not loaded again");
    let opened = browser.find(By::Css("#timeline-table[open]")).await;
    assert!(opened.is_ok(), "what was opened stays open");
    let focused = "return document.activeElement.parentElement.id";
    let focused = browser.execute(focused, vec![]).await?;
    assert_eq!(focused.json(), "timeline-table", "the focus stays");
    Ok(())
}

async fn whole_without_script(browser: &Browser, url: &str) -> WebDriverResult<()> {
    let tools = browser.cdp();
    let off = serde_json::json!({ "value": true });
    tools
        .send_raw("Emulation.setScriptExecutionDisabled", off)
        .await?;
    browser.goto(format!("{url}/")).await?;
    let text = browser.find(By::Tag("body")).await?.text().await?;
    for word in [
        "objectives",
        "Timeline",
        "95th percentile",
        "Recent failures",
        "news from the shop",
    ] {
        assert!(text.contains(word), "no {word} without script:\n{text}");
    }
    for dead in ["pause", "large", "theme"] {
        let button = browser.find(By::Id(dead)).await?;
        assert!(!button.is_displayed().await?, "{dead} would do nothing");
    }
    let on = serde_json::json!({ "value": false });
    tools
        .send_raw("Emulation.setScriptExecutionDisabled", on)
        .await?;
    Ok(())
}

/// Another page of this machine has it in a frame, as the console does.
async fn in_a_frame(browser: &Browser, url: &str) -> WebDriverResult<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    let html = format!(
        "<!DOCTYPE html><title>around</title><iframe src=\"{url}/?frame=console\" width=\"1200\" height=\"900\"></iframe>"
    );
    let around = axum::Router::new().route(
        "/",
        axum::routing::get(|| async { axum::response::Html(html) }),
    );
    let served = tokio::spawn(async move { axum::serve(listener, around).await });
    browser.goto(format!("http://{address}/")).await?;
    browser.find(By::Tag("iframe")).await?.enter_frame().await?;
    let heading = browser.find(By::Css("h1")).await?.text().await?;
    assert!(heading.contains("objectives"), "{heading}");
    assert!(browser.find(By::Css(".brand")).await.is_err());
    browser.enter_default_frame().await?;
    served.abort();
    Ok(())
}
