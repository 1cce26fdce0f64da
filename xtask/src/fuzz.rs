//! `cargo xtask fuzz`: libFuzzer around the targets of `fuzz/`, guided by the coverage of this workspace's crates. On stable
//! Rust: `fuzz/rustc` asks the compiler for the counters.
use crate::cargo;
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Arguments of `cargo xtask fuzz`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Targets; all of them, one after the other, when none is named
    targets: Vec<String>,
    /// Time for each target: 60s, 5m, 1h
    #[arg(long, default_value = "60s", value_parser = time)]
    time: Duration,
    /// Inputs for each target at most
    #[arg(long)]
    runs: Option<u64>,
    /// Add what was found to cover more to the corpus that is checked in
    #[arg(long)]
    keep: bool,
}

/// Largest input, in bytes. Files and answers may be larger, but what is in them repeats.
const LARGEST: u32 = 4096;
/// Seconds that one input may take.
const TIMEOUT: u32 = 10;
/// Memory of the fuzzer, in MiB.
const MEMORY: u32 = 2048;

fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(format!("`{unit}` is no unit; there are s, m and h")),
    };
    let number: u64 = number.parse().map_err(|_| "a time is a number and a unit, such as 60s".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// Builds the fuzzer and lets it run.
pub(crate) fn run(args: &Args) -> Result<()> {
    let corpus = cargo::workspace().join("fuzz/corpus");
    let mut known: Vec<String> = Vec::new();
    for entry in fs::read_dir(&corpus)? {
        known.push(entry?.file_name().to_string_lossy().into_owned());
    }
    known.sort();
    if let Some(unknown) = args.targets.iter().find(|t| !known.contains(t)) {
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    let fuzzer = cargo::build_fuzzer()?;
    let work = fuzzer.with_file_name("fuzz-work");
    let chosen = if args.targets.is_empty() { &known } else { &args.targets };
    let mut failed = Vec::new();
    for target in chosen {
        let place = Place { fuzzer: &fuzzer, target, corpus: corpus.join(target), work: work.join(target) };
        if !place.fuzz(args)? {
            failed.push(target.as_str());
        }
        if args.keep {
            place.keep()?;
        }
    }
    if !failed.is_empty() {
        bail!("inputs that break {} are in {}", failed.join(", "), work.display());
    }
    Ok(())
}

/// One target.
struct Place<'a> {
    fuzzer: &'a Path,
    target: &'a str,
    /// What is checked in.
    corpus: PathBuf,
    /// What was found on this computer, and what failed.
    work: PathBuf,
}

impl Place<'_> {
    fn command(&self) -> Command {
        let mut command = Command::new(self.fuzzer);
        command.env("FUZZ_TARGET", self.target).current_dir(&self.work);
        command.arg(format!("-timeout={TIMEOUT}")).arg(format!("-rss_limit_mb={MEMORY}"));
        command
    }

    fn found(&self) -> PathBuf {
        self.work.join("found")
    }

    /// Whether all held.
    fn fuzz(&self, args: &Args) -> Result<bool> {
        fs::create_dir_all(self.found())?;
        eprintln!("Fuzzing {} for {} s.", self.target, args.time.as_secs());
        let mut command = self.command();
        command.arg(format!("-max_total_time={}", args.time.as_secs())).arg(format!("-max_len={LARGEST}"));
        command.args(args.runs.map(|runs| format!("-runs={runs}")));
        command.args(["-print_final_stats=1", "-reload=0"]).arg(self.found()).arg(&self.corpus);
        Ok(command.status().context("cannot start the fuzzer")?.success())
    }

    /// Copies the fewest of the found inputs that cover what the corpus does not.
    fn keep(&self) -> Result<()> {
        let merged = self.command().arg("-merge=1").arg(&self.corpus).arg(self.found()).status()?;
        if !merged.success() {
            bail!("the inputs of {} cannot be merged", self.target);
        }
        Ok(())
    }
}
