//! Values of a manifest's secrets, from a file on this computer.
use crate::{environment::file, manifest::Manifest};
use aws_core::{Error, Result};
use files::{Kind, Text};
use std::{collections::BTreeMap, path::Path};

/// What errors say of a YAML file with values of secrets.
const VALUES: Kind = Kind {
    noun: "secrets file",
    one: "a secrets file",
    about: "manifest's secrets",
    least: "Write one `NAME: value` a line.",
    pair: "NAME: value",
    list: "[value]",
    secret: true,
    secret_below: &[],
};

/// The values of the manifest's secrets. The file is YAML (`NAME: value`) where it ends in `.yaml`, `.yml` or `.json`,
/// else it has one `NAME=value` a line. What the manifest does not name is left out.
///
/// # Errors
/// A usage error when the file cannot be read, or lacks some of the secrets: it names them.
pub(super) fn read(path: Option<&Path>, manifest: &Manifest) -> Result<BTreeMap<String, String>> {
    let all = match path {
        None => BTreeMap::new(),
        Some(path) => parse(path)?,
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

fn parse(path: &Path) -> Result<BTreeMap<String, String>> {
    if path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e == *known)) {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::usage(format!("could not read --secrets {shown}: {e}")))?;
        let text = Text { kind: &VALUES, source: &format!("--secrets {shown}"), text: &text };
        let values: BTreeMap<String, crate::manifest::EnvValue> = text.parse()?;
        return Ok(values.into_iter().map(|(name, value)| (name, value.to_string())).collect());
    }
    let mut values = BTreeMap::new();
    for file::Line { place, name, value } in file::read(path, "--secrets")? {
        let value = value.ok_or_else(|| {
            Error::usage(format!("{place}: expected NAME=VALUE")).hint("Name a YAML file so that it ends in .yaml.")
        })?;
        values.insert(name.to_string(), value);
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
        let values = read("s.env", "\u{feff}A=s3cret\r\nB=\r\nmy.other=x\n").unwrap();
        assert_eq!(
            (values["A"].as_str(), values["B"].as_str()),
            ("s3cret", ""),
            "a byte order mark is no part of a name"
        );
        assert_eq!(read("s.json", "\u{feff}{\"A\": \"x\", \"B\": \"y\"}").unwrap()["A"], "x");
        let missing = read("s.env", "A=1\n").unwrap_err().to_string();
        assert!(missing.contains("B (secretsmanager:b#key)") && !missing.contains("A ("), "{missing}");
        for (name, text, line) in [
            ("s.yaml", "- hunter2\n", ", line 1"),
            ("s.yaml", "A: 1\nB: [hunter2]\n", ", line 2"),
            ("s.yaml", "A: 1\nB: x\nC: @hunter2\n", ", line 3"),
            ("s.yaml", "A: hunter2\nA: x\n", ", line 2"),
            ("s.yaml", "A: 1\nB: a: hunter2\n", ", line 2"),
            ("s.json", "{\"A\": \"1\",\n\"B\": {\"hunter2\": 1}}", ", line 2"),
            ("s.env", "hunter2\n", ":1"),
        ] {
            let e = read(name, text).unwrap_err();
            let told = format!("{e}\n{}", e.hints().join("\n"));
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains(&format!("{name}{line}")), "{told}");
        }
        let e = super::read(None, &manifest).unwrap_err();
        assert!(e.to_string().contains("A (ssm:/a), B") && e.hints()[0].contains("--secrets"), "{e}");
    }
}
