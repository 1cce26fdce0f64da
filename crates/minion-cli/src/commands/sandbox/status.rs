//! `minion sandbox status`
use super::context::Context;
use aws_core::Result;
use clap::Args;
use sandbox::{
    autoscaling::{GroupState, MemberState},
    front::Route,
    place::Running,
};
use serde::Serialize;
use terminal::{
    Cell, Column, Exit, Format, Listing, Output,
    look::{BAD, GOOD},
};

/// Arguments of `sandbox status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    output: Output,
}

/// A name and where it leads.
#[derive(Debug, Serialize)]
struct Address {
    name: String,
    url: String,
    version: Option<String>,
    percent: Option<f64>,
    state: Option<String>,
    problem: Option<String>,
}

impl Listing for Address {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] =
            &[Column::left("Address"), Column::left("Version"), Column::right("Share"), Column::left("State")];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        let share = self.percent.map(|percent| format!("{percent:.0}%"));
        let state = self.problem.as_ref().or(self.state.as_ref());
        let style = if self.problem.is_some() { Some(BAD) } else { None };
        // Only HTTP has names in its addresses.
        let url = match self.url.strip_prefix("tcp://") {
            Some(_) => format!("{} ({})", self.url, self.name),
            None => self.url.clone(),
        };
        vec![
            Cell::new(&url),
            Cell::maybe(self.version.as_ref()),
            Cell::maybe(share.as_ref()),
            state.map_or_else(Cell::default, |state| Cell::styled(state, style)),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["name", "url", "version", "percent", "state", "problem"]
    }
}

/// An instance.
#[derive(Debug, Serialize)]
struct Instance {
    group: String,
    instance_id: String,
    zone: String,
    state: String,
    healthy: bool,
}

impl Listing for Instance {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Group"),
            Column::left("Instance Id"),
            Column::left("Zone"),
            Column::left("State"),
            Column::left("Health"),
        ];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        let (health, style) = if self.healthy { ("healthy", GOOD) } else { ("unhealthy", BAD) };
        vec![
            Cell::new(&self.group),
            Cell::new(&self.instance_id),
            Cell::new(&self.zone),
            Cell::new(&self.state),
            Cell::styled(health, Some(style)),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["group", "instance_id", "zone", "state", "healthy"]
    }
}

/// All of it, for programs.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    endpoint: &'a str,
    front: &'a str,
    region: &'a str,
    domain: &'a str,
    profile: &'a str,
    since: jiff::Timestamp,
    addresses: Vec<Address>,
    groups: &'a [GroupState],
}

/// Shows the sandbox.
pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<Exit> {
    let (running, status) = context.up().await?;
    let Running { endpoint, front, region, domain, since, .. } = &running;
    let terminal = &context.terminal;
    let addresses: Vec<Address> = status.routes.iter().flat_map(addresses).collect();
    if args.output.format == Format::Json || args.output.format == Format::Yaml {
        let profile = context.profile.as_str();
        let groups = &status.groups;
        let whole = Whole { endpoint, front, region, domain, profile, since: *since, addresses, groups };
        terminal.details(args.output, &whole, &[])?;
        return Ok(Exit::Done);
    }
    terminal.say(&format!("AWS: {endpoint} (profile {}). Front door: {front}.", context.profile));
    if status.groups.is_empty() {
        terminal
            .say(&format!("No applications yet. Next: minion --profile {} app create manifest.yaml", context.profile));
        return Ok(Exit::Done);
    }
    let instances: Vec<Instance> =
        status.groups.iter().flat_map(|g| g.members.iter().map(|m| instance(g, m))).collect();
    terminal.listing(args.output, &addresses)?;
    terminal.line("")?;
    terminal.listing(args.output, &instances)?;
    for group in &status.groups {
        if let Some(trouble) = &group.trouble {
            terminal.warn(&format!("{}: {trouble}", group.name));
        }
    }
    Ok(Exit::Done)
}

fn addresses(route: &Route) -> Vec<Address> {
    let Route { name, url, versions, problem } = route;
    let address = |version: Option<&sandbox::front::Share>| Address {
        name: name.clone(),
        url: url.clone(),
        version: version.map(|v| v.version.clone()),
        percent: version.map(|v| v.percent),
        state: version.map(|v| v.state.clone()),
        problem: problem.clone(),
    };
    if versions.is_empty() { vec![address(None)] } else { versions.iter().map(|v| address(Some(v))).collect() }
}

fn instance(group: &GroupState, member: &MemberState) -> Instance {
    Instance {
        group: group.name.clone(),
        instance_id: member.id.clone(),
        zone: member.zone.clone(),
        state: member.lifecycle.clone(),
        healthy: member.healthy,
    }
}
