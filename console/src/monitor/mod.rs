//! Monitors: what state each thing is in, since when, and what changed. The time is always handed in.

pub mod downtime;
pub mod rule;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;

use crate::aggregate::Verdict;
use crate::dogstatsd::CheckStatus;
use downtime::Downtime;
use rule::{Reading, Rule};

/// So many things are watched; further ones are counted.
const WATCHED: usize = 200;

/// So many changes are remembered.
const HISTORY: usize = 200;

/// A check that has been silent for so long says nothing any more.
const CHECK_SILENCE: Duration = Duration::from_secs(600);

/// How something stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Well.
    Ok,
    /// The sender does not know.
    Unknown,
    /// Nothing arrives that would say.
    NoData,
    /// Something may break.
    Warning,
    /// Something is broken.
    Alert,
}

impl State {
    /// For people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "Unknown",
            Self::NoData => "No data",
            Self::Warning => "Warning",
            Self::Alert => "Alert",
        }
    }
}

/// Something watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    /// What it is called.
    pub name: String,
    /// Which of several of that name: a value of the rule's tag.
    pub group: String,
    /// How it stands.
    pub state: State,
    /// Since when.
    pub since: SystemTime,
    /// What to say of it.
    pub message: String,
    /// The value that was judged.
    pub value: Option<f64>,
    /// When it last heard something.
    pub last: Option<SystemTime>,
    repeated: bool,
    is_rule: bool,
}

/// Something that changed its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When.
    pub at: SystemTime,
    /// What: name and group.
    pub monitor: String,
    /// From what.
    pub from: Option<State>,
    /// To what.
    pub to: State,
    /// What was said.
    pub message: String,
    /// The downtime that kept it quiet.
    pub muted: Option<&'static str>,
}

/// All that is watched.
#[derive(Debug)]
pub struct Monitors {
    rules: &'static [Rule],
    zone: TimeZone,
    by_key: BTreeMap<(String, String), Monitor>,
    history: VecDeque<Change>,
    /// Subjects that found no room.
    pub left_out: u64,
}

impl Monitors {
    /// Watches these rules, with downtimes by the wall clock of `zone`.
    #[must_use]
    pub fn new(rules: &'static [Rule], zone: TimeZone) -> Self {
        Self {
            rules,
            zone,
            by_key: BTreeMap::new(),
            history: VecDeque::new(),
            left_out: 0,
        }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &'static [Rule] {
        self.rules
    }

    /// Takes what there is to know at a moment: for each rule its readings, in the order of the rules, and what senders judged by themselves.
    pub fn tick(&mut self, now: SystemTime, readings: &[Vec<Reading>], verdicts: Vec<Verdict>) {
        // They came before now, and history is told in order.
        for verdict in verdicts {
            self.take(verdict);
        }
        for (rule, readings) in self.rules.iter().zip(readings) {
            self.apply(rule, readings, now);
        }
        self.hush(now);
    }

    fn apply(&mut self, rule: &Rule, readings: &[Reading], now: SystemTime) {
        let none = String::new;
        if readings.is_empty() && !self.by_key.keys().any(|(name, _)| name == rule.name) {
            let message = format!("no value of {} has arrived yet", rule.metric);
            self.set(rule.name, none(), State::NoData, message, None, now, true);
        }
        for reading in readings {
            // The one that waited for the first value has done its part.
            self.by_key.remove(&(rule.name.to_owned(), none()));
            let silent = now.duration_since(reading.last).unwrap_or_default() > rule.no_data;
            let (state, value) = match reading.mean {
                Some(mean) => (rule.judge(mean), Some(mean)),
                None if silent => (State::NoData, None),
                // Quiet, but not for long: what was holds.
                None => continue,
            };
            let message = rule.message(state, &reading.group, value);
            let group = reading.group.clone();
            self.set(rule.name, group, state, message, value, now, true);
        }
        for monitor in self.by_key.values_mut().filter(|m| m.name == rule.name) {
            let reading = readings
                .iter()
                .find(|reading| reading.group == monitor.group);
            monitor.last = reading.map(|reading| reading.last).or(monitor.last);
        }
        // A group whose values are all forgotten by now.
        let gone: Vec<String> = self
            .by_key
            .values()
            .filter(|m| m.name == rule.name && m.state != State::NoData)
            .filter(|m| {
                let last = m.last.unwrap_or(m.since);
                now.duration_since(last).unwrap_or_default() > rule.no_data
            })
            .map(|m| m.group.clone())
            .collect();
        for group in gone {
            let message = rule.message(State::NoData, &group, None);
            self.set(rule.name, group, State::NoData, message, None, now, true);
        }
    }

