//! The program as a user starts it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::shop::PATIENCE;

/// What it left behind.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The JSON report; null where there is none.
    pub(crate) report: Value,
    pub(crate) html: String,
}

/// A running load.
pub(crate) struct Load {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
    reports: TempDir,
}

/// Starts the program against `url` with both reports, and `args` behind.
pub(crate) fn start(url: &str, args: &[&str]) -> Load {
    start_with(url, args, &[])
}

/// The same, with variables.
pub(crate) fn start_with(url: &str, args: &[&str], env: &[(&str, &str)]) -> Load {
    let reports = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .env_clear()
        .env("OTEL_SDK_DISABLED", "true")
        .env("TARGET_URL", url)
        .envs(env.iter().copied())
        .arg("--json")
        .arg(reports.path().join("report.json"))
        .arg("--html")
        .arg(reports.path().join("report.html"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout: ChildStdout = child.stdout.take().expect("it is piped");
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    Load {
        child,
        lines,
        seen: Vec::new(),
        reports,
    }
}

impl Load {
    /// Waits until a line of standard output holds `text`.
    pub(crate) fn wait_for_line(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("no line with `{text}` in {:#?}", self.seen));
            let found = line.contains(text);
            self.seen.push(line);
            if found {
                return;
            }
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(self.child.id().to_string())
            .status()
            .expect("kill is there");
        assert!(status.success(), "the program was gone before the signal");
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Outcome {
        // Until its standard output closes, which is when it ends.
        let deadline = Instant::now() + PATIENCE * 3;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.seen.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    panic!("it does not end: {:#?}", self.seen);
                }
            }
        }
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr).expect("text");
        }
        let code = self.child.wait().expect("it ends").code();
        let read = |name| std::fs::read_to_string(self.reports.path().join(name));
        Outcome {
            code,
            stdout: self.seen.iter().map(|line| format!("{line}\n")).collect(),
            stderr,
            report: read("report.json")
                .ok()
                .and_then(|json| serde_json::from_str(&json).ok())
                .unwrap_or(Value::Null),
            html: read("report.html").unwrap_or_default(),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // A failed test leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Outcome {
    /// A count of the report, by JSON pointer.
    pub(crate) fn count(&self, pointer: &str) -> u64 {
        self.report
            .pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("no count at {pointer} in {}\n{}", self.report, self.stderr))
    }

    /// A figure of a row, in milliseconds.
    pub(crate) fn ms(&self, route: &str, pointer: &str) -> f64 {
        self.row(route)
            .pointer(pointer)
            .and_then(Value::as_f64)
            .unwrap_or_else(|| panic!("no figure {pointer} for {route} in {}", self.report))
    }

    /// The row of a route, or of `all routes`.
    pub(crate) fn row(&self, route: &str) -> &Value {
        if route == "all routes" {
            return &self.report["totals"];
        }
        self.report["routes"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|row| row["route"] == route)
            .unwrap_or_else(|| panic!("no row {route} in {}\n{}", self.report, self.stderr))
    }
}
