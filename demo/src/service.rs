//! Being one of the services.

use std::env;
use std::ffi::OsString;
use std::process::{Command, ExitCode, Stdio};

use clap::Parser as _;

use crate::cli::{self, Cli, GateArgs, ServiceArgs};
use crate::plan::{self, Program};
use crate::{engine, refuse, stop};

/// Judges the shop that runs, with the history of its prober at hand.
pub(crate) fn gate(gate: &GateArgs) -> ExitCode {
    let executable = match env::current_exe() {
        Ok(path) => path,
        Err(error) => return refuse(2, format!("cannot find the executable: {error}")),
    };
    let spawned = Command::new(executable)
        .args(["run-service", Program::Synthetics.name(), "gate"])
        .args(&gate.args)
        .envs(plan::gate_env(gate.port_base))
        // Held, never written: see `stop::with_parent`.
        .stdin(Stdio::piped())
        .spawn();
    match spawned.and_then(|mut child| {
        let tether = child.stdin.take();
        let status = child.wait();
        drop(tether);
        status
    }) {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(2))
        }
        Err(error) => refuse(2, format!("the gate cannot be started: {error}")),
    }
}

/// Becomes the service, until it is told to stop or its parent is gone.
pub(crate) fn main(service: ServiceArgs) -> ExitCode {
    if let Err(error) = stop::with_parent() {
        return refuse(
            1,
            format!("cannot watch for the end of the parent: {error}"),
        );
    }
    let name = OsString::from(service.program.name());
    let words = std::iter::once(name).chain(service.args);
    match service.program {
        Program::Console => console::main(console::Cli::parse_from(words)),
        Program::Details => details::main(details::Cli::parse_from(words)),
        Program::Ratings => ratings::main(ratings::Cli::parse_from(words)),
        Program::Reviews => reviews::main(reviews::Cli::parse_from(words)),
        Program::Productpage => productpage::main(productpage::Cli::parse_from(words)),
        Program::Mymetric => mymetric::main(mymetric::Cli::parse_from(words)),
        Program::Loadgen => loadgen::main(loadgen::Cli::parse_from(words)),
        Program::Synthetics => synthetics::main(synthetics::Cli::parse_from(words)),
        Program::Dynamodb => {
            let words = std::iter::once(OsString::from("bookwatch")).chain(words);
            match Cli::parse_from(words).command {
                Some(cli::Command::Dynamodb(args)) => engine::main(&args),
                _ => refuse(
                    2,
                    "run-service dynamodb takes the flags of `bookwatch dynamodb`",
                ),
            }
        }
    }
}
