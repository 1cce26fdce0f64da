//! From a file to a checked [`Manifest`]. Errors show file, line, column and the line itself.
use super::{Manifest, check, locate};
use aws_core::{Error, Result};
use serde_yaml::Location;
use std::{io::Read as _, path::Path};

/// The largest manifest, in bytes. A hundred times what a large one has; SSM keeps 4 KB in one parameter.
pub const SIZE_LIMIT: u64 = 256 * 1024;

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
    let source = path.display().to_string();
    let text = read(path, &source)?;
    let manifest = parse(&text, &source)?;
    let warnings = check::warnings(&manifest);
    Ok(Loaded { manifest, text, warnings })
}

/// Reads a manifest from a text; `source` is what errors call it.
///
/// # Errors
/// Usage errors that show the line that is wrong.
pub fn parse(text: &str, source: &str) -> Result<Manifest> {
    let shown = Shown { text, source };
    let manifest: Manifest =
        serde_yaml::from_str_with_options(text, options()).map_err(|e| Error::usage(e.to_string()))?;
    match check::problem(&manifest) {
        None => Ok(manifest),
        Some(problem) => {
            let e = shown.error(locate::place(text, &problem.path), &problem.message);
            Err(match problem.hint {
                Some(hint) => e.hint(hint),
                None => e,
            })
        }
    }
}

/// The text of a file, read in bounds.
fn read(path: &Path, source: &str) -> Result<String> {
    let io = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("manifest {source} does not exist"))
            .hint("Name the YAML file that describes the application."),
        _ => Error::usage(format!("manifest {source} cannot be read: {e}")),
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if meta.is_dir() {
        return Err(Error::usage(format!("{source} is a directory, not a manifest"))
            .hint("Name the YAML file that describes the application."));
    }
    let too_large = |what: String| {
        Error::usage(format!(
            "manifest {source} is too large: {what}; a manifest has at most {} KiB",
            SIZE_LIMIT / 1024
        ))
    };
    if meta.len() > SIZE_LIMIT {
        return Err(too_large(format!("{} bytes", meta.len())));
    }
    let mut bytes = Vec::new();
    // A pipe has no length: the limit holds for what is read, too.
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(too_large(format!("more than {SIZE_LIMIT} bytes")));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = good.iter().filter(|b| **b == b'\n').count() + 1;
        Error::usage(format!("manifest {source}, line {line}: not UTF-8 text"))
            .hint("Save the file with the encoding UTF-8.")
    })
}

/// How YAML is read: no more of anything than a manifest can need.
pub(super) fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 100_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_depth: 32,
            max_documents: 1,
            max_nodes: 50_000,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: 50_000,
            max_replay_stack_depth: 16,
        },
        strict_booleans: false,
    }
}

/// A text, for errors that show a line of it.
struct Shown<'a> {
    text: &'a str,
    source: &'a str,
}
impl Shown<'_> {
    fn error(&self, place: Option<Location>, message: &str) -> Error {
        let _ = (self.text, place);
        Error::usage(format!("{}: {message}", self.source))
    }
}
