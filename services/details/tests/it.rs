//! The details service over HTTP, on a real engine: each line of the contract.

use clap::Parser as _;
use details::Cli;
use sandbox::{Engine, Running, answer};
use serde_json::json;
use telemetry::Metrics;

async fn start(engine: &Engine, flags: &[&str]) -> Running {
    let mut cli = Cli::parse_from([&["details"], flags].concat());
    cli.server.listen_address = [127, 0, 0, 1].into();
    cli.server.port = 0;
    cli.store = engine.seeded().await;
    Running::start(
        details::server(&cli, Metrics::disabled())
            .await
            .expect("server"),
    )
}

#[tokio::test]
async fn a_book_is_told_in_bookinfos_own_shape() {
    let engine = Engine::start().await;
    let details = start(&engine, &[]).await;
    let (status, body) = details.get("/details/0").await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        r#"{"id":0,"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,"publisher":"PublisherA","language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}"#
    );
    for path in [
        "/details/7",
        "/details/7/",
        "/details/0007",
        "/details/%37",
        "/details/7?x=1",
    ] {
        let (status, body) = details.get_json(path).await;
        assert_eq!(
            (status, &body["id"], &body["author"]),
            (200, &json!(7), &json!("H. G. Wells")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_no_number_gets_400_and_what_is_not_there_404() {
    let engine = Engine::start().await;
    let details = start(&engine, &[]).await;
    let bad = json!({"error": "please provide numeric product id"});
    for path in [
        "/details",
        "/details/",
        "/details/abc",
        "/details/1x",
        "/details/%00",
        "/details/1.5",
        "/details/99999999999999999999",
    ] {
        assert_eq!(details.get_json(path).await, (400, bad.clone()), "{path}");
    }
    for path in ["/details/999", "/details/-1", "/nothing", "/details/0/more"] {
        let (status, body) = details.get_json(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(body["error"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn other_methods_get_405_with_allow_and_head_has_no_body() {
    let engine = Engine::start().await;
    let details = start(&engine, &[]).await;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let response = details
            .request(method, "/details/0")
            .send()
            .await
            .expect("answer");
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET, HEAD");
        assert!(response.text().await.expect("body").contains("error"));
    }
    let (status, body) = answer(details.request("HEAD", "/details/0")).await;
    assert_eq!((status, body.as_str()), (200, ""));
}

#[tokio::test]
async fn the_store_gone_is_an_error_and_not_ready_and_heals() {
    let engine = Engine::start().await;
    let details = start(&engine, &[]).await;
    assert_eq!(details.get("/readyz").await.0, 200);
    let engine = engine.stop().await;
    let (status, body) = details.get_json("/details/0").await;
    assert_eq!(
        (status, body),
        (
            500,
            json!({"error": "could not connect to details database"})
        )
    );
    assert_eq!(details.get("/readyz").await.0, 503);
    assert_eq!(
        details.get_json("/health").await,
        (200, json!({"status": "Details is healthy"}))
    );
    assert_eq!(details.get("/livez").await.0, 200);
    let _engine = engine.restart().await;
    sandbox::eventually("ready again", || async {
        (details.get("/readyz").await.0 == 200).then_some(())
    })
    .await;
    assert_eq!(details.get("/details/0").await.0, 200);
}

#[tokio::test]
async fn with_a_cache_a_book_outlives_the_store() {
    let engine = Engine::start().await;
    let details = start(&engine, &["--cache-ttl", "1h"]).await;
    assert_eq!(details.get("/details/3").await.0, 200);
    let _stopped = engine.stop().await;
    assert_eq!(details.get("/details/3").await.0, 200);
    assert_eq!(details.get("/details/4").await.0, 500);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_fails_its_book_alone_and_heals() {
    let engine = Engine::start().await;
    let details = start(&engine, &[]).await;
    let item = json!({"id": {"N": "0"}, "author": {"S": "A"}});
    engine.put_item("details", item).await;
    let failed = json!({"error": "could not load details from database"});
    assert_eq!(details.get_json("/details/0").await, (500, failed));
    assert_eq!(details.get("/details/1").await.0, 200);
    assert_eq!(details.get("/readyz").await.0, 200);
    let item = json!({
        "id": {"N": "0"}, "author": {"S": "A"}, "year": {"N": "1595"}, "type": {"S": "paperback"},
        "pages": {"N": "200"}, "publisher": {"S": "P"}, "language": {"S": "English"},
        "isbn_10": {"S": "1"}, "isbn_13": {"S": "2"},
    });
    engine.put_item("details", item).await;
    assert_eq!(details.get("/details/0").await.0, 200);
}
