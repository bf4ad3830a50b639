//! A real browser, for tests of what a viewer sees.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The release of axe-core that pages are checked with. It is no part of the programs, so it is fetched, not kept here.
const AXE: &str = "axe-core@4.14.1";
/// What axe looks at: the rules of WCAG 2.1 AA, and what its authors call good practice.
const AXE_RUN: &str = "const done = arguments[arguments.length - 1];
    axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }).then((r) => done(
        r.passes.length < 5 ? ['axe did not run'] : r.violations
            .filter((v) => ['serious', 'critical'].includes(v.impact))
            .map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html + ' ' + (n.any[0] || {}).message).join(' | '))));";
/// Until the driver and its browser are up, on a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_secs(60);
const FLAGS: [&str; 10] = [
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
];

/// Chromium without a window, by a driver on a port of its own and with a profile of its own. Both end with this value.
///
/// All of thirtyfour's [`WebDriver`] is there by [`Deref`]: `browser.goto(..)`, `browser.find(..)`.
///
/// ```no_run
/// # async fn example() -> thirtyfour::error::WebDriverResult<()> {
/// let Some(browser) = sandbox::Browser::start().await else {
///     return Ok(()); // said aloud; in CI it fails instead
/// };
/// browser.resize(390, 844).await?;
/// browser.goto("http://127.0.0.1:9080/").await?;
/// browser.picture("shop-phone").await?;
/// browser.assert_accessible("shop-phone").await?;
/// # Ok(()) }
/// ```
pub struct Browser {
    page: WebDriver,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.page
    }
}

impl Browser {
    /// Starts one. `None`, said aloud, where no driver is installed; where `CI` is set there must be one.
    pub async fn start() -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut driver = match driver {
            Ok(driver) => driver,
            Err(error) => {
                leave_out(&format!(
                    "no chromedriver ({error}); apt-get install chromium chromium-driver"
                ));
                return None;
            }
        };
        let profile = tempfile::tempdir().expect("a folder for the browser's profile");
        let page = tokio::time::timeout(PATIENCE, async {
            let port = port(&mut driver).await;
            let mut options = DesiredCapabilities::chrome();
            let profile = format!("--user-data-dir={}", profile.path().display());
            for flag in FLAGS.into_iter().chain([profile.as_str()]) {
                options.add_arg(flag).expect("a flag is text");
            }
            WebDriver::new(format!("http://127.0.0.1:{port}"), options)
                .await
                .expect("a browser")
        });
        Some(Self {
            page: page.await.expect("the driver starts a browser in time"),
            _driver: driver,
            _profile: profile,
        })
    }

    /// Makes the page this large, in CSS pixels: exactly, which a window of a few hundred pixels would not be.
    pub async fn resize(&self, width: u32, height: u32) -> WebDriverResult<()> {
        let size = serde_json::json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        let cdp = self.page.cdp();
        cdp.send_raw("Emulation.setDeviceMetricsOverride", size)
            .await?;
        Ok(())
    }

    /// Says that the viewer prefers this `prefers-color-scheme`: `light` or `dark`.
    pub async fn prefer(&self, scheme: &str) -> WebDriverResult<()> {
        let media = serde_json::json!({
            "features": [{"name": "prefers-color-scheme", "value": scheme}],
        });
        let cdp = self.page.cdp();
        cdp.send_raw("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// Keeps a picture of the window as `<name>.png` in [`artefacts`], for people to look at.
    pub async fn picture(&self, name: &str) -> WebDriverResult<()> {
        let file = artefacts().join(format!("{name}.png"));
        self.page.screenshot(&file).await
    }

    /// Fails where axe finds a serious or critical fault in the page that is open. Left out, aloud, where axe cannot be had.
    pub async fn assert_accessible(&self, name: &str) -> WebDriverResult<()> {
        let Some(axe) = axe() else { return Ok(()) };
        self.page.execute(axe, vec![]).await?;
        let faults = self.page.execute_async(AXE_RUN, vec![]).await?;
        assert_eq!(faults.json(), &serde_json::json!([]), "{name}");
        Ok(())
    }

    /// Fails where the page that is open has to be scrolled sideways.
    pub async fn assert_fits(&self, name: &str) -> WebDriverResult<()> {
        let script = "return document.documentElement.scrollWidth - innerWidth";
        let wider = self.page.execute(script, vec![]).await?;
        let wider = wider.json().as_f64().expect("a number of pixels");
        assert!(wider <= 1.0, "{name} is wider than the window by {wider}");
        Ok(())
    }

    /// Closes the window and ends the browser.
    pub async fn quit(self) -> WebDriverResult<()> {
        self.page.quit().await
    }
}

/// The port that the driver took, from the line that says so.
async fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().expect("its output is piped")).lines();
    while let Some(line) = lines.next_line().await.expect("the driver's output") {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().expect("a port");
        }
    }
    panic!("the driver ended before it named its port");
}

/// Where pictures go: `ARTIFACTS_DIR`, else `target/artifacts`.
pub fn artefacts() -> PathBuf {
    let folder = match variable("ARTIFACTS_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => target().join("artifacts"),
    };
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

/// The checker's script, fetched once by npm.
fn axe() -> Option<String> {
    let folder = target().join("axe-core");
    let script = folder.join("package/axe.min.js");
    if !script.exists() {
        let fetched = fetch_axe(&folder);
        if !script.exists() {
            leave_out(&format!("no axe-core, which npm gets: {fetched:?}"));
            return None;
        }
    }
    Some(std::fs::read_to_string(script).expect("the script is text"))
}

/// Unpacks next to where it belongs and then moves it there, since several tests may do so at once.
fn fetch_axe(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let new = tempfile::tempdir_in(folder)?;
    let run = |command: &mut std::process::Command| command.current_dir(&new).output();
    let packed = run(std::process::Command::new("npm").args(["pack", "--silent", AXE]))?;
    let file = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
    run(std::process::Command::new("tar").args(["xzf", &file]))?;
    std::fs::rename(new.path().join("package"), folder.join("package"))
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// Says that something is not tested for want of a tool. In CI everything has to be there.
#[expect(
    clippy::print_stderr,
    reason = "who has no browser is told what was not tested"
)]
fn leave_out(what: &str) {
    assert!(variable("CI").is_none(), "CI needs it: {what}");
    eprintln!("left out: {what}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "CI and ARTIFACTS_DIR are for tests, which have no flags"
)]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}
