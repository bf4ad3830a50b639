//! The history: what is recorded is what is read, whatever happens in between.

mod codec;
mod load;
pub(crate) mod store;
mod view;
mod writer;

use std::time::Duration;

use proptest::prelude::*;
use synthetics::clock::Timestamp;
use synthetics::history::{Bucket, Level, Minute, Series};
use synthetics::probe::{
    Attempt, Failure, FailureKind, Gap, Measurement, Outcome, Phase, Phases, ProbeResult,
};

/// Limits that the buckets of these tests count.
pub(crate) const LIMITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// Some day's midnight.
pub(crate) const DAY: Minute = Minute(20_000 * 1_440);

pub(crate) fn result(minute: Minute, outcome: Outcome) -> ProbeResult {
    ProbeResult {
        check_index: 0,
        check: "page".into(),
        location: "tokyo".into(),
        scheduled: minute.start().plus(Duration::from_secs(30)),
        started: minute.start().plus(Duration::from_secs(30)),
        outcome,
    }
}

pub(crate) fn answer(micros: u64, failure: Option<FailureKind>) -> Outcome {
    Outcome::Measured(Measurement {
        duration: Duration::from_micros(micros),
        answered: true,
        failure: failure.map(|kind| Failure::new(kind, "a reason")),
        ..Measurement::default()
    })
}

/// A bucket of one minute with these outcomes.
pub(crate) fn bucket(minute: Minute, outcomes: impl IntoIterator<Item = Outcome>) -> Bucket {
    let mut bucket = Bucket::new(&LIMITS);
    for outcome in outcomes {
        bucket.record(&result(minute, outcome));
    }
    bucket
}

fn failures() -> impl Strategy<Value = Failure> {
    let kinds = [FailureKind::Status, FailureKind::Timeout, FailureKind::Body];
    (prop::sample::select(kinds.to_vec()), "\\PC{0,400}")
        .prop_map(|(kind, detail)| Failure::new(kind, &detail))
}

prop_compose! {
    fn measurements()(
        micros in 0_u64..5_000_000,
        answered: bool,
        status in prop::option::of(100_u16..600),
        failure in prop::option::of(failures()),
        trace_id in prop::option::of("[0-9a-f]{32}"),
        retries in 0_usize..3,
        dns in 0_u64..1_000,
    ) -> Measurement {
        let duration = Duration::from_micros(micros);
        let mut phases = Phases::default();
        phases.add(Phase::Dns, Duration::from_micros(dns));
        phases.add(Phase::FirstByte, duration);
        let attempt = Attempt {
            duration,
            failure: Failure::new(FailureKind::Status, "before"),
            trace_id: None,
        };
        Measurement {
            duration,
            answered,
            status,
            failure,
            trace_id,
            phases,
            earlier: vec![attempt; retries],
            ..Measurement::default()
        }
    }
}

pub(crate) fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        8 => measurements().prop_map(Outcome::Measured),
        1 => (0_u64..9_000).prop_map(|by_ms| Outcome::Gap(Gap::Late { by_ms })),
    ]
}

/// Some minutes of a day, ascending, each with a bucket.
pub(crate) fn minutes() -> impl Strategy<Value = Vec<(Minute, Bucket)>> {
    let some =
        prop::collection::btree_map(0_u64..1_440, prop::collection::vec(outcomes(), 0..5), 0..12);
    some.prop_map(|some| {
        let filled = |(offset, outcomes): (u64, Vec<Outcome>)| {
            let minute = DAY.plus(offset);
            (minute, bucket(minute, outcomes))
        };
        some.into_iter().map(filled).collect()
    })
}

/// One series of `level` over the minutes that lie in it.
pub(crate) fn rolled(level: Level, first: Minute, minutes: &[(Minute, Bucket)]) -> Series {
    let parts: Vec<_> = minutes.iter().map(|(m, b)| Series::of(*m, b)).collect();
    Series::roll_up(level, first, &parts)
}

/// The start of the history of these tests, in real time.
pub(crate) fn now() -> Timestamp {
    DAY.start()
}
