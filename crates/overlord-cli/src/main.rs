//! The `overlord` command.
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    overlord::run(&overlord::cli::Cli::parse()).into()
}
