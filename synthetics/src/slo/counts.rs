//! Good and bad events, and the ratio between them.

use serde::{Deserialize, Serialize};

use super::percent::{Percent, Target};
use super::ratio::Ratio;

/// Counted events. Gaps are not events and are never in here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counts {
    /// Events that were as promised.
    pub good: u64,
    /// Events that were not.
    pub bad: u64,
}

impl Counts {
    /// No event yet.
    pub const ZERO: Self = Self { good: 0, bad: 0 };

    /// `good` good and `bad` bad events.
    #[must_use]
    pub const fn new(good: u64, bad: u64) -> Self {
        Self { good, bad }
    }

    /// All events; wider than its parts, so that it cannot overflow.
    #[must_use]
    pub const fn total(self) -> u128 {
        self.good as u128 + self.bad as u128
    }

    /// Adds one event.
    pub const fn record(&mut self, good: bool) {
        if good {
            self.good = self.good.saturating_add(1);
        } else {
            self.bad = self.bad.saturating_add(1);
        }
    }

    /// Both together: counts of several slices, checks or locations.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            good: self.good.saturating_add(other.good),
            bad: self.bad.saturating_add(other.bad),
        }
    }

    /// `good / (good + bad)`. No event is no SLI: neither 100 % nor 0 %.
    #[must_use]
    pub fn sli(self) -> Option<Ratio> {
        Ratio::new(i128::from(self.good), i128::try_from(self.total()).ok()?)
    }

    /// Whether the SLI reaches `share`; equality does. `None` without events.
    #[must_use]
    pub fn reaches(self, share: Percent) -> Option<bool> {
        if self.total() == 0 {
            return None;
        }
        // 64 + 27 bits on either side: exact in 128.
        let have = u128::from(self.good) * u128::from(Percent::SCALE);
        Some(have >= u128::from(share.units()) * self.total())
    }

    /// Whether the target is met; equality passes. `None` without events.
    #[must_use]
    pub fn meets(self, target: Target) -> Option<bool> {
        self.reaches(target.percent())
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::ZERO, Self::plus)
    }
}
