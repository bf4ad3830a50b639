//! The formulas of an objective, with its numbers put in.

use std::time::Duration;

use crate::evaluate::Evaluation;
use crate::objective::Indicator;
use crate::slo::{Counts, Percent, Ratio, Reason, Rounding, Verdict, burn, samples};
use crate::tally::Shown;

/// One number and how it comes about.
pub(super) struct Step {
    /// What it is.
    pub(super) name: &'static str,
    /// The formula in words.
    pub(super) formula: &'static str,
    /// The formula with the numbers put in.
    pub(super) numbers: String,
    /// What comes out.
    pub(super) value: String,
    /// What that means.
    pub(super) note: String,
}

/// What is counted and what is not: how many, of what, and how that counts.
pub(super) fn counts(evaluation: &Evaluation) -> Vec<(&'static str, u128, &'static str)> {
    let slices = evaluation.slices;
    let mut lines = Vec::new();
    if let Indicator::Availability { .. } = evaluation.slo.indicator {
        lines.push(("up", slices.up.into(), "good"));
        lines.push((
            "degraded",
            slices.degraded.into(),
            "good: up, but after a retry or with a location down that the rule lets pass",
        ));
        lines.push((
            "maintenance",
            slices.maintenance.into(),
            "good: declared downtime",
        ));
        lines.push(("down", slices.down.into(), "bad"));
        lines.push(("gap", slices.gap.into(), "in no count: nobody measured"));
    } else {
        lines.push(("good", evaluation.counts.good.into(), "good"));
        lines.push(("bad", evaluation.counts.bad.into(), "bad"));
        lines.push((
            "dropped",
            evaluation.dropped.total(),
            "in no count: within declared maintenance",
        ));
        lines.push((
            "unmeasured slices",
            slices.gap.into(),
            "in no count: nobody measured",
        ));
    }
    lines.push((
        "missed ticks",
        evaluation.gaps.into(),
        "in no count: the prober was late or stopped",
    ));
    lines.push((
        "retried",
        evaluation.retried.into(),
        "among the good ones: good after a retry",
    ));
    lines
}

/// Each number of an objective, from the counts to the verdict.
pub(super) fn steps(evaluation: &Evaluation) -> Vec<Step> {
    let Counts { good, bad } = evaluation.counts;
    let (good, bad) = (u128::from(good), u128::from(bad));
    let total = evaluation.counts.total();
    let target = evaluation.slo.target;
    let budget = percentage(target.budget_units());
    let mut steps = vec![
        coverage(evaluation),
        Step {
            name: "SLI",
            formula: "good / (good + bad)",
            numbers: format!(
                "{} / ({} + {}) = {} / {}",
                group(good),
                group(good),
                group(bad),
                group(good),
                group(total)
            ),
            value: evaluation
                .counts
                .sli()
                .map_or_else(nothing, |sli| share(sli, Rounding::Truncate)),
            note: "cut, not rounded".to_owned(),
        },
    ];
    if total > 0 {
        steps.push(meets(evaluation, good, total));
        let allowed = Ratio::new(
            i128::try_from(total * u128::from(target.budget_units())).unwrap_or(i128::MAX),
            i128::from(Percent::SCALE),
        );
        steps.push(Step {
            name: "budget",
            formula: "(1 - T) x (good + bad)",
            numbers: format!("{budget} x {}", group(total)),
            value: format!(
                "{} bad {}",
                allowed.map_or_else(nothing, |a| decimal(a, 2)),
                events(evaluation)
            ),
            note: format!(
                "{} spent, {} left",
                group(bad),
                signed(evaluation.events_left)
            ),
        });
        steps.push(remaining(evaluation));
        steps.push(as_time(evaluation, &budget));
        steps.push(Step {
            name: "burn rate",
            formula: "(bad / (good + bad)) / (1 - T)",
            numbers: format!("({} / {}) / {budget}", group(bad), group(total)),
            value: burn::rate(evaluation.counts, target)
                .map_or_else(nothing, |rate| decimal(rate, 3)),
            note: format!(
                "1 spends exactly the budget; at most 1 / (1 - T) = {}",
                decimal(burn::maximum(target), 3)
            ),
        });
    }
    steps.extend(p95(evaluation));
    steps.push(samples_step(evaluation));
    steps
}

fn coverage(evaluation: &Evaluation) -> Step {
    let (measured, expected) = (evaluation.coverage.measured, evaluation.coverage.expected);
    let ratio = Ratio::new(measured.into(), expected.into());
    let enough = if evaluation.coverage.is_enough() {
        "enough"
    } else {
        "not enough"
    };
    Step {
        name: "coverage",
        formula: "measured / expected slices, those with a probe due",
        numbers: format!("{} / {}", group(measured.into()), group(expected.into())),
        value: ratio.map_or_else(nothing, |ratio| share(ratio, Rounding::Truncate)),
        note: format!("{enough}: 90 % are needed"),
    }
}

fn meets(evaluation: &Evaluation, good: u128, total: u128) -> Step {
    let target = evaluation.slo.target;
    let (left, right) = (
        good * u128::from(Percent::SCALE),
        total * u128::from(target.units()),
    );
    let met = evaluation.counts.meets(target) == Some(true);
    Step {
        name: "target",
        formula: "good / (good + bad) >= T, in whole numbers",
        numbers: format!(
            "{} x {} = {} {} {} = {} x {}",
            group(good),
            group(u128::from(Percent::SCALE)),
            group(left),
            if met { ">=" } else { "<" },
            group(right),
            group(total),
            group(u128::from(target.units())),
        ),
        value: if met { "met" } else { "missed" }.to_owned(),
        note: format!("T = {target}; equality is enough"),
    }
}

