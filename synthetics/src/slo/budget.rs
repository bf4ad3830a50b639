//! What is left of the error budget: as a share, as time, as events.
//!
//! `remaining % = 100 (SLI - T) / (100 - T)`, signed and never clamped: an overspent budget is
//! negative. As time it is `remaining x (1 - T) x window`.

use std::fmt;
use std::time::Duration;

use super::counts::Counts;
use super::percent::{Percent, Target};
use super::ratio::{Ratio, Rounding};

/// A span of time that may be negative, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedMillis(pub i128);

/// What is left of the budget as a share of it: 1 is untouched, 0 is spent, below 0 is overspent.
/// `None` without events.
#[must_use]
pub fn remaining(counts: Counts, target: Target) -> Option<Ratio> {
    let total = i128::try_from(counts.total()).ok()?;
    // (good/total - T) / (1 - T), with both sides times total x SCALE.
    let have = i128::from(counts.good) * i128::from(Percent::SCALE);
    let promised = i128::from(target.units()) * total;
    Ratio::new(have - promised, i128::from(target.budget_units()) * total)
}

/// The whole budget of `window` as time: 7 days at 98 % are 3 h 21 m 36 s. Cut to milliseconds.
#[must_use]
pub fn total_time(target: Target, window: Duration) -> SignedMillis {
    share_of(Ratio::whole(1), target, window)
}

/// The remaining budget as time, cut to milliseconds. `None` without events.
///
/// For a count SLO this is an equivalent only: label it so.
#[must_use]
pub fn remaining_time(counts: Counts, target: Target, window: Duration) -> Option<SignedMillis> {
    Some(share_of(remaining(counts, target)?, target, window))
}

fn share_of(remaining: Ratio, target: Target, window: Duration) -> SignedMillis {
    let scale = u128::from(Percent::SCALE);
    let budget = window
        .as_millis()
        .saturating_mul(u128::from(target.budget_units()));
    // Dividing first is exact while the budget is a whole number of milliseconds, as it is for
    // windows of whole seconds and up to three digits after the target's point.
    if budget.is_multiple_of(scale) {
        return SignedMillis(remaining.scale_truncated(budget / scale));
    }
    SignedMillis(remaining.scale_truncated(budget) / i128::from(Percent::SCALE))
}

/// How many more of the events so far could have been bad; negative where the budget is
/// overspent. A broken event is not left: the value is rounded down.
#[must_use]
pub fn events_left(counts: Counts, target: Target) -> i128 {
    let allowed = counts.total() * u128::from(target.budget_units());
    let spent = u128::from(counts.bad) * u128::from(Percent::SCALE);
    let allowed = i128::try_from(allowed).unwrap_or(i128::MAX);
    let spent = i128::try_from(spent).unwrap_or(i128::MAX);
    (allowed - spent).div_euclid(i128::from(Percent::SCALE))
}

/// The budget as a page shows it: percent rounded, minutes cut, such as `97% (3h 14m)`.
#[must_use]
pub fn render(remaining: Ratio, time: SignedMillis) -> String {
    format!(
        "{}% ({time})",
        remaining.to_decimal(2, 0, Rounding::Nearest)
    )
}

/// Hours and minutes, cut towards zero: `3h 14m`, `14m`, `-2h 5m`.
impl fmt::Display for SignedMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.unsigned_abs() / 60_000;
        let sign = if self.0 < 0 { "-" } else { "" };
        match minutes / 60 {
            0 => write!(f, "{sign}{minutes}m"),
            hours => write!(f, "{sign}{hours}h {}m", minutes % 60),
        }
    }
}
