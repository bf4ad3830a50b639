//! The whole demo: ready, a good page, deaths and returns.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;

use crate::harness::{Running, bookwatch, get, is_alive, port_base, send, text, until};

fn page_is_good(base: u16) -> bool {
    get(base, "/productpage").is_some_and(|(status, page)| {
        status == 200
            && page.contains("The Comedy of Errors")
            && !page.contains("currently unavailable")
    })
}

#[test]
fn everything_runs_as_processes_of_their_own_and_returns_when_killed() {
    let base = port_base();
    let mut demo = Running::json(base, &["--quiet"]);
    let ready = demo.event("ready");

    let addresses = ready["addresses"].as_object().unwrap();
    // Whether an object keeps its order is up to how serde_json is built.
    let names: BTreeSet<&str> = addresses.keys().map(String::as_str).collect();
    assert_eq!(
        Vec::from_iter(names),
        [
            "console",
            "details",
            "dynamodb",
            "productpage",
            "ratings",
            "reviews-v1",
            "reviews-v2",
            "reviews-v3",
            "synthetics"
        ]
    );
    assert_eq!(addresses["productpage"], format!("http://127.0.0.1:{base}"));
    let pids: BTreeSet<u32> = demo.pids().iter().copied().collect();
    assert_eq!(pids.len(), 11, "eleven processes: {ready}");
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    assert!(page_is_good(base), "ready means that the page is good");

    // Nine pages ask each version of the reviews three times: one has no stars.
    let pages: BTreeSet<bool> = (0..9)
        .map(|_| get(base, "/api/v1/products/0/reviews").unwrap().1)
        .map(|body| body.contains("\"stars\""))
        .collect();
    assert_eq!(pages.len(), 2, "reviews are asked in turn");

    let details = u32::try_from(ready["pids"]["details"].as_u64().unwrap()).unwrap();
    send(details, Signal::SIGKILL);
    let ended = demo.event("ended");
    assert_eq!(ended["name"], "details");
    assert_eq!(ended["reason"], "was ended by SIGKILL");
    let started = demo.event("started");
    assert_eq!(started["name"], "details");
    assert_ne!(started["pid"], ready["pids"]["details"]);
    until("a good page after details is back", || {
        page_is_good(base).then_some(())
    });

    // The store comes back with its catalogue, although it was in memory.
    let store = u32::try_from(ready["pids"]["dynamodb"].as_u64().unwrap()).unwrap();
    send(store, Signal::SIGKILL);
    assert_eq!(demo.event("started")["name"], "dynamodb");
    until("a good page after the store is back", || {
        page_is_good(base).then_some(())
    });

    send(demo.pid(), Signal::SIGINT);
    let stopped = demo.event("stopped");
    assert_eq!(stopped["exit_code"], 0);
    let (status, _) = demo.ended();
    assert_eq!(status.code(), Some(0));
    assert_eq!(demo.pids().len(), 13, "eleven and two that came again");
    demo.assert_nothing_left();
}

#[test]
fn people_get_one_table_and_logs_with_names() {
    let base = port_base();
    let base_flag = format!("--port-base={base}");
    let mut demo = Running::start(&mut bookwatch(&[&base_flag, "--only", "details,mymetric"]));
    demo.line_with("all is ready after");
    let row = demo.line_with("  details");
    assert!(row.contains(&format!("http://127.0.0.1:{}/details/0", base + 1)));
    demo.line_with("Ctrl-C stops everything");
    let (status, details) = get(base + 1, "/details/0").unwrap();
    assert_eq!(status, 200);
    assert!(details.contains("William Shakespeare"), "{details}");
    let line = demo.line_with("/details/{id}");
    assert!(line.starts_with("details   | {\"timestamp\""), "{line}");
    assert!(get(base, "/").is_none(), "productpage was not asked for");
    send(demo.pid(), Signal::SIGTERM);
    assert_eq!(demo.ended().0.code(), Some(0));
}

#[test]
fn pretty_logs_are_for_people_also_on_a_pipe() {
    let base_flag = format!("--port-base={}", port_base());
    let words = [&base_flag, "--only=mymetric", "--log-format=pretty"];
    let mut demo = Running::start(&mut bookwatch(&words));
    let line = demo.line_with("value sent");
    assert!(line.starts_with("mymetric   "), "{line}");
    assert!(
        line.contains(" INFO  value sent metric=my_metric value="),
        "{line}"
    );
    assert!(!line.contains('\u{1b}'), "no colours on a pipe: {line}");
    send(demo.pid(), Signal::SIGTERM);
    assert_eq!(demo.ended().0.code(), Some(0));
}

#[test]
fn a_run_with_an_end_comes_to_the_verdict_as_its_exit_code() {
    let base = port_base();
    let mut demo = Running::json(base, &["--quiet", "--for", "3s"]);
    demo.event("ready");
    let verdict = demo.event("verdict");
    assert_eq!(verdict["verdict"], verdict["report"]["verdict"]);
    assert!(
        verdict["report"]["probes"].as_u64().unwrap() > 0,
        "{verdict}"
    );
    assert_eq!(
        verdict["report"]["slos"].as_array().unwrap().len(),
        4,
        "{verdict}"
    );
    let code = verdict["exit_code"].as_i64();
    // A slow machine may fail the latency, and three seconds are too short for a pass.
    assert!(matches!(code, Some(1 | 3)), "{verdict}");
    assert_eq!(demo.ended().0.code().map(i64::from), code);
    demo.assert_nothing_left();
}

#[test]
fn a_shop_with_parts_missing_fails() {
    let base_flag = format!("--port-base={}", port_base());
    let words = [
        &base_flag,
        "--quiet",
        "--only=productpage,synthetics",
        "--for=3s",
    ];
    let output = bookwatch(&words).output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("verdict: fail"), "{said}");
}
