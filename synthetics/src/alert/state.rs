//! What an alert is at a moment, and what changed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::history::Minute;
use crate::slo::Ratio;
use crate::slo::burn::BurnAlert;

/// From this long window on, an alert is one to look at by day and wakes nobody.
const SLOW: Duration = Duration::from_secs(86_400);

/// Which alert: an objective has one a long window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId {
    /// Name of the objective.
    pub slo: Arc<str>,
    /// The long window.
    pub long: Duration,
}

/// `availability/1h`: the same from every prober, after a restart, and with another factor.
impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.slo, window(self.long))
    }
}

/// A window as a tag has it: `5m`, `1h30m`, `1d`.
fn window(length: Duration) -> String {
    let mut left = length.as_millis();
    let mut text = String::new();
    for (unit, millis) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if left >= millis {
            text.push_str(&format!("{}{unit}", left / millis));
            left %= millis;
        }
    }
    text
}

/// Whether an alert fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does not.
    Ok,
    /// It does.
    Firing,
}

/// How much haste there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The budget burns slowly: the long window is a day or more.
    Warning,
    /// The budget burns fast.
    Critical,
}

impl Severity {
    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One alert as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertState {
    /// Which one.
    pub id: AlertId,
    /// Its objective's name for people.
    pub title: Arc<str>,
    /// Windows and factor.
    pub rule: BurnAlert,
    /// Whether it fires.
    pub status: Status,
    /// Since when.
    pub since: Timestamp,
    /// Since when there is too little data, so that the status is only the last known one.
    pub frozen: Option<Timestamp>,
    /// Burn rate over the long window; `None` without events.
    pub long: Option<Ratio>,
    /// Burn rate over the short window; `None` without events.
    pub short: Option<Ratio>,
}

impl AlertState {
    /// Whether it fires, be it frozen or not.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.status == Status::Firing
    }

    /// How much haste there is while it fires.
    #[must_use]
    pub fn severity(&self) -> Severity {
        if self.id.long >= SLOW {
            Severity::Warning
        } else {
            Severity::Critical
        }
    }

    /// The long window as tags and messages have it, such as `1h`.
    #[must_use]
    pub fn long_window(&self) -> String {
        window(self.rule.long())
    }

    /// The short window as tags and messages have it, such as `5m`.
    #[must_use]
    pub fn short_window(&self) -> String {
        window(self.rule.short())
    }

    /// The state in words: `ok`, `firing`, and `no data` beside what was known last.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match (self.status, self.frozen) {
            (Status::Ok, None) => "ok",
            (Status::Firing, None) => "firing",
            (Status::Ok, Some(_)) => "no data, was ok",
            (Status::Firing, Some(_)) => "no data, was firing",
        }
    }
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It began to fire.
    Fired,
    /// The budget burns slower again.
    Cleared,
    /// The configuration has it no more. It was firing, and nobody will see it end.
    Removed,
}

impl Change {
    /// The name in messages: an alert that was removed is cleared too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Cleared | Self::Removed => "cleared",
        }
    }
}

/// An alert that began or ceased to fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which of the two.
    pub change: Change,
    /// When.
    pub at: Timestamp,
    /// When it began to fire: [`Self::at`], or before it.
    pub began: Timestamp,
    /// The alert after the change.
    pub alert: AlertState,
}

impl Transition {
    /// One name for all that is said of one time of firing: `availability/1h@2026-11-05T12:34Z`.
    #[must_use]
    pub fn episode(&self) -> String {
        format!("{}@{}", self.alert.id, Minute::of(self.began))
    }

    /// In a few words: `availability burns its error budget too fast (1h)`.
    #[must_use]
    pub fn headline(&self) -> String {
        let (title, long) = (&self.alert.title, self.alert.long_window());
        match self.change {
            Change::Fired => format!("{title} burns its error budget too fast ({long})"),
            Change::Cleared => format!("{title} burns its error budget no longer ({long})"),
            Change::Removed => format!("{title} is not watched any more ({long})"),
        }
    }

    /// With its numbers: `Burn rate 17.5 over 1h and 50 over 5m, above 16.8, since ...`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let alert = &self.alert;
        let rate = |rate: Option<Ratio>| rate.map_or_else(|| "-".to_owned(), |r| r.to_string());
        let rates = format!(
            "Burn rate {} over {} and {} over {}",
            rate(alert.long),
            alert.long_window(),
            rate(alert.short),
            alert.short_window(),
        );
        let factor = alert.rule.factor();
        match self.change {
            Change::Fired => format!("{rates}, both above {factor}, since {}.", self.began),
            Change::Cleared => format!(
                "{rates}, not both above {factor} any more. It fired from {} to {}.",
                self.began, self.at
            ),
            Change::Removed => format!(
                "The alert was taken out of the configuration while it fired, since {}.",
                self.began
            ),
        }
    }
}
