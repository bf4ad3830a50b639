//! What `synthetics export --to datadog` writes for the shop against what Terraform and the cluster's resources make:
//! one meaning, whichever way an objective comes into Datadog.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use serde_json::Value as Json;
use synthetics::export::{Format, export};

use crate::source::regex;
use crate::tree::{Node, Value};
use crate::{Document, Fault, Parsed};

/// What the export has in place of an objective's id.
const ID: &str = "SLO_ID";

/// All that differs.
#[must_use]
pub fn check(parsed: &Parsed) -> Vec<Fault> {
    let list = parsed.json("slos.json");
    let mut faults = Vec::new();
    for exported in &exported() {
        let tags = exported["slo"]["tags"].as_array().into_iter().flatten();
        let mut tags = tags.filter_map(Json::as_str);
        let Some(name) = tags.find_map(|tag| tag.strip_prefix("slo:")) else {
            continue;
        };
        let Some(slo) = list.root.at(&["slos", name]) else {
            let what = format!("the export has the objective {name}, which is missing");
            faults.push(list.fault(&list.root, what));
            continue;
        };
        let made = Made { list, slo };
        for document in &parsed.hcl {
            faults.extend(made.objective(document, name, &exported["slo"]));
            faults.extend(made.alerts(document, name, &exported["monitors"]));
        }
        for document in &parsed.resources {
            faults.extend(resource(document, name, &exported["slo"]));
        }
    }
    faults
}

/// The objectives and their monitors, as the program exports them.
fn exported() -> Vec<Json> {
    let shop = url::Url::parse("http://127.0.0.1:9080").expect("it is written here, and is one");
    let config = synthetics::bookshop::config(&shop, Duration::from_secs(2));
    let config =
        config.expect("the built-in file takes any address of HTTP, which its own tests try");
    let text = export(&config, Format::Datadog).text;
    serde_json::from_str(&text).expect("it is written by serde_json, from a list of objects")
}

/// An objective of `slos.json`, by which Terraform's expressions are filled in.
struct Made<'p> {
    list: &'p Document,
    slo: &'p Node,
}

impl Made<'_> {
    /// The resource of this kind of objective.
    fn objective(&self, document: &Document, name: &str, exported: &Json) -> Vec<Fault> {
        let kind = self.slo.get("kind").and_then(Node::text);
        let path = [
            "resource",
            "datadog_service_level_objective",
            kind.unwrap_or_default(),
        ];
        let Some(block) = document.root.at(&path) else {
            return Vec::new();
        };
        let slice = ["sli_specification", "time_slice"];
        let query = [&slice[..], &["query"]].concat();
        let exported_slice = &exported["sli_specification"]["time_slice"];
        let exported_query = &exported_slice["query"];
        let pairs: [(Vec<&str>, &Json); 11] = [
            (vec!["type"], &exported["type"]),
            (vec!["timeframe"], &exported["timeframe"]),
            (vec!["target_threshold"], &exported["target_threshold"]),
            (
                vec!["thresholds", "target"],
                &exported["thresholds"][0]["target"],
            ),
            (vec!["query", "numerator"], &exported["query"]["numerator"]),
            (
                vec!["query", "denominator"],
                &exported["query"]["denominator"],
            ),
            (
                [&query[..], &["formula", "formula_expression"]].concat(),
                &exported_query["formulas"][0]["formula"],
            ),
            (
                [&query[..], &["query", "metric_query", "query"]].concat(),
                &exported_query["queries"][0]["query"],
            ),
            (
                [&slice[..], &["comparator"]].concat(),
                &exported_slice["comparator"],
            ),
            (
                [&slice[..], &["threshold"]].concat(),
                &exported_slice["threshold"],
            ),
            (
                [&slice[..], &["query_interval_seconds"]].concat(),
                &exported_slice["query_interval_seconds"],
            ),
        ];
        let differs = |(path, exported): &(Vec<&str>, &Json)| {
            let node = block.at(path);
            self.differs(
                document,
                node.unwrap_or(block),
                node,
                exported,
                name,
                &path.join("."),
            )
        };
        pairs.iter().filter_map(differs).collect()
    }

    /// The monitors are one resource for all objectives and alerts.
    fn alerts(&self, document: &Document, name: &str, exported: &Json) -> Vec<Fault> {
        let path = ["resource", "datadog_monitor", "burn"];
        let Some(block) = document.root.at(&path) else {
            return Vec::new();
        };
        let alerts = self
            .list
            .root
            .get("burn_alerts")
            .map_or(&[][..], Node::items);
        let exported = exported.as_array().map_or(&[][..], Vec::as_slice);
        let mut faults = Vec::new();
        if alerts.len() != exported.len() {
            let (ours, count) = (alerts.len(), exported.len());
            let what = format!("{ours} burn alerts, and the export has {count} on {name}");
            faults.push(self.list.fault(&self.list.root, what));
        }
        for (alert, monitor) in alerts.iter().zip(exported) {
            let made = Made {
                list: self.list,
                slo: alert,
            };
            let critical = &monitor["options"]["thresholds"]["critical"];
            for (path, exported) in [
                (&["type"][..], &monitor["type"]),
                (&["query"], &monitor["query"]),
                (&["priority"], &monitor["priority"]),
                (&["monitor_thresholds", "critical"], critical),
            ] {
                let node = block.at(path);
                let at = node.unwrap_or(block);
                faults.extend(made.differs(document, at, node, exported, name, &path.join(".")));
            }
        }
        faults
    }

    fn differs(
        &self,
        document: &Document,
        at: &Node,
        node: Option<&Node>,
        exported: &Json,
        name: &str,
        key: &str,
    ) -> Option<Fault> {
        let ours = node.map(|node| self.filled(node));
        let theirs = written(exported);
        (ours != theirs).then(|| {
            let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
            let what = format!("{key} of {name} is `{ours}`, and the export has `{theirs}`");
            document.fault(at, what)
        })
    }

    /// What Terraform makes of an expression, without the filter by environment.
    fn filled(&self, node: &Node) -> String {
        static PART: LazyLock<Regex> = LazyLock::new(|| regex(r"\$\{([^{}]*)\}"));
        let text = match &node.value {
            Value::Code(code, _) => format!("${{{code}}}"),
            _ => as_text(node).unwrap_or_default(),
        };
        let text = text
            .replace("env:${var.env} AND ", "")
            .replace("\\\"", "\"");
        let filled = PART.replace_all(&text, |found: &regex::Captures<'_>| self.value(&found[1]));
        filled.into_owned()
    }

    fn value(&self, code: &str) -> String {
        let code = code.trim();
        let inner = |start: &str| {
            code.strip_prefix(start)
                .and_then(|rest| rest.strip_suffix(')'))
        };
        if let Some(number) = inner("tonumber(") {
            return self.value(number);
        }
        let (code, joined) = match inner("join(\",\", ") {
            Some(list) => (list, true),
            None => (code, false),
        };
        if code.starts_with("local.slo_ids[") {
            return ID.to_owned();
        }
        let node = if let Some(key) = code.strip_prefix("each.value.") {
            self.slo.get(key)
        } else {
            let key = code.strip_prefix("local.objectives.");
            key.and_then(|key| self.list.root.get(key))
        };
        match node {
            Some(node) if joined => node.texts().join(","),
            Some(node) => as_text(node).unwrap_or_default(),
            None => format!("${{{code}}}"),
        }
    }
}

