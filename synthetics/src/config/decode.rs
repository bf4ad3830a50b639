//! Reads a tree by the schema: every mistake is noted where it stands, and what is left is the
//! document. What the environment stands for is filled in here, except in templates.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::describe::{choices, expected, spelt, strings, titled, types};
use super::problem::{Problem, suggest};
use super::text;
use super::tree::{self, Key, Node, Value};
use crate::probe::template::{self, Environment};

/// Deepest schema that is followed; ours has 9 levels.
const DEEPEST: usize = 64;

/// Reads trees by one schema.
pub(super) struct Decoder<'a> {
    root: &'a Json,
    environment: &'a Environment<'a>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(root: &'a Json, environment: &'a Environment<'a>) -> Self {
        Self {
            root,
            environment,
            problems: Vec::new(),
        }
    }

    /// The document as JSON, or `None` where that was not to be had.
    pub(super) fn document(&mut self, node: &Node) -> Option<Json> {
        self.value(node, self.root, "the file", 0)
    }

    fn problem(&mut self, at: Range<usize>, message: String, help: impl Into<String>) {
        self.problems.push(Problem::new(at, message).help(help));
    }

    fn resolve(&self, mut schema: &'a Json) -> &'a Json {
        for _ in 0..DEEPEST {
            let Some(name) = schema.get("$ref").and_then(Json::as_str) else {
                break;
            };
            let pointer = name.trim_start_matches('#');
            match self.root.pointer(pointer) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    fn value(&mut self, node: &Node, schema: &'a Json, what: &str, depth: usize) -> Option<Json> {
        let mut schema = self.resolve(schema);
        if depth > DEEPEST {
            return None;
        }
        if let Some(choices) = schema.get("anyOf").and_then(Json::as_array) {
            let list = matches!(node.value, Value::List(_));
            let fits = |choice: &&Json| {
                let is_list = self.resolve(choice)["type"] == "array";
                is_list == list
            };
            schema = self.resolve(choices.iter().find(fits).or(choices.first())?);
        }
        let types = types(schema);
        if node.is_null() && !types.is_empty() && !types.contains(&"null") {
            let help = format!("it takes {}", expected(schema));
            self.problem(
                node.at.clone(),
                format!("{} has no value", titled(what)),
                help,
            );
            return None;
        }
        match &node.value {
            Value::Map(entries) if types.contains(&"object") => {
                self.map(node, entries, schema, what, depth)
            }
            Value::List(items) if types.contains(&"array") => {
                if let Some(least) = schema["minItems"].as_u64()
                    && (items.len() as u64) < least
                {
                    let help = "write one entry at least";
                    self.problem(node.at.clone(), format!("{} is empty", titled(what)), help);
                }
                let item = &schema["items"];
                let decoded: Vec<_> = items
                    .iter()
                    .map(|entry| self.value(entry, item, &format!("{what}[]"), depth + 1))
                    .collect();
                decoded
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(Json::Array)
            }
            Value::Scalar { text, plain } => self.scalar(node, text, *plain, schema, what),
            Value::Map(_) | Value::List(_) if types.is_empty() => Some(any(node)),
            Value::Map(_) => {
                let message = format!("{} is a map here", titled(what));
                self.problem(
                    node.head(),
                    message,
                    format!("it takes {}", expected(schema)),
                );
                None
            }
            Value::List(_) => {
                let message = format!("{} is a list here", titled(what));
                self.problem(
                    node.head(),
                    message,
                    format!("it takes {}", expected(schema)),
                );
                None
            }
        }
    }

    fn map(
        &mut self,
        node: &Node,
        entries: &[(Key, Node)],
        schema: &'a Json,
        what: &str,
        depth: usize,
    ) -> Option<Json> {
        let empty = Map::new();
        let properties = schema["properties"].as_object();
        let names = || {
            properties
                .into_iter()
                .flat_map(Map::keys)
                .map(String::as_str)
        };
        let mut decoded = Map::new();
        let mut whole = true;
        for (key, value) in entries {
            match properties.unwrap_or(&empty).get(&key.name) {
                Some(_) => {
                    let property = &schema["properties"][&key.name];
                    match self.value(value, property, &key.name, depth + 1) {
                        Some(value) => drop(decoded.insert(key.name.clone(), value)),
                        None => whole = false,
                    }
                }
                None => {
                    let message = format!("`{}` is not known in {}", key.name, titled(what));
                    self.problem(key.at.clone(), message, suggest(&key.name, names()));
                    whole = false;
                }
            }
        }
        let has = |name: &str| entries.iter().any(|(key, _)| key.name == name);
        let unknown: Vec<_> = entries
            .iter()
            .map(|(key, _)| key.name.as_str())
            .filter(|name| schema["properties"].get(name).is_none())
            .collect();
        for name in strings(&schema["required"]) {
            // A misspelt one is told already.
            let meant = unknown
                .iter()
                .any(|key| tree::meant(key, &[name]).is_some());
            whole &= has(name);
            if !has(name) && !meant {
                let help = match schema["properties"][name]["description"].as_str() {
                    Some(description) => format!("add `{name}:`. {description}"),
                    None => format!("add `{name}:`"),
                };
                let message = format!("{} has no `{name}`", titled(what));
                self.problem(node.head(), message, help);
            }
        }
        whole &= self.exactly_one(node, entries, schema, what);
        whole.then_some(Json::Object(decoded))
    }

    /// Where a schema says "one of these is required", just one may be there.
    fn exactly_one(
        &mut self,
        node: &Node,
        entries: &[(Key, Node)],
        schema: &Json,
        what: &str,
    ) -> bool {
        let Some(choices) = schema["oneOf"].as_array() else {
            return true;
        };
        let names: Vec<_> = choices
            .iter()
            .flat_map(|choice| strings(&choice["required"]))
            .collect();
        let listed: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let listed = listed.join(", ");
        let mut found = entries
            .iter()
            .filter(|(key, _)| names.contains(&key.name.as_str()));
        let Some((first, _)) = found.next() else {
            let near = entries.iter().find_map(|(key, _)| {
                let known = schema["properties"].get(&key.name).is_some();
                if known {
                    None
                } else {
                    tree::meant(&key.name, &names)
                }
            });
            // A misspelt one is told already.
            if near.is_none() {
                let message = format!("{} has none of {listed}", titled(what));
                self.problem(node.head(), message, "add the one that is meant");
            }
            return false;
        };
        let Some((second, _)) = found.next() else {
            return true;
        };
        let message = format!("`{}` and `{}` do not go together", first.name, second.name);
        let help = format!("keep one of {listed}");
        self.problem(second.at.clone(), message, help);
        false
    }

    fn scalar(
        &mut self,
        node: &Node,
        source: &str,
        plain: bool,
        schema: &Json,
        what: &str,
    ) -> Option<Json> {
        let types = types(schema);
        let format = schema["format"].as_str().unwrap_or_default();
        // Templates are filled in where they are made; the files of secrets are read there too.
        let whole = match format {
            "template" | "url-template" | "secret" => source.to_owned(),
            _ if source.contains("${") => match template::expand(source, self.environment) {
                Ok(text) => text,
                Err(error) => {
                    let help = "set it, or write a default as `${NAME:-default}`";
                    self.problem(node.at.clone(), format!("{}: {error}", titled(what)), help);
                    return None;
                }
            },
            _ => source.to_owned(),
        };
        let filled = whole != source;
        // What the environment holds may be a secret: it is not repeated.
        let shown = if filled { source } else { &whole };
        let help = format!("it takes {}", expected(schema));
        if types.is_empty() {
            return Some(if plain {
                tree::plain(&whole)
            } else {
                whole.into()
            });
        }
        let allowed = choices(schema);
        if !allowed.is_empty() {
            let found = allowed.iter().find(|choice| spelt(choice) == whole);
            if let Some(found) = found {
                return Some((*found).clone());
            }
            let names: Vec<_> = allowed.iter().map(|choice| spelt(choice)).collect();
            let message = format!("`{shown}` is not allowed as {}", titled(what));
            let help = suggest(&whole, names.iter().map(String::as_str));
            self.problem(node.at.clone(), message, help);
            return None;
        }
        if types.contains(&"string") {
            let pattern = schema["pattern"]
                .as_str()
                .and_then(|p| regex::Regex::new(p).ok());
            let result = if pattern.is_some_and(|pattern| !pattern.is_match(&whole)) {
                Err(format!("`{whole}` does not fit {}", schema["pattern"]))
            } else {
                text::fits(format, &whole)
            };
            let Err(error) = result else {
                return Some(whole.into());
            };
            let error = if filled {
                format!("what `{shown}` stands for does not fit")
            } else {
                error
            };
            self.problem(node.at.clone(), format!("{}: {error}", titled(what)), help);
            return None;
        }
        let value = if types.contains(&"integer") {
            whole.parse::<i64>().ok().map(Json::from)
        } else if types.contains(&"boolean") {
            whole.parse::<bool>().ok().map(Json::from)
        } else {
            None
        };
        let Some(value) = value else {
            let message = format!("{} is `{shown}`", titled(what));
            self.problem(node.at.clone(), message, help);
            return None;
        };
        if let Some(number) = value.as_i64() {
            let bound = |name: &str| schema[name].as_f64().map(|bound| bound as i64);
            let (least, most) = (bound("minimum"), bound("maximum"));
            if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
                self.problem(
                    node.at.clone(),
                    format!("{} is {shown}", titled(what)),
                    help,
                );
                return None;
            }
        }
        Some(value)
    }
}

/// A tree as JSON, where anything goes.
fn any(node: &Node) -> Json {
    match &node.value {
        Value::Scalar { text, plain: true } => tree::plain(text),
        Value::Scalar { text, .. } => text.clone().into(),
        Value::List(items) => items.iter().map(any).collect(),
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.name.clone(), any(value)));
            Json::Object(entries.collect())
        }
    }
}
