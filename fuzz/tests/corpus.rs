//! Every input of the corpus, with every target's checks: what was once found stays mended.
#![expect(clippy::print_stderr, reason = "a test that says which input is at fault")]
use fuzz::{TARGETS, targets::user_data};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// No input may take longer: what takes milliseconds must not take minutes for want of a bound. Machines are busy.
const LONGEST: Duration = Duration::from_secs(20);

fn corpus(target: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = fs::read_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Names the input when its check panics.
struct Shown<'a>(&'a Path);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input is {}", self.0.display());
        }
    }
}

fn replay(name: &str, target: fn(&[u8])) {
    let inputs = corpus(name);
    assert!(inputs.len() >= 5, "{name} has {} inputs", inputs.len());
    for path in inputs {
        let shown = Shown(&path);
        let began = Instant::now();
        target(&fs::read(&path).expect("an input"));
        assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
        drop(shown);
    }
}

#[test]
fn every_input_holds() {
    for (name, target) in TARGETS.iter().filter(|(name, _)| *name != "user_data") {
        replay(name, *target);
    }
}

#[test]
fn every_script_runs_what_is_meant_in_every_shell() {
    replay("user_data", user_data::fuzz_everywhere);
}

#[test]
fn every_directory_has_its_target() {
    let mut names: Vec<_> = corpus("").iter().map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    let mut targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    targets.sort();
    assert_eq!(names, targets);
}

/// Bytes that no corpus has.
#[test]
fn noise_holds() {
    for (_, target) in TARGETS {
        let mut state = 7_u32;
        for length in 0..60 {
            let noise: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .take(length)
            .collect();
            target(&noise);
        }
    }
}
