//! The lines of a recording, and what results look like in them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::clock::Timestamp;
use crate::probe::{
    Attempt, Failure, FailureKind, Gap, Measurement, Outcome, Phase, Phases, ProbeResult,
};
use crate::tally::Layout;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// What comes now.
    Recording(Header),
    /// One result.
    Probe(Probe),
}

/// What is probed, and how it is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub(super) version: u32,
    /// Address that is probed.
    pub target: String,
    /// Start of the first slice.
    pub origin: Timestamp,
    /// Length of a slice in microseconds.
    pub slice_us: u64,
    /// Slices in all, where the probing has an end.
    pub slices: Option<u64>,
    /// How many times as fast as real time the clock runs.
    pub time_scale: u32,
    /// Names of the checks.
    pub checks: Vec<String>,
    /// Names of the locations.
    pub locations: Vec<String>,
}

impl Header {
    /// A recording of what goes into a tally of this layout, in so many slices if it has an end.
    #[must_use]
    pub fn new(
        target: &str,
        layout: &Layout,
        checks: &[Arc<str>],
        slices: Option<u64>,
        time_scale: u32,
    ) -> Self {
        let names = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect();
        Self {
            version: VERSION,
            target: target.to_owned(),
            origin: layout.origin,
            slice_us: u64::try_from(layout.slice.as_micros()).unwrap_or(u64::MAX),
            slices,
            time_scale,
            checks: names(checks),
            locations: names(&layout.locations),
        }
    }
}

/// One result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// When it was due.
    pub(super) at: Timestamp,
    /// How much later it started, in microseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    late_us: u64,
    pub(super) check: String,
    pub(super) location: String,
    #[serde(flatten)]
    outcome: Found,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Found {
    Measured(Measured),
    GapMs(u64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Measured {
    us: u64,
    answered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Wrong>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Attempts that failed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Earlier>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    phases_us: BTreeMap<Phase, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrong {
    kind: FailureKind,
    detail: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Earlier {
    us: u64,
    #[serde(flatten)]
    failure: Wrong,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl From<&Failure> for Wrong {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: failure.kind,
            detail: failure.detail.clone(),
        }
    }
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Self {
        Self::new(wrong.kind, &wrong.detail)
    }
}

impl From<&ProbeResult> for Probe {
    fn from(result: &ProbeResult) -> Self {
        Self {
            at: result.scheduled,
            late_us: micros(result.started.since(result.scheduled)),
            check: result.check.to_string(),
            location: result.location.to_string(),
            outcome: match &result.outcome {
                Outcome::Gap(Gap::Late { by_ms }) => Found::GapMs(*by_ms),
                Outcome::Measured(measurement) => Found::Measured(measurement.into()),
            },
        }
    }
}

impl From<&Measurement> for Measured {
    fn from(measurement: &Measurement) -> Self {
        let earlier = measurement.earlier.iter().map(|attempt| Earlier {
            us: micros(attempt.duration),
            failure: (&attempt.failure).into(),
            trace_id: attempt.trace_id.clone(),
        });
        let phases = measurement.phases.iter();
        let took = phases.filter(|(_, time)| !time.is_zero());
        Self {
            us: micros(measurement.duration),
            answered: measurement.answered,
            status: measurement.status,
            failure: measurement.failure.as_ref().map(Into::into),
            trace_id: measurement.trace_id.clone(),
            earlier: earlier.collect(),
            phases_us: took.map(|(phase, time)| (phase, micros(time))).collect(),
        }
    }
}

impl Probe {
    /// The result, as that of the check at this position.
    pub(super) fn result(self, check_index: usize) -> ProbeResult {
        let outcome = match self.outcome {
            Found::GapMs(by_ms) => Outcome::Gap(Gap::Late { by_ms }),
            Found::Measured(measured) => {
                let mut phases = Phases::default();
                for (phase, us) in &measured.phases_us {
                    phases.add(*phase, Duration::from_micros(*us));
                }
                let earlier = measured.earlier.into_iter().map(|earlier| Attempt {
                    duration: Duration::from_micros(earlier.us),
                    failure: earlier.failure.into(),
                    trace_id: earlier.trace_id,
                });
                Outcome::Measured(Measurement {
                    duration: Duration::from_micros(measured.us),
                    phases,
                    answered: measured.answered,
                    status: measured.status,
                    failure: measured.failure.map(Into::into),
                    trace_id: measured.trace_id,
                    earlier: earlier.collect(),
                    ..Measurement::default()
                })
            }
        };
        ProbeResult {
            check_index,
            check: self.check.into(),
            location: self.location.into(),
            scheduled: self.at,
            started: self.at.plus(Duration::from_micros(self.late_us)),
            outcome,
        }
    }
}
