//! The spans and log lines kept, by trace.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::names::{is_entry, is_error, resource, short};
use crate::otlp::{LogRecord, Span, SpanId, TraceId};

/// Of a larger trace, the first spans and log lines are found, the others only counted.
const LARGEST: usize = 2_000;

/// About what an indexed trace takes beside its spans: two entries of tables, and its names.
const TRACE_BYTES: usize = size_of::<Trace>() + 256;

/// The traces that have spans or log lines now, by the order of their first one.
#[derive(Debug, Default)]
pub struct Traces {
    by_id: HashMap<TraceId, Trace>,
    by_age: BTreeMap<u64, TraceId>,
    arrived: u64,
    indexed: usize,
}

/// One trace, as far as it is kept.
#[derive(Debug)]
pub struct Trace {
    number: u64,
    /// When its first span or line arrived.
    pub first_seen: SystemTime,
    spans: Vec<Indexed>,
    logs: Vec<Arc<LogRecord>>,
    /// Spans that are kept, found or not.
    all_spans: usize,
    all_logs: usize,
    /// Sets of services and routes, by name: small, and most traces have the same.
    services: Vec<Arc<str>>,
    routes: Vec<Box<str>>,
    errors: usize,
    start: u64,
    end: u64,
}

#[derive(Debug)]
struct Indexed {
    span: Arc<Span>,
    /// Counted on an edge of the service map.
    mapped: bool,
}

impl Traces {
    /// Takes a span.
    pub fn add_span(&mut self, span: &Arc<Span>, service: &Arc<str>, now: SystemTime) {
        let trace = self.entry(span.trace_id, now);
        trace.all_spans += 1;
        if trace.spans.len() >= LARGEST {
            return;
        }
        trace.spans.push(Indexed {
            span: Arc::clone(span),
            mapped: false,
        });
        if !trace.services.contains(service) && trace.services.len() < 64 {
            trace.services.push(Arc::clone(service));
        }
        if is_entry(span) && trace.routes.len() < 64 {
            let route = resource(span);
            let route = short(&route);
            if !trace.routes.iter().any(|known| **known == *route) {
                trace.routes.push(route.into());
            }
        }
        trace.errors += usize::from(is_error(span));
        trace.start = trace.start.min(span.start_unix_nanos);
        trace.end = trace.end.max(span.end_unix_nanos);
        self.indexed += 1;
    }

    /// Takes a log line.
    pub fn add_log(&mut self, log: &Arc<LogRecord>, now: SystemTime) {
        let Some(id) = log.trace_id else { return };
        let trace = self.entry(id, now);
        trace.all_logs += 1;
        if trace.logs.len() < LARGEST {
            trace.logs.push(Arc::clone(log));
            self.indexed += 1;
        }
    }

    /// Lets a span go.
    pub fn remove_span(&mut self, span: &Arc<Span>) {
        let Some(trace) = self.by_id.get_mut(&span.trace_id) else {
            return;
        };
        trace.all_spans = trace.all_spans.saturating_sub(1);
        if let Some(at) = trace.spans.iter().position(|i| Arc::ptr_eq(&i.span, span)) {
            trace.spans.remove(at);
            trace.errors = trace.errors.saturating_sub(usize::from(is_error(span)));
            self.indexed -= 1;
        }
        self.forget_empty(span.trace_id);
    }

    /// Lets a log line go.
    pub fn remove_log(&mut self, log: &Arc<LogRecord>) {
        let Some(id) = log.trace_id else { return };
        let Some(trace) = self.by_id.get_mut(&id) else {
            return;
        };
        trace.all_logs = trace.all_logs.saturating_sub(1);
        if let Some(at) = trace.logs.iter().position(|other| Arc::ptr_eq(other, log)) {
            trace.logs.remove(at);
            self.indexed -= 1;
        }
        self.forget_empty(id);
    }

    fn forget_empty(&mut self, id: TraceId) {
        if let Some(trace) = self.by_id.get(&id)
            && trace.all_spans == 0
            && trace.all_logs == 0
        {
            self.by_age.remove(&trace.number);
            self.by_id.remove(&id);
        }
    }

