//! The wording that every form of the report has in common.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Basis, CheckReport, Report};
use crate::evaluate::Evaluation;
use crate::objective::Indicator;
use crate::slo::{Percent, Reason, Rounding, Verdict, samples};
use crate::tally::Shown;

/// What is not there.
pub(crate) const NOTHING: &str = "-";

/// A duration in milliseconds for people: `12.3 ms`.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

/// What was judged: one line for its source, one for its slices, one for what is missing.
pub(crate) fn heading(report: &Report) -> Vec<String> {
    let (probes, gaps) = report.probes();
    let (target, from) = (&report.target, &report.location);
    let mut lines = match &report.basis {
        Basis::Probes { plan, .. } => {
            let length = format!("{:.1} s", report.length.as_secs_f64()).replace(".0 s", " s");
            let slices = if plan.slice == plan.round {
                "availability is judged in slices of one round".to_owned()
            } else {
                let slice = humantime::format_duration(plan.slice);
                format!("availability is judged in slices of {slice}")
            };
            vec![
                format!(
                    "{target} from {from}: {probes} probes in {length}, a round of {} checks every {} ms ({:.1} probes a second)",
                    plan.checks,
                    plan.round.as_millis(),
                    plan.rate(),
                ),
                slices,
            ]
        }
        Basis::History { table, window } => vec![
            format!("{window} of {table}: {probes} probes from {from}"),
            span(report),
        ],
        Basis::Recording { file, cut } => {
            let cut = if *cut {
                ", whose last line is cut off"
            } else {
                ""
            };
            vec![
                format!("{file}{cut}: {probes} probes of {target} from {from}"),
                span(report),
            ]
        }
    };
    lines.extend(clock(report));
    if gaps > 0 {
        lines.push(format!(
            "{gaps} probes were not sent in time: gaps, in no count"
        ));
    }
    lines
}

/// What a reader must know of a clock that is not the real one.
fn clock(report: &Report) -> Option<String> {
    let scale = report.time_scale;
    (scale != 1).then(|| format!("on a clock that runs {scale} times as fast as real time"))
}

/// `text`, where it stands alone, with a word on the clock if that is not the real one.
pub(super) fn labelled(report: &Report, text: String) -> String {
    match clock(report) {
        Some(clock) => format!("{text}; {clock}"),
        None => text,
    }
}

fn span(report: &Report) -> String {
    let until = report.started.plus(report.length);
    format!("from {} to {until}", report.started)
}

/// The SLI, cut and not rounded: 97.999 % must not look like 98 %.
pub(crate) fn measured(evaluation: &Evaluation) -> String {
    evaluation.counts.sli().map_or_else(
        || NOTHING.to_owned(),
        |sli| {
            let text = sli.to_decimal(2, 2, Rounding::Truncate);
            format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
        },
    )
}

/// Good events of all.
pub(crate) fn counts(evaluation: &Evaluation) -> String {
    let what = match evaluation.slo.indicator {
        Indicator::Availability { .. } => "slices",
        Indicator::Latency { .. } | Indicator::Success => "requests",
    };
    let counts = evaluation.counts;
    format!("{} of {} {what}", counts.good, counts.total())
}

/// The budget in percent, and in events.
pub(super) fn budget(evaluation: &Evaluation) -> String {
    evaluation.remaining.map_or_else(
        || NOTHING.to_owned(),
        |remaining| {
            let percent = remaining.to_decimal(2, 0, Rounding::Nearest);
            match evaluation.events_left {
                left @ 0.. => format!("{percent}% ({left} more)"),
                over => format!("{percent}% ({} over)", over.unsigned_abs()),
            }
        },
    )
}

/// The 95th percentile of a latency objective.
pub(crate) fn p95(evaluation: &Evaluation) -> String {
    let minimum = samples::for_percentile(Percent::P95).map_or(0, u128::from);
    match evaluation.p95 {
        None | Some(Shown::Nothing) => NOTHING.to_owned(),
        Some(Shown::Unanswered) => "no answer".to_owned(),
        Some(Shown::Value(_)) if evaluation.counts.total() < minimum => format!("needs {minimum}"),
        Some(Shown::Value(value)) => millis(value),
    }
}

