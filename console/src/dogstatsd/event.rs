//! `_e{<title bytes>,<text bytes>}:title|text[|d:…][|h:…][|k:…][|p:…][|s:…][|t:…][|#tags][|c:…][|e:…][|card:…]`

use std::borrow::Cow;

use super::fields::{Origin, Tags, not_empty};
use super::{Error, Reason};

/// How important an event is (`p:`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// The default.
    #[default]
    Normal,
    /// Kept out of the way.
    Low,
}

/// What an event says about the system (`t:`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Alert {
    /// Something is broken.
    Error,
    /// Something may break.
    Warning,
    /// The default.
    #[default]
    Info,
    /// Something is well again.
    Success,
}

/// An event message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The title, never empty.
    pub title: Cow<'a, str>,
    /// The text, with its line breaks (sent as a backslash and `n`).
    pub text: Cow<'a, str>,
    /// `d:`, in seconds since 1970.
    pub timestamp: Option<i64>,
    /// `h:`.
    pub hostname: Option<&'a str>,
    /// `k:`: events with one key are shown as one.
    pub aggregation_key: Option<&'a str>,
    /// `p:`.
    pub priority: Priority,
    /// `s:`: the kind of sender.
    pub source_type: Option<&'a str>,
    /// `t:`.
    pub alert: Alert,
    /// The tags.
    pub tags: Tags<'a>,
    /// The sender.
    pub origin: Origin<'a>,
}

pub(super) fn parse(line: &str) -> Result<(Event<'_>, Option<Reason>), Error> {
    let (title_bytes, text_bytes, body) = header(line).ok_or(Reason::EventHeader)?;
    if title_bytes == 0 {
        return Err(Reason::EventTitle.into());
    }
    let (title, text, rest) = split(body, title_bytes, text_bytes).ok_or(Reason::EventLength)?;
    let mut event = Event {
        title: unescape(title),
        text: unescape(text),
        timestamp: None,
        hostname: None,
        aggregation_key: None,
        priority: Priority::Normal,
        source_type: None,
        alert: Alert::Info,
        tags: Tags::default(),
        origin: Origin::default(),
    };
    let mut ignored = None;
    for field in rest.split('|') {
        if let Err(reason) = event.take(field) {
            ignored = Some(reason);
        }
    }
    Ok((event, ignored))
}

/// The two lengths of `_e{a,b}:` and what follows. `usize::from_str` takes a leading `+`, as the Agent's parser does.
fn header(line: &str) -> Option<(usize, usize, &str)> {
    let (lengths, body) = line.strip_prefix("_e{")?.split_once(':')?;
    let (title, text) = lengths.strip_suffix('}')?.split_once(',')?;
    Some((title.parse().ok()?, text.parse().ok()?, body))
}

/// Title, text and rest. The byte between title and text is not looked at, as in the Agent. `None`: too short, or a length
/// ends inside a character.
fn split(body: &str, title_bytes: usize, text_bytes: usize) -> Option<(&str, &str, &str)> {
    let (title, rest) = body.split_at_checked(title_bytes)?;
    let (_, rest) = rest.split_at_checked(1)?;
    let (text, rest) = rest.split_at_checked(text_bytes)?;
    Some((title, text, rest))
}

fn unescape(text: &str) -> Cow<'_, str> {
    if text.contains("\\n") {
        text.replace("\\n", "\n").into()
    } else {
        text.into()
    }
}

impl<'a> Event<'a> {
    fn take(&mut self, field: &'a str) -> Result<(), Reason> {
        if let Some(seconds) = field.strip_prefix("d:") {
            self.timestamp = Some(seconds.parse().map_err(|_| Reason::Timestamp)?);
        } else if let Some(hostname) = field.strip_prefix("h:") {
            self.hostname = not_empty(hostname);
        } else if let Some(key) = field.strip_prefix("k:") {
            self.aggregation_key = not_empty(key);
        } else if let Some(priority) = field.strip_prefix("p:") {
            self.priority = match priority {
                "normal" => Priority::Normal,
                "low" => Priority::Low,
                _ => return Err(Reason::EventPriority),
            };
        } else if let Some(source_type) = field.strip_prefix("s:") {
            self.source_type = not_empty(source_type);
        } else if let Some(alert) = field.strip_prefix("t:") {
            self.alert = match alert {
                "error" => Alert::Error,
                "warning" => Alert::Warning,
                "info" => Alert::Info,
                "success" => Alert::Success,
                _ => return Err(Reason::EventAlert),
            };
        } else if let Some(tags) = field.strip_prefix('#') {
            self.tags = Tags(tags);
        } else {
            self.origin.take(field)?;
        }
        Ok(())
    }
}
