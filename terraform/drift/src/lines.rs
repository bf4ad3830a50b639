//! The log pipeline against the lines that our programs write: a processor whose source nobody writes does nothing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::known::unknown;
use crate::source::{SENDERS, regex};
use crate::tree::Node;
use crate::{Fault, Parsed, Tree};

/// The attributes of our log lines, as the source has them.
#[must_use]
pub fn written(tree: &Tree) -> BTreeSet<String> {
    // `,\"trace_id\":` and `put("service",` where lines are put together; `http.route = route,` and `duration_ms,`
    // where one is logged.
    static KEY: LazyLock<Regex> =
        LazyLock::new(|| regex(r#"\\"([a-z._]+)\\":|put\("([a-z._]+)","#));
    static EVENT: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?s)tracing::(?:error|warn|info|debug|trace)!\((.*?)\)[;,\n]"));
    static FIELD: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?m)(?:^|[(,])\s*([a-z][a-z._]*)(?:\s*=[^=]|,)"));
    let mut written = BTreeSet::new();
    let mut keep = |found: Option<regex::Match<'_>>| {
        written.extend(found.map(|found| found.as_str().to_owned()));
    };
    for (path, text) in tree.files(&SENDERS, ".rs") {
        if path == "crates/telemetry/src/logs.rs" {
            for found in KEY.captures_iter(text) {
                keep(found.get(1).or(found.get(2)));
            }
        }
        for logged in EVENT.captures_iter(text) {
            for found in FIELD.captures_iter(&logged[1]) {
                keep(found.get(1));
            }
        }
    }
    written
}

/// Sources of processors that no program writes.
#[must_use]
pub fn check(tree: &Tree, parsed: &Parsed) -> Vec<Fault> {
    let written = written(tree);
    let operand = regex(r"[a-z][a-z._]*");
    let searched = regex(r"@([a-z][a-z._]*)");
    let mut faults = Vec::new();
    let mut made = BTreeSet::new();
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            if let (["resource", "datadog_logs_custom_pipeline", .., "target"], Some(name)) =
                (path, node.text())
            {
                made.insert(name);
            }
        });
    }
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            let ["resource", "datadog_logs_custom_pipeline", _, rest @ ..] = path else {
                return;
            };
            let sources: Vec<(&Node, &str)> = match rest {
                [.., "arithmetic_processor", "expression"] => {
                    let operands = operand.find_iter(node.text().unwrap_or_default());
                    operands.map(|found| (node, found.as_str())).collect()
                }
                [.., "sources"] => node
                    .items()
                    .iter()
                    .filter_map(|source| Some((source, source.text()?)))
                    .collect(),
                [.., "processor", "for_each"] => {
                    let keys = node.entries().iter();
                    keys.map(|(key, entry)| (entry, key.as_str())).collect()
                }
                // By then the processors above have given some their standard names.
                [.., "filter", "query"] => {
                    let named = searched.captures_iter(node.text().unwrap_or_default());
                    let named = named.filter_map(|found| found.get(1));
                    let named = named.map(|found| (node, found.as_str()));
                    named.filter(|(_, name)| !made.contains(*name)).collect()
                }
                _ => return,
            };
            for (at, source) in sources {
                if !written.contains(source) {
                    let what = format!("no log line has the attribute {source}");
                    let names = written.iter().map(String::as_str);
                    faults.push(document.fault(at, unknown(&what, names, source)));
                }
            }
        });
    }
    faults
}
