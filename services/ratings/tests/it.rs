//! The ratings service over HTTP, on a real engine: the contract, the fault modes, many writers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser as _;
use ratings::{Behaviour, Cli, Faults, Mode};
use sandbox::{Engine, Running, answer};
use serde_json::json;
use telemetry::Metrics;

async fn start(engine: &Engine, faults: Faults) -> Running {
    let mut cli = Cli::parse_from(["ratings"]);
    cli.server.listen_address = [127, 0, 0, 1].into();
    cli.server.port = 0;
    cli.store = engine.seeded().await;
    Running::start(
        ratings::server(&cli, Metrics::disabled(), faults)
            .await
            .expect("server"),
    )
}

fn good() -> Faults {
    Faults::from_now(Mode::None)
}

/// A clock that the test turns, in seconds.
fn turned_clock() -> (Arc<AtomicU64>, Box<dyn Fn() -> Instant + Send + Sync>) {
    let seconds = Arc::new(AtomicU64::new(0));
    let (hand, start) = (Arc::clone(&seconds), Instant::now());
    (
        seconds,
        Box::new(move || start + Duration::from_secs(hand.load(Ordering::Relaxed))),
    )
}

#[tokio::test]
async fn ratings_are_read_and_stored() {
    let engine = Engine::start().await;
    let ratings = start(&engine, good()).await;
    let (status, body) = ratings.get("/ratings/0").await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}"#)
    );

    let post = ratings
        .request("POST", "/ratings/0")
        .body(r#"{"Ann":3,"Bo":1}"#);
    assert_eq!(
        answer(post).await,
        (200, r#"{"id":0,"ratings":{"Ann":3,"Bo":1}}"#.into())
    );
    let (_, body) = ratings.get_json("/ratings/0").await;
    assert_eq!(
        body["ratings"],
        json!({"Ann": 3, "Bo": 1, "Reviewer1": 5, "Reviewer2": 4})
    );

    let again = ratings.request("POST", "/ratings/0").body(r#"{"Ann":5}"#);
    assert_eq!(answer(again).await.0, 200);
    assert_eq!(ratings.get_json("/ratings/0").await.1["ratings"]["Ann"], 5);
    assert_eq!(
        ratings.get_json("/ratings/4242").await,
        (200, json!({"id": 4242, "ratings": {}}))
    );
}

#[tokio::test]
async fn bad_input_gets_a_reason_and_changes_nothing() {
    let engine = Engine::start().await;
    let ratings = start(&engine, good()).await;
    for path in [
        "/ratings/abc",
        "/ratings/",
        "/ratings/1x",
        "/ratings/1/",
        "/ratings/1.5",
    ] {
        let expected = json!({"error": "please provide numeric product ID"});
        assert_eq!(
            ratings.get_json(path).await,
            (400, expected.clone()),
            "{path}"
        );
        let (status, body) = answer(ratings.request("POST", path).body(r#"{"A":1}"#)).await;
        assert_eq!(
            (
                status,
                serde_json::from_str::<serde_json::Value>(&body).expect("JSON")
            ),
            (400, expected)
        );
    }
    let too_long = format!(r#"{{"{}":1}}"#, "x".repeat(65));
    for (body, reason) in [
        ("{", "please provide valid ratings JSON"),
        ("[]", "please provide valid ratings JSON"),
        (r#"{"A":6}"#, "1 to 5"),
        (r#"{"A":"5"}"#, "1 to 5"),
        (r#"{"Good":5,"A":0}"#, "1 to 5"),
        (too_long.as_str(), "1 to 64"),
    ] {
        let (status, answered) =
            answer(ratings.request("POST", "/ratings/0").body(body.to_owned())).await;
        assert_eq!(status, 400, "{body}");
        assert!(answered.contains(reason), "{body}: {answered}");
    }
    let (status, _) = answer(
        ratings
            .request("POST", "/ratings/0")
            .body(vec![b' '; 100_000]),
    )
    .await;
    assert_eq!(status, 413);
    assert_eq!(
        ratings.get_json("/ratings/0").await.1["ratings"],
        json!({"Reviewer1": 5, "Reviewer2": 4})
    );
    for method in ["PUT", "DELETE"] {
        assert_eq!(answer(ratings.request(method, "/ratings/0")).await.0, 405);
    }
    assert_eq!(answer(ratings.request("HEAD", "/ratings/0")).await.0, 200);
}

#[tokio::test]
async fn a_thousand_ratings_from_fifty_clients_are_all_kept() {
    let engine = Engine::start().await;
    let ratings = Arc::new(start(&engine, good()).await);
    let clients = (0..50).map(|client| {
        let ratings = Arc::clone(&ratings);
        tokio::spawn(async move {
            for n in 0..20 {
                // Single ratings and pairs, so that transactions and plain writes mix.
                let body = match n % 4 {
                    0 => format!(r#"{{"c{client}-{n}":{}}}"#, n % 5 + 1),
                    1 => format!(
                        r#"{{"c{client}-{n}":{},"c{client}-{}":{}}}"#,
                        n % 5 + 1,
                        n + 1,
                        (n + 1) % 5 + 1
                    ),
                    2 => continue,
                    _ => format!(r#"{{"c{client}-{n}":{}}}"#, n % 5 + 1),
                };
                let (status, answered) =
                    answer(ratings.request("POST", "/ratings/5").body(body)).await;
                assert_eq!(status, 200, "{answered}");
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("client");
    }
    let (_, body) = ratings.get_json("/ratings/5").await;
    let kept = body["ratings"].as_object().expect("ratings");
    assert_eq!(kept.len(), 1000 + 2); // the seed's two stay
    for client in 0..50 {
        for n in 0..20 {
            assert_eq!(kept[&format!("c{client}-{n}")], n % 5 + 1);
        }
    }
}

#[tokio::test]
async fn v_faulty_fails_about_half_of_the_reads_and_no_write() {
    let engine = Engine::start().await;
    let ratings = start(
        &engine,
        Faults::new(Mode::Faulty, 7, Box::new(Instant::now)),
    )
    .await;
    let mut failed = 0;
    for _ in 0..200 {
        match ratings.get_json("/ratings/0").await {
            (503, body) => {
                assert_eq!(body, json!({"error": "Service unavailable"}));
                failed += 1;
            }
            (status, _) => assert_eq!(status, 200),
        }
    }
    assert!((60..=140).contains(&failed), "{failed} of 200 failed");
    for _ in 0..20 {
        assert_eq!(
            answer(ratings.request("POST", "/ratings/0").body(r#"{"A":1}"#))
                .await
                .0,
            200
        );
    }
}

#[tokio::test]
async fn v_unavailable_turns_every_minute_and_stays_healthy() {
    let engine = Engine::start().await;
    let (seconds, clock) = turned_clock();
    let ratings = start(&engine, Faults::new(Mode::Unavailable, 0, clock)).await;
    for (at, status) in [
        (0, 200),
        (59, 200),
        (60, 503),
        (119, 503),
        (120, 200),
        (180, 503),
    ] {
        seconds.store(at, Ordering::Relaxed);
        assert_eq!(ratings.get("/ratings/0").await.0, status, "after {at} s");
        assert_eq!(ratings.get("/health").await.0, 200);
        assert_eq!(
            answer(ratings.request("POST", "/ratings/0").body("{}"))
                .await
                .0,
            200
        );
    }
}

#[tokio::test]
async fn v_unhealthy_turns_every_quarter_and_says_so() {
    let engine = Engine::start().await;
    let (seconds, clock) = turned_clock();
    let ratings = start(&engine, Faults::new(Mode::Unhealthy, 0, clock)).await;
    assert_eq!(
        ratings.get_json("/health").await,
        (200, json!({"status": "Ratings is healthy"}))
    );
    seconds.store(15 * 60, Ordering::Relaxed);
    assert_eq!(
        ratings.get_json("/health").await,
        (500, json!({"status": "Ratings is not healthy"}))
    );
    assert_eq!(ratings.get("/ratings/0").await.0, 503);
    seconds.store(30 * 60, Ordering::Relaxed);
    assert_eq!(ratings.get("/health").await.0, 200);
    assert_eq!(ratings.get("/ratings/0").await.0, 200);
}

#[test]
fn v_delayed_holds_half_of_the_reads_up_for_seven_seconds() {
    let faults = Faults::new(Mode::of_version("v-delayed"), 3, Box::new(Instant::now));
    let reads: Vec<_> = (0..1000).map(|_| faults.next_read()).collect();
    let delayed = reads
        .iter()
        .filter(|read| **read == Behaviour::Delay(Duration::from_secs(7)))
        .count();
    let good = reads
        .iter()
        .filter(|read| **read == Behaviour::Good)
        .count();
    assert_eq!(delayed + good, 1000);
    assert!(
        (400..=600).contains(&delayed),
        "{delayed} of 1000 were delayed"
    );
}

#[tokio::test]
async fn the_store_gone_is_the_contracts_error() {
    let engine = Engine::start().await;
    let ratings = start(&engine, good()).await;
    let engine = engine.stop().await;
    let gone = json!({"error": "could not connect to ratings database"});
    assert_eq!(ratings.get_json("/ratings/0").await, (500, gone));
    assert_eq!(ratings.get("/readyz").await.0, 503);
    let _engine = engine.restart().await;
    sandbox::eventually("ratings are back", || async {
        (ratings.get("/ratings/0").await.0 == 200).then_some(())
    })
    .await;

    // A table that is not there is a failed query, not a lost connection.
    let empty = Engine::start().await;
    let mut cli = Cli::parse_from(["ratings"]);
    cli.server.listen_address = [127, 0, 0, 1].into();
    cli.server.port = 0;
    cli.store = empty.store_args();
    let ratings = Running::start(
        ratings::server(&cli, Metrics::disabled(), good())
            .await
            .expect("server"),
    );
    let failed = json!({"error": "could not load ratings from database"});
    assert_eq!(ratings.get_json("/ratings/0").await, (500, failed));
}

#[tokio::test]
async fn a_delayed_read_is_answered_seven_seconds_later() {
    let engine = Engine::start().await;
    let ratings = start(
        &engine,
        Faults::new(Mode::Delayed, 3, Box::new(Instant::now)),
    )
    .await;
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(ratings.get("/ratings/0").await.0, 200);
        if asked.elapsed() >= Duration::from_secs(7) {
            return;
        }
    }
    panic!("none of 20 reads was held up");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_fails_its_book_alone_and_heals() {
    let engine = Engine::start().await;
    let ratings = start(&engine, good()).await;
    let item =
        json!({"product_id": {"N": "0"}, "reviewer": {"S": "Reviewer1"}, "stars": {"N": "9"}});
    engine.put_item("ratings", item).await;
    let failed = json!({"error": "could not load ratings from database"});
    assert_eq!(ratings.get_json("/ratings/0").await, (500, failed));
    assert_eq!(ratings.get("/ratings/1").await.0, 200);
    assert_eq!(ratings.get("/readyz").await.0, 200);
    let item =
        json!({"product_id": {"N": "0"}, "reviewer": {"S": "Reviewer1"}, "stars": {"N": "1"}});
    engine.put_item("ratings", item).await;
    assert_eq!(ratings.get("/ratings/0").await.0, 200);
}
