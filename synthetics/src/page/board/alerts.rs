//! The burn alerts, as the prober's one keeper of them has them.

use serde::Serialize;
use utoipa::ToSchema;

use super::Ground;
use super::slos::burn_text;
use crate::alert;
use crate::page::format::Moment;

/// A burn alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Alert {
    /// Name of the objective.
    pub(crate) slo: String,
    /// Its name for people.
    pub(crate) title: String,
    /// What it says now.
    pub(crate) state: AlertState,
    /// Since when.
    pub(crate) since: Moment,
    /// Since when there is too little data, so that the state is only the last known one.
    pub(crate) frozen: Option<Moment>,
    /// `critical`, or `warning` where the long window is a day or more.
    pub(crate) severity: &'static str,
    /// The burn rate above which it fires, in both windows.
    pub(crate) factor: String,
    /// The long window.
    pub(crate) long: String,
    /// The burn rate over it.
    pub(crate) long_burn: Option<String>,
    /// The short window.
    pub(crate) short: String,
    /// The burn rate over it.
    pub(crate) short_burn: Option<String>,
}

/// What a burn alert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AlertState {
    /// Both windows burn faster than the factor.
    Firing,
    /// They do not.
    Ok,
}

impl From<&alert::AlertState> for Alert {
    fn from(alert: &alert::AlertState) -> Self {
        Self {
            slo: alert.id.slo.to_string(),
            title: alert.title.to_string(),
            state: if alert.is_firing() {
                AlertState::Firing
            } else {
                AlertState::Ok
            },
            since: Moment(alert.since),
            frozen: alert.frozen.map(Moment),
            severity: alert.severity().name(),
            factor: alert.rule.factor().to_string(),
            long: alert.long_window(),
            long_burn: alert.long.map(burn_text),
            short: alert.short_window(),
            short_burn: alert.short.map(burn_text),
        }
    }
}

impl Alert {
    /// Whether it fires, as far as is known.
    pub(crate) fn fires(&self) -> bool {
        self.state == AlertState::Firing
    }
}

/// All alerts, in the order of their objectives.
pub(super) fn all(ground: &Ground<'_>) -> Vec<Alert> {
    ground.scene.alerts.all().iter().map(Alert::from).collect()
}
