//! YAML with comments, line by line. What libraries write has none, and here they say where a
//! meaning differs.

use std::fmt::Write as _;

/// A file that grows.
#[derive(Default)]
pub(crate) struct Yaml(String);

/// Longest line of a comment.
const WIDTH: usize = 118;

impl Yaml {
    /// Adds `text`, this deep. It is YAML already.
    pub(crate) fn line(&mut self, depth: usize, text: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{:indent$}{text}", "", indent = 2 * depth);
    }

    /// Adds an empty line.
    pub(crate) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// Adds `key: value` with the value in quotes, whatever it is.
    pub(crate) fn text(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &format!("{key}: {}", quoted(value)));
    }

    /// Adds a comment, broken into lines.
    pub(crate) fn comment(&mut self, depth: usize, text: &str) {
        let mut line = String::from("#");
        for word in text.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH - 2 * depth && line.len() > 1 {
                self.line(depth, &line);
                line.truncate(1);
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(depth, &line);
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// A text in double quotes. Those of JSON mean the same in YAML.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
