//! The prober, the gate.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    synthetics::main(synthetics::Cli::parse())
}
