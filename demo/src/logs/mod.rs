//! What the services write, brought together: read as a node agent reads container logs, and shown with
//! the name of who said it. Nothing here waits for a slow terminal, and nothing grows.

mod intake;
mod lines;
mod printer;
mod render;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

pub(crate) use intake::Intake;
pub(crate) use printer::{Printer, Stream};
pub(crate) use render::Style;

use lines::Lines;

/// Longest line that is kept, in bytes; the rest of it is cut off.
const LINE_LIMIT: usize = 8 * 1024;
/// Lines that are kept to tell why a process died.
const TAIL: usize = 12;
/// Bytes taken at once.
const CHUNK: usize = 32 * 1024;

/// Where the lines of one process go.
#[derive(Clone)]
pub(crate) struct Sink {
    printer: Option<Printer>,
    /// The console's, and the name under which lines go there that do not say whose they are.
    intake: Option<(Intake, Arc<str>)>,
    style: Style,
    tail: Arc<Mutex<VecDeque<Vec<u8>>>>,
}

impl Sink {
    /// Shows lines with `printer`, or only remembers the last ones where there is none.
    pub(crate) fn new(
        printer: Option<Printer>,
        intake: Option<(Intake, Arc<str>)>,
        style: Style,
    ) -> Self {
        Self {
            printer,
            intake,
            style,
            tail: Arc::default(),
        }
    }

    /// Takes all lines of one pipe, until it is closed.
    pub(crate) async fn read(self, mut pipe: impl AsyncRead + Unpin) {
        let mut lines = Lines::new(LINE_LIMIT);
        let mut chunk = vec![0; CHUNK];
        loop {
            match pipe.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(length) => lines.feed(&chunk[..length], |line| self.take(line)),
            }
        }
        lines.finish(|line| self.take(line));
    }

    fn take(&self, line: lines::Line<'_>) {
        if let Some((intake, name)) = &self.intake {
            intake.take(name, &line);
        }
        if let Some(printer) = &self.printer {
            printer.try_print(self.style.line(line.bytes, line.is_cut));
            return;
        }
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = match tail.len() {
            TAIL => tail.pop_front().unwrap_or_default(), // its memory is used again
            _ => Vec::new(),
        };
        kept.clear();
        kept.extend_from_slice(line.bytes);
        tail.push_back(kept);
    }

    /// The last lines that were not shown, for people; they are forgotten by this.
    pub(crate) fn take_tail(&self) -> Vec<u8> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = tail.drain(..).map(|line| self.style.line(&line, false));
        lines.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_quiet_sink_keeps_the_last_lines_and_no_more() {
        let sink = Sink::new(None, None, Style::plain("details", 7));
        let text: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        sink.clone().read(text.as_bytes()).await;
        let tail = String::from_utf8(sink.take_tail()).unwrap();
        assert_eq!(tail.lines().count(), TAIL);
        assert!(tail.starts_with("details | line 988\n"), "{tail}");
        assert!(tail.ends_with("details | line 999\n"), "{tail}");
        assert!(sink.take_tail().is_empty());
    }
}
