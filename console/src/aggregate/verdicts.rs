//! What senders judge by themselves: service checks, and events that belong together by their aggregation key.

use std::collections::VecDeque;
use std::time::SystemTime;

use telemetry::names;

use super::names::short;
use crate::dogstatsd::{Alert, CheckStatus};
use crate::store::{Event, ServiceCheck};

/// So many verdicts wait for somebody to take them; the oldest goes first.
const WAITING: usize = 1_000;

/// What a sender says about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it is about: the check's name and tags, or the event's aggregation key.
    pub subject: String,
    /// How it stands. Events say [`CheckStatus::Critical`] by `error`, [`CheckStatus::Warning`] by `warning`, [`CheckStatus::Ok`] by `success` and
    /// `info`.
    pub status: CheckStatus,
    /// Why.
    pub message: String,
    /// Whether it is repeated as long as it holds, as checks are, so that silence means something. Events only tell of changes.
    pub repeated: bool,
    /// When it arrived.
    pub at: SystemTime,
}

/// Tags that are the same for all, or change with the way a prober is run, make no other subject.
const SHARED: [&str; 4] = [
    "env",
    "version",
    names::tag::SIMULATED,
    names::tag::TIME_SCALE,
];

fn tells_apart(tag: &str) -> bool {
    let key = tag.split_once(':').map_or(tag, |(key, _)| key);
    !SHARED.contains(&key)
}

/// Verdicts that nobody took yet.
#[derive(Debug, Default)]
pub struct Verdicts {
    waiting: VecDeque<Verdict>,
}

impl Verdicts {
    pub(super) fn check(&mut self, check: &ServiceCheck, now: SystemTime) {
        let mut subject = short(&check.name).to_owned();
        for tag in check.tags.iter().filter(|tag| tells_apart(tag)).take(8) {
            subject.push_str(if subject.len() == short(&check.name).len() {
                " "
            } else {
                ", "
            });
            subject.push_str(short(tag));
        }
        self.push(Verdict {
            subject,
            status: check.status,
            message: check
                .message
                .as_deref()
                .map(short)
                .unwrap_or_default()
                .to_owned(),
            repeated: true,
            at: now,
        });
    }

    pub(super) fn event(&mut self, event: &Event, now: SystemTime) {
        let Some(key) = &event.aggregation_key else {
            return;
        };
        self.push(Verdict {
            subject: short(key).to_owned(),
            status: match event.alert {
                Alert::Error => CheckStatus::Critical,
                Alert::Warning => CheckStatus::Warning,
                Alert::Info | Alert::Success => CheckStatus::Ok,
            },
            message: short(&event.title).to_owned(),
            repeated: false,
            at: now,
        });
    }

    fn push(&mut self, verdict: Verdict) {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(verdict);
    }

    /// Takes all that wait, in the order of their arrival.
    pub fn take(&mut self) -> Vec<Verdict> {
        self.waiting.drain(..).collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.waiting.len() * (size_of::<Verdict>() + 128)
    }
}
