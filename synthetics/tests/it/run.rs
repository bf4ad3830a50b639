//! `synthetics run`: the prober as a process of its own.

use std::process::Stdio;

use console::dogstatsd::Kind;
use console::{Addresses, Receivers};
use serde_json::Value;

use crate::gate::{ended, synthetics, wait_for};
use crate::shop::{Behaviour, Shop};

#[tokio::test]
async fn a_run_with_an_end_writes_its_verdict() {
    let shop = Shop::start().await;
    shop.set("/productpage", Behaviour::Answer(500, String::new()));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("verdict.json");
    let path = file.to_str().expect("text");
    let arguments = [
        "run",
        "--target",
        &shop.url,
        "--for",
        "4s",
        "--max-rate",
        "6",
        "--json",
        path,
    ];
    let output = ended(synthetics(&arguments).output()).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "a prober that finds faults is not broken"
    );
    let report = std::fs::read(&file).expect("the report is there");
    let json: Value = serde_json::from_slice(&report).expect("a whole report");
    assert_eq!(json["verdict"], "fail");
    assert_eq!(json["slos"][0]["name"], "availability");
    let log = String::from_utf8(output.stdout).expect("text");
    let down = log
        .lines()
        .filter(|line| line.contains("check is down") && line.contains("productpage"))
        .count();
    assert_eq!(down, 1, "one line for one change of state:\n{log}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .collect();
    assert_eq!(left.len(), 1, "nothing but the report is left");
}

