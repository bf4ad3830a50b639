//! How a run went over time, in as many steps as a chart can show, whatever its length.

use std::time::Duration;

use serde::Serialize;
use sketches_ddsketch::{Config, DDSketch};

/// Steps that are kept. One more, and neighbours are put together.
const STEPS: usize = 240;

/// Requests by the moment they ended, in steps of a second that double as the run gets longer.
#[derive(Debug)]
pub(crate) struct Timeline {
    step: Duration,
    steps: Vec<Step>,
}

struct Step {
    requests: u64,
    errors: u64,
    /// In seconds; exact to 1 %, and small where most steps are alike.
    latencies: DDSketch,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step")
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

/// One step of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Point {
    /// Start of the step, in seconds from the start of the run.
    pub(crate) at_s: f64,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    /// Raw p95, to 1 %.
    pub(crate) p95_ms: Option<f64>,
}

impl Step {
    fn new() -> Self {
        Self {
            requests: 0,
            errors: 0,
            latencies: DDSketch::new(Config::new(0.01, 1_024, 1e-6)),
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        // Fails only between sketches of different configuration, and there is one.
        let _ = self.latencies.merge(&other.latencies);
    }
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            step: Duration::from_secs(1),
            steps: Vec::new(),
        }
    }

    /// Adds a request that ended `at` after the start. `latency` is left out where it has none.
    pub(crate) fn record(&mut self, at: Duration, failed: bool, latency: Option<Duration>) {
        let mut place = self.place(at);
        while place >= STEPS {
            self.double();
            place = self.place(at);
        }
        while self.steps.len() <= place {
            self.steps.push(Step::new());
        }
        let step = &mut self.steps[place];
        step.requests += 1;
        step.errors += u64::from(failed);
        if let Some(latency) = latency {
            step.latencies.add(latency.as_secs_f64());
        }
    }

    fn place(&self, at: Duration) -> usize {
        usize::try_from(at.as_nanos() / self.step.as_nanos()).unwrap_or(usize::MAX)
    }

    fn double(&mut self) {
        self.step *= 2;
        let mut steps = std::mem::take(&mut self.steps).into_iter();
        while let Some(mut step) = steps.next() {
            if let Some(next) = steps.next() {
                step.absorb(&next);
            }
            self.steps.push(step);
        }
    }

    /// Length of a step.
    pub(crate) fn step(&self) -> Duration {
        self.step
    }

    pub(crate) fn points(&self) -> Vec<Point> {
        let mut at_s = 0.0;
        self.steps
            .iter()
            .map(|step| {
                let point = Point {
                    at_s,
                    requests: step.requests,
                    errors: step.errors,
                    p95_ms: step
                        .latencies
                        .quantile(0.95)
                        .ok()
                        .flatten()
                        .map(|seconds| (seconds * 1e6).round() / 1_000.0),
                };
                at_s += self.step.as_secs_f64();
                point
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_keeps_its_counts_in_the_same_room() {
        let mut timeline = Timeline::new();
        for minute in 0..7 * 24 * 60 {
            let at = Duration::from_secs(minute * 60);
            timeline.record(at, minute % 10 == 0, Some(Duration::from_millis(20)));
        }
        let points = timeline.points();
        assert!((STEPS / 2..=STEPS).contains(&points.len()));
        assert_eq!(points.iter().map(|p| p.requests).sum::<u64>(), 10_080);
        assert_eq!(points.iter().map(|p| p.errors).sum::<u64>(), 1_008);
        assert_eq!(timeline.step(), Duration::from_secs(4_096));
        for point in points {
            let p95 = point.p95_ms.expect("every step has requests");
            assert!((19.8..=20.2).contains(&p95), "p95 {p95}");
        }
    }

    #[test]
    fn a_pause_shows_as_empty_steps_and_not_as_zero_latency() {
        let mut timeline = Timeline::new();
        timeline.record(Duration::ZERO, false, Some(Duration::from_millis(5)));
        timeline.record(Duration::from_millis(3_900), true, None);
        let points = timeline.points();
        assert_eq!(points.len(), 4);
        assert_eq!((points[1].requests, points[1].p95_ms), (0, None));
        assert_eq!((points[3].errors, points[3].p95_ms), (1, None));
    }

    #[test]
    fn no_date_is_too_far_out() {
        let mut timeline = Timeline::new();
        timeline.record(Duration::from_secs(1 << 40), false, None);
        assert!(timeline.points().len() <= STEPS);
    }
}
