//! OpenSLO v1. What it has no words for stands in annotations, which `synthetics import` reads
//! back, and in comments, which people read.

use super::{Alert, Exported, Promise, decimal, factor, length, percent};
use crate::objective::Indicator;
use crate::openslo::{self as words, annotation};
use crate::slo::{Calendar, LocationRule, Window};
use crate::yaml::{Yaml, quoted};

/// The service that all objectives are of.
const SERVICE: &str = "synthetics";

pub(super) fn export(promises: &[Promise<'_>], file: &str) -> Exported {
    let mut yaml = Yaml::default();
    yaml.comment(0, &format!(
        "Written by `synthetics export --to openslo` from {file}: make changes there and write it again."
    ));
    yaml.line(0, "#");
    for difference in [
        "What OpenSLO has no words for:",
        "- An alert fires while the burn rate over its window AND over a twelfth of it is above the threshold; only the long window can be written. Below nine tenths of measured minutes it keeps its state.",
        "- There is no verdict on too few events, and none below nine tenths of measured minutes.",
        "- In declared maintenance a time slice counts as good, and requests are dropped.",
        "- Good and total are counted by the prober itself, event by event; the queries here are those of its metrics.",
    ] {
        yaml.comment(0, difference);
    }
    object(&mut yaml, "Service", SERVICE, "What the prober probes", &[]);
    yaml.line(1, "description: What the prober probes.");
    for promise in promises {
        objective(&mut yaml, promise);
        for (name, alert) in policies(promise) {
            policy(&mut yaml, promise, &name, alert);
        }
    }
    Exported {
        text: yaml.finish(),
        left_out: Vec::new(),
    }
}

/// Begins a document, up to its `spec:`.
fn object(yaml: &mut Yaml, kind: &str, name: &str, title: &str, annotations: &[(&str, String)]) {
    yaml.line(0, "---");
    yaml.line(0, &format!("apiVersion: {}", words::VERSION));
    yaml.line(0, &format!("kind: {kind}"));
    metadata(yaml, 0, name, title, annotations);
    yaml.line(0, "spec:");
}

fn metadata(
    yaml: &mut Yaml,
    depth: usize,
    name: &str,
    title: &str,
    annotations: &[(&str, String)],
) {
    yaml.line(depth, "metadata:");
    yaml.text(depth + 1, "name", name);
    yaml.text(depth + 1, "displayName", title);
    if !annotations.is_empty() {
        yaml.line(depth + 1, "annotations:");
        for (key, value) in annotations {
            yaml.text(depth + 2, key, value);
        }
    }
}

fn objective(yaml: &mut Yaml, promise: &Promise<'_>) {
    let slo = promise.slo;
    let mut annotations = vec![(annotation::CHECKS, promise.checks.join(","))];
    match slo.indicator {
        Indicator::Availability { .. } => {
            annotations.push((annotation::LOCATIONS, slo.rule.name().to_owned()));
        }
        Indicator::Latency { within } => {
            let within = humantime::format_duration(within).to_string();
            annotations.push((annotation::WITHIN, within));
        }
        Indicator::Success => {}
    }
    object(yaml, "SLO", &slo.name, &slo.title, &annotations);
    yaml.text(1, "description", &format!("{}.", promise.meaning()));
    yaml.line(1, &format!("service: {SERVICE}"));
    indicator(yaml, promise);
    window(yaml, slo.window);
    let slices = matches!(slo.indicator, Indicator::Availability { .. });
    let method = if slices { "Timeslices" } else { "Occurrences" };
    yaml.line(1, &format!("budgetingMethod: {method}"));
    yaml.line(1, "objectives:");
    yaml.text(2, "- displayName", &slo.title);
    if let Indicator::Availability { min_good } = slo.indicator {
        if promise.many_locations && slo.rule != LocationRule::Pooled {
            yaml.comment(3, &format!(
                "Differs: a slice of OpenSLO has one ratio. Here a slice is up when the ratio is reached {}.",
                super::rule(slo.rule)
            ));
        }
        yaml.comment(3, "A slice without an event is in no count.");
        yaml.line(
            3,
            &format!("timeSliceTarget: {}", super::fraction(min_good.units())),
        );
        yaml.line(3, "timeSliceWindow: 1m");
    }
    yaml.line(3, &format!("targetPercent: {}", percent(slo.target)));
    if !slo.alerts.is_empty() {
        yaml.line(1, "alertPolicies:");
    }
    for (name, _) in policies(promise) {
        yaml.line(2, &format!("- alertPolicyRef: {name}"));
    }
}

/// Good and total, as the sums of Datadog's queries: OpenSLO leaves the language open.
fn indicator(yaml: &mut Yaml, promise: &Promise<'_>) {
    yaml.line(1, "indicator:");
    metadata(
        yaml,
        2,
        &format!("{}-ratio", promise.slo.name),
        &promise.slo.title,
        &[],
    );
    yaml.line(2, "spec:");
    yaml.line(3, "ratioMetric:");
    yaml.line(4, "counter: true");
    for (key, query) in super::prometheus::good_and_total(promise) {
        yaml.line(4, &format!("{key}:"));
        yaml.line(5, "metricSource:");
        yaml.line(6, "type: Prometheus");
        yaml.line(6, "spec:");
        yaml.line(7, &format!("query: {}", quoted(&query)));
    }
}

fn window(yaml: &mut Yaml, window: Window) {
    yaml.line(1, "timeWindow:");
    match window {
        Window::Rolling(period) => {
            yaml.line(2, &format!("- duration: {}", length(period)));
            yaml.line(3, "isRolling: true");
        }
        Window::Calendar(calendar) => {
            let (unit, start) = match calendar {
                Calendar::Day => ("1d", "2024-01-01"),
                // A Monday.
                Calendar::Week => ("1w", "2024-01-01"),
                Calendar::Month => ("1M", "2024-01-01"),
                Calendar::Quarter => ("1Q", "2024-01-01"),
            };
            yaml.line(2, &format!("- duration: {unit}"));
            yaml.line(3, "isRolling: false");
            yaml.line(3, "calendar:");
            yaml.line(4, &format!("startTime: {start} 00:00:00"));
            yaml.line(4, "timeZone: UTC");
        }
    }
}

/// The alerts with names for them: no two are over the same window.
fn policies<'p>(promise: &'p Promise<'_>) -> impl Iterator<Item = (String, Alert)> + 'p {
    let name = |alert: &Alert| format!("{}-burn-{}", promise.slo.name, length(alert.long));
    promise.alerts().map(move |alert| (name(&alert), alert))
}

fn policy(yaml: &mut Yaml, promise: &Promise<'_>, name: &str, alert: Alert) {
    let (long, short) = (length(alert.long), length(alert.short));
    let title = format!("{}: budget burns over {long}", promise.slo.title);
    object(yaml, "AlertPolicy", name, &title, &[]);
    yaml.line(1, "alertWhenNoData: false");
    yaml.line(1, "alertWhenBreaching: true");
    yaml.line(1, "alertWhenResolved: true");
    yaml.line(1, "conditions:");
    yaml.line(2, "- kind: AlertCondition");
    metadata(yaml, 3, name, &title, &[]);
    yaml.line(3, "spec:");
    yaml.line(4, "severity: page");
    yaml.line(4, "condition:");
    yaml.line(5, "kind: burnrate");
    yaml.line(5, "op: gt");
    if decimal(alert.factor, 12) != factor(alert.factor) {
        yaml.comment(5, "Cut after six digits.");
    }
    yaml.line(5, &format!("threshold: {}", factor(alert.factor)));
    yaml.comment(
        5,
        &format!("Differs: it must burn as fast over {short} too."),
    );
    yaml.line(5, &format!("lookbackWindow: {long}"));
}
