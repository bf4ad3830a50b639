//! Numbers worked out by hand, so that one meaning of each is fixed for good.

use std::time::Duration;

use synthetics::slo::burn::{self, BurnAlert, BurnAlertError};
use synthetics::slo::verdict::judge;
use synthetics::slo::{
    Counts, Coverage, LocationRule, Percent, PercentError, Ratio, Reason, Rounding, SliceState,
    SliceTally, Target, Verdict, budget, percentile, slices,
};

const HOUR: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);

fn target(text: &str) -> Target {
    text.parse().expect(text)
}

fn decimal(text: &str) -> Ratio {
    Ratio::parse_decimal(text).expect(text)
}

/// A percentage cut after `places` digits.
fn cut(sli: Option<Ratio>, places: u32) -> String {
    sli.expect("there are events")
        .to_decimal(2, places, Rounding::Truncate)
}

fn minutes_down(total: u64, down: &[u64]) -> Vec<SliceState> {
    let state = |minute| match down.contains(&minute) {
        true => SliceState::Down,
        false => SliceState::Up,
    };
    (1..=total).map(state).collect()
}

/// The slices over several monitors: any one down is down.
fn all_up(monitors: &[Vec<SliceState>]) -> SliceTally {
    let counts = |state: SliceState| {
        Counts::new(
            u64::from(state == SliceState::Up),
            u64::from(state == SliceState::Down),
        )
    };
    (0..monitors[0].len())
        .map(|slot| {
            let each: Vec<_> = monitors.iter().map(|m| counts(m[slot])).collect();
            slices::state(&each, LocationRule::AllUp, Percent::HUNDRED, false)
        })
        .collect()
}

#[test]
fn one_bad_slice_of_five_minutes_in_720() {
    let five_minutes = minutes_down(720 / 5, &[17]);
    let tally: SliceTally = five_minutes.into_iter().collect();
    assert_eq!(cut(tally.counts().sli(), 4), "99.3055");
    let minutes = minutes_down(720, &[81, 82, 83, 84, 85]);
    let tally: SliceTally = minutes.into_iter().collect();
    assert_eq!(cut(tally.counts().sli(), 4), "99.3055");
}

#[test]
fn two_groups_with_five_bad_minutes_each() {
    let groups = [
        minutes_down(720, &[1, 2, 3, 4, 5]),
        minutes_down(720, &[101, 102, 103, 104, 105]),
    ];
    assert_eq!(cut(all_up(&groups).counts().sli(), 3), "98.611");
}

#[test]
fn three_monitors_in_ten_slots() {
    let monitors = [
        minutes_down(10, &[5]),
        minutes_down(10, &[9]),
        minutes_down(10, &[3, 5]),
    ];
    let own =
        |m: &Vec<SliceState>| cut(m.iter().copied().collect::<SliceTally>().counts().sli(), 0);
    assert_eq!(monitors.each_ref().map(own), ["90", "90", "80"]);
    assert_eq!(cut(all_up(&monitors).counts().sli(), 0), "70");
}

#[test]
fn equality_passes_and_one_less_does_not() {
    assert_eq!(Counts::new(98, 2).meets(target("98%")), Some(true));
    assert_eq!(
        Counts::new(979_999, 20_001).meets(target("98%")),
        Some(false)
    );
    let large = 1_000_000_000_000_000_u64;
    let bad = large / 50;
    assert_eq!(
        Counts::new(large - bad, bad).meets(target("98%")),
        Some(true)
    );
    assert_eq!(
        Counts::new(large - bad - 1, bad + 1).meets(target("98%")),
        Some(false)
    );
    // Floats cannot tell these two apart.
    let most = u64::MAX / 100;
    assert_eq!(
        Counts::new(most * 98, most * 2).meets(target("98%")),
        Some(true)
    );
    assert_eq!(
        Counts::new(most * 98 - 1, most * 2 + 1).meets(target("98%")),
        Some(false)
    );
}

