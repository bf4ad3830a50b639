//! What is wrong with a configuration, and where: all of it at once.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the file that it is about.
    pub at: Range<usize>,
    /// What is wrong, with the offending text.
    pub message: String,
    /// What is allowed, or what to do.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All mistakes of a file, by position.
#[derive(Clone, Debug)]
pub struct Problems {
    file: Arc<str>,
    text: Arc<str>,
    problems: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(file: Arc<str>, text: Arc<str>, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.at.start, problem.at.end));
        problems.dedup();
        Self {
            file,
            text,
            problems,
        }
    }

    /// The mistakes, by position.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Line and column of a mistake, both from 1; columns are characters.
    #[must_use]
    pub fn position(&self, problem: &Problem) -> (u32, u32) {
        position(&self.text, problem.at.start)
    }

    /// For a person at a terminal: each mistake under its line of the file.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(100);
        let source = NamedSource::new(&self.file, Arc::clone(&self.text));
        let mut out = String::new();
        for problem in &self.problems {
            let shown = Shown {
                problem,
                source: &source,
            };
            // Writing to a text cannot fail.
            let _ = handler.render_report(&mut out, &shown);
        }
        let count = self.problems.len();
        let mistakes = if count == 1 { "mistake" } else { "mistakes" };
        out.push_str(&format!("{}: {count} {mistakes}\n", self.file));
        out
    }
}

/// One line a mistake, as compilers write them: `file:line:column: what; what to do`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let (line, column) = self.position(problem);
            let newline = if index == 0 { "" } else { "\n" };
            write!(
                f,
                "{newline}{}:{line}:{column}: {}",
                self.file, problem.message
            )?;
            if let Some(help) = &problem.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Line and column, from 1, of a byte of `text`.
pub(crate) fn position(text: &str, byte: usize) -> (u32, u32) {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(column))
}

/// The nearest of `names` to `text`, if one is near enough to be what was meant.
pub(crate) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let text = text.to_lowercase();
    let most = 1 + text.chars().count() / 3;
    names
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&text, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// "did you mean ..., allowed are ...".
pub(crate) fn suggest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let meant = nearest(text, names.iter().copied());
    let meant = meant.map_or_else(String::new, |name| format!("did you mean `{name}`? "));
    let mut shown: Vec<_> = names
        .iter()
        .take(20)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > shown.len() {
        shown.push(format!("{} more", names.len() - shown.len()));
    }
    match shown.len() {
        0 => format!("{meant}there is none yet"),
        1 => format!("{meant}the only one allowed is {}", shown[0]),
        _ => format!("{meant}allowed are {}", shown.join(", ")),
    }
}

struct Shown<'p> {
    problem: &'p Problem,
    source: &'p NamedSource<Arc<str>>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.problem, f)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.problem.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.at.clone();
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}
