//! Service level objectives: what is promised, and which checks it is measured on.

use std::time::Duration;

use crate::slo::{LocationRule, Percent, Target};

/// One objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    /// Short unique name, a tag value.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What share must be good.
    pub target: Target,
    /// What is good.
    pub indicator: Indicator,
    /// Positions of the checks that it is measured on.
    pub checks: Vec<usize>,
    /// How several locations become one, for time slices; events are always summed.
    pub rule: LocationRule,
}

/// What counts as good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indicator {
    /// Time slices: a slice is up at a location when at least this share of its probes is good.
    Availability {
        /// The share, equality included.
        min_good: Percent,
    },
    /// Requests whose whole answer came within the limit, be it right or wrong. No answer at all
    /// is bad: it did not come in time.
    Latency {
        /// The limit, included.
        within: Duration,
    },
    /// Requests with a correct answer.
    Success,
}

impl Indicator {
    /// The name of the kind in reports.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Availability { .. } => "time slices",
            Self::Latency { .. } | Self::Success => "requests",
        }
    }
}

/// The distinct latency limits of all objectives, ascending: what a tally has to count.
#[must_use]
pub fn latency_limits(slos: &[Slo]) -> Vec<Duration> {
    let mut limits: Vec<Duration> = slos
        .iter()
        .filter_map(|slo| match slo.indicator {
            Indicator::Latency { within } => Some(within),
            _ => None,
        })
        .collect();
    limits.sort_unstable();
    limits.dedup();
    limits
}
