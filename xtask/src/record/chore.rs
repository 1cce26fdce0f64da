//! The chore itself.
use super::{picture, session::Session, story::Story};
use crate::cargo::workspace;
use anyhow::{Context as _, Result};
use std::{env, fs, path::PathBuf};

/// Arguments of `cargo xtask record`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The story: commands with comments
    #[arg(long, value_name = "FILE", default_value = "xtask/src/record/story.txt")]
    story: PathBuf,
    /// The picture to write
    #[arg(long, value_name = "FILE", default_value = "docs/session.svg")]
    output: PathBuf,
    /// A directory that is looked into first for the commands: where the binaries are
    #[arg(long, value_name = "DIRECTORY")]
    binaries: Option<PathBuf>,
}

/// Runs the story's commands and draws what the terminal showed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let file = workspace().join(&args.story);
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let story: Story = text.parse().with_context(|| file.display().to_string())?;
    let mut session = Session::new(&story, workspace());
    if let Some(directory) = &args.binaries {
        let directory = directory.canonicalize().context("--binaries")?;
        let path = env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(directory).chain(env::split_paths(&path));
        session.set("PATH", env::join_paths(all)?);
    }
    for step in &story.steps {
        session.play(step)?;
    }
    let recording = session.end();
    let picture = picture::draw(&story, &recording);
    let output = workspace().join(&args.output);
    fs::write(&output, &picture).with_context(|| output.display().to_string())?;
    println!(
        "{}: {} pictures, {:.0} s, {} KB",
        output.display(),
        recording.len(),
        recording.iter().map(|shot| shot.lasts.as_secs_f64()).sum::<f64>(),
        picture.len() / 1024
    );
    Ok(())
}
