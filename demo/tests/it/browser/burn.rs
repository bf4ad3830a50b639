//! The story on stage: a service is taken away, its objective burns, the gate fails, and all heals.

use std::time::{Duration, Instant};

use sandbox::Browser;
use thirtyfour::prelude::*;

use crate::harness::{Running, output, port_base, text};

/// What the promise is: two real minutes.
const PROMISE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(250);
/// A week in half an hour.
const TIME_SCALE: &str = "300";

/// Waits until `script` is true of the page that is open, which keeps itself up to date.
async fn until(browser: &Browser, what: &str, script: &str) -> WebDriverResult<()> {
    let deadline = Instant::now() + PROMISE;
    while browser.execute(script, vec![]).await?.json().as_bool() != Some(true) {
        if Instant::now() > deadline {
            let text = browser.find(By::Tag("main")).await?.text().await?;
            panic!("not within {PROMISE:?}: {what}\n{text}");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// The tile with this title has this of its class, of its text, or as its burn rate.
fn tile(title: &str, test: &str) -> String {
    format!(
        "const tile = [...document.querySelectorAll('article.tile')].find((t) => t.querySelector('h3').textContent === '{title}');
         if (!tile) return false;
         const burn = parseFloat([...tile.querySelectorAll('dt')].find((t) => t.textContent === 'Burn rate').nextElementSibling.textContent);
         return {test};"
    )
}

/// `bookwatch WORDS` for the demo on these ports.
fn bookwatch(base: u16, words: &[&str]) -> (Option<i32>, String) {
    let base = format!("--port-base={base}");
    let words = [&words[..1], &[base.as_str()], &words[1..]].concat();
    tokio::task::block_in_place(|| {
        let output = output(&words);
        let said = [text(&output.stdout), text(&output.stderr)].concat();
        (output.status.code(), said)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_taken_away_burns_its_tile_and_fails_the_gate_until_it_is_back()
-> WebDriverResult<()> {
    let Some(browser) = Browser::start().await else {
        return Ok(());
    };
    browser.resize(1280, 1000).await?;
    let base = port_base();
    let demo = tokio::task::block_in_place(|| {
        let words = ["--quiet", "--no-load", "--time-scale", TIME_SCALE];
        let mut demo = Running::json(base, &words);
        demo.event("ready");
        demo
    });
    let seen = story(&browser, base).await;
    browser.quit().await?;
    drop(demo);
    seen
}

async fn story(browser: &Browser, base: u16) -> WebDriverResult<()> {
    let status = format!("http://127.0.0.1:{}/", base + 14);
    let console = format!("http://127.0.0.1:{}", base + 10);
    browser.goto(&status).await?;
    let well = tile("success ratio", "tile.classList.contains('well')");
    until(browser, "the objective is met", &well).await?;
    let text = browser.find(By::Tag("main")).await?.text().await?;
    for words in [
        "Tokyo",
        "Singapore",
        "Sydney",
        "Seoul",
        "simulated",
        TIME_SCALE,
    ] {
        assert!(text.contains(words), "{words} in:\n{text}");
    }
    browser.picture("story-1-well").await?;

    let (code, said) = bookwatch(base, &["stop", "ratings"]);
    assert_eq!(code, Some(0), "{said}");
    let burns = tile("success ratio", "burn > 1");
    until(browser, "the right tile burns", &burns).await?;
    let firing = "return [...document.querySelectorAll('.notice.bad')].some((n) => n.textContent.includes('success ratio'))";
    until(browser, "its alert fires", firing).await?;
    let missed = tile("success ratio", "tile.classList.contains('bad')");
    until(browser, "its target is missed", &missed).await?;
    browser.picture("story-2-burning").await?;
    // The page of the shop is whole but for the stars: what it promises holds.
    let other = tile("availability", "!tile.classList.contains('bad')");
    until(browser, "the other tile does not burn", &other).await?;
    // Slowly, so that a busy machine keeps up.
    let (code, said) = bookwatch(base, &["gate", "--for", "10s", "--max-rate", "12"]);
    assert_eq!(code, Some(1), "{said}");

    // The same in the console: among its monitors, and in the frame among the objectives.
    browser.goto(format!("{console}/monitors")).await?;
    let alert =
        "return [...document.querySelectorAll('#live table')][0].textContent.includes('success/')";
    until(browser, "the burn alert is a monitor", alert).await?;
    browser.picture("story-3-monitors").await?;
    browser.goto(format!("{console}/slos")).await?;
    let words =
        "return document.getElementById('live').textContent.includes('locations are simulated')";
    until(browser, "a demo is called one", words).await?;
    let frame = browser.find(By::Css("iframe.prober")).await?;
    frame.scroll_into_view().await?;
    frame.clone().enter_frame().await?;
    until(browser, "the status page in its frame", &missed).await?;
    browser.enter_default_frame().await?;
    browser.picture("story-4-slos").await?;

    let (code, said) = bookwatch(base, &["start", "ratings"]);
    assert_eq!(code, Some(0), "{said}");
    browser.goto(&status).await?;
    let quiet = firing.replacen(
        "return ",
        "return document.querySelector('article.tile') !== null && !",
        1,
    );
    until(browser, "its alert fires no more", &quiet).await?;
    browser.picture("story-5-healed").await?;
    browser.goto(format!("{console}/monitors")).await?;
    let healed =
        "return [...document.querySelectorAll('#live table')].at(-1).textContent.includes('→')";
    until(browser, "the history tells of it", healed).await?;
    Ok(())
}
