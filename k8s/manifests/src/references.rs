//! What is referred to by name exists: ConfigMaps and Secrets with their keys, accounts, claims, volumes, roles, Services.

use drift::tree::Node;

use crate::Finder;
use crate::edges::running;
use crate::object::{Container, Object, Pod, scalar, whole};

/// Secrets that no build has, because the user makes them: each README that needs one says how. Namespace, name, keys.
pub const SECRETS: [(&str, &str, &[&str]); 4] = [
    ("bookwatch", "datadog-secret", &["api-key"]),
    ("bookwatch", "productpage-session", &["session-key"]),
    ("datadog", "datadog-cluster-agent", &["token"]),
    ("datadog", "datadog-secret", &["api-key", "app-key"]),
];

pub(crate) fn check(find: &mut Finder) {
    let build = find.build;
    for pod in build.pods() {
        account(find, &pod);
        volumes(find, &pod);
        for container in pod.containers() {
            variables(find, &pod, container);
            for (_, probe) in container.probes() {
                probe_port(find, &pod, container, probe);
            }
        }
    }
    bindings(find);
    routes(find);
    for program in running(build).0 {
        for edge in program.edges() {
            let owner = program.pod.owner;
            if let Err(what) =
                service_port(build, owner.namespace(), &edge.host, &edge.port.to_string())
            {
                find.say(owner, what);
            }
        }
    }
}

fn account(find: &mut Finder, pod: &Pod) {
    let owner = pod.owner;
    let Some(name) = pod.spec.get("serviceAccountName").and_then(Node::text) else {
        return find.say(owner, "no serviceAccountName: it would run as `default`");
    };
    let account = find.build.find("ServiceAccount", owner.namespace(), name);
    find.unless(
        account.is_some(),
        owner,
        format!("ServiceAccount {name} is not there"),
    );
}

fn variables(find: &mut Finder, pod: &Pod, container: Container) {
    let whole_maps = container.0.get("envFrom").map_or(&[][..], Node::items);
    for (kind, node) in [("ConfigMap", "configMapRef"), ("Secret", "secretRef")] {
        for reference in whole_maps.iter().filter_map(|source| source.get(node)) {
            exists(find, pod, kind, reference.get("name"), &[], reference);
        }
    }
    for (_, entry) in container.env() {
        for (kind, node) in [("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")] {
            if let Some(reference) = entry.at(&["valueFrom", node]) {
                let key = reference.get("key").map(scalar).unwrap_or_default();
                exists(find, pod, kind, reference.get("name"), &[key], reference);
            }
        }
    }
}

fn exists(
    find: &mut Finder,
    pod: &Pod,
    kind: &str,
    name: Option<&Node>,
    keys: &[String],
    reference: &Node,
) {
    let owner = pod.owner;
    let name = name.map(scalar).unwrap_or_default();
    let optional = crate::object::is_true(reference.get("optional"));
    let missing = |key: &str| format!("{kind} {name} has no key {key}");
    if let Some(object) = find.build.find(kind, owner.namespace(), &name) {
        for key in keys {
            let there = ["data", "stringData", "binaryData"]
                .iter()
                .any(|data| object.at(&[data, key]).is_some());
            find.unless(there, owner, missing(key));
        }
        return;
    }
    let documented = SECRETS
        .iter()
        .find(|(namespace, known, _)| *namespace == owner.namespace() && *known == name);
    match documented {
        Some((_, _, known)) if kind == "Secret" => {
            for key in keys {
                find.unless(known.contains(&key.as_str()), owner, missing(key));
            }
        }
        // Where it is optional it must still be one that somebody could know of.
        _ => find.say(
            owner,
            format!(
                "{kind} {name} is not there{}",
                if optional {
                    ", and nobody is told to make it"
                } else {
                    ""
                }
            ),
        ),
    }
}

fn volumes(find: &mut Finder, pod: &Pod) {
    let owner = pod.owner;
    let volumes = pod.spec.get("volumes").map_or(&[][..], Node::items);
    let name_of = |node: &Node| node.get("name").map(scalar).unwrap_or_default();
    let mut mounted = Vec::new();
    for container in pod.containers() {
        for mount in container.0.get("volumeMounts").map_or(&[][..], Node::items) {
            let name = name_of(mount);
            let there = volumes.iter().any(|volume| name_of(volume) == name);
            find.unless(
                there,
                owner,
                format!("volume {name} is mounted and not there"),
            );
            mounted.push(name);
        }
    }
    for volume in volumes {
        let name = name_of(volume);
        find.unless(
            mounted.contains(&name),
            owner,
            format!("volume {name} is nowhere mounted"),
        );
        if let Some(claim) = volume
            .at(&["persistentVolumeClaim", "claimName"])
            .map(scalar)
        {
            let there = find
                .build
                .find("PersistentVolumeClaim", owner.namespace(), &claim);
            find.unless(
                there.is_some(),
                owner,
                format!("claim {claim} is not there"),
            );
        }
        if let Some(directory) = volume.get("emptyDir") {
            find.unless(
                directory.get("sizeLimit").is_some()
                    || directory.get("medium").is_some()
                    || owner.namespace() != "bookwatch",
                owner,
                format!("volume {name} may fill the node's disk: give it a sizeLimit"),
            );
        }
        let projected = volume
            .at(&["projected", "sources"])
            .map_or(&[][..], Node::items);
        for source in projected.iter().chain([volume]) {
            for (kind, field, called) in [
                ("ConfigMap", "configMap", "name"),
                ("Secret", "secret", "secretName"),
            ] {
                let Some(reference) = source.get(field) else {
                    continue;
                };
                let items = reference.get("items").map_or(&[][..], Node::items);
                let keys: Vec<String> = items
                    .iter()
                    .filter_map(|item| item.get("key").map(scalar))
                    .collect();
                let named = reference.get(called).or(reference.get("name"));
                exists(find, pod, kind, named, &keys, reference);
            }
        }
    }
}

