//! Sends `my_metric` to DogStatsD at a fixed rate.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    mymetric::main(mymetric::Cli::parse())
}
