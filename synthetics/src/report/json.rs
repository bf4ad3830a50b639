//! The report as JSON. Counts are the truth; percentages are rounded for reading.

use serde_json::{Map, Value, json};

use super::{Basis, CheckReport, Report};
use crate::evaluate::Evaluation;
use crate::history::NotedProbe;
use crate::objective::Indicator;
use crate::slo::Ratio;
use crate::tally::Shown;

/// Version of the form: raised when a field goes or changes its meaning.
const VERSION: u32 = 1;

/// The report as one JSON value.
#[must_use]
pub fn json(report: &Report) -> Value {
    let verdict = report.verdict();
    let (probes, gaps) = report.probes();
    let checks: Vec<_> = report.checks.iter().map(check).collect();
    let mut value = json!({
        "version": VERSION,
        "verdict": verdict.name(),
        "exit_code": verdict.exit_code(),
        "measured_verdict": report.measured_verdict().name(),
        "interrupted": report.interrupted(),
        "target": report.target,
        "location": report.location,
        "started": report.started.to_string(),
        "duration_ms": millis(report.length.as_secs_f64()),
        "time_scale": report.time_scale,
        "probes": count(probes),
        "gaps": gaps,
        "slos": report.objectives.iter().map(objective).collect::<Vec<_>>(),
        "checks": checks,
    });
    let (name, basis) = match &report.basis {
        Basis::Probes { plan, .. } => (
            "plan",
            json!({
                "round_ms": millis(plan.round.as_secs_f64()),
                "slice_ms": millis(plan.slice.as_secs_f64()),
                "rounds": plan.rounds,
                "rounds_needed": plan.needed,
                "probes_per_second": (plan.rate() * 100.0).round() / 100.0,
            }),
        ),
        Basis::History { table, window } => {
            ("history", json!({ "table": table, "window": window }))
        }
        Basis::Recording { file, cut } => ("recording", json!({ "file": file, "cut": cut })),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), basis);
    }
    value
}

/// One objective.
pub(crate) fn objective(evaluation: &Evaluation) -> Value {
    let slo = &evaluation.slo;
    let mut value = json!({
        "name": slo.name,
        "title": slo.title,
        "kind": slo.indicator.kind(),
        "target": slo.target.to_string(),
        "location_rule": slo.rule.name(),
        "good": evaluation.counts.good,
        "bad": evaluation.counts.bad,
        "total": count(evaluation.counts.total()),
        "gaps": evaluation.gaps,
        "sli_percent": percent(evaluation.counts.sli()),
        "budget_remaining_percent": percent(evaluation.remaining),
        "events_left": i64::try_from(evaluation.events_left).ok(),
        "from": evaluation.range.map(|(from, _)| from.to_string()),
        "until": evaluation.range.map(|(_, until)| until.to_string()),
        "dropped": evaluation.dropped,
        "retried": evaluation.retried,
        "slices": evaluation.slices,
        "coverage": evaluation.coverage,
        "verdict": evaluation.judgement.verdict.name(),
        "reason": evaluation.judgement.reason,
        "needed": evaluation.judgement.needed,
    });
    if let (Indicator::Latency { within }, Some(fields)) = (slo.indicator, value.as_object_mut()) {
        fields.insert("within_ms".into(), millis(within.as_secs_f64()));
        p95(fields, evaluation.p95.unwrap_or(Shown::Nothing));
    }
    value
}

fn check(check: &CheckReport) -> Value {
    let mut value = json!({
        "name": check.name,
        "good": check.results.good,
        "bad": check.results.bad,
        "gaps": check.gaps,
        "failures": check.failures,
        "last_failure": check.last_failure.as_ref().map(|last| json!({
            "at": last.scheduled.to_string(),
            "kind": last.failure.kind.name(),
            "detail": last.failure.detail,
            "trace_id": last.trace_id,
        })),
        "worst": check.worst.iter().map(noted).collect::<Vec<_>>(),
    });
    if let Some(fields) = value.as_object_mut() {
        p95(fields, check.p95);
    }
    value
}

/// A probe that somebody may want to look at.
pub(crate) fn noted(probe: &NotedProbe) -> Value {
    let phases: Map<String, Value> = probe
        .phases
        .iter()
        .filter(|(_, time)| !time.is_zero())
        .map(|(phase, time)| (format!("{}_ms", phase.name()), millis(time.as_secs_f64())))
        .collect();
    let failure = probe.failure.as_ref();
    json!({
        "at": probe.scheduled.to_string(),
        "duration_ms": millis(probe.duration.as_secs_f64()),
        "answered": probe.answered,
        "status": probe.status,
        "kind": failure.map(|(kind, _)| kind),
        "detail": failure.map(|(_, detail)| detail),
        "trace_id": probe.trace_id,
        "phases": phases,
    })
}

/// `p95_ms` is null where there is no value; `p95_unanswered` tells the one reason from the other.
fn p95(fields: &mut Map<String, Value>, shown: Shown) {
    let value = match shown {
        Shown::Value(duration) => millis(duration.as_secs_f64()),
        Shown::Unanswered | Shown::Nothing => Value::Null,
    };
    fields.insert("p95_ms".into(), value);
    fields.insert("p95_unanswered".into(), json!(shown == Shown::Unanswered));
}

/// Milliseconds with three digits after the point.
fn millis(seconds: f64) -> Value {
    json!((seconds * 1e6).round() / 1e3)
}

/// A percentage with six digits after the point, or null.
fn percent(ratio: Option<Ratio>) -> Option<f64> {
    ratio.map(|ratio| (ratio.to_f64() * 1e8).round() / 1e6)
}

fn count(events: u128) -> u64 {
    u64::try_from(events).unwrap_or(u64::MAX)
}
