//! All that a query may name: metrics with their units and tags, services, and the values of our own tags.

use std::collections::{BTreeMap, BTreeSet};

use telemetry::names::Kind;

use crate::source::{Programs, regex};
use crate::tree::Node;
use crate::{Document, Fault, Parsed};

/// What is known of a metric.
#[derive(Clone, Debug, Default)]
pub struct Metric {
    /// Unit of one value, `None` where its source names none.
    pub unit: Option<String>,
    /// The tags that it can be asked by.
    pub tags: BTreeSet<String>,
    /// Whether Datadog has percentiles of it.
    pub percentiles: bool,
    /// The values of tags that have few.
    pub values: BTreeMap<String, BTreeSet<String>>,
}

/// The names that exist.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Metrics by name: ours, those of our spans, and those of `integrations.json`.
    pub metrics: BTreeMap<String, Metric>,
    /// Services of `services.json`.
    pub services: BTreeSet<String>,
    /// What programs and workloads call themselves.
    pub workloads: BTreeSet<String>,
    /// Metrics that a program sends.
    pub sent: BTreeSet<&'static str>,
}

/// The name in `names` that is spelt most like `text`.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |name: &&str| strsim::damerau_levenshtein(text, name);
    names.into_iter().min_by_key(distance)
}

/// `no metric x is sent; the nearest name is y`.
pub(crate) fn unknown<'n>(
    what: &str,
    names: impl IntoIterator<Item = &'n str>,
    of: &str,
) -> String {
    match nearest(of, names) {
        Some(name) => format!("{what}; the nearest name is {name}"),
        None => what.to_owned(),
    }
}

impl Known {
    /// Gathers them from the programs and the lists of `terraform/`.
    #[must_use]
    pub fn new(programs: &Programs, parsed: &Parsed) -> Self {
        let list = &parsed.json("integrations.json").root;
        let strings = |path: &[&str]| -> BTreeSet<String> {
            let texts = list.at(path).map(Node::texts).unwrap_or_default();
            texts.into_iter().map(str::to_owned).collect()
        };
        let sent = &programs.sent;
        let agent = strings(&["dogstatsd", "tags"]);
        let indexed = indexed(parsed);
        let probed = values();
        // Any word in the source of the others may be an outcome; one that is nowhere cannot be.
        let words = programs.words.clone();
        let counted = BTreeMap::from([(telemetry::names::tag::OUTCOME.to_owned(), words)]);
        let mut metrics = BTreeMap::new();
        for metric in telemetry::names::ALL {
            let own = sent.get(metric.name).into_iter().flatten();
            let mut tags: BTreeSet<String> = own.map(|tag| (*tag).to_owned()).collect();
            tags.extend(agent.iter().cloned());
            let configured = indexed.get(metric.name);
            if let Some(only) = configured {
                tags.retain(|tag| only.contains(tag));
            }
            let known = Metric {
                unit: Some(metric.unit.to_owned()),
                tags,
                percentiles: metric.kind == Kind::Distribution && configured.is_some(),
                values: match metric.name.starts_with("synthetics.") {
                    true => probed.clone(),
                    false => counted.clone(),
                },
            };
            metrics.insert(metric.name.to_owned(), known);
        }
        let suffixes = list.at(&["apm", "kinds"]).map_or(&[][..], Node::entries);
        for operation in &programs.operations {
            for (suffix, kind) in suffixes {
                let duration = kind.text().is_some_and(|kind| kind.contains("seconds"));
                let known = Metric {
                    unit: Some(if duration { "s" } else { "{request}" }.to_owned()),
                    tags: strings(&["apm", "tags"]),
                    percentiles: duration,
                    values: BTreeMap::new(),
                };
                metrics.insert(format!("trace.{operation}{suffix}"), known);
            }
        }
        for (name, metric) in list.get("metrics").map_or(&[][..], Node::entries) {
            let integration = metric.get("integration").and_then(Node::text);
            let integration = ["integrations", integration.unwrap_or_default()];
            let few = list.at(&[&integration[..], &["values"]].concat());
            let few = few.map_or(&[][..], Node::entries).iter();
            let few = few.map(|(key, list)| {
                let values = list.texts().into_iter().map(str::to_owned);
                (key.clone(), values.collect())
            });
            let known = Metric {
                unit: metric.get("unit").and_then(Node::text).map(str::to_owned),
                tags: strings(&[&integration[..], &["tags"]].concat()),
                percentiles: false,
                values: few.collect(),
            };
            metrics.insert(name.clone(), known);
        }
        let services = parsed.json("services.json").root.entries().iter();
        Self {
            metrics,
            services: services.map(|(name, _)| name.clone()).collect(),
            workloads: programs.services.clone(),
            sent: sent.keys().copied().collect(),
        }
    }
}

