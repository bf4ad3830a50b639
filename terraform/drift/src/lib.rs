//! Holds what Terraform and the Kubernetes resources ask of Datadog and AWS against what the programs really do.
//!
//! A dashboard with a misspelt metric is no error anywhere: it is an empty graph. So every metric, tag and service of
//! every query is looked up in what the programs send ([`source`]), in Datadog's rules for our spans, or in the
//! checked-in list of the integrations' metrics; targets and windows in the prober's own objectives; tables and IAM
//! actions in the stores. Nothing here evaluates HCL or asks a network: `terraform test` and the providers do that.

pub mod export;
pub mod hcl;
pub mod known;
pub mod lines;
pub mod monitors;
pub mod objectives;
pub mod promql;
pub mod queries;
pub mod query;
pub mod source;
pub mod tables;
pub mod tree;
pub mod units;
pub mod widgets;
pub mod workloads;
pub mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use known::Known;
use source::Programs;
use tree::{Node, Value};

/// Something that does not agree, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, from the root of the checkout.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and, where there is one, the name that was probably meant.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// The text files of a checkout that are compared, by their paths. A copy can be edited, which is how the tests plant
/// their faults.
#[derive(Clone, Debug, Default)]
pub struct Tree(BTreeMap<String, String>);

/// The folders that are read, and what their files end with.
const FOLDERS: [&str; 8] = [
    "console/src",
    "crates",
    "demo/src",
    "docs",
    "k8s",
    "loadgen/src",
    "services",
    "terraform",
];
/// Files that are read besides.
const FILES: [&str; 1] = ["docker-bake.hcl"];
const ENDS: [&str; 7] = [".json", ".md", ".rs", ".tf", ".tftpl", ".yaml", ".yml"];
/// The lists that everything else is held against.
const LISTS: [&str; 3] = ["integrations.json", "services.json", "slos.json"];

impl Tree {
    /// Reads the checkout at `root`.
    ///
    /// # Errors
    /// Where a folder or file cannot be read.
    pub fn read(root: &Path) -> std::io::Result<Self> {
        let mut tree = Self::default();
        for folder in FOLDERS.into_iter().chain(["synthetics/src"]) {
            tree.take(root, PathBuf::from(folder))?;
        }
        for file in FILES {
            let text = std::fs::read_to_string(root.join(file))?;
            tree.0.insert(file.to_owned(), text);
        }
        Ok(tree)
    }

    fn take(&mut self, root: &Path, folder: PathBuf) -> std::io::Result<()> {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if entry.file_type()?.is_dir() {
                // What `terraform init` leaves, and this crate, whose tests are full of faults.
                if name != ".terraform" && path != Path::new("terraform/drift") {
                    self.take(root, path)?;
                }
            } else if ENDS.iter().any(|end| name.ends_with(end)) {
                let text = std::fs::read_to_string(root.join(&path))?;
                self.0.insert(path.to_string_lossy().into_owned(), text);
            }
        }
        Ok(())
    }

    /// The text of a file; nothing for one that is not there.
    #[must_use]
    pub fn text(&self, path: &str) -> &str {
        self.0.get(path).map_or("", String::as_str)
    }

    /// The files at or below one of `folders` whose names end with `end`.
    pub fn files<'t>(
        &'t self,
        folders: &[&str],
        end: &'t str,
    ) -> impl Iterator<Item = (&'t str, &'t str)> {
        let folders: Vec<String> = folders.iter().map(|&folder| folder.to_owned()).collect();
        self.0.iter().filter_map(move |(path, text)| {
            let below = |folder: &String| {
                path.strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            (path.ends_with(end) && folders.iter().any(below))
                .then_some((path.as_str(), text.as_str()))
        })
    }

    /// Replaces the first `old` in a file.
    ///
    /// # Errors
    /// Where there is none: a test that edits nothing would prove nothing.
    pub fn edit(&mut self, path: &str, old: &str, new: &str) -> Result<(), String> {
        let text = self.0.get_mut(path).filter(|text| text.contains(old));
        let text = text.ok_or_else(|| format!("{path} has no `{old}`"))?;
        *text = text.replacen(old, new, 1);
        Ok(())
    }

    /// Adds a file, or replaces one.
    pub fn add(&mut self, path: &str, text: &str) {
        self.0.insert(path.to_owned(), text.to_owned());
    }
}

/// A file and what stands in it. YAML files have one for each document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The path from the root of the checkout.
    pub file: String,
    /// What stands there.
    pub root: Node,
}

impl Document {
    /// A fault at `node` in this file.
    #[must_use]
    pub fn fault(&self, node: &Node, what: impl Into<String>) -> Fault {
        Fault {
            file: self.file.clone(),
            line: node.line,
            what: what.into(),
        }
    }
}

/// Everything that is checked, parsed.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Files of HCL, and the lines of its templates.
    pub hcl: Vec<Document>,
    /// Custom resources of Datadog and KEDA, the JSON in them parsed in place of its text.
    pub resources: Vec<Document>,
    /// JSON below `terraform/`, by its path from there.
    pub json: BTreeMap<String, Document>,
}

