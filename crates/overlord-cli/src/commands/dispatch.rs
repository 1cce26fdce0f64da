//! From the parsed command line to the command, and from its end to the exit code.
use crate::{
    cli::{Cli, Command},
    commands,
    session::Session,
};
use aws_core::{Result, engine::Cancel};
use terminal::{Exit, Terminal};

/// Runs the command, prints its error if it has one, and says how to exit.
pub async fn run(cli: Cli) -> Exit {
    let terminal = Terminal::new(&cli.globals);
    let cancel = Cancel::default();
    terminal::signals::listen(cancel.clone(), terminal.clone());
    match dispatch(cli, &terminal, cancel).await {
        Ok(exit) => exit,
        Err(error) => {
            terminal.error(&error);
            Exit::of(&error)
        }
    }
}

async fn dispatch(cli: Cli, terminal: &Terminal, cancel: Cancel) -> Result<Exit> {
    if let Command::Completions(args) = cli.command {
        return commands::completions::run(terminal, &args);
    }
    // Not with clap's `env`: the usage line of every error would show the variable's flag as required.
    let variable = std::env::var_os("OVERLORD_CONFIG").filter(|v| !v.is_empty());
    let config = cli.config.or_else(|| variable.map(std::path::PathBuf::from));
    let on_aws = async {
        let session = Session::open(terminal, cancel.clone(), config.as_deref()).await?;
        on_aws(cli.command, &session).await
    };
    terminal::signals::command(&cancel, on_aws).await
}

/// The commands that need an organization.
async fn on_aws(command: Command, session: &Session) -> Result<Exit> {
    match command {
        Command::Team(args) => Box::pin(commands::team::run(session, args)).await,
        Command::History(args) => Box::pin(commands::history::run(session, args)).await,
        Command::Check(args) => Box::pin(commands::check::run(session, args)).await,
        Command::Addresses(args) => Box::pin(commands::addresses::run(session, &args)).await,
        Command::Diagram(args) => Box::pin(commands::diagram::run(session, args)).await,
        Command::Completions(_) => Ok(Exit::Done),
    }
}
