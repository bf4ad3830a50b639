//! Percentiles by nearest rank, so that "95 % within T" and "p95 <= T" are one statement.

use super::percent::Percent;

/// The 1-based rank of the percentile among `count` values: `ceil(p x count)`, at least 1.
/// `None` without values.
#[must_use]
pub fn rank(count: u64, percentile: Percent) -> Option<u64> {
    if count == 0 {
        return None;
    }
    let scale = u128::from(Percent::SCALE);
    let rank = (u128::from(count) * u128::from(percentile.units())).div_ceil(scale);
    // At most `count`, since the percentile is at most one.
    u64::try_from(rank.max(1)).ok()
}

/// The nearest-rank percentile of values in ascending order. `None` without values.
#[must_use]
pub fn nearest_rank<T: Copy>(sorted: &[T], percentile: Percent) -> Option<T> {
    let rank = rank(u64::try_from(sorted.len()).ok()?, percentile)?;
    sorted.get(usize::try_from(rank).ok()? - 1).copied()
}
