//! The report as a table that a person reads in five seconds: the verdict last, where the eye is.

use std::fmt::Write as _;

use super::{Report, millis};
use crate::evaluate::Evaluation;
use crate::objective::Indicator;
use crate::slo::{Percent, Reason, Rounding, Verdict, samples};
use crate::tally::{CheckTotals, Shown};

/// The report as text, with colours where `colour`.
#[must_use]
pub fn table(report: &Report, colour: bool) -> String {
    let mut text = head(report);
    let rows: Vec<[String; 7]> = report.objectives.iter().map(row).collect();
    let titles = [
        "SLO",
        "verdict",
        "measured",
        "target",
        "good",
        "budget left",
        "p95",
    ];
    let mut widths = titles.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    line(&mut text, &titles.map(str::to_owned), &widths, |cell, _| {
        cell
    });
    for (row, objective) in rows.iter().zip(&report.objectives) {
        line(&mut text, row, &widths, |cell, column| match column {
            1 => paint(&cell, objective.judgement.verdict, colour),
            _ => cell,
        });
    }
    text.push('\n');
    for (name, totals) in report.checks.iter().filter(|(_, c)| c.results.bad > 0) {
        let _ = writeln!(text, "  {}", failing(name, totals));
    }
    for objective in &report.objectives {
        if let Some(why) = why(objective) {
            let _ = writeln!(text, "  {}: {why}", objective.slo.title);
        }
    }
    let verdict = report.verdict();
    let word = paint(&verdict.name().to_uppercase(), verdict, colour);
    let _ = writeln!(text, "{word}  {}", last_word(report));
    text
}

fn head(report: &Report) -> String {
    let (probes, gaps) = report.probes();
    let plan = &report.plan;
    let mut text = format!(
        "{} from {}: {probes} probes in {}, a round of {} checks every {} ms ({:.1} probes a second)\n",
        report.target,
        report.location,
        seconds(report.length.as_secs_f64()),
        plan.checks,
        plan.round.as_millis(),
        plan.rate(),
    );
    let _ = if plan.slice == plan.round {
        writeln!(text, "availability is judged in slices of one round")
    } else {
        let slice = humantime::format_duration(plan.slice);
        writeln!(text, "availability is judged in slices of {slice}")
    };
    if gaps > 0 {
        let _ = writeln!(
            text,
            "{gaps} probes were not sent in time: gaps, in no count"
        );
    }
    text.push('\n');
    text
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s").replace(".0 s", " s")
}

fn row(evaluation: &Evaluation) -> [String; 7] {
    let counts = evaluation.counts;
    let slo = &evaluation.slo;
    // Cut, not rounded: 97.999 % must not look like 98 %.
    let measured = counts.sli().map_or_else(dash, |sli| {
        let text = sli.to_decimal(2, 2, Rounding::Truncate);
        format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
    });
    let budget = evaluation.remaining.map_or_else(dash, |remaining| {
        let percent = remaining.to_decimal(2, 0, Rounding::Nearest);
        match evaluation.events_left {
            left @ 0.. => format!("{percent}% ({left} more)"),
            over => format!("{percent}% ({} over)", over.unsigned_abs()),
        }
    });
    let what = match slo.indicator {
        Indicator::Availability { .. } => "slices",
        Indicator::Latency { .. } | Indicator::Success => "requests",
    };
    let p95 = match evaluation.p95 {
        None | Some(Shown::Nothing) => dash(),
        Some(Shown::Unanswered) => "no answer".to_owned(),
        Some(Shown::Value(_)) if counts.total() < p95_minimum() => {
            format!("needs {}", p95_minimum())
        }
        Some(Shown::Value(value)) => millis(value),
    };
    [
        slo.title.clone(),
        evaluation.judgement.verdict.name().to_uppercase(),
        measured,
        slo.target.to_string(),
        format!("{} of {} {what}", counts.good, counts.total()),
        budget,
        p95,
    ]
}

fn p95_minimum() -> u128 {
    samples::for_percentile(Percent::P95).map_or(0, u128::from)
}

fn dash() -> String {
    "-".to_owned()
}

fn line(
    text: &mut String,
    cells: &[String; 7],
    widths: &[usize; 7],
    decorate: impl Fn(String, usize) -> String,
) {
    let mut row = String::from("  ");
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let padded = if matches!(column, 2 | 3 | 6) {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        };
        row.push_str(&decorate(padded, column));
        row.push_str("  ");
    }
    text.push_str(row.trim_end());
    text.push('\n');
}

fn failing(name: &str, totals: &CheckTotals) -> String {
    let mut text = format!(
        "{name}: {} of {} bad",
        totals.results.bad,
        totals.results.total()
    );
    if let Some(last) = &totals.last_failure {
        let _ = write!(text, ", last: {}", last.failure.detail);
        if let Some(trace) = &last.trace_id {
            let _ = write!(text, " (trace {trace})");
        }
    }
    text
}

/// Why a verdict is not simply what the numbers beside it say.
fn why(evaluation: &Evaluation) -> Option<String> {
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

fn last_word(report: &Report) -> String {
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
        Verdict::Inconclusive if report.interrupted => "stopped before its time".to_owned(),
        Verdict::Inconclusive => format!("too little data: {}", of(Verdict::Inconclusive)),
    };
    if report.verdict() == measured {
        text
    } else {
        format!(
            "{text} (inconclusive, counted as {})",
            report.verdict().name()
        )
    }
}

fn paint(text: &str, verdict: Verdict, colour: bool) -> String {
    let code = match verdict {
        Verdict::Pass => 32,
        Verdict::Fail | Verdict::Error => 31,
        Verdict::Inconclusive => 33,
    };
    if colour {
        format!("\x1b[1;{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
