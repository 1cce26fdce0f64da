//! `minion applications show`: the stored manifest, the versions, the traffic.
use crate::{
    commands::versions::rows::{self, VersionRow},
    site::Session,
};
use aws_core::{Result, model::ApplicationName};
use clap::Args;
use serde::Serialize;
use terminal::{
    Exit,
    flags::{Format, Output},
};

/// Arguments of `applications show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The application
    application: ApplicationName,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Shown {
    application_name: String,
    vpc: String,
    region: String,
    dns_name: Option<String>,
    manifest: serde_json::Value,
    versions: Vec<VersionRow>,
}

pub(super) async fn run(session: &Session, args: ShowArgs) -> Result<Exit> {
    let site = session.site().await?;
    let name = &args.application;
    let start = site.start(Some(name)).await?;
    let text = site.stored_manifest(name, start.manifest.as_deref())?;
    let domain = site.domain(&start.settings).ok();
    let versions = rows::load(session, &site, Some(name)).await?;
    let terminal = &session.terminal;
    if args.output.format == Format::Table {
        terminal.line(&format!("# Application {name} in {} ({})", site.vpc, site.cloud.region()))?;
        terminal.data(text.trim_end())?;
        terminal.line("\n")?;
        terminal.listing(args.output, &versions)?;
        return Ok(Exit::Done);
    }
    let shown = Shown {
        application_name: name.to_string(),
        vpc: site.vpc.clone(),
        region: site.cloud.region().to_owned(),
        dns_name: domain.map(|d| name.dns_name(&d)),
        manifest: serde_json::to_value(crate::manifest::parse(text, "stored manifest")?).unwrap_or_default(),
        versions,
    };
    terminal.details(args.output, &shown, &[])?;
    Ok(Exit::Done)
}
