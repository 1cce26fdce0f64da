//! Chores of the workspace: `cargo xtask demo`, `test`, `torture`, `boot`, `fuzz`, `bench`, `docs`, `record`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers: it talks on the terminal")]

mod bench;
mod boot;
mod calls;
mod cargo;
mod demo;
mod docs;
mod emulator;
mod figures;
mod fuzz;
mod measure;
mod organization;
mod proxy;
mod record;
#[path = "../../tests/support/registry_server.rs"]
mod registry_server;
mod sandbox;
mod showcase;
#[path = "../../tests/support/stays.rs"]
mod stays;
mod story;
mod teams;
mod tools;
mod torture;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of the workspace
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Show an application that carries traffic in the sandbox; without Docker, the story of a team on an AWS emulator
    Demo(demo::Args),
    /// Run all tests, with the AWS emulator they need
    Test(cargo::TestArgs),
    /// Run each command with each fault at each of its AWS calls; `test` runs a sample of it
    Torture(torture::Args),
    /// Boot the script of instances in a virtual machine, under cloud-init, systemd and Docker
    Boot(boot::Args),
    /// Look for inputs that break what reads files, command lines and answers: libFuzzer, on stable Rust
    Fuzz(fuzz::Args),
    /// Measure AWS calls, times and memory against an emulator behind a slow wire
    Bench(bench::Args),
    /// Rewrite the generated pages: manifest and command reference, JSON schema, man pages
    Docs(docs::Args),
    /// Record a terminal session as a picture: runs the commands of a story
    Record(record::Args),
    /// Set up the tools that the other chores need, and say where they are
    Tools,
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Demo(args) => demo::run(&args),
        Chore::Test(args) => cargo::test(&args),
        Chore::Torture(args) => torture::run(&args),
        Chore::Boot(args) => boot::run(&args),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::Docs(args) => docs::run(&args),
        Chore::Record(args) => record::run(&args),
        Chore::Tools => sandbox::set_up().map(|places| places.iter().for_each(|path| println!("{}", path.display()))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
