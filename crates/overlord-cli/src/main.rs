//! The `overlord` command.
#![recursion_limit = "256"]
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match terminal::usage::parse::<overlord::cli::Cli>() {
        Ok(cli) => cli,
        Err(end) => return end,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => return ExitCode::FAILURE,
    };
    let exit = runtime.block_on(overlord::run(cli));
    // A question that nobody answers any more must not hold the end up.
    runtime.shutdown_background();
    exit.into()
}
