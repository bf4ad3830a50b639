//! One objective: where it stands against its target, and what is left of its budget.

use serde::Serialize;
use utoipa::ToSchema;

use super::Ground;
use crate::evaluate::Evaluation;
use crate::history::view::Expect;
use crate::objective::Indicator;
use crate::page::format::{Moment, millis};
use crate::report::words;
use crate::slo::{Ratio, Reason, Rounding, Verdict, budget, burn};
use crate::tally::Shown;

/// An objective.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SloView {
    /// Its name.
    pub(crate) name: String,
    /// Its name for people.
    pub(crate) title: String,
    /// `time slices` or `requests`: what is counted.
    pub(crate) kind: &'static str,
    /// What must be good of all, such as `98%`.
    pub(crate) target: String,
    /// The same as a number.
    pub(crate) target_percent: f64,
    /// For a latency, the limit in milliseconds, included.
    pub(crate) within_ms: Option<f64>,
    /// The window, such as `7d`.
    pub(crate) window: String,
    /// How several locations become one: `all-up`, `majority` or `pooled`.
    pub(crate) location_rule: &'static str,
    /// Names of the checks that it is measured on.
    pub(crate) checks: Vec<String>,
    /// `pass`, `fail` or `inconclusive`.
    #[schema(value_type = String)]
    pub(crate) verdict: Verdict,
    /// Why: `met`, `missed`, `already_lost`, `no_events`, `too_few_events`, `low_coverage`, `stale`.
    #[schema(value_type = String)]
    pub(crate) reason: Reason,
    /// The same as a sentence, where the numbers do not say it.
    pub(crate) why: Option<String>,
    /// What was measured, cut and not rounded, such as `97.99%`.
    pub(crate) sli: Option<String>,
    /// The same as a number.
    pub(crate) sli_percent: Option<f64>,
    /// Good events.
    pub(crate) good: u64,
    /// Bad events.
    pub(crate) bad: u64,
    /// All events.
    pub(crate) total: u64,
    /// What is left of the error budget.
    pub(crate) budget: Option<Budget>,
    /// How fast the budget is spent over the window: 1 spends exactly all of it.
    pub(crate) burn_rate: Option<f64>,
    /// How much of the window was measured.
    pub(crate) coverage: CoverageView,
    /// Minutes by what they were.
    pub(crate) minutes: Minutes,
    /// Ticks that were not measured.
    pub(crate) gaps: u64,
    /// Good results that needed a retry.
    pub(crate) retried: u64,
    /// Requests in maintenance, which do not count.
    pub(crate) dropped: u64,
    /// 95th percentile of the times in milliseconds, from merged sketches: for showing only.
    pub(crate) p95_ms: Option<f64>,
    /// The same for people, or why there is none.
    pub(crate) p95: Option<String>,
    /// Start of what was measured.
    pub(crate) from: Option<Moment>,
    /// End of what was measured.
    pub(crate) until: Option<Moment>,
    /// Notes on retries and maintenance.
    pub(crate) notes: Vec<String>,
}

/// What is left of an error budget.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Budget {
    /// In percent, rounded, and time, cut: `97% (3h 14m)`.
    pub(crate) text: String,
    /// In percent, below zero where it is overspent.
    pub(crate) percent: f64,
    /// As time of the window, in milliseconds.
    pub(crate) time_ms: i64,
    /// Whether that time is an equivalent only, since requests are counted.
    pub(crate) time_is_equivalent: bool,
    /// Bad events that it still takes; below zero where it is overspent.
    pub(crate) events_left: i64,
    /// The whole budget as time.
    pub(crate) whole: String,
}

/// Measured against expected minutes.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct CoverageView {
    /// Minutes with a result.
    pub(crate) measured: u64,
    /// Minutes since the first one.
    pub(crate) expected: u64,
    /// The one of the other, in percent.
    pub(crate) percent: Option<f64>,
    /// Whether that is enough for a verdict: nine tenths.
    pub(crate) is_enough: bool,
}

/// Minutes by what they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Minutes {
    /// As promised.
    pub(crate) up: u64,
    /// As promised, but not all was well.
    pub(crate) degraded: u64,
    /// Not as promised.
    pub(crate) down: u64,
    /// Not measured: in no count.
    pub(crate) gap: u64,
    /// Declared downtime: counts as good.
    pub(crate) maintenance: u64,
}

impl From<crate::slo::SliceTally> for Minutes {
    fn from(tally: crate::slo::SliceTally) -> Self {
        Self {
            up: tally.up,
            degraded: tally.degraded,
            down: tally.down,
            gap: tally.gap,
            maintenance: tally.maintenance,
        }
    }
}

