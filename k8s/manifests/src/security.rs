//! Pod security `restricted` as the API server checks it, and what a careful reader asks for beyond: a root file system that
//! is read-only, no token that is not used, and limits.

use drift::tree::Node;

use crate::Finder;
use crate::object::{Container, Object, Pod, is_false, is_true, scalar};

/// Volumes that `restricted` allows.
const VOLUMES: [&str; 7] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "projected",
    "secret",
];

pub(crate) fn check(find: &mut Finder) {
    let build = find.build;
    for pod in build.pods() {
        let namespace = build.find("Namespace", "", pod.owner.namespace());
        find.unless(
            namespace.is_some(),
            pod.owner,
            format!(
                "namespace {} is in no object of this build",
                pod.owner.namespace()
            ),
        );
        let enforced = namespace
            .map(Object::labels)
            .and_then(|labels| labels.get("pod-security.kubernetes.io/enforce").cloned());
        match enforced.as_deref() {
            Some("restricted") => restricted(find, &pod),
            Some("privileged") => {}
            _ => find.say(pod.owner, "its namespace enforces no pod security"),
        }
        for container in pod.containers() {
            resources(find, &pod, container);
            image(find, &pod, container);
        }
    }
}

fn restricted(find: &mut Finder, pod: &Pod) {
    let owner = pod.owner;
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        find.unless(
            !is_true(pod.spec.get(host)),
            owner,
            format!("{host} is refused by restricted"),
        );
    }
    for volume in pod.spec.get("volumes").map_or(&[][..], Node::items) {
        for (kind, _) in volume.entries().iter().filter(|(key, _)| key != "name") {
            find.unless(
                VOLUMES.contains(&kind.as_str()),
                owner,
                format!("a volume of kind {kind} is refused by restricted"),
            );
        }
    }
    let of_pod = pod.spec.get("securityContext");
    let seccomp = of_pod
        .and_then(|c| c.at(&["seccompProfile", "type"]))
        .and_then(Node::text);
    find.unless(
        matches!(seccomp, Some("RuntimeDefault" | "Localhost")),
        owner,
        "no seccompProfile RuntimeDefault: refused by restricted",
    );
    find.unless(
        is_true(of_pod.and_then(|c| c.get("runAsNonRoot"))),
        owner,
        "runAsNonRoot is not true: refused by restricted",
    );
    let user = of_pod
        .and_then(|c| c.get("runAsUser"))
        .map(scalar)
        .unwrap_or_default();
    find.unless(
        user.parse::<u32>().is_ok_and(|user| user != 0),
        owner,
        "runAsUser is no number other than 0",
    );
    token(find, pod);
    for container in pod.containers() {
        let context = container.0.get("securityContext");
        let get = |key| context.and_then(|c| c.get(key));
        let named = |what: &str| format!("container {}: {what}", container.name());
        find.unless(
            is_false(get("allowPrivilegeEscalation")),
            owner,
            named("allowPrivilegeEscalation is not false: refused by restricted"),
        );
        let dropped = get("capabilities")
            .and_then(|c| c.get("drop"))
            .map(Node::texts);
        find.unless(
            dropped.is_some_and(|dropped| dropped == ["ALL"]),
            owner,
            named("capabilities are not dropped: refused by restricted"),
        );
        let added = get("capabilities").and_then(|c| c.get("add"));
        find.unless(added.is_none(), owner, named("it adds a capability"));
        find.unless(
            !is_true(get("privileged")),
            owner,
            named("it is privileged"),
        );
        find.unless(
            is_true(get("readOnlyRootFilesystem")),
            owner,
            named("its root file system can be written"),
        );
        let host_port = container.0.get("ports").map_or(&[][..], Node::items);
        find.unless(
            host_port.iter().all(|port| port.get("hostPort").is_none()),
            owner,
            named("a host port is refused by restricted"),
        );
    }
}

/// A token of the API server is there where a role says what for, and nowhere else.
fn token(find: &mut Finder, pod: &Pod) {
    let build = find.build;
    let owner = pod.owner;
    let account = pod
        .spec
        .get("serviceAccountName")
        .and_then(Node::text)
        .unwrap_or("");
    let bound = build
        .of("RoleBinding")
        .chain(build.of("ClusterRoleBinding"))
        .any(|binding| {
            let subjects = binding.at(&["subjects"]).map_or(&[][..], Node::items);
            subjects.iter().any(|subject| {
                subject.get("name").and_then(Node::text) == Some(account)
                    && subject.get("namespace").and_then(Node::text) == Some(owner.namespace())
            })
        });
    find.unless(
        bound || is_false(pod.spec.get("automountServiceAccountToken")),
        owner,
        "it has a token of the API server, and no role to use it with",
    );
}

fn image(find: &mut Finder, pod: &Pod, container: Container) {
    let image = container.image();
    let named = |what: &str| format!("container {}: image {image}: {what}", container.name());
    let tag = image
        .rsplit('/')
        .next()
        .and_then(|last| last.split_once(':'));
    find.unless(
        tag.is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest") || image.contains('@'),
        pod.owner,
        named("no tag that says which"),
    );
    let policy = container.0.get("imagePullPolicy").and_then(Node::text);
    // With `Always`, images that were only loaded onto the node would not be found.
    find.unless(
        policy.is_none_or(|policy| policy == "IfNotPresent"),
        pod.owner,
        named("it would be pulled although it is there"),
    );
}

fn resources(find: &mut Finder, pod: &Pod, container: Container) {
    let ours = pod.owner.namespace() == "bookwatch";
    for what in ["cpu", "memory"] {
        let amount = |kind| {
            let text = container.0.at(&["resources", kind, what]).map(scalar);
            (text.clone(), text.as_deref().and_then(quantity))
        };
        let (requested, request) = amount("requests");
        let (limited, limit) = amount("limits");
        let named = |told: &str| format!("container {}: {told}", container.name());
        if ours {
            find.unless(
                requested.is_some(),
                pod.owner,
                named(&format!("it requests no {what}")),
            );
            find.unless(
                limited.is_some(),
                pod.owner,
                named(&format!("it has no limit of {what}")),
            );
        }
        for text in [&requested, &limited].into_iter().flatten() {
            find.unless(
                quantity(text).is_some(),
                pod.owner,
                named(&format!("{text} is no amount of {what}")),
            );
        }
        if let (Some(request), Some(limit)) = (request, limit) {
            find.unless(
                limit >= request,
                pod.owner,
                named(&format!(
                    "its limit of {what} is below its request: {} < {}",
                    limited.unwrap_or_default(),
                    requested.unwrap_or_default()
                )),
            );
        }
    }
}

/// An amount in its unit's thousandth: `500m`, `2`, `128Mi`, `1G`.
#[must_use]
pub fn quantity(text: &str) -> Option<f64> {
    let units = [
        ("Ki", 1024.0),
        ("Mi", 1024.0 * 1024.0),
        ("Gi", 1024.0 * 1024.0 * 1024.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
    ];
    let (number, unit) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1.0));
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * unit * 1000.0)
}
