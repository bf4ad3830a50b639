//! What DogStatsD is told of objectives and alerts, by a prober that finds a history of two days.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use console::dogstatsd::{Alert, CheckStatus};
use console::store::ServiceCheck;
use console::{Addresses, Receivers, Snapshot};
use sandbox::Engine;
use synthetics::clock::{Clock as _, FastClock, SystemClock, Timestamp};
use synthetics::config::Config;
use synthetics::history::store::{Holder, Store};
use synthetics::history::{Live, Minute, Site, Writer};
use synthetics::probe::{FailureKind, ProbeResult};
use tokio_util::sync::CancellationToken;

use super::program::{PATIENCE, signal};
use crate::gate::{ended, synthetics, wait_for};
use crate::history::store::table;
use crate::history::{answer, result};
use crate::shop::{Behaviour, Shop};

/// From one probe to the next, which all of these checks have.
const EVERY: Duration = Duration::from_secs(30 * 60);
/// Two days of them.
const PROBES: u32 = 96;
const CHECKS: [&str; 5] = ["slow", "good", "broken", "fast", "new"];

/// One check, objective and alert for each status, and why. Only the first check is due at once;
/// the next one is so minutes later.
fn config(folder: &Path, shop: &Shop, objectives: &[&str]) -> String {
    let mut text = "version: 1\ndefaults: {interval: 30m, timeout: 1s}\nchecks:\n".to_owned();
    for name in CHECKS {
        text.push_str(&format!(
            "  - {{name: {name}, http: {{url: '{}/{name}'}}}}\n",
            shop.url
        ));
    }
    text.push_str("slos:\n");
    for name in objectives {
        let target = if *name == "fast" { "90%" } else { "95%" };
        text.push_str(&format!(
            "  - {{name: {name}, target: {target}, success: {{}}, checks: [{name}]}}\n"
        ));
    }
    text.push_str("alerts:\n");
    for (name, long) in [("slow", "1d"), ("fast", "6h")] {
        if objectives.contains(&name) {
            text.push_str(&format!(
                "  - {{slo: {name}, burn: [{{long: {long}, factor: 1.5}}]}}\n"
            ));
        }
    }
    text.push_str("sinks: {history: {}}\n");
    let file = folder.join("synthetics.yaml");
    std::fs::write(&file, text).expect("a file");
    file.to_str().expect("text").to_owned()
}

/// Whether probe `k` of a check was good; `None` where there was none.
fn was(check: &str, k: u32) -> Option<bool> {
    match check {
        // 3 of the 48 of the last day burn 1.25 times as fast as 95 % can bear, and 4 of 49 more.
        "slow" => Some(![60, 70, 80].contains(&k)),
        "good" => Some(true),
        "broken" => Some(k < 86),
        // Two of ten hours, and the whole of the last one.
        "fast" => Some(k < 94),
        _ => (k >= 91).then_some(true),
    }
}

/// Saves the two days, as a prober does that then ends.
async fn fill(store: &Store, file: &str, now: Timestamp) {
    let config = Config::load(Path::new(file), &|_| None).expect("it is sound");
    let at = |k: u32| now.minus(EVERY * (PROBES - 1 - k) + Duration::from_secs(120));
    let site = Site {
        name: "tokyo".into(),
        simulated: false,
    };
    let names = CHECKS.map(Arc::from).to_vec();
    let live = Live::new(names, config.slos.into(), Vec::new(), vec![site], at(0));
    for k in 0..PROBES {
        for (check_index, name) in CHECKS.iter().enumerate() {
            let Some(good) = was(name, k) else { continue };
            let failure = (!good).then_some(FailureKind::Status);
            live.record(&ProbeResult {
                check_index,
                check: (*name).into(),
                scheduled: at(k),
                started: at(k),
                ..result(Minute::of(at(k)), answer(5_000, failure))
            });
        }
    }
    assert_eq!(live.lost().results, 0);
    let system = SystemClock::new();
    let (clock, holder) = (FastClock::real(system), Holder::here(now));
    let writer = Writer::new(live, store.clone(), clock, system, holder, EVERY);
    let stop = CancellationToken::new();
    let running = tokio::spawn(writer.run(stop.clone()));
    let last = Minute::of(at(PROBES - 1));
    sandbox::eventually("the days are saved", || async {
        store.minute("tokyo", last).await.expect("a read").map(drop)
    })
    .await;
    stop.cancel();
    running.await.expect("no panic").expect("a clean end");
}

/// The newest service check of each objective: status, and why.
fn newest(seen: &Snapshot) -> BTreeMap<String, (CheckStatus, String)> {
    let told = |check: &Arc<ServiceCheck>| {
        assert_eq!(check.name, "synthetics.slo.status");
        let slo = check.tags.get("slo").expect("its objective").to_owned();
        (
            slo,
            (check.status, check.message.clone().expect("a reason")),
        )
    };
    seen.service_checks.iter().map(told).collect()
}

