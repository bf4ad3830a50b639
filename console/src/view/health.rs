//! What arrives from whom, how fast, what is missing, and what had to go.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::unix_ms;
use crate::aggregate::services::{Kind, Service};
use crate::store::{Source, Stats, Store};

/// Rates are of the last minute.
const WINDOW: Duration = Duration::from_secs(60);

/// The state of the telemetry itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Health {
    /// Who sends what, by name.
    pub senders: Vec<Sender>,
    /// What arrived, is kept, and had to go.
    #[schema(value_type = Object)]
    pub stats: Stats,
    /// The memory budget, in bytes.
    pub budget_bytes: usize,
    /// How long things are kept, in seconds.
    pub keep_s: u64,
    /// UDP datagrams that the kernel threw away, where it says so.
    pub datagrams_lost: Option<u64>,
    /// Series of metrics that are charted.
    pub series: usize,
    /// Values and calls that are in no figure, since there were too many different ones.
    pub left_out: u64,
    /// What could not be used, by reason.
    pub bad: BTreeMap<&'static str, u64>,
    /// The last of what could not be used, the newest first.
    pub last_bad: Vec<Bad>,
}

/// A service as a sender.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Sender {
    /// Its name.
    pub service: String,
    /// Spans.
    pub traces: Heard,
    /// Samples and data points.
    pub metrics: Heard,
    /// Log lines.
    pub logs: Heard,
    /// What a service that answers requests should send and this one does not.
    pub missing: Vec<Kind>,
    /// How long one that answered requests has sent nothing at all, in seconds; absent below a minute.
    pub silent_s: Option<u64>,
}

/// How much of one kind came.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Heard {
    /// In a second, over the last minute.
    pub per_second: f64,
    /// How long ago the last one came, in seconds; absent if none ever did.
    pub last_s: Option<u64>,
    /// In all.
    pub total: u64,
}

/// Something that could not be used.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Bad {
    /// When it arrived, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// Which way it came in.
    #[schema(value_type = String)]
    pub source: Source,
    /// Why, in a word.
    pub reason: &'static str,
    /// Why, for a person.
    pub detail: String,
    /// How it begins.
    pub excerpt: String,
}

/// Reads the state of the telemetry.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "rates to show")]
pub fn health(store: &Store, datagrams_lost: Option<u64>) -> Health {
    let read = store.read(|figures, now| {
        let window = figures.window(now, WINDOW);
        let heard = |service: &Service, kind| Heard {
            per_second: service.heard_since(kind, window.from) as f64 / window.length.as_secs_f64(),
            last_s: service
                .last(kind)
                .map(|last| now.duration_since(last).unwrap_or_default().as_secs()),
            total: service.total(kind),
        };
        let senders: Vec<_> = figures
            .services
            .sorted()
            .into_iter()
            .map(|(name, service)| {
                let [traces, metrics, logs] =
                    [Kind::Traces, Kind::Metrics, Kind::Logs].map(|kind| heard(service, kind));
                let last = [&traces, &metrics, &logs]
                    .into_iter()
                    .filter_map(|h| h.last_s);
                let silent_s = last
                    .min()
                    .filter(|last| *last >= WINDOW.as_secs() && service.total(Kind::Traces) > 0);
                Sender {
                    service: name.to_string(),
                    traces,
                    metrics,
                    logs,
                    missing: missing(service),
                    silent_s,
                }
            })
            .collect();
        let left_out = figures.metrics.left_out + figures.map.left_out;
        (senders, figures.metrics.series(), left_out)
    });
    let (senders, series, left_out) = read.unwrap_or_default();
    let bad = store.bad_packets();
    let limits = store.limits();
    Health {
        senders,
        stats: store.stats(),
        budget_bytes: limits.bytes,
        keep_s: limits.age.as_secs(),
        datagrams_lost,
        series,
        left_out,
        bad: bad.by_reason,
        last_bad: bad
            .last
            .into_iter()
            .rev()
            .map(|bad| Bad {
                at_unix_ms: unix_ms(bad.received_at),
                source: bad.source,
                reason: bad.reason,
                detail: bad.detail,
                excerpt: bad.excerpt,
            })
            .collect(),
    }
}

/// Who sends spans answers requests, and should count and log them as well. Emitters and probers owe nothing.
fn missing(service: &Service) -> Vec<Kind> {
    let none = |kind: &Kind| service.total(*kind) == 0;
    if none(&Kind::Traces) {
        return Vec::new();
    }
    Kind::ALL.into_iter().filter(none).collect()
}
