//! The page of the program itself: where it is, when it is ready, and what Prometheus finds there.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use regex::Regex;
use sandbox::Engine;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::gate::{ended, synthetics, wait_for};
use crate::history::store::table;
use crate::keeping::{run, signal};
use crate::shop::{Behaviour, Shop};

/// A prober that logs to a file, and its page.
struct Prober {
    child: Child,
    log: PathBuf,
    url: String,
}

/// The lines of a log with this message.
fn lines(log: &Path, message: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(log).expect("a log");
    // The last line may be under way.
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines
        .filter(|line: &Value| line["message"] == message)
        .collect()
}

impl Prober {
    async fn start(mut command: Command, folder: &Path) -> Self {
        let log = folder.join("log");
        let child = command
            .stdout(std::fs::File::create(&log).expect("a log"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        wait_for(|| !lines(&log, "status page").is_empty()).await;
        let url = lines(&log, "status page")[0]["page"]
            .as_str()
            .map(str::to_owned);
        let url = url.expect("an address");
        Self { child, log, url }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        sandbox::answer(reqwest::Client::new().get(format!("{}{path}", self.url))).await
    }

    /// Waits until it is ready, or is not and says this.
    async fn wait_ready(&self, why_not: Option<&str>) {
        let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let (status, body) = self.get("/readyz").await;
            let so = match why_not {
                None => status == 200 && body == r#"{"status":"ready"}"#,
                Some(why) => status == 503 && body.contains(&format!("\"error\":\"{why}\"")),
            };
            if so {
                return;
            }
            assert!(
                tokio::time::Instant::now() < limit,
                "{why_not:?}, and not {body}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Waits until the page, whose numbers are up to a second old, says that the table is away.
    async fn wait_unreachable(&self) {
        let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let (_, status) = self.get("/api/v1/status").await;
            let status: Value = serde_json::from_str(&status).expect("JSON");
            if status["history"]["reachable"] == false {
                return;
            }
            assert!(tokio::time::Instant::now() < limit, "it never noticed");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn end(self) {
        signal(&self.child, "-TERM");
        let output = ended(self.child.wait_with_output()).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[tokio::test]
async fn a_history_that_was_asked_for_makes_the_page_unready_while_it_is_out_of_reach() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    table(&engine).await;
    let folder = tempfile::tempdir().expect("a folder");
    let command = run(&engine, &shop, &["--history", "on", "--location", "tokyo"]);
    // It is away from the start: nothing is known of what was before.
    let stopped = engine.stop().await;
    let prober = Prober::start(command, folder.path()).await;
    prober
        .wait_ready(Some("the history has not been read yet"))
        .await;
    let engine = stopped.restart().await;
    prober.wait_ready(None).await;
    let stopped = engine.stop().await;
    prober.wait_ready(Some("the history is out of reach")).await;
    // It lives, probes go on, and the page tells.
    assert_eq!(prober.get("/livez").await.0, 200);
    let before = shop.seen().0;
    wait_for(|| shop.seen().0 > before).await;
    prober.wait_unreachable().await;
    let engine = stopped.restart().await;
    prober.wait_ready(None).await;
    prober.end().await;
    drop(engine);
}

#[tokio::test]
async fn a_history_that_nobody_asked_for_makes_nothing_unready() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    table(&engine).await;
    let folder = tempfile::tempdir().expect("a folder");
    let command = run(&engine, &shop, &["--location", "tokyo"]);
    let prober = Prober::start(command, folder.path()).await;
    prober.wait_ready(None).await;
    let stopped = engine.stop().await;
    prober.wait_unreachable().await;
    prober.wait_ready(None).await;
    let engine = stopped.restart().await;
    prober.end().await;
    drop(engine);
}

/// An address of this machine that no other program is likely to use.
const OWN: &str = "127.80.81.82";

#[tokio::test]
async fn a_usual_port_that_is_taken_is_left_for_a_free_one() {
    let shop = Shop::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    // Somebody may have it on all addresses already; then it is taken as well.
    let taken = TcpListener::bind((OWN, 8081));
    let arguments = ["run", "--target", &shop.url, "--listen-address", OWN];
    let mut command = synthetics(&arguments);
    command.env_remove("SYNTHETICS_PORT");
    let prober = Prober::start(command, folder.path()).await;
    assert!(
        prober.url.starts_with(&format!("http://{OWN}:")),
        "{}",
        prober.url
    );
    assert!(!prober.url.ends_with(":8081"), "{}", prober.url);
    let told = lines(
        &prober.log,
        "another program has the usual port, so a free one is taken",
    );
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["usual"], 8081);
    assert_eq!(prober.get("/livez").await.0, 200);
    prober.end().await;
    drop(taken);
}

#[tokio::test]
async fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
    let shop = Shop::start().await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let port = address.port().to_string();
    let run = |listen: &'static str, variable: Option<&str>, flag: Option<&str>| {
        let arguments = ["run", "--target", &shop.url, "--listen-address", listen];
        let mut command = synthetics(&arguments);
        command.env_remove("SYNTHETICS_PORT");
        command.envs(variable.map(|port| ("SYNTHETICS_PORT", port)));
        command.args(flag.map(|port| format!("--port={port}")));
        command
    };
    for command in [
        &mut run("127.0.0.1", Some(&port), None),
        &mut run("127.0.0.1", None, Some(&port)),
    ] {
        let output = ended(command.output()).await;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        let expected = format!(
            "error: cannot show the page on {address}; set --port or SYNTHETICS_PORT to a free port, or to 0: Address already in use"
        );
        assert!(told.starts_with(&expected), "{told}");
    }
    // An address that is not here is no matter of ports.
    let output = ended(run("192.0.2.1", None, None).output()).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("192.0.2.1:8081"), "{told}");
    assert!(told.contains("Cannot assign requested address"), "{told}");
    assert_eq!(shop.seen().0, 0, "nothing was probed");
}

/// A series of an exposition: its name and its labels.
struct Series {
    name: String,
    labels: Vec<(String, String)>,
}

fn series(exposition: &str) -> Vec<Series> {
    let label = Regex::new(r#"([a-z_]+)="([^"]*)""#).expect("a pattern");
    let lines = exposition.lines().filter(|line| !line.starts_with('#'));
    let one = |line: &str| {
        let (series, _) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = label.captures_iter(labels);
        Series {
            name: name.to_owned(),
            labels: labels.map(|l| (l[1].to_owned(), l[2].to_owned())).collect(),
        }
    };
    lines.map(one).collect()
}

/// Whether a series has what these matchers of a rule ask for. A label that it does not have is no
/// match here, because a rule that asks for one by a wrong name would select anything.
fn has(series: &Series, matchers: &str) -> bool {
    let matcher = Regex::new(r#"([a-z_]+)(=~|!~|!=|=)"([^"]*)""#).expect("a pattern");
    matcher.captures_iter(matchers).all(|found| {
        let label = series.labels.iter().find(|(name, _)| *name == found[1]);
        let Some((_, value)) = label else {
            return false;
        };
        let same = || value == &found[3];
        let fits = || {
            let whole = Regex::new(&format!("^(?:{})$", &found[3])).expect("an expression");
            whole.is_match(value)
        };
        match &found[2] {
            "=" => same(),
            "!=" => !same(),
            "=~" => fits(),
            _ => !fits(),
        }
    })
}

#[tokio::test]
async fn what_the_exported_rules_select_is_what_prometheus_finds() {
    let shop = Shop::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [
        "run",
        "--target",
        &shop.url,
        "--interval",
        "200ms",
        "--timeout",
        "200ms",
    ];
    let prober = Prober::start(synthetics(&arguments), folder.path()).await;
    let paths = [
        "/productpage",
        "/health",
        "/api/v1/products",
        "/api/v1/products/0",
        "/api/v1/products/0/reviews",
        "/api/v1/products/0/ratings",
    ];
    // Good ones first, and then bad ones, so that there is something of each.
    wait_for(|| paths.iter().all(|path| shop.asked(path) >= 3)).await;
    for path in paths {
        shop.set(path, Behaviour::Answer(500, String::new()));
    }
    let before = paths.map(|path| shop.asked(path));
    let more = || {
        paths
            .iter()
            .zip(before)
            .all(|(path, before)| shop.asked(path) >= before + 3)
    };
    wait_for(more).await;
    let (status, exposition) = prober.get("/metrics").await;
    assert_eq!(status, 200);
    prober.end().await;
    let found = series(&exposition);

    let exported = ended(synthetics(&["export", "--to", "prometheus"]).output()).await;
    let exported = String::from_utf8(exported.stdout).expect("text");
    let rules: Vec<_> = exported
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let rules = rules.join("\n");
    // What rules record has the labels of what it is made of.
    let made_of = |name: &str| match name {
        "synthetics:probes:1m" => Some("synthetics_probe_count_total"),
        "synthetics:probes_timed:1m" => Some("synthetics_probe_duration_count"),
        "synthetics:probes_in_time:1m" => Some("synthetics_probe_duration_bucket"),
        _ => None,
    };
    let selector = Regex::new(r"(synthetics[a-z0-9_:]*)(?:\{([^}]*)\})?").expect("a pattern");
    let check = Regex::new(r#"check=~?"([^"]*)""#).expect("a pattern");
    let (mut names, mut checks) = (BTreeSet::new(), BTreeSet::new());
    for expression in selector.captures_iter(&rules) {
        let name = made_of(&expression[1]).unwrap_or(&expression[1]);
        if name == "synthetics" {
            // The group, and not a metric.
            continue;
        }
        names.insert(name.to_owned());
        let matchers = expression.get(2).map_or("", |matchers| matchers.as_str());
        let selected = |matchers: &str| found.iter().any(|s| s.name == name && has(s, matchers));
        assert!(
            selected(matchers),
            "{} selects nothing of\n{exposition}",
            &expression[0]
        );
        for each in check.captures_iter(matchers).flat_map(|c| {
            let each: Vec<_> = c[1].split('|').map(str::to_owned).collect();
            each
        }) {
            let one = check.replace(matchers, format!("check=\"{each}\""));
            assert!(
                selected(&one),
                "{name}{{{one}}} selects nothing of\n{exposition}"
            );
            checks.insert(each);
        }
    }
    let expected = [
        "synthetics_probe_count_total",
        "synthetics_probe_duration_bucket",
        "synthetics_probe_duration_count",
    ];
    assert_eq!(
        names.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(checks.len(), paths.len(), "{checks:?}");
    // Labels that are summed by.
    let by = Regex::new(r"by \(([a-z_, ]+)\)").expect("a pattern");
    let by: Vec<_> = by.captures_iter(&rules).map(|c| c[1].to_owned()).collect();
    assert!(!by.is_empty());
    for label in by.iter().flat_map(|labels| labels.split(", ")) {
        let mut probes = found.iter().filter(|s| s.name == expected[0]);
        assert!(
            probes.all(|s| s.labels.iter().any(|(name, _)| name == label)),
            "{label}"
        );
    }
    // What is recorded is what is read.
    let recorded = Regex::new(r"record: (\S+)").expect("a pattern");
    let recorded: BTreeSet<_> = recorded
        .captures_iter(&rules)
        .map(|c| c[1].to_owned())
        .collect();
    let read = Regex::new(r"(?:slo|synthetics):[a-z_]+:[0-9a-z]+").expect("a pattern");
    let read: BTreeSet<_> = read
        .find_iter(&rules)
        .map(|r| r.as_str().to_owned())
        .collect();
    assert_eq!(read, recorded);
}
