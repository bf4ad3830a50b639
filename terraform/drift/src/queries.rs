//! Every query of every dashboard, monitor, objective and autoscaler, and whether what it names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::known::{Known, Metric, unknown};
use crate::query::{FILLED, Filter, Reference, references};
use crate::source::regex;
use crate::tree::{Node, Value};
use crate::{Document, Fault, LISTS, Parsed};

/// What a viewer can choose on a dashboard: names and the tags that they stand for.
pub type Variables = BTreeMap<String, String>;

/// One query and where it stands.
#[derive(Clone, Debug)]
pub struct Query {
    /// The file, from the root of the checkout.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// As it is written, with `${..}`.
    pub text: String,
    /// The metrics that it asks for.
    pub references: Vec<Reference>,
    /// What `$name` can be there.
    pub variables: Variables,
}

impl Query {
    fn fault(&self, what: String) -> Fault {
        Fault {
            file: self.file.clone(),
            line: self.line,
            what,
        }
    }
}

/// The longest time, in seconds, that a limit on a duration can mean: every time-out here is shorter.
pub const LONGEST_SECONDS: f64 = 30.0;

/// All queries. A text where one is to stand is one even if it names no metric.
#[must_use]
pub fn find(parsed: &Parsed) -> Vec<Query> {
    let chosen = chosen(parsed);
    let mut queries = Vec::new();
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            let Some(text) = node.text() else { return };
            let variables = match path {
                [kind, name, ..] => chosen.get(&(*kind, *name)).cloned(),
                _ => None,
            };
            let expected = match path {
                ["resource", "datadog_monitor", _, "query"] => !["burn_rate(", "logs("]
                    .iter()
                    .any(|other| text.starts_with(other)),
                [.., "queries", _] | [.., "metric_query", "query"] => true,
                [.., "query", "numerator" | "denominator"] => true,
                _ => false,
            };
            add(&mut queries, document, node, expected, variables);
        });
    }
    let lists = parsed
        .json
        .iter()
        .filter(|(name, _)| !LISTS.contains(&name.as_str()));
    for document in parsed
        .resources
        .iter()
        .chain(lists.map(|(_, document)| document))
    {
        let variables = resource_variables(&document.root);
        document.root.visit(&mut |path, node| {
            let expected = matches!(path, [.., "query" | "numerator" | "denominator" | "q"]);
            add(
                &mut queries,
                document,
                node,
                expected,
                Some(variables.clone()),
            );
        });
    }
    queries
}

fn add(
    queries: &mut Vec<Query>,
    document: &Document,
    node: &Node,
    expected: bool,
    variables: Option<Variables>,
) {
    let Some(text) = node.text() else { return };
    let references = references(text);
    if expected || !references.is_empty() || put_together(text) {
        queries.push(Query {
            file: document.file.clone(),
            line: node.line,
            text: text.to_owned(),
            references,
            variables: variables.unwrap_or_default(),
        });
    }
}

/// Whether the name of a metric in `text` is filled in: by Terraform, or by `format`.
fn put_together(text: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?:^|\W)(?:avg|count|max|min|sum|p\d\d)(?:\((?:[^()]|\([^()]*\))*\))?:[\w.]*(?:\$\{[^{}]*\}|%[sv])[\w.]*\{",
        )
    });
    NAME.is_match(text)
}

/// The variables of each dashboard's module, for the module's own block and for the locals that are its bands.
fn chosen(parsed: &Parsed) -> BTreeMap<(&str, &str), Variables> {
    let local = regex(r"\blocal\.(\w+)");
    let mut chosen = BTreeMap::new();
    let modules = parsed
        .hcl
        .iter()
        .flat_map(|document| document.root.entries());
    let modules = modules.filter(|(kind, _)| kind == "module");
    let locals: BTreeSet<&str> = parsed
        .hcl
        .iter()
        .flat_map(|document| document.root.entries())
        .filter(|(kind, _)| kind == "locals")
        .flat_map(|(_, body)| body.entries().iter().map(|(name, _)| name.as_str()))
        .collect();
    for (name, module) in modules.flat_map(|(_, labelled)| labelled.entries()) {
        let listed = module
            .get("template_variables")
            .map_or(&[][..], Node::entries);
        let tag = |node: &Node| node.get("tag").and_then(Node::text).map(str::to_owned);
        let variables: Variables = listed
            .iter()
            .filter_map(|(name, node)| Some((name.clone(), tag(node)?)))
            .collect();
        if let Some(bands) = module.get("bands") {
            bands.visit(&mut |_, node| {
                let Value::Code(code, _) = &node.value else {
                    return;
                };
                for found in local.captures_iter(code) {
                    if let Some(band) = locals.get(&found[1]) {
                        chosen.insert(("locals", *band), variables.clone());
                    }
                }
            });
        }
        chosen.insert(("module", name.as_str()), variables);
    }
    chosen
}

