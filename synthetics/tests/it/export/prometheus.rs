//! Rules of Prometheus, run by Prometheus's own `promtool` where it is installed; CI has it.

use std::path::Path;
use std::process::Command;

use synthetics::export::{Format, export};

use super::{built_in, config, one, root};

/// Runs `promtool`; `None` where there is none, which CI does not let pass.
#[expect(
    clippy::disallowed_methods,
    reason = "whether the tool may be missing is the environment's to say"
)]
fn promtool(arguments: &[&str]) -> Option<String> {
    let output = match Command::new("promtool").args(arguments).output() {
        Ok(output) => output,
        Err(_) if std::env::var("CI").as_deref() != Ok("true") => return None,
        Err(error) => panic!("promtool cannot be run, install it (Debian: prometheus): {error}"),
    };
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{told}");
    Some(told)
}

/// Runs the rules of `text` over series, and holds what comes of it against what is expected.
fn rules_give(text: &str, tests: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("rules.yaml"), text).expect("a file");
    let tests = format!("rule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n{tests}");
    std::fs::write(path("test.yaml"), tests).expect("a file");
    let (rules, test) = (path("rules.yaml"), path("test.yaml"));
    promtool(&["check", "rules", rules.to_str().expect("text")]);
    promtool(&["test", "rules", test.to_str().expect("text")]);
}

#[test]
fn the_rules_of_the_cluster_are_what_the_program_writes() {
    let exported = built_in(Format::Prometheus);
    assert_eq!(exported.left_out, [""; 0]);
    let file = root().join("k8s/components/prometheus/rules/slo.yaml");
    let there = std::fs::read_to_string(&file).expect("the rules are there");
    assert!(
        there == exported.text,
        "write them anew: synthetics export --to prometheus --output {}",
        Path::new("k8s/components/prometheus/rules/slo.yaml").display()
    );
    promtool(&["check", "rules", file.to_str().expect("text")]);
}

/// Twelve good probes a minute from two locations; a new kind of failure in minute 10; from minute
/// 60 on nothing is good from one of them.
#[test]
fn minutes_and_burn_are_counted_as_the_prober_counts_them() {
    let text = built_in(Format::Prometheus).text;
    let mut tests = r#"
  - interval: 1m
    input_series:
      - {series: 'synthetics_probe_count_total{check="health",location="tokyo",outcome="good"}', values: "0+12x180"}
      - {series: 'synthetics_probe_count_total{check="health",location="osaka",outcome="good"}', values: "0+12x60 720x120"}
      - {series: 'synthetics_probe_count_total{check="health",location="osaka",outcome="timeout"}', values: "_x61 12+12x119"}
      - {series: 'synthetics_probe_count_total{check="health",location="tokyo",outcome="status"}', values: "_x10 1x9 stale"}
      - {series: 'synthetics_probe_count_total{check="health",location="tokyo",outcome="gap"}', values: "0+1x180"}
    promql_expr_test:
      # One failure, the first of its kind: its minute is down, and no other.
      - {expr: 'slo:events_bad:1m{slo="availability"}', eval_time: 9m, exp_samples: [{labels: 'slo:events_bad:1m{slo="availability"}', value: 0}]}
      - {expr: 'slo:events_bad:1m{slo="availability"}', eval_time: 10m, exp_samples: [{labels: 'slo:events_bad:1m{slo="availability"}', value: 1}]}
      - {expr: 'slo:events_bad:1m{slo="availability"}', eval_time: 11m, exp_samples: [{labels: 'slo:events_bad:1m{slo="availability"}', value: 0}]}
      - {expr: 'slo:events:1m{slo="availability"}', eval_time: 11m, exp_samples: [{labels: 'slo:events:1m{slo="availability"}', value: 1}]}
      # Requests are counted one by one, and gaps are in no count.
      - {expr: 'slo:events:1m{slo="success"}', eval_time: 10m, exp_samples: [{labels: 'slo:events:1m{slo="success"}', value: 25}]}
      - {expr: 'slo:events_bad:1m{slo="success"}', eval_time: 10m, exp_samples: [{labels: 'slo:events_bad:1m{slo="success"}', value: 1}]}
      - {expr: 'slo:events_bad:1m{slo="success"}', eval_time: 70m, exp_samples: [{labels: 'slo:events_bad:1m{slo="success"}', value: 12}]}
      # What nobody measured is in no count.
      - {expr: 'slo:events:1m{slo="latency-100ms"}', eval_time: 10m, exp_samples: []}
    alert_rule_test:
"#
    .to_owned();
    // 16.8 x 2 % is 33.6 % of an hour: more than 20 of its minutes. Half of the requests are bad,
    // an eighth of all so far.
    let alert = |slo: &str, severity: &str, long: &str| {
        let summary = match (slo, long) {
            ("availability", "1h") => {
                "availability, 98 % over 7d: the budget burns faster than 16.8 times, over 1h and over 5m; at that rate 10 % of it is spent in 1h"
            }
            ("availability", "6h") => {
                "availability, 98 % over 7d: the budget burns faster than 5.6 times, over 6h and over 30m; at that rate 20 % of it is spent in 6h"
            }
            ("availability", _) => {
                "availability, 98 % over 7d: the budget burns faster than 2.8 times, over 24h and over 2h; at that rate 40 % of it is spent in 24h"
            }
            _ => {
                "success ratio, 96 % over 7d: the budget burns faster than 2.8 times, over 24h and over 2h; at that rate 40 % of it is spent in 24h"
            }
        };
        format!(
            "{{exp_labels: {{slo: {slo}, severity: {severity}, window: {long}}}, exp_annotations: {{summary: \"{summary}\"}}}}"
        )
    };
    let slow = [
        alert("availability", "warning", "6h"),
        alert("availability", "warning", "24h"),
        alert("success", "warning", "24h"),
    ]
    .join(", ");
    let fast = alert("availability", "critical", "1h");
    for (minute, alerts) in [
        (59, String::new()),
        (80, slow.clone()),
        (82, format!("{fast}, {slow}")),
    ] {
        tests.push_str(&format!(
            "      - {{eval_time: {minute}m, alertname: SloBudgetBurns, exp_alerts: [{alerts}]}}\n"
        ));
    }
    rules_give(&text, &tests);
}

