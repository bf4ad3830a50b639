//! Export requests as a test sends them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

pub(crate) const TRACE: [u8; 16] =
    *b"\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36";

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn resource(service: &str) -> Option<Resource> {
    Some(Resource {
        attributes: vec![
            text("service.name", service),
            text("deployment.environment.name", "demo"),
        ],
        ..Resource::default()
    })
}

/// A server span of productpage and its child, a failed client span of reviews.
pub(crate) fn traces() -> ExportTraceServiceRequest {
    let server = Span {
        trace_id: TRACE.into(),
        span_id: vec![1; 8],
        name: "GET /productpage".into(),
        kind: 2,
        start_time_unix_nano: 1_000_000_000,
        end_time_unix_nano: 1_250_000_000,
        attributes: vec![
            text("http.route", "/productpage"),
            attribute("http.response.status_code", Value::IntValue(200)),
        ],
        ..Span::default()
    };
    let client = Span {
        trace_id: TRACE.into(),
        span_id: vec![2; 8],
        parent_span_id: vec![1; 8],
        name: "GetItem".into(),
        kind: 3,
        start_time_unix_nano: 1_100_000_000,
        end_time_unix_nano: 1_200_000_000,
        attributes: vec![text("db.system", "dynamodb")],
        status: Some(Status {
            code: 2,
            message: "throttled".into(),
        }),
        ..Span::default()
    };
    let scope = |spans| {
        vec![ScopeSpans {
            scope: Some(InstrumentationScope {
                name: "web".into(),
                ..InstrumentationScope::default()
            }),
            spans,
            ..ScopeSpans::default()
        }]
    };
    ExportTraceServiceRequest {
        resource_spans: vec![
            ResourceSpans {
                resource: resource("productpage"),
                scope_spans: scope(vec![server]),
                ..ResourceSpans::default()
            },
            ResourceSpans {
                resource: resource("reviews"),
                scope_spans: scope(vec![client]),
                ..ResourceSpans::default()
            },
        ],
    }
}

pub(crate) fn metrics() -> ExportMetricsServiceRequest {
    let point = HistogramDataPoint {
        count: 3,
        sum: Some(0.6),
        explicit_bounds: vec![0.1, 1.0],
        bucket_counts: vec![1, 2, 0],
        time_unix_nano: 5,
        attributes: vec![text("http.route", "/x")],
        ..HistogramDataPoint::default()
    };
    let metric = Metric {
        name: "http.server.request.duration".into(),
        unit: "s".into(),
        data: Some(Data::Histogram(Histogram {
            data_points: vec![point],
            aggregation_temporality: 1,
        })),
        ..Metric::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: resource("details"),
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![metric],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

pub(crate) fn logs() -> ExportLogsServiceRequest {
    let record = LogRecord {
        time_unix_nano: 7,
        severity_number: 17,
        severity_text: "ERROR".into(),
        body: Some(AnyValue {
            value: Some(Value::StringValue("the store is gone".into())),
        }),
        trace_id: TRACE.into(),
        span_id: vec![1; 8],
        ..LogRecord::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: resource("ratings"),
            scope_logs: vec![ScopeLogs {
                log_records: vec![record],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
