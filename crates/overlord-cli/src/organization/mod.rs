//! The organization's file and the teams' files.
pub mod types;

pub use types::{Organization, Team, TeamFile};
