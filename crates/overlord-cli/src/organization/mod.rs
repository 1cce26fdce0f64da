//! The organization's file and the teams' files: from YAML to a [`Team`] with all defaults filled in.
//!
//! [`types`] are the keys (their documentation is the reference that users read), [`mod@load`] finds and reads the
//! files (the `files` crate shows the line that is wrong), `values` and `check` say what is wrong beyond YAML, and
//! [`mod@resolve`] lays a team's file over the organization's.
mod check;
pub mod load;
pub mod reference;
pub mod resolve;
mod team_file;
#[cfg(test)]
mod tests;
pub mod types;
mod values;

pub use load::{FILE, Loaded, LoadedTeam, find, load, load_team, parse, parse_team, team_files, team_paths};
pub use resolve::resolve;
pub use types::{Organization, Team, TeamFile};
