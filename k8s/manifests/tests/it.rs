//! The real manifests must hold; and each fault that is planted in a rendered copy of them must be told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use clap::Parser as _;
use manifests::references::SECRETS;
use manifests::running::PATHS;
use manifests::{Build, Fault, RenderError, check, render};
use sandbox::{Engine, Running};
use telemetry::Metrics;

static ROOT: LazyLock<std::path::PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));

/// What kustomize makes of everything; `None` where there is no kustomize.
static RENDERED: LazyLock<Option<BTreeMap<String, String>>> =
    LazyLock::new(|| match render(&ROOT) {
        Ok(builds) => Some(builds.into_iter().collect()),
        Err(RenderError::Failed(said)) => panic!("the manifests do not build: {said}"),
        Err(RenderError::NoTool(said)) => {
            assert!(!in_ci(), "{said}");
            None
        }
    });

#[expect(
    clippy::disallowed_methods,
    reason = "CI is told to every test by its variable"
)]
fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// The rendered texts, or a word that the test is left out.
macro_rules! rendered {
    () => {
        match &*RENDERED {
            Some(builds) => builds,
            None => return left_out(),
        }
    };
}

#[expect(clippy::print_stderr, reason = "whoever reads the test's output")]
fn left_out() {
    eprintln!("LEFT OUT: neither kubectl nor kustomize is there to render k8s/");
}

fn parse(builds: &BTreeMap<String, String>) -> Vec<Build> {
    let parsed = builds
        .iter()
        .map(|(name, text)| Build::parse(name, text).expect("YAML"));
    parsed.collect()
}

/// Plants one fault in one build and expects to be told of it.
#[track_caller]
fn told(build: &str, old: &str, new: &str, what: &str) {
    let rendered = rendered!();
    let text = rendered.get(build).expect("a build of that name");
    assert!(text.contains(old), "nothing to plant the fault in: {old}");
    let planted = Build::parse(build, &text.replacen(old, new, 1)).expect("YAML");
    let faults = check(&[planted]);
    assert!(
        faults.iter().any(|fault| fault.to_string().contains(what)),
        "`{what}` is to be told, and it is: {faults:#?}"
    );
}

/// The same in the object that is named, such as `Deployment mymetric`.
#[track_caller]
fn told_in(build: &str, object: &str, old: &str, new: &str, what: &str) {
    let rendered = rendered!();
    let text = rendered.get(build).expect("a build of that name");
    let (kind, name) = object.split_once(' ').expect("a kind and a name");
    let is_it = |document: &&str| {
        document.contains(&format!("\nkind: {kind}\n"))
            && document.contains(&format!("\n  name: {name}\n"))
    };
    let document = text
        .split("\n---\n")
        .find(is_it)
        .expect("an object of that kind and name");
    assert!(
        document.contains(old),
        "nothing to plant the fault in: {old}"
    );
    told(build, document, &document.replacen(old, new, 1), what);
}

#[test]
fn nothing_is_wrong() {
    let builds = parse(rendered!());
    assert!(builds.len() > 20, "{} builds", builds.len());
    let faults = check(&builds);
    let list: Vec<_> = faults.iter().map(Fault::to_string).collect();
    assert!(faults.is_empty(), "\n{}", list.join("\n"));
}

#[test]
fn secrets_that_the_user_makes_are_in_a_readme() {
    let mut readmes = String::new();
    let mut folders = vec![ROOT.join("k8s")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)
            .expect("a folder")
            .filter_map(Result::ok)
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("README.md") {
                readmes += &std::fs::read_to_string(path).expect("a README");
            }
        }
    }
    for (namespace, name, keys) in SECRETS {
        let command = format!("kubectl -n {namespace} create secret generic {name} ");
        let line = readmes.lines().find(|line| line.starts_with(&command));
        let line = line.unwrap_or_else(|| panic!("no README has `{command}`"));
        for key in keys {
            assert!(line.contains(&format!("--from-literal={key}=")), "{line}");
        }
    }
}

