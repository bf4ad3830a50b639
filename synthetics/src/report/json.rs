//! The report as JSON. Counts are the truth; percentages are rounded for reading.

use serde_json::{Map, Value, json};

use super::Report;
use crate::evaluate::Evaluation;
use crate::objective::Indicator;
use crate::slo::{Percent, Ratio};
use crate::tally::{CheckTotals, Shown};

/// Version of the form: raised when a field goes or changes its meaning.
const VERSION: u32 = 1;

/// The report as one JSON value.
#[must_use]
pub fn json(report: &Report) -> Value {
    let verdict = report.verdict();
    let (probes, gaps) = report.probes();
    let plan = &report.plan;
    json!({
        "version": VERSION,
        "verdict": verdict.name(),
        "exit_code": verdict.exit_code(),
        "measured_verdict": report.measured_verdict().name(),
        "interrupted": report.interrupted,
        "target": report.target,
        "location": report.location,
        "started": report.started.to_string(),
        "duration_ms": millis(report.length.as_secs_f64()),
        "probes": count(probes),
        "gaps": gaps,
        "plan": {
            "round_ms": millis(plan.round.as_secs_f64()),
            "slice_ms": millis(plan.slice.as_secs_f64()),
            "rounds": plan.rounds,
            "rounds_needed": plan.needed,
            "probes_per_second": (plan.rate() * 100.0).round() / 100.0,
        },
        "slos": report.objectives.iter().map(objective).collect::<Vec<_>>(),
        "checks": report.checks.iter().map(|(name, totals)| check(name, totals)).collect::<Vec<_>>(),
    })
}

fn objective(evaluation: &Evaluation) -> Value {
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

fn check(name: &str, totals: &CheckTotals) -> Value {
    let failures: Map<String, Value> = totals
        .failures
        .iter()
        .map(|(kind, count)| (kind.name().into(), json!(count)))
        .collect();
    let mut value = json!({
        "name": name,
        "good": totals.results.good,
        "bad": totals.results.bad,
        "gaps": totals.gaps,
        "failures": failures,
        "last_failure": totals.last_failure.as_ref().map(|last| json!({
            "at": last.scheduled.to_string(),
            "kind": last.failure.kind.name(),
            "detail": last.failure.detail,
            "trace_id": last.trace_id,
        })),
    });
    if let Some(fields) = value.as_object_mut() {
        p95(fields, totals.latencies.percentile(Percent::P95));
    }
    value
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
