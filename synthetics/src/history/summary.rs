//! What one check found over a window and all locations, for people.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::bucket::{ProbeCounts, Worst};
use super::codec::ByCheck;
use super::minute::Minute;
use super::sketch::Sketch;
use crate::slo::Counts;

/// One check over a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Right and wrong answers.
    pub results: Counts,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Right answers that needed a retry.
    pub retried: u64,
    /// Attempts that failed and were tried again.
    pub failed_attempts: u64,
    /// Failures by class. Where minutes have gone at the edges, those of the whole hour or day.
    pub failures: BTreeMap<String, u64>,
    /// Times of the answers, at the edges as the failures.
    pub sketch: Sketch,
    /// The worst probes.
    pub worst: Worst,
}

/// Checks by name.
#[derive(Clone, Debug, Default)]
pub struct Summaries(BTreeMap<Arc<str>, Summary>);

impl Summaries {
    /// Adds a stretch of one location; only minutes within `range` count.
    pub fn take(&mut self, range: &Range<Minute>, checks: &ByCheck) {
        for (name, series) in checks {
            let sum = self.0.entry(Arc::clone(name)).or_default();
            for (minute, counts) in series.minutes() {
                if range.contains(&minute) {
                    sum.add(counts);
                }
            }
            for (kind, count) in &series.failures {
                *sum.failures.entry(kind.clone()).or_default() += u64::from(*count);
            }
            sum.sketch.merge(&series.sketch);
            for probe in series.worst.probes() {
                if range.contains(&Minute::of(probe.scheduled)) {
                    sum.worst.add(probe.clone());
                }
            }
        }
    }

    /// One check; nothing where it was never there.
    #[must_use]
    pub fn get(&self, name: &str) -> Summary {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// Every check that was there.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Summary)> {
        self.0.iter()
    }
}

impl Summary {
    fn add(&mut self, counts: ProbeCounts) {
        self.results = self.results.plus(counts.results());
        self.gaps += u64::from(counts.gaps);
        self.retried += u64::from(counts.retried);
        self.failed_attempts += u64::from(counts.failed_attempts);
    }
}
