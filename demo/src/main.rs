//! `bookwatch`: the whole shop on this machine. See [`demo`].

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    demo::main(demo::Cli::parse())
}
