//! Everything kept at one moment.

use std::sync::Arc;

use super::{BadPackets, Event, Sample, ServiceCheck, Stats};
use crate::otlp::{LogRecord, MetricPoint, Span, TraceId};

/// Everything kept at one moment, oldest arrival first. The items are shared with the store, so it is cheap.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Spans.
    pub spans: Vec<Arc<Span>>,
    /// DogStatsD samples.
    pub metrics: Vec<Arc<Sample>>,
    /// DogStatsD events.
    pub events: Vec<Arc<Event>>,
    /// DogStatsD service checks.
    pub service_checks: Vec<Arc<ServiceCheck>>,
    /// OTLP data points.
    pub points: Vec<Arc<MetricPoint>>,
    /// OTLP log records.
    pub logs: Vec<Arc<LogRecord>>,
    /// What could not be used.
    pub bad_packets: BadPackets,
    /// How much arrived, is kept, and was dropped.
    pub stats: Stats,
}

impl Snapshot {
    /// The samples of one metric.
    pub fn metric<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Sample>> {
        self.metrics
            .iter()
            .filter(move |sample| sample.name() == name)
    }

    /// The spans of one trace.
    pub fn trace(&self, trace_id: TraceId) -> impl Iterator<Item = &Arc<Span>> {
        self.spans
            .iter()
            .filter(move |span| span.trace_id == trace_id)
    }

    /// The spans of one service.
    pub fn service<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Arc<Span>> {
        self.spans
            .iter()
            .filter(move |span| span.service() == service)
    }

    /// The parent of a span, if it is here.
    #[must_use]
    pub fn parent(&self, span: &Span) -> Option<&Arc<Span>> {
        self.trace(span.trace_id)
            .find(|parent| span.is_child_of(parent))
    }
}
