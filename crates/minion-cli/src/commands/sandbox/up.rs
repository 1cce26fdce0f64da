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
    /// Port of AWS's services on 127.0.0.1; 0 for any that is free
    #[arg(long, default_value_t = 4566, value_name = "PORT")]
    port: u16,
    /// Port of the front door on 127.0.0.1, where applications answer by their host names; 0 for any that is free
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    front_port: u16,
    /// The fakecloud to run [default: the one on the PATH, else its container image]
    #[arg(long, env = "MINION_FAKECLOUD", hide_env = true, value_name = "FILE")]
    fakecloud: Option<PathBuf>,
    /// Image to build the instances' image from; it must have busybox [default: this computer's static busybox, else
    /// Alpine Linux is pulled]
    #[arg(long, value_name = "IMAGE")]
    base: Option<String>,
}

/// The region of the sandbox where none is named: that of the examples.
const REGION: &str = "eu-west-1";
/// The domain of the applications where none is named: names under `localhost` lead to this computer (RFC 6761).
const DOMAIN: &str = "sandbox.localhost";

/// Starts the sandbox.
pub(super) async fn run(context: &Context, args: UpArgs) -> Result<Exit> {
    let _lock = control::lock(&context.place)?;
    context.own_profile()?;
    if let State::Up(running, _) = control::state(&context.place).await? {
        // A run that was cut off may have left the rest undone.
        prepare(context, &running).await?;
        context.terminal.say("The sandbox is running already.");
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
                Err(_) => error.hint("`minion sandbox down` removes what is there of it."),
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
    let domain = context.domain.as_deref().unwrap_or(DOMAIN).trim_matches('.').to_ascii_lowercase();
    let wanted =
        Wanted { port: args.port, front_port: args.front_port, region, domain, emulator: program, docker, image };
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
    if engine.client().inspect_image(emulator::IMAGE).await.is_ok() || pulled(engine, emulator::IMAGE).await.is_ok() {
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
