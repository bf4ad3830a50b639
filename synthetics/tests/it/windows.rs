//! Windows, maintenance and burn alerts over slices.

use std::time::Duration;

use proptest::prelude::*;
use synthetics::clock::Timestamp;
use synthetics::evaluate::{Evaluation, Judge, SliceCell};
use synthetics::objective::{Indicator, Slo};
use synthetics::slo::{Counts, Maintenance, Percent, Reason, SliceState, Target, burn};

/// Good and bad events, gaps, retried.
type Cell = (u64, u64, u64, u64);

const MINUTE: Duration = Duration::from_secs(60);

fn minute(index: u64) -> Timestamp {
    Timestamp::from_micros(index * 60_000_000)
}

fn availability(target: u8) -> Slo {
    let min_good = Percent::HUNDRED;
    let indicator = Indicator::Availability { min_good };
    Slo::new("availability", Target::whole(target), indicator, vec![0])
}

fn success() -> Slo {
    Slo::new("success", Target::whole(96), Indicator::Success, vec![0])
}

fn works(from: u64, until: u64) -> Maintenance {
    Maintenance {
        name: "works".into(),
        from: minute(from),
        until: minute(until),
        every: None,
        slos: None,
    }
}

/// One cell a minute from one location, ten events each; bad where `bad` says so.
fn judged(slo: &Slo, maintenance: &[Maintenance], bad: fn(u64) -> bool) -> Evaluation {
    let mut judge = Judge::new(slo, maintenance);
    for index in 0..1_000 {
        let counts = match bad(index) {
            true => Counts::new(4, 6),
            false => Counts::new(10, 0),
        };
        let cell = SliceCell {
            counts,
            ..SliceCell::default()
        };
        judge.slice(minute(index), minute(index + 1), [cell]);
    }
    judge.finish(false, None)
}

#[test]
fn maintenance_keeps_the_budget_of_time_slices() {
    // 30 minutes down are 3 % of 1,000, too many for 98 %; 20 of them were declared.
    let bad = |index| (100..130).contains(&index);
    let undeclared = judged(&availability(98), &[], bad);
    assert_eq!(undeclared.counts, Counts::new(970, 30));
    assert_eq!(undeclared.judgement.reason, Reason::Missed);
    let declared = judged(&availability(98), &[works(105, 125)], bad);
    assert_eq!(declared.counts, Counts::new(990, 10));
    assert_eq!(declared.slices.maintenance, 20);
    assert_eq!(declared.judgement.reason, Reason::Met);
    // The budget is as large as before: 2 % of all 1,000 minutes.
    assert_eq!(declared.events_left, 10);
}

#[test]
fn maintenance_drops_the_events_of_counts() {
    let bad = |index| (100..130).contains(&index);
    let declared = judged(&success(), &[works(105, 125)], bad);
    assert_eq!(declared.counts, Counts::new(9_740, 60));
    assert_eq!(declared.dropped, Counts::new(80, 120));
    let coverage = declared.coverage;
    assert_eq!((coverage.measured, coverage.expected), (1_000, 1_000));
}

#[test]
fn maintenance_of_one_objective_is_not_that_of_another() {
    let mut works = works(0, 1_000);
    works.slos = Some(vec!["success".into()]);
    let bad = |index| index < 500;
    let other = judged(&availability(98), std::slice::from_ref(&works), bad);
    assert_eq!(other.slices.maintenance, 0);
    // Nothing is left to judge: never green on nothing.
    let own = judged(&success(), &[works], bad);
    assert_eq!(own.judgement.reason, Reason::NoEvents);
}

#[test]
fn the_budget_left_comes_as_time_too() {
    let one = judged(&availability(98), &[], |index| index == 7);
    // 1,000 minutes at 98 % are 20 minutes of budget; one is spent.
    assert_eq!(one.remaining_time.map(|left| left.0), Some(19 * 60_000));
    let range = one.range.map(|(from, until)| until.since(from));
    assert_eq!(range, Some(MINUTE * 1_000));
}

#[test]
fn the_usual_alerts_have_factors_for_their_period() {
    let factors = |target: &str, days: u64| -> Vec<String> {
        let target = target.parse().expect("a target");
        let alerts = burn::usual(target, Duration::from_secs(days * 86_400));
        alerts
            .iter()
            .map(|alert| alert.factor().to_string())
            .collect()
    };
    assert_eq!(factors("98%", 7), ["16.8", "5.6", "2.8"]);
    assert_eq!(factors("99.9%", 30), ["14.4", "6", "3", "1"]);
    // At 90 % nothing burns faster than 10.
    assert_eq!(factors("90%", 7), ["5.6", "2.8"]);
    assert_eq!(
        factors("98%", 1),
        ["2.4"],
        "a day has no window of a day to look at twice"
    );
}

proptest! {
    #[test]
    fn maintenance_touches_what_has_a_moment_in_common(
        from in 0_u64..40, length in 0_u64..20, every in prop::option::of(1_u64..30),
        start in 0_u64..200, slice in 0_u64..10,
    ) {
        let second = |s: u64| Timestamp::from_micros(s * 1_000_000);
        // A repetition is never shorter than what is repeated.
        let every = every.map(|every| every.max(length));
        let window = Maintenance {
            from: second(from),
            until: second(from + length),
            every: every.map(Duration::from_secs),
            ..works(0, 0)
        };
        let is_in = |at: u64| match every {
            _ if at < from || length == 0 => false,
            Some(every) if every > 0 => (at - from) % every < length,
            _ => at < from + length,
        };
        let expected = (start..start + slice).any(is_in);
        prop_assert_eq!(window.touches(second(start), second(start + slice)), expected);
    }

    #[test]
    fn the_order_of_slices_does_not_matter(
        cells in prop::collection::vec((0_u64..5, 0_u64..5, 0_u64..3, 0_u64..3), 1..50),
        seed: u64,
    ) {
        let slo = success();
        let mut shuffled: Vec<_> = cells.iter().enumerate().collect();
        let key = |index: usize| (index as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        shuffled.sort_by_key(|(index, _)| key(*index));
        let sum = |order: &[(usize, &Cell)]| {
            let mut judge = Judge::new(&slo, &[]);
            for (index, (good, bad, gaps, retried)) in order {
                let counts = Counts::new(*good, *bad);
                let cell = SliceCell { counts, gaps: *gaps, retried: *retried };
                let at = *index as u64;
                let state = judge.slice(minute(at), minute(at + 1), [cell]);
                assert_eq!(state == SliceState::Gap, counts == Counts::ZERO);
            }
            let sum = judge.finish(false, None);
            (sum.counts, sum.slices, sum.gaps, sum.retried, sum.range)
        };
        let ordered: Vec<_> = cells.iter().enumerate().collect();
        prop_assert_eq!(sum(&ordered), sum(&shuffled));
    }
}
