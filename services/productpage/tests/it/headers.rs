//! What goes on to the services behind the page.

use crate::fake::Asked;
use crate::shop::{Shop, get};

/// Everything of the contract that is passed as it is.
const PASSED: [(&str, &str); 17] = [
    ("x-request-id", "req-1"),
    ("x-ot-span-context", "ot-1"),
    ("x-datadog-trace-id", "11"),
    ("x-datadog-parent-id", "12"),
    ("x-datadog-sampling-priority", "1"),
    ("x-cloud-trace-context", "cloud-1"),
    ("grpc-trace-bin", "bin-1"),
    ("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"),
    ("x-b3-spanid", "a2fb4a1d1a96d312"),
    ("x-b3-parentspanid", "0020000000000001"),
    ("x-b3-sampled", "1"),
    ("x-b3-flags", "1"),
    ("sw8", "sw-1"),
    ("user-agent", "agent-1"),
    ("cookie", "theme=dark; a=b"),
    ("authorization", "Bearer abc"),
    ("jwt", "jwt-1"),
];
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

async fn ask_everything(shop: &Shop, headers: &[(&str, &str)]) -> Vec<Asked> {
    for path in [
        "/productpage",
        "/api/v1/products/0",
        "/api/v1/products/0/reviews",
        "/api/v1/products/0/ratings",
    ] {
        assert_eq!(get(shop.address, path, headers).await.status, 200);
    }
    let asked = [
        shop.details.asked(),
        shop.reviews.asked(),
        shop.ratings.asked(),
    ]
    .concat();
    assert_eq!(asked.len(), 5);
    asked
}

#[tokio::test]
async fn the_contracts_headers_go_on_and_no_others() {
    let shop = Shop::good().await;
    let mut headers = PASSED.to_vec();
    headers.push(("x-private", "1"));
    headers.push(("accept-language", "fr"));
    for asked in ask_everything(&shop, &headers).await {
        for (name, value) in PASSED {
            assert_eq!(asked.header(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(asked.header("x-private"), None);
        assert_eq!(asked.header("accept-language"), None);
    }
}

#[tokio::test]
async fn an_inbound_user_is_not_believed() {
    let shop = Shop::good().await;
    for asked in ask_everything(&shop, &[("end-user", "mallory")]).await {
        assert_eq!(asked.header("end-user"), None);
    }
}

#[tokio::test]
async fn the_signed_in_user_goes_on() {
    let shop = Shop::good().await;
    for (typed, name) in [("jason", "jason"), ("Zo%C3%AB+%E6%9D%8E", "Zoë 李")] {
        let signed_in = shop.browser().sign_in(typed).await;
        let cookie = signed_in.cookie("bookshop_session").unwrap();
        let cookie = cookie.split(';').next().unwrap();
        for path in ["/productpage", "/api/v1/products/0/reviews"] {
            get(
                shop.address,
                path,
                &[("cookie", cookie), ("end-user", "mallory")],
            )
            .await;
            let asked = shop.reviews.asked().pop().unwrap();
            assert_eq!(asked.header("end-user").as_deref(), Some(name));
            assert_eq!(asked.header("cookie").as_deref(), Some(cookie));
        }
    }
}

#[tokio::test]
async fn the_trace_is_continued_with_spans_of_our_own() {
    let shop = Shop::good().await;
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let headers = [
        ("traceparent", parent.as_str()),
        ("tracestate", "vendor=1"),
        ("baggage", "shop=1"),
    ];
    let mut spans = Vec::new();
    for asked in ask_everything(&shop, &headers).await {
        let sent = asked.header("traceparent").unwrap();
        let parts: Vec<&str> = sent.split('-').collect();
        assert_eq!(
            (parts[0], parts[1], parts[3]),
            ("00", TRACE, "01"),
            "{sent}"
        );
        assert_ne!(parts[2], SPAN, "copied");
        spans.push(parts[2].to_owned());
        assert_eq!(asked.header("tracestate").as_deref(), Some("vendor=1"));
        assert_eq!(asked.header("baggage").as_deref(), Some("shop=1"));
    }
    spans.sort();
    spans.dedup();
    assert_eq!(spans.len(), 5, "a call without a span of its own");
}

#[tokio::test]
async fn a_trace_begins_here_where_none_comes_in() {
    let shop = Shop::good().await;
    shop.get("/productpage").await;
    let trace = |asked: Vec<Asked>| {
        let sent = asked[0].header("traceparent").unwrap();
        sent.split('-').nth(1).unwrap().to_owned()
    };
    let details = trace(shop.details.asked());
    assert_eq!(details, trace(shop.reviews.asked()));
    assert_ne!(details, "0".repeat(32));
}
