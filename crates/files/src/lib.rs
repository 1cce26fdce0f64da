//! YAML files that people write: application manifests, an organization's and its teams' files.
//!
//! What such files have in common, whatever they describe: they are read in bounds ([`Kind`]); errors say which line
//! is wrong and show it, be it YAML's own rules, a key that does not exist ([`Text::parse`]), or something that only
//! the whole file can tell ([`Problem`], [`Text::wrong`]); what is text arrives as it is written ([`one_or_many`],
//! [`TextOr`]); and their reference and JSON schema are generated from the types that they are read into ([`mod@reference`]). Nothing here knows what the files are about.
mod explain;
mod hidden;
mod kind;
mod locate;
mod number;
mod parse;
mod quoting;
pub mod reference;
mod spelling;
#[cfg(test)]
mod tests;
mod written;

pub use kind::{Kind, SIZE_LIMIT, SecretBelow, read};
pub use locate::Step;
pub use number::whole_number;
pub use parse::{Problem, Text, address, from_text};
pub use written::{OneOrMany, TextOr, one_or_many};
