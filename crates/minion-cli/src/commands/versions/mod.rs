//! `minion versions`
mod create;
pub mod delete;
mod image;
mod pulls;
pub mod rows;
mod scale;
mod show;
mod zones;

pub(crate) use image::not_amazons;

use super::traffic;
use crate::site::Session;
use aws_core::{Result, model::ApplicationName};
use clap::{Args, Subcommand};
use terminal::{Exit, flags::Output};

/// Arguments of `versions`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct VersionsArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the versions of all applications (what `minion versions` alone does), or of one
    List(ListArgs),
    /// Deploy an image as a new version, and wait until it is healthy
    Create(create::CreateArgs),
    /// Show a version: its instances, their health, what happened last
    Show(show::ShowArgs),
    /// Change the number of instances of a version
    Scale(scale::ScaleArgs),
    /// Delete a version that has no traffic
    Delete(delete::DeleteArgs),
    /// The same as `minion traffic`
    Traffic(traffic::TrafficArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only this application's
    application: Option<ApplicationName>,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub async fn run(session: &Session, args: VersionsArgs) -> Result<Exit> {
    match args.command {
        None => list(session, ListArgs { application: None, output: args.output }).await,
        Some(Command::List(args)) => list(session, args).await,
        Some(Command::Create(args)) => Box::pin(create::run(session, args)).await,
        Some(Command::Show(args)) => Box::pin(show::run(session, args)).await,
        Some(Command::Scale(args)) => Box::pin(scale::run(session, args)).await,
        Some(Command::Delete(args)) => Box::pin(delete::run(session, args)).await,
        Some(Command::Traffic(args)) => Box::pin(traffic::run(session, args)).await,
    }
}

async fn list(session: &Session, args: ListArgs) -> Result<Exit> {
    let site = session.site().await?;
    let rows = rows::load(session, &site, args.application.as_ref()).await?;
    if rows.is_empty() {
        if let Some(name) = &args.application {
            site.stored_manifest(name, site.start(Some(name)).await?.manifest.as_deref())?;
        }
        session.terminal.say(&format!("No versions in {} ({}).", site.vpc, site.cloud.region()));
    }
    session.terminal.listing(args.output, &rows)?;
    Ok(Exit::Done)
}
