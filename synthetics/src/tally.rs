//! Results as counts: by slice, check and location. This is all that a verdict rests on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::Timestamp;
use crate::history::Worst;
use crate::probe::{Failure, FailureKind, Measurement, Outcome, ProbeResult};
use crate::sink::Sink;
use crate::slo::{Counts, Percent, percentile};

/// One hour: longer answers are shown as this.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// What a tally counts.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Number of checks.
    pub checks: usize,
    /// Names of the locations.
    pub locations: Vec<Arc<str>>,
    /// Latency limits to count exactly, ascending.
    pub limits: Vec<Duration>,
    /// Start of slice 0.
    pub origin: Timestamp,
    /// Length of a slice.
    pub slice: Duration,
    /// Most slices that are kept; the oldest go first.
    pub retain: usize,
}

/// The counts of one check at one location in one slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Right and wrong answers.
    pub results: Counts,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Right answers that took a retry.
    pub retried: u64,
    /// For each limit, the answers that came within it.
    pub within: Vec<u64>,
}

/// One check since the start.
#[derive(Clone, Debug)]
pub struct CheckTotals {
    /// Right and wrong answers.
    pub results: Counts,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Failures by class.
    pub failures: BTreeMap<FailureKind, u64>,
    /// The newest failure.
    pub last_failure: Option<LastFailure>,
    /// The worst probes.
    pub worst: Worst,
    /// Times of the answers.
    pub latencies: Latencies,
}

/// The newest failure of a check.
#[derive(Clone, Debug)]
pub struct LastFailure {
    /// When it was due.
    pub scheduled: Timestamp,
    /// What was wrong.
    pub failure: Failure,
    /// Its trace.
    pub trace_id: Option<String>,
}

/// Times of answers for showing percentiles; verdicts count exactly instead. Bounded: the
/// relative error is below 0.1 %.
#[derive(Clone, Debug)]
pub struct Latencies {
    micros: Histogram<u32>,
    unanswered: u64,
}

/// A percentile that may not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The value.
    Value(Duration),
    /// The percentile falls on a request that got no answer: longer than any time-out.
    Unanswered,
    /// There is no value yet.
    Nothing,
}

