//! `cargo xtask torture`: the whole matrix of `tests/torture`.
use crate::cargo;
use anyhow::Result;

/// Arguments of `cargo xtask torture`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these commands, e.g. `app create` or `ver*,traffic*`
    #[arg(long, value_name = "COMMAND")]
    only: Option<String>,
    /// Only these faults, e.g. `kill-before,stale`
    #[arg(long, value_name = "NAME")]
    fault: Option<String>,
    /// Only this operation, or one call of it: `ec2:CreateVpc`, `ec2:CreateVpc#2`
    #[arg(long, value_name = "OPERATION")]
    call: Option<String>,
    /// Cases at the same time; twice as many of those that mostly wait
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Order of the cases, and choice of a sample
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// One part of the matrix, for several sittings with the same code: `1/3`, `2/3`, `3/3`
    #[arg(long, value_name = "N/PARTS")]
    part: Option<String>,
    /// So many calls for each command and fault, instead of all
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Run one of so many cases to the deletion, although its state is that of an undisturbed run; 1 is all of them
    #[arg(long, value_name = "N")]
    whole: Option<u64>,
    /// Leave a file of each case, not only of those that fail
    #[arg(long)]
    all: bool,
    /// Directory for the report and for what failed; what is in it goes
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<String>,
}

/// Builds what is needed and runs it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let variables = [
        ("ONLY", args.only.clone()),
        ("FAULT", args.fault.clone()),
        ("CALL", args.call.clone()),
        ("WORKERS", number(args.workers.map(|n| n as u64))),
        ("SEED", number(args.seed)),
        ("PART", args.part.clone()),
        ("SAMPLE", number(args.sample.map(|n| n as u64))),
        ("WHOLE", number(args.whole)),
        ("ALL", args.all.then(|| "1".to_owned())),
        ("OUT", args.out.clone()),
    ];
    let chosen = variables.into_iter().filter_map(|(name, value)| Some((format!("MINION_TORTURE_{name}"), value?)));
    cargo::ignored_test("torture", "the_whole_matrix", chosen)
}