#[test]
fn no_event_is_no_sli() {
    assert_eq!(Counts::ZERO.sli(), None);
    assert_eq!(Counts::ZERO.meets(target("98%")), None);
    assert_eq!(budget::remaining(Counts::ZERO, target("98%")), None);
    assert_eq!(burn::rate(Counts::ZERO, target("98%")), None);
    let judgement = judge(Counts::ZERO, target("98%"));
    assert_eq!(
        (judgement.verdict, judgement.reason),
        (Verdict::Inconclusive, Reason::NoEvents)
    );
    assert_eq!(Verdict::worst([]), Verdict::Inconclusive);
}

#[test]
fn targets_have_one_clear_form() {
    for (text, shown) in [
        ("98%", "98%"),
        ("98 %", "98%"),
        (" 99.95%", "99.95%"),
        ("99.90%", "99.9%"),
        ("0.5%", "0.5%"),
        ("99.999999%", "99.999999%"),
    ] {
        assert_eq!(target(text).to_string(), shown);
    }
    let hint = |text: &str| match text.parse::<Target>() {
        Err(PercentError::NoSign { hint, .. }) => hint,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(hint("98"), "98%");
    assert_eq!(hint("0.98"), "98%");
    assert_eq!(hint("0.9995"), "99.95%");
    for bad in [
        "", "%", "abc%", "-1%", "9 8%", "98.%", ".5%", "1e1%", "+98%", "98%%", "९८%",
    ] {
        assert!(
            matches!(bad.parse::<Target>(), Err(PercentError::NotANumber(_))),
            "{bad}"
        );
    }
    assert!(matches!(
        "100.1%".parse::<Target>(),
        Err(PercentError::TooLarge(_))
    ));
    assert!(matches!(
        "99999999999999999999%".parse::<Target>(),
        Err(PercentError::TooLarge(_))
    ));
    assert!(matches!(
        "99.1234567%".parse::<Target>(),
        Err(PercentError::TooPrecise(_))
    ));
    assert!(matches!(
        "100%".parse::<Target>(),
        Err(PercentError::NoBudget(_))
    ));
    assert!(matches!(
        "0%".parse::<Target>(),
        Err(PercentError::NoBudget(_))
    ));
}

#[test]
fn a_week_of_budget_as_time() {
    for (text, hours, minutes, seconds) in
        [("98%", 3, 21, 36), ("96%", 6, 43, 12), ("95%", 8, 24, 0)]
    {
        let expected = i128::from(((hours * 60 + minutes) * 60 + seconds) * 1_000);
        assert_eq!(budget::total_time(target(text), WEEK).0, expected, "{text}");
    }
}

#[test]
fn budget_left_is_signed_and_never_clamped() {
    let left = |bad| {
        let counts = Counts::new(10_080 - bad, bad);
        let remaining = budget::remaining(counts, target("98%")).expect("events");
        let time = budget::remaining_time(counts, target("98%"), WEEK).expect("events");
        (
            budget::render(remaining, time),
            budget::events_left(counts, target("98%")),
        )
    };
    // 201.6 minutes are the whole budget.
    assert_eq!(left(0), ("100% (3h 21m)".into(), 201));
    assert_eq!(left(7), ("97% (3h 14m)".into(), 194));
    assert_eq!(left(201), ("0% (0m)".into(), 0));
    assert_eq!(left(202), ("-0% (-0m)".into(), -1));
    assert_eq!(left(403), ("-100% (-3h 21m)".into(), -202));
    assert_eq!(left(10_080), ("-4900% (-164h 38m)".into(), -9_879));
}

#[test]
fn compared_before_rounding() {
    assert!(decimal("9.04") > decimal("9"));
    assert_eq!(decimal("9.04").to_decimal(0, 0, Rounding::Nearest), "9");
    let alert = BurnAlert::new(target("98%"), decimal("9"), HOUR).expect("an alert");
    // 9.04 x 2 % = 18.08 %.
    let fast = Counts::new(8_192, 1_808);
    assert_eq!(burn::rate(fast, target("98%")), Some(decimal("9.04")));
    assert_eq!(alert.fires(fast, fast), Some(true));
    let equal = Counts::new(82, 18);
    assert_eq!(alert.fires(equal, equal), Some(false));
}

#[test]
fn burn_has_a_maximum() {
    for (text, maximum) in [("98%", 50), ("96%", 25), ("95%", 20)] {
        assert_eq!(burn::maximum(target(text)), Ratio::whole(maximum));
        assert_eq!(
            burn::rate(Counts::new(0, 7), target(text)),
            Some(Ratio::whole(maximum))
        );
        let refused = BurnAlert::new(target(text), Ratio::whole(maximum + 1), HOUR);
        assert!(matches!(refused, Err(BurnAlertError::OutOfReach { .. })));
    }
    let text = BurnAlert::new(target("90%"), decimal("16.8"), HOUR)
        .expect_err("10 is the most")
        .to_string();
    assert!(
        text.contains("16.8") && text.contains("90%") && text.contains("10"),
        "{text}"
    );
    let inside = BurnAlert::new(target("98%"), decimal("0.999"), HOUR);
    assert!(matches!(inside, Err(BurnAlertError::InsideBudget(_))));
    assert!(BurnAlert::new(target("98%"), decimal("1"), HOUR).is_ok());
}

#[test]
fn factors_scale_with_the_period() {
    let factors = |alerts: &[(Percent, Duration)], period| {
        let factor = |(share, long): &(Percent, Duration)| burn::factor(*share, period, *long);
        alerts.iter().filter_map(factor).collect::<Vec<_>>()
    };
    let week = [decimal("16.8"), decimal("5.6"), decimal("2.8")];
    assert_eq!(factors(&burn::SEVEN_DAYS, WEEK), week);
    let month = [decimal("14.4"), decimal("6"), decimal("3"), decimal("1")];
    assert_eq!(factors(&burn::THIRTY_DAYS, MONTH), month);
}

#[test]
fn short_windows_are_a_twelfth() {
    let minutes = |(share, long): &(Percent, Duration), period| {
        let factor = burn::factor(*share, period, *long).expect("a window");
        let alert = BurnAlert::new(target("98%"), factor, *long).expect("an alert");
        alert.short().as_secs() / 60
    };
    assert_eq!(
        burn::SEVEN_DAYS.each_ref().map(|a| minutes(a, WEEK)),
        [5, 30, 120]
    );
    assert_eq!(
        burn::THIRTY_DAYS.each_ref().map(|a| minutes(a, MONTH)),
        [5, 30, 120, 360]
    );
}

#[test]
fn an_alert_needs_both_windows_and_data() {
    let alert = BurnAlert::new(target("98%"), decimal("16.8"), HOUR).expect("an alert");
    let (fast, slow) = (Counts::new(10, 90), Counts::new(99, 1));
    assert_eq!(alert.fires(fast, fast), Some(true));
    assert_eq!(alert.fires(fast, slow), Some(false));
    assert_eq!(alert.fires(slow, fast), Some(false));
    assert_eq!(alert.fires(fast, Counts::ZERO), None);
    assert_eq!(alert.fires(Counts::ZERO, fast), None);
}

#[test]
fn nearest_rank_and_no_interpolation() {
    let mut times = vec![100_u64; 19];
    times.push(200);
    // Interpolation would say 105.
    assert_eq!(percentile::nearest_rank(&times, Percent::P95), Some(100));
    assert_eq!(Counts::new(19, 1).meets(target("95%")), Some(true));
    assert_eq!(percentile::nearest_rank::<u64>(&[], Percent::P95), None);
    assert_eq!(percentile::nearest_rank(&[7], Percent::P95), Some(7));
}

#[test]
fn a_share_of_requests_is_not_a_share_of_slices() {
    // 19 slices with one request in 50 ms each, and one with 1,000 that took 500 ms.
    let slices: Vec<Vec<u64>> = (0..19)
        .map(|_| vec![50])
        .chain([vec![500; 1_000]])
        .collect();
    let limit = 100;
    let fast = slices.iter().filter(|times| {
        percentile::nearest_rank(times, Percent::P95).is_some_and(|p95| p95 <= limit)
    });
    assert_eq!(
        Counts::new(fast.count() as u64, 1).meets(target("95%")),
        Some(true)
    );
    let within = slices
        .iter()
        .flatten()
        .filter(|time| **time <= limit)
        .count() as u64;
    let requests = Counts::new(within, 1_019 - within);
    assert_eq!((within, requests.meets(target("95%"))), (19, Some(false)));
    let mut all: Vec<u64> = slices.concat();
    all.sort_unstable();
    assert_eq!(percentile::nearest_rank(&all, Percent::P95), Some(500));
}

#[test]
fn floats_would_be_wrong_where_whole_numbers_are_not() {
    // What a float makes of the budget of 98 %.
    assert_eq!((1.0_f64 - 0.98).to_string(), "0.020000000000000018");
    assert_eq!(target("98%").budget_units() * 50, Percent::SCALE);
    // Exactly the budget is spent, and nothing more.
    let spent = Counts::new(98, 2);
    assert_eq!(burn::rate(spent, target("98%")), Some(Ratio::whole(1)));
    assert_eq!(
        budget::remaining(spent, target("98%")),
        Some(Ratio::whole(0))
    );
}

#[test]
fn location_rules() {
    use LocationRule::{AllUp, Majority, Pooled};
    use SliceState::{Degraded, Down, Gap, Up};
    let (up, down, none) = (Counts::new(6, 0), Counts::new(0, 6), Counts::ZERO);
    let all = Percent::HUNDRED;
    let state = |locations: &[Counts], rule| slices::state(locations, rule, all, false);
    assert_eq!(state(&[up, up, up, down], AllUp), Down);
    // It passes, and the page shows that not all was well.
    assert_eq!(state(&[up, up, up, down], Majority), Degraded);
    assert_eq!(state(&[up, up, up, none], Majority), Up);
    assert_eq!(state(&[up, up, down, down], Majority), Down);
    // A location that did not measure has no voice.
    assert_eq!(state(&[up, none, none], AllUp), Up);
    assert_eq!(state(&[up, down, up, none], Majority), Degraded);
    assert_eq!(state(&[none, none], AllUp), Gap);
    assert_eq!(state(&[none], Pooled), Gap);
    assert_eq!(state(&[], Majority), Gap);
    // Pooled: 18 of 24 events are good.
    let three_quarters = Percent::whole(75);
    assert_eq!(
        slices::state(&[up, up, up, down], Pooled, three_quarters, false),
        Degraded
    );
    assert_eq!(
        slices::state(&[up, up, down, down], Pooled, three_quarters, false),
        Down
    );
    // Good only after a retry: up, but shown.
    assert_eq!(slices::state(&[up], AllUp, all, true), Degraded);
    assert_eq!(slices::state(&[down], AllUp, all, true), Down);
    assert_eq!(slices::state(&[none], AllUp, all, true), Gap);
}

#[test]
fn gaps_are_in_no_count_and_maintenance_is_good() {
    use SliceState::{Down, Gap, Maintenance, Up};
    let tally: SliceTally = [Up, Down, Gap, Gap, Maintenance].into_iter().collect();
    assert_eq!(tally.counts(), Counts::new(2, 1));
    assert_eq!(
        tally.coverage(),
        Coverage {
            measured: 3,
            expected: 5
        }
    );
    let gaps: SliceTally = [Gap, Gap].into_iter().collect();
    assert_eq!(gaps.counts().sli(), None);
}
