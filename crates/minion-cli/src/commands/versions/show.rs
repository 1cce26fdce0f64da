//! `minion versions show`
use super::rows::{self, VersionRow};
use crate::{deployed, gate, site::Session};
use aws_core::{
    Result,
    cloud::lookups,
    model::{ApplicationName, VersionName, names::AppVersion},
};
use clap::Args;
use serde::Serialize;
use terminal::{Cell, Exit, flags::Output, look::BAD};

/// Arguments of `versions show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The application
    application: ApplicationName,
    /// The version
    version: VersionName,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: VersionRow,
    min: i32,
    max: i32,
    healthy_targets: usize,
    unhealthy_targets: Vec<String>,
    load_balancer: Option<String>,
    instances: Vec<Instance>,
    activities: Vec<Activity>,
}

#[derive(Serialize)]
struct Instance {
    instance_id: String,
    state: String,
    healthy: bool,
    zone: String,
}

#[derive(Serialize)]
struct Activity {
    status: String,
    description: String,
    message: Option<String>,
    at: Option<jiff::Timestamp>,
}

pub(super) async fn run(session: &Session, args: ShowArgs) -> Result<Exit> {
    let id = AppVersion::new(args.application, args.version)?;
    let site = session.site().await?;
    let found = deployed::version(&site.cloud, &site.vpc, &id).await?;
    let (cloud, name) = (&site.cloud, id.resource());
    let balancer_name = id.load_balancer();
    let (rows, health, activities, balancer) = tokio::try_join!(
        rows::load(session, &site, Some(&id.application)),
        gate::health(cloud, &found.group.target_groups),
        lookups::scaling_activities(cloud, &name),
        aws_core::cloud::serving::load_balancer(cloud, &balancer_name)
    )?;
    let Some(row) = rows.into_iter().find(|r| r.version == id.version.as_str()) else {
        return Err(aws_core::Error::not_found(format!("{id} was deleted in this moment")));
    };
    let instances = found.group.members.iter().map(|m| Instance {
        instance_id: m.id.clone(),
        state: m.lifecycle.clone(),
        healthy: m.healthy,
        zone: m.zone.clone(),
    });
    let activities = activities.into_iter().take(5).map(|a| Activity {
        status: a.status,
        description: a.description,
        message: a.message,
        at: a.at,
    });
    let shown = Shown {
        row,
        min: found.group.min,
        max: found.group.max,
        healthy_targets: health.healthy(),
        unhealthy_targets: health.reasons(),
        load_balancer: balancer.as_ref().map(|b| b.dns_name.clone()),
        instances: instances.collect(),
        activities: activities.collect(),
    };
    if balancer.is_none() {
        session
            .terminal
            .warn(&format!("load balancer {balancer_name} of {id} does not exist: nothing reaches this version"));
    }
    let weight = match shown.row.weight {
        Some(weight) => format!("{weight}%"),
        None if shown.row.traffic_known => "none".to_owned(),
        None => "unknown".to_owned(),
    };
    let balancer = match &shown.load_balancer {
        Some(name) => Cell::new(name),
        None => Cell::styled("missing", Some(BAD)),
    };
    // Targets that are there and not healthy have lines of their own.
    let targets = if health.groups.is_empty() {
        Cell::new("0 (it has no target group)")
    } else if health.groups.iter().all(Vec::is_empty) {
        Cell::new("0 (no target is registered)")
    } else {
        Cell::new(shown.healthy_targets)
    };
    let mut lines = vec![
        ("Application", Cell::new(&shown.row.application_name)),
        ("Version", Cell::new(&shown.row.version)),
        ("Docker Image", Cell::new(&shown.row.image)),
        ("Digest", Cell::maybe(shown.row.image_digest.as_ref())),
        ("DNS Name", Cell::maybe(shown.row.dns_name.as_ref())),
        ("Load Balancer", balancer),
        ("Traffic", Cell::new(weight)),
        ("Instances", Cell::new(format!("{} wanted, {} to {}", shown.row.desired, shown.min, shown.max))),
        ("Healthy Targets", targets),
        ("Created", Cell::age(shown.row.created_at, jiff::Timestamp::now())),
    ];
    lines.extend(shown.unhealthy_targets.iter().map(|r| ("Other Targets", Cell::new(r))));
    for i in &shown.instances {
        let health = if i.healthy { "" } else { ", unhealthy" };
        lines.push(("Instance", Cell::new(format!("{} {} in {}{health}", i.instance_id, i.state, i.zone))));
    }
    for a in &shown.activities {
        lines.push(("Scaling", Cell::new(format!("{}: {}", a.status, a.message.as_deref().unwrap_or(&a.description)))));
    }
    session.terminal.details(args.output, &shown, &lines)?;
    Ok(Exit::Done)
}
