//! Flags that both binaries have.
use crate::Exit;
use aws_core::{
    cloud::wait::parse_duration,
    engine::{Outcome, Report},
};
use clap::{Args, ValueEnum};
use std::time::Duration;

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Flags of every command.
// Without this, clap would show the line above as the about text of a command that has these flags.
#[derive(Debug, Clone, Default, Args)]
#[command(about = None, long_about = None)]
pub struct Globals {
    /// Print results, warnings and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub quiet: bool,
    /// Print more: what stays as it is, retries, the AWS operation of an error
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub verbose: bool,
    /// Answer yes to every question
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub yes: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = "Global options")]
    pub color: ColorWhen,
}

/// How a listing is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    #[default]
    Table,
    /// A JSON array
    Json,
    /// A YAML sequence
    Yaml,
    /// Tab-separated values with a header row
    Tsv,
}

/// The flag of listing commands.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(about = None, long_about = None)]
pub struct Output {
    /// How to print the result
    #[arg(id = "output", short = 'o', long = "output", value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}
impl From<Output> for Format {
    fn from(output: Output) -> Self {
        output.format
    }
}
impl From<&Output> for Format {
    fn from(output: &Output) -> Self {
        output.format
    }
}

/// Flags of commands that change something.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(about = None, long_about = None)]
pub struct Writes {
    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Exit with code 5 when the plan has changes
    #[arg(long, requires = "dry_run")]
    pub detailed_exitcode: bool,
}

/// The flag of commands that take the lease.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(about = None, long_about = None)]
pub struct Lock {
    /// When somebody else is at work on the same, wait for it, at most so long (10m when no time is given)
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10m",
        value_parser = parse_duration
    )]
    pub wait_lock: Option<Duration>,
}

impl Writes {
    /// The exit code of a dry run. A plan that could not be made, or that holds a change which would
    /// be refused, is a failure.
    pub fn exit(&self, plan: &Report) -> Exit {
        if plan.cancelled() {
            Exit::Interrupted
        } else if !plan.complete()
            || plan.nodes.iter().any(|n| matches!(&n.outcome, Outcome::Done(a) if a.is_refused()))
        {
            Exit::Failed
        } else if self.detailed_exitcode && plan.changes() > 0 {
            Exit::Changes
        } else {
            Exit::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::engine::{Action, Change, NodeReport};
    use clap::{CommandFactory as _, Parser};

    /// What it is for
    #[derive(Debug, Parser)]
    #[command(name = "t")]
    struct Cli {
        #[command(flatten)]
        globals: Globals,
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        writes: Writes,
        #[command(flatten)]
        lock: Lock,
    }

    #[test]
    fn a_lock_is_waited_for() {
        let wait = |line: &[&str]| Cli::try_parse_from(line).map(|cli| cli.lock.wait_lock.map(|w| w.as_secs()));
        assert_eq!(wait(&["t"]).unwrap(), None);
        assert_eq!(wait(&["t", "--wait-lock", "-y"]).unwrap(), Some(600));
        assert_eq!(wait(&["t", "--wait-lock=90s"]).unwrap(), Some(90));
        assert!(wait(&["t", "--wait-lock=soon"]).is_err());
    }

    #[test]
    fn what_is_left_is_no_failure_of_a_plan() {
        let writes = Writes { dry_run: true, detailed_exitcode: true };
        let exit = |outcomes: Vec<Outcome>| {
            writes
                .exit(&Report::from(outcomes.into_iter().map(|o| NodeReport::new("thing", "a", o)).collect::<Vec<_>>()))
        };
        let left = || Outcome::Left("others use it".into());
        assert_eq!(exit(vec![left()]), Exit::Done);
        assert_eq!(exit(vec![left(), Outcome::Done(Action::Delete)]), Exit::Changes);
        assert_eq!(exit(vec![left(), Outcome::Failed(aws_core::Error::failed("no"))]), Exit::Failed);
        let refused = Outcome::Done(Action::Update(vec![Change::refused("size", 1, 2, "make another one")]));
        assert_eq!(exit(vec![left(), refused]), Exit::Failed);
    }

    #[test]
    fn flags_parse() {
        Cli::command().debug_assert();
        assert_eq!(Cli::command().get_about().map(ToString::to_string).as_deref(), Some("What it is for"));
        let cli = Cli::try_parse_from(["t", "-v", "-y", "-o", "tsv", "--dry-run", "--detailed-exitcode"]).unwrap();
        assert!(cli.globals.verbose && cli.globals.yes && cli.writes.detailed_exitcode);
        assert_eq!(Format::from(cli.output), Format::Tsv);
        assert!(Cli::try_parse_from(["t", "--detailed-exitcode"]).is_err());
        assert!(Cli::try_parse_from(["t", "-q", "-v"]).is_err());
    }
}
