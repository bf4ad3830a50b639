//! Memory of the history at 1,000 checks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use synthetics::history::{Live, Minute, Site};
use synthetics::objective::{Indicator, Slo};
use synthetics::probe::{Measurement, Outcome, Phase, Phases, ProbeResult};
use synthetics::slo::{Percent, Target};

/// Some minute of some day.
const START: Minute = Minute(29_500_000);

fn names(prefix: &str, count: usize) -> Vec<Arc<str>> {
    (0..count).map(|n| format!("{prefix}-{n}").into()).collect()
}

/// Availability, latency and success over all checks, over 7 days, with the usual alerts.
fn slos(checks: usize) -> Arc<[Slo]> {
    let on: Vec<usize> = (0..checks).collect();
    let min_good = Percent::HUNDRED;
    let within = Duration::from_millis(100);
    [
        Slo::new(
            "availability",
            Target::whole(98),
            Indicator::Availability { min_good },
            on.clone(),
        ),
        Slo::new(
            "latency",
            Target::whole(95),
            Indicator::Latency { within },
            on.clone(),
        ),
        Slo::new("success", Target::whole(96), Indicator::Success, on),
    ]
    .into()
}

fn live(checks: &[Arc<str>], places: &[Arc<str>]) -> Live {
    let site = |name: &Arc<str>| Site {
        name: Arc::clone(name),
        simulated: false,
    };
    let sites = places.iter().map(site).collect();
    Live::new(
        checks.to_vec(),
        slos(checks.len()),
        Vec::new(),
        sites,
        START.start(),
    )
}

/// The result of a probe in that second, as different from others as real ones are.
fn result(check: usize, name: &Arc<str>, location: &Arc<str>, second: u64) -> ProbeResult {
    let spread = (second * 7_919 + check as u64 * 104_729) % 60_000;
    let mut phases = Phases::default();
    phases.add(Phase::Connect, Duration::from_micros(200));
    phases.add(Phase::FirstByte, Duration::from_micros(5_000 + spread));
    let at = START.start().plus(Duration::from_secs(second));
    ProbeResult {
        check_index: check,
        check: Arc::clone(name),
        location: Arc::clone(location),
        scheduled: at,
        started: at,
        outcome: Outcome::Measured(Measurement {
            duration: phases.total(),
            phases,
            answered: true,
            status: Some(200),
            trace_id: Some(format!("{:032x}", second * 1_000 + check as u64)),
            ..Measurement::default()
        }),
    }
}

/// Resident memory of this process.
fn resident() -> anyhow::Result<u64> {
    let status = procfs::process::Process::myself()?.status()?;
    Ok(status.vmrss.context("no resident memory is told")? * 1_024)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

/// Memory of a history with 1,000 checks, each once a second, as its hour goes by, minute by
/// minute as a run without a table seals it.
pub(crate) fn measure(minutes: u64) -> anyhow::Result<Vec<(&'static str, String)>> {
    let checks = names("check", 1_000);
    let place = names("place", 1);
    let before = resident()?;
    let live = live(&checks, &place);
    let mut half = 0;
    for minute in 0..minutes {
        for second in minute * 60..(minute + 1) * 60 {
            for (at, name) in checks.iter().enumerate() {
                live.record(&result(at, name, &place[0], second));
            }
        }
        let now = START.plus(minute + 1).start();
        let evaluated = live.evaluate(now);
        anyhow::ensure!(evaluated.len() == 3, "three objectives are judged");
        live.seal_unsaved(now);
        if minute + 1 == (minutes / 2).max(1) {
            half = resident()?;
        }
    }
    let end = resident()?;
    Ok(vec![
        (
            "memory: 1,000 checks, each once a second, for",
            format!("{minutes} min"),
        ),
        ("  before", mebibytes(before)),
        ("  after half of it", mebibytes(half)),
        ("  at the end", mebibytes(end)),
    ])
}
