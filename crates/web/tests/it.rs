//! A server as its clients and its orchestrator see it: limits, readiness, drain, the client for the next service.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use sandbox::{Running, answer, eventually};
use serde_json::Value;
use telemetry::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use web::{Config, Forwarded, Outbound, OutboundError, Server};

/// A server with a route that waits until the test lets it go.
struct Held {
    arrived: Arc<Notify>,
    release: watch::Sender<bool>,
    ready: Arc<AtomicBool>,
    server: Running,
}

fn start(config: &Config) -> Held {
    let arrived = Arc::new(Notify::new());
    let (release, held) = watch::channel(false);
    let ready = Arc::new(AtomicBool::new(true));
    let (seen, state) = (Arc::clone(&arrived), Arc::clone(&ready));
    let open = move || Arc::clone(&state);
    let ready_check = |state: &Arc<AtomicBool>| {
        web::ready_when(state, |state: Arc<AtomicBool>| async move {
            state
                .load(Ordering::Relaxed)
                .then_some(())
                .ok_or("the store is out of reach")
        })
    };
    let server = Server::bind(
        config,
        Metrics::disabled(),
        open,
        ready_check,
        move |_, app| {
            let (seen, held) = (Arc::clone(&seen), held.clone());
            app.service(web::get("/held", move || {
                let (seen, mut held) = (Arc::clone(&seen), held.clone());
                async move {
                    seen.notify_one();
                    held.wait_for(|go| *go).await.expect("the test lives");
                    HttpResponse::Ok().body("let go")
                }
            }))
            .service(web::get("/item/{id}", |id: Path<String>| async move {
                id.into_inner()
            }))
            .service(web::get("/headers", |request: HttpRequest| async move {
                let lines = request
                    .headers()
                    .iter()
                    .map(|(n, v)| format!("{n}: {}\n", String::from_utf8_lossy(v.as_bytes())));
                lines.collect::<String>()
            }))
            .service(web::resource("/body", "POST").route(
                actix_web::web::post().to(|body: Bytes| async move { body.len().to_string() }),
            ));
        },
    )
    .expect("server");
    Held {
        arrived,
        release,
        ready,
        server: Running::start(server),
    }
}

fn error_of(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {body}"));
    json["error"].as_str().expect("an error").to_owned()
}

#[tokio::test]
async fn what_is_too_large_or_unknown_is_refused_in_json() {
    let held = start(&Config::local());
    let (status, body) = answer(
        held.server
            .request("GET", "/item/1")
            .header("x-large", "x".repeat(20_000)),
    )
    .await;
    assert_eq!(status, 431);
    assert!(error_of(&body).contains("16384 bytes"));
    let (status, _) = answer(held.server.request("POST", "/body").body(vec![0; 70_000])).await;
    assert_eq!(status, 413);
    let (status, body) = held.server.get("/nowhere").await;
    assert_eq!(
        (status, error_of(&body).as_str()),
        (404, "no such path: /nowhere")
    );
    let (status, body) = answer(held.server.request("DELETE", "/body")).await;
    assert_eq!(
        (status, error_of(&body).as_str()),
        (405, "method not allowed, use POST")
    );
    assert_eq!(held.server.get("/item/fine").await, (200, "fine".into()));
}

