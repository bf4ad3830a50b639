//! Network policies as a cluster enforces them: each edge of the service map is open, and nothing else between pods.

use std::collections::BTreeSet;

use drift::tree::Node;

use crate::edges::running;
use crate::object::{Labels, Object, Pod, labels, matches, scalar, whole};
use crate::{Build, Fault, Finder};

/// Edges of programs that are not ours, by the label `app`: from, to, and the port of the pod.
const OF_OTHERS: [(&str, &str, u16); 5] = [
    ("grafana", "prometheus", 9090),
    ("nginx-edge", "productpage", 9080),
    ("prometheus", "otel-collector", 8889),
    ("prometheus", "traefik", 9100),
    ("traefik", "productpage", 9080),
];
/// Where a node's cache of names answers.
const DNS: u16 = 53;

#[derive(Clone, Copy, PartialEq)]
enum Way {
    In,
    Out,
}

type Connection = (String, String, u16, String);

pub(crate) fn check(find: &mut Finder) {
    let build = find.build;
    if build.of("NetworkPolicy").next().is_none() {
        return;
    }
    let pods: Vec<Pod> = build
        .pods()
        .filter(|pod| pod.owner.namespace() == "bookwatch")
        .collect();
    let edges = edges(build, &pods);
    let denies = build.of("NetworkPolicy").any(|policy| {
        let spec = |key| policy.at(&["spec", key]);
        labels(spec("podSelector").and_then(|s| s.get("matchLabels"))).is_empty()
            && spec("policyTypes").is_some_and(|types| types.texts() == ["Ingress", "Egress"])
            && spec("ingress").or(spec("egress")).is_none()
    });
    find.lacks(denies, "no policy denies what no other allows");
    for from in &pods {
        let names = allowed(build, from, Way::Out, None, DNS, "UDP");
        find.unless(names, from.owner, "no policy lets it ask for names");
        for to in &pods {
            if from.owner.title() == to.owner.title() {
                continue;
            }
            for (_, port, protocol) in to.containers().flat_map(crate::object::Container::ports) {
                let edge = (
                    from.owner.title(),
                    to.owner.title(),
                    port,
                    protocol.to_owned(),
                );
                let out = allowed(build, from, Way::Out, Some(to), port, protocol);
                let into = allowed(build, to, Way::In, Some(from), port, protocol);
                let connection = format!("{} on {port}/{protocol}", to.owner.title());
                if edges.contains(&edge) {
                    find.unless(
                        out,
                        from.owner,
                        format!("no policy lets it out to {connection}"),
                    );
                    find.unless(
                        into,
                        from.owner,
                        format!("no policy lets it in to {connection}"),
                    );
                } else {
                    find.unless(
                        !(out && into),
                        from.owner,
                        format!("policies let it reach {connection}, which is no edge of the service map"),
                    );
                }
            }
        }
    }
}

fn edges(build: &Build, pods: &[Pod]) -> BTreeSet<Connection> {
    let mut edges = BTreeSet::new();
    for program in running(build).0 {
        for edge in program.edges() {
            let namespace = program.pod.owner.namespace();
            let name = edge.host.split('.').next().unwrap_or_default();
            let Some(service) = build.find("Service", namespace, name) else {
                continue;
            };
            let wanted = labels(service.at(&["spec", "selector"]));
            for to in pods.iter().filter(|pod| matches(&wanted, &pod.labels)) {
                let Some(port) = target(service, to, edge.port, edge.protocol) else {
                    continue;
                };
                edges.insert((
                    program.pod.owner.title(),
                    to.owner.title(),
                    port,
                    edge.protocol.to_owned(),
                ));
            }
        }
    }
    let app = |pod: &Pod| pod.labels.get("app").cloned().unwrap_or_default();
    for (from, to, port) in OF_OTHERS {
        for sender in pods.iter().filter(|pod| app(pod) == from) {
            for taker in pods.iter().filter(|pod| app(pod) == to) {
                edges.insert((
                    sender.owner.title(),
                    taker.owner.title(),
                    port,
                    "TCP".to_owned(),
                ));
            }
        }
    }
    edges
}

