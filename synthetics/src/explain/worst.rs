//! The worst probes of some checks, with the places that they ran from.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use crate::history::codec::ByCheck;
use crate::history::{Minute, NotedProbe};
use crate::probe::{Outcome, ProbeResult};

/// How many are told.
const TOLD: usize = 5;

/// A probe that somebody may want to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) check: Arc<str>,
    pub(crate) location: Arc<str>,
    pub(crate) probe: NotedProbe,
}

/// The worst probes so far: wrong before right, long before short, new before old.
#[derive(Clone, Debug, Default)]
pub(crate) struct Worst {
    /// Names of the checks that count.
    checks: Vec<Arc<str>>,
    found: Vec<Found>,
}

impl Worst {
    /// None yet, of these checks.
    pub(crate) fn of(checks: Vec<Arc<str>>) -> Self {
        Self {
            checks,
            found: Vec::new(),
        }
    }

    /// Adds a result, should it be among the worst.
    pub(crate) fn record(&mut self, result: &ProbeResult) {
        if let Outcome::Measured(measurement) = &result.outcome {
            let probe = || NotedProbe::new(result.scheduled, measurement);
            self.add(&result.check, &result.location, probe);
        }
    }

    /// Adds those of a stretch of one location that lie within `range`.
    pub(crate) fn take(&mut self, location: &str, range: &Range<Minute>, checks: &ByCheck) {
        let location: Arc<str> = location.into();
        for (name, series) in checks {
            for probe in series.worst.probes() {
                if range.contains(&Minute::of(probe.scheduled)) {
                    self.add(name, &location, || probe.clone());
                }
            }
        }
    }

    fn add(&mut self, check: &Arc<str>, location: &Arc<str>, probe: impl FnOnce() -> NotedProbe) {
        if !self.checks.contains(check) {
            return;
        }
        self.found.push(Found {
            check: Arc::clone(check),
            location: Arc::clone(location),
            probe: probe(),
        });
        if self.found.len() >= 20 * TOLD {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.found
            .sort_by_key(|found| Reverse(found.probe.badness()));
        self.found.truncate(TOLD);
    }

    /// The probes, the worst first.
    pub(crate) fn finish(mut self) -> Vec<Found> {
        self.cut();
        self.found
    }
}
