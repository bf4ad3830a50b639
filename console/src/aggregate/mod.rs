//! Figures that are kept up to date as things arrive, so that a page only has to read them: requests by service and route, the service map,
//! the values of metrics, the spans of each trace, and who sends what.
//!
//! Everything here is bounded: in number by the limits of each part, in time by the store's age, in bytes by a share of the store's budget
//! (past it, the oldest figures go first, and [`Aggregates::since`] tells).

pub mod map;
pub mod names;
pub mod red;
pub mod ring;
pub mod series;
pub mod services;
pub mod sketch;
pub mod traces;
mod verdicts;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::otlp::{LogRecord, MetricPoint, Span};
use crate::store::{Event, Sample, ServiceCheck};
use map::Map;
use ring::{Scale, Slot};
use series::Metrics;
use services::{Kind, Services};
use traces::Traces;
pub use verdicts::{Verdict, Verdicts};

/// The part of the memory budget that figures may take.
const SHARE: usize = 4;

/// A time up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first slot.
    pub from: Slot,
    /// How long it is: what counts are divided by to get rates. Never zero.
    pub length: Duration,
}

/// All figures.
#[derive(Debug)]
pub struct Aggregates {
    /// Requests, and who sends what.
    pub services: Services,
    /// Who calls whom.
    pub map: Map,
    /// Values of metrics.
    pub metrics: Metrics,
    /// Spans and log lines by trace.
    pub traces: Traces,
    /// What service checks and events say.
    pub verdicts: Verdicts,
    scale: Scale,
    budget: usize,
    /// When the first thing arrived.
    begun: Option<SystemTime>,
    /// The slot of the last look at sizes and ages.
    tidied: Slot,
    /// The first slot that there are figures of.
    since: Slot,
    /// Bytes of all that only grows from slot to slot.
    figures: usize,
}

impl Aggregates {
    /// None yet. `age` and `budget` are those of the store.
    #[must_use]
    pub fn new(age: Duration, budget: usize) -> Self {
        Self {
            services: Services::default(),
            map: Map::default(),
            metrics: Metrics::default(),
            traces: Traces::default(),
            verdicts: Verdicts::default(),
            scale: Scale::covering(age),
            budget: budget / SHARE,
            begun: None,
            tidied: 0,
            since: 0,
            figures: 0,
        }
    }

    /// How time is cut.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The first slot that there may be figures of at a moment.
    #[must_use]
    pub fn since(&self, now: SystemTime) -> Slot {
        self.since.max(self.scale.oldest(now))
    }

    /// The last so much time before a moment, as far as there are figures of it.
    #[must_use]
    pub fn window(&self, now: SystemTime, wanted: Duration) -> Window {
        let from = now.checked_sub(wanted).unwrap_or(SystemTime::UNIX_EPOCH);
        let from = self.scale.slot(from).max(self.since(now));
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(self.scale.start(from));
        let begin = self.begun.map_or(now, |begun| begun.max(begin));
        let length = now.duration_since(begin).unwrap_or_default();
        Window {
            from,
            length: length.max(Duration::from_secs(1)),
        }
    }

    pub(crate) fn span(&mut self, span: &Arc<Span>, now: SystemTime) {
        let slot = self.scale.slot(now);
        let service = self.services.name(span.service());
        self.services.heard(&service, Kind::Traces, slot, now);
        if let Some(version) = span.resource.attributes["service.version"].as_str() {
            self.services.version(&service, version);
        }
        if names::is_entry(span) {
            let (duration, error) = (span.duration(), names::is_error(span));
            self.services
                .request(&service, &names::resource(span), slot, |requests| {
                    requests.record(duration, error);
                });
        }
        self.traces.add_span(span, &service, now);
        let services = &mut self.services;
        self.map
            .take(span, &service, (slot, now), &mut self.traces, |name| {
                services.name(name)
            });
    }

    pub(crate) fn span_gone(&mut self, span: &Arc<Span>) {
        self.traces.remove_span(span);
    }

    pub(crate) fn log(&mut self, log: &Arc<LogRecord>, now: SystemTime) {
        let service = self.services.name(log.service());
        self.services
            .heard(&service, Kind::Logs, self.scale.slot(now), now);
        self.traces.add_log(log, now);
    }

    pub(crate) fn log_gone(&mut self, log: &Arc<LogRecord>) {
        self.traces.remove_log(log);
    }

    pub(crate) fn sample(&mut self, sample: &Sample, now: SystemTime) {
        if let Some(service) = sample.tag("service") {
            let service = self.services.name(service);
            self.services
                .heard(&service, Kind::Metrics, self.scale.slot(now), now);
        }
        self.metrics
            .sample(sample, self.slot_of(sample.timestamp, now));
    }

    pub(crate) fn point(&mut self, point: &MetricPoint, now: SystemTime) {
        let service = self.services.name(point.service());
        let slot = self.scale.slot(now);
        self.services.heard(&service, Kind::Metrics, slot, now);
        self.metrics.point(point, slot);
    }

    pub(crate) fn event(&mut self, event: &Event, now: SystemTime) {
        self.verdicts.event(event, now);
    }

    pub(crate) fn check(&mut self, check: &ServiceCheck, now: SystemTime) {
        self.verdicts.check(check, now);
    }

    /// Of a value that says when it was measured, if that is neither to come nor too long ago.
    fn slot_of(&self, timestamp: Option<i64>, now: SystemTime) -> Slot {
        let said = timestamp
            .and_then(|seconds| u64::try_from(seconds).ok())
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
            .map(|at| self.scale.slot(at));
        let (oldest, newest) = (self.since(now), self.scale.slot(now));
        said.filter(|slot| (oldest..=newest).contains(slot))
            .unwrap_or(newest)
    }

    /// Once a slot: lets go what is too old, and then more of the oldest until the figures fit their share.
    pub(crate) fn tidy(&mut self, now: SystemTime) {
        self.begun.get_or_insert(now);
        let slot = self.scale.slot(now);
        if slot == self.tidied {
            return;
        }
        self.tidied = slot;
        self.since = self.since(now);
        self.map.tidy(now, &mut self.traces);
        self.trim();
        while self.figures > self.budget && self.since < slot {
            // In eighths of what is left, so that it takes a few rounds and not hundreds.
            self.since += ((slot - self.since) / 8).max(1);
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.services.trim(self.since);
        self.map.trim(self.since);
        self.metrics.trim(self.since);
        self.figures = self.services.bytes() + self.map.bytes() + self.metrics.bytes();
    }

    /// About how many bytes they take: the figures as of the last slot, the index as of now.
    pub(crate) fn bytes(&self) -> usize {
        self.figures + self.traces.bytes() + self.verdicts.bytes()
    }
}
