//! From a text to a value. Errors show file, line, column and the line itself.
use crate::{Kind, locate, locate::Step};
use aws_core::{Error, Result};
use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_yaml::Location;
use std::str::FromStr;

/// A text of some kind, for errors that show a line of it.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// What it is.
    pub kind: &'a Kind,
    /// What errors call it: the file's path.
    pub source: &'a str,
    /// The text.
    pub text: &'a str,
}

/// Something wrong that YAML cannot tell, and where.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The way to it; the innermost step that the text has is shown.
    pub path: Vec<Step>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(path: &[Step], message: impl Into<String>) -> Self {
        Self { path: path.to_vec(), message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl Text<'_> {
    /// The value that the text describes.
    ///
    /// # Errors
    /// Usage errors that show the line that is wrong.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        self.kind.fits(self.source, self.text.len() as u64, &format!("{} bytes", self.text.len()))?;
        if self.text.trim().is_empty() {
            return Err(self.empty());
        }
        serde_yaml::from_str_with_options(self.body(), options()).map_err(|e| self.yaml(&e))
    }

    /// A usage error with the line that is wrong.
    pub fn wrong(&self, problem: &Problem) -> Error {
        let e = self.error(locate::place(self.body(), &problem.path), &problem.message);
        match &problem.hint {
            Some(hint) => e.hint(hint.clone()),
            None => e,
        }
    }

    /// A byte order mark is no part of the text.
    fn body(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(self.text)
    }

    fn empty(&self) -> Error {
        Error::usage(format!("{} {} is empty", self.kind.noun, self.source)).hint(self.kind.least)
    }
}

/// How YAML is read: no more of anything than a file that people write can need.
pub(crate) fn options() -> serde_yaml::Options {
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

/// A value whose text is checked by `FromStr`: an error's hints stand behind its message. For serde's
/// `deserialize_with`.
///
/// # Errors
/// What the check says; and when there is no text.
pub fn from_text<'de, D: Deserializer<'de>, T: FromStr<Err = Error>>(d: D) -> std::result::Result<T, D::Error> {
    let text = String::deserialize(d)?;
    text.parse().map_err(|e: Error| {
        let mut message = e.to_string();
        for hint in e.hints() {
            message = format!("{message}. {}", hint.trim_end_matches('.'));
        }
        D::Error::custom(message)
    })
}

/// The most of a line that an error shows, in characters.
const WIDTH: usize = 100;

impl Text<'_> {
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
                &format!(
                    "too much: an alias (*name) stands for more than {} can hold, or the nesting is too deep",
                    self.kind.one
                ),
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
            Yaml::Eof { .. } => self.empty(),
            Yaml::MultipleDocuments { .. } => self.error(place, "a second document begins here").hint(format!(
                "{}: write each {} into a file of its own.",
                self.kind.one_document(),
                self.kind.about
            )),
            Yaml::Unexpected { expected, .. } => self.error(
                place,
                &match *expected {
                    "sequence start" => format!("a list is expected here, e.g. {}", self.kind.list),
                    "mapping start" => format!("keys with values are expected here, e.g. `{}`", self.kind.pair),
                    "string scalar" => "one value is expected here, not a list or a map".to_owned(),
                    other => other.to_owned(),
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
                if message == "invalid IP address syntax" {
                    return self.error(place, "an address or network is expected here, e.g. 10.0.0.1 or 10.0.0.0/16");
                }
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
