//! `synthetics run` and its history: two of them, a new configuration, a table that is not there.

use std::process::{Output, Stdio};

use sandbox::Engine;
use serde_json::Value;
use synthetics::history::store::{Retention, Store};
use synthetics::history::{Level, Minute};
use tokio::process::{Child, Command};

use crate::gate::{ended, synthetics, wait_for};
use crate::shop::Shop;

pub(crate) fn run(engine: &Engine, shop: &Shop, arguments: &[&str]) -> Command {
    let args = engine.store_args();
    let usual = [
        "run",
        "--target",
        &shop.url,
        "--interval",
        "200ms",
        "--timeout",
        "200ms",
    ];
    let mut command = synthetics(&[&usual, arguments].concat());
    command
        .env("TABLE_PREFIX", args.table_prefix)
        .env(
            "DYNAMODB_ENDPOINT",
            args.dynamodb_endpoint.expect("it has one"),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

async fn terminate(child: Child) -> Output {
    signal(&child, "-TERM");
    ended(child.wait_with_output()).await
}

pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("it is running").to_string();
    let sent = std::process::Command::new("kill")
        .args([name, &pid])
        .status();
    assert!(sent.expect("kill runs").success());
}

/// All results in the table, of a location.
async fn kept(engine: &Engine, location: &str) -> u128 {
    let store = Store::open(&engine.store_args(), None, 1, Retention::default()).await;
    let mut sum = 0;
    let always = Minute(0)..Minute(1 << 32);
    store
        .expect("store arguments")
        .read(location, Level::Minute, always, |_, checks| {
            let minutes = checks.iter().flat_map(|(_, series)| series.minutes());
            sum += minutes.map(|(_, c)| c.results().total()).sum::<u128>();
        })
        .await
        .expect("a readable history");
    sum
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_has_saved_everything() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    let arguments = ["--create-table", "--location", "tokyo"];
    let child = run(&engine, &shop, &arguments).spawn().expect("it runs");
    wait_for(|| shop.seen().0 >= 30).await;
    let output = terminate(child).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (seen, kept) = (shop.seen().0, kept(&engine, "tokyo").await);
    // What was under way is dropped: an unfinished probe has no result.
    let kept = usize::try_from(kept).expect("few");
    assert!(kept <= seen && kept + 6 >= seen, "{kept} of {seen}");
}

#[tokio::test]
async fn a_second_prober_of_a_location_is_told_and_ends() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    let arguments = ["--history", "on", "--create-table", "--location", "tokyo"];
    let first = run(&engine, &shop, &arguments).spawn().expect("it runs");
    wait_for(|| shop.seen().0 >= 6).await;
    let second = ended(run(&engine, &shop, &arguments).output()).await;
    assert_eq!(second.status.code(), Some(2), "{}", text(&second.stdout));
    let message = text(&second.stderr);
    assert!(
        message.contains("another prober is writing the history of location tokyo"),
        "{message}"
    );
    assert!(message.contains("--location"), "{message}");
    let first = terminate(first).await;
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    // Another place is no trouble.
    let arguments = [
        "--history",
        "on",
        "--location",
        "osaka",
        "--for",
        "2s",
        "--json",
        "/dev/null",
    ];
    let other = ended(run(&engine, &shop, &arguments).output()).await;
    assert!(
        !text(&other.stderr).contains("another prober"),
        "{}",
        text(&other.stderr)
    );
}

#[tokio::test]
async fn a_table_that_is_not_there_is_told_and_stops_only_who_asked_for_it() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    let output = ended(run(&engine, &shop, &["--history", "on"]).output()).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("--create-table"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(shop.seen().0, 0);
    let child = run(&engine, &shop, &[]).spawn().expect("it runs");
    wait_for(|| shop.seen().0 >= 12).await;
    let output = terminate(child).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("history kept in memory alone"));
}

