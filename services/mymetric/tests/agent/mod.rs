//! An agent that takes what the emitter sends, and the emitter as a process.

use std::io::{ErrorKind, Read as _};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for anything; a failing test fails by this.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stands where the agent's DogStatsD port would.
pub(crate) struct Agent(UdpSocket);

/// One gauge as it arrived.
#[derive(Debug)]
pub(crate) struct Gauge {
    pub(crate) at: Instant,
    pub(crate) name: String,
    pub(crate) value: u16,
    pub(crate) kind: String,
    tags: Vec<String>,
}

impl Agent {
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        Self(socket)
    }

    fn port(&self) -> String {
        self.0.local_addr().expect("bound").port().to_string()
    }

    /// The emitter, pointed here and with nothing else in its environment.
    pub(crate) fn emitter(&self) -> Command {
        let mut command = bare();
        command
            .env("DD_AGENT_HOST", "127.0.0.1")
            .env("DD_DOGSTATSD_PORT", self.port())
            .env("LOG_FORMAT", "json");
        command
    }

    pub(crate) fn packet_within(&self, limit: Duration) -> Option<(Instant, String)> {
        let deadline = Instant::now() + limit;
        let mut buffer = [0; 2048];
        loop {
            // A read with a limit ends early where a child stops or ends meanwhile, so it may take several.
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = left.max(Duration::from_millis(1)); // zero would mean no limit
            self.0.set_read_timeout(Some(wait)).expect("above zero");
            match self.0.recv(&mut buffer) {
                Ok(size) => {
                    let packet = String::from_utf8(buffer[..size].to_vec()).expect("UTF-8");
                    return Some((Instant::now(), packet));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("the agent's socket: {error}"),
            }
        }
    }

    pub(crate) fn next(&self) -> Gauge {
        let (at, packet) = self.packet_within(PATIENCE).expect("a packet");
        let line = packet.trim_end_matches('\n');
        assert!(!line.contains('\n'), "one value a packet, got {packet:?}");
        let mut parts = line.split('|');
        let (name, value) = parts
            .next()
            .and_then(|p| p.split_once(':'))
            .expect("name:value");
        let kind = parts.next().expect("a type").to_owned();
        let tags = parts.find_map(|p| p.strip_prefix('#')).unwrap_or_default();
        Gauge {
            at,
            name: name.to_owned(),
            value: value.parse().expect("a whole number"),
            kind,
            tags: tags.split(',').map(str::to_owned).collect(),
        }
    }

    pub(crate) fn values(&self, count: usize) -> Vec<u16> {
        (0..count).map(|_| self.next().value).collect()
    }
}

impl Gauge {
    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        let mut found = self
            .tags
            .iter()
            .filter_map(|tag| tag.split_once(':'))
            .filter(|(k, _)| *k == key);
        let value = found.next().map(|(_, value)| value);
        assert!(
            found.next().is_none(),
            "{key} stands twice in {:?}",
            self.tags
        );
        value
    }
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