/// All objectives.
pub(super) fn all(ground: &Ground<'_>) -> Vec<SloView> {
    let known = ground.known;
    let of = |at| {
        let (range, stale) = known.view.window(at, ground.now);
        let evaluation =
            known
                .view
                .evaluate(at, known.maintenance, range, Expect::SinceFirst, stale)?;
        Some(SloView::new(&evaluation, ground))
    };
    (0..known.view.slos().len()).filter_map(of).collect()
}

impl SloView {
    fn new(evaluation: &Evaluation, ground: &Ground<'_>) -> Self {
        let slo = &evaluation.slo;
        let counts = evaluation.counts;
        let name = |at: &usize| Some(ground.scene.checks.get(*at)?.name.to_string());
        let within = match slo.indicator {
            Indicator::Latency { within } => Some(within),
            Indicator::Availability { .. } | Indicator::Success => None,
        };
        let total = u64::try_from(counts.total()).unwrap_or(u64::MAX);
        Self {
            name: slo.name.clone(),
            title: slo.title.clone(),
            kind: slo.indicator.kind(),
            target: slo.target.to_string(),
            target_percent: percent(slo.target.percent().ratio()),
            within_ms: within.map(millis),
            window: slo.window.to_string(),
            location_rule: slo.rule.name(),
            checks: slo.checks.iter().filter_map(name).collect(),
            verdict: evaluation.judgement.verdict,
            reason: evaluation.judgement.reason,
            why: words::why(evaluation),
            sli: counts.sli().map(|_| words::measured(evaluation)),
            sli_percent: counts.sli().map(percent),
            good: counts.good,
            bad: counts.bad,
            total,
            budget: Budget::of(evaluation),
            burn_rate: burn::rate(counts, slo.target).map(|rate| rounded(rate.to_f64())),
            coverage: CoverageView {
                measured: evaluation.coverage.measured,
                expected: evaluation.coverage.expected,
                percent: covered(evaluation.coverage),
                is_enough: evaluation.coverage.is_enough(),
            },
            minutes: evaluation.slices.into(),
            gaps: evaluation.gaps,
            retried: evaluation.retried,
            dropped: u64::try_from(evaluation.dropped.total()).unwrap_or(u64::MAX),
            p95_ms: match evaluation.p95 {
                Some(Shown::Value(time)) => Some(millis(time)),
                _ => None,
            },
            p95: evaluation.p95.map(|_| words::p95(evaluation)),
            from: evaluation.range.map(|(from, _)| Moment(from)),
            until: evaluation.range.map(|(_, until)| Moment(until)),
            notes: words::notes(evaluation),
        }
    }

    /// Whether time slices are counted, and not requests.
    pub(crate) fn counts_time(&self) -> bool {
        self.kind == "time slices"
    }

    /// Whether there is a verdict: enough was measured, and lately.
    pub(crate) fn is_judged(&self) -> bool {
        self.verdict != Verdict::Inconclusive
    }

    /// The verdict in a word or two.
    pub(crate) fn verdict_word(&self) -> &'static str {
        match (self.verdict, self.reason) {
            (Verdict::Pass, _) => "met",
            (Verdict::Fail, _) => "missed",
            (Verdict::Error, _) => "error",
            (Verdict::Inconclusive, Reason::TooFewEvents) => "too little data yet",
            (Verdict::Inconclusive, _) => "no data",
        }
    }

    /// A sign that says the same as the colour.
    pub(crate) fn sign(&self) -> &'static str {
        match self.class() {
            "well" => "✓",
            "bad" => "✕",
            _ => "○",
        }
    }

    /// The name of its class.
    pub(crate) fn class(&self) -> &'static str {
        match self.verdict {
            Verdict::Pass => "well",
            Verdict::Fail | Verdict::Error => "bad",
            Verdict::Inconclusive => "idle",
        }
    }
}

impl Budget {
    fn of(evaluation: &Evaluation) -> Option<Self> {
        let (remaining, time) = (evaluation.remaining?, evaluation.remaining_time?);
        let whole = budget::total_time(evaluation.slo.target, evaluation.slo.window.period());
        let clamp = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        Some(Self {
            text: budget::render(remaining, time),
            percent: percent(remaining),
            time_ms: clamp(time.0),
            time_is_equivalent: !matches!(evaluation.slo.indicator, Indicator::Availability { .. }),
            events_left: clamp(evaluation.events_left),
            whole: whole.to_string(),
        })
    }

    /// The percentage alone, rounded.
    pub(crate) fn percent_text(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }
}

fn covered(coverage: crate::slo::Coverage) -> Option<f64> {
    let (measured, expected) = (coverage.measured, coverage.expected);
    Ratio::new(i128::from(measured), i128::from(expected)).map(percent)
}

/// A percentage with six digits after the point.
fn percent(ratio: Ratio) -> f64 {
    rounded(ratio.to_f64() * 100.0)
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A burn rate for people: one digit after the point.
pub(crate) fn burn_text(rate: Ratio) -> String {
    rate.to_decimal(0, 1, Rounding::Nearest)
}