#[tokio::test]
async fn a_new_configuration_goes_on_in_the_same_minute() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("synthetics.yaml");
    let config = |target: &str| {
        format!(
            "version: 1\n\
             checks:\n  - name: health\n    interval: 200ms\n    timeout: 200ms\n    http: {{url: \"{}/health\"}}\n\
             slos:\n  - name: up\n    target: {target}\n    window: 7d\n    success: {{}}\n    checks: [health]\n\
             sinks: {{history: {{}}}}\n",
            shop.url
        )
    };
    std::fs::write(&file, config("90%")).expect("a file");
    let report = folder.path().join("report.json");
    let (file_name, report_name) = (file.to_str().expect("text"), report.to_str().expect("text"));
    let arguments = [
        "--create-table",
        "--location",
        "tokyo",
        "--config",
        file_name,
        "--json",
        report_name,
    ];
    let child = run(&engine, &shop, &arguments).spawn().expect("it runs");
    wait_for(|| shop.seen().0 >= 10).await;
    std::fs::write(&file, config("80%")).expect("a file");
    signal(&child, "-HUP");
    let before = shop.seen().0;
    wait_for(|| shop.seen().0 >= before + 20).await;
    let output = terminate(child).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("configuration read again"));
    let (seen, kept) = (shop.seen().0, kept(&engine, "tokyo").await);
    let kept = usize::try_from(kept).expect("few");
    assert!(kept <= seen && kept + 4 >= seen, "{kept} of {seen}");
    // What was found before counts for the new objective as well.
    let json = std::fs::read(&report).expect("the report is there");
    let json: Value = serde_json::from_slice(&json).expect("a whole report");
    assert_eq!(json["slos"][0]["target"], "80%");
    assert_eq!(
        json["slos"][0]["total"].as_u64(),
        u64::try_from(kept).ok(),
        "{json}"
    );
}

#[tokio::test]
async fn a_faster_clock_is_labelled_and_fills_a_window_in_moments() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    let report_name = report.to_str().expect("text");
    let arguments = [
        "--create-table",
        "--location",
        "tokyo",
        "--time-scale",
        "600",
        "--json",
        report_name,
    ];
    let child = run(&engine, &shop, &arguments).spawn().expect("it runs");
    wait_for(|| shop.seen().0 >= 60).await;
    let output = terminate(child).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json = std::fs::read(&report).expect("the report is there");
    let json: Value = serde_json::from_slice(&json).expect("a whole report");
    assert_eq!(json["time_scale"], 600);
    let slices = &json["slos"][0]["slices"];
    // Ten rounds, two minutes apart.
    assert!(slices["up"].as_u64() >= Some(9), "{json}");
    let path = |name: &str| {
        let path = folder.path().join(name);
        path.to_str().expect("text").to_owned()
    };
    let (junit, markdown) = (path("junit.xml"), path("report.md"));
    // Judged later it is the same clock, and real time has no history.
    let gate = |scale: &str| {
        let args = engine.store_args();
        let arguments = [
            "gate",
            "--since",
            "30m",
            "--json",
            "--time-scale",
            scale,
            "--junit",
            &junit,
            "--markdown",
            &markdown,
        ];
        let mut command = synthetics(&arguments);
        command.env("TABLE_PREFIX", args.table_prefix).env(
            "DYNAMODB_ENDPOINT",
            args.dynamodb_endpoint.expect("it has one"),
        );
        command
    };
    let output = ended(gate("600").output()).await;
    let json: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(json["time_scale"], 600, "{}", text(&output.stderr));
    let label = "on a clock that runs 600 times as fast as real time";
    for file in [&junit, &markdown] {
        let told = std::fs::read_to_string(file).expect("a report");
        assert!(told.contains(label), "{told}");
    }
    let told = std::fs::read_to_string(&junit).expect("a report");
    assert!(told.contains("\"time_scale\" value=\"600\""), "{told}");
    let output = ended(gate("1").output()).await;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
}
