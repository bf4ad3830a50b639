//! Objects of the API, and the pods and containers that workloads make.

use std::collections::BTreeMap;

use drift::tree::{Node, Value};

/// Labels, or what a selector asks for.
pub type Labels = BTreeMap<String, String>;

/// One object of a build.
#[derive(Clone, Debug)]
pub struct Object(pub Node);

impl Object {
    /// Such as `Deployment`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.get("kind").and_then(Node::text).unwrap_or("")
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.at(&["metadata", "name"])
            .and_then(Node::text)
            .unwrap_or("")
    }

    /// Its namespace; empty for what has none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.at(&["metadata", "namespace"])
            .and_then(Node::text)
            .unwrap_or("")
    }

    /// `Kind namespace/name`, as faults name it.
    #[must_use]
    pub fn title(&self) -> String {
        match self.namespace() {
            "" => format!("{} {}", self.kind(), self.name()),
            namespace => format!("{} {namespace}/{}", self.kind(), self.name()),
        }
    }

    /// The value at the end of `path`.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        self.0.at(path)
    }

    /// Its own labels.
    #[must_use]
    pub fn labels(&self) -> Labels {
        labels(self.at(&["metadata", "labels"]))
    }

    /// The pods it makes, where it is a workload.
    #[must_use]
    pub fn pod(&self) -> Option<Pod<'_>> {
        let workload = ["DaemonSet", "Deployment", "Job", "StatefulSet"];
        if !workload.contains(&self.kind()) {
            return None;
        }
        Some(Pod {
            owner: self,
            labels: labels(self.at(&["spec", "template", "metadata", "labels"])),
            spec: self.at(&["spec", "template", "spec"])?,
        })
    }
}

/// What a workload makes pods from.
#[derive(Clone, Debug)]
pub struct Pod<'a> {
    /// The workload.
    pub owner: &'a Object,
    /// Labels of the pods.
    pub labels: Labels,
    /// `spec` of the pods.
    pub spec: &'a Node,
}

impl<'a> Pod<'a> {
    /// Its containers, those that only prepare the pod first.
    pub fn containers(&self) -> impl Iterator<Item = Container<'a>> + use<'a> {
        ["initContainers", "containers"]
            .into_iter()
            .flat_map(|list| self.spec.get(list).map_or(&[][..], Node::items))
            .map(Container)
    }

    /// An annotation of the pods.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        let path = ["spec", "template", "metadata", "annotations", key];
        self.owner.at(&path).and_then(Node::text)
    }

    /// Whether pods listen on this port, by its number or name.
    #[must_use]
    pub fn listens_on(&self, port: &str, protocol: &str) -> bool {
        self.containers().any(|container| {
            container.ports().any(|(name, number, on)| {
                on == protocol && (name == Some(port) || number.to_string() == port)
            })
        })
    }
}

/// One container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a>(pub &'a Node);

impl<'a> Container<'a> {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.0.get("name").and_then(Node::text).unwrap_or("")
    }

    /// Its image, with registry and tag.
    #[must_use]
    pub fn image(self) -> &'a str {
        self.0.get("image").and_then(Node::text).unwrap_or("")
    }

    /// Name, number and protocol of each port.
    pub fn ports(self) -> impl Iterator<Item = (Option<&'a str>, u16, &'a str)> {
        let ports = self.0.get("ports").map_or(&[][..], Node::items);
        ports.iter().map(|port| {
            let protocol = port.get("protocol").and_then(Node::text).unwrap_or("TCP");
            let number = port.get("containerPort").and_then(whole).unwrap_or(0);
            (port.get("name").and_then(Node::text), number, protocol)
        })
    }

    /// Its own variables, in their order: name and what it comes from.
    pub fn env(self) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let env = self.0.get("env").map_or(&[][..], Node::items);
        env.iter()
            .filter_map(|entry| Some((entry.get("name")?.text()?, entry)))
    }

    /// The probes that it has, by the name of their field.
    pub fn probes(self) -> impl Iterator<Item = (&'static str, &'a Node)> {
        ["startupProbe", "livenessProbe", "readinessProbe"]
            .into_iter()
            .filter_map(move |probe| Some((probe, self.0.get(probe)?)))
    }
}

/// The entries of a map of texts.
#[must_use]
pub fn labels(node: Option<&Node>) -> Labels {
    let entries = node.map_or(&[][..], Node::entries);
    entries
        .iter()
        .map(|(key, value)| (key.clone(), scalar(value)))
        .collect()
}

/// Whether whoever has `labels` is meant by a selector that asks for `wanted`.
#[must_use]
pub fn matches(wanted: &Labels, labels: &Labels) -> bool {
    wanted
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

/// A text, number or truth value, as it is written.
#[must_use]
pub fn scalar(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}

/// A number that is a port.
#[must_use]
pub fn whole(node: &Node) -> Option<u16> {
    scalar(node).parse().ok()
}

/// Whether a value is `true`.
#[must_use]
pub fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| matches!(node.value, Value::Bool(true)))
}

/// Whether a value is `false`, and stands there.
#[must_use]
pub fn is_false(node: Option<&Node>) -> bool {
    node.is_some_and(|node| matches!(node.value, Value::Bool(false)))
}
