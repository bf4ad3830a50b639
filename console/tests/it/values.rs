//! Metrics, objectives, senders, and bounds of all figures, with a clock that stands still.

use console::Limits;
use console::otlp::Signal;
use console::view::{health, metrics, slos, traces};
use serde_json::json;

use crate::fixture::{MINUTE, S, SHOP, fixture};

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
    assert!(!slos[0].simulated && slos[0].time_scale.is_none());
}

#[test]
fn an_objective_says_what_fires_and_what_is_only_a_demo() {
    let fixture = fixture(Limits::default());
    fixture.packet("synthetics.slo.sli:100|g|#slo:success");
    fixture.pass(120);
    let tags = "slo:success,simulated:true,time_scale:600";
    fixture.packet(&format!(
        "synthetics.slo.sli:90|g|#{tags}\nsynthetics.slo.target:96|g|#{tags}\nsynthetics.slo.coverage:99|g|#{tags}"
    ));
    for (window, firing) in [("1h", 1), ("6h", 0), ("1d", 1)] {
        fixture.packet(&format!(
            "synthetics.alert.firing:{firing}|g|#{tags},alert:{window}"
        ));
    }
    let slo = slos::slos(&fixture.store).remove(0);
    assert_eq!(slo.sli_percent, Some(90.0), "not that of the prober before");
    assert_eq!(
        (slo.target_percent, slo.coverage_percent),
        (Some(96.0), Some(99.0))
    );
    assert_eq!((slo.simulated, slo.time_scale), (true, Some(600)));
    let mut alerts = slo.alerts;
    alerts.sort_unstable();
    assert_eq!(alerts, ["1d", "1h"]);
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
    // One that answered requests and says nothing more is missing altogether; an emitter may take its time.
    let silent = || {
        let health = health::health(&fixture.store, None);
        let silent = health.senders.into_iter().map(|s| s.silent_s);
        silent.collect::<Vec<_>>()
    };
    assert_eq!(silent(), [None, None, None]);
    fixture.pass(90);
    assert_eq!(silent(), [Some(90), None, Some(90)]);
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
