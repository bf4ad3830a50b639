//! Load on the bookshop: the webinar's ring of six requests and a shopper's journey, at a pace that does
//! not give way, with latencies that do not flatter.
//!
//! ```text
//! cli ──► attack (goose: users, ramp) ──► visit (ring, shopper) ──► browser (one request, timed)
//!                  pacer (schedule, turns) ──────────┘                  │
//!         record (histograms, counts) ◄─────────────────────────────────┘
//!         summary ──► table, page (HTML), JSON; threshold ──► exit code
//! ```
//!
//! What holds, whatever the shop does: no request leaves before its time in the schedule; the schedule does
//! not wait for answers; memory does not grow with the run; a shop that is down is counted and never
//! ends the run.

mod attack;
mod browser;
mod cli;
mod form;
mod latency;
mod outage;
mod pacer;
mod page;
mod progress;
mod record;
mod route;
mod schedule;
mod stop;
mod summary;
mod table;
mod threshold;
mod timeline;
mod visit;

use std::convert::Infallible;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use reqwest::Url;

pub use cli::Cli;
pub use threshold::{NotAShare, Share};

use crate::attack::Plan;
use crate::browser::Site;
use crate::pacer::Pacer;
use crate::record::Recorder;
use crate::schedule::Schedule;
use crate::stop::{Reason, Stop};
use crate::summary::{Span, Summary};
use crate::table::Table;

/// A limit is broken.
const EXIT_BROKEN: u8 = 1;
/// Bad usage, or a report that cannot be written.
const EXIT_USAGE: u8 = 2;
/// A second signal came before the end: the shell's number for an interrupt.
const EXIT_INTERRUPTED: i32 = 130;

/// Runs the load as `cli` says, until its time is over or a signal comes, and reports.
///
/// The exit code is 0, or 1 where a limit is broken, or 2 where the settings cannot be used or a report
/// cannot be written.
pub fn main(cli: Cli) -> ExitCode {
    match prepare_and_run(cli) {
        Ok(summary) if summary.passed() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(EXIT_BROKEN),
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "loadgen: {error:#}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn prepare_and_run(mut cli: Cli) -> anyhow::Result<Summary> {
    let url = cli.check()?;
    for report in [&cli.json, &cli.html].into_iter().flatten() {
        check_writable(report)?;
    }
    // Goose warns of every failed request. They are counted, so its log is off unless it is asked for.
    cli.telemetry.log_filter = format!("goose=off,{}", cli.telemetry.log_filter);
    let telemetry = telemetry::init("loadgen", &cli.telemetry)?;
    let result = run_and_report(&cli, url, telemetry.metrics());
    telemetry.shutdown();
    result
}

fn run_and_report(cli: &Cli, url: Url, metrics: telemetry::Metrics) -> anyhow::Result<Summary> {
    let stop = Stop::default();
    stop_on_signals(stop.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime could be started")?;
    let summary = runtime.block_on(run(cli, url, metrics, stop));
    // Name look-ups may still block a thread; nobody waits for them.
    runtime.shutdown_background();
    let summary = summary?;
    if !cli.quiet {
        print(&summary, cli.colour());
    }
    if let Some(path) = &cli.json {
        let mut json = serde_json::to_string_pretty(&summary).context("the report is no JSON")?;
        json.push('\n');
        write(path, &json)?;
    }
    if let Some(path) = &cli.html {
        write(
            path,
            &page::render(&summary).context("the report is no HTML")?,
        )?;
    }
    Ok(summary)
}

async fn run(
    cli: &Cli,
    url: Url,
    metrics: telemetry::Metrics,
    stop: Stop,
) -> anyhow::Result<Summary> {
    let seed = cli.seed.unwrap_or_else(rand::random);
    let recorder = Arc::new(Recorder::new(cli.max_p95, metrics));
    let schedule = (cli.rate > 0.0).then(|| Schedule::new(cli.rate, cli.ramp, cli.run_time));
    let pacer = Pacer::new(schedule, {
        let recorder = Arc::clone(&recorder);
        move |schedule, missed| recorder.missed(schedule, &missed)
    });
    let site = Arc::new(Site {
        client: browser::client(cli.timeout, cli.users).context("no HTTP client")?,
        url,
        pacer,
        recorder,
        outages: outage::Outages::default(),
        stop,
    });
    let visits = visit::Visits::new(cli.ring_weight, cli.shopper_weight, cli.products, seed);
    let plan = Plan {
        users: cli.users,
        ramp: cli.ramp,
        run_time: cli.run_time,
        grace: cli.grace,
        shift: attack::SHIFT,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the date on the report; nothing is measured or judged by it"
    )]
    let started_at = SystemTime::now();
    let interactive = std::io::stdout().is_terminal();
    if !interactive {
        tracing::info!(target_url = %site.url, rate_per_s = cli.rate, users = cli.users, "load begins");
    }
    let progress = async {
        let draws = std::io::stderr().is_terminal() && !cli.quiet;
        let bar = async {
            if draws {
                progress::bar(&site, cli.run_time).await;
            }
        };
        let log = async {
            if !interactive {
                progress::log(&site).await;
            }
        };
        tokio::join!(bar, log);
        std::future::pending::<Infallible>().await
    };
    let sent_until = async {
        site.stop.draining().await;
        if !interactive {
            let grace_ms = u64::try_from(cli.grace.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(grace_ms, "load stops");
        }
        Instant::now()
    };
    let load = attack::run(plan, Arc::clone(&site), Arc::new(visits));
    let load = async { tokio::join!(load, sent_until) };
    let (result, sent_until) = tokio::select! {
        result = load => result,
        never = progress => match never {},
    };
    result?;
    let duration = site
        .pacer
        .start_time()
        .map_or(Duration::ZERO, |start| sent_until - start);
    let span = Span {
        started_at,
        duration,
        ended_by: site.stop.reason(),
    };
    let summary = {
        let records = site.recorder.lock();
        Summary::new(cli, site.url.to_string(), seed, span, &records)
    };
    if !interactive {
        tracing::info!(
            requests = summary.totals.requests,
            errors = summary.totals.errors,
            missed = summary.missed,
            p95_ms = summary.totals.raw.map(|raw| raw.p95_ms),
            corrected_p95_ms = summary.totals.corrected.map(|x| x.p95_ms),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            "load ended"
        );
    }
    Ok(summary)
}

/// SIGINT, SIGTERM and SIGHUP end the run with its summary; a second one ends the program. Goose finds its
/// own handler's place taken and goes on without.
fn stop_on_signals(stop: Stop) -> anyhow::Result<()> {
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            #[expect(
                clippy::disallowed_methods,
                reason = "whoever signals twice wants out now, without the summary"
            )]
            std::process::exit(EXIT_INTERRUPTED);
        }
        stop.drain(Reason::Signal);
    })
    .context("signals cannot be handled")
}

fn print(summary: &Summary, colour: bool) {
    let mut out = std::io::stdout().lock();
    let colour = colour && out.is_terminal();
    // A reader that has gone away does not change the result.
    let _ = writeln!(out, "{}", Table { summary, colour }).and_then(|()| out.flush());
}

/// Fails before the run where a report could not be written after it.
fn check_writable(path: &Path) -> anyhow::Result<()> {
    let tried = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path);
    tried.map(drop).with_context(|| {
        format!(
            "the report {} cannot be written: choose a file in a folder that is there",
            path.display()
        )
    })
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text)
        .with_context(|| format!("the report {} cannot be written", path.display()))
}
