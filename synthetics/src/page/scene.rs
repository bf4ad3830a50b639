//! What the page shows: the history that is being kept now, and what is known about it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alerts;
use crate::clock::{Clock, Timestamp};
use crate::history::Live;
use crate::probe::Check;
use crate::setup::SIMULATED;

/// What is kept now. A new configuration brings a new one.
#[derive(Clone)]
pub struct Scene {
    /// The history.
    pub live: Live,
    /// The burn alerts.
    pub alerts: Alerts,
    /// Tells the time of the history.
    pub clock: Arc<dyn Clock>,
    /// How many times as fast as real time that clock runs.
    pub time_scale: u32,
    /// Address that is probed.
    pub target: String,
    /// The table that minutes are saved in; none where they are in memory alone.
    pub table: Option<String>,
    /// Whether the history was asked for, so that nothing is right without it.
    pub table_required: bool,
    /// What is probed.
    pub checks: Vec<CheckInfo>,
    /// Names for people by names of locations.
    pub titles: HashMap<Arc<str>, String>,
}

/// A check, as far as the page tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckInfo {
    /// Its name.
    pub name: Arc<str>,
    /// The name of its kind.
    pub kind: &'static str,
    /// From one probe to the next, on the clock of the history.
    pub every: Duration,
}

impl CheckInfo {
    /// A check that is probed so often.
    #[must_use]
    pub fn new(check: &Check, every: Duration) -> Self {
        Self {
            name: Arc::clone(&check.name),
            kind: check.kind.name(),
            every,
        }
    }
}

impl Scene {
    /// Now, on the clock of the history.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the page has something true to show, or why not.
    ///
    /// # Errors
    /// A sentence: the history has not been read yet, or it is asked for and out of reach.
    pub fn ready(&self) -> Result<(), &'static str> {
        if self.table.is_none() {
            return Ok(());
        }
        let reach = self.live.reach();
        match (reach.loaded, reach.answers) {
            (false, _) => Err("the history has not been read yet"),
            (true, false) if self.table_required => Err("the history is out of reach"),
            _ => Ok(()),
        }
    }

    /// The name of a location for people, and whether it is only played.
    #[must_use]
    pub fn place(&self, name: &str) -> (String, bool) {
        let bare = name.strip_suffix(SIMULATED);
        let title = self.titles.get(bare.unwrap_or(name));
        let shown = title.map_or(bare.unwrap_or(name), String::as_str);
        (shown.to_owned(), bare.is_some())
    }
}