#[tokio::test]
async fn each_status_is_sent_as_a_service_check_and_each_change_as_an_event() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    let store = table(&engine).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = config(folder.path(), &shop, &CHECKS);
    fill(&store, &file, SystemClock::new().now()).await;
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    shop.set("/slow", Behaviour::Answer(500, String::new()));
    let args = engine.store_args();
    let child = synthetics(&["run", "--config", &file, "--location", "tokyo"])
        .env("TABLE_PREFIX", &args.table_prefix)
        .env(
            "DYNAMODB_ENDPOINT",
            args.dynamodb_endpoint.as_deref().expect("one"),
        )
        .env("DD_DOGSTATSD_DISABLE", "false")
        .env("DD_DOGSTATSD_URL", agent.dogstatsd_url())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");

    use CheckStatus::{Critical, Ok, Unknown, Warning};
    let expected: BTreeMap<_, _> = [
        ("slow", Warning, "the target is met, the 1d alert fires"),
        ("good", Ok, "the target is met"),
        (
            "broken",
            Critical,
            "the target is missed, the 1h alert fires, the 6h alert fires, the 1d alert fires",
        ),
        ("fast", Critical, "the target is met, the 6h alert fires"),
        ("new", Unknown, "there are too few events yet"),
    ]
    .map(|(slo, status, why)| (slo.to_owned(), (status, why.to_owned())))
    .into();
    let all = |seen: &Snapshot| (newest(seen) == expected).then_some(());
    let told = agent.store().wait_for(PATIENCE, all).await;
    assert_eq!(newest(&agent.store().snapshot()), expected, "{told:?}");
    // Of what fired before, nobody is told again; of what fires now, with one more failure, once.
    let seen = agent.store().snapshot();
    assert_eq!(seen.events.len(), 1, "{:#?}", seen.events);
    let fired = &seen.events[0];
    assert_eq!(fired.alert, Alert::Warning);
    assert_eq!(fired.title, "slow burns its error budget too fast (1d)");
    // Without its objective it is over, whatever it burns.
    config(folder.path(), &shop, &CHECKS[1..]);
    signal(&child, "-HUP");
    let removed = |seen: &Snapshot| seen.events.get(1).cloned();
    let removed = agent.store().wait_for(PATIENCE, removed).await;
    let removed = removed.expect("an event");
    assert_eq!(removed.alert, Alert::Info);
    for event in [fired, &removed] {
        assert_eq!(event.aggregation_key.as_deref(), Some("slow/1d"));
        for (key, value) in [("slo", "slow"), ("alert", "1d"), ("severity", "warning")] {
            assert_eq!(event.tags.get(key), Some(value), "{key}");
        }
        assert_eq!(event.tags.get("simulated"), None);
        assert_eq!(event.tags.get("time_scale"), None);
    }
    // Five seconds later they are there again.
    let before = agent.store().snapshot().service_checks.len();
    wait_for(|| agent.store().snapshot().service_checks.len() >= before + 4).await;
    signal(&child, "-TERM");
    let output = ended(child.wait_with_output()).await;
    assert_eq!(output.status.code(), Some(0));

    let seen = agent.store().snapshot();
    for (name, keys) in [
        (
            "synthetics.probe.count",
            &["check", "location", "outcome"][..],
        ),
        (
            "synthetics.probe.duration",
            &["check", "location", "outcome"],
        ),
        (
            "synthetics.probe.attempt.count",
            &["check", "location", "outcome"],
        ),
        ("synthetics.slo.sli", &["slo"]),
        ("synthetics.slo.budget_remaining", &["slo"]),
        ("synthetics.slo.burn_rate", &["slo"]),
        ("synthetics.slo.target", &["slo"]),
        ("synthetics.slo.coverage", &["slo"]),
        ("synthetics.slo.gaps", &["slo"]),
        ("synthetics.alert.firing", &["slo", "alert", "severity"]),
        (
            "synthetics.alert.burn_rate",
            &["slo", "alert", "severity", "window"],
        ),
    ] {
        let expected: BTreeSet<_> = keys.iter().copied().collect();
        let mut samples = 0;
        for sample in seen.metric(name) {
            samples += 1;
            // Those of everything that this program sends are not these.
            let pairs = sample.tags().pairs();
            let own = pairs
                .map(|(key, _)| key)
                .filter(|key| !["service", "version", "env"].contains(key));
            assert_eq!(own.collect::<BTreeSet<_>>(), expected, "{name}");
        }
        assert!(samples > 0, "no {name}");
    }
    assert_eq!(agent.store().bad_packets().total, 0);
}
