//! `overlord addresses`: the pool, who holds what, what is free.
use crate::{
    addresses::{self, DOCKERS},
    session::Session,
};
use aws_core::{Result, registry::teams};
use clap::Args;
use ipnet::Ipv4Net;
use serde::Serialize;
use terminal::{Cell, Column, Exit, Listing, flags::Output, look};

/// Arguments of `addresses`.
#[derive(Debug, Args)]
pub struct AddressesArgs {
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Row {
    network: Ipv4Net,
    /// `team`, `reserved` or `free`.
    state: &'static str,
    team: Option<String>,
    region: Option<String>,
    /// How many networks of the usual size a free part, and only that, has room for.
    room: Option<u64>,
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Network"),
            Column::left("State"),
            Column::left("Team"),
            Column::left("Region"),
            Column::right("Room For"),
        ];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        let style = self.room.map(|_| look::GOOD);
        vec![
            Cell::new(self.network),
            Cell::styled(self.state, style),
            Cell::maybe(self.team.as_ref()),
            Cell::maybe(self.region.as_ref()),
            Cell::maybe(self.room),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["network", "state", "team", "region", "room"]
    }
}

/// Runs the command.
pub async fn run(session: &Session, args: &AddressesArgs) -> Result<Exit> {
    let settings = &session.loaded.organization.addresses;
    let home = session.home().await?;
    let claims = teams::claims(&home, session.organization()).await?;
    let mut reserved = settings.reserved.clone();
    // Never given out: it is shown where somebody might look for it.
    let apart = |n: &Ipv4Net| !n.contains(&DOCKERS) && !DOCKERS.contains(n);
    if settings.pool.iter().any(|n| !apart(n)) && reserved.iter().all(apart) {
        reserved.push(DOCKERS);
    }
    let mut taken: Vec<Ipv4Net> = claims.iter().map(|c| c.cidr).collect();
    taken.extend(&reserved);
    taken.push(DOCKERS);
    let size = settings.network;
    let room = |n: Ipv4Net| {
        1u64.checked_shl(u32::from(size.saturating_sub(n.prefix_len()))).filter(|_| n.prefix_len() <= size)
    };
    let claimed = claims.iter().map(|c| Row {
        network: c.cidr,
        state: "team",
        team: Some(c.team.to_string()),
        region: Some(c.region.clone()),
        room: None,
    });
    let reserved =
        reserved.iter().map(|n| Row { network: *n, state: "reserved", team: None, region: None, room: None });
    let free = addresses::free_space(&settings.pool, &taken).into_iter().map(|n| Row {
        network: n,
        state: "free",
        team: None,
        region: None,
        room: Some(room(n).unwrap_or(0)),
    });
    let mut rows: Vec<Row> = claimed.chain(reserved).chain(free).collect();
    rows.sort_by_key(|r| r.network);
    let left: u64 = rows.iter().filter_map(|r| r.room).sum();
    session.terminal.say(&format!(
        "{} taken; there is room for {left} more of /{size}.",
        if claims.len() == 1 { "1 network is".into() } else { format!("{} networks are", claims.len()) }
    ));
    session.terminal.listing(args.output, &rows)?;
    Ok(Exit::Done)
}
