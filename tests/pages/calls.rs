//! The AWS calls in the sources: each one's result goes with its action, `service:Operation`, in quotes.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The actions that sources name, by file; both as paths below `crates`. What only tests name does not count.
pub(crate) fn named(sources: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files = sources.iter().flat_map(|source| files(&crates.join(source)));
    let files = files.map(|file| (file.strip_prefix(crates).unwrap().to_str().unwrap().to_owned(), file));
    files.filter(|(name, _)| !name.ends_with("tests.rs")).map(|(name, file)| (name, actions(&file))).collect()
}

fn actions(file: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    quoted(code, '"').filter(|word| is_action(word)).map(str::to_owned).collect()
}

/// `service:Operation`
pub(crate) fn is_action(word: &str) -> bool {
    word.split_once(':').is_some_and(|(service, operation)| {
        !service.is_empty()
            && service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && operation.starts_with(|c: char| c.is_ascii_uppercase())
            && operation.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// What stands between quotes, and between the texts in quotes: words that are no actions do not matter.
pub(crate) fn quoted(text: &str, quote: char) -> impl Iterator<Item = &str> {
    text.split(quote)
}

fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(place).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}
