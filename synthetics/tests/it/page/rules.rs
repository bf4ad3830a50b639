//! Three rules for the same minutes of three locations, and three numbers.

use synthetics::objective::Indicator;
use synthetics::slo::{LocationRule, Percent};

use super::figures::{assert_says, words};
use super::{Set, Stage, availability, bad, good};

const PLACES: [&str; 3] = ["tokyo", "osaka", "seoul"];
/// Probes of a minute from each place. With less than 60 % of them good it is down.
const PROBES: usize = 4;

/// Bad probes of a minute, by place.
fn bads(minute: u64) -> [usize; 3] {
    match minute {
        // One of three is down, and 10 of 12 probes are good: down for `all-up` alone.
        20..30 => [2, 0, 0],
        // Two of three are down, and 8 of 12 probes are good: up for `pooled` alone.
        50..57 => [2, 2, 0],
        // One of three is down, and 6 of 12 probes are good: up for `majority` alone.
        80..83 => [4, 1, 1],
        _ => [0, 0, 0],
    }
}

#[tokio::test]
async fn each_rule_has_its_own_number_for_the_same_minutes() {
    let rules = [
        // 10 + 7 + 3 of 200 minutes are down, and 7, and 3.
        (LocationRule::AllUp, "all-up", 180, 90.0, "90%"),
        (LocationRule::Majority, "majority", 193, 96.5, "96.5%"),
        (LocationRule::Pooled, "pooled", 197, 98.5, "98.5%"),
    ];
    let slos = rules.map(|(rule, name, ..)| {
        let mut slo = availability();
        name.clone_into(&mut slo.name);
        slo.title = format!("by {name}");
        slo.rule = rule;
        slo.indicator = Indicator::Availability {
            min_good: Percent::whole(60),
        };
        slo
    });
    let stage = Stage::of(Set {
        slos: slos.into(),
        locations: PLACES.into(),
        ..Set::default()
    })
    .await;
    for minute in 0..200 {
        for (place, bads) in PLACES.into_iter().zip(bads(minute)) {
            for probe in 0..PROBES {
                let found = if probe < bads { bad("gone") } else { good(5) };
                stage.record(minute, 0, place, found);
            }
        }
    }
    let text = words(&stage).await;
    let timeline = stage.json("/api/v1/timeline").await;
    for (_, name, up, percent, shown) in rules {
        let slo = stage.json(&format!("/api/v1/slos/{name}")).await;
        assert_eq!(slo["location_rule"], name);
        assert_eq!(
            (&slo["good"], &slo["bad"]),
            (&up.into(), &(200 - up).into())
        );
        assert_eq!(slo["sli_percent"], percent, "{name}");
        assert_says(&text, &format!("{up} of 200 minutes"));
        assert_says(&text, &format!("{shown} {name}"));
        assert_says(&text, &format!("by {name} all locations, {name}"));
        let rows = timeline["rows"].as_array().expect("rows");
        assert!(rows.iter().any(|row| row["rule"] == name), "{timeline}");
    }
    // Seen from one place alone there is no rule, and every objective says the same.
    let locations = stage.json("/api/v1/locations").await;
    for (place, uptime) in [("tokyo", "90%"), ("osaka", "96.5%"), ("seoul", "100%")] {
        let all = locations.as_array().expect("a list");
        let found = all.iter().find(|l| l["name"] == place).expect(place);
        let texts = found["uptimes"].as_array().expect("a list").iter();
        let texts: Vec<_> = texts.map(|u| &u["text"]).collect();
        assert_eq!(texts, [uptime; 3], "{place}");
    }
}
