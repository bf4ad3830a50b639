//! What a gate or a run says at its end: for a person as a table, for scripts as JSON, for CI as
//! JUnit, Markdown and annotations.

mod github;
mod json;
mod junit;
mod markdown;
mod table;
pub(crate) mod words;

pub use github::annotations;
pub use json::json;
pub(crate) use json::{noted as noted_json, objective as objective_json};
pub use junit::{JunitError, junit};
pub use markdown::markdown;
pub(crate) use table::paint;
pub use table::table;
pub(crate) use words::heading;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::evaluate::Evaluation;
use crate::history::NotedProbe;
use crate::history::summary::Summary;
use crate::plan::Plan;
use crate::slo::{Counts, OnInconclusive, Percent, Reason, Verdict};
use crate::tally::{CheckTotals, LastFailure, Shown};

/// Everything that is told.
#[derive(Clone, Debug)]
pub struct Report {
    /// Address that was probed, as far as it is known.
    pub target: String,
    /// Locations that it was probed from.
    pub location: String,
    /// Start of what was judged.
    pub started: Timestamp,
    /// How long that is.
    pub length: Duration,
    /// Where the results come from.
    pub basis: Basis,
    /// How many times as fast as real time the clock ran.
    pub time_scale: u32,
    /// The objectives.
    pub objectives: Vec<Evaluation>,
    /// The checks.
    pub checks: Vec<CheckReport>,
    /// What an inconclusive verdict counts as.
    pub on_inconclusive: OnInconclusive,
}

/// Where results come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// It was probed for this report.
    Probes {
        /// How.
        plan: Plan,
        /// Whether that was stopped before its time.
        interrupted: bool,
    },
    /// Probers have kept a history.
    History {
        /// Its table.
        table: String,
        /// What was asked for: `7d`, or `since 2h`.
        window: String,
    },
    /// A prober has recorded its results.
    Recording {
        /// The file.
        file: String,
        /// Whether its last line was cut off, as a kill leaves it.
        cut: bool,
    },
}

/// One check.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// Its name.
    pub name: String,
    /// Right and wrong answers.
    pub results: Counts,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Failures by class.
    pub failures: BTreeMap<String, u64>,
    /// The newest failure, where every result is known.
    pub last_failure: Option<LastFailure>,
    /// The worst probes, the worst first.
    pub worst: Vec<NotedProbe>,
    /// 95th percentile of its times.
    pub p95: Shown,
}

impl CheckReport {
    /// A check that was tallied.
    #[must_use]
    pub fn of_totals(name: &str, totals: &CheckTotals) -> Self {
        let failures = totals.failures.iter();
        Self {
            name: name.to_owned(),
            results: totals.results,
            gaps: totals.gaps,
            failures: failures.map(|(k, n)| (k.name().to_owned(), *n)).collect(),
            last_failure: totals.last_failure.clone(),
            worst: totals.worst.probes().to_vec(),
            p95: totals.latencies.percentile(Percent::P95),
        }
    }

    /// A check of a history.
    #[must_use]
    pub fn of_summary(name: &str, summary: &Summary) -> Self {
        Self {
            name: name.to_owned(),
            results: summary.results,
            gaps: summary.gaps,
            failures: summary.failures.clone(),
            last_failure: None,
            worst: summary.worst.probes().to_vec(),
            p95: summary.sketch.percentile(Percent::P95),
        }
    }
}

impl Report {
    /// The verdict as the data has it: the worst of all objectives. A gate that was stopped
    /// before its time has proved nothing good.
    #[must_use]
    pub fn measured_verdict(&self) -> Verdict {
        let verdicts = self.objectives.iter().map(|o| o.judgement.verdict);
        match Verdict::worst(verdicts) {
            Verdict::Pass if self.interrupted() => Verdict::Inconclusive,
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

    /// Whether it was stopped before its time.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        matches!(
            self.basis,
            Basis::Probes {
                interrupted: true,
                ..
            }
        )
    }

    /// Probes that were sent, and ticks that were not measured.
    #[must_use]
    pub fn probes(&self) -> (u128, u64) {
        self.checks.iter().fold((0, 0), |(probes, gaps), check| {
            (probes + check.results.total(), gaps + check.gaps)
        })
    }
}
