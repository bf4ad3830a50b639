//! The agent's stand-in that takes what the emitter sends, and the emitter as a process.

use std::cell::Cell;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use console::store::Sample;
use console::{Addresses, Receivers, Snapshot};
use tokio::runtime::{Builder, Runtime};

/// Longest wait for anything; a failing test fails by this.
const PATIENCE: Duration = Duration::from_secs(20);

/// The console's receivers where the agent would be, at work on a thread of their own, so that what
/// arrives while a test waits for a process has the right time.
pub(crate) struct Agent {
    receivers: Receivers,
    runtime: Runtime,
    /// How many samples `next` has handed out.
    taken: Cell<usize>,
}

impl Agent {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let receivers = runtime.block_on(Receivers::bind(Addresses::loopback()));
        Self {
            receivers: receivers.expect("free ports"),
            runtime,
            taken: Cell::new(0),
        }
    }

    /// The emitter, pointed here and with nothing else in its environment.
    pub(crate) fn emitter(&self) -> Command {
        let mut command = bare();
        let address = self.receivers.addresses().dogstatsd;
        command
            .env("DD_AGENT_HOST", address.ip().to_string())
            .env("DD_DOGSTATSD_PORT", address.port().to_string())
            .env("LOG_FORMAT", "json");
        command
    }

    fn next_within(&self, limit: Duration) -> Option<Arc<Sample>> {
        let taken = self.taken.get();
        let store = self.receivers.store();
        let next = store.wait_for(limit, |seen| {
            assert_one_value_a_packet(seen);
            seen.metrics.get(taken).cloned()
        });
        let next = self.runtime.block_on(next).ok()?;
        self.taken.set(taken + 1);
        Some(next)
    }

    pub(crate) fn next(&self) -> Arc<Sample> {
        self.next_within(PATIENCE).expect("a packet")
    }

    pub(crate) fn values(&self, count: usize) -> Vec<u16> {
        (0..count).map(|_| value(&self.next())).collect()
    }

    /// Fails where anything comes before that time.
    pub(crate) fn assert_silence_until(&self, time: SystemTime) {
        let left = time.duration_since(self.receivers.store().now());
        let heard = self.next_within(left.unwrap_or_default());
        assert!(heard.is_none(), "{heard:?} in the silence");
    }

    /// Everything that was sent here so far. What a process that has ended had to send is in it:
    /// packets on this machine wait in the socket, and all of them are taken before it closes.
    pub(crate) fn end(self) -> Snapshot {
        let store = self.receivers.store();
        self.runtime.block_on(self.receivers.shutdown());
        let seen = store.snapshot();
        assert_one_value_a_packet(&seen);
        seen
    }
}

fn assert_one_value_a_packet(seen: &Snapshot) {
    let (stats, bad) = (&seen.stats, &seen.bad_packets);
    assert_eq!(stats.bad, 0, "{bad:?}");
    assert_eq!(stats.datagrams, stats.received.total(), "{seen:#?}");
    let single = |sample: &Arc<Sample>| sample.numbers().len() == 1;
    assert!(seen.metrics.iter().all(single), "{:#?}", seen.metrics);
}

/// The whole number that was sent.
pub(crate) fn value(sample: &Sample) -> u16 {
    let sent = sample.numbers()[0];
    format!("{sent}").parse().expect("a whole number")
}

/// The value of a tag that stands once.
pub(crate) fn tag<'a>(sample: &'a Sample, key: &str) -> Option<&'a str> {
    let mut found = sample.tags().pairs().filter(|(k, _)| *k == key);
    let value = found.next().map(|(_, value)| value);
    assert!(found.next().is_none(), "{key} stands twice in {sample:?}");
    value
}

/// A running emitter, gone with the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.expect("the emitter starts"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.0.id())])
            .status();
        assert!(status.is_ok_and(|s| s.success()), "kill -{name}");
    }

    /// Its exit code (none if a signal ended it) and what it logged.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut stdout = self.0.stdout.take().expect("piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut log = String::new();
            let read = stdout.read_to_string(&mut log); // ends when the process does
            let _ = sender.send(read.map(|_| log));
        });
        let log = receiver
            .recv_timeout(PATIENCE)
            .expect("it ends in time")
            .expect("UTF-8");
        (self.0.wait().expect("a child of this test").code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mymetric"));
    command.env_clear();
    command
}

/// Values of the lines that tell of an emission.
pub(crate) fn logged(log: &str) -> Vec<u64> {
    log.lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter_map(|line| line.get("value")?.as_u64())
        .collect()
}
