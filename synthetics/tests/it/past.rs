//! `synthetics gate` over what was found before: a history in DynamoDB, or a recording; and what
//! it leaves for CI.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::Engine;
use serde_json::Value;
use synthetics::clock::{Clock as _, SystemClock};
use synthetics::history::store::{Claim, Holder, MinuteItem, Retention, Saved, Store};
use synthetics::history::{Bucket, Minute, Series};
use synthetics::probe::{Failure, FailureKind, Measurement, Outcome, ProbeResult};

use crate::gate::{ended, synthetics};
use crate::shop::{Behaviour, Shop};

struct Told {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}{}", self.stdout, self.stderr))
    }

    fn slo(&self, name: &str) -> Value {
        let json = self.json();
        let slos = json["slos"].as_array().expect("a list");
        slos.iter()
            .find(|slo| slo["name"] == name)
            .expect(name)
            .clone()
    }
}

async fn gate(engine: Option<&Engine>, arguments: &[&str], environment: &[(&str, &str)]) -> Told {
    let mut command = synthetics(&[&["gate"], arguments].concat());
    if let Some(engine) = engine {
        let args = engine.store_args();
        command.env("TABLE_PREFIX", args.table_prefix).env(
            "DYNAMODB_ENDPOINT",
            args.dynamodb_endpoint.expect("it has one"),
        );
    }
    let output = ended(command.envs(environment.iter().copied()).output()).await;
    Told {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A configuration with one check and one objective on it, with this target.
fn config(folder: &Path, target: &str, indicator: &str) -> PathBuf {
    let file = folder.join("slo.yaml");
    let text = format!(
        "version: 1\n\
         defaults: {{interval: 10s, timeout: 2s}}\n\
         checks:\n  - name: page\n    http: {{url: \"http://127.0.0.1:1/\"}}\n\
         slos:\n  - name: pages\n    target: {target}\n    window: 7d\n    {indicator}\n    checks: [page]\n\
         sinks: {{history: {{}}}}\n"
    );
    std::fs::write(&file, text).expect("a file");
    file
}

pub(crate) async fn table(engine: &Engine) -> Store {
    let store = Store::open(&engine.store_args(), None, 1, Retention::default()).await;
    let store = store.expect("store arguments");
    store.create_table().await.expect("a table");
    store
}

fn now() -> Minute {
    Minute::of(SystemClock::new().now())
}

/// Minutes before now in which `page` was probed ten times; bad ones where `bad` says so.
pub(crate) async fn seed(
    store: &Store,
    location: &str,
    ago: std::ops::Range<u64>,
    bad: fn(u64) -> u64,
) {
    let holder = Holder::here(now().start());
    let claim = store.claim(location, &holder, false, None).await;
    assert!(matches!(claim, Ok(Claim::Ours(_))), "{claim:?}");
    for ago in ago {
        let minute = Minute(now().0 - ago);
        let mut bucket = Bucket::new(&[Duration::from_millis(100)]);
        for n in 0..10 {
            let failure = (n < bad(ago))
                .then(|| Failure::new(FailureKind::Status, "status 500, expected 200"));
            let measurement = Measurement {
                duration: Duration::from_millis(20),
                answered: true,
                trace_id: Some("0af7651916cd43dd8448eb211c80319c".into()),
                failure,
                ..Measurement::default()
            };
            bucket.record(&ProbeResult {
                check_index: 0,
                check: "page".into(),
                location: location.into(),
                scheduled: minute.start(),
                started: minute.start(),
                outcome: Outcome::Measured(measurement),
            });
        }
        let item = MinuteItem {
            minute,
            checks: vec![("page".into(), Series::of(minute, &bucket))],
            contains: None,
        };
        let saved = store
            .save_minute(location, &holder.run, &item, now().start())
            .await;
        assert!(matches!(saved, Ok(Saved::Done)), "{saved:?}");
    }
}

#[tokio::test]
async fn a_gate_over_history_passes_fails_and_says_what_is_missing() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    // Bad all along an hour ago, good since.
    seed(&store, "tokyo", 1..180, |ago| if ago > 60 { 10 } else { 0 }).await;
    seed(&store, "osaka", 1..180, |_| 0).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = config(folder.path(), "90%", "success: {}");
    let file = file.to_str().expect("text");
    let judge = async |arguments: &[&str]| {
        let arguments = [&["--config", file, "--json"], arguments].concat();
        gate(Some(&engine), &arguments, &[]).await
    };

    let told = judge(&["--since", "50m"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
    let slo = told.slo("pages");
    assert_eq!(slo["reason"], "met");
    assert!(
        slo["total"].as_u64() >= Some(2 * 10 * 47),
        "both locations: {slo}"
    );
    assert_eq!(told.json()["location"], "osaka, tokyo");

    let told = judge(&["--window", "2h"]).await;
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    assert_eq!(told.slo("pages")["reason"], "missed");
    let check = &told.json()["checks"][0];
    assert_eq!(check["failures"]["status"], check["bad"]);
    assert_eq!(
        check["worst"][0]["trace_id"],
        "0af7651916cd43dd8448eb211c80319c"
    );

    // Until an hour ago all of it was bad.
    let told = judge(&["--since", "150m", "--until", "70m"]).await;
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    assert_eq!(told.slo("pages")["good"], 10 * 80, "{}", told.stdout);
    assert_eq!(told.slo("pages")["bad"], 10 * 80);

    // Nobody was there for most of a week, and for the time after a stop nobody knows.
    let told = judge(&["--window", "own"]).await;
    assert_eq!(told.code, Some(3), "{}", told.stdout);
    assert_eq!(told.slo("pages")["reason"], "low_coverage");
    assert_eq!(told.slo("pages")["coverage"]["expected"], 10_080);
}

#[tokio::test]
async fn a_history_that_is_old_or_empty_or_not_there_is_never_green() {
    let engine = Engine::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = config(folder.path(), "90%", "success: {}");
    let file = file.to_str().expect("text");
    let judge = async |engine, arguments: &[&str]| {
        let arguments = [&["--config", file], arguments].concat();
        gate(
            engine,
            &arguments,
            &[("SYNTHETICS_ON_INCONCLUSIVE", "pass")],
        )
        .await
    };
    let told = judge(Some(&engine), &["--since", "1h"]).await;
    assert_eq!(told.code, Some(2), "{}", told.stdout);
    assert!(told.stderr.contains("--create-table"), "{}", told.stderr);
    let store = table(&engine).await;
    let told = judge(Some(&engine), &["--since", "1h"]).await;
    assert_eq!(told.code, Some(2), "{}", told.stdout);
    assert!(told.stderr.contains("has no results"), "{}", told.stderr);
    // There was somebody, a while ago.
    seed(&store, "tokyo", 100..200, |_| 0).await;
    let told = judge(Some(&engine), &["--since", "30m"]).await;
    assert_eq!(
        told.code,
        Some(3),
        "not even where that passes: {}",
        told.stdout
    );
    assert!(
        told.stdout.contains("nothing was measured"),
        "{}",
        told.stdout
    );
    let arguments = ["--config", file, "--window", "3h", "--json"];
    let told = gate(Some(&engine), &arguments, &[]).await;
    assert_eq!(told.code, Some(3), "{}", told.stdout);
    assert_eq!(told.slo("pages")["reason"], "stale");
    let told = judge(None, &["--since", "1h"]).await;
    assert_eq!(told.code, Some(2));
    assert!(told.stderr.contains("DYNAMODB_ENDPOINT"), "{}", told.stderr);
}

#[tokio::test]
async fn bad_spans_are_errors_that_say_the_mend() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    seed(&store, "tokyo", 1..2, |_| 0).await;
    for (arguments, part) in [
        (&["--since", "yesterday"][..], "a time ago such as 90m"),
        (&["--window", "week"], "calendar-week"),
        (&["--window", "90s"], "whole number of minutes"),
        (&["--since", "1h", "--window", "7d"], "cannot be used with"),
        (&["--replay", "x", "--since", "1h"], "cannot be used with"),
        (&["--since", "1h", "--until", "2h"], "is not before"),
        (&["--replay", "/not/here"], "cannot read /not/here"),
    ] {
        let told = gate(Some(&engine), arguments, &[]).await;
        assert_eq!(told.code, Some(2), "{arguments:?} {}", told.stdout);
        assert!(told.stderr.contains(part), "{arguments:?}: {}", told.stderr);
    }
}

/// A recording of a gate over a shop whose page is slow.
async fn recorded(folder: &Path) -> (PathBuf, Told) {
    let shop = Shop::start().await;
    let slow = Behaviour::Slow(Duration::from_millis(150));
    shop.set("/api/v1/products", slow.clone());
    shop.set("/api/v1/products/0", slow);
    let file = folder.join("results.jsonl");
    let path = file.to_str().expect("text");
    let arguments = [
        "--target",
        &shop.url,
        "--for",
        "8s",
        "--max-rate",
        "1000",
        "--json",
        "--record",
        path,
    ];
    let told = gate(None, &arguments, &[]).await;
    assert_eq!(told.code, Some(1), "{}{}", told.stdout, told.stderr);
    (file, told)
}

#[tokio::test]
async fn a_replay_judges_as_the_gate_did_and_otherwise_with_other_targets() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, live) = recorded(folder.path()).await;
    let path = file.to_str().expect("text");
    let again = gate(None, &["--replay", path, "--json"], &[]).await;
    assert_eq!(again.code, Some(1), "{}{}", again.stdout, again.stderr);
    let numbers = |told: &Told| -> Vec<Value> {
        let json = told.json();
        let slos = json["slos"].as_array().expect("a list").iter();
        let keys = [
            "name", "good", "bad", "gaps", "verdict", "reason", "slices", "p95_ms",
        ];
        slos.map(|slo| keys.iter().map(|key| slo[key].clone()).collect())
            .collect()
    };
    assert_eq!(numbers(&again), numbers(&live));
    assert_eq!(again.slo("latency-100ms")["verdict"], "fail");
    assert_eq!(again.json()["checks"], live.json()["checks"]);

    // Half of the API is slow: 40 % would have been met.
    let output = ended(synthetics(&["config"]).output()).await;
    let text = String::from_utf8(output.stdout).expect("text");
    let edited = folder.path().join("edited.yaml");
    let loose = text.replacen("target: 95%", "target: 40%", 1);
    assert_ne!(loose, text);
    std::fs::write(&edited, loose).expect("a file");
    let edited = edited.to_str().expect("text");
    let arguments = ["--replay", path, "--json", "--config", edited];
    let loose = gate(None, &arguments, &[]).await;
    assert_eq!(loose.code, Some(0), "{}{}", loose.stdout, loose.stderr);
    assert_eq!(loose.slo("latency-100ms")["verdict"], "pass");

    // An objective on something that was not probed is not green.
    let other = config(folder.path(), "90%", "success: {}");
    let other = other.to_str().expect("text");
    let told = gate(None, &["--replay", path, "--config", other], &[]).await;
    assert_eq!(told.code, Some(2), "{}", told.stdout);
    assert!(
        told.stderr.contains("it has no check `page`"),
        "{}",
        told.stderr
    );
}

