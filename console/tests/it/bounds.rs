//! What a sender may not do: too large, too slow, too much at once, nonsense.

use std::time::Duration;

use console::otlp::{self, Encoding, Signal, decode};
use console::{Addresses, Intake, Limits, Receivers, Store};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::exports::{gzip, traces};
use crate::{CLIENT, PATIENCE};

async fn agent(intake: Intake) -> Receivers {
    Receivers::bind_with(Addresses::loopback(), Store::new(Limits::default()), intake)
        .await
        .unwrap()
}

async fn post(
    agent: &Receivers,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> (u16, String) {
    let mut request = CLIENT
        .post(format!("{}{path}", agent.otlp_http_url()))
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

/// Path, headers and body; the status it gets, and the reason it is counted by.
type Refused<'a> = (&'a str, &'a [(&'a str, &'a str)], Vec<u8>, u16, &'a str);

/// As many empty spans as one wants, at two bytes each.
pub(crate) fn empty_spans(count: usize) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans {
        spans: vec![Span::default(); count],
        ..ScopeSpans::default()
    }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans,
            ..ResourceSpans::default()
        }],
    }
    .encode_to_vec()
}

#[tokio::test]
async fn http_refuses_and_says_why() {
    let agent = agent(Intake {
        body: 1 << 20,
        decoded: 8 << 20,
        ..Intake::default()
    })
    .await;
    let bomb = gzip(&vec![0; 4 << 20]);
    assert!(bomb.len() < 1 << 20);
    let crowd = empty_spans(50_000);
    assert!(crowd.len() < 1 << 20);
    let json_crowd = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}{{}}]}}]}}]}}"#,
        "{},".repeat(50_000)
    );
    let cases: Vec<Refused<'_>> = vec![
        (
            "/v1/traces",
            &[PROTOBUF],
            vec![0; 2 << 20],
            413,
            "body_size",
        ),
        ("/v1/traces", &[PROTOBUF, GZIP], bomb, 413, "body_size"),
        ("/v1/traces", &[PROTOBUF], crowd, 413, "decoded_size"),
        (
            "/v1/traces",
            &[JSON],
            json_crowd.into_bytes(),
            413,
            "decoded_size",
        ),
        (
            "/v1/traces",
            &[PROTOBUF, GZIP],
            b"not gzip".to_vec(),
            400,
            "gzip",
        ),
        (
            "/v1/traces",
            &[PROTOBUF, GZIP],
            gzip(&[1; 4000])[..30].to_vec(),
            400,
            "gzip",
        ),
        (
            "/v1/traces",
            &[PROTOBUF],
            b"not protobuf".to_vec(),
            400,
            "protobuf",
        ),
        ("/v1/metrics", &[JSON], b"{".to_vec(), 400, "json"),
        ("/v1/metrics", &[JSON], b"[]".to_vec(), 400, "json"),
        (
            "/v1/logs",
            &[JSON],
            "[".repeat(100_000).into_bytes(),
            400,
            "json",
        ),
        (
            "/v1/logs",
            &[("content-type", "text/plain")],
            b"x".to_vec(),
            415,
            "media_type",
        ),
        ("/v1/logs", &[], b"x".to_vec(), 415, "media_type"),
        (
            "/v1/logs",
            &[PROTOBUF, ("content-encoding", "br")],
            b"x".to_vec(),
            415,
            "media_type",
        ),
    ];
    for (case, (path, headers, body, status, reason)) in cases.into_iter().enumerate() {
        agent.store().clear();
        let (got, text) = post(&agent, path, headers, body).await;
        assert_eq!(got, status, "case {case}: {text}");
        assert!(text.len() > 10, "case {case} does not say why");
        assert_eq!(
            agent
                .store()
                .bad_packets()
                .by_reason
                .keys()
                .collect::<Vec<_>>(),
            [&reason],
            "case {case}"
        );
    }
    assert_eq!(
        post(&agent, "/v1/profiles", &[PROTOBUF], vec![]).await.0,
        404
    );
    assert_eq!(
        CLIENT
            .get(format!("{}/v1/traces", agent.otlp_http_url()))
            .send()
            .await
            .unwrap()
            .status(),
        405
    );
    assert_eq!(
        post(&agent, "/v1/traces", &[PROTOBUF], traces().encode_to_vec())
            .await
            .0,
        200,
        "it still works"
    );
    agent.shutdown().await;
}

