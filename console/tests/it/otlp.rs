//! OTLP over HTTP and gRPC, as exporters send it.

use console::otlp::{Severity, SpanKind, SpanStatus};
use console::{Addresses, Receivers, Snapshot};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tonic::codec::CompressionEncoding;

use crate::exports::{TRACE, gzip, logs, metrics, traces};
use crate::{CLIENT, PATIENCE};

fn assert_traces(seen: &Snapshot) {
    let server = seen.service("productpage").next().unwrap();
    let client = seen.service("reviews").next().unwrap();
    assert_eq!(server.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(server.span_id.to_string(), "0101010101010101");
    assert_eq!(server.parent_span_id, None);
    assert_eq!(
        (&*server.name, server.kind),
        ("GET /productpage", SpanKind::Server)
    );
    assert_eq!(server.duration().as_millis(), 250);
    assert_eq!(server.status, SpanStatus::Unset);
    assert_eq!(server.attributes["http.route"], "/productpage");
    assert_eq!(server.attributes["http.response.status_code"], 200);
    assert!(server.attributes["no.such.key"].is_null());
    assert_eq!(
        server.resource.attributes["deployment.environment.name"],
        "demo"
    );
    assert_eq!(&*server.scope, "web");
    assert!(client.is_child_of(server));
    assert_eq!(seen.parent(client), Some(server));
    assert_eq!(client.status, SpanStatus::Error("throttled".into()));
}

fn assert_metrics(seen: &Snapshot) {
    let point = &seen.points[0];
    assert_eq!(
        (&*point.name, &*point.unit, point.service()),
        ("http.server.request.duration", "s", "details")
    );
    let console::otlp::PointValue::Histogram {
        count,
        bounds,
        counts,
        ..
    } = &point.value
    else {
        panic!("{point:?}")
    };
    assert_eq!(
        (*count, &**bounds, &**counts),
        (3, &[0.1, 1.0][..], &[1, 2, 0][..])
    );
}

fn assert_logs(seen: &Snapshot) {
    let log = &seen.logs[0];
    assert_eq!((log.service(), log.severity), ("ratings", Severity::Error));
    assert_eq!(log.body, "the store is gone");
    assert_eq!(log.trace_id.unwrap(), "4bf92f3577b34da6a3ce929d0e0e4736");
}

async fn post(
    url: String,
    media_type: &str,
    encoding: Option<&str>,
    body: Vec<u8>,
) -> reqwest::Response {
    let mut request = CLIENT
        .post(url)
        .header("content-type", media_type)
        .body(body);
    if let Some(encoding) = encoding {
        request = request.header("content-encoding", encoding);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn http_takes_protobuf_and_json_packed_or_not() {
    for json in [false, true] {
        for packed in [false, true] {
            let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
            let bodies = if json {
                [
                    ("traces", serde_json::to_vec(&traces()).unwrap()),
                    ("metrics", serde_json::to_vec(&metrics()).unwrap()),
                    ("logs", serde_json::to_vec(&logs()).unwrap()),
                ]
            } else {
                [
                    ("traces", traces().encode_to_vec()),
                    ("metrics", metrics().encode_to_vec()),
                    ("logs", logs().encode_to_vec()),
                ]
            };
            let media_type = if json {
                "application/json; charset=utf-8"
            } else {
                "application/x-protobuf"
            };
            for (signal, body) in bodies {
                let (encoding, body) = if packed {
                    (Some("gzip"), gzip(&body))
                } else {
                    (None, body)
                };
                let response = post(
                    format!("{}/v1/{signal}", agent.otlp_http_url()),
                    media_type,
                    encoding,
                    body,
                )
                .await;
                assert_eq!(
                    response.status(),
                    200,
                    "{signal} json={json} packed={packed}"
                );
                let answer = response.bytes().await.unwrap();
                assert_eq!(&answer[..], if json { &b"{}"[..] } else { b"" });
            }
            let seen = agent.store().snapshot();
            assert_traces(&seen);
            assert_metrics(&seen);
            assert_logs(&seen);
            assert_eq!(seen.bad_packets.total, 0, "{:?}", seen.bad_packets);
            agent.shutdown().await;
        }
    }
}

/// The JSON encoding as its specification has it, written by hand: ids in hexadecimal, 64-bit numbers as text or not, unknown fields ignored.
#[tokio::test]
async fn json_as_other_languages_write_it() {
    let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
    let body = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},
        "scopeSpans":[{"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"",
        "name":"I'm a server span","startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000,"kind":2,
        "futureField":{"a":[1,2]},
        "attributes":[{"key":"n","value":{"intValue":"42"}},{"key":"list","value":{"arrayValue":{"values":[{"boolValue":true}]}}}]}]}]}]}"#;
    let response = post(
        format!("{}/v1/traces", agent.otlp_http_url()),
        "application/json",
        None,
        body.into(),
    )
    .await;
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    let span = agent.store().spans().remove(0);
    assert_eq!(
        span.trace_id.to_string(),
        "5b8efff798038103d269b633813fc60c"
    );
    assert_eq!((span.parent_span_id, span.duration().as_secs()), (None, 1));
    assert_eq!(span.attributes["n"], 42);
    assert_eq!(span.attributes["list"].to_string(), "[true]");
    agent.shutdown().await;
}

