//! Terraform's tables and IAM actions against the stores: names, keys, and the calls that are made.

use std::collections::{BTreeMap, BTreeSet};

use bookinfo::store::Table;

use crate::known::unknown;
use crate::query::{FILLED, Filter, references};
use crate::source::Call;
use crate::tree::{Node, Value};
use crate::{Fault, Parsed};

/// Keys of a table: hash key, range key, the types of both, and the attribute with the time to live.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Keys {
    hash: String,
    range: Option<String>,
    types: BTreeMap<String, String>,
    expires: Option<String>,
}

/// The tables of the stores, by their names without the prefix.
fn stored() -> BTreeMap<String, Keys> {
    let mut tables: BTreeMap<String, Keys> = Table::ALL
        .into_iter()
        .map(|table| {
            let key = |role: &str| {
                let mut keys = table.keys().iter();
                let key = keys.find(|(.., found)| found.as_str() == role);
                key.map(|(name, ..)| (*name).to_owned())
            };
            let types = table.keys().iter();
            let types = types.map(|(name, kind, _)| ((*name).to_owned(), kind.as_str().to_owned()));
            let keys = Keys {
                hash: key("HASH").unwrap_or_default(),
                range: key("RANGE"),
                types: types.collect(),
                expires: None,
            };
            (table.suffix().to_owned(), keys)
        })
        .collect();
    use synthetics::history::store::{EXPIRES, PK, SK, TABLE};
    let text = |name: &str| (name.to_owned(), "S".to_owned());
    let history = Keys {
        hash: PK.to_owned(),
        range: Some(SK.to_owned()),
        types: BTreeMap::from([text(PK), text(SK)]),
        expires: Some(EXPIRES.to_owned()),
    };
    tables.insert(TABLE.to_owned(), history);
    tables
}

/// All that differs.
#[must_use]
pub fn check(parsed: &Parsed, calls: &BTreeSet<Call>) -> Vec<Fault> {
    let stored = stored();
    let mut faults = made(parsed, &stored);
    faults.extend(asked(parsed, &stored));
    faults.extend(allowed(parsed, &stored, calls));
    faults.extend(prefixes(parsed));
    faults.extend(policies(parsed));
    faults
}

/// What the names of tables begin with, where nothing else is set for `TABLE_PREFIX`.
const PREFIX: &str = "bookwatch-";

fn prefixes(parsed: &Parsed) -> Vec<Fault> {
    let mut faults = Vec::new();
    for document in &parsed.hcl {
        let default = document.root.at(&["variable", "table_prefix", "default"]);
        if let Some(node) = default.filter(|node| node.text() != Some(PREFIX)) {
            let what = format!("tables of the programs begin with {PREFIX} where nothing is set");
            faults.push(document.fault(node, what));
        }
    }
    faults
}

/// What services.json allows is what the roles get: no more, no less, and on no other table.
fn policies(parsed: &Parsed) -> Vec<Fault> {
    let wanted = [
        ("for_each", "each.value.tables"),
        ("actions", "statement.value"),
        ("resources", "aws_dynamodb_table.this[statement.key].arn"),
    ];
    let mut faults = Vec::new();
    for document in &parsed.hcl {
        let policy = [
            "data",
            "aws_iam_policy_document",
            "tables",
            "dynamic",
            "statement",
        ];
        let Some(statement) = document.root.at(&policy) else {
            continue;
        };
        for (key, code) in wanted {
            let node = statement.get(key).or(statement.at(&["content", key]));
            let alone = node.and_then(|node| node.items().first()).or(node);
            let agrees = alone.is_some_and(
                |node| matches!(&node.value, Value::Code(written, _) if written == code),
            );
            if !agrees || node.is_some_and(|node| node.items().len() > 1) {
                let what =
                    format!("{key} of the roles' policy is `{code}`, as services.json has it");
                faults.push(document.fault(node.unwrap_or(statement), what));
            }
        }
    }
    faults
}

