//! Latencies are right: compared with delays that are known, and that the shop measured for itself.

use std::time::Duration;

use crate::program::{Outcome, start};
use crate::shop::{Reply, Served, Shop};

/// The routes of the ring with their paths.
const RING: [(&str, &str); 6] = [
    ("GET /productpage", "/productpage"),
    ("GET /health", "/health"),
    ("GET /api/v1/products/{id}", "/api/v1/products/0"),
    (
        "GET /api/v1/products/{id}/reviews",
        "/api/v1/products/0/reviews",
    ),
    (
        "GET /api/v1/products/{id}/ratings",
        "/api/v1/products/0/ratings",
    ),
    ("GET /api/v1/products", "/api/v1/products"),
];

fn shop_with_delays(delays: [Duration; 6]) -> Shop {
    Shop::open(move |_, request| {
        let place = RING.iter().position(|(_, path)| *path == request.path);
        Reply::ok().after(delays[place.expect("a path of the ring")])
    })
}

/// A first request opens its connection, which the shop's time does not hold.
const CONNECTING_MS: f64 = 10.0;
/// What a build without optimisation takes to send a request and to read its answer.
const UNOPTIMISED_MS: f64 = if cfg!(debug_assertions) { 0.25 } else { 0.0 };

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// What the shop took for one path, shortest first, in milliseconds.
fn measured(served: &[Served], path: &str) -> Vec<f64> {
    let mut all: Vec<_> = served
        .iter()
        .filter(|s| s.request.path == path)
        .map(|s| millis(s.took()))
        .collect();
    all.sort_by(f64::total_cmp);
    all
}

/// The nearest-rank quantile of sorted values.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

/// How much longer the shop's own two pauses took at this quantile than they should: what this machine, as busy as
/// it is now, adds to two wake-ups. A request has more that the shop does not see: its own, and those of its answer.
fn held_up(measured: &[f64], delay: Duration, percent: usize) -> f64 {
    quantile(measured, percent) - millis(delay)
}

/// With fewer requests than these, the median is no more than one of the few that may have been stalled.
const MANY: usize = 20;

/// Never shorter than the shop's own time, and longer by 1 % at most, plus what the machine adds: twice what it
/// added on the shop's side. Above the median that is what it added at its worst, and what opening a connection
/// takes: the few that are stalled on this side need not be those that were stalled on the shop's.
fn assert_exact(outcome: &Outcome, served: &[Served], delays: [Duration; 6]) {
    let worst = RING
        .into_iter()
        .zip(delays)
        .map(|((_, path), delay)| held_up(&measured(served, path), delay, 100));
    let worst = 2.0 * worst.fold(0.0, f64::max) + CONNECTING_MS;
    for ((route, path), delay) in RING.into_iter().zip(delays) {
        let measured = measured(served, path);
        assert_eq!(
            outcome.row(route)["requests"].as_u64(),
            Some(measured.len() as u64),
            "{route}"
        );
        for (figure, percent) in [
            ("p50_ms", 50),
            ("p95_ms", 95),
            ("p99_ms", 99),
            ("max_ms", 100),
        ] {
            let of_shop = quantile(&measured, percent);
            let slack = match percent {
                50 if measured.len() >= MANY => 2.0 * held_up(&measured, delay, 50),
                _ => worst,
            };
            // The histogram rounds by a thousandth; the shop's clock starts a little after ours.
            let within = of_shop * 0.999 - 0.1..=of_shop * 1.01 + slack;
            for kind in ["raw", "corrected"] {
                let shown = outcome.ms(route, &format!("/{kind}/{figure}"));
                assert!(
                    within.contains(&shown),
                    "{route}: {kind} {figure} is {shown}, the shop took {of_shop}, the machine adds {slack}"
                );
            }
        }
    }
}

#[test]
fn latencies_up_to_a_minute_are_exact_to_one_percent() {
    let delays = [50, 250, 1_000, 5_000, 20_000, 60_000].map(Duration::from_millis);
    let shop = shop_with_delays(delays);
    let args =
        "--rate 6 --run-time 3s --users 30 --shopper-weight 0 --grace 100s --max-error-rate 0";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let served = shop.close();
    assert_eq!(served.len(), 18);
    for (delay, (_, path)) in delays.iter().zip(RING) {
        assert!(measured(&served, path)[0] >= millis(*delay));
    }
    // On the minute, 1 % is 600 ms; here each request opens a connection.
    assert_exact(&outcome, &served, delays);
    let minute = outcome.ms("GET /api/v1/products", "/raw/p50_ms") / 1_000.0;
    let minute = format!("{minute:.1}s");
    assert!(
        outcome.stdout.contains(&minute),
        "{minute} in {}",
        outcome.stdout
    );
}

