//! A real registry v2 server.
use super::directory;
use crate::registry_server::By;
use anyhow::{Result, bail};
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// The image of the reference implementation, the one that Debian's `docker-registry` is.
const IMAGE: &str = "registry:2";

/// How a registry can be started here.
#[derive(Debug)]
pub(crate) enum Registry {
    /// By this program.
    Program(PathBuf),
    /// As a container of this image, which the engine has.
    Image(&'static str),
}

impl Registry {
    /// The same, in the words of who starts it.
    pub(crate) fn by(&self) -> By<'_> {
        match self {
            Self::Program(program) => By::Program(program),
            Self::Image(image) => By::Image(image),
        }
    }
}

/// The path of Debian's `docker-registry`, when it is there.
pub(crate) fn docker_registry() -> Option<PathBuf> {
    directory::on_path("docker-registry")
}

/// `docker-registry`; else the image, when the engine has it or can pull it.
pub(crate) fn registry() -> Result<Registry> {
    if let Some(program) = docker_registry() {
        return Ok(Registry::Program(program));
    }
    for arguments in [["image", "inspect", IMAGE].as_slice(), &["pull", "--quiet", IMAGE]] {
        let asked = Command::new("docker").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if asked.is_ok_and(|status| status.success()) {
            return Ok(Registry::Image(IMAGE));
        }
    }
    bail!(
        "there is no docker-registry (Debian and Ubuntu: `apt-get install docker-registry`), and the engine has no image \
         {IMAGE} and cannot pull it"
    )
}
