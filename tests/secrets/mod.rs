//! Nothing secret in what is printed, sent or left behind: marked secrets are planted in every input, and looked for
//! everywhere, also encoded.
mod addresses;
mod marks;
mod minion;
mod overlord;
mod registry;

use crate::support::{Run, Wire, refusing};
use marks::Mark;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A wire to AWS that writes down every request.
struct Recorder {
    wire: Wire,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn new(endpoint: &str) -> Self {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&sent);
        let wire = refusing(endpoint, &[], move |request| {
            locked(&written).push(request.text.to_owned());
            None
        });
        Self { wire, sent }
    }

    fn sent(&self) -> Vec<String> {
        locked(&self.sent).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a request is this operation of a service with a query protocol, or of one with a target.
fn is(request: &str, operation: &str) -> bool {
    request.contains(&format!("Action={operation}&")) || request.contains(&format!(".{operation}\r\n"))
}

/// Fails when a mark was sent anywhere but in one of these headers, or in requests that `may` hold it.
fn assert_unsent(sent: &[String], mark: &Mark, headers: &[&str], may: impl Fn(&str) -> bool) {
    for request in sent.iter().filter(|request| !may(request)) {
        let header = |line: &&str| headers.iter().any(|h| line.to_lowercase().starts_with(&format!("{h}:")));
        let rest: Vec<&str> = request.lines().filter(|line| !header(line)).collect();
        assert!(!mark.is_in(&rest.join("\n")), "{} was sent: {request}", mark.name);
    }
}

/// Fails when a mark was printed.
fn assert_unsaid(run: &Run, marks: &[&Mark]) {
    for mark in marks {
        for text in [&run.stdout, &run.stderr] {
            assert!(!mark.is_in(text), "{} is shown: {run:?}", mark.name);
        }
    }
}

/// All files below a directory.
fn files(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { BTreeSet::from([path]) }).collect()
}

/// Fails when a file that is not one of `planted` holds a mark.
fn assert_unwritten(home: &Path, planted: &BTreeSet<PathBuf>, marks: &[&Mark]) {
    for path in files(home).difference(planted) {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        for mark in marks {
            assert!(!mark.is_in(&text), "{} is in {}", mark.name, path.display());
        }
    }
}
