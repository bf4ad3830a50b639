//! From stored minutes to verdicts, against a slow and obvious reference.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use synthetics::evaluate::Evaluation;
use synthetics::history::codec::ByCheck;
use synthetics::history::view::{Expect, View};
use synthetics::history::{Bucket, Level, Minute, Series};
use synthetics::objective::{Indicator, Slo};
use synthetics::probe::{FailureKind, Outcome};
use synthetics::slo::{
    Counts, LocationRule, Maintenance, Percent, Reason, SliceTally, Target, Window,
};
use synthetics::tally::Shown;

use super::{DAY, LIMITS, answer, bucket, minutes, rolled};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn availability() -> Indicator {
    Indicator::Availability {
        min_good: Percent::HUNDRED,
    }
}

fn slos() -> Vec<Slo> {
    let slo = |name, indicator| Slo::new(name, Target::whole(95), indicator, vec![0]);
    vec![
        slo("availability", availability()),
        slo("success", Indicator::Success),
        slo("latency", Indicator::Latency { within: LIMITS[0] }),
    ]
}

fn view(slos: Vec<Slo>) -> View {
    View::new(slos.into(), &[Arc::from("page"), Arc::from("api")], WEEK)
}

fn page(series: Series) -> ByCheck {
    vec![("page".into(), series)]
}

fn take_minutes(view: &mut View, location: &str, minutes: &[(Minute, Bucket)]) {
    for (minute, bucket) in minutes {
        let checks = page(Series::of(*minute, bucket));
        view.take(location, Level::Minute, *minute, &checks);
    }
}

fn take_rolled(view: &mut View, location: &str, level: Level, minutes: &[(Minute, Bucket)]) {
    for first in (0..1_440 / level.minutes()).map(|n| DAY.plus(n * level.minutes())) {
        let inside: Vec<_> = minutes
            .iter()
            .filter(|(minute, _)| level.floor(*minute) == first)
            .cloned()
            .collect();
        if !inside.is_empty() {
            view.take(location, level, first, &page(rolled(level, first, &inside)));
        }
    }
}

fn evaluate(view: &View, slo: usize, range: Range<Minute>) -> Evaluation {
    view.evaluate(slo, &[], range, Expect::Everything, false)
        .expect("an objective")
}

fn day() -> Range<Minute> {
    DAY..DAY.plus(1_440)
}

/// The events of one minute at one location, in the sense of the objective.
fn events(slo: &Slo, bucket: Option<&Bucket>) -> (u64, u64) {
    let Some(bucket) = bucket else {
        return (0, 0);
    };
    let total = u64::from(bucket.counts.good + bucket.counts.bad);
    let good = match slo.indicator {
        Indicator::Latency { .. } => u64::from(bucket.within[0].1),
        _ => u64::from(bucket.counts.good),
    };
    (good, total - good)
}

type Book = BTreeMap<Minute, Bucket>;

/// Good and bad, and measured minutes, by going through every minute of the day.
fn reference(slo: &Slo, places: &[Book]) -> (Counts, u64) {
    let (mut counts, mut measured) = (Counts::ZERO, 0);
    for minute in (0..1_440).map(|n| DAY.plus(n)) {
        let all: Vec<_> = places.iter().map(|p| events(slo, p.get(&minute))).collect();
        let there: Vec<_> = all.iter().filter(|(g, b)| g + b > 0).collect();
        if there.is_empty() {
            continue;
        }
        measured += 1;
        if matches!(slo.indicator, Indicator::Availability { .. }) {
            counts.record(there.iter().all(|(_, bad)| *bad == 0));
        } else {
            for (good, bad) in there {
                counts = counts.plus(Counts::new(*good, *bad));
            }
        }
    }
    (counts, measured)
}

proptest! {
    #[test]
    fn a_verdict_is_counting_whatever_the_level(tokyo in minutes(), osaka in minutes()) {
        let places = [&tokyo, &osaka].map(|m| m.iter().cloned().collect::<Book>());
        for level in [Level::Minute, Level::Hour, Level::Day] {
            let mut view = view(slos());
            for (name, minutes) in [("tokyo", &tokyo), ("osaka", &osaka)] {
                match level {
                    Level::Minute => take_minutes(&mut view, name, minutes),
                    _ => take_rolled(&mut view, name, level, minutes),
                }
            }
            for (index, slo) in slos().iter().enumerate() {
                let found = evaluate(&view, index, day());
                let (counts, measured) = reference(slo, &places);
                prop_assert_eq!(found.counts, counts, "{} from {:?}", slo.name, level);
                prop_assert_eq!(found.coverage.measured, measured);
                prop_assert_eq!(found.coverage.expected, 1_440);
                let all = places.iter().flat_map(|place| place.values());
                let gaps: u64 = all.map(|bucket| u64::from(bucket.counts.gaps)).sum();
                prop_assert_eq!(found.gaps, gaps);
            }
        }
    }

    #[test]
    fn what_comes_again_or_finer_changes_nothing(minutes in minutes()) {
        let mut once = view(slos());
        take_minutes(&mut once, "tokyo", &minutes);
        let mut often = view(slos());
        take_minutes(&mut often, "tokyo", &minutes);
        take_rolled(&mut often, "tokyo", Level::Hour, &minutes);
        take_minutes(&mut often, "tokyo", &minutes);
        for slo in 0..3 {
            let (once, often) = (evaluate(&once, slo, day()), evaluate(&often, slo, day()));
            prop_assert_eq!(once.counts, often.counts);
            prop_assert_eq!(once.p95, often.p95);
        }
    }
}

