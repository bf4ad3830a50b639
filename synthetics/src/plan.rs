//! How often to probe, so that the time given is enough for a verdict.

use std::time::Duration;

use crate::objective::{Indicator, Slo};
use crate::schedule::Lane;
use crate::slo::samples;

/// When each check is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Number of checks.
    pub checks: usize,
    /// Length of a time slice.
    pub slice: Duration,
    /// From one probe of a check to its next.
    pub round: Duration,
    /// Staggered series a check is probed in, so that a time-out is never longer than the
    /// interval of its series although rounds are closer together.
    pub lanes: usize,
    /// Rounds in all; without end if `None`.
    pub rounds: Option<u64>,
    /// Rounds needed for a verdict on every objective.
    pub needed: u64,
    /// From one probe to the next, check by check; empty where all have the round in common.
    pub intervals: Vec<Duration>,
}

/// Why there is no plan.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlanError {
    /// The time is too short for even one round.
    #[error("{given} is too short: one round of {checks} checks takes {round} at this rate")]
    TooShort {
        /// Time given.
        given: humantime::FormattedDuration,
        /// Number of checks.
        checks: usize,
        /// Time of one round.
        round: humantime::FormattedDuration,
    },
    /// A time-out is longer than the interval.
    #[error(
        "a time-out of {timeout} is longer than the interval of {interval}: probes would overlap; make it {interval} or less"
    )]
    TimeoutTooLong {
        /// The time-out.
        timeout: humantime::FormattedDuration,
        /// The interval.
        interval: humantime::FormattedDuration,
    },
    /// There is nothing to probe.
    #[error("there is no check to run")]
    NoChecks,
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Number of checks.
    pub checks: usize,
    /// Objectives to judge.
    pub slos: &'a [Slo],
    /// Longest time of a probe.
    pub timeout: Duration,
    /// Most probes a second from each place, over all checks.
    pub max_rate: u32,
}

impl Plan {
    /// Probes for `time`, as fast as a verdict needs: at least once a second, never above the
    /// highest rate. A slice is one round, because a minute cannot be judged in half of one.
    ///
    /// # Errors
    /// Where not even one round fits.
    pub fn within(time: Duration, wish: Wish<'_>) -> Result<Self, PlanError> {
        let checks = u32::try_from(wish.checks).unwrap_or(u32::MAX);
        if checks == 0 {
            return Err(PlanError::NoChecks);
        }
        let needed = rounds_needed(wish.slos);
        // A verdict needs nine tenths of the slices, so that share of the rounds must do.
        let wanted = needed.saturating_mul(10).div_ceil(9).max(1);
        let by_time = time / u32::try_from(wanted).unwrap_or(u32::MAX);
        let by_rate = Duration::from_secs(1) * checks / wish.max_rate.max(1);
        let round = by_time.min(Duration::from_secs(1)).max(by_rate);
        let round = whole_millis(round.max(Duration::from_millis(1)), by_rate);
        let rounds = u64::try_from(time.as_nanos() / round.as_nanos()).unwrap_or(u64::MAX);
        if rounds == 0 {
            return Err(PlanError::TooShort {
                given: humantime::format_duration(time),
                checks: wish.checks,
                round: humantime::format_duration(round),
            });
        }
        let lanes = wish.timeout.as_nanos().div_ceil(round.as_nanos());
        Ok(Self {
            checks: wish.checks,
            slice: round,
            round,
            lanes: usize::try_from(lanes).unwrap_or(1).max(1),
            rounds: Some(rounds),
            needed,
            intervals: Vec::new(),
        })
    }

    /// Probes every `interval` without end, in slices of `slice`.
    ///
    /// # Errors
    /// Where the time-out is longer than the interval.
    pub fn continuous(
        interval: Duration,
        slice: Duration,
        wish: Wish<'_>,
    ) -> Result<Self, PlanError> {
        if wish.checks == 0 {
            return Err(PlanError::NoChecks);
        }
        if wish.timeout > interval {
            return Err(PlanError::TimeoutTooLong {
                timeout: humantime::format_duration(wish.timeout),
                interval: humantime::format_duration(interval),
            });
        }
        Ok(Self {
            checks: wish.checks,
            slice,
            round: interval,
            lanes: 1,
            rounds: None,
            needed: rounds_needed(wish.slos),
            intervals: Vec::new(),
        })
    }

    /// Probes each check at its own interval without end, in slices of `slice`. Whoever made the
    /// checks has seen to it that a probe fits into its interval.
    ///
    /// # Errors
    /// Where there is no check.
    pub fn each(
        intervals: &[Duration],
        slice: Duration,
        wish: Wish<'_>,
    ) -> Result<Self, PlanError> {
        let shortest = intervals.iter().min().ok_or(PlanError::NoChecks)?;
        Ok(Self {
            checks: intervals.len(),
            slice,
            round: *shortest,
            lanes: 1,
            rounds: None,
            needed: rounds_needed(wish.slos),
            intervals: intervals.to_vec(),
        })
    }

    /// The series of ticks of every check. Checks are spread over the round, so that they do not
    /// all start at once.
    #[must_use]
    pub fn lanes(&self) -> Vec<Lane> {
        let lanes = u32::try_from(self.lanes).unwrap_or(u32::MAX).max(1);
        let checks = u32::try_from(self.checks).unwrap_or(u32::MAX).max(1);
        let mut all = Vec::with_capacity(self.checks * self.lanes);
        for check in 0..checks {
            if let Some(interval) = self.intervals.get(check as usize) {
                all.push(Lane {
                    check: check as usize,
                    first: *interval * check / checks,
                    interval: *interval,
                    late_limit: *interval,
                    ticks: None,
                });
                continue;
            }
            for lane in 0..lanes {
                let ticks = self.rounds.map(|rounds| {
                    rounds
                        .saturating_sub(u64::from(lane))
                        .div_ceil(u64::from(lanes))
                });
                if ticks == Some(0) {
                    continue;
                }
                all.push(Lane {
                    check: check as usize,
                    first: self.round * check / checks + self.round * lane,
                    interval: self.round * lanes,
                    late_limit: self.round,
                    ticks,
                });
            }
        }
        all
    }

