//! Results, objectives and alerts as `synthetics.*` metrics, events and service checks.

use std::fmt::Write as _;

use telemetry::names::{self, tag};
use telemetry::{Alert, CheckStatus, Event, Metrics, ServiceCheck};

use super::Sink;
use crate::alert::{AlertState, Change, Severity, Transition};
use crate::evaluate::Evaluation;
use crate::history::Site;
use crate::probe::{Failure, Outcome, ProbeResult};
use crate::setup::SIMULATED;
use crate::slo::{Ratio, Reason, Verdict, burn};

/// Sends a count and a duration for each probe, the state of each objective and its alerts when
/// asked, and an event for each alert that fires or clears.
#[derive(Clone)]
pub struct Dogstatsd {
    metrics: Metrics,
    /// How many times as fast as real time the objectives' clock runs; empty where it does not.
    time_scale: String,
    /// Whether what is judged is made up in part.
    simulated: bool,
}

type Tags<'a> = Vec<(&'a str, &'a str)>;

impl Dogstatsd {
    /// Sends through `metrics`, of objectives whose clock runs `time_scale` times as fast as real
    /// time.
    #[must_use]
    pub fn new(metrics: Metrics, time_scale: u32) -> Self {
        Self {
            metrics,
            time_scale: match time_scale {
                1 => String::new(),
                factor => factor.to_string(),
            },
            simulated: false,
        }
    }

    /// Labels what is said of objectives as simulated, where one of `sites` is.
    pub fn judge(&mut self, sites: &[Site]) {
        self.simulated = sites.iter().any(|site| site.simulated);
    }

    /// `tags` with the labels of what is not measured, or not in real time.
    fn labelled<'a>(&'a self, mut tags: Tags<'a>, simulated: bool) -> Tags<'a> {
        if simulated {
            tags.push((tag::SIMULATED, "true"));
        }
        if !self.time_scale.is_empty() {
            tags.push((tag::TIME_SCALE, &self.time_scale));
        }
        tags
    }

    /// Sends all that there is to say of each objective, and a service check with its verdict.
    /// What there is without events, such as an SLI, is not sent for one that has none.
    pub fn objectives(&self, evaluations: &[Evaluation], alerts: &[AlertState]) {
        for evaluation in evaluations {
            self.objective(evaluation);
            let name = &evaluation.slo.name;
            let own = || alerts.iter().filter(|alert| *alert.id.slo == **name);
            own().for_each(|alert| self.alert(alert));
            let firing = own().filter(|alert| alert.is_firing());
            let (status, why) = status(evaluation, firing);
            let tags = self.labelled(vec![(tag::SLO, name)], self.simulated);
            self.metrics.service_check(&ServiceCheck {
                name: names::SYNTHETICS_SLO_STATUS,
                status,
                message: &why,
                tags: &tags,
            });
        }
    }

    fn objective(&self, evaluation: &Evaluation) {
        let tags = vec![(tag::SLO, evaluation.slo.name.as_str())];
        let tags = self.labelled(tags, self.simulated);
        let target = evaluation.slo.target;
        let gauge = |metric, value| self.metrics.gauge(metric, value, &tags);
        for (metric, value, scale) in [
            (&names::SYNTHETICS_SLO_SLI, evaluation.counts.sli(), 100.0),
            (&names::SYNTHETICS_SLO_BUDGET, evaluation.remaining, 100.0),
            (
                &names::SYNTHETICS_SLO_BURN_RATE,
                burn::rate(evaluation.counts, target),
                1.0,
            ),
        ] {
            if let Some(value) = value {
                gauge(metric, value.to_f64() * scale);
            }
        }
        let promised = target.percent().ratio().to_f64() * 100.0;
        gauge(&names::SYNTHETICS_SLO_TARGET, promised);
        let coverage = evaluation.coverage;
        let covered = match coverage.expected {
            0 => 0.0,
            expected => coverage.measured as f64 * 100.0 / expected as f64,
        };
        gauge(&names::SYNTHETICS_SLO_COVERAGE, covered);
        gauge(&names::SYNTHETICS_SLO_GAPS, evaluation.gaps as f64);
    }

    fn alert(&self, alert: &AlertState) {
        let (long, short) = (alert.long_window(), alert.short_window());
        let firing = f64::from(u8::from(alert.is_firing()));
        let rate = |rate: Option<Ratio>| rate.map(Ratio::to_f64);
        for (metric, value, window) in [
            (&names::SYNTHETICS_ALERT_FIRING, Some(firing), None),
            (
                &names::SYNTHETICS_ALERT_BURN_RATE,
                rate(alert.long),
                Some(&long),
            ),
            (
                &names::SYNTHETICS_ALERT_BURN_RATE,
                rate(alert.short),
                Some(&short),
            ),
        ] {
            let Some(value) = value else { continue };
            let mut tags = vec![
                (tag::SLO, &*alert.id.slo),
                (tag::ALERT, &*long),
                (tag::SEVERITY, alert.severity().name()),
            ];
            tags.extend(window.map(|window| (tag::WINDOW, &**window)));
            let tags = self.labelled(tags, self.simulated);
            self.metrics.gauge(metric, value, &tags);
        }
    }

