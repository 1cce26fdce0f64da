//! `minion images`
use crate::{boot, manifest::registries, site::Session};
use aws_core::{Error, Result, cloud::network};
use clap::Args;
use serde::Serialize;
use terminal::{Cell, Column, Exit, Listing, flags::Output};

/// Arguments of `images`.
#[derive(Debug, Args)]
pub struct ImagesArgs {
    /// Only this repository's
    repository: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Row {
    repository: String,
    tag: String,
    image: String,
    digest: Option<String>,
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[Column::left("Repository"), Column::left("Tag"), Column::left("Image")];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        vec![Cell::new(&self.repository), Cell::new(&self.tag), Cell::new(&self.image)]
    }
    fn fields() -> &'static [&'static str] {
        &["repository", "tag", "image", "digest"]
    }
}

/// Runs the command.
///
/// # Errors
/// When no registry is set, or it cannot be read.
pub async fn run(session: &Session, args: ImagesArgs) -> Result<Exit> {
    let site = session.site().await?;
    // The VPC's `Config` tag may name the registry too, so the network is read where the profile does not.
    let (start, place) = match site.settings.values.registry {
        Some(_) => (site.start(None).await?, None),
        None => {
            let (start, place) = tokio::try_join!(site.start(None), network::load(&site.cloud, &site.vpc))?;
            (start, Some(place))
        }
    };
    let settings = match &place {
        Some(place) => site.filled(start.settings, place),
        None => start.settings,
    };
    let host = site.settings.values.registry.clone().or_else(|| settings.registry.clone()).ok_or_else(|| {
        Error::usage("no container registry is set")
            .hint("Run `minion configure`, or give --registry HOST (or MINION_REGISTRY).")
    })?;
    let reference = registries::find(&site.settings.values.registry_credentials, &host);
    let credentials = boot::credentials(&session.terminal, &site, &host, reference).await?;
    let registry = boot::registry(&site, &settings, credentials);
    let repositories = match args.repository {
        Some(repository) => vec![repository],
        None => registry.repositories(&host).await?,
    };
    let asked = repositories.iter().map(|repository| registry.tags(&host, repository));
    let mut rows = Vec::new();
    for (repository, images) in repositories.iter().zip(futures::future::try_join_all(asked).await?) {
        rows.extend(images.into_iter().map(|i| Row {
            repository: repository.clone(),
            image: format!("{host}/{repository}:{}", i.tag),
            tag: i.tag,
            digest: i.digest,
        }));
    }
    session.terminal.listing(args.output, &rows)?;
    Ok(Exit::Done)
}
