//! `cargo xtask docs`: the pages that are generated from the code.
use crate::cargo;
use anyhow::{Result, bail};

/// Arguments of `cargo xtask docs`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing, and fail when a page is stale (the tests do the same)
    #[arg(long)]
    check: bool,
}

/// The generators are tests, which compare; told to, they write.
pub(crate) fn run(args: &Args) -> Result<()> {
    if !cargo::generated_pages(!args.check)? {
        bail!(if args.check {
            "a page is stale; `cargo xtask docs` rewrites them"
        } else {
            "the pages could not be written"
        });
    }
    Ok(())
}
