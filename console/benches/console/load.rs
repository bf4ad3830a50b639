//! Load: floods of packets, spans as fast as they go, and the shop's mix at a fixed rate.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use console::otlp::Signal;
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::child::{Addresses, Child};

/// Spans in a request, as exporters batch them.
const BATCH: u64 = 500;

static IDS: AtomicU64 = AtomicU64::new(1);

/// Sends packets at a rate; how many, and the rate that it came to.
pub(crate) fn flood(to: SocketAddr, rate: u64, metrics: usize, length: Duration) -> (u64, f64) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let line = "http.server.request.duration:0.0125|d|#service:details,http.route:/details/{id},http.request.method:GET,http.response.status_code:200";
    let packet = vec![line; metrics].join("\n");
    let started = Instant::now();
    let mut sent = 0;
    loop {
        let due = (started.elapsed().min(length).as_secs_f64() * rate as f64) as u64;
        while sent < due {
            socket.send_to(packet.as_bytes(), to).unwrap();
            sent += 1;
        }
        if started.elapsed() >= length {
            return (sent, sent as f64 / started.elapsed().as_secs_f64());
        }
        std::thread::yield_now();
    }
}

/// One page of the shop: ten spans of four services.
fn page() -> Vec<Value> {
    let trace = IDS.fetch_add(1, Ordering::Relaxed);
    let now = 1_700_000_000_000_000_000 + trace * 1_000;
    let rows = [
        ("productpage", 0, 2, "/productpage"),
        ("productpage", 1, 3, ""),
        ("details", 2, 2, "/details/{id}"),
        ("details", 3, 3, "db"),
        ("productpage", 1, 3, ""),
        ("reviews", 5, 2, "/reviews/{id}"),
        ("reviews", 6, 3, "db"),
        ("reviews", 6, 3, ""),
        ("ratings", 8, 2, "/ratings/{id}"),
        ("ratings", 9, 3, "db"),
    ];
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let spans = rows.iter().enumerate().map(|(at, (service, parent, kind, route))| {
        let id = |at: u64| format!("{:016x}", trace * 16 + at);
        let mut attributes = vec![
            text("http.request.method", "GET"), text("url.path", "/productpage"), text("url.scheme", "http"),
            json!({"key": "http.response.status_code", "value": {"intValue": "200"}}),
        ];
        match *route {
            "db" => attributes.extend([text("db.system", "dynamodb"), text("db.operation.name", "GetItem")]),
            "" => attributes.extend([text("server.address", "127.0.0.1"), text("url.full", "http://127.0.0.1:9081/details/0")]),
            route => attributes.push(text("http.route", route)),
        }
        json!({
            "resource": {"attributes": [text("service.name", service), text("service.version", "0.1.0"), text("deployment.environment.name", "demo")]},
            "scopeSpans": [{"scope": {"name": "web"}, "spans": [{
                "traceId": format!("{trace:032x}"), "spanId": id(at as u64 + 1),
                "parentSpanId": if *parent == 0 { String::new() } else { id(*parent) },
                "name": format!("GET {route}"), "kind": kind, "attributes": attributes,
                "startTimeUnixNano": now.to_string(), "endTimeUnixNano": (now + 12_000_000).to_string(),
            }]}],
        })
    });
    spans.collect()
}

fn request(pages: u64) -> Vec<u8> {
    let spans: Vec<Value> = (0..pages).flat_map(|_| page()).collect();
    let request: ExportTraceServiceRequest =
        serde_json::from_value(json!({ "resourceSpans": spans })).unwrap();
    request.encode_to_vec()
}

