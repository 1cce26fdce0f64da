//! What is booted: the directories of `tests/boot/scenarios`.
use crate::cargo::workspace;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A scenario: an application's manifest, and what must come of it.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The directory's name.
    pub(crate) name: String,
    /// The application's manifest.
    pub(crate) manifest: PathBuf,
    /// `scenario.json` as it is: the virtual machine reads it too.
    pub(crate) text: String,
    /// The same, as far as the host needs it.
    pub(crate) plan: Plan,
}

/// `scenario.json`. The virtual machine reads it too (`tests/boot/guest`): a name that neither knows is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what the virtual machine reads is here so that its names are checked")]
pub(crate) struct Plan {
    /// What it shows, in one sentence.
    pub(crate) about: String,
    /// Repository of the image (`app_image.py`).
    pub(crate) image: String,
    /// Deadline of the whole scenario.
    pub(crate) minutes: u64,
    /// NVMe disks beside the root disk.
    #[serde(default)]
    pub(crate) disks: Vec<Disk>,
    /// Programs that user data does not find, of those that its table calls optional.
    #[serde(default)]
    without: Vec<String>,
    /// What AWS knows.
    aws: Aws,
    /// What the serial console says.
    pub(crate) console: Console,
    /// What must be true after each boot.
    pub(crate) wanted: Wanted,
}

/// An NVMe disk, empty at first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disk {
    /// `ebs-<device>` for a volume, `AWS..` for an instance store (`60-boot-proof.rules`).
    pub(crate) serial: String,
    pub(crate) mib: u64,
}

/// What AWS knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "aws.py and registry.py read it")]
struct Aws {
    registry_password: String,
    /// Of Systems Manager: name to value.
    parameters: BTreeMap<String, String>,
    /// Of Secrets Manager: id to value.
    secrets: BTreeMap<String, String>,
    /// Operation to the message of the error `AccessDeniedException`.
    #[serde(default)]
    denied: BTreeMap<String, String>,
}

/// What the serial console says, from the first boot to the end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Console {
    /// Each of these, exactly once.
    #[serde(default)]
    pub(crate) once: Vec<String>,
    /// Each of these, at least once.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// None of these, and no secret.
    #[serde(default)]
    pub(crate) never: Vec<String>,
}

/// What must be true after each boot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "check.py reads it")]
pub(crate) struct Wanted {
    /// How often the virtual machine boots.
    pub(crate) boots: u64,
    /// Whether user data fails, and there is no container.
    fails: bool,
    /// The port on which the application answers.
    port: Option<u16>,
    /// User and group of the container; 1000:1000 unless it says otherwise.
    user: Option<String>,
    /// Whether the registry gave out a manifest.
    pulls: bool,
    /// All calls of AWS, each once: operation and what it asks for.
    calls: Option<Vec<String>>,
    /// Variables of the container.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// What no file of the instance may have in it, and no line of the console.
    #[serde(default)]
    pub(crate) secret: Vec<String>,
    /// A line of the container's output that CloudWatch Logs gets at each boot.
    logged: Option<String>,
    /// Files to which each start of the container appends a line.
    #[serde(default)]
    kept: Vec<String>,
    #[serde(default)]
    file_systems: Vec<FileSystem>,
}

/// A file system of the instance.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "check.py reads it")]
struct FileSystem {
    /// Where it is mounted.
    at: String,
    /// A pattern of the device.
    on: String,
    /// Size of the device.
    mib: u64,
}

/// All scenarios, or those of these names, in the order of their names.
pub(crate) fn load(names: &[String]) -> Result<Vec<Scenario>> {
    let directory = workspace().join("tests/boot/scenarios");
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))? {
        found.push(read(&entry?.path())?);
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let all = found.iter().map(|scenario| scenario.name.clone()).collect::<Vec<_>>();
    for name in names {
        ensure!(all.contains(name), "scenario `{name}` does not exist; there are {}", all.join(", "));
    }
    found.retain(|scenario| names.is_empty() || names.contains(&scenario.name));
    Ok(found)
}

fn read(directory: &Path) -> Result<Scenario> {
    let name = directory.file_name().context("a scenario is a directory")?.to_string_lossy().into_owned();
    let path = directory.join("scenario.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let plan = serde_json::from_str(&text).with_context(|| format!("{} is not a scenario", path.display()))?;
    Ok(Scenario { name, manifest: directory.join("manifest.yaml"), text, plan })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenarios_are_sound() {
        let all = load(&[]).unwrap();
        assert!(all.len() >= 6, "{all:?}");
        let images = fs::read_to_string(workspace().join("tests/boot/app_image.py")).unwrap();
        for Scenario { name, manifest, plan, .. } in &all {
            assert!(manifest.is_file(), "{name} has no manifest");
            assert!(images.contains(&format!("\"{}\"", plan.image)), "{name}: no image {}", plan.image);
            // One that compares nothing with the console would not notice that user data never ran.
            assert!(!plan.console.once.is_empty() && !plan.console.never.is_empty(), "{name} expects nothing");
            assert!(plan.wanted.boots > 0 && plan.minutes > 0, "{name} never boots");
            assert!(plan.wanted.fails == plan.wanted.port.is_none(), "{name}: only a container answers");
        }
    }

    #[test]
    fn a_name_that_nobody_reads_is_refused() {
        let good = load(&["whole".to_owned()]).unwrap().remove(0).text;
        for (name, wrong) in [("once", "onze"), ("boots", "boot"), ("file_systems", "filesystems"), ("aws", "AWS")] {
            let bad = good.replacen(&format!("\"{name}\":"), &format!("\"{wrong}\":"), 1);
            assert_ne!(bad, good);
            let error = serde_json::from_str::<Plan>(&bad).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
        assert!(load(&["nothing".to_owned()]).unwrap_err().to_string().contains("there are full-disk, "));
    }
}