/// A text, or a number as it is written.
fn as_text(node: &Node) -> Option<String> {
    let number = || node.number().map(|number| number.to_string());
    node.text().map(str::to_owned).or_else(number)
}

fn written(exported: &Json) -> Option<String> {
    match exported {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// An objective of the cluster's resources, which has no environment to filter by: all of it is one cluster's.
fn resource(document: &Document, name: &str, exported: &Json) -> Vec<Fault> {
    let Some(spec) = document.root.get("spec") else {
        return Vec::new();
    };
    let body = spec.get("jsonSpec").unwrap_or(spec);
    let tags = body.get("tags").map(Node::texts).unwrap_or_default();
    if !tags.contains(&format!("slo:{name}").as_str()) || body.get("type").is_none() {
        return Vec::new();
    }
    let slice = ["sli_specification", "time_slice"];
    let exported_slice = &exported["sli_specification"]["time_slice"];
    let first = |key: &str| {
        let path = [&slice[..], &["query", key]].concat();
        body.at(&path).and_then(|list| list.items().first())
    };
    let pairs = [
        ("type", body.get("type"), &exported["type"]),
        (
            "numerator",
            body.at(&["query", "numerator"]),
            &exported["query"]["numerator"],
        ),
        (
            "denominator",
            body.at(&["query", "denominator"]),
            &exported["query"]["denominator"],
        ),
        (
            "formula",
            first("formulas").and_then(|formula| formula.get("formula")),
            &exported_slice["query"]["formulas"][0]["formula"],
        ),
        (
            "query",
            first("queries").and_then(|query| query.get("query")),
            &exported_slice["query"]["queries"][0]["query"],
        ),
        (
            "comparator",
            body.at(&[&slice[..], &["comparator"]].concat()),
            &exported_slice["comparator"],
        ),
        (
            "threshold",
            body.at(&[&slice[..], &["threshold"]].concat()),
            &exported_slice["threshold"],
        ),
        (
            "query_interval_seconds",
            body.at(&[&slice[..], &["query_interval_seconds"]].concat()),
            &exported_slice["query_interval_seconds"],
        ),
    ];
    let differs = pairs.into_iter().filter_map(|(key, node, exported)| {
        let ours = node.and_then(as_text);
        let theirs = written(exported);
        (ours != theirs).then(|| {
            let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
            let what = format!("{key} of {name} is `{ours}`, and the export has `{theirs}`");
            document.fault(node.unwrap_or(body), what)
        })
    });
    differs.collect()
}
