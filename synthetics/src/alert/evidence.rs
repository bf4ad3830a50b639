//! The newest failure of each check, to show beside an alert.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::probe::{Outcome, ProbeResult};
use crate::sink::Sink;
use crate::tally::LastFailure;

/// By position of the check: its name and its newest failure.
type Failures = BTreeMap<usize, (Arc<str>, LastFailure)>;

/// The newest failures. Clones are handles to the same ones.
#[derive(Clone, Debug, Default)]
pub struct Evidence(Arc<Mutex<Failures>>);

impl Evidence {
    fn failures(&self) -> MutexGuard<'_, Failures> {
        // A panic elsewhere leaves whole failures.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest failure of any of `checks`, with the name of its check.
    #[must_use]
    pub fn of(&self, checks: &[usize]) -> Option<(Arc<str>, LastFailure)> {
        let failures = self.failures();
        let found = checks.iter().filter_map(|check| failures.get(check));
        found.max_by_key(|(_, last)| last.scheduled).cloned()
    }
}

impl Sink for Evidence {
    fn record(&mut self, result: &ProbeResult) {
        let Outcome::Measured(measurement) = &result.outcome else {
            return;
        };
        let Some(failure) = &measurement.failure else {
            return;
        };
        let last = LastFailure {
            scheduled: result.scheduled,
            failure: failure.clone(),
            trace_id: measurement.trace_id.clone(),
        };
        let failures = &mut self.failures();
        failures.insert(result.check_index, (Arc::clone(&result.check), last));
    }
}
