//! The service map: who calls whom, from client spans and the server spans that are their children.
//!
//! A call is counted once, from its client span: that is what the caller saw, the way included. Whom it called, the child says; where the
//! child does not come within some seconds, the peer that the client names, if an earlier call of the same address had a child.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::names::{Peer, is_error, peer};
use super::red::Requests;
use super::ring::{Ring, Slot};
use super::traces::Traces;
use crate::otlp::{Span, SpanId, SpanKind, TraceId};

/// So many edges are kept; further ones are counted.
const EDGES: usize = 500;

/// So many addresses are known by the name of their service.
const ADDRESSES: usize = 1_000;

/// So long a call waits for the span of its server: exporters send every few seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many calls wait; the one that waits longest has to go without.
const WAITING: usize = 5_000;

/// What stands at the far end of an edge.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// Something that sends telemetry.
    Service,
    /// A database, known from its clients.
    Database,
    /// An address that never answered with a span.
    Unknown,
}

/// Who calls whom.
pub type Ends = (Arc<str>, Arc<str>);

/// All calls between services.
#[derive(Debug, Default)]
pub struct Map {
    edges: HashMap<Ends, Edge>,
    by_address: HashMap<Box<str>, Arc<str>>,
    waiting: VecDeque<Waiting>,
    /// Calls that found no room.
    pub left_out: u64,
}

/// A call of an address, whose server has not been heard of.
#[derive(Debug)]
struct Waiting {
    since: SystemTime,
    trace: TraceId,
    span: SpanId,
    from: Arc<str>,
    address: Box<str>,
    duration: Duration,
    error: bool,
    slot: Slot,
}

/// The calls from one to the other.
#[derive(Debug)]
pub struct Edge {
    /// What is called.
    pub kind: NodeKind,
    /// The calls.
    pub calls: Ring<Requests>,
}

impl Map {
    /// Takes a span that is in the index already. `name` gives a service's name as it is shown.
    pub(super) fn take(
        &mut self,
        span: &Arc<Span>,
        service: &Arc<str>,
        (slot, now): (Slot, SystemTime),
        traces: &mut Traces,
        mut name: impl FnMut(&str) -> Arc<str>,
    ) {
        match span.kind {
            SpanKind::Client | SpanKind::Producer => {
                let to = match peer(span) {
                    Some(Peer::Database(system)) => Some((Arc::from(&*system), NodeKind::Database)),
                    Some(Peer::Service(service)) => Some((name(&service), NodeKind::Service)),
                    named => {
                        let child = traces.relatives(span).child;
                        match child.map(|child| name(child.service())) {
                            Some(child) => Some(self.learn(named.as_ref(), child)),
                            None => self.wait_or_guess(span, named, service, slot, now, traces),
                        }
                    }
                };
                if let Some((to, kind)) = to {
                    traces.mark_mapped(span);
                    self.count(service, to, kind, span.duration(), is_error(span), slot);
                }
            }
            SpanKind::Server | SpanKind::Consumer => {
                let Some((client, mapped)) = traces.relatives(span).parent else {
                    return;
                };
                if !matches!(client.kind, SpanKind::Client | SpanKind::Producer) {
                    return;
                }
                let (to, kind) = self.learn(peer(&client).as_ref(), Arc::clone(service));
                if !mapped {
                    traces.mark_mapped(&client);
                    let from = name(client.service());
                    self.count(&from, to, kind, client.duration(), is_error(&client), slot);
                }
            }
            SpanKind::Internal | SpanKind::Unspecified => {}
        }
    }

    /// Remembers whose an address is.
    fn learn(&mut self, peer: Option<&Peer>, service: Arc<str>) -> (Arc<str>, NodeKind) {
        if let Some(Peer::Address(address)) = peer
            && self.by_address.get(address) != Some(&service)
        {
            if self.by_address.len() >= ADDRESSES {
                self.by_address.clear();
            }
            self.by_address
                .insert(address.clone(), Arc::clone(&service));
        }
        (service, NodeKind::Service)
    }

    /// A call that nobody answered is counted at once; one that somebody did waits for the span of who it was.
    fn wait_or_guess(
        &mut self,
        span: &Span,
        peer: Option<Peer>,
        from: &Arc<str>,
        slot: Slot,
        now: SystemTime,
        traces: &mut Traces,
    ) -> Option<(Arc<str>, NodeKind)> {
        let Some(Peer::Address(address)) = peer else {
            return None;
        };
        if is_error(span) && super::names::status_code(span).is_none() {
            return Some(match self.by_address.get(&address) {
                Some(service) => (Arc::clone(service), NodeKind::Service),
                None => (Arc::from(&*address), NodeKind::Unknown),
            });
        }
        if self.waiting.len() >= WAITING {
            self.give_up_on_first(traces);
        }
        self.waiting.push_back(Waiting {
            since: now,
            trace: span.trace_id,
            span: span.span_id,
            from: Arc::clone(from),
            address,
            duration: span.duration(),
            error: is_error(span),
            slot,
        });
        None
    }

    /// Counts the calls that have waited long enough, by whose address it is.
    pub(super) fn tidy(&mut self, now: SystemTime, traces: &mut Traces) {
        while self
            .waiting
            .front()
            .is_some_and(|call| now.duration_since(call.since).unwrap_or_default() >= PATIENCE)
        {
            self.give_up_on_first(traces);
        }
    }

    fn give_up_on_first(&mut self, traces: &mut Traces) {
        let Some(call) = self.waiting.pop_front() else {
            return;
        };
        if traces.take_unmapped(call.trace, call.span)
            && let Some(to) = self.by_address.get(&call.address).cloned()
        {
            let Waiting {
                from,
                duration,
                error,
                slot,
                ..
            } = call;
            self.count(&from, to, NodeKind::Service, duration, error, slot);
        }
    }

    fn count(
        &mut self,
        from: &Arc<str>,
        to: Arc<str>,
        kind: NodeKind,
        duration: Duration,
        error: bool,
        slot: Slot,
    ) {
        let ends = (Arc::clone(from), to);
        if self.edges.len() >= EDGES && !self.edges.contains_key(&ends) {
            self.left_out += 1;
            return;
        }
        let edge = self.edges.entry(ends).or_insert_with(|| Edge {
            kind,
            calls: Ring::default(),
        });
        edge.calls.at(slot).record(duration, error);
    }

    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = (&Ends, &Edge)> {
        self.edges.iter()
    }

    pub(super) fn trim(&mut self, oldest: Slot) {
        self.edges.retain(|_, edge| {
            edge.calls.trim(oldest);
            !edge.calls.is_empty()
        });
    }

    pub(super) fn bytes(&self) -> usize {
        let edges = self.edges.values();
        edges
            .map(|edge| 128 + edge.calls.heap_bytes(Requests::heap_bytes))
            .sum::<usize>()
            + self.by_address.len() * 128
            + self.waiting.len() * (size_of::<Waiting>() + 32)
    }
}