fn minute_of(offset: u64, outcomes: impl IntoIterator<Item = Outcome>) -> (Minute, Bucket) {
    let minute = DAY.plus(offset);
    (minute, bucket(minute, outcomes))
}

#[test]
fn the_percentile_over_locations_comes_from_merged_sketches() {
    let mut view = view(slos());
    let fast = minute_of(0, (0..900).map(|_| answer(100_000, None)));
    let slow = minute_of(0, (0..100).map(|_| answer(1_000_000, None)));
    take_minutes(&mut view, "a", &[fast]);
    take_minutes(&mut view, "b", &[slow]);
    let found = evaluate(&view, 2, DAY..DAY.plus(1));
    let Some(Shown::Value(p95)) = found.p95 else {
        panic!("{:?}", found.p95);
    };
    // The mean of the two would be 550.
    assert!((p95.as_secs_f64() / 1.0 - 1.0).abs() < 0.01, "{p95:?}");
    assert_eq!(found.counts, Counts::new(900, 100));
}

#[test]
fn locations_are_merged_under_the_named_rule() {
    let rule = |rule| Slo {
        rule,
        ..Slo::new("test", Target::whole(95), availability(), vec![0])
    };
    let rules = [
        LocationRule::AllUp,
        LocationRule::Majority,
        LocationRule::Pooled,
    ];
    let mut view = view(rules.map(rule).into());
    for (name, failure) in [("a", None), ("b", None), ("c", Some(FailureKind::Status))] {
        take_minutes(&mut view, name, &[minute_of(0, [answer(1, failure)])]);
    }
    let slices = |slo| evaluate(&view, slo, DAY..DAY.plus(1)).slices;
    let one = SliceTally::default();
    assert_eq!(slices(0), SliceTally { down: 1, ..one });
    assert_eq!(
        slices(1),
        SliceTally { degraded: 1, ..one },
        "it shows that one is down"
    );
    assert_eq!(
        slices(2),
        SliceTally { down: 1, ..one },
        "two of three events"
    );
}

/// A day of minutes, one good probe each, but for those that are bad.
fn good_but(minutes: Range<u64>, bad: Range<u64>) -> Vec<(Minute, Bucket)> {
    let probe = |n: &u64| bad.contains(n).then_some(FailureKind::Status);
    minutes
        .map(|n| minute_of(n, [answer(1, probe(&n))]))
        .collect()
}

#[test]
fn the_window_ends_with_the_last_measurement() {
    let mut view = view(slos());
    let (empty, stale) = view.window(0, DAY.start());
    assert!(empty.is_empty() && stale);
    let nothing = evaluate(&view, 0, empty);
    assert_eq!(nothing.judgement.reason, Reason::NoEvents);
    take_minutes(&mut view, "tokyo", &good_but(0..200, 0..0));
    let (range, stale) = view.window(0, DAY.plus(203).start());
    assert_eq!(range.end, DAY.plus(200));
    assert_eq!(range.end.0 - range.start.0, 7 * 1_440);
    assert!(!stale, "three minutes are the time that a probe may take");
    let (range, stale) = view.window(0, DAY.plus(204).start());
    assert!(stale);
    let judged = view.evaluate(0, &[], range.clone(), Expect::SinceFirst, stale);
    assert_eq!(judged.map(|e| e.judgement.reason), Some(Reason::Stale));
    // A prober that is young is not to blame; who asks for a week wants a week.
    let reason = |expect| {
        let judged = view.evaluate(0, &[], range.clone(), expect, false);
        judged.map(|e| (e.judgement.reason, e.coverage.expected))
    };
    assert_eq!(reason(Expect::SinceFirst), Some((Reason::Met, 200)));
    assert_eq!(
        reason(Expect::Everything),
        Some((Reason::LowCoverage, 10_080))
    );
}

