//! What an answer must be.

use std::cell::OnceCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use regex::bytes::Regex;
use serde_json::Value;

use super::check::show_range;
use super::json_path::JsonPath;
use super::template::{Template, Variables};
use super::{Failure, FailureKind};

/// One statement about an answer.
#[derive(Clone, Debug)]
pub enum Assertion {
    /// The status code lies in one of these ranges.
    Status(Vec<RangeInclusive<u16>>),
    /// This holds for a header; for one of its values, where there are several.
    Header(HeaderName, HeaderTest),
    /// This holds for the body.
    Body(TextTest),
    /// The body is JSON, and this holds for what the path points at.
    Json(JsonPath, JsonExpectation),
    /// The whole answer took no longer than this.
    Latency(Duration),
    /// The certificate lasts so many days, at least.
    CertificateDays(i64),
}

/// What must hold for a text. What a test shows of itself is how it was written.
#[derive(Clone, Debug)]
pub enum TextTest {
    /// It is this.
    Is(Template),
    /// It has this in it.
    Contains(Template),
    /// It does not have this in it.
    Lacks(Template),
    /// The expression matches somewhere in it.
    Matches(Regex),
}

impl TextTest {
    /// Whether it holds, or how `what` (such as "the body") breaks it.
    ///
    /// # Errors
    /// That sentence.
    pub fn holds(&self, what: &str, text: &[u8], variables: &Variables) -> Result<(), String> {
        let whole = |template: &Template| {
            let rendered = template.render(variables);
            rendered
                .map(|text| text.as_bytes().to_vec())
                .map_err(|name| format!("`{name}` has no value yet"))
        };
        let (holds, problem) = match self {
            Self::Is(expected) => (text == whole(expected)?, format!("is not `{expected}`")),
            Self::Contains(part) => (has(text, &whole(part)?), format!("lacks `{part}`")),
            Self::Lacks(part) => (!has(text, &whole(part)?), format!("has `{part}`")),
            Self::Matches(regex) => (regex.is_match(text), format!("does not match `{regex}`")),
        };
        if holds {
            Ok(())
        } else {
            Err(format!("{what} {problem}"))
        }
    }
}

/// What must hold for a header.
#[derive(Clone, Debug)]
pub enum HeaderTest {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// This holds for its value.
    Value(TextTest),
}

/// What must hold for the values that a path points at.
#[derive(Clone, Debug)]
pub enum JsonExpectation {
    /// There is at least one.
    Exists,
    /// There is none.
    Absent,
    /// There is at least one, and each equals this.
    Equals(Value),
    /// There is at least one, and this holds for each as a text.
    Text(TextTest),
    /// There is at least one, and each is a list, an object or a text that is not empty.
    NotEmpty,
}

/// An answer as the assertions see it.
pub struct Answer<'a> {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Whole body.
    pub body: &'a [u8],
    /// Time of the whole answer.
    pub duration: Duration,
    /// Days that the certificate lasts, where there was one.
    pub certificate_days: Option<i64>,
    /// Read once, when the first assertion asks for it.
    json: OnceCell<Result<Value, String>>,
}

impl<'a> Answer<'a> {
    /// An answer with this status, these headers and this body, in no time and without TLS.
    #[must_use]
    pub fn new(status: u16, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self {
            status,
            headers,
            body,
            duration: Duration::ZERO,
            certificate_days: None,
            json: OnceCell::new(),
        }
    }

