//! What a schema says, in words for a person.

use serde_json::{Map, Value as Json};

use super::text;

/// A key in a sentence; `key[]` is an entry of its list.
pub(super) fn titled(what: &str) -> String {
    match what.strip_suffix("[]") {
        Some(list) => format!("an entry of `{list}`"),
        None if what == "the file" => what.to_owned(),
        None => format!("`{what}`"),
    }
}

/// The texts of a list.
pub(super) fn strings(list: &Json) -> Vec<&str> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Json::as_str).collect()
}

/// The types that a schema allows; none where anything goes.
pub(super) fn types(schema: &Json) -> Vec<&str> {
    match &schema["type"] {
        Json::String(one) => vec![one],
        list @ Json::Array(_) => strings(list),
        _ if !choices(schema).is_empty() => vec!["string"],
        _ => Vec::new(),
    }
}

/// The values that a schema allows, where it lists them.
pub(super) fn choices(schema: &Json) -> Vec<&Json> {
    if let Some(list) = schema["enum"].as_array() {
        return list.iter().collect();
    }
    let list = schema["oneOf"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter()
        .filter_map(|choice| choice.get("const"))
        .collect()
}

/// A choice as it is written.
pub(super) fn spelt(choice: &Json) -> String {
    choice
        .as_str()
        .map_or_else(|| choice.to_string(), str::to_owned)
}

/// What a schema takes, for a person.
pub(super) fn expected(schema: &Json) -> String {
    let allowed = choices(schema);
    if !allowed.is_empty() {
        let names: Vec<_> = allowed
            .iter()
            .map(|choice| format!("`{}`", spelt(choice)))
            .collect();
        return names.join(" or ");
    }
    let example = schema["format"].as_str().and_then(text::example);
    let example = example.map_or_else(String::new, |text| format!(", such as `{text}`"));
    match types(schema).as_slice() {
        ["object"] => {
            let names = schema["properties"]
                .as_object()
                .into_iter()
                .flat_map(Map::keys);
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            format!("a map of {}", names.join(", "))
        }
        ["array"] => "a list: entries on lines of their own that begin with `- `".to_owned(),
        ["integer"] => match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
            (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
            _ => "a whole number".to_owned(),
        },
        ["boolean"] => "`true` or `false`".to_owned(),
        _ => format!("a text{example}"),
    }
}
