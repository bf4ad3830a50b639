//! A week on stage: the demo's clock runs 600 times as fast, and nothing here sleeps.

use std::sync::Arc;
use std::time::Duration;

use synthetics::alert::{Alerts, Sentry};
use synthetics::clock::{FastClock, SystemClock, Timestamp};
use synthetics::evaluate::Evaluation;
use synthetics::history::{Live, Site};
use synthetics::objective::Slo;
use synthetics::probe::{FailureKind, ProbeResult};
use synthetics::slo::{Reason, Rounding, SliceState};

use super::states::slo;
use crate::history::{DAY, answer, result};

const FACTOR: u32 = 600;
/// Real time that a week takes.
const WEEK: Duration = Duration::from_millis(7 * 86_400_000 / FACTOR as u64);

struct Stage {
    clock: FastClock,
    live: Live,
    sentry: Sentry,
    every: Duration,
    real: Timestamp,
    told: Vec<(Duration, String, &'static str)>,
}

impl Stage {
    /// A shop that is probed once in `every` of real time.
    fn new(every: Duration) -> Self {
        let real = Timestamp::from_micros(1_000_000_000);
        let clock = FastClock::anchored(SystemClock::new(), real, DAY.start(), FACTOR);
        let slo: Slo = slo("up").probed(every, FACTOR);
        let sites = vec![Site {
            name: "tokyo".into(),
            simulated: true,
        }];
        let sentry = Sentry::new(clock, Alerts::new());
        sentry.adopt(std::slice::from_ref(&slo), clock.at(real));
        Self {
            live: Live::new(
                vec![Arc::from("page")],
                [slo].into(),
                Vec::new(),
                sites,
                clock.at(real),
            ),
            clock,
            sentry,
            every,
            real,
            told: Vec::new(),
        }
    }

    /// So much real time passes.
    fn pass(&mut self, time: Duration, failure: Option<FailureKind>) {
        let begun = self.real;
        while self.real.since(begun) < time {
            let at = self.clock.at(self.real);
            self.live.record(&ProbeResult {
                scheduled: at,
                started: at,
                ..result(DAY, answer(1_000, failure))
            });
            let now = self.clock.at(self.real.plus(self.every / 2));
            for change in self.sentry.look(&self.live, now) {
                let (id, what) = (change.alert.id.to_string(), change.change.name());
                self.told.push((self.real.since(begun), id, what));
            }
            self.real = self.real.plus(self.every);
        }
    }

    fn judged(&self) -> Evaluation {
        let now = self.clock.at(self.real);
        self.live.evaluate(now).remove(0)
    }
}

fn left(evaluation: &Evaluation) -> String {
    let left = evaluation.remaining.expect("there were events");
    left.to_decimal(2, 0, Rounding::Nearest)
}

#[test]
fn twenty_seconds_eat_the_budget_of_a_week() {
    // A probe in each minute of that clock, and one in fifty of them.
    for every in [100, 5_000].map(Duration::from_millis) {
        let mut stage = Stage::new(every);
        stage.pass(WEEK, None);
        let before = stage.judged();
        assert_eq!(before.judgement.reason, Reason::Met, "{before:?}");
        assert_eq!(left(&before), "100");
        assert!(before.coverage.is_enough(), "{before:?}");
        assert!(stage.told.is_empty(), "{:?}", stage.told);

        stage.pass(Duration::from_secs(20), Some(FailureKind::Connect));
        // 12,000 seconds of 12,096 that may be lost: 0.8 %, as far as probes can tell.
        let during = stage.judged();
        let remaining = left(&during);
        assert!(["1", "0"].contains(&&*remaining), "{remaining}: {during:?}");
        assert_eq!(during.judgement.reason, Reason::Met, "by a hair");
        let told: Vec<_> = stage
            .told
            .iter()
            .map(|(at, id, what)| (*at, &**id, *what))
            .collect();
        assert!(told.iter().all(|(.., what)| *what == "fired"), "{told:?}");
        // 10 % of the budget are 20 minutes: two seconds, or the first probe that finds it down.
        let fast = told
            .iter()
            .find(|(_, id, _)| *id == "up/1h")
            .expect("it fires");
        assert!(fast.0 <= Duration::from_millis(2_100), "{told:?}");
        assert_eq!(told.len(), 3, "all three: {told:?}");

        // A second more, or the next probe.
        stage.pass(
            every.max(Duration::from_secs(1)),
            Some(FailureKind::Connect),
        );
        let after = stage.judged();
        assert_eq!(after.judgement.reason, Reason::Missed, "{after:?}");
        assert!(left(&after).starts_with('-'), "{after:?}");

        // It heals: the alerts clear within their short windows, the longest of two hours.
        stage.told.clear();
        stage.pass(Duration::from_secs(30), None);
        let cleared: Vec<_> = stage
            .told
            .iter()
            .map(|(_, id, what)| (&**id, *what))
            .collect();
        let mut sorted = cleared.clone();
        sorted.sort_unstable();
        let each = ["up/1d", "up/1h", "up/6h"].map(|id| (id, "cleared"));
        assert_eq!(sorted, each, "{:?}", stage.told);
    }
}

#[test]
fn minutes_without_a_probe_due_are_no_gaps_and_a_silent_prober_is() {
    let mut stage = Stage::new(Duration::from_secs(5));
    stage.pass(Duration::from_secs(50), None);
    let judged = stage.judged();
    assert_eq!((judged.slices.up, judged.slices.gap), (10, 0), "{judged:?}");
    assert_eq!(judged.coverage.expected, 10);
    let states = stage.live.states(0, DAY..DAY.plus(460));
    assert!(
        states.iter().all(|state| *state == SliceState::Up),
        "{states:?}"
    );
    // It sleeps for as long again: half of what was due is not there.
    stage.real = stage.real.plus(Duration::from_secs(50));
    stage.pass(Duration::from_secs(1), None);
    let judged = stage.judged();
    assert_eq!((judged.slices.up, judged.slices.gap), (11, 9), "{judged:?}");
    assert_eq!(judged.judgement.reason, Reason::LowCoverage);
    let states = stage.live.states(0, DAY.plus(510)..DAY.plus(990));
    assert!(
        states.iter().all(|state| *state == SliceState::Gap),
        "{states:?}"
    );
    // And a window that is not over is not stale between two probes.
    let now = stage.clock.at(stage.real);
    let stale = |after: u64| {
        let now = now.plus(Duration::from_secs(after * 60));
        stage.live.evaluate(now).remove(0).judgement.reason == Reason::Stale
    };
    assert!(!stale(40) && stale(60));
}
