//! The container's environment: the manifest's, then the files', then the flags'; the later one wins.
use crate::manifest::{EnvName, Manifest};
use aws_core::{Error, Result};
use std::{collections::BTreeMap, path::PathBuf};

/// Merges the three. A name alone, without `=`, takes its value from `env`, as `docker run -e NAME` does, and
/// is left out when it is not set there.
///
/// # Errors
/// When a file cannot be read, a name is not one, or a variable is also one of the manifest's secrets.
pub fn merge(
    manifest: &Manifest,
    files: &[PathBuf],
    flags: &[String],
    env: impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>> {
    let mut merged: BTreeMap<String, String> =
        manifest.environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let mut set = |line: &str, place: &dyn Fn() -> String| -> Result<()> {
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line, env(line)),
        };
        let name = EnvName::try_from(name.to_owned()).map_err(|e| Error::usage(format!("{}: {e}", place())))?;
        if manifest.secrets.contains_key(&name) {
            return Err(Error::usage(format!("{}: {name} is one of the manifest's secrets", place())).hint(
                "A secret's value is read on the instance; change it where the manifest's reference points to.",
            ));
        }
        if let Some(value) = value {
            merged.insert(name.to_string(), value);
        }
        Ok(())
    };
    for path in files {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::usage(format!("--env-file {} cannot be read: {e}", path.display())))?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if !line.is_empty() && !line.starts_with('#') {
                set(line, &|| format!("{}:{}", path.display(), index + 1))?;
            }
        }
    }
    for flag in flags {
        // The value may be nobody else's business, so only the name is shown.
        set(flag, &|| format!("--env {}", flag.split('=').next().unwrap_or_default()))?;
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_one_wins() {
        let manifest = crate::manifest::parse(
            "application_name: a\nexposed_ports: [80]\nenvironment: {A: 1, B: two, C: x}\nsecrets: {S: 'ssm:/s'}\n",
            "test",
        )
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("env");
        std::fs::write(&file, "# comment\n\n  B=from file\nHOME_OF\nD=a=b\n").unwrap();
        let env = |name: &str| (name == "HOME_OF").then(|| "me".to_owned());
        let merge = |flags: &[&str]| {
            let flags: Vec<String> = flags.iter().map(|f| (*f).to_owned()).collect();
            merge(&manifest, std::slice::from_ref(&file), &flags, env)
        };
        let merged = merge(&["C=flag", "E="]).unwrap();
        let pairs: Vec<_> = merged.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("A", "1"), ("B", "from file"), ("C", "flag"), ("D", "a=b"), ("E", ""), ("HOME_OF", "me")]);
        assert!(merge(&["S=x"]).unwrap_err().to_string().contains("secrets"));
        let bad = merge(&["1X=hunter2"]).unwrap_err().to_string();
        assert!(bad.contains("1X") && !bad.contains("hunter2"), "{bad}");
    }
}
