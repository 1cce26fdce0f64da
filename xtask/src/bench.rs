//! `cargo xtask bench`: calls, critical path, times and memory of the commands that matter.
use crate::{
    cargo,
    emulator::{Emulator, environment, text},
    figures,
    measure::{Measured, measure},
    proxy::{Call, DELAY, Proxy},
    teams::Teams,
};
use anyhow::{Result, bail};
use std::{path::PathBuf, process::Command, time::Duration};

/// Arguments of `cargo xtask bench`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many applications there are
    #[arg(long, default_value_t = 100)]
    applications: u32,
    /// How many versions each has
    #[arg(long, default_value_t = 10)]
    versions: u32,
    /// How many teams the organization has
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=99))]
    teams: u32,
    /// Show the calls of each command
    #[arg(long)]
    calls: bool,
    /// The directory with the binaries, instead of building them
    #[arg(long, value_name = "DIRECTORY")]
    binaries: Option<PathBuf>,
}

/// Who runs what, and where the calls are counted.
pub(crate) struct Bench {
    pub(crate) program: PathBuf,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) home: tempfile::TempDir,
    pub(crate) proxy: Proxy,
    pub(crate) show_calls: bool,
}

/// One line of the table.
pub(crate) struct Row {
    what: String,
    calls: Vec<Call>,
    run: Measured,
    limits: &'static str,
}

/// Prints the table. Figures beyond their limit are told, never a failure: they depend on the machine.
pub(crate) fn run(args: &Args) -> Result<()> {
    let binaries = match &args.binaries {
        Some(directory) => directory.canonicalize()?,
        None => cargo::build()?,
    };
    let home = tempfile::tempdir()?;
    let mut emulator = Emulator::start()?;
    let registry = emulator.registry(None)?.host;
    let place = emulator.seed()?;
    let proxy = Proxy::start(&emulator.endpoint)?;
    let mut variables = environment(&place, &proxy.endpoint, home.path())?;
    for (variable, member) in [("MINION_REGION", "region"), ("MINION_VPC", "vpc"), ("MINION_DOMAIN", "domain")] {
        variables.push((variable.to_owned(), text(&place, member)?));
    }
    let bench = Bench { program: binaries.join("minion"), variables, home, proxy, show_calls: args.calls };

    let mut rows = vec![bench.start_up("--version")?, bench.start_up("--help")?];
    rows.extend(bench.one_application(&registry)?);
    eprintln!("Putting {} versions of {} applications into the emulator.", args.versions, args.applications);
    let all = emulator.versions(&place, args.applications, args.versions)?;
    let what = format!("versions ({all} of {} applications)", args.applications);
    rows.push(bench.row(&what, &["versions"], "calls <= 30, memory <= 60 MB")?);
    rows.extend(Teams::prepare(&mut emulator, &binaries, args.teams, args.calls)?.rows()?);
    print(&rows);
    Ok(())
}

impl Bench {
    /// The median of several runs of something that makes no calls.
    fn start_up(&self, flag: &str) -> Result<Row> {
        let mut runs = Vec::new();
        for _ in 0..21 {
            runs.push(self.row(&format!("minion {flag}"), &[flag], "wall <= 5 ms")?);
        }
        let peak = runs.iter().filter_map(|row| row.run.peak_kib).max();
        runs.sort_by_key(|row| row.run.wall);
        let mut median = runs.swap_remove(10);
        median.run.peak_kib = peak;
        Ok(median)
    }

    /// The deploy loop of one application.
    fn one_application(&self, registry: &str) -> Result<Vec<Row>> {
        let manifest = self.home.path().join("manifest.yaml");
        std::fs::write(&manifest, "application_name: measured\nteam_name: team\nexposed_ports: [8080]\n")?;
        let manifest = manifest.display().to_string();
        let image = |tag: &str| format!("{registry}/hello-world:{tag}");
        let plan = ["applications", "update", &manifest, "--dry-run"];
        let version = |version, image| ["versions", "create", "measured", version, image, "--no-wait"];
        let beyond = "beyond calls <= 15 ms, memory <= 30 MB";
        Ok(vec![
            self.row("applications create", &["applications", "create", &manifest], "critical path <= 5")?,
            self.row("applications update --dry-run (unchanged)", &plan, "critical path <= 4")?,
            self.row("versions create --no-wait", &version("1.0", &image("0.1")), "critical path <= 6")?,
            self.row("versions create --no-wait (another)", &version("2.0", &image("0.2")), "critical path <= 6")?,
            self.row("traffic APP VERSION 100", &["traffic", "measured", "1.0", "100"], "critical path <= 4")?,
            self.row("traffic APP VERSION 30", &["traffic", "measured", "2.0", "30"], "critical path <= 4")?,
            self.row("traffic APP", &["traffic", "measured"], beyond)?,
            self.row("applications", &["applications"], beyond)?,
            self.row("versions", &["versions"], beyond)?,
            self.row("instances", &["instances"], beyond)?,
        ])
    }

    /// One run of the program, which must work.
    pub(crate) fn row(&self, what: &str, arguments: &[&str], limits: &'static str) -> Result<Row> {
        self.proxy.take();
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().current_dir(self.home.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let run = measure(&mut command)?;
        let calls = self.proxy.take();
        if self.show_calls && !calls.is_empty() {
            self.tell(what, &calls);
        }
        if run.code != Some(0) {
            bail!("`{} {}` ended with {:?}:\n{}", self.program.display(), arguments.join(" "), run.code, run.stderr);
        }
        Ok(Row { what: what.to_owned(), calls, run, limits })
    }

    fn tell(&self, what: &str, calls: &[Call]) {
        println!("{what}");
        if calls.len() > 60 {
            for (operation, count) in figures::by_operation(calls) {
                println!("  {count:5} {operation}");
            }
            return;
        }
        let zero = calls[0].began;
        for call in calls {
            let at = |instant: std::time::Instant| ms(instant - zero);
            println!("  {:7.0} ..{:7.0} ms  {}", at(call.began), at(call.ended), call.operation);
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn print(rows: &[Row]) {
    println!("\nEach call takes {} ms longer than the emulator does.\n", DELAY.as_millis());
    println!("| Command | Calls | Critical path | Wall ms | Beyond calls ms | Peak MB | Wanted |");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for Row { what, calls, run, limits } in rows {
        let beyond = run.wall.saturating_sub(figures::on_the_wire(calls));
        #[expect(clippy::cast_precision_loss, reason = "a size in KiB is far below 2^52")]
        let memory = run.peak_kib.map_or("?".to_owned(), |kib| format!("{:.1}", kib as f64 / 1024.0));
        println!(
            "| {what} | {} | {} | {:.1} | {:.1} | {memory} | {limits} |",
            figures::count(calls),
            figures::critical_path(calls),
            ms(run.wall),
            ms(beyond),
        );
    }
}
