//! What a release left on AWS and on its users' computers: `tests/upgrade/<version>`, which `record_release.py` wrote.
use super::{Estate, Run, Shell, ask, registry, workspace};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The accounts of the story, by the names that they have there.
const ACCOUNTS: [&str; 5] = ["home", "network", "red", "blue", "green"];

/// A release that was.
pub(crate) struct Release(PathBuf);

impl Release {
    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        let directories = fs::read_dir(workspace().join("tests/upgrade")).unwrap().map(|entry| entry.unwrap().path());
        let found: Vec<Self> = directories.filter(|path| path.is_dir() && !path.ends_with("story")).map(Self).collect();
        assert!(!found.is_empty(), "nothing is known of any release");
        found
    }

    /// A file that its users had, or that it wrote on their computers.
    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.0.join("files").join(name)).unwrap()
    }

    /// Whether there is such a chapter.
    pub(crate) fn has(&self, chapter: &str) -> bool {
        self.chapter(chapter).is_file()
    }

    fn chapter(&self, chapter: &str) -> PathBuf {
        self.0.join(format!("{chapter}.jsonl"))
    }

    /// All files.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        below(&self.0)
    }
}

fn below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// An organization in which a release has worked.
pub(crate) struct Left<'a> {
    pub(crate) estate: Estate,
    release: &'a Release,
    names: BTreeMap<String, String>,
}

impl<'a> Left<'a> {
    /// An organization without teams, and the files of the operator's home directory. One of red's settings is right by
    /// itself.
    pub(crate) fn new(release: &'a Release) -> Self {
        let mut estate = Estate::empty(&ACCOUNTS);
        estate.zone("network", "example.org");
        estate.call("red", "ec2", "enable_ebs_encryption_by_default", json!({}));
        estate.remember();
        let names = ACCOUNTS.iter().map(|name| ((*name).to_owned(), estate.number(name).to_owned()));
        let names = names.chain([("registry".to_owned(), registry().to_owned())]).collect();
        let left = Self { estate, release, names };
        left.put_files(left.estate.shell());
        left
    }

    /// What is left of a chapter that ended so many seconds ago.
    pub(crate) fn play(&mut self, chapter: &str, ago: u64) {
        let accounts: BTreeMap<&str, &str> = ACCOUNTS.iter().map(|name| (*name, self.estate.number(name))).collect();
        let file = self.release.chapter(chapter);
        let request = json!({ "do": "replay", "file": file, "accounts": accounts, "names": self.names, "ago": ago });
        self.names = serde_json::from_value(ask(&request)).unwrap();
    }

    /// Somebody who deploys in red, with the files and the profiles that the release wrote.
    pub(crate) fn deployer(&self) -> Shell {
        let shell = self.estate.as_role("red", "Deployer");
        self.put_files(&shell);
        shell.file(".config/minion/config.yaml", self.file("config.yaml"));
        shell
    }

    /// The same as [`Release::file`], for these accounts.
    pub(crate) fn file(&self, name: &str) -> String {
        self.put(&self.release.file(name))
    }

    fn put_files(&self, shell: &Shell) {
        let root = self.release.0.join("files");
        for path in below(&root) {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            if name != "config.yaml" {
                shell.file(name, self.file(name));
            }
        }
    }

    /// A stored text with what its names stand for, as far as that is known: a time stays as it is.
    fn put(&self, stored: &str) -> String {
        self.names.iter().fold(stored.to_owned(), |text, (name, value)| text.replace(&format!("@{{{name}}}"), value))
    }

    /// Fails unless each listing tells what it told the release: what is new in it may be anything.
    pub(crate) fn assert_tells_as_before(&self, chapter: &str, run: impl Fn(&str) -> Run) {
        let text = fs::read_to_string(self.release.0.join(format!("{chapter}.told.json"))).unwrap();
        let told: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        assert!(!told.is_empty());
        for (command, before) in told {
            self.compare(&command, &before, &run(&command).ok().json());
        }
    }

    fn compare(&self, at: &str, before: &Value, now: &Value) {
        match (before, now) {
            (Value::Object(before), Value::Object(now)) => {
                for (key, value) in before {
                    let found = now.get(key).unwrap_or_else(|| panic!("{at} has no {key} any more: {now:#?}"));
                    self.compare(&format!("{at}.{key}"), value, found);
                }
            }
            (Value::Array(before), Value::Array(now)) => {
                assert_eq!(now.len(), before.len(), "{at}: {now:#?}");
                for (number, (before, now)) in before.iter().zip(now).enumerate() {
                    self.compare(&format!("{at}.{number}"), before, now);
                }
            }
            (Value::String(before), Value::String(now)) if before.starts_with("@{time") => {
                assert!(now.starts_with("20") && now.ends_with('Z'), "{at} is no time: {now}");
            }
            (Value::String(before), Value::String(now)) => assert_eq!(*now, self.put(before), "{at}"),
            _ => assert_eq!(now, before, "{at}"),
        }
    }
}
