//! `synthetics explain`: how the numbers of one objective come about.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::job::Job;
use super::{gate, past, write_stdout};
use crate::cli::{BasisArgs, ExplainArgs};
use crate::config::problem::suggest;
use crate::evaluate::evaluate_at;
use crate::explain::{self, Explained, Worst};
use crate::objective::Slo;
use crate::report::Report;

/// Explains an objective, in colour if that is allowed.
///
/// # Errors
/// Where there is no such objective, or as for a gate.
pub(crate) async fn explain(args: ExplainArgs, colour: bool) -> anyhow::Result<()> {
    let basis = &args.basis;
    let mut job = Job::new(&basis.probe, basis.probe.timeout, false)?;
    let names = job.slos.iter().map(|slo| slo.name.as_str());
    let Some(slo) = job.slos.iter().find(|slo| slo.name == args.slo).cloned() else {
        bail!(
            "there is no objective `{}`; {}",
            args.slo,
            suggest(&args.slo, names)
        );
    };
    job.slos = [slo.clone()].into();
    let explained = if let Some(file) = &basis.replay {
        recording(file, &job, &slo)?
    } else if basis.looks_back() {
        let job = job.scaled(basis.history.time_scale);
        history(basis, &job, &slo).await?
    } else {
        probes(basis, &job, &slo).await?
    };
    if args.json {
        return write_stdout(&format!("{:#}\n", explain::json(&explained)));
    }
    let colour = colour && std::io::stdout().is_terminal();
    write_stdout(&explain::text(&explained, colour))
}

/// Names of the checks of an objective.
fn checks(job: &Job, slo: &Slo) -> Vec<Arc<str>> {
    let names = job.names();
    let own = slo.checks.iter().filter_map(|at| names.get(*at));
    own.cloned().collect()
}

fn explained(report: Report, job: &Job, slo: &Slo, worst: Worst) -> anyhow::Result<Explained> {
    let evaluation = report.objectives.first().cloned();
    let own = checks(job, slo);
    let is_own = |name: &str| own.iter().any(|own| **own == *name);
    Ok(Explained {
        evaluation: evaluation.context("the objective was not judged")?,
        locations: Vec::new(),
        burn: None,
        checks: report
            .checks
            .iter()
            .filter(|c| is_own(&c.name))
            .cloned()
            .collect(),
        worst: worst.finish(),
        report,
    })
}

fn recording(file: &Path, job: &Job, slo: &Slo) -> anyhow::Result<Explained> {
    let mut worst = Worst::of(checks(job, slo));
    let found = past::read(file, job, |result| worst.record(result))?;
    let mut explained = explained(past::of_recording(file, job, &found), job, slo, worst)?;
    let locations = found.tally.layout().locations.iter().enumerate();
    explained.locations = locations
        .map(|(at, name)| {
            let by_itself = evaluate_at(slo, &found.tally, &job.maintenance, found.until, at);
            (Arc::clone(name), by_itself)
        })
        .collect();
    Ok(explained)
}

async fn history(args: &BasisArgs, job: &Job, slo: &Slo) -> anyhow::Result<Explained> {
    let past = past::look(args, job, true).await?;
    let report = past.report(job);
    let (range, stale) = past.range(job, 0).context("the objective was not judged")?;
    let maintenance = &job.maintenance;
    let mut locations = past.view.evaluate_by_location(0, maintenance, &range);
    locations.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let burn = past.view.burn(0, maintenance, range.end, stale);
    Ok(Explained {
        locations,
        burn: Some(burn),
        ..explained(report, job, slo, past.worst)?
    })
}

async fn probes(args: &BasisArgs, job: &Job, slo: &Slo) -> anyhow::Result<Explained> {
    let mut worst = Worst::of(checks(job, slo));
    let report = gate::probe(args, job, |result| worst.record(result)).await?;
    let mut explained = explained(report, job, slo, worst)?;
    // There is one location, this one.
    let location = explained.report.location.as_str().into();
    explained.locations = vec![(location, explained.evaluation.clone())];
    Ok(explained)
}
