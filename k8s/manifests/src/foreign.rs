//! Programs of others, whose command lines cannot be asked: the variables and paths that we use, each looked up once in
//! their documentation. A name that is not here is misspelt, or wants looking up.

use drift::known::nearest;
use drift::tree::Node;

use crate::Finder;
use crate::edges::environment;
use crate::object::{Container, Pod, labels, scalar};

/// Datadog's agents, node and cluster.
const AGENT: &[&str] = &[
    "DD_ADMISSION_CONTROLLER_ENABLED",
    "DD_ADMISSION_CONTROLLER_FAILURE_POLICY",
    "DD_ADMISSION_CONTROLLER_INJECT_CONFIG_MODE",
    "DD_ADMISSION_CONTROLLER_MUTATE_UNLABELLED",
    "DD_ADMISSION_CONTROLLER_MUTATION_ENABLED",
    "DD_ADMISSION_CONTROLLER_PORT",
    "DD_ADMISSION_CONTROLLER_SERVICE_NAME",
    "DD_ADMISSION_CONTROLLER_WEBHOOK_NAME",
    "DD_API_KEY",
    "DD_APM_ENABLED",
    "DD_APM_NON_LOCAL_TRAFFIC",
    "DD_APM_RECEIVER_PORT",
    "DD_APM_RECEIVER_SOCKET",
    "DD_APP_KEY",
    "DD_AUTH_TOKEN_FILE_PATH",
    "DD_CLUSTER_AGENT_AUTH_TOKEN",
    "DD_CLUSTER_AGENT_ENABLED",
    "DD_CLUSTER_AGENT_KUBERNETES_SERVICE_NAME",
    "DD_CLUSTER_AGENT_SERVICE_ACCOUNT_NAME",
    "DD_CLUSTER_AGENT_TOKEN_NAME",
    "DD_CLUSTER_CHECKS_ENABLED",
    "DD_CLUSTER_NAME",
    "DD_COLLECT_KUBERNETES_EVENTS",
    "DD_CONTAINER_EXCLUDE",
    "DD_CONTAINER_EXCLUDE_LOGS",
    "DD_DOGSTATSD_NON_LOCAL_TRAFFIC",
    "DD_DOGSTATSD_ORIGIN_DETECTION",
    "DD_DOGSTATSD_ORIGIN_DETECTION_CLIENT",
    "DD_DOGSTATSD_PORT",
    "DD_DOGSTATSD_SOCKET",
    "DD_DOGSTATSD_TAG_CARDINALITY",
    "DD_EXTERNAL_METRICS_PROVIDER_ENABLED",
    "DD_EXTERNAL_METRICS_PROVIDER_ENABLE_DATADOGMETRIC_AUTOGEN",
    "DD_EXTERNAL_METRICS_PROVIDER_PORT",
    "DD_EXTERNAL_METRICS_PROVIDER_USE_DATADOGMETRIC_CRD",
    "DD_EXTRA_CONFIG_PROVIDERS",
    "DD_EXTRA_LISTENERS",
    "DD_HEALTH_PORT",
    "DD_IGNORE_AUTOCONF",
    "DD_KUBELET_TLS_VERIFY",
    "DD_KUBERNETES_KUBELET_HOST",
    "DD_KUBERNETES_RESOURCES_LABELS_AS_TAGS",
    "DD_KUBERNETES_USE_ENDPOINT_SLICES",
    "DD_KUBE_RESOURCES_NAMESPACE",
    "DD_LEADER_ELECTION",
    "DD_LEADER_ELECTION_DEFAULT_RESOURCE",
    "DD_LEADER_LEASE_NAME",
    "DD_LOGS_CONFIG_AUTO_MULTI_LINE_DETECTION",
    "DD_LOGS_CONFIG_CONTAINER_COLLECT_ALL",
    "DD_LOGS_CONFIG_K8S_CONTAINER_USE_FILE",
    "DD_LOGS_ENABLED",
    "DD_LOG_LEVEL",
    "DD_ORCHESTRATOR_EXPLORER_ENABLED",
    "DD_ORIGIN_DETECTION_UNIFIED",
    "DD_OTLP_CONFIG_LOGS_ENABLED",
    "DD_OTLP_CONFIG_RECEIVER_PROTOCOLS_GRPC_ENDPOINT",
    "DD_OTLP_CONFIG_RECEIVER_PROTOCOLS_HTTP_ENDPOINT",
    "DD_POD_NAME",
    "DD_PROCESS_CONFIG_CONTAINER_COLLECTION_ENABLED",
    "DD_PROCESS_CONFIG_PROCESS_COLLECTION_ENABLED",
    "DD_PROMETHEUS_SCRAPE_ENABLED",
    "DD_PROMETHEUS_SCRAPE_VERSION",
    "DD_SITE",
    "DD_SYSTEM_PROBE_ENABLED",
    "DD_SYSTEM_PROBE_NETWORK_ENABLED",
    "DD_TAGS",
    "HOST_PROC",
    "KUBERNETES",
];
const GRAFANA: &[&str] = &[
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
    "GF_ANALYTICS_CHECK_FOR_UPDATES",
    "GF_ANALYTICS_REPORTING_ENABLED",
    "GF_AUTH_ANONYMOUS_ENABLED",
    "GF_AUTH_ANONYMOUS_ORG_ROLE",
    "GF_AUTH_BASIC_ENABLED",
    "GF_AUTH_DISABLE_LOGIN_FORM",
    "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH",
    "GF_LOG_MODE",
    "GF_PLUGINS_PREINSTALL_DISABLED",
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION",
];

