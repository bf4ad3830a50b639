//! What the programs do, from their source: which metrics they send with which tags, which spans they make, and
//! which calls their stores make. It is read function by function, so no list is written twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::Tree;

/// A regular expression of this crate.
pub(crate) fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("it is written in this crate, or made of names that are words")
}

/// One function: its name and all that is written from its head to the next one's.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Whether it can be called from other modules.
    pub public: bool,
    /// Head and body.
    pub text: String,
}

/// The functions of all Rust files below one of `folders`, without their unit tests.
#[must_use]
pub fn functions(tree: &Tree, folders: &[&str]) -> Vec<Function> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"(?m)^\s*(pub(?:\([a-z]+\))? )?(?:const )?(?:async )?fn ([a-z_0-9]+)")
    });
    let mut found = Vec::new();
    for (path, text) in tree.files(folders, ".rs") {
        // Where a name is only written down nothing is sent.
        if path == NAMES || path.contains("/tests/") || path.contains("/benches/") {
            continue;
        }
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let heads: Vec<_> = HEAD.captures_iter(text).collect();
        let starts = heads.iter().filter_map(|head| Some(head.get(0)?.start()));
        let ends = starts.clone().skip(1).chain([text.len()]);
        for ((head, start), end) in heads.iter().zip(starts).zip(ends) {
            found.push(Function {
                name: head[2].to_owned(),
                public: head.get(1).is_some(),
                text: text[start..end].to_owned(),
            });
        }
    }
    found
}

/// Where programs send metrics from. The console and the demo only read them.
pub(crate) const SENDERS: [&str; 6] = [
    "crates/telemetry/src",
    "crates/web/src",
    "crates/bookinfo/src",
    "services",
    "loadgen/src",
    "synthetics/src",
];
const NAMES: &str = "crates/telemetry/src/names.rs";

