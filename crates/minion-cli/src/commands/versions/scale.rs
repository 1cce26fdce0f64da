//! `minion versions scale`
use crate::{
    commands::undertaking::{Change as Task, on_application},
    deployed,
    dns::{names_of, share_of},
    site::{Session, Site},
};
use aws_core::{
    Error, Result,
    cloud::{lookups, quotas},
    engine::{Action, Change, NodeReport, Outcome, Report, Use, Wanted, World as _},
    model::{ApplicationName, VersionName, names::AppVersion},
    resources::{
        auto_scaling_group::{self, Size},
        launch_template,
    },
};
use clap::Args;
use terminal::{
    Exit, Terminal, Undertaking,
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
    let template = id.resource();
    let (deployed, launches) =
        tokio::join!(deployed::version(&site.cloud, &site.vpc, id), launch_template::launches(&site.cloud, &template));
    let deployed = deployed?;
    let live = &deployed.group;
    if desired > live.desired {
        require_room(site, terminal, launches, desired - live.desired).await?;
    }
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
    let node = NodeReport::new("auto scaling group", id.resource(), Outcome::Done(action));
    let report = Report::from(vec![node]);
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

/// Refuses more instances than the account's quota of virtual processors has room for. What cannot be read keeps nobody
/// from scaling.
async fn require_room(
    site: &Site,
    terminal: &Terminal,
    launches: Result<Option<(String, bool)>>,
    more: i32,
) -> Result<()> {
    let wanted = async {
        let Some((instance_type, spot)) = launches? else { return Ok(None) };
        let machine = lookups::machine(&site.cloud, &instance_type).await?;
        Ok::<_, Error>(quotas::uses_processors(&instance_type, spot, machine.processors(more)))
    };
    // Nearly always it is this one: it is read beside the instance type.
    let usual = quotas::uses_processors("t3.small", false, 0).map(as_wanted);
    let (wanted, _) = tokio::join!(wanted, site.cloud.room(usual.as_slice()));
    let wanted = match wanted {
        Ok(wanted) => wanted.map(as_wanted),
        Err(e) => {
            terminal.warn(&format!("could not check the quota of virtual processors: {e}"));
            None
        }
    };
    let room = site.cloud.room(wanted.as_slice()).await;
    room.warnings.iter().for_each(|text| terminal.warn(text));
    room.refused.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
}

fn as_wanted(taken: Use) -> Wanted {
    Wanted { node: 0, created: true, written: true, taken }
}
