//! An objective against a tally: the one place where counts become a verdict.

use crate::clock::Timestamp;
use crate::objective::{Indicator, Slo};
use crate::slo::{
    Counts, Coverage, Judgement, Percent, Ratio, SliceTally, budget, slices, verdict,
};
use crate::tally::{Cell, Latencies, Shown, Tally};

/// What one objective comes to.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The objective.
    pub slo: Slo,
    /// Good and bad events: slices for a time-slice objective, requests for the others.
    pub counts: Counts,
    /// Slices by state.
    pub slices: SliceTally,
    /// Measured against expected slices.
    pub coverage: Coverage,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Share of the error budget that is left; below zero where it is overspent.
    pub remaining: Option<Ratio>,
    /// Bad events that the budget still takes.
    pub events_left: i128,
    /// 95th percentile of the checks' times since the start, for latency objectives.
    pub p95: Option<Shown>,
    /// The verdict.
    pub judgement: Judgement,
}

/// Evaluates `slo` over the window of `tally` that ends at `until`.
#[must_use]
pub fn evaluate(slo: &Slo, tally: &Tally, until: Timestamp, stale: bool) -> Evaluation {
    let mut events = Counts::ZERO;
    let mut slice_tally = SliceTally::default();
    let mut gaps = 0;
    let min_good = match slo.indicator {
        Indicator::Availability { min_good } => min_good,
        // Only whether it was measured matters for the slices of a count objective.
        _ => Percent::HUNDRED,
    };
    let mut locations = vec![Counts::ZERO; tally.layout().locations.len()];
    for slice in tally.window(until) {
        for (location, sum) in locations.iter_mut().enumerate() {
            *sum = Counts::ZERO;
            for cell in cells(slo, tally, slice, location) {
                *sum = sum.plus(cell.results);
                events = events.plus(good_events(slo.indicator, tally, cell));
                gaps += cell.gaps;
            }
        }
        slice_tally.record(slices::state(&locations, slo.rule, min_good, false));
    }
    let counts = match slo.indicator {
        Indicator::Availability { .. } => slice_tally.counts(),
        Indicator::Latency { .. } | Indicator::Success => events,
    };
    let coverage = slice_tally.coverage();
    Evaluation {
        counts,
        slices: slice_tally,
        coverage,
        gaps,
        remaining: budget::remaining(counts, slo.target),
        events_left: budget::events_left(counts, slo.target),
        p95: matches!(slo.indicator, Indicator::Latency { .. }).then(|| p95(slo, tally)),
        judgement: verdict::judge_window(counts, slo.target, coverage, stale),
        slo: slo.clone(),
    }
}

fn cells<'s>(
    slo: &'s Slo,
    tally: &'s Tally,
    slice: &'s [Cell],
    location: usize,
) -> impl Iterator<Item = &'s Cell> {
    slo.checks
        .iter()
        .filter_map(move |check| tally.cell(slice, *check, location))
}

fn good_events(indicator: Indicator, tally: &Tally, cell: &Cell) -> Counts {
    let Indicator::Latency { within } = indicator else {
        return cell.results;
    };
    let limits = &tally.layout().limits;
    let position = limits.iter().position(|limit| *limit == within);
    let good = position.and_then(|at| cell.within.get(at)).copied();
    let total = u64::try_from(cell.results.total()).unwrap_or(u64::MAX);
    let good = good.unwrap_or(0);
    Counts::new(good, total.saturating_sub(good))
}

fn p95(slo: &Slo, tally: &Tally) -> Shown {
    let mut all = Latencies::new();
    for totals in slo.checks.iter().filter_map(|at| tally.totals().get(*at)) {
        all.merge(&totals.latencies);
    }
    all.percentile(Percent::P95)
}
