//! `overlord completions`
use crate::cli::Cli;
use aws_core::Result;
use clap::{Args, CommandFactory as _};
use terminal::{Exit, Terminal};

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Bash: overlord completions bash > ~/.local/share/bash-completion/completions/overlord")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints the script.
pub fn run(terminal: &Terminal, args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "overlord", &mut script);
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