#[tokio::test]
async fn grpc_takes_all_signals_packed_or_not() {
    for packed in [false, true] {
        let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
        let url = agent.otlp_grpc_url();
        let mut traces_client = TraceServiceClient::connect(url.clone()).await.unwrap();
        let mut metrics_client = MetricsServiceClient::connect(url.clone()).await.unwrap();
        let mut logs_client = LogsServiceClient::connect(url).await.unwrap();
        if packed {
            traces_client = traces_client.send_compressed(CompressionEncoding::Gzip);
            metrics_client = metrics_client.send_compressed(CompressionEncoding::Gzip);
            logs_client = logs_client.send_compressed(CompressionEncoding::Gzip);
        }
        assert_eq!(
            traces_client
                .export(traces())
                .await
                .unwrap()
                .into_inner()
                .partial_success,
            None
        );
        assert_eq!(
            metrics_client
                .export(metrics())
                .await
                .unwrap()
                .into_inner()
                .partial_success,
            None
        );
        assert_eq!(
            logs_client
                .export(logs())
                .await
                .unwrap()
                .into_inner()
                .partial_success,
            None
        );
        let seen = agent
            .store()
            .wait_for(PATIENCE, |seen| {
                (seen.stats.requests == 3).then(|| seen.clone())
            })
            .await
            .unwrap();
        assert_traces(&seen);
        assert_metrics(&seen);
        assert_logs(&seen);
        agent.shutdown().await;
    }
}

#[tokio::test]
async fn a_bad_span_is_rejected_and_the_good_ones_are_kept() {
    let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
    let mut request = traces();
    request.resource_spans[0].scope_spans[0].spans.push(Span {
        trace_id: vec![1; 3],
        span_id: vec![1; 8],
        ..Span::default()
    });
    request.resource_spans[0].scope_spans[0].spans.push(Span {
        trace_id: TRACE.into(),
        span_id: vec![0; 8],
        ..Span::default()
    });
    let response = post(
        format!("{}/v1/traces", agent.otlp_http_url()),
        "application/x-protobuf",
        None,
        request.encode_to_vec(),
    )
    .await;
    assert_eq!(response.status(), 200);
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    let rejected = answer.partial_success.unwrap();
    assert_eq!(rejected.rejected_spans, 2);
    assert!(
        rejected.error_message.contains("span id"),
        "{}",
        rejected.error_message
    );
    assert_eq!(agent.store().spans().len(), 2);
    assert_eq!(
        agent.store().bad_packets().by_reason.get("rejected_items"),
        Some(&1)
    );
    agent.shutdown().await;
}

#[tokio::test]
async fn a_log_record_needs_nothing() {
    let agent = Receivers::bind(Addresses::loopback()).await.unwrap();
    let request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                log_records: vec![LogRecord::default()],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    };
    let response = post(
        format!("{}/v1/logs", agent.otlp_http_url()),
        "application/x-protobuf",
        None,
        request.encode_to_vec(),
    )
    .await;
    let answer = ExportLogsServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success, None);
    assert_eq!(
        agent.store().logs()[0].service(),
        console::otlp::UNNAMED_SERVICE
    );
    agent.shutdown().await;
}
