//! The shop in a real browser, as a visitor has it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "CI says through its environment that there must be a browser, and who has none is told"
)]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use thirtyfour::prelude::*;

use crate::harness::{Running, get, port_base, until};

/// Chromium's driver on a port of its own.
struct Driver {
    child: Child,
    port: u16,
    _profile: tempfile::TempDir,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `None`, said aloud, where there is no browser; in CI there must be one.
fn driver() -> Option<Driver> {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    let profile = tempfile::tempdir().expect("a folder");
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
            _profile: profile,
        }),
        Err(error) if std::env::var_os("CI").is_none() => {
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
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/artifacts"),
    };
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_finds_a_book_signs_in_and_rates_it() -> WebDriverResult<()> {
    let Some(driver) = driver() else {
        return Ok(());
    };
    let base = port_base();
    let shop = tokio::task::block_in_place(|| {
        let mut shop = Running::json(base, &["--no-load", "--no-prober"]);
        shop.event("ready");
        until("a driver", || {
            TcpStream::connect(("127.0.0.1", driver.port)).ok()
        });
        shop
    });
    let mut options = DesiredCapabilities::chrome();
    let profile = format!("--user-data-dir={}", driver._profile.path().display());
    for flag in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1280,1600",
        &profile,
    ] {
        options.add_arg(flag)?;
    }
    let browser = WebDriver::new(format!("http://127.0.0.1:{}", driver.port), options).await?;
    let seen = visit(&browser, base).await;
    browser.quit().await?;
    drop(shop);
    seen
}

async fn visit(browser: &WebDriver, base: u16) -> WebDriverResult<()> {
    browser.goto(format!("http://127.0.0.1:{base}/")).await?;
    browser
        .screenshot(&artefacts().join("shop-home.png"))
        .await?;
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
    browser
        .screenshot(&artefacts().join("shop-product.png"))
        .await?;

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
    browser
        .screenshot(&artefacts().join("shop-rated.png"))
        .await?;
    Ok(())
}
