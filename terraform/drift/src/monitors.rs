//! Monitors and downtimes: thresholds in order, in the metric's unit, and schedules in somebody's time.

use crate::queries::not_seconds;
use crate::query::references;
use crate::source::regex;
use crate::tree::{Node, Value};
use crate::{Document, Fault, Parsed, Tree};

/// Monitors whose thresholds cannot be meant, and downtimes in no time zone.
#[must_use]
pub fn check(tree: &Tree, parsed: &Parsed) -> Vec<Fault> {
    let mut faults = console(tree, parsed);
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| match path {
            ["resource", "datadog_monitor", _] => {
                let monitor = Monitor {
                    parsed,
                    document,
                    query: node.get("query"),
                    thresholds: node.get("monitor_thresholds"),
                    told: [node.get("name"), node.get("message")],
                };
                faults.extend(monitor.check(node));
            }
            ["resource", "datadog_downtime_schedule", _] => {
                for (kind, schedule) in node.entries() {
                    if kind == "recurring_schedule" {
                        let zone = schedule.get("timezone");
                        faults.extend(time_zone(parsed, document, schedule, zone));
                    }
                }
            }
            [.., "sli_specification", "time_slice"] => {
                let query = node.at(&["query", "query", "metric_query", "query"]);
                faults.extend(slice(document, node, query));
            }
            // Datadog's older resource could leave it out, and then meant UTC.
            ["resource", "datadog_downtime", _] => {
                let what = "datadog_downtime is deprecated: use datadog_downtime_schedule";
                faults.push(document.fault(node, what));
            }
            _ => {}
        });
    }
    for document in &parsed.resources {
        faults.extend(resource(parsed, document));
        document.root.visit(&mut |path, node| {
            if let [.., "sli_specification", "time_slice"] = path {
                let first = node
                    .at(&["query", "queries"])
                    .and_then(|list| list.items().first());
                faults.extend(slice(
                    document,
                    node,
                    first.and_then(|query| query.get("query")),
                ));
            }
        });
    }
    faults
}

/// A slice that is judged by a time is good below a limit, and the limit is in seconds.
fn slice(document: &Document, slice: &Node, query: Option<&Node>) -> Vec<Fault> {
    let asked = references(query.and_then(Node::text).unwrap_or_default());
    let mut faults = Vec::new();
    for name in asked.iter().map(|reference| &reference.metric) {
        let Some(unit) = unit(name) else { continue };
        let (Some(limit), comparator) = (slice.get("threshold"), slice.get("comparator")) else {
            continue;
        };
        let written = limit
            .number()
            .map_or_else(|| bare(&written(limit)).to_owned(), |n| n.to_string());
        if not_seconds(&written, unit) {
            let what = format!("{name} is in seconds: a limit of {written} cannot be meant");
            faults.push(document.fault(limit, what));
        }
        let above = comparator.filter(|node| node.text().is_some_and(|text| text.starts_with('>')));
        if let Some(node) = above.filter(|_| unit == "s") {
            let what = format!("a slice would be good while {name} is above the limit");
            faults.push(document.fault(node, what));
        }
    }
    faults
}

/// The unit of a metric of ours. Seconds are the only one that somebody would think of in another scale.
fn unit(name: &str) -> Option<&'static str> {
    let ours = telemetry::names::ALL
        .iter()
        .find(|metric| metric.name == name);
    let span = name.starts_with("trace.") && !name.ends_with("hits") && !name.ends_with("errors");
    ours.map(|metric| metric.unit).or(span.then_some("s"))
}

/// The console judges the emitter too, without Datadog: by the same numbers.
const CONSOLE: &str = "console/src/monitor/rule.rs";

