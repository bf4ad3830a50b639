//! Every metric name, tag key and span attribute that Bookwatch sends, once.
//!
//! Dashboards, monitors and SLOs are checked against [`ALL`]. Tag values are bounded: route templates,
//! status codes, outcomes; never ids or user names.

/// What DogStatsD is told a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Added up between flushes.
    Count,
    /// The last value stands.
    Gauge,
    /// Percentiles over all hosts.
    Distribution,
}

/// One metric: its name and what it means.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Name as it is sent.
    pub name: &'static str,
    /// How values are put together.
    pub kind: Kind,
    /// Unit of one value, by UCUM where there is one (`s`, `{request}`).
    pub unit: &'static str,
    /// What one value means.
    pub description: &'static str,
}

const fn metric(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    description: &'static str,
) -> Metric {
    Metric {
        name,
        kind,
        unit,
        description,
    }
}

/// The emitter's gauge.
pub const MY_METRIC: Metric = metric(
    "my_metric",
    Kind::Gauge,
    "1",
    "a random whole number from 1 to 999",
);
/// Requests answered.
pub const HTTP_SERVER_REQUEST_COUNT: Metric = metric(
    "http.server.request.count",
    Kind::Count,
    "{request}",
    "requests answered, by route and status",
);
/// Time to answer, by the OpenTelemetry name.
pub const HTTP_SERVER_REQUEST_DURATION: Metric = metric(
    "http.server.request.duration",
    Kind::Distribution,
    "s",
    "time from the request's head to the end of its answer",
);
/// Reads of the store's cache.
pub const STORE_CACHE_LOOKUP_COUNT: Metric = metric(
    "store.cache.lookup.count",
    Kind::Count,
    "{lookup}",
    "reads of the optional cache before the database, by outcome hit or miss",
);

/// Requests that the load generator saw end, in whatever way.
pub const LOADGEN_REQUEST_COUNT: Metric = metric(
    "loadgen.request.count",
    Kind::Count,
    "{request}",
    "requests of the load generator, by route, method and outcome: ok, client_error, server_error, unexpected_status, connect, timeout, broken or cut_off",
);
/// Time to the last byte of the answer, seen from the load generator.
pub const LOADGEN_REQUEST_DURATION: Metric = metric(
    "loadgen.request.duration",
    Kind::Distribution,
    "s",
    "time from sending to the last byte of the answer, by route, method and outcome; none where there was no connection",
);

// The prober.
/// Ticks of the schedule, by what came of them.
pub const SYNTHETICS_PROBE_COUNT: Metric = metric(
    "synthetics.probe.count",
    Kind::Count,
    "{probe}",
    "probes by check, location and outcome: good, gap (not measured), or the class of the failure",
);
/// Time of a probe.
pub const SYNTHETICS_PROBE_DURATION: Metric = metric(
    "synthetics.probe.duration",
    Kind::Distribution,
    "s",
    "time from the start of a probe to the last byte of the answer, or to the failure",
);
/// Requests, retries included.
pub const SYNTHETICS_PROBE_ATTEMPT_COUNT: Metric = metric(
    "synthetics.probe.attempt.count",
    Kind::Count,
    "{attempt}",
    "attempts by check, location and outcome: good, or the class of the failure; a probe with retries has several",
);
/// How good it is.
pub const SYNTHETICS_SLO_SLI: Metric = metric(
    "synthetics.slo.sli",
    Kind::Gauge,
    "%",
    "good events of all events of an objective, in percent; absent without events",
);
/// What is left to spend.
pub const SYNTHETICS_SLO_BUDGET: Metric = metric(
    "synthetics.slo.budget_remaining",
    Kind::Gauge,
    "%",
    "share of the error budget that is left, in percent; negative where it is overspent",
);
/// How fast it is spent.
pub const SYNTHETICS_SLO_BURN_RATE: Metric = metric(
    "synthetics.slo.burn_rate",
    Kind::Gauge,
    "1",
    "error ratio divided by the error budget; 1 spends exactly the budget over the window",
);
/// What is promised.
pub const SYNTHETICS_SLO_TARGET: Metric = metric(
    "synthetics.slo.target",
    Kind::Gauge,
    "%",
    "share of events that must be good, in percent",
);
/// How much is known.
pub const SYNTHETICS_SLO_COVERAGE: Metric = metric(
    "synthetics.slo.coverage",
    Kind::Gauge,
    "%",
    "measured slices of all that should have been, in percent; below 90 there is no verdict",
);
/// What is not known.
pub const SYNTHETICS_SLO_GAPS: Metric = metric(
    "synthetics.slo.gaps",
    Kind::Gauge,
    "{probe}",
    "probes within the window that were not sent in time, and are in no count",
);
/// Whether somebody should look.
pub const SYNTHETICS_ALERT_FIRING: Metric = metric(
    "synthetics.alert.firing",
    Kind::Gauge,
    "1",
    "1 while a burn alert fires, else 0, by objective and by the alert's long window",
);
/// What an alert goes by.
pub const SYNTHETICS_ALERT_BURN_RATE: Metric = metric(
    "synthetics.alert.burn_rate",
    Kind::Gauge,
    "1",
    "burn rate over the long or the short window of an alert; both above its factor fire it",
);
/// What became of messages.
pub const SYNTHETICS_WEBHOOK_MESSAGE_COUNT: Metric = metric(
    "synthetics.webhook.message.count",
    Kind::Count,
    "{message}",
    "messages of alerts by webhook and outcome: delivered, refused, gave_up, dropped where too many wait, or elsewhere where another prober sends it",
);

