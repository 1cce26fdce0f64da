//! What the two binaries share of the terminal, and the only crate that may print.
//!
//! Standard output is data, standard error is everything else. [`Terminal`] is a cheap handle on both;
//! commands take it as their reporter, and tests take [`Terminal::captured`].
pub mod age;
pub mod command_line;
mod errors;
pub mod exit;
pub mod flags;
mod history;
mod listing;
pub mod look;
mod passwords;
mod plan;
mod prompt;
mod reporter;
pub mod signals;
mod steps;
mod stream;
mod summary;
mod table;
mod terminal;
#[cfg(test)]
mod testbed;
mod undertaking;
pub mod usage;
mod wrap;

pub use exit::Exit;
pub use flags::{Format, Globals, Output, Writes};
pub use history::HistoryFlags;
pub use listing::{Cell, Column, Listing};
pub use look::Style;
pub use plan::checked;
pub use steps::Step;
pub use stream::Captured;
pub use terminal::Terminal;
pub use undertaking::{Task, Undertaking, undertake};
