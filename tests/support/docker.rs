//! The Docker engine, as its command line tells of it.
use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

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

/// Removes the images of this registry.
pub(super) fn remove_images(registry: &str) {
    let images = docker(&["images", "--all", "--format", "{{.Repository}} {{.ID}}"]);
    let ours = images.iter().filter_map(|line| line.strip_prefix(registry)?.rsplit_once(' '));
    let ids: BTreeSet<_> = ours.map(|(_, id)| id).collect();
    // One that is not there any more went with another.
    let _ = Command::new("docker").args(["rmi", "--force"]).args(ids).output();
}
