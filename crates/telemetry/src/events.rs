//! Events and service checks of DogStatsD, which cadence does not have.
//!
//! The grammar is that of the public "DogStatsD datagram format" pages: lengths of an event are
//! bytes of UTF-8, a line break is written as a backslash and `n`, and of a service check the
//! message comes last. Neither says when it happened: the agent takes the time at which it
//! arrives, since a demo's clock may run ahead.

use std::fmt::Write as _;

/// Datadog cuts longer titles.
const TITLE: usize = 100;
/// Datadog refuses longer keys.
const KEY: usize = 100;

/// How important an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// As usual.
    #[default]
    Normal,
    /// Kept out of the way.
    Low,
}

/// What an event says about the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alert {
    /// Something is broken.
    Error,
    /// Something may break.
    Warning,
    /// Neither.
    #[default]
    Info,
    /// Something is well again.
    Success,
}

/// Something that happened.
#[derive(Clone, Debug, Default)]
pub struct Event<'a> {
    /// In a few words.
    pub title: &'a str,
    /// In more; lines may be broken.
    pub text: &'a str,
    /// Events with one key are shown as one.
    pub aggregation_key: Option<&'a str>,
    /// How important it is.
    pub priority: Priority,
    /// What it says about the system.
    pub alert: Alert,
    /// What it is about.
    pub tags: &'a [(&'a str, &'a str)],
}

/// The verdict of a service check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// All is well.
    Ok,
    /// Something may break.
    Warning,
    /// Something is broken.
    Critical,
    /// Nobody knows.
    Unknown,
}

/// A verdict on something that is checked again and again.
#[derive(Clone, Debug)]
pub struct ServiceCheck<'a> {
    /// What is checked; one of [`crate::names::SERVICE_CHECKS`].
    pub name: &'static str,
    /// The verdict.
    pub status: CheckStatus,
    /// Why.
    pub message: &'a str,
    /// What it is about.
    pub tags: &'a [(&'a str, &'a str)],
}

impl Event<'_> {
    /// The line of at most `limit` bytes, `common` being the tags of everything. `None` where
    /// there is no title, or where not even that fits.
    pub(crate) fn line(&self, common: &str, limit: usize) -> Option<String> {
        let title = cut(&self.title.replace(['\n', '\r'], " "), TITLE).to_owned();
        if title.is_empty() {
            return None;
        }
        let mut rest = String::new();
        if let Some(key) = self.aggregation_key {
            let key = key.replace(['|', '\n', '\r'], "_");
            let _ = write!(rest, "|k:{}", cut(&key, KEY));
        }
        if self.priority == Priority::Low {
            rest.push_str("|p:low");
        }
        rest.push_str(match self.alert {
            Alert::Error => "|t:error",
            Alert::Warning => "|t:warning",
            Alert::Info => "|t:info",
            Alert::Success => "|t:success",
        });
        push_tags(&mut rest, common, self.tags);
        // `_e{,}:|` and the digits of two lengths below 10,000.
        let room = limit.checked_sub(title.len() + rest.len() + 15)?;
        let text = escape(self.text);
        let text = cut_escaped(&text, room);
        let (title_bytes, text_bytes) = (title.len(), text.len());
        Some(format!(
            "_e{{{title_bytes},{text_bytes}}}:{title}|{text}{rest}"
        ))
    }
}

impl ServiceCheck<'_> {
    /// The line of at most `limit` bytes, `common` being the tags of everything. `None` where not
    /// even the verdict fits.
    pub(crate) fn line(&self, common: &str, limit: usize) -> Option<String> {
        let status = match self.status {
            CheckStatus::Ok => 0,
            CheckStatus::Warning => 1,
            CheckStatus::Critical => 2,
            CheckStatus::Unknown => 3,
        };
        let mut line = format!("_sc|{}|{status}", self.name);
        push_tags(&mut line, common, self.tags);
        let room = limit.checked_sub(line.len() + 4)?;
        // A `|` would end it.
        let message = escape(&self.message.replace('|', "/"));
        let message = cut_escaped(&message, room);
        if !message.is_empty() {
            let _ = write!(line, "|m:{message}");
        }
        Some(line)
    }
}

