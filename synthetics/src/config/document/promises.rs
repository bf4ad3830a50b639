//! Objectives, their alerts and maintenance as they are written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::config::text::{Factor, Moment, NameText, Share, Span, TargetText, WindowText};

/// A promise. Exactly one of availability, latency and success says what is good.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    {"required": ["availability"]}, {"required": ["latency"]}, {"required": ["success"]},
])))]
pub(in crate::config) struct Slo {
    /// Short name, a tag.
    pub(in crate::config) name: NameText,
    /// Name for people.
    pub(in crate::config) title: Option<String>,
    /// Share that must be good.
    pub(in crate::config) target: TargetText,
    /// What it is judged over. Default: 7d.
    pub(in crate::config) window: Option<WindowText>,
    /// Checks that it is measured on.
    #[schemars(length(min = 1))]
    pub(in crate::config) checks: Vec<NameText>,
    /// Time slices of a minute: good is a minute that is up.
    pub(in crate::config) availability: Option<Availability>,
    /// Requests: good is a whole answer in time, right or wrong.
    pub(in crate::config) latency: Option<Latency>,
    /// Requests: good is a right answer.
    #[expect(dead_code, reason = "that it is there says it all")]
    pub(in crate::config) success: Option<Success>,
    /// How several locations become one, for time slices. Default: all-up.
    pub(in crate::config) locations: Option<Rule>,
}

/// Time slices.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Availability {
    /// Share of a minute's probes that must be good for the minute to be up. Default: 100%.
    pub(in crate::config) up_from: Option<Share>,
}

/// Answers in time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Latency {
    /// The limit, included.
    pub(in crate::config) within: Span,
}

/// Right answers. There is nothing to set: write `{}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Success {}

/// How several locations become one.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Rule {
    /// Any location down is down.
    AllUp,
    /// More than half of the locations must be up.
    Majority,
    /// The probes of all locations are summed.
    Pooled,
}

/// Alarms of one objective.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Alert {
    /// Which objective.
    pub(in crate::config) slo: NameText,
    /// Windows and factors. Default: the usual ones for the window of the objective.
    pub(in crate::config) burn: Option<Vec<Burn>>,
    /// Webhooks to tell. Default: all of them.
    pub(in crate::config) notify: Option<Vec<NameText>>,
}

/// Fires while both the long window and a twelfth of it burn faster than the factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([{"required": ["factor"]}, {"required": ["budget"]}])))]
pub(in crate::config) struct Burn {
    /// The long window.
    pub(in crate::config) long: Span,
    /// Burn rate that is too fast.
    pub(in crate::config) factor: Option<Factor>,
    /// The same as a share of the budget that is spent within the long window.
    pub(in crate::config) budget: Option<Share>,
}

/// Declared downtime.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Maintenance {
    /// What for.
    pub(in crate::config) name: String,
    /// Its start.
    pub(in crate::config) from: Moment,
    /// Its end.
    pub(in crate::config) until: Moment,
    /// From one start to the next, such as 7d. Default: once.
    pub(in crate::config) every: Option<Span>,
    /// Objectives that it is for. Default: all of them.
    pub(in crate::config) slos: Option<Vec<NameText>>,
}