    /// Sends an event for an alert that fires or clears.
    pub fn transition(&self, transition: &Transition) {
        let alert = &transition.alert;
        let title = transition.headline();
        let mut text = transition.sentence();
        if !self.time_scale.is_empty() {
            let _ = write!(
                text,
                "\nDemo: this clock runs {} times as fast as real time.",
                self.time_scale
            );
        }
        if self.simulated {
            text.push_str("\nDemo: locations are simulated.");
        }
        let long = alert.long_window();
        let tags = vec![
            (tag::SLO, &*alert.id.slo),
            (tag::ALERT, long.as_str()),
            (tag::SEVERITY, alert.severity().name()),
        ];
        let tags = self.labelled(tags, self.simulated);
        let kind = match (transition.change, alert.severity()) {
            (Change::Fired, Severity::Critical) => Alert::Error,
            (Change::Fired, Severity::Warning) => Alert::Warning,
            (Change::Cleared, _) => Alert::Success,
            (Change::Removed, _) => Alert::Info,
        };
        self.metrics.event(&Event {
            title: &title,
            text: &text,
            aggregation_key: Some(&alert.id.to_string()),
            alert: kind,
            tags: &tags,
            ..Event::default()
        });
    }

    fn attempt(&self, result: &ProbeResult, failure: Option<&Failure>) {
        let tags = vec![
            (tag::CHECK, &*result.check),
            (tag::LOCATION, &*result.location),
            (tag::OUTCOME, outcome(failure)),
        ];
        let tags = self.labelled(tags, result.location.ends_with(SIMULATED));
        let metric = &names::SYNTHETICS_PROBE_ATTEMPT_COUNT;
        self.metrics.count(metric, 1, &tags);
    }
}

fn outcome(failure: Option<&Failure>) -> &'static str {
    failure.map_or("good", |failure| failure.kind.name())
}

/// The status of an objective, and why: by its verdict, and by its alerts that fire.
fn status<'a>(
    evaluation: &Evaluation,
    firing: impl Iterator<Item = &'a AlertState>,
) -> (CheckStatus, String) {
    let mut worst = None;
    let mut why: Vec<String> = Vec::new();
    for alert in firing {
        worst = worst.max(Some(alert.severity()));
        why.push(format!("the {} alert fires", alert.long_window()));
    }
    let judgement = evaluation.judgement;
    let known = match judgement.reason {
        Reason::Missed | Reason::AlreadyLost => "the target is missed",
        Reason::Met => "the target is met",
        Reason::NoEvents => "nothing was measured",
        Reason::TooFewEvents => "there are too few events yet",
        Reason::LowCoverage => "too little was measured",
        Reason::Stale => "the newest measurement is too old",
    };
    why.insert(0, known.to_owned());
    let status = match (judgement.verdict, worst) {
        (Verdict::Fail | Verdict::Error, _) | (_, Some(Severity::Critical)) => {
            CheckStatus::Critical
        }
        (_, Some(Severity::Warning)) => CheckStatus::Warning,
        (Verdict::Inconclusive, None) => CheckStatus::Unknown,
        (Verdict::Pass, None) => CheckStatus::Ok,
    };
    (status, why.join(", "))
}

impl Sink for Dogstatsd {
    fn record(&mut self, result: &ProbeResult) {
        let outcome = match &result.outcome {
            Outcome::Gap(_) => "gap",
            Outcome::Measured(measurement) => outcome(measurement.failure.as_ref()),
        };
        let tags = vec![
            (tag::CHECK, &*result.check),
            (tag::LOCATION, &*result.location),
            (tag::OUTCOME, outcome),
        ];
        let tags = self.labelled(tags, result.location.ends_with(SIMULATED));
        self.metrics.count(&names::SYNTHETICS_PROBE_COUNT, 1, &tags);
        if let Outcome::Measured(measurement) = &result.outcome {
            let seconds = measurement.duration.as_secs_f64();
            self.metrics
                .distribution(&names::SYNTHETICS_PROBE_DURATION, seconds, &tags);
            for attempt in &measurement.earlier {
                self.attempt(result, Some(&attempt.failure));
            }
            self.attempt(result, measurement.failure.as_ref());
        }
    }
}
