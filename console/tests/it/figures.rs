//! Figures kept at arrival, and what the views read of them, with a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use console::otlp::{Encoding, Signal, decode};
use console::store::{Clock, Source};
use console::view::{health, logs, metrics, overview, slos, traces};
use console::{Limits, Store};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

struct Fixture {
    store: Store,
    seconds: Arc<AtomicU64>,
}

fn fixture(limits: Limits) -> Fixture {
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
struct S {
    id: u64,
    parent: u64,
    service: &'static str,
    kind: u8,
    millis: u64,
    error: bool,
    to: &'static str,
}

const CLIENT: u8 = 3;
const SERVER: u8 = 2;

impl Fixture {
    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn spans(&self, trace: u64, spans: &[S]) {
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

    fn otlp(&self, signal: Signal, body: &Value) {
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

    fn packet(&self, packet: &str) {
        self.store.take_datagram(Source::Udp, packet.as_bytes());
        assert_eq!(self.store.bad_packets().total, 0);
    }

    fn edges(&self) -> Vec<(String, String, u64, u64)> {
        overview::overview(&self.store, MINUTE)
            .edges
            .into_iter()
            .map(|edge| (edge.from, edge.to, edge.red.requests, edge.red.errors))
            .collect()
    }
}

fn call(edge: (&str, &str, u64, u64)) -> (String, String, u64, u64) {
    (edge.0.into(), edge.1.into(), edge.2, edge.3)
}

/// front -> back -> dynamodb.
const SHOP: [S; 4] = [
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

#[test]
fn the_map_is_the_same_in_whatever_order_spans_arrive() {
    let orders: [[usize; 4]; 5] = [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [2, 0, 3, 1],
        [1, 3, 0, 2],
        [3, 0, 1, 2],
    ];
    for order in orders {
        let fixture = fixture(Limits::default());
        for trace in 1..=2 {
            for at in order {
                fixture.spans(trace, &[SHOP[at]]);
            }
        }
        assert_eq!(
            fixture.edges(),
            [
                call(("back", "dynamodb", 2, 0)),
                call(("front", "back", 2, 0))
            ],
            "{order:?}"
        );
        let overview = overview::overview(&fixture.store, MINUTE);
        let p95 = overview.edges[1].red.p95_s.unwrap();
        assert!((p95 - 0.080).abs() <= 0.001, "what the caller saw: {p95}");
        let names: Vec<_> = overview
            .nodes
            .iter()
            .map(|node| node.name.as_str())
            .collect();
        assert_eq!(names, ["back", "dynamodb", "front"]);
        assert_eq!(overview.nodes[0].versions, ["v1"]);
    }
}

#[test]
fn a_service_that_died_keeps_its_name_on_the_map() {
    let fixture = fixture(Limits::default());
    fixture.spans(1, &SHOP);
    let refused = S {
        error: true,
        ..SHOP[1]
    };
    fixture.spans(2, &[SHOP[0], refused]);
    assert!(fixture.edges().contains(&call(("front", "back", 2, 1))));
    // One that never answered is known by its address only.
    fixture.spans(
        3,
        &[S {
            to: "10.9.9.9",
            ..refused
        }],
    );
    assert!(fixture.edges().contains(&call(("front", "10.9.9.9", 1, 1))));
}

#[test]
fn figures_are_of_the_window_and_fade() {
    let fixture = fixture(Limits::default());
    fixture.spans(1, &SHOP);
    fixture.pass(30);
    fixture.spans(
        2,
        &[S {
            error: true,
            millis: 300,
            ..SHOP[0]
        }],
    );
    let routes = overview::routes(&fixture.store, MINUTE, Some("front"), Some("GET /x/{id}"));
    assert_eq!((routes[0].red.requests, routes[0].red.errors), (2, 1));
    assert!((routes[0].red.p95_s.unwrap() - 0.3).abs() < 0.003_1);
    assert!(
        (routes[0].red.rate - 2.0 / 30.0).abs() < 1e-6,
        "by the time there was, not by the window"
    );
    fixture.pass(50);
    let routes = overview::routes(&fixture.store, MINUTE, Some("front"), None);
    assert_eq!((routes[0].red.requests, routes[0].red.errors), (1, 1));
    fixture.pass(1_900);
    assert_eq!(overview::overview(&fixture.store, MINUTE).nodes, []);
}

#[test]
fn traces_are_found_by_what_is_asked() {
    let fixture = fixture(Limits::default());
    fixture.spans(1, &SHOP);
    fixture.spans(2, &[SHOP[0]]);
    fixture.spans(
        3,
        &[S {
            error: true,
            millis: 5_000,
            ..SHOP[2]
        }],
    );
    let found = |search: traces::Search| -> Vec<u64> {
        traces::search(
            &fixture.store,
            &traces::Search {
                limit: 10,
                ..search
            },
        )
        .into_iter()
        .map(|line| u64::from_str_radix(&line.trace_id[16..], 16).unwrap())
        .collect()
    };
    assert_eq!(
        found(traces::Search::default()),
        [3, 2, 1],
        "the newest first"
    );
    assert_eq!(
        found(traces::Search {
            services: vec!["front".into(), "back".into()],
            ..Default::default()
        }),
        [1]
    );
    assert_eq!(
        found(traces::Search {
            failed: Some(true),
            ..Default::default()
        }),
        [3]
    );
    assert_eq!(
        found(traces::Search {
            failed: Some(false),
            ..Default::default()
        }),
        [2, 1]
    );
    assert_eq!(
        found(traces::Search {
            at_least: Some(Duration::from_secs(1)),
            ..Default::default()
        }),
        [3]
    );
    assert_eq!(
        found(traces::Search {
            at_most: Some(Duration::from_secs(1)),
            spans: Some(4),
            ..Default::default()
        }),
        [1]
    );
    assert_eq!(
        found(traces::Search {
            route: Some("/x/".into()),
            ..Default::default()
        }),
        [3, 2, 1]
    );
    assert_eq!(
        found(traces::Search {
            route: Some("/y".into()),
            ..Default::default()
        }),
        [] as [u64; 0]
    );
    let view = traces::trace(&fixture.store, format!("{:032x}", 1).parse().unwrap()).unwrap();
    let shape: Vec<_> = view
        .spans
        .iter()
        .map(|span| (span.depth, span.service.as_str()))
        .collect();
    assert_eq!(
        shape,
        [(0, "front"), (1, "front"), (2, "back"), (3, "back")]
    );
    assert_eq!(view.trace.name, "GET /x/{id}");
}

#[test]
fn a_circle_of_parents_is_shown_and_ends() {
    let fixture = fixture(Limits::default());
    let a = S {
        id: 1,
        parent: 2,
        ..SHOP[0]
    };
    let b = S {
        id: 2,
        parent: 1,
        ..SHOP[0]
    };
    fixture.spans(
        1,
        &[
            a,
            b,
            S {
                id: 3,
                parent: 3,
                ..a
            },
        ],
    );
    let view = traces::trace(&fixture.store, format!("{:032x}", 1).parse().unwrap()).unwrap();
    assert_eq!(view.spans.len(), 3);
}

#[test]
fn log_lines_belong_to_their_trace_and_are_found() {
    let fixture = fixture(Limits::default());
    fixture.spans(1, &SHOP);
    let id = format!("{:032x}", 1);
    let body = format!(
        "{{\"service\":\"back\",\"status\":\"error\",\"message\":\"Äpfel are OUT\",\"trace_id\":\"{id}\",\"shelf\":7}}\n{{\"service\":\"front\",\"status\":\"info\",\"message\":\"fine\"}}\n"
    );
    let batch = console::intake::lines(body.as_bytes(), "x", fixture.store.now());
    fixture.store.take_batch(Source::LogLines, batch);
    let view = traces::trace(&fixture.store, id.parse().unwrap()).unwrap();
    assert_eq!(view.logs.len(), 1);
    let found = |filter: logs::Filter| {
        logs::find(
            &fixture.store,
            &logs::Filter {
                limit: 10,
                ..filter
            },
        )
    };
    assert_eq!(found(logs::Filter::default()).lines.len(), 2);
    for text in ["äpfel", "out", "7"] {
        assert_eq!(
            found(logs::Filter {
                text: Some(text.into()),
                ..Default::default()
            })
            .lines
            .len(),
            1,
            "{text}"
        );
    }
    let first = found(logs::Filter::default()).lines[1].number;
    assert_eq!(
        found(logs::Filter {
            after: Some(first),
            ..Default::default()
        })
        .lines
        .len(),
        1
    );
    assert_eq!(
        found(logs::Filter {
            severity: Some(console::otlp::Severity::Warn),
            ..Default::default()
        })
        .lines[0]
            .service,
        "back"
    );
    assert!(
        !logs::find(
            &fixture.store,
            &logs::Filter {
                limit: 1,
                ..Default::default()
            }
        )
        .complete
    );
}

#[test]
fn metrics_are_put_together_by_their_shape() {
    let fixture = fixture(Limits::default());
    fixture.packet("my_metric:400|g|#host:a\nmy_metric:600|g|#host:b\nhits:3|c|@0.5|#r:x\nhits:2|c|#r:y\nd:1:2:3|d\nu:ann|s\nu:ann|s\nu:bob|s");
    let chart = |name: &str, by: Option<&str>, tags: &[&str], statistic| {
        metrics::chart(
            &fixture.store,
            &metrics::Query {
                name: name.into(),
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                by: by.map(str::to_owned),
                statistic,
                window: MINUTE,
            },
        )
        .unwrap()
    };
    let last =
        |chart: &metrics::Chart, line: usize| chart.lines[line].values.last().copied().flatten();
    let gauge = chart("my_metric", None, &[], None);
    assert_eq!(last(&gauge, 0), Some(500.0));
    assert_eq!(
        gauge.thresholds.iter().map(|t| t.value).collect::<Vec<_>>(),
        [500.0, 800.0]
    );
    let by_host = chart("my_metric", Some("host"), &[], None);
    assert_eq!(
        by_host
            .lines
            .iter()
            .map(|line| line.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(
        last(&chart("my_metric", None, &["host:b"], None), 0),
        Some(600.0)
    );
    assert_eq!(
        last(&chart("hits", None, &[], Some(metrics::Statistic::Sum)), 0),
        Some(8.0),
        "a rate of 0.5 counts twice"
    );
    assert_eq!(last(&chart("hits", None, &[], None), 0), Some(8.0 / 5.0));
    assert!((last(&chart("d", None, &[], None), 0).unwrap() - 3.0).abs() < 0.031);
    assert_eq!(last(&chart("u", None, &[], None), 0), Some(2.0));
    let list = metrics::list(&fixture.store);
    assert!(
        list.iter().any(|m| m.name == "my_metric"
            && m.tags["host"].len() == 2
            && !m.description.is_empty())
    );
}

#[test]
fn sums_that_count_from_their_start_are_taken_by_what_is_new() {
    let fixture = fixture(Limits::default());
    for (value, expected) in [(10, None), (14, Some(4.0)), (3, Some(3.0))] {
        fixture.pass(5);
        fixture.otlp(Signal::Metrics, &json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{
            "name": "n", "unit": "By",
            "sum": {"isMonotonic": true, "aggregationTemporality": 2, "dataPoints": [{"asInt": value.to_string()}]},
        }]}]}]}));
        let query = metrics::Query {
            name: "n".into(),
            tags: vec![],
            by: None,
            statistic: Some(metrics::Statistic::Sum),
            window: MINUTE,
        };
        let chart = metrics::chart(&fixture.store, &query);
        let last = chart
            .as_ref()
            .and_then(|chart| *chart.lines.first()?.values.last()?);
        assert_eq!(last.filter(|v| *v > 0.0), expected);
    }
}