#[test]
fn short_latencies_are_exact_to_one_percent() {
    let delays = [50, 75, 100, 150, 200, 250].map(Duration::from_millis);
    let shop = shop_with_delays(delays);
    let args = "--rate 60 --run-time 10s --users 20 --shopper-weight 0 --max-error-rate 0";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let served = shop.close();
    assert!(
        served.len() > 400,
        "60 a second for 10 s, {} came",
        served.len()
    );
    assert_exact(&outcome, &served, delays);
    for (delay, (route, path)) in delays.iter().zip(RING) {
        let measured = measured(&served, path);
        assert!(measured[0] >= millis(*delay));
        // The quickest of a hundred is held up by nothing, so here nothing but 1 % has to do.
        let min = outcome.ms(route, "/raw/min_ms");
        assert!(
            (millis(*delay)..=measured[0] * 1.01 + UNOPTIMISED_MS).contains(&min),
            "{route}: minimum {min}, the shop took {}",
            measured[0]
        );
    }
}

#[test]
fn a_held_up_load_shows_in_the_corrected_latency_and_hides_in_the_raw_one() {
    const RATE: f64 = 50.0;
    // One user, and request 50 takes two seconds: a hundred requests cannot leave in time.
    let shop = Shop::open(|number, _| match number {
        50 => Reply::ok().after(Duration::from_secs(2)),
        _ => Reply::ok(),
    });
    let args = "--rate 50 --run-time 5s --users 1 --shopper-weight 0 --max-p95 1s";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    let served = shop.close();
    assert_eq!(outcome.count("/totals/requests"), served.len() as u64);
    assert_eq!(
        served.len() as u64 + outcome.count("/missed"),
        250,
        "none is skipped for the stall"
    );
    // The shop's own account: request n was meant for n / rate after the first.
    let start = served[0].came;
    let mut meant: Vec<_> = served
        .iter()
        .enumerate()
        .map(|(n, s)| millis(s.done - start) - n as f64 / RATE * 1_000.0)
        .collect();
    meant.sort_by(f64::total_cmp);
    for (figure, percent) in [("p95_ms", 95), ("p99_ms", 99), ("max_ms", 100)] {
        let shown = outcome.ms("all routes", &format!("/corrected/{figure}"));
        let of_shop = quantile(&meant, percent);
        assert!(
            (of_shop * 0.99 - 10.0..=of_shop * 1.01 + 25.0).contains(&shown),
            "corrected {figure} is {shown}, by the shop's clock {of_shop}"
        );
        assert!(of_shop > 1_000.0, "the stall shows: {of_shop}");
    }
    // Only one request in 250 was slow by itself.
    let raw = outcome.ms("all routes", "/raw/p95_ms");
    assert!(raw < 500.0, "raw p95 {raw}");
    assert!(outcome.ms("all routes", "/raw/max_ms") >= 2_000.0);
    assert_eq!(
        outcome.code,
        Some(1),
        "the limit is judged on the corrected latency"
    );
}

#[test]
fn requests_that_could_never_be_sent_are_counted() {
    let shop = Shop::open(|_, _| Reply::ok().after(Duration::from_secs(600)));
    let args = "--rate 20 --run-time 3s --users 1 --shopper-weight 0 --grace 1s --max-p95 1s";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    assert_eq!(
        outcome.code,
        Some(1),
        "{}\n{}",
        outcome.stdout,
        outcome.stderr
    );
    assert_eq!(outcome.count("/totals/requests"), 1);
    assert_eq!(outcome.count("/totals/errors_by_kind/cut off"), 1);
    // Numbers 1 to 57 were due a tenth of a second before the end; later ones depend on the timer.
    let missed = outcome.count("/missed");
    assert!((57..=59).contains(&missed), "{missed} missed");
    assert_eq!(outcome.count("/totals/raw/count"), 1);
    assert_eq!(outcome.count("/totals/corrected/count"), 1 + missed);
    assert!(
        outcome.stdout.contains("were never sent"),
        "{}",
        outcome.stdout
    );
}
