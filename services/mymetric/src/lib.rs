//! The metric emitter: `my_metric`, a gauge, a whole number from 1 to 999, sent at once and then at a
//! fixed rate until the process is told to stop.
//!
//! ```text
//! $ mymetric --once
//! $ INTERVAL=10s DD_AGENT_HOST=127.0.0.1 mymetric --seed 42
//! ```
//!
//! Exit codes: 0 after a clean stop (`--once`, SIGTERM, SIGINT), 1 where the process cannot run, 2 where a
//! setting cannot be used.

mod host;
mod interval;
mod values;

use std::io;
use std::process::ExitCode;

use clap::builder::BoolishValueParser;
use telemetry::{Metrics, names};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

pub use interval::{Interval, IntervalError};
pub use values::{RANGE, Values};

/// Sends my_metric, a random whole number from 1 to 999, to DogStatsD at a fixed rate.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "mymetric", version)]
pub struct Cli {
    /// Time from one value to the next, 100ms to 24h: seconds (`45`) or with a unit (`45s`, `1m`).
    /// The variable may also be written in lower case; INTERVAL wins. [default: 45]
    #[arg(long, env = "INTERVAL", allow_hyphen_values = true)]
    pub interval: Option<Interval>,
    /// The variable `interval`, the name in the manifest of the webinar that this emitter comes from.
    // A variable needs a flag of its own, since clap knows one variable for each.
    #[arg(
        long,
        env = "interval",
        hide = true,
        allow_hyphen_values = true,
        value_name = "interval"
    )]
    pub interval_lower_case: Option<Interval>,
    /// Sends one value and ends. [default: false]
    #[arg(long, env = "MYMETRIC_ONCE", value_parser = BoolishValueParser::new())]
    pub once: bool,
    /// Repeats the series that belongs to this number; the log names the seed of every run.
    /// [default: a new one each time]
    #[arg(long, env = "MYMETRIC_SEED")]
    pub seed: Option<u64>,
    /// Value of the tag `host`. [default: the system's host name]
    #[arg(long, env = "DD_HOSTNAME")]
    pub host: Option<String>,
    /// Where telemetry goes. There are no spans here, so what concerns traces has no effect.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

impl Cli {
    /// The interval by its order of precedence: flag, `INTERVAL`, `interval`, default.
    pub fn interval(&self) -> Interval {
        self.interval
            .or(self.interval_lower_case)
            .unwrap_or_default()
    }
}

/// The whole life of the emitter; see the exit codes above.
pub fn main(cli: Cli) -> ExitCode {
    // With no spans to send, an exporter would only hold memory and a thread.
    let settings = telemetry::Settings {
        otel_sdk_disabled: true,
        ..cli.telemetry.clone()
    };
    let telemetry = match telemetry::init("mymetric", &settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(&error),
    };
    let code = match run(&cli, &telemetry.metrics()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "cannot run");
            ExitCode::FAILURE
        }
    };
    telemetry.shutdown();
    code
}

fn run(cli: &Cli, metrics: &Metrics) -> io::Result<()> {
    let seed = cli.seed.unwrap_or_else(rand::random);
    let mut emitter = Emitter {
        metrics,
        values: Values::new(seed),
        host: host::name(cli.host.as_deref()),
    };
    if cli.once {
        tracing::info!(seed, "sending one value");
        emitter.emit();
        return Ok(());
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(emitter.forever(seed, cli.interval()))
}

struct Emitter<'a> {
    metrics: &'a Metrics,
    values: Values,
    host: Option<String>,
}

impl Emitter<'_> {
    /// Ends at SIGTERM or SIGINT.
    async fn forever(mut self, seed: u64, interval: Interval) -> io::Result<()> {
        // Both before the first value: whoever has seen one may already ask for the end.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let interval_ms = u64::try_from(interval.get().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(seed, interval_ms, "sending values");

        // Every tick is a whole number of intervals after this instant, so the rate does not drift by
        // what a round takes. After a pause (a suspended laptop, a starved pod) the ticks that were
        // missed stay missed: a gauge has one value at a time, so a burst that catches up says nothing,
        // and starting a new rhythm from the pause would move every later point.
        let mut ticks = tokio::time::interval(interval.get());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let reason = loop {
            tokio::select! {
                biased;
                _ = terminate.recv() => break "SIGTERM",
                _ = interrupt.recv() => break "SIGINT",
                _ = ticks.tick() => self.emit(),
            }
        };
        tracing::info!(reason, "stopped");
        Ok(())
    }

    /// One value, one packet, one log line.
    fn emit(&mut self) {
        let Some(value) = self.values.next() else {
            return; // the series has no end
        };
        let tags = self.host.as_deref().map(|host| (names::tag::HOST, host));
        self.metrics
            .gauge(&names::MY_METRIC, f64::from(value), tags.as_slice());
        // Waiting for the buffer would move the value by up to a second.
        self.metrics.flush();
        tracing::info!(metric = names::MY_METRIC.name, value, "value sent");
    }
}

#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn refuse(error: &telemetry::InitError) -> ExitCode {
    eprintln!("mymetric: {error}");
    ExitCode::from(2)
}
