//! Values of flags: instants and windows, lengths, addresses, names.

use std::time::Duration;

use url::Url;

use crate::clock::Timestamp;
use crate::slo::{Window, WindowError};

/// An instant, or a time before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long before now.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// The instant, seen from `now`.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.minus(ago),
            Self::At(at) => at,
        }
    }
}

/// A window to judge all objectives over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverWindow {
    /// The same one for all.
    Of(Window),
    /// Each over its own.
    Own,
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(ago) = positive(text) {
        return Ok(Moment::Ago(ago));
    }
    let at = humantime::parse_rfc3339(text);
    at.map(|at| Moment::At(at.into())).map_err(|_| {
        "write a time ago such as 90m or 7d, or an instant such as 2026-11-05T12:00:00Z".to_owned()
    })
}

pub(super) fn over_window(text: &str) -> Result<OverWindow, String> {
    if text == "own" {
        return Ok(OverWindow::Own);
    }
    let window = text.parse().map(OverWindow::Of);
    window.map_err(|error: WindowError| format!("{error}, or `own` for that of each objective"))
}

/// Longest time that can be asked for: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

pub(super) fn positive(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| {
        format!("{error}; write a number with its unit, such as 30s, 500ms or 5m")
    })?;
    if duration.is_zero() || duration > LONGEST {
        return Err("it must be longer than nothing and at most ten years".to_owned());
    }
    Ok(duration)
}

pub(super) fn target(text: &str) -> Result<Url, String> {
    let example = "write http://host:port";
    let url = Url::parse(text).map_err(|error| format!("{error}; {example}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is not probed; {example}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a password would stand in logs and reports".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("a base address ends with its path; {example}"));
    }
    Ok(url)
}

/// An origin in the form that a policy takes: nothing in it ends the list that it stands in.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).ok().filter(Url::has_host);
    let origin = url.map(|url| url.origin().ascii_serialization());
    origin
        .filter(|origin| text.trim_end_matches('/') == origin.as_str())
        .ok_or_else(|| "write scheme, host and port alone, such as https://example.com".to_owned())
}

pub(super) fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 40 || !text.chars().all(fits) {
        return Err("it becomes a tag: 1 to 40 lower-case letters, digits and dashes".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_values_are_refused_with_the_mend() {
        for bad in [
            "",
            "ftp://shop",
            "shop:9080",
            "http://u:p@shop",
            "http://shop/?a=b",
        ] {
            assert!(target(bad).is_err(), "{bad}");
        }
        assert!(positive("30").is_err_and(|error| error.contains("30s")));
        for bad in ["0s", "11years", "soon"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
        for bad in ["", "Tokyo", "a b", "a|b", &"a".repeat(41)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