/// What is wrong with a check, where anything is.
pub(super) fn failing(check: &CheckReport) -> Option<String> {
    if check.results.bad == 0 {
        return None;
    }
    let mut text = format!(
        "{}: {} of {} bad",
        check.name,
        check.results.bad,
        check.results.total()
    );
    let worst = check.worst.iter().find(|probe| probe.failure.is_some());
    let example = match (&check.last_failure, worst) {
        (Some(last), _) => Some(("last", &last.failure.detail, &last.trace_id)),
        (None, Some(worst)) => {
            let detail = worst.failure.as_ref().map(|(_, detail)| detail);
            detail.map(|detail| ("such as", detail, &worst.trace_id))
        }
        (None, None) => None,
    };
    if let Some((which, detail, trace)) = example {
        let _ = write!(text, ", {which}: {detail}");
        if let Some(trace) = trace {
            let _ = write!(text, " (trace {trace})");
        }
    }
    Some(text)
}

/// Why a verdict is not simply what the numbers beside it say.
pub(crate) fn why(evaluation: &Evaluation) -> Option<String> {
    let needed = evaluation.judgement.needed;
    let (total, bad) = (evaluation.counts.total(), evaluation.counts.bad);
    let target = evaluation.slo.target;
    let coverage = evaluation.coverage;
    match evaluation.judgement.reason {
        Reason::Met | Reason::Missed => None,
        Reason::NoEvents => Some("nothing was measured".to_owned()),
        Reason::TooFewEvents => Some(format!(
            "{total} events cannot prove {target}: {needed} are needed (95% confidence)"
        )),
        Reason::AlreadyLost => Some(format!(
            "{bad} of {total} bad: no run of {needed} could still reach {target}"
        )),
        Reason::LowCoverage => Some(format!(
            "no data: {} of {} slices were measured, 9 of 10 are needed",
            coverage.measured, coverage.expected
        )),
        Reason::Stale => Some("no data: the newest measurement is too old".to_owned()),
    }
}

/// What is not judged as it was measured: maintenance and retries.
pub(crate) fn notes(evaluation: &Evaluation) -> Vec<String> {
    let mut notes = Vec::new();
    let slices = evaluation.slices.maintenance;
    match evaluation.slo.indicator {
        Indicator::Availability { .. } if slices > 0 => {
            notes.push(format!("{slices} slices in maintenance count as good"));
        }
        Indicator::Latency { .. } | Indicator::Success if evaluation.dropped.total() > 0 => {
            let dropped = evaluation.dropped.total();
            notes.push(format!("{dropped} requests in maintenance are not counted"));
        }
        _ => {}
    }
    if evaluation.retried > 0 {
        notes.push(format!("{} good only after a retry", evaluation.retried));
    }
    notes
}

/// One sentence on one objective: `97.3% of 98%: 1460 of 1500 slices; budget -35%`.
pub(super) fn sentence(evaluation: &Evaluation) -> String {
    let mut text = format!(
        "{} is {}, {} is promised: {}; budget left {}",
        evaluation.slo.title,
        measured(evaluation),
        evaluation.slo.target,
        counts(evaluation),
        budget(evaluation),
    );
    for more in why(evaluation).into_iter().chain(notes(evaluation)) {
        let _ = write!(text, "; {more}");
    }
    text
}

/// The verdict in one sentence.
pub(super) fn last_word(report: &Report) -> String {
    let of = |verdict| {
        let chosen = report
            .objectives
            .iter()
            .filter(move |o| o.judgement.verdict == verdict);
        let titles: Vec<_> = chosen.map(|o| o.slo.title.as_str()).collect();
        titles.join(", ")
    };
    let measured = report.measured_verdict();
    let text = match measured {
        Verdict::Pass => format!("all {} objectives are met", report.objectives.len()),
        Verdict::Fail => format!("missed: {}", of(Verdict::Fail)),
        Verdict::Error => format!("could not be judged: {}", of(Verdict::Error)),
        Verdict::Inconclusive if report.objectives.is_empty() => "there is no objective".to_owned(),
        Verdict::Inconclusive if report.interrupted() => "stopped before its time".to_owned(),
        Verdict::Inconclusive => format!("too little data: {}", of(Verdict::Inconclusive)),
    };
    let text = if report.verdict() == measured {
        text
    } else {
        format!(
            "{text} (inconclusive, counted as {})",
            report.verdict().name()
        )
    };
    labelled(report, text)
}
