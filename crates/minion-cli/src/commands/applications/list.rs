//! `minion applications`: the applications of the VPC.
use crate::{
    deployed,
    manifest::{self, Protocol},
    site::Session,
};
use aws_core::{Result, registry::parameters};
use serde::Serialize;
use terminal::{Cell, Column, Exit, Listing, flags::Output};

#[derive(Debug, Serialize)]
struct Row {
    application_name: String,
    team: Option<String>,
    exposed_protocol: Option<&'static str>,
    exposed_ports: Vec<u16>,
    instance_type: Option<String>,
    versions: usize,
    instances: usize,
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Application Name"),
            Column::left("Team"),
            Column::left("Protocol"),
            Column::left("Ports"),
            Column::left("Instance Type"),
            Column::right("Versions"),
            Column::right("Instances"),
        ];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        let ports: Vec<_> = self.exposed_ports.iter().map(u16::to_string).collect();
        vec![
            Cell::new(&self.application_name),
            Cell::maybe(self.team.as_ref()),
            Cell::maybe(self.exposed_protocol),
            Cell::new(ports.join(", ")),
            Cell::maybe(self.instance_type.as_ref()),
            Cell::new(self.versions),
            Cell::new(self.instances),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["application_name", "team", "exposed_protocol", "exposed_ports", "instance_type", "versions", "instances"]
    }
}

pub(super) async fn run(session: &Session, output: Output) -> Result<Exit> {
    let site = session.site().await?;
    let (stored, versions) = tokio::try_join!(
        parameters::list_applications(&site.cloud, &site.vpc),
        deployed::versions(&site.cloud, &site.vpc, None, None)
    )?;
    let mut names: std::collections::BTreeSet<&str> = stored.keys().map(String::as_str).collect();
    names.extend(versions.iter().map(|d| d.id.application.as_str()));
    let mut rows = Vec::new();
    for name in names {
        let manifest = match stored.get(name).map(|text| manifest::parse(text, "stored manifest")) {
            Some(Ok(manifest)) => Some(manifest),
            Some(Err(e)) => {
                session.terminal.warn(&format!("the stored manifest of {name} cannot be read: {e}"));
                None
            }
            None => None,
        };
        let mine = || versions.iter().filter(|d| d.id.application.as_str() == name);
        let m = manifest.as_ref();
        rows.push(Row {
            application_name: name.to_owned(),
            team: m.and_then(|m| m.team_name.as_ref()).map(ToString::to_string),
            exposed_protocol: m.map(|m| if m.exposed_protocol == Protocol::Http { "http" } else { "tcp" }),
            exposed_ports: m.map(|m| m.exposed_ports.iter().map(|p| p.get()).collect()).unwrap_or_default(),
            instance_type: m.map(|m| m.instance_type.to_string()),
            versions: mine().count(),
            instances: mine().map(|d| d.group.members.len()).sum(),
        });
    }
    if rows.is_empty() {
        session.terminal.say(&format!("No applications in {} ({}).", site.vpc, site.cloud.region()));
    }
    session.terminal.listing(output, &rows)?;
    Ok(Exit::Done)
}
