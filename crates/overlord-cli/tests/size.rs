//! How much stack the commands need: what a command waits for is one value, and every function that hands it on unboxed holds
//! it once more.
#![recursion_limit = "256"]
use clap::Parser as _;

/// The main thread has eight megabytes; this leaves room for what stands on top of it.
const MOST: usize = 64 * 1024;

#[test]
fn commands_fit_the_stack() {
    let cli = overlord::cli::Cli::parse_from(["overlord", "check"]);
    let size = size_of_val(&overlord::run(cli));
    assert!(size < MOST, "a command's future has {size} bytes: box what it awaits");
}