fn remaining(evaluation: &Evaluation) -> Step {
    let target = evaluation.slo.target;
    let sli = evaluation.counts.sli().map_or_else(nothing, plain_share);
    let text = target.to_string();
    let t = text.trim_end_matches('%');
    Step {
        name: "budget left",
        formula: "100 (SLI - T) / (100 - T)",
        numbers: format!("100 ({sli} - {t}) / (100 - {t})"),
        value: evaluation
            .remaining
            .map_or_else(nothing, |left| share(left, Rounding::Nearest)),
        note: "rounded; below zero it is overspent".to_owned(),
    }
}

fn as_time(evaluation: &Evaluation, budget: &str) -> Step {
    let length = evaluation
        .range
        .map_or(Duration::ZERO, |(from, until)| until.since(from));
    let counts = !matches!(evaluation.slo.indicator, Indicator::Availability { .. });
    Step {
        name: "as time",
        formula: "budget left x (1 - T) x window",
        numbers: format!(
            "{} x {budget} x {}",
            evaluation
                .remaining
                .map_or_else(nothing, |left| share(left, Rounding::Nearest)),
            humantime::format_duration(length)
        ),
        value: evaluation
            .remaining_time
            .map_or_else(nothing, |time| time.to_string()),
        note: if counts {
            "an equivalent: this budget is one of requests; minutes are cut".to_owned()
        } else {
            "minutes are cut".to_owned()
        },
    }
}

fn p95(evaluation: &Evaluation) -> Option<Step> {
    let shown = evaluation.p95?;
    let needed = samples::for_percentile(Percent::P95).unwrap_or(0);
    let value = match shown {
        Shown::Value(_) if evaluation.counts.total() < u128::from(needed) => nothing(),
        Shown::Value(value) => format!("{:.1} ms", value.as_secs_f64() * 1_000.0),
        Shown::Unanswered => "no answer".to_owned(),
        Shown::Nothing => nothing(),
    };
    Some(Step {
        name: "p95",
        formula: "the time of rank ceil(0.95 n), slowest last, no answer being the slowest",
        numbers: "over merged sketches of all locations, maintenance too".to_owned(),
        value,
        note: format!(
            "to look at, from {needed} samples on: the verdict counts each request instead"
        ),
    })
}

fn samples_step(evaluation: &Evaluation) -> Step {
    let target = evaluation.slo.target;
    let (total, needed) = (evaluation.counts.total(), evaluation.judgement.needed);
    Step {
        name: "samples",
        formula: "good + bad >= the least n with T^n <= 5 %",
        numbers: format!("{} and {}", group(total), group(needed.into())),
        value: if total >= u128::from(needed) {
            "enough"
        } else {
            "too few"
        }
        .to_owned(),
        note: format!(
            "without a failure, {} prove {target} at 95 % confidence",
            group(needed.into())
        ),
    }
}

/// The verdict with its reason.
pub(super) fn verdict(evaluation: &Evaluation) -> (Verdict, String) {
    let target = evaluation.slo.target;
    let sli = evaluation
        .counts
        .sli()
        .map_or_else(nothing, |sli| share(sli, Rounding::Truncate));
    let why = match evaluation.judgement.reason {
        Reason::Met => format!("{sli} is at least {target}, and there is enough data to say so"),
        Reason::Missed => format!("{sli} is less than {target}"),
        Reason::AlreadyLost => format!(
            "{} bad of {} are more than {} could bear",
            group(evaluation.counts.bad.into()),
            group(evaluation.counts.total()),
            group(evaluation.judgement.needed.into())
        ),
        Reason::NoEvents => "nothing was measured, and nothing is neither good nor bad".to_owned(),
        Reason::TooFewEvents => format!(
            "{} events prove nothing about {target}: {} are needed",
            group(evaluation.counts.total()),
            group(evaluation.judgement.needed.into())
        ),
        Reason::LowCoverage => {
            "no data: less than nine tenths of the slices were measured".to_owned()
        }
        Reason::Stale => "no data: the newest measurement is too old".to_owned(),
    };
    (evaluation.judgement.verdict, why)
}

/// What the counts are of.
pub(super) fn events(evaluation: &Evaluation) -> &'static str {
    match evaluation.slo.indicator {
        Indicator::Availability { .. } => "slices",
        Indicator::Latency { .. } | Indicator::Success => "requests",
    }
}

pub(super) fn nothing() -> String {
    "-".to_owned()
}

/// A whole number in groups of three: `9,731`.
pub(super) fn group(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn signed(number: i128) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", group(number.unsigned_abs()))
}

/// A share in percent with three digits after the point: `99.174 %`.
pub(super) fn share(ratio: Ratio, rounding: Rounding) -> String {
    format!("{} %", ratio.to_decimal(2, 3, rounding))
}

fn plain_share(ratio: Ratio) -> String {
    ratio.to_decimal(2, 3, Rounding::Truncate)
}

/// A ratio with so many digits after the point at most.
pub(super) fn decimal(ratio: Ratio, places: u32) -> String {
    let text = ratio.to_decimal(0, places, Rounding::Nearest);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn percentage(units: u64) -> String {
    let text = format!("{}.{:06}", units / 1_000_000, units % 1_000_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}
