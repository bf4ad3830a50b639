//! Objects find each other: selectors, names of what is referred to, labels.

use crate::{told, told_in};

#[test]
fn selectors_are_checked() {
    let own = "selector:\n    matchLabels:\n      app: details\n      version: v1\n";
    let wrong = "selector:\n    matchLabels:\n      app: detail\n      version: v1\n";
    told(
        "base",
        own,
        wrong,
        "its selector does not match the labels of its own pods",
    );
    told(
        "base",
        "  selector:\n    app: ratings",
        "  selector:\n    app: rating",
        "its selector matches no pod",
    );
    told(
        "base",
        "targetPort: http",
        "targetPort: https",
        "has no TCP port https",
    );
    let wide = "selector:\n    matchLabels:\n      app: reviews\n";
    told(
        "base",
        "selector:\n    matchLabels:\n      app: reviews\n      version: v1\n",
        wide,
        "its selector also matches the pods of",
    );
    told(
        "base",
        "maxUnavailable: 1\n  selector",
        "minAvailable: 1\n  selector",
        "it would hold up the drain",
    );
    told(
        "base",
        "unhealthyPodEvictionPolicy: AlwaysAllow",
        "unhealthyPodEvictionPolicy: IfHealthyBudget",
        "a pod that is never ready",
    );
    told(
        "base",
        "whenUnsatisfiable: ScheduleAnyway",
        "whenUnsatisfiable: DoNotSchedule",
        "a cluster of one node",
    );
    told(
        "base",
        "enableServiceLinks: false",
        "enableServiceLinks: true",
        "enableServiceLinks is on",
    );
    told_in(
        "component-hpa",
        "HorizontalPodAutoscaler productpage",
        "    name: productpage",
        "    name: productpages",
        "which is not there",
    );
}

#[test]
fn references_are_checked() {
    told(
        "base",
        "configMapRef:\n            name: store",
        "configMapRef:\n            name: stores",
        "ConfigMap stores",
    );
    told(
        "base",
        "serviceAccountName: details",
        "serviceAccountName: detail",
        "ServiceAccount detail is not there",
    );
    told(
        "base",
        "key: session-key",
        "key: session",
        "Secret productpage-session has no key session",
    );
    told(
        "base",
        "name: productpage-session",
        "name: sessions",
        "Secret sessions is not there, and nobody is told to make it",
    );
    told(
        "base",
        "port: http\n          periodSeconds",
        "port: web\n          periodSeconds",
        "a probe asks port web",
    );
    told(
        "component-dynamodb-embedded",
        "mountPath: /data\n          name: data",
        "mountPath: /data\n          name: date",
        "volume date is mounted and not there",
    );
    told(
        "component-dynamodb-embedded",
        "sizeLimit: 256Mi",
        "medium_: x",
        "may fill the node's disk",
    );
    told(
        "component-loadgen",
        "http://productpage:9080",
        "http://productpage:80",
        "Service bookwatch/productpage has no port 80",
    );
    told(
        "component-synthetics",
        "http://productpage:9080",
        "http://shop:9080",
        "Service bookwatch/shop is not there",
    );
    told(
        "component-console",
        "value: console\n",
        "value: consoles\n",
        "Service bookwatch/consoles is not there",
    );
    told(
        "overlay-datadog",
        "key: token",
        "key: tokens",
        "Secret datadog-cluster-agent has no key tokens",
    );
    told(
        "component-datadog-agent",
        "kind: ClusterRole\n  name: datadog-agent",
        "kind: ClusterRole\n  name: datadog-agents",
        "ClusterRole datadog-agents is not there",
    );
    told(
        "component-traefik",
        "services:\n    - name: productpage",
        "services:\n    - name: shop",
        "Service bookwatch/shop is not there",
    );
}

#[test]
fn labels_are_checked() {
    told_in(
        "base",
        "Deployment details",
        "app.kubernetes.io/part-of",
        "app.kubernetes.io/partof",
        "no label app.kubernetes.io/part-of",
    );
    let path = "fieldPath: metadata.labels['tags.datadoghq.com/service']";
    told(
        "base",
        path,
        "fieldPath: metadata.labels['app']",
        "DD_SERVICE is not the label tags.datadoghq.com/service",
    );
    told(
        "base",
        "ad.datadoghq.com/details.logs",
        "ad.datadoghq.com/detail.logs",
        "there is no container detail",
    );
}

#[test]
fn a_second_apply_is_checked_to_change_nothing() {
    told(
        "base",
        "    type: RollingUpdate\n",
        "",
        "its strategy has no type, so that each apply changes it",
    );
}
