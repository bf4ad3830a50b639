//! What is posted: version 1 of a documented form.

use schemars::JsonSchema;
use serde::Serialize;

use crate::alert::{Change, Transition};
use crate::evaluate::Evaluation;
use crate::slo::{Ratio, Rounding};
use crate::tally::LastFailure;

/// Version of the form: raised when a field goes or changes its meaning.
const VERSION: u32 = 1;

/// What a webhook of the form `json` is posted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Message {
    /// Version of this form: 1.
    pub version: u32,
    /// `fired`, `cleared`, or `test` for one that a person sent to try the way.
    pub change: &'static str,
    /// Why it cleared: `recovered`, or `removed` where the configuration has it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Which alert, such as `availability/1h`: the key to take messages together by. Every prober
    /// of one history says the same, and so does one that was started again.
    pub id: String,
    /// Which time of firing: the id and the minute in which it began.
    pub episode: String,
    /// `critical` where the budget burns fast, `warning` where the long window is a day or more.
    pub severity: &'static str,
    /// In a few words.
    pub title: String,
    /// In a sentence, with the numbers.
    pub text: String,
    /// When it changed, RFC 3339, by the clock of the objectives.
    pub at: String,
    /// When it began to fire.
    pub began: String,
    /// The objective.
    pub slo: Objective,
    /// What the alert goes by.
    pub burn: Burn,
    /// Who says so.
    pub source: Source,
    /// The newest failure of a check that the objective is measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
}

/// An objective as it stands. Numbers are exact decimals, cut or rounded for reading.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Objective {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What is promised, such as `98%`.
    pub target: Option<String>,
    /// What it is judged over, such as `7d`.
    pub window: Option<String>,
    /// Good events of all, such as `97.21%`, cut; null without events.
    pub sli: Option<String>,
    /// What is left of the error budget, such as `-39%`, rounded; negative where it is overspent.
    pub budget_remaining: Option<String>,
    /// `pass`, `fail` or `inconclusive`.
    pub verdict: Option<&'static str>,
}

/// The rule of an alert and what it read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Burn {
    /// The burn rate that both windows must exceed, such as `16.8`.
    pub factor: String,
    /// The long window, such as `1h`.
    pub long_window: String,
    /// Burn rate over it; null without events.
    pub long_rate: Option<String>,
    /// The short window, a twelfth of the long one.
    pub short_window: String,
    /// Burn rate over it; null without events.
    pub short_rate: Option<String>,
}

/// The prober that tells.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Source {
    /// The places that it probes from.
    pub locations: Vec<String>,
    /// Whether any of them is simulated.
    pub simulated: bool,
    /// How many times as fast as real time the clock runs; 1 unless it is a demo.
    pub time_scale: u32,
}

/// A probe that failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Example {
    /// The check.
    pub check: String,
    /// The class of the failure.
    pub kind: &'static str,
    /// What was expected and what came.
    pub detail: String,
    /// When it was due.
    pub at: String,
    /// Its trace.
    pub trace_id: Option<String>,
}

impl Example {
    /// The newest failure of a check.
    #[must_use]
    pub fn of(check: &str, failure: &LastFailure) -> Self {
        Self {
            check: check.to_owned(),
            kind: failure.failure.kind.name(),
            detail: failure.failure.detail.clone(),
            at: failure.scheduled.to_string(),
            trace_id: failure.trace_id.clone(),
        }
    }
}

impl Message {
    /// What there is to say of a change.
    #[must_use]
    pub fn of(
        transition: &Transition,
        evaluation: Option<&Evaluation>,
        source: Source,
        example: Option<Example>,
    ) -> Self {
        let alert = &transition.alert;
        let rate = |rate: Option<Ratio>| rate.map(|rate| rate.to_string());
        Self {
            version: VERSION,
            change: transition.change.name(),
            reason: match transition.change {
                Change::Fired => None,
                Change::Cleared => Some("recovered"),
                Change::Removed => Some("removed"),
            },
            id: alert.id.to_string(),
            episode: transition.episode(),
            severity: alert.severity().name(),
            title: transition.headline(),
            text: transition.sentence(),
            at: transition.at.to_string(),
            began: transition.began.to_string(),
            slo: Objective {
                name: alert.id.slo.to_string(),
                title: alert.title.to_string(),
                ..evaluation.map(objective).unwrap_or_default()
            },
            burn: Burn {
                factor: alert.rule.factor().to_string(),
                long_window: alert.long_window(),
                long_rate: rate(alert.long),
                short_window: alert.short_window(),
                short_rate: rate(alert.short),
            },
            source,
            example,
        }
    }

    /// One that only tries the way; `name` is the webhook's.
    #[must_use]
    pub fn test(name: &str, at: String) -> Self {
        Self {
            version: VERSION,
            change: "test",
            reason: None,
            id: format!("test/{name}"),
            episode: format!("test/{name}@{at}"),
            severity: "warning",
            title: "Test: alerts of this prober arrive here".to_owned(),
            text: "Somebody has tried the way. Nothing is wrong.".to_owned(),
            began: at.clone(),
            at,
            slo: Objective {
                name: "test".to_owned(),
                title: "test".to_owned(),
                ..Objective::default()
            },
            burn: Burn {
                factor: "1".to_owned(),
                long_window: "1h".to_owned(),
                long_rate: None,
                short_window: "5m".to_owned(),
                short_rate: None,
            },
            source: Source {
                time_scale: 1,
                ..Source::default()
            },
            example: None,
        }
    }

    /// What is the same for this message whoever sends it and however often: for
    /// `Idempotency-Key`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.episode, self.change)
    }

    /// What a reader must know before the numbers, if there is anything.
    #[must_use]
    pub fn caveat(&self) -> Option<String> {
        let scale = self.source.time_scale;
        let clock = (scale != 1).then(|| format!("its clock runs {scale} times as fast"));
        let places = self.source.simulated.then_some("locations are simulated");
        match (clock, places) {
            (None, None) => None,
            (Some(clock), None) => Some(format!("Demo: {clock}")),
            (None, Some(places)) => Some(format!("Demo: {places}")),
            (Some(clock), Some(places)) => Some(format!("Demo: {clock}, {places}")),
        }
    }
}

fn objective(evaluation: &Evaluation) -> Objective {
    let percent = |ratio: Ratio, places, rounding| {
        let text = ratio.to_decimal(2, places, rounding);
        format!("{text}%")
    };
    let sli = evaluation.counts.sli();
    Objective {
        target: Some(evaluation.slo.target.to_string()),
        window: Some(evaluation.slo.window.to_string()),
        sli: sli.map(|sli| percent(sli, 2, Rounding::Truncate)),
        budget_remaining: evaluation
            .remaining
            .map(|left| percent(left, 0, Rounding::Nearest)),
        verdict: Some(evaluation.judgement.verdict.name()),
        ..Objective::default()
    }
}

/// The JSON Schema of [`Message`].
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Message).to_value()
}
