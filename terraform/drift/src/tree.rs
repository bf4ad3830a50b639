//! One tree for HCL, YAML and JSON: values that know their line, so that one check serves all three.

/// A value and the line where it begins, from 1.
#[derive(Clone, Debug)]
pub struct Node {
    /// The line in its file.
    pub line: usize,
    /// What stands there.
    pub value: Value,
}

/// What can stand in a configuration.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(f64),
    /// A text; what is filled in later stays in it as `${expression}`.
    Text(String),
    /// Several values.
    List(Vec<Node>),
    /// Named values, in their order. A block of HCL is a value under its type, and under each of its labels in turn.
    Map(Vec<(String, Node)>),
    /// An expression that only Terraform can evaluate: how it is written, and the values that stand in it.
    Code(String, Vec<Node>),
}

impl Node {
    /// The value of `key` in a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// The first value at the end of `path`. HCL has many blocks of one name, and each is looked into.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        let Some((key, rest)) = path.split_first() else {
            return Some(self);
        };
        let mut named = self.entries().iter().filter(|(name, _)| name == key);
        named.find_map(|(_, node)| node.at(rest))
    }

    /// The entries of a map; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text, of a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, of a number or a text that is one: Datadog's resources write thresholds in both ways.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The texts of a list.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.items().iter().filter_map(Self::text).collect()
    }

    /// Shows `look` this value and each value in it, with the keys that lead there.
    pub fn visit<'n>(&'n self, look: &mut dyn FnMut(&[&'n str], &'n Self)) {
        self.walk(&mut Vec::new(), look);
    }

    fn walk<'n>(&'n self, path: &mut Vec<&'n str>, look: &mut dyn FnMut(&[&'n str], &'n Self)) {
        look(path, self);
        match &self.value {
            Value::Map(entries) => {
                for (key, node) in entries {
                    path.push(key);
                    node.walk(path, look);
                    path.pop();
                }
            }
            Value::List(items) | Value::Code(_, items) => {
                for node in items {
                    node.walk(path, look);
                }
            }
            _ => {}
        }
    }
}

/// The line of a byte of `text`, from 1.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().get(..byte).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
