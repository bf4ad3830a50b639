//! How much data a statement needs.
//!
//! With no failure among `n` independent samples, a service that only just misses its target `T`
//! would have shown this with probability `T^n`; the target is proved at 95 % confidence once
//! `T^n <= 5 %`. At 98 % that takes 149 samples. With fewer, a gate says so instead of guessing.

use super::counts::Counts;
use super::percent::{Percent, Target};

/// The smallest number of samples for which a nearest-rank percentile is not simply the largest
/// sample: `1 / (1 - p)`, so 20 for p95. 100 % has none.
#[must_use]
pub fn for_percentile(percentile: Percent) -> Option<u64> {
    let above = Percent::SCALE - percentile.units();
    (above > 0).then(|| Percent::SCALE.div_ceil(above))
}

/// The smallest `n` for which zero failures prove `target` at 95 % confidence: `T^n <= 1/20`.
///
/// Computed in 128-bit fixed point with the error rounded upwards, so that the answer is never
/// too small. It is never too large either: `T^n = 1/20` has no solution above `n = 1` in decimal
/// fractions, so the power is always off by far more than the 2^-90 that the rounding can add.
#[must_use]
pub fn for_zero_failures(target: Target) -> u64 {
    // At most ln(20) / 1e-8 < 3 x 10^8 for the strictest target that can be written.
    let (mut low, mut high) = (1_u64, 1 << 29);
    while low < high {
        let middle = low + (high - low) / 2;
        if power_is_small(target, middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Whether `T^n <= 1/20`, with `T^n` rounded up.
fn power_is_small(target: Target, mut exponent: u64) -> bool {
    if exponent == 1 {
        // The one case of equality (5 %), exact in integers.
        return target.units() * 20 <= Percent::SCALE;
    }
    // Fixed point with 120 bits after the point.
    const ONE: u128 = 1 << 120;
    let mut base = fixed(u128::from(target.units()));
    let mut power = ONE;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = multiply_up(power, base);
        }
        base = multiply_up(base, base);
        exponent >>= 1;
    }
    power <= ONE / 20
}

/// `units / SCALE` in fixed point, rounded up, without overflow.
fn fixed(units: u128) -> u128 {
    let scale = u128::from(Percent::SCALE);
    // 120 bits in five steps of 24: the remainder stays below 2^27.
    let (mut value, mut rest) = (units / scale, units % scale);
    for _ in 0..5 {
        rest <<= 24;
        value = (value << 24) | (rest / scale);
        rest %= scale;
    }
    value + u128::from(rest > 0)
}

/// `a x b` in fixed point (both at most one), rounded up.
fn multiply_up(a: u128, b: u128) -> u128 {
    const LOW: u128 = (1 << 64) - 1;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let low = a0 * b0;
    // a1 and b1 have at most 57 bits, so the cross terms do not overflow in sum.
    let middle = a1 * b0 + a0 * b1 + (low >> 64);
    let high = a1 * b1 + (middle >> 64);
    let bottom = ((middle & LOW) << 64) | (low & LOW);
    // The product is high x 2^128 + bottom; shift it right by 120.
    let value = (high << 8) | (bottom >> 120);
    value + u128::from(bottom << 8 != 0)
}

/// Whether so many events are bad already that no further good ones within the needed number
/// could reach the target: 3 of 149 at 98 %. Such a failure needs no more samples to be one.
#[must_use]
pub fn already_lost(counts: Counts, target: Target, needed: u64) -> bool {
    let budget = u128::from(needed).max(counts.total()) * u128::from(target.budget_units());
    u128::from(counts.bad) * u128::from(Percent::SCALE) > budget
}
