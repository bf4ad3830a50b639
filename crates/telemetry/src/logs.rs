//! JSON log lines on standard output, with the attributes that Datadog reads and the ids of the trace.
//!
//! `timestamp`, `status`, `service`, `message`, `dd.trace_id`, `dd.span_id`, `trace_id` and `span_id` are
//! the reserved attributes (docs: log pipelines; correlate OpenTelemetry traces and logs).

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{self, Layer};

use crate::decimal::{self, push_hex};
use crate::settings::Identity;

/// Lines that wait for a reader of standard output; past this they are dropped and counted.
const BUFFER_LIMIT: usize = 1 << 20;
/// Time in which lines gather before they are written with one call.
const GATHER: Duration = Duration::from_millis(20);

/// Lines on their way to standard output. A stuck reader never holds up who logs.
#[derive(Default)]
pub(crate) struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    dropped: u64,
    /// The writer has taken lines and not yet finished with them.
    writing: bool,
    closing: bool,
}

impl Output {
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let output = Arc::new(Self::default());
        let writer = Arc::clone(&output);
        thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer.write_all())?;
        Ok(output)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.lines.len() + line.len() > BUFFER_LIMIT {
            state.dropped += 1;
            return;
        }
        let wake = state.lines.is_empty() && !state.writing;
        state.lines.extend_from_slice(line);
        drop(state);
        if wake {
            self.changed.notify_all();
        }
    }

    fn write_all(&self) {
        let mut taken = Vec::new();
        loop {
            let mut state = self.lock();
            state.writing = false;
            if state.lines.is_empty() {
                self.changed.notify_all();
            }
            while state.lines.is_empty() {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.writing = true;
            // Lines gather meanwhile; a shutdown does not wait for more.
            (state, _) = self
                .changed
                .wait_timeout_while(state, GATHER, |state| !state.closing)
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut taken, &mut state.lines);
            let dropped = std::mem::take(&mut state.dropped);
            drop(state);
            let mut out = io::stdout().lock();
            // Nobody is left to tell when standard output is gone.
            let _ = out.write_all(&taken).and_then(|()| out.flush());
            if dropped > 0 {
                let _ = writeln!(
                    out,
                    "{{\"status\":\"warn\",\"message\":\"log lines dropped, the reader is too slow\",\"dropped\":{dropped}}}"
                );
            }
            taken.clear();
            taken.shrink_to(64 * 1024);
        }
    }

    /// Waits until all lines are written, at most `limit`.
    pub(crate) fn flush(&self, limit: Duration) {
        let mut state = self.lock();
        state.closing = true;
        self.changed.notify_all();
        let _ = self
            .changed
            .wait_timeout_while(state, limit, |s| s.writing || !s.lines.is_empty());
    }
}

impl io::Write for &Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes each event as one JSON object.
pub(crate) struct JsonLayer {
    output: Arc<Output>,
    /// `"service":"..","dd.service":..`: what is the same on each line.
    fixed: String,
}

impl JsonLayer {
    pub(crate) fn new(output: Arc<Output>, identity: &Identity) -> Self {
        let mut fixed = String::new();
        let mut put = |key: &str, value: &str| {
            fixed.push_str(",\"");
            fixed.push_str(key);
            fixed.push_str("\":");
            push_string(&mut fixed, value);
        };
        put("service", &identity.service);
        put("dd.service", &identity.service);
        put("dd.version", &identity.version);
        if let Some(env) = &identity.env {
            put("dd.env", env);
        }
        Self { output, fixed }
    }

    fn line(&self, event: &Event<'_>, now: SystemTime, clock: &mut Clock, line: &mut String) {
        let metadata = event.metadata();
        line.push_str("{\"timestamp\":\"");
        clock.push(now, line);
        line.push_str("\",\"status\":\"");
        line.push_str(match *metadata.level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        });
        line.push('"');
        line.push_str(&self.fixed);
        line.push_str(",\"logger.name\":\"");
        line.push_str(metadata.target());
        line.push('"');
        Context::map_current(|context| {
            let span = context.span();
            let ids = span.span_context();
            if ids.is_valid() {
                let (trace, span) = (ids.trace_id().to_bytes(), ids.span_id().to_bytes());
                line.push_str(",\"trace_id\":\"");
                push_hex(line, &trace);
                line.push_str("\",\"span_id\":\"");
                push_hex(line, &span);
                line.push_str("\",\"dd.trace_id\":\"");
                push_hex(line, &trace);
                line.push_str("\",\"dd.span_id\":\"");
                line.push_str(itoa::Buffer::new().format(u64::from_be_bytes(span)));
                line.push('"');
            }
        });
        event.record(&mut JsonFields { line });
        line.push_str("}\n");
    }
}

