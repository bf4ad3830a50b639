//! What one check found at one location in one minute.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::sketch::Sketch;
use crate::clock::Timestamp;
use crate::probe::{Gap, Measurement, Outcome, Phases, ProbeResult};
use crate::slo::Counts;

/// Integer counts of some probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeCounts {
    /// Right answers.
    pub good: u32,
    /// Wrong answers, or none.
    pub bad: u32,
    /// Ticks that were not measured.
    pub gaps: u32,
    /// Those of the gaps where the prober came too late.
    pub late: u32,
    /// Those of the right answers that needed a retry.
    pub retried: u32,
    /// Attempts that failed and were tried again; in no other count.
    pub failed_attempts: u32,
}

impl ProbeCounts {
    /// The counts as an array, in the order in which they are written.
    #[must_use]
    pub const fn to_array(self) -> [u32; 6] {
        [
            self.good,
            self.bad,
            self.gaps,
            self.late,
            self.retried,
            self.failed_attempts,
        ]
    }

    /// The counts of such an array.
    #[must_use]
    pub const fn from_array([good, bad, gaps, late, retried, failed_attempts]: [u32; 6]) -> Self {
        Self {
            good,
            bad,
            gaps,
            late,
            retried,
            failed_attempts,
        }
    }

    /// Right and wrong answers.
    #[must_use]
    pub const fn results(self) -> Counts {
        Counts::new(self.good as u64, self.bad as u64)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let (mut sum, other) = (self.to_array(), other.to_array());
        for (sum, other) in sum.iter_mut().zip(other) {
            *sum = sum.saturating_add(other);
        }
        Self::from_array(sum)
    }
}

/// A probe that somebody may want to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedProbe {
    /// When it was due.
    pub scheduled: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// Whether a whole answer came.
    pub answered: bool,
    /// Status code, where one came.
    pub status: Option<u16>,
    /// Class of the failure, and what was wrong for a person; `None` is good.
    pub failure: Option<(String, String)>,
    /// Its trace.
    pub trace_id: Option<String>,
    /// Where its time went.
    pub phases: Phases,
}

impl NotedProbe {
    /// A probe that was due at `scheduled`.
    #[must_use]
    pub fn new(scheduled: Timestamp, measurement: &Measurement) -> Self {
        let failure = measurement.failure.as_ref();
        Self {
            scheduled,
            duration: whole_micros(measurement.duration),
            answered: measurement.answered,
            status: measurement.status,
            failure: failure.map(|f| (f.kind.name().to_owned(), f.detail.clone())),
            trace_id: measurement.trace_id.clone(),
            phases: whole_phases(&measurement.phases),
        }
    }

    /// What makes it worse than another: wrong before right, long before short, new before old.
    pub(crate) fn badness(&self) -> (bool, Duration, Timestamp) {
        (self.failure.is_some(), self.duration, self.scheduled)
    }
}

/// The history keeps microseconds.
fn whole_micros(duration: Duration) -> Duration {
    Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

fn whole_phases(phases: &Phases) -> Phases {
    let mut whole = Phases::default();
    for (phase, time) in phases.iter() {
        whole.add(phase, whole_micros(time));
    }
    whole
}

/// The worst few probes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worst(Vec<NotedProbe>);

impl Worst {
    /// How many are kept.
    pub const KEPT: usize = 3;

    /// The probes, the worst first.
    #[must_use]
    pub fn probes(&self) -> &[NotedProbe] {
        &self.0
    }

    /// Adds a probe, should it be among the worst.
    pub fn add(&mut self, probe: NotedProbe) {
        let key = Reverse(probe.badness());
        let at = self
            .0
            .partition_point(|kept| Reverse(kept.badness()) <= key);
        if at < Self::KEPT {
            self.0.insert(at, probe);
            self.0.truncate(Self::KEPT);
        }
    }

    /// Adds another's probes.
    pub fn merge(&mut self, other: &Self) {
        for probe in &other.0 {
            self.add(probe.clone());
        }
    }

    /// Adds a measurement that was due at `scheduled`, should it be among the worst.
    pub fn record(&mut self, scheduled: Timestamp, measurement: &Measurement) {
        // Most probes are not worth a copy of their texts.
        let key = (!measurement.is_good(), measurement.duration, scheduled);
        let full = self.0.len() == Self::KEPT;
        if !full || self.0.last().is_some_and(|last| key > last.badness()) {
            self.add(NotedProbe::new(scheduled, measurement));
        }
    }
}

/// All that is kept of one check at one location in one minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// The counts.
    pub counts: ProbeCounts,
    /// For each latency limit in microseconds, ascending: answers that came within it, exactly.
    pub within: Vec<(u64, u32)>,
    /// Failures by class.
    pub failures: BTreeMap<String, u32>,
    /// Times of the answers, for percentiles.
    pub sketch: Sketch,
    /// The worst probes.
    pub worst: Worst,
}

