//! One latency distribution, in fixed memory and exact to a tenth of a percent.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest latency told apart; longer ones count as this. A request takes at most 2 minutes, and waits
/// little longer for its turn.
pub(crate) const LONGEST: Duration = Duration::from_secs(300);

/// Latencies from a microsecond to [`LONGEST`] with three significant digits, about 160 KB.
///
/// The load library's own figures are the time to the first byte, rounded; these are fed with whole times.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    /// In microseconds.
    histogram: Histogram<u64>,
    least: Duration,
    most: Duration,
    sum_us: u128,
}

/// The figures of a distribution, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) count: u64,
    pub(crate) min_ms: f64,
    pub(crate) mean_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self {
            histogram: Histogram::new_with_bounds(1, micros(LONGEST), 3)
                .expect("bounds and digits are within what the histogram takes"),
            least: Duration::MAX,
            most: Duration::ZERO,
            sum_us: 0,
        }
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.record_many(latency, 1);
    }

    pub(crate) fn record_many(&mut self, latency: Duration, times: u64) {
        if times == 0 {
            return;
        }
        let latency = latency.min(LONGEST);
        self.histogram.saturating_record_n(micros(latency), times);
        self.least = self.least.min(latency);
        self.most = self.most.max(latency);
        self.sum_us += u128::from(micros(latency)) * u128::from(times);
    }

    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The nearest-rank quantile; `None` where nothing was recorded.
    pub(crate) fn quantile(&self, q: f64) -> Option<Duration> {
        // A bucket answers with its upper end, which may lie above the largest value in it.
        (self.count() > 0).then(|| {
            Duration::from_micros(self.histogram.value_at_quantile(q)).clamp(self.least, self.most)
        })
    }

    /// `None` where nothing was recorded: no request has no latency, and not 0.
    pub(crate) fn figures(&self) -> Option<Figures> {
        let quantile = |q| self.quantile(q).map(millis);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a mean of 15 digits is exact enough"
        )]
        let mean_ms = self.sum_us as f64 / self.count() as f64 / 1_000.0;
        Some(Figures {
            count: self.count(),
            min_ms: millis(self.least),
            mean_ms,
            p50_ms: quantile(0.50)?,
            p95_ms: quantile(0.95)?,
            p99_ms: quantile(0.99)?,
            max_ms: millis(self.most),
        })
    }
}

fn micros(duration: Duration) -> u64 {
    let rounded = duration.saturating_add(Duration::from_nanos(500));
    u64::try_from(rounded.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds to the microsecond.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds below 2^53 are exact"
)]
pub(crate) fn millis(duration: Duration) -> f64 {
    micros(duration) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_latency_up_to_a_minute_and_beyond_is_kept_to_a_tenth_of_a_percent(
            us in 1_u64..=LONGEST.as_micros() as u64, others in 0_u64..50
        ) {
            let mut latencies = Latencies::new();
            // Neighbours on both sides, so that neither end is exact by being an end.
            latencies.record_many(Duration::from_micros(1), others + 1);
            latencies.record_many(Duration::from_micros(us), 3);
            latencies.record_many(LONGEST, others + 1);
            let kept = latencies.quantile(0.5).expect("recorded").as_secs_f64() * 1e6;
            let error = (kept - us as f64).abs() / us as f64;
            prop_assert!(error <= 0.001, "{us} us was kept as {kept} us");
        }
    }

    #[test]
    fn quantiles_are_nearest_rank() {
        let mut latencies = Latencies::new();
        latencies.record_many(Duration::from_millis(100), 19);
        latencies.record(Duration::from_millis(200));
        let figures = latencies.figures().expect("recorded");
        assert!(
            (figures.p95_ms - 100.0).abs() < 0.1,
            "p95 {}",
            figures.p95_ms
        );
        assert!((figures.p99_ms - 200.0).abs() < f64::EPSILON);
        assert!((figures.mean_ms - 105.0).abs() < 1e-9);
        assert!((figures.min_ms - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn nothing_has_no_figures_and_too_long_is_not_lost() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.figures(), None);
        latencies.record_many(Duration::from_secs(1), 0);
        assert_eq!(latencies.figures(), None);
        latencies.record(Duration::from_secs(86_400));
        assert_eq!(latencies.quantile(0.5), Some(LONGEST));
    }
}
