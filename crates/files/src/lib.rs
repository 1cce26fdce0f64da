//! YAML files that people write: application manifests, an organization's and its teams' files.
//!
//! What such files have in common, whatever they describe: they are read in bounds ([`Kind`]); errors say which line
//! is wrong and show it, be it YAML's own rules, a key that does not exist ([`Text::parse`]), or something that only
//! the whole file can tell ([`Problem`], [`Text::wrong`]); and their reference and JSON schema are generated from the
//! types that they are read into ([`mod@reference`]). Nothing here knows what the files are about.
mod kind;
mod locate;
mod parse;
pub mod reference;
#[cfg(test)]
mod tests;

pub use kind::{Kind, SIZE_LIMIT, read};
pub use locate::Step;
pub use parse::{Problem, Text, from_text};
