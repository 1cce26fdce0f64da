//! The bench's organization: many teams, each in an account of its own.
use crate::{
    bench::{Bench, Row},
    emulator::{Emulator, environment},
    organization::{DOMAIN, HOME, NETWORK, REGION},
    proxy::Proxy,
};
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
};

/// Teams that are made at the same time while nobody measures.
const AT_ONCE: usize = 4;

/// The organization, with `overlord` in front of it.
pub(crate) struct Teams {
    bench: Bench,
    /// The emulator itself, without the wire's delay.
    endpoint: String,
    names: Vec<String>,
}

impl Teams {
    /// Accounts, the parent's zone and the files; no team has a place yet.
    pub(crate) fn prepare(emulator: &mut Emulator, binaries: &Path, count: u32, show_calls: bool) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let operator = emulator.prepare(HOME)?;
        emulator.prepare(NETWORK)?;
        emulator.zone(NETWORK, DOMAIN)?;
        fs::create_dir(home.path().join("teams"))?;
        fs::write(home.path().join("overlord.yaml"), organization())?;
        let mut names = Vec::new();
        for number in 1..=count {
            let (name, account) = (format!("team-{number}"), format!("4000000000{number:02}"));
            emulator.prepare(&account)?;
            let file = home.path().join(format!("teams/{name}.yaml"));
            fs::write(file, format!("team: {name}\naccount: \"{account}\"\n"))?;
            names.push(name);
        }
        let proxy = Proxy::start(&emulator.endpoint)?;
        let variables = environment(&operator, &proxy.endpoint, home.path())?;
        let bench = Bench { program: binaries.join("overlord"), variables, home, proxy, show_calls };
        Ok(Self { bench, endpoint: emulator.endpoint.clone(), names })
    }

    /// Makes the first team, and then the others, which only `check` is about.
    pub(crate) fn rows(&self) -> Result<Vec<Row>> {
        let first = self.names[0].as_str();
        let beyond = "calls <= 30, memory <= 30 MB";
        let mut rows = vec![
            self.bench.row("overlord team create (three zones)", &["team", "create", first], "")?,
            self.bench.row(
                "overlord team plan (unchanged)",
                &["team", "plan", first, "--detailed-exitcode"],
                beyond,
            )?,
        ];
        eprintln!("Creating {} more teams.", self.names.len() - 1);
        for names in self.names[1..].chunks(AT_ONCE) {
            let made: Vec<Result<()>> = thread::scope(|scope| {
                let runs: Vec<_> = names.iter().map(|name| scope.spawn(|| self.create(name))).collect();
                runs.into_iter().map(|run| run.join().unwrap_or_else(|_| bail!("a thread ended early"))).collect()
            });
            made.into_iter().collect::<Result<()>>()?;
        }
        let what = format!("overlord check ({} teams)", self.names.len());
        rows.push(self.bench.row(&what, &["check"], "memory <= 60 MB")?);
        Ok(rows)
    }

    /// Makes a team's place, as fast as the emulator is.
    fn create(&self, name: &str) -> Result<()> {
        let mut command = Command::new(&self.bench.program);
        command.args(["team", "create", name]).env_clear().current_dir(self.bench.home.path()).stdin(Stdio::null());
        command.envs(self.bench.variables.iter().map(|(name, value)| (name, value)));
        let output = command.env("AWS_ENDPOINT_URL", &self.endpoint).output().context("cannot start overlord")?;
        if !output.status.success() {
            bail!("team {name} cannot be created:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

/// The organization's file.
fn organization() -> String {
    format!(
        "organization: acme\naddresses: {{pool: [10.0.0.0/8]}}\naccounts:\n  home: {{account: \"{HOME}\", region: {REGION}}}\n  \
         network: {{account: \"{NETWORK}\"}}\n  role: OrganizationAccountAccessRole\nteams: {{regions: [{REGION}]}}\n\
         domains: [{{name: {DOMAIN}, account: {{account: \"{NETWORK}\"}}}}]\n"
    )
}
