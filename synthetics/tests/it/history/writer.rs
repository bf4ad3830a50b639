//! The task that saves, on a real engine: restarts, outages, and two of them.

use std::sync::Arc;
use std::time::Duration;

use sandbox::{Engine, eventually};
use synthetics::clock::{Clock as _, FastClock, SystemClock, Timestamp};
use synthetics::history::store::{Holder, Store};
use synthetics::history::view::View;
use synthetics::history::writer::{Lease, Writer};
use synthetics::history::{HistoryError, Level, Live, Minute, Site, Watcher};
use synthetics::objective::{Indicator, Slo};
use synthetics::probe::{FailureKind, Outcome, ProbeResult};
use synthetics::slo::{Counts, Percent, Target};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::store::{holder, table};
use super::{DAY, LIMITS, answer, result};

/// Dead after three tenths of a second, so that tests need not wait for long.
const LEASE: Lease = Lease {
    lasts: Duration::from_millis(600),
    beat: Duration::from_millis(50),
};

fn slos() -> Arc<[Slo]> {
    let min_good = Percent::HUNDRED;
    let slo = |name, indicator| Slo::new(name, Target::whole(95), indicator, vec![0, 1]);
    [
        slo("availability", Indicator::Availability { min_good }),
        slo("success", Indicator::Success),
        slo("latency", Indicator::Latency { within: LIMITS[0] }),
    ]
    .into()
}

fn live(sites: &[&str], start: Timestamp) -> Live {
    let site = |name: &&str| Site {
        name: (*name).into(),
        simulated: false,
    };
    let names = vec!["page".into(), "api".into()];
    let sites = sites.iter().map(site).collect();
    Live::new(names, slos(), Vec::new(), sites, start)
}

/// A clock that shows this minute now, and goes on from there.
fn clock(minute: Minute) -> FastClock {
    let system = SystemClock::new();
    FastClock::anchored(system, system.now(), minute.start(), 1)
}

fn writer(live: &Live, store: &Store, clock: FastClock, holder: Holder) -> Writer {
    let timeout = Duration::from_secs(1);
    let system = SystemClock::new();
    Writer::new(live.clone(), store.clone(), clock, system, holder, timeout).with_lease(LEASE)
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<(), HistoryError>>,
}

fn start(writer: Writer) -> Running {
    let stop = CancellationToken::new();
    let task = tokio::spawn(writer.run(stop.clone()));
    Running { stop, task }
}

impl Running {
    async fn end(self) -> Result<(), HistoryError> {
        self.stop.cancel();
        self.task.await.expect("no panic")
    }
}

fn at(minute: Minute, check: usize, outcome: Outcome) -> ProbeResult {
    ProbeResult {
        check_index: check,
        check: ["page", "api"][check].into(),
        ..result(minute, outcome)
    }
}

/// Every objective's counts, as somebody else reads them from the table.
async fn counts(store: &Store, clock: FastClock) -> Vec<Counts> {
    let reader = live(&[], clock.now());
    let span = View::span(&slos());
    Watcher::new(reader.clone(), store.clone(), clock, span)
        .look()
        .await
        .expect("a readable history");
    let evaluations = reader.evaluate(clock.now());
    evaluations
        .iter()
        .map(|evaluation| evaluation.counts)
        .collect()
}

#[tokio::test]
async fn what_is_recorded_is_saved_rolled_up_and_read_by_others() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let live = live(&["tokyo"], DAY.start());
    // Some of the minutes of two days: good, bad and slow ones, and none at all in between.
    let (mut good, mut bad, mut fast, mut down, mut minutes) = (0, 0, 0, 0, 0);
    for offset in (0..2 * 1_440).filter(|n| n % 97 < 9 && n / 1_000 != 1) {
        minutes += 1;
        let mut is_down = false;
        for check in 0..2 {
            let n = offset + check as u64;
            let failure = n.is_multiple_of(13).then_some(FailureKind::Status);
            let micros = 90_000 + (n % 7) * 5_000;
            fast += u64::from(micros <= 100_000);
            match failure {
                None => good += 1,
                Some(_) => bad += 1,
            }
            is_down |= failure.is_some();
            live.record(&at(DAY.plus(offset), check, answer(micros, failure)));
        }
        down += u64::from(is_down);
    }
    let expected = [
        Counts::new(minutes - down, down),
        Counts::new(good, bad),
        Counts::new(fast, good + bad - fast),
    ];
    // Two hours after the two days, everything has ended.
    let clock = clock(DAY.plus(2 * 1_440 + 120));
    let running = start(writer(&live, &store, clock, holder("a")));
    eventually("the days are rolled up", || async {
        let record = store.location("tokyo").await.expect("a read")?;
        (record.days_until == DAY.plus(2 * 1_440)).then_some(())
    })
    .await;
    let own: Vec<_> = live
        .evaluate(clock.now())
        .iter()
        .map(|e| e.counts)
        .collect();
    assert_eq!(own, expected);
    assert_eq!(counts(&store, clock).await, expected);
    let p95 = live.evaluate(clock.now()).remove(2).p95;

    // From days and hours alone, as it is once minutes have gone, the same numbers come out.
    let mut view = View::new(slos(), &["page".into(), "api".into()], View::span(&slos()));
    let all = DAY..DAY.plus(3 * 1_440);
    for level in [Level::Day, Level::Hour] {
        let mut items = 0;
        let take = |first: Minute, checks| {
            items += 1;
            view.take("tokyo", level, first, &checks);
        };
        store
            .read("tokyo", level, all.clone(), take)
            .await
            .expect("a read");
        assert!(items >= 2, "{items} of {level:?}");
        let (range, _) = view.window(1, clock.now());
        let found = view.evaluate(
            1,
            &[],
            range,
            synthetics::history::view::Expect::SinceFirst,
            false,
        );
        assert_eq!(found.map(|e| e.counts), Some(expected[1]));
    }
    let (range, _) = view.window(2, clock.now());
    let rolled = view.percentile(2, range, Percent::P95);
    assert_eq!(Some(rolled), p95);
    running.end().await.expect("a clean end");
}

