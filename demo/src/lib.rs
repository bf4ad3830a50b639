//! All of the shop on this machine: `bookwatch` starts itself again once for each service, so that each is
//! a process that can be killed, limited and measured like a pod.
//!
//! ```text
//! $ bookwatch                     # everything, until Ctrl-C
//! $ bookwatch --for 30s           # ... then the verdict of the prober as the exit code
//! $ bookwatch --only details,ratings
//! $ bookwatch --dd-agent-host 127.0.0.1   # telemetry to an agent that runs, in place of the console
//! $ bookwatch stop ratings       # in another terminal: it stays away until `bookwatch start ratings`
//! $ bookwatch seed                # tables and catalogue
//! $ bookwatch dynamodb            # the embedded engine alone
//! ```
//!
//! Exit codes: 0 after a stop that was asked for, or a verdict that passed; 1 and 3 where the verdict
//! failed or is inconclusive; 1 where something did not start; 2 for bad usage, a port in use, or a run
//! that came to no verdict; 130 where a run with `--for` was cut short.

mod backoff;
mod cli;
mod control;
mod engine;
mod logs;
mod plan;
mod ports;
mod ready;
mod seed;
mod service;
mod stop;
mod supervise;
mod table;
mod up;
mod verdict;
mod voice;

use std::process::ExitCode;

pub use cli::{Cli, Command, EngineArgs, GateArgs, OrderArgs, ServiceArgs, UpArgs};
use control::Deed;
pub use plan::Program;
use tokio::runtime::{Builder, Runtime};

/// Runs what the command line asks for.
pub fn main(cli: Cli) -> ExitCode {
    match cli.command {
        None => up::main(&cli.up),
        Some(Command::Up(args)) => up::main(&args),
        Some(Command::Stop(args)) => control::main(Deed::Stop, &args),
        Some(Command::Start(args)) => control::main(Deed::Start, &args),
        Some(Command::Kill(args)) => control::main(Deed::Kill, &args),
        Some(Command::Gate(args)) => service::gate(&args),
        Some(Command::Seed(args)) => seed::main(&args),
        Some(Command::Dynamodb(args)) => engine::main(&args),
        Some(Command::RunService(args)) => service::main(args),
    }
}

/// What a command that has no threads of its own runs on; an exit code where there is none.
fn event_loop() -> Result<Runtime, ExitCode> {
    let mut builder = Builder::new_current_thread();
    let made = builder.enable_all().build();
    made.map_err(|error| refuse(1, format!("no event loop: {error}")))
}

/// Tells a person on the terminal why nothing was done.
#[expect(clippy::print_stderr, reason = "there is nothing else to tell it to")]
fn refuse(code: u8, message: impl std::fmt::Display) -> ExitCode {
    eprintln!("bookwatch: {message}");
    ExitCode::from(code)
}
