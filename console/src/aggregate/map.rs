//! The service map: who calls whom, from client spans and the server spans that are their children.
//!
//! A call is counted once, from its client span: that is what the caller saw, the way included. Whom it called, the child says; where the
//! child did not come (yet), the peer that the client names, if an earlier call of the same address had a child.

use std::collections::HashMap;
use std::sync::Arc;

use super::names::{Peer, is_error, peer};
use super::red::Requests;
use super::ring::{Ring, Slot};
use super::traces::Traces;
use crate::otlp::{Span, SpanKind};

/// So many edges are kept; further ones are counted.
const EDGES: usize = 500;

/// So many addresses are known by the name of their service.
const ADDRESSES: usize = 1_000;

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
    /// Calls that found no room.
    pub left_out: u64,
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
        slot: Slot,
        traces: &mut Traces,
        mut name: impl FnMut(&str) -> Arc<str>,
    ) {
        match span.kind {
            SpanKind::Client | SpanKind::Producer => {
                let to = match peer(span) {
                    Some(Peer::Database(system)) => Some((Arc::from(&*system), NodeKind::Database)),
                    named => traces
                        .relatives(span)
                        .child
                        .map(|child| name(child.service()))
                        .map(|child| self.learn(named.as_ref(), child))
                        .or_else(|| self.guess(span, named, &mut name)),
                };
                if let Some((to, kind)) = to {
                    traces.mark_mapped(span);
                    self.count(service, to, kind, span, slot);
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
                    self.count(&from, to, kind, &client, slot);
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

    /// Whom a client called whose server has not been heard of in this trace.
    fn guess(
        &self,
        span: &Span,
        peer: Option<Peer>,
        name: &mut impl FnMut(&str) -> Arc<str>,
    ) -> Option<(Arc<str>, NodeKind)> {
        match peer? {
            Peer::Service(service) => Some((name(&service), NodeKind::Service)),
            Peer::Address(address) => match self.by_address.get(&address) {
                Some(service) => Some((Arc::clone(service), NodeKind::Service)),
                // Nobody answered, so no span of a server will tell who it was.
                None if is_error(span) && super::names::status_code(span).is_none() => {
                    Some((Arc::from(&*address), NodeKind::Unknown))
                }
                None => None,
            },
            Peer::Database(_) => None,
        }
    }

    fn count(&mut self, from: &Arc<str>, to: Arc<str>, kind: NodeKind, span: &Span, slot: Slot) {
        let ends = (Arc::clone(from), to);
        if self.edges.len() >= EDGES && !self.edges.contains_key(&ends) {
            self.left_out += 1;
            return;
        }
        let edge = self.edges.entry(ends).or_insert_with(|| Edge {
            kind,
            calls: Ring::default(),
        });
        edge.calls.at(slot).record(span.duration(), is_error(span));
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
    }
}