    /// The first assertion that does not hold.
    ///
    /// # Errors
    /// That assertion's failure.
    pub fn satisfies(
        &self,
        assertions: &[Assertion],
        variables: &Variables,
    ) -> Result<(), Failure> {
        let mut all = assertions.iter();
        all.try_for_each(|assertion| self.holds(assertion, variables))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn json(&self) -> Result<&Value, &str> {
        let parsed = self
            .json
            .get_or_init(|| serde_json::from_slice(self.body).map_err(|error| error.to_string()));
        parsed.as_ref().map_err(String::as_str)
    }

    fn holds(&self, assertion: &Assertion, variables: &Variables) -> Result<(), Failure> {
        match assertion {
            Assertion::Status(ranges) => {
                if ranges.iter().any(|range| range.contains(&self.status)) {
                    return Ok(());
                }
                let expected: Vec<_> = ranges.iter().map(show_range).collect();
                let (status, expected) = (self.status, expected.join(" or "));
                let detail = format!("status {status}, expected {expected}");
                Err(Failure::new(FailureKind::Status, &detail))
            }
            Assertion::Header(name, test) => self
                .header_holds(name, test, variables)
                .map_err(|detail| Failure::new(FailureKind::Header, &detail)),
            Assertion::Body(test) => test
                .holds("the body", self.body, variables)
                .map_err(|detail| Failure::new(FailureKind::Body, &detail)),
            Assertion::Json(path, expectation) => match self.json() {
                Ok(value) => json_holds(value, path, expectation, variables),
                Err(error) => {
                    let detail = format!("the body is no JSON: {error}");
                    Err(Failure::new(FailureKind::Json, &detail))
                }
            },
            Assertion::Latency(limit) => within(self.duration, *limit),
            Assertion::CertificateDays(days) => lasts(self.certificate_days, *days),
        }
    }

    fn header_holds(
        &self,
        name: &HeaderName,
        test: &HeaderTest,
        variables: &Variables,
    ) -> Result<(), String> {
        let mut values = self.headers.get_all(name).iter().peekable();
        match (test, values.peek()) {
            (HeaderTest::Absent, None) | (HeaderTest::Present, Some(_)) => Ok(()),
            (HeaderTest::Absent, Some(_)) => {
                Err(format!("header `{name}` is there, and must not be"))
            }
            (_, None) => Err(format!("header `{name}` is missing")),
            (HeaderTest::Value(test), Some(_)) => {
                let what = format!("header `{name}`");
                let check =
                    |value: &http::HeaderValue| test.holds(&what, value.as_bytes(), variables);
                // What must be lacking must be lacking in each of them.
                if matches!(test, TextTest::Lacks(_)) {
                    return values.try_for_each(check);
                }
                let mut first = None;
                for value in values {
                    match check(value) {
                        Ok(()) => return Ok(()),
                        Err(error) => first = first.or(Some(error)),
                    }
                }
                Err(first.unwrap_or(what))
            }
        }
    }
}

/// Whether the time is within the limit.
///
/// # Errors
/// The failure that says by how much not.
pub(crate) fn within(duration: Duration, limit: Duration) -> Result<(), Failure> {
    if duration <= limit {
        return Ok(());
    }
    let detail = format!(
        "it took {:.1} ms, expected at most {:.1} ms",
        duration.as_secs_f64() * 1_000.0,
        limit.as_secs_f64() * 1_000.0
    );
    Err(Failure::new(FailureKind::Latency, &detail))
}

/// Whether a certificate lasts for so many days.
///
/// # Errors
/// The failure that says for how many it does.
pub(crate) fn lasts(left: Option<i64>, days: i64) -> Result<(), Failure> {
    let detail = match left {
        Some(left) if left >= days => return Ok(()),
        Some(left) if left < 0 => format!("the certificate ended {} days ago", -left),
        Some(left) => format!("the certificate ends in {left} days, expected at least {days}"),
        None => "there is no certificate: the connection is not encrypted".to_owned(),
    };
    Err(Failure::new(FailureKind::Certificate, &detail))
}

fn json_holds(
    value: &Value,
    path: &JsonPath,
    expectation: &JsonExpectation,
    variables: &Variables,
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
        JsonExpectation::Text(test) => {
            let what = format!("`{path}`");
            let failed = found.iter().find_map(|value| {
                // A text is tested without its quotes, anything else as it is written.
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                test.holds(&what, text.as_bytes(), variables).err()
            });
            return failed.map_or(Ok(()), |detail| {
                Err(Failure::new(FailureKind::Json, &detail))
            });
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

fn has(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests;
