//! Buckets to series to bytes and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use synthetics::history::codec::{self, CodecError};
use synthetics::history::{Bucket, Level, Minute, ProbeCounts, Series};
use synthetics::probe::{FailureKind, Gap, Outcome};

use super::{DAY, LIMITS, answer, bucket, minutes, outcomes, result, rolled};

fn bytes(series: &Series) -> Vec<u8> {
    codec::encode([("page", series), ("api", series)].into_iter())
}

#[test]
fn a_bucket_counts_exactly() {
    let all = [
        answer(100_000, None),
        answer(100_001, None),
        answer(500_001, Some(FailureKind::Status)),
        Outcome::Gap(Gap::Late { by_ms: 9 }),
    ];
    let bucket = bucket(DAY, all);
    let expected = ProbeCounts {
        good: 2,
        bad: 1,
        gaps: 1,
        late: 1,
        ..ProbeCounts::default()
    };
    assert_eq!(bucket.counts, expected);
    assert_eq!(bucket.within, [(100_000, 1), (500_000, 2)]);
    assert_eq!(bucket.failures, BTreeMap::from([("status".to_owned(), 1)]));
    assert!(
        bucket.worst.probes()[0].failure.is_some(),
        "the failure is the worst"
    );
    assert_eq!(
        bucket.worst.probes()[1].duration,
        Duration::from_micros(100_001)
    );
}

#[test]
fn minutes_that_nobody_measured_are_in_no_count() {
    let some = [
        (DAY.plus(3), bucket(DAY.plus(3), [answer(1, None)])),
        (DAY.plus(59), bucket(DAY.plus(59), [answer(200_000, None)])),
    ];
    let hour = rolled(Level::Hour, DAY, &some);
    let measured: Vec<_> = hour
        .minutes()
        .filter(|(_, counts)| counts.results().total() > 0)
        .map(|(minute, _)| minute.0 - DAY.0)
        .collect();
    assert_eq!(measured, [3, 59]);
    let within: Vec<_> = hour.within(LIMITS[0]).collect();
    assert_eq!(
        (within.len(), within[3], within[59]),
        (60, Some(1), Some(0))
    );
    assert_eq!(within[4], None, "not counted is not zero");
    // A limit that nobody had then cannot be judged now.
    assert!(
        hour.within(Duration::from_millis(7))
            .all(|count| count.is_none())
    );
}

#[test]
fn a_quiet_day_takes_little_space() {
    let quiet: Vec<_> = (0..1_440)
        .map(|offset| {
            let minute = DAY.plus(offset);
            (
                minute,
                bucket(minute, (0..12).map(|n| answer(5_000 + n, None))),
            )
        })
        .collect();
    let day = rolled(Level::Day, DAY, &quiet);
    let size = bytes(&day).len() / 2;
    assert!(size < 200, "{size} bytes a check");
}

