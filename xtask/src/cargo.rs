//! What calls cargo: building the binaries, running the tests.
use crate::{calls::Recording, sandbox, tools};
use anyhow::{Context as _, Result, bail};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Arguments of `cargo xtask test`
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Rewrite the list of AWS calls that minion makes (tests/minion-calls.txt) instead of comparing with it
    #[arg(long)]
    record: bool,
    /// Passed on to `cargo test`: names of tests, and after `--` flags of the test binaries
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// How many tests run at the same time, for Rust's test harness.
const THREADS: &str = "RUST_TEST_THREADS";
/// Unless somebody says otherwise: the end-to-end tests mostly wait, for time to pass and for the emulator.
const AT_ONCE: &str = "8";

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("xtask is a directory of the workspace").to_owned()
}

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo
}

/// Both binaries and their tests are built with exactly these, so that the features of shared crates
/// are the same every time and the SDK is built once.
const ALL_BUT_XTASK: [&str; 4] = ["--release", "--workspace", "--exclude", "xtask"];

/// Builds the released binaries and returns the directory that holds them.
pub(crate) fn build() -> Result<PathBuf> {
    eprintln!("Building the binaries (the first time takes a while: the AWS SDK is large).");
    let status = cargo().arg("build").args(ALL_BUT_XTASK).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the build failed");
    }
    // Cargo puts xtask itself, built with the same profile, beside them.
    let own = env::current_exe()?;
    let directory = own.parent().context("xtask runs from the target directory")?.to_owned();
    for binary in ["minion", "overlord"] {
        if !directory.join(binary).is_file() {
            bail!("there is no {binary} in {}; run this through `cargo xtask`", directory.display());
        }
    }
    Ok(directory)
}

/// Builds the program that fuzzes, with the crates of this workspace instrumented, and returns its path. Their
/// dependencies are those of the other builds.
pub(crate) fn build_fuzzer() -> Result<PathBuf> {
    eprintln!("Building the fuzzer. It needs a C++ compiler; the AWS SDK is built if it was not.");
    let mut command = cargo();
    command.arg("build").args(ALL_BUT_XTASK).args(["--bin", "fuzz", "--features", "fuzz/libfuzzer"]);
    command.env("RUSTC_WORKSPACE_WRAPPER", workspace().join("fuzz/rustc"));
    if !command.status().context("cannot start cargo")?.success() {
        bail!("the build failed; on Debian and Ubuntu a C++ compiler comes with `apt-get install g++`");
    }
    Ok(env::current_exe()?.with_file_name("fuzz"))
}

/// Runs the tests that compare generated pages with what is checked in, or lets them write it.
pub(crate) fn generated_pages(write: bool) -> Result<bool> {
    let mut command = cargo();
    command.arg("test").args(ALL_BUT_XTASK).args(["--lib", "--test", "docs", "--no-fail-fast", "checked_in"]);
    command.env_remove("MINION_WRITE_DOCS");
    if write {
        command.env("MINION_WRITE_DOCS", "1");
    }
    Ok(command.status().context("cannot start cargo")?.success())
}

/// Runs one ignored test of a test target, with these variables and with the emulator it needs; what it prints is shown.
pub(crate) fn ignored_test(target: &str, name: &str, variables: impl Iterator<Item = (String, String)>) -> Result<()> {
    let moto = tools::moto_server()?;
    build()?;
    let mut command = cargo();
    command.arg("test").args(ALL_BUT_XTASK).args(["--test", target, "--", "--ignored", "--exact", "--nocapture", name]);
    if !command.env("MINION_MOTO", moto).envs(variables).status().context("cannot start cargo")?.success() {
        bail!("{name} failed; what it says stands above");
    }
    Ok(())
}

/// Runs all tests, those of this crate too unless arguments choose some. After a whole run, the AWS calls that minion
/// made are compared with the list of them.
pub(crate) fn test(args: &TestArgs) -> Result<()> {
    let whole = args.arguments.is_empty();
    if args.record && !whole {
        bail!("--record needs all tests: leave out the other arguments");
    }
    let moto = tools::moto_server()?;
    let iam_data = tools::iam_data()?;
    let sandbox = sandbox::for_tests(&args.arguments)?;
    // The end-to-end tests run both binaries, and Cargo builds only the one of their own package for them.
    build()?;
    let recording = if whole { Some(Recording::start()?) } else { None };
    let run = |package: &[&str]| -> Result<bool> {
        let mut command = cargo();
        command.arg("test").args(package).args(&args.arguments);
        command.env("MINION_MOTO", &moto).env("MINION_IAM_DATA", &iam_data).env_remove("MINION_CALLS");
        if let Some(sandbox) = &sandbox {
            command.envs(sandbox.variables());
        }
        if env::var_os(THREADS).is_none() {
            command.env(THREADS, AT_ONCE);
        }
        if let Some(recording) = &recording {
            command.env("MINION_CALLS", recording.directory());
        }
        Ok(command.status().context("cannot start cargo")?.success())
    };
    let no_fail_fast = [ALL_BUT_XTASK.as_slice(), &["--no-fail-fast"]].concat();
    let mut passed = run(&no_fail_fast)?;
    if whole {
        passed &= run(&["--release", "--package", "xtask"])?;
    }
    if !passed {
        bail!("tests failed; `cargo xtask test NAME -- --nocapture` runs one and shows what it prints");
    }
    recording.map_or(Ok(()), |recording| recording.end(args.record))
}
