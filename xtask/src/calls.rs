//! The AWS calls that `minion` makes in the end-to-end tests, and the list that is checked in.
//!
//! The policy of the role that deploys is generated and checked against that list: a call that is missing there is one
//! that `minion` would be refused in a team's account.
use crate::cargo::workspace;
use anyhow::{Context as _, Result, bail};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// The list, from the workspace's root.
const LIST: &str = "tests/minion-calls.txt";
/// An emulator ends a moment after the tests that it served.
const END: Duration = Duration::from_secs(30);

/// Where the emulators of a test run leave what was called.
pub(crate) struct Recording(tempfile::TempDir);

impl Recording {
    /// An empty one.
    pub(crate) fn start() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    /// The directory: the value of MINION_CALLS.
    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    /// The calls of all emulators, once they have ended.
    fn calls(&self) -> Result<BTreeSet<String>> {
        let until = Instant::now() + END;
        while !self.files("running")?.is_empty() {
            if Instant::now() > until {
                bail!("an emulator did not end: its calls are not known");
            }
            thread::sleep(Duration::from_millis(20));
        }
        let mut calls = BTreeSet::new();
        for file in self.files("calls")? {
            calls.extend(fs::read_to_string(file)?.lines().map(str::to_owned));
        }
        if calls.is_empty() {
            bail!("no call of minion was noted: have the end-to-end tests run?");
        }
        Ok(calls)
    }

    fn files(&self, extension: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.directory())? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
        Ok(found)
    }

    /// Compares with the list that is checked in, or rewrites it.
    pub(crate) fn end(&self, write: bool) -> Result<()> {
        let made = self.calls()?;
        let path = workspace().join(LIST);
        if write {
            let text: String = made.iter().map(|call| format!("{call}\n")).collect();
            fs::write(&path, text).with_context(|| format!("cannot write {LIST}"))?;
            eprintln!("{LIST} has the {} calls that minion made.", made.len());
            return Ok(());
        }
        let listed = fs::read_to_string(&path).with_context(|| format!("cannot read {LIST}"))?;
        let listed = listed.lines().map(str::to_owned).collect();
        match differences(&listed, &made) {
            None => Ok(()),
            Some(told) => bail!(
                "{told}\nIf that is meant, `cargo xtask test --record` rewrites {LIST}; the Deployer role's policy must fit it."
            ),
        }
    }
}

/// What differs between the list and the calls that were made.
fn differences(listed: &BTreeSet<String>, made: &BTreeSet<String>) -> Option<String> {
    let lines = |title: &str, calls: Vec<&String>| {
        let rows: String = calls.iter().map(|call| format!("\n  {call}")).collect();
        (!calls.is_empty()).then(|| format!("{title}:{rows}"))
    };
    let new = lines(&format!("minion makes calls that are not in {LIST}"), made.difference(listed).collect());
    let old = lines(&format!("{LIST} has calls that minion no longer makes"), listed.difference(made).collect());
    let told: Vec<String> = new.into_iter().chain(old).collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_superfluous_calls_are_told() {
        let set = |calls: &[&str]| calls.iter().map(|call| (*call).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(differences(&set(&["a:B"]), &set(&["a:B"])), None);
        let told = differences(&set(&["a:B", "a:C"]), &set(&["a:B", "a:D"])).unwrap();
        assert!(told.contains("not in tests/minion-calls.txt:\n  a:D"), "{told}");
        assert!(told.contains("no longer makes:\n  a:C"), "{told}");
    }

    #[test]
    fn the_emulators_files_are_put_together() {
        let recording = Recording::start().unwrap();
        assert!(recording.calls().is_err(), "no emulator at all");
        fs::write(recording.directory().join("1.calls"), "a:B\na:C\n").unwrap();
        fs::write(recording.directory().join("2.running"), "").unwrap();
        let directory = recording.directory().to_owned();
        let ends = thread::spawn(move || {
            fs::write(directory.join("2.running"), "a:C\na:D\n").unwrap();
            fs::rename(directory.join("2.running"), directory.join("2.calls")).unwrap();
        });
        assert_eq!(recording.calls().unwrap().into_iter().collect::<Vec<_>>(), ["a:B", "a:C", "a:D"]);
        ends.join().unwrap();
    }
}
