//! `minion sandbox up`
use super::{context::Context, overlord};
use crate::settings::{Profile, SandboxPlace};
use aws_core::{Error, Result, engine::Stop};
use clap::Args;
use docker::{Build, Engine};
use sandbox::{
    control::{self, State},
    emulator,
    image::{self, Base},
    place::{Emulator, Running, WANTED, Wanted},
};
use std::{collections::BTreeMap, path::PathBuf};
use terminal::Exit;

/// Arguments of `sandbox up`.
#[derive(Debug, Args)]
#[command(
    after_help = "Then:\n  minion --profile sandbox app create manifest.yaml\n  minion --profile sandbox ver create myapp 1.0 myapp:1.0\n  minion --profile sandbox traffic myapp 1.0 100\n  curl http://myapp.sandbox.localhost:8080/"
)]
pub(super) struct UpArgs {
    /// Port of AWS's services on 127.0.0.1; 0 for any that is free [default: 4566]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Port of the front door on 127.0.0.1, where applications answer by their host names; 0 for any that is free
    /// [default: 8080]
    #[arg(long, value_name = "PORT")]
    front_port: Option<u16>,
    /// The fakecloud to run [default: the one on the PATH, else its container image]
    #[arg(long, env = "MINION_FAKECLOUD", hide_env = true, value_name = "FILE")]
    fakecloud: Option<PathBuf>,
    /// Image to build the instances' image from; it must have busybox [default: this computer's static busybox, else
    /// Alpine Linux is pulled]
    #[arg(long, value_name = "IMAGE")]
    base: Option<String>,
}

/// The ports where none are named: fakecloud's own, and the one that the examples have.
const PORT: u16 = 4566;
const FRONT_PORT: u16 = 8080;
/// The region of the sandbox where none is named: that of the examples.
const REGION: &str = "eu-west-1";
/// The domain of the applications where none is named: names under `localhost` lead to this computer (RFC 6761).
const DOMAIN: &str = "sandbox.localhost";

/// Starts the sandbox.
pub(super) async fn run(context: &Context, args: UpArgs) -> Result<Exit> {
    let _lock = control::lock(&context.place)?;
    if let Err(error) = context.own_profile() {
        // A directory that was made for nothing.
        if context.place.read::<Wanted>(WANTED)?.is_none() {
            context.place.remove()?;
        }
        return Err(error);
    }
    if let State::Up(running, _) = control::state(&context.place).await? {
        // A run that was cut off may have left the rest undone.
        prepare(context, &running).await?;
        context.terminal.say("The sandbox is running already.");
        let wanted: Option<Wanted> = context.place.read(WANTED)?;
        let asked = Asked { args: &args, region: context.region.as_deref(), domain: context.domain.as_deref() };
        let others = asked.others(&running, wanted.as_ref().and_then(|wanted| wanted.base.as_deref()));
        if !others.is_empty() {
            context.terminal.warn(&format!(
                "it runs otherwise than asked for: {}. To change that, `minion sandbox down` removes it first",
                others.join(", ")
            ));
        }
        told(context, &running);
        return Ok(Exit::Done);
    }
    match start(context, args).await {
        Ok(running) => {
            told(context, &running);
            Ok(Exit::Done)
        }
        Err(error) => {
            // Half a sandbox is of no use, and its containers would stay. What went wrong first is told.
            let removed = super::down::remove(context, false).await;
            Err(match removed {
                Ok(()) => error,
                Err(_) if control::was_started(&context.place).unwrap_or(true) => {
                    error.hint("`minion sandbox down` removes what is there of it.")
                }
                Err(_) => error,
            })
        }
    }
}

async fn start(context: &Context, args: UpArgs) -> Result<Running> {
    let terminal = &context.terminal;
    let engine = terminal.during("Looking for the container engine", Engine::connect()).await?;
    let docker = image::on_path("docker").or_else(|| image::on_path("podman")).ok_or_else(|| {
        Error::not_found("the command `docker`, which fakecloud calls, is not on the PATH")
            .hint("Install Docker's command line.")
    })?;
    let program = terminal.during("Looking for fakecloud", find(&engine, args.fakecloud)).await?;
    // What a sandbox before this one left, whatever became of it.
    super::down::remove(context, false).await?;
    stopped(context)?;
    let image = format!("minion-sandbox-{}", context.place.id());
    let building = build(context, &engine, args.base.as_deref(), &image);
    terminal.during("Building the image of the instances", building).await?;
    stopped(context)?;
    let region = context.region.clone().unwrap_or_else(|| REGION.to_owned());
    let domain = domain_of(context.domain.as_deref());
    let wanted = Wanted {
        port: args.port.unwrap_or(PORT),
        front_port: args.front_port.unwrap_or(FRONT_PORT),
        region,
        domain,
        emulator: program,
        docker,
        image,
        base: args.base,
    };
    context.place.write(WANTED, &wanted)?;
    let own = std::env::current_exe().map_err(|e| Error::failed(format!("minion does not know where it is: {e}")))?;
    let running =
        terminal.during("Starting fakecloud and the front door", control::start(&context.place, &own)).await?;
    stopped(context)?;
    prepare(context, &running).await?;
    Ok(running)
}

