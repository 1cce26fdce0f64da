//! The AWS calls in the sources: each is a method of one of `Cloud`'s clients, and has a row in the table of operations.
use aws_core::cloud::operations;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The operations that sources call, by file; both as paths below `crates`. What only tests call does not count.
pub(crate) fn named(sources: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let files = sources.iter().flat_map(|source| code(source));
    files.map(|(file, code)| (file, called(&code).into_iter().map(str::to_owned).collect())).collect()
}

/// Sources without their tests, by path below `crates`.
pub(crate) fn code(source: &str) -> BTreeMap<String, String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let name = |file: &Path| file.strip_prefix(crates).unwrap().to_str().unwrap().to_owned();
    let all = files(&crates.join(source)).into_iter().map(|file| (name(&file), file));
    let all = all.filter(|(name, _)| !name.ends_with("tests.rs") && !name.contains("/tests/"));
    let code = |text: String| text.split("#[cfg(test)]").next().unwrap().to_owned();
    all.map(|(name, file)| (name, code(fs::read_to_string(file).unwrap()))).collect()
}

/// `cloud.ec2().describe_vpcs()`, also with the client in a variable; `listed!(describe_vpcs)`; `ec2::DescribeVpcs`. Of
/// methods that several services have, it is the one of the client that was named last.
fn called(code: &str) -> BTreeSet<&'static str> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (at, word) in words(code) {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        let method = before.ends_with("listed!(") || (before.ends_with('.') && after.starts_with("()"));
        let of_type = |client: &str| before.strip_suffix("::").is_some_and(|path| path.ends_with(client));
        let rows = operations::all().filter(|row| match row.call() {
            (client, _) if client == word && method => {
                named.insert(client, at);
                false
            }
            (client, name) => (method && name == word) || (of_type(client) && row.sdk() == word),
        });
        let rows: Vec<_> = rows.collect();
        let last = rows.iter().max_by_key(|row| named.get(row.call().0).map(|at| at + 1));
        found.extend(last.filter(|row| rows.len() == 1 || named.contains_key(row.call().0)).map(|row| row.name));
    }
    found
}

fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = code.split(move |c| !is_word(c)).filter(|word| !word.is_empty());
    words.map(move |word| (word.as_ptr() as usize - code.as_ptr() as usize, word))
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
