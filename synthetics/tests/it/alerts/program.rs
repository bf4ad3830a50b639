//! The prober itself: an outage on a faster clock, and everybody who is told of it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use console::dogstatsd::{Alert, CheckStatus};
use console::{Addresses, Receivers, Snapshot};
use sandbox::Engine;
use tokio::process::Child;

use super::receiver::{Receiver, Reply};
use crate::gate::{ended, synthetics, wait_for};
use crate::shop::{Behaviour, Shop};

pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// One check twice a second, which is twice a minute on a clock sixty times as fast.
pub(super) fn config(
    folder: &Path,
    shop: &Shop,
    hooks: &[(&str, &str, &str)],
    title: &str,
) -> String {
    let mut text = format!(
        "version: 1
defaults: {{interval: 500ms, timeout: 400ms}}
locations:
  - {{name: tokyo, simulated: {{delay: 0s}}}}
checks:
  - name: page
    http: {{url: '{}/health'}}
slos:
  - name: up
    title: {title}
    target: 98%
    window: 7d
    availability: {{}}
    checks: [page]
alerts:
  - slo: up
    burn: [{{long: 1h, budget: 10%}}]
    notify: [ops, chat]
sinks:
  history: {{}}
  webhooks:
",
        shop.url
    );
    for (name, url, format) in hooks {
        text.push_str(&format!(
            "    - {{name: {name}, url: '{url}', format: {format}}}\n"
        ));
    }
    let file = folder.join("synthetics.yaml");
    std::fs::write(&file, text).expect("a file");
    file.to_str().expect("text").to_owned()
}

pub(super) fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("it is running").to_string();
    let sent = std::process::Command::new("kill")
        .args([name, &pid])
        .status();
    assert!(sent.expect("kill runs").success());
}

pub(super) fn log(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a log")
}

