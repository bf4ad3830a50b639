//! What leaves a process, decoded by receivers that listen as the Datadog Agent does.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use console::dogstatsd::Kind;
use console::{Addresses, Receivers, Snapshot};
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use telemetry::{Alert, CheckStatus, Event, ServiceCheck, Settings, names, traces};

const PATIENCE: Duration = Duration::from_secs(10);

/// One after the other: the subscriber is one a process, and the first `init` has it.
#[tokio::test]
async fn what_leaves_a_process() {
    spans_arrive_with_who_sent_them_and_a_dead_receiver_costs_nothing().await;
    metrics_carry_the_unified_tags_and_leave_within_a_second().await;
    a_unix_socket_works_and_its_agent_may_come_late().await;
}

/// Only metrics: the provider of spans is one a process, and the test below has it.
fn only_metrics() -> Settings {
    Settings {
        otel_sdk_disabled: true,
        log_filter: "off".into(),
        ..Settings::default()
    }
}

async fn metrics_carry_the_unified_tags_and_leave_within_a_second() {
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let settings = Settings {
        dd_dogstatsd_url: Some(agent.dogstatsd_url()),
        dd_service: Some("shop".into()),
        dd_env: Some("test".into()),
        dd_version: Some("1.2.3".into()),
        dd_tags: Some("team:books odd:a|b".into()),
        dd_entity_id: Some("pod-uid".into()),
        ..only_metrics()
    };
    let telemetry = telemetry::init("ignored", &settings).expect("settings");
    let metrics = telemetry.metrics();
    metrics.gauge(&names::MY_METRIC, 42.0, &[(names::tag::HOST, "web-1")]);
    metrics.count(&names::HTTP_SERVER_REQUEST_COUNT, 3, &[]);
    metrics.count(&names::HTTP_SERVER_REQUEST_COUNT, 4, &[]);
    metrics.count(
        &names::HTTP_SERVER_REQUEST_COUNT,
        9,
        &[(names::tag::HOST, "web-1")],
    );
    metrics.distribution(&names::HTTP_SERVER_REQUEST_DURATION, 0.25, &[]);
    let seen = agent
        .store()
        .wait_for(PATIENCE, |seen: &Snapshot| {
            let one = |name| seen.metric(name).next().cloned();
            let counts = seen.metric("http.server.request.count");
            let counts = counts.map(|count| (count.tag(names::tag::HOST).is_some(), count.clone()));
            let counts: BTreeMap<_, _> = counts.collect();
            Some((
                one("my_metric")?,
                counts.get(&false).cloned()?,
                counts.get(&true).cloned()?,
                one("http.server.request.duration")?,
            ))
        })
        .await
        .expect("all metrics, without a flush of ours");
    let (gauge, count, other, duration) = seen;
    assert_eq!((gauge.kind, gauge.numbers()), (Kind::Gauge, &[42.0][..]));
    // The two of the same tags as their sum.
    assert_eq!((count.kind, count.numbers()), (Kind::Count, &[7.0][..]));
    assert_eq!((other.kind, other.numbers()), (Kind::Count, &[9.0][..]));
    assert_eq!(
        (duration.kind, duration.numbers()),
        (Kind::Distribution, &[0.25][..])
    );
    for (key, value) in [
        ("service", "shop"),
        ("env", "test"),
        ("version", "1.2.3"),
        ("team", "books"),
        ("odd", "a_b"),
        ("dd.internal.entity_id", "pod-uid"),
        ("host", "web-1"),
    ] {
        assert_eq!(gauge.tag(key), Some(value), "{key}");
    }
    metrics.event(&Event {
        title: "availability burns",
        text: "17.5 times\nas fast as it may",
        aggregation_key: Some("availability/1h"),
        alert: Alert::Error,
        tags: &[(names::tag::SLO, "availability")],
        ..Event::default()
    });
    let long = "a|b ".repeat(3_000);
    metrics.service_check(&ServiceCheck {
        name: names::SYNTHETICS_SLO_STATUS,
        status: CheckStatus::Critical,
        message: &long,
        tags: &[(names::tag::SLO, "availability")],
    });
    let (event, check) = agent
        .store()
        .wait_for(PATIENCE, |seen: &Snapshot| {
            let event = seen.events.first().cloned();
            Some((event?, seen.service_checks.first().cloned()?))
        })
        .await
        .expect("an event and a service check");
    assert_eq!(event.title, "availability burns");
    assert_eq!(event.text, "17.5 times\nas fast as it may");
    assert_eq!(event.aggregation_key.as_deref(), Some("availability/1h"));
    assert_eq!(event.alert, console::dogstatsd::Alert::Error);
    for tags in [&event.tags, &check.tags] {
        assert_eq!(tags.get("slo"), Some("availability"));
        assert_eq!(tags.get("env"), Some("test"));
        assert_eq!(tags.get("odd"), Some("a_b"));
    }
    assert_eq!(check.status, console::dogstatsd::CheckStatus::Critical);
    let message = check.message.as_deref().expect("a message");
    assert!(message.starts_with("a/b a/b") && message.len() < 8_192);
    assert_eq!(agent.store().bad_packets().total, 0);
    telemetry.shutdown();
}

