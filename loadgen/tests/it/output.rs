//! What it says, and to whom.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use console::dogstatsd::Kind;
use console::{Addresses, Receivers};
use serde_json::Value;

use crate::program::{start, start_with};
use crate::shop::{Reply, Shop};

const QUICK: &str = "--rate 60 --run-time 1s --shopper-weight 0";

fn quick(more: &[&'static str]) -> Vec<&'static str> {
    QUICK.split(' ').chain(more.iter().copied()).collect()
}

#[test]
fn the_summary_is_for_people_and_the_log_lines_are_json() {
    let shop = Shop::open(|_, _| Reply::ok());
    let loud = start(&shop.url(), &quick(&[])).end();
    for text in [
        "Load on http://127.0.0.1",
        "GET /api/v1/products/{id}/ratings",
        "all routes",
        "raw",
        "corrected",
        "p99",
    ] {
        assert!(loud.stdout.contains(text), "no `{text}` in {}", loud.stdout);
    }
    assert!(!loud.stdout.contains('\x1b'), "no colour off a terminal");
    assert_eq!(loud.stderr, "", "no bar off a terminal");
    let quiet = start(&shop.url(), &quick(&["--quiet"])).end();
    assert_eq!(quiet.code, Some(0), "{}", quiet.stderr);
    let lines: Vec<Value> = quiet
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let ended = lines
        .iter()
        .find(|line| line["message"] == "load ended")
        .expect("the last word");
    assert_eq!(ended["service"], "loadgen");
    assert_eq!(quiet.count("/totals/requests"), 60 - quiet.count("/missed"));
}

#[test]
fn the_page_stands_alone_and_says_the_same() {
    let shop = Shop::open(|number, _| match number % 4 {
        0 => Reply::status(500),
        _ => Reply::ok(),
    });
    let outcome = start(&shop.url(), &quick(&["--max-error-rate", "1%"])).end();
    let html = &outcome.html;
    assert!(html.starts_with("<!doctype html>"));
    for text in [
        "GET /api/v1/products/{id}/reviews",
        "status 500",
        "<svg",
        "broken",
        &shop.url(),
    ] {
        assert!(html.contains(text), "no `{text}` in {html}");
    }
    assert!(
        !html.contains("<script") && !html.contains("src="),
        "nothing to load"
    );
    assert_eq!(
        html.matches("<tr>").count(),
        9,
        "two heads, six routes, all"
    );
    assert_eq!(outcome.report["version"], 1);
    let points = outcome.report["timeline"]["points"].as_array();
    let in_points: u64 = points
        .into_iter()
        .flatten()
        .filter_map(|p| p["requests"].as_u64())
        .sum();
    assert_eq!(in_points, outcome.count("/totals/requests"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_request_is_a_count_and_a_distribution_for_the_agent() {
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("free ports");
    let refused = AtomicBool::new(false);
    let shop = Shop::open(move |_, request| {
        match request.path.ends_with("/reviews") && !refused.swap(true, Ordering::Relaxed) {
            true => Reply::status(404),
            false => Reply::ok().after(Duration::from_millis(30)),
        }
    });
    let url = agent.dogstatsd_url();
    let outcome = start_with(&shop.url(), &quick(&[]), &[("DD_DOGSTATSD_URL", &url)]).end();
    let requests = outcome.count("/totals/requests");
    assert!(requests > 0, "{}", outcome.report);
    // All packets were sent before the program ended, and all that were sent are taken before the end of
    // the receivers.
    let store = agent.store();
    agent.shutdown().await;
    let seen = store.snapshot();
    assert_eq!(seen.bad_packets.total, 0, "{:?}", seen.bad_packets);
    let mut counts: BTreeMap<_, f64> = BTreeMap::new();
    for sample in seen.metric("loadgen.request.count") {
        assert_eq!(sample.kind, Kind::Count, "{sample:?}");
        let tag = |key| {
            let value = sample.tag(key);
            value.unwrap_or_else(|| panic!("no tag {key}: {sample:?}"))
        };
        assert_eq!(tag("http.request.method"), "GET");
        let kind = (tag("http.route").to_owned(), tag("outcome").to_owned());
        *counts.entry(kind).or_default() += sample.numbers().iter().sum::<f64>();
    }
    let mut durations = 0;
    for sample in seen.metric("loadgen.request.duration") {
        assert_eq!(sample.kind, Kind::Distribution, "{sample:?}");
        for seconds in sample.numbers() {
            assert!((0.0..10.0).contains(seconds), "in seconds: {sample:?}");
            durations += 1;
        }
    }
    assert_eq!(durations, requests);
    assert_eq!(counts.values().sum::<f64>(), requests as f64);
    assert_eq!(counts[&("/health".to_owned(), "ok".to_owned())], 10.0);
    let reviews = "/api/v1/products/{id}/reviews".to_owned();
    assert_eq!(counts[&(reviews, "client_error".to_owned())], 1.0);
}
