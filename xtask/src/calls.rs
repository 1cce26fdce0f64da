//! The AWS calls that `minion` makes in the end-to-end tests, and the list that is checked in.
//!
//! The policy of the role that deploys is generated and checked against that list: a call that is missing there is one
//! that `minion` would be refused in a team's account. A call that no test can make stands there all the same, with the
//! reason: `service:Operation  # reason`.
use crate::cargo::workspace;
use anyhow::{Context as _, Result, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
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
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {LIST}"))?;
        let listed = read(&text);
        if write {
            fs::write(&path, rewritten(&listed, &made)).with_context(|| format!("cannot write {LIST}"))?;
            eprintln!("{LIST} has the {} calls that minion made.", made.len());
            return Ok(());
        }
        match differences(&listed, &made) {
            None => Ok(()),
            Some(told) => bail!(
                "{told}\nIf that is meant, `cargo xtask test --record` rewrites {LIST}; the Deployer role's policy must fit it."
            ),
        }
    }
}

/// The calls of the list, each with the reason why no test makes it.
type Listed = BTreeMap<String, Option<String>>;

fn read(text: &str) -> Listed {
    let line = |line: &str| match line.split_once('#') {
        Some((call, reason)) => (call.trim().to_owned(), Some(reason.trim().to_owned())),
        None => (line.trim().to_owned(), None),
    };
    text.lines().map(line).filter(|(call, _)| !call.is_empty()).collect()
}

/// The list with the calls that were made, and those that are there with a reason.
fn rewritten(listed: &Listed, made: &BTreeSet<String>) -> String {
    let unmade = listed.iter().filter(|(call, reason)| reason.is_some() && !made.contains(*call));
    let lines: BTreeMap<&String, Option<&String>> =
        unmade.map(|(call, reason)| (call, reason.as_ref())).chain(made.iter().map(|call| (call, None))).collect();
    lines.into_iter().fold(String::new(), |mut text, (call, reason)| {
        text.push_str(call);
        if let Some(reason) = reason {
            // Writing into a string does not fail.
            let _ = write!(text, "  # {reason}");
        }
        text.push('\n');
        text
    })
}

/// What differs between the list and the calls that were made.
fn differences(listed: &Listed, made: &BTreeSet<String>) -> Option<String> {
    let lines = |title: &str, calls: Vec<&String>| {
        let rows: String = calls.iter().map(|call| format!("\n  {call}")).collect();
        (!calls.is_empty()).then(|| format!("{title}:{rows}"))
    };
    let marked = |call: &&String| listed.get(*call).is_some_and(Option::is_some);
    let new = made.iter().filter(|call| !listed.contains_key(*call)).collect();
    let old = listed.iter().filter(|(call, reason)| reason.is_none() && !made.contains(*call)).map(|(call, _)| call);
    let new = lines(&format!("minion makes calls that are not in {LIST}"), new);
    let old = lines(&format!("{LIST} has calls that minion no longer makes"), old.collect());
    let seen = lines(
        &format!("{LIST} has a reason why no test makes these calls, and one does: remove what stands behind them"),
        made.iter().filter(marked).collect(),
    );
    let told: Vec<String> = new.into_iter().chain(old).chain(seen).collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_superfluous_calls_are_told() {
        let made = |calls: &[&str]| calls.iter().map(|call| (*call).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(differences(&read("a:B\n"), &made(&["a:B"])), None);
        let told = differences(&read("a:B\na:C\n"), &made(&["a:B", "a:D"])).unwrap();
        assert!(told.contains("not in tests/minion-calls.txt:\n  a:D"), "{told}");
        assert!(told.contains("no longer makes:\n  a:C"), "{told}");
    }

    #[test]
    fn a_call_that_no_test_makes_has_its_reason() {
        let made = |calls: &[&str]| calls.iter().map(|call| (*call).to_owned()).collect::<BTreeSet<_>>();
        let listed = read("a:B\na:C  # needs a moon\n");
        assert_eq!(differences(&listed, &made(&["a:B"])), None);
        let told = differences(&listed, &made(&["a:B", "a:C"])).unwrap();
        assert!(told.contains("one does: remove what stands behind them:\n  a:C"), "{told}");
        assert_eq!(rewritten(&listed, &made(&["a:A"])), "a:A\na:C  # needs a moon\n");
        assert_eq!(rewritten(&listed, &made(&["a:C"])), "a:C\n");
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
