//! OpenSLO v1, as a reader of YAML sees it.

use serde_json::{Value, json};
use synthetics::export::{Format, export};

use super::{built_in, config, one};

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn the_objectives_of_the_shop_are_openslo() {
    let exported = built_in(Format::Openslo);
    assert_eq!(exported.left_out, [""; 0]);
    let documents = documents(&exported.text);
    let kinds: Vec<_> = documents
        .iter()
        .map(|document| {
            assert_eq!(document["apiVersion"], "openslo/v1");
            document["kind"].as_str().expect("a kind")
        })
        .collect();
    let four = ["SLO", "AlertPolicy", "AlertPolicy", "AlertPolicy"].repeat(4);
    assert_eq!(kinds, [&["Service"][..], &four].concat());
    let availability = &documents[1]["spec"];
    assert_eq!(availability["budgetingMethod"], "Timeslices");
    assert_eq!(
        availability["timeWindow"],
        json!([{ "duration": "7d", "isRolling": true }])
    );
    assert_eq!(
        availability["objectives"],
        json!([{
            "displayName": "availability",
            "timeSliceTarget": 1,
            "timeSliceWindow": "1m",
            "targetPercent": 98,
        }])
    );
    let latency = &documents[5];
    assert_eq!(latency["spec"]["budgetingMethod"], "Occurrences");
    assert_eq!(
        latency["metadata"]["annotations"]["synthetics/within"],
        "100ms"
    );
    let condition = &documents[2]["spec"]["conditions"][0]["spec"]["condition"];
    assert_eq!(
        *condition,
        json!({ "kind": "burnrate", "op": "gt", "threshold": 16.8, "lookbackWindow": "1h" })
    );
    // Every policy that is named is there.
    let names: Vec<_> = documents.iter().map(|d| &d["metadata"]["name"]).collect();
    for document in documents.iter().filter(|d| d["kind"] == "SLO") {
        let policies = document["spec"]["alertPolicies"]
            .as_array()
            .expect("a list");
        assert_eq!(policies.len(), 3);
        for policy in policies {
            assert!(names.contains(&&policy["alertPolicyRef"]), "{policy}");
        }
    }
}

#[test]
fn comments_say_where_openslo_means_something_else() {
    let text = one(
        "target: 99%, window: calendar-quarter, availability: {up_from: 95%}, locations: majority",
    );
    let text = export(&config(&text), Format::Openslo).text;
    for part in [
        "# Differs: a slice of OpenSLO has one ratio. Here a slice is up when",
        "# Differs: it must burn as fast over 5m too.",
        "In declared maintenance a time slice counts as good",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let document = &documents(&text)[1]["spec"];
    assert_eq!(document["objectives"][0]["timeSliceTarget"], 0.95);
    assert_eq!(
        document["timeWindow"],
        json!([{
            "duration": "1Q",
            "isRolling": false,
            "calendar": { "startTime": "2024-01-01 00:00:00", "timeZone": "UTC" },
        }])
    );
}
