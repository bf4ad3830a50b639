//! One log line when a check goes down, and one when it comes back.

use super::Sink;
use crate::probe::{Outcome, ProbeResult};

/// Remembers the state of each check.
#[derive(Default)]
pub struct StateLog {
    /// By check: whether its last result was good. Unknown before the first.
    up: Vec<Option<bool>>,
}

impl Sink for StateLog {
    fn record(&mut self, result: &ProbeResult) {
        let Outcome::Measured(measurement) = &result.outcome else {
            return;
        };
        if self.up.len() <= result.check_index {
            self.up.resize(result.check_index + 1, None);
        }
        let up = measurement.is_good();
        let before = self.up[result.check_index].replace(up);
        let (check, location) = (&*result.check, &*result.location);
        let trace = measurement.trace_id.as_deref();
        let duration_ms = measurement.duration.as_secs_f64() * 1_000.0;
        match (&measurement.failure, before) {
            (Some(failure), None | Some(true)) => tracing::warn!(
                check,
                location,
                reason = failure.kind.name(),
                detail = failure.detail,
                duration_ms,
                trace_id = trace,
                dd.trace_id = trace,
                "check is down"
            ),
            (None, Some(false)) => {
                tracing::info!(check, location, duration_ms, "check is up again");
            }
            (None, None) => tracing::debug!(check, location, duration_ms, "check is up"),
            _ => {}
        }
    }
}