/// Tags as they stand in a line: `key:value`, separated by commas.
pub(crate) fn tag_text<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (key, value) in tags {
        if !text.is_empty() {
            text.push(',');
        }
        // These end a tag on the wire.
        let value = value.replace(['|', ',', '\n', '\r'], "_");
        let _ = write!(text, "{key}:{value}");
    }
    text
}

fn push_tags(line: &mut String, common: &str, tags: &[(&str, &str)]) {
    let own = tag_text(tags.iter().copied());
    let both = !common.is_empty() && !own.is_empty();
    if !common.is_empty() || !own.is_empty() {
        let _ = write!(line, "|#{common}{}{own}", if both { "," } else { "" });
    }
}

fn escape(text: &str) -> String {
    text.replace("\r\n", "\\n").replace(['\n', '\r'], "\\n")
}

/// As much of `text` as fits into `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// As [`cut`], but never between the two characters of a line break.
fn cut_escaped(text: &str, most: usize) -> &str {
    let kept = cut(text, most);
    if kept.len() < text.len() && kept.ends_with('\\') {
        return &kept[..kept.len() - 1];
    }
    kept
}

#[cfg(test)]
mod tests {
    use console::dogstatsd::{self, Message};
    use proptest::prelude::*;

    use super::*;

    fn parse(line: &str) -> (Message<'_>, Option<dogstatsd::Reason>) {
        let parsed = dogstatsd::parse(line.as_bytes()).expect(line);
        (parsed.message, parsed.ignored)
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_agent_reads_it(
            title in "\\PC{0,120}|[|\n\r:,#é]{1,40}",
            text in "(\\PC|[|\n\r\\\\]){0,300}",
            key in "\\PC{0,120}|[|\n,]{1,9}",
            value in "\\PC{0,30}|[|,\n]{1,9}",
            common in prop::sample::select(vec!["", "env:test,service:x"]),
            limit in prop::sample::select(vec![20_usize, 200, 300, 1_432, 8_192]),
        ) {
            let tags = [("slo", value.as_str())];
            let event = Event {
                title: &title,
                text: &text,
                aggregation_key: Some(&key),
                priority: Priority::Low,
                alert: Alert::Error,
                tags: &tags,
            };
            if let Some(line) = event.line(common, limit) {
                prop_assert!(line.len() <= limit && !line.contains(['\n', '\r']));
                let (Message::Event(seen), None) = parse(&line) else {
                    panic!("{line}");
                };
                let clean = title.replace(['\n', '\r'], " ");
                prop_assert!(clean.starts_with(&seen.title.replace('\n', "\\n")));
                if line.len() + 8 < limit {
                    prop_assert_eq!(seen.text, escape(&text).replace("\\n", "\n"));
                }
                prop_assert_eq!(seen.alert, dogstatsd::Alert::Error);
                prop_assert_eq!(seen.priority, dogstatsd::Priority::Low);
                let tag = format!("slo:{}", value.replace(['|', ',', '\n', '\r'], "_"));
                prop_assert!(line.contains(&tag));
            } else {
                prop_assert!(title.is_empty() || limit < 1_000);
            }
            let check = ServiceCheck {
                name: "synthetics.slo.status",
                status: CheckStatus::Warning,
                message: &text,
                tags: &tags,
            };
            if let Some(line) = check.line(common, limit) {
                prop_assert!(line.len() <= limit);
                let (Message::ServiceCheck(seen), None) = parse(&line) else {
                    panic!("{line}");
                };
                prop_assert_eq!(seen.status, dogstatsd::CheckStatus::Warning);
                prop_assert_eq!(seen.name, check.name);
            }
        }
    }

    #[test]
    fn lengths_are_bytes_and_lines_are_broken() {
        let event = Event {
            title: "größer | kleiner",
            text: "erste Zeile\nzweite: a|b",
            ..Event::default()
        };
        let line = event.line("env:t", 1_432).expect("it fits");
        assert_eq!(
            line,
            "_e{18,24}:größer | kleiner|erste Zeile\\nzweite: a|b|t:info|#env:t"
        );
        let check = ServiceCheck {
            name: "synthetics.slo.status",
            status: CheckStatus::Critical,
            message: "a|b\nc",
            tags: &[("slo", "up")],
        };
        assert_eq!(
            check.line("env:t", 1_432).as_deref(),
            Some("_sc|synthetics.slo.status|2|#env:t,slo:up|m:a/b\\nc")
        );
    }
}
