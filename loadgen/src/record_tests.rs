use super::*;

const MAX_P95: Duration = Duration::from_millis(100);

fn recorder() -> Recorder {
    Recorder::new(Some(MAX_P95), telemetry::Metrics::disabled())
}

fn sample(outcome: Outcome, ms: u64, late_ms: u64) -> Sample {
    Sample {
        route: Route::ProductPage,
        outcome,
        raw: Duration::from_millis(ms),
        corrected: Duration::from_millis(ms + late_ms),
        at: Duration::from_secs(1),
    }
}

#[test]
fn a_refused_connection_is_an_error_without_a_latency() {
    let recorder = recorder();
    recorder.record(&sample(Outcome::Ok, 50, 0));
    recorder.record(&sample(Outcome::Connect, 1, 0));
    recorder.record(&sample(Outcome::Broken, 1, 0));
    let records = recorder.lock();
    assert_eq!(records.all.requests(), 3);
    assert_eq!(records.all.error_count(), 2);
    let raw = records.all.raw.figures().expect("one latency");
    assert_eq!((raw.count, raw.min_ms), (1, 50.0));
}

#[test]
fn a_time_out_and_a_bad_status_do_have_a_latency() {
    let recorder = recorder();
    recorder.record(&sample(Outcome::Timeout, 70_000, 0));
    recorder.record(&sample(Outcome::Status(503), 5, 0));
    recorder.record(&sample(Outcome::Status(503), 5, 0));
    recorder.record(&sample(Outcome::CutOff, 9_000, 0));
    let records = recorder.lock();
    let tally = records.routes[Route::ProductPage as usize]
        .as_deref()
        .expect("its route");
    assert_eq!(tally.raw.count(), 4);
    assert_eq!(tally.errors[&Outcome::Status(503)], 2);
    assert_eq!(
        tally
            .raw
            .quantile(1.0)
            .map(|max| max > Duration::from_secs(69)),
        Some(true)
    );
}

#[test]
fn the_verdict_counts_corrected_latencies_exactly() {
    let recorder = recorder();
    recorder.record(&sample(Outcome::Ok, 100, 0));
    recorder.record(&sample(Outcome::Ok, 99, 2));
    recorder.record(&sample(Outcome::Connect, 0, 0));
    let counts = recorder.lock().counts();
    assert_eq!((counts.requests, counts.errors), (3, 1));
    assert_eq!(
        (counts.timed, counts.within_p95),
        (2, 1),
        "100 ms is within 100 ms, 101 is not"
    );
}

#[test]
fn missed_turns_count_for_as_long_as_they_waited() {
    let recorder = recorder();
    let schedule = Schedule::new(10.0, Duration::ZERO, None);
    let at = Duration::from_secs(10);
    recorder.missed(&schedule, &Missed { turns: 0..100, at });
    let records = recorder.lock();
    assert_eq!(records.missed, 100);
    assert_eq!(records.all.requests(), 0);
    assert_eq!(records.all.raw.figures(), None);
    let figures = records.all.corrected.figures().expect("missed turns");
    assert_eq!(
        (figures.count, figures.min_ms, figures.max_ms),
        (100, 100.0, 10_000.0)
    );
    assert!((figures.p50_ms - 5_000.0).abs() / 5_000.0 < 0.021);
    assert_eq!(
        records.counts().within_p95,
        1,
        "only the last had waited 100 ms and no more"
    );
}

#[test]
fn a_flood_of_missed_turns_is_counted_whole() {
    let recorder = recorder();
    let schedule = Schedule::new(1_000_000.0, Duration::ZERO, None);
    let at = Duration::from_secs(400);
    let turns = 0..400_000_000;
    recorder.missed(&schedule, &Missed { turns, at });
    let records = recorder.lock();
    assert_eq!(records.missed, 400_000_000);
    assert_eq!(records.all.corrected.count(), 400_000_000);
    let figures = records.all.corrected.figures().expect("missed turns");
    assert!((figures.p50_ms / 200_000.0 - 1.0).abs() < 0.001);
    assert!((figures.max_ms - 300_000.0).abs() < f64::EPSILON);
}

#[test]
fn outcomes_have_bounded_tags_and_clear_labels() {
    assert_eq!(Outcome::Status(404).tag(), "client_error");
    assert_eq!(Outcome::Status(503).tag(), "server_error");
    assert_eq!(Outcome::Status(302).tag(), "unexpected_status");
    assert_eq!(Outcome::Status(503).label(), "status 503");
    assert_eq!(Outcome::CutOff.label(), "cut off");
}