    fn entry(&mut self, id: TraceId, now: SystemTime) -> &mut Trace {
        let (by_age, arrived) = (&mut self.by_age, &mut self.arrived);
        self.by_id.entry(id).or_insert_with(|| {
            *arrived += 1;
            by_age.insert(*arrived, id);
            Trace {
                number: *arrived,
                first_seen: now,
                spans: Vec::new(),
                logs: Vec::new(),
                all_spans: 0,
                all_logs: 0,
                services: Vec::new(),
                routes: Vec::new(),
                errors: 0,
                start: u64::MAX,
                end: 0,
            }
        })
    }

    /// A trace.
    #[must_use]
    pub fn get(&self, id: TraceId) -> Option<&Trace> {
        self.by_id.get(&id)
    }

    /// All traces with spans, the one that began last first.
    pub fn newest(&self) -> impl Iterator<Item = (TraceId, &Trace)> {
        let ids = self.by_age.values().rev();
        ids.filter_map(|id| Some((*id, self.by_id.get(id)?)))
            .filter(|(_, trace)| !trace.spans.is_empty())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The parent of a span and the children that a span has by now, each with whether it is on the map.
    pub(super) fn relatives(&self, span: &Span) -> Relatives {
        let mut found = Relatives::default();
        let Some(trace) = self.by_id.get(&span.trace_id) else {
            return found;
        };
        for other in &trace.spans {
            if span.is_child_of(&other.span) {
                found.parent = Some((Arc::clone(&other.span), other.mapped));
            } else if found.child.is_none() && other.span.is_child_of(span) {
                found.child = Some(Arc::clone(&other.span));
            }
        }
        found
    }

    /// Notes that a span is on the map.
    pub(super) fn mark_mapped(&mut self, span: &Span) {
        if let Some(trace) = self.by_id.get_mut(&span.trace_id)
            && let Some(indexed) = trace
                .spans
                .iter_mut()
                .rev()
                .find(|i| i.span.span_id == span.span_id)
        {
            indexed.mapped = true;
        }
    }

    /// Notes that a span is on the map from now on; whether it was not. A span that is gone was not.
    pub(super) fn take_unmapped(&mut self, trace: TraceId, span: SpanId) -> bool {
        let spans = self.by_id.get_mut(&trace).map(|trace| &mut trace.spans);
        let found = spans.and_then(|spans| spans.iter_mut().find(|i| i.span.span_id == span));
        found.is_none_or(|indexed| !std::mem::replace(&mut indexed.mapped, true))
    }

    pub(super) fn bytes(&self) -> usize {
        // Lists grow by doubling, so that a quarter of their room is free on average; the freed rest of them is not given back at once.
        self.by_id.len() * TRACE_BYTES + self.indexed * size_of::<Indexed>() * 2
    }
}

/// Spans next to a span.
#[derive(Debug, Default)]
pub(super) struct Relatives {
    pub(super) parent: Option<(Arc<Span>, bool)>,
    pub(super) child: Option<Arc<Span>>,
}

impl Trace {
    /// The spans found.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = &Arc<Span>> {
        self.spans.iter().map(|indexed| &indexed.span)
    }

    /// The log lines found.
    #[must_use]
    pub fn logs(&self) -> &[Arc<LogRecord>] {
        &self.logs
    }

    /// How many spans are kept, with those beyond the limit of what is found.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.all_spans
    }

    /// The services that took part.
    #[must_use]
    pub fn services(&self) -> &[Arc<str>] {
        &self.services
    }

    /// The requests that were answered in it: [`resource`]s of entry spans.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| &**route)
    }

    /// How many spans failed.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// When its first span began, in nanoseconds since 1970.
    #[must_use]
    pub fn start_unix_nanos(&self) -> u64 {
        if self.start == u64::MAX {
            0
        } else {
            self.start
        }
    }

    /// From the first begin to the last end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end.saturating_sub(self.start))
    }

    /// The span that the others come from: the one without a parent, or else the first of those whose parent is not here.
    #[must_use]
    pub fn root(&self) -> Option<&Arc<Span>> {
        let ranked = self
            .spans()
            .min_by_key(|span| (span.parent_span_id.is_some(), span.start_unix_nanos))?;
        if ranked.parent_span_id.is_none() {
            return Some(ranked);
        }
        self.spans()
            .filter(|span| !self.spans().take(64).any(|other| span.is_child_of(other)))
            .min_by_key(|span| span.start_unix_nanos)
            .or(Some(ranked))
    }
}
