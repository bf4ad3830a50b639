//! The store through the SDK, on a real engine, and on one that answers with the errors that only AWS gives.

#![cfg(feature = "store")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bookinfo::store::{Store, StoreArgs, StoreError, Table};
use bookinfo::{ProductId, Reviewer, Stars, catalogue};
use sandbox::Engine;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn stars(number: i64) -> Stars {
    Stars::try_from(number).expect("stars")
}

fn reviewer(name: &str) -> Reviewer {
    name.parse().expect("a name")
}

#[tokio::test]
async fn seeding_twice_changes_nothing_and_keeps_what_people_rated() {
    let engine = Engine::start().await;
    let store = Store::connect(&engine.store_args())
        .await
        .expect("arguments");
    store.create_tables().await.expect("tables");
    store.create_tables().await.expect("tables that are there");
    let books = catalogue::products().len();
    let first = store.seed().await.expect("seed");
    assert_eq!(
        (first.details, first.reviews, first.ratings),
        (books, 2 * books, 2 * books)
    );
    let zero = ProductId::new(0);
    store
        .rate(zero, &BTreeMap::from([(reviewer("Reviewer1"), stars(1))]))
        .await
        .expect("rate");
    let second = store.seed().await.expect("seed again");
    assert_eq!((second.details, second.reviews, second.ratings), (0, 0, 0));
    let ratings = store.ratings(zero).await.expect("ratings");
    assert_eq!(ratings[&reviewer("Reviewer1")], stars(1));
    let details = store
        .details(ProductId::new(3))
        .await
        .expect("details")
        .expect("a book");
    assert_eq!(details, catalogue::products()[3].details());
    assert_eq!(
        store.details(ProductId::new(4711)).await.expect("no error"),
        None
    );
}

#[tokio::test]
async fn more_ratings_than_one_page_holds_are_all_read() {
    let engine = Engine::start().await;
    let store = Store::connect(&engine.seeded().await)
        .await
        .expect("arguments");
    let book = ProductId::new(77);
    // 64 characters of four bytes each: 5,000 of them are more than DynamoDB's 1 MB a page.
    let names: Vec<Reviewer> = (0..5_000)
        .map(|n| reviewer(&format!("{n:04}{}", "𝄞".repeat(60))))
        .collect();
    for chunk in names.chunks(100) {
        let ratings = chunk.iter().map(|name| (name.clone(), stars(3))).collect();
        store.rate(book, &ratings).await.expect("a transaction");
    }
    assert_eq!(store.ratings(book).await.expect("ratings").len(), 5_000);
}

#[tokio::test]
async fn writers_of_the_same_ratings_at_once_all_come_through() {
    let engine = Engine::start().await;
    let args = engine.seeded().await;
    let store = Store::connect(&args).await.expect("arguments");
    let book = ProductId::new(1);
    let writers = (1..=5).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let both = BTreeMap::from([
                (reviewer("a"), stars(number)),
                (reviewer("b"), stars(number)),
            ]);
            for _ in 0..10 {
                store.rate(book, &both).await.expect("written in the end");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("writer");
    }
    let ratings = store.ratings(book).await.expect("ratings");
    assert_eq!(
        ratings[&reviewer("a")],
        ratings[&reviewer("b")],
        "a pair is written together"
    );
}

/// An engine that answers each request with this error.
async fn engine_that_refuses(code: &'static str) -> StoreArgs {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 8192];
            let _ = stream.read(&mut head).await;
            let body =
                format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#);
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    args_for(address)
}

fn args_for(address: SocketAddr) -> StoreArgs {
    StoreArgs {
        table_prefix: "test-".into(),
        dynamodb_endpoint: Some(format!("http://{address}")),
        aws_endpoint_url_dynamodb: None,
    }
}

async fn failure(args: &StoreArgs) -> StoreError {
    let store = Store::connect(args).await.expect("arguments");
    store.ping(Table::Ratings).await.expect_err("a failure")
}

