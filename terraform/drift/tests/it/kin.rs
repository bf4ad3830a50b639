//! Kin of the ten faults: the same mistakes in places where a first look does not find them.

use drift::{Fault, check, unseen};

use crate::{PROGRAMS, REAL, planted, told};

const LOCALS: &str = "terraform/datadog/locals.tf";
const MONITORS: &str = "terraform/datadog/my_metric.tf";
const OBJECTIVES: &str = "terraform/datadog/slos.tf";
const POLICY: &str = "terraform/cluster/identity.tf";
const RESOURCES: &str = "k8s/components/datadog-operator/slos.yaml";

/// One of `faults` is at `line` of `file` and says `what`.
#[track_caller]
fn at(faults: &[Fault], file: &str, line: usize, what: &str) {
    assert!(
        faults
            .iter()
            .any(|fault| fault.file == file && fault.line == line && fault.what.contains(what)),
        "{file}:{line} is to be told as `{what}`, and it is: {faults:#?}"
    );
}

/// Plants an expression among the locals, in the second line of their file.
#[track_caller]
fn local(expression: &str, what: &str) {
    let more = format!("locals {{\n  more = {expression}");
    at(&planted(LOCALS, "locals {", &more), LOCALS, 2, what);
}

#[test]
fn a_misspelt_metric_wherever_a_text_can_stand() {
    let nearest = "the nearest name is loadgen.request.count";
    local(r#""sum:loadgen.requests.count{*}""#, nearest);
    local("<<-EOT\n    sum:loadgen.requests.count{*}\n  EOT", nearest);
    local(
        r#"var.percentiles ? "sum:my_metric{*}" : "sum:loadgen.requests.count{*}""#,
        nearest,
    );
    local(
        r#""${var.percentiles ? "sum:loadgen.requests.count{*}" : ""}""#,
        nearest,
    );
    local(
        r#"[for name in ["a"] : "sum:loadgen.requests.count{outcome:${name}}"]"#,
        nearest,
    );
    let file = "terraform/datadog/modules/dashboard/variables.tf";
    let faults = planted(
        file,
        "default  = {}",
        r#"default  = { more = { tag = "sum:loadgen.requests.count{*}" } }"#,
    );
    assert!(
        faults
            .iter()
            .any(|fault| fault.file == file && fault.what.contains(nearest)),
        "{faults:#?}"
    );
}

#[test]
fn a_misspelt_metric_in_a_template_and_in_json() {
    let mut tree = REAL.clone();
    let template = "terraform/datadog/more.tftpl";
    tree.add(template, "{\n  sum:loadgen.requests.count{${scope}}\n}\n");
    let json = "terraform/datadog/more.json";
    tree.add(
        json,
        r#"{"widgets": [
            {"definition": {"type": "timeseries", "requests": [{"q": "sum:my_metrics{*}"}]}},
            {"definition": {"type": "timeseries", "title": "empty", "requests": []}}
        ]}"#,
    );
    let faults = check(&tree, &PROGRAMS);
    let nearest = "the nearest name is loadgen.request.count";
    at(&faults, template, 2, nearest);
    at(&faults, json, 2, "the nearest name is my_metric");
    at(&faults, json, 3, "the widget `empty` has no query");
}

