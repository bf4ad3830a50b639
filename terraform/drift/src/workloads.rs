//! What Terraform makes for the workloads against the workloads: a repository for each image that is built and run, and
//! an identity for each service account, which is bound by its name.

use std::collections::BTreeSet;

use crate::known::unknown;
use crate::tree::Node;
use crate::{Document, Fault, Parsed, Tree, hcl, yaml};

/// Where the images are built.
const BAKE: &str = "docker-bake.hcl";
/// Where the manifests are told which registry.
const OVERLAY: &str = "k8s/overlays/eks/kustomization.yaml";
/// Who may reach AWS from a pod there.
const DOOR: &str = "k8s/overlays/eks/network-policies.yaml";
/// What stands before the name of an image in the manifests.
const OURS: &str = "bookwatch/";

/// All that differs.
#[must_use]
pub fn check(tree: &Tree, parsed: &Parsed) -> Vec<Fault> {
    let services = parsed.json("services.json");
    let mut faults = images(tree, services);
    faults.extend(accounts(tree, services));
    faults.extend(doors(tree, services));
    faults
}

/// The repositories that `terraform/cluster` makes, each with the service that it is for.
fn repositories(services: &Document) -> Vec<(&str, &Node)> {
    let services = services.root.entries().iter();
    services
        .map(|(name, service)| {
            let image = service.get("image").and_then(Node::text);
            (image.unwrap_or(name), service)
        })
        .collect()
}

fn documents(tree: &Tree, file: &str) -> Vec<Document> {
    let roots = yaml::parse(tree.text(file)).unwrap_or_default();
    let file = file.to_owned();
    let document = |root| Document {
        file: file.clone(),
        root,
    };
    roots.into_iter().map(document).collect()
}

fn images(tree: &Tree, services: &Document) -> Vec<Fault> {
    let made = repositories(services);
    let names = || made.iter().map(|(name, _)| *name);
    let mut faults = Vec::new();
    let missing = |document: &Document, node: &Node, name: &str, what: &str| {
        if names().any(|made| made == name) {
            return None;
        }
        let what = format!("{name} is {what}, and has no repository in services.json");
        Some(document.fault(node, unknown(&what, names(), name)))
    };
    let mut built = BTreeSet::new();
    if let Ok(root) = hcl::parse(tree.text(BAKE)) {
        let bake = Document {
            file: BAKE.to_owned(),
            root,
        };
        let programs = bake.root.at(&["target", "image", "matrix", "program"]);
        for program in programs.map_or(&[][..], Node::items) {
            let name = program.text().unwrap_or_default();
            built.insert(name.to_owned());
            faults.extend(missing(&bake, program, name, "built and pushed"));
        }
    }
    for overlay in documents(tree, OVERLAY) {
        for image in overlay.root.get("images").map_or(&[][..], Node::items) {
            let name = image.get("name").and_then(Node::text).unwrap_or_default();
            let name = name.strip_prefix(OURS).unwrap_or(name);
            faults.extend(missing(&overlay, image, name, "run from ECR"));
            let moved = image.get("newName").and_then(Node::text);
            if !moved.is_some_and(|moved| moved.ends_with(&format!("/{OURS}{name}"))) {
                faults.push(
                    overlay.fault(image, format!("the repository of {name} is {OURS}{name}")),
                );
            }
        }
    }
    for (name, service) in made.iter().filter(|(name, _)| !built.contains(*name)) {
        let what = format!("nothing is built for the repository {name}");
        let built = built.iter().map(String::as_str);
        faults.push(services.fault(service, unknown(&what, built, name)));
    }
    faults
}

/// The service accounts of the manifests. A suffix that kustomize appends makes one of each.
fn declared(tree: &Tree) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut suffixes = BTreeSet::new();
    for (file, _) in tree.files(&["k8s"], ".yaml") {
        for document in documents(tree, file) {
            let text = |path: &[&str]| document.root.at(path).and_then(Node::text);
            match text(&["kind"]) {
                Some("ServiceAccount") => {
                    names.extend(text(&["metadata", "name"]).map(str::to_owned))
                }
                Some("Component" | "Kustomization") => {
                    suffixes.extend(text(&["nameSuffix"]).map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    let moved = names
        .iter()
        .flat_map(|name| suffixes.iter().map(move |suffix| format!("{name}{suffix}")))
        .collect::<Vec<_>>();
    names.extend(moved);
    names
}

fn accounts(tree: &Tree, services: &Document) -> Vec<Fault> {
    let declared = declared(tree);
    let mut faults = Vec::new();
    for (service, node) in services.root.entries() {
        if node.get("tables").is_none() {
            continue;
        }
        let named = node.get("service_accounts").map_or(&[][..], Node::items);
        let named = named
            .iter()
            .map(|account| (account, account.text().unwrap_or_default()));
        let own = named
            .clone()
            .next()
            .is_none()
            .then_some((node, service.as_str()));
        for (at, account) in named.chain(own) {
            if !declared.contains(account) {
                let what = format!("no manifest has the service account {account} of {service}");
                let names = declared.iter().map(String::as_str);
                faults.push(services.fault(at, unknown(&what, names, account)));
            }
        }
    }
    faults
}

/// A role helps nobody whose packets to AWS are dropped.
fn doors(tree: &Tree, services: &Document) -> Vec<Fault> {
    let mut faults = Vec::new();
    for policy in documents(tree, DOOR) {
        let pods = policy.root.at(&["spec", "podSelector", "matchExpressions"]);
        let apps = pods.and_then(|rules| rules.items().first()?.get("values"));
        let let_out = apps.map(Node::texts).unwrap_or_default();
        let services = services.root.entries().iter();
        for (name, _) in services.filter(|(_, service)| service.get("tables").is_some()) {
            if !let_out.contains(&name.as_str()) {
                let what = format!("{name} has tables, and may not reach them");
                faults.push(policy.fault(apps.unwrap_or(&policy.root), what));
            }
        }
    }
    faults
}