#[tokio::test]
async fn grpc_refuses_and_says_why() {
    let agent = agent(Intake {
        body: 1 << 20,
        decoded: 8 << 20,
        ..Intake::default()
    })
    .await;
    let mut client = TraceServiceClient::connect(agent.otlp_grpc_url())
        .await
        .unwrap();
    let crowd = ExportTraceServiceRequest::decode(&*empty_spans(50_000)).unwrap();
    assert_eq!(
        client.export(crowd).await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    assert_eq!(
        agent.store().bad_packets().by_reason.get("decoded_size"),
        Some(&1)
    );

    let mut huge = traces();
    huge.resource_spans[0].scope_spans[0].spans[0].name = "x".repeat(2 << 20);
    assert_eq!(
        client.export(huge).await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    assert_eq!(
        agent.store().bad_packets().by_reason.get("body_size"),
        Some(&1)
    );

    let mut packed = client
        .clone()
        .send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let mut bomb = traces();
    bomb.resource_spans[0].scope_spans[0].spans[0].name = "x".repeat(4 << 20);
    let status = packed.export(bomb).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::ResourceExhausted | Code::OutOfRange),
        "{status:?}"
    );
    assert_eq!(
        agent.store().bad_packets().by_reason.get("grpc"),
        Some(&1),
        "{:?}",
        agent.store().bad_packets()
    );

    client.export(traces()).await.unwrap();
    assert_eq!(agent.store().spans().len(), 2);
    agent.shutdown().await;
}

#[tokio::test]
async fn who_finds_the_memory_taken_may_try_again() {
    let agent = agent(Intake {
        under_way: 64 << 10,
        ..Intake::default()
    })
    .await;
    let mut large = traces();
    large.resource_spans[0].scope_spans[0].spans[0].name = "x".repeat(100_000);
    let (status, text) = post(&agent, "/v1/traces", &[PROTOBUF], large.encode_to_vec()).await;
    assert_eq!(status, 503, "{text}");
    let mut client = TraceServiceClient::connect(agent.otlp_grpc_url())
        .await
        .unwrap();
    assert_eq!(
        client.export(large).await.unwrap_err().code(),
        Code::Unavailable
    );
    // What was held for them was given back.
    for _ in 0..50 {
        assert_eq!(
            post(&agent, "/v1/traces", &[PROTOBUF], traces().encode_to_vec())
                .await
                .0,
            200
        );
    }
    agent.shutdown().await;
}

#[tokio::test]
async fn who_is_slow_is_let_go() {
    let agent = agent(Intake {
        patience: Duration::from_millis(50),
        ..Intake::default()
    })
    .await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n";
    for (sent, answer) in [
        (String::new(), None),
        (head.to_owned(), None),
        (
            format!("{head}content-length: 100\r\n\r\nabc"),
            Some("HTTP/1.1 408 "),
        ),
    ] {
        let mut stream = TcpStream::connect(agent.addresses().otlp_http)
            .await
            .unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut got = String::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut got)).await;
        read.expect("the connection is closed").unwrap();
        if let Some(answer) = answer {
            assert!(got.starts_with(answer), "{got}");
        }
    }
    assert_eq!(
        agent.store().bad_packets().by_reason.get("body_slow"),
        Some(&1)
    );
    agent.shutdown().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let agent = agent(Intake {
        connections: 1,
        ..Intake::default()
    })
    .await;
    let mut first = TcpStream::connect(agent.addresses().otlp_http)
        .await
        .unwrap();
    first
        .write_all(b"GET /v1/traces HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();

    let second = post(&agent, "/v1/traces", &[PROTOBUF], traces().encode_to_vec());
    let mut second = Box::pin(second);
    let early = tokio::time::timeout(Duration::from_millis(50), second.as_mut()).await;
    assert!(
        early.is_err(),
        "one connection is open, the second has to wait"
    );
    drop(first);
    assert_eq!(tokio::time::timeout(PATIENCE, second).await.unwrap().0, 200);
    agent.shutdown().await;
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_shutdown() {
    let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
    let client = reqwest::Client::new();
    let request = client
        .post(format!("{}/v1/traces", agent.otlp_http_url()))
        .header(PROTOBUF.0, PROTOBUF.1);
    assert_eq!(
        request.send().await.unwrap().status(),
        200,
        "an empty request is a good one"
    );
    let _silent = TcpStream::connect(agent.addresses().otlp_grpc)
        .await
        .unwrap();
    let mut grpc = TraceServiceClient::connect(agent.otlp_grpc_url())
        .await
        .unwrap();
    grpc.export(traces()).await.unwrap();
    let address = agent.addresses().otlp_http;
    let started = std::time::Instant::now();
    agent.shutdown().await;
    assert!(
        started.elapsed() < Duration::from_millis(1_900),
        "{:?}",
        started.elapsed()
    );
    assert!(TcpStream::connect(address).await.is_err());
}

#[test]
fn deep_nesting_is_an_error_not_an_overflow() {
    // An attribute value that is a list of a list of a list and so on, in protobuf from the inside out.
    let mut value = Vec::new();
    for _ in 0..5_000 {
        for tag in [0x0a, 0x2a] {
            let mut outer = vec![tag];
            prost::encoding::encode_varint(value.len() as u64, &mut outer);
            outer.append(&mut value);
            value = outer;
        }
    }
    for tag in [0x12, 0x0a, 0x0a, 0x0a] {
        let mut outer = vec![tag];
        prost::encoding::encode_varint(value.len() as u64, &mut outer);
        outer.append(&mut value);
        value = outer;
    }
    assert!(matches!(
        decode(Signal::Traces, Encoding::Protobuf, &value, usize::MAX),
        Err(otlp::Error::Protobuf(_))
    ));
}
