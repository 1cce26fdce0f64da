//! The Docker engine, as its command line tells of it.
use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

/// What everything that the tests make in the engine themselves is labelled with.
pub(super) const LABEL: &str = "minion-test";

/// Runs `docker` with these arguments; its output, line by line.
pub(crate) fn docker(arguments: &[&str]) -> Vec<String> {
    let run = Command::new("docker").args(arguments).stdin(Stdio::null()).output().expect("docker starts");
    assert!(run.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Every container, network and volume in the engine, one line each: kind, name, label of the sandbox that made it.
pub(super) fn belongings() -> BTreeSet<String> {
    const SANDBOX: &str = r#"{{.Label "minion-sandbox"}}"#;
    let listed = |kind: &str, arguments: &[&str], name: &str| {
        let format = format!("{kind} {name} {SANDBOX}");
        docker(&[arguments, &["--format", &format]].concat())
    };
    let mut all = BTreeSet::new();
    all.extend(listed("container", &["ps", "--all"], "{{.Names}}"));
    all.extend(listed("network", &["network", "ls"], "{{.Name}}"));
    all.extend(listed("volume", &["volume", "ls"], "{{.Name}}"));
    all
}

/// Removes the images that the tests have built.
pub(super) fn remove_images() {
    let ours = format!("label={LABEL}");
    let images: BTreeSet<_> = docker(&["images", "--all", "--quiet", "--filter", &ours]).into_iter().collect();
    // One that another needs goes with that.
    let _ = Command::new("docker").args(["rmi", "--force"]).args(images).stdout(Stdio::null()).status();
}