#[test]
fn newer_and_broken_data_is_an_error_that_says_so() {
    let series = rolled(Level::Minute, DAY, &[(DAY, bucket(DAY, [answer(1, None)]))]);
    let good = bytes(&series);
    let decode = |bytes: &[u8]| codec::decode(bytes, Level::Minute, DAY);
    assert!(decode(&good).is_ok());
    let mut newer = good.clone();
    newer[0] = codec::VERSION + 1;
    assert_eq!(decode(&newer), Err(CodecError::Version(codec::VERSION + 1)));
    assert_eq!(decode(&[]), Err(CodecError::Short));
    let long = [&good[..], &[0]].concat();
    assert_eq!(decode(&long), Err(CodecError::Long(1)));
    for end in 0..good.len() {
        assert!(
            decode(&good[..end]).is_err(),
            "{end} of {} bytes",
            good.len()
        );
    }
    assert!(
        codec::decode(&good, Level::Hour, DAY).is_err(),
        "a minute is no hour"
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(minutes in minutes()) {
        for level in [Level::Hour, Level::Day] {
            let series = rolled(level, DAY, &minutes);
            let read = codec::decode(&bytes(&series), level, DAY).expect("own bytes");
            let expected: codec::ByCheck =
                vec![(Arc::from("page"), series.clone()), (Arc::from("api"), series)];
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_bucket_survives_as_a_series(outcomes in prop::collection::vec(outcomes(), 0..8)) {
        let bucket = bucket(DAY, outcomes);
        let series = Series::of(DAY, &bucket);
        let read = codec::decode(&bytes(&series), Level::Minute, DAY).expect("own bytes");
        prop_assert_eq!(read[0].1.to_bucket(), Some(bucket));
    }

    #[test]
    fn any_bytes_are_series_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for level in [Level::Minute, Level::Hour, Level::Day] {
            let _ = codec::decode(&bytes, level, DAY);
            let versioned = [&[codec::VERSION], &bytes[..]].concat();
            let _ = codec::decode(&versioned, level, DAY);
        }
    }

    #[test]
    fn broken_bytes_are_series_or_an_error(minutes in minutes(), at: prop::sample::Index, to: u8) {
        let mut broken = bytes(&rolled(Level::Day, DAY, &minutes));
        let at = at.index(broken.len());
        broken[at] = to;
        let _ = codec::decode(&broken, Level::Day, DAY);
    }

    #[test]
    fn days_of_hours_are_days_of_minutes(minutes in minutes()) {
        let of = |hour: Minute| -> Vec<_> {
            let within = |m: &&(Minute, Bucket)| Level::Hour.floor(m.0) == hour;
            minutes.iter().filter(within).cloned().collect()
        };
        let hours: Vec<_> = (0..24)
            .map(|hour| DAY.plus(hour * 60))
            .filter(|hour| !of(*hour).is_empty())
            .map(|hour| rolled(Level::Hour, hour, &of(hour)))
            .collect();
        let day = Series::roll_up(Level::Day, DAY, &hours);
        prop_assert_eq!(&day, &rolled(Level::Day, DAY, &minutes));

        // And both have every minute's counts as they were recorded.
        let mut recorded: BTreeMap<_, _> = minutes.iter().map(|(m, b)| (*m, b)).collect();
        let within: Vec<Vec<_>> = LIMITS.iter().map(|limit| day.within(*limit).collect()).collect();
        for (offset, (minute, counts)) in day.minutes().enumerate() {
            let bucket = recorded.remove(&minute);
            prop_assert_eq!(counts, bucket.map(|b| b.counts).unwrap_or_default());
            for (within, (at, _)) in within.iter().zip(LIMITS.iter().enumerate()) {
                prop_assert_eq!(within[offset], bucket.map(|b| b.within[at].1));
            }
        }
        prop_assert!(recorded.is_empty());
    }

    #[test]
    fn two_halves_of_a_minute_make_the_whole(
        first in prop::collection::vec(outcomes(), 0..6),
        second in prop::collection::vec(outcomes(), 0..6),
    ) {
        let mut merged = bucket(DAY, first.clone());
        merged.merge(&bucket(DAY, second.clone()));
        let whole = bucket(DAY, first.into_iter().chain(second));
        prop_assert_eq!(merged.worst.probes().len(), whole.worst.probes().len());
        let same = |bucket: Bucket| Bucket { worst: Default::default(), ..bucket };
        prop_assert_eq!(same(merged), same(whole));
    }

    #[test]
    fn a_limit_that_was_counted_in_one_half_only_is_dropped(micros in 1_u64..1_000_000) {
        let mut with = bucket(DAY, [answer(micros, None)]);
        let mut without = Bucket::new(&LIMITS[..1]);
        with.merge(&without);
        prop_assert_eq!(with.within.len(), 2, "the other half is empty");
        without.record(&result(DAY, answer(micros, None)));
        with.merge(&without);
        prop_assert_eq!(with.within, [(100_000, 2 * u32::from(micros <= 100_000))]);
    }
}
