//! DogStatsD through cadence: buffered, never blocking, silent without an agent.

use std::cell::Cell;
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cadence::{BufferedUdpMetricSink, BufferedUnixMetricSink, MetricSink};

use crate::decimal;
use crate::dogstatsd;
use crate::events::{Event, ServiceCheck, tag_text};
use crate::names::{self, Kind, Metric, tag};
use crate::settings::{Dogstatsd, Identity};

/// Longest time a value stays in the buffer.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Counts that are summed up at the same time; with more than this all of them leave early.
const MOST_COUNTS: usize = 1_000;
/// The datagram that the agent's documentation recommends for a network.
const NETWORK_PACKET: usize = 1432;
/// The same within a machine: what the agent reads at once (`dogstatsd_buffer_size`).
const LOCAL_PACKET: usize = 8192;

/// Sends metrics; cheap to clone. Values wait at most a second and leave together, counts as their sum. Each sample of a
/// distribution keeps its line: DogStatsD knows lines with several values, the Collector's statsd receiver does not.
///
/// Nothing here blocks, fails or grows: without an agent the packets are lost, as UDP has it.
#[derive(Clone, Default)]
pub struct Metrics {
    /// Empty where metrics are off, or while the agent's name does not resolve yet.
    sender: Arc<OnceLock<Sender>>,
}

/// Sums by a line whose value is missing, each with where it is missing.
type Counts = HashMap<String, (usize, i64)>;

struct Sender {
    sink: Box<dyn MetricSink + Send + Sync>,
    counts: Mutex<Counts>,
    /// The tags of everything, `key:value` separated by commas.
    tags: String,
    /// Most bytes of a packet.
    packet: usize,
}

impl Metrics {
    /// A value that sends nothing, for tests and for programs without telemetry.
    pub fn disabled() -> Self {
        Self::default()
    }

    /// Adds `value` to a counter.
    pub fn count(&self, metric: &'static Metric, value: i64, tags: &[(&str, &str)]) {
        self.send(metric, Kind::Count, tags, |sender, line, at| {
            sender.count(line, at, value);
        });
    }

    /// Sets a gauge.
    pub fn gauge(&self, metric: &'static Metric, value: f64, tags: &[(&str, &str)]) {
        self.send(metric, Kind::Gauge, tags, |sender, line, at| {
            sender.number(line, at, value);
        });
    }

    /// Adds one sample to a distribution, in the metric's unit.
    pub fn distribution(&self, metric: &'static Metric, value: f64, tags: &[(&str, &str)]) {
        self.send(metric, Kind::Distribution, tags, |sender, line, at| {
            sender.number(line, at, value);
        });
    }

    fn send(
        &self,
        metric: &Metric,
        kind: Kind,
        tags: &[(&str, &str)],
        value: impl FnOnce(&Sender, &mut String, usize),
    ) {
        thread_local! {
            static LINE: Cell<String> = const { Cell::new(String::new()) };
        }
        let Some(sender) = self.sender.get() else {
            return;
        };
        let mut line = LINE.take();
        line.clear();
        let at = dogstatsd::write(&mut line, metric.name, kind, tags, &sender.tags);
        value(sender, &mut line, at);
        LINE.set(line);
    }

    /// Sends an event. A text that is too long for one packet is cut.
    pub fn event(&self, event: &Event<'_>) {
        if let Some(sender) = self.sender.get()
            && let Some(line) = event.line(&sender.tags, sender.packet)
        {
            sender.line(&line);
        }
    }

    /// Sends a service check. A message that is too long for one packet is cut.
    pub fn service_check(&self, check: &ServiceCheck<'_>) {
        if let Some(sender) = self.sender.get()
            && let Some(line) = check.line(&sender.tags, sender.packet)
        {
            sender.line(&line);
        }
    }

    /// Counts one read of a cache that stands before the store.
    pub fn cache_lookup(&self, hit: bool) {
        let outcome = if hit { "hit" } else { "miss" };
        self.count(
            &names::STORE_CACHE_LOOKUP_COUNT,
            1,
            &[(tag::OUTCOME, outcome)],
        );
    }

    /// Sends what waits now.
    pub fn flush(&self) {
        if let Some(sender) = self.sender.get() {
            sender.send_counts(&mut sender.counts());
            let _ = sender.sink.flush();
        }
    }
}

