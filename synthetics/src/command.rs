//! The subcommands, from parsed flags to the exit code.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use telemetry::Metrics;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{GateArgs, ProbeArgs, RunArgs};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{Config, Reload, Watcher};
use crate::evaluate::{Evaluation, evaluate};
use crate::objective::{Slo, latency_limits};
use crate::plan::{Plan, Wish};
use crate::probe::Check;
use crate::report::{Report, json, table};
use crate::run::{Event, Place, Session};
use crate::schedule::{RealTimer, Timer as _};
use crate::setup;
use crate::sink::{Dogstatsd, Progress, Sink as _, StateLog};
use crate::slo::{OnInconclusive, Verdict};
use crate::tally::{Layout, Tally};

/// Length of a slice of a run without end, as the objectives have it.
const SLICE: Duration = Duration::from_secs(60);
/// A run without end is judged over this window.
const WINDOW: Duration = Duration::from_secs(7 * 86_400);
/// How often objectives go out as metrics.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);
/// Slices without a result after which a run's last verdict is stale.
const STALE_SLICES: u32 = 3;

/// Probes for the given time and prints the verdict, in colour if that is allowed.
///
/// # Errors
/// Where the flags do not go together, or the output cannot be written.
pub(crate) async fn gate(args: GateArgs, colour: bool) -> anyhow::Result<Verdict> {
    // A gate has a rate of its own.
    let interval = args.probe.timeout;
    let mut job = Job::new(&args.probe, interval, false)?;
    let plan = Plan::within(args.time, job.wish(&args.probe))?;
    if !plan.is_enough() {
        warn_too_short(&plan, args.probe.max_rate);
    }
    let mut progress = Progress::new(plan.probes().unwrap_or(0));
    let stop = CancellationToken::new();
    let signalled = stop_on_signal(stop.clone())?;
    let mut report = job
        .probe(plan, &stop, |event, _| {
            if let Event::Result(result) = event {
                progress.record(result);
            }
        })
        .await?;
    signalled.abort();
    progress.finish();
    report.on_inconclusive = args.on_inconclusive;
    if args.json {
        write_stdout(&format!("{:#}\n", json(&report)))?;
    } else {
        write_stdout(&table(&report, colour && std::io::stdout().is_terminal()))?;
    }
    Ok(report.verdict())
}

/// Probes until the time is over or the process is told to stop, and reports.
///
/// # Errors
/// Where the flags do not go together, or the report cannot be written.
pub(crate) async fn run(args: RunArgs, metrics: Metrics, colour: bool) -> anyhow::Result<()> {
    let interval = match args.time {
        Some(_) => args.interval.max(args.probe.timeout),
        None => args.interval,
    };
    let mut job = Job::new(&args.probe, interval, args.simulate)?;
    let stop = CancellationToken::new();
    let signalled = stop_on_signal(stop.clone())?;
    let mut watcher = args.probe.config.as_deref().map(Watcher::new);
    let mut dogstatsd = Dogstatsd::new(metrics);
    let mut report = loop {
        let wish = job.wish(&args.probe);
        let plan = match args.time {
            Some(time) => Plan::within(time, wish)?,
            None => Plan::each(&job.intervals, SLICE, wish)?,
        };
        tracing::info!(
            target_url = %args.probe.target,
            checks = job.checks.len(),
            round_ms = plan.round.as_secs_f64() * 1_000.0,
            slice_ms = plan.slice.as_secs_f64() * 1_000.0,
            "prober started"
        );
        let mut states = StateLog::default();
        // The session also ends when there is a new configuration.
        let session = stop.child_token();
        let probing = job.probe(plan, &session, |event, objectives| match event {
            Event::Result(result) => {
                dogstatsd.record(result);
                states.record(result);
            }
            Event::Interval => dogstatsd.objectives(&objectives()),
        });
        let reloading = reload(watcher.as_mut(), &args.probe, interval, &session);
        // Whoever ends first, the report is there: a reload stops the probing.
        let (report, config) = {
            let mut probing = std::pin::pin!(probing);
            tokio::select! {
                report = &mut probing => (report?, None),
                config = reloading => (probing.await?, Some(config)),
            }
        };
        match config {
            Some(config) if !stop.is_cancelled() => {
                job = Job::with(config, &args.probe, args.simulate);
            }
            _ => break report,
        }
    };
    signalled.abort();
    // A run ends when it is told to, and then judges what it has.
    report.interrupted = false;
    dogstatsd.objectives(&report.objectives);
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
        write_whole(path, &format!("{:#}\n", json(&report)))?;
    } else if args.time.is_some() {
        write_stdout(&table(&report, colour && std::io::stdout().is_terminal()))?;
    }
    Ok(())
}

/// Checks and objectives with what is needed to run them.
struct Job {
    checks: Arc<[Check]>,
    slos: Vec<Slo>,
    intervals: Vec<Duration>,
    places: Arc<[Place]>,
    target: String,
    clock: SystemClock,
}

