//! Monitors, their downtime and their history.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::unix_ms;
use crate::monitor::{Change, Monitor, Monitors, State};

/// All monitors.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonitorsView {
    /// What is watched, the worst first.
    pub monitors: Vec<MonitorView>,
    /// What changed, the last first.
    pub history: Vec<ChangeView>,
    /// The downtime at work: alerts are shown, and nobody is woken.
    pub downtime: Option<DowntimeView>,
    /// The zone of the downtimes.
    pub time_zone: String,
    /// Things that found no room to be watched.
    pub left_out: u64,
}

/// Something watched.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonitorView {
    /// What it is called.
    pub name: String,
    /// Which of several of that name.
    pub group: String,
    /// How it stands.
    pub state: State,
    /// Since when, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// For how long.
    pub for_s: u64,
    /// What to say of it.
    pub message: String,
    /// The value that was judged.
    pub value: Option<f64>,
}

/// Something that changed its state.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChangeView {
    /// When, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// What.
    pub monitor: String,
    /// From what; absent when it was new.
    pub from: Option<State>,
    /// To what.
    pub to: State,
    /// What was said.
    pub message: String,
    /// The downtime that kept it quiet.
    pub muted: Option<&'static str>,
}

/// A downtime.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DowntimeView {
    /// Its name.
    pub name: &'static str,
    /// When it ends, in milliseconds since 1970.
    pub until_unix_ms: u64,
    /// When it ends, for people.
    pub until: String,
}

/// Reads the monitors.
#[must_use]
pub fn monitors(monitors: &Monitors, now: SystemTime) -> MonitorsView {
    let zone = monitors.zone();
    MonitorsView {
        monitors: monitors
            .all()
            .into_iter()
            .map(|monitor| one(monitor, now))
            .collect(),
        history: monitors.history().map(change).collect(),
        downtime: monitors.downtime(now).map(|downtime| DowntimeView {
            name: downtime.name,
            until_unix_ms: unix_ms(downtime.until),
            until: Timestamp::try_from(downtime.until).map_or_else(
                |_| String::new(),
                |until| {
                    until
                        .to_zoned(zone.clone())
                        .strftime("%a %H:%M %Z")
                        .to_string()
                },
            ),
        }),
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        left_out: monitors.left_out,
    }
}

fn one(monitor: &Monitor, now: SystemTime) -> MonitorView {
    MonitorView {
        name: monitor.name.clone(),
        group: monitor.group.clone(),
        state: monitor.state,
        since_unix_ms: unix_ms(monitor.since),
        for_s: now
            .duration_since(monitor.since)
            .unwrap_or_default()
            .as_secs(),
        message: monitor.message.clone(),
        value: monitor.value,
    }
}

fn change(change: &Change) -> ChangeView {
    ChangeView {
        at_unix_ms: unix_ms(change.at),
        monitor: change.monitor.clone(),
        from: change.from,
        to: change.to,
        message: change.message.clone(),
        muted: change.muted,
    }
}

impl MonitorsView {
    /// How many stand so.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.monitors
            .iter()
            .filter(|monitor| monitor.state == state)
            .count()
    }
}
