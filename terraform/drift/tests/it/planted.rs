//! The ten faults that must never pass, and kin of theirs.

use crate::{planted, told};

const GOLDEN: &str = "terraform/datadog/golden_signals.tf";
const K8S: &str = "k8s/components/datadog-operator";

#[test]
fn a_misspelt_metric() {
    told(
        GOLDEN,
        "sum:loadgen.request.count{$env}",
        "sum:loadgen.requests.count{$env}",
        "no metric loadgen.requests.count is sent; the nearest name is loadgen.request.count",
    );
    told(
        GOLDEN,
        "p95:trace.dynamodb.query{$env}",
        "p95:trace.dynamodb.queries{$env}",
        "the nearest name is trace.dynamodb.query",
    );
    told(
        "terraform/datadog/band_nodes.tf",
        "avg:system.mem.usable{",
        "avg:system.mem.useable{",
        "the nearest name is system.mem.usable",
    );
    told(
        &format!("{K8S}/monitor.yaml"),
        "avg(last_1m):avg:my_metric{",
        "avg(last_1m):avg:my_metrics{",
        "the nearest name is my_metric",
    );
    told(
        &format!("{K8S}/dashboard.yaml"),
        "\"query\": \"avg:my_metric{$env,$host} by {host}\"",
        "\"query\": \"avg:mymetric{$env,$host} by {host}\"",
        "the nearest name is my_metric",
    );
    told(
        "k8s/components/hpa/hpa.yaml",
        "sum:http.server.request.count{",
        "sum:http.server.requests.count{",
        "the nearest name is http.server.request.count",
    );
}

#[test]
fn a_wrong_tag() {
    told(
        GOLDEN,
        "by {outcome}.as_count()\" }\n            display = \"bars\"\n          },\n          {\n            title   = \"Load, p95",
        "by {outcomes}.as_count()\" }\n            display = \"bars\"\n          },\n          {\n            title   = \"Load, p95",
        "loadgen.request.count has no tag outcomes; the nearest name is outcome",
    );
    told(
        GOLDEN,
        "avg:synthetics.slo.sli{$env} by {slo}",
        "avg:synthetics.slo.sli{$env} by {location}",
        "synthetics.slo.sli has no tag location",
    );
    told(
        "terraform/datadog/band_overview.tf",
        "sum:kubernetes_state.node.count{$cluster}",
        "sum:kubernetes_state.node.count{$clusters}",
        "the dashboard has no variable $clusters; the nearest name is cluster",
    );
    told(
        "terraform/datadog/slos.tf",
        "AND outcome NOT IN (good,gap)",
        "AND outcome NOT IN (good,gaps)",
        "there is no outcome gaps; the nearest name is gap",
    );
}

#[test]
fn an_unknown_service() {
    told(
        "terraform/datadog/my_metric.tf",
        "\"service:mymetric\"",
        "\"service:my-metric\"",
        "there is no service my-metric; the nearest name is mymetric",
    );
    told(
        "terraform/services.json",
        "\"calls\": [\"details\", \"reviews\", \"ratings\"]",
        "\"calls\": [\"details\", \"review\", \"ratings\"]",
        "productpage calls review, which is no service; the nearest name is reviews",
    );
    told(
        "k8s/components/hpa/hpa.yaml",
        "{service:productpage,kube_namespace:bookwatch}",
        "{service:product-page,kube_namespace:bookwatch}",
        "there is no service product-page; the nearest name is productpage",
    );
    let faults = planted("terraform/services.json", "\"loadgen\": {", "\"load\": {");
    let told = |fault: &drift::Fault| {
        fault
            .what
            .contains("no program and no workload calls itself load;")
    };
    assert!(faults.iter().any(told), "{faults:#?}");
}

#[test]
fn a_wrong_scale_of_a_unit() {
    told(
        "terraform/datadog/slos.tf",
        "count(v: v<=${each.value.within_seconds}):synthetics",
        "count(v: v<=100):synthetics",
        "synthetics.probe.duration is in seconds: a limit of 100 cannot be meant",
    );
    told(
        "terraform/slos.json",
        "\"within_seconds\": \"0.1\"",
        "\"within_seconds\": \"100\"",
        "within_seconds of latency-100ms differs from the prober's, which is 100ms",
    );
    told(
        GOLDEN,
        "\"cpu / 1000000000 / cpu_limit * 100\"",
        "\"cpu / 1000000 / cpu_limit * 100\"",
        "gives no percentage",
    );
}

