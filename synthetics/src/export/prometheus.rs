//! Rules of Prometheus over the prober's metrics, as an OpenTelemetry Collector shows them that
//! takes DogStatsD: `_` for `.`, `_total` after counts, histograms for distributions.
//!
//! The rules count as the prober does: by minutes. Each minute records how many events there were
//! and how many of them were bad, and everything else is sums of those.

use std::time::Duration;

use super::{Exported, Promise, factor, fraction, length, percent, seconds};
use crate::objective::Indicator;
use crate::slo::{LocationRule, Percent, Window};
use crate::yaml::{Yaml, quoted};

const COUNT: &str = "synthetics_probe_count_total";
const DURATION: &str = "synthetics_probe_duration";
/// Bounds of the Collector's histograms in `k8s/components/prometheus`, in milliseconds.
const BOUNDS: [u64; 13] = [
    5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 10_000,
];

/// What the prober counted in the last minute, series by series.
const PROBES: &str = "synthetics:probes:1m";
/// The same of times within the limits of the objectives, and of all times.
const IN_TIME: &str = "synthetics:probes_in_time:1m";
const TIMED: &str = "synthetics:probes_timed:1m";

pub(super) fn export(promises: &[Promise<'_>], file: &str) -> Exported {
    let mut yaml = Yaml::default();
    let mut left_out = Vec::new();
    head(&mut yaml, file);
    if promises.is_empty() {
        yaml.line(0, "groups: []");
    } else {
        yaml.line(0, "groups:");
        yaml.line(1, "- name: synthetics");
        // One value a minute, so that they can be summed up.
        yaml.line(2, "interval: 1m");
        yaml.line(2, "rules:");
        minutes(&mut yaml, promises);
    }
    for promise in promises {
        rules(&mut yaml, promise, &mut left_out);
    }
    Exported {
        text: yaml.finish(),
        left_out,
    }
}

fn head(yaml: &mut Yaml, file: &str) {
    yaml.comment(0, &format!(
        "Written by `synthetics export --to prometheus` from {file}: make changes there and write it again."
    ));
    yaml.line(0, "#");
    for difference in [
        "What each rule means is what the prober means, by minutes, except for this:",
        "- A minute is one between two evaluations, not one of the clock, and an evaluation that is missed is a gap. A minute without a probe is in no count, as it is with the prober.",
        "- Nothing here asks for nine tenths of the minutes or for a least number of events: young or patchy data is judged like any other, and an alert on it is not frozen.",
        "- Ratios are floats. An SLI that is exactly at its target, or a burn rate exactly at its factor, may fall on either side.",
        "- Prometheus knows of no maintenance: silence the alerts.",
        "- What a Collector counted while Prometheus could not scrape it is left out.",
    ] {
        yaml.comment(0, difference);
    }
}

/// What was counted within the last minute.
fn minutes(yaml: &mut Yaml, promises: &[Promise<'_>]) {
    yaml.comment(3, "What was counted within the last minute: without the guess of `increase` at the edges; with series that are new, such as the first failure of its kind, and after a restart that began to count anew; but only where there was a measurement a minute ago.");
    let mut bounds: Vec<String> = promises
        .iter()
        .filter_map(|promise| match promise.slo.indicator {
            Indicator::Latency { within } => Some(bound(within)),
            _ => None,
        })
        .collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut counted = vec![(PROBES, COUNT.to_owned())];
    if !bounds.is_empty() {
        counted.push((TIMED, format!("{DURATION}_count")));
        counted.push((
            IN_TIME,
            format!("{DURATION}_bucket{{le=~{}}}", quoted(&bounds.join("|"))),
        ));
    }
    for (name, series) in counted {
        yaml.line(3, &format!("- record: {name}"));
        yaml.line(4, "expr: >-");
        yaml.line(
            5,
            &format!("(({series} - {series} offset 1m) >= 0 or {series})"),
        );
        yaml.line(
            5,
            &format!("and on() ({COUNT}{{outcome!=\"gap\"}} offset 1m)"),
        );
    }
}

fn rules(yaml: &mut Yaml, promise: &Promise<'_>, left_out: &mut Vec<String>) {
    let slo = promise.slo;
    yaml.blank();
    yaml.comment(3, &format!("{}: {}.", slo.name, promise.meaning()));
    if promise.maintained {
        yaml.comment(
            1,
            match slo.indicator {
                Indicator::Availability { .. } => {
                    "Differs: the prober counts declared maintenance as up."
                }
                Indicator::Latency { .. } | Indicator::Success => {
                    "Differs: the prober drops what falls into declared maintenance."
                }
            },
        );
    }
    if let Indicator::Latency { within } = slo.indicator
        && !BOUNDS.contains(&(within.as_micros() / 1_000).try_into().unwrap_or(0))
    {
        let bound = seconds(within);
        yaml.comment(
            1,
            &format!(
                "Needs a bound at {bound} s in the histograms of {DURATION}; without it all is bad."
            ),
        );
        left_out.push(format!(
            "objective {}: the Collector of k8s/components/prometheus has no bound at {bound} s; add it to `explicit_buckets`",
            slo.name
        ));
    }
    let (events, bad) = minute(promise);
    record(yaml, promise, "slo:events:1m", &events);
    record(yaml, promise, "slo:events_bad:1m", &bad);
    let mut windows: Vec<Duration> = promise.alerts().flat_map(|a| [a.short, a.long]).collect();
    if let Window::Rolling(period) = slo.window {
        windows.push(period);
    } else {
        yaml.comment(
            3,
            &format!(
                "Prometheus has no {}: what is left of its budget is not recorded.",
                slo.window
            ),
        );
    }
    windows.sort_unstable();
    windows.dedup();
    for window in windows {
        let window = length(window);
        let sum = |name: &str| format!("sum_over_time({name}{{slo=\"{}\"}}[{window}])", slo.name);
        let ratio = format!("{} / {}", sum("slo:events_bad:1m"), sum("slo:events:1m"));
        record(yaml, promise, &format!("slo:error_ratio:{window}"), &ratio);
    }
    let budget = fraction(slo.target.budget_units());
    if let Window::Rolling(period) = slo.window {
        let left = format!("1 - {} / {budget}", ratio_over(promise, period));
        record(yaml, promise, "slo:budget_remaining:ratio", &left);
    }
    for (index, alert) in promise.alerts().enumerate() {
        let factor = factor(alert.factor);
        let (long, short) = (length(alert.long), length(alert.short));
        yaml.line(3, "- alert: SloBudgetBurns");
        yaml.line(4, "expr: >-");
        yaml.line(
            5,
            &format!("{} > {factor} * {budget}", ratio_over(promise, alert.long)),
        );
        yaml.line(
            5,
            &format!(
                "and {} > {factor} * {budget}",
                ratio_over(promise, alert.short)
            ),
        );
        let severity = if index == 0 { "critical" } else { "warning" };
        yaml.line(
            4,
            &format!(
                "labels: {{slo: {}, severity: {severity}, window: {long}}}",
                slo.name
            ),
        );
        yaml.line(4, "annotations:");
        let summary = format!(
            "{}, {} % over {}: the budget burns faster than {factor} times, over {long} and over {short}; at that rate {} % of it is spent in {long}",
            slo.title.replace("{{", "{ {"),
            percent(slo.target),
            slo.window,
            alert.share(slo.window.period()),
        );
        yaml.text(5, "summary", &summary);
    }
}

fn ratio_over(promise: &Promise<'_>, window: Duration) -> String {
    let name = &promise.slo.name;
    format!("slo:error_ratio:{}{{slo=\"{name}\"}}", length(window))
}

fn record(yaml: &mut Yaml, promise: &Promise<'_>, name: &str, expression: &str) {
    yaml.line(3, &format!("- record: {name}"));
    yaml.line(4, "expr: >-");
    for line in expression.lines() {
        yaml.line(5, line);
    }
    yaml.line(4, &format!("labels: {{slo: {}}}", promise.slo.name));
}

/// Events of the last minute and the bad ones among them, as expressions.
fn minute(promise: &Promise<'_>) -> (String, String) {
    let measured = series(promise, PROBES, "outcome!=\"gap\"");
    let bad = series(promise, PROBES, "outcome!~\"good|gap\"");
    match promise.slo.indicator {
        Indicator::Success => (
            format!("sum({measured})"),
            format!("sum({bad}) or vector(0)"),
        ),
        Indicator::Latency { within } => {
            // Everything that was measured has a time, be it that of an answer or not.
            let events = format!("sum({})", series(promise, TIMED, "outcome!=\"gap\""));
            let in_time = series(promise, IN_TIME, &in_time(promise, within));
            let bad = format!("clamp_min({events}\n- (sum({in_time}) or vector(0)), 0)");
            (events, bad)
        }
        Indicator::Availability { min_good } => {
            // A slice that was measured is one event.
            let events = format!("sum({measured}) > bool 0");
            let share = fraction(Percent::SCALE - min_good.units());
            let each = |expression: &str| format!("sum by (location) ({expression})");
            let down = format!(
                "(count(\n  {}\n  / {} > {share}) or vector(0))",
                each(&bad),
                each(&measured)
            );
            let slice = match promise.slo.rule {
                LocationRule::AllUp => format!("{down} > bool 0"),
                LocationRule::Majority => {
                    format!("{down} * 2\n>= bool count({} > 0)", each(&measured))
                }
                LocationRule::Pooled => {
                    format!("(sum({bad}) or vector(0))\n/ sum({measured}) > bool {share}")
                }
            };
            (events, slice)
        }
    }
}

/// Good and all events as counters that only grow, for whoever forms the ratio by themselves.
pub(super) fn good_and_total(promise: &Promise<'_>) -> [(&'static str, String); 2] {
    let sum = |metric: &str, labels: &str| format!("sum({})", series(promise, metric, labels));
    let total = sum(COUNT, "outcome!=\"gap\"");
    let good = match promise.slo.indicator {
        Indicator::Latency { within } => sum(
            &format!("{DURATION}_bucket"),
            &format!(
                "outcome=~\"{}\",{}",
                promise.answers.join("|"),
                bound(within)
            ),
        ),
        Indicator::Availability { .. } | Indicator::Success => sum(COUNT, "outcome=\"good\""),
    };
    [("good", good), ("total", total)]
}

fn series(promise: &Promise<'_>, metric: &str, labels: &str) -> String {
    match promise.checks.as_slice() {
        [one] => format!("{metric}{{check=\"{one}\",{labels}}}"),
        many => format!("{metric}{{check=~\"{}\",{labels}}}", many.join("|")),
    }
}

/// The labels of whole answers within a limit.
fn in_time(promise: &Promise<'_>, within: Duration) -> String {
    let answers = promise.answers.join("|");
    format!("outcome=~\"{answers}\",le=~{}", quoted(&bound(within)))
}

/// The bucket of a limit, as an expression: a whole number is written in two ways.
fn bound(within: Duration) -> String {
    let bound = seconds(within);
    if bound.contains('.') {
        return bound.replace('.', "[.]");
    }
    format!("{bound}([.]0)?")
}
