//! `synthetics gate` as a script or a person runs it.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::shop::{Behaviour, Shop};

/// After this a test fails. Generous, since a debug build may share two cores with a compiler.
const PATIENCE: Duration = Duration::from_secs(60);

struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}{}", self.stdout, self.stderr))
    }

    /// The verdict and the reason of an objective.
    fn slo(&self, name: &str) -> (String, String) {
        let json = self.json();
        let slos = json["slos"].as_array().expect("a list");
        let slo = slos.iter().find(|slo| slo["name"] == name).expect(name);
        let text = |key: &str| slo[key].as_str().expect(key).to_owned();
        (text("verdict"), text("reason"))
    }
}

/// A command that inherits no setting from the developer's shell and sends no telemetry.
pub(crate) fn synthetics(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_synthetics"));
    command
        .env_clear()
        .env("OTEL_SDK_DISABLED", "true")
        .env("DD_DOGSTATSD_DISABLE", "true")
        // Many at once, each with a page of its own.
        .env("SYNTHETICS_PORT", "0")
        .args(arguments)
        .kill_on_drop(true);
    command
}

/// What it left, once it has ended. One that goes on is killed after a minute, and the test fails.
pub(crate) async fn ended(output: impl Future<Output = std::io::Result<Output>>) -> Output {
    let output = tokio::time::timeout(PATIENCE, output).await;
    output.expect("it ends").expect("it runs")
}

