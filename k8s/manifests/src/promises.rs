//! What the README of each component and overlay promises, where a manifest can keep it.

use drift::tree::Node;

use crate::Finder;
use crate::edges::environment;
use crate::object::{Object, Pod, labels, scalar};
use crate::programs::of_image;

/// The version that all of the workspace has.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn check(find: &mut Finder) {
    let name = find.build.name.clone();
    release(find);
    shop(find);
    back_end(find);
    store(find);
    if name == "component-synthetics" || name == "overlay-local" {
        locations(find);
    }
    match name.as_str() {
        "component-single-replica" | "overlay-local" => one_of_each(find),
        "component-datadog-agent" | "overlay-datadog" => agent(find),
        "component-hpa" => scaler(find, "HorizontalPodAutoscaler"),
        "component-keda" => scaler(find, "ScaledObject"),
        "component-seed" | "overlay-eks" => seed(find),
        "component-nginx-edge" => edge(find),
        "component-traefik" => {
            for kind in ["Ingress", "IngressRoute", "Middleware"] {
                present(find, kind, 1);
            }
        }
        "component-datadog-operator" => {
            present(find, "DatadogAgent", 1);
            present(find, "DatadogMonitor", 1);
            present(find, "DatadogDashboard", 1);
        }
        _ => {}
    }
    if name == "overlay-local" {
        only_ours(find);
    }
    if name == "overlay-eks" {
        from_registry(find);
    }
}

fn present(find: &mut Finder, kind: &str, at_least: usize) {
    let there = find.build.of(kind).count();
    find.lacks(
        there >= at_least,
        format!("{there} of {kind}, and its README has {at_least}"),
    );
}

/// `release`: one version in all images and labels.
fn release(find: &mut Finder) {
    for pod in find.build.pods() {
        for container in pod.containers().filter(|c| of_image(c.image()).is_some()) {
            let image = container.image();
            find.unless(
                image.ends_with(&format!(":{VERSION}")),
                pod.owner,
                format!("image {image} has not the version {VERSION} of the sources"),
            );
            let label = pod
                .labels
                .get("app.kubernetes.io/version")
                .map(String::as_str);
            find.unless(
                label == Some(VERSION),
                pod.owner,
                format!("label app.kubernetes.io/version is {label:?}, the version {VERSION}"),
            );
        }
    }
}

/// `base`: the shop as the walkthrough has it.
fn shop(find: &mut Finder) {
    let build = find.build;
    let value = |name: &str, variable: &str| {
        let object = build.find("Deployment", "bookwatch", name)?;
        let pod = object.pod()?;
        let container = pod.containers().last()?;
        environment(build, &pod, container).get(variable).cloned()
    };
    let promises = [
        ("mymetric", "INTERVAL", Some("45")),
        ("reviews-v1", "ENABLE_RATINGS", None),
        ("reviews-v2", "ENABLE_RATINGS", Some("true")),
        ("reviews-v2", "STAR_COLOR", Some("black")),
        ("reviews-v3", "ENABLE_RATINGS", Some("true")),
        ("reviews-v3", "STAR_COLOR", Some("red")),
    ];
    for (name, variable, wanted) in promises {
        let is = value(name, variable);
        find.lacks(
            is.as_deref() == wanted,
            format!("{variable} of {name} is {is:?}, to be {wanted:?}"),
        );
    }
    for service in ["details", "productpage", "ratings", "reviews"] {
        let there = build.find("Service", "bookwatch", service).is_some();
        find.lacks(there, format!("no Service {service}"));
    }
}

/// A back end tells everything that sends where to, and nothing else.
fn back_end(find: &mut Finder) {
    let wanted = match find.build.name.as_str() {
        "component-console" | "overlay-local" => "console",
        "component-otel-collector" | "component-prometheus" | "overlay-prometheus" => {
            "otel-collector"
        }
        "component-agent-on-node"
        | "overlay-datadog"
        | "overlay-datadog-operator"
        | "overlay-eks" => "status.hostIP",
        "component-admission-controller" => return injected(find),
        _ => "",
    };
    for pod in find.build.pods() {
        let sends = pod.labels.get("bookwatch/telemetry").map(String::as_str) == Some("sends");
        let host = address(&pod);
        let wanted = if sends { wanted } else { "" };
        find.unless(
            host == wanted,
            pod.owner,
            format!("DD_AGENT_HOST is `{host}`, to be `{wanted}`"),
        );
    }
}

fn address(pod: &Pod) -> String {
    let mut found = pod.containers().filter_map(|container| {
        let (_, entry) = container.env().find(|(name, _)| *name == "DD_AGENT_HOST")?;
        let from = entry.at(&["valueFrom", "fieldRef", "fieldPath"]);
        entry.get("value").or(from).map(scalar)
    });
    found.next().unwrap_or_default()
}

