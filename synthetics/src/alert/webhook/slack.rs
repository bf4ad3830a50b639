//! The same as a text with an attachment, as Slack takes it, and Mattermost, Rocket.Chat and
//! Discord's `/slack` address with it.

use serde_json::{Value, json};

use super::message::Message;

/// The message as Slack's incoming webhooks take it.
#[must_use]
pub fn slack(message: &Message) -> Value {
    let (word, colour) = match (message.change, message.severity) {
        ("fired", "critical") => ("FIRING", "#c0392b"),
        ("fired", _) => ("FIRING", "#d68910"),
        ("cleared", _) => ("CLEARED", "#1e8449"),
        _ => ("TEST", "#566573"),
    };
    let title = format!("[{word}] {}", escape(&message.title));
    let mut fields = Vec::new();
    let mut field = |title: &str, value: Option<String>| {
        if let Some(value) = value {
            let value = escape(&value);
            fields.push(json!({"title": title, "value": value, "short": true}));
        }
    };
    let slo = &message.slo;
    let level = slo.sli.as_ref().zip(slo.target.as_ref());
    field(
        "Level",
        level.map(|(sli, target)| format!("{sli} of {target}")),
    );
    field("Budget left", slo.budget_remaining.clone());
    let rate = |rate: &Option<String>, window: &str| {
        let rate = rate.as_ref()?;
        Some(format!("{rate} over {window}"))
    };
    let burn = &message.burn;
    field("Burn rate", rate(&burn.long_rate, &burn.long_window));
    field("Lately", rate(&burn.short_rate, &burn.short_window));
    let mut text = escape(&message.text);
    if let Some(example) = &message.example {
        let trace = example.trace_id.as_ref();
        let trace = trace.map_or_else(String::new, |trace| format!(" (trace {trace})"));
        let example = format!("\n{}: {}{trace}", example.check, example.detail);
        text.push_str(&escape(&example));
    }
    let places = message.source.locations.join(", ");
    let mut footer = message.id.clone();
    for more in [Some(places), message.caveat()].into_iter().flatten() {
        if !more.is_empty() {
            footer.push_str(" · ");
            footer.push_str(&more);
        }
    }
    // A demo must not look like an incident, not even in a list of notifications.
    let title = match message.caveat() {
        Some(_) => format!("(demo) {title}"),
        None => title,
    };
    json!({
        "text": title,
        "attachments": [{
            "fallback": title,
            "color": colour,
            "text": text,
            "fields": fields,
            "footer": escape(&footer),
        }],
    })
}

/// Text without meaning to Slack: neither a link nor a mention of everybody.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
