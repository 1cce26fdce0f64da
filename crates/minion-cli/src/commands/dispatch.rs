//! From the parsed command line to the command, and from its end to the exit code.
use crate::{
    cli::{Cli, Command},
    commands,
    settings::Settings,
    site::Session,
};
use aws_core::{Error, Result, engine::Cancel};
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
    if let Command::Sandbox(args) = cli.command {
        return Box::pin(commands::sandbox::run(terminal, cancel, &cli.place, args)).await;
    }
    let settings = |new| Settings::resolve(&cli.place, new, |name| std::env::var(name).ok());
    // Works without settings: they are read where an image goes to Amazon's registry.
    if let Command::Image(args) = cli.command {
        return Box::pin(commands::image::run(terminal, &cancel, args, || settings(false))).await;
    }
    let settings = settings(matches!(cli.command, Command::Configure(_)))?;
    let sandbox = settings.values.sandbox.clone();
    let session = Session { terminal: terminal.clone(), cancel, settings };
    let cancel = session.cancel.clone();
    terminal::signals::command(&cancel, on_aws(cli.command, &session)).await.map_err(|error| match sandbox {
        Some(place) if error.to_string().contains("no connection") => {
            Error::failed(format!("the sandbox does not answer at {}", place.endpoint))
                .hint("`minion sandbox status` says how it is; `minion sandbox up` starts it.")
        }
        _ => error,
    })
}

/// The commands that need a place on AWS. Boxed, so that a small one does not need the stack of the largest.
async fn on_aws(command: Command, session: &Session) -> Result<Exit> {
    match command {
        Command::Configure(args) => Box::pin(commands::configure::run(session, args)).await,
        Command::Applications(args) => Box::pin(commands::applications::run(session, args)).await,
        Command::Versions(args) => Box::pin(commands::versions::run(session, args)).await,
        Command::Traffic(args) => Box::pin(commands::traffic::run(session, args)).await,
        Command::History(args) => Box::pin(commands::history::run(session, args)).await,
        Command::Instances(args) => Box::pin(commands::instances::run(session, args)).await,
        Command::Images(args) => Box::pin(commands::images::run(session, args)).await,
        Command::Completions(_) | Command::Image(_) | Command::Sandbox(_) => Ok(Exit::Done),
    }
}
