//! From a file to a checked [`Manifest`]. Errors show file, line, column and the line itself.
use super::{Manifest, check, limits};
use aws_core::{Error, Result};
use files::{Kind, Problem, SecretBelow, Text};
use std::path::Path;

pub use files::SIZE_LIMIT;

/// What errors say of manifests.
const MANIFEST: Kind = Kind {
    noun: "manifest",
    one: "a manifest",
    about: "application",
    least: "The least that it needs is application_name and exposed_ports.",
    pair: "application_name: myapp",
    list: "[8080]",
    secret: false,
    secret_below: &[
        // The value itself, where a reference to it belongs.
        SecretBelow { key: "secrets", words: &[] },
        SecretBelow { key: "registry_credentials", words: &[] },
        // Those of log drivers; one of Splunk cannot do without.
        SecretBelow { key: "options", words: &["token", "password", "secret", "key", "splunk"] },
    ],
};

/// A manifest, the text that it came from, and what is allowed but probably not meant.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The manifest.
    pub manifest: Manifest,
    /// The user's own text: this is what is stored.
    pub text: String,
    /// Whole sentences.
    pub warnings: Vec<String>,
    /// What errors call the file.
    source: String,
}

impl Loaded {
    /// A usage error with the line that is wrong.
    pub fn wrong(&self, problem: &Problem) -> Error {
        Text { kind: &MANIFEST, source: &self.source, text: &self.text }.wrong(problem)
    }
}

/// Reads a manifest from a file: one of an application to be made or changed.
///
/// # Errors
/// Usage errors: no such file, a directory, too large, not UTF-8, and all those of [`parse_new`].
pub fn load(path: &Path) -> Result<Loaded> {
    let text = files::read(path, &MANIFEST)?;
    let source = path.display().to_string();
    let manifest = parse_new(&text, &source)?;
    let warnings = check::warnings(&manifest);
    Ok(Loaded { manifest, text, warnings, source })
}

/// As [`parse`], and refuses what YAML would drop, and what AWS or Docker would refuse: all of it at once. A manifest that is
/// stored was once accepted, and is read without this.
///
/// # Errors
/// Usage errors that show the lines that are wrong.
pub fn parse_new(text: &str, source: &str) -> Result<Manifest> {
    let text = Text { kind: &MANIFEST, source, text };
    let manifest = checked(text, text.parse()?)?;
    Error::together(limits::problems(&manifest).iter().map(|problem| Err(text.wrong(problem))))?;
    Ok(manifest)
}

/// Reads a manifest that is stored; `source` is what errors call it. A rule that is newer than a manifest which may be
/// stored belongs to [`limits`], not to a value's type and not to [`check`]: else nothing of an older application can be
/// looked at or deleted.
///
/// # Errors
/// Usage errors that show the line that is wrong.
pub fn parse(text: &str, source: &str) -> Result<Manifest> {
    let text = Text { kind: &MANIFEST, source, text };
    checked(text, text.parse_stored()?)
}

/// What to do about a stored manifest from which no version can be created.
pub(crate) const FIX_STORED: &str = "Fix the manifest and run `minion applications update MANIFEST`.";

/// As [`parse`], for a version to be created: refuses also what AWS or Docker would refuse of a version, all of it at once.
///
/// # Errors
/// Usage errors that show the lines that are wrong.
pub fn parse_for_version(text: &str, source: &str) -> Result<Manifest> {
    let text = Text { kind: &MANIFEST, source, text };
    let manifest = checked(text, text.parse_stored()?)?;
    let problems = limits::of_version(&manifest);
    Error::together(problems.iter().map(|problem| Err(text.wrong(problem)))).map_err(|e| e.hint(FIX_STORED))?;
    Ok(manifest)
}

fn checked(text: Text<'_>, manifest: Manifest) -> Result<Manifest> {
    match check::problem(&manifest) {
        None => Ok(manifest),
        Some(problem) => Err(text.wrong(&problem)),
    }
}
