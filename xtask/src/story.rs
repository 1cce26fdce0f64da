//! The story that the demo tells: a team gets its place; in it an application, two versions, traffic from one to the
//! other; and the team goes.
use crate::{
    cargo::workspace,
    emulator::{Emulator, environment},
    organization::{DEPLOYER, DOMAIN, RED, REGION},
};
use anyhow::{Context as _, Result, bail};
use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const TEAM: &str = "red";
const APPLICATION: &str = "clojure-web-hello-world";
const MANIFEST: &str = "examples/manifests/aws-minion-manifest.yaml";

/// What the story plays on.
pub(crate) struct Stage {
    pub(crate) binaries: PathBuf,
    /// The environment of who runs `overlord`.
    pub(crate) operator: Vec<(String, String)>,
    /// The environment of who runs `minion`: somebody of the team, once it has its place.
    pub(crate) member: Vec<(String, String)>,
    pub(crate) home: PathBuf,
    pub(crate) registry: String,
    pub(crate) emulator: Emulator,
    pub(crate) interrupted: Arc<AtomicBool>,
}

/// Up to two versions that share the traffic.
pub(crate) fn up(stage: &mut Stage) -> Result<()> {
    stage.says("A team of the organization gets its place: first what would be made, then it is.");
    stage.overlord(&format!("team plan {TEAM}"))?;
    stage.overlord(&format!("team create {TEAM}"))?;
    stage.says("The same again finds that nothing is to be done, and so does a look at all teams.");
    stage.overlord(&format!("team create {TEAM}"))?;
    stage.overlord("check")?;
    stage.overlord(&format!("team show {TEAM}"))?;
    stage.overlord("addresses")?;
    stage.enter()?;

    stage.says("From here on with the role of who deploys. A profile, once on each computer: it finds all on AWS.");
    stage.minion(&format!("configure --region {REGION} --registry {}", stage.registry))?;
    deploy(stage)
}

fn deploy(stage: &mut Stage) -> Result<()> {
    let registry = stage.registry.clone();
    let image = |tag: &str| format!("{registry}/hello-world:{tag}");

    stage.says("What would happen, and then it does.");
    stage.minion(&format!("app create {MANIFEST} --dry-run"))?;
    stage.minion(&format!("app create {MANIFEST}"))?;
    stage.says("The same again finds that nothing is to be done.");
    stage.minion(&format!("app create {MANIFEST}"))?;

    stage.says("The first version, and all traffic to it.");
    stage.minion(&format!("ver create {APPLICATION} 1.0 {}", image("0.1")))?;
    stage.minion(&format!("traffic {APPLICATION} 1.0 100"))?;
    stage.expect_weights(&[("1.0", 200)])?;

    stage.says("The second version beside it; then the traffic moves, all of it or a part.");
    stage.minion(&format!("ver create {APPLICATION} 2.0 {}", image("0.2")))?;
    stage.minion(&format!("traffic {APPLICATION} 2.0 100"))?;
    stage.expect_weights(&[("2.0", 200)])?;
    stage.minion(&format!("traffic {APPLICATION} 1.0 30"))?;
    stage.expect_weights(&[("1.0", 60), ("2.0", 140)])?;
    stage.says("A version gets exactly its share; the others keep their proportions.");
    stage.minion(&format!("traffic {APPLICATION}"))?;

    stage.says("What there is.");
    for listing in ["app", "ver", "instances", "images", "ver -o json"] {
        stage.minion(listing)?;
    }
    Ok(())
}

/// Down to nothing.
pub(crate) fn down(stage: &mut Stage) -> Result<()> {
    stage.says(
        "A version with traffic is not deleted by accident, nor an application with versions, nor a team with one.",
    );
    stage.refused("minion", &format!("ver delete {APPLICATION} 2.0 --yes"))?;
    stage.refused("minion", &format!("app delete {APPLICATION} --yes"))?;
    stage.refused("overlord", &format!("team delete {TEAM} --yes"))?;

    stage.says("Down again.");
    stage.minion(&format!("traffic {APPLICATION} 2.0 100"))?;
    stage.minion(&format!("ver delete {APPLICATION} 1.0 --yes"))?;
    stage.minion(&format!("ver delete {APPLICATION} 2.0 --force --yes"))?;
    stage.minion(&format!("app delete {APPLICATION} --yes"))?;
    stage.minion("app")?;
    stage.says("And the team goes, with all that was made for it.");
    stage.overlord(&format!("team delete {TEAM} --delete-audit-logs --yes"))?;
    stage.overlord("team list")
}

impl Stage {
    fn says(&self, sentence: &str) {
        let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("{bold}# {sentence}{plain}");
    }

    /// Takes the credentials of the team's role that deploys.
    fn enter(&mut self) -> Result<()> {
        let credentials = self.emulator.assume(RED, DEPLOYER)?;
        self.member = environment(&credentials, &self.emulator.endpoint, &self.home)?;
        Ok(())
    }

    fn overlord(&self, line: &str) -> Result<()> {
        self.run("overlord", line, 0)
    }

    /// Runs a command as a user would, and shows both; it must work.
    fn minion(&self, line: &str) -> Result<()> {
        self.run("minion", line, 0)
    }

    /// Runs a command that must be refused.
    fn refused(&self, binary: &str, line: &str) -> Result<()> {
        self.run(binary, line, 1)
    }

    fn run(&self, binary: &str, line: &str, expected: i32) -> Result<()> {
        println!("$ {binary} {line}");
        let variables = if binary == "overlord" { &self.operator } else { &self.member };
        let status = Command::new(self.binaries.join(binary))
            .args(line.split(' '))
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(workspace())
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot start {binary}"))?;
        println!();
        if self.interrupted.load(Ordering::Relaxed) {
            bail!("interrupted; nothing is left running");
        }
        if status.code() != Some(expected) {
            bail!("`{binary} {line}` ended with {status}, expected was exit code {expected}");
        }
        Ok(())
    }

    /// Looks at Route 53 itself: weights of the application's records, in units of half a percent.
    fn expect_weights(&mut self, expected: &[(&str, u32)]) -> Result<()> {
        let name = format!("{APPLICATION}.{TEAM}.{DOMAIN} A ");
        let records = self.emulator.inventory(RED)?.remove("record set").unwrap_or_default();
        let mut weights: BTreeMap<String, u32> = BTreeMap::new();
        for words in records.iter().filter_map(|record| record.strip_prefix(&name)) {
            let (identifier, weight) = words.rsplit_once(' ').with_context(|| format!("no weight in `{words}`"))?;
            weights.insert(identifier.to_owned(), weight.parse()?);
        }
        let right = weights.len() == expected.len()
            && expected.iter().all(|(version, weight)| {
                weights.iter().any(|(identifier, found)| identifier.contains(version) && found == weight)
            });
        if !right {
            bail!("Route 53 has the weights {weights:?} for {name}, expected was {expected:?}");
        }
        Ok(())
    }
}
