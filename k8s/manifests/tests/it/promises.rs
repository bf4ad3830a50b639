//! What the READMEs of overlays and components promise.

use manifests::{Build, check};

use crate::{told, told_in};

#[test]
fn promises_are_checked() {
    told(
        "component-release",
        "image: bookwatch/details:0.1.0",
        "image: bookwatch/details:0.0.9",
        "has not the version",
    );
    told(
        "base",
        "value: \"45\"",
        "value: \"10\"",
        "INTERVAL of mymetric",
    );
    told(
        "base",
        "value: red",
        "value: black",
        "STAR_COLOR of reviews-v3",
    );
    told(
        "component-console",
        "value: console\n",
        "value: productpage\n",
        "DD_AGENT_HOST is `productpage`, to be `console`",
    );
    told(
        "component-agent-on-node",
        "fieldPath: status.hostIP",
        "fieldPath: status.podIP",
        "to be `status.hostIP`",
    );
    told(
        "component-admission-controller",
        "admission.datadoghq.com/enabled: \"true\"",
        "admission.datadoghq.com/enabled: \"false\"",
        "the labels that ask for injection",
    );
    told(
        "component-dynamodb-embedded",
        "type: Recreate",
        "type: RollingUpdate",
        "there may be two of it",
    );
    told(
        "component-single-replica",
        "replicas: 1",
        "replicas: 2",
        "more than one pod",
    );
    told_in(
        "component-synthetics",
        "Deployment synthetics-tokyo",
        "        bookwatch/location: tokyo",
        "        bookwatch/location: tokio",
        "the prober of tokyo calls itself",
    );
    told(
        "component-datadog-agent",
        "hostPort: 8125",
        "hostPort: 8127",
        "no host port 8125",
    );
    told(
        "component-datadog-agent",
        "name: DD_PROMETHEUS_SCRAPE_VERSION\n          value: \"2\"",
        "name: DD_PROMETHEUS_SCRAPE_VERSION\n          value: \"1\"",
        "DD_PROMETHEUS_SCRAPE_VERSION of agent is",
    );
    told(
        "component-hpa",
        "datadogmetric@bookwatch:",
        "datadogmetric@bookwatch:x-",
        "it asks for",
    );
    told(
        "component-keda",
        "authenticationRef:\n      name: ",
        "authenticationRef:\n      name: x-",
        "its TriggerAuthentication is not there",
    );
    told(
        "component-keda",
        "timeout: 5s",
        "metricUnavailableValue: \"50\"",
        "does not stay where it is",
    );
    told(
        "component-seed",
        "ttlSecondsAfterFinished: 300",
        "ttlSecondsAfterFinished: 30",
        "it goes after",
    );
    told(
        "component-nginx-edge",
        "http://%%host%%:8081/",
        "http://%%host%%:8080/",
        "asks another port than the one with the figures",
    );
    told(
        "overlay-local",
        "image: bookwatch/console:0.1.0",
        "image: example.com/console:0.1.0",
        "is not ours",
    );
    told(
        "overlay-eks",
        "amazonaws.com/bookwatch/details",
        "amazonaws.com/details",
        "is not from ECR",
    );
}

#[test]
fn an_agent_without_pods_is_told() {
    let text = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: datadog-agent, namespace: datadog}\nspec: {}\n";
    let build = Build::parse("component-datadog-agent", text).expect("YAML");
    let told: Vec<_> = check(&[build]).iter().map(ToString::to_string).collect();
    let wanted =
        "component-datadog-agent: DaemonSet datadog/datadog-agent: it says nothing of its pods";
    assert!(told.iter().any(|fault| fault == wanted), "{told:#?}");
}