#[test]
fn time_without_a_prober_is_a_gap() {
    let mut view = view(slos());
    take_minutes(&mut view, "tokyo", &good_but(0..100, 0..0));
    take_minutes(&mut view, "tokyo", &good_but(130..200, 0..0));
    let judged = evaluate(&view, 0, DAY..DAY.plus(200));
    assert_eq!(judged.slices.gap, 30);
    assert_eq!(judged.judgement.reason, Reason::LowCoverage);
    let states = view.states(0, &[], DAY..DAY.plus(200));
    assert_eq!(states.into_iter().collect::<SliceTally>(), judged.slices);
}

#[test]
fn calendar_windows_begin_with_the_calendar() {
    let window = Window::Calendar(synthetics::slo::Calendar::Day);
    let slo = Slo {
        window,
        ..Slo::new("today", Target::whole(95), availability(), vec![0])
    };
    let mut view = view(vec![slo]);
    take_minutes(&mut view, "tokyo", &good_but(1_000..1_500, 1_000..1_100));
    let (range, _) = view.window(0, DAY.plus(1_500).start());
    assert_eq!(range, DAY.plus(1_440)..DAY.plus(1_500));
    assert_eq!(evaluate(&view, 0, range).counts, Counts::new(60, 0));
}

#[test]
fn a_limit_that_was_not_counted_then_is_not_measured() {
    let within = Duration::from_millis(250);
    let new = Slo::new(
        "new",
        Target::whole(95),
        Indicator::Latency { within },
        vec![0],
    );
    let mut view = view(vec![new]);
    take_minutes(&mut view, "tokyo", &good_but(0..200, 0..0));
    let judged = evaluate(&view, 0, DAY..DAY.plus(200));
    assert_eq!(
        judged.judgement.reason,
        Reason::NoEvents,
        "neither good nor bad"
    );
    assert_eq!(judged.coverage.measured, 0);
}

#[test]
fn burn_alerts_fire_clear_and_freeze() {
    let mut view = view(vec![Slo::new(
        "up",
        Target::whole(98),
        availability(),
        vec![0],
    )]);
    take_minutes(&mut view, "tokyo", &good_but(0..1_440, 1_400..1_430));
    let firing = |at: u64, stale| -> Vec<_> {
        let readings = view.burn(0, &[], DAY.plus(at), stale);
        readings.iter().map(|reading| reading.firing).collect()
    };
    // Factors 16.8, 5.6 and 2.8 over 1, 6 and 24 hours.
    assert_eq!(firing(1_400, false), [Some(false); 3]);
    // 21 of 60 minutes are a burn of 17.5; 21 of 360 are 2.9, and 21 of a day are 0.7.
    assert_eq!(firing(1_421, false), [Some(true), Some(false), Some(false)]);
    // 20 of 60 are 16.67, which does not exceed 16.8.
    assert_eq!(firing(1_420, false), [Some(false); 3]);
    // The hour still burns; its last five minutes do not.
    assert_eq!(firing(1_436, false), [Some(false); 3]);
    assert_eq!(firing(1_421, true), [None; 3]);
    let readings = view.burn(0, &[], DAY.plus(1_421), false);
    assert_eq!(
        readings[0].long.map(|rate| rate.to_string()),
        Some("17.5".into())
    );
    assert_eq!(
        readings[0].short.map(|rate| rate.to_string()),
        Some("50".into())
    );
    // A gap of an hour: too little is known to clear or to fire.
    take_minutes(&mut view, "tokyo", &good_but(1_500..1_510, 0..0));
    let readings = view.burn(0, &[], DAY.plus(1_510), false);
    assert_eq!(readings[0].firing, None);
}

#[test]
fn maintenance_over_history_can_be_declared_afterwards() {
    let mut view = view(slos());
    take_minutes(&mut view, "tokyo", &good_but(0..200, 50..100));
    let works = Maintenance {
        name: "works".into(),
        from: DAY.plus(50).start(),
        until: DAY.plus(100).start(),
        every: None,
        slos: Some(vec!["availability".into()]),
    };
    let range = DAY..DAY.plus(200);
    let judged = view.evaluate(0, &[works], range, Expect::Everything, false);
    let judged = judged.expect("an objective");
    assert_eq!(judged.counts, Counts::new(200, 0));
    assert_eq!(judged.slices.maintenance, 50);
}

#[test]
fn a_view_keeps_its_span_and_no_more() {
    let mut view = view(slos());
    take_minutes(&mut view, "tokyo", &good_but(0..200, 0..0));
    // A jump of years neither fills memory nor takes time, and what is too old is not counted.
    let later = DAY.plus(5_000_000_000);
    let checks = page(Series::of(later, &bucket(later, [answer(1, None)])));
    view.take("tokyo", Level::Minute, later, &checks);
    take_minutes(&mut view, "tokyo", &good_but(0..10, 0..0));
    let (range, _) = view.window(0, later.start());
    assert_eq!(evaluate(&view, 0, range).counts, Counts::new(1, 0));
    assert_eq!(evaluate(&view, 0, DAY..DAY.plus(200)).counts, Counts::ZERO);
}
