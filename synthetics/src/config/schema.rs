//! The published JSON Schema of the configuration.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::document::Document;

/// The schema, for editors: with it they complete keys and show what each one means.
#[must_use]
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = generator.into_root_schema_for::<Document>().to_value();
        without_null(&mut schema);
        if let Some(root) = schema.as_object_mut() {
            root.insert("title".to_owned(), "synthetics.yaml".into());
        }
        schema
    })
}

/// Takes `null` out of what a key may hold: a key that is not wanted is left out, and one
/// without a value is a mistake.
fn without_null(value: &mut Value) {
    let is_null = |value: &Value| value["type"] == "null";
    if let Value::Object(map) = value {
        if map.get("default").is_some_and(Value::is_null) {
            map.remove("default");
        }
        if let Some(Value::Array(types)) = map.get_mut("type") {
            types.retain(|name| name != "null");
            if let [one] = types.as_slice() {
                let one = one.clone();
                map.insert("type".to_owned(), one);
            }
        }
        if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
            choices.retain(|choice| !is_null(choice));
            if choices.len() == 1
                && let Some(Value::Object(only)) = choices.pop()
            {
                map.remove("anyOf");
                for (key, inner) in only {
                    map.entry(key).or_insert(inner);
                }
            }
        }
        if let Some(Value::Array(choices)) = map.get_mut("enum") {
            choices.retain(|choice| !choice.is_null());
        }
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(without_null),
        Value::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
}
