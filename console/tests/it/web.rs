//! Pages and API over HTTP, as a browser or a scenario has them.

use console::{Config, Console};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};

use crate::exports::traces;
use crate::{CLIENT, PATIENCE};

/// What somebody may put into every text that reaches a page.
const EVIL: &str = "<script>alert(1)</script>'\"&<img src=x onerror=alert(2)>";

async fn console() -> Console {
    Console::bind(Config::loopback()).await.unwrap()
}

pub(crate) async fn get(console: &Console, path: &str) -> (u16, String) {
    let answer = CLIENT
        .get(format!("{}{path}", console.url()))
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn json(console: &Console, path: &str) -> Value {
    let (status, body) = get(console, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

async fn send(console: &Console, spans: ExportTraceServiceRequest) {
    let url = format!("{}/v1/traces", console.receivers().otlp_http_url());
    let request = CLIENT
        .post(url)
        .header("content-type", "application/x-protobuf");
    assert_eq!(
        request
            .body(spans.encode_to_vec())
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

async fn log(console: &Console, lines: String) -> u16 {
    let url = format!("{}/intake/logs?service=stray", console.url());
    CLIENT
        .post(url)
        .body(lines)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

pub(crate) async fn packet(console: &Console, packet: &str) {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let before = console.receivers().store().stats().datagrams;
    socket
        .send_to(packet.as_bytes(), console.receivers().addresses().dogstatsd)
        .await
        .unwrap();
    let store = console.receivers().store();
    store
        .wait_for(PATIENCE, |seen| {
            (seen.stats.datagrams > before).then_some(())
        })
        .await
        .unwrap();
}

/// The monitors look once a second: asks until they have seen it.
async fn watched(console: &Console, seen: impl Fn(&Value) -> bool) -> Value {
    let look = async {
        loop {
            let monitors = json(console, "/api/v1/monitors").await;
            if seen(&monitors) {
                return monitors;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap()
}

const PAGES: [&str; 7] = [
    "/",
    "/traces",
    "/metrics",
    "/logs",
    "/slos",
    "/monitors",
    "/telemetry",
];

#[tokio::test]
async fn every_page_is_there_before_anything_arrived() {
    let console = console().await;
    for path in PAGES {
        let (status, body) = get(&console, path).await;
        assert_eq!(status, 200, "{path}");
        assert!(
            body.contains("</html>") && body.contains("aria-current=\"page\""),
            "{path}"
        );
    }
    for path in [
        "/nothing",
        "/traces/00000000000000000000000000000001",
        "/services/none",
        "/traces/xyz",
    ] {
        assert_eq!(get(&console, path).await.0, 404, "{path}");
    }
    console.shutdown().await;
}

#[tokio::test]
async fn what_arrived_is_on_the_pages_and_in_the_api() {
    let console = console().await;
    let mut spans = traces();
    let id: String = spans.resource_spans[0].scope_spans[0].spans[0]
        .trace_id
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    spans.resource_spans.truncate(1);
    send(&console, spans).await;
    packet(&console, "my_metric:812|g|#host:stage,service:mymetric").await;
    assert_eq!(log(&console, format!("{{\"service\":\"details\",\"message\":\"shelf is empty\",\"status\":\"error\",\"trace_id\":\"{id}\"}}\nplain text")).await, 204);

    let trace = json(&console, &format!("/api/v1/traces/{id}")).await;
    assert_eq!(trace["logs"][0]["message"], "shelf is empty");
    assert!(!trace["spans"].as_array().unwrap().is_empty());
    let found = json(&console, "/api/v1/traces?limit=5").await;
    assert_eq!(found[0]["trace_id"], id.as_str());
    let (_, page) = get(&console, &format!("/traces/{id}")).await;
    assert!(page.contains("shelf is empty") && page.contains("class=\"waterfall\""));
    let stray = json(&console, "/api/v1/logs?service=stray").await;
    assert_eq!(stray["lines"][0]["message"], "plain text");
    let chart = json(&console, "/api/v1/metrics/chart?name=my_metric&by=host").await;
    assert_eq!(
        chart["lines"],
        json!([{"name": "stage", "values": [812.0]}])
    );
    assert_eq!(chart["thresholds"][1]["value"], 800.0);

    let monitors = watched(&console, |monitors| {
        monitors["monitors"][0]["state"] == "alert"
    })
    .await;
    assert_eq!(
        monitors["monitors"][0]["message"],
        "my_metric on host stage is 812, above 800"
    );
    assert!(get(&console, "/").await.1.contains("above 800"));
    console.shutdown().await;
}

#[tokio::test]
async fn no_text_from_outside_becomes_markup() {
    let console = console().await;
    let mut spans = traces();
    for resource in &mut spans.resource_spans {
        for attribute in resource
            .resource
            .iter_mut()
            .flat_map(|resource| &mut resource.attributes)
        {
            evil(attribute);
        }
        for span in resource
            .scope_spans
            .iter_mut()
            .flat_map(|scope| &mut scope.spans)
        {
            span.name = EVIL.into();
            span.attributes.iter_mut().for_each(evil);
            for event in &mut span.events {
                event.name = EVIL.into();
            }
        }
    }
    let id: String = spans.resource_spans[0].scope_spans[0].spans[0]
        .trace_id
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    send(&console, spans).await;
    log(
        &console,
        json!({"service": EVIL, "message": EVIL, "status": EVIL, "trace_id": id, EVIL: EVIL})
            .to_string(),
    )
    .await;
    packet(&console, &format!("{EVIL}:1|g|#{EVIL}:{EVIL},service:{EVIL},host:{EVIL}\n_sc|{EVIL}|2|m:{EVIL}\nmy_metric:999|g|#host:{EVIL}\nsynthetics.slo.sli:1|g|#slo:{EVIL}\n{EVIL}|nonsense")).await;
    let name = percent(EVIL);
    let mut paths: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).collect();
    paths.extend([
        format!("/services/{name}"),
        format!("/traces/{id}"),
        format!("/metrics?name={name}&by={name}&tags={name}&statistic={name}"),
        "/metrics?name=my_metric&by=host".to_owned(),
        format!("/logs?service={name}&text={name}&trace_id={name}&severity={name}"),
        format!("/traces?service={name}&route={name}&status={name}&min_ms={name}"),
        format!("/{name}"),
    ]);
    watched(&console, |monitors| {
        monitors.to_string().contains("<script>")
    })
    .await;
    for path in paths {
        let (_, body) = get(&console, &path).await;
        for markup in ["<script>alert", "<img src=x", "'\"&<"] {
            assert!(!body.contains(markup), "{path} has {markup}");
        }
    }
    let monitors = get(&console, "/monitors").await.1;
    assert!(
        monitors.contains("&#60;script&#62;"),
        "it is there, as text"
    );
    console.shutdown().await;
}

fn evil(attribute: &mut opentelemetry_proto::tonic::common::v1::KeyValue) {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
    let text = AnyValue {
        value: Some(any_value::Value::StringValue(EVIL.into())),
    };
    attribute.value = Some(text);
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let console = console().await;
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = CLIENT.request(method, format!("{}{path}", console.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    };
    for path in ["/", "/api/v1/overview", "/live", "/static/console.css"] {
        assert_eq!(
            ask("GET", path, &[("host", "evil.example")]).await.status(),
            403,
            "{path}"
        );
        assert_eq!(
            ask("GET", path, &[("origin", "http://evil.example")])
                .await
                .status(),
            403,
            "{path}"
        );
    }
    assert_eq!(
        ask("POST", "/intake/logs", &[("origin", "null")])
            .await
            .status(),
        403
    );
    assert_eq!(ask("POST", "/", &[]).await.status(), 405);
    let page = ask("GET", "/", &[]).await;
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("frame-ancestors 'none'")
            && !policy.contains("unsafe")
    );
    assert_eq!(page.headers()["cache-control"], "no-store");
    let body = page.text().await.unwrap();
    assert!(
        !body.contains("<script>") && !body.contains(" style=") && !body.contains(" onclick"),
        "all is in files"
    );
    console.shutdown().await;
}

#[tokio::test]
async fn questions_that_make_no_sense_are_answered_with_why() {
    let console = console().await;
    for path in [
        "/api/v1/traces?status=maybe",
        "/api/v1/traces?min_ms=-1",
        "/api/v1/traces?max_ms=NaN",
        "/api/v1/traces?limit=x",
        "/api/v1/traces?min_ms=inf",
        "/api/v1/logs?severity=loud",
        "/api/v1/logs?trace_id=1",
        "/api/v1/logs?after=x",
        "/api/v1/overview?window=never",
        "/api/v1/metrics/chart",
        "/api/v1/metrics/chart?name=x&statistic=mode",
    ] {
        let (status, body) = get(&console, path).await;
        assert_eq!(status, 400, "{path}");
        assert!(body.contains("\"error\""), "{path}: {body}");
    }
    assert_eq!(get(&console, "/api/v1/metrics/chart?name=x").await.0, 404);
    assert_eq!(get(&console, "/api/v2").await.0, 404);
    for path in [
        "/api/v1/traces?min_ms=1e300",
        "/api/v1/overview?window=1000000years",
        "/api/v1/traces?limit=99999999",
    ] {
        assert_eq!(get(&console, path).await.0, 200, "{path}");
    }
    console.shutdown().await;
}

#[tokio::test]
async fn the_api_is_described_as_it_is() {
    let console = console().await;
    let document = json(&console, "/api/v1/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 12);
    for (path, methods) in paths {
        let filled = path.replace("{name}", "none").replace("{id}", "none");
        for (method, description) in methods.as_object().unwrap() {
            let method: reqwest::Method = method.to_uppercase().parse().unwrap();
            let answer = CLIENT
                .request(method, format!("{}{filled}", console.url()))
                .send()
                .await
                .unwrap();
            let status = answer.status().as_str().to_owned();
            assert!(
                description["responses"][&status].is_object(),
                "{path} answers {status}, which is not described"
            );
        }
    }
    // What a schema requires is what an answer has.
    let overview = json(&console, "/api/v1/overview").await;
    for field in document["components"]["schemas"]["Overview"]["required"]
        .as_array()
        .unwrap()
    {
        assert!(overview.get(field.as_str().unwrap()).is_some(), "{field}");
    }
    console.shutdown().await;
}

#[tokio::test]
async fn pages_are_told_when_there_is_news_and_stop_with_the_console() {
    let console = console().await;
    let mut live = CLIENT
        .get(format!("{}/live", console.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let first = live.chunk().await.unwrap().unwrap();
    assert_eq!(first, "event: news\ndata: yes\n\n");
    packet(&console, "x:1|c").await;
    let second = tokio::time::timeout(PATIENCE, live.chunk())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(second.starts_with(b"event: news"));
    let started = std::time::Instant::now();
    console.shutdown().await;
    assert!(
        started.elapsed() < std::time::Duration::from_secs(2),
        "an open page does not hold it up"
    );
    while let Ok(Some(_)) = live.chunk().await {}
}

#[tokio::test]
async fn too_many_lines_at_once_are_refused() {
    let console = console().await;
    assert_eq!(log(&console, "x".repeat(5 << 20)).await, 413);
    assert_eq!(
        console.receivers().store().bad_packets().by_reason["body_size"],
        1
    );
    console.shutdown().await;
}