#[tokio::test]
async fn a_run_without_an_end_reports_when_it_is_told_to_stop() {
    let shop = Shop::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("verdict.json");
    let path = file.to_str().expect("text");
    let arguments = [
        "run",
        "--target",
        &shop.url,
        "--interval",
        "200ms",
        "--timeout",
        "200ms",
        "--json",
        path,
    ];
    let child = synthetics(&arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let pid = child.id().expect("it is running").to_string();
    wait_for(|| shop.seen().0 >= 12).await;
    let status = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(status.expect("kill runs").success());
    let output = ended(child.wait_with_output()).await;
    assert_eq!(output.status.code(), Some(0));
    let report = std::fs::read(&file).expect("the report is there");
    let json: Value = serde_json::from_slice(&report).expect("a whole report");
    // Two where a minute began in between.
    let up = json["slos"][0]["slices"]["up"].as_u64();
    assert!(matches!(up, Some(1 | 2)), "{json}");
    assert_eq!(json["verdict"], "inconclusive");
}

#[tokio::test]
async fn a_timeout_above_the_interval_is_refused() {
    let output = ended(synthetics(&["run", "--interval", "1s", "--timeout", "2s"]).output()).await;
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(
        text.contains("a timeout of 2s is longer than the interval of 1s"),
        "{text}"
    );
}

#[tokio::test]
async fn results_and_objectives_go_out_as_metrics() {
    let shop = Shop::start().await;
    shop.set("/productpage", Behaviour::Answer(500, String::new()));
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("free ports");
    let arguments = [
        "run",
        "--target",
        &shop.url,
        "--for",
        "2s",
        "--location",
        "tokyo",
    ];
    let output = ended(
        synthetics(&arguments)
            .env("DD_DOGSTATSD_DISABLE", "false")
            .env("DD_DOGSTATSD_URL", agent.dogstatsd_url())
            .output(),
    )
    .await;
    assert_eq!(output.status.code(), Some(0));
    // The process has ended, so that all it sent has arrived, and is taken before the receivers end.
    let store = agent.store();
    agent.shutdown().await;
    let seen = store.snapshot();
    assert_eq!(seen.bad_packets.total, 0, "{:?}", seen.bad_packets);
    // How many samples there are of this type and value (any, where none is given) with all of these tags.
    let sent = |name: &str, kind: Kind, value: Option<f64>, tags: &[&str]| {
        let samples = seen.metric(name).filter(|sample| {
            sample.kind == kind
                && matches!(sample.numbers(), [sent] if value.is_none_or(|value| *sent == value))
                && tags.iter().all(|tag| sample.tags().contains(tag))
        });
        samples.count()
    };
    // Counts of one second come as their sum.
    let probes = |tags: &[&str]| -> usize {
        let counts = seen.metric("synthetics.probe.count").filter(|sample| {
            sample.kind == Kind::Count && tags.iter().all(|tag| sample.tags().contains(tag))
        });
        counts.flat_map(|count| count.numbers()).sum::<f64>() as usize
    };
    let (requests, _) = shop.seen();
    // A busy machine leaves gaps: probes that were due and not sent are counted as such.
    let measured = probes(&["location:tokyo"]) - probes(&["location:tokyo", "outcome:gap"]);
    assert!(requests > 0, "the shop was probed");
    assert_eq!(measured, requests, "each probe is counted");
    assert!(probes(&["check:productpage", "outcome:status"]) > 0);
    assert!(probes(&["check:health", "outcome:good"]) > 0);
    let durations = sent("synthetics.probe.duration", Kind::Distribution, None, &[]);
    assert_eq!(durations, requests);
    for (name, value) in [
        ("synthetics.slo.sli", 0.0),
        ("synthetics.slo.budget_remaining", -4900.0),
        ("synthetics.slo.burn_rate", 50.0),
    ] {
        let gauges = sent(name, Kind::Gauge, Some(value), &["slo:availability"]);
        assert!(gauges > 0, "no {name} of {value}: {:#?}", seen.metrics);
    }
}

#[tokio::test]
async fn a_new_configuration_is_taken_up_and_a_bad_one_is_not() {
    let shop = Shop::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("synthetics.yaml");
    let write = |path: &str, interval: &str| {
        let text = format!(
            "version: 1\nchecks:\n  - name: page\n    interval: {interval}\n    timeout: 100ms\n    http: {{url: \"{}{path}\"}}\n",
            shop.url
        );
        std::fs::write(&file, text).expect("it can be written");
    };
    let asked = |path: &str| shop.asked(path);
    write("/health", "100ms");
    let log = folder.path().join("log");
    let child = synthetics(&["run", "--config", file.to_str().expect("text")])
        .stdout(std::fs::File::create(&log).expect("it can be written"))
        .spawn()
        .expect("it runs");
    let pid = child.id().expect("it is running").to_string();
    let hang_up = |signal: &str| {
        let status = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(status.expect("kill runs").success());
    };
    wait_for(|| asked("/health") >= 2).await;
    write("/health", "100");
    hang_up("-HUP");
    let logged = || std::fs::read_to_string(&log).expect("a log");
    wait_for(|| logged().contains("the old one goes on")).await;
    assert!(logged().contains("`100` has no unit"), "{}", logged());
    let before = asked("/health");
    wait_for(|| asked("/health") > before).await;
    // The change of the file is enough.
    write("/productpage", "100ms");
    wait_for(|| asked("/productpage") >= 2).await;
    let after = asked("/health");
    let pages = asked("/productpage");
    wait_for(|| asked("/productpage") > pages).await;
    assert_eq!(asked("/health"), after, "the old check has ended");
    hang_up("-TERM");
    let output = ended(child.wait_with_output()).await;
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn simulated_locations_are_played_and_labelled() {
    let shop = Shop::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("verdict.json");
    let path = file.to_str().expect("text");
    let arguments = [
        "run",
        "--target",
        &shop.url,
        "--for",
        "2s",
        "--simulate",
        "--json",
        path,
    ];
    let output = ended(synthetics(&arguments).output()).await;
    assert_eq!(output.status.code(), Some(0));
    let report = std::fs::read(&file).expect("the report is there");
    let json: Value = serde_json::from_slice(&report).expect("a whole report");
    assert_eq!(
        json["location"],
        "tokyo-simulated, singapore-simulated, sydney-simulated, seoul-simulated"
    );
}
