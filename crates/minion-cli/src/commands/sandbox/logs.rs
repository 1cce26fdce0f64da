//! `minion sandbox logs`
use super::{context::Context, overlord};
use aws_core::{
    Error, Result,
    cloud::machines::{self, Machine},
    engine::Stop,
};
use clap::Args;
use docker::{
    Engine,
    bollard::{
        container::LogOutput,
        models::ContainerSummary,
        query_parameters::{ListContainersOptionsBuilder, LogsOptionsBuilder},
    },
};
use futures::{StreamExt as _, stream};
use sandbox::place::{EMULATOR_LOG, INSTANCE_LABEL, LABEL, LOG, MACHINE_LABEL};
use std::collections::HashMap;
use terminal::Exit;

/// Arguments of `sandbox logs`.
#[derive(Debug, Args)]
pub(super) struct LogsArgs {
    /// Only what belongs to this: an application, `application-version`, or an instance id
    of: Option<String>,
    /// The instances' consoles (the boot script) instead of what the applications print
    #[arg(long)]
    console: bool,
    /// What the sandbox process and fakecloud say instead
    #[arg(long, conflicts_with_all = ["of", "console", "follow"])]
    process: bool,
    /// Go on until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Lines from the end of each log
    #[arg(long, default_value_t = 100, value_name = "LINES")]
    tail: u32,
}

/// Shows logs.
pub(super) async fn run(context: &Context, args: LogsArgs) -> Result<Exit> {
    if args.process {
        return processes(context, args.tail);
    }
    let (running, status) = context.up().await?;
    let engine = Engine::connect().await?;
    // What a group is called does not tell `my` and its version `app-1` from `my-app` and its version `1`; tags do.
    let cloud = sandbox::connect(&running.endpoint, &running.region).await?;
    let vpc = overlord::vpc(&cloud).await?;
    let machines = machines::list(&cloud, &vpc, None, None).await?;
    let wanted: Vec<(String, String)> = status
        .groups
        .iter()
        .flat_map(|group| group.members.iter().map(|m| (group.name.clone(), m.id.clone())))
        .filter(|(group, instance)| {
            let machine = machines.iter().find(|machine| machine.instance_id == *instance);
            args.of.as_deref().is_none_or(|of| belongs(of, group, instance, machine))
        })
        .collect();
    if wanted.is_empty() {
        let of = args.of.as_deref().map(|of| format!(" of {of}")).unwrap_or_default();
        return Err(Error::not_found(format!("there are no instances{of} in the sandbox"))
            .hint("`minion sandbox status` lists them."));
    }
    let containers = containers(&engine, &context.place.id()).await?;
    let mut streams = Vec::new();
    for (_, instance) in &wanted {
        let label = if args.console { MACHINE_LABEL } else { INSTANCE_LABEL };
        let found = containers.iter().find(|c| c.labels.as_ref().and_then(|l| l.get(label)) == Some(instance));
        let Some(id) = found.and_then(|c| c.id.clone()) else {
            context.terminal.say(&format!("{instance} has no application's container yet; see --console."));
            continue;
        };
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(args.follow);
        let options = options.tail(&args.tail.to_string()).build();
        let client = engine.client().clone();
        let name = instance.clone();
        streams.push(client.logs(&id, Some(options)).map(move |line| (name.clone(), line)).boxed());
    }
    let mut lines = stream::select_all(streams);
    let several = wanted.len() > 1;
    loop {
        let next = tokio::select! {
            next = lines.next() => next,
            () = context.cancel.reached(Stop::Soon) => return Ok(Exit::Interrupted),
        };
        let Some((instance, line)) = next else { return Ok(Exit::Done) };
        let line: LogOutput = line.map_err(|e| Error::failed(format!("the log of {instance} cannot be read: {e}")))?;
        let text = String::from_utf8_lossy(&line.into_bytes()).trim_end().to_owned();
        for line in text.lines() {
            context.terminal.line(&if several { format!("{instance} {line}") } else { line.to_owned() })?;
        }
        if context.terminal.output_closed() {
            return Ok(Exit::Done);
        }
    }
}

/// Whether an instance of a group is meant: by its id, its version (groups are called `app-APPLICATION-VERSION`), or
/// its application.
fn belongs(of: &str, group: &str, instance: &str, machine: Option<&Machine>) -> bool {
    let version = group.strip_prefix("app-").unwrap_or(group);
    instance == of || version == of || machine.is_some_and(|machine| machine.application_name == of)
}

async fn containers(engine: &Engine, id: &str) -> Result<Vec<ContainerSummary>> {
    let label = format!("{LABEL}={id}");
    let filters = HashMap::from([("label", vec![label.as_str()])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    engine
        .client()
        .list_containers(Some(options))
        .await
        .map_err(|e| Error::failed(format!("the containers cannot be listed: {e}")))
}

fn processes(context: &Context, tail: u32) -> Result<Exit> {
    for name in [EMULATOR_LOG, LOG] {
        let path = context.place.file(name);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let lines: Vec<&str> = text.lines().collect();
        context.terminal.say(&format!("{}:", path.display()));
        let from = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        for line in &lines[from..] {
            context.terminal.line(line)?;
        }
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant() {
        let machine = Machine {
            application_name: "my-app".into(),
            version: Some("1.0".into()),
            instance_id: "i-1".into(),
            team: None,
            public_ip: None,
            private_ip: None,
            state: "running".into(),
            instance_type: None,
            zone: None,
            launched_at: None,
        };
        let meant = |of: &str| belongs(of, "app-my-app-1.0", "i-1", Some(&machine));
        for of in ["my-app", "my-app-1.0", "i-1"] {
            assert!(meant(of), "{of}");
        }
        for of in ["my", "my-app-1", "app", "1.0", "i-2"] {
            assert!(!meant(of), "{of}");
        }
        assert!(belongs("my-app-1.0", "app-my-app-1.0", "i-1", None), "one whose tags are gone");
    }
}
