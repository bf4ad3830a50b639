//! How much of the past is shown, and that none of it is counted twice.

use super::{START, Set, Stage, availability, bad, good, success};

#[tokio::test]
async fn what_is_shown_begins_with_the_first_minute_that_was_measured() {
    let stage = Stage::of(Set {
        checks: vec!["front", "back"],
        ..Set::default()
    })
    .await;
    // No objective is about the first of them, and it is no minute that is still kept by itself.
    for minute in 17..500 {
        let found = if minute == 250 { bad("gone") } else { good(5) };
        stage.record(minute, 1, "tokyo", found);
    }
    stage.record(500, 0, "tokyo", good(5));
    let timeline = stage.json("/api/v1/timeline").await;
    assert_eq!(timeline["from"], "2026-11-05T00:17:00.000Z");
    let back = &stage.json("/api/v1/checks").await[1];
    let cells = back["cells"].as_array().expect("cells");
    let counted = |key: &str| -> Vec<_> { cells.iter().map(|c| c[key].as_u64()).collect() };
    assert_eq!(cells[0]["from"], "2026-11-05T00:17:00.000Z");
    // Up, an hour with a fault, and up again: no minute is in two of them.
    assert_eq!(counted("good"), [Some(223), Some(59), Some(200)]);
    assert_eq!(counted("bad"), [Some(0), Some(1), Some(0)]);
}

#[tokio::test]
async fn a_week_is_as_exact_as_an_hour() {
    let stage = Stage::of(Set {
        slos: vec![availability(), success()],
        ..Set::default()
    })
    .await;
    // Eight days, so that the first has left the window; one bad minute in each hour.
    for minute in 0..8 * 1_440 {
        stage.record(
            minute,
            0,
            "tokyo",
            if minute % 60 == 7 {
                bad("gone")
            } else {
                good(5)
            },
        );
        if minute % 30 == 0 {
            stage.live.seal_unsaved(START.plus(minute).start());
        }
    }
    let slo = stage.json("/api/v1/slos/availability").await;
    assert_eq!(slo["total"], 10_080);
    assert_eq!(slo["bad"], 168);
    let checks = stage.json("/api/v1/checks").await;
    let all = checks[0]["good"].as_u64().zip(checks[0]["bad"].as_u64());
    assert_eq!(
        all.map(|(good, bad)| (good + bad, bad)),
        Some((10_080, 168))
    );
    let points = checks[0]["latency"].as_array().expect("points");
    assert!((50..=60).contains(&points.len()), "{}", points.len());
    let locations = stage.json("/api/v1/locations").await;
    assert_eq!(locations[0]["uptimes"][0]["text"], "98.33%");
}