/// The team's network, and the profile.
async fn prepare(context: &Context, running: &Running) -> Result<()> {
    let cloud = sandbox::connect(&running.endpoint, &running.region).await?;
    let made = overlord::create(context, running);
    context.terminal.during("Creating the network of team sandbox with overlord", made).await?;
    let vpc = overlord::vpc(&cloud).await?;
    // What else the operator put there stays.
    let before = context.own_profile()?.unwrap_or_default();
    context.set_profile(&Profile {
        region: Some(running.region.clone()),
        vpc: Some(vpc),
        domain: Some(running.domain.clone()),
        sandbox: Some(SandboxPlace {
            endpoint: running.endpoint.clone(),
            front: running.front.clone(),
            id: Some(context.place.id()),
        }),
        ..before
    })
}

fn domain_of(named: Option<&str>) -> String {
    named.unwrap_or(DOMAIN).trim_matches('.').to_ascii_lowercase()
}

/// What an operator asked of a sandbox that runs already.
struct Asked<'a> {
    args: &'a UpArgs,
    region: Option<&'a str>,
    domain: Option<&'a str>,
}

impl Asked<'_> {
    /// What is otherwise, in words; what was not asked for may be as it is.
    fn others(&self, running: &Running, base: Option<&str>) -> Vec<String> {
        let port = |url: &str| url.rsplit(':').next().unwrap_or_default().to_owned();
        let any = |port: Option<u16>| port.filter(|port| *port != 0).map(|port| port.to_string());
        let pairs = [
            ("--port", any(self.args.port), port(&running.endpoint)),
            ("--front-port", any(self.args.front_port), port(&running.front)),
            ("--region", self.region.map(str::to_owned), running.region.clone()),
            ("--domain", self.domain.map(|domain| domain_of(Some(domain))), running.domain.clone()),
            ("--base", self.args.base.clone(), base.unwrap_or("none").to_owned()),
        ];
        let others = pairs.into_iter().filter_map(|(flag, asked, is)| {
            let asked = asked.filter(|asked| *asked != is)?;
            Some(format!("{flag} {asked} (it has {is})"))
        });
        others.collect()
    }
}

/// An operator who has thought better of it.
fn stopped(context: &Context) -> Result<()> {
    match context.cancel.state() {
        Stop::No => Ok(()),
        _ => Err(Error::interrupted("interrupted before the sandbox was ready")),
    }
}

fn told(context: &Context, running: &Running) {
    let Running { endpoint, front, .. } = running;
    context.terminal.say(&format!("AWS is at {endpoint}, applications are at {front} by their host names."));
    context.terminal.say(&format!("Profile {} is written to {}.", context.profile, context.config.display()));
    context.terminal.say(&format!("Next: minion --profile {} app create manifest.yaml", context.profile));
}

/// fakecloud: a program, else its container image.
async fn find(engine: &Engine, named: Option<PathBuf>) -> Result<Emulator> {
    let mut told = String::new();
    if let Some(program) = emulator::on_path(named.as_deref())? {
        told = emulator::version(&program).await?;
        if named.is_some() || told.contains(emulator::VERSION) {
            return Ok(Emulator::Program(program));
        }
    }
    if engine.has_image(emulator::IMAGE).await? || pulled(engine, emulator::IMAGE).await.is_ok() {
        return Ok(Emulator::Image(emulator::IMAGE.to_owned()));
    }
    let what = match told.as_str() {
        "" => "fakecloud, the emulator of AWS, is not on the PATH, and its container image cannot be pulled".to_owned(),
        other => format!(
            "the fakecloud on the PATH is another version ({other}), and the container image of {} cannot be pulled",
            emulator::VERSION
        ),
    };
    Err(Error::not_found(what)
        .hint(format!("Install it: `{}` (half an hour on two cores).", emulator::install_line()))
        .hint("One that is somewhere else is named with --fakecloud FILE (or MINION_FAKECLOUD)."))
}

async fn pulled(engine: &Engine, name: &str) -> Result<()> {
    engine.pull(&name.parse()?, None, None, |_| {}).await
}

async fn build(context: &Context, engine: &Engine, base: Option<&str>, name: &str) -> Result<()> {
    let version = engine.client().version().await;
    let version = version.map_err(|e| Error::failed(format!("the engine does not say its version: {e}")))?;
    let native = std::env::consts::OS == "linux" && version.os.as_deref() == Some("linux");
    let (label, id) = context.place.label();
    let build = Build {
        context: docker::context::Context::Archive(image::context(&Base::choose(base, native))?),
        dockerfile: "Dockerfile".to_owned(),
        arguments: BTreeMap::new(),
        platform: None,
        tags: vec![name.to_owned()],
        labels: BTreeMap::from([(label.to_owned(), id)]),
        no_cache: false,
        pull: false,
    };
    let built = engine.build(build, |_| {}).await;
    built.map(drop).map_err(|error| {
        error.hint(
            "Nothing is downloaded where `busybox` on the PATH is static (Debian: apt-get install busybox-static); \
             --base IMAGE names an image that the engine has.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::sandbox::context::some_sandbox;

    #[test]
    fn what_runs_otherwise_is_told() {
        let running = some_sandbox();
        let mut args = UpArgs { port: None, front_port: Some(8080), fakecloud: None, base: None };
        let asked = Asked { args: &args, region: Some("eu-west-1"), domain: Some("Sandbox.localhost.") };
        assert!(asked.others(&running, Some("alpine:3")).is_empty());
        args.port = Some(0);
        args.front_port = Some(81);
        args.base = Some("alpine:3".into());
        let asked = Asked { args: &args, region: Some("us-east-1"), domain: None };
        assert_eq!(
            asked.others(&running, None).join("; "),
            "--front-port 81 (it has 8080); --region us-east-1 (it has eu-west-1); --base alpine:3 (it has none)"
        );
    }
}
