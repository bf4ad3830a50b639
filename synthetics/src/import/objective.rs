//! One SLO of OpenSLO: each of its objectives becomes one of ours.

use std::time::Duration;

use super::{Found, Reader, field};
use crate::config::text::name_of;
use crate::config::tree::Node;
use crate::objective::Indicator;
use crate::openslo::annotation;
use crate::slo::{Calendar, LocationRule, Percent, Target, Window};

const DAY: u64 = 86_400;

impl<'a> Reader<'a> {
    pub(super) fn slo(&mut self, node: &'a Node) -> Vec<Found> {
        let Some(spec) = node.get("spec") else {
            self.note(node, "the SLO has no `spec`");
            return Vec::new();
        };
        let given = field(node, &["metadata", "name"]).unwrap_or_default();
        let name = name_of(given);
        if name.is_empty() {
            self.note(node, "the SLO has no name in `metadata`");
            return Vec::new();
        }
        if name != given {
            let at = node.get("metadata").unwrap_or(node);
            self.note(at, format!("the name `{given}` has become `{name}`"));
        }
        let Some(window) = self.window(spec) else {
            return Vec::new();
        };
        let objectives = spec.get("objectives").map(Node::items).unwrap_or_default();
        if objectives.is_empty() {
            self.note(spec, "the SLO has no `objectives`");
        }
        let many = objectives.len() > 1;
        let mut found = Vec::new();
        for (index, objective) in objectives.iter().enumerate() {
            let suffix = if many {
                format!("-{}", index + 1)
            } else {
                String::new()
            };
            let title = field(objective, &["displayName"]).filter(|_| many);
            let title = title
                .or(field(node, &["metadata", "displayName"]))
                .unwrap_or(given);
            let Some((indicator, target)) = self.promise(node, spec, objective) else {
                continue;
            };
            let short: String = name.chars().take(40 - suffix.len()).collect();
            found.push(Found {
                name: format!("{short}{suffix}"),
                title: title.to_owned(),
                description: field(spec, &["description"]).map(str::to_owned),
                target,
                window,
                indicator,
                rule: self.rule(node),
                checks: self.checks(node),
                alerts: self.alerts(spec, target, window.period()),
            });
        }
        found
    }

    fn promise(
        &mut self,
        node: &'a Node,
        spec: &'a Node,
        objective: &'a Node,
    ) -> Option<(Indicator, Target)> {
        for key in ["indicator", "indicatorRef"] {
            if let Some(part) = objective.get(key) {
                self.note(
                    part,
                    "an objective made of several indicators has no counterpart",
                );
                return None;
            }
        }
        let target = self.target(objective)?;
        let indicator = match field(spec, &["budgetingMethod"]) {
            Some("Timeslices") => self.slices(objective)?,
            Some("Occurrences") => self.events(node, spec, objective)?,
            Some("RatioTimeslices") => {
                let what = "`RatioTimeslices` is a mean of ratios, which no objective here is; `Occurrences` counts events";
                self.note(spec.get("budgetingMethod").unwrap_or(spec), what);
                return None;
            }
            _ => {
                let what = "`budgetingMethod` is none of Occurrences, Timeslices, RatioTimeslices";
                self.note(spec.get("budgetingMethod").unwrap_or(spec), what);
                return None;
            }
        };
        Some((indicator, target))
    }

    /// `targetPercent: 98`, or `target: 0.98`, digit by digit.
    fn target(&mut self, objective: &'a Node) -> Option<Target> {
        let percent = objective.get("targetPercent");
        let (node, text) = match (percent, objective.get("target")) {
            (Some(node), _) => (node, node.text().map(|text| format!("{text}%"))),
            (None, Some(node)) => (node, node.text().and_then(percent_of)),
            (None, None) => {
                self.note(
                    objective,
                    "the objective has no `target` and no `targetPercent`",
                );
                return None;
            }
        };
        match text.as_deref().map(str::parse::<Target>) {
            Some(Ok(target)) => Some(target),
            Some(Err(error)) => {
                self.note(node, error);
                None
            }
            None => {
                self.note(node, "the target is no decimal fraction of one");
                None
            }
        }
    }

    fn slices(&mut self, objective: &'a Node) -> Option<Indicator> {
        if let Some(window) = objective.get("timeSliceWindow")
            && window.text().and_then(length) != Some(Duration::from_secs(60))
        {
            self.note(window, "differs: slices are one minute long here");
        }
        let Some(node) = objective.get("timeSliceTarget") else {
            self.note(objective, "the objective has no `timeSliceTarget`");
            return None;
        };
        let share = node.text().and_then(percent_of);
        let share = share.and_then(|text| text.parse::<Percent>().ok());
        let Some(min_good) = share.filter(|share| share.units() > 0) else {
            self.note(node, "`timeSliceTarget` is no share above 0 and up to 1");
            return None;
        };
        Some(Indicator::Availability { min_good })
    }

