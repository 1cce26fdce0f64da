//! `minion image build`
use crate::manifest;
use aws_core::{
    Error, Result,
    engine::Cancel,
    model::{architecture::Architecture, image::ImageRef},
};
use clap::Args;
use docker::{
    Build, Engine, Progress,
    context::{Context, Directory},
};
use std::{collections::BTreeMap, path::PathBuf};
use terminal::{Exit, Step, Terminal, signals::interruptible};

/// Arguments of `image build`.
#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// Build context directory (its .dockerignore is honored, or FILE.dockerignore beside the Dockerfile)
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// Name of the image, with its tag; may be given several times
    #[arg(short, long = "tag", value_name = "IMAGE")]
    tags: Vec<ImageRef>,
    /// The Dockerfile [default: Dockerfile in the directory, else dockerfile]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Build argument (a name alone takes its value from the environment), which overrides the proxies of Docker's config.json
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// Build for the processor of this manifest's instance type
    #[arg(short, long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Build for this platform, e.g. linux/arm64; beats the manifest's
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Take no step from the engine's cache
    #[arg(long)]
    no_cache: bool,
    /// Ask the registry for newer base images
    #[arg(long)]
    pull: bool,
}

pub(super) async fn run(terminal: &Terminal, cancel: &Cancel, args: BuildArgs) -> Result<Exit> {
    for tag in &args.tags {
        tag.require_version()?;
        if tag.digest().is_some() {
            return Err(Error::usage(format!("--tag {tag}: an image that is yet to be built has no digest"))
                .hint("Give it a tag, e.g. registry.example.org/web/hello:1.0."));
        }
    }
    let platform = platform(&args)?;
    let arguments = arguments(&args.build_args, |name| std::env::var(name).ok())?;
    let (directory, dockerfile) = Directory::read(&args.directory, args.file.as_deref())?;
    terminal.detail(&format!("{} files, {}", directory.count(), size(directory.size())));
    let engine = interruptible(cancel, Engine::connect()).await?;
    let mut all = docker::build_arguments(engine.socket(), &|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    all.extend(arguments);
    let build = Build {
        context: Context::Directory(directory),
        dockerfile,
        arguments: all,
        platform: platform.clone(),
        tags: args.tags.iter().map(ToString::to_string).collect(),
        labels: BTreeMap::new(),
        no_cache: args.no_cache,
        pull: args.pull,
    };
    let what = args.tags.first().map_or("the image", ImageRef::as_str);
    let on = platform.as_ref().map(|p| format!(" for {p}")).unwrap_or_default();
    let step = terminal.step(&format!("Building {what}{on}"));
    let built = interruptible(cancel, engine.build(build, |progress| show(terminal, &step, progress))).await;
    let id = step.end(built)?;
    if let Some(wanted) = &platform {
        made_for(&engine, &id, wanted).await?;
    }
    terminal.say(&format!("Image id: {id}"));
    match args.tags.first() {
        Some(tag) => {
            terminal.line(tag.as_str())?;
            terminal.say(&format!(
                "Next: `minion image run MANIFEST {tag}` tries it out here; `minion image push {tag}` puts it into its registry."
            ));
        }
        None => terminal.line(&id)?,
    }
    Ok(Exit::Done)
}

/// Old engines take the base image that they have, whatever it is for.
async fn made_for(engine: &Engine, id: &str, platform: &str) -> Result<()> {
    let made = engine.image_details(id).await?.unwrap_or_default().architecture;
    let wanted = platform.split('/').nth(1).unwrap_or_default();
    if made.is_empty() || made == wanted {
        return Ok(());
    }
    Err(Error::failed(format!("the image was built for {made} instead of {platform}: its base image is for {made}"))
        .hint("--pull asks the registry for the base image for the other processor."))
}

/// What the engine says, on the terminal.
pub(super) fn show(terminal: &Terminal, step: &Step, progress: Progress) {
    match progress {
        Progress::Line(line) => terminal.log(&line),
        Progress::Layer { id, status, bytes } => {
            let bytes = bytes.map(|(done, all)| format!(" {} of {}", size(done), size(all))).unwrap_or_default();
            step.tick(format!("{id} {status}{bytes}").trim());
        }
    }
}

/// `12.3 MB`, as Docker counts.
pub(super) fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (100, "kB"),
        1_000_000..1_000_000_000 => (100_000, "MB"),
        _ => (100_000_000, "GB"),
    };
    let tenths = bytes / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

fn platform(args: &BuildArgs) -> Result<Option<String>> {
    if let Some(platform) = &args.platform {
        // An architecture alone is meant for Linux.
        return Ok(Some(if platform.contains('/') { platform.clone() } else { format!("linux/{platform}") }));
    }
    let Some(path) = &args.manifest else { return Ok(None) };
    let manifest = manifest::load(path)?.manifest;
    Ok(Some(format!("linux/{}", Architecture::of_instance_type(&manifest.instance_type.to_string()))))
}

fn arguments(given: &[String], env: impl Fn(&str) -> Option<String>) -> Result<BTreeMap<String, String>> {
    let mut arguments = BTreeMap::new();
    for text in given {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_str(), env(text)),
        };
        if name.is_empty() {
            return Err(Error::usage(format!("--build-arg {text}: there is no name before the `=`")));
        }
        let value = value.ok_or_else(|| {
            Error::usage(format!("--build-arg {name}: {name} is not set in the environment of this command"))
                .hint(format!("Write --build-arg {name}=VALUE, or export {name} first."))
        })?;
        arguments.insert(name.to_owned(), value);
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1_234, "1.2 kB"), (45_600_000, "45.6 MB"), (7_000_000_000, "7.0 GB")]
        {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn build_arguments() {
        let read = |given: &[&str]| {
            let given: Vec<String> = given.iter().map(|g| (*g).to_owned()).collect();
            arguments(&given, |name| (name == "SET").then(|| "here".to_owned()))
        };
        let got = read(&["A=b=c", "SET", "E="]).unwrap();
        assert_eq!((got["A"].as_str(), got["SET"].as_str(), got["E"].as_str()), ("b=c", "here", ""));
        assert!(read(&["UNSET"]).unwrap_err().hints()[0].contains("UNSET=VALUE"));
        assert!(read(&["=x"]).is_err());
    }
}
