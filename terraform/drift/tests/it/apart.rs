//! What is written in two places because two programs read it: each difference is told.

use crate::{planted, told};

const K8S: &str = "k8s/components/datadog-operator";

#[test]
fn an_objective_that_the_prober_exports_otherwise() {
    told(
        "terraform/datadog/slos.tf",
        "AND outcome NOT IN (good,gap)",
        "AND outcome NOT IN (good)",
        "sli_specification.time_slice.query.query.metric_query.query of availability is `sum:",
    );
    told(
        "terraform/datadog/slos.tf",
        "comparator             = \"<\"",
        "comparator             = \"<=\"",
        "comparator of availability is `<=`, and the export has `<`",
    );
    told(
        "terraform/datadog/burn_alerts.tf",
        ".over(\\\"${local.objectives.timeframe}\\\")",
        ".over(\\\"30d\\\")",
        "query of success is `burn_rate",
    );
    told(
        "terraform/slos.json",
        "\"short_window\": \"5m\"",
        "\"short_window\": \"6m\"",
        "the prober's burn alert on availability is",
    );
    told(
        &format!("{K8S}/slos.yaml"),
        "api-ratings) AND outcome IN (good)}",
        "api-rating) AND outcome IN (good)}",
        "numerator of success is `sum:",
    );
}

#[test]
fn a_monitor_that_the_console_judges_otherwise() {
    for (old, new, what) in [
        (
            "alert: 800.0",
            "alert: 900.0",
            "critical of my_metric is 800, and the console has 900",
        ),
        (
            "over: Duration::from_secs(60)",
            "over: Duration::from_secs(300)",
            "minutes of my_metric is 1, and the console has 5",
        ),
    ] {
        let faults = planted("console/src/monitor/rule.rs", old, new);
        for file in [
            "terraform/datadog/my_metric.tf",
            &format!("{K8S}/monitor.yaml"),
        ] {
            let told = |fault: &drift::Fault| fault.file == file && fault.what == what;
            assert!(faults.iter().any(told), "{file}: {what}: {faults:#?}");
        }
    }
    let faults = planted(
        "terraform/datadog/my_metric.tf",
        "no_data_timeframe = 10",
        "no_data_timeframe = 20",
    );
    let told =
        |fault: &drift::Fault| fault.what == "no data of my_metric is 20, and the console has 10";
    assert!(faults.iter().any(told), "{faults:#?}");
}

#[test]
fn an_attribute_that_no_log_line_has() {
    let file = "terraform/datadog/logs.tf";
    told(
        file,
        "\"duration_ms * 1000000\"",
        "\"duration * 1000000\"",
        "no log line has the attribute duration; the nearest name is duration_ms",
    );
    told(
        file,
        "\"url.path\"  ",
        "\"url.paths\" ",
        "no log line has the attribute url.paths; the nearest name is url.path",
    );
    told(
        file,
        "[\"dd.span_id\", \"span_id\"]",
        "[\"dd.span_id\", \"spanid\"]",
        "no log line has the attribute spanid; the nearest name is span_id",
    );
}

#[test]
fn an_image_without_a_repository() {
    told(
        "docker-bake.hcl",
        "\"mymetric\",",
        "\"my-metric\",",
        "my-metric is built and pushed, and has no repository in services.json; the nearest name is mymetric",
    );
    let faults = planted(
        "k8s/overlays/eks/kustomization.yaml",
        "name: bookwatch/ratings,",
        "name: bookwatch/rating,",
    );
    assert!(
        faults.iter().any(|fault| fault
            .what
            .starts_with("rating is run from ECR, and has no repository")),
        "{faults:#?}"
    );
}

#[test]
fn an_identity_of_no_service_account() {
    told(
        "terraform/services.json",
        "\"synthetics-tokyo\"",
        "\"synthetics-tokio\"",
        "no manifest has the service account synthetics-tokio of synthetics; the nearest name is synthetics-tokyo",
    );
}

#[test]
fn a_role_of_pods_that_cannot_reach_aws() {
    told(
        "k8s/overlays/eks/network-policies.yaml",
        "values: [details, ratings, reviews, seed, synthetics]",
        "values: [details, ratings, reviews, seed]",
        "synthetics has tables, and may not reach them",
    );
}

#[test]
fn a_metric_that_prometheus_never_has() {
    told(
        "k8s/components/prometheus/rules/my-metric.yaml",
        "absent(my_metric)",
        "absent(mymetric)",
        "no metric mymetric is there in Prometheus; the nearest name is my_metric",
    );
    told(
        "k8s/components/prometheus/dashboards/objectives.json",
        "(increase(synthetics_probe_count_total[1m]))",
        "(increase(synthetics_probe_count[1m]))",
        "the nearest name is synthetics_probe_count_total",
    );
}
