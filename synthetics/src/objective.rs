//! Service level objectives: what is promised, and which checks it is measured on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::slo::burn::{self, BurnAlert};
use crate::slo::{LocationRule, Percent, Target, Window};

/// A newest measurement that ended this long ago is stale, unless probes are further apart.
pub const STALE: Duration = Duration::from_secs(3 * 60);
/// What a busy machine may be late by, in real time.
const MOMENT: Duration = Duration::from_secs(5);

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
    /// What it is judged over, where nothing else is asked for.
    pub window: Window,
    /// When to raise an alarm.
    pub alerts: Vec<BurnAlert>,
    /// The longest time between two probes of it, whichever of its checks they are of, on the
    /// clock that it is judged by. Slices in which no probe is due are not missing.
    pub every: Duration,
    /// A newest measurement that ended this long ago is stale.
    pub stale: Duration,
    /// Where it is written, so that a failure can point there.
    pub source: Option<SourceLine>,
}

impl Slo {
    /// An objective over seven days with the usual alerts, all locations up, written nowhere.
    #[must_use]
    pub fn new(name: &str, target: Target, indicator: Indicator, checks: Vec<usize>) -> Self {
        let window = Window::SEVEN_DAYS;
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            target,
            indicator,
            checks,
            rule: LocationRule::AllUp,
            window,
            alerts: burn::usual(target, window.period()),
            every: Duration::ZERO,
            stale: STALE,
            source: None,
        }
    }

    /// The same, probed once in `every` of real time, and judged by a clock that runs `factor`
    /// times as fast.
    #[must_use]
    pub fn probed(mut self, every: Duration, factor: u32) -> Self {
        self.every = every.saturating_mul(factor);
        // On a faster clock a moment of real time is long, and no sign of anything.
        let moment = match factor {
            1 => Duration::ZERO,
            factor => MOMENT.saturating_mul(factor),
        };
        self.stale = STALE.max(self.every.saturating_mul(2)).max(moment);
        self
    }

    /// One slice of so many has a probe due, where a slice is this long.
    #[must_use]
    pub fn stride(&self, slice: Duration) -> u64 {
        let stride = self.every.as_micros() / slice.as_micros().max(1);
        u64::try_from(stride).unwrap_or(u64::MAX).max(1)
    }
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The file as it was named.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

/// `synthetics.yaml:12`, which terminals and editors open.
impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
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
