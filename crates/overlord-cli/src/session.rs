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
    registry::teams::TeamRecord,
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
        let accounts = Accounts::connect(&loaded.organization, terminal, &cancel).await?;
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
    /// organization's file alone; and that file's name.
    ///
    /// # Errors
    /// When a file is wrong, or names another team.
    pub fn team(&self, name: &TeamName, file: Option<&Path>) -> Result<(Team, Option<String>)> {
        let loaded = self.named_file(name, file)?;
        let file = loaded.as_ref().map(|l| l.path.display().to_string());
        Ok((self.resolve(name, loaded.as_ref())?, file))
    }

    /// The text of the file that [`Session::team`] goes by; `None` when there is none.
    ///
    /// # Errors
    /// As [`Session::team`].
    pub fn team_text(&self, name: &TeamName, file: Option<&Path>) -> Result<Option<String>> {
        Ok(self.named_file(name, file)?.map(|loaded| loaded.text))
    }

    fn named_file(&self, name: &TeamName, file: Option<&Path>) -> Result<Option<LoadedTeam>> {
        let Some(path) = file else { return self.file_of(name) };
        let loaded = organization::load_team(path)?;
        if loaded.file.team != *name {
            let (path, other) = (path.display(), loaded.file.team);
            return Err(Error::usage(format!("{path} is the file of team {other}, not of {name}")));
        }
        Ok(Some(loaded))
    }

    /// The team's file beside the organization's. Another team's file that is wrong is no matter.
    fn file_of(&self, name: &TeamName) -> Result<Option<LoadedTeam>> {
        let mut own: Option<LoadedTeam> = None;
        for path in organization::team_paths(&self.loaded)? {
            let loaded = match organization::load_team(&path) {
                Ok(loaded) => loaded,
                Err(e) if path.file_stem().is_some_and(|stem| stem == name.as_str()) => return Err(e),
                Err(_) => continue,
            };
            match &own {
                _ if loaded.file.team != *name => {}
                None => own = Some(loaded),
                Some(first) => {
                    return Err(Error::usage(format!(
                        "team {name} has two files: {} and {}",
                        first.path.display(),
                        loaded.path.display()
                    ))
                    .hint("Keep one of them, or correct the name in the other."));
                }
            }
        }
        Ok(own)
    }

    /// Refuses to go on without the file that a team was made from: without it the organization's defaults would hold.
    ///
    /// # Errors
    /// A refusal that names the file.
    pub fn same_file(&self, stored: Option<&TeamRecord>, file: Option<&str>) -> Result<()> {
        match (stored.and_then(|r| r.file.as_deref().map(|f| (r, f))), file) {
            (Some((record, before)), None) => Err(Error::refused(format!(
                "team {} was made from file {before}, and no file is named now",
                record.team
            ))
            .hint(format!(
                "Name it with --file, or put it into `teams` beside the organization's file. If the organization's \
                 defaults are to hold from now on, let it say only `team: {}`.",
                record.team
            ))),
            _ => Ok(()),
        }
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

    /// The teams' files by the teams' names; one that is wrong is an error of its own, under the file's name.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn each_file(&self) -> Result<Vec<(TeamName, Result<LoadedTeam>)>> {
        let paths = organization::team_paths(&self.loaded)?;
        let mut all: Vec<(TeamName, Result<LoadedTeam>)> = Vec::new();
        for path in paths {
            let loaded = organization::load_team(&path);
            let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            match (loaded, stem.parse()) {
                (Ok(loaded), _) => {
                    let name = loaded.file.team.clone();
                    match all.iter_mut().find(|(n, _)| *n == name) {
                        // Which of the two holds, nobody can tell.
                        Some(twice) => twice.1 = self.file_of(&name).map(|_| loaded),
                        None => all.push((name, Ok(loaded))),
                    }
                }
                (Err(e), Ok(name)) => all.push((name, Err(e))),
                (Err(e), Err(_)) => return Err(e),
            }
        }
        Ok(all)
    }

    /// The refusal of a team that has something and no record: with another `home` every team would seem to be new.
    ///
    /// # Errors
    /// When the account of the records cannot be reached.
    pub async fn no_record(&self, name: &TeamName, what: &str) -> Result<Error> {
        let home = self.home().await?;
        let (account, region) = (home.account().await?, home.region());
        Ok(Error::refused(format!("team {name} has {what}, and no record in account {account}, {region}")).hint(
            "Are the records kept elsewhere? See `accounts.home` in the organization's file, and the credentials.",
        ))
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