/// Gives the traces of a request ids that none had before: the upper half of each, which is zero until then, becomes the number.
fn renumber(body: &mut [u8], number: u64) {
    // A trace id is the first field of a span, 16 bytes long.
    const ZERO: [u8; 10] = [0x0a, 16, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut at = 0;
    while let Some(window) = body.get_mut(at..at + ZERO.len()) {
        if window == ZERO {
            window[2..].copy_from_slice(&number.to_be_bytes());
            at += 18;
        } else {
            at += 1;
        }
    }
}

/// Sends spans from several senders as fast as they are taken; how many.
pub(crate) async fn spans(otlp: &str, senders: usize, gzip: bool, length: Duration) -> u64 {
    // Made beforehand, but for the ids: making them takes longer than taking them.
    let body = request(BATCH / 10);
    let client = reqwest::Client::new();
    let started = Instant::now();
    let tasks: Vec<_> = (0..senders)
        .map(|_| {
            let (client, body) = (client.clone(), body.clone());
            let url = format!("{otlp}/v1/{}", Signal::Traces.name());
            tokio::spawn(async move {
                let mut sent = 0;
                while started.elapsed() < length {
                    let mut body = body.clone();
                    renumber(&mut body, IDS.fetch_add(1, Ordering::Relaxed));
                    let request = client
                        .post(&url)
                        .header("content-type", "application/x-protobuf");
                    let request = if gzip {
                        request.header("content-encoding", "gzip").body(pack(&body))
                    } else {
                        request.body(body)
                    };
                    assert_eq!(request.send().await.unwrap().status(), 200);
                    sent += BATCH;
                }
                sent
            })
        })
        .collect();
    let mut sent = 0;
    for task in tasks {
        sent += task.await.unwrap();
    }
    sent
}

fn pack(body: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// The shop's mix at so many pages a second, until told to stop; how many pages, and how many packets.
pub(crate) async fn shop(to: Addresses, rate: u64, stop: CancellationToken) -> (u64, u64) {
    let packets = tokio::spawn(packets(to.dogstatsd, rate, stop.clone()));
    let pages_a_tick = rate / 10;
    let first = IDS.load(Ordering::Relaxed);
    let spans = request(pages_a_tick);
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut pages = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return (pages, packets.await.unwrap()),
            _ = ticks.tick() => {}
        }
        let number = IDS.fetch_add(1, Ordering::Relaxed);
        let mut body = spans.clone();
        renumber(&mut body, number);
        let traces = to
            .client
            .post(format!("{}/v1/traces", to.otlp))
            .header("content-type", "application/x-protobuf")
            .body(body);
        let logs = to
            .client
            .post(format!("{}/intake/logs", to.pages))
            .body(lines(number, first..first + pages_a_tick));
        let (traces, logs) = tokio::join!(traces.send(), logs.send());
        assert_eq!(traces.unwrap().status(), 200);
        assert_eq!(logs.unwrap().status(), 204);
        pages += pages_a_tick;
    }
}

/// Four log lines of each of these pages.
fn lines(number: u64, pages: std::ops::Range<u64>) -> String {
    use std::fmt::Write as _;
    let mut lines = String::new();
    for page in pages {
        for service in ["productpage", "details", "reviews", "ratings"] {
            writeln!(
                lines,
                r#"{{"timestamp":"2026-11-20T10:00:00.250Z","status":"info","service":"{service}","dd.service":"{service}","dd.env":"demo","dd.version":"0.1.0","logger.name":"web::observe","message":"request","http.request.method":"GET","http.route":"/details/{{id}}","url.path":"/details/0","http.response.status_code":200,"duration_ms":12.5,"trace_id":"{number:016x}{page:016x}"}}"#
            )
            .unwrap();
        }
    }
    lines
}

/// A packet of forty samples for each ten pages, as services that gather them for a second send them.
async fn packets(to: SocketAddr, rate: u64, stop: CancellationToken) -> u64 {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let packet = ["http.server.request.duration:0.00125|d|#http.request.method:GET,http.route:/details/{id},http.response.status_code:200,service:details,version:0.1.0"; 40].join("\n");
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut sent = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return sent,
            _ = ticks.tick() => {}
        }
        for _ in 0..rate / 1_000 {
            socket.send_to(packet.as_bytes(), to).await.unwrap();
            sent += 1;
        }
    }
}

/// How long pages took.
#[derive(Default)]
pub(crate) struct PageTimes(Vec<(String, Vec<Duration>)>);

impl PageTimes {
    /// Asks for every page once.
    pub(crate) async fn look(&mut self, child: &Child) {
        let found = child
            .client
            .get(format!("{}/api/v1/traces?limit=1", child.pages))
            .send()
            .await
            .unwrap();
        let found: Value = found.json().await.unwrap();
        let trace = found[0]["trace_id"].as_str().unwrap_or("0").to_owned();
        let pages = [
            ("/", String::new()),
            ("/services/details", String::new()),
            ("/traces", String::new()),
            ("/traces?route=none", String::new()),
            ("/traces/{id}", trace),
            ("/metrics", String::new()),
            ("/logs", String::new()),
            ("/logs?text=none", String::new()),
            ("/slos", String::new()),
            ("/monitors", String::new()),
            ("/telemetry", String::new()),
        ];
        for (path, id) in pages {
            let started = Instant::now();
            let answer = child
                .client
                .get(format!("{}{}", child.pages, path.replace("{id}", &id)))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.bytes().await.unwrap();
            let took = started.elapsed();
            match self.0.iter_mut().find(|(known, _)| known == path) {
                Some((_, times)) => times.push(took),
                None => self.0.push((path.to_owned(), vec![took])),
            }
        }
    }

    pub(crate) fn print(&mut self) {
        for (path, times) in &mut self.0 {
            times.sort();
            let at = |q: f64| {
                times[((q * times.len() as f64).ceil() as usize).max(1) - 1].as_secs_f64() * 1e3
            };
            println!(
                "  {path:<20} p50 {:>6.1} ms, p95 {:>6.1} ms, longest {:>6.1} ms of {}",
                at(0.5),
                at(0.95),
                at(1.0),
                times.len()
            );
        }
    }
}
