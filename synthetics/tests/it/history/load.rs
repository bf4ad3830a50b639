//! Every minute of a window is read once, from whatever is left of it.

use std::collections::HashMap;
use std::ops::Range;

use proptest::prelude::*;
use synthetics::history::load::Available;
use synthetics::history::{Level, Minute};

use super::DAY;

fn available(hours: u64, days: u64, minutes_from: u64, hours_from: u64) -> Available {
    Available {
        hours_until: DAY.plus(hours * 60),
        days_until: DAY.plus(days * 1_440),
        minutes_from: Level::Minute.ceil(DAY.plus(minutes_from)),
        hours_from: Level::Hour.ceil(DAY.plus(hours_from)),
    }
}

/// How often each minute comes out of the items that begin in these stretches.
fn minutes(stretches: &[(Level, Range<Minute>)], there: &Available) -> HashMap<u64, u32> {
    let mut seen = HashMap::new();
    for (level, stretch) in stretches {
        for first in (stretch.start.0..stretch.end.0).map(Minute) {
            let exists = match level {
                Level::Minute => first >= there.minutes_from,
                Level::Hour => first >= there.hours_from && first < there.hours_until,
                Level::Day => first < there.days_until,
            };
            if level.floor(first) == first && exists {
                for minute in first.0..first.0 + level.minutes() {
                    *seen.entry(minute - DAY.0).or_default() += 1;
                }
            }
        }
    }
    seen
}

#[test]
fn a_week_takes_few_items() {
    // Now is day 9, 13:20; the hours are rolled up to 13:00, the days to midnight.
    let there = available(9 * 24 + 13, 9, 1_440, 0);
    let end = 9 * 1_440 + 13 * 60 + 20;
    let range = DAY.plus(end - 7 * 1_440)..DAY.plus(end);
    let stretches = there.stretches(range);
    let items: u64 = stretches
        .iter()
        .map(|(level, stretch)| (stretch.end.0 - stretch.start.0) / level.minutes())
        .sum();
    // 40 minutes, 10 hours, 6 days, 13 hours, 20 minutes: and not 10,080 minutes.
    assert_eq!(items, 40 + 10 + 6 + 13 + 20);
}

proptest! {
    #[test]
    fn every_minute_is_read_once(
        start in 0_u64..6_000,
        length in 0_u64..6_000,
        hours in 0_u64..200,
        days_before in 0_u64..3,
        minutes_from in 0_u64..8_000,
        more in 0_u64..4_000,
    ) {
        // Days are rolled up from hours, hours from minutes; minutes go before hours do, and only
        // what is rolled up goes.
        let days = (hours / 24).saturating_sub(days_before);
        let minutes_from = minutes_from.min(hours * 60);
        let hours_from = minutes_from.saturating_sub(more).min(days * 1_440);
        let there = available(hours, days, minutes_from, hours_from);
        let range = DAY.plus(start)..DAY.plus(start + length);
        let seen = minutes(&there.stretches(range), &there);
        for minute in start..start + length {
            prop_assert_eq!(seen.get(&minute), Some(&1), "minute {}", minute);
        }
        for (minute, times) in seen {
            prop_assert_eq!(times, 1, "minute {}", minute);
        }
    }
}
