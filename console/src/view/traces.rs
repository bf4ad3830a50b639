//! Traces, found and taken apart.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::logs::LogLine;
use super::ms;
use crate::aggregate::names::{is_error, resource};
use crate::aggregate::traces::Trace;
use crate::otlp::{Attributes, Span, SpanId, SpanKind, SpanStatus, TraceId};
use crate::store::Store;

/// So many spans of a trace are shown.
const SHOWN: usize = 500;

/// What a trace must have to be found. Nothing asked finds all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// All of these services took part.
    pub services: Vec<String>,
    /// This was answered in it, or is part of the name of what was.
    pub route: Option<String>,
    /// Whether something failed in it.
    pub failed: Option<bool>,
    /// It took at least so long.
    pub at_least: Option<Duration>,
    /// It took at most so long.
    pub at_most: Option<Duration>,
    /// It has so many spans or more.
    pub spans: Option<usize>,
    /// At most so many are wanted.
    pub limit: usize,
}

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TraceLine {
    /// Its id, 32 hexadecimal digits.
    pub trace_id: String,
    /// When its first span began, in milliseconds since 1970.
    pub start_unix_ms: u64,
    /// From the first begin to the last end.
    pub duration_ms: f64,
    /// The service of its first span.
    pub service: String,
    /// What its first span did.
    pub name: String,
    /// The services that took part: who began it, then the others by name.
    pub services: Vec<String>,
    /// How many spans it has.
    pub spans: usize,
    /// How many of them failed.
    pub errors: usize,
    /// How many log lines it has.
    pub logs: usize,
}

/// A trace, taken apart.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TraceView {
    /// The trace as a whole.
    pub trace: TraceLine,
    /// Its spans: parents before children, brothers by their begin.
    pub spans: Vec<SpanView>,
    /// Its log lines, oldest first.
    pub logs: Vec<LogLine>,
    /// Spans that are kept and not in the list.
    pub left_out: usize,
}

/// A span in its trace.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SpanView {
    /// Its id, 16 hexadecimal digits.
    pub span_id: String,
    /// The span that it is a child of.
    pub parent_span_id: Option<String>,
    /// How many ancestors of it are here.
    pub depth: usize,
    /// The service.
    pub service: String,
    /// What was done.
    pub name: String,
    /// Its role.
    #[schema(value_type = String)]
    pub kind: SpanKind,
    /// When it began, after the begin of the trace.
    pub start_ms: f64,
    /// How long it took.
    pub duration_ms: f64,
    /// Whether it failed.
    pub error: bool,
    /// What was said about its failure.
    pub error_message: Option<String>,
    /// More about it.
    #[schema(value_type = Object)]
    pub attributes: Attributes,
    /// More about its sender.
    #[schema(value_type = Object)]
    pub resource: Attributes,
    /// What happened during it.
    pub events: Vec<SpanEventView>,
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SpanEventView {
    /// When, after the begin of the trace.
    pub at_ms: f64,
    /// What.
    pub name: String,
    /// More about it.
    #[schema(value_type = Object)]
    pub attributes: Attributes,
}

impl Search {
    fn fits(&self, trace: &Trace) -> bool {
        self.services
            .iter()
            .all(|wanted| trace.services().iter().any(|s| **s == **wanted))
            && self
                .route
                .as_ref()
                .is_none_or(|wanted| trace.routes().any(|route| route.contains(wanted.as_str())))
            && self
                .failed
                .is_none_or(|failed| failed == (trace.errors() > 0))
            && self.at_least.is_none_or(|least| trace.duration() >= least)
            && self.at_most.is_none_or(|most| trace.duration() <= most)
            && self.spans.is_none_or(|spans| trace.span_count() >= spans)
    }
}

/// Finds traces, the one that began last first.
#[must_use]
pub fn search(store: &Store, search: &Search) -> Vec<TraceLine> {
    let read = store.read(|figures, _| {
        let found = figures
            .traces
            .newest()
            .filter(|(_, trace)| search.fits(trace));
        found
            .take(search.limit)
            .map(|(id, trace)| line(id, trace))
            .collect()
    });
    read.unwrap_or_default()
}