/// The tags that `metrics.tf` lets each distribution be asked by.
fn indexed(parsed: &Parsed) -> BTreeMap<String, BTreeSet<String>> {
    let mut indexed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut every = BTreeSet::new();
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| match path {
            ["locals", "distributions", metric] if !node.items().is_empty() => {
                let tags = node.texts().into_iter().map(str::to_owned);
                indexed
                    .entry((*metric).to_owned())
                    .or_default()
                    .extend(tags);
            }
            ["resource", "datadog_metric_tag_configuration", _, "tags"] => {
                every.extend(node.texts().into_iter().map(str::to_owned));
            }
            _ => {}
        });
    }
    for tags in indexed.values_mut() {
        tags.extend(every.iter().cloned());
    }
    indexed
}

/// Values of tags of the prober's metrics.
fn values() -> BTreeMap<String, BTreeSet<String>> {
    use synthetics::probe::FailureKind;
    use telemetry::names::tag::{CHECK, OUTCOME, SLO};
    let outcomes = FailureKind::ALL.iter().map(|kind| kind.name());
    let outcomes = outcomes.chain(["good", "gap"]).map(str::to_owned).collect();
    let slos = synthetics::bookshop::slos();
    BTreeMap::from([
        (OUTCOME.to_owned(), outcomes),
        (
            CHECK.to_owned(),
            crate::objectives::checks().into_iter().collect(),
        ),
        (
            SLO.to_owned(),
            slos.into_iter().map(|slo| slo.name).collect(),
        ),
    ])
}

/// Whether the lists themselves fit together.
#[must_use]
pub fn check(parsed: &Parsed, known: &Known) -> Vec<Fault> {
    let mut faults = services(parsed, known);
    for metric in telemetry::names::ALL {
        if !known.sent.contains(metric.name) {
            faults.push(Fault {
                file: "crates/telemetry/src/names.rs".to_owned(),
                line: 1,
                what: format!("no program sends {}", metric.name),
            });
        }
    }
    let list = parsed.json("integrations.json");
    for (name, metric) in list.root.get("metrics").map_or(&[][..], Node::entries) {
        let integration = metric.get("integration").and_then(Node::text);
        let page = list
            .root
            .at(&["integrations", integration.unwrap_or_default(), "page"]);
        if !page
            .and_then(Node::text)
            .is_some_and(|page| page.starts_with("https://"))
        {
            faults.push(list.fault(metric, format!("{name} has no page that says so")));
        }
    }
    let agent = list.root.at(&["dogstatsd", "tags"]).map(Node::texts);
    let agent = agent.unwrap_or_default();
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            if let ["resource", "datadog_metric_tag_configuration", _, "tags"] = path {
                let added = node.text().filter(|tag| !agent.contains(tag));
                if let Some(tag) = added {
                    let what = format!("the Agent adds no tag {tag}");
                    faults.push(document.fault(node, unknown(&what, agent.iter().copied(), tag)));
                }
            }
            let ["locals", "distributions", name] = path else {
                return;
            };
            let Some(metric) = known.metrics.get(*name).filter(|m| m.percentiles) else {
                let names = known.metrics.iter().filter(|(_, m)| m.percentiles);
                let what = format!("{name} is no distribution that a program sends");
                let what = unknown(&what, names.map(|(name, _)| name.as_str()), name);
                faults.push(document.fault(node, what));
                return;
            };
            for tag in node.items() {
                if !tag.text().is_some_and(|text| metric.tags.contains(text)) {
                    let what = format!("{name} has no tag {}", tag.text().unwrap_or("here"));
                    faults.push(document.fault(tag, what));
                }
            }
        });
    }
    faults
}

fn services(parsed: &Parsed, known: &Known) -> Vec<Fault> {
    let mut faults = Vec::new();
    let names = || known.services.iter().map(String::as_str);
    let list = parsed.json("services.json");
    for (name, service) in list.root.entries() {
        if !known.workloads.contains(name) {
            let what = format!("no program and no workload calls itself {name}");
            let names = known.workloads.iter().map(String::as_str);
            faults.push(list.fault(service, unknown(&what, names, name)));
        }
        for call in service.get("calls").map_or(&[][..], Node::items) {
            let called = call.text().unwrap_or_default();
            if !known.services.contains(called) {
                let what = format!("{name} calls {called}, which is no service");
                faults.push(list.fault(call, unknown(&what, names(), called)));
            }
        }
    }
    // As a tag of a monitor, an objective or a test, and in a search.
    let tagged = regex(r#"(?:^|[\s({,"])service:(\([a-zA-Z\s-]+\)|[a-z][a-z0-9-]*)"#);
    let mut look = |document: &Document| {
        document.root.visit(&mut |_, node| {
            for found in tagged.captures_iter(node.text().unwrap_or_default()) {
                let named = found[1].trim_matches(['(', ')']).split(" OR ");
                for service in named.filter(|name| !known.services.contains(*name)) {
                    let what = format!("there is no service {service}");
                    faults.push(document.fault(node, unknown(&what, names(), service)));
                }
            }
        });
    };
    parsed
        .hcl
        .iter()
        .chain(&parsed.resources)
        .for_each(&mut look);
    faults
}
