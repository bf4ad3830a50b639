//! How fast the error budget is being spent, and the alerts on it.
//!
//! `burn = error ratio / (1 - T)`: 1 spends exactly the budget over the period. The alerts look
//! at a long window and at one twelfth of it: the long one so that a blip does not wake anybody,
//! the short one so that the alert ends soon after the trouble does.

use std::time::Duration;

use super::counts::Counts;
use super::percent::{Percent, Target};
use super::ratio::Ratio;

/// The burn rate of `counts`, or `None` without events.
#[must_use]
pub fn rate(counts: Counts, target: Target) -> Option<Ratio> {
    Ratio::new(
        i128::from(counts.bad) * i128::from(Percent::SCALE),
        i128::try_from(counts.total()).ok()? * i128::from(target.budget_units()),
    )
}

/// The highest burn rate there is, `1 / (1 - T)`: 50 at 98 %.
#[must_use]
pub fn maximum(target: Target) -> Ratio {
    let scale = i128::from(Percent::SCALE);
    let budget = i128::from(target.budget_units());
    Ratio::new(scale, budget).expect("a target is less than 100 %, so its budget is not zero")
}

/// The factor that spends `share` of the budget of `period` within `long`:
/// `share x period / long`, so 10 % of 7 days in an hour is 16.8. `None` for an empty window.
#[must_use]
pub fn factor(share: Percent, period: Duration, long: Duration) -> Option<Ratio> {
    let period = i128::try_from(period.as_millis()).ok()?;
    let long = i128::try_from(long.as_millis()).ok()?;
    let num = period.checked_mul(i128::from(share.units()))?;
    Ratio::new(num, long.checked_mul(i128::from(Percent::SCALE))?)
}

/// An alert that fires while the budget burns faster than its factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurnAlert {
    target: Target,
    factor: Ratio,
    long: Duration,
}

/// Why a burn alert makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BurnAlertError {
    /// The factor cannot be exceeded.
    #[error(
        "a burn factor of {factor} can never be exceeded: at a target of {target} nothing burns faster than {maximum}"
    )]
    OutOfReach {
        /// The factor as given.
        factor: Ratio,
        /// The target it is for.
        target: Target,
        /// The highest burn rate at that target.
        maximum: Ratio,
    },
    /// The factor is below 1.
    #[error("a burn factor of {0} alerts although the budget lasts: it must be at least 1")]
    InsideBudget(Ratio),
    /// The long window is too short to have a twelfth.
    #[error("a long window of {0:?} is too short: its twelfth must be at least a millisecond")]
    WindowTooShort(Duration),
}

impl BurnAlert {
    /// An alert on `factor` over `long` and a twelfth of it.
    ///
    /// # Errors
    /// Where the factor lies below 1, or can never be exceeded at this target (the comparison is
    /// strict, so a factor equal to the maximum never fires either).
    pub fn new(target: Target, factor: Ratio, long: Duration) -> Result<Self, BurnAlertError> {
        if factor < Ratio::whole(1) {
            return Err(BurnAlertError::InsideBudget(factor));
        }
        let maximum = maximum(target);
        if factor >= maximum {
            return Err(BurnAlertError::OutOfReach {
                factor,
                target,
                maximum,
            });
        }
        if long < Duration::from_millis(12) {
            return Err(BurnAlertError::WindowTooShort(long));
        }
        Ok(Self {
            target,
            factor,
            long,
        })
    }

    /// The burn rate above which it fires.
    #[must_use]
    pub fn factor(&self) -> Ratio {
        self.factor
    }

    /// The long window.
    #[must_use]
    pub fn long(&self) -> Duration {
        self.long
    }

    /// The short window: a twelfth of the long one.
    #[must_use]
    pub fn short(&self) -> Duration {
        self.long / 12
    }

    /// Whether it fires: both windows burn faster than the factor, compared exactly and strictly.
    /// `None` where a window has no events: an alert freezes rather than clears on no data.
    #[must_use]
    pub fn fires(&self, long: Counts, short: Counts) -> Option<bool> {
        let long = rate(long, self.target)?;
        let short = rate(short, self.target)?;
        Some(long > self.factor && short > self.factor)
    }
}

/// The alerts of a 7-day period: 10, 20 and 40 % of the budget in 1, 6 and 24 hours.
pub const SEVEN_DAYS: [(Percent, Duration); 3] = [
    (Percent::whole(10), Duration::from_secs(3_600)),
    (Percent::whole(20), Duration::from_secs(6 * 3_600)),
    (Percent::whole(40), Duration::from_secs(24 * 3_600)),
];

/// The alerts of a 30-day period: 2 % in an hour, 5 % in 6 hours, 10 % in 1 and in 3 days.
pub const THIRTY_DAYS: [(Percent, Duration); 4] = [
    (Percent::whole(2), Duration::from_secs(3_600)),
    (Percent::whole(5), Duration::from_secs(6 * 3_600)),
    (Percent::whole(10), Duration::from_secs(24 * 3_600)),
    (Percent::whole(10), Duration::from_secs(72 * 3_600)),
];

/// The usual alerts on `target` over `period`: those of a week, or from 15 days on those of a
/// month, with factors for this period. Left out are those that would alert inside the budget,
/// that can never be exceeded at this target, or that look further back than the period.
#[must_use]
pub fn usual(target: Target, period: Duration) -> Vec<BurnAlert> {
    let shares: &[(Percent, Duration)] = if period < Duration::from_secs(15 * 86_400) {
        &SEVEN_DAYS
    } else {
        &THIRTY_DAYS
    };
    let alert = |(share, long): &(Percent, Duration)| {
        BurnAlert::new(target, factor(*share, period, *long)?, *long).ok()
    };
    let fits = |(_, long): &&(Percent, Duration)| *long <= period;
    shares.iter().filter(fits).filter_map(alert).collect()
}
