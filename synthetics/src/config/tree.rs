//! YAML as a tree whose every key and value knows where it stands.
//!
//! A deserializer stops at the first mistake; a tree lets all of them be found. So the parser
//! below `serde-saphyr` is used directly.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::problem::{Problem, nearest};

/// Most nodes, aliases counted in full: far more than anybody writes, and little memory.
const MOST_NODES: usize = 100_000;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Range<usize>,
    pub(crate) value: Value,
    /// Nodes in it, with itself.
    size: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A text, as YAML reads it. A plain one has no quotes, and may stand for a number.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) at: Range<usize>,
    pub(crate) name: String,
}

/// One step on the way from the root to a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

impl Node {
    /// Nothing, written plainly.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// The value of a key, where this is a map that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let mut entries = entries.iter();
        let found = entries.find(|(key, _)| key.name == name);
        found.map(|(_, value)| value).filter(|node| !node.is_null())
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// What stands at the end of `path`, or as near to it as there is something.
    pub(crate) fn at(&self, path: &[Step<'_>]) -> Range<usize> {
        let mut here = self;
        for step in path {
            let next = match (step, &here.value) {
                (Step::Key(name), Value::Map(entries)) => entries
                    .iter()
                    .find(|(key, _)| key.name == *name)
                    .map(|(_, value)| value),
                (Step::Item(index), Value::List(items)) => items.get(*index),
                // One value may stand for a list of one.
                (Step::Item(0), _) => Some(here),
                _ => None,
            };
            match next {
                Some(next) => here = next,
                None => break,
            }
        }
        here.head()
    }

    /// Where it begins: all of a scalar, the first key of a map.
    pub(crate) fn head(&self) -> Range<usize> {
        match &self.value {
            Value::Map(entries) => entries
                .first()
                .map_or(self.at.clone(), |(key, _)| key.at.clone()),
            Value::List(items) => items.first().map_or(self.at.clone(), Node::head),
            Value::Scalar { .. } => self.at.clone(),
        }
    }
}

/// Reads one document. Duplicate keys are told, and the first one stands.
pub(crate) fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    match Reader::new(text, problems).documents(1) {
        Ok(mut documents) => documents.pop(),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// Reads all documents of a file. Duplicate keys are told, and the first one stands.
pub(crate) fn parse_all(text: &str, problems: &mut Vec<Problem>) -> Vec<Node> {
    let documents = Reader::new(text, problems).documents(MOST_NODES);
    documents.unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    })
}

struct Reader<'t, 'p> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    text: &'t str,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    problems: &'p mut Vec<Problem>,
}