/// The metrics that a program sends, with the tags that it puts on each.
fn sent(tree: &Tree) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let names = tree.text(NAMES);
    let metric = regex(r#"pub const (\w+): Metric = metric\(\s*"([^"]+)""#);
    let constant = regex(r#"pub const (\w+): &str = "([^"]+)""#);
    let tags = names.split("pub mod tag {").nth(1).unwrap_or_default();
    let tags = tags.split("pub mod ").next().unwrap_or_default();
    let tag_names: Vec<(Regex, String)> = constant
        .captures_iter(tags)
        .map(|tag| (regex(&format!(r"tag::{}\b", &tag[1])), tag[2].to_owned()))
        .collect();
    let functions: Vec<_> = functions(tree, &SENDERS);
    let mut sent = BTreeMap::new();
    for found in metric.captures_iter(names) {
        // What is not in the list that programs are built with is not sent by them.
        let Some(known) = telemetry::names::ALL.iter().find(|m| m.name == &found[2]) else {
            continue;
        };
        let mentions = regex(&format!(r"\b{}\b", &found[1]));
        for function in functions.iter().filter(|f| mentions.is_match(&f.text)) {
            let keys: &mut BTreeSet<_> = sent.entry(known.name).or_default();
            for (tag, name) in &tag_names {
                if tag.is_match(&function.text) {
                    keys.insert(TAGS.iter().copied().find(|t| t == name).unwrap_or("?"));
                }
            }
        }
    }
    sent
}

/// The tag keys that programs are built with.
const TAGS: [&str; 15] = {
    use telemetry::names::tag::{
        ALERT, CHECK, ENTITY_ID, HOST, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE,
        LOCATION, OUTCOME, SEVERITY, SIMULATED, SLO, TIME_SCALE, WEBHOOK, WINDOW,
    };
    [
        HTTP_REQUEST_METHOD,
        HTTP_ROUTE,
        HTTP_RESPONSE_STATUS_CODE,
        HOST,
        OUTCOME,
        CHECK,
        LOCATION,
        SLO,
        ALERT,
        WINDOW,
        SEVERITY,
        WEBHOOK,
        SIMULATED,
        TIME_SCALE,
        ENTITY_ID,
    ]
};

/// Datadog's operation names of our spans, by its rules for OTLP: a span of a server or client with a method of HTTP
/// is `http.server.request` or `http.client.request`, one of a client with `db.system` is `<system>.query`.
fn operations(tree: &Tree) -> BTreeSet<String> {
    let system = regex(r#""db\.system", "([a-z]+)""#);
    let mut operations = BTreeSet::new();
    for (_, text) in tree.files(&SENDERS, ".rs") {
        let http = text.contains("HTTP_REQUEST_METHOD");
        if http && text.contains("SpanKind::Server") {
            operations.insert("http.server.request".to_owned());
        }
        if http && text.contains("SpanKind::Client") {
            operations.insert("http.client.request".to_owned());
        }
        for found in system.captures_iter(text) {
            if text.contains("SpanKind::Client") {
                operations.insert(format!("{}.query", &found[1]));
            }
        }
    }
    operations
}

/// The names that our programs and workloads give themselves as a service.
fn services(tree: &Tree) -> BTreeSet<String> {
    let starts = regex(r#"(?:web::run|telemetry::init)\(\s*"([a-z]+)""#);
    let label = regex(r"tags\.datadoghq\.com/service: ([a-z-]+)");
    let programs = tree.files(
        &["services", "console/src", "loadgen/src", "synthetics/src"],
        ".rs",
    );
    let programs = programs.flat_map(|(_, text)| starts.captures_iter(text));
    let workloads = tree.files(&["k8s"], ".yaml");
    let workloads = workloads.flat_map(|(_, text)| label.captures_iter(text));
    programs
        .chain(workloads)
        .map(|found| found[1].to_owned())
        .collect()
}

/// What the programs of a checkout do.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// The metrics that a program sends, with the tags that it puts on each.
    pub sent: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// Datadog's operation names of our spans.
    pub operations: BTreeSet<String>,
    /// What programs and workloads call themselves as a service.
    pub services: BTreeSet<String>,
    /// The calls of the stores.
    pub calls: BTreeSet<Call>,
    /// The words that stand in quotes anywhere in the source of programs that send.
    pub words: BTreeSet<String>,
}

impl Programs {
    /// Reads the source and the labels of the workloads.
    #[must_use]
    pub fn read(tree: &Tree) -> Self {
        Self {
            sent: sent(tree),
            operations: operations(tree),
            services: services(tree),
            calls: calls(tree),
            words: words(tree),
        }
    }
}

fn words(tree: &Tree) -> BTreeSet<String> {
    let word = regex(r#""([a-z][a-z_]*)""#);
    let sources = tree.files(&SENDERS, ".rs");
    sources
        .flat_map(|(_, text)| word.captures_iter(text))
        .map(|found| found[1].to_owned())
        .collect()
}

/// Service, table and action: `("details", "details", "dynamodb:GetItem")`.
pub type Call = (String, String, String);

/// The calls that each service's store makes on each table, as the actions that IAM knows them by.
fn calls(tree: &Tree) -> BTreeSet<Call> {
    let mut calls = shop_calls(tree);
    calls.extend(history_calls(tree));
    calls
}

fn shop_calls(tree: &Tree) -> BTreeSet<Call> {
    let store = functions(tree, &["crates/bookinfo/src/store"]);
    let names: BTreeSet<_> = store.iter().filter(|f| f.public).map(|f| &f.name).collect();
    let asked = regex(r"store\s*\.\s*(\w+)\(\s*(?:Table::(\w+))?");
    let table = regex(r"\bTable::([A-Z]\w+)\b");
    let mut calls = BTreeSet::new();
    for (service, folder) in [
        ("details", "services/details/src"),
        ("reviews", "services/reviews/src"),
        ("ratings", "services/ratings/src"),
        ("seed", "demo/src/seed.rs"),
    ] {
        for (_, text) in tree.files(&[folder], ".rs") {
            for asked in asked.captures_iter(text) {
                // A question for one table is the call that is written beside that table.
                let entry = match asked.get(2) {
                    Some(table) => {
                        let arm = regex(&format!(r"Table::{} => self\.(\w+)\(", table.as_str()));
                        let arm = store.iter().find_map(|f| arm.captures(&f.text));
                        arm.map(|arm| arm[1].to_owned())
                    }
                    None => Some(asked[1].to_owned()).filter(|name| names.contains(name)),
                };
                let Some(text) = entry.map(|entry| reached(&store, &entry)) else {
                    continue;
                };
                let mut tables: BTreeSet<_> = table
                    .captures_iter(&text)
                    .map(|found| found[1].to_lowercase())
                    .collect();
                if tables.remove("all") || text.contains("Table::ALL") {
                    let all = bookinfo::store::Table::ALL;
                    tables.extend(all.map(|table| table.suffix().to_owned()));
                }
                for table in &tables {
                    for action in actions(&text) {
                        calls.insert((service.to_owned(), table.clone(), action));
                    }
                }
            }
        }
    }
    calls
}

/// What the prober's history does. Making its table is Terraform's, and counts only where a program does so without
/// being told to by a flag, which is for engines of one's own.
fn history_calls(tree: &Tree) -> BTreeSet<Call> {
    let store = functions(tree, &["synthetics/src/history/store"]);
    let outside = tree
        .files(&["synthetics/src"], ".rs")
        .filter(|(path, _)| !path.starts_with("synthetics/src/history/store"));
    let makes = regex(r"(if args\.create_table \{\s*\w+)?\s*\.\s*create_table\(");
    let made = outside
        .flat_map(|(_, text)| makes.captures_iter(text))
        .any(|call| call.get(1).is_none());
    let entries = store
        .iter()
        .filter(|f| f.public && (made || f.name != "create_table"));
    entries
        .flat_map(|entry| actions(&reached(&store, &entry.name)))
        .map(|action| {
            let table = synthetics::history::store::TABLE.to_owned();
            ("synthetics".to_owned(), table, action)
        })
        .collect()
}

/// The text of a function, and of all functions among `all` that it comes to call.
fn reached(all: &[Function], entry: &str) -> String {
    let mut open = vec![entry.to_owned()];
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for function in all.iter().filter(|function| function.name == name) {
            text.push_str(&function.text);
            for other in all {
                if calls_it(&function.text, &other.name) {
                    open.push(other.name.clone());
                }
            }
        }
    }
    text
}

/// Whether `text` has `self.name(` or the plain call `name(`.
fn calls_it(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].trim_end();
        let boundary = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let method = before.ends_with('.');
        let own = method && before.trim_end_matches('.').trim_end().ends_with("self");
        text[at + name.len()..].starts_with('(') && boundary && (own || !method)
    })
}

/// The actions behind the SDK's calls in a text. A transaction has no action of its own: it needs those of its items.
fn actions(text: &str) -> BTreeSet<String> {
    static CALL: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"\.\s*(get_item|put_item|update_item|delete_item|query|scan|create_table|describe_table|delete_table|list_tables|batch_get_item|batch_write_item|update_time_to_live|describe_time_to_live)\(\)",
        )
    });
    static ITEM: LazyLock<Regex> =
        LazyLock::new(|| regex(r"\b(Put|Update|Delete|ConditionCheck|Get)::builder\(\)"));
    let camel = |name: &str| -> String {
        name.split('_')
            .map(|word| word[..1].to_uppercase() + &word[1..])
            .collect()
    };
    let calls = CALL
        .captures_iter(text)
        .map(|found| format!("dynamodb:{}", camel(&found[1])));
    let items = ITEM
        .captures_iter(text)
        .map(|found| format!("dynamodb:{}Item", &found[1]));
    calls.chain(items).collect()
}
