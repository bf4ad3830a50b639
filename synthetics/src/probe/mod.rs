//! What a check is, and what one probe of it found.

pub mod assertion;
pub mod check;
mod dial;
pub mod guard;
mod http;
mod journey;
pub mod json_path;
pub mod phases;
mod prober;
mod socket;
pub mod template;
pub mod tls;
mod trace;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
pub use assertion::{Assertion, HeaderTest, JsonExpectation, TextTest};
pub use check::{Check, Kind, Request, Retries};
pub use dial::Far;
pub use guard::Guard;
pub use json_path::JsonPath;
pub use phases::{Phase, Phases};
pub use prober::Prober;
pub use template::Template;

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
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every result is a measurement"
)]
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
///
/// With retries this is the last attempt, whose word is final; [`Self::earlier`] keeps the
/// attempts before it, which are in no count.
#[derive(Clone, Debug, Default)]
pub struct Measurement {
    /// From the start of the attempt to the last byte of the body, or to the failure.
    pub duration: Duration,
    /// The same time by phase: the phases sum to [`Self::duration`] exactly.
    pub phases: Phases,
    /// Whether a whole answer came, be it right or wrong.
    pub answered: bool,
    /// Status code, where one came.
    pub status: Option<u16>,
    /// What was wrong; `None` is good.
    pub failure: Option<Failure>,
    /// Trace of the probe, which the target's own spans join; 32 hexadecimal digits.
    pub trace_id: Option<String>,
    /// Attempts that failed before this one, in order.
    pub earlier: Vec<Attempt>,
    /// The steps of a journey, in order, up to the one that failed; empty for any other check.
    pub steps: Vec<StepTime>,
    /// Whole days until the server's certificate ends, where one was seen; negative after its end.
    pub certificate_days: Option<i64>,
}

impl Measurement {
    /// Whether the answer was as it must be.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.failure.is_none()
    }

    /// Whether it is good only because it was tried again.
    #[must_use]
    pub const fn is_degraded(&self) -> bool {
        self.is_good() && !self.earlier.is_empty()
    }
}

/// An attempt that failed and was tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How long it took.
    pub duration: Duration,
    /// Why it failed.
    pub failure: Failure,
    /// Its trace.
    pub trace_id: Option<String>,
}

/// One step of a journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTime {
    /// Name of the step.
    pub name: Arc<str>,
    /// Its time by phase.
    pub phases: Phases,
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The name was not resolved.
    Dns,
    /// No connection: refused, unreachable.
    Connect,
    /// No TLS session: the certificate is not trusted, or the two sides do not agree.
    Tls,
    /// Nothing, or not all of it, within the time-out.
    Timeout,
    /// The connection broke, or what came is no HTTP.
    Protocol,
    /// Another status, or DNS response code, than expected.
    Status,
    /// A header is missing or says something else than it must.
    Header,
    /// The body has what it must not, or lacks what it must have.
    Body,
    /// The body is no JSON, or says something else than it must.
    Json,
    /// The right answer, too late.
    Latency,
    /// The certificate ends too soon.
    Certificate,
    /// The body is longer than the limit.
    TooLarge,
    /// Redirected too often, or to what is no address.
    Redirect,
    /// The address is not one that may be probed.
    Forbidden,
}

impl FailureKind {
    /// All classes, in the order in which they can come up.
    pub const ALL: [Self; 14] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Protocol,
        Self::Status,
        Self::Header,
        Self::Body,
        Self::Json,
        Self::Latency,
        Self::Certificate,
        Self::TooLarge,
        Self::Redirect,
        Self::Forbidden,
    ];

    /// Whether a whole answer came, wrong as it was: only then does its time tell anything.
    #[must_use]
    pub const fn is_of_a_whole_answer(self) -> bool {
        match self {
            Self::Status
            | Self::Header
            | Self::Body
            | Self::Json
            | Self::Latency
            | Self::Certificate => true,
            Self::Dns
            | Self::Connect
            | Self::Tls
            | Self::Timeout
            | Self::Protocol
            | Self::TooLarge
            | Self::Redirect
            | Self::Forbidden => false,
        }
    }

    /// The name as a tag value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Header => "header",
            Self::Body => "body",
            Self::Json => "json",
            Self::Latency => "latency",
            Self::Certificate => "certificate",
            Self::TooLarge => "too_large",
            Self::Redirect => "redirect",
            Self::Forbidden => "forbidden",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
