//! Monitors, with the time handed in.

use std::time::{Duration, SystemTime};

use console::aggregate::Verdict;
use console::dogstatsd::CheckStatus;
use console::monitor::rule::{MY_METRIC, RULES, Reading};
use console::monitor::{Monitors, State};
use jiff::tz::TimeZone;

/// Wednesday 2026-11-18, 10:00 UTC: working hours.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_794_996_000 + seconds)
}

fn reading(host: &str, mean: Option<f64>, last: u64) -> Vec<Vec<Reading>> {
    vec![vec![Reading {
        group: host.to_owned(),
        mean,
        last: at(last),
    }]]
}

fn monitors() -> Monitors {
    Monitors::new(RULES, TimeZone::UTC)
}

fn states(monitors: &Monitors) -> Vec<(String, State)> {
    monitors
        .all()
        .into_iter()
        .map(|monitor| (monitor.group.clone(), monitor.state))
        .collect()
}

#[test]
fn equality_is_not_above() {
    assert_eq!(MY_METRIC.judge(500.0), State::Ok);
    assert_eq!(MY_METRIC.judge(500.1), State::Warning);
    assert_eq!(MY_METRIC.judge(800.0), State::Warning);
    assert_eq!(MY_METRIC.judge(800.1), State::Alert);
}

#[test]
fn a_value_decides_and_its_history_is_kept() {
    let mut monitors = monitors();
    monitors.tick(at(0), &[Vec::new()], Vec::new());
    assert_eq!(states(&monitors), [(String::new(), State::NoData)]);
    for (second, mean) in [
        (10, 400.0),
        (20, 501.0),
        (30, 999.0),
        (40, 998.0),
        (50, 1.0),
    ] {
        monitors.tick(at(second), &reading("vm", Some(mean), second), Vec::new());
    }
    assert_eq!(
        states(&monitors),
        [("vm".to_owned(), State::Ok)],
        "the one that waited is gone"
    );
    let history: Vec<_> = monitors
        .history()
        .map(|change| (change.at, change.from, change.to))
        .collect();
    assert_eq!(
        history,
        [
            (at(50), Some(State::Alert), State::Ok),
            (at(30), Some(State::Warning), State::Alert),
            (at(20), Some(State::Ok), State::Warning),
            (at(10), None, State::Ok),
            (at(0), None, State::NoData),
        ]
    );
    let change = monitors.history().nth(1).unwrap();
    assert_eq!(change.message, "my_metric on host vm is 999, above 800");
    assert_eq!(change.muted, None);
    assert_eq!(monitors.all()[0].since, at(50));
}

#[test]
fn silence_is_no_data_after_ten_minutes_and_not_before() {
    let mut monitors = monitors();
    monitors.tick(at(0), &reading("vm", Some(900.0), 0), Vec::new());
    monitors.tick(at(600), &reading("vm", None, 0), Vec::new());
    assert_eq!(
        states(&monitors),
        [("vm".to_owned(), State::Alert)],
        "what was holds"
    );
    monitors.tick(at(601), &reading("vm", None, 0), Vec::new());
    assert_eq!(states(&monitors), [("vm".to_owned(), State::NoData)]);
    // Also when the store has forgotten the series by then.
    let mut monitors = self::monitors();
    monitors.tick(at(0), &reading("vm", Some(1.0), 0), Vec::new());
    monitors.tick(at(601), &[Vec::new()], Vec::new());
    assert_eq!(states(&monitors), [("vm".to_owned(), State::NoData)]);
}

#[test]
fn hosts_are_watched_one_by_one() {
    let mut monitors = monitors();
    let readings = vec![vec![
        Reading {
            group: "a".into(),
            mean: Some(1.0),
            last: at(0),
        },
        Reading {
            group: "b".into(),
            mean: Some(999.0),
            last: at(0),
        },
    ]];
    monitors.tick(at(0), &readings, Vec::new());
    assert_eq!(
        states(&monitors),
        [("b".to_owned(), State::Alert), ("a".to_owned(), State::Ok)],
        "the worst first"
    );
}

#[test]
fn a_downtime_mutes_and_does_not_hide() {
    let mut monitors = monitors();
    let evening = 9 * 3600;
    monitors.tick(
        at(evening),
        &reading("vm", Some(999.0), evening),
        Vec::new(),
    );
    assert_eq!(states(&monitors), [("vm".to_owned(), State::Alert)]);
    assert_eq!(monitors.history().next().unwrap().muted, Some("night"));
    let downtime = monitors.downtime(at(evening)).unwrap();
    assert_eq!(downtime.until, at(23 * 3600));
}

fn verdict(subject: &str, status: CheckStatus, repeated: bool, second: u64) -> Verdict {
    Verdict {
        subject: subject.to_owned(),
        status,
        message: "burns 20 times too fast".to_owned(),
        repeated,
        at: at(second),
    }
}

#[test]
fn checks_fall_silent_and_events_do_not() {
    let mut monitors = Monitors::new(&[], TimeZone::UTC);
    let verdicts = vec![
        verdict("check", CheckStatus::Critical, true, 0),
        verdict("event", CheckStatus::Critical, false, 0),
    ];
    monitors.tick(at(0), &[], verdicts);
    monitors.tick(at(600), &[], Vec::new());
    assert!(
        monitors
            .all()
            .iter()
            .all(|monitor| monitor.state == State::Alert)
    );
    monitors.tick(at(601), &[], Vec::new());
    let state = |name: &str| {
        monitors
            .all()
            .into_iter()
            .find(|m| m.name == name)
            .unwrap()
            .state
    };
    assert_eq!(state("check"), State::NoData);
    assert_eq!(state("event"), State::Alert);
}

#[test]
fn what_is_watched_is_bounded() {
    let mut monitors = Monitors::new(&[], TimeZone::UTC);
    let many = (0..1_000).map(|n| verdict(&format!("check {n}"), CheckStatus::Ok, true, 0));
    monitors.tick(at(0), &[], many.collect());
    assert_eq!(monitors.all().len(), 200);
    assert_eq!(monitors.left_out, 800);
    for second in 1..1_000 {
        let status = if second % 2 == 0 {
            CheckStatus::Ok
        } else {
            CheckStatus::Warning
        };
        monitors.tick(
            at(second),
            &[],
            vec![verdict("check 0", status, true, second)],
        );
    }
    assert_eq!(monitors.history().count(), 200);
}