fn injected(find: &mut Finder) {
    for pod in find.build.pods() {
        let label = |key: &str| pod.labels.get(key).map(String::as_str);
        let asks = label("admission.datadoghq.com/enabled") == Some("true")
            && label("admission.datadoghq.com/config.mode") == Some("hostip");
        let sends = label("bookwatch/telemetry") == Some("sends");
        find.unless(
            asks == sends,
            pod.owner,
            "the labels that ask for injection are not where telemetry is sent",
        );
        for container in pod.containers().filter(|_| sends) {
            for variable in [
                "DD_AGENT_HOST",
                "DD_ENTITY_ID",
                "DD_ENV",
                "DD_SERVICE",
                "DD_VERSION",
            ] {
                find.unless(
                    container.env().all(|(name, _)| name != variable),
                    pod.owner,
                    format!("{variable} is written, and the webhook would not replace it"),
                );
            }
        }
    }
}

/// `dynamodb-embedded`: the endpoint, and never two engines.
fn store(find: &mut Finder) {
    let build = find.build;
    let maps: Vec<_> = build
        .of("ConfigMap")
        .filter(|map| map.name().starts_with("store"))
        .collect();
    let engine = build.find("Deployment", "bookwatch", "dynamodb");
    for map in maps {
        let data = labels(map.at(&["data"]));
        let endpoint = data.get("DYNAMODB_ENDPOINT").map(String::as_str);
        let wanted = engine.map(|_| "http://dynamodb:8000");
        find.unless(
            endpoint == wanted,
            map,
            format!("DYNAMODB_ENDPOINT is {endpoint:?}, to be {wanted:?}"),
        );
    }
    for name in ["console", "dynamodb", "mymetric"] {
        let Some(alone) = build.find("Deployment", "bookwatch", name) else {
            continue;
        };
        let recreate =
            alone.at(&["spec", "strategy", "type"]).and_then(Node::text) == Some("Recreate");
        find.unless(
            replicas(alone) == 1 && recreate,
            alone,
            "there may be two of it for a while",
        );
    }
}

