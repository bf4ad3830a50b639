//! Tables and catalogue: written once, kept, never overwritten.

use nix::sys::signal::Signal;

use crate::harness::{Running, bookwatch, get, output, port_base, send, text};

/// The three counts of `bookwatch seed`.
fn seed(endpoint: &str, prefix: &str) -> Vec<u32> {
    let words = [
        "seed",
        "--dynamodb-endpoint",
        endpoint,
        "--table-prefix",
        prefix,
    ];
    let output = output(&words);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(said.contains(&format!("`{prefix}*`")), "{said}");
    let (_, counts) = said.split_once("new: ").expect("counts");
    let words = counts
        .split([' ', ','])
        .filter_map(|word| word.parse().ok());
    words.collect()
}

fn engine(port: u16, args: &[&str]) -> Running {
    let port = port.to_string();
    let mut engine = Running::start(bookwatch(&["dynamodb", "--port", &port]).args(args));
    engine.line_with("listening");
    engine
}

#[test]
fn seeding_twice_adds_nothing_and_data_outlives_the_engine() {
    let port = port_base();
    let endpoint = format!("http://127.0.0.1:{port}");
    let folder = tempfile::tempdir().unwrap();
    let data = ["--data", folder.path().to_str().unwrap()];

    let mut first = engine(port, &data);
    let added = seed(&endpoint, "shop-");
    assert_eq!(added.len(), 3);
    assert!(added.iter().all(|count| *count >= 12), "{added:?}");
    assert_eq!(seed(&endpoint, "shop-"), [0, 0, 0]);
    assert_eq!(
        seed(&endpoint, "other-"),
        added,
        "another prefix is another shop"
    );
    send(first.pid(), Signal::SIGTERM);
    assert_eq!(first.ended().0.code(), Some(0));

    let mut second = engine(port, &data);
    assert_eq!(seed(&endpoint, "shop-"), [0, 0, 0]);
    send(second.pid(), Signal::SIGINT);
    assert_eq!(second.ended().0.code(), Some(0));
}

#[test]
fn an_engine_can_seed_itself_before_it_listens() {
    let port = port_base();
    let mut engine = engine(port, &["--seed"]);
    let endpoint = format!("http://127.0.0.1:{port}");
    assert_eq!(seed(&endpoint, "bookwatch-"), [0, 0, 0]);
    send(engine.pid(), Signal::SIGTERM);
    assert_eq!(engine.ended().0.code(), Some(0));
}

#[test]
fn a_given_store_is_filled_and_used_and_no_other_is_started() {
    let base = port_base();
    let mut engine = engine(base + 19, &[]);
    let endpoint = format!("http://127.0.0.1:{}", base + 19);
    let mut demo = Running::json(
        base,
        &[
            "--quiet",
            "--only=details",
            "--dynamodb-endpoint",
            &endpoint,
        ],
    );
    let ready = demo.event("ready");
    assert_eq!(ready["pids"].as_object().unwrap().len(), 1, "{ready}");
    assert_eq!(get(base + 1, "/details/0").unwrap().0, 200);
    assert_eq!(seed(&endpoint, "bookwatch-"), [0, 0, 0]);
    send(demo.pid(), Signal::SIGTERM);
    assert_eq!(demo.ended().0.code(), Some(0));
    send(engine.pid(), Signal::SIGTERM);
    assert_eq!(engine.ended().0.code(), Some(0));
}

#[test]
fn what_users_rated_is_kept_with_data_on_disk() {
    let base = port_base();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.sqlite");
    let args = [
        "--quiet",
        "--only=ratings",
        "--data",
        file.to_str().unwrap(),
    ];
    for stars in ["", "\"Ada\":4"] {
        let mut demo = Running::json(base, &args);
        demo.event("ready");
        let (status, before) = get(base + 2, "/ratings/0").unwrap();
        assert_eq!(status, 200);
        assert!(before.contains(stars), "{before}");
        crate::harness::post(base + 2, "/ratings/0", r#"{"Ada":4}"#);
        send(demo.pid(), Signal::SIGTERM);
        assert_eq!(demo.ended().0.code(), Some(0));
        demo.assert_nothing_left();
    }
}
