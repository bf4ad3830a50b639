//! The HTTP probe against servers that misbehave, and the trace it starts.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use synthetics::probe::http::HttpProber;
use synthetics::probe::{Assertion, Check, FailureKind, Measurement};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::shop::{Behaviour, Shop};

fn check(url: &str) -> Check {
    Check {
        name: "test".into(),
        method: reqwest::Method::GET,
        url: url.parse().expect("an address"),
        assertions: vec![Assertion::Status(200..=200)],
        timeout: Duration::from_secs(5),
        body_limit: 1_000,
    }
}

async fn probe(check: &Check) -> Measurement {
    let prober = HttpProber::new().expect("TLS can be set up");
    prober.probe(check).await
}

fn kind(measurement: &Measurement) -> Option<FailureKind> {
    measurement.failure.as_ref().map(|failure| failure.kind)
}

/// A server that answers each connection with these bytes, and closes it.
async fn raw(answer: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    url
}

#[tokio::test]
async fn a_right_answer_is_good_and_timed() {
    let shop = Shop::start().await;
    shop.set("/health", Behaviour::Slow(Duration::from_millis(50)));
    let measurement = probe(&check(&format!("{}/health", shop.url))).await;
    assert!(measurement.is_good(), "{measurement:?}");
    assert!(measurement.answered);
    assert_eq!(measurement.status, Some(200));
    assert!(measurement.duration >= Duration::from_millis(50));
}

#[tokio::test]
async fn the_body_is_read_up_to_its_limit_only() {
    let shop = Shop::start().await;
    shop.set("/at", Behaviour::Answer(200, "x".repeat(1_000)));
    shop.set("/above", Behaviour::Answer(200, "x".repeat(1_001)));
    let at = probe(&check(&format!("{}/at", shop.url))).await;
    assert!(at.is_good(), "{at:?}");
    let above = probe(&check(&format!("{}/above", shop.url))).await;
    assert_eq!(kind(&above), Some(FailureKind::TooLarge));
    assert_eq!(above.status, Some(200));
}

#[tokio::test]
async fn broken_answers_are_told_apart() {
    let garbage = probe(&check(&raw(b"this is not HTTP\r\n\r\n").await)).await;
    assert_eq!(kind(&garbage), Some(FailureKind::Protocol), "{garbage:?}");
    let nothing = probe(&check(&raw(b"").await)).await;
    assert_eq!(kind(&nothing), Some(FailureKind::Protocol), "{nothing:?}");
    let half = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let half = probe(&check(&half)).await;
    assert_eq!(kind(&half), Some(FailureKind::Protocol), "{half:?}");
    assert!(!half.answered);
    let name = probe(&check("http://no-such-name.invalid/")).await;
    assert_eq!(kind(&name), Some(FailureKind::Connect), "{name:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let url =
        raw(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            .await;
    let measurement = probe(&check(&url)).await;
    assert_eq!(measurement.status, Some(302));
    assert_eq!(kind(&measurement), Some(FailureKind::Status));
}

#[tokio::test]
async fn a_body_that_trickles_times_out_as_a_whole() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("one connection");
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n")
            .await;
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let check = Check {
        timeout: Duration::from_millis(300),
        ..check(&url)
    };
    let measurement = probe(&check).await;
    assert_eq!(
        kind(&measurement),
        Some(FailureKind::Timeout),
        "{measurement:?}"
    );
    assert!(!measurement.answered);
}

#[tokio::test]
async fn a_probe_is_a_trace_that_the_target_joins() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(layer);
    let shop = Shop::start().await;
    let check = check(&format!("{}/health", shop.url));
    let measurement = probe(&check).with_subscriber(subscriber).await;
    let trace = measurement.trace_id.expect("the probe has a trace");
    let (_, seen) = shop.seen();
    let header = seen.iter().next().expect("the target got a traceparent");
    assert!(
        header.starts_with(&format!("00-{trace}-")) && header.ends_with("-01"),
        "{header}"
    );
}
