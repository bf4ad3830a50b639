//! Starting `bookwatch`, and looking at what it left behind.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// After this a test fails. Generous, since a debug build may share two cores with a compiler.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);
/// Ports of one demo.
const PORTS: u16 = 20;

/// The executable with nothing of this process's environment in its own.
pub(crate) fn bookwatch(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookwatch"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn output(args: &[&str]) -> Output {
    let output = bookwatch(args).output();
    output.expect("the executable runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A base whose ports are all free, and which no other test here gets. Below the ports that the
/// system gives to outgoing connections.
pub(crate) fn port_base() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 300).expect("below 300");
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let base = 20_000 + (spread + step) % 600 * PORTS;
        if ports_are_free(base) {
            return base;
        }
    }
}

pub(crate) fn ports_are_free(base: u16) -> bool {
    (base..base + PORTS).all(|port| {
        let at = ("127.0.0.1", port);
        TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
    })
}

/// Asks until the answer is there.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::park_timeout(LOOK);
    }
}

/// Status and body of `GET http://127.0.0.1:port/path`; `None` where nobody answers.
pub(crate) fn get(port: u16, path: &str) -> Option<(u16, String)> {
    ask(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    )
}

/// Posts JSON, which must be taken.
pub(crate) fn post(port: u16, path: &str, json: &str) {
    let length = json.len();
    let answer = ask(
        port,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        ),
    );
    assert_eq!(answer.map(|(status, _)| status), Some(200));
}

fn ask(port: u16, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = text(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// Whether a process with this id is there and is more than an entry that nobody has collected.
pub(crate) fn is_alive(pid: u32) -> bool {
    if !Path::new("/proc/self").exists() {
        return kill(raw(pid), None).is_ok();
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| {
        let state = rest.chars().next();
        !matches!(state, None | Some('Z' | 'X'))
    })
}

pub(crate) fn send(pid: u32, signal: Signal) {
    kill(raw(pid), signal).expect("the process is there");
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a process id"))
}

/// A running `bookwatch` whose lines are read as they come.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    /// All that was said on standard error, once it has ended.
    errors: Option<thread::JoinHandle<String>>,
    /// Process ids seen so far.
    pids: Vec<u32>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the executable runs");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut err = child.stderr.take().expect("it is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = err.read_to_end(&mut bytes);
            text(&bytes)
        });
        Self {
            child,
            lines,
            errors: Some(errors),
            pids: Vec::new(),
        }
    }

    /// `bookwatch up --json` on these ports.
    pub(crate) fn json(base: u16, args: &[&str]) -> Self {
        let base = format!("--port-base={base}");
        Self::start(bookwatch(&["up", "--json", &base]).args(args))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line on standard output.
    pub(crate) fn line(&mut self) -> String {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => line,
            Err(error) => panic!("no line: {error}; standard error: {}", self.finish().1),
        }
    }

    /// The next line that contains the words.
    pub(crate) fn line_with(&mut self, words: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(words) {
                return line;
            }
        }
    }

    /// The next event of that kind. With `--json` every line must be an event.
    pub(crate) fn event(&mut self, kind: &str) -> Value {
        loop {
            let line = self.line();
            let event: Value = serde_json::from_str(&line).expect("each line is one JSON object");
            let of_one = event["pid"].as_u64();
            let of_all = event["pids"].as_object().into_iter().flatten();
            let pids = of_all.filter_map(|(_, pid)| pid.as_u64()).chain(of_one);
            self.pids
                .extend(pids.map(|pid| u32::try_from(pid).expect("a process id")));
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Every process that was ever reported.
    pub(crate) fn pids(&self) -> &[u32] {
        &self.pids
    }

    /// Waits for its end: how it went, and all that stood on standard error.
    pub(crate) fn ended(&mut self) -> (ExitStatus, String) {
        let child = &mut self.child;
        let status = until("the end of bookwatch", || {
            child.try_wait().expect("it is ours")
        });
        (status, self.errors())
    }

    /// Its exit code, once there is one.
    pub(crate) fn try_ended(&mut self) -> Option<Option<i32>> {
        Some(self.child.try_wait().expect("it is ours")?.code())
    }

    fn errors(&mut self) -> String {
        let errors = self.errors.take().map(thread::JoinHandle::join);
        errors.and_then(Result::ok).unwrap_or_default()
    }

    fn finish(&mut self) -> (Option<ExitStatus>, String) {
        let _ = self.child.kill();
        (self.child.wait().ok(), self.errors())
    }

    /// Fails where one of its processes is still there.
    pub(crate) fn assert_nothing_left(&self) {
        until("the end of all processes", || {
            (!self.pids.iter().any(|pid| is_alive(*pid))).then_some(())
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A failed test must not leave a demo behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            for pid in self.pids.iter().filter(|pid| is_alive(**pid)) {
                let _ = kill(raw(*pid), Signal::SIGKILL);
            }
        }
    }
}
