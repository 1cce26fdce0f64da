//! What every command gets: the terminal, the organization's file, and the accounts.
use crate::{
    accounts::Accounts,
    organization::{self, Loaded, LoadedTeam, Team},
};
use aws_core::{
    Error, Result,
    cloud::Cloud,
    engine::{Cancel, Options},
    model::{OrganizationName, TeamName, TeamOwner},
};
use std::{path::Path, sync::Arc, time::Duration};
use terminal::Terminal;

/// Time for one resource: a transit gateway, a VPN connection or a NAT gateway takes minutes.
const RESOURCE: Duration = Duration::from_secs(900);

/// What every command gets.
pub struct Session {
    /// Where output goes.
    pub terminal: Terminal,
    /// The operator's Ctrl-C.
    pub cancel: Cancel,
    /// The organization's file.
    pub loaded: Loaded,
    /// The accounts, and how they are reached.
    pub accounts: Accounts,
}

impl Session {
    /// Reads the organization's file and AWS's own settings; calls nothing yet.
    ///
    /// # Errors
    /// When the file is not there or wrong, or no region is set anywhere.
    pub async fn open(terminal: &Terminal, cancel: Cancel, config: Option<&Path>) -> Result<Self> {
        let from = std::env::current_dir().map_err(|e| Error::failed(format!("no working directory: {e}")))?;
        let loaded = organization::load(&organization::find(config, &from)?)?;
        loaded.warnings().iter().for_each(|w| terminal.warn(w));
        let accounts = Accounts::connect(&loaded.organization).await?;
        Ok(Self { terminal: terminal.clone(), cancel, loaded, accounts })
    }

    /// The organization's name.
    pub fn organization(&self) -> &OrganizationName {
        &self.loaded.organization.organization
    }

    /// Where the records are.
    ///
    /// # Errors
    /// When the account cannot be reached.
    pub async fn home(&self) -> Result<Arc<Cloud>> {
        self.accounts.home().await
    }

    /// All that holds for a team: from the file that is named, else the team's file beside the organization's, else the
    /// organization's file alone.
    ///
    /// # Errors
    /// When a file is wrong, or names another team.
    pub fn team(&self, name: &TeamName, file: Option<&Path>) -> Result<Team> {
        let loaded = match file {
            Some(path) => {
                let loaded = organization::load_team(path)?;
                if loaded.file.team != *name {
                    return Err(Error::usage(format!(
                        "{} is the file of team {}, not of {name}",
                        path.display(),
                        loaded.file.team
                    )));
                }
                Some(loaded)
            }
            None => self.files()?.into_iter().find(|l| l.file.team == *name),
        };
        self.resolve(name, loaded.as_ref())
    }

    /// As [`Session::team`], with the team's file at hand.
    ///
    /// # Errors
    /// When a value is wrong.
    pub fn resolve(&self, name: &TeamName, file: Option<&LoadedTeam>) -> Result<Team> {
        organization::resolve(&self.loaded, name, file, Some(self.accounts.region()))
    }

    /// The teams' files.
    ///
    /// # Errors
    /// When one is wrong.
    pub fn files(&self) -> Result<Vec<LoadedTeam>> {
        organization::team_files(&self.loaded)
    }

    /// The owner of what is made for this team.
    pub fn owner(&self, team: &Team) -> TeamOwner {
        TeamOwner { organization: self.organization().clone(), team: Some(team.name.clone()), extra: team.tags.clone() }
    }

    /// Bounds on a run of the engine.
    pub fn options(&self) -> Options {
        Options { deadline: RESOURCE, cancel: self.cancel.clone(), around_denied: true, ..Options::default() }
    }
}
