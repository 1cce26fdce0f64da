//! What every `sandbox` command works with.
use crate::settings::{ConfigFile, PlaceArgs, Profile, SANDBOX_PROFILE, Settings};
use aws_core::{Error, Result, engine::Cancel};
use etcetera::BaseStrategy as _;
use sandbox::{
    Place,
    control::{self, State},
    place::Running,
};
use std::path::{Path, PathBuf};
use terminal::Terminal;

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
        let place = if make { Place::make(&directory)? } else { Place::existing(&directory)? };
        let profile = args.profile.clone().or_else(|| profile_of(&settings.path, &place.id()));
        Ok(Self {
            terminal: terminal.clone(),
            cancel,
            place,
            config: settings.path,
            config_given: settings.path_given,
            region: args.region.clone(),
            domain: args.domain.clone(),
            profile: profile.unwrap_or_else(|| SANDBOX_PROFILE.to_owned()),
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

    /// The profile of this name, unless it is somebody else's.
    pub(super) fn own_profile(&self) -> Result<Option<Profile>> {
        let Some(found) = ConfigFile::read(&self.config)?.profiles.remove(&self.profile) else { return Ok(None) };
        let what = format!("profile {} of {}", self.profile, self.config.display());
        let why = match &found.sandbox {
            None => "is not a sandbox's",
            Some(place) if place.id.as_ref().is_some_and(|id| *id != self.place.id()) => "is another sandbox's",
            Some(_) => return Ok(Some(found)),
        };
        Err(Error::refused(format!("{what} {why}")).hint("Name another one with --profile; nothing was changed."))
    }

    /// Writes the profile.
    pub(super) fn set_profile(&self, profile: &Profile) -> Result<()> {
        ConfigFile::set(&self.config, &self.profile, Some(profile), |text| self.terminal.warn(text))
    }

    /// Removes the sandbox's profiles, whatever their names; they are handed back.
    pub(super) fn remove_profiles(&self) -> Result<Vec<Profile>> {
        let id = self.place.id();
        let mut removed = Vec::new();
        for (name, profile) in ConfigFile::read(&self.config)?.profiles {
            let own = profile.sandbox.as_ref().is_some_and(|place| match &place.id {
                Some(theirs) => *theirs == id,
                None => name == self.profile,
            });
            if own {
                ConfigFile::set(&self.config, &name, None, |text| self.terminal.warn(text))?;
                removed.push(profile);
            }
        }
        if !removed.is_empty() && !self.config_given {
            // The directory that `up` made. It goes only when it is empty.
            let _ = self.config.parent().map(std::fs::remove_dir);
        }
        Ok(removed)
    }
}

/// The sandbox's profile, where it has one already.
fn profile_of(config: &Path, id: &str) -> Option<String> {
    let profiles = ConfigFile::read(config).ok()?.profiles;
    let own = |profile: &Profile| profile.sandbox.as_ref().and_then(|place| place.id.as_deref()) == Some(id);
    profiles.into_iter().find(|(_, profile)| own(profile)).map(|(name, _)| name)
}

/// `minion/sandbox` in the user's state directory (XDG, or what the system has instead).
fn default_directory() -> Result<PathBuf> {
    let dirs = etcetera::choose_base_strategy().map_err(|_| {
        Error::usage("there is no home directory, so no place for a sandbox").hint("Set HOME, or give --directory.")
    })?;
    Ok(dirs.state_dir().unwrap_or_else(|| dirs.data_dir()).join("minion").join("sandbox"))
}

/// A sandbox as the tests of its commands see it.
#[cfg(test)]
pub(super) fn some_sandbox() -> Running {
    Running {
        pid: 1,
        emulator_pid: None,
        endpoint: "http://127.0.0.1:4566".into(),
        front: "http://127.0.0.1:8080".into(),
        region: "eu-west-1".into(),
        domain: "sandbox.localhost".into(),
        since: jiff::Timestamp::UNIX_EPOCH,
    }
}
