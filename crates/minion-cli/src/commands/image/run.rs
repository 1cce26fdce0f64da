//! `minion image run`
use super::{
    build::show,
    health::{Check, News},
    push, secrets,
    stage::{Stage, Started},
};
use crate::{
    environment,
    manifest::{self, Manifest, Protocol},
    settings::Settings,
    user_data::Instance,
};
use aws_core::{
    Error, Result,
    cloud::wait::parse_duration,
    engine::{Cancel, Stop},
    model::{architecture::Architecture, image::ImageRef},
};
use clap::Args;
use docker::{Engine, ImageDetails};
use futures::StreamExt as _;
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use terminal::{Exit, Terminal, signals::interruptible};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

/// Lines of the container's log that are told when it fails.
const LAST_WORDS: usize = 20;

/// Arguments of `image run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The application's manifest
    manifest: PathBuf,
    /// The image, with its tag or digest; pulled when the engine does not have it
    image: ImageRef,
    /// Environment variable of the container; beats the manifest's
    #[arg(short, long = "env", value_name = "KEY=VAL")]
    env: Vec<String>,
    /// File with environment variables, one KEY=VAL a line, as `docker run --env-file` takes it
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// File with the values of the manifest's secrets: KEY=VAL lines, or YAML where it is called .yaml
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Linux capability for the container, e.g. NET_ADMIN
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<manifest::Capability>,
    /// How long it may take to become healthy
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = parse_duration)]
    timeout: Duration,
    /// End once it is healthy, or cannot become so: for CI
    #[arg(long)]
    check: bool,
}

/// How it went.
enum End {
    /// Healthy, which was all that was asked for.
    Checked,
    /// Healthy, and then ended by the operator.
    Ended,
}

pub(super) async fn run(
    terminal: &Terminal,
    cancel: &Cancel,
    args: RunArgs,
    settings: impl FnOnce() -> Result<Settings>,
) -> Result<Exit> {
    let manifest = manifest::load(&args.manifest)?.manifest;
    let given = environment::Given::read(&args.env_file, &args.env, |name| std::env::var(name).ok())?;
    given.warnings().iter().for_each(|w| terminal.warn(w));
    let environment = given.over(&manifest)?;
    let secrets = secrets::read(args.secrets.as_deref(), &manifest)?;
    let cap_add = args.cap_add.iter().map(ToString::to_string).collect();
    let instance = instance(&manifest, args.image.as_str(), environment, cap_add);
    let arguments = instance.arguments()?;
    let engine = interruptible(cancel, Engine::connect()).await?;
    let image = interruptible(cancel, present(terminal, &engine, &args.image, settings)).await?;
    fits(terminal, &manifest, &args, &image)?;

    let stage = Stage::new(engine);
    let step = terminal.step(&format!("Starting {}", args.image));
    // Not interrupted: whatever was begun would be left behind.
    let started = step.end(stage.start(&manifest, &arguments, &secrets, (args.image.as_str(), &image)).await);
    let result = match &started {
        Ok(started) => attend(terminal, cancel, &args, &manifest, &stage, started).await,
        Err(_) => Ok(End::Checked),
    };
    // There is nobody whose data could be lost when the operator did not end it.
    let gently = started.as_ref().ok().filter(|_| matches!(result, Ok(End::Ended)));
    let removed = stage.remove(terminal, cancel, gently).await;
    started?;
    result?;
    removed?;
    Ok(Exit::Done)
}

/// The instance that this computer stands in for.
pub(super) fn instance<'a>(
    manifest: &'a Manifest,
    image: &'a str,
    environment: BTreeMap<String, String>,
    cap_add: Vec<String>,
) -> Instance<'a> {
    Instance {
        manifest,
        application: manifest.application_name.as_str(),
        version: "local",
        image: image.to_owned(),
        image_tag_shown: image,
        region: "local",
        log_group: None,
        environment,
        cap_add,
        insecure: None,
        nameservers: &[],
        cacerts: None,
        ecr: None,
        login: None,
    }
}

/// The image, pulled where the engine does not have it.
async fn present(
    terminal: &Terminal,
    engine: &Engine,
    image: &ImageRef,
    settings: impl FnOnce() -> Result<Settings>,
) -> Result<ImageDetails> {
    image.require_version()?;
    if let Some(details) = engine.image_details(image.as_str()).await? {
        return Ok(details);
    }
    let credential = push::credential(image, settings).await?;
    let step = terminal.step(&format!("Pulling {image}"));
    let pulled = engine.pull(image, None, credential, |progress| show(terminal, &step, progress)).await;
    step.end(pulled.map_err(|e| {
        e.hint(format!("The engine does not have it yet; `minion image build --tag {image}` builds it."))
    }))?;
    engine.image_details(image.as_str()).await?.ok_or_else(|| Error::not_found(format!("image {image} is not there")))
}

/// An image for another processor than the instance's starts here and not there.
fn fits(terminal: &Terminal, manifest: &Manifest, args: &RunArgs, image: &ImageDetails) -> Result<()> {
    let wanted = Architecture::of_instance_type(&manifest.instance_type.to_string()).to_string();
    if image.architecture.is_empty() || image.architecture == wanted {
        return Ok(());
    }
    let text = format!(
        "{} is made for {}, but instance type {} is {wanted}: no instance would start it",
        args.image, image.architecture, manifest.instance_type
    );
    if args.check {
        return Err(Error::refused(text).hint(format!(
            "Build it with `minion image build --manifest {}`, or choose another instance_type.",
            args.manifest.display()
        )));
    }
    terminal.warn(&text);
    Ok(())
}