#[test]
fn a_target_that_differs() {
    told(
        "terraform/slos.json",
        "\"target\": \"98\"",
        "\"target\": \"99\"",
        "target of availability differs from the prober's, which is 98",
    );
    told(
        &format!("{K8S}/slos.yaml"),
        "targetThreshold: \"96\"",
        "targetThreshold: \"95\"",
        "the target of success differs",
    );
    told(
        "terraform/slos.json",
        "{\"factor\": \"16.8\"",
        "{\"factor\": \"14.4\"",
        "the prober's burn alert on availability is 16.8",
    );
    let twice = planted(
        "terraform/datadog/slos.tf",
        "target    = tonumber(each.value.target)",
        "target    = 97",
    );
    assert!(
        twice
            .iter()
            .any(|fault| fault.what.contains("it comes from slos.json")),
        "{twice:#?}"
    );
}

#[test]
fn thresholds_in_the_wrong_order() {
    let faults = planted(
        "terraform/datadog/my_metric.tf",
        "warning  = 500",
        "warning  = 900",
    );
    assert!(
        faults.iter().any(|fault| {
            fault.file == "terraform/datadog/my_metric.tf"
                && fault.what == "warning (900) does not come before critical (800)"
        }),
        "{faults:#?}"
    );
    told(
        &format!("{K8S}/monitor.yaml"),
        "warning: \"500\"",
        "warning: \"900\"",
        "warning (900) does not come before critical (800)",
    );
}

#[test]
fn a_downtime_without_a_time_zone() {
    let file = "terraform/datadog/my_metric.tf";
    let faults = planted(file, "    timezone = var.time_zone\n", "");
    assert!(
        faults
            .iter()
            .any(|fault| fault.file == file && fault.what == "the downtime has no time zone"),
        "{faults:#?}"
    );
    let file = &format!("{K8S}/downtimes.yaml");
    let faults = planted(file, "            \"timezone\": \"Asia/Tokyo\",\n", "");
    assert!(
        faults
            .iter()
            .any(|fault| fault.file == *file && fault.what == "the downtime has no time zone"),
        "{faults:#?}"
    );
    told(
        file,
        "\"timezone\": \"Asia/Tokyo\"",
        "\"timezone\": \"Asia/Tokio\"",
        "Asia/Tokio is no time zone",
    );
}

#[test]
fn a_table_that_the_app_does_not_use() {
    told(
        "terraform/cluster/dynamodb.tf",
        "reviews = { hash_key",
        "review = { hash_key",
        "no store has a table review; the nearest name is reviews",
    );
    told(
        "terraform/cluster/dynamodb.tf",
        "range_key = \"reviewer\", types = { product_id = \"N\", reviewer = \"S\" }, expires = null }\n    ratings",
        "range_key = \"writer\", types = { product_id = \"N\", writer = \"S\" }, expires = null }\n    ratings",
        "the store's keys of reviews are others",
    );
    told(
        &format!("{K8S}/dashboard.yaml"),
        "{tablename:bookwatch-*}",
        "{tablename:bookwatch-books}",
        "the app has no table bookwatch-books",
    );
}

#[test]
fn an_action_that_a_call_needs_is_missing() {
    told(
        "terraform/services.json",
        "[\"dynamodb:PutItem\", \"dynamodb:Query\"]",
        "[\"dynamodb:Query\"]",
        "ratings calls dynamodb:PutItem on ratings, and is not allowed to",
    );
    told(
        "terraform/services.json",
        "[\"dynamodb:GetItem\"]",
        "[\"dynamodb:GetItem\", \"dynamodb:Scan\"]",
        "details never calls dynamodb:Scan on details",
    );
}

#[test]
fn a_widget_without_a_query() {
    told(
        GOLDEN,
        "{\n            title   = \"Load, p95 by route\"\n            kind    = \"timeseries\"\n            queries = { p95 = \"p95:loadgen.request.duration{$env} by {http.route}\" }",
        "{\n            title   = \"Load, p95 by route\"\n            kind    = \"timeseries\"",
        "the widget `Load, p95 by route` has no query",
    );
    let file = &format!("{K8S}/dashboard.yaml");
    let faults = planted(file, "\"queries\": [{", "\"unasked\": [{");
    assert!(
        faults.iter().any(|fault| fault.file == *file
            && fault.what == "the widget `my_metric by host` has no query"),
        "{faults:#?}"
    );
    told(
        GOLDEN,
        "\"default_zero(errors) / hits * 100\"",
        "\"default_zero(error) / hits * 100\"",
        "there is no query error",
    );
}
