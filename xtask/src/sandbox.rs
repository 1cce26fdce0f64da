//! What the sandbox stands on here: the engine, the emulator that carries traffic, a registry.
use crate::tools::{self, Registry};
use anyhow::{Context as _, Result, bail};
use std::{env, path::PathBuf};

/// All of it.
#[derive(Debug)]
pub(crate) struct Sandbox {
    /// The version of the Docker engine that answers.
    pub(crate) engine: String,
    /// The path of `fakecloud`.
    pub(crate) fakecloud: PathBuf,
    /// How a registry is started.
    pub(crate) registry: Registry,
}

/// What to do about an emulator that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Build it.
    Build,
    /// Go on without the sandbox.
    Leave,
}

impl Sandbox {
    /// Finds all of it; the error says what is not there.
    pub(crate) fn find(missing: Missing) -> Result<Self> {
        let engine = tools::engine()?;
        let registry = tools::registry()?;
        let fakecloud = match missing {
            Missing::Build => tools::fakecloud()?,
            Missing::Leave => {
                tools::fakecloud_there()?.context("there is no fakecloud; `cargo xtask tools` builds it")?
            }
        };
        Ok(Self { engine, fakecloud, registry })
    }

    /// What the tests of the sandbox read from their environment.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let registry = match &self.registry {
            Registry::Program(program) => ("MINION_TEST_REGISTRY", program.display().to_string()),
            Registry::Image(image) => ("MINION_TEST_REGISTRY_IMAGE", (*image).to_owned()),
        };
        vec![
            ("MINION_FAKECLOUD", self.fakecloud.display().to_string()),
            ("MINION_TEST_SANDBOX", "1".to_owned()),
            registry,
        ]
    }
}

/// Whether going on without the sandbox is a failure: on machines that are there to prove that all works.
pub(crate) fn required() -> bool {
    let set = |name: &str| env::var(name).is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
    set("MINION_REQUIRE_ENGINE") || set("CI")
}

/// For the tests that these arguments choose: the sandbox, or nothing and a line that says why.
pub(crate) fn for_tests(arguments: &[String]) -> Result<Option<Sandbox>> {
    let whole = arguments.is_empty();
    let chosen = arguments.iter().any(|argument| argument.contains("sandbox"));
    if !whole && !chosen && !required() {
        return Ok(Sandbox::find(Missing::Leave).ok());
    }
    match Sandbox::find(Missing::Build) {
        Ok(sandbox) => {
            eprintln!("Docker {} and {} carry the sandbox's tests.", sandbox.engine, sandbox.fakecloud.display());
            Ok(Some(sandbox))
        }
        Err(error) if required() => {
            Err(error.context("the sandbox's tests cannot run, and CI or MINION_REQUIRE_ENGINE says they must"))
        }
        Err(error) => {
            eprintln!("Skipping the sandbox's tests: {error:#}.");
            Ok(None)
        }
    }
}

/// `cargo xtask tools`: sets up all that can be, and says where it is.
pub(crate) fn set_up() -> Result<Vec<PathBuf>> {
    let mut places = vec![tools::moto_server()?, tools::iam_data()?];
    match Sandbox::find(Missing::Build) {
        Ok(sandbox) => {
            places.push(sandbox.fakecloud);
            if let Registry::Program(program) = sandbox.registry {
                places.push(program);
            }
        }
        Err(error) if required() => bail!("no sandbox: {error:#}"),
        Err(error) => eprintln!("No sandbox: {error:#}."),
    }
    Ok(places)
}
