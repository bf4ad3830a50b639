//! What `bookwatch` itself says: to people among the logs, to scripts as JSON lines.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use serde_json::{Value, json};
use telemetry::LogFormat;

use crate::cli::UpArgs;
use crate::logs::{Intake, Printer, Sink, Stream, Style};
use crate::plan::{Plan, Spec};
use crate::supervise::{Event, Process};
use crate::table;

const NAME: &str = "bookwatch";

/// Where everything is said. Without `--json` all of it goes to standard output; with it, standard
/// output has one JSON object a line, and standard error the rest.
#[derive(Clone)]
pub(crate) struct Voice {
    people: Printer,
    scripts: Option<Printer>,
    /// The console's, where there is one.
    intake: Option<Intake>,
    shows_logs: bool,
    is_pretty: bool,
    in_colour: bool,
    width: usize,
}

impl Voice {
    /// Needs a runtime, for the lines that go to the console.
    pub(crate) fn new(args: &UpArgs, plan: &Plan) -> Self {
        let (stream, on_terminal) = match args.json {
            true => (Stream::Err, io::stderr().is_terminal()),
            false => (Stream::Out, io::stdout().is_terminal()),
        };
        let names = plan.processes.iter().map(|spec| spec.name.len());
        Self {
            people: Printer::start(stream),
            scripts: args.json.then(|| Printer::start(Stream::Out)),
            intake: plan
                .console()
                .and_then(Spec::url)
                .map(|url| Intake::start(&url)),
            shows_logs: !args.quiet,
            is_pretty: match args.log_format {
                LogFormat::Auto => on_terminal,
                LogFormat::Pretty => true,
                LogFormat::Json => false,
            },
            in_colour: on_terminal && args.no_color.as_ref().is_none_or(|set| set.is_empty()),
            width: names.max().unwrap_or(0).max(NAME.len()),
        }
    }

    /// Takes the logs of a process; `nth` picks its colour.
    pub(crate) fn sink(&self, name: &str, nth: usize) -> Sink {
        let style = match self.is_pretty {
            true => Style::pretty(name, self.width, nth, self.in_colour),
            false => Style::plain(name, self.width),
        };
        let printer = self.shows_logs.then(|| self.people.clone());
        let intake = self.intake.clone().map(|intake| (intake, name.into()));
        Sink::new(printer, intake, style)
    }

    /// All is ready.
    pub(crate) fn ready(&self, processes: &[Process], plan: &Plan, took: Duration) {
        let specs = processes.iter().map(|process| &process.spec);
        let with_pids = processes.iter().map(|p| (&p.spec, p.pid()));
        self.say(
            &table::text(specs, plan, took),
            &table::ready(with_pids, plan, took),
        );
    }

    /// The text for people, or the event for scripts.
    pub(crate) fn say(&self, text: &str, event: &Value) {
        match &self.scripts {
            Some(scripts) => scripts.print(format!("{event}\n")),
            None => self.people.print(text.to_owned()),
        }
    }

    /// A line among the logs.
    pub(crate) fn note(&self, text: &str) {
        let width = self.width;
        self.people.print(match self.is_pretty {
            true => format!("{NAME:width$}  {text}\n"),
            false => format!("{NAME:width$} | {text}\n"),
        });
    }

    /// A death, with the last words that were not shown, or a return.
    pub(crate) fn life(&self, event: &Event, processes: &[Process]) {
        match event {
            Event::Started { again: false, .. } => {}
            Event::Started { name, pid, .. } => {
                self.event(&json!({"event": "started", "name": name, "pid": pid}));
                self.note(&format!("{name} runs again, process {pid}"));
            }
            Event::Held { name } => {
                self.event(&json!({"event": "held", "name": name}));
                self.note(&format!(
                    "{name} is stopped; `bookwatch start {name}` brings it back"
                ));
            }
            Event::Ended {
                name,
                end,
                again_in,
            } => {
                let again_in_ms = again_in.map(|wait| wait.as_millis() as u64);
                self.event(&json!({
                    "event": "ended",
                    "name": name,
                    "reason": end.to_string(),
                    "again_in_ms": again_in_ms,
                }));
                if again_in_ms.is_none() && end.code() == Some(0) {
                    return;
                }
                let process = processes.iter().find(|p| p.spec.name == *name);
                let tail = process.map(|p| p.logs.take_tail()).unwrap_or_default();
                self.people
                    .print(String::from_utf8_lossy(&tail).into_owned());
                self.note(&match again_in_ms {
                    Some(wait) => format!("{name} {end}; it starts again in {wait} ms"),
                    None => format!("{name} {end}"),
                });
            }
        }
    }

    /// Why it went wrong.
    pub(crate) fn fail(&self, reason: &str) {
        self.event(&json!({"event": "failed", "reason": reason}));
        self.note(reason);
    }

    /// The last word; waits until all is written.
    pub(crate) fn stopped(&self, code: u8) {
        self.event(&json!({"event": "stopped", "exit_code": code}));
        for printer in [Some(&self.people), self.scripts.as_ref()] {
            printer.into_iter().for_each(Printer::flush);
        }
    }

    fn event(&self, event: &Value) {
        if let Some(scripts) = &self.scripts {
            scripts.print(format!("{event}\n"));
        }
    }
}
