//! Synthetics: probes a target, counts what it finds, and judges it by service level objectives.
//!
//! A tick of the [`schedule`] starts a [`probe`]; its result goes through one channel to the
//! [`sink`]s. One of them is the [`tally`], which keeps integer counts by slice, check and
//! location. [`evaluate`] turns those into a verdict through the pure functions of [`slo`].
//!
//! What holds everywhere: a verdict never passes through a float, is never a pass without enough
//! data, and never asks what time it is.

pub mod alert;
pub mod bookshop;
mod cli;
pub mod clock;
mod command;
pub mod config;
mod config_command;
pub mod evaluate;
mod explain;
pub mod export;
pub mod history;
pub mod import;
pub mod objective;
mod openslo;
pub mod page;
pub mod plan;
pub mod probe;
pub mod recording;
pub mod report;
pub mod run;
pub mod schedule;
mod setup;
pub mod sink;
pub mod slo;
pub mod tally;
mod yaml;

use std::io::Write as _;
use std::process::ExitCode;

pub use cli::{
    AlertArgs, AlertCommand, BasisArgs, Cli, Command, ExplainArgs, ExportArgs, GateArgs,
    HistoryArgs, HistoryMode, ImportArgs, Moment, OverWindow, PageArgs, ProbeArgs, RunArgs,
    ValidateArgs,
};
pub use setup::SIMULATED;
pub use slo::Verdict;

/// Runs the command and gives its exit code.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    let colour = cli.colour();
    match &cli.command {
        Command::Validate(args) => return config_command::validate(args, colour),
        Command::Schema => return config_command::schema(),
        Command::Config => return config_command::config(),
        Command::Export(args) => return config_command::export(args, colour),
        Command::Alert(args) => return command::alert(args, colour),
        Command::Import(args) => return config_command::import(args, colour),
        Command::Gate(_) | Command::Explain(_) | Command::Run(_) => {}
    }
    let mut settings = cli.telemetry;
    if matches!(cli.command, Command::Gate(_) | Command::Explain(_)) {
        // Standard output belongs to the report.
        settings.log_filter = "off".to_owned();
    }
    let telemetry = match telemetry::init("synthetics", &settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(&error.into()),
    };
    let metrics = telemetry.metrics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(async {
            match cli.command {
                Command::Gate(args) => command::gate(args, colour).await,
                Command::Explain(args) => {
                    command::explain(args, colour).await.map(|()| Verdict::Pass)
                }
                Command::Run(args) => command::run(args, metrics, colour)
                    .await
                    .map(|()| Verdict::Pass),
                // These have ended above, without telemetry.
                Command::Validate(_)
                | Command::Schema
                | Command::Config
                | Command::Export(_)
                | Command::Alert(_)
                | Command::Import(_) => Ok(Verdict::Pass),
            }
        }),
        Err(error) => Err(error.into()),
    };
    telemetry.shutdown();
    match result {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(error) => match error.downcast_ref::<config::ConfigError>() {
            Some(wrong) => config_command::wrong(wrong, colour),
            None => fail(&error),
        },
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    // There is nobody left to tell if standard error is gone.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::from(Verdict::Error.exit_code())
}
