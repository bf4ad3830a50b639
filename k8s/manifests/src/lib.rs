//! Reads the rendered manifests of `k8s/` as the cluster and the programs will, and says what no schema can: that names
//! which are referred to exist, that selectors select, that every variable is one that its program reads with a value that
//! it takes, that probes, ports, policies and limits fit what runs, and that each component does what its README says.
//!
//! `render` runs `k8s/checks/render.sh`; [`check`] takes the builds. A fault names build, object and what is wrong.

pub mod edges;
pub mod foreign;
pub mod labelling;
pub mod network;
pub mod object;
pub mod programs;
pub mod promises;
pub mod references;
pub mod running;
pub mod security;
pub mod selectors;

use std::fmt;
use std::path::Path;
use std::process::Command;

use object::{Object, Pod};

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The build, such as `overlay-local`.
    pub build: String,
    /// The object, as [`Object::title`] says it.
    pub object: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.build, self.object, self.what)
    }
}

/// All objects that one `kubectl apply` would send.
#[derive(Clone, Debug)]
pub struct Build {
    /// `base`, `overlay-NAME`, or `component-NAME` for a component alone on the base.
    pub name: String,
    /// The objects, in their order.
    pub objects: Vec<Object>,
}

impl Build {
    /// Reads what kustomize wrote.
    ///
    /// # Errors
    /// What the YAML parser says.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let objects = drift::yaml::parse(text)?.into_iter().map(Object).collect();
        Ok(Self {
            name: name.to_owned(),
            objects,
        })
    }

    /// The objects of a kind.
    pub fn of<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Object> {
        self.objects
            .iter()
            .filter(move |object| object.kind() == kind)
    }

    /// The object of that kind, namespace and name.
    #[must_use]
    pub fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        let mut all = self.objects.iter();
        all.find(|object| {
            object.kind() == kind && object.namespace() == namespace && object.name() == name
        })
    }

    /// The pods of all workloads.
    pub fn pods(&self) -> impl Iterator<Item = Pod<'_>> {
        self.objects.iter().filter_map(Object::pod)
    }

    /// Whether it has what a component brings: components are told by an object of theirs.
    #[must_use]
    pub fn is(&self, component: &str) -> bool {
        self.name == format!("component-{component}")
    }
}

/// Collects faults of one build.
pub(crate) struct Finder<'b> {
    pub(crate) build: &'b Build,
    faults: Vec<Fault>,
}

impl<'b> Finder<'b> {
    pub(crate) fn new(build: &'b Build) -> Self {
        Self {
            build,
            faults: Vec::new(),
        }
    }

    pub(crate) fn say(&mut self, object: &Object, what: impl Into<String>) {
        self.faults.push(Fault {
            build: self.build.name.clone(),
            object: object.title(),
            what: what.into(),
        });
    }

    pub(crate) fn unless(&mut self, holds: bool, object: &Object, what: impl Into<String>) {
        if !holds {
            self.say(object, what);
        }
    }

    /// A fault of the build as a whole.
    pub(crate) fn lacks(&mut self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.faults.push(Fault {
                build: self.build.name.clone(),
                object: "the build".to_owned(),
                what: what.into(),
            });
        }
    }
}

/// All faults of all builds, sorted.
#[must_use]
pub fn check(builds: &[Build]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for build in builds {
        let mut find = Finder::new(build);
        selectors::check(&mut find);
        references::check(&mut find);
        security::check(&mut find);
        running::check(&mut find);
        labelling::check(&mut find);
        network::check(&mut find);
        promises::check(&mut find);
        settled(&mut find);
        faults.append(&mut find.faults);
    }
    faults.extend(network::unknown_labels(builds));
    faults.sort();
    faults.dedup();
    faults
}

/// A second `kubectl apply` finds nothing to change. It drops what a strategy of no type has, and so patches that
/// each time.
fn settled(find: &mut Finder) {
    for object in &find.build.objects {
        for strategy in ["strategy", "updateStrategy"] {
            let of = |field| object.at(&["spec", strategy, field]).is_some();
            find.unless(
                !of("rollingUpdate") || of("type"),
                object,
                format!("its {strategy} has no type, so that each apply changes it"),
            );
        }
    }
}

/// Why there are no builds to look at.
#[derive(Debug)]
pub enum RenderError {
    /// Neither kubectl nor kustomize is there.
    NoTool(String),
    /// Something does not build, or what was built cannot be read.
    Failed(String),
}

/// Builds everything in the checkout at `root`.
///
/// # Errors
/// Where there is no tool for it, a build fails, or the machine has no folder for temporary files.
pub fn render(root: &Path) -> Result<Vec<(String, String)>, RenderError> {
    let failed = |error: std::io::Error| RenderError::Failed(error.to_string());
    let out = tempfile::tempdir().map_err(failed)?;
    let ran = Command::new(root.join("k8s/checks/render.sh"))
        .arg(out.path())
        .output()
        .map_err(failed)?;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    match ran.status.code() {
        Some(0) => {}
        Some(2) => return Err(RenderError::NoTool(said)),
        _ => return Err(RenderError::Failed(said)),
    }
    let mut builds = Vec::new();
    for file in std::fs::read_dir(out.path()).map_err(failed)? {
        let file = file.map_err(failed)?;
        let text = std::fs::read_to_string(file.path()).map_err(failed)?;
        let name = file.file_name().to_string_lossy().replace(".yaml", "");
        builds.push((name, text));
    }
    builds.sort();
    Ok(builds)
}
