//! The SLO engine against a slow, obvious reference.
//!
//! `PROPTEST_CASES` sets how many cases each property runs, `PROPTEST_RNG_SEED` where they start.

use proptest::prelude::*;
use synthetics::slo::{
    Counts, LocationRule, Percent, Ratio, Rounding, SliceState, Target, budget, burn, percentile,
    samples, slices,
};

const SCALE: u128 = 100_000_000;

prop_compose! {
    fn targets()(units in 1_u64..100_000_000) -> Target {
        let text = format!("{}.{:06}%", units / 1_000_000, units % 1_000_000);
        text.parse().expect("between 0 and 100 percent")
    }
}

prop_compose! {
    /// Few enough to check by counting.
    fn small()(good in 0_u64..400, bad in 0_u64..400) -> Counts { Counts::new(good, bad) }
}

prop_compose! {
    /// Anything at all, large numbers and small ones alike.
    fn any_counts()(good: u64, bad: u64, a in 0_u32..64, b in 0_u32..64) -> Counts {
        Counts::new(good >> a, bad >> b)
    }
}

/// `T^n <= 1/20` in whole numbers of any length: `20 units^n <= SCALE^n`.
fn proves(units: u64, n: u64) -> bool {
    let power = |base: u64, n| (0..n).fold(vec![1], |number, _| times(&number, base));
    let left = times(&power(units, n), 20);
    let right = power(100_000_000, n);
    (left.len(), left.iter().rev().collect::<Vec<_>>())
        <= (right.len(), right.iter().rev().collect::<Vec<_>>())
}

/// A number in base 2^32, lowest digit first, times a small one.
fn times(number: &[u32], by: u64) -> Vec<u32> {
    let mut carry = 0;
    let mut product: Vec<u32> = number
        .iter()
        .map(|digit| {
            let sum = u64::from(*digit) * by + carry;
            carry = sum >> 32;
            (sum & 0xffff_ffff) as u32
        })
        .collect();
    if carry > 0 {
        product.push(carry as u32);
    }
    product
}