#[test]
fn objectives_are_shown_as_reported() {
    let fixture = fixture(Limits::default());
    fixture.packet("synthetics.slo.sli:99.5|g|#slo:availability\nsynthetics.slo.budget_remaining:-12.5|g|#slo:availability\nsynthetics.slo.burn_rate:3|g|#slo:availability");
    fixture.pass(200);
    let slos = slos::slos(&fixture.store);
    assert_eq!(slos.len(), 1);
    assert_eq!(
        (
            slos[0].sli_percent,
            slos[0].budget_remaining_percent,
            slos[0].burn_rate
        ),
        (Some(99.5), Some(-12.5), Some(3.0))
    );
    assert!(slos[0].is_stale());
}

#[test]
fn who_sends_spans_and_no_logs_shows_as_such() {
    use console::aggregate::services::Kind;
    let fixture = fixture(Limits::default());
    fixture.spans(1, &SHOP);
    fixture.packet("x:1|c|#service:front\ny:1|g|#service:emitter");
    let missing: Vec<_> = health::health(&fixture.store, None)
        .senders
        .into_iter()
        .map(|sender| (sender.service, sender.missing))
        .collect();
    assert_eq!(
        missing,
        [
            ("back".to_owned(), vec![Kind::Metrics, Kind::Logs]),
            ("emitter".to_owned(), vec![]),
            ("front".to_owned(), vec![Kind::Logs]),
        ]
    );
}

