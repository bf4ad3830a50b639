//! `synthetics explain`: how each number comes about, over a recording whose every result is
//! known, and over a history.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sandbox::Engine;
use serde_json::{Value, json};

use crate::gate::{ended, synthetics};
use crate::past;

const CONFIG: &str = "\
version: 1
checks: [{name: page, http: {url: 'http://shop.test/'}}]
slos:
  - {name: up, target: 98%, window: 7d, availability: {}, checks: [page]}
  - {name: fast, target: 95%, window: 7d, latency: {within: 21ms}, checks: [page]}
  - {name: right, target: 99.5%, window: 7d, success: {}, checks: [page]}
maintenance:
  - {name: works, from: 2026-01-01T01:40:00Z, until: 2026-01-01T01:50:00Z}
";

/// Two locations probe a page once a minute, 200 times: osaka misses a tick in minute 50 and gets
/// an error in the minutes 60 to 62.
fn recording() -> String {
    let origin = 1_767_225_600_000_000_u64;
    let header = json!({"recording": {
        "version": 1, "target": "http://shop.test", "origin": origin, "slice_us": 60_000_000,
        "slices": 200, "time_scale": 1, "checks": ["page"], "locations": ["tokyo", "osaka"],
    }});
    let mut text = format!("{header}\n");
    for minute in 0..200_u64 {
        for (second, location) in [(0, "tokyo"), (1, "osaka")] {
            let at = origin + minute * 60_000_000 + second * 1_000_000;
            let trace = format!("0af7651916cd43dd8448eb211c80{minute:04x}");
            let mut probe = json!({"at": at, "check": "page", "location": location});
            let (key, outcome) = match (location, minute) {
                ("osaka", 50) => ("gap_ms", json!(60_000)),
                ("osaka", 60..63) => (
                    "measured",
                    json!({
                        "us": 30_000, "answered": true, "status": 500, "trace_id": trace,
                        "failure": {"kind": "status", "detail": "status 500, expected 200"},
                        "phases_us": {"dns": 1_000, "connect": 2_000, "first_byte": 26_000, "transfer": 1_000},
                    }),
                ),
                _ => (
                    "measured",
                    json!({
                        "us": 20_000 + minute, "answered": true, "status": 200, "trace_id": trace,
                        "phases_us": {"dns": 1_000, "connect": 2_000, "tls": 4_000, "first_byte": 12_000 + minute, "transfer": 1_000},
                    }),
                ),
            };
            probe[key] = outcome;
            let _ = writeln!(text, "{}", json!({ "probe": probe }));
        }
    }
    text
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// What the program says, run in `folder`: code, standard output, standard error.
async fn explain(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = synthetics(&[&["explain", "--config", "c.yaml"], arguments].concat());
    let output = ended(command.current_dir(folder).output()).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "c.yaml", CONFIG);
    write(folder.path(), "r.jsonl", &recording());
    folder
}

#[tokio::test]
async fn every_number_stands_with_its_counts_and_its_formula() {
    let folder = folder();
    for (slo, expected) in [
        ("up", include_str!("up.txt")),
        ("fast", include_str!("fast.txt")),
        ("right", include_str!("right.txt")),
    ] {
        let (code, told, error) = explain(folder.path(), &[slo, "--replay", "r.jsonl"]).await;
        assert_eq!(code, Some(0), "whatever the verdict: {error}");
        assert!(told == expected, "{slo} is explained otherwise:\n{told}");
    }
}

#[tokio::test]
async fn a_script_reads_the_same_as_json() {
    let folder = folder();
    let (code, told, error) =
        explain(folder.path(), &["up", "--json", "--replay", "r.jsonl"]).await;
    assert_eq!(code, Some(0), "{error}");
    let json: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(json["slos"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        json["worked_out"][1],
        json!({
            "name": "SLI",
            "formula": "good / (good + bad)",
            "numbers": "197 / (197 + 3) = 197 / 200",
            "value": "98.500 %",
            "note": "cut, not rounded",
        })
    );
    assert_eq!(
        json["counted"][2],
        json!({ "name": "maintenance", "count": 10, "counts_as": "good: declared downtime" })
    );
    let locations: Vec<_> = json["locations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|by_itself| {
            (
                &by_itself["location"],
                &by_itself["good"],
                &by_itself["bad"],
            )
        })
        .collect();
    assert_eq!(
        locations,
        [
            (&json!("tokyo"), &json!(200), &json!(0)),
            (&json!("osaka"), &json!(196), &json!(3))
        ]
    );
    let worst = &json["worst"][0];
    assert_eq!(
        (&worst["location"], &worst["kind"]),
        (&json!("osaka"), &json!("status"))
    );
    assert_eq!(worst["phases"]["first_byte_ms"], 26.0);
    assert_eq!(
        json["burn_alerts"],
        Value::Null,
        "a recording has no windows to read"
    );
}

