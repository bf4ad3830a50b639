//! Which alert fires, since when, through gaps, restarts and new configurations.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use synthetics::alert::{AlertId, Alerts, Change, Ledger, Sentry, Severity, Status, Transition};
use synthetics::clock::{FastClock, SystemClock, Timestamp};
use synthetics::history::view::BurnReading;
use synthetics::history::{Level, Live, Minute, Series, Site};
use synthetics::objective::{Indicator, Slo};
use synthetics::probe::FailureKind;
use synthetics::slo::burn::BurnAlert;
use synthetics::slo::{Percent, Ratio, Target};

use crate::history::{DAY, answer, bucket, result};

const HOUR: Duration = Duration::from_secs(3_600);

pub(super) fn slo(name: &str) -> Slo {
    let min_good = Percent::HUNDRED;
    let indicator = Indicator::Availability { min_good };
    Slo::new(name, Target::whole(98), indicator, vec![0])
}

pub(super) fn at(minute: u64) -> Timestamp {
    DAY.plus(minute).start()
}

/// One alert's reading.
fn reading(slo: &Slo, firing: Option<bool>) -> Vec<Vec<BurnReading>> {
    let read = |alert: &BurnAlert| BurnReading {
        alert: *alert,
        long: Some(Ratio::whole(20)),
        short: Some(Ratio::whole(50)),
        firing,
    };
    vec![slo.alerts[..1].iter().map(read).collect()]
}

fn one_alert() -> Slo {
    let mut slo = slo("up");
    slo.alerts.truncate(1);
    slo
}

fn changes(changes: &[Transition]) -> Vec<(Change, Timestamp)> {
    changes.iter().map(|c| (c.change, c.at)).collect()
}

#[test]
fn an_alert_fires_once_and_clears_once() {
    let slo = one_alert();
    let mut ledger = Ledger::default();
    assert!(ledger.adopt(std::slice::from_ref(&slo), at(0)).is_empty());
    assert_eq!(
        ledger.alerts()[0].words(),
        "no data, was ok",
        "not green on nothing"
    );
    let mut seen = Vec::new();
    for (minute, firing) in [
        (1, Some(false)),
        (2, Some(true)),
        (3, Some(true)),
        (4, None),
        (5, Some(true)),
        (6, Some(false)),
        (7, None),
        (8, Some(false)),
    ] {
        let told = ledger.observe(&reading(&slo, firing), at(minute), |_, _| Some(at(1)));
        seen.extend(changes(&told));
        let alert = &ledger.alerts()[0];
        let frozen = firing.is_none().then(|| at(minute));
        assert_eq!(alert.frozen, frozen, "minute {minute}");
        if minute == 4 {
            assert_eq!((alert.status, alert.since), (Status::Firing, at(1)));
            assert_eq!(alert.words(), "no data, was firing");
        }
        for told in told {
            assert_eq!(told.began, at(1));
            assert_eq!(told.episode(), "up/1h@2024-10-04T00:01Z");
        }
    }
    assert_eq!(seen, [(Change::Fired, at(2)), (Change::Cleared, at(6))]);
    assert_eq!(ledger.alerts()[0].since, at(6));
}

#[test]
fn a_new_configuration_tells_nothing_twice_and_forgets_nothing() {
    let slo = one_alert();
    let mut ledger = Ledger::default();
    ledger.adopt(std::slice::from_ref(&slo), at(0));
    let none = |_, _| None;
    let fired = ledger.observe(&reading(&slo, Some(true)), at(1), none);
    assert_eq!(changes(&fired), [(Change::Fired, at(1))]);
    // The same, and then one with another factor, target and title.
    assert!(ledger.adopt(std::slice::from_ref(&slo), at(2)).is_empty());
    assert!(
        ledger
            .observe(&reading(&slo, Some(true)), at(3), none)
            .is_empty()
    );
    let target = Target::whole(97);
    let edited = Slo {
        title: "other".into(),
        target,
        alerts: vec![BurnAlert::new(target, Ratio::whole(9), HOUR).expect("a rule")],
        ..slo.clone()
    };
    assert!(
        ledger
            .adopt(std::slice::from_ref(&edited), at(4))
            .is_empty()
    );
    let alert = &ledger.alerts()[0];
    assert_eq!((alert.status, alert.since), (Status::Firing, at(1)));
    assert_eq!((&*alert.title, alert.rule), ("other", edited.alerts[0]));
    assert!(
        ledger
            .observe(&reading(&edited, Some(true)), at(5), none)
            .is_empty()
    );
    // It is taken out while it fires: whoever was told of it is told of its end.
    let gone = ledger.adopt(&[], at(6));
    assert_eq!(changes(&gone), [(Change::Removed, at(6))]);
    assert_eq!(gone[0].change.name(), "cleared");
    assert_eq!(gone[0].episode(), fired[0].episode());
    assert!(ledger.alerts().is_empty());
}

#[test]
fn severity_goes_by_the_long_window() {
    let mut ledger = Ledger::default();
    ledger.adopt(&[slo("up")], at(0));
    let each = ledger.alerts().iter();
    let each: Vec<_> = each.map(|a| (a.id.to_string(), a.severity())).collect();
    let [fast, slow] = [Severity::Critical, Severity::Warning];
    let expected = [("up/1h", fast), ("up/6h", fast), ("up/1d", slow)];
    assert_eq!(
        each,
        expected.map(|(id, severity)| (id.to_owned(), severity))
    );
}

