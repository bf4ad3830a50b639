//! `slos.json` and the objectives of the Kubernetes resources against the prober's own.

use std::time::Duration;

use synthetics::objective::{Indicator, Slo};
use synthetics::probe::Kind;
use synthetics::probe::check::{Address, Check};
use synthetics::slo::burn::BurnAlert;
use synthetics::slo::{Percent, Ratio};

use crate::known::unknown;
use crate::tree::{Node, Value};
use crate::{Document, Fault, Parsed};

/// Names of the prober's checks of the shop.
pub(crate) fn checks() -> Vec<String> {
    probed()
        .into_iter()
        .map(|check| check.name.to_string())
        .collect()
}

/// The prober's checks, of a shop that is nowhere.
fn probed() -> Vec<Check> {
    let nowhere = url::Url::parse("http://127.0.0.1:9080").expect("it is written here, and is one");
    let checks = synthetics::bookshop::checks(&nowhere, Duration::from_secs(2));
    checks.expect("the built-in file takes any address of HTTP, which its own tests try")
}

/// All that differs.
#[must_use]
pub fn check(parsed: &Parsed) -> Vec<Fault> {
    let list = parsed.json("slos.json");
    let slos = synthetics::bookshop::slos();
    let mut faults = listed(list, &slos);
    faults.extend(burn_alerts(list, &slos));
    faults.extend(written_once(parsed));
    faults.extend(tests(parsed));
    for document in &parsed.resources {
        faults.extend(resource(document, list));
    }
    faults
}

fn listed(list: &Document, slos: &[Slo]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let names = checks();
    let found = list.root.get("slos").unwrap_or(&list.root);
    for slo in slos {
        if found.get(&slo.name).is_none() {
            faults.push(list.fault(
                found,
                format!("the prober's objective {} is missing", slo.name),
            ));
        }
    }
    for (name, node) in found.entries() {
        let Some(slo) = slos.iter().find(|slo| slo.name == *name) else {
            let what = format!("the prober has no objective {name}");
            let known = slos.iter().map(|slo| slo.name.as_str());
            faults.push(list.fault(node, unknown(&what, known, name)));
            continue;
        };
        let mut compare = |key: &str, prober: String, agrees: bool| {
            if !agrees {
                let there = node.get(key).unwrap_or(node);
                let what = format!("{key} of {name} differs from the prober's, which is {prober}");
                faults.push(list.fault(there, what));
            }
        };
        let text = |key| node.get(key).and_then(Node::text);
        compare(
            "title",
            slo.title.clone(),
            text("title") == Some(&slo.title),
        );
        let target = slo.target.percent();
        let percent = text("target").and_then(Ratio::parse_decimal);
        let prober = Ratio::new(i128::from(target.units()), i128::from(Percent::SCALE / 100));
        compare(
            "target",
            target.to_string(),
            percent.is_some() && percent == prober,
        );
        let seconds = text("within_seconds").and_then(Ratio::parse_decimal);
        let (kind, within) = match slo.indicator {
            Indicator::Availability { .. } => ("slices", None),
            Indicator::Latency { within } => ("latency", Some(within)),
            Indicator::Success => ("success", None),
        };
        compare("kind", kind.to_owned(), text("kind") == Some(kind));
        let limit =
            within.and_then(|within| Ratio::new(i128::try_from(within.as_millis()).ok()?, 1_000));
        compare(
            "within_seconds",
            within.map_or("none".to_owned(), |within| format!("{within:?}")),
            seconds == limit,
        );
        let measured: Vec<&str> = slo
            .checks
            .iter()
            .filter_map(|at| names.get(*at))
            .map(String::as_str)
            .collect();
        let same = node.get("checks").map(Node::texts).unwrap_or_default() == measured;
        compare("checks", measured.join(", "), same);
        let period = list
            .root
            .get("timeframe")
            .and_then(Node::text)
            .and_then(duration);
        compare(
            "timeframe",
            slo.window.to_string(),
            period == Some(slo.window.period()),
        );
        // The only lengths that Datadog has.
        let slices = node
            .get("slice_seconds")
            .map(|slice| [Some(60.0), Some(300.0)].contains(&slice.number()));
        compare(
            "slice_seconds",
            "60 or 300".to_owned(),
            slices.unwrap_or(kind != "slices"),
        );
    }
    faults
}

/// `7d`, `24h`, `120m`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        _ => return None,
    };
    Some(Duration::from_secs(
        number.parse::<u64>().ok()?.checked_mul(seconds)?,
    ))
}

fn burn_alerts(list: &Document, slos: &[Slo]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let alerts = list.root.get("burn_alerts").unwrap_or(&list.root);
    for slo in slos {
        if alerts.items().len() != slo.alerts.len() {
            let (ours, count) = (alerts.items().len(), slo.alerts.len());
            let what = format!(
                "{ours} burn alerts, and the prober has {count} on {}",
                slo.name
            );
            faults.push(list.fault(alerts, what));
        }
        for (node, alert) in alerts.items().iter().zip(&slo.alerts) {
            let text = |key| node.get(key).and_then(Node::text);
            let agrees = text("factor").and_then(Ratio::parse_decimal) == Some(alert.factor())
                && text("long_window").and_then(duration) == Some(alert.long())
                && text("short_window").and_then(duration) == Some(alert.short());
            if !agrees {
                let what = format!("the prober's burn alert on {} is {}", slo.name, told(alert));
                faults.push(list.fault(node, what));
            }
            // factor = share x period / long window
            let share = node.get("budget_percent").and_then(Node::number);
            let spent = alert.factor().to_f64() * alert.long().as_secs_f64()
                / slo.window.period().as_secs_f64()
                * 100.0;
            if share.is_none_or(|share| (share - spent).abs() > 1e-9) {
                faults.push(list.fault(node, format!("it spends {spent} % of the budget")));
            }
        }
    }
    faults.dedup_by(|one, other| one.line == other.line);
    faults
}

