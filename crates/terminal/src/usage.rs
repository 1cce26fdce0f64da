//! The command line itself: parsing, help and its errors.
use crate::{Exit, flags::ColorWhen, look::plain_arguments};
use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, ValueEnum as _};
use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

/// Help is not made wider than this, however wide the terminal.
const WIDEST_HELP: usize = 100;

/// Parses the process's arguments. Help and version go to standard output; errors, with suggestions, go to standard error.
///
/// # Errors
/// How the program ends when there is nothing else to do: 0 after help and version, 1 where these could not be written, 2 for
/// wrong arguments.
pub fn parse<T: Parser>() -> Result<T, ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    try_parse(&arguments).map_err(|e| {
        // An error shows the argument that it is about.
        let shown = e.to_string();
        let told = plain_arguments(&shown, &arguments);
        let e = match told == shown {
            true => e,
            false => clap::Error::raw(e.kind(), told.strip_prefix("error: ").unwrap_or(&told)),
        };
        print(&e).into()
    })
}

/// Prints what clap has to say.
fn print(e: &clap::Error) -> Exit {
    let written = e.print().and_then(|()| io::stdout().flush());
    match written {
        // Standard error is the last place where something can be said.
        _ if e.use_stderr() => Exit::Usage,
        Ok(()) => Exit::Done,
        // The reader has seen enough, as with `--help | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            let _ = writeln!(io::stderr(), "Error: cannot write to standard output: {error}");
            Exit::Failed
        }
    }
}

/// As [`parse`], but hands the error back.
///
/// # Errors
/// What is wrong with the arguments, or the help that was asked for.
pub fn try_parse<T: Parser>(arguments: &[OsString]) -> Result<T, clap::Error> {
    let mut command = prepared::<T>(arguments);
    let matches = command.try_get_matches_from_mut(arguments)?;
    T::from_arg_matches(&matches).map_err(|e| e.format(&mut command))
}

fn prepared<T: CommandFactory + FromArgMatches>(arguments: &[OsString]) -> clap::Command {
    T::command().color(color(arguments)).max_term_width(WIDEST_HELP)
}

/// `--color` as far as it can be told before parsing, for help and for errors of parsing.
fn color(arguments: &[OsString]) -> ColorChoice {
    let words: Vec<&str> = arguments.iter().filter_map(|a| a.to_str()).take_while(|a| *a != "--").collect();
    let spaced = words.windows(2).rev().find(|w| w[0] == "--color").map(|w| w[1]);
    let value = words.iter().rev().find_map(|w| w.strip_prefix("--color=")).or(spaced);
    match value.map(|v| ColorWhen::from_str(v, false)) {
        Some(Ok(ColorWhen::Always)) => ColorChoice::Always,
        Some(Ok(ColorWhen::Never)) => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Globals;

    #[derive(Debug, Parser)]
    #[command(name = "t", version = "1")]
    struct Cli {
        #[command(flatten)]
        globals: Globals,
        #[command(subcommand)]
        command: Command,
    }
    #[derive(Debug, clap::Subcommand)]
    enum Command {
        /// Do it
        Create,
    }

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        try_parse(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn codes_and_suggestions() {
        assert!(parse("t create --yes").unwrap().globals.yes);
        let error = parse("t craete").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("'create'"), "{error}");
        let help = parse("t --help").unwrap_err();
        assert_eq!(help.exit_code(), 0);
        assert!(help.to_string().lines().all(|l| l.len() <= WIDEST_HELP));
        assert_eq!(parse("t --version").unwrap_err().exit_code(), 0);
    }

    #[test]
    fn colour_is_known_before_parsing() {
        let of = |line: &str| color(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("t --color never --help"), ColorChoice::Never);
        assert_eq!(of("t --color=always --help"), ColorChoice::Always);
        assert_eq!(of("t --help"), ColorChoice::Auto);
        assert_eq!(of("t -- --color never"), ColorChoice::Auto);
    }
}
