//! The pages in a real browser: what a viewer sees, with pictures, and a check of accessibility by axe.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "CI and ARTIFACTS_DIR are for tests, and what is left out is said aloud"
)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use console::{Config, Console};
use thirtyfour::prelude::*;

use crate::web::{get, packet};
use crate::{CLIENT, PATIENCE, shop};

/// The release of axe-core that pages are checked with. It is no part of the programs, so it is fetched, not kept here.
const AXE: &str = "axe-core@4.14.1";

/// Chromium's driver on a port of its own.
struct Driver {
    child: Child,
    port: u16,
    profile: tempfile::TempDir,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether what is missing is a failure: in CI everything has to be there.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some()
}

fn driver() -> Option<Driver> {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .unwrap()
        .port();
    let spawned = Command::new("chromedriver")
        .arg(format!("--port={port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match spawned {
        Ok(child) => Some(Driver {
            child,
            port,
            profile: tempfile::tempdir().unwrap(),
        }),
        Err(error) if !is_ci() => {
            eprintln!(
                "left out: no chromedriver ({error}); apt-get install chromium chromium-driver"
            );
            None
        }
        Err(error) => panic!("CI needs a browser: chromedriver: {error}"),
    }
}

/// Where pictures go, for people to look at.
fn artefacts() -> PathBuf {
    let folder = match std::env::var_os("ARTIFACTS_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/artifacts"),
    };
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The checker's script, fetched once by npm and kept next to the pictures.
fn axe() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/axe-core");
    let script = folder.join("package/axe.min.js");
    if !script.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let run = |command: &mut Command| command.current_dir(&folder).output();
        let fetched = run(Command::new("npm").args(["pack", "--silent", AXE])).and_then(|packed| {
            let file = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
            run(Command::new("tar").args(["xzf", &file]))
        });
        if !script.exists() {
            assert!(!is_ci(), "CI needs axe-core: {fetched:?}");
            eprintln!("left out: no axe-core; npm gets it");
            return None;
        }
    }
    Some(std::fs::read_to_string(script).unwrap())
}

async fn start(driver: &Driver) -> WebDriverResult<WebDriver> {
    let status = format!("http://127.0.0.1:{}/status", driver.port);
    let up = async {
        while CLIENT.get(&status).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, up)
        .await
        .expect("the driver starts");
    let mut options = DesiredCapabilities::chrome();
    let profile = format!("--user-data-dir={}", driver.profile.path().display());
    for flag in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        &profile,
    ] {
        options.add_arg(flag)?;
    }
    WebDriver::new(format!("http://127.0.0.1:{}", driver.port), options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_it_all_and_axe_finds_no_serious_fault() -> WebDriverResult<()> {
    let Some(driver) = driver() else {
        return Ok(());
    };
    let console = Console::bind(Config::loopback()).await.unwrap();
    let trace = shop::fill(&console).await;
    let browser = start(&driver).await?;
    let seen = look(&browser, &console, &trace).await;
    browser.quit().await?;
    console.shutdown().await;
    seen
}

async fn look(browser: &WebDriver, console: &Console, trace: &str) -> WebDriverResult<()> {
    let axe = axe();
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
            browser.set_window_rect(0, 0, width, 1000).await?;
            browser
                .goto(format!("{}{path}?{query}", console.url()))
                .await?;
            drawn(browser).await?;
            let text = browser.find(By::Tag("main")).await?.text().await?;
            for word in words {
                assert!(text.contains(word), "{name}{look} has no {word}:\n{text}");
            }
            let wider = browser
                .execute(
                    "return document.documentElement.scrollWidth - innerWidth",
                    vec![],
                )
                .await?;
            assert!(
                wider.json().as_f64().unwrap() <= 1.0,
                "{name}{look} is wider than the window"
            );
            browser
                .screenshot(&artefacts().join(format!("console-{name}{look}.png")))
                .await?;
            if let Some(axe) = &axe {
                check(browser, axe, &format!("{name}{look}")).await?;
            }
        }
    }
    charts_have_lines(browser, console).await?;
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

async fn check(browser: &WebDriver, axe: &str, page: &str) -> WebDriverResult<()> {
    browser.execute(axe, vec![]).await?;
    let script = "const done = arguments[arguments.length - 1]; axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }).then((r) => done(r.passes.length < 5 ? ['axe did not run'] : r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html + ' ' + (n.any[0] || {}).message).join(' | '))));";
    let faults = browser.execute_async(script, vec![]).await?;
    assert_eq!(faults.json(), &serde_json::json!([]), "{page}");
    Ok(())
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