impl Parsed {
    /// One of `terraform/*.json` by its name; nothing stands in one that is missing, which [`Parsed::new`] tells.
    #[must_use]
    pub fn json(&self, name: &str) -> &Document {
        static NOTHING: LazyLock<Document> = LazyLock::new(|| Document {
            file: "terraform".to_owned(),
            root: Node {
                line: 1,
                value: Value::Null,
            },
        });
        self.json.get(name).unwrap_or(&NOTHING)
    }

    /// Whether all lists are there that names are looked up in.
    fn complete(&self) -> bool {
        LISTS.iter().all(|name| self.json.contains_key(*name))
    }

    /// Reads a checkout. What cannot be parsed is a fault, and so is a list that is missing.
    #[must_use]
    pub fn new(tree: &Tree) -> (Self, Vec<Fault>) {
        let mut parsed = Self::default();
        let mut faults = Vec::new();
        let mut failed = |file: &str, line, what| {
            faults.push(Fault {
                file: file.to_owned(),
                line,
                what,
            });
        };
        let document = |file: &str, root| Document {
            file: file.to_owned(),
            root,
        };
        for (file, text) in tree.files(&["terraform"], ".tf") {
            match hcl::parse(text) {
                Ok(root) => parsed.hcl.push(document(file, root)),
                Err(error) => failed(file, 1, error),
            }
        }
        for (file, text) in tree.files(&["terraform"], ".tftpl") {
            let lines = text.lines().zip(1..).map(|(text, line)| Node {
                line,
                value: Value::Text(text.to_owned()),
            });
            let value = Value::List(lines.collect());
            parsed.hcl.push(document(file, Node { line: 1, value }));
        }
        for (file, text) in tree.files(&["terraform"], ".json") {
            match yaml::parse(text).map(|mut roots| roots.pop()) {
                Ok(Some(root)) => {
                    let name = file.trim_start_matches("terraform/").to_owned();
                    parsed.json.insert(name, document(file, root));
                }
                Ok(None) => failed(file, 1, "the file is empty".to_owned()),
                Err(error) => failed(file, 1, error),
            }
        }
        for name in LISTS {
            let file = format!("terraform/{name}");
            if !tree.0.contains_key(&file) {
                failed(&file, 1, "the file is missing".to_owned());
            }
        }
        for (file, text) in tree.files(&["k8s"], ".yaml") {
            let roots = match yaml::parse(text) {
                Ok(roots) => roots,
                Err(error) => {
                    failed(file, 1, error);
                    continue;
                }
            };
            for mut root in roots {
                let kind = root.get("kind").and_then(Node::text).unwrap_or_default();
                let watched = kind.starts_with("Datadog")
                    || ["ScaledObject", "HorizontalPodAutoscaler"].contains(&kind);
                if !watched || kind == "DatadogAgent" {
                    continue;
                }
                for key in ["widgets", "jsonSpec"] {
                    if let Err((line, error)) = unfold(&mut root, key) {
                        failed(file, line, error);
                    }
                }
                parsed.resources.push(document(file, root));
            }
        }
        (parsed, faults)
    }
}

/// Puts the JSON in the text `spec.key` in its place.
fn unfold(root: &mut Node, key: &str) -> Result<(), (usize, String)> {
    let Value::Map(entries) = &mut root.value else {
        return Ok(());
    };
    let spec = entries.iter_mut().find(|(name, _)| name == "spec");
    let Some((_, spec)) = spec else { return Ok(()) };
    let Value::Map(entries) = &mut spec.value else {
        return Ok(());
    };
    if let Some((_, node)) = entries.iter_mut().find(|(name, _)| name == key) {
        *node = yaml::embedded(node).map_err(|error| (node.line, error))?;
    }
    Ok(())
}

/// All that does not agree in a checkout with what `programs` do, by file and line.
#[must_use]
pub fn check(tree: &Tree, programs: &Programs) -> Vec<Fault> {
    let (parsed, mut faults) = Parsed::new(tree);
    // Without a list every name in it would be told as unknown.
    if !parsed.complete() {
        return faults;
    }
    let known = Known::new(programs, &parsed);
    let queries = queries::find(&parsed);
    faults.extend(queries::check(&parsed, &known, &queries));
    faults.extend(queries::unused(&parsed, &queries));
    faults.extend(known::check(&parsed, &known));
    faults.extend(widgets::check(&parsed, &known));
    faults.extend(monitors::check(tree, &parsed));
    faults.extend(objectives::check(&parsed));
    faults.extend(export::check(&parsed));
    faults.extend(tables::check(&parsed, &programs.calls));
    faults.extend(workloads::check(tree, &parsed));
    faults.extend(lines::check(tree, &parsed));
    faults.extend(promql::check(tree));
    faults.sort();
    faults.dedup();
    faults
}

/// The metrics that `programs` send and that no query and no document shows.
#[must_use]
pub fn unseen(tree: &Tree, programs: &Programs) -> Vec<&'static str> {
    let (parsed, _) = Parsed::new(tree);
    let queries = queries::find(&parsed);
    let asked = |name: &str| {
        let mut references = queries.iter().flat_map(|query| &query.references);
        references.any(|reference| reference.metric == name)
    };
    let told = |name: &str| {
        let mut documents = tree.files(&["docs"], ".md");
        documents.any(|(_, text)| text.contains(&format!("`{name}`")))
    };
    let sent = programs.sent.keys().copied();
    sent.filter(|name| !asked(name) && !told(name)).collect()
}
