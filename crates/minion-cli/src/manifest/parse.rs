//! From a file to a checked [`Manifest`]. Errors show file, line, column and the line itself.
use super::{Manifest, check};
use aws_core::Result;
use files::{Kind, Text};
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
}

/// Reads a manifest from a file.
///
/// # Errors
/// Usage errors: no such file, a directory, too large, not UTF-8, and all those of [`parse`].
pub fn load(path: &Path) -> Result<Loaded> {
    let text = files::read(path, &MANIFEST)?;
    let manifest = parse(&text, &path.display().to_string())?;
    let warnings = check::warnings(&manifest);
    Ok(Loaded { manifest, text, warnings })
}

/// Reads a manifest from a text; `source` is what errors call it.
///
/// # Errors
/// Usage errors that show the line that is wrong.
pub fn parse(text: &str, source: &str) -> Result<Manifest> {
    let text = Text { kind: &MANIFEST, source, text };
    let manifest: Manifest = text.parse()?;
    match check::problem(&manifest) {
        None => Ok(manifest),
        Some(problem) => Err(text.wrong(&problem)),
    }
}
