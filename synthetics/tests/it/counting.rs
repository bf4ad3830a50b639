//! From results to counts to a verdict, without a network or a clock.

use std::time::Duration;

use synthetics::clock::Timestamp;
use synthetics::evaluate::evaluate;
use synthetics::objective::{Indicator, Slo};
use synthetics::probe::{Failure, FailureKind, Gap, Measurement, Outcome, ProbeResult};
use synthetics::sink::Sink as _;
use synthetics::slo::{Counts, Coverage, Percent, Reason, Target};
use synthetics::tally::{Layout, Shown, Tally};

const MINUTE: u64 = 60_000_000;
/// Some day, at the start of a minute.
const ORIGIN: u64 = 1_800_000_000_000_000;

fn layout(retain: usize) -> Layout {
    Layout {
        checks: 2,
        locations: vec!["tokyo".into(), "osaka".into()],
        limits: vec![Duration::from_millis(100), Duration::from_millis(500)],
        origin: Timestamp::from_micros(ORIGIN),
        slice: Duration::from_secs(60),
        retain,
    }
}

fn at(minute: u64) -> Timestamp {
    Timestamp::from_micros(ORIGIN + minute * MINUTE)
}

fn result(minute: u64, location: &str, outcome: Outcome) -> ProbeResult {
    ProbeResult {
        check_index: 0,
        check: "page".into(),
        location: location.into(),
        scheduled: at(minute).plus(Duration::from_secs(30)),
        started: at(minute).plus(Duration::from_secs(30)),
        outcome,
    }
}

fn answer(micros: u64, failure: Option<FailureKind>) -> Outcome {
    Outcome::Measured(Measurement {
        duration: Duration::from_micros(micros),
        answered: !matches!(failure, Some(FailureKind::Timeout | FailureKind::Connect)),
        status: None,
        failure: failure.map(|kind| Failure::new(kind, "a reason")),
        ..Measurement::default()
    })
}

fn good() -> Outcome {
    answer(1_000, None)
}

fn slo(indicator: Indicator) -> Slo {
    Slo::new("test", Target::whole(95), indicator, vec![0])
}

fn availability() -> Slo {
    let min_good = Percent::HUNDRED;
    slo(Indicator::Availability { min_good })
}

fn latency(ms: u64) -> Slo {
    let within = Duration::from_millis(ms);
    slo(Indicator::Latency { within })
}

#[test]
fn limits_are_counted_exactly_and_no_answer_is_in_none() {
    let mut tally = Tally::new(layout(10));
    for outcome in [
        answer(100_000, None),
        answer(100_001, None),
        answer(500_000, Some(FailureKind::Status)),
        answer(500_001, None),
        answer(10, Some(FailureKind::Connect)),
        answer(10, Some(FailureKind::Timeout)),
    ] {
        tally.record(&result(0, "tokyo", outcome));
    }
    let counts = |slo: &Slo| evaluate(slo, &tally, &[], at(1), false).counts;
    assert_eq!(counts(&latency(100)), Counts::new(1, 5));
    assert_eq!(counts(&latency(500)), Counts::new(3, 3));
    assert_eq!(counts(&slo(Indicator::Success)), Counts::new(3, 3));
    let p95 = evaluate(&latency(100), &tally, &[], at(1), false).p95;
    assert_eq!(p95, Some(Shown::Unanswered));
}

#[test]
fn the_percentile_is_nearest_rank() {
    let mut tally = Tally::new(layout(10));
    for micros in [100_000; 19].into_iter().chain([200_000]) {
        tally.record(&result(0, "tokyo", answer(micros, None)));
    }
    let evaluation = evaluate(&latency(100), &tally, &[], at(1), false);
    assert_eq!(evaluation.counts, Counts::new(19, 1));
    let Some(Shown::Value(p95)) = evaluation.p95 else {
        panic!("{:?}", evaluation.p95);
    };
    let error = p95.as_secs_f64() / 0.1 - 1.0;
    assert!(error.abs() < 0.001, "{p95:?}");
}

#[test]
fn a_minute_is_down_when_any_location_is() {
    let mut tally = Tally::new(layout(10));
    for minute in 0..4 {
        tally.record(&result(minute, "tokyo", good()));
    }
    tally.record(&result(1, "osaka", answer(1, Some(FailureKind::Status))));
    let evaluation = evaluate(&availability(), &tally, &[], at(4), false);
    assert_eq!(evaluation.counts, Counts::new(3, 1));
}

#[test]
fn gaps_lower_the_coverage_and_nothing_else() {
    let mut tally = Tally::new(layout(100));
    for minute in 0..89 {
        tally.record(&result(minute, "tokyo", good()));
    }
    for minute in 89..100 {
        let late = Outcome::Gap(Gap::Late { by_ms: 60_000 });
        tally.record(&result(minute, "tokyo", late));
    }
    let evaluation = evaluate(&availability(), &tally, &[], at(100), false);
    assert_eq!(evaluation.counts, Counts::new(89, 0));
    assert_eq!(evaluation.gaps, 11);
    let coverage = Coverage {
        measured: 89,
        expected: 100,
    };
    assert_eq!(evaluation.coverage, coverage);
    assert_eq!(evaluation.judgement.reason, Reason::LowCoverage);
    // A prober that was not there at all leaves no result either: a gap all the same.
    let evaluation = evaluate(&availability(), &tally, &[], at(120), false);
    assert_eq!(
        evaluation.coverage.expected, 100,
        "the window keeps its length"
    );
    assert_eq!(evaluation.counts, Counts::new(69, 0));
}

#[test]
fn the_oldest_slices_go_and_order_does_not_matter() {
    let mut tally = Tally::new(layout(3));
    for minute in [2, 0, 1] {
        tally.record(&result(minute, "tokyo", good()));
    }
    assert_eq!(tally.window(at(3)).count(), 3);
    tally.record(&result(5, "tokyo", answer(1, Some(FailureKind::Body))));
    // Minutes 3 to 5 are left; minute 0 is too old to be counted now.
    tally.record(&result(0, "tokyo", good()));
    let evaluation = evaluate(&availability(), &tally, &[], at(6), false);
    assert_eq!(evaluation.counts, Counts::new(0, 1));
    // A jump of years neither fills memory nor takes time.
    tally.record(&result(5_000_000, "tokyo", good()));
    let evaluation = evaluate(&availability(), &tally, &[], at(5_000_001), false);
    assert_eq!(evaluation.counts, Counts::new(1, 0));
}

#[test]
fn strangers_are_not_counted() {
    let mut tally = Tally::new(layout(3));
    tally.record(&result(0, "mars", good()));
    let mut unknown = result(0, "tokyo", good());
    unknown.check_index = 9;
    tally.record(&unknown);
    let mut early = result(0, "tokyo", good());
    early.scheduled = Timestamp::from_micros(ORIGIN - 1);
    tally.record(&early);
    let evaluation = evaluate(&availability(), &tally, &[], at(1), false);
    assert_eq!(evaluation.judgement.reason, Reason::NoEvents);
    assert!(
        tally
            .totals()
            .iter()
            .all(|check| check.results == Counts::ZERO)
    );
}
