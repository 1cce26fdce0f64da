//! The command line.
use crate::{commands, settings::PlaceArgs};
use clap::{Parser, Subcommand};
use terminal::flags::Globals;

/// Deploys immutable versions of Docker applications on AWS, and moves traffic between them.
///
/// Commands may be shortened as long as they stay unambiguous: `minion ver sc myapp 1.0 4`.
#[derive(Debug, Parser)]
#[command(
    name = "minion",
    version,
    infer_subcommands = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "First steps:\n  minion configure\n  minion app create manifest.yaml\n  minion ver create myapp 1.0 myrepository/myapp:1.0\n  minion traffic myapp 1.0 100"
)]
pub struct Cli {
    /// Flags of the terminal.
    #[command(flatten)]
    pub globals: Globals,
    /// Flags that say where.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say where to work: region, VPC, domain, certificate, registry
    Configure(commands::configure::ConfigureArgs),
    /// List, create, update, show or delete applications
    Applications(commands::applications::ApplicationsArgs),
    /// List, create, scale or delete versions of an application
    Versions(commands::versions::VersionsArgs),
    /// Show how an application's traffic is shared out, or give a version its share
    Traffic(commands::traffic::TrafficArgs),
    /// Show who did what to an application, when, from where, and how it ended
    History(commands::history::HistoryArgs),
    /// List the instances of all applications, of one, or of one version
    Instances(commands::instances::InstancesArgs),
    /// List the images in the container registry
    Images(commands::images::ImagesArgs),
    /// Build, push or try a Docker image with this computer's engine
    Image(commands::image::ImageArgs),
    /// Run AWS on this computer, to try things out: the same commands, instances that are containers
    Sandbox(commands::sandbox::SandboxArgs),
    /// Print the completion script of a shell
    Completions(commands::completions::CompletionsArgs),
}
