//! Alert policies of OpenSLO: those on burn rates become burn alerts.

use std::time::Duration;

use super::objective::length;
use super::{Reader, field};
use crate::config::tree::Node;
use crate::slo::burn::BurnAlert;
use crate::slo::{Ratio, Target};

impl<'a> Reader<'a> {
    pub(super) fn alerts(
        &mut self,
        spec: &'a Node,
        target: Target,
        period: Duration,
    ) -> Vec<BurnAlert> {
        let policies = spec
            .get("alertPolicies")
            .map(Node::items)
            .unwrap_or_default();
        let mut alerts = Vec::new();
        for entry in policies {
            // By name, as an object with a name in it, or whole.
            let name = entry.text().or(field(entry, &["alertPolicyRef"]));
            let policy = match name {
                Some(name) => self.object("AlertPolicy", name),
                None => Some(entry),
            };
            let Some(policy) = policy.and_then(|policy| policy.get("spec")) else {
                let name = name.unwrap_or_default();
                self.note(
                    entry,
                    format!("the alert policy `{name}` is not in this file"),
                );
                continue;
            };
            self.manners(policy);
            for entry in policy
                .get("conditions")
                .map(Node::items)
                .unwrap_or_default()
            {
                let name = field(entry, &["conditionRef"]);
                let condition = match name {
                    Some(name) => self.object("AlertCondition", name),
                    None => Some(entry),
                };
                match condition.and_then(|condition| condition.get("spec")) {
                    Some(condition) => {
                        if let Some((at, alert)) = self.condition(condition, target, period) {
                            self.keep(at, alert, &mut alerts);
                        }
                    }
                    None => {
                        let name = name.unwrap_or_default();
                        self.note(
                            entry,
                            format!("the alert condition `{name}` is not in this file"),
                        );
                    }
                }
            }
        }
        alerts
    }

    /// There is one alert over a window here: the one that fires whenever the other does.
    fn keep(&mut self, at: &'a Node, alert: BurnAlert, alerts: &mut Vec<BurnAlert>) {
        let same = |other: &&mut BurnAlert| other.long() == alert.long();
        let Some(other) = alerts.iter_mut().find(same) else {
            alerts.push(alert);
            return;
        };
        if alert.factor() < other.factor() {
            *other = alert;
        }
        self.note(
            at,
            "of two alerts over the same window the one with the lower factor is kept",
        );
    }

    /// When a policy speaks, and to whom.
    fn manners(&mut self, policy: &'a Node) {
        if field(policy, &["alertWhenNoData"]) == Some("true") {
            let at = policy.get("alertWhenNoData").unwrap_or(policy);
            self.note(at, "an alert keeps its state where there is no data");
        }
        if let Some(targets) = policy.get("notificationTargets") {
            self.note(
                targets,
                "to whom an alert goes is said by webhooks under `sinks:`, and by `notify:`",
            );
        }
    }

    fn condition(
        &mut self,
        spec: &'a Node,
        target: Target,
        period: Duration,
    ) -> Option<(&'a Node, BurnAlert)> {
        let condition = spec.get("condition").unwrap_or(spec);
        if field(condition, &["kind"]) != Some("burnrate") {
            self.note(condition, "an alert is on a burn rate here");
            return None;
        }
        match field(condition, &["op"]) {
            Some("gt") => {}
            Some("gte") => {
                let at = condition.get("op").unwrap_or(condition);
                self.note(
                    at,
                    "differs: an alert fires above its factor here, and not at it",
                );
            }
            _ => {
                self.note(condition, "an alert fires above its factor here: `op: gt`");
                return None;
            }
        }
        if let Some(after) = condition.get("alertAfter")
            && after.text().and_then(length) != Some(Duration::ZERO)
        {
            self.note(after, "differs: an alert waits for its short window, a twelfth of the long one, and for nothing else");
        }
        let threshold = condition.get("threshold")?;
        let Some(factor) = threshold.text().and_then(Ratio::parse_decimal) else {
            self.note(
                threshold,
                "the threshold is no decimal number with six digits after the point at most",
            );
            return None;
        };
        let window = condition.get("lookbackWindow");
        let Some(long) = window.and_then(Node::text).and_then(length) else {
            self.note(
                window.unwrap_or(condition),
                "`lookbackWindow` is no length such as 1h",
            );
            return None;
        };
        if long > period {
            self.note(
                window.unwrap_or(condition),
                "the window is longer than that of the objective",
            );
            return None;
        }
        match BurnAlert::new(target, factor, long) {
            Ok(alert) => Some((condition, alert)),
            Err(error) => {
                self.note(threshold, error);
                None
            }
        }
    }
}
