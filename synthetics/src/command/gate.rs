//! `synthetics gate`: a verdict as an exit code.

use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::job::{Job, Tools};
use super::{past, run, stop_on_signal, write_stdout, write_whole};
use crate::cli::{BasisArgs, GateArgs};
use crate::clock::{FastClock, SystemClock};
use crate::plan::Plan;
use crate::probe::ProbeResult;
use crate::report::{Report, annotations, json, junit, markdown, table};
use crate::run::Event;
use crate::sink::{Progress, Sink as _};
use crate::slo::Verdict;

/// Probes for the given time, or looks into the past, and prints the verdict, in colour if that
/// is allowed.
///
/// # Errors
/// Where the flags do not go together, the past cannot be read, or the output not be written.
pub(crate) async fn gate(args: GateArgs, colour: bool) -> anyhow::Result<Verdict> {
    let basis = &args.basis;
    // A gate has a rate of its own.
    let interval = basis.probe.timeout;
    let job = Job::new(&basis.probe, interval, false)?;
    let mut report = if let Some(file) = &basis.replay {
        past::replay(file, &job)?
    } else if basis.looks_back() {
        let job = job.scaled(basis.history.time_scale);
        past::history(basis, &job).await?
    } else {
        probe(basis, &job, |_| {}).await?
    };
    report.on_inconclusive = args.on_inconclusive;
    tell(&args, &report, colour)?;
    Ok(report.verdict())
}

/// Probes for the time that is asked for. Each result goes to `on` too.
///
/// # Errors
/// Where the flags do not go together.
pub(super) async fn probe(
    args: &BasisArgs,
    job: &Job,
    mut on: impl FnMut(&ProbeResult),
) -> anyhow::Result<Report> {
    let plan = Plan::within(args.time, job.wish(&args.probe))?;
    if !plan.is_enough() {
        warn_too_short(&plan, args.probe.max_rate);
    }
    let mut progress = Progress::new(plan.probes().unwrap_or(0));
    let stop = CancellationToken::new();
    let signalled = stop_on_signal(stop.clone())?;
    let mut record = run::create(args.probe.record.as_deref())?;
    let tools = Tools {
        clock: FastClock::real(SystemClock::new()),
        live: None,
        record: record.as_mut(),
    };
    let report = job
        .probe(plan, &stop, tools, |event, _| {
            if let Event::Result(result) = event {
                progress.record(result);
                on(result);
            }
        })
        .await?;
    signalled.abort();
    progress.finish();
    Ok(report)
}

fn tell(args: &GateArgs, report: &Report, colour: bool) -> anyhow::Result<()> {
    if args.json {
        write_stdout(&format!("{:#}\n", json(report)))?;
    } else {
        write_stdout(&table(report, colour && std::io::stdout().is_terminal()))?;
    }
    if let Some(path) = &args.junit {
        write_whole(path, &junit(report)?)?;
    }
    if let Some(path) = &args.markdown {
        write_whole(path, &markdown(report))?;
    }
    if let Some(path) = args
        .github_step_summary
        .as_deref()
        .filter(|p| *p != Path::new(""))
    {
        append(path, &markdown(report))?;
    }
    if args.github_actions.as_deref() == Some("true") {
        // The runner reads commands from both streams; this one does not disturb `--json`.
        let mut err = std::io::stderr().lock();
        for annotation in annotations(report) {
            // Nobody is left to tell if standard error is gone.
            let _ = writeln!(err, "{annotation}");
        }
    }
    Ok(())
}

/// Other steps write to the same summary.
fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write the summary to {}", path.display()))
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
