//! What stays small: the futures of commands, the files, the engine.
#![recursion_limit = "256"]
use clap::Parser as _;
use std::{fs, path::Path};

/// The main thread has eight megabytes; this leaves room for what stands on top of it. What a command waits for is one value,
/// and every function that hands it on unboxed holds it once more.
const MOST: usize = 64 * 1024;
/// Lines of a file.
const FILE: usize = 600;
/// Lines of the engine, without comments, blank lines and tests.
const ENGINE: usize = 650;

#[test]
fn commands_fit_the_stack() {
    let cli = minion::cli::Cli::parse_from(["minion", "applications"]);
    let size = size_of_val(&minion::run(cli));
    assert!(size < MOST, "a command's future has {size} bytes: box what it awaits");
}

/// Every file of Rust under it, with its text.
fn sources(under: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(under).expect("a directory").map(|e| e.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("text")));
        }
    }
    found
}

fn is_test(under: &Path, path: &str) -> bool {
    let inside = Path::new(path).strip_prefix(under).expect("a path under it");
    inside.starts_with("tests") || inside.starts_with("tests.rs")
}

#[test]
fn no_file_is_too_long_to_read() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let all: Vec<_> = ["crates", "tests", "fuzz", "xtask"].iter().flat_map(|dir| sources(&top.join(dir))).collect();
    assert!(all.len() > 300, "{} files", all.len());
    let long = all.iter().filter(|(_, text)| text.lines().count() > FILE);
    let long: Vec<&String> = long.map(|(path, _)| path).collect();
    assert!(long.is_empty(), "longer than {FILE} lines: {long:#?}");
}

#[test]
fn the_engine_is_small_and_knows_no_service() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws-core/src/engine");
    let own = sources(&engine).into_iter().filter(|(path, _)| !is_test(&engine, path));
    let own: Vec<String> = own.map(|(_, text)| text).collect();
    let code: Vec<&str> = own.iter().flat_map(|text| text.lines()).map(str::trim).collect();
    let code: Vec<&str> = code.into_iter().filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    assert!((100..=ENGINE).contains(&code.len()), "{} lines of code", code.len());
    let knows: Vec<_> = code.iter().filter(|line| line.contains("aws_") || line.contains("cloud::")).collect();
    assert!(knows.is_empty(), "{knows:#?}");
}