fn console(tree: &Tree, parsed: &Parsed) -> Vec<Fault> {
    let rule = tree.text(CONSOLE).split("MY_METRIC: Rule").nth(1);
    let rule = rule.unwrap_or_default();
    let number = |pattern: &str| {
        let found = regex(pattern).captures(rule)?;
        found[1].parse::<f64>().ok()
    };
    let own = [
        ("warning", number(r"warning: ([0-9.]+)")),
        ("critical", number(r"alert: ([0-9.]+)")),
        (
            "no data",
            number(r"no_data: Duration::from_secs\((\d+)\)").map(|seconds| seconds / 60.0),
        ),
        (
            "minutes",
            number(r"over: Duration::from_secs\((\d+)\)").map(|seconds| seconds / 60.0),
        ),
    ];
    let over = regex(r"^avg\(last_(\d+)m\):avg:my_metric\{");
    let mut faults = Vec::new();
    let mut look = |document: &Document, node: &Node, query: &str, thresholds, silence| {
        let Some(over) = over.captures(query) else {
            return;
        };
        let monitor = Monitor::new(parsed, document);
        let number = |node: Option<&Node>| node.and_then(|node| monitor.number(node));
        let limit = |key| number(Option::<&Node>::and_then(thresholds, |node| node.get(key)));
        let theirs = [
            limit("warning"),
            limit("critical"),
            number(silence),
            over[1].parse().ok(),
        ];
        for ((what, own), theirs) in own.iter().zip(theirs) {
            if own.is_none() || *own != theirs {
                let (own, theirs) = (own.unwrap_or_default(), theirs.unwrap_or_default());
                let what = format!("{what} of my_metric is {theirs}, and the console has {own}");
                faults.push(document.fault(node, what));
            }
        }
    };
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            let query = node.get("query").and_then(Node::text);
            if let (["resource", "datadog_monitor", _], Some(query)) = (path, query) {
                let thresholds = node.get("monitor_thresholds");
                look(
                    document,
                    node,
                    query,
                    thresholds,
                    node.get("no_data_timeframe"),
                );
            }
        });
    }
    for document in &parsed.resources {
        let spec = document.root.get("spec");
        let query = spec.and_then(|spec| spec.get("query")).and_then(Node::text);
        if let (Some(spec), Some(query)) = (spec, query) {
            let thresholds = spec.at(&["options", "thresholds"]);
            look(
                document,
                spec,
                query,
                thresholds,
                spec.at(&["options", "noDataTimeframe"]),
            );
        }
    }
    faults
}

fn resource(parsed: &Parsed, document: &Document) -> Vec<Fault> {
    let kind = document.root.get("kind").and_then(Node::text);
    let Some(spec) = document.root.get("spec") else {
        return Vec::new();
    };
    let of = spec.get("type").and_then(Node::text);
    let Some(json) = spec.get("jsonSpec").or(Some(spec)) else {
        return Vec::new();
    };
    match (kind, of) {
        (Some("DatadogMonitor"), _) | (Some("DatadogGenericResource"), Some("monitor")) => {
            let monitor = Monitor {
                parsed,
                document,
                query: json.get("query"),
                thresholds: json.at(&["options", "thresholds"]),
                told: [json.get("name"), json.get("message")],
            };
            monitor.check(json)
        }
        (Some("DatadogGenericResource"), Some("downtime")) => {
            let schedule = json.at(&["data", "attributes", "schedule"]);
            let Some(schedule) = schedule.filter(|schedule| schedule.get("recurrences").is_some())
            else {
                return Vec::new();
            };
            let zone = schedule.get("timezone");
            Vec::from_iter(time_zone(parsed, document, schedule, zone))
        }
        _ => Vec::new(),
    }
}

struct Monitor<'p> {
    parsed: &'p Parsed,
    document: &'p Document,
    query: Option<&'p Node>,
    thresholds: Option<&'p Node>,
    told: [Option<&'p Node>; 2],
}

impl<'p> Monitor<'p> {
    /// For its numbers alone.
    fn new(parsed: &'p Parsed, document: &'p Document) -> Self {
        Self {
            parsed,
            document,
            query: None,
            thresholds: None,
            told: [None, None],
        }
    }

