//! Sends lines on to the console, as a node agent does with container logs.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::lines::Line;

/// Bytes of lines that may wait; past this, lines are dropped and counted.
const WAITING: usize = 1 << 20;
/// Lines are gathered so long for one request.
const GATHER: Duration = Duration::from_millis(50);
/// Longest time for one request.
const ANSWER: Duration = Duration::from_secs(4);
/// Pause before the same lines are sent again.
const PAUSE: Duration = Duration::from_millis(200);
/// Then lines are given up: a console that is started again is back long before.
const ATTEMPTS: usize = 25;

/// A handle; clones send to the same console.
#[derive(Clone)]
pub(crate) struct Intake(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    lines: u64,
    dropped: u64,
}

impl Intake {
    /// Sends to the console at this address until every handle is gone and the runtime ends.
    pub(crate) fn start(console: &str) -> Self {
        let shared = Arc::<Shared>::default();
        let url = format!("{console}/intake/logs?service=bookwatch");
        tokio::spawn(send(url, Arc::clone(&shared)));
        Self(shared)
    }

    /// Takes one line of the process of that name. Never waits.
    pub(super) fn take(&self, name: &str, line: &Line<'_>) {
        let mut waiting = self.0.lock();
        waiting.push(name, line);
        drop(waiting);
        self.0.news.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, name: &str, line: &Line<'_>) {
        if self.bytes.len() + line.bytes.len() > WAITING {
            self.dropped += 1;
            return;
        }
        if line.bytes.starts_with(b"{") && !line.is_cut {
            self.bytes.extend_from_slice(line.bytes);
        } else {
            // A panic, or what is left of a line that was too long: it does not say whose it is.
            let text = String::from_utf8_lossy(line.bytes);
            let text = json!({ "service": name, "message": text });
            self.bytes.extend_from_slice(text.to_string().as_bytes());
        }
        self.bytes.push(b'\n');
        self.lines += 1;
    }

    /// All that waits, and how many lines that is; with a word on what was dropped.
    fn take(&mut self) -> (Bytes, u64) {
        let dropped = mem::take(&mut self.dropped);
        if dropped > 0 {
            let note = json!({
                "service": "bookwatch",
                "status": "warn",
                "message": "log lines dropped on their way to the console",
                "lines": dropped,
            });
            self.bytes.extend_from_slice(note.to_string().as_bytes());
            self.bytes.push(b'\n');
        }
        (
            mem::take(&mut self.bytes).into(),
            mem::take(&mut self.lines),
        )
    }
}

async fn send(url: String, shared: Arc<Shared>) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        shared.news.notified().await;
        sleep(GATHER).await;
        let (body, lines) = shared.lock().take();
        if body.is_empty() {
            continue;
        }
        let mut attempt = 1;
        while !post(&client, &url, body.clone()).await {
            if attempt == ATTEMPTS {
                shared.lock().dropped += lines;
                break;
            }
            attempt += 1;
            sleep(PAUSE).await;
        }
    }
}

/// Whether the lines were taken.
async fn post(client: &Client<HttpConnector, Full<Bytes>>, url: &str, body: Bytes) -> bool {
    let Ok(request) = http::Request::post(url).body(Full::new(body)) else {
        return false;
    };
    let answer = timeout(ANSWER, client.request(request)).await;
    matches!(answer, Ok(Ok(answer)) if answer.status().is_success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8], is_cut: bool) -> Line<'_> {
        Line { bytes, is_cut }
    }

    #[test]
    fn lines_go_as_they_are_and_text_gets_its_name() {
        let mut waiting = Waiting::default();
        waiting.push("details", &line(br#"{"service":"details"}"#, false));
        waiting.push("ratings", &line(b"thread panicked: \"x\"", false));
        waiting.push("ratings", &line(br#"{"service":"rat"#, true));
        let (body, lines) = waiting.take();
        assert_eq!(lines, 3);
        let text = String::from_utf8(body.to_vec()).unwrap();
        let all: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("each is JSON"))
            .collect();
        assert_eq!(all[0], json!({"service": "details"}));
        let panicked = json!({"service": "ratings", "message": "thread panicked: \"x\""});
        assert_eq!(all[1], panicked);
        assert_eq!(all[2]["service"], "ratings");
    }

    #[test]
    fn a_console_that_is_away_costs_lines_and_no_memory() {
        let mut waiting = Waiting::default();
        let long = vec![b'x'; 8 * 1024];
        for _ in 0..1000 {
            waiting.push("details", &line(&long, false));
        }
        let (body, lines) = waiting.take();
        assert!(body.len() < WAITING + 16 * 1024, "{}", body.len());
        assert!(lines < 1000);
        let text = String::from_utf8(body.to_vec()).unwrap();
        let last = text.lines().last().unwrap();
        assert!(
            last.contains(&format!("\"lines\":{}", 1000 - lines)),
            "{last}"
        );
        assert!(waiting.take().0.is_empty(), "told once");
    }
}