async fn gate(target: &str, arguments: &[&str]) -> Outcome {
    let mut all = vec!["gate", "--target", target];
    all.extend(arguments);
    let output = ended(synthetics(&all).output()).await;
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// 200 rounds where 149 are needed, and so slowly that a machine under load sends them in time.
const ENOUGH: [&str; 5] = ["--for", "10s", "--max-rate", "120", "--json"];

fn words(pair: (&str, &str)) -> (String, String) {
    (pair.0.to_owned(), pair.1.to_owned())
}

#[tokio::test]
async fn a_good_shop_passes() {
    let shop = Shop::start().await;
    let outcome = gate(&shop.url, &ENOUGH).await;
    assert_eq!(
        outcome.code,
        Some(0),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
    let json = outcome.json();
    assert_eq!(json["verdict"], "pass");
    for slo in json["slos"].as_array().expect("a list") {
        assert_eq!(slo["bad"], 0, "{slo}");
        let (total, needed) = (slo["total"].as_u64(), slo["needed"].as_u64());
        assert!(total >= needed, "a pass on too little: {slo}");
    }
    let (requests, _) = shop.seen();
    assert_eq!(json["probes"], requests, "each probe is one request");
}

#[tokio::test]
async fn a_refused_connection_fails() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let outcome = gate(&url, &["--for", "2s", "--json"]).await;
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    for name in ["availability", "latency-100ms", "latency-500ms", "success"] {
        assert_eq!(outcome.slo(name).0, "fail", "{name}");
    }
    let json = outcome.json();
    assert_eq!(json["slos"][1]["p95_unanswered"], true);
    assert_eq!(json["checks"][0]["last_failure"]["kind"], "connect");
}

#[tokio::test]
async fn a_page_that_misses_its_reviews_fails_though_it_answers_200() {
    let shop = Shop::start().await;
    let page = "<h1>The Comedy of Errors</h1>ISBN-10<blockquote data-unavailable=\"reviews\">";
    shop.set("/productpage", Behaviour::Answer(200, page.into()));
    let outcome = gate(&shop.url, &ENOUGH).await;
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert_eq!(outcome.slo("availability").0, "fail");
    assert_eq!(outcome.slo("latency-100ms"), words(("pass", "met")));
    let json = outcome.json();
    assert_eq!(
        json["checks"][0]["failures"]["body"],
        json["checks"][0]["bad"]
    );
}

#[tokio::test]
async fn ratings_down_burn_the_success_ratio_and_not_the_availability() {
    let shop = Shop::start().await;
    let reviews = r#"{"id":"0","reviews":[{"reviewer":"A","text":"t","rating":{"error":"Ratings service is currently unavailable"}}]}"#;
    shop.set(
        "/api/v1/products/0/reviews",
        Behaviour::Answer(200, reviews.into()),
    );
    let ratings = r#"{"error":"Sorry, product ratings are currently unavailable for this book."}"#;
    shop.set(
        "/api/v1/products/0/ratings",
        Behaviour::Answer(500, ratings.into()),
    );
    let outcome = gate(&shop.url, &ENOUGH).await;
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert_eq!(outcome.slo("availability"), words(("pass", "met")));
    assert_eq!(outcome.slo("success").0, "fail");
    let json = outcome.json();
    let detail = &json["checks"][4]["last_failure"]["detail"];
    assert_eq!(
        detail,
        "`$.reviews[*].rating.error` is there, and must not be"
    );
    assert_eq!(
        json["checks"][5]["last_failure"]["detail"],
        "status 500, expected 200"
    );
}

#[tokio::test]
async fn slow_answers_break_the_one_limit_and_not_the_other() {
    let shop = Shop::start().await;
    for path in ["/api/v1/products", "/api/v1/products/0"] {
        shop.set(path, Behaviour::Slow(Duration::from_millis(150)));
    }
    let outcome = gate(&shop.url, &ENOUGH).await;
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert_eq!(outcome.slo("latency-100ms"), words(("fail", "missed")));
    assert_eq!(outcome.slo("latency-500ms"), words(("pass", "met")));
    assert_eq!(outcome.slo("success"), words(("pass", "met")));
}

#[tokio::test]
async fn an_answer_that_never_comes_fails_in_time() {
    let shop = Shop::start().await;
    shop.set("/productpage", Behaviour::Hang);
    let started = std::time::Instant::now();
    let outcome = gate(&shop.url, &["--for", "3s", "--timeout", "1s", "--json"]).await;
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert_eq!(outcome.slo("availability").0, "fail");
    let json = outcome.json();
    assert_eq!(json["checks"][0]["last_failure"]["kind"], "timeout");
    assert_eq!(json["checks"][0]["p95_ms"], Value::Null);
    assert_eq!(
        json["checks"][1]["bad"], 0,
        "one that hangs delays no other"
    );
    // Three seconds, one time-out, and what a loaded machine needs to start.
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn too_few_rounds_are_inconclusive_and_say_what_is_needed() {
    let shop = Shop::start().await;
    // So few that the slow answers of a busy machine hardly lose an objective.
    let few = ["--for", "2s", "--max-rate", "6"];
    let outcome = gate(&shop.url, &few).await;
    assert_eq!(outcome.code, Some(3), "{}", outcome.stdout);
    assert!(
        outcome.stderr.contains("149 are needed"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stdout.contains("149 are needed"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome
            .stdout
            .contains("INCONCLUSIVE  too little data: availability")
    );

    let fail = gate(
        &shop.url,
        &[&few[..], &["--on-inconclusive", "fail"]].concat(),
    )
    .await;
    assert_eq!(fail.code, Some(1), "{}", fail.stdout);
    let pass = gate(
        &shop.url,
        &[&few[..], &["--on-inconclusive", "pass"]].concat(),
    )
    .await;
    assert_eq!(pass.code, Some(0), "{}", pass.stdout);
    assert!(
        pass.stdout.contains("inconclusive, counted as pass"),
        "{}",
        pass.stdout
    );
}

#[tokio::test]
async fn a_gate_stopped_early_is_never_green() {
    let shop = Shop::start().await;
    let mut command = synthetics(&["gate", "--target", &shop.url, "--for", "1h", "--json"]);
    let child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    let pid = child.id().expect("it is running").to_string();
    wait_for(|| shop.seen().0 >= 6).await;
    let status = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(status.expect("kill runs").success());
    let output = ended(child.wait_with_output()).await;
    assert_eq!(output.status.code(), Some(3));
    let json: Value = serde_json::from_slice(&output.stdout).expect("a whole report");
    assert_eq!(json["interrupted"], true);
}

#[tokio::test]
async fn bad_usage_is_an_error_that_says_the_mend() {
    let shop = Shop::start().await;
    for (arguments, part) in [
        (&["--for", "30"][..], "30s"),
        (&["--for", "0s"], "longer than nothing"),
        (&["--max-rate", "0"], "1..=100000"),
        (&["--location", "Tokyo East"], "lower-case"),
        (&["--for", "10ms", "--max-rate", "1"], "too short"),
        (&["--no-such-flag"], "--no-such-flag"),
    ] {
        let outcome = gate(&shop.url, arguments).await;
        assert_eq!(outcome.code, Some(2), "{arguments:?}");
        assert!(
            outcome.stderr.contains(part),
            "{arguments:?}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
    let outcome = gate("shop.test", &[]).await;
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("http://host:port"),
        "{}",
        outcome.stderr
    );
}

/// Waits for a condition that must come true; the limit only ends a broken test.
pub(crate) async fn wait_for(mut condition: impl FnMut() -> bool) {
    let limit = std::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(std::time::Instant::now() < limit, "it never came true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
