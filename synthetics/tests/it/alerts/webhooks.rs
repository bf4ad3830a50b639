//! Messages to webhooks: what arrives, in which order, how often, and what becomes of the rest.

use std::sync::Arc;
use std::time::Duration;

use sandbox::Engine;
use serde_json::{Value, json};
use synthetics::alert::webhook::{Example, Message, Patience, Source, Webhooks, schema, slack};
use synthetics::alert::{AlertId, AlertState, Change, Status, Transition};
use synthetics::clock::Timestamp;
use synthetics::config::{Secret, Webhook};
use synthetics::history::store::Store;
use synthetics::objective::Slo;
use synthetics::probe::{Failure, FailureKind};
use synthetics::slo::Ratio;
use synthetics::tally::LastFailure;
use telemetry::Metrics;

use super::receiver::{Receiver, Reply};
use super::states::{at, slo};
use crate::history::store::table;

const MILLI: Duration = Duration::from_millis(1);

/// The default, a thousand times as fast.
fn hasty() -> Patience {
    Patience {
        attempt: MILLI * 500,
        first: MILLI,
        longest: MILLI * 60,
        asked: MILLI * 1_500,
        give_up: Duration::from_secs(60),
    }
}

fn webhooks(store: Option<Store>, patience: Patience) -> Webhooks {
    Webhooks::new(Metrics::disabled(), store, patience).expect("a client")
}

fn hook(name: &str, url: &str) -> Webhook {
    Webhook {
        name: name.to_owned(),
        url: Secret::new(url.to_owned()),
        slack: false,
    }
}

fn transition(change: Change, minute: u64) -> Transition {
    let Slo { alerts, title, .. } = slo("up");
    let rule = alerts[0];
    Transition {
        change,
        at: at(minute),
        began: at(100),
        alert: AlertState {
            id: AlertId {
                slo: "up".into(),
                long: rule.long(),
            },
            title: title.into(),
            rule,
            status: Status::Firing,
            since: at(100),
            frozen: None,
            long: Ratio::parse_decimal("17.5"),
            short: Some(Ratio::whole(50)),
        },
    }
}

fn source() -> Source {
    Source {
        locations: vec!["tokyo".into()],
        simulated: false,
        time_scale: 1,
    }
}

fn message(change: Change, minute: u64) -> Arc<Message> {
    Message::of(&transition(change, minute), None, source(), None).into()
}

fn keys(receiver: &Receiver) -> Vec<String> {
    receiver
        .seen()
        .iter()
        .map(|seen| seen.key().to_owned())
        .collect()
}

const FIRED: &str = "up/1h@2024-10-04T01:40Z/fired";
const CLEARED: &str = "up/1h@2024-10-04T01:40Z/cleared";

#[tokio::test]
async fn a_receiver_that_fails_is_asked_again_and_order_stays() {
    use Reply::{After, Hang, Status};
    let replies = [Status(500), Status(429), Hang, After(503, "1"), Status(408)];
    let receiver = Receiver::start(&replies).await;
    let webhooks = webhooks(None, hasty());
    webhooks.adopt(&[hook("ops", &receiver.url)]);
    webhooks.send(&[0], &message(Change::Fired, 100));
    webhooks.send(&[0], &message(Change::Cleared, 130));
    let seen = receiver.wait_for(7).await;
    webhooks.end(Duration::from_secs(5)).await;
    let mut expected = vec![FIRED; 6];
    expected.push(CLEARED);
    assert_eq!(
        keys(&receiver),
        expected,
        "once more for each failure, and no more"
    );
    let waited = seen[4].at - seen[3].at;
    assert!(
        waited >= Duration::from_secs(1),
        "it asked for a second: {waited:?}"
    );
    let hung = seen[3].at - seen[2].at;
    assert!(hung >= hasty().attempt, "{hung:?}");
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert_eq!(seen[0].body["change"], "fired");
    assert_eq!(seen[0].body, seen[5].body, "word for word");
    assert_eq!(seen[6].body["change"], "cleared");
    assert_eq!(seen[6].body["reason"], "recovered");
}

