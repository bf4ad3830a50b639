//! How a line looks: for people on a terminal, or as it came with a name before it.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Longest line on a terminal, in characters.
const WIDTH_LIMIT: usize = 1000;

const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[0m";
/// Colours of names, of the 256: those that can be read on dark and on light, and are not those of levels.
const NAMES: [&str; 10] = [
    "\x1b[38;5;33m",
    "\x1b[38;5;37m",
    "\x1b[38;5;97m",
    "\x1b[38;5;162m",
    "\x1b[38;5;67m",
    "\x1b[38;5;64m",
    "\x1b[38;5;133m",
    "\x1b[38;5;31m",
    "\x1b[38;5;103m",
    "\x1b[38;5;137m",
];

/// How the lines of one process are shown.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    prefix: String,
    is_pretty: bool,
    colour: Option<&'static str>,
}

impl Style {
    /// As they come, with the name before them.
    pub(crate) fn plain(name: &str, width: usize) -> Self {
        Self {
            prefix: format!("{name:width$} | "),
            is_pretty: false,
            colour: None,
        }
    }

    /// JSON lines as time, level, message and fields; `nth` picks the colour, if there is one.
    pub(crate) fn pretty(name: &str, width: usize, nth: usize, in_colour: bool) -> Self {
        Self {
            prefix: format!("{name:width$}  "),
            is_pretty: true,
            colour: in_colour.then(|| NAMES[nth % NAMES.len()]),
        }
    }

    /// The whole line with its end.
    pub(crate) fn line(&self, bytes: &[u8], is_cut: bool) -> Vec<u8> {
        if !self.is_pretty {
            let mut line = Vec::with_capacity(self.prefix.len() + bytes.len() + 16);
            line.extend_from_slice(self.prefix.as_bytes());
            line.extend_from_slice(bytes);
            line.extend_from_slice(if is_cut { " [cut]\n".as_bytes() } else { b"\n" });
            return line;
        }
        let mut text = Text::new(self.colour.is_some());
        text.coloured(self.colour.unwrap_or_default(), &self.prefix);
        match serde_json::from_slice::<Record>(bytes) {
            Ok(record) => text.record(&record),
            Err(_) => text.plain(&String::from_utf8_lossy(bytes)),
        }
        text.end(is_cut)
    }
}

/// Attributes for machines: where all else is the same on each line, or an id.
fn is_for_machines(key: &str) -> bool {
    key.starts_with("dd.") || matches!(key, "logger.name" | "trace_id" | "span_id")
}

/// A line in the making. All that came from outside goes through [`Text::plain`].
struct Text {
    line: String,
    shown: usize,
    in_colour: bool,
}

impl Text {
    fn new(in_colour: bool) -> Self {
        Self {
            line: String::with_capacity(200),
            shown: 0,
            in_colour,
        }
    }

    /// Adds text with what a terminal would obey made visible.
    fn plain(&mut self, text: &str) {
        for c in text.chars() {
            if self.shown > WIDTH_LIMIT {
                return;
            }
            self.shown += 1;
            match c {
                '\t' => self.line.push(' '),
                c if c.is_control() => drop(write!(self.line, "{}", c.escape_default())),
                c => self.line.push(c),
            }
        }
    }

    fn coloured(&mut self, colour: &str, text: &str) {
        if self.in_colour && !colour.is_empty() {
            self.line.push_str(colour);
            self.plain(text);
            self.line.push_str(RESET);
        } else {
            self.plain(text);
        }
    }

    fn record(&mut self, record: &Record) {
        if let Some(time) = &record.timestamp {
            // The date says nothing here: `2026-01-02T03:04:05.678Z`.
            let clock = time
                .split_once('T')
                .map_or(time.as_str(), |(_, clock)| clock);
            self.coloured(DIM, clock.trim_end_matches('Z'));
            self.plain(" ");
        }
        let colour = match record.status.as_str() {
            "error" => RED,
            "warn" => YELLOW,
            "info" => GREEN,
            _ => DIM,
        };
        self.coloured(colour, &format!("{:5}", record.status.to_uppercase()));
        self.plain(" ");
        self.plain(&record.message);
        for (key, value) in &record.fields {
            self.plain(" ");
            self.coloured(DIM, &format!("{key}="));
            match value {
                Value::String(text) if text.contains([' ', '"']) => self.plain(&value.to_string()),
                Value::String(text) => self.plain(text),
                other => self.plain(&other.to_string()),
            }
        }
    }

    fn end(mut self, is_cut: bool) -> Vec<u8> {
        if is_cut || self.shown > WIDTH_LIMIT {
            self.line.push_str(" [cut]");
        }
        self.line.push('\n');
        self.line.into_bytes()
    }
}

/// A JSON log line, its fields in the order they came in.
#[derive(Debug, Default)]
struct Record {
    timestamp: Option<String>,
    status: String,
    message: String,
    fields: Vec<(String, Value)>,
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a log record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut record = Record::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "timestamp" => record.timestamp = Some(map.next_value()?),
                        "status" => record.status = map.next_value()?,
                        "message" => record.message = map.next_value()?,
                        // The prefix says it.
                        "service" => drop(map.next_value::<IgnoredAny>()?),
                        key if is_for_machines(key) => drop(map.next_value::<IgnoredAny>()?),
                        _ => record.fields.push((key, map.next_value()?)),
                    }
                }
                Ok(record)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(style: &Style, line: &str) -> String {
        String::from_utf8(style.line(line.as_bytes(), false)).unwrap()
    }

    const LINE: &str = r#"{"timestamp":"2026-01-02T03:04:05.678Z","status":"warn","service":"details","dd.service":"details","logger.name":"web","trace_id":"0a","message":"store is slow","zeta_ms":12,"alpha":"two words"}"#;

    #[test]
    fn a_json_line_is_for_people_on_a_terminal_and_as_it_came_elsewhere() {
        assert_eq!(
            shown(&Style::pretty("details", 8, 0, false), LINE),
            "details   03:04:05.678 WARN  store is slow zeta_ms=12 alpha=\"two words\"\n"
        );
        assert_eq!(
            shown(&Style::plain("details", 8), LINE),
            format!("details  | {LINE}\n")
        );
        let coloured = shown(&Style::pretty("details", 8, 1, true), LINE);
        assert!(coloured.starts_with("\x1b[38;5;37mdetails   \x1b[0m"));
        assert!(coloured.contains("\x1b[33mWARN \x1b[0m"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_only_shown() {
        let style = Style::pretty("x", 1, 0, false);
        assert_eq!(shown(&style, "a\x1b[2Jb\x07"), "x  a\\u{1b}[2Jb\\u{7}\n");
        let json = r#"{"status":"info","message":"a\u001b]0;owned","k\u001b":"\u009b"}"#;
        let line = shown(&style, json);
        assert!(!line.trim_end().contains(char::is_control), "{line:?}");
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let style = Style::pretty("x", 1, 0, false);
        let line = shown(&style, &"y".repeat(100_000));
        assert!(line.len() < WIDTH_LIMIT + 20 && line.ends_with(" [cut]\n"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_make_one_line(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            let line = Style::pretty("x", 1, 0, true).line(&bytes, false);
            let text = String::from_utf8(line).unwrap();
            proptest::prop_assert_eq!(text.matches('\n').count(), 1);
        }
    }
}
