//! Telemetry like the shop's, sent as the shop sends it.

use console::Console;
use serde_json::{Value, json};

use crate::CLIENT;
use crate::web::packet;

/// Service, parent (an index), kind, name, route, begin and end in milliseconds.
type Row = (
    &'static str,
    Option<usize>,
    u8,
    &'static str,
    &'static str,
    u64,
    u64,
);

const ROWS: [Row; 10] = [
    (
        "productpage",
        None,
        2,
        "GET /productpage",
        "/productpage",
        0,
        60,
    ),
    ("productpage", Some(0), 3, "GET", "", 2, 20),
    (
        "details",
        Some(1),
        2,
        "GET /details/{id}",
        "/details/{id}",
        4,
        18,
    ),
    ("details", Some(2), 3, "GetItem", "db", 6, 16),
    ("productpage", Some(0), 3, "GET", "", 3, 58),
    (
        "reviews",
        Some(4),
        2,
        "GET /reviews/{id}",
        "/reviews/{id}",
        6,
        56,
    ),
    ("reviews", Some(5), 3, "Query", "db", 8, 20),
    ("reviews", Some(5), 3, "GET", "", 22, 52),
    (
        "ratings",
        Some(7),
        2,
        "GET /ratings/{id}",
        "/ratings/{id}",
        26,
        50,
    ),
    ("ratings", Some(8), 3, "Query", "db", 28, 48),
];

/// Sends some traces, log lines, metrics and a bad packet; the id of the last trace.
pub(crate) async fn fill(console: &Console) -> String {
    let now = console.receivers().store().now();
    let now = now
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    let mut last = String::new();
    for trace in 1..=12_u64 {
        last = format!("{trace:032x}");
        let spans: Vec<Value> = ROWS
            .iter()
            .enumerate()
            .map(|(at, row)| span(trace, at, row, now))
            .collect();
        let url = format!("{}/v1/traces", console.receivers().otlp_http_url());
        let body = json!({ "resourceSpans": spans });
        assert_eq!(
            CLIENT.post(url).json(&body).send().await.unwrap().status(),
            200
        );
        let lines: Vec<String> = ["productpage", "details", "reviews", "ratings"]
            .iter()
            .map(|service| {
                let (status, message) = if *service == "reviews" { ("warn", "shelf is dusty") } else { ("info", "request") };
                json!({"service": service, "status": status, "message": message, "trace_id": last, "http.route": "/productpage", "duration_ms": 12.5}).to_string()
            })
            .collect();
        let url = format!("{}/intake/logs", console.url());
        assert_eq!(
            CLIENT
                .post(url)
                .body(lines.join("\n"))
                .send()
                .await
                .unwrap()
                .status(),
            204
        );
    }
    packet(console, "my_metric:912|g|#host:stage,service:mymetric\nhttp.server.request.duration:0.02:0.05|d|#service:details,http.route:/details/{id}").await;
    packet(console, "synthetics.slo.sli:99.5|g|#slo:availability,service:synthetics\nsynthetics.slo.budget_remaining:75|g|#slo:availability\nsynthetics.slo.burn_rate:0.25|g|#slo:availability").await;
    packet(
        console,
        "_sc|synthetics.slo.burn|0|#slo:availability|m:burns slowly\nnonsense|",
    )
    .await;
    last
}

fn span(trace: u64, at: usize, row: &Row, now: u64) -> Value {
    let (service, parent, kind, name, route, begin, end) = row;
    let id = |at: usize| format!("{:016x}", trace * 100 + at as u64 + 1);
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let mut attributes = vec![text("http.request.method", "GET")];
    match *route {
        "db" => {
            attributes = vec![
                text("db.system", "dynamodb"),
                text("db.operation.name", name),
            ]
        }
        "" => attributes.push(text("server.address", "127.0.0.1")),
        route => attributes.push(text("http.route", route)),
    }
    // One in twelve requests of ratings fails.
    let failed = *service == "ratings" && *kind == 2 && trace == 11;
    json!({
        "resource": {"attributes": [text("service.name", service), text("service.version", "0.1.0")]},
        "scopeSpans": [{"spans": [{
            "traceId": format!("{trace:032x}"), "spanId": id(at),
            "parentSpanId": parent.map_or_else(String::new, id),
            "name": name, "kind": kind, "attributes": attributes,
            "startTimeUnixNano": (now + begin * 1_000_000).to_string(),
            "endTimeUnixNano": (now + (end + trace) * 1_000_000).to_string(),
            "status": if failed { json!({"code": 2, "message": "could not load ratings"}) } else { json!({}) },
        }]}],
    })
}
