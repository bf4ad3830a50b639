//! The file as it is written. Its JSON Schema comes from these types and their comments, and the
//! file is read by that schema, so editors and this program agree.

mod checks;
mod promises;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub(super) use checks::*;
pub(super) use promises::*;

use super::text::{AllowedText, NameText, Pause, SecretText, Share, Size, Span};

/// Checks, locations, objectives and sinks of the prober.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Document {
    /// Version of this format: 1.
    #[schemars(extend("enum" = [1]))]
    #[expect(dead_code, reason = "there is one version, and the schema has it")]
    pub(in crate::config) version: u8,
    /// Where probes may go.
    pub(in crate::config) network: Option<Network>,
    /// What holds for every check that says nothing else.
    pub(in crate::config) defaults: Option<Defaults>,
    /// Places that probe. A prober runs as one of them.
    #[serde(default)]
    pub(in crate::config) locations: Vec<Location>,
    /// What is probed.
    #[schemars(length(min = 1))]
    pub(in crate::config) checks: Vec<Check>,
    /// What is promised.
    #[serde(default)]
    pub(in crate::config) slos: Vec<Slo>,
    /// When to raise an alarm. An objective without an entry here has the usual burn alerts.
    #[serde(default)]
    pub(in crate::config) alerts: Vec<Alert>,
    /// Declared downtime: time slices in it count as good, and requests are dropped.
    #[serde(default)]
    pub(in crate::config) maintenance: Vec<Maintenance>,
    /// Where results go.
    pub(in crate::config) sinks: Option<Sinks>,
}

/// Where probes may go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Network {
    /// Hosts, domains and networks that may be probed, redirected to, or resolved to. Without it,
    /// the hosts that the checks name. Link-local and metadata addresses must stand here as
    /// addresses in either case.
    pub(in crate::config) allow: Option<Vec<AllowedText>>,
}

/// What holds for every check that says nothing else.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Defaults {
    /// From one probe to the next. Default: 30s.
    pub(in crate::config) interval: Option<Span>,
    /// Longest time of one attempt, from resolving the name to the last byte. Default: 5s.
    pub(in crate::config) timeout: Option<Span>,
    /// Attempts after a failure. Default: none.
    pub(in crate::config) retries: Option<Retries>,
    /// Most bytes of a body that are read; a longer one is a failure. Default: 1MiB.
    pub(in crate::config) body_limit: Option<Size>,
}

/// Attempts after a failure. The last one has the final word; good after a retry is "degraded".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Retries {
    /// How many, at most.
    #[schemars(range(max = 10))]
    pub(in crate::config) most: u32,
    /// From the end of one attempt to the start of the next. Default: 0s.
    pub(in crate::config) pause: Option<Pause>,
}

/// A place that probes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Location {
    /// Short name, a tag.
    pub(in crate::config) name: NameText,
    /// Name for people.
    pub(in crate::config) title: Option<String>,
    /// Makes one process play this place, for a demo. Its results are labelled as simulated.
    pub(in crate::config) simulated: Option<Simulated>,
}

/// What makes a place look far away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Simulated {
    /// Added to each round trip.
    pub(in crate::config) delay: Pause,
    /// Added on top, evenly spread between none and this. Default: 0s.
    pub(in crate::config) jitter: Option<Pause>,
    /// Share of connections that are lost. Default: 0%.
    pub(in crate::config) loss: Option<Share>,
}

/// Where results go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Sinks {
    /// Metrics to the Datadog Agent, or any StatsD server that knows its dialect.
    pub(in crate::config) dogstatsd: Option<Dogstatsd>,
    /// Minutes of every check in DynamoDB.
    pub(in crate::config) history: Option<History>,
    /// Where alerts are posted.
    #[serde(default)]
    pub(in crate::config) webhooks: Vec<Webhook>,
}

/// Metrics to the Datadog Agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Dogstatsd {
    /// Whether metrics go out; where to is said by DD_DOGSTATSD_URL or DD_AGENT_HOST. Default: yes.
    pub(in crate::config) enabled: bool,
}

/// Minutes of every check in DynamoDB.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct History {
    /// Name of the table. Default: `history` after the prefix of all tables.
    #[schemars(pattern("^[A-Za-z0-9_.-]{3,255}$"))]
    pub(in crate::config) table: Option<String>,
    /// How long minutes are kept; at least the longest window. Default: 400d.
    pub(in crate::config) retention: Option<Span>,
}

/// Where alerts are posted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Webhook {
    /// Short name.
    pub(in crate::config) name: NameText,
    /// Address; often a secret, and never printed.
    pub(in crate::config) url: SecretText,
    /// Form of the message. Default: json.
    pub(in crate::config) format: Option<WebhookFormat>,
}

/// Form of a message.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum WebhookFormat {
    /// All that is known, as JSON.
    Json,
    /// A text, as Slack and what understands it take it.
    Slack,
}

/// One value, or a list of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(in crate::config) enum OneOrMany<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub(in crate::config) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// Keeps `null` apart from nothing.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
