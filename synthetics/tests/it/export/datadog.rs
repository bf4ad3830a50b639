//! Bodies for Datadog's API.

use serde_json::{Value, json};
use synthetics::export::{Format, export};

use super::{built_in, config, one};

fn entries(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("a list in JSON")
}

#[test]
fn the_objectives_of_the_shop_are_bodies_for_the_api() {
    let exported = built_in(Format::Datadog);
    assert_eq!(exported.left_out, [""; 0]);
    let entries = entries(&exported.text);
    let names: Vec<_> = entries.iter().map(|e| &e["slo"]["name"]).collect();
    assert_eq!(
        names,
        [
            "availability",
            "API latency <= 100 ms",
            "API latency <= 500 ms",
            "success ratio"
        ]
    );
    let availability = &entries[0]["slo"];
    assert_eq!(availability["type"], "time_slice");
    assert_eq!(
        availability["sli_specification"],
        json!({ "time_slice": {
            "query": {
                "formulas": [{ "formula": "default_zero(bad)" }],
                "queries": [{
                    "data_source": "metrics",
                    "name": "bad",
                    "query": "sum:synthetics.probe.count{check IN (productpage,health) AND outcome NOT IN (good,gap)}.as_count()",
                }],
            },
            "query_interval_seconds": 60,
            "comparator": "<",
            "threshold": 1,
        }})
    );
    assert_eq!(
        availability["thresholds"],
        json!([{ "timeframe": "7d", "target": 98 }])
    );
    assert_eq!(
        (
            &availability["timeframe"],
            &availability["target_threshold"]
        ),
        (&json!("7d"), &json!(98))
    );
    assert_eq!(availability["tags"], json!(["slo:availability"]));
    let apis = "check IN (api-products,api-product,api-reviews,api-ratings)";
    assert_eq!(
        entries[1]["slo"]["query"],
        json!({
            "numerator": format!("count(v: v<=0.1):synthetics.probe.duration{{{apis} AND outcome IN (good,status,header,body,json,latency)}}.as_count()"),
            "denominator": format!("sum:synthetics.probe.count{{{apis} AND outcome NOT IN (gap)}}.as_count()"),
        })
    );
    let numerator = entries[3]["slo"]["query"]["numerator"].as_str();
    assert!(numerator.is_some_and(|text| text.contains("outcome IN (good)}")));
    let monitors: Vec<_> = entries[0]["monitors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|monitor| {
            assert_eq!(monitor["type"], "slo alert");
            let query = monitor["query"].as_str().expect("a query");
            (query, &monitor["options"]["thresholds"]["critical"])
        })
        .collect();
    let query = |long: &str, short: &str, factor: &str| {
        format!(
            "burn_rate(\"SLO_ID\").over(\"7d\").long_window(\"{long}\").short_window(\"{short}\") > {factor}"
        )
    };
    assert_eq!(
        monitors,
        [
            (&*query("1h", "5m", "16.8"), &json!(16.8)),
            (&*query("6h", "30m", "5.6"), &json!(5.6)),
            (&*query("24h", "120m", "2.8"), &json!(2.8)),
        ]
    );
    let message = entries[0]["monitors"][0]["message"].as_str();
    assert!(message.is_some_and(|text| text.contains("10 % of the budget of 7d is spent in 1h")));
}

#[test]
fn the_description_says_where_datadog_means_something_else() {
    let text = one("target: 98%, availability: {}")
        + "maintenance: [{name: works, from: 2026-11-08T02:00:00Z, until: 2026-11-08T03:00:00Z}]\n";
    let exported = export(&config(&text), Format::Datadog);
    let entries = entries(&exported.text);
    let description = entries[0]["slo"]["description"].as_str().expect("a text");
    for part in [
        "every probe of page was good at every location",
        "a minute without data as up",
        "out of the window; the prober counts it as up",
        "no verdict below 149 events",
    ] {
        assert!(description.contains(part), "{description}");
    }
}

#[test]
fn the_rules_of_locations_keep_their_meaning_or_are_left_out() {
    let sli = |rest: &str| {
        let text = one(&format!("target: 98%, {rest}"));
        let exported = export(&config(&text), Format::Datadog);
        let found = entries(&exported.text);
        let slices = found.first().map(|entry| {
            let slices = &entry["slo"]["sli_specification"]["time_slice"];
            let formula = slices["query"]["formulas"][0]["formula"].as_str();
            format!(
                "{} {} {}",
                formula.expect("a formula"),
                slices["comparator"].as_str().expect("a text"),
                slices["threshold"]
            )
        });
        slices.ok_or(exported.left_out.join(" "))
    };
    assert_eq!(
        sli("availability: {}, locations: majority"),
        Ok("default_zero(count_nonzero(bad)) / count_nonzero(measured) < 0.5".to_owned())
    );
    assert_eq!(
        sli("availability: {up_from: 90%}, locations: pooled"),
        Ok("default_zero(good) / measured >= 0.9".to_owned())
    );
    for rule in ["all-up", "majority"] {
        let left_out = sli(&format!(
            "availability: {{up_from: 90%}}, locations: {rule}"
        ));
        let why = left_out.expect_err("Datadog has no words for it");
        assert!(
            why.contains("objective it: ") && why.contains("up_from: 100%"),
            "{why}"
        );
    }
}

#[test]
fn what_datadog_does_not_have_is_left_out_and_told() {
    for (objective, why) in [
        (
            "target: 98%, window: 14d, success: {}",
            "its window is 14d, and Datadog has 7d, 30d and 90d",
        ),
        (
            "target: 98%, window: calendar-month, success: {}",
            "its window is calendar-month",
        ),
        ("target: 99.9999%, success: {}", "three digits"),
        (
            "target: 98%, window: 30d, success: {}",
            "burn alert of it over 3d: Datadog takes long windows from 1h to 48h",
        ),
    ] {
        let exported = export(&config(&one(objective)), Format::Datadog);
        assert!(
            exported.left_out.iter().any(|left| left.contains(why)),
            "{:?}",
            exported.left_out
        );
    }
    let month = export(
        &config(&one("target: 98%, window: 30d, success: {}")),
        Format::Datadog,
    );
    let factors: Vec<_> = entries(&month.text)[0]["monitors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|monitor| monitor["options"]["thresholds"]["critical"].clone())
        .collect();
    assert_eq!(factors, [14.4, 6.0, 3.0]);
}