#[tokio::test]
async fn an_outage_is_told_once_to_everybody_and_so_is_its_end() {
    let (engine, shop) = (Engine::start().await, Shop::start().await);
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let ops = Receiver::start(&[Reply::Status(503)]).await;
    let (chat, other) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let hooks = [
        ("ops", &*ops.url, "json"),
        ("chat", &*chat.url, "slack"),
        ("other", &*other.url, "json"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let file = config(folder.path(), &shop, &hooks, "up");
    let out = folder.path().join("log");
    let args = engine.store_args();
    let start = |more: &[&str]| {
        let usual = ["run", "--config", &file, "--simulate", "--time-scale", "60"];
        synthetics(&[&usual, more].concat())
            .env("TABLE_PREFIX", &args.table_prefix)
            .env(
                "DYNAMODB_ENDPOINT",
                args.dynamodb_endpoint.as_deref().expect("one"),
            )
            .env("DD_DOGSTATSD_DISABLE", "false")
            .env("DD_DOGSTATSD_URL", agent.dogstatsd_url())
            .stdout(Stdio::from(
                std::fs::File::options()
                    .create(true)
                    .append(true)
                    .open(&out)
                    .expect("a log"),
            ))
            .spawn()
            .expect("it runs")
    };
    let child = start(&["--create-table"]);
    // Good for a few minutes of its clock, which are seconds here, and then not.
    wait_for(|| shop.asked("/health") >= 14).await;
    assert_eq!(ops.seen().len(), 0, "nothing to tell yet");
    shop.set("/health", Behaviour::Answer(500, String::new()));
    let fired = ops.wait_for(2).await;
    let message = &fired[1].body;
    assert_eq!(message["change"], "fired");
    assert_eq!(message["id"], "up/1h");
    assert_eq!(message["source"]["time_scale"], 60);
    assert_eq!(message["source"]["simulated"], true);
    assert_eq!(message["source"]["locations"][0], "tokyo-simulated");
    assert_eq!(message["burn"]["factor"], "16.8");
    assert_eq!(message["slo"]["target"], "98%");
    assert_eq!(message["example"]["check"], "page");
    assert!(message["slo"]["sli"].is_string(), "{message}");
    let chatted = chat.wait_for(1).await;
    let text = chatted[0].body["text"].as_str().expect("a text");
    assert_eq!(
        text,
        "(demo) [FIRING] up burns its error budget too fast (1h)"
    );

    // DogStatsD: one event, and an objective that is critical.
    let event = agent
        .store()
        .wait_for(PATIENCE, |seen: &Snapshot| seen.events.first().cloned())
        .await
        .expect("an event");
    assert_eq!(event.alert, Alert::Error);
    assert_eq!(event.aggregation_key.as_deref(), Some("up/1h"));
    assert!(event.text.contains("60 times as fast"), "{}", event.text);
    for (key, value) in [
        ("slo", "up"),
        ("alert", "1h"),
        ("severity", "critical"),
        ("time_scale", "60"),
        ("simulated", "true"),
    ] {
        assert_eq!(event.tags.get(key), Some(value), "{key}");
    }

    // A new configuration, and a new process: the outage goes on, and nobody is told again.
    config(folder.path(), &shop, &hooks, "renamed");
    signal(&child, "-HUP");
    wait_for(|| log(&out).contains("configuration read again")).await;
    let before = shop.asked("/health");
    wait_for(|| shop.asked("/health") >= before + 8).await;
    signal(&child, "-TERM");
    let output = ended(child.wait_with_output()).await;
    assert_eq!(output.status.code(), Some(0), "{}", log(&out));
    let child = start(&[]);
    wait_for(|| log(&out).contains("alert was firing before this start")).await;
    let check = agent
        .store()
        .wait_for(PATIENCE, |seen: &Snapshot| {
            let mut checks = seen.service_checks.iter();
            checks
                .find(|check| check.status == CheckStatus::Critical)
                .cloned()
        })
        .await
        .expect("a service check");
    assert_eq!(check.name, "synthetics.slo.status");
    for (key, value) in [("slo", "up"), ("simulated", "true"), ("time_scale", "60")] {
        assert_eq!(check.tags.get(key), Some(value), "{key}");
    }
    let before = shop.asked("/health");
    wait_for(|| shop.asked("/health") >= before + 8).await;
    assert_eq!(ops.seen().len(), 2, "told once, after one failure");
    assert_eq!(chat.seen().len(), 1);

    // The end.
    shop.set("/health", Behaviour::Slow(Duration::ZERO));
    let all = ops.wait_for(3).await;
    assert_eq!(all[2].body["change"], "cleared", "{}", all[2].body);
    assert_eq!(all[2].body["slo"]["title"], "renamed");
    chat.wait_for(2).await;
    signal(&child, "-TERM");
    ended(child.wait_with_output()).await;
    assert_eq!(other.seen().len(), 0, "it is not among those to notify");
    assert_eq!(ops.seen().len(), 3);

    let seen = agent.store().snapshot();
    assert_eq!(seen.events.len(), 2);
    assert_eq!(seen.events[1].alert, Alert::Success);
    for name in [
        "synthetics.probe.count",
        "synthetics.probe.duration",
        "synthetics.probe.attempt.count",
        "synthetics.slo.sli",
        "synthetics.slo.budget_remaining",
        "synthetics.slo.burn_rate",
        "synthetics.slo.target",
        "synthetics.slo.coverage",
        "synthetics.slo.gaps",
        "synthetics.alert.firing",
        "synthetics.alert.burn_rate",
    ] {
        let sample = seen
            .metric(name)
            .next()
            .unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(sample.tag("time_scale"), Some("60"), "{name}");
        assert_eq!(sample.tag("simulated"), Some("true"), "{name}");
    }
    let sent = |outcome: &str| {
        let of = |s: &&std::sync::Arc<console::store::Sample>| s.tag("outcome") == Some(outcome);
        seen.metric("synthetics.webhook.message.count")
            .filter(of)
            .count()
    };
    assert_eq!(sent("delivered"), 4);
    assert_eq!(agent.store().bad_packets().total, 0);
    let log = log(&out);
    assert!(!log.contains("s3cret-path"), "the address is a secret");
    let lines: Vec<_> = log
        .lines()
        .filter(|l| l.contains("error budget alert changed"))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("\"time_scale\":60")));
}

#[tokio::test]
async fn a_webhook_can_be_tried() {
    let shop = Shop::start().await;
    let good = Receiver::start(&[]).await;
    let gone = Receiver::start(&[Reply::Status(410)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let hooks = [("ops", &*good.url, "json"), ("chat", &*gone.url, "slack")];
    let file = config(folder.path(), &shop, &hooks, "up");
    let test = async |name: &str| {
        let arguments = ["alert", "test", name, "--config", &file];
        let output = ended(synthetics(&arguments).output()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = text(&output.stdout) + text(&output.stderr).as_str();
        assert!(!told.contains("s3cret"), "{told}");
        (output.status.code(), told)
    };
    assert_eq!(
        test("ops").await,
        (Some(0), "ops: delivered: status 200\n".to_owned())
    );
    assert_eq!(good.seen()[0].body["change"], "test");
    let (code, told) = test("chat").await;
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("status 410: there is no such webhook any more"),
        "{told}"
    );
    assert_eq!(
        gone.seen()[0].body["text"],
        "[TEST] Test: alerts of this prober arrive here"
    );
    let (code, told) = test("opps").await;
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("has ops, chat"), "{told}");
    let output = ended(synthetics(&["alert", "schema"]).output()).await;
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a schema");
    assert_eq!(schema["title"], "Message");
}
