//! A run ends when it is told to, and not when the shop does.

use std::time::{Duration, Instant};

use crate::program::start;
use crate::shop::{Reply, Shop};

const STEADY: [&str; 4] = ["--rate", "100", "--shopper-weight", "0"];

fn ends_with_its_summary(signal: &str) {
    let shop = Shop::open(|_, _| Reply::ok().after(Duration::from_millis(20)));
    let load = start(&shop.url(), &STEADY);
    shop.wait_for(30);
    load.signal(signal);
    let outcome = load.end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let served = shop.close();
    assert!(served.len() >= 30);
    assert_eq!(
        outcome.count("/totals/requests"),
        served.len() as u64,
        "every request is in the report, the last ones, too"
    );
    assert_eq!(outcome.count("/totals/errors"), 0);
    assert_eq!(outcome.report["ended_by"], "signal");
    assert!(
        outcome.stdout.contains("stopped by a signal"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("GET /productpage"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn sigterm_ends_it_with_its_summary() {
    ends_with_its_summary("TERM");
}

#[test]
fn sigint_ends_it_with_its_summary() {
    ends_with_its_summary("INT");
}

#[test]
fn a_broken_limit_counts_after_a_signal_too() {
    let shop = Shop::open(|_, _| Reply::status(500));
    let load = start(
        &shop.url(),
        &[&STEADY[..], &["--max-error-rate", "50%"]].concat(),
    );
    shop.wait_for(20);
    load.signal("TERM");
    assert_eq!(load.end().code, Some(1));
}

#[test]
fn requests_under_way_are_cut_off_after_the_grace_time() {
    let shop = Shop::open(|_, _| Reply::ok().after(Duration::from_secs(600)));
    let args = [&STEADY[..], &["--users", "4", "--grace", "300ms"]].concat();
    let load = start(&shop.url(), &args);
    shop.wait_for(4);
    let asked = Instant::now();
    load.signal("TERM");
    let outcome = load.end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        asked.elapsed() >= Duration::from_millis(300),
        "they had their grace time"
    );
    assert!(asked.elapsed() < Duration::from_secs(30));
    assert_eq!(outcome.count("/totals/errors_by_kind/cut off"), 4);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let shop = Shop::open(|_, _| Reply::ok().after(Duration::from_secs(600)));
    let args = [&STEADY[..], &["--users", "1", "--grace", "10min"]].concat();
    let mut load = start(&shop.url(), &args);
    load.wait_for_line("load begins");
    shop.wait_for(1);
    load.signal("INT");
    load.wait_for_line("load stops");
    load.signal("INT");
    let outcome = load.end();
    assert_eq!(outcome.code, Some(130));
}

#[test]
fn it_outlives_the_shop_and_goes_on_when_the_shop_is_back() {
    let shop = Shop::open(|_, _| Reply::ok());
    let address = shop.address;
    let mut load = start(&shop.url(), &STEADY);
    shop.wait_for(20);
    let before = shop.close().len();
    load.wait_for_line("target does not answer");
    let shop = Shop::open_at(address, |_, _| Reply::ok());
    load.wait_for_line("target answers again");
    shop.wait_for(20);
    load.signal("TERM");
    let outcome = load.end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let after = shop.close().len();
    let (requests, errors) = (
        outcome.count("/totals/requests"),
        outcome.count("/totals/errors"),
    );
    assert!(outcome.count("/totals/errors_by_kind/connect") >= 2);
    // What the shop broke off in closing failed there and here, so it is in neither count.
    assert_eq!(requests - errors, (before + after) as u64);
    assert!(
        !outcome.stdout.contains("goose") && !outcome.stderr.contains("goose"),
        "the library keeps quiet about failed requests: {}{}",
        outcome.stdout,
        outcome.stderr
    );
}

#[test]
fn slow_and_broken_answers_are_errors_of_their_own() {
    let shop = Shop::open(|number, _| match number % 6 {
        0 => Reply::ok().after(Duration::from_secs(600)),
        1 => Reply {
            break_off: true,
            ..Reply::ok()
        },
        2 => Reply::status(302).with("location", "/elsewhere"),
        _ => Reply::ok(),
    });
    let args = "--rate 60 --run-time 1s --users 60 --shopper-weight 0 --timeout 700ms";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let requests = outcome.count("/totals/requests");
    assert!(requests >= 54, "{requests} requests");
    for kind in ["timeout", "broken", "status 302"] {
        let count = outcome.count(&format!("/totals/errors_by_kind/{kind}"));
        assert!(
            count.abs_diff(requests / 6) <= 1,
            "{count} x {kind} of {requests}"
        );
    }
    assert!(outcome.ms("all routes", "/raw/max_ms") >= 700.0);
    let served = shop.close();
    assert!(
        served.iter().all(|s| s.request.path != "/elsewhere"),
        "no redirect is followed"
    );
}
