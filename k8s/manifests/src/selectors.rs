//! Selectors select: workloads their own pods and nobody else's, Services, budgets and spreads the pods that are meant.

use drift::tree::Node;

use crate::Finder;
use crate::object::{Labels, Object, Pod, is_false, labels, matches, scalar};

pub(crate) fn check(find: &mut Finder) {
    let build = find.build;
    let pods: Vec<Pod> = build.pods().collect();
    for pod in &pods {
        own_pods(find, pod, &pods);
        spread(find, pod);
    }
    for service in build.of("Service") {
        let selected = meant(&pods, service, labels(service.at(&["spec", "selector"])));
        if selected.is_empty() {
            find.say(service, "its selector matches no pod");
        }
        for port in service.at(&["spec", "ports"]).map_or(&[][..], Node::items) {
            let protocol = port.get("protocol").and_then(Node::text).unwrap_or("TCP");
            let target = port.get("targetPort").or(port.get("port")).map(scalar);
            let target = target.unwrap_or_default();
            for pod in &selected {
                find.unless(
                    pod.listens_on(&target, protocol),
                    service,
                    format!("{} has no {protocol} port {target}", pod.owner.title()),
                );
            }
        }
    }
    for budget in build.of("PodDisruptionBudget") {
        let selected = meant(
            &pods,
            budget,
            labels(budget.at(&["spec", "selector", "matchLabels"])),
        );
        if selected.is_empty() {
            find.say(budget, "its selector matches no pod");
        }
        // `minAvailable` of a single pod, or `maxUnavailable` of none, and no node can ever be drained.
        let allowed = budget.at(&["spec", "maxUnavailable"]).map(scalar);
        find.unless(
            allowed.is_some_and(|allowed| allowed != "0" && allowed != "0%"),
            budget,
            "it would hold up the drain of a node for ever: say maxUnavailable, at least 1",
        );
        let policy = budget.at(&["spec", "unhealthyPodEvictionPolicy"]);
        find.unless(
            policy.and_then(Node::text) == Some("AlwaysAllow"),
            budget,
            "a pod that is never ready would hold up the drain of its node",
        );
    }
    scaling(find);
}

fn meant<'p, 'b>(pods: &'p [Pod<'b>], by: &Object, wanted: Labels) -> Vec<&'p Pod<'b>> {
    let here = pods.iter().filter(|pod| {
        !wanted.is_empty()
            && pod.owner.namespace() == by.namespace()
            && matches(&wanted, &pod.labels)
    });
    here.collect()
}

fn own_pods(find: &mut Finder, pod: &Pod, pods: &[Pod]) {
    let owner = pod.owner;
    if owner.kind() == "Job" {
        // The API server makes its selector.
        return;
    }
    let wanted = labels(owner.at(&["spec", "selector", "matchLabels"]));
    if wanted.is_empty() || !matches(&wanted, &pod.labels) {
        find.say(
            owner,
            "its selector does not match the labels of its own pods",
        );
    }
    for other in meant(pods, owner, wanted) {
        if other.owner.title() != owner.title() {
            find.say(
                owner,
                format!(
                    "its selector also matches the pods of {}",
                    other.owner.title()
                ),
            );
        }
    }
    let history = owner.at(&["spec", "revisionHistoryLimit"]);
    find.unless(
        history.is_some(),
        owner,
        "no revisionHistoryLimit: old revisions pile up",
    );
}

fn spread(find: &mut Finder, pod: &Pod) {
    let constraints = pod.spec.get("topologySpreadConstraints");
    for constraint in constraints.map_or(&[][..], Node::items) {
        let wanted = labels(constraint.at(&["labelSelector", "matchLabels"]));
        if wanted.is_empty() || !matches(&wanted, &pod.labels) {
            find.say(pod.owner, "a topology spread does not count its own pods");
        }
        let unsatisfiable = constraint.get("whenUnsatisfiable").and_then(Node::text);
        find.unless(
            unsatisfiable == Some("ScheduleAnyway"),
            pod.owner,
            "a topology spread keeps pods from a cluster of one node",
        );
    }
    let links = pod.spec.get("enableServiceLinks");
    let ours = pod.containers().any(|c| c.image().contains("bookwatch/"));
    find.unless(
        !ours || is_false(links),
        pod.owner,
        "enableServiceLinks is on, so a Service could set a variable that a program reads",
    );
}

/// An autoscaler has its workload, and is the only one that it has.
fn scaling(find: &mut Finder) {
    let build = find.build;
    let mut scaled: Vec<String> = Vec::new();
    for scaler in build
        .of("HorizontalPodAutoscaler")
        .chain(build.of("ScaledObject"))
    {
        let target = scaler.at(&["spec", "scaleTargetRef"]);
        let text = |key| target.and_then(|t| t.get(key)).and_then(Node::text);
        let (kind, name) = (
            text("kind").unwrap_or("Deployment"),
            text("name").unwrap_or(""),
        );
        let workload = build.find(kind, scaler.namespace(), name);
        find.unless(
            workload.is_some(),
            scaler,
            format!("it scales {kind} {name}, which is not there"),
        );
        if let Some(workload) = workload {
            find.unless(
                !scaled.contains(&workload.title()),
                scaler,
                format!("{} has another autoscaler already", workload.title()),
            );
            scaled.push(workload.title());
        }
    }
}
