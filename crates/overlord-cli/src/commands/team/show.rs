//! `overlord team show`: a team's networks, zone by zone.
use crate::{accounts::Account, session::Session};
use aws_core::{
    Error, Result,
    model::TeamName,
    registry::teams::{self, Interconnect, RegionRecord, TeamRecord, ZoneRecord},
};
use clap::Args;
use serde::Serialize;
use terminal::{Cell, Column, Exit, Listing, flags::Output};

/// Arguments of `team show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The team
    name: TeamName,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Row {
    team: String,
    account: String,
    region: String,
    vpc: Option<String>,
    network: String,
    zone: String,
    zone_id: String,
    public: Option<String>,
    shared: Option<String>,
    private: Option<String>,
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Region"),
            Column::left("VPC"),
            Column::left("Network"),
            Column::left("Zone"),
            Column::left("Zone Id"),
            Column::left("Public"),
            Column::left("Shared"),
            Column::left("Private"),
        ];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        vec![
            Cell::new(&self.region),
            Cell::maybe(self.vpc.as_ref()),
            Cell::new(&self.network),
            Cell::new(&self.zone),
            Cell::new(&self.zone_id),
            Cell::maybe(self.public.as_ref()),
            Cell::maybe(self.shared.as_ref()),
            Cell::maybe(self.private.as_ref()),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["team", "account", "region", "vpc", "network", "zone", "zone_id", "public", "shared", "private"]
    }
}

fn row(record: &TeamRecord, region: &RegionRecord, zone: &ZoneRecord) -> Row {
    Row {
        team: record.team.to_string(),
        account: record.account.clone(),
        region: region.region.clone(),
        vpc: region.vpc.clone(),
        network: region.cidr.to_string(),
        zone: zone.name.clone(),
        zone_id: zone.id.clone(),
        public: zone.public.map(|n| n.to_string()),
        shared: zone.shared.map(|n| n.to_string()),
        private: zone.private.map(|n| n.to_string()),
    }
}

pub(super) async fn run(session: &Session, args: &ShowArgs) -> Result<Exit> {
    let home = session.home().await?;
    let record = teams::read(&home, session.organization(), &args.name).await?.ok_or_else(|| not_there(&args.name))?;
    let terminal = &session.terminal;
    terminal.say(&format!("Team {}: account {}, reached as {}.", record.team, record.account, reached(&record)));
    terminal.say(&format!(
        "Other teams: {}.",
        match record.interconnect {
            Interconnect::None => "not reached",
            Interconnect::Peering => "by peering connections",
            Interconnect::TransitGateway => "through the transit gateway",
        }
    ));
    for domain in &record.domains {
        let delegated = if domain.delegate { "delegated from" } else { "below" };
        terminal.say(&format!("Domain {}, {delegated} {}.", domain.name, domain.parent));
    }
    let rows: Vec<Row> = record.regions.iter().flat_map(|r| r.zones.iter().map(|z| row(&record, r, z))).collect();
    terminal.listing(args.output, &rows)?;
    Ok(Exit::Done)
}

fn reached(record: &TeamRecord) -> String {
    match (&record.role, record.via) {
        (Some(role), None) => role.clone(),
        _ => Account::of(record).how(),
    }
}

/// The error for a team without a record.
pub(super) fn not_there(name: &TeamName) -> Error {
    Error::not_found(format!("team {name} does not exist"))
        .hint("`overlord team` lists those there are; `overlord team create NAME` creates one.")
}
