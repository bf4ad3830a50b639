//! Who speaks to whom: the edges of the service map, from how the programs are set.

use std::collections::BTreeMap;
use std::net::IpAddr;

use drift::tree::Node;

use crate::object::{Container, Pod, labels, scalar};
use crate::programs::{Settings, of_image};
use crate::{Build, Fault};

/// One program of ours in one container.
pub struct Running<'b> {
    /// The pod it is in.
    pub pod: Pod<'b>,
    /// The container it is in.
    pub container: Container<'b>,
    /// How it is set.
    pub settings: Settings,
}

/// What a program sends to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Name of the host, as the program is told it.
    pub host: String,
    /// Port of the host.
    pub port: u16,
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
}

/// All programs of ours in a build, and what each that cannot start would say.
#[must_use]
pub fn running(build: &Build) -> (Vec<Running<'_>>, Vec<Fault>) {
    let mut all = Vec::new();
    let mut faults = Vec::new();
    for pod in build.pods() {
        for container in pod.containers() {
            let Some(program) = of_image(container.image()) else {
                continue;
            };
            let args: Vec<String> = container
                .0
                .get("args")
                .map_or(&[][..], Node::items)
                .iter()
                .map(scalar)
                .collect();
            match program.start(&args, &environment(build, &pod, container)) {
                Ok(settings) => all.push(Running {
                    pod: pod.clone(),
                    container,
                    settings,
                }),
                Err(said) => faults.extend(said.into_iter().map(|what| Fault {
                    build: build.name.clone(),
                    object: pod.owner.title(),
                    what: format!("container {}: {what}", container.name()),
                })),
            }
        }
    }
    (all, faults)
}

/// The variables of a container as the kubelet would make them; what only a cluster knows is made up.
#[must_use]
pub fn environment(build: &Build, pod: &Pod, container: Container) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for source in container.0.get("envFrom").map_or(&[][..], Node::items) {
        if let Some(name) = source.at(&["configMapRef", "name"]).and_then(Node::text)
            && let Some(map) = build.find("ConfigMap", pod.owner.namespace(), name)
        {
            env.extend(labels(map.at(&["data"])));
        }
    }
    for (name, entry) in container.env() {
        let value = match entry.get("valueFrom") {
            None => entry.get("value").map(scalar),
            Some(from) => Some(made_up(build, pod, from)),
        };
        env.insert(name.to_owned(), value.unwrap_or_default());
    }
    env
}

fn made_up(build: &Build, pod: &Pod, from: &Node) -> String {
    if let Some(path) = from.at(&["fieldRef", "fieldPath"]).and_then(Node::text) {
        return match path {
            "status.hostIP" | "status.podIP" => "192.0.2.1".to_owned(),
            "metadata.uid" => "00000000-0000-4000-8000-000000000000".to_owned(),
            _ => {
                let key = path.split('\'').nth(1).unwrap_or(path);
                pod.labels
                    .get(key)
                    .cloned()
                    .unwrap_or_else(|| "node-1".to_owned())
            }
        };
    }
    if let Some(reference) = from.get("configMapKeyRef") {
        let text = |key| reference.get(key).and_then(Node::text).unwrap_or("");
        let map = build.find("ConfigMap", pod.owner.namespace(), text("name"));
        return map
            .and_then(|map| map.at(&["data", text("key")]))
            .map(scalar)
            .unwrap_or_default();
    }
    // A secret: as long as any that is asked for.
    "0123456789abcdef".repeat(4)
}

impl Running<'_> {
    /// What it sends to, by name; addresses of nodes and of AWS have no name in the cluster.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        let tcp = |host: String, port| Edge {
            host,
            port,
            protocol: "TCP",
        };
        for backend in self.settings.ending("_hostname") {
            let value = |end| self.settings.get(&format!("{backend}{end}"));
            if let (Some(hosts), Some(port)) = (value("_hostname"), value("_service_port")) {
                let port = port.parse().unwrap_or(0);
                edges.extend(hosts.split(',').map(|host| tcp(host.to_owned(), port)));
            }
        }
        for url in ["dynamodb_endpoint", "host", "target"] {
            let url = self.settings.get(url).unwrap_or_default();
            let Some((_, authority)) = url.split_once("://") else {
                continue;
            };
            let authority = authority.split('/').next().unwrap_or(authority);
            let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
            edges.push(tcp(host.to_owned(), port.parse().unwrap_or(0)));
        }
        if let Some(host) = self.settings.get("dd_agent_host") {
            edges.push(tcp(host.clone(), 4318));
            edges.push(Edge {
                host,
                port: 8125,
                protocol: "UDP",
            });
        }
        edges.retain(|edge| edge.host.parse::<IpAddr>().is_err());
        edges
    }
}