fn replicas(deployment: &Object) -> u64 {
    let text = deployment.at(&["spec", "replicas"]).map(scalar);
    text.and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn one_of_each(find: &mut Finder) {
    let more: Vec<_> = find
        .build
        .of("Deployment")
        .filter(|d| replicas(d) != 1)
        .collect();
    for deployment in more {
        find.say(deployment, "more than one pod");
    }
}

/// `synthetics`: a prober a location, called by its own name.
fn locations(find: &mut Finder) {
    let build = find.build;
    for location in ["seoul", "singapore", "sydney", "tokyo"] {
        let name = format!("synthetics-{location}");
        let prober = build.find("Deployment", "bookwatch", &name);
        let called = prober.and_then(Object::pod).and_then(|pod| {
            let container = pod.containers().next()?;
            environment(build, &pod, container).remove("SYNTHETICS_LOCATION")
        });
        find.lacks(
            called.as_deref() == Some(location),
            format!("the prober of {location} calls itself {called:?}"),
        );
    }
}

/// `datadog-agent`: everything on, keys by reference, the ports that `agent-on-node` names.
fn agent(find: &mut Finder) {
    let build = find.build;
    let Some(set) = build.find("DaemonSet", "datadog", "datadog-agent") else {
        return find.lacks(false, "no DaemonSet datadog-agent");
    };
    let Some(pod) = set.pod() else {
        return find.say(set, "it says nothing of its pods");
    };
    for name in ["agent", "process-agent", "system-probe", "trace-agent"] {
        let there = pod.containers().any(|container| container.name() == name);
        find.unless(there, set, format!("no container {name}"));
    }
    let ports = pod
        .containers()
        .flat_map(|c| c.0.get("ports").map_or(&[][..], Node::items));
    let host: Vec<String> = ports
        .filter_map(|port| port.get("hostPort").map(scalar))
        .collect();
    for port in ["4317", "4318", "8125", "8126"] {
        find.unless(
            host.iter().any(|p| p == port),
            set,
            format!("no host port {port}"),
        );
    }
    let on = [
        (
            "agent",
            "DD_OTLP_CONFIG_RECEIVER_PROTOCOLS_HTTP_ENDPOINT",
            "0.0.0.0:4318",
        ),
        (
            "trace-agent",
            "DD_OTLP_CONFIG_RECEIVER_PROTOCOLS_HTTP_ENDPOINT",
            "0.0.0.0:4318",
        ),
        ("agent", "DD_DOGSTATSD_NON_LOCAL_TRAFFIC", "true"),
        ("agent", "DD_LOGS_ENABLED", "true"),
        // As the operator is told, in components/datadog-operator.
        ("agent", "DD_PROMETHEUS_SCRAPE_VERSION", "2"),
        ("trace-agent", "DD_APM_NON_LOCAL_TRAFFIC", "true"),
    ];
    for (name, variable, wanted) in on {
        let container = pod.containers().find(|container| container.name() == name);
        let is = container.and_then(|c| environment(build, &pod, c).remove(variable));
        find.unless(
            is.as_deref() == Some(wanted),
            set,
            format!("{variable} of {name} is {is:?}"),
        );
    }
    for pod in build.pods() {
        for (name, entry) in pod.containers().flat_map(crate::object::Container::env) {
            let secret = name.ends_with("_KEY") || name.ends_with("_TOKEN");
            find.unless(
                !secret || entry.at(&["valueFrom", "secretKeyRef"]).is_some(),
                pod.owner,
                format!("{name} is not taken from a secret"),
            );
        }
    }
}

/// `hpa`, `keda`: the metric that it scales by is there, under that name.
fn scaler(find: &mut Finder, kind: &str) {
    present(find, kind, 1);
    let build = find.build;
    let metrics: Vec<&str> = build.of("DatadogMetric").map(Object::name).collect();
    for scaler in build.of(kind) {
        let mut named = Vec::new();
        scaler.0.visit(&mut |path, node| {
            let text = node.text().unwrap_or_default();
            if path.last() == Some(&"datadogMetricName") {
                named.push(text.to_owned());
            }
            find.unless(
                path.last() != Some(&"metricUnavailableValue"),
                scaler,
                "without data it takes metricUnavailableValue for all requests, and does not stay where it is",
            );
            if let Some(reference) = text.strip_prefix("datadogmetric@") {
                named.extend(reference.split_once(':').map(|(_, name)| name.to_owned()));
            }
        });
        find.unless(
            named.len() == 1 && named.iter().all(|name| metrics.contains(&name.as_str())),
            scaler,
            format!("it asks for {named:?}, and there are {metrics:?}"),
        );
        if kind == "ScaledObject" {
            let mut by = Vec::new();
            scaler.0.visit(&mut |path, node| {
                if path.ends_with(&["authenticationRef", "name"]) {
                    by.push(scalar(node));
                }
            });
            let known = |name: &String| {
                build
                    .find("TriggerAuthentication", scaler.namespace(), name)
                    .is_some()
            };
            find.unless(
                !by.is_empty() && by.iter().all(known),
                scaler,
                "its TriggerAuthentication is not there",
            );
        }
    }
}

/// `seed`: may run again, and goes by itself.
fn seed(find: &mut Finder) {
    let Some(job) = find.build.find("Job", "bookwatch", "seed") else {
        return find.lacks(false, "no Job seed");
    };
    let ttl = job.at(&["spec", "ttlSecondsAfterFinished"]).map(scalar);
    find.unless(
        ttl.as_deref() == Some("300"),
        job,
        format!("it goes after {ttl:?} seconds"),
    );
    let restart = job
        .at(&["spec", "template", "spec", "restartPolicy"])
        .and_then(Node::text);
    find.unless(
        restart == Some("OnFailure"),
        job,
        "it is not tried again where the store is late",
    );
}

/// `nginx-edge`: the Agent's check asks the port on which the page of figures is.
fn edge(find: &mut Finder) {
    let build = find.build;
    let Some(pod) = build
        .find("Deployment", "bookwatch", "nginx-edge")
        .and_then(Object::pod)
    else {
        return find.lacks(false, "no Deployment nginx-edge");
    };
    let check = pod
        .annotation("ad.datadoghq.com/nginx.checks")
        .unwrap_or("");
    find.unless(
        check.contains("http://%%host%%:8081/nginx_status") && pod.listens_on("8081", "TCP"),
        pod.owner,
        "the Agent's check asks another port than the one with the figures",
    );
    let configured = build.of("ConfigMap").any(|map| {
        let texts = labels(map.at(&["data"]));
        texts.values().any(|text| {
            text.contains("listen 8081")
                && text.contains("location = /nginx_status")
                && text.contains("stub_status")
        })
    });
    find.unless(
        configured,
        pod.owner,
        "nginx.conf has no figures at /nginx_status on 8081",
    );
}

/// `local`: nothing but our images, and no secret that somebody would have to make.
fn only_ours(find: &mut Finder) {
    for pod in find.build.pods() {
        for container in pod.containers() {
            find.unless(
                container.image().starts_with("bookwatch/"),
                pod.owner,
                format!("image {} is not ours", container.image()),
            );
            for (name, entry) in container.env() {
                let secret = entry.at(&["valueFrom", "secretKeyRef"]);
                find.unless(
                    secret.is_none_or(|secret| crate::object::is_true(secret.get("optional"))),
                    pod.owner,
                    format!("{name} needs a secret"),
                );
            }
        }
    }
}

/// `eks`: every image of ours from the account's own registry.
fn from_registry(find: &mut Finder) {
    for pod in find.build.pods() {
        for container in pod.containers() {
            let image = container.image();
            find.unless(
                image.contains(".dkr.ecr.") && image.contains(".amazonaws.com/bookwatch/"),
                pod.owner,
                format!("image {image} is not from ECR"),
            );
        }
    }
}
