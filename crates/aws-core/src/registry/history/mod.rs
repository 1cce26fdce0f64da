//! The history of what was done to an application or a team: events of CloudWatch Logs, in the account itself.
//!
//! Every run writes two events, when it begins and when it ends; one without an end was killed.
mod event;
mod read;
mod write;

pub use event::{Began, Ended, Ending, Entry};
pub use read::read;
pub use write::{Book, Run, began, ended};