async fn a_unix_socket_works_and_its_agent_may_come_late() {
    let folder = tempfile::tempdir().expect("folder");
    let socket = folder.path().join("dsd.socket");
    let settings = Settings {
        dd_dogstatsd_url: Some(format!("unix://{}", socket.display())),
        ..only_metrics()
    };
    let telemetry = telemetry::init("shop", &settings).expect("settings");
    let metrics = telemetry.metrics();
    metrics.gauge(&names::MY_METRIC, 1.0, &[]); // nobody is there: lost, and no harm done
    metrics.flush();
    let agent = Receivers::bind(Addresses::loopback().with_socket(&socket))
        .await
        .expect("receivers");
    metrics.gauge(&names::MY_METRIC, 2.0, &[]);
    let last = agent
        .store()
        .wait_for(PATIENCE, |seen: &Snapshot| {
            seen.metric("my_metric").last().cloned()
        })
        .await
        .expect("the late agent hears the next value");
    assert_eq!(last.numbers(), [2.0]);
    assert_eq!(last.tag("service"), Some("shop"));
    telemetry.shutdown();
}

async fn spans_arrive_with_who_sent_them_and_a_dead_receiver_costs_nothing() {
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let settings = Settings {
        dd_dogstatsd_disable: true,
        otel_bsp_schedule_delay: 100,
        otlp_endpoint: Some(agent.otlp_http_url()),
        dd_service: Some("shop".into()),
        dd_env: Some("test".into()),
        dd_version: Some("1.2.3".into()),
        log_filter: "info".into(),
        ..Settings::default()
    };
    let telemetry = telemetry::init("ignored", &settings).expect("settings");
    let parent = traces::start(
        &Context::new(),
        SpanKind::Server,
        "GET /x",
        vec![KeyValue::new("url.path", "/x")],
    );
    {
        // A `tracing` span inside of it joins the trace.
        let _current = parent.clone().attach();
        tracing::info_span!("work", otel.name = "inner work").in_scope(|| {});
    }
    parent.span().end();
    let (server, inner) = agent
        .store()
        .wait_for(PATIENCE, |seen: &Snapshot| {
            let named = |name: &str| seen.spans.iter().find(|span| &*span.name == name).cloned();
            Some((named("GET /x")?, named("inner work")?))
        })
        .await
        .expect("two spans");
    assert!(inner.is_child_of(&server));
    assert_eq!(server.service(), "shop");
    let resource = |key| {
        server
            .resource
            .attributes
            .get(key)
            .and_then(|v| v.as_str().map(str::to_owned))
    };
    assert_eq!(
        resource("deployment.environment.name").as_deref(),
        Some("test")
    );
    assert_eq!(resource("service.version").as_deref(), Some("1.2.3"));

    agent.shutdown().await;
    for _ in 0..50_000 {
        traces::start(&Context::new(), SpanKind::Server, "lost", Vec::new())
            .span()
            .end();
    }
    let asked = Instant::now();
    telemetry.shutdown();
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "shutdown took {:?}",
        asked.elapsed()
    );
}
