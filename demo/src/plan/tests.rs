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
        .filter_map(|s| Some((s.name, s.listens?.port())))
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
    assert_eq!(all.len(), 7);
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
            name: "reviews-v2"
        }
    );
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
            "dynamodb"
        ]
    );
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
        "run --target http://127.0.0.1:7000 --for 1m 30s --json report.json"
    );
}
