//! The real manifests must hold; and each fault that is planted in a rendered copy of them must be told.

mod answers;
mod documents;
mod network;
mod objects;
mod pods;
mod programs;
mod promises;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use manifests::{Build, Fault, RenderError, check, render};

static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));

/// What kustomize makes of everything; `None` where there is no kustomize.
static RENDERED: LazyLock<Option<BTreeMap<String, String>>> =
    LazyLock::new(|| match render(&ROOT) {
        Ok(builds) => Some(builds.into_iter().collect()),
        Err(RenderError::Failed(said)) => panic!("the manifests do not build: {said}"),
        Err(RenderError::NoTool(said)) => {
            assert!(!in_ci(), "{said}");
            None
        }
    });

#[expect(
    clippy::disallowed_methods,
    reason = "CI is told to every test by its variable"
)]
fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// The rendered texts by build; where nothing renders them a word that the test is left out.
#[expect(clippy::print_stderr, reason = "whoever reads the test's output")]
fn rendered() -> Option<&'static BTreeMap<String, String>> {
    if RENDERED.is_none() {
        eprintln!("LEFT OUT: neither kubectl nor kustomize is there to render k8s/");
    }
    RENDERED.as_ref()
}

/// Plants one fault in one build and expects to be told of it.
#[track_caller]
fn told(build: &str, old: &str, new: &str, what: &str) {
    let Some(rendered) = rendered() else { return };
    let text = rendered.get(build).expect("a build of that name");
    assert!(text.contains(old), "nothing to plant the fault in: {old}");
    let planted = Build::parse(build, &text.replacen(old, new, 1)).expect("YAML");
    let faults = check(&[planted]);
    assert!(
        faults.iter().any(|fault| fault.to_string().contains(what)),
        "`{what}` is to be told, and it is: {faults:#?}"
    );
}

/// The same in the object that is named, such as `Deployment mymetric`.
#[track_caller]
fn told_in(build: &str, object: &str, old: &str, new: &str, what: &str) {
    let Some(rendered) = rendered() else { return };
    let text = rendered.get(build).expect("a build of that name");
    let (kind, name) = object.split_once(' ').expect("a kind and a name");
    let is_it = |document: &&str| {
        document.contains(&format!("\nkind: {kind}\n"))
            && document.contains(&format!("\n  name: {name}\n"))
    };
    let document = text
        .split("\n---\n")
        .find(is_it)
        .expect("an object of that kind and name");
    assert!(
        document.contains(old),
        "nothing to plant the fault in: {old}"
    );
    told(build, document, &document.replacen(old, new, 1), what);
}

#[test]
fn nothing_is_wrong() {
    let Some(rendered) = rendered() else { return };
    let builds: Vec<_> = rendered
        .iter()
        .map(|(name, text)| Build::parse(name, text).expect("YAML"))
        .collect();
    assert!(builds.len() > 20, "{} builds", builds.len());
    let faults = check(&builds);
    let list: Vec<_> = faults.iter().map(Fault::to_string).collect();
    assert!(faults.is_empty(), "\n{}", list.join("\n"));
}
