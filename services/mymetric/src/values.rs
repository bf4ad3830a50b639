//! The values themselves: pure, endless, repeatable.

use std::ops::RangeInclusive;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

/// What a value can be.
pub const RANGE: RangeInclusive<u16> = 1..=999;

/// Whole numbers, each of [`RANGE`] equally likely. The same seed gives the same numbers.
///
/// It never ends. The generator is one that keeps its sequence from release to release, unlike
/// `StdRng`, so a series shown today can be shown again next year.
#[derive(Clone, Debug)]
pub struct Values(Xoshiro256PlusPlus);

impl Values {
    /// The series that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
}

impl Iterator for Values {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        Some(self.0.random_range(RANGE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_seed_gives_values_in_range_and_gives_them_again(seed: u64, length in 0_usize..500) {
            let first: Vec<u16> = Values::new(seed).take(length).collect();
            prop_assert_eq!(first.len(), length);
            prop_assert!(first.iter().all(|value| RANGE.contains(value)));
            let again: Vec<u16> = Values::new(seed).take(length).collect();
            prop_assert_eq!(first, again);
        }
    }

    #[test]
    fn a_seed_keeps_its_series_across_releases() {
        let series: Vec<u16> = Values::new(42).take(8).collect();
        // Worked out apart from this code: xoshiro256++ seeded through SplitMix64, and of each output the
        // upper 32 bits times 999, divided by 2^32, plus 1.
        assert_eq!(series, [814, 319, 983, 701, 793, 588, 126, 605]);
    }

    /// Pearson's chi-squared test against the uniform distribution.
    #[test]
    fn all_values_are_equally_likely() {
        const EXPECTED: u32 = 1_000;
        let cells = u32::from(*RANGE.end());
        for seed in 0..4 {
            let mut seen = vec![0_u32; cells as usize];
            for value in Values::new(seed).take((cells * EXPECTED) as usize) {
                seen[usize::from(value) - 1] += 1;
            }
            let statistic: f64 = seen
                .iter()
                .map(|count| (f64::from(*count) - f64::from(EXPECTED)).powi(2))
                .sum::<f64>()
                / f64::from(EXPECTED);
            // 998 degrees of freedom: mean 998, standard deviation 44.7. Four of them either way; far
            // too even would be as wrong as far too lumpy.
            assert!((819.0..1177.0).contains(&statistic), "{statistic}");
        }
    }
}
