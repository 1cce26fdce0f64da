//! The story that the demo tells: an application, two versions, traffic from one to the other.
use crate::{
    cargo::workspace,
    emulator::{Emulator, text},
};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
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

const APPLICATION: &str = "clojure-web-hello-world";
const MANIFEST: &str = "examples/manifests/aws-minion-manifest.yaml";

/// What the story plays on.
pub(crate) struct Stage {
    pub(crate) binaries: PathBuf,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) registry: String,
    pub(crate) place: Value,
    pub(crate) emulator: Emulator,
    pub(crate) interrupted: Arc<AtomicBool>,
}

/// Up to two versions that share the traffic.
pub(crate) fn up(stage: &mut Stage) -> Result<()> {
    let place = |name: &str| text(&stage.place, name);
    let (region, vpc, domain) = (place("region")?, place("vpc")?, place("domain")?);
    let certificate = place("certificate_arn")?;
    let registry = stage.registry.clone();
    let image = |tag: &str| format!("{registry}/hello-world:{tag}");

    stage.says("A profile, once on each computer. It finds what it can on AWS; flags answer the rest.");
    stage.minion(&format!(
        "configure --region {region} --vpc {vpc} --domain {domain} --certificate-arn {certificate} --registry {registry}"
    ))?;

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
    stage.says("A version with traffic is not deleted by accident, nor an application with versions.");
    stage.refused(&format!("ver delete {APPLICATION} 2.0 --yes"))?;
    stage.refused(&format!("app delete {APPLICATION} --yes"))?;

    stage.says("Down again.");
    stage.minion(&format!("traffic {APPLICATION} 2.0 100"))?;
    stage.minion(&format!("ver delete {APPLICATION} 1.0 --yes"))?;
    stage.minion(&format!("ver delete {APPLICATION} 2.0 --force --yes"))?;
    stage.minion(&format!("app delete {APPLICATION} --yes"))?;
    stage.minion("app")
}

impl Stage {
    fn says(&self, sentence: &str) {
        let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("{bold}# {sentence}{plain}");
    }

    /// Runs a command as a user would, and shows both; it must work.
    fn minion(&self, line: &str) -> Result<()> {
        self.run(line, 0)
    }

    /// Runs a command that must be refused.
    fn refused(&self, line: &str) -> Result<()> {
        self.run(line, 1)
    }

    fn run(&self, line: &str, expected: i32) -> Result<()> {
        println!("$ minion {line}");
        let status = Command::new(self.binaries.join("minion"))
            .args(line.split(' '))
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(workspace())
            .stdin(Stdio::null())
            .status()
            .context("cannot start minion")?;
        println!();
        if self.interrupted.load(Ordering::Relaxed) {
            bail!("interrupted; nothing is left running");
        }
        if status.code() != Some(expected) {
            bail!("`minion {line}` ended with {status}, expected was exit code {expected}");
        }
        Ok(())
    }

    /// Looks at Route 53 itself: weights of the application's records, in units of half a percent.
    fn expect_weights(&mut self, expected: &[(&str, u32)]) -> Result<()> {
        let name = format!("{APPLICATION}.{} A ", text(&self.place, "domain")?);
        let records = self.emulator.inventory()?.remove("record set").unwrap_or_default();
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
