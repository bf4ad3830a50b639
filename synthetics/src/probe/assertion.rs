//! What an answer must be.

use std::cell::OnceCell;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::json_path::JsonPath;
use super::{Failure, FailureKind};

/// One statement about an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Assertion {
    /// The status code lies in this range.
    Status(RangeInclusive<u16>),
    /// The body has this text.
    BodyContains(String),
    /// The body does not have this text.
    BodyLacks(String),
    /// The body is JSON, and this holds for what the path points at.
    Json(JsonPath, JsonExpectation),
}

/// What must hold for the values that a path points at.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonExpectation {
    /// There is at least one.
    Exists,
    /// There is none.
    Absent,
    /// There is at least one, and each equals this.
    Equals(Value),
    /// There is at least one, and each is a list, an object or a text that is not empty.
    NotEmpty,
}

/// An answer as the assertions see it.
pub struct Answer<'a> {
    /// Status code.
    pub status: u16,
    /// Whole body.
    pub body: &'a [u8],
    /// Read once, when the first assertion asks for it.
    json: OnceCell<Result<Value, String>>,
}

impl<'a> Answer<'a> {
    /// An answer with this status and body.
    #[must_use]
    pub fn new(status: u16, body: &'a [u8]) -> Self {
        Self {
            status,
            body,
            json: OnceCell::new(),
        }
    }

    /// The first assertion that does not hold.
    ///
    /// # Errors
    /// That assertion's failure.
    pub fn satisfies(&self, assertions: &[Assertion]) -> Result<(), Failure> {
        assertions
            .iter()
            .try_for_each(|assertion| self.holds(assertion))
    }

    fn holds(&self, assertion: &Assertion) -> Result<(), Failure> {
        let fail = |kind, detail: String| Err(Failure::new(kind, &detail));
        match assertion {
            Assertion::Status(range) if !range.contains(&self.status) => {
                let expected = if range.start() == range.end() {
                    range.start().to_string()
                } else {
                    format!("{} to {}", range.start(), range.end())
                };
                let status = self.status;
                fail(
                    FailureKind::Status,
                    format!("status {status}, expected {expected}"),
                )
            }
            Assertion::BodyContains(text) if !has(self.body, text) => {
                fail(FailureKind::Body, format!("the body lacks `{text}`"))
            }
            Assertion::BodyLacks(text) if has(self.body, text) => {
                fail(FailureKind::Body, format!("the body has `{text}`"))
            }
            Assertion::Json(path, expectation) => {
                let parsed = self.json.get_or_init(|| {
                    serde_json::from_slice(self.body).map_err(|error| error.to_string())
                });
                match parsed {
                    Ok(value) => json_holds(value, path, expectation),
                    Err(error) => fail(FailureKind::Json, format!("the body is no JSON: {error}")),
                }
            }
            _ => Ok(()),
        }
    }
}

fn json_holds(
    value: &Value,
    path: &JsonPath,
    expectation: &JsonExpectation,
) -> Result<(), Failure> {
    let found = path.find(value);
    let problem = match expectation {
        JsonExpectation::Absent if !found.is_empty() => "is there, and must not be",
        JsonExpectation::Absent => return Ok(()),
        _ if found.is_empty() => "is missing",
        JsonExpectation::NotEmpty if found.iter().any(|v| is_empty(v)) => "is empty",
        JsonExpectation::Equals(expected) if found.iter().any(|v| *v != expected) => {
            let detail = format!("`{path}` is not {expected}");
            return Err(Failure::new(FailureKind::Json, &detail));
        }
        _ => return Ok(()),
    };
    Err(Failure::new(
        FailureKind::Json,
        &format!("`{path}` {problem}"),
    ))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        // A number or a truth value is not something that holds anything.
        _ => true,
    }
}

fn has(body: &[u8], text: &str) -> bool {
    text.is_empty() || body.windows(text.len()).any(|part| part == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(status: u16, body: &str, assertion: Assertion) -> Result<(), FailureKind> {
        Answer::new(status, body.as_bytes())
            .satisfies(&[assertion])
            .map_err(|failure| failure.kind)
    }

    fn at(path: &str, expectation: JsonExpectation) -> Assertion {
        Assertion::Json(path.parse().expect("a path"), expectation)
    }

    #[test]
    fn status_and_text() {
        assert_eq!(check(200, "", Assertion::Status(200..=299)), Ok(()));
        assert_eq!(
            check(300, "", Assertion::Status(200..=299)),
            Err(FailureKind::Status)
        );
        let has = Assertion::BodyContains("needle".into());
        assert_eq!(check(200, "hay needle", has.clone()), Ok(()));
        assert_eq!(check(200, "", has), Err(FailureKind::Body));
        let lacks = Assertion::BodyLacks("needle".into());
        assert_eq!(check(200, "hay", lacks.clone()), Ok(()));
        assert_eq!(check(200, "needle", lacks), Err(FailureKind::Body));
    }

    #[test]
    fn json_values() {
        use JsonExpectation::{Absent, Equals, Exists, NotEmpty};
        let body = r#"{"id":0,"list":[],"map":{"a":1}}"#;
        let fails = Err(FailureKind::Json);
        assert_eq!(check(200, body, at("$.id", Exists)), Ok(()));
        assert_eq!(check(200, body, at("$.no", Exists)), fails);
        assert_eq!(check(200, body, at("$.no", Absent)), Ok(()));
        assert_eq!(check(200, body, at("$.id", Absent)), fails);
        assert_eq!(check(200, body, at("$.id", Equals(json!(0)))), Ok(()));
        assert_eq!(check(200, body, at("$.id", Equals(json!("0")))), fails);
        assert_eq!(check(200, body, at("$.no", Equals(json!(0)))), fails);
        assert_eq!(check(200, body, at("$.map", NotEmpty)), Ok(()));
        assert_eq!(check(200, body, at("$.list", NotEmpty)), fails);
        assert_eq!(check(200, body, at("$.id", NotEmpty)), fails);
        assert_eq!(check(200, "<html>", at("$.id", Exists)), fails);
    }

    #[test]
    fn the_first_broken_assertion_is_told() {
        let assertions = [
            Assertion::Status(200..=200),
            Assertion::BodyContains("x".into()),
        ];
        let failure = Answer::new(503, b"")
            .satisfies(&assertions)
            .expect_err("both fail");
        assert_eq!(failure.detail, "status 503, expected 200");
    }
}
