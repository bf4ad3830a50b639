//! The queues behind the lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use super::bad::Tally;
use super::queue::{Numbers, Queue, Slot, Why};
use super::series::{Key, Registry};
use super::{Counts, Event, Limits, Sample, ServiceCheck, Snapshot, Source, Stats, ignored_code};
use crate::aggregate::Aggregates;
use crate::dogstatsd::{self, Message, Metric, Reason};
use crate::otlp;

/// What a kept item costs beside itself: its place in a queue and the counters of its `Arc`.
const OVERHEAD: usize = size_of::<Slot<()>>() + 2 * size_of::<usize>();

/// Everything kept. Items of all kinds are numbered in the order of their arrival, so that the oldest of all can be found.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) limits: Limits,
    pub(super) spans: Queue<otlp::Span>,
    pub(super) samples: Queue<Sample>,
    pub(super) events: Queue<Event>,
    pub(super) checks: Queue<ServiceCheck>,
    pub(super) points: Queue<otlp::MetricPoint>,
    pub(super) logs: Queue<otlp::LogRecord>,
    pub(super) bad: Tally,
    /// The series of each sample, in the order of `samples`.
    keys: VecDeque<Key>,
    series: Registry,
    pub(super) aggregates: Option<Box<Aggregates>>,
    arrived: u64,
    bytes: usize,
    datagrams: u64,
    requests: u64,
}

