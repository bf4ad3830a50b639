//! Objectives from OpenSLO v1, as the part of `synthetics.yaml` that they come to.
//!
//! What cannot be carried over is noted with its line, and never silently turned into something
//! else. Checks are the one thing that OpenSLO cannot name: where the file does not come from
//! `synthetics export`, the list stays empty, which `synthetics validate` does not let pass.

mod alerts;
mod objective;

use std::sync::Arc;

use crate::config::problem::position;
use crate::config::tree::{self, Node};
use crate::config::{Problem, Problems};
use crate::export::{factor, length};
use crate::objective::Indicator;
use crate::openslo::VERSION;
use crate::slo::burn::BurnAlert;
use crate::slo::{LocationRule, Target, Window};
use crate::yaml::{Yaml, quoted};

/// Objectives that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// `slos:` and `alerts:`, with what is missing as comments.
    pub text: String,
    /// What was not carried over, each with its place.
    pub left_out: Vec<String>,
}

/// Reads `text`, which was found under the name `file`.
///
/// # Errors
/// Where it is no YAML, or has no OpenSLO v1 in it.
pub fn import(file: &Arc<str>, text: &str) -> Result<Imported, Problems> {
    let mut problems = Vec::new();
    let documents = tree::parse_all(text, &mut problems);
    let known = |node: &&Node| field(node, &["apiVersion"]).is_some_and(|v| v == VERSION);
    if problems.is_empty() && !documents.iter().any(|node| known(&node)) {
        let at = documents.first().map_or(0..0, Node::head);
        let problem = Problem::new(
            at,
            format!("there is no object of `{VERSION}` in this file"),
        );
        problems.push(problem.help(format!("each document begins with `apiVersion: {VERSION}`")));
    }
    if !problems.is_empty() {
        return Err(Problems::new(Arc::clone(file), text.into(), problems));
    }
    let mut reader = Reader {
        file,
        text,
        documents: documents.iter().filter(known).collect(),
        notes: Vec::new(),
    };
    for node in documents.iter().filter(|node| !known(node)) {
        reader.note(node, format!("its `apiVersion` is not `{VERSION}`"));
    }
    let objectives = reader.objectives();
    Ok(reader.write(&objectives))
}

/// An objective as it was understood.
struct Found {
    name: String,
    title: String,
    description: Option<String>,
    target: Target,
    window: Window,
    indicator: Indicator,
    rule: LocationRule,
    checks: Vec<String>,
    alerts: Vec<BurnAlert>,
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    documents: Vec<&'a Node>,
    notes: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Notes what is not carried over, with its line.
    fn note(&mut self, node: &Node, what: impl std::fmt::Display) {
        let (line, column) = position(self.text, node.head().start);
        self.notes
            .push(format!("{}:{line}:{column}: {what}", self.file));
    }

    /// The object of this kind and name.
    fn object(&self, kind: &str, name: &str) -> Option<&'a Node> {
        self.documents.iter().copied().find(|node| {
            field(node, &["kind"]) == Some(kind) && field(node, &["metadata", "name"]) == Some(name)
        })
    }

    fn objectives(&mut self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for node in self.documents.clone() {
            match field(node, &["kind"]) {
                Some("SLO") => {
                    for objective in self.slo(node) {
                        if found.iter().any(|other| other.name == objective.name) {
                            let what = format!("there is an objective `{}` already", objective.name);
                            self.note(node, what);
                        } else {
                            found.push(objective);
                        }
                    }
                }
                // These are read where an objective names them, or have nothing to carry over.
                Some("Service" | "SLI" | "AlertPolicy" | "AlertCondition") => {}
                Some("AlertNotificationTarget") => self.note(
                    node,
                    "a target of notifications is a webhook under `sinks:`, whose address OpenSLO does not have",
                ),
                Some("DataSource") => self.note(
                    node,
                    "a data source has no place: the prober measures by its own checks",
                ),
                kind => {
                    let what = format!("`kind: {}` is not known", kind.unwrap_or_default());
                    self.note(node, what);
                }
            }
        }
        found
    }

    fn write(self, objectives: &[Found]) -> Imported {
        let mut yaml = Yaml::default();
        yaml.comment(
            0,
            &format!(
                "Written by `synthetics import` from {}: a part of synthetics.yaml.",
                self.file
            ),
        );
        if !self.notes.is_empty() {
            yaml.line(0, "#");
            yaml.comment(0, "Not carried over:");
            for note in &self.notes {
                yaml.comment(0, &format!("- {note}"));
            }
        }
        yaml.line(
            0,
            if objectives.is_empty() {
                "slos: []"
            } else {
                "slos:"
            },
        );
        objectives
            .iter()
            .for_each(|objective| write(&mut yaml, objective));
        if !objectives.is_empty() {
            yaml.line(0, "alerts:");
        }
        for objective in objectives {
            yaml.line(1, &format!("- slo: {}", objective.name));
            if objective.alerts.is_empty() {
                yaml.comment(
                    2,
                    "None are declared. Without this line there would be the usual ones.",
                );
                yaml.line(2, "burn: []");
                continue;
            }
            yaml.line(2, "burn:");
            for alert in &objective.alerts {
                let (long, factor) = (length(alert.long()), factor(alert.factor()));
                yaml.line(3, &format!("- {{long: {long}, factor: {factor}}}"));
            }
        }
        Imported {
            text: yaml.finish(),
            left_out: self.notes,
        }
    }
}

fn write(yaml: &mut Yaml, objective: &Found) {
    if let Some(description) = &objective.description {
        yaml.comment(1, description);
    }
    yaml.line(1, &format!("- name: {}", quoted(&objective.name)));
    yaml.text(2, "title", &plain(&objective.title));
    yaml.line(2, &format!("target: {}", objective.target));
    yaml.line(2, &format!("window: {}", objective.window));
    match objective.indicator {
        Indicator::Availability { min_good } => {
            yaml.line(2, &format!("availability: {{up_from: {min_good}}}"));
            yaml.line(2, &format!("locations: {}", objective.rule.name()));
        }
        Indicator::Latency { within } => {
            let within = humantime::format_duration(within);
            yaml.line(2, &format!("latency: {{within: {within}}}"));
        }
        Indicator::Success => yaml.line(2, "success: {}"),
    }
    if objective.checks.is_empty() {
        yaml.comment(2, "By which checks is it measured? OpenSLO does not say.");
    }
    let checks: Vec<_> = objective
        .checks
        .iter()
        .map(|name| quoted(&plain(name)))
        .collect();
    yaml.line(2, &format!("checks: [{}]", checks.join(", ")));
}

/// A text in which nothing stands for a variable.
fn plain(text: &str) -> String {
    text.replace("${", "$${")
}

/// The text at the end of a path.
fn field<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    let mut here = node;
    for key in path {
        here = here.get(key)?;
    }
    here.text()
}
