//! Queries of Prometheus, in its rules and in Grafana's dashboards: each name is one of ours in the Collector's spelling,
//! or the result of a recording rule.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use telemetry::names::{ALL, Kind};

use crate::known::unknown;
use crate::source::regex;
use crate::{Document, Fault, Tree, yaml};

/// Where the queries stand.
const FOLDER: &str = "k8s/components/prometheus";
/// What the Collector's connector `span_metrics` makes of spans, under its default namespace (`spanmetricsconnector`'s README).
const OF_SPANS: [&str; 4] = [
    "traces_span_metrics_calls_total",
    "traces_span_metrics_duration_bucket",
    "traces_span_metrics_duration_count",
    "traces_span_metrics_duration_sum",
];
/// Words of the language that are no names.
const WORDS: [&str; 8] = ["and", "bool", "inf", "nan", "offset", "on", "or", "unless"];

/// Names that nobody sends or records.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Fault> {
    let documents: Vec<Document> = [".yaml", ".json"]
        .into_iter()
        .flat_map(|end| tree.files(&[FOLDER], end))
        .flat_map(|(file, text)| {
            let roots = yaml::parse(text).unwrap_or_default();
            roots.into_iter().map(|root| Document {
                file: file.to_owned(),
                root,
            })
        })
        .collect();
    let mut known: BTreeSet<String> = ALL.iter().flat_map(|metric| spelt(metric)).collect();
    known.extend(OF_SPANS.map(str::to_owned));
    for document in &documents {
        document.root.visit(&mut |path, node| {
            if let ([.., "record"], Some(name)) = (path, node.text()) {
                known.insert(name.to_owned());
            }
        });
    }
    let mut faults = Vec::new();
    for document in &documents {
        document.root.visit(&mut |path, node| {
            let (true, Some(query)) = (path.ends_with(&["expr"]), node.text()) else {
                return;
            };
            for name in names(query) {
                if !known.contains(&name) {
                    let what = format!("no metric {name} is there in Prometheus");
                    let names = known.iter().map(String::as_str);
                    faults.push(document.fault(node, unknown(&what, names, &name)));
                }
            }
        });
    }
    faults
}

/// A metric as the Collector gives it to Prometheus: without dots, and by its kind.
fn spelt(metric: &telemetry::names::Metric) -> Vec<String> {
    let name = metric.name.replace('.', "_");
    let ends: &[&str] = match metric.kind {
        Kind::Count => &["_total"],
        Kind::Gauge => &[""],
        Kind::Distribution => &["_bucket", "_count", "_sum"],
    };
    ends.iter().map(|end| format!("{name}{end}")).collect()
}

/// The names of series in a query.
fn names(query: &str) -> BTreeSet<String> {
    // Texts, then what selects and groups, which has labels; then a word that no parenthesis follows.
    static TEXT: LazyLock<Regex> =
        LazyLock::new(|| regex(r#""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"#));
    static CHOICE: LazyLock<Regex> = LazyLock::new(|| regex(r"\{[^{}]*\}|\[[^\[\]]*\]"));
    static GROUP: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
    });
    static WORD: LazyLock<Regex> = LazyLock::new(|| regex(r"[a-zA-Z_:][\w:]*"));
    let bare = TEXT.replace_all(query, "");
    let bare = CHOICE.replace_all(&bare, " ");
    let bare = GROUP.replace_all(&bare, " ");
    let mut found = BTreeSet::new();
    for part in WORD.find_iter(&bare) {
        let name = part.as_str();
        let before = bare[..part.start()].chars().next_back();
        // The unit of `5m` and Grafana's `$variable`.
        let inside = before.is_some_and(|c| c.is_alphanumeric() || ['.', '$'].contains(&c));
        let called = bare[part.end()..].trim_start().starts_with('(');
        if !inside && !called && !WORDS.contains(&name.to_lowercase().as_str()) {
            found.insert(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_are_told_from_labels_functions_and_words() {
        let query = r#"histogram_quantile(0.95, sum by (le, check) (rate(a_bucket{x="b_total"}[5m])))
            and on() (slo:error_ratio:1h{slo="s"} offset 1m) > 16.8 * 0.02 or absent(my_metric)"#;
        let found: Vec<String> = names(query).into_iter().collect();
        assert_eq!(found, ["a_bucket", "my_metric", "slo:error_ratio:1h"]);
    }
}
