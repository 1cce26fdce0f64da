//! `overlord team list`: the teams that have a place, and those that only have a file.
use crate::session::Session;
use aws_core::{
    Result,
    registry::teams::{self, Interconnect},
};
use jiff::Timestamp;
use serde::Serialize;
use terminal::{Cell, Column, Exit, Listing, flags::Output};

#[derive(Debug, Serialize)]
struct Row {
    team: String,
    /// `made`, or `not made` for a file without a place.
    state: &'static str,
    account: Option<String>,
    regions: Vec<String>,
    networks: Vec<String>,
    interconnect: Option<Interconnect>,
    domains: Vec<String>,
    created: Option<Timestamp>,
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Team"),
            Column::left("Account"),
            Column::left("Regions"),
            Column::left("Networks"),
            Column::left("Interconnect"),
            Column::left("Domains"),
            Column::left("Created"),
        ];
        COLUMNS
    }
    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let created = self.created.map_or_else(|| Cell::new(self.state), |then| Cell::age(then, now));
        vec![
            Cell::new(&self.team),
            Cell::maybe(self.account.as_ref()),
            Cell::new(self.regions.join(", ")),
            Cell::new(self.networks.join(", ")),
            Cell::maybe(self.interconnect.as_ref()),
            Cell::new(self.domains.join(", ")),
            created,
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["team", "state", "account", "regions", "networks", "interconnect", "domains", "created"]
    }
}

pub(super) async fn run(session: &Session, output: Output) -> Result<Exit> {
    let files = session.files()?;
    let home = session.home().await?;
    let records = teams::list(&home, session.organization()).await?;
    let mut rows: Vec<Row> = records
        .iter()
        .map(|r| Row {
            team: r.team.to_string(),
            state: "made",
            account: Some(r.account.clone()),
            regions: r.regions.iter().map(|r| r.region.clone()).collect(),
            networks: r.regions.iter().map(|r| r.cidr.to_string()).collect(),
            interconnect: Some(r.interconnect),
            domains: r.domains.iter().map(|d| d.name.clone()).collect(),
            created: Some(r.created),
        })
        .collect();
    rows.extend(files.iter().filter(|f| !records.iter().any(|r| r.team == f.file.team)).map(|f| Row {
        team: f.file.team.to_string(),
        state: "not made",
        account: None,
        regions: Vec::new(),
        networks: Vec::new(),
        interconnect: None,
        domains: Vec::new(),
        created: None,
    }));
    rows.sort_by(|a, b| a.team.cmp(&b.team));
    if rows.is_empty() {
        session.terminal.say("No teams yet: `overlord team create NAME` makes the first one.");
    }
    session.terminal.listing(output, &rows)?;
    Ok(Exit::Done)
}
