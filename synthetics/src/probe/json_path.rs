//! The part of JSONPath (RFC 9535) that assertions need: names, indexes and wildcards.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// A path such as `$.reviews[*].rating.error` or `$['ISBN-10']`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Every,
}

/// A path that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no path at character {at}: {expected}")]
pub struct JsonPathError {
    text: String,
    at: usize,
    expected: &'static str,
}

/// Longest path and most steps: far more than anybody writes by hand.
const LONGEST: usize = 1_000;

impl JsonPath {
    /// Every value that the path points at, in document order.
    #[must_use]
    pub fn find<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![root];
        for step in &self.steps {
            found = found.into_iter().flat_map(|at| step.children(at)).collect();
        }
        found
    }
}

impl Step {
    fn children<'v>(&self, at: &'v Value) -> Vec<&'v Value> {
        match (self, at) {
            (Self::Name(name), Value::Object(map)) => map.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(list)) => list.get(*index).into_iter().collect(),
            (Self::Every, Value::Array(list)) => list.iter().collect(),
            (Self::Every, Value::Object(map)) => map.values().collect(),
            _ => Vec::new(),
        }
    }
}

impl FromStr for JsonPath {
    type Err = JsonPathError;

    fn from_str(text: &str) -> Result<Self, JsonPathError> {
        let error = |rest: &str, expected| JsonPathError {
            text: text.chars().take(80).collect(),
            at: text.len() - rest.len() + 1,
            expected,
        };
        if text.len() > LONGEST {
            return Err(error("", "a path has at most 1000 characters"));
        }
        let Some(mut rest) = text.strip_prefix('$') else {
            return Err(error(text, "a path starts with `$`"));
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, next) = match rest.strip_prefix('.') {
                Some(dotted) => dotted_step(dotted).map_err(|e| error(dotted, e))?,
                None => match rest.strip_prefix('[') {
                    Some(inner) => bracket_step(inner).map_err(|e| error(inner, e))?,
                    None => return Err(error(rest, "expected `.` or `[`")),
                },
            };
            steps.push(step);
            rest = next;
        }
        let text = text.to_owned();
        Ok(Self { text, steps })
    }
}

fn dotted_step(rest: &str) -> Result<(Step, &str), &'static str> {
    if let Some(rest) = rest.strip_prefix('*') {
        return Ok((Step::Every, rest));
    }
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a name starts with a letter; write `['...']` for any other");
    }
    Ok((Step::Name(name.to_owned()), rest))
}

fn bracket_step(inner: &str) -> Result<(Step, &str), &'static str> {
    if let Some(quoted) = inner.strip_prefix('\'') {
        let (name, rest) = quoted.split_once("']").ok_or("`['` without `']`")?;
        return Ok((Step::Name(name.to_owned()), rest));
    }
    let (inner, rest) = inner.split_once(']').ok_or("`[` without `]`")?;
    if inner == "*" {
        return Ok((Step::Every, rest));
    }
    let index = inner
        .parse()
        .map_err(|_| "in brackets stands a number, `*` or a name in single quotes")?;
    Ok((Step::Index(index), rest))
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(path: &str, value: &Value) -> Vec<Value> {
        let path: JsonPath = path.parse().expect("a path");
        path.find(value).into_iter().cloned().collect()
    }

    #[test]
    fn finds_names_indexes_and_wildcards() {
        let value = json!({"a": [{"b": 1}, {"b": 2}, {"c": 3}], "ISBN-10": "x", "m": {"p": 5}});
        assert_eq!(found("$", &value), std::slice::from_ref(&value));
        assert_eq!(found("$.a[1].b", &value), [json!(2)]);
        assert_eq!(found("$.a[*].b", &value), [json!(1), json!(2)]);
        assert_eq!(found("$['ISBN-10']", &value), [json!("x")]);
        assert_eq!(found("$.m.*", &value), [json!(5)]);
        assert!(found("$.a.b", &value).is_empty());
        assert!(found("$.a[9]", &value).is_empty());
    }

    #[test]
    fn says_where_a_path_breaks() {
        for (path, at) in [
            ("a", 1),
            ("$a", 2),
            ("$.", 3),
            ("$.a[", 5),
            ("$.a[x]", 5),
            ("$['a", 3),
        ] {
            let error = path.parse::<JsonPath>().expect_err(path);
            assert_eq!(error.at, at, "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_an_error(text in "[$.\\[\\]'*a-z0-9é]{0,40}") {
            if let Ok(path) = text.parse::<JsonPath>() {
                prop_assert_eq!(path.to_string(), text);
                let _ = path.find(&json!({"a": [1, {"b": null}]}));
            }
        }
    }
}