/// The tables that Terraform makes.
fn made(parsed: &Parsed, stored: &BTreeMap<String, Keys>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut found = false;
    for document in &parsed.hcl {
        document.root.visit(&mut |path, node| {
            if *path != ["locals", "tables"] {
                return;
            }
            found = true;
            for (name, table) in node.entries() {
                let Some(keys) = stored.get(name) else {
                    let what = format!("no store has a table {name}");
                    let names = stored.keys().map(String::as_str);
                    faults.push(document.fault(table, unknown(&what, names, name)));
                    continue;
                };
                if read(table).as_ref() != Some(keys) {
                    let what = format!("the store's keys of {name} are others: {keys:?}");
                    faults.push(document.fault(table, what));
                }
            }
            for name in stored.keys().filter(|name| node.get(name).is_none()) {
                faults.push(document.fault(node, format!("the store's table {name} is missing")));
            }
        });
    }
    if !found {
        faults.push(parsed.json("services.json").fault(
            &Node {
                line: 1,
                value: Value::Null,
            },
            "no root has `local.tables`",
        ));
    }
    faults
}

fn read(table: &Node) -> Option<Keys> {
    let text = |key| table.get(key).and_then(Node::text).map(str::to_owned);
    let types = table.get("types")?.entries().iter();
    let types = types.filter_map(|(name, kind)| Some((name.clone(), kind.text()?.to_owned())));
    Some(Keys {
        hash: text("hash_key")?,
        range: text("range_key"),
        types: types.collect(),
        expires: text("expires"),
    })
}

/// Tables that queries name: behind the prefix, one that there is.
fn asked(parsed: &Parsed, stored: &BTreeMap<String, Keys>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for document in parsed.hcl.iter().chain(&parsed.resources) {
        document.root.visit(&mut |_, node| {
            for reference in references(node.text().unwrap_or_default()) {
                for filter in &reference.filters {
                    let Filter::Tag(key, values) = filter else {
                        continue;
                    };
                    for value in values.iter().filter(|_| key == "tablename") {
                        let name = value.strip_prefix(FILLED).or(value.strip_prefix(PREFIX));
                        let known =
                            name.is_some_and(|name| name == "*" || stored.contains_key(name));
                        if !known {
                            let what = format!("the app has no table {value}");
                            let names = stored.keys().map(String::as_str);
                            let what = unknown(&what, names, name.unwrap_or(value));
                            faults.push(document.fault(node, what));
                        }
                    }
                }
            }
        });
    }
    faults
}

/// What IAM lets a service do: exactly the calls that it makes.
fn allowed(parsed: &Parsed, stored: &BTreeMap<String, Keys>, calls: &BTreeSet<Call>) -> Vec<Fault> {
    let list = parsed.json("services.json");
    let mut faults = Vec::new();
    for (service, node) in list.root.entries() {
        let tables = node.get("tables").map_or(&[][..], Node::entries);
        for (table, actions) in tables {
            if !stored.contains_key(table) {
                let what = format!("{service} may use {table}, which no store has");
                let names = stored.keys().map(String::as_str);
                faults.push(list.fault(actions, unknown(&what, names, table)));
                continue;
            }
            for action in actions.items() {
                let name = action.text().unwrap_or_default();
                if !calls.contains(&(service.clone(), table.clone(), name.to_owned())) {
                    let what = format!("{service} never calls {name} on {table}: take it out");
                    faults.push(list.fault(action, what));
                }
            }
        }
        for (_, table, action) in calls.iter().filter(|(caller, ..)| caller == service) {
            let actions = tables.iter().find(|(name, _)| name == table);
            let actions = actions.map(|(_, actions)| actions);
            if !actions.is_some_and(|actions| actions.texts().contains(&action.as_str())) {
                let what = format!("{service} calls {action} on {table}, and is not allowed to");
                faults.push(list.fault(actions.unwrap_or(node), what));
            }
        }
    }
    faults
}