    fn take(&mut self, verdict: Verdict) {
        let state = match verdict.status {
            CheckStatus::Ok => State::Ok,
            CheckStatus::Warning => State::Warning,
            CheckStatus::Critical => State::Alert,
            CheckStatus::Unknown => State::Unknown,
        };
        let Verdict {
            subject,
            message,
            repeated,
            at,
            ..
        } = verdict;
        self.set(&subject, String::new(), state, message, None, at, false);
        if let Some(monitor) = self.by_key.get_mut(&(subject, String::new())) {
            monitor.last = Some(at);
            monitor.repeated = repeated;
        }
    }

    /// Checks that are not repeated any more.
    fn hush(&mut self, now: SystemTime) {
        let silent = |m: &&Monitor| {
            let last = m.last.unwrap_or(m.since);
            !m.is_rule
                && m.repeated
                && m.state != State::NoData
                && now.duration_since(last).unwrap_or_default() > CHECK_SILENCE
        };
        let silent: Vec<String> = self
            .by_key
            .values()
            .filter(silent)
            .map(|m| m.name.clone())
            .collect();
        for name in silent {
            let message = format!(
                "silent for more than {} minutes",
                CHECK_SILENCE.as_secs() / 60
            );
            self.set(
                &name,
                String::new(),
                State::NoData,
                message,
                None,
                now,
                false,
            );
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "private, and each is one column of a monitor"
    )]
    fn set(
        &mut self,
        name: &str,
        group: String,
        state: State,
        message: String,
        value: Option<f64>,
        now: SystemTime,
        is_rule: bool,
    ) {
        let key = (name.to_owned(), group);
        let before = self.by_key.get(&key).map(|monitor| monitor.state);
        if before.is_none() && self.by_key.len() >= WATCHED {
            self.left_out += 1;
            return;
        }
        if before != Some(state) {
            if self.history.len() >= HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(Change {
                at: now,
                monitor: if key.1.is_empty() {
                    key.0.clone()
                } else {
                    format!("{} ({})", key.0, key.1)
                },
                from: before,
                to: state,
                message: message.clone(),
                muted: self.downtime(now).map(|downtime| downtime.name),
            });
        }
        let monitor = self.by_key.entry(key.clone()).or_insert_with(|| Monitor {
            name: key.0,
            group: key.1,
            state,
            since: now,
            message: String::new(),
            value: None,
            last: None,
            repeated: true,
            is_rule,
        });
        if monitor.state != state {
            monitor.state = state;
            monitor.since = now;
        }
        monitor.message = message;
        monitor.value = value;
    }

    /// The downtime at a moment.
    #[must_use]
    pub fn downtime(&self, now: SystemTime) -> Option<Downtime> {
        downtime::at(now, &self.zone)
    }

    /// The zone of the downtimes.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// All that is watched, what is worst first.
    #[must_use]
    pub fn all(&self) -> Vec<&Monitor> {
        let mut all: Vec<_> = self.by_key.values().collect();
        all.sort_by_key(|monitor| std::cmp::Reverse(monitor.state));
        all
    }

    /// What changed, the last first.
    pub fn history(&self) -> impl Iterator<Item = &Change> {
        self.history.iter().rev()
    }
}
