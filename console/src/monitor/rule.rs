//! What is watched, and what a value means.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::State;
use crate::aggregate::Aggregates;
use crate::aggregate::series::Cell;

/// A monitor of a metric: its mean over a time, for each value of a tag by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What it is called.
    pub name: &'static str,
    /// The metric.
    pub metric: &'static str,
    /// The tag whose values are watched one by one.
    pub group_by: &'static str,
    /// The mean is taken over so long a time.
    pub over: Duration,
    /// Above this it warns.
    pub warning: f64,
    /// Above this it alerts.
    pub alert: f64,
    /// Without a value for so long, there is no data.
    pub no_data: Duration,
}

/// The monitor of the emitter. The emitter sends a value every 45 seconds, so a minute has one or two of them.
pub const MY_METRIC: Rule = Rule {
    name: "my_metric is too high",
    metric: telemetry::names::MY_METRIC.name,
    group_by: telemetry::names::tag::HOST,
    over: Duration::from_secs(60),
    warning: 500.0,
    alert: 800.0,
    no_data: Duration::from_secs(600),
};

/// All rules.
pub const RULES: &[Rule] = &[MY_METRIC];

/// What a rule reads for one value of its tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value of the tag.
    pub group: String,
    /// The mean over the rule's time, if there was a value.
    pub mean: Option<f64>,
    /// When the last value came, to the slot.
    pub last: SystemTime,
}

impl Rule {
    /// What a mean means. Equality is not above.
    #[must_use]
    pub fn judge(&self, mean: f64) -> State {
        if mean > self.alert {
            State::Alert
        } else if mean > self.warning {
            State::Warning
        } else {
            State::Ok
        }
    }

    /// Reads the metric.
    #[must_use]
    pub fn read(&self, figures: &Aggregates, now: SystemTime) -> Vec<Reading> {
        let Some(metric) = figures.metrics.get(self.metric) else {
            return Vec::new();
        };
        let scale = figures.scale();
        let from = scale.slot(now.checked_sub(self.over).unwrap_or(SystemTime::UNIX_EPOCH));
        let mut groups: BTreeMap<&str, (Cell, u64)> = BTreeMap::new();
        for (tags, cells) in metric.series() {
            let (sum, last) = groups
                .entry(tags.get(self.group_by).unwrap_or("(none)"))
                .or_default();
            cells.since(from).for_each(|(_, cell)| sum.merge(cell));
            *last = (*last).max(cells.last().map_or(0, |(slot, _)| slot));
        }
        let readings = groups.into_iter().map(|(group, (sum, last))| Reading {
            group: group.to_owned(),
            mean: sum.mean(),
            last: SystemTime::UNIX_EPOCH + Duration::from_secs(scale.start(last)),
        });
        readings.collect()
    }

    /// What to say of a state.
    #[must_use]
    pub fn message(&self, state: State, group: &str, mean: Option<f64>) -> String {
        let value = mean.map_or_else(|| "unknown".to_owned(), |mean| format!("{mean:.0}"));
        let (metric, by) = (self.metric, self.group_by);
        match state {
            State::Alert => format!("{metric} on {by} {group} is {value}, above {}", self.alert),
            State::Warning => format!(
                "{metric} on {by} {group} is {value}, above {}",
                self.warning
            ),
            State::Ok => format!("{metric} on {by} {group} is {value}, which is well"),
            State::NoData | State::Unknown => format!(
                "{metric} on {by} {group} has sent no value for {} minutes",
                self.no_data.as_secs() / 60
            ),
        }
    }
}