fn resource_variables(root: &Node) -> Variables {
    let listed = root
        .at(&["spec", "templateVariables"])
        .map_or(&[][..], Node::items);
    let text = |node: &Node, key| node.get(key).and_then(Node::text).map(str::to_owned);
    listed
        .iter()
        .filter_map(|node| Some((text(node, "name")?, text(node, "prefix")?)))
        .collect()
}

/// Everything in the queries that does not exist.
#[must_use]
pub fn check(parsed: &Parsed, known: &Known, queries: &[Query]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for query in queries {
        if put_together(&query.text) {
            let what =
                "the name of a metric is put together, so nobody can look it up: write it whole";
            faults.push(query.fault(format!("{what}: `{}`", query.text)));
        } else if query.references.is_empty() {
            faults.push(query.fault(format!("no metric is in the query `{}`", query.text)));
        }
        for reference in &query.references {
            let name = &reference.metric;
            let Some(metric) = known.metrics.get(name) else {
                let what = format!("no metric {name} is sent");
                let what = unknown(&what, known.metrics.keys().map(String::as_str), name);
                faults.push(query.fault(what));
                continue;
            };
            let mut found = Vec::from_iter(aggregate(reference, metric));
            found.extend(limit(reference, metric));
            found.extend(tags(reference, metric, query));
            found.extend(values(reference, metric, known));
            faults.extend(found.into_iter().map(|what| query.fault(what)));
        }
    }
    faults.extend(scalers(parsed));
    faults.extend(searches(parsed));
    faults
}

/// What a viewer can choose, in the searches of events and logs.
fn searches(parsed: &Parsed) -> Vec<Fault> {
    let chosen = chosen(parsed);
    let variable = regex(r"\$([a-z]\w*)");
    let mut faults = Vec::new();
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            let [kind, name, .., "search"] = path else {
                return;
            };
            let Some(variables) = chosen.get(&(*kind, *name)) else {
                return;
            };
            for found in variable.captures_iter(node.text().unwrap_or_default()) {
                if !variables.contains_key(&found[1]) {
                    faults.push(document.fault(node, no_variable(&found[1], variables)));
                }
            }
        });
    }
    faults
}

fn no_variable(name: &str, variables: &Variables) -> String {
    let what = format!("the dashboard has no variable ${name}");
    unknown(&what, variables.keys().map(String::as_str), name)
}

fn aggregate(reference: &Reference, metric: &Metric) -> Option<String> {
    let Reference {
        aggregate,
        metric: name,
        limit,
        ..
    } = reference;
    let percentile = aggregate
        .strip_prefix('p')
        .is_some_and(|digits| digits.len() == 2 && digits.parse::<u8>().is_ok());
    if !percentile && !["avg", "count", "max", "min", "sum"].contains(&aggregate.as_str()) {
        return Some(format!("{aggregate} is no way to put {name} together"));
    }
    let needed = percentile || limit.is_some();
    (needed && !metric.percentiles).then(|| {
        format!("{name} has no percentiles: it is no distribution, or metrics.tf leaves it out")
    })
}

/// A limit of a duration is in seconds, like the metric.
fn limit(reference: &Reference, metric: &Metric) -> Option<String> {
    let limit = reference.limit.as_ref()?;
    let unit = metric.unit.as_deref()?;
    not_seconds(limit, unit).then(|| {
        let name = &reference.metric;
        format!("{name} is in seconds: a limit of {limit} cannot be meant")
    })
}

