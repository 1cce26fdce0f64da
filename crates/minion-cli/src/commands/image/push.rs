//! `minion image push`
use super::build::show;
use crate::{boot, commands::versions::not_amazons, settings::Settings};
use aws_core::{
    Error, Result,
    cloud::{Cloud, ConnectOptions},
    engine::Cancel,
    images::{self, Registry, RegistryOptions},
    model::image::{DOCKER_HUB, ImageRef},
};
use clap::Args;
use docker::{Credential, Engine};
use terminal::{Exit, Terminal, signals::interruptible};

/// Arguments of `image push`.
#[derive(Debug, Args)]
pub(super) struct PushArgs {
    /// The image, with its tag; its name says which registry it goes to
    image: ImageRef,
}

pub(super) async fn run(
    terminal: &Terminal,
    cancel: &Cancel,
    args: PushArgs,
    settings: impl FnOnce() -> Result<Settings>,
) -> Result<Exit> {
    let image = &args.image;
    image.require_version()?;
    if image.digest().is_some() {
        return Err(Error::usage(format!("{image} names a digest; an image is pushed by its tag")));
    }
    interruptible(cancel, async {
        let engine = Engine::connect().await?;
        if !engine.has_image(image.as_str()).await? {
            return Err(Error::not_found(format!("this computer's engine has no image {image}"))
                .hint(format!("`minion image build --tag {image}` builds it.")));
        }
        let credential = credential(image, settings).await?;
        let step = terminal.step(&format!("Pushing {image}"));
        let digest = step_end(engine.push(image, credential, |progress| show(terminal, &step, progress)).await, image);
        let digest = step.end(digest)?;
        let digest = match digest {
            Some(digest) => Some(digest),
            None => from_engine(&engine, image).await?,
        };
        let digest = digest
            .ok_or_else(|| Error::failed(format!("{image} was pushed, but the engine does not say its digest")))?;
        let name = image.as_str().strip_suffix(&format!(":{}", image.tag().unwrap_or_default()));
        terminal.line(&format!("{}@{digest}", name.unwrap_or(image.as_str())))?;
        terminal.say(&format!("Next: `minion versions create APPLICATION VERSION {image}` deploys it."));
        Ok(Exit::Done)
    })
    .await
}

/// Adds what helps when the registry refuses.
fn step_end<T>(result: Result<T>, image: &ImageRef) -> Result<T> {
    result.map_err(|error| match image.registry() {
        DOCKER_HUB if !image.as_str().starts_with(DOCKER_HUB) => error.hint(format!(
            "{image} names no registry, so it goes to Docker Hub. Another one is part of the name: HOST/{image}."
        )),
        _ => error,
    })
}

/// Engines that do not tell it while they push know it afterwards.
async fn from_engine(engine: &Engine, image: &ImageRef) -> Result<Option<String>> {
    let details = engine.image_details(image.as_str()).await?.unwrap_or_default();
    let mut digests = details.digests.iter().filter_map(|name| name.parse::<ImageRef>().ok());
    let ours = digests.find(|d| d.registry() == image.registry() && d.repository() == image.repository());
    Ok(ours.and_then(|d| d.digest().map(str::to_owned)))
}

/// What to show the registry: from Docker's store, else, for Amazon's, from AWS.
pub(super) async fn credential(
    image: &ImageRef,
    settings: impl FnOnce() -> Result<Settings>,
) -> Result<Option<Credential>> {
    let registry = image.registry();
    let cloud = if let Some(host) = image.ecr() {
        let values = settings()?.values;
        if values.sandbox.is_some() {
            not_amazons(image)?;
        }
        let region = values.region.or(Some(host.region));
        Some(Cloud::connect(ConnectOptions { region, tool: "minion", ..ConnectOptions::default() }).await?)
    } else {
        None
    };
    let options = RegistryOptions {
        docker_config: boot::docker_config(),
        docker_auth: boot::docker_auth(),
        ..RegistryOptions::default()
    };
    let found = Registry::connect(options, cloud.as_ref()).credential(registry).await?;
    let address = if registry == DOCKER_HUB { "https://index.docker.io/v1/" } else { registry };
    Ok(found.map(|found| {
        let (password, identity) = match found {
            images::Credential::Password(user, password) => (Some((user, password)), None),
            images::Credential::Identity(token) => (None, Some(token)),
        };
        Credential { registry: address.to_owned(), password, identity }
    }))
}