/// Watches the container until it is healthy (`--check`), fails, or the operator has seen enough.
async fn attend(
    terminal: &Terminal,
    cancel: &Cancel,
    args: &RunArgs,
    manifest: &Manifest,
    stage: &Stage,
    started: &Started,
) -> Result<End> {
    let begun = Instant::now();
    let port = Check::port_of(manifest);
    let Some(published) = started.ports.get(&port) else {
        last_words(terminal, stage, started).await;
        return Err(fallen(args, manifest, stage, started, begun).await);
    };
    say_where(terminal, manifest, started);
    let check = Check::of(manifest, port, SocketAddr::from((Ipv4Addr::LOCALHOST, *published)));
    let (sender, mut news) = mpsc::channel(8);
    let mut watch = JoinSet::new();
    watch.spawn(check.clone().watch(sender));
    let mut waiting = Some(terminal.waiting(&format!("Waiting for {}", check.what()), args.timeout));
    let mut log = std::pin::pin!(stage.engine.follow(&started.container));
    let mut last = "no answer yet".to_owned();
    loop {
        tokio::select! {
            biased;
            () = cancel.reached(Stop::Soon) => {
                return match waiting.take() {
                    Some(step) => step.end(Err(Error::interrupted("interrupted before it was healthy"))),
                    None => Ok(End::Ended),
                };
            }
            line = log.next() => match line {
                Some(Ok(line)) if !args.check => terminal.data(&line.text)?,
                Some(Ok(_)) => {}
                // The log ends with the container.
                Some(Err(_)) | None => {
                    if let Some(step) = waiting.take() { step.failed() }
                    if args.check { last_words(terminal, stage, started).await }
                    return Err(fallen(args, manifest, stage, started, begun).await);
                }
            },
            Some(change) = news.recv() => match change {
                News::Bad(why) => {
                    if let Some(step) = &waiting { step.tick(&why) }
                    last = why;
                }
                News::Healthy => {
                    let seconds = begun.elapsed().as_secs();
                    match waiting.take() {
                        Some(step) => step.ok_with(&format!("healthy after {seconds} s")),
                        None => terminal.say("It is healthy again."),
                    }
                    if args.check { return Ok(End::Checked) }
                    terminal.say("Its log follows; Ctrl-C ends and removes it.");
                }
                News::Unhealthy(why) => {
                    terminal.warn(&format!("it is no longer healthy: {}: {why}; an instance would be replaced", check.what()));
                }
            },
            () = tokio::time::sleep_until(begun + args.timeout), if waiting.is_some() => {
                if let Some(step) = waiting.take() { step.failed() }
                if args.check { last_words(terminal, stage, started).await }
                return Err(Error::failed(format!(
                    "{} is not healthy after {} s: {}: {last}", args.image, begun.elapsed().as_secs(), check.what()
                ))
                .hint("The health check is the manifest's: health_check, exposed_ports and exposed_protocol. --timeout waits longer."));
            }
        }
    }
}

/// Where the container's ports are.
fn say_where(terminal: &Terminal, manifest: &Manifest, started: &Started) {
    for port in &manifest.exposed_ports {
        let Some(published) = started.ports.get(&port.get()) else { continue };
        let scheme = match manifest.exposed_protocol {
            Protocol::Http => "http://",
            Protocol::Tcp => "",
        };
        let why = if *published == port.get() { "" } else { " (that port is taken on this computer)" };
        terminal.say(&format!("Port {port} is {scheme}127.0.0.1:{published}{why}"));
    }
}

/// The container ended by itself.
async fn fallen(args: &RunArgs, manifest: &Manifest, stage: &Stage, started: &Started, begun: Instant) -> Error {
    let state = match stage.engine.state(&started.container).await {
        Ok(Some(state)) => state,
        Ok(None) => return Error::failed("the container was removed by somebody else"),
        Err(error) => return error,
    };
    let seconds = begun.elapsed().as_secs();
    let error = if state.running {
        Error::failed("the container runs, but its log cannot be followed")
    } else {
        Error::failed(format!(
            "the container of {} ended with exit code {} after {seconds} s",
            args.image, state.exit_code
        ))
    };
    let error = match state.error.as_str() {
        "" => error,
        why => error.caused_by(why.to_owned()),
    };
    match (state.out_of_memory, manifest.memory_mb.and_then(|m| m.hard)) {
        (true, Some(hard)) => error.hint(format!("It wanted more than the {hard} MiB of memory_mb in the manifest.")),
        _ => error
            .hint("On an instance Docker would start it again and again, and the version would not become healthy."),
    }
}

/// The end of the log, where it was not shown already.
async fn last_words(terminal: &Terminal, stage: &Stage, started: &Started) {
    match stage.engine.last_words(&started.container, LAST_WORDS).await {
        Ok(lines) if lines.is_empty() => terminal.warn("the container wrote nothing"),
        Ok(lines) => lines.iter().for_each(|line| terminal.log(&format!("| {line}"))),
        Err(error) => terminal.warn(&error.to_string()),
    }
}
