//! When each request is meant to leave: a fixed rate, reached along a ramp.
//!
//! The schedule is fixed before the first request and does not depend on any answer. That is what makes a
//! latency from the intended moment free of coordinated omission.

use std::time::Duration;

/// The moments at which requests are meant to leave, as offsets from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Requests a second, once the ramp is over.
    rate: f64,
    /// Length of the ramp in seconds.
    ramp: f64,
    /// No request is meant to leave at this offset or later.
    end: Option<Duration>,
}

impl Schedule {
    /// `rate` is in requests a second and above 0.
    pub(crate) fn new(rate: f64, ramp: Duration, end: Option<Duration>) -> Self {
        Self {
            rate,
            ramp: ramp.as_secs_f64(),
            end,
        }
    }

    /// When request `n`, counted from 0, is meant to leave; `None` where the run is over by then.
    ///
    /// Along the ramp of length R the rate is `r t / R`, so `n = r t^2 / 2R` and `t = sqrt(2 n R / r)`;
    /// after it `t = R + (n - r R / 2) / r`.
    pub(crate) fn due(&self, n: u64) -> Option<Duration> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "2^53 requests are out of reach of one run"
        )]
        let n = n as f64;
        let on_ramp = self.rate * self.ramp / 2.0;
        let seconds = if n < on_ramp {
            (2.0 * n * self.ramp / self.rate).sqrt()
        } else {
            self.ramp + (n - on_ramp) / self.rate
        };
        let due = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        self.end.is_none_or(|end| due < end).then_some(due)
    }

    /// How many requests are meant to leave before `offset`.
    pub(crate) fn count_before(&self, offset: Duration) -> u64 {
        let t = self.end.map_or(offset, |end| offset.min(end)).as_secs_f64();
        let count = if t < self.ramp {
            self.rate * t * t / (2.0 * self.ramp)
        } else {
            self.rate * self.ramp / 2.0 + self.rate * (t - self.ramp)
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "never negative, and `as` saturates"
        )]
        let count = count.ceil() as u64;
        // The two formulas round differently: keep to what `due` says.
        match count.checked_sub(1).map(|last| self.due(last)) {
            Some(Some(due)) if due < offset => count,
            Some(_) => count - 1,
            None => count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fixed_rate_has_a_fixed_number_of_requests() {
        let schedule = Schedule::new(4.0, Duration::ZERO, Some(Duration::from_secs(30)));
        assert_eq!(schedule.due(0), Some(Duration::ZERO));
        assert_eq!(schedule.due(6), Some(Duration::from_millis(1_500)));
        assert_eq!(schedule.due(119), Some(Duration::from_millis(29_750)));
        assert_eq!(schedule.due(120), None);
        assert_eq!(schedule.count_before(Duration::from_secs(9_999)), 120);
    }

    #[test]
    fn a_ramp_has_half_the_requests_and_ends_at_the_full_rate() {
        let schedule = Schedule::new(10.0, Duration::from_secs(20), None);
        assert_eq!(schedule.count_before(Duration::from_secs(20)), 100);
        assert_eq!(schedule.due(100), Some(Duration::from_secs(20)));
        assert_eq!(schedule.due(110), Some(Duration::from_secs(21)));
        assert_eq!(schedule.due(25), Some(Duration::from_secs(10)));
    }

    proptest! {
        #[test]
        fn counting_and_dates_agree(rate in 0.001_f64..1e6, ramp in 0_u64..600_000, n in 0_u64..1_000_000) {
            let schedule = Schedule::new(rate, Duration::from_millis(ramp), None);
            let due = schedule.due(n).expect("no end");
            prop_assert!(schedule.due(n + 1).expect("no end") >= due);
            let before = schedule.count_before(due);
            prop_assert!(before <= n, "{before} requests before number {n}");
            prop_assert!(schedule.count_before(due + Duration::from_micros(1)) > before
                || schedule.due(before).expect("no end") > due);
        }
    }
}