#[test]
fn a_metric_whose_name_is_put_together() {
    let what = "the name of a metric is put together";
    local(
        r#"[for name in ["requests"] : "sum:loadgen.${name}.count{*}"]"#,
        what,
    );
    local(r#"format("p95:%s{*}", "loadgen.requests")"#, what);
    local(r#""count(v: v<=0.1):${local.site}{*} > 1""#, what);
}

#[test]
fn a_value_that_a_tag_never_has() {
    told(
        "terraform/datadog/band_pods.tf",
        "pod_phase:running",
        "pod_phase:runing",
        "there is no pod_phase runing; the nearest name is running",
    );
    told(
        "terraform/datadog/band_containers.tf",
        "reason:oomkilled",
        "reason:omkilled",
        "there is no reason omkilled; the nearest name is oomkilled",
    );
    told(
        "terraform/datadog/golden_signals.tf",
        "sum:store.cache.lookup.count{$env}",
        "sum:store.cache.lookup.count{$env,outcome:misss}",
        "there is no outcome misss; the nearest name is miss",
    );
    told(
        "terraform/datadog/metrics.tf",
        "\"kube_namespace\"",
        "\"kube_namespaces\"",
        "the Agent adds no tag kube_namespaces; the nearest name is kube_namespace",
    );
}

#[test]
fn an_unknown_name_in_a_search() {
    let file = "terraform/datadog/band_containers.tf";
    let old = "search  = \"$cluster $host\"";
    told(
        file,
        old,
        "search  = \"$cluster service:product-page\"",
        "there is no service product-page; the nearest name is productpage",
    );
    told(
        file,
        old,
        "search  = \"$clusters $host\"",
        "the dashboard has no variable $clusters; the nearest name is cluster",
    );
    let file = "terraform/datadog/logs.tf";
    told(
        file,
        "service:(${join(\" OR \", keys(local.services))})",
        "service:(details OR review)",
        "there is no service review; the nearest name is reviews",
    );
    told(
        file,
        "@http.status_code:[",
        "@http.statuscode:[",
        "no log line has the attribute http.statuscode",
    );
}

#[test]
fn an_objective_that_is_not_the_first_of_its_file() {
    told(
        OBJECTIVES,
        "AND outcome IN (good)}",
        "AND outcome IN (good,latency)}",
        "query.numerator of success is",
    );
    let faults = planted(
        "terraform/slos.json",
        "\"answered\": [\"good\", \"status\",",
        "\"answered\": [\"good\",",
    );
    let what = "query.numerator of latency-500ms is";
    at(
        &faults,
        OBJECTIVES,
        crate::line(OBJECTIVES, "numerator"),
        what,
    );
}

#[test]
fn a_slice_with_another_limit() {
    told(
        OBJECTIVES,
        "threshold              = tonumber(each.value.within_seconds)",
        "threshold              = 100",
        "synthetics.probe.duration is in seconds: a limit of 100 cannot be meant",
    );
    told(
        OBJECTIVES,
        "comparator             = \"<=\"",
        "comparator             = \">=\"",
        "a slice would be good while synthetics.probe.duration is above the limit",
    );
    told(
        RESOURCES,
        "\"threshold\": 1",
        "\"threshold\": 2",
        "threshold of availability is `2`, and the export has `1`",
    );
    told(
        RESOURCES,
        "\"query_interval_seconds\": 60",
        "\"query_interval_seconds\": 300",
        "query_interval_seconds of availability is `300`, and the export has `60`",
    );
}

#[test]
fn a_synthetic_test_that_is_no_check_of_the_prober() {
    let file = "terraform/datadog/synthetics.tf";
    told(
        file,
        "path     = \"/api/v1/products/0/ratings\"",
        "path     = \"/api/v1/product/0/ratings\"",
        "the prober's check api-ratings asks for /api/v1/products/0/ratings",
    );
    let faults = planted(file, "api-ratings = {", "api-rating = {");
    let line = crate::line(file, "api-ratings = {");
    let what = "the prober has no check api-rating; the nearest name is api-ratings";
    at(&faults, file, line, what);
}

#[test]
fn a_policy_that_is_not_what_the_list_allows() {
    told(
        POLICY,
        "actions   = statement.value",
        "actions   = [\"dynamodb:*\"]",
        "actions of the roles' policy is `statement.value`",
    );
    told(
        POLICY,
        "resources = [aws_dynamodb_table.this[statement.key].arn]",
        "resources = [\"*\"]",
        "resources of the roles' policy is",
    );
    told(
        POLICY,
        "for_each = each.value.tables",
        "for_each = { for name, calls in each.value.tables : name => calls if name != \"ratings\" }",
        "for_each of the roles' policy is `each.value.tables`",
    );
}

#[test]
fn a_prefix_that_the_programs_do_not_have() {
    for root in ["cluster", "datadog", "aws-integration"] {
        told(
            &format!("terraform/{root}/variables.tf"),
            "default     = \"bookwatch-\"",
            "default     = \"bookwach-\"",
            "tables of the programs begin with bookwatch-",
        );
    }
}

#[test]
fn a_block_of_a_dashboard_without_a_query() {
    let before = "resource \"datadog_monitor\" \"my_metric\" {";
    let widget = "resource \"datadog_dashboard\" \"more\" {\n  widget {\n    toplist_definition {\n      title = \"empty\"\n    }\n  }\n}\n\n";
    let faults = planted(MONITORS, before, &format!("{widget}{before}"));
    let line = crate::line(MONITORS, before) + 2;
    at(&faults, MONITORS, line, "the widget `empty` has no query");
}

#[test]
fn a_list_that_cannot_be_read() {
    for name in ["integrations.json", "services.json", "slos.json"] {
        let file = format!("terraform/{name}");
        let mut tree = REAL.clone();
        tree.add(&file, "{\"unfinished\": ");
        let faults = check(&tree, &PROGRAMS);
        let told: Vec<_> = faults.iter().map(|fault| fault.file.as_str()).collect();
        assert_eq!(told, [file.as_str()], "{faults:#?}");
        assert_eq!(unseen(&tree, &PROGRAMS), [""; 0]);
    }
}
