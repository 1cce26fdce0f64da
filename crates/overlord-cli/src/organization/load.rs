//! Finding and reading the files.
use super::{Organization, TeamFile, check};
use aws_core::{Error, Result};
use files::{Kind, Problem, Text};
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What the organization's file is called.
pub const FILE: &str = "overlord.yaml";

/// What errors say of the organization's file.
const ORGANIZATION: Kind = Kind {
    noun: "organization file",
    one: "an organization file",
    about: "organization",
    least: "The least that it needs is organization and addresses: `organization: acme` and \
            `addresses: {pool: [10.0.0.0/8]}`.",
    pair: "organization: acme",
    list: "[eu-west-1]",
    secret: false,
    secret_below: &[],
};
/// What errors say of a team's file.
const TEAM: Kind = Kind {
    noun: "team file",
    one: "a team file",
    about: "team",
    least: "The least that it needs is the team's name: `team: red`.",
    pair: "team: red",
    list: "[eu-west-1]",
    secret: false,
    secret_below: &[],
};

/// The organization's file, read and checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it says.
    pub organization: Organization,
    /// The file.
    pub path: PathBuf,
    /// Its directory: what paths in it start from.
    pub root: PathBuf,
    /// Its text.
    pub text: String,
}

/// A team's file, read; what it says is checked together with the organization's by [`super::resolve()`].
#[derive(Debug, Clone)]
pub struct LoadedTeam {
    /// What it says.
    pub file: TeamFile,
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Loaded {
    /// What is allowed but probably not meant: whole sentences.
    pub fn warnings(&self) -> Vec<String> {
        check::warnings(&self.organization)
    }

    /// For errors that show a line.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown { kind: &ORGANIZATION, path: &self.path, text: &self.text }
    }
}

impl LoadedTeam {
    /// For errors that show a line.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown { kind: &TEAM, path: &self.path, text: &self.text }
    }
}

/// A file's text, for errors that show a line.
pub(super) struct Shown<'a> {
    kind: &'static Kind,
    path: &'a Path,
    text: &'a str,
}

impl Shown<'_> {
    /// A usage error with the line that is wrong.
    pub(super) fn wrong(&self, problem: &Problem) -> Error {
        let source = self.path.display().to_string();
        Text { kind: self.kind, source: &source, text: self.text }.wrong(problem)
    }
}

/// The organization's file: the one that is named, or the nearest [`FILE`] in `from` and the directories above.
///
/// # Errors
/// A usage error when there is none; it names `--config` and says how to start.
pub fn find(config: Option<&Path>, from: &Path) -> Result<PathBuf> {
    if let Some(config) = config {
        return Ok(config.to_owned());
    }
    let found = from.ancestors().map(|directory| directory.join(FILE)).find(|path| path.is_file());
    found.ok_or_else(|| {
        Error::usage(format!("there is no {FILE} in {} or a directory above it", from.display()))
            .hint("Name the organization's file with --config FILE, or go to the directory where it is.")
            .hint(format!(
                "To start, write {FILE} with an organization's name, its addresses, and the region of its records: \
                 `organization: acme`, `addresses: {{pool: [10.0.0.0/8]}}` and `accounts: {{home: {{region: eu-west-1}}}}`. \
                 docs/organization.md has all keys."
            ))
    })
}

/// Reads the organization's file.
///
/// # Errors
/// Usage errors that show the line that is wrong.
pub fn load(path: &Path) -> Result<Loaded> {
    parse(path, files::read(path, &ORGANIZATION)?)
}

/// Reads an organization's file from its text; `path` is where it stands.
///
/// # Errors
/// Usage errors that show the line that is wrong.
pub fn parse(path: &Path, text: String) -> Result<Loaded> {
    let organization = read(path, &text, &ORGANIZATION, check::organization)?;
    let root = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok(Loaded { organization, path: path.to_owned(), root, text })
}

/// Reads a team's file.
///
/// # Errors
/// Usage errors that show the line that is wrong.
pub fn load_team(path: &Path) -> Result<LoadedTeam> {
    parse_team(path, files::read(path, &TEAM)?)
}

/// Reads a team's file from its text; `path` is where it stands.
///
/// # Errors
/// Usage errors that show the line that is wrong.
pub fn parse_team(path: &Path, text: String) -> Result<LoadedTeam> {
    let file = read(path, &text, &TEAM, check::team)?;
    Ok(LoadedTeam { file, path: path.to_owned(), text })
}

/// What a file says.
fn read<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    kind: &'static Kind,
    check: fn(&T) -> check::Checked,
) -> Result<T> {
    let value = Text { kind, source: &path.display().to_string(), text }.parse()?;
    check(&value).map_err(|problem| Shown { kind, path, text }.wrong(&problem))?;
    Ok(value)
}

/// The team files that the organization has: those that `team_files` names, or `teams/*.yaml` beside its file.
///
/// # Errors
/// Those of [`load_team`]; a usage error when two are the same team's.
pub fn team_files(loaded: &Loaded) -> Result<Vec<LoadedTeam>> {
    let paths = team_paths(loaded)?;
    let mut files: Vec<LoadedTeam> = Vec::new();
    let mut seen = BTreeMap::new();
    for path in paths {
        let file = load_team(&path)?;
        let team = file.file.team.clone();
        if let Some(first) = seen.insert(team.clone(), path.clone()) {
            return Err(Error::usage(format!("team {team} has two files: {} and {}", first.display(), path.display()))
                .hint("Keep one of them, or correct the name in the other."));
        }
        files.push(file);
    }
    Ok(files)
}

/// Where the teams' files are, unread.
///
/// # Errors
/// A usage error when the directory cannot be read.
pub fn team_paths(loaded: &Loaded) -> Result<Vec<PathBuf>> {
    match &loaded.organization.team_files {
        Some(paths) => Ok(paths.iter().map(|path| loaded.root.join(path)).collect()),
        None => beside(&loaded.root.join("teams")),
    }
}

/// YAML files of a directory in the order of names; none when it is not there.
fn beside(directory: &Path) -> Result<Vec<PathBuf>> {
    let io = |e: std::io::Error| Error::usage(format!("directory {} cannot be read: {e}", directory.display()));
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io(e)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
