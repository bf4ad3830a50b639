//! The state machine of all alerts: readings in, changes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::state::{AlertId, AlertState, Change, Status, Transition};
use crate::clock::Timestamp;
use crate::history::view::BurnReading;
use crate::objective::Slo;

/// All alerts of a configuration.
///
/// An alert that has too little data keeps its status. One whose objective and long window stay
/// keeps its status through a new configuration as well, whatever its factor is then.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    alerts: Vec<AlertState>,
}

impl Ledger {
    /// The alerts, by objective and in the order of the configuration.
    #[must_use]
    pub fn alerts(&self) -> &[AlertState] {
        &self.alerts
    }

    /// Takes the alerts of `slos` in place of those that there were. Those that are new know
    /// nothing yet; those that are gone and were firing are told.
    pub fn adopt(&mut self, slos: &[Slo], now: Timestamp) -> Vec<Transition> {
        let before = std::mem::take(&mut self.alerts).into_iter();
        let mut before: BTreeMap<_, _> = before.map(|alert| (alert.id.clone(), alert)).collect();
        for slo in slos {
            let name: Arc<str> = slo.name.as_str().into();
            let title: Arc<str> = slo.title.as_str().into();
            for rule in &slo.alerts {
                let id = AlertId {
                    slo: Arc::clone(&name),
                    long: rule.long(),
                };
                let known = before.remove(&id);
                self.alerts.push(AlertState {
                    title: Arc::clone(&title),
                    rule: *rule,
                    ..known.unwrap_or(AlertState {
                        id,
                        title: Arc::clone(&title),
                        rule: *rule,
                        status: Status::Ok,
                        since: now,
                        frozen: Some(now),
                        long: None,
                        short: None,
                    })
                });
            }
        }
        let gone = before.into_values().filter(AlertState::is_firing);
        gone.map(|alert| Transition {
            change: Change::Removed,
            at: now,
            began: alert.since,
            alert: AlertState {
                status: Status::Ok,
                since: now,
                ..alert
            },
        })
        .collect()
    }

    /// Sets an alert to what it was before this process began: it fires since `since`, and those
    /// who must know were told then.
    pub fn restore(&mut self, id: &AlertId, since: Timestamp) {
        if let Some(alert) = self.alerts.iter_mut().find(|alert| alert.id == *id) {
            alert.status = Status::Firing;
            alert.since = since;
        }
    }

    /// Takes the readings at `now`, by objective and alert as they were adopted, and tells what
    /// changed. `onset` tells since when an alert fires that is new, by position of the objective
    /// and of its alert.
    pub fn observe(
        &mut self,
        readings: &[Vec<BurnReading>],
        now: Timestamp,
        onset: impl Fn(usize, usize) -> Option<Timestamp>,
    ) -> Vec<Transition> {
        let positions = readings.iter().enumerate().flat_map(|(slo, readings)| {
            let each = readings.iter().enumerate();
            each.map(move |(at, reading)| (slo, at, reading))
        });
        let mut changes = Vec::new();
        for (alert, (slo, at, reading)) in self.alerts.iter_mut().zip(positions) {
            alert.long = reading.long;
            alert.short = reading.short;
            let Some(firing) = reading.firing else {
                alert.frozen = alert.frozen.or(Some(now));
                continue;
            };
            alert.frozen = None;
            let change = match (alert.status, firing) {
                (Status::Ok, true) => Change::Fired,
                (Status::Firing, false) => Change::Cleared,
                _ => continue,
            };
            let began = match change {
                Change::Fired => onset(slo, at).map_or(now, |onset| onset.min(now)),
                Change::Cleared | Change::Removed => alert.since,
            };
            (alert.status, alert.since) = match change {
                Change::Fired => (Status::Firing, began),
                Change::Cleared | Change::Removed => (Status::Ok, now),
            };
            changes.push(Transition {
                change,
                at: now,
                began,
                alert: alert.clone(),
            });
        }
        changes
    }
}
