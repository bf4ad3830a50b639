//! Rate, errors and duration of requests.

use std::time::Duration;

use super::ring::{Ring, Slot};
use super::sketch::Sketch;

/// The requests of one slot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requests {
    count: u64,
    errors: u64,
    total_nanos: u64,
    /// In seconds.
    latency: Sketch,
}

/// The requests of a span of time, in figures.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, utoipa::ToSchema)]
pub struct Red {
    /// How many requests.
    pub requests: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Requests a second.
    pub rate: f64,
    /// Failed of all requests, 0 to 1; absent without requests.
    pub error_ratio: Option<f64>,
    /// Median duration in seconds, by nearest rank, off by at most 1 %; absent without requests, as the next ones are.
    pub p50_s: Option<f64>,
    /// 95th percentile of the duration in seconds.
    pub p95_s: Option<f64>,
    /// 99th percentile of the duration in seconds.
    pub p99_s: Option<f64>,
    /// Requests in progress on average: rate times mean duration (Little's law). It stands for saturation: it grows before anything fails.
    pub in_progress: f64,
}

impl Requests {
    /// Takes one request.
    pub fn record(&mut self, duration: Duration, error: bool) {
        self.count += 1;
        self.errors += u64::from(error);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.total_nanos = self.total_nanos.saturating_add(nanos);
        self.latency.record(duration.as_secs_f64(), 1);
    }

    /// Takes all that another one took.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.total_nanos = self.total_nanos.saturating_add(other.total_nanos);
        self.latency.merge(&other.latency);
    }

    /// The figures, if they were taken over so long a time.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "figures to show, not to count with"
    )]
    pub fn over(&self, time: Duration) -> Red {
        let seconds = time.as_secs_f64().max(f64::MIN_POSITIVE);
        Red {
            requests: self.count,
            errors: self.errors,
            rate: self.count as f64 / seconds,
            error_ratio: (self.count > 0).then(|| self.errors as f64 / self.count as f64),
            p50_s: self.latency.quantile(0.50),
            p95_s: self.latency.quantile(0.95),
            p99_s: self.latency.quantile(0.99),
            in_progress: self.total_nanos as f64 / 1e9 / seconds,
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.latency.heap_bytes()
    }
}

impl Ring<Requests> {
    /// All requests from a slot on.
    #[must_use]
    pub fn sum(&self, from: Slot) -> Requests {
        let mut sum = Requests::default();
        for (_, requests) in self.since(from) {
            sum.merge(requests);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_requests() {
        let mut ring = Ring::<Requests>::default();
        for (slot, millis, error) in [
            (1, 500, false),
            (2, 100, false),
            (2, 300, true),
            (3, 100, false),
        ] {
            ring.at(slot).record(Duration::from_millis(millis), error);
        }
        let red = ring.sum(2).over(Duration::from_secs(10));
        assert_eq!((red.requests, red.errors), (3, 1));
        assert!((red.rate - 0.3).abs() < 1e-9);
        assert!((red.error_ratio.unwrap() - 1.0 / 3.0).abs() < 1e-9);
        assert!((red.p50_s.unwrap() - 0.1).abs() < 0.001_1);
        assert!((red.p99_s.unwrap() - 0.3).abs() < 0.003_1);
        assert!(
            (red.in_progress - 0.05).abs() < 1e-9,
            "half a second of work in ten"
        );
        assert_eq!(Requests::default().over(Duration::from_secs(1)).p95_s, None);
        assert_eq!(
            Requests::default().over(Duration::from_secs(1)).error_ratio,
            None
        );
    }
}
