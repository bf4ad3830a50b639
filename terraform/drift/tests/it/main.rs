//! The real files must agree; and each fault that is planted in a copy of them must be told, where it is.

mod apart;
mod kin;
mod planted;

use std::path::Path;
use std::sync::LazyLock;

use drift::source::Programs;
use drift::{Fault, Tree, check, unseen};

static REAL: LazyLock<Tree> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Tree::read(&root).expect("the checkout that this test is built from")
});

static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| Programs::read(&REAL));

/// The faults of the checkout in which the first `old` of a file is replaced.
fn planted(file: &str, old: &str, new: &str) -> Vec<Fault> {
    let mut tree = REAL.clone();
    tree.edit(file, old, new).expect("what is to be replaced");
    check(&tree, &PROGRAMS)
}

/// The line of the first `text` in a real file.
fn line(file: &str, text: &str) -> usize {
    let whole = REAL.text(file);
    let at = whole.find(text).expect("a text of the file");
    whole[..at].matches('\n').count() + 1
}

/// Plants one fault and expects to be told of it: where, and what.
#[track_caller]
fn told(file: &str, old: &str, new: &str, what: &str) {
    let faults = planted(file, old, new);
    let line = line(file, old);
    assert!(
        faults
            .iter()
            .any(|fault| fault.file == file && fault.line == line && fault.what.contains(what)),
        "{file}:{line} is to be told as `{what}`, and it is: {faults:#?}"
    );
}

#[test]
fn nothing_has_drifted() {
    let faults = check(&REAL, &PROGRAMS);
    let list: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "\n{}", list.join("\n"));
}

/// What nobody looks at, and why it is sent all the same. Empty is best.
const UNSEEN: [(&str, &str); 0] = [];

#[test]
fn every_metric_that_is_sent_is_seen_somewhere() {
    assert_eq!(unseen(&REAL, &PROGRAMS), UNSEEN.map(|(name, _)| name));
}

#[test]
fn a_metric_that_no_dashboard_shows_any_more_is_listed() {
    let mut tree = REAL.clone();
    let file = "terraform/datadog/golden_signals.tf";
    tree.edit(
        file,
        "sum:store.cache.lookup.count{$env}",
        "sum:loadgen.request.count{$env}",
    )
    .expect("what is to be replaced");
    assert_eq!(unseen(&tree, &PROGRAMS), ["store.cache.lookup.count"]);
}

#[test]
fn a_metric_that_no_program_sends_any_more_is_told() {
    let mut tree = REAL.clone();
    let file = "crates/telemetry/src/metrics.rs";
    tree.edit(
        file,
        "&names::STORE_CACHE_LOOKUP_COUNT",
        "&names::LOADGEN_REQUEST_COUNT",
    )
    .expect("what is to be replaced");
    let faults = check(&tree, &Programs::read(&tree));
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(
        told.contains(
            &"crates/telemetry/src/names.rs:1: no program sends store.cache.lookup.count"
                .to_owned()
        ),
        "{told:#?}"
    );
}

#[test]
fn programs_send_what_they_are_seen_to_send() {
    let sent = &PROGRAMS.sent;
    let tags = |name| {
        sent.get(name)
            .map(|tags| tags.iter().copied().collect::<Vec<_>>())
    };
    assert_eq!(tags("my_metric"), Some(vec!["host"]));
    assert_eq!(tags("synthetics.slo.sli"), Some(vec!["slo"]));
    assert_eq!(
        tags("synthetics.probe.count"),
        Some(vec!["check", "location", "outcome"])
    );
    let operations: Vec<_> = PROGRAMS.operations.iter().collect();
    assert_eq!(
        operations,
        [
            "dynamodb.query",
            "http.client.request",
            "http.server.request"
        ]
    );
}

#[test]
fn calls_of_the_stores_are_those_that_the_sources_make() {
    let calls = &PROGRAMS.calls;
    let of = |service: &str| -> Vec<String> {
        let own = calls.iter().filter(|(caller, ..)| caller == service);
        own.map(|(_, table, action)| format!("{table} {}", action.trim_start_matches("dynamodb:")))
            .collect()
    };
    assert_eq!(of("details"), ["details GetItem"]);
    assert_eq!(of("reviews"), ["reviews Query"]);
    assert_eq!(of("ratings"), ["ratings PutItem", "ratings Query"]);
    assert_eq!(of("seed").len(), 9, "{:?}", of("seed"));
    assert!(of("synthetics").contains(&"history ConditionCheckItem".to_owned()));
}
