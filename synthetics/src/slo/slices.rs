//! Time slices: was the minute up, down, unmeasured or in maintenance, and over all locations?

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::percent::Percent;

/// How the verdicts of several locations become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocationRule {
    /// Any location down is down.
    #[default]
    AllUp,
    /// More than half of the locations that measured must be up; half is not enough.
    Majority,
    /// The events of all locations are summed and judged as if from one.
    Pooled,
}

impl LocationRule {
    /// The name as it stands in the configuration and on the page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllUp => "all-up",
            Self::Majority => "majority",
            Self::Pooled => "pooled",
        }
    }
}

/// What one slice was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SliceState {
    /// Measured and as promised.
    Up,
    /// As promised all told, yet not all was well: a probe passed only after a retry, or a
    /// location was down that the rule lets pass. It counts as up.
    Degraded,
    /// Measured and not as promised.
    Down,
    /// Nobody measured: in no count.
    Gap,
    /// Declared downtime: counts as good, so that the budget stays the same size.
    Maintenance,
}

/// Judges one slice from the counts of each location (one entry a location, empty where it did
/// not measure). A location is up when at least `min_good` of its events are good. `retried` says
/// that some of them were good only after a retry.
#[must_use]
pub fn state(
    locations: &[Counts],
    rule: LocationRule,
    min_good: Percent,
    retried: bool,
) -> SliceState {
    let verdicts = || {
        locations
            .iter()
            .filter_map(|counts| counts.reaches(min_good))
    };
    let measured = verdicts().count();
    if measured == 0 {
        return SliceState::Gap;
    }
    let up = match rule {
        LocationRule::AllUp => verdicts().all(|up| up),
        LocationRule::Majority => verdicts().filter(|up| *up).count() * 2 > measured,
        LocationRule::Pooled => {
            let pooled: Counts = locations.iter().copied().sum();
            pooled.reaches(min_good) == Some(true)
        }
    };
    match up {
        false => SliceState::Down,
        true if retried || verdicts().any(|up| !up) => SliceState::Degraded,
        true => SliceState::Up,
    }
}

/// How many slices of a window were what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceTally {
    /// Up.
    pub up: u64,
    /// Up, but not all was well.
    #[serde(default)]
    pub degraded: u64,
    /// Down.
    pub down: u64,
    /// Not measured.
    pub gap: u64,
    /// In maintenance.
    pub maintenance: u64,
}

impl SliceTally {
    /// Adds one slice.
    pub const fn record(&mut self, state: SliceState) {
        let field = match state {
            SliceState::Up => &mut self.up,
            SliceState::Degraded => &mut self.degraded,
            SliceState::Down => &mut self.down,
            SliceState::Gap => &mut self.gap,
            SliceState::Maintenance => &mut self.maintenance,
        };
        *field = field.saturating_add(1);
    }

    /// The slices as events: `good slices / measured slices`, maintenance being good.
    #[must_use]
    pub const fn counts(self) -> Counts {
        let good = self.up.saturating_add(self.degraded);
        Counts::new(good.saturating_add(self.maintenance), self.down)
    }

    /// Measured against expected slices.
    #[must_use]
    pub const fn coverage(self) -> Coverage {
        let measured = self.counts().total() as u64;
        Coverage {
            measured,
            expected: measured.saturating_add(self.gap),
        }
    }
}

impl FromIterator<SliceState> for SliceTally {
    fn from_iter<I: IntoIterator<Item = SliceState>>(states: I) -> Self {
        let mut tally = Self::default();
        states.into_iter().for_each(|state| tally.record(state));
        tally
    }
}

/// How much of a window was measured at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Slices with a result.
    pub measured: u64,
    /// Slices that should have one.
    pub expected: u64,
}

impl Coverage {
    /// Whether at least nine tenths were measured. Below that there is no verdict, whatever the
    /// few results say. Nothing expected is not enough.
    #[must_use]
    pub const fn is_enough(self) -> bool {
        self.expected > 0 && self.measured as u128 * 10 >= self.expected as u128 * 9
    }
}
