//! What the console of `bookwatch up` has seen, asked as a scenario asks: by its JSON API.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::{Running, bookwatch, get, port_base, send, until};

/// What the console promises from the table of addresses on.
const PROMISE: Duration = Duration::from_secs(10);

/// The JSON that the console answers with; `Null` where it answers nothing.
fn api(port: u16, path: &str) -> Value {
    get(port, &format!("/api/v1/{path}"))
        .filter(|(status, _)| *status == 200)
        .and_then(|(_, body)| serde_json::from_str(&body).ok())
        .unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn names<'a>(list: &'a [Value], key: &str) -> BTreeSet<&'a str> {
    list.iter().filter_map(|item| item[key].as_str()).collect()
}

#[test]
fn within_ten_seconds_the_console_has_seen_all_of_it() {
    let base = port_base();
    let console = base + 10;
    let mut demo = Running::json(base, &["--quiet"]);
    let ready = demo.event("ready");
    let from = Instant::now();
    assert_eq!(ready["agent"], "console");
    assert_eq!(
        ready["addresses"]["console"],
        format!("http://127.0.0.1:{console}")
    );

    let all = ["productpage", "details", "reviews", "ratings"];
    let senders = [&all[..], &["mymetric", "loadgen", "synthetics", "dynamodb"]].concat();
    until("all services on the map", || {
        let overview = api(console, "overview");
        let nodes = names(list(&overview["nodes"]), "name");
        senders
            .iter()
            .all(|name| nodes.contains(name))
            .then_some(())
    });
    // A visitor's page goes through four services and the database, and each says so in its log.
    let traces = format!("traces?service={}&limit=5", all.join(","));
    let trace = until("a trace through all four with its log lines", || {
        assert_eq!(
            get(base, "/productpage").map(|(status, _)| status),
            Some(200)
        );
        let found = api(console, &traces);
        let id = list(&found)
            .iter()
            .find(|line| line["logs"].as_u64() >= Some(4))?["trace_id"]
            .as_str()?
            .to_owned();
        Some(api(console, &format!("traces/{id}")))
    });
    let logged = names(list(&trace["logs"]), "service");
    assert!(all.iter().all(|name| logged.contains(name)), "{trace}");
    until("my_metric", || {
        let metrics = api(console, "metrics");
        names(list(&metrics), "name")
            .contains("my_metric")
            .then_some(())
    });
    until("the objectives", || {
        let slos = api(console, "slos");
        let slos = names(list(&slos), "name");
        ["availability", "latency-100ms", "success"]
            .iter()
            .all(|name| slos.contains(name))
            .then_some(())
    });
    let took = from.elapsed();
    assert!(took < PROMISE, "{took:?}");

    let overview = api(console, "overview");
    let nodes = list(&overview["nodes"]);
    let store = nodes.iter().find(|node| node["name"] == "aws.dynamodb");
    let store = store.expect("the pages above asked it");
    assert_eq!(store["kind"], "database");
    assert!(store["red"]["requests"].as_u64() > Some(0), "{store}");
    // Nobody sends what cannot be used, and nobody keeps silent.
    let health = api(console, "telemetry");
    assert_eq!(health["bad"], serde_json::json!({}), "{health}");
    for sender in list(&health["senders"]) {
        assert_eq!(list(&sender["missing"]).len(), 0, "{sender}");
    }

    // One that dies comes back, and lines written meanwhile come to it.
    let pid = u32::try_from(ready["pids"]["console"].as_u64().unwrap()).unwrap();
    send(pid, Signal::SIGKILL);
    assert_eq!(demo.event("started")["name"], "console");
    until("log lines after its return", || {
        let logs = api(console, "logs?limit=1");
        (!list(&logs["lines"]).is_empty()).then_some(())
    });
    send(demo.pid(), Signal::SIGINT);
    assert_eq!(demo.ended().0.code(), Some(0));
    demo.assert_nothing_left();
}

#[test]
fn where_an_agent_is_named_there_is_no_console_and_the_table_says_so() {
    let base = port_base();
    let base_flag = format!("--port-base={base}");
    let mut command = bookwatch(&[&base_flag, "--quiet", "--no-load", "--no-prober"]);
    command.env("DD_AGENT_HOST", "127.0.0.1");
    let mut demo = Running::start(&mut command);
    let line = demo.line_with("telemetry goes to");
    assert!(line.contains("DD_AGENT_HOST=127.0.0.1"), "{line}");
    assert!(get(base + 10, "/readyz").is_none());
    send(demo.pid(), Signal::SIGTERM);
    assert_eq!(demo.ended().0.code(), Some(0));
}