    fn events(&mut self, node: &'a Node, spec: &'a Node, objective: &'a Node) -> Option<Indicator> {
        if let Some(within) = self.annotation(node, annotation::WITHIN) {
            let parsed = within.text().map(humantime::parse_duration);
            let Some(Ok(within)) = parsed.filter(|d| d.as_ref().is_ok_and(|d| !d.is_zero())) else {
                self.note(within, "the limit is no time such as 100ms");
                return None;
            };
            return Some(Indicator::Latency { within });
        }
        let indicator = spec.get("indicator").or_else(|| {
            let name = field(spec, &["indicatorRef"])?;
            self.object("SLI", name)
        });
        let Some(indicator) = indicator else {
            self.note(
                spec,
                "the SLO has no indicator, or one that is not in this file",
            );
            return None;
        };
        if indicator
            .get("spec")
            .and_then(|spec| spec.get("thresholdMetric"))
            .is_none()
        {
            return Some(Indicator::Success);
        }
        let operator = field(objective, &["op"]);
        let value = objective.get("value");
        let seconds = value
            .and_then(Node::text)
            .and_then(|text| text.parse::<f64>().ok());
        let within = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match (operator, within.filter(|within| !within.is_zero())) {
            (Some("lte" | "lt"), Some(within)) => {
                let at = value.unwrap_or(objective);
                let what = format!(
                    "the threshold is taken as {}, with equality as good: OpenSLO has no units",
                    humantime::format_duration(within)
                );
                self.note(at, what);
                Some(Indicator::Latency { within })
            }
            _ => {
                let what =
                    "a threshold other than `op: lte` and a `value` in seconds has no counterpart";
                self.note(objective, what);
                None
            }
        }
    }

    fn annotation(&self, node: &'a Node, key: &str) -> Option<&'a Node> {
        node.get("metadata")?.get("annotations")?.get(key)
    }

    fn rule(&mut self, node: &'a Node) -> LocationRule {
        let Some(found) = self.annotation(node, annotation::LOCATIONS) else {
            return LocationRule::default();
        };
        let rules = [
            LocationRule::AllUp,
            LocationRule::Majority,
            LocationRule::Pooled,
        ];
        let rule = rules
            .into_iter()
            .find(|rule| found.text() == Some(rule.name()));
        rule.unwrap_or_else(|| {
            self.note(
                found,
                "the rule of locations is none of all-up, majority, pooled",
            );
            LocationRule::default()
        })
    }

    fn checks(&mut self, node: &'a Node) -> Vec<String> {
        let found = self
            .annotation(node, annotation::CHECKS)
            .and_then(Node::text);
        let Some(found) = found else {
            let what = "the checks are missing: OpenSLO has queries, and the prober measures by its own checks";
            self.note(node.get("metadata").unwrap_or(node), what);
            return Vec::new();
        };
        found
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect()
    }

    fn window(&mut self, spec: &'a Node) -> Option<Window> {
        let windows = spec.get("timeWindow").map(Node::items).unwrap_or_default();
        let [window] = windows else {
            self.note(spec, "the SLO needs one `timeWindow`");
            return None;
        };
        let text = field(window, &["duration"]).unwrap_or_default();
        if field(window, &["isRolling"]) == Some("true") {
            if text.ends_with(['M', 'Q', 'Y']) {
                let what = "differs: months are 30 days, quarters 90 and years 365 in a rolling window here";
                self.note(window, what);
            }
            let rolling = length(text).map(|length| humantime::format_duration(length).to_string());
            return match rolling.map(|text| text.parse::<Window>()) {
                Some(Ok(window)) => Some(window),
                Some(Err(error)) => {
                    self.note(window, error);
                    None
                }
                None => {
                    self.note(window, format!("`{text}` is no length such as 7d"));
                    None
                }
            };
        }
        let calendar = match text {
            "1d" => Calendar::Day,
            "1w" => Calendar::Week,
            "1M" => Calendar::Month,
            "1Q" => Calendar::Quarter,
            _ => {
                self.note(window, format!("a calendar window of `{text}` has no counterpart: there are 1d, 1w, 1M and 1Q"));
                return None;
            }
        };
        let zone = field(window, &["calendar", "timeZone"]).unwrap_or("UTC");
        if !matches!(zone, "UTC" | "Etc/UTC" | "GMT" | "Z") {
            self.note(
                window,
                format!("differs: calendars are in UTC here, and not in {zone}"),
            );
        }
        let start = field(window, &["calendar", "startTime"]).unwrap_or_default();
        if !starts_with(calendar, start) {
            self.note(window, "differs: periods begin at midnight, weeks on Monday, months and quarters on the first here");
        }
        Some(Window::Calendar(calendar))
    }
}

/// Whether a period of the calendar begins at `start`, such as `2024-01-01 00:00:00`.
fn starts_with(calendar: Calendar, start: &str) -> bool {
    let at = humantime::parse_rfc3339_weak(start);
    let Ok(at) = at else {
        return false;
    };
    let at = crate::clock::Timestamp::from(at);
    // The end of a window is not in it.
    let within = at.plus(Duration::from_micros(1));
    Window::Calendar(calendar).start(within) == at
}

/// A fraction of one as a percentage, digit by digit: `0.98` is `98%`.
fn percent_of(fraction: &str) -> Option<String> {
    let (whole, digits) = fraction.split_once('.').unwrap_or((fraction, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(digits) || digits.len() > 8 || whole.len() > 1 {
        return None;
    }
    let units: u64 = format!("{whole}{digits:0<8}").parse().ok()?;
    Some(format!("{}.{:06}%", units / 1_000_000, units % 1_000_000))
}

/// A length of OpenSLO: one number and one unit, such as `7d` or `4w`.
pub(super) fn length(text: &str) -> Option<Duration> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => DAY,
        'w' => 7 * DAY,
        'M' => 30 * DAY,
        'Q' => 90 * DAY,
        'Y' => 365 * DAY,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(unit)?))
}
