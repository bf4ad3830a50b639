//! `synthetics run`: probing on and on.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use super::job::{Job, Tools};
use super::keep::{self, Kept};
use super::{stop_on_signal, write_stdout, write_whole};
use crate::alert::webhook::{Patience, Webhooks};
use crate::alert::{Alerts, Evidence, Sentry, Teller};
use crate::cli::{PageArgs, ProbeArgs, RunArgs};
use crate::clock::Clock as _;
use crate::config::{Config, Reload, Watcher};
use crate::history::Minute;
use crate::page::{self, Page};
use crate::plan::Plan;
use crate::report::{Basis, Report, json, table};
use crate::run::Event;
use crate::setup;
use crate::sink::{Dogstatsd, Record, Sink as _, StateLog};

/// How long the last messages of alerts may take when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Probes until the time is over or the process is told to stop, and reports.
///
/// # Errors
/// Where the flags do not go together, the report cannot be written, or the history has another
/// prober.
pub(crate) async fn run(args: RunArgs, metrics: Metrics, colour: bool) -> anyhow::Result<()> {
    let interval = match args.time {
        Some(_) => args.interval.max(args.probe.timeout),
        None => args.interval,
    };
    let scale = args.history.time_scale;
    let mut job = Job::new(&args.probe, interval, args.simulate)?.scaled(scale);
    let stop = CancellationToken::new();
    let signalled = stop_on_signal(stop.clone())?;
    let mut watcher = args.probe.config.as_deref().map(Watcher::new);
    let mut record = create(args.probe.record.as_deref())?;
    let page = open_page(&args.page).await?;
    let exposition = page.as_ref().map(Page::exposition);
    let store = keep::open(&args.history, &job).await?;
    let clock = keep::clock(&args.history, store.as_ref()).await?;
    let alerts = Alerts::new();
    let sentry = Sentry::new(clock, alerts.clone());
    let patience = Patience::default();
    let webhooks = Webhooks::new(job.metrics(&metrics), store.clone(), patience)?;
    let mut teller: Option<Teller> = None;
    let mut report = loop {
        let wish = job.wish(&args.probe);
        let plan = match args.time {
            Some(time) => Plan::within(time, wish)?,
            None => Plan::each(&job.intervals, Minute::LENGTH, wish)?,
        };
        tracing::info!(
            target_url = %args.probe.target,
            checks = job.checks.len(),
            round_ms = plan.round.as_secs_f64() * 1_000.0,
            slice_ms = plan.slice.as_secs_f64() * 1_000.0,
            time_scale = clock.factor(),
            history = store.as_ref().map_or("in memory", |store| store.table()),
            "prober started"
        );
        let mut kept = Kept::start(&job, store.as_ref(), clock);
        let mut dogstatsd = Dogstatsd::new(job.metrics(&metrics), clock.factor());
        dogstatsd.judge(&job.sites());
        // What the configuration has no more is told to whom that one named.
        let gone = sentry.adopt(&job.slos, clock.now());
        if let Some(before) = &teller {
            gone.iter().for_each(|change| before.tell(change));
        }
        webhooks.adopt(&job.webhooks);
        let mut evidence = Evidence::default();
        let told = Teller {
            clock,
            slos: job.slos.clone(),
            notify: job.notify.clone(),
            live: kept.live.clone(),
            evidence: evidence.clone(),
            dogstatsd: dogstatsd.clone(),
            webhooks: webhooks.clone(),
        };
        teller = Some(told.clone());
        let mut states = StateLog::default();
        if let Some(page) = &page {
            let shown = job.scene(&kept.live, &alerts, clock, store.as_ref(), &args.history);
            page.show(shown);
        }
        // The session also ends when there is a new configuration, or no place for the history.
        let session = stop.child_token();
        let live = kept.live.clone();
        let watching = sentry
            .clone()
            .watch(live.clone(), session.clone(), move |change| {
                told.tell(change)
            });
        let watching = tokio::spawn(watching);
        let tools = Tools {
            clock,
            live: plan.rounds.is_none().then_some(&live),
            record: record.as_mut(),
        };
        // One with an end is judged by its rounds, and its minutes are kept all the same.
        let also = plan.rounds.is_some().then_some(&live);
        let probing = job.probe(plan, &session, tools, |event, objectives| match event {
            Event::Result(result) => {
                dogstatsd.record(result);
                states.record(result);
                evidence.record(result);
                if let Some(exposition) = &exposition {
                    exposition.count(result);
                }
                if let Some(live) = also {
                    live.record(result);
                }
            }
            Event::Interval => dogstatsd.objectives(&objectives(), &alerts.all()),
        });
        let reloading = reload(watcher.as_mut(), &args.probe, interval, &session);
        // Whoever ends first, the report is there: a reload stops the probing.
        let (report, config) = {
            let mut probing = std::pin::pin!(probing);
            tokio::select! {
                report = &mut probing => (report?, None),
                config = reloading => (probing.await?, Some(config)),
                broken = kept.broken() => match broken? {},
            }
        };
        session.cancel();
        watching.await.context("the alerts' watch broke")?;
        kept.end().await?;
        match config {
            Some(config) if !stop.is_cancelled() => {
                job = Job::with(config, &args.probe, args.simulate).scaled(scale);
            }
            _ => {
                dogstatsd.objectives(&report.objectives, &alerts.all());
                break report;
            }
        }
    };
    signalled.abort();
    webhooks.end(LAST_WORDS).await;
    if let Some(page) = page {
        page.shutdown().await;
    }
    // A run ends when it is told to, and then judges what it has.
    if let Basis::Probes { interrupted, .. } = &mut report.basis {
        *interrupted = false;
    }
    tell(&args, &report, colour)
}