impl<S: Subscriber> Layer<S> for JsonLayer {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        thread_local! {
            static SCRATCH: Cell<(Clock, String)> = const { Cell::new((Clock::new(), String::new())) };
        }
        // Taken out meanwhile: an event from within the formatting of another one finds an empty one.
        let (mut clock, mut line) = SCRATCH.take();
        line.clear();
        self.line(event, now(), &mut clock, &mut line);
        self.output.push(line.as_bytes());
        SCRATCH.set((clock, line));
    }
}

/// Time as text; most lines come within the second of the one before.
#[derive(Default)]
struct Clock {
    second: u64,
    /// `2026-01-02T03:04:05`.
    text: String,
}

impl Clock {
    const fn new() -> Self {
        Self {
            second: 0,
            text: String::new(),
        }
    }

    fn push(&mut self, now: SystemTime, line: &mut String) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if since.as_secs() != self.second || self.text.is_empty() {
            self.second = since.as_secs();
            self.text.clear();
            let second = humantime::format_rfc3339_seconds(UNIX_EPOCH + since);
            let _ = write!(self.text, "{second}");
            self.text.pop(); // the `Z`, which comes behind the milliseconds
        }
        line.push_str(&self.text);
        line.push('.');
        let milliseconds = since.subsec_millis();
        for digit in [
            milliseconds / 100,
            milliseconds / 10 % 10,
            milliseconds % 10,
        ] {
            line.push(char::from(b'0' + digit as u8));
        }
        line.push('Z');
    }
}

#[expect(clippy::disallowed_methods, reason = "a log line tells the real time")]
fn now() -> SystemTime {
    SystemTime::now()
}

struct JsonFields<'a> {
    line: &'a mut String,
}

impl JsonFields<'_> {
    fn key(&mut self, field: &Field) {
        self.line.push_str(",\"");
        self.line
            .push_str(field.name().strip_prefix("r#").unwrap_or(field.name()));
        self.line.push_str("\":");
    }
}

impl Visit for JsonFields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.key(field);
        self.line.push('"');
        let _ = write!(Escaped(self.line), "{value:?}");
        self.line.push('"');
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.key(field);
        push_string(self.line, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.key(field);
        self.line.push_str(itoa::Buffer::new().format(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.key(field);
        self.line.push_str(itoa::Buffer::new().format(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.key(field);
        self.line.push_str(if value { "true" } else { "false" });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.key(field);
        match value.is_finite() {
            true => decimal::push(self.line, value),
            false => self.line.push_str("null"), // JSON has no name for it
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.key(field);
        self.line.push('"');
        let _ = write!(Escaped(self.line), "{value}");
        let mut source = value.source();
        while let Some(cause) = source {
            let _ = write!(Escaped(self.line), ": {cause}");
            source = cause.source();
        }
        self.line.push('"');
    }
}

fn push_string(line: &mut String, value: &str) {
    line.push('"');
    let _ = Escaped(line).write_str(value);
    line.push('"');
}

/// Escapes what JSON strings must escape.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        let must = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        // Nearly always there is nothing to escape, and looking at every byte goes many at a time.
        if !text.bytes().fold(false, |any, byte| any | must(byte)) {
            self.0.push_str(text);
            return Ok(());
        }
        while let Some(at) = rest.bytes().position(must) {
            let (plain, special) = rest.split_at(at);
            self.0.push_str(plain);
            let mut chars = special.chars();
            match chars.next() {
                Some('"') => self.0.push_str("\\\""),
                Some('\\') => self.0.push_str("\\\\"),
                Some('\n') => self.0.push_str("\\n"),
                Some('\t') => self.0.push_str("\\t"),
                Some('\r') => self.0.push_str("\\r"),
                Some(other) => write!(self.0, "\\u{:04x}", u32::from(other))?,
                None => {}
            }
            rest = chars.as_str();
        }
        self.0.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_text_is_one_line_of_json(text in ".*") {
            let mut line = String::new();
            push_string(&mut line, &text);
            proptest::prop_assert!(!line.contains('\n'));
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_time_is_written_as_the_library_writes_it(seconds in 0..200_000_000_000_u64, step in 0..3_u64, ms in 0..1000_u64) {
            let mut clock = Clock::new();
            for second in [seconds, seconds + step] {
                let now = UNIX_EPOCH + Duration::from_millis(second * 1000 + ms);
                let mut text = String::new();
                clock.push(now, &mut text);
                proptest::prop_assert_eq!(text, humantime::format_rfc3339_millis(now).to_string());
            }
        }
    }

    #[test]
    fn a_stuck_reader_costs_lines_not_memory() {
        let output = Output::default(); // no writer thread: nobody reads
        for _ in 0..20_000 {
            output.push(&[b'x'; 100]);
        }
        let state = output.lock();
        assert!(state.lines.len() <= BUFFER_LIMIT);
        assert_eq!(state.lines.len() as u64 / 100 + state.dropped, 20_000);
    }
}
