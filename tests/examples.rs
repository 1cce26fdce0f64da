//! Every application's file in `examples/manifests/`: create, an empty plan, a version, delete, and nothing is left.
use crate::support::{Options, Stage, workspace};
use std::{fs, panic, path::Path, thread};

fn examples() -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(workspace().join("examples/manifests")).expect("there are examples");
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    // That one is overlord's.
    files.retain(|path| !path.ends_with("team.yaml"));
    files.sort();
    assert!(!files.is_empty(), "there are examples");
    files
}

fn application_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("application_name:")).expect("an application_name");
    line.split('#').next().unwrap().trim().trim_matches(['"', '\'']).to_owned()
}

/// The account in the examples' ARNs, as AWS's own documentation has it.
const SOME_ACCOUNT: &str = "123456789012";

/// Names of the account's own managed policies that a manifest refers to.
fn policies_of(manifest: &str) -> Vec<&str> {
    let after = |line| str::split_once(line, &format!("{SOME_ACCOUNT}:policy/")).map(|(_, rest)| rest.trim());
    manifest.lines().filter_map(after).collect()
}

fn up_and_down(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let stage = Stage::with(Options::usual().with("policies", policies_of(&text)));
    let manifest = stage.file("example.yaml", text.replace(SOME_ACCOUNT, &stage.account));
    let (manifest, name) = (manifest.as_str(), application_of(file));
    let name = name.as_str();
    let plan = ["--dry-run", "--detailed-exitcode"];

    stage.minion(&[&["app", "create", manifest], &plan[..]].concat()).exits(5);
    stage.assert_as_before("a dry run");
    stage.minion(&["app", "create", manifest]).ok();
    stage.minion(&[&["app", "create", manifest], &plan[..]].concat()).ok();
    stage.minion(&[&["app", "update", manifest], &plan[..]].concat()).ok();
    stage.minion(&["app", "show", name]).ok();
    let application = stage.inventory();

    let (image, other) = (stage.image("hello-world:0.1"), stage.image("hello-world:0.2"));
    let create = ["ver", "create", name, "1.0", &image];
    stage.minion(&[&create[..], &plan[..]].concat()).exits(5);
    assert_eq!(stage.inventory(), application, "a dry run of a version changed something");
    stage.minion(&create).ok();
    stage.minion(&[&create[..], &plan[..]].concat()).ok();
    stage.minion(&create).ok();
    stage.minion(&["ver", "show", name, "1.0"]).ok();
    let version = stage.inventory();
    stage.minion(&["ver", "create", name, "1.0", &other]).fails(1);
    assert_eq!(stage.inventory(), version, "a refused version changed something");

    stage.minion(&["app", "delete", name, "--yes"]).fails(1);
    assert_eq!(stage.inventory(), version, "a refused delete changed something");
    stage.minion(&["app", "delete", name, "--cascade", "--yes", "--dry-run", "--detailed-exitcode"]).exits(5);
    assert_eq!(stage.inventory(), version, "a dry run of delete changed something");
    stage.minion(&["app", "delete", name, "--cascade", "--yes"]).ok();
    stage.assert_as_before("create and delete");
    stage.minion(&["app", "delete", name, "--cascade", "--yes"]).fails(1);
}

#[test]
fn every_example_goes_up_and_down() {
    let files = examples();
    let mut failed = Vec::new();
    // Two at a time: more would only wait for the emulator.
    for pair in files.chunks(2) {
        thread::scope(|scope| {
            let runs: Vec<_> =
                pair.iter().map(|file| (file, scope.spawn(|| panic::catch_unwind(|| up_and_down(file))))).collect();
            for (file, run) in runs {
                if !matches!(run.join(), Ok(Ok(()))) {
                    failed.push(file.file_name().unwrap());
                }
            }
        });
    }
    assert!(failed.is_empty(), "examples that fail (each said why above): {failed:?}");
}