    /// Time from the first to after the last round; `None` without end.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        let rounds = u32::try_from(self.rounds?).unwrap_or(u32::MAX);
        Some(self.round.saturating_mul(rounds))
    }

    /// Probes in all; `None` without end.
    #[must_use]
    pub fn probes(&self) -> Option<u64> {
        Some(self.rounds?.saturating_mul(self.checks as u64))
    }

    /// Whether the rounds are enough for every verdict, should all probes be good.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.rounds.is_none_or(|rounds| rounds >= self.needed)
    }

    /// Probes a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if !self.intervals.is_empty() {
            return self
                .intervals
                .iter()
                .map(|each| each.as_secs_f64().recip())
                .sum();
        }
        self.checks as f64 / self.round.as_secs_f64()
    }
}

/// Rounds for a pass on every objective: one event a round for time slices, one a check for counts.
fn rounds_needed(slos: &[Slo]) -> u64 {
    let rounds = slos.iter().map(|slo| {
        let needed = samples::for_zero_failures(slo.target);
        match slo.indicator {
            Indicator::Availability { .. } => needed,
            Indicator::Latency { .. } | Indicator::Success => {
                needed.div_ceil((slo.checks.len() as u64).max(1))
            }
        }
    });
    rounds.max().unwrap_or(0)
}

/// Cut to whole milliseconds where that costs little and breaks no rate: easier to read.
fn whole_millis(round: Duration, by_rate: Duration) -> Duration {
    let cut = Duration::from_millis(u64::try_from(round.as_millis()).unwrap_or(u64::MAX));
    if cut >= Duration::from_millis(10) && cut >= by_rate {
        cut
    } else {
        round
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bookshop;

    fn wish(slos: &[Slo], timeout_ms: u64, max_rate: u32) -> Wish<'_> {
        Wish {
            checks: 6,
            slos,
            timeout: Duration::from_millis(timeout_ms),
            max_rate,
        }
    }

    #[test]
    fn half_a_minute_is_enough_for_the_bookshop() {
        let slos = bookshop::slos();
        let plan = Plan::within(Duration::from_secs(30), wish(&slos, 2_000, 100)).expect("fits");
        assert_eq!(plan.needed, 149, "98% in slices needs most");
        assert!(plan.rounds.is_some_and(|rounds| rounds * 9 / 10 >= 149));
        assert!(plan.is_enough());
        let plan = Plan::within(Duration::from_secs(5), wish(&slos, 2_000, 100)).expect("fits");
        assert!(!plan.is_enough());
    }

    #[test]
    fn long_gates_still_probe_every_second() {
        let slos = bookshop::slos();
        let plan = Plan::within(Duration::from_secs(3_600), wish(&slos, 2_000, 100)).expect("fits");
        assert_eq!((plan.round, plan.lanes), (Duration::from_secs(1), 2));
    }

    #[test]
    fn each_check_has_its_own_interval() {
        let intervals = [1, 10, 60].map(Duration::from_secs);
        let minute = Duration::from_secs(60);
        let plan = Plan::each(&intervals, minute, wish(&[], 1_000, 1)).expect("three checks");
        let lanes = plan.lanes();
        let each: Vec<_> = lanes.iter().map(|lane| lane.interval).collect();
        assert_eq!(each, intervals);
        assert_eq!(
            lanes[2].first,
            Duration::from_secs(40),
            "spread over its interval"
        );
        assert!((plan.rate() - (1.0 + 0.1 + 1.0 / 60.0)).abs() < 1e-9);
        assert!(Plan::each(&[], minute, wish(&[], 1_000, 1)).is_err());
    }

    #[test]
    fn a_plan_without_end_has_no_overlap() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        assert!(Plan::continuous(second, minute, wish(&[], 1_000, 1)).is_ok());
        let refused = Plan::continuous(second, minute, wish(&[], 1_001, 1));
        assert!(matches!(refused, Err(PlanError::TimeoutTooLong { .. })));
    }

    proptest! {
        #[test]
        fn every_round_probes_every_check_once(
            time_ms in 1_u64..60_000,
            timeout_ms in 1_u64..5_000,
            max_rate in 1_u32..2_000,
        ) {
            let slos = bookshop::slos();
            let time = Duration::from_millis(time_ms);
            let Ok(plan) = Plan::within(time, wish(&slos, timeout_ms, max_rate)) else {
                return Ok(());
            };
            let rounds = plan.rounds.expect("it has an end");
            prop_assert!(plan.length().expect("it has an end") <= time);
            prop_assert!(plan.rate() <= f64::from(max_rate) * 1.000_001);
            let mut seen = std::collections::HashSet::new();
            for lane in plan.lanes() {
                prop_assert!(lane.interval >= Duration::from_millis(timeout_ms));
                for k in 0..lane.ticks.expect("it has an end") {
                    let round = lane.offset(k).as_nanos() / plan.slice.as_nanos();
                    prop_assert!(round < u128::from(rounds));
                    prop_assert!(seen.insert((lane.check, round)), "twice in one round");
                }
            }
            prop_assert_eq!(Some(seen.len() as u64), plan.probes());
        }
    }
}
