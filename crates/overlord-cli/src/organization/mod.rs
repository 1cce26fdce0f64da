//! The organization's file and the teams' files: from YAML to a [`Team`] with all defaults filled in.
//!
//! [`types`] are the keys (their documentation is the reference that users read), [`mod@load`] finds and reads the
//! files, [`mod@resolve`] lays a team's file over the organization's.
pub mod load;
pub mod resolve;
pub mod types;

pub use load::{FILE, Loaded, LoadedTeam, find, load, load_team, team_files};
pub use resolve::resolve;
pub use types::{Organization, Team, TeamFile};