/// End of the image's name, variables, and the paths that its probes may ask.
type Known = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);
const KNOWN: [Known; 7] = [
    ("/agent", AGENT, &["/live", "/ready", "/startup"]),
    ("/cluster-agent", AGENT, &["/live", "/ready", "/startup"]),
    ("/grafana", GRAFANA, &["/api/health"]),
    ("/nginx-unprivileged", &[], &["/healthz"]),
    ("/opentelemetry-collector-contrib", &["GOMEMLIMIT"], &["/"]),
    ("/prometheus", &[], &["/-/healthy", "/-/ready"]),
    ("traefik", &[], &["/ping"]),
];

pub(crate) fn check(find: &mut Finder, pod: &Pod, container: Container) {
    let owner = pod.owner;
    let named = |what: String| format!("container {}: {what}", container.name());
    let image = container.image();
    let name = image.rsplit_once(':').map_or(image, |(name, _)| name);
    let Some((_, variables, paths)) = KNOWN.iter().find(|(end, ..)| name.ends_with(end)) else {
        return find.say(
            owner,
            named(format!("nothing is known of the image {image}")),
        );
    };
    let from_files = asked_for(find, pod);
    let env = environment(find.build, pod, container);
    for variable in env.keys() {
        let known = variables.contains(&variable.as_str()) || from_files.contains(variable);
        find.unless(
            known,
            owner,
            named(format!(
                "{variable} is no variable of {name}; the nearest is {}",
                nearest(variable, variables.iter().copied()).unwrap_or("none")
            )),
        );
    }
    for variable in &from_files {
        find.unless(
            env.contains_key(variable) || pod.containers().count() > 1,
            owner,
            named(format!(
                "its configuration asks for ${{env:{variable}}}, which is not set"
            )),
        );
    }
    for (probe, node) in container.probes() {
        if let Some(path) = node.at(&["httpGet", "path"]).map(scalar) {
            find.unless(
                paths.contains(&path.as_str()),
                owner,
                named(format!("{probe} asks {path}, which {name} does not answer")),
            );
        }
    }
}

/// The variables that mounted configuration of the Collector asks for.
fn asked_for(find: &Finder, pod: &Pod) -> Vec<String> {
    let mut asked = Vec::new();
    for volume in pod.spec.get("volumes").map_or(&[][..], Node::items) {
        let projected = volume
            .at(&["projected", "sources"])
            .map_or(&[][..], Node::items);
        for source in projected.iter().chain([volume]) {
            let Some(name) = source.at(&["configMap", "name"]).and_then(Node::text) else {
                continue;
            };
            let map = find.build.find("ConfigMap", pod.owner.namespace(), name);
            for text in labels(map.and_then(|map| map.at(&["data"]))).values() {
                let parts = text.split("${env:").skip(1);
                asked.extend(parts.filter_map(|part| Some(part.split_once('}')?.0.to_owned())));
            }
        }
    }
    asked.sort();
    asked.dedup();
    asked
}
