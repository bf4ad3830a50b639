//! The service map, routes, traces and log lines, with a clock that stands still.

use std::time::Duration;

use console::aggregate::map::NodeKind;
use console::store::Source;
use console::view::{logs, overview, traces};
use console::{Limits, intake};

use crate::fixture::{MINUTE, S, SHOP, fixture};

fn call(edge: (&str, &str, u64, u64)) -> (String, String, u64, u64) {
    (edge.0.into(), edge.1.into(), edge.2, edge.3)
}

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
fn a_database_that_writes_log_lines_is_still_known_by_its_calls() {
    let fixture = fixture(Limits::default());
    fixture.spans(1, &SHOP);
    let lines = intake::lines(b"checkpoint done", "dynamodb", fixture.store.now());
    fixture.store.take_batch(Source::LogLines, lines);
    let overview = overview::overview(&fixture.store, MINUTE);
    let node = &overview.nodes[1];
    assert_eq!((&*node.name, node.kind), ("dynamodb", NodeKind::Database));
    assert_eq!((node.traced, node.red.requests), (false, 1));
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
    // One that answered and whose span does not come is counted by its address, after a while.
    fixture.spans(4, &[SHOP[0], SHOP[1]]);
    assert!(fixture.edges().contains(&call(("front", "back", 2, 1))));
    fixture.pass(15);
    assert!(fixture.edges().contains(&call(("front", "back", 3, 1))));
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
fn one_address_may_stand_for_several_services() {
    let fixture = fixture(Limits::default());
    for (trace, service) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
        fixture.spans(trace, &[SHOP[0], SHOP[1], S { service, ..SHOP[2] }]);
    }
    fixture.pass(15);
    assert_eq!(
        fixture.edges(),
        [call(("front", "a", 2, 0)), call(("front", "b", 2, 0))]
    );
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