#[tokio::test]
async fn a_recording_that_was_cut_off_is_judged_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, _) = recorded(folder.path()).await;
    let text = std::fs::read_to_string(&file).expect("a recording");
    let replay = async |text: &str| {
        let file = folder.path().join("other.jsonl");
        std::fs::write(&file, text).expect("a file");
        let path = file.to_str().expect("text");
        gate(None, &["--replay", path, "--json"], &[]).await
    };
    // A kill in the middle: what is missing of the planned time is missing.
    let half = &text[..text.len() / 2];
    assert!(!half.ends_with('\n'), "it cuts a line");
    let told = replay(half).await;
    assert_eq!(told.json()["recording"]["cut"], true);
    let availability = told.slo("availability");
    assert_eq!(availability["reason"], "low_coverage", "{availability}");
    for (broken, part) in [
        (String::new(), "it is no recording"),
        ("hello\n".to_owned(), "it is no recording"),
        (
            text.replacen("\"probe\"", "\"prob\"", 1),
            "line 2 is none of a recording",
        ),
        (
            text.replacen("\"version\":1", "\"version\":9", 1),
            "version 9",
        ),
        (
            text.replacen("\"location\":\"local\"", "\"location\":\"mars\"", 1),
            "`mars` was not there",
        ),
    ] {
        let told = replay(&broken).await;
        assert_eq!(told.code, Some(2), "{}", told.stdout);
        assert!(told.stderr.contains(part), "{}", told.stderr);
    }
}

