//! Widgets of dashboards: whether each has something to show, and whether formulas fit their queries and units.

use std::collections::BTreeMap;

use crate::known::{Known, unknown};
use crate::query::references;
use crate::tree::{Node, Value};
use crate::units::{self, Unit};
use crate::{Document, Fault, Parsed};

/// Kinds of widgets of `modules/dashboard` that show metrics.
const OF_METRICS: [&str; 4] = ["hostmap", "timeseries", "toplist", "value"];
/// Blocks of `datadog_dashboard` that show metrics.
const OF_PROVIDER: [&str; 8] = [
    "change_definition",
    "distribution_definition",
    "heatmap_definition",
    "hostmap_definition",
    "query_table_definition",
    "query_value_definition",
    "timeseries_definition",
    "toplist_definition",
];
/// Kinds that show something else, and the attribute that says what.
const OF_OTHERS: [(&str, &str); 6] = [
    ("event_timeline", "search"),
    ("events", "search"),
    ("logs", "search"),
    ("monitors", "search"),
    ("note", "text"),
    ("slo", "slo_id"),
];

/// Widgets without a query, and formulas that cannot be right.
#[must_use]
pub fn check(parsed: &Parsed, known: &Known) -> Vec<Fault> {
    let mut faults = Vec::new();
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            let widget = path.last() == Some(&"widgets") && path[0] != "variable";
            if widget && node.get("title").is_some() {
                faults.extend(module_widget(document, node, known));
            }
            faults.extend(definition(document, path, node, known));
        });
    }
    for document in parsed.json.values() {
        document.root.visit(&mut |path, node| {
            faults.extend(definition(document, path, node, known));
        });
    }
    for document in &parsed.resources {
        document.root.visit(&mut |path, node| {
            faults.extend(definition(document, path, node, known));
        });
        let slice = [
            "spec",
            "jsonSpec",
            "sli_specification",
            "time_slice",
            "query",
        ];
        if let Some(query) = document.root.at(&slice) {
            faults.extend(json_formulas(document, query, known));
        }
    }
    faults
}

/// A widget as Datadog's API has it, or as a block of its provider's resource.
fn definition(document: &Document, path: &[&str], node: &Node, known: &Known) -> Vec<Fault> {
    match path.last() {
        Some(&"definition") if path.contains(&"widgets") => json_widget(document, node, known),
        Some(block) if OF_PROVIDER.contains(block) => {
            let asks = ["content", "for_each", "request"];
            let dynamic = node.at(&["dynamic", "request"]).is_some();
            let asks = dynamic || asks.iter().any(|key| node.get(key).is_some());
            Vec::from_iter((!asks).then(|| document.fault(node, nothing(node))))
        }
        _ => Vec::new(),
    }
}

fn module_widget(document: &Document, widget: &Node, known: &Known) -> Vec<Fault> {
    let kind = widget.get("kind").and_then(Node::text).unwrap_or_default();
    if OF_METRICS.contains(&kind) {
        let queries = widget.get("queries").map_or(&[][..], Node::entries);
        if queries.is_empty() {
            return vec![document.fault(widget, nothing(widget))];
        }
        let formulas = widget.get("formulas").map_or(&[][..], Node::items);
        let formulas = formulas.iter().map(|formula| {
            let alias = formula.get("alias").and_then(Node::text);
            (formula.get("expression").unwrap_or(formula), alias)
        });
        let queries = queries.iter().map(|(name, query)| (name.as_str(), query));
        return formulas_fit(document, queries.collect(), formulas.collect(), known);
    }
    let wanted = OF_OTHERS.iter().find(|(name, _)| *name == kind);
    let Some((_, attribute)) = wanted else {
        let kinds = OF_METRICS
            .into_iter()
            .chain(OF_OTHERS.map(|(name, _)| name));
        let what = format!("there is no kind of widget {kind}");
        return vec![document.fault(widget, unknown(&what, kinds, kind))];
    };
    let empty = |node: &Node| node.text() == Some("") || matches!(node.value, Value::Null);
    if widget.get(attribute).is_none_or(empty) {
        return vec![document.fault(widget, nothing(widget))];
    }
    Vec::new()
}

fn nothing(widget: &Node) -> String {
    let title = widget.get("title").and_then(Node::text).unwrap_or("?");
    format!("the widget `{title}` has no query")
}

fn json_widget(document: &Document, widget: &Node, known: &Known) -> Vec<Fault> {
    let kind = widget.get("type").and_then(Node::text).unwrap_or_default();
    if ["group", "note", "slo", "manage_status"].contains(&kind) {
        return Vec::new();
    }
    let requests = widget.get("requests").map_or(&[][..], Node::items);
    let asks = |request: &Node| {
        let queries = request.get("queries").map_or(&[][..], Node::items);
        !queries.is_empty() || request.get("q").and_then(Node::text).is_some()
    };
    if requests.is_empty() || !requests.iter().all(asks) {
        return vec![document.fault(widget, nothing(widget))];
    }
    let faults = requests
        .iter()
        .map(|request| json_formulas(document, request, known));
    faults.flatten().collect()
}

fn json_formulas(document: &Document, request: &Node, known: &Known) -> Vec<Fault> {
    let queries = request.get("queries").map_or(&[][..], Node::items).iter();
    let queries = queries.filter_map(|query| {
        Some((
            query.get("name")?.text()?,
            query.get("query").unwrap_or(query),
        ))
    });
    let formulas = request.get("formulas").map_or(&[][..], Node::items).iter();
    let formulas = formulas.filter_map(|formula| {
        let alias = formula.get("alias").and_then(Node::text);
        Some((formula.get("formula")?, alias))
    });
    formulas_fit(document, queries.collect(), formulas.collect(), known)
}

fn formulas_fit(
    document: &Document,
    queries: Vec<(&str, &Node)>,
    formulas: Vec<(&Node, Option<&str>)>,
    known: &Known,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let units: BTreeMap<String, units::Kind> = queries
        .iter()
        .map(|(name, query)| ((*name).to_owned(), unit(query, known)))
        .collect();
    for (node, alias) in &formulas {
        let text = node.text().unwrap_or_default();
        match units::formula(text, &units) {
            Err(error) => {
                faults.push(document.fault(node, format!("the formula `{text}`: {error}")))
            }
            Ok(units::Kind::Of(unit))
                if alias.is_some_and(|alias| alias.ends_with('%')) && !unit.is_percentage() =>
            {
                let what = format!(
                    "the formula `{text}` gives no percentage: its unit or scale is another"
                );
                faults.push(document.fault(node, what));
            }
            Ok(_) => {}
        }
    }
    if formulas.is_empty() {
        return faults;
    }
    for (name, query) in queries {
        let used = |(node, _): &(&Node, _)| {
            let text = node.text().unwrap_or_default();
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word == name)
        };
        if !formulas.iter().any(used) {
            faults.push(document.fault(query, format!("no formula shows the query {name}")));
        }
    }
    faults
}

fn unit(query: &Node, known: &Known) -> units::Kind {
    let references = references(query.text().unwrap_or_default());
    let [reference] = references.as_slice() else {
        return units::Kind::Unknown;
    };
    let metric = known.metrics.get(&reference.metric);
    let unit = metric.and_then(|metric| metric.unit.as_deref());
    unit.map_or(units::Kind::Unknown, |unit| {
        units::Kind::Of(Unit::parse(unit))
    })
}
