//! Recommended labels on everything, unified service tags on everything that runs, and the same in the variables.

use drift::tree::Node;

use crate::Finder;
use crate::object::{Object, Pod, labels};
use crate::programs::of_image;

const RECOMMENDED: [&str; 2] = ["app.kubernetes.io/name", "app.kubernetes.io/part-of"];
const ON_PODS: [&str; 6] = [
    "app.kubernetes.io/name",
    "app.kubernetes.io/component",
    "app.kubernetes.io/version",
    "tags.datadoghq.com/env",
    "tags.datadoghq.com/service",
    "tags.datadoghq.com/version",
];
/// Variable and label that have to say the same.
const UNIFIED: [(&str, &str); 3] = [
    ("DD_ENV", "tags.datadoghq.com/env"),
    ("DD_SERVICE", "tags.datadoghq.com/service"),
    ("DD_VERSION", "tags.datadoghq.com/version"),
];

pub(crate) fn check(find: &mut Finder) {
    let build = find.build;
    for object in &build.objects {
        if object.namespace() == "bookwatch" && object.pod().is_some() {
            require(find, object, &object.labels(), &RECOMMENDED, "");
        }
    }
    for pod in build.pods() {
        if pod.containers().all(|c| of_image(c.image()).is_none()) {
            continue;
        }
        let owner = pod.owner;
        require(find, owner, &pod.labels, &ON_PODS, "its pods: ");
        require(find, owner, &owner.labels(), &ON_PODS, "");
        for key in ON_PODS {
            find.unless(
                owner.labels().get(key) == pod.labels.get(key),
                owner,
                format!("{key} differs between it and its pods"),
            );
        }
        // The admission controller writes what is not there.
        let injected = pod
            .labels
            .get("admission.datadoghq.com/enabled")
            .map(String::as_str)
            == Some("true");
        if owner.kind() != "Job" && !injected {
            variables(find, &pod);
        }
        logs(find, &pod);
    }
}

fn require(
    find: &mut Finder,
    object: &Object,
    there: &crate::object::Labels,
    keys: &[&str],
    of: &str,
) {
    for key in keys {
        find.unless(
            there.get(*key).is_some_and(|value| !value.is_empty()),
            object,
            format!("{of}no label {key}"),
        );
    }
}

fn variables(find: &mut Finder, pod: &Pod) {
    for container in pod.containers().filter(|c| of_image(c.image()).is_some()) {
        for (variable, label) in UNIFIED {
            let path = container
                .env()
                .find(|(name, _)| *name == variable)
                .and_then(|(_, entry)| entry.at(&["valueFrom", "fieldRef", "fieldPath"]))
                .and_then(Node::text);
            find.unless(
                path == Some(&format!("metadata.labels['{label}']")),
                pod.owner,
                format!(
                    "container {}: {variable} is not the label {label}",
                    container.name()
                ),
            );
        }
    }
}

/// Autodiscovery finds a container by its name, so a key with another name is silently without effect.
fn logs(find: &mut Finder, pod: &Pod) {
    let annotations = labels(
        pod.owner
            .at(&["spec", "template", "metadata", "annotations"]),
    );
    for (key, value) in annotations {
        let Some(rest) = key.strip_prefix("ad.datadoghq.com/") else {
            continue;
        };
        let container = rest.split('.').next().unwrap_or(rest);
        find.unless(
            pod.containers().any(|known| known.name() == container),
            pod.owner,
            format!("annotation {key}: there is no container {container}"),
        );
        find.unless(
            serde_json::from_str::<serde_json::Value>(&value).is_ok(),
            pod.owner,
            format!("annotation {key} is no JSON"),
        );
    }
}
