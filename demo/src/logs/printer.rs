//! Writing to standard output or error from a thread of its own, so that a terminal that is held up
//! (Ctrl-S, a full pipe) holds up nobody else.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Pieces that may wait to be written; past this, log lines are dropped and counted.
const QUEUE: usize = 4096;
/// Bytes of what may not be lost that wait beside the queue.
const URGENT: usize = 256 * 1024;
/// Bytes that are gathered for one write.
const GATHER: usize = 64 * 1024;
/// Longest wait for the reader at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Which one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Out,
    Err,
}

enum Message {
    Bytes(Vec<u8>),
    Flush(SyncSender<()>),
}

/// A handle; clones write to the same stream in one order.
#[derive(Clone)]
pub(crate) struct Printer {
    queue: SyncSender<Message>,
    /// What found no room in the queue and may not be lost.
    urgent: Arc<Mutex<Vec<u8>>>,
    dropped: Arc<AtomicU64>,
}

impl Printer {
    pub(crate) fn start(stream: Stream) -> Self {
        let (printer, messages) = Self::new();
        let other = (Arc::clone(&printer.urgent), Arc::clone(&printer.dropped));
        let write = move || match stream {
            Stream::Out => write_all(&messages, io::stdout(), &other.0, &other.1),
            Stream::Err => write_all(&messages, io::stderr(), &other.0, &other.1),
        };
        let spawned = thread::Builder::new().name("printer".into()).spawn(write);
        // Without the thread the queue has no reader: all is dropped, and the services still run.
        drop(spawned);
        printer
    }

    fn new() -> (Self, Receiver<Message>) {
        let (queue, messages) = sync_channel(QUEUE);
        let printer = Self {
            queue,
            urgent: Arc::default(),
            dropped: Arc::default(),
        };
        (printer, messages)
    }

    /// Writes a log line; drops it where too many wait already.
    pub(crate) fn try_print(&self, line: Vec<u8>) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Message::Bytes(line)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what must not be lost among log lines: with no room in the queue it overtakes them.
    pub(crate) fn print(&self, text: String) {
        if let Err(TrySendError::Full(Message::Bytes(bytes))) =
            self.queue.try_send(Message::Bytes(text.into_bytes()))
        {
            let mut urgent = self.urgent.lock().unwrap_or_else(PoisonError::into_inner);
            if urgent.len() < URGENT {
                urgent.extend_from_slice(&bytes);
            } else {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Waits until all is written, a second at most.
    pub(crate) fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(FLUSH_LIMIT);
        }
    }
}

/// Ends when nobody can send any more. A stream that is closed takes nothing; the rest is thrown away.
fn write_all(
    messages: &Receiver<Message>,
    mut out: impl Write,
    urgent: &Mutex<Vec<u8>>,
    dropped: &AtomicU64,
) {
    let mut gathered = Vec::new();
    while let Ok(first) = messages.recv() {
        let mut next = Some(first);
        let mut waiting = Vec::new();
        gathered.append(&mut urgent.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(message) = next {
            match message {
                Message::Bytes(bytes) => gathered.extend_from_slice(&bytes),
                Message::Flush(done) => waiting.push(done),
            }
            next = match gathered.len() < GATHER {
                true => messages.try_recv().ok(),
                false => None,
            };
        }
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let note = format!("bookwatch: {lost} lines not shown, the reader is too slow\n");
            gathered.extend_from_slice(note.as_bytes());
        }
        let _ = out.write_all(&gathered).and_then(|()| out.flush());
        gathered.clear();
        for done in waiting {
            let _ = done.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_reader_costs_lines_but_no_events_and_is_told_how_many() {
        let (printer, messages) = Printer::new();
        for _ in 0..QUEUE + 10 {
            printer.try_print(b"line\n".to_vec());
        }
        printer.print("event\n".to_owned());
        let (urgent, dropped) = (Arc::clone(&printer.urgent), Arc::clone(&printer.dropped));
        drop(printer);
        let mut written = Vec::new();
        write_all(&messages, &mut written, &urgent, &dropped);
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text.matches("line\n").count(), QUEUE);
        assert_eq!(text.matches("event\n").count(), 1);
        assert!(text.contains("10 lines not shown"));
    }
}