#[test]
fn names_without_end_cost_bounded_memory() {
    let limits = Limits {
        bytes: 4 << 20,
        ..Limits::default()
    };
    let fixture = fixture(limits);
    for n in 0..20_000_u64 {
        if n % 100 == 0 {
            fixture.pass(1);
        }
        fixture.packet(&format!("m{n}:1|d|#service:s{n},id:{n}"));
        if n % 20 == 0 {
            let trace = [
                SHOP[0],
                S {
                    to: "dynamodb",
                    ..SHOP[1]
                },
            ];
            fixture.spans(n + 1, &trace);
        }
    }
    let stats = fixture.store.stats();
    assert!(stats.bytes <= limits.bytes, "{stats:?}");
    let health = health::health(&fixture.store, None);
    assert!(
        health.senders.len() <= 101 && health.series <= 1_000 && health.left_out > 0,
        "{} {}",
        health.senders.len(),
        health.series
    );
    assert!(metrics::list(&fixture.store).len() <= 1_000);
    // Nothing of it is left once it is old.
    fixture.pass(4_000);
    assert!(
        fixture.store.stats().bytes < 64 * 1024,
        "{:?}",
        fixture.store.stats()
    );
    assert!(
        traces::search(
            &fixture.store,
            &traces::Search {
                limit: 5,
                ..Default::default()
            }
        )
        .is_empty()
    );
}