/// Every metric that is sent, in the order of this file.
pub const ALL: &[&Metric] = &[
    &MY_METRIC,
    &HTTP_SERVER_REQUEST_COUNT,
    &HTTP_SERVER_REQUEST_DURATION,
    &STORE_CACHE_LOOKUP_COUNT,
    &LOADGEN_REQUEST_COUNT,
    &LOADGEN_REQUEST_DURATION,
    &SYNTHETICS_PROBE_COUNT,
    &SYNTHETICS_PROBE_DURATION,
    &SYNTHETICS_PROBE_ATTEMPT_COUNT,
    &SYNTHETICS_SLO_SLI,
    &SYNTHETICS_SLO_BUDGET,
    &SYNTHETICS_SLO_BURN_RATE,
    &SYNTHETICS_SLO_TARGET,
    &SYNTHETICS_SLO_COVERAGE,
    &SYNTHETICS_SLO_GAPS,
    &SYNTHETICS_ALERT_FIRING,
    &SYNTHETICS_ALERT_BURN_RATE,
    &SYNTHETICS_WEBHOOK_MESSAGE_COUNT,
];

/// The verdict on an objective, by `slo`: critical where the target is missed or the budget burns
/// fast, warning where it burns slowly, unknown where there is too little data.
pub const SYNTHETICS_SLO_STATUS: &str = "synthetics.slo.status";

/// Every service check that is sent.
pub const SERVICE_CHECKS: &[&str] = &[SYNTHETICS_SLO_STATUS];

/// Keys of metric tags.
pub mod tag {
    /// Method of the request, in capitals.
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// Template of the route, such as `/details/{id}`.
    pub const HTTP_ROUTE: &str = "http.route";
    /// Status code of the answer.
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// Machine that the value speaks of.
    pub const HOST: &str = "host";
    /// How it ended; the values stand with each metric.
    pub const OUTCOME: &str = "outcome";
    /// Name of a check of the prober.
    pub const CHECK: &str = "check";
    /// Place that a probe ran from.
    pub const LOCATION: &str = "location";
    /// Name of a service level objective.
    pub const SLO: &str = "slo";
    /// Long window of a burn alert: with the objective, which alert it is.
    pub const ALERT: &str = "alert";
    /// Window that a burn rate is over.
    pub const WINDOW: &str = "window";
    /// How much haste there is: critical or warning.
    pub const SEVERITY: &str = "severity";
    /// Name of a webhook.
    pub const WEBHOOK: &str = "webhook";
    /// `true` where delay and loss are made up.
    pub const SIMULATED: &str = "simulated";
    /// How many times as fast as real time the clock of the objectives runs, where it does.
    pub const TIME_SCALE: &str = "time_scale";
    /// Origin of a UDP packet, by the uid of its pod.
    pub const ENTITY_ID: &str = "dd.internal.entity_id";
}

/// Keys of span attributes, from the OpenTelemetry semantic conventions.
pub mod attribute {
    /// Method of the request.
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// Template of the route; servers only.
    pub const HTTP_ROUTE: &str = "http.route";
    /// Status code of the answer.
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// Path as it came, without its query.
    pub const URL_PATH: &str = "url.path";
    /// `http` or `https`.
    pub const URL_SCHEME: &str = "url.scheme";
    /// Whole address of an outbound request, without credentials.
    pub const URL_FULL: &str = "url.full";
    /// Host that is called.
    pub const SERVER_ADDRESS: &str = "server.address";
    /// Port that is called.
    pub const SERVER_PORT: &str = "server.port";
    /// Class of the error: a status code, `timeout`, `connect`, ...
    pub const ERROR_TYPE: &str = "error.type";
    /// How often a request was sent before: set on the spans of retries.
    pub const HTTP_REQUEST_RESEND_COUNT: &str = "http.request.resend_count";
    /// Name of the check that a probe is of. This and what follows are ours.
    pub const SYNTHETICS_CHECK: &str = "synthetics.check";
    /// Place that a probe runs from.
    pub const SYNTHETICS_LOCATION: &str = "synthetics.location";
    /// Whether delay and loss of that place are made up.
    pub const SYNTHETICS_SIMULATED: &str = "synthetics.simulated";
    /// Attempts that a probe took.
    pub const SYNTHETICS_ATTEMPTS: &str = "synthetics.attempts";
    /// Seconds for redirects.
    pub const SYNTHETICS_PHASE_REDIRECT: &str = "synthetics.phase.redirect";
    /// Seconds for resolving the name.
    pub const SYNTHETICS_PHASE_DNS: &str = "synthetics.phase.dns";
    /// Seconds for connecting.
    pub const SYNTHETICS_PHASE_CONNECT: &str = "synthetics.phase.connect";
    /// Seconds for agreeing on TLS.
    pub const SYNTHETICS_PHASE_TLS: &str = "synthetics.phase.tls";
    /// Seconds from there to the head of the answer.
    pub const SYNTHETICS_PHASE_FIRST_BYTE: &str = "synthetics.phase.first_byte";
    /// Seconds for reading the rest of the answer.
    pub const SYNTHETICS_PHASE_TRANSFER: &str = "synthetics.phase.transfer";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_fit_datadog() {
        let mut seen = BTreeSet::new();
        for metric in super::ALL {
            assert!(seen.insert(metric.name), "{} stands twice", metric.name);
            assert!(
                metric.name.len() <= 200
                    && metric.name.starts_with(|c: char| c.is_ascii_lowercase())
            );
            assert!(
                metric
                    .name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.'),
                "{} has a character that Datadog would replace",
                metric.name
            );
            assert!(!metric.description.is_empty() && !metric.unit.is_empty());
        }
    }
}
