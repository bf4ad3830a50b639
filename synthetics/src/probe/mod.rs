//! What a check is, and what one probe of it found.

pub mod assertion;
pub mod http;
pub mod json_path;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
pub use assertion::{Assertion, JsonExpectation};
pub use json_path::JsonPath;

/// One thing to ask for, and what the answer must be.
#[derive(Clone, Debug)]
pub struct Check {
    /// Short unique name: a tag value, so letters, digits and dashes.
    pub name: Arc<str>,
    /// Request method.
    pub method: reqwest::Method,
    /// Whole address.
    pub url: url::Url,
    /// What the answer must be; all of them are looked at in this order.
    pub assertions: Vec<Assertion>,
    /// Longest time for the whole probe, from resolving the name to the last byte.
    pub timeout: Duration,
    /// Most bytes of a body that are read; a longer one is a failure.
    pub body_limit: usize,
}

/// What one tick of the schedule brought.
#[derive(Clone, Debug)]
pub struct ProbeResult {
    /// Position of the check in the list of checks.
    pub check_index: usize,
    /// Name of the check.
    pub check: Arc<str>,
    /// Location that it ran from.
    pub location: Arc<str>,
    /// When it was due; this decides the slice it belongs to.
    pub scheduled: Timestamp,
    /// When it really started.
    pub started: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// Good, bad, or not measured.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The target was asked.
    Measured(Measurement),
    /// It was not asked, through a fault on our side: in no count.
    Gap(Gap),
}

/// Why a tick was not measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The prober came so late that the result would belong to another time.
    Late {
        /// By how much, in milliseconds.
        by_ms: u64,
    },
}

/// What the target answered.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// From the start of the probe to the last byte of the body, or to the failure.
    pub duration: Duration,
    /// Whether a whole answer came, be it right or wrong.
    pub answered: bool,
    /// Status code, where one came.
    pub status: Option<u16>,
    /// What was wrong; `None` is good.
    pub failure: Option<Failure>,
    /// Trace of the probe, which the target's own spans join; 32 hexadecimal digits.
    pub trace_id: Option<String>,
}

impl Measurement {
    /// Whether the answer was as it must be.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.failure.is_none()
    }
}

/// What was wrong with an answer, or why none came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class, bounded: fit for a tag.
    pub kind: FailureKind,
    /// For a person: what was expected and what came, without the body's text.
    pub detail: String,
}

impl Failure {
    /// A failure of `kind`; the detail is cut to 300 characters.
    #[must_use]
    pub fn new(kind: FailureKind, detail: &str) -> Self {
        let detail = detail.chars().take(300).collect();
        Self { kind, detail }
    }
}

/// The classes of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// No connection: refused, unreachable, name not found, TLS refused.
    Connect,
    /// Nothing, or not all of it, within the time-out.
    Timeout,
    /// The connection broke, or what came is no HTTP.
    Protocol,
    /// Another status than expected.
    Status,
    /// The body has what it must not, or lacks what it must have.
    Body,
    /// The body is no JSON, or says something else than it must.
    Json,
    /// The body is longer than the limit.
    TooLarge,
}

impl FailureKind {
    /// The name as a tag value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Body => "body",
            Self::Json => "json",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