#[tokio::test]
async fn ci_gets_files_a_summary_and_annotations() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    seed(&store, "tokyo", 1..100, |ago| u64::from(ago % 2 == 0)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = config(folder.path(), "99%", "success: {}");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let (junit, markdown, summary) = (path("j.xml"), path("m.md"), path("summary.md"));
    std::fs::write(&summary, "before\n").expect("a file");
    let file = file.to_str().expect("text");
    let arguments = [
        "--config",
        file,
        "--since",
        "90m",
        "--junit",
        &junit,
        "--markdown",
        &markdown,
    ];
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.as_str()),
    ];
    let told = gate(Some(&engine), &arguments, &environment).await;
    assert_eq!(told.code, Some(1), "{}{}", told.stdout, told.stderr);
    assert!(
        told.stdout.contains("FAIL  missed: pages"),
        "{}",
        told.stdout
    );

    let xml = std::fs::read(&junit).expect("the XML is there");
    let report = quick_junit::Report::deserialize(xml.as_slice()).expect("JUnit");
    assert_eq!((report.tests, report.failures), (1, 1));
    let markdown = std::fs::read_to_string(&markdown).expect("the Markdown is there");
    assert!(markdown.contains("| ❌ fail | pages |"), "{markdown}");
    assert!(markdown.contains("status 500"), "{markdown}");
    let summary = std::fs::read_to_string(&summary).expect("the summary is there");
    assert_eq!(summary, format!("before\n{markdown}"), "others' text stays");

    // The objective stands in line 7 of the file.
    let start = format!("::error file={file},line=7,title=SLO missed%3A pages::");
    let annotation = told.stderr.lines().find(|line| line.starts_with("::"));
    let annotation = annotation.unwrap_or_else(|| panic!("{}", told.stderr));
    assert!(annotation.starts_with(&start), "{annotation}");
    assert!(annotation.contains("99%25 is promised"), "{annotation}");

    // Nothing of this elsewhere.
    let told = gate(Some(&engine), &["--config", file, "--since", "90m"], &[]).await;
    assert!(!told.stderr.contains("::error"), "{}", told.stderr);
}
