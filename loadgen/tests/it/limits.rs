//! Limits and exit codes.

use std::time::Duration;

use crate::program::{start, start_with};
use crate::shop::{Reply, Shop};

const QUICK: [&str; 6] = ["--rate", "60", "--run-time", "1s", "--shopper-weight", "0"];

fn run(url: &str, more: &[&str]) -> crate::program::Outcome {
    start(url, &[&QUICK, more].concat()).end()
}

#[test]
fn kept_limits_end_with_0() {
    let shop = Shop::open(|_, _| Reply::ok());
    let outcome = run(&shop.url(), &["--max-error-rate", "0%", "--max-p95", "10s"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.report["thresholds"][0]["passed"], true);
    assert_eq!(outcome.report["thresholds"][1]["passed"], true);
    assert!(outcome.stdout.contains("kept"), "{}", outcome.stdout);
}

#[test]
fn too_many_errors_end_with_1_and_just_enough_with_0() {
    // Every sixth request fails: 10 of 60.
    let shop = Shop::open(|number, _| match number % 6 {
        0 => Reply::status(503),
        _ => Reply::ok(),
    });
    let broken = run(&shop.url(), &["--max-error-rate", "10%"]);
    assert_eq!(broken.code, Some(1), "{}", broken.stdout);
    assert!(broken.stdout.contains("BROKEN"), "{}", broken.stdout);
    assert!(broken.html.contains("broken"), "{}", broken.html);
    assert_eq!(
        broken.count("/totals/errors_by_kind/status 503"),
        broken.count("/totals/errors")
    );
    let kept = run(&shop.url(), &["--max-error-rate", "0.2"]);
    assert_eq!(kept.code, Some(0), "{}", kept.stdout);
    let none = run(&shop.url(), &[]);
    assert_eq!(none.code, Some(0), "errors alone break nothing");
    assert!(none.count("/totals/errors") >= 9);
}

#[test]
fn a_slow_shop_breaks_the_p95() {
    let shop = Shop::open(|number, _| match number % 10 {
        0 => Reply::ok().after(Duration::from_millis(400)),
        _ => Reply::ok(),
    });
    let outcome = run(&shop.url(), &["--max-p95", "300ms", "--users", "30"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("p95 at most 300ms"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn limits_come_from_variables_too() {
    let shop = Shop::open(|_, _| Reply::status(500));
    let env = [
        ("LOADGEN_RATE", "40"),
        ("LOADGEN_RUN_TIME", "1s"),
        ("LOADGEN_SHOPPER_WEIGHT", "0"),
        ("LOADGEN_MAX_ERROR_RATE", "99.9%"),
    ];
    let outcome = start_with(&shop.url(), &[], &env).end();
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(
        outcome.count("/totals/requests") + outcome.count("/missed"),
        40
    );
}

#[test]
fn a_shop_that_is_not_there_breaks_every_limit_but_not_the_run() {
    let shop = Shop::open(|_, _| Reply::ok());
    let url = shop.url();
    shop.close();
    for limit in [["--max-p95", "60s"], ["--max-error-rate", "99%"]] {
        let outcome = run(&url, &limit);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.count("/totals/requests") > 50, "it goes on trying");
        assert_eq!(
            outcome.count("/totals/errors_by_kind/connect"),
            outcome.count("/totals/requests")
        );
        assert!(
            outcome.report["totals"]["raw"].is_null(),
            "no answer is no latency"
        );
    }
    let outcome = run(&url, &[]);
    assert_eq!(
        outcome.code,
        Some(0),
        "without limits a run is only a report"
    );
}

#[test]
fn bad_usage_ends_with_2_before_any_request() {
    let shop = Shop::open(|_, _| Reply::ok());
    for (args, reason) in [
        (&["--rate", "fast"][..], "requests a second"),
        (&["--run-time", "0s"], "--run-time"),
        (&["--host", "shop"], "--host"),
        (
            &["--ring-weight", "0", "--shopper-weight", "0"],
            "nothing to do",
        ),
        (
            &["--html", "/no/such/folder/report.html"],
            "/no/such/folder/report.html",
        ),
        (&["--max-error-rate", "lots"], "1%"),
        (&["--colour"], "--colour"),
    ] {
        let args: Vec<_> = match args[0] {
            // The harness gives this flag already; the variable is another way to say it.
            "--html" => {
                let outcome = html_to(&shop.url(), args[1]);
                assert_eq!(outcome.0, Some(2), "{}", outcome.1);
                assert!(outcome.1.contains(reason), "{}", outcome.1);
                continue;
            }
            _ => args.to_vec(),
        };
        let outcome = start(&shop.url(), &args).end();
        assert_eq!(outcome.code, Some(2), "{args:?}");
        assert!(
            outcome.stderr.contains(reason),
            "{args:?}: {}",
            outcome.stderr
        );
    }
    assert!(shop.close().is_empty());
}

fn html_to(url: &str, path: &str) -> (Option<i32>, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .env_clear()
        .args(["--host", url, "--html", path, "--run-time", "10s"])
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}
