//! Runs the scenarios, one after another.
use super::{
    image::{self, Image},
    machine::{Machine, Said},
    report::Report,
    scenario::{self, Scenario},
    script,
};
use crate::cargo;
use anyhow::{Context as _, Result, bail};
use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// Arguments of `cargo xtask boot`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scenarios to run (directories of tests/boot/scenarios) [default: all]
    scenarios: Vec<String>,
    /// Directory for console output and reports [default: boot, beside the binaries]
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
    /// Make the virtual machine's image again, from today's packages
    #[arg(long)]
    fresh: bool,
}

/// Makes what is needed, boots each scenario, and says what it has shown.
pub(crate) fn run(args: &Args) -> Result<()> {
    let scenarios = scenario::load(&args.scenarios)?;
    image::needed()?;
    let binaries = cargo::build()?;
    let out = args.out.clone().map_or_else(|| Ok(env::current_exe()?.with_file_name("boot")), anyhow::Ok)?;
    let image = image::image(args.fresh)?;
    let began = Instant::now();
    eprintln!("Console output and reports are in {}.", out.display());
    let mut log = String::new();
    let mut failed = Vec::new();
    for scenario in &scenarios {
        let began = Instant::now();
        println!("\n== {}: {}", scenario.name, scenario.plan.about);
        let directory = out.join(&scenario.name);
        let report = boot(&binaries, &image, scenario, &directory)?;
        let line = format!("{}: {}; {} s", scenario.name, report.summary(), began.elapsed().as_secs());
        println!("{line}");
        writeln!(log, "{line}")?;
        if !report.is_good() {
            failed.push(scenario.name.as_str());
        }
    }
    writeln!(log, "in all: {} s", began.elapsed().as_secs())?;
    fs::write(out.join("summary.txt"), &log)?;
    print!("\n{log}");
    if !failed.is_empty() {
        bail!("failed: {}; the console's output is in {}/<scenario>/console.log", failed.join(", "), out.display());
    }
    Ok(())
}

/// Boots one scenario until the virtual machine switches itself off.
fn boot(binaries: &Path, image: &Image, scenario: &Scenario, directory: &Path) -> Result<Report> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory).with_context(|| format!("cannot make the directory {}", directory.display()))?;
    let digest = image.digests.get(&scenario.plan.image);
    let digest = digest.with_context(|| format!("app_image.py makes no image {}", scenario.plan.image))?;
    let user_data = script::user_data(binaries, scenario, digest)?;
    let mut machine = Machine::boot(image, scenario, &user_data, directory)?;
    let mut report = Report::default();
    let mut lines = String::new();
    let mut show = |what: String| {
        println!("  {what}");
        lines = format!("{lines}{what}\n");
    };
    loop {
        match machine.next() {
            Said::Line(line) => report.take(&line).into_iter().for_each(&mut show),
            Said::Off => break,
            Said::TooLate => {
                let what = format!("it did not end within {} minutes", scenario.plan.minutes);
                report.fail(what).into_iter().for_each(&mut show);
                break;
            }
        }
    }
    report.end(scenario, &machine.console()).into_iter().for_each(&mut show);
    fs::write(directory.join("report.txt"), lines)?;
    Ok(report)
}
