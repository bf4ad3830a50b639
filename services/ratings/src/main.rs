//! The ratings service of the bookshop; see `ratings --help`.

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ratings::main(ratings::Cli::parse())
}
