//! Kinds of files, and reading them in bounds.
use aws_core::{Error, Result};
use std::{
    io::{ErrorKind, Read as _},
    path::Path,
};

/// The largest file, in bytes. A hundred times what a large one has; SSM keeps 4 KB in one parameter.
pub const SIZE_LIMIT: u64 = 256 * 1024;

/// What errors say of a kind of files.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What one is called: `manifest`.
    pub noun: &'static str,
    /// That, with its article: `a manifest`.
    pub one: &'static str,
    /// What one describes: `application`.
    pub about: &'static str,
    /// A sentence: what the smallest one has.
    pub least: &'static str,
    /// A key with its value, as an example: `application_name: myapp`.
    pub pair: &'static str,
    /// A list, as an example: `[8080]`.
    pub list: &'static str,
    /// Whether one may hold secrets: errors then name lines and keys, and quote neither lines nor values.
    pub secret: bool,
    /// Where a file of another kind may hold some.
    pub secret_below: &'static [SecretBelow],
}

/// A key below which somebody may have written a secret, whether it belongs there or not: errors about what is there quote
/// nothing.
#[derive(Debug, Clone, Copy)]
pub struct SecretBelow {
    /// The key, wherever it is in the file.
    pub key: &'static str,
    /// Only where one of these words is below it, in small letters; without any: always.
    pub words: &'static [&'static str],
}

impl Kind {
    /// `A manifest is one document`
    pub(crate) fn one_document(&self) -> String {
        let mut one = self.one.to_owned();
        if let Some(first) = one.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        format!("{one} is one document")
    }

    pub(crate) fn fits(&self, source: &str, bytes: u64, what: &str) -> Result<()> {
        if bytes <= SIZE_LIMIT {
            return Ok(());
        }
        let (noun, one, most) = (self.noun, self.one, SIZE_LIMIT / 1024);
        Err(Error::usage(format!("{noun} {source} is too large: {what}; {one} has at most {most} KiB")))
    }
}

/// The text of a file, read in bounds.
///
/// # Errors
/// Usage errors: no such file, a directory, larger than [`SIZE_LIMIT`], not UTF-8.
pub fn read(path: &Path, kind: &Kind) -> Result<String> {
    let (noun, source) = (kind.noun, path.display().to_string());
    let which = || format!("Name the YAML file that describes the {}.", kind.about);
    let io = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => Error::usage(format!("{noun} {source} does not exist")).hint(which()),
        _ => Error::usage(format!("{noun} {source} cannot be read: {e}")),
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if meta.is_dir() {
        return Err(Error::usage(format!("{source} is a directory, not {}", kind.one)).hint(which()));
    }
    kind.fits(&source, meta.len(), &format!("{} bytes", meta.len()))?;
    let mut bytes = Vec::new();
    // A pipe has no length: the limit holds for what is read, too.
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(io)?;
    kind.fits(&source, bytes.len() as u64, &format!("more than {SIZE_LIMIT} bytes"))?;
    String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = good.iter().filter(|b| **b == b'\n').count() + 1;
        Error::usage(format!("{noun} {source}, line {line}: not UTF-8 text"))
            .hint("Save the file with the encoding UTF-8.")
    })
}