#[tokio::test]
async fn too_few_requests_have_no_percentile_and_no_verdict() {
    let folder = folder();
    let few: Vec<_> = recording().lines().take(19).map(str::to_owned).collect();
    write(folder.path(), "few.jsonl", &(few.join("\n") + "\n"));
    let (_, told, error) = explain(folder.path(), &["fast", "--replay", "few.jsonl"]).await;
    for part in [
        "maintenance too: -\n",
        "to look at, from 20 samples on",
        "18 and 59: too few",
        "INCONCLUSIVE  no data: less than nine tenths",
    ] {
        assert!(told.contains(part), "{part}\n{told}{error}");
    }
    let mut gate = synthetics(&["gate", "--config", "c.yaml", "--replay", "few.jsonl"]);
    let output = ended(gate.current_dir(folder.path()).output()).await;
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("needs 20"), "{table}");
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test]
async fn an_unknown_objective_is_told_with_the_nearest_name() {
    let folder = folder();
    let (code, told, error) = explain(folder.path(), &["righ", "--replay", "r.jsonl"]).await;
    assert_eq!((code, told.as_str()), (Some(2), ""));
    assert!(
        error.contains(
            "there is no objective `righ`; did you mean `right`? allowed are `up`, `fast`, `right`"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_history_is_explained_with_its_locations_and_burn_alerts() {
    let engine = Engine::start().await;
    let store = past::table(&engine).await;
    // Half of the past half hour is bad from one of two locations.
    past::seed(&store, "tokyo", 1..200, |ago| if ago <= 30 { 5 } else { 0 }).await;
    past::seed(&store, "osaka", 1..200, |_| 0).await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = CONFIG.split("maintenance:").next().expect("the rest");
    write(
        folder.path(),
        "c.yaml",
        &format!("{text}sinks: {{history: {{}}}}\n"),
    );
    let explain = async |arguments: &[&str]| {
        let arguments = [&["explain", "--config", "c.yaml"], arguments].concat();
        let args = engine.store_args();
        let output = ended(
            synthetics(&arguments)
                .current_dir(folder.path())
                .env("TABLE_PREFIX", args.table_prefix)
                .env(
                    "DYNAMODB_ENDPOINT",
                    args.dynamodb_endpoint.expect("it has one"),
                )
                .output(),
        )
        .await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{error}");
        String::from_utf8(output.stdout).expect("text")
    };
    let told = explain(&["right", "--since", "90m"]).await;
    for part in [
        "since 1h 30m of ",
        "requests, of all locations together",
        // How many there are depends on the minute that it runs in.
        "/ 0.5 % = ",
        "  osaka             ",
        " good, 0 bad requests: 100.000 %; 0 missed ticks",
        " bad requests: 8",
        " status; 0 missed ticks",
        " over 5m, against 16.8: fires",
        "trace 0af7651916cd43dd8448eb211c80319c",
        "status: status 500, expected 200",
        "FAIL  ",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let json: Value =
        serde_json::from_str(&explain(&["right", "--since", "90m", "--json"]).await).expect("JSON");
    assert_eq!(
        json["burn_alerts"][0]["fires"], true,
        "{}",
        json["burn_alerts"]
    );
    // Nobody was there for all of the week.
    let told = explain(&["up", "--window", "own"]).await;
    assert!(told.contains(" / 10,080 = 1."), "{told}");
    assert!(told.contains("not enough: 90 % are needed"), "{told}");
    assert!(
        told.contains("INCONCLUSIVE  no data: less than nine tenths"),
        "{told}"
    );
}

#[tokio::test]
async fn probes_of_its_own_are_explained_too() {
    let shop = crate::shop::Shop::start().await;
    shop.set(
        "/health",
        crate::shop::Behaviour::Slow(std::time::Duration::from_millis(20)),
    );
    let arguments = [
        "explain",
        "success",
        "--target",
        &shop.url,
        "--for",
        "2s",
        "--max-rate",
        "60",
    ];
    let output = ended(synthetics(&arguments).output()).await;
    let told = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "success ratio (success): 96% of the requests",
        "  local  ",
        " from local at ",
        "first byte",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}
