//! What the store keeps of DogStatsD messages: the parser's structures, no longer borrowed.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Series, Source, Tags};
use crate::dogstatsd::{self, Alert, CheckStatus, Kind, Priority, Values};

/// A metric message.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name, tags and sender, shared with the other samples of the series.
    pub series: Arc<Series>,
    /// The type.
    pub kind: Kind,
    /// What was measured.
    pub values: Values,
    /// The share of all samples that are sent, in `(0, 1]`.
    pub sample_rate: f64,
    /// When it was measured, in seconds since 1970, if the sender said so.
    pub timestamp: Option<i64>,
    /// When it arrived.
    pub received_at: SystemTime,
    /// Which way it came in.
    pub source: Source,
}

impl Sample {
    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.series.name
    }

    /// The tags.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        &self.series.tags
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.series.tags.get(key)
    }

    /// The numbers, in the order sent; none for a set.
    #[must_use]
    pub fn numbers(&self) -> &[f64] {
        self.values.numbers()
    }

    /// The container that sent it.
    #[must_use]
    pub fn container_id(&self) -> Option<&str> {
        self.series.container_id.as_deref()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.values {
                Values::One(_) => 0,
                Values::Many(numbers) => 8 * numbers.len(),
                Values::Member(member) => member.len(),
            }
    }
}

/// An event message.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Event {
    /// The title.
    pub title: String,
    /// The text, with its line breaks.
    pub text: String,
    /// When it happened, in seconds since 1970, if the sender said so.
    pub timestamp: Option<i64>,
    /// Where.
    pub hostname: Option<String>,
    /// Events with one key are shown as one.
    pub aggregation_key: Option<String>,
    /// How important it is.
    pub priority: Priority,
    /// The kind of sender.
    pub source_type: Option<String>,
    /// What it says about the system.
    pub alert: Alert,
    /// The tags.
    pub tags: Tags,
    /// The container that sent it.
    pub container_id: Option<String>,
    /// When it arrived.
    pub received_at: SystemTime,
    /// Which way it came in.
    pub source: Source,
}

impl Event {
    pub(super) fn new(
        event: dogstatsd::Event<'_>,
        received_at: SystemTime,
        source: Source,
    ) -> Self {
        Self {
            title: event.title.into_owned(),
            text: event.text.into_owned(),
            timestamp: event.timestamp,
            hostname: event.hostname.map(Into::into),
            aggregation_key: event.aggregation_key.map(Into::into),
            priority: event.priority,
            source_type: event.source_type.map(Into::into),
            alert: event.alert,
            tags: Tags::new(event.tags),
            container_id: event.origin.container_id.map(Into::into),
            received_at,
            source,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let optional = [
            &self.hostname,
            &self.aggregation_key,
            &self.source_type,
            &self.container_id,
        ];
        let texts = self.title.len() + self.text.len() + lengths(optional);
        size_of::<Self>() + texts + self.tags.heap_bytes()
    }
}

/// A service check message.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ServiceCheck {
    /// What was checked.
    pub name: String,
    /// The verdict.
    pub status: CheckStatus,
    /// When, in seconds since 1970, if the sender said so.
    pub timestamp: Option<i64>,
    /// Where.
    pub hostname: Option<String>,
    /// Why.
    pub message: Option<String>,
    /// The tags.
    pub tags: Tags,
    /// The container that sent it.
    pub container_id: Option<String>,
    /// When it arrived.
    pub received_at: SystemTime,
    /// Which way it came in.
    pub source: Source,
}

impl ServiceCheck {
    pub(super) fn new(
        check: dogstatsd::ServiceCheck<'_>,
        received_at: SystemTime,
        source: Source,
    ) -> Self {
        Self {
            name: check.name.into(),
            status: check.status,
            timestamp: check.timestamp,
            hostname: check.hostname.map(Into::into),
            message: check.message.map(Into::into),
            tags: Tags::new(check.tags),
            container_id: check.origin.container_id.map(Into::into),
            received_at,
            source,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let optional = [&self.hostname, &self.message, &self.container_id];
        size_of::<Self>() + self.name.len() + lengths(optional) + self.tags.heap_bytes()
    }
}

/// The bytes of those that are there.
fn lengths<const N: usize>(texts: [&Option<String>; N]) -> usize {
    texts.into_iter().flatten().map(String::len).sum()
}
