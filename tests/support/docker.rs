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

/// Removes the images of this registry. What goes wrong is not told: it is the last thing that a test does.
pub(super) fn remove_images(registry: &str) {
    let list = Command::new("docker").args(["images", "--all", "--format", "{{.Repository}} {{.ID}}"]).output();
    let list = list.map(|run| String::from_utf8_lossy(&run.stdout).into_owned()).unwrap_or_default();
    let ours = list.lines().filter_map(|line| line.strip_prefix(registry)?.rsplit_once(' '));
    let ids: BTreeSet<_> = ours.map(|(_, id)| id).collect();
    let _ = Command::new("docker").args(["rmi", "--force"]).args(ids).output();
}
