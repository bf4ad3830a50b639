//! An objective against counted slices: the one place where counts become a verdict.

use std::ops::Range;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::history::Minute;
use crate::objective::{Indicator, Slo};
use crate::slo::budget::SignedMillis;
use crate::slo::{
    Counts, Coverage, Judgement, Maintenance, Percent, Ratio, SliceState, SliceTally, budget,
    slices, verdict,
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
    /// From the start of the first expected slice to the end of the last one.
    pub range: Option<(Timestamp, Timestamp)>,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Events that were dropped since they fell into maintenance, for a count objective. For time
    /// slices see [`SliceTally::maintenance`].
    pub dropped: Counts,
    /// Good results that needed a retry.
    pub retried: u64,
    /// Share of the error budget that is left; below zero where it is overspent.
    pub remaining: Option<Ratio>,
    /// The same as time; for a count objective an equivalent only.
    pub remaining_time: Option<SignedMillis>,
    /// Bad events that the budget still takes.
    pub events_left: i128,
    /// 95th percentile of the checks' times, for latency objectives.
    pub p95: Option<Shown>,
    /// The verdict.
    pub judgement: Judgement,
}

/// What one objective saw at one location in one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SliceCell {
    /// Good and bad events in the sense of the objective.
    pub counts: Counts,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Good results that needed a retry.
    pub retried: u64,
}

/// Adds up slices for one objective, in any order.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    slo: &'a Slo,
    maintenance: Vec<&'a Maintenance>,
    min_good: Percent,
    locations: Vec<Counts>,
    slices: SliceTally,
    events: Counts,
    dropped: Counts,
    gaps: u64,
    retried: u64,
    range: Option<(Timestamp, Timestamp)>,
    /// Of so many slices, one has a probe due.
    stride: u64,
}

impl<'a> Judge<'a> {
    /// Nothing added yet. Of `maintenance`, only what is for this objective matters.
    #[must_use]
    pub fn new(slo: &'a Slo, maintenance: &'a [Maintenance]) -> Self {
        let min_good = match slo.indicator {
            Indicator::Availability { min_good } => min_good,
            // Only whether it was measured matters for the slices of a count objective.
            _ => Percent::HUNDRED,
        };
        let own = |window: &&Maintenance| window.is_for(&slo.name);
        Self {
            slo,
            maintenance: maintenance.iter().filter(own).collect(),
            min_good,
            locations: Vec::new(),
            slices: SliceTally::default(),
            events: Counts::ZERO,
            dropped: Counts::ZERO,
            gaps: 0,
            retried: 0,
            range: None,
            stride: 1,
        }
    }

    /// Adds the slice `from..until` with one cell a location, and tells what it was.
    pub fn slice(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        locations: impl IntoIterator<Item = SliceCell>,
    ) -> SliceState {
        self.locations.clear();
        let mut sum = SliceCell::default();
        for cell in locations {
            self.locations.push(cell.counts);
            sum.counts = sum.counts.plus(cell.counts);
            sum.gaps += cell.gaps;
            sum.retried += cell.retried;
        }
        self.gaps += sum.gaps;
        let (first, last) = self.range.unwrap_or((from, until));
        self.range = Some((first.min(from), last.max(until)));
        // Shorter slices are the rounds of a gate, which has a rate of its own.
        if until.since(from) == Minute::LENGTH {
            self.stride = self.slo.stride(Minute::LENGTH);
        }
        let state = if self.maintenance.iter().any(|w| w.touches(from, until)) {
            self.dropped = self.dropped.plus(sum.counts);
            SliceState::Maintenance
        } else {
            self.events = self.events.plus(sum.counts);
            self.retried += sum.retried;
            let retried = sum.retried > 0;
            slices::state(&self.locations, self.slo.rule, self.min_good, retried)
        };
        self.slices.record(state);
        state
    }

    /// Good and bad events so far: slices for a time-slice objective, requests for the others.
    #[must_use]
    pub fn counts(&self) -> Counts {
        match self.slo.indicator {
            Indicator::Availability { .. } => self.slices.counts(),
            Indicator::Latency { .. } | Indicator::Success => self.events,
        }
    }

    /// Measured against expected slices so far. Where probes are further apart than slices are
    /// long, only that share of the slices is expected in which one was due.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let Coverage { measured, expected } = self.slices.coverage();
        Coverage {
            measured,
            expected: measured.max((expected / self.stride).max(expected.min(1))),
        }
    }

    /// The verdict. `stale` says that the newest measurement is too old.
    #[must_use]
    pub fn finish(self, stale: bool, p95: Option<Shown>) -> Evaluation {
        let (counts, coverage) = (self.counts(), self.coverage());
        let slices = SliceTally {
            gap: coverage.expected - coverage.measured,
            ..self.slices
        };
        let target = self.slo.target;
        let length = self
            .range
            .map_or(Duration::ZERO, |(from, until)| until.since(from));
        Evaluation {
            counts,
            slices,
            coverage,
            range: self.range,
            gaps: self.gaps,
            dropped: self.dropped,
            retried: self.retried,
            remaining: budget::remaining(counts, target),
            remaining_time: budget::remaining_time(counts, target, length),
            events_left: budget::events_left(counts, target),
            p95,
            judgement: verdict::judge_window(counts, target, coverage, stale),
            slo: self.slo.clone(),
        }
    }
}

/// Evaluates `slo` over the window of `tally` that ends at `until`.
#[must_use]
pub fn evaluate(
    slo: &Slo,
    tally: &Tally,
    maintenance: &[Maintenance],
    until: Timestamp,
    stale: bool,
) -> Evaluation {
    let all = 0..tally.layout().locations.len();
    let latency = matches!(slo.indicator, Indicator::Latency { .. });
    judge_at(slo, tally, maintenance, until, all).finish(stale, latency.then(|| p95(slo, tally)))
}

/// Evaluates `slo` as if there were only the location at `location`. It has no percentile.
#[must_use]
pub fn evaluate_at(
    slo: &Slo,
    tally: &Tally,
    maintenance: &[Maintenance],
    until: Timestamp,
    location: usize,
) -> Evaluation {
    judge_at(slo, tally, maintenance, until, location..location + 1).finish(false, None)
}

fn judge_at<'a>(
    slo: &'a Slo,
    tally: &Tally,
    maintenance: &'a [Maintenance],
    until: Timestamp,
    at: Range<usize>,
) -> Judge<'a> {
    let mut judge = Judge::new(slo, maintenance);
    let layout = tally.layout();
    for (from, slice) in tally.window(until) {
        let locations = at.clone().map(|location| {
            let mut sum = SliceCell::default();
            for cell in cells(slo, tally, slice, location) {
                sum.counts = sum.counts.plus(good_events(slo.indicator, tally, cell));
                sum.gaps += cell.gaps;
                sum.retried += cell.retried;
            }
            sum
        });
        judge.slice(from, from.plus(layout.slice), locations);
    }
    judge
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