fn line(id: TraceId, trace: &Trace) -> TraceLine {
    let root = trace.root();
    let service = root.map_or_else(String::new, |root| root.service().to_owned());
    // Spans arrive in any order; who began it stands first, so that lines can be compared.
    let mut services: Vec<String> = trace.services().iter().map(ToString::to_string).collect();
    services.sort_unstable_by(|a, b| (*a != service, a).cmp(&(*b != service, b)));
    TraceLine {
        trace_id: id.to_string(),
        start_unix_ms: trace.start_unix_nanos() / 1_000_000,
        duration_ms: ms(trace.duration()),
        service,
        name: root.map_or_else(String::new, |root| resource(root).into_owned()),
        services,
        spans: trace.span_count(),
        errors: trace.errors(),
        logs: trace.logs().len(),
    }
}

/// Takes a trace apart. `None` if nothing of it is kept.
#[must_use]
pub fn trace(store: &Store, id: TraceId) -> Option<TraceView> {
    // Under the lock only pointers are copied.
    let (line, spans, logs) = store.read(|figures, _| {
        let trace = figures.traces.get(id)?;
        let spans: Vec<_> = trace.spans().cloned().collect();
        Some((line(id, trace), spans, trace.logs().to_vec()))
    })??;
    let start = spans
        .iter()
        .map(|span| span.start_unix_nanos)
        .min()
        .unwrap_or(0);
    let ordered = order(&spans);
    let left_out = line.spans.saturating_sub(ordered.len());
    let mut logs: Vec<_> = logs.iter().map(|log| LogLine::new(0, log)).collect();
    logs.sort_by_key(|log| log.time_unix_ms);
    Some(TraceView {
        trace: line,
        spans: ordered
            .into_iter()
            .map(|(span, depth)| view(span, depth, start))
            .collect(),
        logs,
        left_out,
    })
}

/// Parents before children, brothers by their begin; a span whose parent is not here stands at the top, and so does one of a circle.
fn order(spans: &[Arc<Span>]) -> Vec<(&Arc<Span>, usize)> {
    let ids: HashSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
    let mut children: HashMap<SpanId, Vec<&Arc<Span>>> = HashMap::new();
    let mut tops: Vec<&Arc<Span>> = Vec::new();
    for span in spans {
        match span.parent_span_id.filter(|parent| ids.contains(parent)) {
            Some(parent) => children.entry(parent).or_default().push(span),
            None => tops.push(span),
        }
    }
    let by_begin = |list: &mut Vec<&Arc<Span>>| {
        list.sort_by_key(|span| std::cmp::Reverse((span.start_unix_nanos, span.end_unix_nanos)));
    };
    by_begin(&mut tops);
    let mut ordered = Vec::new();
    let mut stack: Vec<_> = tops.into_iter().map(|span| (span, 0)).collect();
    while ordered.len() < SHOWN
        && let Some((span, depth)) = stack.pop()
    {
        ordered.push((span, depth));
        // Taken out, so that ids that come twice do not show their children twice.
        let mut below = children.remove(&span.span_id).unwrap_or_default();
        by_begin(&mut below);
        stack.extend(below.into_iter().map(|child| (child, depth + 1)));
    }
    // What is left goes round in circles.
    let mut circles: BTreeMap<u64, &Arc<Span>> = BTreeMap::new();
    for span in children.into_values().flatten() {
        circles.insert(span.start_unix_nanos, span);
    }
    let room = SHOWN.saturating_sub(ordered.len());
    let shown: HashSet<SpanId> = ordered.iter().map(|(span, _)| span.span_id).collect();
    ordered.extend(
        circles
            .into_values()
            .filter(|span| !shown.contains(&span.span_id))
            .take(room)
            .map(|span| (span, 0)),
    );
    ordered
}

fn view(span: &Arc<Span>, depth: usize, start: u64) -> SpanView {
    let after = |nanos: u64| ms(Duration::from_nanos(nanos.saturating_sub(start)));
    SpanView {
        span_id: span.span_id.to_string(),
        parent_span_id: span.parent_span_id.map(|id| id.to_string()),
        depth,
        service: span.service().to_owned(),
        name: span.name.to_string(),
        kind: span.kind,
        start_ms: after(span.start_unix_nanos),
        duration_ms: ms(span.duration()),
        error: is_error(span),
        error_message: match &span.status {
            SpanStatus::Error(message) if !message.is_empty() => Some(message.to_string()),
            _ => None,
        },
        attributes: span.attributes.clone(),
        resource: span.resource.attributes.clone(),
        events: span
            .events
            .iter()
            .take(50)
            .map(|event| SpanEventView {
                at_ms: after(event.time_unix_nanos),
                name: event.name.to_string(),
                attributes: event.attributes.clone(),
            })
            .collect(),
    }
}
