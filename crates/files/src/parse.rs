//! From a text to a value. Errors show file, line, column and the line itself.
use crate::{Kind, hidden, locate, locate::Step, number, written};
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
        self.read(options())
    }

    /// The value that a text describes which was stored by a version of ours that dropped tags (`!Ref x` was `x`): they still
    /// mean nothing.
    ///
    /// # Errors
    /// Usage errors that show the line that is wrong.
    pub fn parse_stored<T: DeserializeOwned>(&self) -> Result<T> {
        self.read(lenient())
    }

    fn read<T: DeserializeOwned>(&self, options: serde_yaml::Options) -> Result<T> {
        self.kind.fits(self.source, self.text.len() as u64, &format!("{} bytes", self.text.len()))?;
        if self.text.trim().is_empty() {
            return Err(self.empty());
        }
        written::reading(self.body(), || serde_yaml::from_str_with_options(self.body(), options))
            .map_err(|e| self.yaml(&e))
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
    pub(crate) fn body(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(self.text)
    }

    pub(crate) fn empty(&self) -> Error {
        Error::usage(format!("{} {} is empty", self.kind.noun, self.source)).hint(self.kind.least)
    }
}

/// As [`options`], but tags that mean nothing are dropped.
pub(crate) fn lenient() -> serde_yaml::Options {
    let mut options = options();
    options.reject_unsupported_tags = false;
    options
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
        // A tag that means nothing here would be dropped, and `!Ref table` be read as `table`.
        reject_unsupported_tags: true,
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

/// An address or a network. Zeros in front of a number are refused: some read such a number as octal, and `ipnet` as decimal.
/// For serde's `deserialize_with`.
///
/// # Errors
/// When it is neither.
pub fn address<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    d: D,
) -> std::result::Result<T, D::Error> {
    let text = String::deserialize(d)?;
    if number::without_zeros(&text).is_some() {
        // Those of `ipnet`: the error then says what to write.
        return Err(D::Error::custom("invalid IP address syntax"));
    }
    text.parse().map_err(D::Error::custom)
}

/// The most of a line that an error shows, in characters.
const WIDTH: usize = 100;

impl Text<'_> {
    /// Whether an error at this place may quote neither the line nor a value of it.
    pub(crate) fn hides(&self, place: Option<Location>) -> bool {
        let line = place.and_then(|p| usize::try_from(p.line().checked_sub(1)?).ok());
        self.kind.secret || line.is_some_and(|line| hidden::hides(self.body(), line, self.kind.secret_below))
    }

    /// A usage error with the line that is wrong; where that may hold a secret, with the line's number alone.
    pub(crate) fn error(&self, place: Option<Location>, message: &str) -> Error {
        let head = self.hidden(place, message);
        let Some((line, column)) = place_of(place).filter(|_| !self.hides(place)) else { return head };
        let text = usize::try_from(line - 1).ok().and_then(|n| self.body().lines().nth(n)).unwrap_or_default();
        let at = usize::try_from(column - 1).unwrap_or(0).min(text.chars().count());
        let from = at.saturating_sub(WIDTH / 2);
        let part: String = text.chars().skip(from).take(WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let part = part.trim_end();
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let caret = " ".repeat(at - from);
        Error::usage(format!("{head}\n{margin} |\n{number} | {part}\n{margin} | {caret}^"))
    }

    /// A usage error with the number of the line that is wrong, without the line.
    pub(crate) fn hidden(&self, place: Option<Location>, message: &str) -> Error {
        let message = tame(message);
        match place_of(place) {
            Some((line, column)) => Error::usage(format!("{}, line {line}, column {column}: {message}", self.source)),
            None => Error::usage(format!("{}: {message}", self.source)),
        }
    }
}

/// Line and column, from 1.
fn place_of(place: Option<Location>) -> Option<(u64, u64)> {
    place.filter(|p| p.line() > 0).map(|p| (p.line(), p.column().max(1)))
}

/// A message without characters that would play with the terminal.
fn tame(message: &str) -> String {
    message.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
