//! The queues behind the lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use super::bad::Tally;
use super::series::{Key, Registry};
use super::{Counts, Event, Limits, Sample, ServiceCheck, Snapshot, Source, Stats, ignored_code};
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
    arrived: u64,
    bytes: usize,
    datagrams: u64,
    requests: u64,
}

/// The items of one kind, oldest first.
#[derive(Debug)]
pub(super) struct Queue<T> {
    slots: VecDeque<Slot<T>>,
    received: u64,
    dropped_for_memory: u64,
    dropped_for_age: u64,
}

#[derive(Debug)]
struct Slot<T> {
    number: u64,
    received_at: SystemTime,
    bytes: usize,
    item: Arc<T>,
}

/// Why something has to go.
#[derive(Debug, Clone, Copy)]
enum Why {
    Memory,
    Age,
}

impl<T> Queue<T> {
    fn new() -> Self {
        Self {
            slots: VecDeque::new(),
            received: 0,
            dropped_for_memory: 0,
            dropped_for_age: 0,
        }
    }

    pub(super) fn to_vec(&self) -> Vec<Arc<T>> {
        self.slots
            .iter()
            .map(|slot| Arc::clone(&slot.item))
            .collect()
    }

    fn oldest(&self) -> Option<(u64, SystemTime)> {
        self.slots
            .front()
            .map(|slot| (slot.number, slot.received_at))
    }

    fn push(&mut self, slot: Slot<T>) {
        self.received += 1;
        self.slots.push_back(slot);
    }

    /// Lets the oldest go; how many bytes that frees.
    fn pop(&mut self, why: Why) -> usize {
        let Some(slot) = self.slots.pop_front() else {
            return 0;
        };
        match why {
            Why::Memory => self.dropped_for_memory += 1,
            Why::Age => self.dropped_for_age += 1,
        }
        // A queue that was long once gives its room back.
        if self.slots.capacity() > 64 && self.slots.len() < self.slots.capacity() / 4 {
            self.slots.shrink_to(self.slots.len() * 2);
        }
        slot.bytes
    }
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
                            let slot = self.slot(event.bytes(), now, event);
                            self.events.push(slot);
                        }
                        Message::ServiceCheck(check) => {
                            let check = ServiceCheck::new(check, now, source);
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
            self.spans.push(slot);
        }
        for mut point in batch.points {
            point.received_at = now;
            let slot = self.slot(point.bytes() + share(&point.resource), now, point);
            self.points.push(slot);
        }
        for mut log in batch.logs {
            log.received_at = now;
            let slot = self.slot(log.bytes() + share(&log.resource), now, log);
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
                Of::Spans => self.spans.pop(why),
                Of::Samples => {
                    if let Some(key) = self.keys.pop_front() {
                        self.series.release(&key);
                    }
                    self.samples.pop(why)
                }
                Of::Events => self.events.pop(why),
                Of::Checks => self.checks.pop(why),
                Of::Points => self.points.pop(why),
                Of::Logs => self.logs.pop(why),
            };
        }
    }

    fn bytes(&self) -> usize {
        self.bytes + self.series.bytes()
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

struct Numbers {
    received: u64,
    kept: u64,
    memory: u64,
    age: u64,
}

impl<T> Queue<T> {
    fn numbers(&self) -> Numbers {
        Numbers {
            received: self.received,
            kept: self.slots.len() as u64,
            memory: self.dropped_for_memory,
            age: self.dropped_for_age,
        }
    }
}