#[tokio::test]
async fn no_handler_can_hang() {
    let config = Config {
        request_timeout: Duration::from_millis(100),
        ..Config::local()
    };
    let held = start(&config);
    let (status, body) = held.server.get("/held").await;
    assert_eq!(
        (status, error_of(&body).as_str()),
        (503, "no answer within 100 ms")
    );
    // A body that never comes is bounded by the same limit.
    let mut stream = TcpStream::connect(held.server.authority())
        .await
        .expect("connection");
    stream
        .write_all(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nab")
        .await
        .expect("write");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 503");
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let held = start(&Config::local());
    let mut stream = TcpStream::connect(held.server.authority())
        .await
        .expect("connection");
    stream
        .write_all(b"GET /item/1 HTTP/1.1\r\nhost: ")
        .await
        .expect("write");
    let mut answered = Vec::new();
    let closed = stream.read_to_end(&mut answered);
    tokio::time::timeout(Duration::from_secs(15), closed)
        .await
        .expect("cut off")
        .expect("read");
    assert!(
        answered.starts_with(b"HTTP/1.1 408"),
        "{}",
        String::from_utf8_lossy(&answered)
    );
}

#[tokio::test]
async fn readiness_follows_the_store_and_liveness_does_not() {
    let held = start(&Config::local());
    assert_eq!(held.server.get("/readyz").await.0, 200);
    held.ready.store(false, Ordering::Relaxed);
    let (status, body) = held.server.get("/readyz").await;
    assert_eq!(
        (status, error_of(&body).as_str()),
        (503, "the store is out of reach")
    );
    assert_eq!(held.server.get("/livez").await.0, 200);
    for (method, path, status) in [
        ("HEAD", "/livez", 200),
        ("HEAD", "/readyz", 503),
        ("POST", "/livez", 405),
    ] {
        let answered = answer(held.server.request(method, path)).await.0;
        assert_eq!(answered, status, "{method} {path}");
    }
    held.ready.store(true, Ordering::Relaxed);
    assert_eq!(held.server.get("/readyz").await.0, 200);
}

#[tokio::test]
async fn a_drain_lets_balancers_look_away_and_requests_end() {
    let config = Config {
        drain_delay: Duration::from_millis(500),
        ..Config::local()
    };
    let mut held = start(&config);
    let in_flight = tokio::spawn(held.server.request("GET", "/held").send());
    held.arrived.notified().await;
    held.server.begin_stop();
    eventually("not ready while draining", || async {
        (held.server.get("/readyz").await.0 == 503).then_some(())
    })
    .await;
    // Still accepting: a balancer that has not looked away yet loses nothing.
    let response = held
        .server
        .request("GET", "/item/late")
        .send()
        .await
        .expect("still accepted");
    assert_eq!(response.headers()["connection"], "close");
    held.release.send(true).expect("a server");
    let response = in_flight
        .await
        .expect("task")
        .expect("the request in flight is answered");
    assert_eq!(response.text().await.expect("body"), "let go");
    let authority = held.server.authority().to_owned();
    held.server.stop().await;
    let refused = TcpStream::connect(authority)
        .await
        .expect_err("nobody listens any more");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn the_grace_period_bounds_the_drain() {
    let config = Config {
        grace_period: Duration::from_millis(100),
        ..Config::local()
    };
    let held = start(&config);
    let in_flight = tokio::spawn(held.server.request("GET", "/held").send());
    held.arrived.notified().await;
    held.server.stop().await; // ends although the request never does
    assert!(in_flight.await.expect("task").is_err());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let held = start(&Config::local());
    let port = held
        .server
        .authority()
        .rsplit(':')
        .next()
        .and_then(|p| p.parse().ok())
        .expect("port");
    let config = Config {
        port,
        ..Config::local()
    };
    let error = Server::bind(
        &config,
        Metrics::disabled(),
        || (),
        |()| web::always_ready(),
        |(), _| {},
    )
    .err()
    .expect("taken");
    let text = error.to_string();
    assert!(
        text.contains(&format!("127.0.0.1:{port}")) && text.contains("PORT"),
        "{text}"
    );
}

#[tokio::test]
async fn the_client_takes_turns_and_tells_failures_apart() {
    let held = start(&Config::local());
    let none = Forwarded::default();
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("port");
    let hosts = format!("{},{gone}", held.server.authority());
    let client = Outbound::new(&hosts, 9080, "", Duration::from_millis(300));
    let first = client
        .get("/item/a", &none)
        .await
        .expect("the first host answers");
    assert_eq!((first.status.as_u16(), &first.body[..]), (200, &b"a"[..]));
    assert!(matches!(
        client.get("/item/a", &none).await,
        Err(OutboundError::Connect { .. })
    ));
    assert_eq!(
        client
            .get("/nowhere", &none)
            .await
            .expect("an answer")
            .status
            .as_u16(),
        404
    );

    let patient = Outbound::new(
        held.server.authority(),
        9080,
        "",
        Duration::from_millis(100),
    );
    assert!(matches!(
        patient.get("/held", &none).await,
        Err(OutboundError::Timeout { .. })
    ));
    let nowhere = Outbound::new("", 9080, "", Duration::from_millis(100));
    assert!(nowhere.get("/x", &none).await.is_err());
}

#[tokio::test]
async fn the_user_goes_downstream_once() {
    let held = start(&Config::local());
    let client = Outbound::new(held.server.authority(), 9080, "", Duration::from_secs(1));
    let user = Forwarded::default()
        .with_end_user(Some("eve"))
        .with_end_user(Some("Ann Ö"));
    let reply = client.get("/headers", &user).await.expect("an answer");
    let lines = String::from_utf8_lossy(&reply.body);
    assert_eq!(
        lines
            .lines()
            .filter(|l| l.starts_with("end-user"))
            .collect::<Vec<_>>(),
        ["end-user: Ann Ö"]
    );
    let broken = Forwarded::default().with_end_user(Some("a\r\nx: y"));
    let reply = client.get("/headers", &broken).await.expect("an answer");
    assert!(!String::from_utf8_lossy(&reply.body).contains("end-user"));
}