/// Whether `limit`, a number or `${..}`, cannot be one of a value in `unit`.
pub(crate) fn not_seconds(limit: &str, unit: &str) -> bool {
    if unit != "s" {
        return false;
    }
    let code = limit.trim_start_matches("${").trim_end_matches('}');
    match code.parse::<f64>() {
        Ok(seconds) => !(0.0..=LONGEST_SECONDS).contains(&seconds),
        Err(_) => !code.trim_end_matches(')').ends_with("_seconds"),
    }
}

fn tags(reference: &Reference, metric: &Metric, query: &Query) -> Vec<String> {
    let mut faults = Vec::new();
    let mut look = |key: &str| {
        if !metric.tags.contains(key) {
            let what = format!("{} has no tag {key}", reference.metric);
            faults.push(unknown(&what, metric.tags.iter().map(String::as_str), key));
        }
    };
    reference.groups.iter().for_each(|key| look(key));
    let mut others = Vec::new();
    for filter in &reference.filters {
        match filter {
            Filter::Tag(key, _) => look(key),
            Filter::Variable(name) => match query.variables.get(name) {
                Some(key) => look(key),
                None => others.push(no_variable(name, &query.variables)),
            },
            Filter::Unclear(part) => others.push(format!("`{part}` is no filter by a tag")),
        }
    }
    faults.extend(others);
    faults
}

fn values(reference: &Reference, metric: &Metric, known: &Known) -> Vec<String> {
    let mut faults = Vec::new();
    for filter in &reference.filters {
        let Filter::Tag(key, values) = filter else {
            continue;
        };
        let allowed = match key.as_str() {
            "service" => Some(&known.services),
            key => metric.values.get(key),
        };
        let Some(allowed) = allowed else { continue };
        for value in values {
            let open = value.contains(FILLED) || value.contains('*');
            if !open && !allowed.contains(value) {
                let what = format!("there is no {key} {value}");
                faults.push(unknown(&what, allowed.iter().map(String::as_str), value));
            }
        }
    }
    faults
}

/// Autoscalers name a `DatadogMetric`, by its namespace and name.
fn scalers(parsed: &Parsed) -> Vec<Fault> {
    let text = |node: &Node, path: &[&str]| node.at(path).and_then(Node::text).map(str::to_owned);
    let metrics: BTreeSet<String> = parsed
        .resources
        .iter()
        .filter(|document| text(&document.root, &["kind"]).as_deref() == Some("DatadogMetric"))
        .filter_map(|document| {
            let namespace = text(&document.root, &["metadata", "namespace"])?;
            Some(format!(
                "{namespace}:{}",
                text(&document.root, &["metadata", "name"])?
            ))
        })
        .collect();
    let mut faults = Vec::new();
    for document in &parsed.resources {
        document.root.visit(&mut |path, node| {
            let named = match path {
                [.., "metric", "name"] => node
                    .text()
                    .and_then(|name| name.strip_prefix("datadogmetric@").map(str::to_owned)),
                [.., "triggers", "metadata"] => {
                    let namespace = text(node, &["datadogMetricNamespace"]);
                    let name = text(node, &["datadogMetricName"]);
                    namespace
                        .zip(name)
                        .map(|(namespace, name)| format!("{namespace}:{name}"))
                }
                _ => None,
            };
            if let Some(named) = named.filter(|named| !metrics.contains(named)) {
                let what = format!("there is no DatadogMetric {named}");
                let what = unknown(&what, metrics.iter().map(String::as_str), &named);
                faults.push(document.fault(node, what));
            }
        });
    }
    faults
}

/// Entries of `integrations.json` that no query asks for any more.
#[must_use]
pub fn unused(parsed: &Parsed, queries: &[Query]) -> Vec<Fault> {
    let list = parsed.json("integrations.json");
    let asked: BTreeSet<&str> = queries
        .iter()
        .flat_map(|query| &query.references)
        .map(|reference| reference.metric.as_str())
        .collect();
    let listed = list.root.get("metrics").map_or(&[][..], Node::entries);
    let left = listed
        .iter()
        .filter(|(name, _)| !asked.contains(name.as_str()));
    left.map(|(name, node)| list.fault(node, format!("no query asks for {name}: take it out")))
        .collect()
}