proptest! {
    #[test]
    fn a_target_reads_as_it_is_written(target in targets()) {
        prop_assert_eq!(target.to_string().parse::<Target>(), Ok(target));
    }

    #[test]
    fn any_text_is_a_target_or_an_error(text in "\\PC{0,20}") {
        let _ = text.parse::<Target>();
        let _ = Ratio::parse_decimal(&text);
    }

    #[test]
    fn meeting_a_target_is_counting(counts in small(), target in targets()) {
        // Each event weighs SCALE; of every event, `units` must be good.
        let needed: u128 = (0..counts.total()).map(|_| u128::from(target.units())).sum();
        let have: u128 = (0..counts.good).map(|_| SCALE).sum();
        let expected = (counts.total() > 0).then_some(have >= needed);
        prop_assert_eq!(counts.meets(target), expected);
    }

    #[test]
    fn the_budget_is_spent_exactly_when_the_target_is_missed(counts in any_counts(), target in targets()) {
        let remaining = budget::remaining(counts, target);
        prop_assert_eq!(remaining.map(|left| left.signum() >= 0), counts.meets(target));
        let events = budget::events_left(counts, target);
        if counts.total() > 0 {
            prop_assert_eq!(events >= 0, counts.meets(target) == Some(true));
        }
        prop_assert!(remaining.is_none_or(|left| left <= Ratio::whole(1)));
    }

    #[test]
    fn events_left_are_found_by_trying(counts in small(), target in targets()) {
        prop_assume!(counts.total() > 0);
        let total = counts.total() as i128;
        let fits = |k: &i128| {
            (i128::from(counts.bad) + k) * SCALE as i128 <= i128::from(target.budget_units()) * total
        };
        let expected = (-1_000..1_000).filter(fits).max();
        prop_assert_eq!(Some(budget::events_left(counts, target)), expected);
    }

    #[test]
    fn burn_and_budget_are_two_sides(counts in any_counts(), target in targets()) {
        // Over one whole period, what burned and what is left make one budget: burn + left = 1.
        let (Some(burn), Some(left)) = (burn::rate(counts, target), budget::remaining(counts, target)) else {
            prop_assert_eq!(counts.total(), 0);
            return Ok(());
        };
        prop_assert!(burn <= burn::maximum(target));
        prop_assert_eq!(burn > Ratio::whole(1), left.signum() < 0);
        let sum = burn.to_f64() + left.to_f64();
        prop_assert!((sum - 1.0).abs() <= 1e-6 * burn.to_f64().max(1.0), "{sum}");
    }

    #[test]
    fn ratios_compare_as_cross_products(a in -999_i128..999, b in 1_i128..999, c in -999_i128..999, d in 1_i128..999) {
        let (left, right) = (Ratio::new(a, b).unwrap(), Ratio::new(c, d).unwrap());
        prop_assert_eq!(left.cmp(&right), (a * d).cmp(&(c * b)));
        prop_assert_eq!(left == right, a * d == c * b);
    }

    #[test]
    fn any_ratio_can_be_shown(a: i128, b: i128, c: i128, d: i128, factor: u128) {
        if let (Some(left), Some(right)) = (Ratio::new(a, b), Ratio::new(c, d)) {
            prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
            prop_assert!(!left.to_decimal(2, 6, Rounding::Nearest).is_empty());
            let _ = left.scale_truncated(factor);
        }
    }

    #[test]
    fn decimals_are_long_division(a in -99_999_i128..99_999, b in 1_i128..999, places in 0_u32..6) {
        let ratio = Ratio::new(a, b).unwrap();
        let scaled = a.abs() * 10_i128.pow(places + 2);
        let sign = if a < 0 { "-" } else { "" };
        for (rounding, digits) in [
            (Rounding::Truncate, scaled / b),
            (Rounding::Nearest, (scaled * 2 + b) / (2 * b)),
        ] {
            let digits = format!("{digits:0>width$}", width = places as usize + 1);
            let (head, tail) = digits.split_at(digits.len() - places as usize);
            let point = if tail.is_empty() { "" } else { "." };
            let expected = format!("{sign}{head}{point}{tail}");
            prop_assert_eq!(ratio.to_decimal(2, places, rounding), expected);
        }
    }

    #[test]
    fn within_the_limit_is_the_percentile(mut times in prop::collection::vec(0_u64..50, 1..200), limit in 0_u64..50, target in targets()) {
        times.sort_unstable();
        let within = times.iter().filter(|time| **time <= limit).count() as u64;
        let counts = Counts::new(within, times.len() as u64 - within);
        let percentile = percentile::nearest_rank(&times, target.percent()).expect("values");
        prop_assert_eq!(counts.meets(target), Some(percentile <= limit));
    }

    #[test]
    fn a_slice_is_judged_by_counting(
        locations in prop::collection::vec((0_u64..4, 0_u64..4), 0..6),
        percent in 1_u8..=100,
        retried: bool,
    ) {
        let share = Percent::whole(percent);
        let enough = |(good, bad): (u64, u64)| good * 100 >= (good + bad) * u64::from(percent);
        let measured: Vec<_> = locations.iter().copied().filter(|(g, b)| g + b > 0).collect();
        let up = measured.iter().filter(|m| enough(**m)).count();
        let down = measured.len() - up;
        let sum = measured.iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let counts: Vec<_> = locations.iter().map(|(g, b)| Counts::new(*g, *b)).collect();
        for (rule, is_up) in [
            (LocationRule::AllUp, down == 0),
            (LocationRule::Majority, up > down),
            (LocationRule::Pooled, enough(sum)),
        ] {
            let expected = match (measured.is_empty(), is_up) {
                (true, _) => SliceState::Gap,
                (false, true) if down > 0 || retried => SliceState::Degraded,
                (false, true) => SliceState::Up,
                (false, false) => SliceState::Down,
            };
            prop_assert_eq!(slices::state(&counts, rule, share, retried), expected);
        }
    }

    #[test]
    fn samples_needed_are_the_fewest(units in 1_u64..99_700_000) {
        let text = format!("{}.{:06}%", units / 1_000_000, units % 1_000_000);
        let target: Target = text.parse().expect("between 0 and 100 percent");
        let needed = samples::for_zero_failures(target);
        prop_assert!(proves(units, needed), "{needed} samples do not prove {target}");
        prop_assert!(needed == 1 || !proves(units, needed - 1), "fewer than {needed} prove {target}");
    }
}
