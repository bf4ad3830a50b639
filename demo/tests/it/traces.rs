//! What one page request leaves behind in the agent: one trace, its log lines, the metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use console::dogstatsd::Kind;
use console::otlp::{Span, SpanKind};
use console::{Addresses, Receivers, Snapshot};
use serde_json::Value;

use crate::harness::{LIMIT, Running, bookwatch, get, port_base, until};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// `service: name`, with `<` before the same of each parent up to the caller's own span.
fn lineage(span: &Span, spans: &[Arc<Span>]) -> String {
    let own = format!("{}: {}", span.service(), span.name);
    match spans.iter().find(|parent| span.is_child_of(parent)) {
        Some(parent) => format!("{own} < {}", lineage(parent, spans)),
        None => own,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_is_one_trace_through_five_services_with_its_logs_and_metrics() {
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let base = port_base();
    let mut command = bookwatch(&["up", "--json", "--no-load", "--no-prober"]);
    command
        .arg(format!("--port-base={base}"))
        // Only v2 answers, so that each page has the same spans.
        .arg("--only=dynamodb,details,ratings,reviews-v2,productpage,mymetric")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", agent.otlp_http_url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("DD_DOGSTATSD_URL", agent.dogstatsd_url())
        .env("DD_ENV", "test");
    let mut shop = tokio::task::block_in_place(|| {
        let mut shop = Running::start(&mut command);
        shop.event("ready");
        shop
    });

    let traceparent = format!("00-{TRACE}-{CALLER}-01");
    let page = reqwest::Client::new()
        .get(format!("http://127.0.0.1:{base}/productpage?id=0"))
        .header("traceparent", &traceparent)
        .send()
        .await
        .expect("a page");
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("a body").contains("Reviewer1"));

    // Ten spans: four servers, three calls between them, three calls of the database.
    let spans: Vec<Arc<Span>> = agent
        .store()
        .wait_for(LIMIT, |seen: &Snapshot| {
            let ours: Vec<_> = seen
                .spans
                .iter()
                .filter(|span| span.trace_id == *TRACE)
                .cloned()
                .collect();
            (ours.len() >= 10).then_some(ours)
        })
        .await
        .expect("the whole trace");
    let mut lineages: Vec<String> = spans.iter().map(|span| lineage(span, &spans)).collect();
    lineages.sort();
    let page = "productpage: GET /productpage";
    let details = format!("details: GET /details/{{id}} < productpage: GET < {page}");
    let reviews = format!("reviews: GET /reviews/{{id}} < productpage: GET < {page}");
    let ratings = format!("ratings: GET /ratings/{{id}} < reviews: GET < {reviews}");
    let mut expected = vec![
        page.to_owned(),
        format!("productpage: GET < {page}"),
        format!("productpage: GET < {page}"),
        format!("details: GetItem bookwatch-details < {details}"),
        details,
        format!("reviews: Query bookwatch-reviews < {reviews}"),
        format!("reviews: GET < {reviews}"),
        format!("ratings: Query bookwatch-ratings < {ratings}"),
        ratings,
        reviews,
    ];
    expected.sort();
    assert_eq!(lineages, expected);

    let text = |span: &Span, key: &str| {
        span.attributes
            .get(key)
            .and_then(|v| v.as_str().map(str::to_owned))
    };
    for span in &spans {
        let kind = if span.name.starts_with("GET /") {
            SpanKind::Server
        } else {
            SpanKind::Client
        };
        assert_eq!(span.kind, kind, "{}", span.name);
        assert!(!span.status.is_error(), "{}", span.name);
        assert_eq!(
            span.resource
                .attributes
                .get("deployment.environment.name")
                .and_then(|v| v.as_str()),
            Some("test")
        );
        match &*span.name {
            name if name.contains("bookwatch-") => {
                assert_eq!(text(span, "db.system").as_deref(), Some("dynamodb"));
                assert_eq!(
                    text(span, "db.system.name").as_deref(),
                    Some("aws.dynamodb")
                );
            }
            "GET" => {
                assert_eq!(text(span, "server.address").as_deref(), Some("127.0.0.1"));
                assert_eq!(
                    span.attributes
                        .get("http.response.status_code")
                        .and_then(|v| v.as_i64()),
                    Some(200)
                );
            }
            name => {
                assert_eq!(text(span, "http.request.method").as_deref(), Some("GET"));
                assert_eq!(
                    text(span, "http.route").as_deref(),
                    name.strip_prefix("GET ")
                );
            }
        }
    }

    let metrics = agent
        .store()
        .wait_for(LIMIT, |seen: &Snapshot| {
            let routed = |name: &'static str, route: &'static str| {
                seen.metric(name)
                    .find(|sample| sample.tag("http.route") == Some(route))
                    .cloned()
            };
            Some((
                routed("http.server.request.count", "/productpage")?,
                routed("http.server.request.duration", "/ratings/{id}")?,
                seen.metric("my_metric").next().cloned()?,
            ))
        })
        .await
        .expect("metrics of the request and of the emitter");
    let (count, duration, gauge) = metrics;
    assert_eq!(
        (count.kind, count.numbers(), count.tag("service")),
        (Kind::Count, &[1.0][..], Some("productpage"))
    );
    assert_eq!(
        (duration.kind, duration.tag("service")),
        (Kind::Distribution, Some("ratings"))
    );
    assert!(
        duration.numbers()[0] > 0.0 && duration.numbers()[0] < 60.0,
        "{:?} s",
        duration.numbers()
    );
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("env", "test"),
    ] {
        assert_eq!(count.tag(key), Some(value), "{key}");
    }
    assert_eq!(
        (gauge.kind, gauge.tag("service")),
        (Kind::Gauge, Some("mymetric"))
    );
    assert!((1.0..=999.0).contains(&gauge.numbers()[0]));
    assert_eq!(agent.store().bad_packets().total, 0);

    // The log lines of the same request, read as a node agent would read them.
    let servers: BTreeMap<String, String> = spans
        .iter()
        .filter(|span| span.kind == SpanKind::Server)
        .map(|span| (span.service().to_owned(), span.span_id.to_string()))
        .collect();
    tokio::task::block_in_place(|| {
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(shop.pid()).expect("a pid")),
            nix::sys::signal::Signal::SIGTERM,
        )
        .expect("it runs");
        let (_, log) = shop.ended();
        for (service, span_id) in servers {
            let line = log
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok())
                .find(|line| line["service"] == *service && line["trace_id"] == TRACE)
                .unwrap_or_else(|| panic!("no log line of {service} in:\n{log}"));
            assert_eq!(line["span_id"], *span_id);
            assert_eq!(line["dd.trace_id"], TRACE);
            let decimal = u64::from_str_radix(&span_id, 16).expect("hex").to_string();
            assert_eq!(line["dd.span_id"], *decimal);
            assert_eq!(
                (line["status"].as_str(), line["message"].as_str()),
                (Some("info"), Some("request"))
            );
            assert!(line["timestamp"].is_string() && line["duration_ms"].is_number());
        }
        shop.assert_nothing_left();
    });
    agent.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_the_root_of_the_trace_of_the_page_that_it_asks_for() {
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let base = port_base();
    let mut command = bookwatch(&["up", "--json", "--no-load"]);
    command
        .arg(format!("--port-base={base}"))
        .arg("--only=dynamodb,details,ratings,reviews-v2,productpage,synthetics")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", agent.otlp_http_url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "100");
    let _shop = tokio::task::block_in_place(|| {
        let mut shop = Running::start(&mut command);
        shop.event("ready");
        shop
    });
    let page = "productpage: GET /productpage < synthetics: probe productpage";
    let details = format!("details: GET /details/{{id}} < productpage: GET < {page}");
    let reviews = format!("reviews: GET /reviews/{{id}} < productpage: GET < {page}");
    let ratings = format!("ratings: GET /ratings/{{id}} < reviews: GET < {reviews}");
    let expected = [
        page.to_owned(),
        format!("details: GetItem bookwatch-details < {details}"),
        format!("ratings: Query bookwatch-ratings < {ratings}"),
    ];
    // One trace from the probe down to the database.
    let probe = agent
        .store()
        .wait_for(LIMIT, |seen: &Snapshot| {
            let probes = seen.service("synthetics");
            let mut roots = probes.filter(|span| &*span.name == "probe productpage");
            roots
                .find(|root| {
                    let spans: Vec<_> = seen.trace(root.trace_id).cloned().collect();
                    let all: Vec<_> = spans.iter().map(|span| lineage(span, &spans)).collect();
                    expected.iter().all(|lineage| all.contains(lineage))
                })
                .cloned()
        })
        .await
        .expect("one trace");
    assert_eq!((probe.kind, probe.parent_span_id), (SpanKind::Client, None));
    let location = probe.attributes["synthetics.location"].as_str();
    assert!(location.is_some(), "{probe:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn my_metric_comes_on_time_and_in_range() {
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let base = port_base();
    let mut command = bookwatch(&["up", "--json", "--only=mymetric"]);
    command
        .arg(format!("--port-base={base}"))
        .env("INTERVAL", "1")
        .env("DD_DOGSTATSD_URL", agent.dogstatsd_url());
    let _emitter = tokio::task::block_in_place(|| {
        let mut emitter = Running::start(&mut command);
        emitter.event("ready");
        emitter
    });
    let samples = agent
        .store()
        .wait_for(LIMIT, |seen: &Snapshot| {
            let samples: Vec<_> = seen.metric("my_metric").cloned().collect();
            (samples.len() >= 4).then_some(samples)
        })
        .await
        .expect("four values");
    for sample in &samples {
        let value = sample.numbers()[0];
        assert!(
            (1.0..=999.0).contains(&value) && value.fract() == 0.0,
            "{value}"
        );
        assert!(sample.tag("host").is_some_and(|host| !host.is_empty()));
    }
    for pair in samples.windows(2) {
        let gap = pair[1]
            .received_at
            .duration_since(pair[0].received_at)
            .expect("in order");
        assert!(
            (Duration::from_millis(500)..Duration::from_millis(1500)).contains(&gap),
            "{gap:?} between two values"
        );
    }
    assert!(
        until("an answer or none", || Some(get(base, "/"))).is_none(),
        "only the emitter runs"
    );
}
