//! YAML, and JSON as its subset, as a [`Node`].

use granit_parser::{Event, Parser, ScalarStyle, StrInput};

use crate::tree::{Node, Value};

/// Reads all documents of one file.
///
/// # Errors
/// What the parser says, with the line.
pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
    };
    let mut documents = Vec::new();
    while let Some((event, line)) = reader.next()? {
        match event {
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd => {}
            event => documents.push(reader.node(event, line)?),
        }
    }
    Ok(documents)
}

/// Reads the JSON that stands in a text of a manifest, whose first line is that of `node`.
///
/// # Errors
/// What the parser says.
pub fn embedded(node: &Node) -> Result<Node, String> {
    let text = node.text().ok_or("this is to be a text with JSON in it")?;
    serde_json::from_str::<serde_json::Value>(text)
        .map_err(|error| format!("this is no JSON: {error}"))?;
    let mut parsed = parse(text)?.pop().ok_or("there is no JSON")?;
    shift(&mut parsed, node.line - 1);
    Ok(parsed)
}

fn shift(node: &mut Node, lines: usize) {
    node.line += lines;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, lines)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, item)| shift(item, lines)),
        _ => {}
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, usize)>, String> {
        match self.parser.next() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, span.start.line()))),
            Some(Err(error)) => {
                let line = error.marker().line();
                Err(format!("line {line}: {}", error.info()))
            }
        }
    }

    fn expect(&mut self) -> Result<(Event<'t>, usize), String> {
        self.next()?
            .ok_or_else(|| "the file ends too early".to_owned())
    }

    fn node(&mut self, event: Event<'t>, line: usize) -> Result<Node, String> {
        let value = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
            Event::Scalar(text, ..) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.expect()? {
                        (Event::SequenceEnd, _) => break Value::List(items),
                        (event, line) => items.push(self.node(event, line)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    let (event, line) = self.expect()?;
                    let key = match event {
                        Event::MappingEnd => break Value::Map(entries),
                        Event::Scalar(key, ..) => key.into_owned(),
                        _ => return Err(format!("line {line}: a key is a plain word here")),
                    };
                    let (event, line) = self.expect()?;
                    entries.push((key, self.node(event, line)?));
                }
            }
            // What it stands for is read at its anchor.
            Event::Alias(_) => Value::Null,
            other => return Err(format!("line {line}: {other:?} is not read here")),
        };
        Ok(Node { line, value })
    }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::Text(text.to_owned()),
        },
    }
}
