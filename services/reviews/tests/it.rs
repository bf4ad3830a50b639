//! The reviews service over HTTP, in its three versions, on a real engine and a ratings service that can fail.

use std::net::SocketAddr;

use clap::Parser as _;
use reviews::Cli;
use sandbox::{Engine, Running};
use serde_json::{Value, json};
use telemetry::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

async fn start(engine: &Engine, flags: &[&str]) -> Running {
    let mut cli = Cli::parse_from([&["reviews", "--podname", "pod-1"], flags].concat());
    cli.server.listen_address = [127, 0, 0, 1].into();
    cli.server.port = 0;
    cli.store = engine.seeded().await;
    Running::start(
        reviews::server(&cli, Metrics::disabled())
            .await
            .expect("server"),
    )
}

/// Answers every connection with these bytes, or never where they are empty. Returns the requests it saw.
async fn ratings_that_say(
    answer: &'static str,
) -> (SocketAddr, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("bound");
    let (seen, requests) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut head = vec![0; 8192];
                let n = stream.read(&mut head).await.unwrap_or(0);
                let _ = seen.try_send(String::from_utf8_lossy(&head[..n]).into_owned());
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (address, requests)
}

const RATINGS_OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 52\r\nconnection: close\r\n\r\n{\"id\":0,\"ratings\":{\"Reviewer1\":5,\"Reviewer2\":4}}    ";

fn ratings_of(body: &Value) -> Vec<Value> {
    let reviews = body["reviews"].as_array().expect("reviews");
    reviews
        .iter()
        .map(|review| review["rating"].clone())
        .collect()
}

#[tokio::test]
async fn v1_has_texts_and_no_stars() {
    let engine = Engine::start().await;
    let reviews = start(&engine, &[]).await;
    let (status, body) = reviews.get_json("/reviews/0").await;
    assert_eq!(status, 200);
    assert_eq!(
        (&body["id"], &body["podname"], &body["clustername"]),
        (&json!("0"), &json!("pod-1"), &json!("null"))
    );
    let names: Vec<_> = body["reviews"]
        .as_array()
        .expect("reviews")
        .iter()
        .map(|r| r["reviewer"].clone())
        .collect();
    assert_eq!(names, ["Reviewer1", "Reviewer2"]);
    assert!(body["reviews"][0].get("rating").is_none());
    assert_eq!(
        reviews.get("/reviews/0").await.1,
        reviews.get("/reviews/0/").await.1
    );
    assert_eq!(
        reviews.get_json("/reviews/999").await.1["reviews"],
        json!([])
    );
}

#[tokio::test]
async fn v2_has_black_stars_and_v3_red_ones() {
    let engine = Engine::start().await;
    let (ratings, mut requests) = ratings_that_say(RATINGS_OK).await;
    let address = ratings.to_string();
    for (flags, color) in [(&[][..], "black"), (&["--star-color", "red"][..], "red")] {
        let mut all = vec!["--enable-ratings", "true", "--ratings-hostname", &address];
        all.extend(flags);
        let reviews = start(&engine, &all).await;
        let request = reviews
            .request("GET", "/reviews/0")
            .header("end-user", "ann")
            .header("x-request-id", "r-1")
            .header("x-not-ours", "no");
        let (status, body) = sandbox::answer(request).await;
        assert_eq!(status, 200);
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let stars = |n| json!({"stars": n, "color": color});
        assert_eq!(ratings_of(&body), [stars(5), stars(4)]);
        let seen = requests.recv().await.expect("a request to ratings");
        assert!(seen.starts_with("GET /ratings/0 HTTP/1.1"), "{seen}");
        assert!(
            seen.contains("end-user: ann") && seen.contains("x-request-id: r-1"),
            "{seen}"
        );
        assert!(!seen.contains("x-not-ours"), "{seen}");
    }
}

#[tokio::test]
async fn without_ratings_the_reviews_still_come() {
    let engine = Engine::start().await;
    let unavailable = json!({"error": "Ratings service is currently unavailable"});
    let (faulty, _r1) = ratings_that_say(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    .await;
    let (garbage, _r2) =
        ratings_that_say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<htm>")
            .await;
    let (silent, _r3) = ratings_that_say("").await;
    let refused = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("port")
        .local_addr()
        .expect("bound");
    for address in [faulty, garbage, silent, refused] {
        let address = address.to_string();
        let flags = [
            "--enable-ratings",
            "true",
            "--ratings-timeout",
            "200ms",
            "--ratings-hostname",
            &address,
        ];
        let reviews = start(&engine, &flags).await;
        let (status, body) = reviews.get_json("/reviews/0").await;
        assert_eq!(status, 200);
        assert_eq!(
            ratings_of(&body),
            [unavailable.clone(), unavailable.clone()]
        );
    }
}

#[tokio::test]
async fn what_is_no_integer_is_not_found() {
    let engine = Engine::start().await;
    let reviews = start(&engine, &[]).await;
    for path in [
        "/reviews/abc",
        "/reviews/1.5",
        "/reviews/99999999999",
        "/reviews",
        "/reviews/",
    ] {
        let (status, body) = reviews.get_json(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(body["error"].is_string());
    }
    let (status, body) = reviews.get("/health").await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"status": "Reviews is healthy"}"#)
    );
}

#[tokio::test]
async fn the_store_gone_is_an_error_and_heals() {
    let engine = Engine::start().await;
    let reviews = start(&engine, &[]).await;
    let engine = engine.stop().await;
    let (status, body) = reviews.get_json("/reviews/0").await;
    assert_eq!(
        (status, body),
        (
            500,
            json!({"error": "could not connect to reviews database"})
        )
    );
    assert_eq!(reviews.get("/readyz").await.0, 503);
    let _engine = engine.restart().await;
    sandbox::eventually("reviews are back", || async {
        (reviews.get("/reviews/0").await.0 == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_item_that_cannot_be_read_fails_its_book_alone_and_heals() {
    let engine = Engine::start().await;
    let reviews = start(&engine, &[]).await;
    let item = json!({"product_id": {"N": "0"}, "reviewer": {"S": "Reviewer1"}});
    engine.put_item("reviews", item).await;
    let failed = json!({"error": "could not load reviews from database"});
    assert_eq!(reviews.get_json("/reviews/0").await, (500, failed));
    assert_eq!(reviews.get("/reviews/1").await.0, 200);
    assert_eq!(reviews.get("/readyz").await.0, 200);
    let item =
        json!({"product_id": {"N": "0"}, "reviewer": {"S": "Reviewer1"}, "text": {"S": "Good."}});
    engine.put_item("reviews", item).await;
    assert_eq!(reviews.get("/reviews/0").await.0, 200);
}