impl Bucket {
    /// An empty bucket that counts what comes within each of `limits`, ascending.
    #[must_use]
    pub fn new(limits: &[Duration]) -> Self {
        let micros = |limit: &Duration| u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        Self {
            within: limits.iter().map(|limit| (micros(limit), 0)).collect(),
            ..Self::default()
        }
    }

    /// Adds one result.
    pub fn record(&mut self, result: &ProbeResult) {
        let counts = &mut self.counts;
        let measurement = match &result.outcome {
            Outcome::Measured(measurement) => measurement,
            Outcome::Gap(gap) => {
                counts.gaps = counts.gaps.saturating_add(1);
                let late = u32::from(matches!(gap, Gap::Late { .. }));
                counts.late = counts.late.saturating_add(late);
                return;
            }
        };
        let good = u32::from(measurement.is_good());
        counts.good = counts.good.saturating_add(good);
        counts.bad = counts.bad.saturating_add(1 - good);
        let retried = u32::from(measurement.is_degraded());
        counts.retried = counts.retried.saturating_add(retried);
        let failed = u32::try_from(measurement.earlier.len()).unwrap_or(u32::MAX);
        counts.failed_attempts = counts.failed_attempts.saturating_add(failed);
        if let Some(failure) = &measurement.failure {
            let count = self.failures.entry(failure.kind.name().to_owned());
            let count = count.or_default();
            *count = count.saturating_add(1);
        }
        for (limit, within) in &mut self.within {
            // The exact duration against the limit, equality included.
            if measurement.answered && measurement.duration <= Duration::from_micros(*limit) {
                *within = within.saturating_add(1);
            }
        }
        self.sketch.record(measurement);
        self.worst.record(result.scheduled, measurement);
    }

    /// Adds another bucket of the same check, location and minute. A limit that only one of them
    /// counted is dropped, unless the other has no answer: its count would lack the other's.
    pub fn merge(&mut self, other: &Self) {
        let measured = |bucket: &Self| bucket.counts.results().total() > 0;
        let (mine, theirs) = (measured(self), measured(other));
        let count = |bucket: &Self, limit: u64| {
            let found = bucket.within.iter().find(|(l, _)| *l == limit);
            found.map(|(_, count)| *count)
        };
        let mut limits: Vec<u64> = self.within.iter().map(|(l, _)| *l).collect();
        limits.extend(other.within.iter().map(|(l, _)| *l));
        limits.sort_unstable();
        limits.dedup();
        let both = limits.into_iter().filter_map(|limit| {
            let sum = match (count(self, limit), count(other, limit)) {
                (Some(a), Some(b)) => a.saturating_add(b),
                (Some(a), None) if !theirs => a,
                (None, Some(b)) if !mine => b,
                _ => return None,
            };
            Some((limit, sum))
        });
        self.within = both.collect();
        self.counts = self.counts.plus(other.counts);
        add_failures(&mut self.failures, &other.failures);
        self.sketch.merge(&other.sketch);
        self.worst.merge(&other.worst);
    }
}

/// Adds failures by class.
pub(super) fn add_failures(sum: &mut BTreeMap<String, u32>, other: &BTreeMap<String, u32>) {
    for (kind, count) in other {
        let sum = sum.entry(kind.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
}
