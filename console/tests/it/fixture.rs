//! A store with figures and a clock that stands still, and small telemetry to put into it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use console::otlp::{Encoding, Signal, decode};
use console::store::{Clock, Source};
use console::view::overview;
use console::{Limits, Store};
use serde_json::{Value, json};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Fixture {
    pub(crate) store: Store,
    seconds: Arc<AtomicU64>,
}

pub(crate) fn fixture(limits: Limits) -> Fixture {
    let seconds = Arc::new(AtomicU64::new(1_700_000_000));
    let read = Arc::clone(&seconds);
    let clock: Clock =
        Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(read.load(Ordering::SeqCst)));
    Fixture {
        store: Store::with_clock(limits, clock).with_aggregates(),
        seconds,
    }
}

/// A span as OTLP has it in JSON.
#[derive(Clone, Copy)]
pub(crate) struct S {
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) service: &'static str,
    pub(crate) kind: u8,
    pub(crate) millis: u64,
    pub(crate) error: bool,
    pub(crate) to: &'static str,
}

pub(crate) const CLIENT: u8 = 3;
pub(crate) const SERVER: u8 = 2;

impl Fixture {
    pub(crate) fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn spans(&self, trace: u64, spans: &[S]) {
        for span in spans {
            let mut attributes =
                vec![json!({"key": "http.request.method", "value": {"stringValue": "GET"}})];
            let text =
                |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
            match (span.kind, span.to) {
                (SERVER, _) => attributes.push(text("http.route", "/x/{id}")),
                (_, "dynamodb") => attributes.push(text("db.system", "dynamodb")),
                (_, to) => attributes.push(text("server.address", to)),
            }
            let body = json!({"resourceSpans": [{
                "resource": {"attributes": [text("service.name", span.service), text("service.version", "v1")]},
                "scopeSpans": [{"spans": [{
                    "traceId": format!("{trace:032x}"),
                    "spanId": format!("{:016x}", span.id),
                    "parentSpanId": if span.parent == 0 { String::new() } else { format!("{:016x}", span.parent) },
                    "name": "s", "kind": span.kind,
                    "startTimeUnixNano": (1_700_000_000_000_000_000 + span.id * 1_000_000).to_string(),
                    "endTimeUnixNano": (1_700_000_000_000_000_000 + (span.id + span.millis) * 1_000_000).to_string(),
                    "attributes": attributes,
                    "status": if span.error { json!({"code": 2, "message": "broken"}) } else { json!({}) },
                }]}],
            }]});
            self.otlp(Signal::Traces, &body);
        }
    }

    pub(crate) fn otlp(&self, signal: Signal, body: &Value) {
        let batch = decode(
            signal,
            Encoding::Json,
            body.to_string().as_bytes(),
            usize::MAX,
        )
        .unwrap();
        assert_eq!(batch.rejected, None);
        self.store.take_batch(Source::OtlpHttp, batch);
    }

    pub(crate) fn packet(&self, packet: &str) {
        self.store.take_datagram(Source::Udp, packet.as_bytes());
        assert_eq!(self.store.bad_packets().total, 0);
    }

    pub(crate) fn edges(&self) -> Vec<(String, String, u64, u64)> {
        overview::overview(&self.store, MINUTE)
            .edges
            .into_iter()
            .map(|edge| (edge.from, edge.to, edge.red.requests, edge.red.errors))
            .collect()
    }
}

/// front -> back -> dynamodb.
pub(crate) const SHOP: [S; 4] = [
    S {
        id: 1,
        parent: 0,
        service: "front",
        kind: SERVER,
        millis: 100,
        error: false,
        to: "",
    },
    S {
        id: 2,
        parent: 1,
        service: "front",
        kind: CLIENT,
        millis: 80,
        error: false,
        to: "10.0.0.2",
    },
    S {
        id: 3,
        parent: 2,
        service: "back",
        kind: SERVER,
        millis: 60,
        error: false,
        to: "",
    },
    S {
        id: 4,
        parent: 3,
        service: "back",
        kind: CLIENT,
        millis: 40,
        error: false,
        to: "dynamodb",
    },
];
