//! The reviews service of the bookshop; see `reviews --help`.

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    reviews::main(reviews::Cli::parse())
}
