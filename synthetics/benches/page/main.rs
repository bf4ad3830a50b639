//! What the status page costs with a full history: 7 days of 50 checks from 4 locations. Run it with
//! `cargo bench -p synthetics --bench page`; it prints a table and asserts nothing, because a shared
//! machine is no judge.
//!
//! - Memory: what the history in the process takes, for verdicts and page together.
//! - Verdict: all objectives of the bookshop over their 7 days.
//! - Page: `GET /` over HTTP on a kept connection, as the prober runs it (the numbers are worked out in
//!   the background once a second), and worked out anew for each request, which tells what that costs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use synthetics::alert::{Alerts, Sentry};
use synthetics::clock::{Clock, FastClock, SystemClock, Timestamp};
use synthetics::history::{Live, Minute, Site};
use synthetics::page::{CheckInfo, Config, Page, Scene};
use synthetics::probe::{Failure, FailureKind, Measurement, Outcome, ProbeResult};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CHECKS: usize = 50;
const LOCATIONS: [&str; 4] = ["tokyo", "singapore", "sydney", "seoul"];
/// The first day: 2026-11-05.
const START: Minute = Minute(20_762 * 1_440);

/// A clock that stands at the end of the history.
#[derive(Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

fn main() -> anyhow::Result<()> {
    // Under `cargo test --benches` it only has to work.
    let whole = std::env::args().any(|word| word == "--bench");
    let (days, times) = if whole { (7, 200) } else { (1, 3) };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run(days, times))
}

async fn run(days: u64, times: usize) -> anyhow::Result<()> {
    let before = resident()?;
    let names: Vec<Arc<str>> = (0..CHECKS).map(|n| format!("check-{n}").into()).collect();
    let mut slos = synthetics::bookshop::slos();
    for slo in &mut slos {
        // Each on all checks: what costs most.
        slo.checks = (0..CHECKS).collect();
    }
    let site = |name: &&str| Site {
        name: Arc::from(*name),
        simulated: false,
    };
    let live = Live::new(
        names.clone(),
        slos.clone().into(),
        Vec::new(),
        LOCATIONS.iter().map(site).collect(),
        START.start(),
    );
    live.set_loaded();
    let filling = Instant::now();
    let probes = fill(&live, &names, days);
    let filled = filling.elapsed();
    let grown = resident()?.saturating_sub(before);
    let clock = Arc::new(Hand::default());
    let end = START.plus(days * 1_440).start();
    clock.0.store(end.as_micros() - 1, Ordering::Relaxed);
    say(&format!(
        "{days} days x {CHECKS} checks x {} locations: {probes} probes recorded in {:.1} s ({:.2} us each), {:.1} MiB",
        LOCATIONS.len(),
        filled.as_secs_f64(),
        filled.as_secs_f64() * 1e6 / probes as f64,
        grown as f64 / f64::from(1 << 20),
    ));
    let verdicts = measure(times, || {
        let judged = live.evaluate(end);
        assert_eq!(judged.len(), slos.len());
    });
    let objectives = slos.len();
    say(&format!("verdict of {objectives} objectives: {verdicts}"));
    let alerts = Alerts::new();
    let sentry = Sentry::new(FastClock::real(SystemClock::new()), alerts.clone());
    sentry.adopt(&slos, START.start());
    let looks = measure(times, || {
        sentry.look(&live, end);
    });
    say(&format!("a look at all burn alerts: {looks}"));
    for (what, pace) in [
        ("as it runs", Config::default().pace),
        ("worked out anew", Duration::ZERO),
    ] {
        let scene = Scene {
            live: live.clone(),
            alerts: alerts.clone(),
            clock: Arc::<Hand>::clone(&clock),
            time_scale: 1,
            target: "http://shop.test".to_owned(),
            table: None,
            table_required: false,
            checks: names.iter().map(info).collect(),
            titles: HashMap::new(),
        };
        for path in ["/", "/api/v1/status", "/metrics"] {
            let (size, times) = ask(scene.clone(), pace, path, times).await?;
            say(&format!("GET {path} {what}: {times}, {} KiB", size >> 10));
        }
    }
    Ok(())
}

fn info(name: &Arc<str>) -> CheckInfo {
    CheckInfo {
        name: Arc::clone(name),
        kind: "http",
        every: Duration::from_secs(60),
    }
}

/// A probe a minute from each location, some slow, some bad.
fn fill(live: &Live, names: &[Arc<str>], days: u64) -> u64 {
    let mut probes = 0;
    for minute in 0..days * 1_440 {
        let scheduled = START.plus(minute).start();
        for (place, location) in LOCATIONS.iter().enumerate() {
            for (check, name) in names.iter().enumerate() {
                let noise = (minute * 31 + check as u64 * 17 + place as u64 * 7) % 97;
                let bad = minute % 997 == check as u64;
                let measurement = Measurement {
                    duration: Duration::from_micros(900 + noise * 400 + 5_000 * place as u64),
                    answered: true,
                    status: Some(if bad { 503 } else { 200 }),
                    failure: bad.then(|| Failure::new(FailureKind::Status, "503, expected 200")),
                    ..Measurement::default()
                };
                live.record(&ProbeResult {
                    check_index: check,
                    check: Arc::clone(name),
                    location: (*location).into(),
                    scheduled,
                    started: scheduled,
                    outcome: Outcome::Measured(measurement),
                });
                probes += 1;
            }
        }
        live.seal_unsaved(scheduled);
    }
    probes
}

async fn ask(
    scene: Scene,
    pace: Duration,
    path: &str,
    times: usize,
) -> anyhow::Result<(usize, String)> {
    let page = Page::bind(Config {
        pace,
        ..Config::default()
    })
    .await?;
    page.show(scene);
    let client = reqwest::Client::new();
    let url = format!("{}{path}", page.url());
    let mut laps = Vec::with_capacity(times);
    let mut size = 0;
    // As a browser does that stays: the first one opens the connection.
    for _ in 0..=times {
        let start = Instant::now();
        let answer = client.get(&url).send().await?.error_for_status()?;
        size = answer.bytes().await?.len();
        laps.push(start.elapsed());
    }
    laps.remove(0);
    page.shutdown().await;
    Ok((size, summary(laps)))
}

fn measure(times: usize, mut work: impl FnMut()) -> String {
    let mut laps = Vec::with_capacity(times);
    for _ in 0..times {
        let start = Instant::now();
        work();
        laps.push(start.elapsed());
    }
    summary(laps)
}

fn summary(mut laps: Vec<Duration>) -> String {
    laps.sort_unstable();
    let at = |percent: usize| {
        let lap = laps.get((laps.len() * percent / 100).min(laps.len().saturating_sub(1)));
        lap.copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    format!("p50 {:.2} ms, p95 {:.2} ms", at(50), at(95))
}

/// Memory of this process, in bytes.
fn resident() -> anyhow::Result<u64> {
    let status = procfs::process::Process::myself()?.status()?;
    Ok(status.vmrss.context("no VmRSS")? * 1_024)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn say(line: &str) {
    println!("{line}");
}