#[tokio::test]
async fn a_restart_goes_on_in_the_same_minute() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let clock = clock(DAY.plus(500));
    let minute = Minute::of(clock.now());
    let mut expected = Counts::ZERO;
    for run in ["a", "b", "c"] {
        let live = live(&["tokyo"], clock.now());
        let running = start(writer(&live, &store, clock, holder(run)));
        for n in 0..3 {
            let failure = (n == 0).then_some(FailureKind::Body);
            expected.record(failure.is_none());
            live.record(&at(minute, 0, answer(1_000, failure)));
        }
        // What it was told before its end is saved, the running minute too.
        running.end().await.expect("a clean end");
        assert_eq!(counts(&store, clock).await[1], expected, "after run {run}");
    }
}

#[tokio::test]
async fn a_clock_that_was_put_back_loses_nothing() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    // The first run ends after its hour was rolled up; the next one begins within that hour.
    for (run, offset, now) in [("a", 30, 200), ("b", 40, 50), ("c", 41, 400)] {
        let live = live(&["tokyo"], DAY.plus(offset).start());
        let clock = clock(DAY.plus(now));
        live.record(&at(DAY.plus(offset), 0, answer(1, None)));
        let running = start(writer(&live, &store, clock, holder(run)));
        eventually(
            "the minute is saved, and the hour rolled up where it ended",
            || async {
                let hours = store.location("tokyo").await.expect("a read")?.hours_until;
                let saved = store
                    .minute("tokyo", DAY.plus(offset))
                    .await
                    .expect("a read");
                (saved.is_some() && hours == DAY.plus(now / 60 * 60)).then_some(())
            },
        )
        .await;
        running.end().await.expect("a clean end");
    }
    assert_eq!(
        counts(&store, clock(DAY.plus(401))).await[1],
        Counts::new(3, 0)
    );
}

#[tokio::test]
async fn minutes_wait_while_the_table_is_away() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let clock = clock(DAY.plus(500));
    let live = live(&["tokyo"], DAY.start());
    let running = start(writer(&live, &store, clock, holder("a")));
    live.record(&at(DAY.plus(400), 0, answer(1, None)));
    eventually("the first minute is saved", || async {
        let found = store.minute("tokyo", DAY.plus(400)).await;
        found.expect("a read").map(drop)
    })
    .await;
    let stopped = engine.stop().await;
    // Sealed at 400 minutes and some; what comes now is of later minutes.
    for offset in 499..501 {
        live.record(&at(DAY.plus(offset), 0, answer(1, None)));
    }
    assert_eq!(live.lost().results, 0);
    let own: Vec<_> = live
        .evaluate(clock.now())
        .iter()
        .map(|e| e.counts)
        .collect();
    assert_eq!(own[1], Counts::new(3, 0), "it is shown at once");
    let engine = stopped.restart().await;
    eventually("the minutes that waited are saved", || async {
        let found = store.minute("tokyo", DAY.plus(499)).await;
        found.expect("a read").map(drop)
    })
    .await;
    running.end().await.expect("a clean end");
    assert_eq!(counts(&store, clock).await[1], Counts::new(3, 0));
    drop(engine);
}

