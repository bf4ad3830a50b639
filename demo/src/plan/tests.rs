use super::*;
use crate::cli::Cli;
use clap::Parser as _;

fn plan(args: &[&str]) -> Result<Plan, PlanError> {
    let words = std::iter::once("bookwatch").chain(args.iter().copied());
    Plan::new(
        &Cli::try_parse_from(words).unwrap().up,
        Path::new("report.json"),
    )
}

fn ports(plan: &Plan) -> Vec<(&str, u16)> {
    plan.processes
        .iter()
        .flat_map(|s| s.doors().map(|door| (s.name, door.address.port())))
        .collect()
}

fn variable<'a>(plan: &'a Plan, process: &str, name: &str) -> &'a str {
    let spec = plan.find(process).unwrap();
    let found = spec.env.iter().find(|(key, _)| *key == name);
    found.map_or("", |(_, value)| value.as_str())
}

fn started(plan: &Plan) -> Vec<&str> {
    plan.processes.iter().map(|s| s.name).collect()
}

#[test]
fn the_usual_ports_are_the_default() {
    let plan = plan(&[]).unwrap();
    assert_eq!(
        ports(&plan),
        [
            ("productpage", 9080),
            ("console", 8080),
            ("console", 8125),
            ("console", 4317),
            ("console", 4318),
            ("synthetics", 8081),
            ("details", 9081),
            ("ratings", 9082),
            ("reviews-v1", 9083),
            ("reviews-v2", 9084),
            ("reviews-v3", 9085),
            ("dynamodb", 8000),
        ]
    );
    assert!(plan.is_whole() && plan.has_store());
    assert_eq!(plan.store, "http://127.0.0.1:8000");
}

#[test]
fn the_base_alone_moves_everything() {
    let moved = plan(&["--port-base", "20000"]).unwrap();
    let mut all: Vec<u16> = ports(&moved).iter().map(|(_, port)| *port).collect();
    assert!(all.iter().all(|port| (20000..=20019).contains(port)));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 12);
    assert!(plan(&["--port-base", "65516"]).is_ok(), "the last base");
    let both = plan(&["--port-base", "20000", "--dynamodb-port", "8001"]).unwrap();
    assert_eq!(both.store, "http://127.0.0.1:8001");
}

#[test]
fn one_port_for_two_is_refused() {
    let error = plan(&["--dynamodb-port", "9084"]).unwrap_err();
    assert_eq!(
        error,
        PlanError::SamePort {
            port: 9084,
            first: "reviews-v2",
            second: "dynamodb"
        }
    );
    let error = plan(&["--console-port", "4318"]).unwrap_err();
    assert!(error.to_string().contains("console and console"), "{error}");
    assert!(plan(&["--dynamodb-port", "8125"]).is_ok(), "UDP is another");
    assert!(plan(&["--dynamodb-port", "9084", "--only", "details"]).is_ok());
}

#[test]
fn the_page_asks_all_three_reviews_in_turn_and_they_differ_as_the_contract_says() {
    let plan = plan(&["--port-base", "7000", "--listen-address", "0.0.0.0"]).unwrap();
    assert_eq!(
        variable(&plan, "productpage", "REVIEWS_HOSTNAME"),
        "127.0.0.1:7003,127.0.0.1:7004,127.0.0.1:7005"
    );
    let facts: Vec<[&str; 5]> = ["reviews-v1", "reviews-v2", "reviews-v3"]
        .map(|name| {
            [
                "SERVICE_VERSION",
                "DD_VERSION",
                "DD_SERVICE",
                "ENABLE_RATINGS",
                "STAR_COLOR",
            ]
            .map(|key| variable(&plan, name, key))
        })
        .into();
    assert_eq!(facts[0], ["v1", "v1", "reviews", "false", "black"]);
    assert_eq!(facts[1], ["v2", "v2", "reviews", "true", "black"]);
    assert_eq!(facts[2], ["v3", "v3", "reviews", "true", "red"]);
}

#[test]
fn only_brings_the_store_along_where_it_is_needed() {
    let some = plan(&["--only", "details,reviews-v2"]).unwrap();
    assert_eq!(started(&some), ["details", "reviews-v2", "dynamodb"]);
    assert!(!some.is_whole());
    let three = plan(&["--only", "reviews"]).unwrap();
    assert_eq!(three.processes.len(), 4);
    let page = plan(&["--only", "productpage,mymetric"]).unwrap();
    assert_eq!(started(&page), ["productpage", "mymetric"]);
    assert!(!page.uses_store());
    let unknown = plan(&["--only", "detials"]).unwrap_err();
    assert!(unknown.to_string().contains("details"), "{unknown}");
    let none = plan(&["--only", "loadgen", "--no-load"]).unwrap_err();
    assert_eq!(none, PlanError::Nothing);
}

#[test]
fn a_store_that_is_given_replaces_the_embedded_one() {
    for flag in ["--dynamodb-endpoint", "--aws-endpoint-url-dynamodb"] {
        let given = plan(&[flag, "http://db:8000"]).unwrap();
        assert!(!given.has_store() && given.uses_store());
        assert_eq!(
            variable(&given, "details", "DYNAMODB_ENDPOINT"),
            "http://db:8000"
        );
        let error = plan(&[flag, "http://db:8000", "--data", "x"]).unwrap_err();
        assert!(matches!(error, PlanError::DataElsewhere(_)));
    }
}

