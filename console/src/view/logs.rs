//! Log lines, found.

use serde::Serialize;
use utoipa::ToSchema;

use crate::otlp::{Attributes, LogRecord, Severity, TraceId};
use crate::store::Store;

/// So many lines are looked at in one go.
const CHUNK: usize = 2_000;

/// So many lines are looked at for one question.
const LOOKED_AT: usize = 60_000;

/// What a log line must have to be found. Nothing asked finds all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Its service.
    pub service: Option<String>,
    /// It is as grave as this, or graver.
    pub severity: Option<Severity>,
    /// It has this text in its message or in the value of an attribute, in any case of letters.
    pub text: Option<String>,
    /// It was written during this trace.
    pub trace_id: Option<TraceId>,
    /// It arrived after the line of this number.
    pub after: Option<u64>,
    /// At most so many are wanted.
    pub limit: usize,
}

/// Log lines that were found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Found {
    /// The lines, newest first.
    pub lines: Vec<LogLine>,
    /// Whether all lines were looked at that could fit, or else only the newest.
    pub complete: bool,
}

/// A log line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LogLine {
    /// Its place in the order of arrival, for `after`.
    pub number: u64,
    /// When it was written, in milliseconds since 1970.
    pub time_unix_ms: u64,
    /// How grave it is.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// The service.
    pub service: String,
    /// What it says.
    pub message: String,
    /// The trace during which it was written.
    pub trace_id: Option<String>,
    /// The span during which it was written.
    pub span_id: Option<String>,
    /// More about it.
    #[schema(value_type = Object)]
    pub attributes: Attributes,
}

impl LogLine {
    /// The line of a record.
    #[must_use]
    pub fn new(number: u64, log: &LogRecord) -> Self {
        Self {
            number,
            time_unix_ms: log.time_unix_nanos / 1_000_000,
            severity: log.severity,
            service: log.service().to_owned(),
            message: if log.body.is_null() {
                String::new()
            } else {
                log.body.to_string()
            },
            trace_id: log.trace_id.map(|id| id.to_string()),
            span_id: log.span_id.map(|id| id.to_string()),
            attributes: log.attributes.clone(),
        }
    }
}

impl Filter {
    fn fits(&self, log: &LogRecord, text: Option<&str>) -> bool {
        self.service
            .as_deref()
            .is_none_or(|service| service == log.service())
            && self.severity.is_none_or(|least| log.severity >= least)
            && self.trace_id.is_none_or(|id| log.trace_id == Some(id))
            && text.is_none_or(|text| has(log, text))
    }
}

fn has(log: &LogRecord, lower: &str) -> bool {
    let contains = |value: &crate::otlp::Value| match value.as_str() {
        Some(text) => contains(text, lower),
        None => !value.is_null() && contains(&value.to_string(), lower),
    };
    contains(&log.body) || log.attributes.iter().any(|(_, value)| contains(value))
}

/// Whether a text has another one, which is in lower case, in any case of letters. ASCII needs no copy.
fn contains(text: &str, lower: &str) -> bool {
    if text.is_ascii() {
        let lower = lower.as_bytes();
        return lower.is_empty()
            || text
                .as_bytes()
                .windows(lower.len())
                .any(|window| window.eq_ignore_ascii_case(lower));
    }
    text.to_lowercase().contains(lower)
}

/// Finds lines, newest first. Lines keep arriving meanwhile.
#[must_use]
pub fn find(store: &Store, filter: &Filter) -> Found {
    let text = filter.text.as_ref().map(|text| text.to_lowercase());
    let mut lines = Vec::new();
    let mut before = u64::MAX;
    let mut looked_at = 0;
    while looked_at < LOOKED_AT {
        let chunk = store.logs_before(before, CHUNK);
        let Some((oldest, _)) = chunk.last() else {
            return Found {
                lines,
                complete: true,
            };
        };
        before = *oldest;
        looked_at += chunk.len();
        for (number, log) in &chunk {
            if filter.after.is_some_and(|after| *number <= after) {
                return Found {
                    lines,
                    complete: true,
                };
            }
            if filter.fits(log, text.as_deref()) {
                if lines.len() >= filter.limit {
                    return Found {
                        lines,
                        complete: false,
                    };
                }
                lines.push(LogLine::new(*number, log));
            }
        }
    }
    Found {
        lines,
        complete: false,
    }
}