fn probe_port(find: &mut Finder, pod: &Pod, container: Container, probe: &Node) {
    for way in ["httpGet", "tcpSocket"] {
        let Some(port) = probe.at(&[way, "port"]) else {
            continue;
        };
        if whole(port).is_none() {
            let name = scalar(port);
            let there = container.ports().any(|(known, _, _)| known == Some(&name));
            find.unless(
                there,
                pod.owner,
                format!(
                    "container {}: a probe asks port {name}, which it has not",
                    container.name()
                ),
            );
        }
    }
}

fn bindings(find: &mut Finder) {
    let build = find.build;
    for binding in build
        .of("RoleBinding")
        .chain(build.of("ClusterRoleBinding"))
    {
        let role = |key| {
            binding
                .at(&["roleRef", key])
                .map(scalar)
                .unwrap_or_default()
        };
        let (kind, name) = (role("kind"), role("name"));
        let namespace = if kind == "Role" {
            binding.namespace()
        } else {
            ""
        };
        // The API server brings these.
        let of_the_cluster = [
            "extension-apiserver-authentication-reader",
            "system:auth-delegator",
        ];
        let there = build.find(&kind, namespace, &name).is_some();
        find.unless(
            there || of_the_cluster.contains(&name.as_str()),
            binding,
            format!("{kind} {name} is not there"),
        );
        for subject in binding.at(&["subjects"]).map_or(&[][..], Node::items) {
            if subject.get("kind").and_then(Node::text) != Some("ServiceAccount") {
                continue;
            }
            let text = |key| subject.get(key).and_then(Node::text).unwrap_or("");
            let (namespace, name) = (text("namespace"), text("name"));
            // What others install, and components that are alone on the base here.
            let elsewhere = [("kube-system", "horizontal-pod-autoscaler")];
            let known = build.find("ServiceAccount", namespace, name).is_some();
            find.unless(
                known || elsewhere.contains(&(namespace, name)),
                binding,
                format!("ServiceAccount {namespace}/{name} is not there"),
            );
        }
    }
}

/// Backends of Ingress and IngressRoute.
fn routes(find: &mut Finder) {
    let build = find.build;
    for object in build.of("Ingress").chain(build.of("IngressRoute")) {
        let mut backends: Vec<(String, String)> = Vec::new();
        object.0.visit(&mut |path, node| {
            let kind = object.kind();
            let last = path.last().copied();
            if kind == "Ingress" && last == Some("service") {
                let port = node.get("port");
                let port = port.and_then(|p| p.get("number").or(p.get("name")));
                backends.push((
                    node.get("name").map(scalar).unwrap_or_default(),
                    port.map(scalar).unwrap_or_default(),
                ));
            }
            if kind == "IngressRoute"
                && last == Some("services")
                && let (Some(name), Some(port)) = (node.get("name"), node.get("port"))
            {
                backends.push((scalar(name), scalar(port)));
            }
        });
        find.unless(!backends.is_empty(), object, "it leads nowhere");
        for (name, port) in backends {
            if let Err(what) = service_port(build, object.namespace(), &name, &port) {
                find.say(object, what);
            }
        }
    }
}

/// Whether a Service of that name has that port, by number or name.
fn service_port(
    build: &crate::Build,
    namespace: &str,
    host: &str,
    port: &str,
) -> Result<(), String> {
    let mut parts = host.split('.');
    let name = parts.next().unwrap_or(host);
    let namespace = parts.next().unwrap_or(namespace);
    let Some(service) = build.find("Service", namespace, name) else {
        return Err(format!("Service {namespace}/{name} is not there"));
    };
    if has_port(service, port) {
        Ok(())
    } else {
        Err(format!("Service {namespace}/{name} has no port {port}"))
    }
}

fn has_port(service: &Object, port: &str) -> bool {
    let ports = service.at(&["spec", "ports"]).map_or(&[][..], Node::items);
    ports.iter().any(|known| {
        ["name", "port"]
            .iter()
            .any(|key| known.get(key).map(scalar).as_deref() == Some(port))
    })
}
