//! The shop is taken away: the status page's numbers and the gate tell of it, and of its return.

use serde_json::Value;

use crate::harness::{Running, get, output, port_base, text, until};
use crate::orders::order;

/// What the status page on this port answers in JSON; `None` while it has no numbers yet.
fn json(port: u16, path: &str) -> Option<Value> {
    let (status, body) = get(port, path)?;
    let json = || serde_json::from_str(&body).expect("JSON");
    (status == 200).then(json)
}

fn availability(port: u16) -> Option<Value> {
    json(port, "/api/v1/slos/availability")
}

fn alert_fires(port: u16) -> Option<bool> {
    let alerts = json(port, "/api/v1/alerts")?;
    let of_it = alerts.as_array().expect("a list").iter();
    let mut of_it = of_it.filter(|alert| alert["slo"] == "availability");
    let first = of_it.next()?;
    Some(first["state"] == "firing" || of_it.any(|alert| alert["state"] == "firing"))
}

/// Exit code of `bookwatch gate`, and what its report says of availability.
fn gate(base: u16) -> (Option<i32>, Value) {
    let base = base.to_string();
    // Slowly, so that a busy machine keeps up.
    let pace = ["--for", "10s", "--max-rate", "12", "--json"];
    let output = output(&[&["gate", "--port-base", &base][..], &pace].concat());
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    let mut slos = report["slos"].as_array().expect("a list").iter();
    let slo = slos.find(|slo| slo["name"] == "availability");
    (output.status.code(), slo.expect("availability").clone())
}

#[test]
fn the_shop_taken_away_burns_availability_and_fails_the_gate_until_it_is_back() {
    let base = port_base();
    let mut demo = Running::json(base, &["--quiet", "--no-load", "--time-scale=600"]);
    let ready = demo.event("ready");
    let address = ready["addresses"]["synthetics"]
        .as_str()
        .expect("an address");
    let port = address.trim_end_matches('/').rsplit(':').next();
    let port = port.and_then(|port| port.parse().ok()).expect("a port");
    until("a good minute, and no alert of availability", || {
        let good = availability(port)?["good"].as_u64()?;
        (good > 0 && !alert_fires(port)?).then_some(())
    });

    let (code, said) = order(base, "stop", "productpage");
    assert_eq!(code, Some(0), "{said}");
    until("it burns, is missed, and its alert fires", || {
        let slo = availability(port)?;
        let burns = slo["burn_rate"].as_f64()? > 1.0 && slo["verdict"] == "fail";
        (burns && alert_fires(port)?).then_some(())
    });
    let (code, slo) = gate(base);
    assert_eq!(code, Some(1), "{slo}");
    assert_eq!(slo["slices"]["up"], 0, "{slo}");

    let (code, said) = order(base, "start", "productpage");
    assert_eq!(code, Some(0), "{said}");
    let before = availability(port).expect("numbers")["good"].as_u64();
    until("good minutes again, and no alert fires", || {
        let good = availability(port)?["good"].as_u64();
        (good > before && !alert_fires(port)?).then_some(())
    });
    let (_, slo) = gate(base);
    assert!(slo["slices"]["up"].as_u64() > Some(0), "{slo}");
    assert_ne!(slo["verdict"], "fail", "{slo}");
}
