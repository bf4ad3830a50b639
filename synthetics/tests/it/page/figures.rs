//! Each number on the page against a history that one can work out by hand.

use std::time::Duration;

use synthetics::slo::{LocationRule, Maintenance};

use super::{START, Set, Stage, availability, bad, good, latency, success};

/// The text of the page without its marks.
pub(super) async fn words(stage: &Stage) -> String {
    let (status, html) = stage.get("/").await;
    assert_eq!(status, 200, "{html}");
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn assert_says(text: &str, what: &str) {
    assert!(text.contains(what), "no {what:?} in\n{text}");
}

#[tokio::test]
async fn five_bad_minutes_of_720() {
    let stage = Stage::of(Set::default()).await;
    for minute in 0..720 {
        let down = (300..305).contains(&minute);
        stage.record(minute, 0, "tokyo", if down { bad("gone") } else { good(5) });
    }
    let slo = stage.json("/api/v1/slos/availability").await;
    assert_eq!((&slo["good"], &slo["bad"]), (&715.into(), &5.into()));
    assert_eq!(slo["sli_percent"], 99.305556);
    assert_eq!(slo["verdict"], "pass");
    // 0.013055... of 0.02, of 3 h 21 m 36 s.
    assert_eq!(slo["budget"]["text"], "65% (2h 11m)");
    assert_eq!(slo["budget"]["time_is_equivalent"], false);
    assert_eq!(slo["budget"]["events_left"], 9);
    assert_eq!(slo["burn_rate"], 0.347222);
    assert_eq!(slo["coverage"]["measured"], 720);
    assert_eq!(slo["coverage"]["expected"], 720);
    let text = words(&stage).await;
    for what in [
        "✓ The objective is met",
        "99.3% target 98%",
        "✓ met",
        "Error budget left 65% (2h 11m)",
        "9 more bad minutes; the whole budget is 3h 21m",
        "Burn rate 0.3×",
        "715 of 720 minutes",
        "100%, 720 of 720 min",
        "Locations all-up",
    ] {
        assert_says(&text, what);
    }
    let timeline = stage.json("/api/v1/timeline").await;
    let runs = timeline["rows"][0]["runs"].as_array().expect("runs");
    let states: Vec<_> = runs
        .iter()
        .filter_map(|run| run["state"].as_str())
        .collect();
    assert_eq!(states, ["up", "down", "up"]);
    assert_eq!(runs[1]["minutes"]["down"], 5);
    assert_eq!(runs[1]["from"], "2026-11-05T05:00:00.000Z");
}

#[tokio::test]
async fn the_budget_of_the_webinar() {
    let stage = Stage::of(Set::default()).await;
    for minute in 0..1_470 {
        stage.record(
            minute,
            0,
            "tokyo",
            if minute == 9 { bad("gone") } else { good(5) },
        );
    }
    assert_says(&words(&stage).await, "97% (3h 14m)");
}

#[tokio::test]
async fn two_locations_with_five_bad_minutes_each_under_each_rule() {
    for (rule, sli) in [
        (LocationRule::AllUp, "98.61%"),
        // One of two is no majority.
        (LocationRule::Majority, "98.61%"),
        (LocationRule::Pooled, "98.61%"),
    ] {
        let mut slo = availability();
        slo.rule = rule;
        let stage = Stage::of(Set {
            slos: vec![slo],
            locations: vec!["tokyo-simulated", "seoul-simulated"],
            ..Set::default()
        })
        .await;
        for minute in 0..720 {
            for (location, from) in [("tokyo-simulated", 100), ("seoul-simulated", 200)] {
                let down = (from..from + 5).contains(&minute);
                stage.record(
                    minute,
                    0,
                    location,
                    if down { bad("gone") } else { good(5) },
                );
            }
        }
        let text = words(&stage).await;
        assert_says(&text, &format!("{sli} {}", rule.name()));
        assert_says(&text, "Tokyo simulated 99.3%");
        assert_says(&text, "seoul simulated 99.3%");
        let slo = stage.json("/api/v1/slos/availability").await;
        assert_eq!(slo["sli_percent"], 98.611111, "{rule:?}");
        assert_eq!(slo["location_rule"], rule.name());
        let rows = stage.json("/api/v1/timeline").await;
        assert_eq!(rows["rows"][0]["rule"], rule.name());
        assert_eq!(rows["rows"][1]["simulated"], true);
    }
}

#[tokio::test]
async fn a_latency_counts_exactly_and_is_shown_by_nearest_rank() {
    let stage = Stage::of(Set {
        slos: vec![latency(), success()],
        ..Set::default()
    })
    .await;
    for probe in 0..100 {
        let millis = if probe % 20 == 0 { 200 } else { 100 };
        stage.record(probe, 0, "tokyo", good(millis));
    }
    let slo = stage.json("/api/v1/slos/latency-100ms").await;
    assert_eq!((&slo["good"], &slo["bad"]), (&95.into(), &5.into()));
    assert_eq!(slo["verdict"], "pass", "equality passes");
    assert_eq!(slo["within_ms"], 100.0);
    assert_eq!(slo["budget"]["text"], "0% (0m)");
    assert_eq!(slo["budget"]["time_is_equivalent"], true);
    let p95 = slo["p95_ms"].as_f64().expect("a time");
    assert!((p95 - 100.0).abs() <= 1.0, "{p95}, and not 105");
    let text = words(&stage).await;
    assert_says(&text, "95% of requests within 100 ms");
    assert_says(
        &text,
        "0 more bad requests; the time is an equivalent; the whole budget is 8h 24m",
    );
    assert_says(&text, "100% target 96%");
}

#[tokio::test]
async fn sketches_of_locations_are_merged() {
    let stage = Stage::of(Set {
        locations: vec!["tokyo", "seoul"],
        ..Set::default()
    })
    .await;
    for probe in 0..900 {
        stage.record(probe / 10, 0, "tokyo", good(100));
    }
    for probe in 0..100 {
        stage.record(probe, 0, "seoul", good(1_000));
    }
    let checks = stage.json("/api/v1/checks").await;
    let p95 = checks[0]["p95_ms"].as_f64().expect("a time");
    assert!((p95 - 1_000.0).abs() <= 10.0, "{p95}, and not 550");
    let points = checks[0]["latency"].as_array().expect("points");
    let probes: u64 = points
        .iter()
        .filter_map(|point| point["probes"].as_u64())
        .sum();
    assert_eq!(probes, 1_000, "each probe is in one point: {points:?}");
    assert_eq!(checks[0]["good"], 1_000);
    assert_says(&words(&stage).await, "1 000 of 1 000");
}

#[tokio::test]
async fn too_few_probes_have_no_percentile() {
    let stage = Stage::of(Set {
        slos: vec![latency()],
        ..Set::default()
    })
    .await;
    for probe in 0..19 {
        stage.record(probe, 0, "tokyo", good(100));
    }
    let checks = stage.json("/api/v1/checks").await;
    assert_eq!(checks[0]["p95_ms"], serde_json::Value::Null);
    let text = words(&stage).await;
    assert_says(&text, "too little data yet");
    assert_says(&text, "19 events cannot prove 95%: 59 are needed");
    assert_says(&text, "p95 needs 20");
    stage.record(19, 0, "tokyo", good(100));
    let checks = stage.json("/api/v1/checks").await;
    assert!(checks[0]["p95_ms"].is_f64(), "{checks}");
}

#[tokio::test]
async fn an_overspent_budget_is_negative_and_its_alert_fires() {
    let stage = Stage::of(Set::default()).await;
    for minute in 0..200 {
        stage.record(
            minute,
            0,
            "tokyo",
            if minute < 100 { good(5) } else { bad("gone") },
        );
    }
    stage.watch();
    let text = words(&stage).await;
    // (50 % - 98 %) / 2 %, of 3 h 21 m 36 s.
    assert_says(&text, "-2400% (-80h 38m)");
    assert_says(&text, "✕ The objective is missed");
    assert_says(&text, "96 bad minutes over");
    assert_says(
        &text,
        "▲ Firing availability burns its budget more than 16.8 times too fast: 50.0× over 1h, 50.0× over 5m, since 5 Nov 02:19:00 UTC",
    );
    let alerts = stage.json("/api/v1/alerts").await;
    assert_eq!(alerts[0]["state"], "firing");
    assert_eq!(alerts[0]["long_burn"], "50.0");
}

#[tokio::test]
async fn gaps_are_no_data_and_a_silent_prober_is_stale() {
    let stage = Stage::of(Set::default()).await;
    for minute in (0..600).filter(|minute| minute % 10 < 8) {
        stage.record(minute, 0, "tokyo", good(5));
    }
    let text = words(&stage).await;
    assert_says(&text, "○ no data");
    assert_says(&text, "slices were measured, 9 of 10 are needed");
    let slo = stage.json("/api/v1/slos/availability").await;
    assert_eq!(slo["reason"], "low_coverage");
    assert_eq!(slo["minutes"]["gap"], 118);
    let stage = Stage::of(Set::default()).await;
    for minute in 0..600 {
        stage.record(minute, 0, "tokyo", good(5));
    }
    assert_says(&words(&stage).await, "✓ met");
    stage.clock.set(START.plus(610).start());
    let text = words(&stage).await;
    assert_says(&text, "no data: the newest measurement is too old");
    assert_says(&text, "○ There is too little data for a verdict");
}

#[tokio::test]
async fn maintenance_is_shown_as_such_and_retries_as_degraded() {
    let from = START.plus(100).start();
    let stage = Stage::of(Set {
        maintenance: vec![Maintenance {
            name: "upgrade".to_owned(),
            from,
            until: from.plus(Duration::from_secs(600)),
            every: None,
            slos: None,
        }],
        ..Set::default()
    })
    .await;
    for minute in 0..200 {
        let found = if (100..110).contains(&minute) {
            bad("being upgraded")
        } else {
            good(5)
        };
        stage.record(minute, 0, "tokyo", found);
    }
    let retried = synthetics::probe::Measurement {
        earlier: vec![synthetics::probe::Attempt {
            duration: Duration::from_millis(1),
            failure: synthetics::probe::Failure::new(
                synthetics::probe::FailureKind::Status,
                "once",
            ),
            trace_id: None,
        }],
        ..good(5)
    };
    stage.record(200, 0, "tokyo", retried);
    let slo = stage.json("/api/v1/slos/availability").await;
    assert_eq!(slo["minutes"]["maintenance"], 10);
    assert_eq!(slo["minutes"]["degraded"], 1);
    assert_eq!((&slo["good"], &slo["bad"]), (&201.into(), &0.into()));
    let text = words(&stage).await;
    assert_says(&text, "10 slices in maintenance count as good");
    assert_says(&text, "1 good only after a retry");
    let timeline = stage.json("/api/v1/timeline").await;
    let runs = timeline["rows"][0]["runs"].as_array().expect("runs");
    let states: Vec<_> = runs
        .iter()
        .filter_map(|run| run["state"].as_str())
        .collect();
    assert_eq!(states, ["up", "maintenance", "up", "degraded"]);
}

#[tokio::test]
async fn a_faster_clock_is_said_wherever_a_time_is() {
    let set = Set {
        time_scale: 600,
        ..Set::default()
    };
    let stage = Stage::of(set).await;
    for minute in 0..200 {
        stage.record(
            minute,
            0,
            "tokyo",
            if minute == 50 { bad("gone") } else { good(5) },
        );
    }
    let text = words(&stage).await;
    assert_says(&text, "Demo clock: 600× real time.");
    assert_says(&text, "as of 5 Nov 03:19:59 600× UTC");
    assert_says(&text, "(2h 31m) 600×");
    assert_says(&text, "When (UTC) 600×");
    assert_says(&text, "5 Nov 03:19 600×");
    assert_eq!(stage.json("/api/v1/status").await["time_scale"], 600);
    let real = Stage::of(Set::default()).await;
    real.record(0, 0, "tokyo", good(5));
    assert!(
        !words(&real).await.contains('×'.to_string().as_str())
            || !words(&real).await.contains("Demo")
    );
}

#[tokio::test]
async fn what_went_wrong_is_told_with_its_trace() {
    let stage = Stage::of(Set {
        checks: vec!["front", "back"],
        locations: vec!["tokyo-simulated"],
        ..Set::default()
    })
    .await;
    stage.record(3, 1, "tokyo-simulated", bad("503, expected 200"));
    stage.record(5, 0, "tokyo-simulated", bad("502, expected 200"));
    let failures = stage.json("/api/v1/failures").await;
    assert_eq!(
        failures[0]["detail"], "502, expected 200",
        "the newest first"
    );
    assert_eq!(failures[1]["check"], "back");
    assert_eq!(failures[1]["place"], "Tokyo");
    assert_eq!(failures[1]["at"], "2026-11-05T00:03:20.000Z");
    let text = words(&stage).await;
    assert_says(
        &text,
        "5 Nov 00:03:20 back Tokyo simulated status 503, expected 200 0af7651916cd43dd8448eb211c80319c",
    );
    assert_says(&text, "History in memory alone : it goes with the prober.");
    // A result of a minute that is done with is lost, and said to be.
    stage.live.seal_unsaved(START.plus(10).start());
    stage.record(4, 0, "tokyo-simulated", good(5));
    assert_says(&words(&stage).await, "Lost: 1 results that came too late");
}
