//! What every `sandbox` command works with.
use crate::settings::{ConfigFile, PlaceArgs, Profile, Settings};
use aws_core::{Error, Result, engine::Cancel};
use etcetera::BaseStrategy as _;
use sandbox::{
    Place,
    control::{self, State},
    place::Running,
};
use std::path::{Path, PathBuf};
use terminal::Terminal;

/// The profile that `up` writes, unless `--profile` names another.
pub(super) const PROFILE: &str = "sandbox";

/// Terminal, configuration file, and the sandbox's own directory.
pub(super) struct Context {
    pub(super) terminal: Terminal,
    pub(super) cancel: Cancel,
    pub(super) place: Place,
    /// The configuration file.
    pub(super) config: PathBuf,
    /// Whether the configuration file was named, by flag or variable.
    pub(super) config_given: bool,
    /// The region that was asked for.
    pub(super) region: Option<String>,
    /// The domain that was asked for.
    pub(super) domain: Option<String>,
    /// The profile's name.
    pub(super) profile: String,
}

impl Context {
    /// With `make`, a directory that is new or empty becomes a sandbox's.
    pub(super) fn new(
        terminal: &Terminal,
        cancel: Cancel,
        args: &PlaceArgs,
        directory: Option<&Path>,
        make: bool,
    ) -> Result<Self> {
        let settings = Settings::resolve(args, true, |name| std::env::var(name).ok())?;
        let directory = directory.map_or_else(default_directory, |d| Ok(d.to_owned()))?;
        Ok(Self {
            terminal: terminal.clone(),
            cancel,
            place: if make { Place::make(&directory)? } else { Place::existing(&directory)? },
            config: settings.path,
            config_given: settings.path_given,
            region: args.region.clone(),
            domain: args.domain.clone(),
            profile: args.profile.clone().unwrap_or_else(|| PROFILE.to_owned()),
        })
    }

    /// The sandbox, which must be running.
    pub(super) async fn up(&self) -> Result<(Running, Box<sandbox::Status>)> {
        match control::state(&self.place).await? {
            State::Up(running, status) => Ok((running, status)),
            State::Dead(_) => Err(Error::failed("the sandbox has stopped by itself")
                .hint("`minion sandbox logs --process` says why; `minion sandbox up` starts a new one.")),
            State::Down => Err(Error::not_found("the sandbox is not running").hint("Start it: `minion sandbox up`.")),
        }
    }

    /// The profile of this name, unless somebody else made it.
    pub(super) fn own_profile(&self) -> Result<Option<Profile>> {
        let found = ConfigFile::read(&self.config)?.profiles.remove(&self.profile);
        match found {
            Some(profile) if profile.sandbox.is_none() => {
                let what = format!("profile {} of {} is not a sandbox's", self.profile, self.config.display());
                Err(Error::refused(what).hint("Name another one with --profile; nothing was changed."))
            }
            found => Ok(found),
        }
    }

    /// Writes the profile, or removes it.
    pub(super) fn set_profile(&self, profile: Option<Profile>) -> Result<()> {
        let mut file = ConfigFile::read(&self.config)?;
        let before = file.clone();
        match profile {
            Some(profile) => _ = file.profiles.insert(self.profile.clone(), profile),
            None => _ = file.profiles.remove(&self.profile),
        }
        if file == before {
            return Ok(());
        }
        if file.profiles.is_empty() {
            return std::fs::remove_file(&self.config)
                .map_err(|e| Error::failed(format!("{} cannot be removed: {e}", self.config.display())));
        }
        file.write(&self.config)
    }
}

/// `minion/sandbox` in the user's state directory (XDG, or what the system has instead).
fn default_directory() -> Result<PathBuf> {
    let dirs = etcetera::choose_base_strategy().map_err(|_| {
        Error::usage("there is no home directory, so no place for a sandbox").hint("Set HOME, or give --directory.")
    })?;
    Ok(dirs.state_dir().unwrap_or_else(|| dirs.data_dir()).join("minion").join("sandbox"))
}
