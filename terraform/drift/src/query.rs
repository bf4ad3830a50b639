//! Datadog's metric queries, as far as names and tags go.

use std::sync::LazyLock;

use regex::Regex;

use crate::source::regex;

/// One `aggregate:metric{scope} by {tags}` of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// How series are put together, such as `sum` or `p95`.
    pub aggregate: String,
    /// In `count(v: v<=0.1)`, the limit as it is written.
    pub limit: Option<String>,
    /// The metric's name.
    pub metric: String,
    /// What the scope asks for.
    pub filters: Vec<Filter>,
    /// The tags that it is grouped by.
    pub groups: Vec<String>,
}

/// One condition of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// `$name`, which a viewer of the dashboard chooses.
    Variable(String),
    /// A tag and the values it may, or may not, have.
    Tag(String, Vec<String>),
    /// What no rule of this file reads.
    Unclear(String),
}

/// What stands for a value that only Terraform knows.
pub const FILLED: &str = "\u{2026}";

/// All references of a text, in their order.
#[must_use]
pub fn references(text: &str) -> Vec<Reference> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"([a-z][a-z0-9]*)(\((?:[^()]|\([^()]*\))*\))?:([A-Za-z][^\s{}:,()$]*)\{")
    });
    static BY: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s*by\s*\{([^}]*)\}"));
    static LIMIT: LazyLock<Regex> = LazyLock::new(|| regex(r"v\s*[<>]=?\s*([^)]+)\)"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(head) = HEAD.captures(rest) {
        let start = head.get(0).map_or(rest.len(), |whole| whole.end());
        let Some(length) = closing(&rest[start..]) else {
            break;
        };
        let scope = &rest[start..start + length];
        let after = &rest[start + length + 1..];
        let by = BY.captures(after);
        let groups = by.map(|by| {
            let names = by[1].split(',').map(|name| name.trim().to_owned());
            names.collect::<Vec<_>>()
        });
        let limit = head.get(2).and_then(|limit| LIMIT.captures(limit.as_str()));
        found.push(Reference {
            aggregate: head[1].to_owned(),
            limit: limit.map(|limit| limit[1].trim().to_owned()),
            metric: head[3].to_owned(),
            filters: filters(scope),
            groups: groups.unwrap_or_default(),
        });
        rest = after;
    }
    found
}

/// Where the brace that is open at the beginning of `text` closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// `text` with [`FILLED`] in place of each `${..}`.
#[must_use]
pub fn without_code(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, code)) = rest.split_once("${") {
        plain.push_str(before);
        plain.push_str(FILLED);
        match closing(code) {
            Some(end) => rest = &code[end + 1..],
            None => return plain,
        }
    }
    plain + rest
}

fn filters(scope: &str) -> Vec<Filter> {
    static IN: LazyLock<Regex> =
        LazyLock::new(|| regex(r"^([\w./-]+)\s+(?:NOT\s+)?IN\s*\(([^)]*)\)$"));
    static SPLIT: LazyLock<Regex> = LazyLock::new(|| regex(r"\s+AND\s+|\s+OR\s+|,"));
    let scope = without_code(scope);
    // The commas inside of `IN (..)` part values, not conditions.
    let mut depth = 0;
    let guarded: String = scope
        .chars()
        .map(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if c == ',' && depth > 0 { '\u{1}' } else { c }
        })
        .collect();
    let mut found = Vec::new();
    for part in SPLIT.split(&guarded).map(str::trim) {
        let part = part.trim_start_matches('!').trim_start_matches("NOT ");
        if part.is_empty() || part == "*" {
            continue;
        }
        found.push(if let Some(name) = part.strip_prefix('$') {
            Filter::Variable(name.to_owned())
        } else if let Some(listed) = IN.captures(part) {
            let values = listed[2].split('\u{1}').map(|v| v.trim().to_owned());
            Filter::Tag(listed[1].to_owned(), values.collect())
        } else if let Some((key, value)) = part.split_once(':') {
            Filter::Tag(key.to_owned(), vec![value.to_owned()])
        } else {
            Filter::Unclear(part.to_owned())
        });
    }
    found
}
