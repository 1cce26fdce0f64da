//! `minion versions scale`
use crate::{
    commands::undertaking::{Change as Task, on_application},
    deployed,
    dns::{names_of, share_of},
    site::{Session, Site},
};
use aws_core::{
    Error, Result,
    engine::{Action, Change, NodeReport, Outcome, Report},
    model::{ApplicationName, VersionName, names::AppVersion},
    resources::auto_scaling_group::{self, Size},
};
use clap::Args;
use terminal::{
    Exit, Undertaking,
    flags::{Lock, Writes},
};

/// Arguments of `versions scale`.
#[derive(Debug, Args)]
pub(super) struct ScaleArgs {
    /// The application
    application: ApplicationName,
    /// The version
    version: VersionName,
    /// The wanted number of instances
    #[arg(value_name = "N", value_parser = clap::value_parser!(i32).range(0..=1000))]
    instances: i32,
    /// The smallest number of instances [default: as it is, or N if that is less]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=1000))]
    min: Option<i32>,
    /// The largest number of instances [default: as it is, or N if that is more]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=1000))]
    max: Option<i32>,
    /// Scale to 0 although the version has traffic
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
}

pub(super) async fn run(session: &Session, args: ScaleArgs) -> Result<Exit> {
    let id = AppVersion::new(args.application.clone(), args.version.clone())?;
    let desired = args.instances;
    let bounds = |name: &str, bad: bool, value: Option<i32>| match value {
        Some(n) if bad => Err(Error::usage(format!("{desired} instances do not fit --{name} {n}"))),
        _ => Ok(()),
    };
    bounds("min", args.min.is_some_and(|n| n > desired), args.min)?;
    bounds("max", args.max.is_some_and(|n| n < desired), args.max)?;

    let site = session.site().await?;
    let work = async |under: &Undertaking| scaled(session, &site, &args, &id, under).await;
    on_application(session, &site, &id.application, (&args.writes, &args.lock), Task::default(), work).await
}

async fn scaled(
    session: &Session,
    site: &Site,
    args: &ScaleArgs,
    id: &AppVersion,
    under: &Undertaking,
) -> Result<Exit> {
    let (terminal, desired) = (&session.terminal, args.instances);
    let deployed = deployed::version(&site.cloud, &site.vpc, id).await?;
    let live = &deployed.group;
    if desired == 0 && !args.force {
        let names = names_of(site, std::slice::from_ref(&deployed), None).await?;
        if let Some(share) = share_of(&names, id)? {
            return Err(Error::refused(format!(
                "{id} has {share}% of the traffic; without instances it would be lost"
            ))
            .hint(format!("Move it first: minion traffic {} OTHER_VERSION 100. Or use --force.", id.application)));
        }
    }
    let size = Size {
        min: args.min.unwrap_or(live.min.min(desired)),
        max: args.max.unwrap_or(live.max.max(desired)),
        desired,
    };
    let mut changes = Vec::new();
    Change::compare(&mut changes, "desired", &live.desired, &size.desired);
    Change::compare(&mut changes, "min", &live.min, &size.min);
    Change::compare(&mut changes, "max", &live.max, &size.max);
    let text: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let action = if changes.is_empty() { Action::Keep } else { Action::Update(changes) };
    let node = NodeReport { kind: "auto scaling group", name: id.resource(), outcome: Outcome::Done(action) };
    let report = Report { nodes: vec![node] };
    if args.writes.dry_run {
        terminal.plan(&report, false)?;
        return Ok(args.writes.exit(&report));
    }
    if text.is_empty() {
        terminal.say(&format!("{id} has {desired} instances already; nothing to change."));
        return Ok(Exit::Done);
    }
    let step = format!("Scaling {id} ({})", text.join(", "));
    terminal.during(&step, auto_scaling_group::resize(&site.cloud, &id.resource(), &size)).await?;
    under.changed(&report);
    Ok(Exit::Done)
}
