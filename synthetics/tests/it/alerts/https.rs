//! Webhooks by https: whose certificates are trusted, and what is told of one that is not.

use std::path::Path;
use std::process::Stdio;

use console::{Addresses, Receivers, Snapshot};
use serde_json::Value;

use super::program::{PATIENCE, config, log, signal};
use super::receiver::Receiver;
use crate::gate::{ended, synthetics, wait_for};
use crate::server::Authority;
use crate::shop::{Behaviour, Shop};

const UNTRUSTED: &str = "its certificate is signed by an authority that is not trusted here; SSL_CERT_FILE takes a file of those that are";

/// A file with the certificate of an authority, as `SSL_CERT_FILE` takes it.
fn authorities(folder: &Path, authority: &Authority) -> String {
    let file = folder.join("authorities.pem");
    std::fs::write(&file, authority.pem()).expect("a file");
    file.to_str().expect("text").to_owned()
}

#[tokio::test]
async fn authorities_of_ones_own_are_trusted_where_a_variable_names_them() {
    let (shop, own) = (Shop::start().await, Authority::new());
    let receiver = Receiver::start_tls(&own, &[]).await;
    let plain = Receiver::start(&[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let hooks = [
        ("ops", &*receiver.url, "json"),
        ("chat", &*plain.url, "slack"),
    ];
    let file = config(folder.path(), &shop, &hooks, "up");
    let trusted = authorities(folder.path(), &own);
    let test = async |name: &str, variable: Option<&str>| {
        let mut command = synthetics(&["alert", "test", name, "--config", &file]);
        command.envs(variable.map(|file| ("SSL_CERT_FILE", file)));
        let output = ended(command.output()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = text(&output.stdout) + text(&output.stderr).as_str();
        assert!(!told.contains("s3cret"), "{told}");
        (output.status.code(), told)
    };
    let delivered = |name: &str| (Some(0), format!("{name}: delivered: status 200\n"));
    let refused = format!("ops: not delivered: {UNTRUSTED}; an alert would be sent again\n");
    assert_eq!(test("ops", Some(&trusted)).await, delivered("ops"));
    assert_eq!(receiver.seen()[0].body["change"], "test");
    assert_eq!(test("ops", None).await, (Some(1), refused.clone()));
    // A machine without any authorities can tell in plain words all the same.
    let nothing = folder.path().join("nothing.pem");
    let nothing = nothing.to_str();
    assert_eq!(test("ops", nothing).await, (Some(1), refused));
    assert_eq!(test("chat", nothing).await, delivered("chat"));
    assert_eq!(
        receiver.seen().len(),
        1,
        "nothing is sent before there is trust"
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_and_keeps_no_other_message_back() {
    let (shop, own, other) = (Shop::start().await, Authority::new(), Authority::new());
    let ops = Receiver::start_tls(&own, &[]).await;
    let stranger = Receiver::start_tls(&other, &[]).await;
    let agent = Receivers::bind(Addresses::loopback())
        .await
        .expect("receivers");
    let folder = tempfile::tempdir().expect("a folder");
    let hooks = [
        ("ops", &*ops.url, "json"),
        ("chat", &*stranger.url, "slack"),
    ];
    let file = config(folder.path(), &shop, &hooks, "up");
    let out = folder.path().join("log");
    let child = synthetics(&["run", "--config", &file, "--simulate", "--time-scale", "60"])
        .env("SSL_CERT_FILE", authorities(folder.path(), &own))
        .env("DD_DOGSTATSD_DISABLE", "false")
        .env("DD_DOGSTATSD_URL", agent.dogstatsd_url())
        .stdout(std::fs::File::create(&out).expect("a log"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    wait_for(|| shop.asked("/health") >= 14).await;
    shop.set("/health", Behaviour::Answer(500, String::new()));
    let fired = ops.wait_for(1).await;
    assert_eq!(fired[0].body["change"], "fired");
    wait_for(|| stranger.turned_away().len() >= 3).await;
    signal(&child, "-TERM");
    let output = ended(child.wait_with_output()).await;
    assert_eq!(output.status.code(), Some(0), "{}", log(&out));

    let (log, stderr) = (log(&out), String::from_utf8_lossy(&output.stderr));
    for told in [&*log, &*stderr] {
        assert!(
            !told.contains("s3cret") && !told.contains("panic"),
            "{told}"
        );
    }
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let of_chat = |message: &str| {
        let of = |line: &&Value| line["webhook"] == "chat" && line["message"] == message;
        lines.iter().filter(of).collect::<Vec<_>>()
    };
    let (later, given_up) = (of_chat("alert sent again later"), of_chat("alert not sent"));
    assert_eq!(given_up.len(), 1, "{log}");
    for line in later.iter().chain(&given_up) {
        assert_eq!(line["why"], UNTRUSTED, "{line}");
    }
    // One connection for each attempt, each later than the one before, and none after the end.
    let attempts = stranger.turned_away().len();
    assert_eq!(given_up[0]["failures"], attempts);
    assert_eq!(later.len(), attempts - 1);
    let pauses = later.iter().map(|line| line["pause_ms"].as_f64());
    for (pause, longest) in pauses.zip([1_000.0, 2_000.0, 4_000.0]) {
        let pause = pause.expect("a number");
        assert!(
            pause >= longest / 2.0 && pause <= longest,
            "{pause} of {longest}"
        );
    }
    assert_eq!(stranger.seen().len(), 0);
    assert_eq!(ops.seen().len(), 1);

    let sent = |seen: &Snapshot, webhook: &str| -> Vec<String> {
        let samples = seen.metric("synthetics.webhook.message.count");
        let own = samples.filter(|sample| sample.tag("webhook") == Some(webhook));
        own.filter_map(|sample| Some(sample.tag("outcome")?.to_owned()))
            .collect()
    };
    let outcomes = |seen: &Snapshot| {
        let both = (sent(seen, "ops"), sent(seen, "chat"));
        (!both.1.is_empty()).then_some(both)
    };
    let counted = agent.store().wait_for(PATIENCE, outcomes).await;
    let counted = counted.expect("counts");
    assert_eq!(counted, (vec!["delivered".into()], vec!["gave_up".into()]));
}