impl<'t, 'p> Reader<'t, 'p> {
    fn new(text: &'t str, problems: &'p mut Vec<Problem>) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            text,
            anchors: HashMap::new(),
            nodes: 0,
            problems,
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Range<usize>)>, Problem> {
        match self.parser.next() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, self.bytes(span)))),
            Some(Err(error)) => {
                let byte = error.marker().byte_offset().unwrap_or(0);
                let byte = byte.min(self.text.len());
                let message = format!("this is no YAML: {}", error.info());
                Err(match tab(self.text, byte) {
                    Some(at) => Problem::new(at, message)
                        .help("YAML is indented with spaces, never with tabs"),
                    None => Problem::new(byte..byte, message).help(mend(&error.info())),
                })
            }
        }
    }

    fn bytes(&self, span: Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        let (start, mut end) = (
            range.start.min(self.text.len()),
            range.end.min(self.text.len()),
        );
        // A plain scalar at the end of a line takes the break with it.
        while end > start && self.text.as_bytes()[end - 1].is_ascii_whitespace() {
            end -= 1;
        }
        start..end.max(start)
    }

    /// So many documents, at most.
    fn documents(&mut self, most: usize) -> Result<Vec<Node>, Problem> {
        let mut documents = Vec::new();
        while let Some((event, at)) = self.next()? {
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(..) if documents.len() == most => {
                    let message = "there is a second document in this file";
                    return Err(Problem::new(at, message).help("take the `---` line out"));
                }
                Event::DocumentStart(..) => {}
                event => documents.push(self.node(event, at)?),
            }
        }
        Ok(documents)
    }

    fn node(&mut self, event: Event<'t>, at: Range<usize>) -> Result<Node, Problem> {
        self.count(1, &at)?;
        let before = self.nodes - 1;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                (Value::Scalar { text, plain }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map()?, anchor),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let recursive = || Problem::new(at.clone(), "an anchor cannot contain itself");
                let mut node = node.ok_or_else(recursive)?;
                self.count(node.size, &at)?;
                node.at = at;
                return Ok(node);
            }
            _ => return Err(Problem::new(at, "nothing is expected here")),
        };
        let size = self.nodes - before;
        let node = Node { at, value, size };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, at: &Range<usize>) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let message = format!("the file has more than {MOST_NODES} values");
            return Err(Problem::new(at.clone(), message));
        }
        Ok(())
    }

    fn expect(&mut self) -> Result<(Event<'t>, Range<usize>), Problem> {
        let end = self.text.len();
        let next = self.next()?;
        next.ok_or_else(|| Problem::new(end..end, "the file ends too early"))
    }

    fn list(&mut self) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            match self.expect()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, at) => items.push(self.node(event, at)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value, Problem> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, at) = self.expect()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node(event, at)?;
            let (event, at) = self.expect()?;
            let value = self.node(event, at)?;
            let Value::Scalar { text: name, plain } = key.value else {
                let problem = Problem::new(key.head(), "a key is a plain word here");
                self.problems.push(problem);
                continue;
            };
            let at = key.at;
            if name == "<<" && plain {
                merged.push(value);
            } else if let Some((first, _)) = entries.iter().find(|(key, _)| key.name == name) {
                let (line, _) = super::problem::position(self.text, first.at.start);
                let problem = Problem::new(at, format!("`{name}` is here twice"));
                let problem = problem.help(format!("it is in line {line} already: keep one"));
                self.problems.push(problem);
            } else {
                entries.push((Key { at, name }, value));
            }
        }
        for node in merged {
            let parts = match node.value {
                Value::List(items) => items,
                _ => vec![node],
            };
            for part in parts {
                if let Value::Map(more) = part.value {
                    for (key, value) in more {
                        if !entries.iter().any(|(own, _)| own.name == key.name) {
                            entries.push((key, value));
                        }
                    }
                } else {
                    let message = "`<<` takes in the keys of another map";
                    let problem = Problem::new(part.head(), message);
                    self.problems
                        .push(problem.help("write `<<: *name`, with `&name` before that map"));
                }
            }
        }
        Ok(Value::Map(entries))
    }
}

/// What to do about what the parser says.
fn mend(message: &str) -> &'static str {
    for (part, mend) in [
        (
            "unknown anchor",
            "`*name` stands for what `&name` marks above it; a text that begins with `*` needs quotes",
        ),
        (
            "unknown escape",
            "write it in single quotes, which leave backslashes as they are",
        ),
        (
            "unexpected character",
            "a text that begins with `@`, a backquote or `%` needs quotes",
        ),
        (
            "mapping values are not allowed",
            "this line stands further in than its neighbours, or a colon above has no space after it",
        ),
        (
            "did not find expected '-'",
            "this line stands further out than its neighbours: align it with the other keys of its entry",
        ),
    ] {
        if message.contains(part) {
            return mend;
        }
    }
    "look at the indentation, quotes and colons here and just above"
}

/// The first tab in the indentation of the line of `byte`, or of the few after it: a text that
/// goes on over lines is only seen to be wrong at its beginning.
fn tab(text: &str, byte: usize) -> Option<Range<usize>> {
    let mut start = text.get(..byte)?.rfind('\n').map_or(0, |at| at + 1);
    for line in text.get(start..)?.split('\n').take(4) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(at) = line[..indent].find('\t') {
            return Some(start + at..start + at + 1);
        }
        start += line.len() + 1;
    }
    None
}

/// A plain scalar as YAML's core schema has it.
pub(crate) fn plain(text: &str) -> serde_json::Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return serde_json::Value::Null,
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    match text.parse::<f64>() {
        Ok(number)
            if number.is_finite()
                && text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) =>
        {
            serde_json::Number::from_f64(number).map_or_else(|| text.into(), Into::into)
        }
        _ => text.into(),
    }
}

/// The name in `names` that `text` was probably meant to be, spelt otherwise.
pub(crate) fn meant<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    nearest(text, names.iter().copied())
}
