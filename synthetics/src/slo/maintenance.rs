//! Declared downtime.
//!
//! Under a fixed budget a time slice in maintenance counts as good, and a count objective drops
//! the events of that slice. Both are shown as such, so that nobody takes them for measured.

use std::time::Duration;

use crate::clock::Timestamp;

/// A stretch of declared downtime, once or again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// What for.
    pub name: String,
    /// Its start.
    pub from: Timestamp,
    /// Its end, which is not in it.
    pub until: Timestamp,
    /// From one start to the next, where it is repeated; never shorter than it lasts.
    pub every: Option<Duration>,
    /// Names of the objectives that it is for; all of them if `None`.
    pub slos: Option<Vec<String>>,
}

impl Maintenance {
    /// Whether it is for the objective `slo`.
    #[must_use]
    pub fn is_for(&self, slo: &str) -> bool {
        let listed = |slos: &Vec<String>| slos.iter().any(|name| name == slo);
        self.slos.as_ref().is_none_or(listed)
    }

    /// Whether any moment of `from..until` lies in it. A slice in which it begins or ends belongs
    /// to it: what happened in the other part of that minute cannot be told from it.
    #[must_use]
    pub fn touches(&self, from: Timestamp, until: Timestamp) -> bool {
        if until <= self.from || from >= until || self.until <= self.from {
            return false;
        }
        if from < self.until {
            return true;
        }
        let Some(every) = self.every.filter(|every| !every.is_zero()) else {
            return false;
        };
        let since_a_start = from.since(self.from).as_micros() % every.as_micros();
        let lasts = self.until.since(self.from).as_micros();
        let to_the_next = every.as_micros() - since_a_start;
        since_a_start < lasts || until.since(from).as_micros() > to_the_next
    }
}