#[tokio::test]
async fn failures_are_told_apart() {
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
    ] {
        let error = failure(&engine_that_refuses(code).await).await;
        assert!(
            matches!(error, StoreError::Throttled { .. }),
            "{code}: {error:?}"
        );
    }
    let denied = failure(&engine_that_refuses("AccessDeniedException").await).await;
    assert!(
        matches!(&denied, StoreError::Refused { code, .. } if code == "AccessDeniedException"),
        "{denied:?}"
    );

    let empty = Engine::start().await;
    let error = failure(&empty.store_args()).await;
    assert!(
        matches!(&error, StoreError::NoTable { table, .. } if table == "test-ratings"),
        "{error:?}"
    );
    assert!(error.to_string().contains("bookwatch seed"));

    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("port");
    let error = failure(&args_for(gone)).await;
    assert_eq!(error.kind(), "unreachable", "{error:?}");

    let silent = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let asked = std::time::Instant::now();
    let error = failure(&args_for(silent.local_addr().expect("bound"))).await;
    assert_eq!(error.kind(), "unreachable", "{error:?}");
    assert!(
        asked.elapsed() < std::time::Duration::from_secs(3),
        "the page waits 3 s at most"
    );
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_bad_data_until_it_is_right() {
    let engine = Engine::start().await;
    let store = Store::connect(&engine.seeded().await)
        .await
        .expect("arguments");
    let zero = ProductId::new(0);
    let is_bad = |error: StoreError, expected: &str, words: &str| match &error {
        StoreError::BadData { table, what } => {
            assert_eq!(table, expected);
            assert!(what.contains(words), "{what}");
            assert_eq!(error.kind(), "bad_data");
        }
        other => panic!("{other:?}"),
    };

    let mut details = json!({
        "id": {"N": "0"}, "author": {"S": "A"}, "year": {"N": "1595"}, "type": {"S": "paperback"},
        "pages": {"N": "200"}, "publisher": {"S": "P"}, "language": {"S": "English"},
        "isbn_10": {"S": "1"}, "isbn_13": {"S": "2"},
    });
    for (attribute, bad) in [
        ("year", json!({"S": "long ago"})),
        ("pages", json!({"N": "1.5"})),
        ("author", json!({"NULL": true})),
    ] {
        let good = std::mem::replace(&mut details[attribute], bad);
        engine.put_item("details", details.clone()).await;
        let error = store.details(zero).await.expect_err("it cannot be read");
        is_bad(error, "test-details", attribute);
        details[attribute] = good;
        engine.put_item("details", details.clone()).await;
        let read = store.details(zero).await.expect("it can be read again");
        assert_eq!(read.expect("a book").author, "A");
    }

    let rating =
        |stars| json!({"product_id": {"N": "0"}, "reviewer": {"S": "Reviewer1"}, "stars": stars});
    for bad in [json!({"N": "9"}), json!({"S": "five"}), json!({"N": "-1"})] {
        engine.put_item("ratings", rating(bad)).await;
        let error = store.ratings(zero).await.expect_err("no such stars");
        is_bad(error, "test-ratings", "stars");
    }
    engine.put_item("ratings", rating(json!({"N": "2"}))).await;
    let ratings = store.ratings(zero).await.expect("ratings");
    assert_eq!(ratings[&reviewer("Reviewer1")], stars(2));

    let review =
        |text| json!({"product_id": {"N": "0"}, "reviewer": {"S": "Reviewer1"}, "text": text});
    engine.put_item("reviews", review(json!({"N": "1"}))).await;
    let error = store.reviews(zero).await.expect_err("no text");
    is_bad(error, "test-reviews", "text");
    engine
        .put_item("reviews", review(json!({"S": "Good."})))
        .await;
    let reviews = store.reviews(zero).await.expect("reviews");
    assert_eq!(reviews[0].text, "Good.");
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused() {
    let with = |endpoint: &str, prefix: &str| StoreArgs {
        table_prefix: prefix.into(),
        dynamodb_endpoint: Some(endpoint.into()),
        aws_endpoint_url_dynamodb: None,
    };
    for (args, words) in [
        (with("localhost:8000", "test-"), "http://host:port"),
        (with("http://", "test-"), "http://host:port"),
        (with("http://localhost:8000", "a table-"), "letters, digits"),
    ] {
        let error = Store::connect(&args)
            .await
            .expect_err("refused")
            .to_string();
        assert!(error.contains(words), "{error}");
    }
}