fn live(start: Minute) -> Live {
    let site = Site {
        name: "tokyo".into(),
        simulated: false,
    };
    let names = vec![Arc::from("page")];
    Live::new(
        names,
        [slo("up")].into(),
        Vec::new(),
        vec![site],
        start.start(),
    )
}

/// Minutes that another process has recorded, down where `down` says so.
fn history(live: &Live, minutes: Range<u64>, down: Range<u64>) {
    for n in minutes {
        let minute = DAY.plus(n);
        let failure = down.contains(&n).then_some(FailureKind::Status);
        let series = Series::of(minute, &bucket(minute, [answer(1, failure)]));
        let checks = vec![("page".into(), series)];
        live.take("tokyo", Level::Minute, minute, &checks);
    }
}

fn sentry() -> (Sentry, Alerts) {
    let alerts = Alerts::new();
    let clock = FastClock::real(SystemClock::new());
    (Sentry::new(clock, alerts.clone()), alerts)
}

fn firing(alerts: &Alerts) -> Vec<(String, Timestamp)> {
    let all = alerts.all();
    let firing = all.iter().filter(|alert| alert.is_firing());
    firing.map(|a| (a.id.to_string(), a.since)).collect()
}

#[test]
fn an_outage_fires_the_fast_alert_first_and_clears_when_it_ends() {
    let live = live(DAY);
    let (sentry, alerts) = sentry();
    sentry.adopt(&[slo("up")], at(0));
    let mut seen = Vec::new();
    let changed = alerts.changes();
    for n in 0..600 {
        let failure = (200..230).contains(&n).then_some(FailureKind::Connect);
        live.record(&result(DAY.plus(n), answer(1, failure)));
        for change in sentry.look(&live, at(n).plus(Duration::from_secs(45))) {
            let (id, name) = (change.alert.id.to_string(), change.change.name());
            seen.push((n, id, name, change.episode()));
        }
    }
    let seen: Vec<_> = seen
        .iter()
        .map(|(n, id, name, episode)| (*n, &**id, *name, &**episode))
        .collect();
    // Of all 212 minutes so far, 12 burn 2.83; 21 of 60 burn 17.5, and 26 of 226 burn 5.75. After
    // the end, the short windows have to empty: 5, 30 and 120 minutes.
    assert_eq!(
        seen,
        [
            (211, "up/1d", "fired", "up/1d@2024-10-04T03:31Z"),
            (220, "up/1h", "fired", "up/1h@2024-10-04T03:40Z"),
            (225, "up/6h", "fired", "up/6h@2024-10-04T03:45Z"),
            (233, "up/1h", "cleared", "up/1h@2024-10-04T03:40Z"),
            (256, "up/6h", "cleared", "up/6h@2024-10-04T03:45Z"),
            (343, "up/1d", "cleared", "up/1d@2024-10-04T03:31Z"),
        ]
    );
    assert!(changed.has_changed().expect("the handle is there"));
    assert!(alerts.all().iter().all(|alert| alert.long.is_some()));
}

#[test]
fn a_first_failure_is_no_alarm() {
    let live = live(DAY);
    let (sentry, alerts) = sentry();
    sentry.adopt(&[slo("up")], at(0));
    // The shop comes up a minute after the prober.
    for n in 0..60 {
        let failure = (n == 0).then_some(FailureKind::Connect);
        live.record(&result(DAY.plus(n), answer(1, failure)));
        assert!(sentry.look(&live, at(n).plus(HOUR / 80)).is_empty(), "{n}");
    }
    let first = alerts.all()[0].clone();
    assert_eq!((first.status, first.frozen), (Status::Ok, None));
}

#[test]
fn a_restart_remembers_what_fired_and_tells_nobody_again() {
    // Down since minute 100; killed in minute 130, and back two minutes later.
    let live = live(DAY.plus(132));
    history(&live, 0..130, 100..130);
    let (sentry, alerts) = sentry();
    sentry.adopt(&[slo("up")], at(132));
    let began = DAY.plus(132);
    sentry.remember(&live, began, began.start());
    let known = firing(&alerts);
    assert_eq!(known[0], ("up/1h".to_owned(), at(120)), "{known:?}");
    let mut seen = Vec::new();
    for n in 132..260 {
        let failure = (n < 140).then_some(FailureKind::Connect);
        live.record(&result(DAY.plus(n), answer(1, failure)));
        seen.extend(sentry.look(&live, at(n).plus(Duration::from_secs(45))));
    }
    assert!(seen.iter().all(|c| c.change == Change::Cleared), "{seen:?}");
    let hour = seen.iter().find(|c| c.alert.id.long == HOUR);
    let hour = hour.expect("it ends");
    assert_eq!(
        hour.episode(),
        "up/1h@2024-10-04T02:00Z",
        "as it was told then"
    );
    assert_eq!(firing(&alerts), []);
}

#[test]
fn what_was_long_ago_is_not_remembered() {
    let live = live(DAY.plus(3_000));
    history(&live, 0..130, 100..130);
    let (sentry, alerts) = sentry();
    sentry.adopt(&[slo("up")], at(3_000));
    sentry.remember(&live, DAY.plus(3_000), at(3_000));
    assert_eq!(firing(&alerts), []);
    // And a history that is empty takes no time.
    let empty = self::live(DAY);
    let (sentry, alerts) = self::sentry();
    sentry.adopt(&[slo("up")], at(0));
    sentry.remember(&empty, DAY, at(0));
    assert_eq!(firing(&alerts), []);
    let id = AlertId {
        slo: "up".into(),
        long: HOUR,
    };
    assert_eq!(alerts.all()[0].id, id);
}
