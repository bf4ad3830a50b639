//! The configuration: one YAML file with checks, locations, objectives, alerts, maintenance and
//! sinks.
//!
//! A file is read in four steps, and every mistake of a step is told at once: [`tree`] makes a
//! tree of it that knows its lines, [`decode`] holds that against the published schema,
//! [`document`] is what comes out, and [`resolve`] makes checks and objectives of it, which is
//! where names must exist and numbers must go together.

mod decode;
mod describe;
mod document;
mod expect;
pub(crate) mod problem;
mod promises;
mod requests;
mod resolve;
mod schema;
mod secret;
pub(crate) mod text;
pub(crate) mod tree;
mod watch;

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use problem::{Problem, Problems};
pub use schema::schema;
pub use secret::Secret;
pub use watch::{Reload, Watcher};

use crate::objective::Slo;
use crate::probe::template::Environment;
use crate::probe::{Check, Far, Guard};
use crate::slo::maintenance::Maintenance;

/// The documented configuration that is used where there is no other: it covers the bookshop.
pub const DEFAULT: &str = include_str!("../../synthetics.yaml");

/// Name of the default configuration in messages.
pub const DEFAULT_NAME: &str = "synthetics.yaml (built in)";

/// Largest file that is read.
const LARGEST: u64 = 1 << 20;

/// A sound configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file as it was named.
    pub file: Arc<str>,
    /// What is probed, and how often.
    pub checks: Vec<PlannedCheck>,
    /// Where probes may go.
    pub guard: Guard,
    /// Places that probe.
    pub locations: Vec<Location>,
    /// What is promised. Their checks are positions in [`Self::checks`].
    pub slos: Vec<Slo>,
    /// For each objective, positions of the webhooks that its alerts go to.
    pub notify: Vec<Vec<usize>>,
    /// Declared downtime.
    pub maintenance: Vec<Maintenance>,
    /// Where results go.
    pub sinks: Sinks,
}

/// A check with its rate.
#[derive(Clone, Debug)]
pub struct PlannedCheck {
    /// The check.
    pub check: Check,
    /// From one probe to the next; never shorter than all attempts of a probe.
    pub interval: Duration,
}

/// A place that probes.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// Short name, a tag.
    pub name: Arc<str>,
    /// Name for people.
    pub title: String,
    /// How far away it plays to be, where it is simulated.
    pub far: Option<Far>,
}

/// Where results go.
#[derive(Clone, Debug, PartialEq)]
pub struct Sinks {
    /// Whether metrics go out.
    pub dogstatsd: bool,
    /// Minutes in DynamoDB, if they are kept.
    pub history: Option<HistorySink>,
    /// Where alerts are posted.
    pub webhooks: Vec<Webhook>,
}

/// Minutes of every check in DynamoDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistorySink {
    /// Name of the table; with the prefix of all tables where there is none.
    pub table: Option<String>,
    /// How long minutes are kept.
    pub retention: Duration,
}

/// Where alerts are posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Short name.
    pub name: String,
    /// Address.
    pub url: Secret,
    /// Whether it takes messages as Slack does, and not as JSON with all that is known.
    pub slack: bool,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The file has mistakes.
    #[error("{0}")]
    Wrong(Problems),
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, or all of its mistakes.
    pub fn load(path: &Path, environment: &Environment<'_>) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let name: Arc<str> = path.display().to_string().into();
        Self::parse(&name, &text, directory, environment).map_err(ConfigError::Wrong)
    }

    /// The built-in configuration.
    ///
    /// # Errors
    /// Where the environment puts something in that does not fit.
    pub fn built_in(environment: &Environment<'_>) -> Result<Self, ConfigError> {
        let name = DEFAULT_NAME.into();
        let nowhere = Path::new("");
        Self::parse(&name, DEFAULT, nowhere, environment).map_err(ConfigError::Wrong)
    }

    /// Reads a text. `directory` is where files that it names are looked for.
    ///
    /// # Errors
    /// All of its mistakes.
    pub fn parse(
        file: &Arc<str>,
        text: &str,
        directory: &Path,
        environment: &Environment<'_>,
    ) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let wrong = |problems| Problems::new(Arc::clone(file), text.into(), problems);
        let Some(node) = tree::parse(text, &mut problems) else {
            if problems.is_empty() {
                let empty = Problem::new(0..0, "the file is empty");
                problems.push(empty.help("`synthetics config` prints one to start from"));
            }
            return Err(wrong(problems));
        };
        let mut decoder = decode::Decoder::new(schema(), environment);
        let document = decoder.document(&node);
        problems.append(&mut decoder.problems);
        let document = document.map(serde_json::from_value::<document::Document>);
        let sources = resolve::Sources {
            file,
            text,
            directory,
            environment,
        };
        match document {
            Some(Ok(document)) => {
                let config = resolve::resolve(document, &node, &sources, &mut problems);
                config
                    .filter(|_| problems.is_empty())
                    .ok_or_else(|| wrong(problems))
            }
            // The schema let something pass that the types do not: no place is known for it.
            Some(Err(error)) => {
                problems.push(Problem::new(
                    0..0,
                    format!("the file does not fit: {error}"),
                ));
                Err(wrong(problems))
            }
            None => Err(wrong(problems)),
        }
    }
}

/// Reads a file whole, if it is not too large.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |error: String| ConfigError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    let read = read.map_err(|error| {
        unreadable(match error.kind() {
            ErrorKind::InvalidData => "it is not in UTF-8: save it as that".to_owned(),
            ErrorKind::IsADirectory => "it is a directory: name the file in it".to_owned(),
            _ => error.to_string(),
        })
    })?;
    if read as u64 > LARGEST {
        return Err(unreadable(format!("it has more than {LARGEST} bytes")));
    }
    // Some editors begin a file with a byte order mark.
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text))
}
