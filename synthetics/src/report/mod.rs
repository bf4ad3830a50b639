//! What a gate or a run says at its end: for a person as a table, for scripts as JSON.

mod json;
mod table;

pub use json::json;
pub use table::table;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::evaluate::Evaluation;
use crate::plan::Plan;
use crate::slo::{OnInconclusive, Reason, Verdict};
use crate::tally::CheckTotals;

/// Everything that is told.
#[derive(Clone, Debug)]
pub struct Report {
    /// Address that was probed.
    pub target: String,
    /// Location that it was probed from.
    pub location: String,
    /// When the first probe was due.
    pub started: Timestamp,
    /// How long probes were due.
    pub length: Duration,
    /// How it was probed.
    pub plan: Plan,
    /// Whether it was stopped before its time.
    pub interrupted: bool,
    /// The objectives.
    pub objectives: Vec<Evaluation>,
    /// The checks, by name.
    pub checks: Vec<(String, CheckTotals)>,
    /// What an inconclusive verdict counts as.
    pub on_inconclusive: OnInconclusive,
}

impl Report {
    /// The verdict as the data has it: the worst of all objectives. A gate that was stopped
    /// before its time has proved nothing good.
    #[must_use]
    pub fn measured_verdict(&self) -> Verdict {
        let verdicts = self.objectives.iter().map(|o| o.judgement.verdict);
        match Verdict::worst(verdicts) {
            Verdict::Pass if self.interrupted => Verdict::Inconclusive,
            verdict => verdict,
        }
    }

    /// The verdict to act on, after `--on-inconclusive`. An objective without one single event
    /// never passes, whatever that says: nothing is not good.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdict = self.on_inconclusive.apply(self.measured_verdict());
        let empty = |o: &Evaluation| o.judgement.reason == Reason::NoEvents;
        if verdict == Verdict::Pass
            && (self.objectives.is_empty() || self.objectives.iter().any(empty))
        {
            return Verdict::Inconclusive;
        }
        verdict
    }

    /// Probes that were sent, and ticks that were not measured.
    #[must_use]
    pub fn probes(&self) -> (u128, u64) {
        self.checks
            .iter()
            .fold((0, 0), |(probes, gaps), (_, check)| {
                (probes + check.results.total(), gaps + check.gaps)
            })
    }
}

/// A duration in milliseconds for people: `12.3 ms`.
fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}