#[test]
fn requests_in_time_are_counted_by_their_limit() {
    let text = one("target: 95%, latency: {within: 1s}");
    let text = export(&config(&text), Format::Prometheus).text;
    rules_give(
        &text,
        r#"
  - interval: 1m
    input_series:
      - {series: 'synthetics_probe_count_total{check="page",location="tokyo",outcome="good"}', values: "0+20x60"}
      - {series: 'synthetics_probe_duration_count{check="page",location="tokyo",outcome="good"}', values: "0+20x60"}
      - {series: 'synthetics_probe_duration_bucket{check="page",location="tokyo",outcome="good",le="1"}', values: "0+19x60"}
      - {series: 'synthetics_probe_duration_bucket{check="page",location="tokyo",outcome="good",le="2.5"}', values: "0+20x60"}
      # Nothing came of these, so fast as they were.
      - {series: 'synthetics_probe_duration_count{check="page",location="tokyo",outcome="connect"}', values: "_x30 5+5x30"}
      - {series: 'synthetics_probe_duration_bucket{check="page",location="tokyo",outcome="connect",le="1"}', values: "_x30 5+5x30"}
    promql_expr_test:
      - {expr: 'slo:events_bad:1m', eval_time: 20m, exp_samples: [{labels: 'slo:events_bad:1m{slo="it"}', value: 1}]}
      - {expr: 'slo:events:1m', eval_time: 40m, exp_samples: [{labels: 'slo:events:1m{slo="it"}', value: 25}]}
      - {expr: 'slo:events_bad:1m', eval_time: 40m, exp_samples: [{labels: 'slo:events_bad:1m{slo="it"}', value: 6}]}
      # 19 of 20 are exactly 95 %: all of the budget and no more.
      - {expr: 'round(slo:budget_remaining:ratio, 0.0001)', eval_time: 20m, exp_samples: [{labels: '{slo="it"}', value: 0}]}
"#,
    );
}

#[test]
fn locations_become_one_by_their_rule() {
    // In minute 3 one of three fails a tenth of its probes, in minute 4 two do, in minute 5 all fail all.
    let series = r#"
  - interval: 1m
    input_series:
      - {series: 'synthetics_probe_count_total{check="page",location="a",outcome="good"}', values: "0 10 20 29 38 38 48"}
      - {series: 'synthetics_probe_count_total{check="page",location="a",outcome="body"}', values: "_ _ _ 1 2 12 12"}
      - {series: 'synthetics_probe_count_total{check="page",location="b",outcome="good"}', values: "0 10 20 30 39 39 49"}
      - {series: 'synthetics_probe_count_total{check="page",location="b",outcome="body"}', values: "_ _ _ _ 1 11 11"}
      - {series: 'synthetics_probe_count_total{check="page",location="c",outcome="good"}', values: "0 10 20 30 40 40 50"}
      - {series: 'synthetics_probe_count_total{check="page",location="c",outcome="body"}', values: "_ _ _ _ _ 10 10"}
    promql_expr_test:
"#;
    for (rule, share, down) in [
        ("all-up", "100%", [0, 1, 1, 1, 0]),
        ("majority", "100%", [0, 0, 1, 1, 0]),
        ("pooled", "100%", [0, 1, 1, 1, 0]),
        ("all-up", "90%", [0, 0, 0, 1, 0]),
        ("all-up", "91%", [0, 1, 1, 1, 0]),
        ("majority", "91%", [0, 0, 1, 1, 0]),
        ("pooled", "95%", [0, 0, 1, 1, 0]),
    ] {
        let text = one(&format!(
            "target: 98%, availability: {{up_from: {share}}}, locations: {rule}"
        ));
        let mut tests = series.to_owned();
        for (minute, down) in (2..).zip(down) {
            tests.push_str(&format!(
                "      - {{expr: 'slo:events_bad:1m', eval_time: {minute}m, exp_samples: [{{labels: 'slo:events_bad:1m{{slo=\"it\"}}', value: {down}}}]}} # {rule} {share}\n"
            ));
        }
        rules_give(&export(&config(&text), Format::Prometheus).text, &tests);
    }
}

#[test]
fn what_a_rule_needs_and_what_it_cannot_have_is_said() {
    let text = one("target: 95%, window: calendar-week, latency: {within: 300ms}");
    let exported = export(&config(&text), Format::Prometheus);
    assert!(
        exported.left_out[0].contains("no bound at 0.3 s"),
        "{:?}",
        exported.left_out
    );
    for part in [
        "# Needs a bound at 0.3 s",
        "# Prometheus has no calendar-week",
        "# - Prometheus knows of no maintenance",
    ] {
        assert!(exported.text.contains(part), "{part}\n{}", exported.text);
    }
    assert!(!exported.text.contains("budget_remaining"));
}