#[tokio::test]
async fn two_probers_of_one_location_are_told_and_the_first_one_stays() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let clock = clock(DAY.plus(500));
    let lives = [0, 1].map(|_| live(&["tokyo"], clock.now()));
    let first = start(writer(&lives[0], &store, clock, holder("a")));
    eventually("the first one holds it", || async {
        store.location("tokyo").await.expect("a read")
    })
    .await;
    let second = start(writer(&lives[1], &store, clock, holder("b")));
    let error = second
        .task
        .await
        .expect("no panic")
        .expect_err("there are two");
    let text = error.to_string();
    assert!(text.contains("another prober"), "{text}");
    assert!(text.contains("process 17 on web-1"), "{text}");
    assert!(text.contains("--location"), "{text}");
    lives[0].record(&at(Minute::of(clock.now()), 0, answer(1, None)));
    first.end().await.expect("the first one goes on");
    assert_eq!(counts(&store, clock).await[1], Counts::new(1, 0));
}

#[tokio::test]
async fn one_that_was_killed_is_followed_and_one_that_was_stopped_writes_no_more() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let clock = clock(DAY.plus(500));
    let (old, new) = (live(&["tokyo"], clock.now()), live(&["tokyo"], clock.now()));
    let minute = Minute::of(clock.now());
    let first = start(writer(&old, &store, clock, holder("a")));
    let held = || async {
        let record = store.location("tokyo").await.expect("a read")?;
        Some(record.holder.run)
    };
    eventually("the first one holds it", || async {
        held().await.map(drop)
    })
    .await;
    // Killed: its beat stands still.
    first.task.abort();
    let second = start(writer(&new, &store, clock, holder("b")));
    new.record(&at(minute, 0, answer(1, None)));
    eventually("the second one takes over", || async {
        (held().await? == "b").then_some(())
    })
    .await;
    // The first one was not dead, only stopped for a while: a new writer with the old run.
    old.record(&at(minute, 0, answer(1, Some(FailureKind::Status))));
    let back = start(writer(&old, &store, clock, holder("a")));
    let error = back
        .task
        .await
        .expect("no panic")
        .expect_err("it was taken");
    assert!(
        matches!(error, HistoryError::TwoProbers { .. }),
        "{error:?}"
    );
    second.end().await.expect("a clean end");
    assert_eq!(counts(&store, clock).await[1], Counts::new(1, 0));
}

#[tokio::test]
async fn one_that_was_killed_on_this_machine_is_followed_at_once() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let clock = clock(DAY.plus(500));
    let mut child = std::process::Command::new("true").spawn().expect("it runs");
    let pid = child.id();
    child.wait().expect("it ends");
    let here = Holder::here(clock.now());
    let gone = Holder {
        run: "gone".into(),
        pid,
        ..here.clone()
    };
    store
        .claim("tokyo", &gone, false, None)
        .await
        .expect("a claim");
    let live = live(&["tokyo"], clock.now());
    let patient = Lease {
        lasts: Duration::from_secs(3_600),
        ..LEASE
    };
    let running = start(writer(&live, &store, clock, here.clone()).with_lease(patient));
    eventually("it takes over", || async {
        let record = store.location("tokyo").await.expect("a read")?;
        (record.holder.run == here.run).then_some(())
    })
    .await;
    running.end().await.expect("a clean end");
    let record = store
        .location("tokyo")
        .await
        .expect("a read")
        .expect("it is there");
    assert!(record.free, "nobody has to wait for it");
}

#[tokio::test]
async fn sites_of_one_process_and_another_one_make_one_view() {
    let engine = Engine::start().await;
    let store = table(&engine).await;
    let clock = clock(DAY.plus(500));
    let minute = Minute::of(clock.now());
    let here = live(&["tokyo", "osaka"], clock.now());
    let there = live(&["seoul"], clock.now());
    for (live, name) in [(&here, "tokyo"), (&here, "osaka"), (&there, "seoul")] {
        let failure = (name == "seoul").then_some(FailureKind::Status);
        live.record(&ProbeResult {
            location: name.into(),
            ..at(minute, 0, answer(1_000, failure))
        });
    }
    let (a, b) = (
        start(writer(&here, &store, clock, holder("a"))),
        start(writer(&there, &store, clock, holder("b"))),
    );
    b.end().await.expect("a clean end");
    let stop = CancellationToken::new();
    let span = View::span(&slos());
    let watcher = Watcher::new(here.clone(), store.clone(), clock, span);
    let task = tokio::spawn(watcher.run(stop.clone()));
    eventually("the other one's minute is seen", || async {
        let counts = here.evaluate(clock.now()).remove(1).counts;
        (counts == Counts::new(2, 1)).then_some(())
    })
    .await;
    let availability = here.evaluate(clock.now()).remove(0);
    assert_eq!(availability.slices.down, 1, "any location down is down");
    stop.cancel();
    task.await.expect("no panic");
    a.end().await.expect("a clean end");
}

#[test]
fn what_comes_too_late_is_counted_as_lost() {
    let live = live(&["tokyo"], DAY.plus(9).start());
    live.record(&at(DAY.plus(8), 0, answer(1, None)));
    assert_eq!(live.lost().results, 1);
    assert_eq!(live.evaluate(DAY.plus(9).start())[1].counts, Counts::ZERO);
}