fn told(alert: &BurnAlert) -> String {
    let (long, short) = (alert.long().as_secs() / 60, alert.short().as_secs() / 60);
    format!("{} over {long} and {short} minutes", alert.factor())
}

/// Datadog's synthetic tests are the prober's checks: the same names, on the same paths.
fn tests(parsed: &Parsed) -> Vec<Fault> {
    let probed = probed();
    let path = |check: &Check| match &check.kind {
        Kind::Http(request) => match &request.address {
            Address::Fixed(url) => Some(url.path().to_owned()),
            Address::Template(_) => None,
        },
        _ => None,
    };
    let mut faults = Vec::new();
    for document in &parsed.hcl {
        document.root.visit(&mut |at, node| {
            if *at != ["locals", "checks"] {
                return;
            }
            for (name, test) in node.entries() {
                let Some(check) = probed.iter().find(|check| *check.name == **name) else {
                    let what = format!("the prober has no check {name}");
                    let names = probed.iter().map(|check| &*check.name);
                    faults.push(document.fault(test, unknown(&what, names, name)));
                    continue;
                };
                let there = test.get("path");
                if there.and_then(Node::text).map(str::to_owned) != path(check) {
                    let asked = path(check).unwrap_or_default();
                    let what = format!("the prober's check {name} asks for {asked}");
                    faults.push(document.fault(there.unwrap_or(test), what));
                }
            }
            for check in probed
                .iter()
                .filter(|check| node.get(&check.name).is_none())
            {
                let what = format!("the prober's check {} is missing", check.name);
                faults.push(document.fault(node, what));
            }
        });
    }
    faults
}

/// Terraform takes targets and windows from `slos.json`; a number of its own could differ.
fn written_once(parsed: &Parsed) -> Vec<Fault> {
    let mut faults = Vec::new();
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            let ["resource", "datadog_service_level_objective", _, rest @ ..] = path else {
                return;
            };
            let key = rest.last().copied().unwrap_or_default();
            let promised = ["target", "target_threshold", "timeframe", "warning"].contains(&key);
            if promised && !matches!(node.value, Value::Code(..)) {
                let what = format!("{key} is written here: it comes from slos.json");
                faults.push(document.fault(node, what));
            }
        });
    }
    faults
}

/// An objective of the cluster's resources says by its tag `slo:` which one it is.
fn resource(document: &Document, list: &Document) -> Vec<Fault> {
    let kind = document.root.get("kind").and_then(Node::text);
    let Some(spec) = document.root.get("spec") else {
        return Vec::new();
    };
    let generic = spec.get("type").and_then(Node::text) == Some("slo");
    let body = match kind {
        Some("DatadogSLO") => spec,
        Some("DatadogGenericResource") if generic => spec.get("jsonSpec").unwrap_or(spec),
        _ => return Vec::new(),
    };
    let tags = body.get("tags").map(Node::texts).unwrap_or_default();
    let name = tags.iter().find_map(|tag| tag.strip_prefix("slo:"));
    let Some(name) = name else {
        return vec![document.fault(body, "the objective has no tag slo: with its name")];
    };
    let slos = list.root.get("slos").unwrap_or(&list.root);
    let Some(slo) = slos.get(name) else {
        let names = slos.entries().iter().map(|(name, _)| name.as_str());
        let what = format!("slos.json has no objective {name}");
        return vec![document.fault(body, unknown(&what, names, name))];
    };
    let threshold = body.get("thresholds").and_then(|list| list.items().first());
    let target = body
        .get("targetThreshold")
        .or(threshold.and_then(|t| t.get("target")));
    let timeframe = body
        .get("timeframe")
        .or(threshold.and_then(|t| t.get("timeframe")));
    let mut faults = Vec::new();
    let wanted = slo.get("target").and_then(Node::number);
    if wanted.is_none() || target.and_then(Node::number) != wanted {
        let what = format!("the target of {name} differs from slos.json");
        faults.push(document.fault(target.unwrap_or(body), what));
    }
    let wanted = list.root.get("timeframe").and_then(Node::text);
    if wanted.is_none() || timeframe.and_then(Node::text) != wanted {
        let what = format!("the timeframe of {name} differs from slos.json");
        faults.push(document.fault(timeframe.unwrap_or(body), what));
    }
    let limit = body.at(&["query", "numerator"]).and_then(Node::text);
    let limit = limit.and_then(|text| {
        crate::query::references(text)
            .into_iter()
            .find_map(|r| r.limit)
    });
    if limit.as_deref() != slo.get("within_seconds").and_then(Node::text) {
        faults.push(document.fault(body, format!("the limit of {name} differs from slos.json")));
    }
    faults
}
