//! The trace of a probe, as a receiver of OTLP gets it from the program itself.

use std::sync::Arc;
use std::time::Duration;

use console::otlp::{Span, SpanKind};
use console::{Addresses, Receivers, Snapshot};

use crate::gate::synthetics;
use crate::shop::{Behaviour, Shop};

const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the prober with this configuration, whose addresses begin with `SHOP`.
async fn spans_of(
    shop: &Shop,
    config: &str,
    enough: impl Fn(&[Arc<Span>]) -> bool,
) -> (Vec<Arc<Span>>, String) {
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("synthetics.yaml");
    std::fs::write(&file, config.replace("SHOP", &shop.url)).expect("a file");
    let log = folder.path().join("log");
    let file = file.to_str().expect("text");
    let _running = synthetics(&["run", "--config", file, "--location", "tokyo"])
        .env_remove("OTEL_SDK_DISABLED")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", agent.otlp_http_url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "50")
        .stdout(std::fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("it runs");
    let spans = agent
        .store()
        .wait_for(PATIENCE, |seen: &Snapshot| {
            enough(&seen.spans).then(|| seen.spans.to_vec())
        })
        .await
        .expect("spans");
    // The log is written a moment after the probe.
    crate::gate::wait_for(|| std::fs::read_to_string(&log).is_ok_and(|l| l.contains("check is")))
        .await;
    (spans, std::fs::read_to_string(&log).expect("a log"))
}

fn named<'s>(spans: &'s [Arc<Span>], name: &str) -> Vec<&'s Arc<Span>> {
    spans.iter().filter(|span| *span.name == *name).collect()
}

fn text<'s>(span: &'s Span, key: &str) -> Option<&'s str> {
    span.attributes.get(key).and_then(|value| value.as_str())
}

#[tokio::test]
async fn a_probe_is_one_trace_that_the_target_joins_and_the_log_names() {
    let shop = Shop::start().await;
    shop.set("/productpage", Behaviour::Answer(500, String::new()));
    let config = "\
version: 1
checks:
  - name: page
    interval: 30s
    http: {url: 'SHOP/productpage?key=s3cret'}
";
    let (spans, log) = spans_of(&shop, config, |spans| !spans.is_empty()).await;
    let [root] = named(&spans, "probe page")[..] else {
        panic!("{spans:#?}");
    };
    assert_eq!((root.kind, root.parent_span_id), (SpanKind::Client, None));
    assert_eq!(root.service(), "synthetics");
    assert!(root.status.is_error());
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.full", &*format!("{}/productpage", shop.url)),
        ("server.address", "127.0.0.1"),
        ("error.type", "status"),
        ("synthetics.check", "page"),
        ("synthetics.location", "tokyo"),
    ] {
        assert_eq!(text(root, key), Some(value), "{key}");
    }
    assert_eq!(
        root.attributes["http.response.status_code"].as_i64(),
        Some(500)
    );
    for phase in ["dns", "connect", "first_byte", "transfer"] {
        let key = format!("synthetics.phase.{phase}");
        let seconds = root.attributes[&*key].as_f64();
        assert!(
            seconds.is_some_and(|s| s > 0.0 && s < 5.0),
            "{key}: {seconds:?}"
        );
    }
    assert!(root.attributes.get("synthetics.phase.tls").is_none());
    // The target was told exactly this span.
    let (_, headers) = shop.seen();
    let expected = format!("00-{}-{}-01", root.trace_id, root.span_id);
    assert_eq!(headers.into_iter().collect::<Vec<_>>(), [expected]);
    let down = log.lines().find(|line| line.contains("check is down"));
    let down: serde_json::Value = serde_json::from_str(down.expect("a line")).expect("JSON");
    assert_eq!(down["trace_id"], root.trace_id.to_string());
    assert_eq!(down["dd.trace_id"], root.trace_id.to_string());
    assert!(!log.contains("s3cret"));
}

#[tokio::test]
async fn retries_and_steps_are_children_of_the_probe() {
    let shop = Shop::start().await;
    shop.set("/productpage", Behaviour::Answer(503, String::new()));
    let config = "\
version: 1
defaults: {interval: 30s, timeout: 2s}
checks:
  - name: page
    retries: {most: 2}
    http: {url: SHOP/productpage}
  - name: walk
    journey:
      - {name: first, http: {url: SHOP/health}}
      - {name: second, http: {url: SHOP/productpage}}
      - {name: third, http: {url: SHOP/health}}
";
    let roots = |spans: &[Arc<Span>]| spans.iter().filter(|s| s.parent_span_id.is_none()).count();
    let (spans, _) = spans_of(&shop, config, |spans| roots(spans) >= 2).await;
    let [page] = named(&spans, "probe page")[..] else {
        panic!("{spans:#?}");
    };
    let again = named(&spans, "probe page again");
    assert_eq!(again.len(), 2);
    for (n, retry) in again.iter().enumerate() {
        assert!(retry.is_child_of(page));
        let resent = retry.attributes["http.request.resend_count"].as_i64();
        assert_eq!(resent, i64::try_from(n + 1).ok());
        assert!(retry.start_unix_nanos >= page.start_unix_nanos);
        assert!(retry.end_unix_nanos <= page.end_unix_nanos);
    }
    assert_eq!(page.attributes["synthetics.attempts"].as_i64(), Some(3));

    let [walk] = named(&spans, "probe walk")[..] else {
        panic!("{spans:#?}");
    };
    assert_eq!(walk.kind, SpanKind::Internal, "it is the steps that ask");
    let [first, second] = ["step first", "step second"].map(|name| named(&spans, name)[0]);
    for (step, status, error) in [(first, 200, false), (second, 503, true)] {
        assert!(step.is_child_of(walk));
        assert_eq!(step.kind, SpanKind::Client);
        assert_eq!(
            step.attributes["http.response.status_code"].as_i64(),
            Some(status)
        );
        assert_eq!(step.status.is_error(), error);
    }
    assert!(walk.status.is_error());
    assert!(named(&spans, "step third").is_empty(), "it was not reached");
    // Every request carried the span that it belongs to.
    let (_, headers) = shop.seen();
    for span in [page, again[0], again[1], first, second] {
        let header = format!("00-{}-{}-01", span.trace_id, span.span_id);
        assert!(headers.contains(&header), "{}: {headers:?}", span.name);
    }
}
