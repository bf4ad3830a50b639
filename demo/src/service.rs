//! Being one of the services.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command, ServiceArgs};
use crate::plan::Program;
use crate::{engine, refuse, stop};

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
                Some(Command::Dynamodb(args)) => engine::main(&args),
                _ => refuse(
                    2,
                    "run-service dynamodb takes the flags of `bookwatch dynamodb`",
                ),
            }
        }
    }
}