#[test]
fn visitors_stop_first_and_the_store_last() {
    let plan = plan(&[]).unwrap();
    let mut order: Vec<(u8, &str)> = plan
        .processes
        .iter()
        .map(|s| (s.stop_rank, s.program.name()))
        .collect();
    order.sort_unstable();
    order.dedup();
    let names: Vec<&str> = order.iter().map(|(_, name)| *name).collect();
    assert_eq!(
        names,
        [
            "loadgen",
            "synthetics",
            "productpage",
            "reviews",
            "details",
            "ratings",
            "mymetric",
            "dynamodb",
            "console"
        ]
    );
}

#[test]
fn everybody_sends_to_the_console_and_it_to_nobody() {
    let moved = plan(&["--port-base", "7000", "--listen-address", "0.0.0.0"]).unwrap();
    for spec in &moved.processes {
        let of = |name| variable(&moved, spec.name, name);
        let told = (of("DD_DOGSTATSD_URL"), of("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let expected = match spec.program {
            Program::Console => ("", ""),
            _ => ("udp://127.0.0.1:7011", "http://127.0.0.1:7013"),
        };
        assert_eq!(told, expected, "{}", spec.name);
    }
    assert_eq!(variable(&moved, "console", "CONSOLE_PORT"), "7010");
    let status = |plan: &Plan| variable(plan, "console", "CONSOLE_SYNTHETICS_URL").to_owned();
    assert_eq!(status(&moved), "http://127.0.0.1:7014/");
    assert_eq!(variable(&moved, "synthetics", "SYNTHETICS_PORT"), "7014");
    assert_eq!(status(&plan(&["--no-prober"]).unwrap()), "");
    assert_eq!(
        variable(&moved, "console", "CONSOLE_LISTEN_ADDRESS"),
        "0.0.0.0"
    );
    assert!(moved.agent.text().contains("127.0.0.1:7011/udp"));
}

#[test]
fn an_agent_that_is_named_gets_everything_and_no_console_is_started() {
    let named = plan(&["--dd-agent-host", "10.0.0.1"]).unwrap();
    assert!(named.console().is_none());
    assert_eq!(variable(&named, "details", "DD_AGENT_HOST"), "10.0.0.1");
    assert_eq!(variable(&named, "details", "DD_DOGSTATSD_URL"), "");
    assert!(named.agent.text().contains("DD_AGENT_HOST=10.0.0.1"));
    for flag in [
        "--dd-dogstatsd-url=unix:///var/run/datadog/dsd.socket",
        "--otlp-endpoint=http://collector:4318",
        "--otlp-traces-endpoint=http://collector:4318/v1/traces",
    ] {
        assert!(plan(&[flag]).unwrap().console().is_none(), "{flag}");
    }
    let none = plan(&["--dd-agent-host", ""]).unwrap();
    assert!(none.console().is_some(), "an empty name is none");
}

#[test]
fn without_a_console_nobody_is_told_an_address() {
    let none = plan(&["--no-console"]).unwrap();
    assert!(none.console().is_none());
    assert_eq!(variable(&none, "details", "DD_DOGSTATSD_URL"), "");
    let some = plan(&["--only", "details"]).unwrap();
    assert_eq!(some.agent, Agent::Default);
    let both = plan(&["--only", "details,console"]).unwrap();
    assert!(matches!(both.agent, Agent::Console(_)));
    assert_eq!(started(&both), ["console", "details", "dynamodb"]);
}

#[test]
fn a_run_with_an_end_has_a_judge() {
    assert!(plan(&[]).unwrap().judge().is_none());
    assert!(
        plan(&["--for", "30s", "--no-prober"])
            .unwrap()
            .judge()
            .is_none()
    );
    let plan = plan(&["--for", "90s", "--port-base", "7000"]).unwrap();
    let words = plan.judge().unwrap().args.join(" ");
    assert_eq!(
        words,
        "run --target http://127.0.0.1:7000 --simulate --for 1m 30s --json report.json"
    );
}

#[test]
fn a_faster_clock_of_objectives_is_probed_more_often_up_to_once_a_second() {
    for (factor, interval, timeout) in [
        ("600", "1s", "1s"),
        ("30", "2s", "2s"),
        ("60", "1s", "1s"),
        ("12", "5s", "2s"),
        ("2", "5s", "2s"),
    ] {
        let fast = plan(&["--time-scale", factor, "--no-simulate"]).unwrap();
        let words = fast.find("synthetics").unwrap().args.join(" ");
        let expected = format!("run --target http://127.0.0.1:9080 --time-scale {factor}");
        assert_eq!(words, expected);
        let of = |name| variable(&fast, "synthetics", name);
        assert_eq!(of("SYNTHETICS_INTERVAL"), interval, "{factor}");
        assert_eq!(of("SYNTHETICS_TIMEOUT"), timeout, "{factor}");
    }
    // As it is, whatever the environment says of the interval holds.
    let usual = plan(&[]).unwrap();
    assert_eq!(variable(&usual, "synthetics", "SYNTHETICS_INTERVAL"), "");
}

#[test]
fn an_order_for_reviews_is_for_all_three() {
    let plan = plan(&[]).unwrap();
    let all = ["reviews-v1", "reviews-v2", "reviews-v3"];
    assert_eq!(plan.named("reviews"), all);
    assert_eq!(plan.named("reviews-v2"), ["reviews-v2"]);
    assert!(plan.named("detials").is_empty());
}