impl Job {
    fn new(args: &ProbeArgs, interval: Duration, play: bool) -> anyhow::Result<Self> {
        Ok(Self::with(setup::config(args, interval)?, args, play))
    }

    fn with(config: Config, args: &ProbeArgs, play: bool) -> Self {
        let checks = config.checks.iter().map(|planned| planned.check.clone());
        Self {
            checks: checks.collect(),
            intervals: config
                .checks
                .iter()
                .map(|planned| planned.interval)
                .collect(),
            places: setup::places(&config, args, play),
            slos: config.slos,
            target: args.target.as_str().trim_end_matches('/').to_owned(),
            clock: SystemClock::new(),
        }
    }

    fn places(&self) -> Vec<Arc<str>> {
        self.places
            .iter()
            .map(|place| Arc::clone(&place.name))
            .collect()
    }

    fn wish(&self, args: &ProbeArgs) -> Wish<'_> {
        Wish {
            checks: self.checks.len(),
            slos: &self.slos,
            timeout: self
                .checks
                .iter()
                .map(Check::longest)
                .max()
                .unwrap_or(args.timeout),
            max_rate: args.max_rate,
        }
    }

    /// Runs the plan to its end or until `stop` is cancelled. Each event goes to `on`, with a way to ask for
    /// the objectives as they stand.
    async fn probe(
        &mut self,
        plan: Plan,
        stop: &CancellationToken,
        mut on: impl FnMut(Event<'_>, &dyn Fn() -> Vec<Evaluation>),
    ) -> anyhow::Result<Report> {
        let start = self.clock.now();
        let timer = RealTimer::start();
        let retain = match plan.rounds {
            Some(rounds) => usize::try_from(rounds)?,
            None => usize::try_from(WINDOW.as_nanos() / plan.slice.as_nanos())?,
        };
        let mut tally = Tally::new(Layout {
            checks: self.checks.len(),
            locations: self.places(),
            limits: latency_limits(&self.slos),
            origin: start,
            slice: plan.slice,
            retain,
        });
        let session = Session {
            checks: Arc::clone(&self.checks),
            places: Arc::clone(&self.places),
            start,
        };
        let slos = &self.slos;
        let clock = &self.clock;
        session
            .run(
                plan.lanes(),
                timer,
                stop.clone(),
                REPORT_INTERVAL,
                |event| {
                    if let Event::Result(result) = event {
                        tally.record(result);
                    }
                    on(event, &|| objectives(slos, &tally, clock.now(), &plan));
                },
            )
            .await;
        let interrupted = stop.is_cancelled() && plan.rounds.is_some();
        // The last probes may have taken longer than the last round.
        let length = timer.elapsed().min(plan.length().unwrap_or(Duration::MAX));
        let objectives = objectives(&self.slos, &tally, start.plus(length), &plan);
        let names = self.checks.iter().map(|check| check.name.to_string());
        Ok(Report {
            target: self.target.clone(),
            location: self.places().join(", "),
            started: start,
            length,
            interrupted,
            objectives,
            checks: names.zip(tally.totals().iter().cloned()).collect(),
            on_inconclusive: OnInconclusive::default(),
            plan,
        })
    }
}

fn objectives(slos: &[Slo], tally: &Tally, now: Timestamp, plan: &Plan) -> Vec<Evaluation> {
    // In a plan with an end, slices at the end that were not measured lower the coverage; that
    // says more than a mere "stale".
    let stale = plan.rounds.is_none()
        && tally
            .newest()
            .is_some_and(|newest| now.since(newest) > plan.slice * STALE_SLICES);
    slos.iter()
        .map(|slo| evaluate(slo, tally, &[], now, stale))
        .collect()
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

/// Cancels `stop` on SIGINT or SIGTERM.
fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
    }))
}

fn warn_too_short(plan: &Plan, max_rate: u32) {
    let rounds = plan.rounds.unwrap_or(0);
    let needed =
        plan.round * u32::try_from(plan.needed.saturating_mul(10).div_ceil(9)).unwrap_or(u32::MAX);
    let needed = Duration::from_secs(needed.as_secs() + u64::from(needed.subsec_nanos() > 0));
    // Advice that cannot be printed is no reason to stop.
    let _ = writeln!(
        std::io::stderr(),
        "warning: {rounds} rounds fit, {} are needed for a verdict: give --for {} or a --max-rate above {max_rate}",
        plan.needed,
        humantime::format_duration(needed),
    );
}

fn write_stdout(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that has seen enough (`| head`) does not change the verdict.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Writes beside the file and renames, so that no reader ever sees half a report.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut name = path
        .file_name()
        .context("--json needs a file name")?
        .to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, path))
        .with_context(|| format!("cannot write the report to {}", path.display()))
}
