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
    if text.len() as u64 > SIZE_LIMIT {
        return Err(too_large(source, &format!("{} bytes", text.len())));
    }
    if text.trim().is_empty() {
        return Err(Error::usage(format!("manifest {source} is empty"))
            .hint("The least that it needs is application_name and exposed_ports."));
    }
    // A byte order mark is no part of the text.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let manifest: Manifest = serde_yaml::from_str_with_options(body, options()).map_err(|e| shown.yaml(&e))?;
    match check::problem(&manifest) {
        None => Ok(manifest),
        Some(problem) => {
            let e = shown.error(locate::place(body, &problem.path), &problem.message);
            Err(match problem.hint {
                Some(hint) => e.hint(hint),
                None => e,
            })
        }
    }
}

fn too_large(source: &str, what: &str) -> Error {
    Error::usage(format!("manifest {source} is too large: {what}; a manifest has at most {} KiB", SIZE_LIMIT / 1024))
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
    if meta.len() > SIZE_LIMIT {
        return Err(too_large(source, &format!("{} bytes", meta.len())));
    }
    let mut bytes = Vec::new();
    // A pipe has no length: the limit holds for what is read, too.
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(too_large(source, &format!("more than {SIZE_LIMIT} bytes")));
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
            max_nodes: 50_000,
        },
        // A number like .nan is then refused by its own key, in its own words.
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::PassThrough,
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: 50_000,
            max_replay_stack_depth: 16,
        },
    }
}

/// A text, for errors that show a line of it.
struct Shown<'a> {
    text: &'a str,
    source: &'a str,
}

/// The most of a line that an error shows, in characters.
const WIDTH: usize = 100;

impl Shown<'_> {
    /// A usage error with the line that is wrong.
    fn error(&self, place: Option<Location>, message: &str) -> Error {
        let message = tame(message);
        let Some((line, column)) = place.filter(|p| p.line() > 0).map(|p| (p.line(), p.column().max(1))) else {
            return Error::usage(format!("{}: {message}", self.source));
        };
        let text = usize::try_from(line - 1).ok().and_then(|n| self.text.lines().nth(n)).unwrap_or_default();
        let at = usize::try_from(column - 1).unwrap_or(0).min(text.chars().count());
        let from = at.saturating_sub(WIDTH / 2);
        let part: String = text.chars().skip(from).take(WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let part = part.trim_end();
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let caret = " ".repeat(at - from);
        Error::usage(format!(
            "{}, line {line}, column {column}: {message}\n{margin} |\n{number} | {part}\n{margin} | {caret}^",
            self.source
        ))
    }

    /// The YAML reader's error in our words.
    fn yaml(&self, e: &serde_yaml::Error) -> Error {
        use serde_yaml::Error as Yaml;
        let mut e = e.without_snippet();
        let mut place = e.location();
        while let Yaml::AliasError { error, locations, .. } = e {
            place = Some(locations.reference_location);
            e = error.without_snippet();
        }
        let too_much = || {
            self.error(
                place,
                "too much: an alias (*name) stands for more than a manifest can hold, or the nesting is too deep",
            )
            .hint("Write the values out instead of using anchors and aliases.")
        };
        match e {
            Yaml::SerdeUnknownField { field, expected, .. } => {
                let error = self.error(place, &format!("unknown key `{field}`"));
                match nearest(field, expected) {
                    Some(key) => error.hint(format!("Did you mean `{key}`?")),
                    None => error.hint(format!("The keys here are {}.", expected.join(", "))),
                }
            }
            Yaml::SerdeUnknownVariant { variant, expected, .. } => {
                let error = self.error(place, &format!("`{variant}` is none of {}", expected.join(", ")));
                match nearest(variant, expected) {
                    Some(word) => error.hint(format!("Did you mean `{word}`?")),
                    None => error,
                }
            }
            Yaml::SerdeMissingField { field, .. } => self.error(place, &format!("`{field}` is missing")),
            Yaml::DuplicateMappingKey { key: Some(key), .. } => {
                self.error(place, &format!("the key `{key}` stands here a second time"))
            }
            Yaml::Eof { .. } => Error::usage(format!("manifest {} is empty", self.source))
                .hint("The least that it needs is application_name and exposed_ports."),
            Yaml::MultipleDocuments { .. } => self
                .error(place, "a second document begins here")
                .hint("A manifest is one document: write each application into a file of its own."),
            Yaml::Unexpected { expected, .. } => self.error(
                place,
                match *expected {
                    "sequence start" => "a list is expected here, e.g. [8080]",
                    "mapping start" => "keys with values are expected here, e.g. `application_name: myapp`",
                    "string scalar" => "one value is expected here, not a list or a map",
                    other => other,
                },
            ),
            Yaml::NullIntoString { .. } => {
                self.error(place, "a value is missing here").hint("Write \"\" where an empty text is meant.")
            }
            Yaml::InvalidScalar { ty, .. } => self.error(
                place,
                match *ty {
                    "bool" | "boolean" => "`true` or `false` is expected here",
                    "f32" | "f64" => "a number is expected here",
                    "u8" | "u16" | "u32" | "u64" => "a whole number that is not negative is expected here",
                    _ => "a whole number is expected here",
                },
            ),
            Yaml::SerdeInvalidType { expected, .. } | Yaml::SerdeInvalidValue { expected, .. } => {
                self.error(place, &format!("{expected} is expected here"))
            }
            Yaml::AliasReplayLimitExceeded { .. }
            | Yaml::AliasExpansionLimitExceeded { .. }
            | Yaml::AliasReplayStackDepthExceeded { .. }
            | Yaml::Budget { .. } => too_much(),
            other => {
                use serde_yaml::MessageFormatter as _;
                let message = serde_yaml::DefaultMessageFormatter.format_message(other);
                let error = self.error(place, &message);
                if message.contains("tabs") {
                    error.hint("Indent with spaces: YAML allows no tabs there.")
                } else {
                    error
                }
            }
        }
    }
}

/// A message without characters that would play with the terminal.
fn tame(message: &str) -> String {
    message.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// The word that was probably meant.
fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    words
        .iter()
        .map(|w| (strsim::damerau_levenshtein(word, w), *w))
        .min()
        .filter(|(distance, w)| *distance <= 1.max(w.len() / 3))
        .map(|(_, w)| w)
}