impl Sender {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A sum changes in one step, so a panic elsewhere leaves it whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to the count that misses its value at `at` of its line.
    fn count(&self, line: &str, at: usize, value: i64) {
        let mut counts = self.counts();
        if let Some((_, sum)) = counts.get_mut(line) {
            *sum = sum.saturating_add(value);
            return;
        }
        if counts.len() >= MOST_COUNTS {
            self.send_counts(&mut counts);
        }
        counts.insert(line.to_owned(), (at, value));
    }

    fn send_counts(&self, counts: &mut Counts) {
        for (mut line, (at, sum)) in counts.drain() {
            line.insert_str(at, itoa::Buffer::new().format(sum));
            self.line(&line);
        }
    }

    fn number(&self, line: &mut String, at: usize, value: f64) {
        thread_local! {
            static NUMBER: Cell<String> = const { Cell::new(String::new()) };
        }
        let mut number = NUMBER.take();
        number.clear();
        decimal::push(&mut number, value);
        line.insert_str(at, &number);
        NUMBER.set(number);
        self.line(line);
    }

    fn line(&self, line: &str) {
        // A lost packet is no error here: see the text of `Metrics`.
        let _ = self.sink.emit(line);
    }
}

/// Keeps the metrics flowing; stops when told.
pub(crate) struct Flusher {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread that connects (and tries again while the agent's name does not resolve)
    /// and flushes once a second.
    pub(crate) fn start(
        target: Dogstatsd,
        identity: &Identity,
        entity: Option<String>,
    ) -> (Metrics, Self) {
        let metrics = Metrics::default();
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let tags = tags(identity, entity);
        connect(&metrics, &target, &tags);
        let (thread_metrics, thread_stop) = (metrics.clone(), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("dogstatsd-flush".into())
            .spawn(move || {
                let (stopped, wake) = &*thread_stop;
                let mut guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
                while !*guard {
                    guard = wake
                        .wait_timeout(guard, FLUSH_INTERVAL)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                    connect(&thread_metrics, &target, &tags);
                    thread_metrics.flush();
                }
            })
            .ok();
        (metrics, Self { stop, thread })
    }

    /// Flushes a last time and ends the thread.
    pub(crate) fn shutdown(mut self) {
        let (stopped, wake) = &*self.stop;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread does nothing that waits, so this ends at once.
            let _ = thread.join();
        }
    }
}

fn connect(metrics: &Metrics, target: &Dogstatsd, tags: &[(String, String)]) {
    if metrics.sender.get().is_some() {
        return;
    }
    let sink = match target {
        Dogstatsd::Udp(address) => udp_sink(address),
        Dogstatsd::Unix(path) => unix_sink(path),
    };
    let Some((sink, packet)) = sink else { return };
    // Only this thread and `start` come here, one after the other.
    let _ = metrics.sender.set(Sender {
        sink,
        counts: Mutex::default(),
        tags: tag_text(tags.iter().map(|(key, value)| (&**key, &**value))),
        packet,
    });
}

/// What sends lines, and the most bytes that it sends at once.
type Sink = (Box<dyn MetricSink + Send + Sync>, usize);

/// A socket of the family that the address has; `None` while the name does not resolve.
fn udp_sink(address: &str) -> Option<Sink> {
    let resolved: Vec<SocketAddr> = address.to_socket_addrs().ok()?.collect();
    let target = *resolved.iter().find(|a| a.is_ipv4()).or(resolved.first())?;
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.set_nonblocking(true).ok()?;
    let packet = match target.ip().is_loopback() {
        true => LOCAL_PACKET,
        false => NETWORK_PACKET,
    };
    let sink = BufferedUdpMetricSink::with_capacity(target, socket, packet).ok()?;
    Some((Box::new(sink), packet))
}

/// Not connected, so that an agent that restarts with a new socket is found again.
fn unix_sink(path: &Path) -> Option<Sink> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    let sink = BufferedUnixMetricSink::with_capacity(path, socket, LOCAL_PACKET);
    Some((Box::new(sink), LOCAL_PACKET))
}

fn tags(identity: &Identity, entity: Option<String>) -> Vec<(String, String)> {
    let mut tags = identity.tags.clone();
    if let Some(env) = &identity.env {
        tags.push(("env".into(), env.clone()));
    }
    tags.push(("service".into(), identity.service.clone()));
    tags.push(("version".into(), identity.version.clone()));
    if let Some(entity) = entity.filter(|e| !e.is_empty()) {
        tags.push((tag::ENTITY_ID.into(), entity));
    }
    tags
}
