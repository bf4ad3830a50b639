//! The status page: a real server on port 0, a history that is filled by hand, a clock that stands
//! still.

mod browser;
mod figures;
mod http;
mod program;
mod rules;
mod span;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use synthetics::alert::{Alerts, Sentry};
use synthetics::clock::{Clock, FastClock, SystemClock, Timestamp};
use synthetics::history::{Live, Minute, Site};
use synthetics::objective::{Indicator, Slo};
use synthetics::page::{CheckInfo, Config, Page, Scene};
use synthetics::probe::{Failure, FailureKind, Measurement, Outcome, ProbeResult};
use synthetics::slo::{Maintenance, Percent, Target};

/// A clock that is moved by hand.
#[derive(Clone, Debug)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// 2026-11-05T00:00Z.
pub(crate) const START: Minute = Minute(20_762 * 1_440);

/// What stands on stage before anybody looks.
pub(crate) struct Set {
    pub(crate) slos: Vec<Slo>,
    pub(crate) checks: Vec<&'static str>,
    pub(crate) locations: Vec<&'static str>,
    pub(crate) maintenance: Vec<Maintenance>,
    pub(crate) time_scale: u32,
    /// From one working out of the numbers to the next.
    pub(crate) pace: Duration,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            slos: vec![availability()],
            checks: vec!["front"],
            locations: vec!["tokyo"],
            maintenance: Vec::new(),
            time_scale: 1,
            // Every answer is as new as the history.
            pace: Duration::ZERO,
        }
    }
}

pub(crate) fn availability() -> Slo {
    let indicator = Indicator::Availability {
        min_good: Percent::HUNDRED,
    };
    Slo::new("availability", Target::whole(98), indicator, vec![0])
}

pub(crate) fn latency() -> Slo {
    let within = Duration::from_millis(100);
    let mut slo = Slo::new(
        "latency-100ms",
        Target::whole(95),
        Indicator::Latency { within },
        vec![0],
    );
    slo.title = "API latency <= 100 ms".to_owned();
    slo
}

pub(crate) fn success() -> Slo {
    Slo::new("success", Target::whole(96), Indicator::Success, vec![0])
}

/// The page, what it shows, and who turns the hands of its clock.
pub(crate) struct Stage {
    pub(crate) page: Page,
    pub(crate) live: Live,
    pub(crate) clock: Hand,
    checks: Vec<Arc<str>>,
    sentry: Sentry,
}

impl Stage {
    pub(crate) async fn of(set: Set) -> Self {
        let checks: Vec<Arc<str>> = set.checks.iter().map(|name| Arc::from(*name)).collect();
        let site = |name: &&str| Site {
            name: Arc::from(*name),
            simulated: name.ends_with(synthetics::SIMULATED),
        };
        let clock = Hand(Arc::new(AtomicU64::new(START.start().as_micros())));
        let alerts = Alerts::new();
        let sentry = Sentry::new(FastClock::real(SystemClock::new()), alerts.clone());
        sentry.adopt(&set.slos, START.start());
        let live = Live::new(
            checks.clone(),
            set.slos.into(),
            set.maintenance,
            set.locations.iter().map(site).collect(),
            START.start(),
        );
        let config = Config {
            pace: set.pace,
            ..Config::default()
        };
        let page = Page::bind(config).await.expect("a free port");
        let info = |name: &Arc<str>| CheckInfo {
            name: Arc::clone(name),
            kind: "http",
            every: Duration::from_secs(60),
        };
        page.show(Scene {
            live: live.clone(),
            alerts,
            clock: Arc::new(clock.clone()),
            time_scale: set.time_scale,
            target: "http://shop.test".to_owned(),
            table: None,
            table_required: false,
            checks: checks.iter().map(info).collect(),
            titles: [(Arc::from("tokyo"), "Tokyo".to_owned())].into(),
        });
        Self {
            page,
            live,
            clock,
            checks,
            sentry,
        }
    }

    /// Records what a probe found in a minute that is so long after the start, and sets the clock
    /// to its end.
    pub(crate) fn record(&self, minute: u64, check: usize, location: &str, found: Measurement) {
        let scheduled = START.plus(minute).start().plus(Duration::from_secs(20));
        let result = ProbeResult {
            check_index: check,
            check: Arc::clone(&self.checks[check]),
            location: location.into(),
            scheduled,
            started: scheduled,
            outcome: Outcome::Measured(found),
        };
        self.live.record(&result);
        self.page.exposition().count(&result);
        self.clock
            .set(START.plus(minute).start().plus(Duration::from_secs(59)));
    }

    /// Lets the alerts see what there is now.
    pub(crate) fn watch(&self) {
        self.sentry.look(&self.live, self.clock.now());
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.page.url());
        sandbox::answer(reqwest::Client::new().get(url)).await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }
}

pub(crate) fn good(millis: u64) -> Measurement {
    Measurement {
        duration: Duration::from_millis(millis),
        answered: true,
        status: Some(200),
        ..Measurement::default()
    }
}

pub(crate) fn bad(detail: &str) -> Measurement {
    Measurement {
        status: Some(503),
        failure: Some(Failure::new(FailureKind::Status, detail)),
        trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
        ..good(7)
    }
}
