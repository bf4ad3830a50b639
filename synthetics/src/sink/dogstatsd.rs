//! Results as `synthetics.*` metrics.

use telemetry::Metrics;
use telemetry::names::{self, tag};

use super::Sink;
use crate::evaluate::Evaluation;
use crate::probe::{Outcome, ProbeResult};
use crate::slo::burn;

/// Sends a count and a duration for each probe, and the state of each objective when asked.
pub struct Dogstatsd {
    metrics: Metrics,
}

impl Dogstatsd {
    /// Sends through `metrics`.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics }
    }

    /// Sends SLI, budget and burn rate of each objective that has events.
    pub fn objectives(&self, evaluations: &[Evaluation]) {
        for evaluation in evaluations {
            let tags = [(tag::SLO, evaluation.slo.name.as_str())];
            let target = evaluation.slo.target;
            let values = [
                (&names::SYNTHETICS_SLO_SLI, evaluation.counts.sli(), 100.0),
                (&names::SYNTHETICS_SLO_BUDGET, evaluation.remaining, 100.0),
                (
                    &names::SYNTHETICS_SLO_BURN_RATE,
                    burn::rate(evaluation.counts, target),
                    1.0,
                ),
            ];
            for (metric, value, scale) in values {
                if let Some(value) = value {
                    self.metrics.gauge(metric, value.to_f64() * scale, &tags);
                }
            }
        }
    }
}

impl Sink for Dogstatsd {
    fn record(&mut self, result: &ProbeResult) {
        let outcome = match &result.outcome {
            Outcome::Gap(_) => "gap",
            Outcome::Measured(measurement) => measurement
                .failure
                .as_ref()
                .map_or("good", |failure| failure.kind.name()),
        };
        let tags = [
            (tag::CHECK, &*result.check),
            (tag::LOCATION, &*result.location),
            (tag::OUTCOME, outcome),
        ];
        self.metrics.count(&names::SYNTHETICS_PROBE_COUNT, 1, &tags);
        if let Outcome::Measured(measurement) = &result.outcome {
            let seconds = measurement.duration.as_secs_f64();
            self.metrics
                .distribution(&names::SYNTHETICS_PROBE_DURATION, seconds, &tags);
        }
    }
}