/// What `running::PATHS` says, asked from the programs. The images are asked too, by `Dockerfiles/ci/shop.sh`.
#[tokio::test]
async fn probes_ask_paths_that_are_answered() {
    let engine = Engine::start().await;
    let store = engine.seeded().await;
    let mut details = details::Cli::parse_from(["details", "--port", "0"]);
    details.store = store.clone();
    let mut ratings = ratings::Cli::parse_from(["ratings", "--port", "0"]);
    ratings.store = store.clone();
    let mut reviews = reviews::Cli::parse_from(["reviews", "--port", "0"]);
    reviews.store = store;
    let productpage = productpage::Cli::parse_from(["productpage", "--port", "0"]);
    let off = Metrics::disabled;
    let faults = ratings::Faults::from_now(ratings::Mode::None);
    let servers = [
        (
            "details",
            details::server(&details, off()).await.expect("details"),
        ),
        (
            "ratings",
            ratings::server(&ratings, off(), faults)
                .await
                .expect("ratings"),
        ),
        (
            "reviews",
            reviews::server(&reviews, off()).await.expect("reviews"),
        ),
        (
            "productpage",
            productpage::server(&productpage, off()).expect("productpage"),
        ),
    ];
    let mut asked = Vec::new();
    for (name, server) in servers {
        let port = server.address().port();
        asked.push((
            name,
            format!("http://127.0.0.1:{port}"),
            Some(Running::start(server)),
        ));
    }
    let console = console::Console::bind(console::Config::loopback())
        .await
        .expect("a console");
    asked.push(("console", format!("http://{}", console.address()), None));
    let url = engine
        .store_args()
        .dynamodb_endpoint
        .expect("an engine of our own");
    asked.push(("bookwatch", url, None));
    for (name, base, _running) in &asked {
        let (_, paths) = PATHS
            .iter()
            .find(|(known, _)| known == name)
            .expect("its paths");
        for path in *paths {
            let answer = reqwest::get(format!("{base}{path}"))
                .await
                .expect("an answer");
            assert_eq!(answer.status(), 200, "{name} {path}");
        }
    }
}

#[test]
fn every_command_of_the_walkthrough_stands_in_its_script() {
    let read = |name: &str| std::fs::read_to_string(ROOT.join("docs").join(name)).expect("a file");
    let (page, script) = (read("walkthrough.md"), read("walkthrough.sh"));
    let mut commands = 0;
    for block in page.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("```").expect("the end of the block");
        for command in block.lines().filter(|line| !line.is_empty()) {
            assert!(script.contains(command), "not in walkthrough.sh: {command}");
            commands += 1;
        }
    }
    assert!(commands > 20, "{commands} commands");
}

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
fn pod_security_is_checked() {
    told(
        "base",
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "its root file system can be written",
    );
    told(
        "base",
        "runAsNonRoot: true",
        "runAsNonRoot: false",
        "runAsNonRoot is not true",
    );
    told(
        "base",
        "runAsUser: 65532",
        "runAsUser: 0",
        "runAsUser is no number other than 0",
    );
    told("base", "- ALL", "- NET_RAW", "capabilities are not dropped");
    told(
        "base",
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
        "allowPrivilegeEscalation is not false",
    );
    told(
        "base",
        "type: RuntimeDefault",
        "type: Unconfined",
        "no seccompProfile",
    );
    told(
        "base",
        "pod-security.kubernetes.io/enforce: restricted",
        "pod-security.kubernetes.io/enforced: restricted",
        "enforces no pod security",
    );
    let account = "automountServiceAccountToken: false\n      containers";
    told(
        "base",
        account,
        "automountServiceAccountToken: true\n      containers",
        "it has a token of the API server",
    );
    told(
        "component-dynamodb-embedded",
        "emptyDir:\n          sizeLimit: 256Mi",
        "hostPath:\n          path: /tmp",
        "a volume of kind hostPath is refused",
    );
    told(
        "base",
        "imagePullPolicy: IfNotPresent",
        "imagePullPolicy: Always",
        "it would be pulled",
    );
    told(
        "base",
        "bookwatch/details:0.1.0",
        "bookwatch/details",
        "no tag that says which",
    );
}

#[test]
fn resources_are_checked() {
    told(
        "base",
        "memory: 128Mi\n          requests",
        "memory: 16Mi\n          requests",
        "its limit of memory is below its request: 16Mi < 32Mi",
    );
    told(
        "base",
        "cpu: 500m",
        "cpu: 40m",
        "its limit of cpu is below its request",
    );
    told(
        "base",
        "memory: 128Mi\n          requests",
        "memory: 128MB\n          requests",
        "128MB is no amount of memory",
    );
    assert_eq!(
        manifests::security::quantity("1.5Gi"),
        Some(1.5 * 1024.0 * 1024.0 * 1024.0 * 1000.0)
    );
    assert_eq!(manifests::security::quantity("250m"), Some(250.0));
    assert_eq!(manifests::security::quantity("many"), None);
}

