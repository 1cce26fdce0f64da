//! Every mutating command, with everything that can go wrong at each of its calls: killed, cut off, refused, throttled,
//! answered late or wrongly. Whatever it is, the same command again finishes, and deleting leaves nothing.
//!
//! `cargo xtask torture` runs all of it. What a case is stands in `case.rs`, the faults in `faults.rs` and
//! `specials.rs`, the commands in `scenes.rs`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]
#![expect(clippy::print_stderr, reason = "progress, for who waits for it, and the report")]

mod answers;
mod case;
mod client;
mod emulator;
mod faults;
mod history;
mod interrupted;
mod matrix;
#[path = "../support/moto.rs"]
mod moto;
mod operation;
mod prepared;
mod proxy;
mod report;
mod scenes;
mod specials;
#[path = "../support/stays.rs"]
mod stays;
mod world;

use matrix::Choice;
use std::time::{Duration, Instant};

fn runs(choice: &Choice) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(matrix::run(choice));
    assert_eq!(report.failures(), 0, "what failed stands above");
}

/// Nobody waits longer for a sample.
const PATIENCE: Duration = Duration::from_secs(300);

/// One call of each command and fault, always the same ones.
#[test]
fn a_sample_of_the_matrix() {
    let began = Instant::now();
    runs(&Choice::from_environment(Some(1)));
    let took = began.elapsed();
    eprintln!("the sample took {took:.0?}");
    if took > PATIENCE {
        eprintln!("Warning: the sample takes more than {PATIENCE:?}");
    }
}

#[test]
#[ignore = "an hour: `cargo xtask torture`"]
fn the_whole_matrix() {
    runs(&Choice::from_environment(None));
}
