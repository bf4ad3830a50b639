//! The pace, the users and the ramp.

use std::time::Duration;

use crate::program::start;
use crate::shop::{Reply, Shop};

const RING: [&str; 6] = [
    "/productpage",
    "/health",
    "/api/v1/products/0",
    "/api/v1/products/0/reviews",
    "/api/v1/products/0/ratings",
    "/api/v1/products",
];

#[test]
fn the_ring_goes_round_at_the_asked_for_pace_and_never_ahead_of_it() {
    let shop = Shop::open(|_, _| Reply::ok());
    let args = "--rate 20 --run-time 3s --shopper-weight 0";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let served = shop.close();
    assert_eq!(served.len() as u64 + outcome.count("/missed"), 60);
    assert_eq!(
        outcome.count("/visits/ring_rounds"),
        served.len() as u64 / 6
    );
    let mut rounds = [0; 6];
    for (number, served) in served.iter().enumerate() {
        let place = RING.iter().position(|path| *path == served.request.path);
        let place = place.expect("a path of the ring");
        // On a busy machine one may overtake another one, but no whole round.
        let meant = rounds[place] * 6 + place;
        rounds[place] += 1;
        assert!(
            number.abs_diff(meant) < 6,
            "request {number} was meant for {meant}"
        );
        assert_eq!(served.request.method, "GET");
        assert_eq!(served.request.body, "");
    }
    // The first may have been late by the time a connection takes.
    for (number, later) in served.iter().enumerate() {
        let meant = Duration::from_millis(50) * u32::try_from(number).expect("few");
        let came = later.came - served[0].came;
        assert!(
            came + Duration::from_millis(40) >= meant,
            "request {number} came after {came:?}"
        );
    }
}

#[test]
fn no_more_requests_are_under_way_than_there_are_users() {
    let shop = Shop::open(|_, _| Reply::ok().after(Duration::from_millis(10)));
    let args = "--rate 0 --users 3 --run-time 1s --shopper-weight 0 --max-error-rate 0";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(shop.most_at_once(), 3);
    assert!(outcome.count("/totals/requests") > 6);
    assert!(outcome.report["settings"]["rate_per_s"].is_null());
    assert!(
        outcome.report["totals"]["corrected"].is_null(),
        "without a schedule there is nothing to correct by"
    );
}

#[test]
fn a_ramp_reaches_the_pace_evenly() {
    let shop = Shop::open(|_, _| Reply::ok());
    let args = "--rate 100 --ramp 2s --run-time 3s --users 6 --shopper-weight 0";
    let outcome = start(&shop.url(), &args.split(' ').collect::<Vec<_>>()).end();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let served = shop.close();
    // Half the pace over 2 s, then all of it for 1 s.
    assert_eq!(served.len() as u64 + outcome.count("/missed"), 200);
    let by = |s| {
        let end = served[0].came + Duration::from_secs(s);
        served.iter().filter(|x| x.came < end).count()
    };
    let first = by(1);
    assert!(
        (10..=30).contains(&first),
        "{first} in the first second, not 25"
    );
    let second = by(2);
    assert!(
        (70..=105).contains(&second),
        "{second} in two seconds, not 100"
    );
}