impl Latencies {
    /// No answer yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            micros: Histogram::new(3).expect("a histogram keeps up to five digits"),
            unanswered: 0,
        }
    }

    /// Adds one probe.
    pub fn record(&mut self, measurement: &Measurement) {
        if measurement.answered {
            let micros = u64::try_from(measurement.duration.as_micros()).unwrap_or(u64::MAX);
            // Above the cap lies no time-out; below it the histogram grows as it must.
            let _ = self.micros.record(micros.min(LONGEST_MICROS));
        } else {
            self.unanswered = self.unanswered.saturating_add(1);
        }
    }

    /// Adds all of another's probes.
    pub fn merge(&mut self, other: &Self) {
        // Both resize by themselves, so adding cannot fail.
        let _ = self.micros.add(&other.micros);
        self.unanswered = self.unanswered.saturating_add(other.unanswered);
    }

    /// All probes.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.micros.len().saturating_add(self.unanswered)
    }

    /// The nearest-rank percentile; requests without an answer count as the longest.
    #[must_use]
    pub fn percentile(&self, percentile: Percent) -> Shown {
        let Some(rank) = percentile::rank(self.count(), percentile) else {
            return Shown::Nothing;
        };
        let mut seen = 0;
        for value in self.micros.iter_recorded() {
            seen += value.count_since_last_iteration();
            if seen >= rank {
                return Shown::Value(Duration::from_micros(value.value_iterated_to()));
            }
        }
        Shown::Unanswered
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

/// The counts.
#[derive(Clone, Debug)]
pub struct Tally {
    layout: Layout,
    /// Index of the oldest slice that is kept.
    first: u64,
    slices: VecDeque<Vec<Cell>>,
    totals: Vec<CheckTotals>,
    newest: Option<Timestamp>,
}

impl Tally {
    /// An empty tally.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        let totals = CheckTotals {
            results: Counts::ZERO,
            gaps: 0,
            failures: BTreeMap::new(),
            last_failure: None,
            worst: Worst::default(),
            latencies: Latencies::new(),
        };
        Self {
            totals: vec![totals; layout.checks],
            layout,
            first: 0,
            slices: VecDeque::new(),
            newest: None,
        }
    }

    /// What is counted.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Each check since the start.
    #[must_use]
    pub fn totals(&self) -> &[CheckTotals] {
        &self.totals
    }

    /// When the newest measured result was due.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Index of the slice that `at` belongs to; `None` before the origin.
    #[must_use]
    pub fn slice_of(&self, at: Timestamp) -> Option<u64> {
        if at < self.layout.origin {
            return None;
        }
        let slice = self.layout.slice.as_micros().max(1);
        let since = at.since(self.layout.origin).as_micros();
        u64::try_from(since / slice).ok()
    }

    /// The slices of a window that ends at `until`: all whole slices that are kept, and a begun
    /// one where it has a result. One entry a slice with its start, empty where nothing was
    /// recorded; in it, a cell for each check at each location (see [`Tally::cell`]).
    pub fn window(&self, until: Timestamp) -> impl Iterator<Item = (Timestamp, &[Cell])> {
        let elapsed = self.slice_of(until).unwrap_or(0);
        let end = elapsed.max(self.first + self.slices.len() as u64);
        let oldest = end.saturating_sub(self.layout.retain as u64);
        (oldest..end).map(|index| (self.start_of(index), self.row(index).unwrap_or(&[])))
    }

    fn start_of(&self, index: u64) -> Timestamp {
        let slice = u64::try_from(self.layout.slice.as_micros()).unwrap_or(u64::MAX);
        let since = Duration::from_micros(slice.saturating_mul(index));
        self.layout.origin.plus(since)
    }

    fn row(&self, index: u64) -> Option<&[Cell]> {
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.slices.get(at).map(Vec::as_slice)
    }

    /// The cell of a check at a location within a slice of [`Tally::window`].
    #[must_use]
    pub fn cell<'s>(&self, slice: &'s [Cell], check: usize, location: usize) -> Option<&'s Cell> {
        slice.get(check * self.layout.locations.len() + location)
    }

    /// The cell to count in, making room for its slice. `None` for results that are older than
    /// anything kept, or from an unknown check or location.
    fn cell_mut(&mut self, result: &ProbeResult) -> Option<&mut Cell> {
        let locations = &self.layout.locations;
        let location = locations.iter().position(|l| *l == result.location)?;
        if result.check_index >= self.layout.checks {
            return None;
        }
        let at = result.check_index * locations.len() + location;
        let width = self.layout.checks * locations.len();
        let index = self.slice_of(result.scheduled)?;
        if self.slices.is_empty() {
            self.first = index;
        }
        while index >= self.first + self.layout.retain as u64 && !self.slices.is_empty() {
            self.slices.pop_front();
            self.first += 1;
        }
        if self.slices.is_empty() {
            self.first = index;
        }
        while index < self.first && self.slices.len() < self.layout.retain {
            // Results of one slice may come in any order, so an older slice may come second.
            self.slices.push_front(Vec::new());
            self.first -= 1;
        }
        let row = usize::try_from(index.checked_sub(self.first)?).ok()?;
        while self.slices.len() <= row {
            self.slices.push_back(Vec::new());
        }
        let row = self.slices.get_mut(row)?;
        if row.is_empty() {
            let limits = self.layout.limits.len();
            let cell = Cell {
                within: vec![0; limits],
                ..Cell::default()
            };
            row.resize(width, cell);
        }
        row.get_mut(at)
    }

    fn record_totals(&mut self, result: &ProbeResult) {
        let Some(totals) = self.totals.get_mut(result.check_index) else {
            return;
        };
        let Outcome::Measured(measurement) = &result.outcome else {
            totals.gaps = totals.gaps.saturating_add(1);
            return;
        };
        self.newest = self.newest.max(Some(result.scheduled));
        totals.results.record(measurement.is_good());
        totals.latencies.record(measurement);
        totals.worst.record(result.scheduled, measurement);
        if let Some(failure) = &measurement.failure {
            *totals.failures.entry(failure.kind).or_default() += 1;
            totals.last_failure = Some(LastFailure {
                scheduled: result.scheduled,
                failure: failure.clone(),
                trace_id: measurement.trace_id.clone(),
            });
        }
    }
}

impl Sink for Tally {
    fn record(&mut self, result: &ProbeResult) {
        let limits = self.layout.limits.clone();
        let Some(cell) = self.cell_mut(result) else {
            return;
        };
        match &result.outcome {
            Outcome::Gap(_) => cell.gaps = cell.gaps.saturating_add(1),
            Outcome::Measured(measurement) => {
                cell.results.record(measurement.is_good());
                let retried = u64::from(measurement.is_degraded());
                cell.retried = cell.retried.saturating_add(retried);
                for (within, limit) in cell.within.iter_mut().zip(&limits) {
                    // The exact duration against the limit, equality included.
                    if measurement.answered && measurement.duration <= *limit {
                        *within = within.saturating_add(1);
                    }
                }
            }
        }
        self.record_totals(result);
    }
}
