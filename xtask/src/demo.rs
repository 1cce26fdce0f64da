//! `cargo xtask demo`: an application that carries traffic in the sandbox, where that can be; else the story of a team and
//! its application on an emulator of the control plane alone. With the released binaries.
use crate::{
    cargo,
    emulator::{Emulator, environment},
    organization::{self, RED, REGION},
    sandbox::{Missing, Sandbox},
    showcase,
    story::{self, Stage},
    tools,
};
use anyhow::{Context as _, Result, bail};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Arguments of `cargo xtask demo`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keep everything until Enter is pressed, to look around
    #[arg(long)]
    keep: bool,
    /// The story of a team and its place, on an emulator of AWS's control plane, even where the sandbox could be used
    #[arg(long)]
    control_plane: bool,
    /// The directory with the binaries, instead of building them
    #[arg(long, value_name = "DIRECTORY")]
    binaries: Option<PathBuf>,
}

/// Sets up, tells the story, checks what is left, and takes everything down.
pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupted = watch_for_interrupt()?;
    let binaries = match &args.binaries {
        Some(directory) => directory.canonicalize().context("--binaries")?,
        None => cargo::build()?,
    };
    if !args.control_plane {
        match Sandbox::find(Missing::Leave) {
            Ok(sandbox) => return showcase::run(&sandbox, binaries, args.keep, &interrupted),
            Err(error) => {
                eprintln!("No sandbox: {error:#}. So this shows the control plane alone: nothing serves traffic.\n")
            }
        }
    }
    let home = tempfile::tempdir()?;
    let mut emulator = Emulator::start()?;
    eprintln!("moto stands in for AWS at {}.", emulator.endpoint);
    let real = tools::docker_registry();
    let registry = emulator.registry(real.as_deref())?;
    match registry.program.as_str() {
        "docker-registry" => eprintln!("docker-registry is the container registry at {}.", registry.host),
        _ => eprintln!(
            "A small read-only registry of ours is the container registry at {}; with a real one on the PATH \
             (Debian: `apt-get install docker-registry`) that one is used.",
            registry.host
        ),
    }
    let credentials = organization::prepare(&mut emulator)?;
    eprintln!("An organization is ready: three accounts, and the domain {}.\n", organization::DOMAIN);
    let mut operator = environment(&credentials, &emulator.endpoint, home.path())?;
    operator.push(("OVERLORD_CONFIG".to_owned(), organization::file().display().to_string()));
    let before = organization::standing(&mut emulator)?;
    let mut stage = Stage {
        binaries,
        operator,
        member: Vec::new(),
        home: home.path().to_owned(),
        registry: registry.host,
        emulator,
        interrupted,
    };
    story::up(&mut stage)?;
    if args.keep {
        keep(&mut stage)?;
    }
    let told = story::down(&mut stage);
    // Somebody who looked around may have changed what the story goes on with; all of it goes with the emulator.
    let looked_around = args.keep && !stage.interrupted.load(Ordering::Relaxed);
    if looked_around && (told.is_err() || organization::standing(&mut stage.emulator)? != before) {
        drop(stage);
        eprintln!(
            "\nThe story cannot be told to its end after what was changed. All of it is taken down all the same."
        );
        return Ok(());
    }
    told?;
    let after = organization::standing(&mut stage.emulator)?;
    if after != before {
        let (left, gone) = (organization::added(&before, &after), organization::added(&after, &before));
        bail!("the accounts are not as before; left: {}; gone: {}", left.join(", "), gone.join(", "));
    }
    drop(stage);
    eprintln!("\nAll of it did what it should, nothing is left on AWS, and nothing is left running.");
    Ok(())
}

fn keep(stage: &mut Stage) -> Result<()> {
    let vpcs = stage.emulator.inventory(RED)?.remove("vpc").unwrap_or_default();
    let vpc = vpcs.first().context("the team's account has a VPC")?;
    eprintln!("\nThe application stands. In another terminal, as somebody of the team:\n");
    eprintln!("export PATH=\"{}:$PATH\"", stage.binaries.display());
    export(&stage.member);
    eprintln!("export MINION_REGION={REGION} MINION_VPC={vpc} MINION_REGISTRY={}", stage.registry);
    eprintln!("\nOr, in one more, as the organization's operator:\n");
    eprintln!("export PATH=\"{}:$PATH\"", stage.binaries.display());
    export(&stage.operator);
    eprintln!("\nPress Enter to take it down.");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

fn export(variables: &[(String, String)]) {
    for (name, value) in variables.iter().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("OVERLORD_"))
    {
        eprintln!("export {name}='{value}'");
    }
}

/// Ctrl-C reaches the command that runs at the moment too, which ends; then we take everything down.
fn watch_for_interrupt() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Registered before anything is started.
    let mut signal = {
        let _context = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?
    };
    thread::spawn(move || {
        runtime.block_on(signal.recv());
        flag.store(true, Ordering::Relaxed);
    });
    Ok(interrupted)
}
