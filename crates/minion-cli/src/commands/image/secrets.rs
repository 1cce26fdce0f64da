//! Values of a manifest's secrets, from a file on this computer.
use crate::manifest::Manifest;
use aws_core::{Error, Result};
use std::{collections::BTreeMap, path::Path};

/// The values of the manifest's secrets. The file is YAML (`NAME: value`) where it ends in `.yaml`, `.yml` or `.json`,
/// else it has one `NAME=value` a line. What the manifest does not name is left out.
///
/// # Errors
/// A usage error when the file cannot be read, or lacks some of the secrets: it names them.
pub(super) fn read(path: Option<&Path>, manifest: &Manifest) -> Result<BTreeMap<String, String>> {
    let all = match path {
        None => BTreeMap::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Error::usage(format!("--secrets {} cannot be read: {e}", path.display())))?;
            parse(path, &text)?
        }
    };
    let (mut values, mut missing) = (BTreeMap::new(), Vec::new());
    for (name, reference) in &manifest.secrets {
        match all.get(name.as_str()) {
            Some(value) => _ = values.insert(name.to_string(), value.clone()),
            None => missing.push(format!("{name} ({reference})")),
        }
    }
    if missing.is_empty() {
        return Ok(values);
    }
    let (what, hint) = match path {
        Some(path) => (format!("{} lacks", path.display()), "Add NAME=VALUE lines for them."),
        None => (
            "no values are given for".to_owned(),
            "Write them to a file, one NAME=VALUE a line, and give it with --secrets FILE. Keep it out of the repository.",
        ),
    };
    Err(Error::usage(format!("{what} the manifest's secrets {}", missing.join(", "))).hint(hint))
}

fn parse(path: &Path, text: &str) -> Result<BTreeMap<String, String>> {
    let yaml = path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e == *known));
    if yaml {
        let values: BTreeMap<String, crate::manifest::EnvValue> = serde_yaml::from_str(text)
            // The library shows the lines around an error: these are secrets.
            .map_err(|_| Error::usage(format!("--secrets {} is not a mapping from names to values", path.display())))?;
        return Ok(values.into_iter().map(|(name, value)| (name, value.to_string())).collect());
    }
    let mut values = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| {
            Error::usage(format!("--secrets {}:{}: not NAME=VALUE", path.display(), number + 1))
                .hint("A YAML file is known by its name's end: .yaml.")
        })?;
        values.insert(name.trim_end().to_owned(), value.to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_files() {
        let manifest = crate::manifest::parse(
            "application_name: a\nexposed_ports: [80]\nsecrets: {A: 'ssm:/a', B: 'secretsmanager:b#key'}\n",
            "test",
        )
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            read(Some(&path), &manifest)
        };
        let values = read("s.env", "# x\n\nA=1=2\n B=two words\nOTHER=x\n").unwrap();
        assert_eq!((values["A"].as_str(), values["B"].as_str(), values.len()), ("1=2", "two words", 2));
        let values = read("s.yaml", "A: 1\nB: \"two\\nlines\"\n").unwrap();
        assert_eq!((values["A"].as_str(), values["B"].as_str()), ("1", "two\nlines"));
        let missing = read("s.env", "A=1\n").unwrap_err().to_string();
        assert!(missing.contains("B (secretsmanager:b#key)") && !missing.contains("A ("), "{missing}");
        for (name, text) in [("s.yaml", "- hunter2\n"), ("s.env", "hunter2\n")] {
            let e = read(name, text).unwrap_err().to_string();
            assert!(!e.contains("hunter2"), "{e}");
        }
        let e = super::read(None, &manifest).unwrap_err();
        assert!(e.to_string().contains("A (ssm:/a), B") && e.hints()[0].contains("--secrets"), "{e}");
    }
}