    fn check(&self, node: &Node) -> Vec<Fault> {
        let Some((query, text)) = self.query.and_then(|query| Some((query, query.text()?))) else {
            return vec![self.document.fault(node, "the monitor has no query")];
        };
        let compared = regex(r"(>=|<=|>|<)\s*(\$\{[^{}]*\}|-?[0-9.]+)\s*$");
        let Some(compared) = compared.captures(text) else {
            return vec![
                self.document
                    .fault(query, "the query compares with nothing"),
            ];
        };
        let (rising, limit) = (compared[1].starts_with('>'), &compared[2]);
        let mut faults = Vec::new();
        for reference in references(text) {
            let name = &reference.metric;
            let Some(unit) = unit(name) else { continue };
            let limit = match self.value(limit) {
                Some(number) => number.to_string(),
                None => limit.to_owned(),
            };
            if not_seconds(&limit, unit) {
                let what = format!("{name} is in seconds: a limit of {limit} cannot be meant");
                faults.push(self.document.fault(query, what));
            }
            let host = self.told.iter().flatten().any(|told| {
                let text = told
                    .text()
                    .map(str::to_owned)
                    .unwrap_or_else(|| written(told));
                text.contains("{{host.name}}")
            });
            if host && !reference.groups.iter().any(|group| group == "host") {
                let what = "{{host.name}} is empty: the query is not grouped by host";
                faults.push(self.document.fault(query, what));
            }
        }
        let Some(thresholds) = self.thresholds else {
            faults.push(self.document.fault(node, "the monitor has no thresholds"));
            return faults;
        };
        faults.extend(self.order(thresholds, rising));
        let critical = thresholds.get("critical");
        if critical.is_none_or(|critical| !self.same(critical, limit)) {
            let what =
                format!("the query compares with {limit}, which is not the critical threshold");
            faults.push(self.document.fault(critical.unwrap_or(thresholds), what));
        }
        faults
    }

    /// From well to bad: both recoveries lie before what they recover from, and a warning before an alert.
    fn order(&self, thresholds: &Node, rising: bool) -> Vec<Fault> {
        let ordered = [
            ("warning", "critical"),
            ("warning_recovery", "warning"),
            ("critical_recovery", "critical"),
        ];
        let mut faults = Vec::new();
        for (first, second) in ordered {
            let (Some(one), Some(other)) = (thresholds.get(first), thresholds.get(second)) else {
                continue;
            };
            let (Some(low), Some(high)) = (self.number(one), self.number(other)) else {
                continue;
            };
            if (rising && low >= high) || (!rising && low <= high) {
                let what = format!("{first} ({low}) does not come before {second} ({high})");
                faults.push(self.document.fault(one, what));
            }
        }
        faults
    }

    fn number(&self, node: &Node) -> Option<f64> {
        match &node.value {
            Value::Code(code, _) => self.value(code),
            _ => node.number(),
        }
    }

    /// The number that `local.x.y` is, or that is written there.
    fn value(&self, code: &str) -> Option<f64> {
        let code = bare(code);
        if let Ok(number) = code.parse() {
            return Some(number);
        }
        let path: Vec<&str> = code.strip_prefix("local.")?.split('.').collect();
        let documents = self.parsed.hcl.iter();
        let mut locals = documents
            .flat_map(|document| document.root.entries())
            .filter(|(kind, _)| kind == "locals");
        locals.find_map(|(_, body)| body.at(&path)?.number())
    }

    fn same(&self, threshold: &Node, limit: &str) -> bool {
        match (self.number(threshold), self.value(limit)) {
            (Some(one), Some(other)) => one == other,
            _ => bare(&written(threshold)) == bare(limit),
        }
    }
}

fn written(node: &Node) -> String {
    match &node.value {
        Value::Code(code, _) => code.clone(),
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

/// An expression without `${..}` and `tonumber(..)` round it.
fn bare(code: &str) -> &str {
    let code = code.trim().trim_start_matches("${").trim_end_matches('}');
    code.strip_prefix("tonumber(")
        .and_then(|code| code.strip_suffix(')'))
        .unwrap_or(code)
}

fn time_zone(
    parsed: &Parsed,
    document: &Document,
    schedule: &Node,
    zone: Option<&Node>,
) -> Option<Fault> {
    let Some(zone) = zone.filter(|zone| !matches!(zone.value, Value::Null)) else {
        return Some(document.fault(schedule, "the downtime has no time zone"));
    };
    let name = match &zone.value {
        Value::Text(name) => Some(name.as_str()),
        Value::Code(code, _) => {
            let variable = code.strip_prefix("var.").unwrap_or_default();
            let documents = parsed.hcl.iter();
            let mut defaults = documents.filter_map(|document| {
                document.root.entries().iter().find_map(|(kind, labelled)| {
                    (kind == "variable")
                        .then(|| labelled.at(&[variable, "default"]))
                        .flatten()
                })
            });
            defaults.find_map(Node::text)
        }
        _ => None,
    };
    match name {
        Some(name) if jiff::tz::TimeZone::get(name).is_ok() => None,
        Some(name) => Some(document.fault(zone, format!("{name} is no time zone"))),
        None => Some(document.fault(zone, "the downtime's time zone has no default")),
    }
}