#[test]
fn variables_are_those_that_the_program_reads() {
    told(
        "base",
        "name: DRAIN_DELAY",
        "name: DRAIN_DELLAY",
        "reads no variable DRAIN_DELLAY; the nearest is DRAIN_DELAY",
    );
    told("base", "value: 10s", "value: ten", "invalid value 'ten'");
    told(
        "base",
        "TABLE_PREFIX: bookwatch-",
        "TABLE_PREFFIX: bookwatch-",
        "reads no variable TABLE_PREFFIX",
    );
    told(
        "base",
        "AWS_REGION: ",
        "AWS_REGIO: ",
        "reads no variable AWS_REGIO",
    );
    told(
        "base",
        "name: STAR_COLOR",
        "name: STAR_COLOUR",
        "the nearest is STAR_COLOR",
    );
    told(
        "base",
        "name: INTERVAL",
        "name: INTERVALL",
        "the nearest is INTERVAL",
    );
    told(
        "component-loadgen",
        "name: LOADGEN_RATE",
        "name: LOADGEN_RATES",
        "the nearest is LOADGEN_RATE",
    );
    told("component-console", "value: 128MiB", "value: 128", "128");
    told(
        "component-dynamodb-embedded",
        "name: BOOKWATCH_DYNAMODB_SEED",
        "name: BOOKWATCH_SEED",
        "reads no variable BOOKWATCH_SEED",
    );
    told(
        "component-dynamodb-embedded",
        "- dynamodb\n",
        "- dynamo\n",
        "unrecognized subcommand",
    );
    told(
        "component-synthetics",
        "- run\n",
        "- run\n        - --taget=x\n",
        "--taget",
    );
    // What the services read, a program of another kind does not.
    told(
        "component-loadgen",
        "name: LOADGEN_RATE",
        "name: PORT",
        "reads no variable PORT",
    );
    told(
        "overlay-datadog",
        "name: DD_DOGSTATSD_NON_LOCAL_TRAFFIC",
        "name: DD_DOGSTATSD_NONLOCAL_TRAFFIC",
        "the nearest is DD_DOGSTATSD_NON_LOCAL_TRAFFIC",
    );
    told(
        "overlay-prometheus",
        "name: GF_LOG_MODE",
        "name: GF_LOGMODE",
        "the nearest is GF_LOG_MODE",
    );
    told(
        "component-otel-collector",
        "name: DD_SITE",
        "name: DD_SITES",
        "DD_SITE",
    );
}

#[test]
fn ports_and_probes_fit_the_program() {
    told(
        "base",
        "containerPort: 9080",
        "containerPort: 9081",
        "the program listens on 9080/TCP, which is not written",
    );
    told(
        "base",
        "name: GRACE_PERIOD\n          value: 10s",
        "name: PORT\n          value: \"80\"",
        "the program listens on 80/TCP",
    );
    told(
        "component-console",
        "value: 0.0.0.0",
        "value: 127.0.0.1",
        "where no other pod reaches it",
    );
    told(
        "component-console",
        "protocol: UDP\n        ",
        "protocol: TCP\n        ",
        "the program listens on 8125/UDP",
    );
    told(
        "base",
        "path: /livez",
        "path: /live",
        "asks /live, which it does not answer",
    );
    told(
        "base",
        "path: /readyz",
        "path: /livez",
        "the other probe's question",
    );
    told(
        "base",
        "readinessProbe:",
        "readiness:",
        "lacks one of the three probes",
    );
    told(
        "overlay-datadog",
        "path: /healthz",
        "path: /health",
        "asks /health, which nginxinc/nginx-unprivileged does not answer",
    );
}

#[test]
fn a_pod_has_the_time_to_drain() {
    told(
        "base",
        "terminationGracePeriodSeconds: 20",
        "terminationGracePeriodSeconds: 12",
        "it is killed after 12s, and needs 17s",
    );
    told(
        "base",
        "name: DRAIN_DELAY\n          value: 5s",
        "name: DRAIN_DELAY\n          value: 1s",
        "DRAIN_DELAY is shorter",
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
fn policies_open_each_edge_and_nothing_else() {
    let build = "component-network-policies";
    told_in(
        build,
        "NetworkPolicy details",
        "app: dynamodb",
        "app: dynamo",
        "has the labels {\"app\": \"dynamo\"}",
    );
    told_in(
        build,
        "NetworkPolicy productpage",
        "app: reviews",
        "app: ratings",
        "no policy lets it out to Deployment bookwatch/reviews-v1 on 9080/TCP",
    );
    told_in(
        "overlay-datadog",
        "NetworkPolicy dynamodb",
        "port: 8000",
        "port: 8001",
        "no policy lets it in to Deployment bookwatch/dynamodb on 8000/TCP",
    );
    told_in(
        "overlay-datadog",
        "NetworkPolicy telemetry",
        "port: 4318",
        "port: 8080",
        "policies let it reach Deployment bookwatch/nginx-edge on 8080/TCP, which is no edge",
    );
    told_in(
        build,
        "NetworkPolicy default-deny",
        "\n  - Egress",
        "",
        "no policy denies what no other allows",
    );
    told_in(
        build,
        "NetworkPolicy dns",
        "port: 53\n      protocol: UDP",
        "port: 53\n      protocol: TCP",
        "no policy lets it ask for names",
    );
}

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
