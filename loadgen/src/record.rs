//! Takes in every request as it ends, in memory that does not grow with the run.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use telemetry::names::{LOADGEN_REQUEST_COUNT, LOADGEN_REQUEST_DURATION, tag};

use crate::latency::{LONGEST, Latencies};
use crate::pacer::Missed;
use crate::route::Route;
use crate::schedule::Schedule;
use crate::threshold::Counts;
use crate::timeline::Timeline;

/// Missed turns that are recorded one by one; of more, evenly spread ones stand for the rest.
const MISSED_STEPS: u64 = 100_000;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The answer came whole, with a status that was expected.
    Ok,
    /// The answer came whole, with a status that was not.
    Status(u16),
    /// No connection.
    Connect,
    /// No whole answer within the time-out.
    Timeout,
    /// The connection broke off before the answer was whole, or the answer was no HTTP.
    Broken,
    /// No whole answer when the run was over and its grace time, too.
    CutOff,
}

impl Outcome {
    /// Value of the tag `outcome`.
    fn tag(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Status(400..500) => "client_error",
            Self::Status(500..) => "server_error",
            Self::Status(_) => "unexpected_status",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::CutOff => "cut_off",
        }
    }

    /// What the report calls it.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Status(status) => format!("status {status}"),
            other => other.tag().replace('_', " "),
        }
    }

    /// Whether the time it took is a latency: it is where an answer came, or failed to come for so long.
    /// A refused or broken connection is quick and says nothing about answers.
    pub(crate) fn is_timed(self) -> bool {
        !matches!(self, Self::Connect | Self::Broken)
    }
}

/// One request that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) route: Route,
    pub(crate) outcome: Outcome,
    /// From sending to the last byte of the answer.
    pub(crate) raw: Duration,
    /// From the moment the schedule meant it to be sent.
    pub(crate) corrected: Duration,
    /// When it ended, from the start of the run.
    pub(crate) at: Duration,
}

/// The requests of one route, or of all.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) ok: u64,
    /// By kind; never [`Outcome::Ok`]. Bounded, since status codes are.
    pub(crate) errors: BTreeMap<Outcome, u64>,
    pub(crate) raw: Latencies,
    pub(crate) corrected: Latencies,
}

impl Tally {
    fn new() -> Self {
        Self {
            ok: 0,
            errors: BTreeMap::new(),
            raw: Latencies::new(),
            corrected: Latencies::new(),
        }
    }

    fn add(&mut self, sample: &Sample) {
        match sample.outcome {
            Outcome::Ok => self.ok += 1,
            other => *self.errors.entry(other).or_default() += 1,
        }
        if sample.outcome.is_timed() {
            self.raw.record(sample.raw);
            self.corrected.record(sample.corrected);
        }
    }

    pub(crate) fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.ok + self.error_count()
    }
}

/// Everything recorded so far.
#[derive(Debug)]
pub(crate) struct Records {
    /// By route, in the order of [`Route::ALL`]; empty where none was sent.
    pub(crate) routes: [Option<Box<Tally>>; Route::ALL.len()],
    /// Over all routes. Its corrected latencies hold the missed turns, too.
    pub(crate) all: Tally,
    pub(crate) timeline: Timeline,
    /// Turns of the schedule for which no user was free in time.
    pub(crate) missed: u64,
    pub(crate) visits: Visits,
    /// Requests and missed turns within `max_p95`, corrected.
    within_p95: u64,
}

/// Visits begun and ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Visits {
    /// Rounds of the ring, whole ones.
    pub(crate) ring_rounds: u64,
    /// Journeys in which every step succeeded, from home to sign-out.
    pub(crate) journeys_whole: u64,
    /// Journeys that ended with a failed or impossible step.
    pub(crate) journeys_failed: u64,
    /// Signed-in product pages without a form to rate with.
    pub(crate) rating_forms_missing: u64,
}

/// A glance for the progress display.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) missed: u64,
    pub(crate) p95: Option<Duration>,
}

/// Shared by all users.
pub(crate) struct Recorder {
    records: Mutex<Records>,
    max_p95: Option<Duration>,
    metrics: telemetry::Metrics,
}

impl Recorder {
    pub(crate) fn new(max_p95: Option<Duration>, metrics: telemetry::Metrics) -> Self {
        Self {
            records: Mutex::new(Records {
                routes: Default::default(),
                all: Tally::new(),
                timeline: Timeline::new(),
                missed: 0,
                visits: Visits::default(),
                within_p95: 0,
            }),
            max_p95,
            metrics,
        }
    }

    /// The records, to read.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in one request and sends its metrics.
    pub(crate) fn record(&self, sample: &Sample) {
        let tags = [
            (tag::HTTP_ROUTE, sample.route.template()),
            (tag::HTTP_REQUEST_METHOD, sample.route.method()),
            (tag::OUTCOME, sample.outcome.tag()),
        ];
        self.metrics.count(&LOADGEN_REQUEST_COUNT, 1, &tags);
        let timed = sample.outcome.is_timed();
        if timed {
            let seconds = sample.raw.as_secs_f64();
            self.metrics
                .distribution(&LOADGEN_REQUEST_DURATION, seconds, &tags);
        }
        let mut records = self.lock();
        records.routes[sample.route as usize]
            .get_or_insert_with(|| Box::new(Tally::new()))
            .add(sample);
        records.all.add(sample);
        let failed = sample.outcome != Outcome::Ok;
        records
            .timeline
            .record(sample.at, failed, timed.then_some(sample.raw));
        if timed && self.max_p95.is_some_and(|max| sample.corrected <= max) {
            records.within_p95 += 1;
        }
    }

    /// Takes in turns that were given up: each had waited until now, so its latency is at least that.
    pub(crate) fn missed(&self, schedule: &Schedule, missed: &Missed) {
        let mut records = self.lock();
        records.missed += missed.turns.end - missed.turns.start;
        // What is beyond the histogram's range counts as its longest.
        let range_start = missed
            .turns
            .start
            .max(schedule.count_before(missed.at.saturating_sub(LONGEST)));
        let beyond = range_start.min(missed.turns.end) - missed.turns.start;
        records.all.corrected.record_many(LONGEST, beyond);
        let mut turn = missed.turns.start + beyond;
        let stride = ((missed.turns.end - turn) / MISSED_STEPS).max(1);
        while turn < missed.turns.end {
            let times = stride.min(missed.turns.end - turn);
            let waited = missed
                .at
                .saturating_sub(schedule.due(turn).unwrap_or_default());
            records.all.corrected.record_many(waited, times);
            if self.max_p95.is_some_and(|max| waited <= max) {
                records.within_p95 += times;
            }
            turn += times;
        }
    }

    /// Notes the end of a visit.
    pub(crate) fn visited(&self, note: impl FnOnce(&mut Visits)) {
        note(&mut self.lock().visits);
    }

    pub(crate) fn glance(&self) -> Glance {
        let records = self.lock();
        Glance {
            requests: records.all.requests(),
            errors: records.all.error_count(),
            missed: records.missed,
            p95: records.all.raw.quantile(0.95),
        }
    }
}

impl Records {
    /// What limits are judged on.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            requests: self.all.requests(),
            errors: self.all.error_count(),
            timed: self.all.corrected.count(),
            within_p95: self.within_p95,
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