impl Inner {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            spans: Queue::new(),
            samples: Queue::new(),
            events: Queue::new(),
            checks: Queue::new(),
            points: Queue::new(),
            logs: Queue::new(),
            bad: Tally::new(limits.bad_packets),
            keys: VecDeque::new(),
            series: Registry::default(),
            aggregates: None,
            arrived: 0,
            bytes: 0,
            datagrams: 0,
            requests: 0,
        }
    }

    pub(super) fn take_datagram(&mut self, source: Source, datagram: &[u8], now: SystemTime) {
        self.datagrams += 1;
        let datagram = if let Some(read) = datagram.get(..dogstatsd::MAX_DATAGRAM)
            && datagram.len() > read.len()
        {
            self.bad.add(
                source,
                Reason::Oversize.code(),
                Reason::Oversize.explanation(),
                datagram,
                now,
            );
            // The last line is cut off: the Agent would misread it, we leave it out.
            read.iter()
                .rposition(|&byte| byte == b'\n')
                .and_then(|end| read.get(..end))
                .unwrap_or_default()
        } else {
            datagram
        };
        for line in dogstatsd::messages(datagram) {
            match dogstatsd::parse(line) {
                Ok(parsed) => {
                    if let Some(reason) = parsed.ignored {
                        self.bad.add(
                            source,
                            ignored_code(reason),
                            reason.explanation(),
                            line,
                            now,
                        );
                    }
                    match parsed.message {
                        Message::Metric(metric) => self.take_metric(source, metric, now),
                        Message::Event(event) => {
                            let event = Event::new(event, now, source);
                            if let Some(aggregates) = &mut self.aggregates {
                                aggregates.event(&event, now);
                            }
                            let slot = self.slot(event.bytes(), now, event);
                            self.events.push(slot);
                        }
                        Message::ServiceCheck(check) => {
                            let check = ServiceCheck::new(check, now, source);
                            if let Some(aggregates) = &mut self.aggregates {
                                aggregates.check(&check, now);
                            }
                            let slot = self.slot(check.bytes(), now, check);
                            self.checks.push(slot);
                        }
                    }
                }
                Err(error) => self.bad.add(
                    source,
                    error.reason.code(),
                    error.reason.explanation(),
                    line,
                    now,
                ),
            }
        }
    }

    fn take_metric(&mut self, source: Source, metric: Metric<'_>, now: SystemTime) {
        let (key, series) = self.series.acquire(&metric);
        let sample = Sample {
            series,
            kind: metric.kind,
            values: metric.values,
            sample_rate: metric.sample_rate,
            timestamp: metric.timestamp,
            received_at: now,
            source,
        };
        if let Some(aggregates) = &mut self.aggregates {
            aggregates.sample(&sample, now);
        }
        let slot = self.slot(sample.bytes() + size_of::<Key>(), now, sample);
        self.samples.push(slot);
        self.keys.push_back(key);
    }

    pub(super) fn take_batch(&mut self, source: Source, batch: otlp::Batch, now: SystemTime) {
        self.requests += 1;
        if let Some(rejected) = &batch.rejected {
            self.bad.add(
                source,
                "rejected_items",
                &format!("{} rejected: {}", rejected.items, rejected.why),
                b"",
                now,
            );
        }
        // The resource is shared by all that came with it; its share is counted with each change of it.
        let mut last: Option<Arc<otlp::Resource>> = None;
        let mut share = |resource: &Arc<otlp::Resource>| {
            if last
                .as_ref()
                .is_some_and(|last| Arc::ptr_eq(last, resource))
            {
                0
            } else {
                last = Some(Arc::clone(resource));
                resource.bytes()
            }
        };
        for mut span in batch.spans {
            span.received_at = now;
            let slot = self.slot(span.bytes() + share(&span.resource), now, span);
            if let Some(aggregates) = &mut self.aggregates {
                aggregates.span(&slot.item, now);
            }
            self.spans.push(slot);
        }
        for mut point in batch.points {
            point.received_at = now;
            let slot = self.slot(point.bytes() + share(&point.resource), now, point);
            if let Some(aggregates) = &mut self.aggregates {
                aggregates.point(&slot.item, now);
            }
            self.points.push(slot);
        }
        for mut log in batch.logs {
            log.received_at = now;
            let slot = self.slot(log.bytes() + share(&log.resource), now, log);
            if let Some(aggregates) = &mut self.aggregates {
                aggregates.log(&slot.item, now);
            }
            self.logs.push(slot);
        }
    }

    fn slot<T>(&mut self, bytes: usize, now: SystemTime, item: T) -> Slot<T> {
        let bytes = bytes + OVERHEAD;
        self.bytes += bytes;
        self.arrived += 1;
        Slot {
            number: self.arrived,
            received_at: now,
            bytes,
            item: Arc::new(item),
        }
    }

    /// Lets go what is too old, then the oldest until all fits.
    pub(super) fn enforce(&mut self, now: SystemTime) {
        if let Some(aggregates) = &mut self.aggregates {
            aggregates.tidy(now);
        }
        // Before 1970 nothing was received: a clock that is off lets nothing go for age, and the memory budget still holds.
        let horizon = now
            .checked_sub(self.limits.age)
            .unwrap_or(SystemTime::UNIX_EPOCH);
        loop {
            let oldest = [
                self.spans.oldest().map(|at| (at, Of::Spans)),
                self.samples.oldest().map(|at| (at, Of::Samples)),
                self.events.oldest().map(|at| (at, Of::Events)),
                self.checks.oldest().map(|at| (at, Of::Checks)),
                self.points.oldest().map(|at| (at, Of::Points)),
                self.logs.oldest().map(|at| (at, Of::Logs)),
            ];
            let Some(((_, received_at), of)) = oldest
                .into_iter()
                .flatten()
                .min_by_key(|((number, _), _)| *number)
            else {
                return;
            };
            let why = if received_at < horizon {
                Why::Age
            } else if self.bytes() > self.limits.bytes {
                Why::Memory
            } else {
                return;
            };
            self.bytes -= match of {
                Of::Spans => {
                    let gone = self.spans.pop(why);
                    if let (Some(aggregates), Some(gone)) = (&mut self.aggregates, &gone) {
                        aggregates.span_gone(&gone.item);
                    }
                    bytes(gone)
                }
                Of::Samples => {
                    if let Some(key) = self.keys.pop_front() {
                        self.series.release(&key);
                    }
                    bytes(self.samples.pop(why))
                }
                Of::Events => bytes(self.events.pop(why)),
                Of::Checks => bytes(self.checks.pop(why)),
                Of::Points => bytes(self.points.pop(why)),
                Of::Logs => {
                    let gone = self.logs.pop(why);
                    if let (Some(aggregates), Some(gone)) = (&mut self.aggregates, &gone) {
                        aggregates.log_gone(&gone.item);
                    }
                    bytes(gone)
                }
            };
        }
    }

    fn bytes(&self) -> usize {
        let figures = self
            .aggregates
            .as_ref()
            .map_or(0, |figures| figures.bytes());
        self.bytes + self.series.bytes() + figures
    }

    pub(super) fn stats(&self) -> Stats {
        let counts = |of: fn(&Numbers) -> u64| Counts {
            spans: of(&self.spans.numbers()),
            samples: of(&self.samples.numbers()),
            events: of(&self.events.numbers()),
            service_checks: of(&self.checks.numbers()),
            points: of(&self.points.numbers()),
            logs: of(&self.logs.numbers()),
        };
        Stats {
            received: counts(|numbers| numbers.received),
            kept: counts(|numbers| numbers.kept),
            dropped_for_memory: counts(|numbers| numbers.memory),
            dropped_for_age: counts(|numbers| numbers.age),
            datagrams: self.datagrams,
            requests: self.requests,
            bad: self.bad.total(),
            bytes: self.bytes(),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            spans: self.spans.to_vec(),
            metrics: self.samples.to_vec(),
            events: self.events.to_vec(),
            service_checks: self.checks.to_vec(),
            points: self.points.to_vec(),
            logs: self.logs.to_vec(),
            bad_packets: self.bad.report(),
            stats: self.stats(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Of {
    Spans,
    Samples,
    Events,
    Checks,
    Points,
    Logs,
}

/// What letting something go frees.
fn bytes<T>(gone: Option<Slot<T>>) -> usize {
    gone.map_or(0, |slot| slot.bytes)
}