/// The port of the pod behind a port of a Service.
fn target(service: &Object, pod: &Pod, port: u16, protocol: &str) -> Option<u16> {
    let ports = service.at(&["spec", "ports"]).map_or(&[][..], Node::items);
    let entry = ports.iter().find(|entry| {
        entry.get("port").and_then(whole) == Some(port)
            && entry.get("protocol").and_then(Node::text).unwrap_or("TCP") == protocol
    })?;
    let target = scalar(entry.get("targetPort").or(entry.get("port"))?);
    let mut ports = pod.containers().flat_map(crate::object::Container::ports);
    ports
        .find(|(name, number, _)| *name == Some(&target) || number.to_string() == target)
        .map(|(_, number, _)| number)
}

/// Whether some policy lets `pod` send to, or hear from, `other` (anything at all where there is none).
fn allowed(build: &Build, pod: &Pod, way: Way, other: Option<&Pod>, port: u16, on: &str) -> bool {
    let (kind, rules, peers) = match way {
        Way::In => ("Ingress", "ingress", "from"),
        Way::Out => ("Egress", "egress", "to"),
    };
    let mut closed = false;
    for policy in build.of("NetworkPolicy") {
        let types = policy
            .at(&["spec", "policyTypes"])
            .map(Node::texts)
            .unwrap_or_default();
        let selected = labels(policy.at(&["spec", "podSelector", "matchLabels"]));
        if policy.namespace() != pod.owner.namespace()
            || !types.contains(&kind)
            || !matches(&selected, &pod.labels)
        {
            continue;
        }
        closed = true;
        for rule in policy.at(&["spec", rules]).map_or(&[][..], Node::items) {
            let of_port = rule.get("ports").is_none_or(|ports| {
                ports.items().iter().any(|entry| {
                    let protocol = entry.get("protocol").and_then(Node::text).unwrap_or("TCP");
                    protocol == on && entry.get("port").and_then(whole).is_none_or(|p| p == port)
                })
            });
            let of_peer = match (rule.get(peers), other) {
                (None, _) | (Some(_), None) => true,
                (Some(list), Some(other)) => {
                    list.items().iter().any(|peer| is_peer(peer, pod, other))
                }
            };
            if of_port && of_peer {
                return true;
            }
        }
    }
    !closed
}

fn is_peer(peer: &Node, pod: &Pod, other: &Pod) -> bool {
    if peer.get("ipBlock").is_some() {
        return false;
    }
    let namespace = other.owner.namespace();
    let here = match peer.get("namespaceSelector") {
        None => namespace == pod.owner.namespace(),
        Some(selector) => {
            let mut of_namespace = Labels::new();
            of_namespace.insert(
                "kubernetes.io/metadata.name".to_owned(),
                namespace.to_owned(),
            );
            matches(&labels(selector.get("matchLabels")), &of_namespace)
        }
    };
    here && matches(
        &labels(peer.at(&["podSelector", "matchLabels"])),
        &other.labels,
    )
}

/// Selectors of policies that match no pod of any build: a misspelt one would close what it is to open.
#[must_use]
pub fn unknown_labels(builds: &[Build]) -> Vec<Fault> {
    let pods: Vec<Labels> = builds
        .iter()
        .flat_map(Build::pods)
        .map(|pod| pod.labels)
        .collect();
    let mut faults = Vec::new();
    for build in builds {
        for policy in build.of("NetworkPolicy") {
            policy.0.visit(&mut |path, node| {
                let selector = path.last() == Some(&"podSelector");
                let of_another = ["k8s-app"];
                let wanted = labels(node.get("matchLabels"));
                if !selector || wanted.keys().any(|key| of_another.contains(&key.as_str())) {
                    return;
                }
                if !pods.iter().any(|labels| matches(&wanted, labels)) {
                    faults.push(Fault {
                        build: build.name.clone(),
                        object: policy.title(),
                        what: format!("no pod of any build has the labels {wanted:?}"),
                    });
                }
            });
        }
    }
    faults
}
