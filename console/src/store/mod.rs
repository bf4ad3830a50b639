//! What arrived, in bounded memory: at most [`Limits::bytes`], at most [`Limits::age`] old, oldest out first whatever it is, and what
//! was dropped is counted.

mod bad;
mod counts;
mod inner;
mod item;
mod queue;
mod series;
mod snapshot;
mod wait;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

pub use bad::{BadPacket, BadPackets, Source};
pub use counts::{Counts, Stats};
pub use item::{Event, Sample, ServiceCheck};
pub use series::{Series, Tags};
pub use snapshot::Snapshot;
pub use wait::TimedOut;

use crate::aggregate::Aggregates;
use crate::{dogstatsd, otlp};
use inner::Inner;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The memory budget for everything kept, in bytes. It is an estimate: texts, structures and their overhead, not the allocator's.
    pub bytes: usize,
    /// How long anything is kept.
    pub age: Duration,
    /// How many bad packets are kept to look at; all of them are counted.
    pub bad_packets: usize,
}

impl Default for Limits {
    /// 128 MiB, 30 minutes, the last 32 bad packets.
    fn default() -> Self {
        Self {
            bytes: 128 << 20,
            age: Duration::from_secs(30 * 60),
            bad_packets: 32,
        }
    }
}

/// A source of the time, so that tests need not wait.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A handle on what arrived; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Mutex<Inner>>,
    /// Sent to whenever something arrives.
    arrivals: watch::Sender<()>,
    clock: Clock,
}

impl Store {
    /// An empty store that goes by the system's clock.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the system's clock comes in"
    )]
    pub fn new(limits: Limits) -> Self {
        Self::with_clock(limits, Arc::new(SystemTime::now))
    }

    /// An empty store that goes by another clock.
    #[must_use]
    pub fn with_clock(limits: Limits, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner::new(limits))),
            arrivals: watch::Sender::new(()),
            clock,
        }
    }

    /// This store, which from now on also keeps figures for the pages.
    #[must_use]
    pub fn with_aggregates(self) -> Self {
        let mut inner = self.lock();
        inner.aggregates = Some(Box::new(Aggregates::new(
            inner.limits.age,
            inner.limits.bytes,
        )));
        drop(inner);
        self
    }

    /// Reads the figures, if they are kept; nothing is taken in meanwhile, so be quick.
    pub fn read<T>(&self, read: impl FnOnce(&mut Aggregates, SystemTime) -> T) -> Option<T> {
        let now = (self.clock)();
        let mut inner = self.lock();
        inner.enforce(now);
        inner.aggregates.as_mut().map(|figures| read(figures, now))
    }

    /// How much is kept at most.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.lock().limits
    }

    /// Now, by this store's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Changes whenever something arrives.
    #[must_use]
    pub fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }

    /// The newest `max` OTLP log records of those that arrived before a number, newest first, each with its own number. Numbers grow with every
    /// arrival of whatever kind.
    #[must_use]
    pub fn logs_before(&self, number: u64, max: usize) -> Vec<(u64, Arc<otlp::LogRecord>)> {
        self.lock().logs.before(number, max)
    }

    /// The newest `max` events, newest first.
    #[must_use]
    pub fn last_events(&self, max: usize) -> Vec<Arc<Event>> {
        let last = self.lock().events.before(u64::MAX, max);
        last.into_iter().map(|(_, event)| event).collect()
    }

    /// Takes a DogStatsD datagram: every line that can be parsed is kept, every other one is counted as bad.
    pub fn take_datagram(&self, source: Source, datagram: &[u8]) {
        self.take_datagrams(source, [datagram]);
    }

    /// Takes several datagrams at once, which is cheaper than one by one.
    pub fn take_datagrams<'a>(
        &self,
        source: Source,
        datagrams: impl IntoIterator<Item = &'a [u8]>,
    ) {
        let now = (self.clock)();
        let mut inner = self.lock();
        for datagram in datagrams {
            inner.take_datagram(source, datagram, now);
        }
        inner.enforce(now);
        drop(inner);
        self.arrivals.send_replace(());
    }

    /// Takes a decoded OTLP request.
    pub fn take_batch(&self, source: Source, batch: otlp::Batch) {
        let now = (self.clock)();
        let mut inner = self.lock();
        inner.take_batch(source, batch, now);
        inner.enforce(now);
        drop(inner);
        self.arrivals.send_replace(());
    }

    /// Counts something that could not be used. `excerpt` is cut to what is worth looking at.
    pub fn take_bad(&self, source: Source, reason: &'static str, detail: &str, excerpt: &[u8]) {
        let now = (self.clock)();
        self.lock().bad.add(source, reason, detail, excerpt, now);
        self.arrivals.send_replace(());
    }

    /// The spans kept, oldest arrival first.
    #[must_use]
    pub fn spans(&self) -> Vec<Arc<otlp::Span>> {
        self.fresh().spans.to_vec()
    }

    /// The DogStatsD samples kept, oldest arrival first.
    #[must_use]
    pub fn metrics(&self) -> Vec<Arc<Sample>> {
        self.fresh().samples.to_vec()
    }

    /// The DogStatsD events kept, oldest arrival first.
    #[must_use]
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.fresh().events.to_vec()
    }

    /// The DogStatsD service checks kept, oldest arrival first.
    #[must_use]
    pub fn service_checks(&self) -> Vec<Arc<ServiceCheck>> {
        self.fresh().checks.to_vec()
    }

    /// The OTLP data points kept, oldest arrival first.
    #[must_use]
    pub fn points(&self) -> Vec<Arc<otlp::MetricPoint>> {
        self.fresh().points.to_vec()
    }

    /// The OTLP log records kept, oldest arrival first.
    #[must_use]
    pub fn logs(&self) -> Vec<Arc<otlp::LogRecord>> {
        self.fresh().logs.to_vec()
    }

    /// What could not be used: counts by reason, and the last ones.
    #[must_use]
    pub fn bad_packets(&self) -> BadPackets {
        self.lock().bad.report()
    }

    /// How much arrived, is kept, and was dropped.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.fresh().stats()
    }

    /// Everything kept at one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.fresh().snapshot()
    }

    /// Forgets everything kept and all counts: for a test between two steps.
    pub fn clear(&self) {
        let mut inner = self.lock();
        let limits = inner.limits;
        let figures = inner.aggregates.is_some();
        *inner = Inner::new(limits);
        inner.aggregates = figures.then(|| Box::new(Aggregates::new(limits.age, limits.bytes)));
    }

    /// Locks, and lets go first what became too old since the last arrival.
    fn fresh(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        inner.enforce((self.clock)());
        inner
    }

    /// A thread that panicked while it held the lock left whole items behind, so what is there can be used.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// The reason under which an ignored field is counted: the message it stood in is kept.
fn ignored_code(reason: dogstatsd::Reason) -> &'static str {
    match reason {
        dogstatsd::Reason::EventPriority => "ignored_event_priority",
        dogstatsd::Reason::EventAlert => "ignored_event_alert_type",
        dogstatsd::Reason::Timestamp => "ignored_timestamp",
        dogstatsd::Reason::Cardinality => "ignored_cardinality",
        _ => "ignored_field",
    }
}
