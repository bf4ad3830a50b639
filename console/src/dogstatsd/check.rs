//! `_sc|name|status[|d:…][|h:…][|#tags][|c:…][|e:…][|card:…][|m:message]`

use super::fields::{Origin, Tags, not_empty};
use super::{Error, Reason};

/// The verdict of a service check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// `0`
    Ok,
    /// `1`
    Warning,
    /// `2`
    Critical,
    /// `3`
    Unknown,
}

/// A service check message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCheck<'a> {
    /// What was checked.
    pub name: &'a str,
    /// The verdict.
    pub status: CheckStatus,
    /// `d:`, in seconds since 1970.
    pub timestamp: Option<i64>,
    /// `h:`.
    pub hostname: Option<&'a str>,
    /// `m:`, as sent. A `|` ends it, here as in the Agent.
    pub message: Option<&'a str>,
    /// The tags.
    pub tags: Tags<'a>,
    /// The sender.
    pub origin: Origin<'a>,
}

pub(super) fn parse(line: &str) -> Result<(ServiceCheck<'_>, Option<Reason>), Error> {
    let mut fields = line.strip_prefix("_sc|").ok_or(Reason::Format)?.split('|');
    let (Some(name), Some(status)) = (fields.next(), fields.next()) else {
        return Err(Reason::Format.into());
    };
    if name.is_empty() {
        return Err(Reason::Name.into());
    }
    let status = match status {
        "0" => CheckStatus::Ok,
        "1" => CheckStatus::Warning,
        "2" => CheckStatus::Critical,
        "3" => CheckStatus::Unknown,
        _ => return Err(Reason::CheckStatus.into()),
    };
    let mut check = ServiceCheck {
        name,
        status,
        timestamp: None,
        hostname: None,
        message: None,
        tags: Tags::default(),
        origin: Origin::default(),
    };
    let mut ignored = None;
    for field in fields {
        if let Err(reason) = check.take(field) {
            ignored = Some(reason);
        }
    }
    Ok((check, ignored))
}

impl<'a> ServiceCheck<'a> {
    fn take(&mut self, field: &'a str) -> Result<(), Reason> {
        if let Some(seconds) = field.strip_prefix("d:") {
            self.timestamp = Some(seconds.parse().map_err(|_| Reason::Timestamp)?);
        } else if let Some(hostname) = field.strip_prefix("h:") {
            self.hostname = not_empty(hostname);
        } else if let Some(tags) = field.strip_prefix('#') {
            self.tags = Tags(tags);
        } else if let Some(message) = field.strip_prefix("m:") {
            self.message = Some(message);
        } else {
            self.origin.take(field)?;
        }
        Ok(())
    }
}