#[tokio::test]
async fn who_asks_for_too_long_a_pause_is_asked_sooner() {
    let receiver = Receiver::start(&[Reply::After(429, "86400")]).await;
    let webhooks = webhooks(None, hasty());
    webhooks.adopt(&[hook("ops", &receiver.url)]);
    webhooks.send(&[0], &message(Change::Fired, 100));
    let seen = receiver.wait_for(2).await;
    let waited = seen[1].at - seen[0].at;
    assert!(waited >= hasty().asked && waited < Duration::from_secs(60));
    webhooks.end(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_is_refused_is_not_sent_again_and_the_next_one_is() {
    let refusals = [410, 404, 400, 403, 302].map(Reply::Status);
    let receiver = Receiver::start(&refusals).await;
    let webhooks = webhooks(None, hasty());
    webhooks.adopt(&[hook("ops", &receiver.url)]);
    for n in 0..6 {
        webhooks.send(&[0], &message(Change::Cleared, 100 + n));
    }
    receiver.wait_for(6).await;
    webhooks.end(Duration::from_secs(5)).await;
    assert_eq!(receiver.seen().len(), 6, "one request each");
}

#[tokio::test]
async fn news_that_is_too_old_is_given_up() {
    let receiver = Receiver::start(&[Reply::Status(500); 1_000]).await;
    let patience = Patience {
        give_up: MILLI * 300,
        ..hasty()
    };
    let webhooks = webhooks(None, patience);
    webhooks.adopt(&[hook("ops", &receiver.url)]);
    webhooks.send(&[0], &message(Change::Fired, 100));
    receiver.wait_for(3).await;
    // It comes only when the first one is given up.
    webhooks.send(&[0], &message(Change::Cleared, 130));
    crate::gate::wait_for(|| keys(&receiver).contains(&CLEARED.to_owned())).await;
    webhooks.end(Duration::from_secs(5)).await;
    let all = keys(&receiver);
    let last = all
        .iter()
        .rposition(|key| key == FIRED)
        .expect("it was sent");
    assert!(
        all[..last].iter().all(|key| key == FIRED),
        "in order: {all:?}"
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_keeps_nobody_waiting() {
    let stuck = Receiver::start(&[Reply::Hang; 1_000]).await;
    let good = Receiver::start(&[]).await;
    let webhooks = webhooks(None, Patience::default());
    webhooks.adopt(&[hook("stuck", &stuck.url), hook("good", &good.url)]);
    let begun = tokio::time::Instant::now();
    for n in 0..1_000 {
        webhooks.send(&[0, 1], &message(Change::Cleared, n));
        if n % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let sent = begun.elapsed();
    assert!(
        sent < Duration::from_secs(5),
        "sending waits for nobody: {sent:?}"
    );
    good.wait_for(64).await;
    let begun = tokio::time::Instant::now();
    webhooks.end(MILLI * 300).await;
    let ended = begun.elapsed();
    assert!(
        ended < Duration::from_secs(5),
        "nor does the end: {ended:?}"
    );
    assert_eq!(stuck.seen().len(), 1);
}

#[tokio::test]
async fn a_last_message_is_sent_at_the_end() {
    let receiver = Receiver::start(&[Reply::Status(503)]).await;
    let patience = Patience {
        first: Duration::from_secs(600),
        longest: Duration::from_secs(600),
        ..Patience::default()
    };
    let webhooks = webhooks(None, patience);
    webhooks.adopt(&[hook("ops", &receiver.url)]);
    webhooks.send(&[0], &message(Change::Fired, 100));
    receiver.wait_for(1).await;
    webhooks.end(Duration::from_secs(5)).await;
    assert_eq!(keys(&receiver), [FIRED, FIRED], "the pause is cut short");
}

#[tokio::test]
async fn a_new_configuration_loses_no_message() {
    let (old, new) = (
        Receiver::start(&[Reply::Status(503)]).await,
        Receiver::start(&[]).await,
    );
    let webhooks = webhooks(None, hasty());
    webhooks.adopt(&[hook("old", &old.url)]);
    webhooks.send(&[0], &message(Change::Fired, 100));
    webhooks.adopt(&[hook("new", &new.url)]);
    webhooks.send(&[0], &message(Change::Cleared, 130));
    old.wait_for(2).await;
    new.wait_for(1).await;
    webhooks.end(Duration::from_secs(5)).await;
    assert_eq!(
        (keys(&old), keys(&new)),
        (vec![FIRED.to_owned(); 2], vec![CLEARED.to_owned()])
    );
}

#[tokio::test]
async fn of_several_probers_of_one_history_one_tells() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let receiver = Receiver::start(&[]).await;
    let probers: Vec<_> = (0..3)
        .map(|_| webhooks(Some(store.clone()), hasty()))
        .collect();
    for prober in &probers {
        prober.adopt(&[hook("ops", &receiver.url)]);
        prober.send(&[0], &message(Change::Fired, 100));
        prober.send(&[0], &message(Change::Cleared, 130));
    }
    receiver.wait_for(2).await;
    for prober in probers {
        prober.end(Duration::from_secs(10)).await;
    }
    let mut told = keys(&receiver);
    told.sort();
    assert_eq!(told, [CLEARED, FIRED]);
    // Without the table, rather twice than never.
    let _gone = engine.stop().await;
    let alone = webhooks(Some(store), hasty());
    alone.adopt(&[hook("ops", &receiver.url)]);
    alone.send(&[0], &message(Change::Fired, 100));
    receiver.wait_for(3).await;
    alone.end(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn protected_addresses_get_no_alert() {
    let webhooks = webhooks(None, hasty());
    let urls = ["http://169.254.169.254/x", "http://[fd00:ec2::254]/x"];
    let hooks: Vec<_> = urls.iter().map(|url| hook("ops", url)).collect();
    webhooks.adopt(&hooks);
    webhooks.send(&[0, 1], &message(Change::Fired, 100));
    let begun = tokio::time::Instant::now();
    webhooks.end(Duration::from_secs(60)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "refused, and not tried"
    );
}

fn full() -> Message {
    let failure = LastFailure {
        scheduled: Timestamp::from_micros(1_728_006_000_000_000),
        failure: Failure::new(FailureKind::Status, "status <500>, expected 200 & more"),
        trace_id: Some("0af7651916cd43dd8448eb211c80319c".into()),
    };
    let source = Source {
        locations: vec!["tokyo-simulated".into(), "osaka-simulated".into()],
        simulated: true,
        time_scale: 600,
    };
    let example = Example::of("page", &failure);
    let mut message = Message::of(&transition(Change::Fired, 100), None, source, Some(example));
    message.slo.sli = Some("97.21%".into());
    message.slo.target = Some("98%".into());
    message.slo.window = Some("7d".into());
    message.slo.budget_remaining = Some("-39%".into());
    message.slo.verdict = Some("fail");
    message
}

#[test]
fn the_json_form_is_this_one() {
    let text =
        "Burn rate 17.5 over 1h and 50 over 5m, both above 16.8, since 2024-10-04T01:40:00.000Z.";
    let expected = json!({
        "version": 1,
        "change": "fired",
        "id": "up/1h",
        "episode": "up/1h@2024-10-04T01:40Z",
        "severity": "critical",
        "title": "up burns its error budget too fast (1h)",
        "text": text,
        "at": "2024-10-04T01:40:00.000Z",
        "began": "2024-10-04T01:40:00.000Z",
        "slo": {
            "name": "up", "title": "up", "target": "98%", "window": "7d", "sli": "97.21%",
            "budget_remaining": "-39%", "verdict": "fail",
        },
        "burn": {
            "factor": "16.8", "long_window": "1h", "long_rate": "17.5",
            "short_window": "5m", "short_rate": "50",
        },
        "source": {
            "locations": ["tokyo-simulated", "osaka-simulated"], "simulated": true,
            "time_scale": 600,
        },
        "example": {
            "check": "page", "kind": "status", "detail": "status <500>, expected 200 & more",
            "at": "2024-10-04T01:40:00.000Z", "trace_id": "0af7651916cd43dd8448eb211c80319c",
        },
    });
    let found = serde_json::to_value(full()).expect("JSON");
    assert_eq!(found, expected);
    // The published schema names and explains each field.
    let schema = schema();
    let properties = schema["properties"].as_object().expect("an object");
    for key in found.as_object().expect("an object").keys() {
        assert!(
            properties[key]["description"].is_string()
                || properties[key]["allOf"].is_array()
                || properties[key]["$ref"].is_string(),
            "{key}"
        );
    }
}

#[test]
fn the_slack_form_is_this_one() {
    let title = "(demo) [FIRING] up burns its error budget too fast (1h)";
    let text = "Burn rate 17.5 over 1h and 50 over 5m, both above 16.8, since 2024-10-04T01:40:00.000Z.\npage: status &lt;500&gt;, expected 200 &amp; more (trace 0af7651916cd43dd8448eb211c80319c)";
    let field = |title: &str, value: &str| json!({"title": title, "value": value, "short": true});
    let expected = json!({
        "text": title,
        "attachments": [{
            "fallback": title,
            "color": "#c0392b",
            "text": text,
            "fields": [
                field("Level", "97.21% of 98%"),
                field("Budget left", "-39%"),
                field("Burn rate", "17.5 over 1h"),
                field("Lately", "50 over 5m"),
            ],
            "footer": "up/1h · tokyo-simulated, osaka-simulated · Demo: its clock runs 600 times as fast, locations are simulated",
        }],
    });
    assert_eq!(slack(&full()), expected);
    let real = Message::of(&transition(Change::Cleared, 130), None, source(), None);
    let real: Value = slack(&real);
    assert_eq!(
        real["text"],
        "[CLEARED] up burns its error budget no longer (1h)"
    );
    assert_eq!(real["attachments"][0]["color"], "#1e8449");
}