/// The page, at once: it says that it is starting, and what is asked for in the wrong way fails
/// before anything is probed.
async fn open_page(args: &PageArgs) -> anyhow::Result<Option<Page>> {
    if args.no_page {
        return Ok(None);
    }
    let config = |port| page::Config {
        address: SocketAddr::from((args.listen_address, port)),
        allowed_hosts: args.allow_host.clone(),
        allowed_frames: args.allow_frame.clone(),
        ..page::Config::default()
    };
    let usual = PageArgs::PORT;
    let page = match Page::bind(config(args.port.unwrap_or(usual))).await {
        // A second prober on the same machine need not be told.
        Err(error) if error.is_taken() && args.port.is_none() => {
            let page = Page::bind(config(0)).await?;
            tracing::info!(
                usual,
                "another program has the usual port, so a free one is taken"
            );
            page
        }
        page => page?,
    };
    tracing::info!(page = page.url(), "status page");
    Ok(Some(page))
}

fn tell(args: &RunArgs, report: &Report, colour: bool) -> anyhow::Result<()> {
    for objective in &report.objectives {
        tracing::info!(
            slo = objective.slo.name,
            verdict = objective.judgement.verdict.name(),
            good = objective.counts.good,
            bad = objective.counts.bad,
            target = %objective.slo.target,
            "objective judged"
        );
    }
    if let Some(path) = &args.json {
        write_whole(path, &format!("{:#}\n", json(report)))?;
    } else if args.time.is_some() {
        write_stdout(&table(report, colour && std::io::stdout().is_terminal()))?;
    }
    Ok(())
}

/// The file that results are recorded in.
pub(super) fn create(path: Option<&std::path::Path>) -> anyhow::Result<Option<Record>> {
    let create = |path: &std::path::Path| {
        Record::create(path).with_context(|| format!("cannot write to {}", path.display()))
    };
    path.map(create).transpose()
}

/// Waits for a new configuration that is sound, ends the session, and hands it over. Without a
/// file it waits for ever; a file with mistakes is told of, and what there was goes on.
async fn reload(
    watcher: Option<&mut Watcher>,
    args: &ProbeArgs,
    interval: Duration,
    session: &CancellationToken,
) -> Config {
    let Some(watcher) = watcher else {
        return std::future::pending().await;
    };
    let environment = setup::environment(args, interval);
    loop {
        match watcher.changed(&environment).await {
            Ok(Reload::New(config)) => {
                tracing::info!(file = %config.file, "configuration read again");
                session.cancel();
                return *config;
            }
            Ok(Reload::Kept(error)) => {
                tracing::error!(%error, "configuration not read again, the old one goes on");
            }
            Err(error) => {
                tracing::error!(%error, "configuration is not watched any more");
                return std::future::pending().await;
            }
        }
    }
}
