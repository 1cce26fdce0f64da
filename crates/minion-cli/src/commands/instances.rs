//! `minion instances`
use crate::{deployed, site::Session};
use aws_core::{
    Result,
    cloud::machines::{self, Machine},
    model::{ApplicationName, VersionName, names::AppVersion},
};
use clap::Args;
use serde::Serialize;
use terminal::{Cell, Column, Exit, Listing, flags::Output, look::GOOD};

/// Arguments of `instances`.
#[derive(Debug, Args)]
pub struct InstancesArgs {
    /// Only this application's
    application: Option<ApplicationName>,
    /// Only this version's
    version: Option<VersionName>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Row(Machine);

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Application Name"),
            Column::left("Ver."),
            Column::left("Instance Id"),
            Column::left("Team"),
            Column::left("Public Ip"),
            Column::left("Private Ip"),
            Column::left("State"),
            Column::left("Launched"),
        ];
        COLUMNS
    }
    fn cells(&self, now: jiff::Timestamp) -> Vec<Cell> {
        let m = &self.0;
        let green = (m.state == "running").then_some(GOOD);
        vec![
            Cell::new(&m.application_name),
            Cell::maybe(m.version.as_ref()),
            Cell::new(&m.instance_id),
            Cell::maybe(m.team.as_ref()),
            Cell::maybe(m.public_ip.as_ref()),
            Cell::maybe(m.private_ip.as_ref()),
            Cell::styled(&m.state, green),
            m.launched_at.map_or_else(Cell::default, |t| Cell::age(t, now)),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &[
            "application_name",
            "version",
            "instance_id",
            "team",
            "public_ip",
            "private_ip",
            "state",
            "instance_type",
            "zone",
            "launched_at",
        ]
    }
}

/// Runs the command.
///
/// # Errors
/// When the instances cannot be read, or when the application or the version that was named does not exist.
pub async fn run(session: &Session, args: InstancesArgs) -> Result<Exit> {
    let site = session.site().await?;
    let application = args.application.as_ref().map(ApplicationName::as_str);
    let version = args.version.as_ref().map(VersionName::as_str);
    let found = machines::list(&site.cloud, &site.vpc, application, version).await?;
    if found.is_empty() {
        if let Some(name) = &args.application {
            match &args.version {
                Some(version) => {
                    let id = AppVersion::new(name.clone(), version.clone())?;
                    deployed::version(&site.cloud, &site.vpc, &id).await?;
                }
                None => {
                    site.stored_manifest(name, site.start(Some(name)).await?.manifest.as_deref())?;
                }
            }
        }
        session.terminal.say(&format!("No instances in {} ({}).", site.vpc, site.cloud.region()));
    }
    let rows: Vec<_> = found.into_iter().map(Row).collect();
    session.terminal.listing(args.output, &rows)?;
    Ok(Exit::Done)
}
