//! The container's environment: the manifest's, then the files', then the flags'; the later one wins.
pub(crate) mod file;

use crate::manifest::{EnvName, Manifest, check::looks_secret};
use aws_core::{Error, Result};
use std::{collections::BTreeMap, path::PathBuf};

/// What files and flags say, in that order.
pub struct Given(Vec<Variable>);

struct Variable {
    /// Where it was given, without its value: that may be nobody else's business.
    place: String,
    name: EnvName,
    value: Option<String>,
}

impl Given {
    /// Reads files and flags. A name alone, without `=`, takes its value from `env`. Where that has none, a line of a
    /// file is left out with a warning, as `docker run --env-file` does without one; a flag is an error, for whoever
    /// writes it wants the value.
    ///
    /// # Errors
    /// When a file cannot be read, a name is not one, or a flag has no value.
    pub fn read(files: &[PathBuf], flags: &[String], env: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut all = Vec::new();
        for path in files {
            for file::Line { place, name, value } in file::read(path, "--env-file")? {
                let value = value.or_else(|| env(name.as_str()));
                all.push(Variable { place, name, value });
            }
        }
        for flag in flags {
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag.as_str(), None),
            };
            let place = format!("--env {name}");
            let name: EnvName = name.parse().map_err(|e| Error::usage(format!("{place}: {e}")))?;
            let Some(value) = value.or_else(|| env(name.as_str())) else {
                return Err(Error::usage(format!("{place}: {name} is not set in the environment of this command"))
                    .hint(format!("Write --env {name}=VALUE, or export {name} first.")));
            };
            all.push(Variable { place, name, value: Some(value) });
        }
        Ok(Self(all))
    }

    /// What is given in the open and looks as if it should not be, and lines that are left out. Whole sentences.
    pub fn warnings(&self) -> Vec<String> {
        let told = |v: &Variable| {
            let (place, name) = (&v.place, &v.name);
            match v.value {
                Some(_) if looks_secret(name.as_str()) => Some(format!(
                    "{place}: {name} looks like a secret: its value can be read in the instances' user data. Keep it in SSM \
                     Parameter Store or Secrets Manager, and name it under secrets in the manifest."
                )),
                Some(_) => None,
                // Not the name: it may be a line of a secret.
                None => Some(format!(
                    "{place}: ignoring a name without a value: no variable of this name is set in the environment of this command."
                )),
            }
        };
        self.0.iter().filter_map(told).collect()
    }

    /// The manifest's environment, with what was given over it.
    ///
    /// # Errors
    /// When a variable is also one of the manifest's secrets.
    pub fn over(self, manifest: &Manifest) -> Result<BTreeMap<String, String>> {
        let mut merged: BTreeMap<String, String> =
            manifest.environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        for Variable { place, name, value } in self.0 {
            if manifest.secrets.keys().any(|secret| secret.as_str() == name.as_str()) {
                return Err(Error::usage(format!("{place}: {name} is one of the manifest's secrets")).hint(
                    "A secret's value is read on the instance; change it where the manifest's reference points to.",
                ));
            }
            merged.extend(value.map(|value| (name.to_string(), value)));
        }
        Ok(merged)
    }
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
        std::fs::write(&file, "# comment\n\n  B=from file\nHOME_OF\nNOBODYS\nD=a=b\n").unwrap();
        let env = |name: &str| (name == "HOME_OF").then(|| "me".to_owned());
        let merge = |flags: &[&str]| {
            let flags: Vec<String> = flags.iter().map(|f| (*f).to_owned()).collect();
            Given::read(std::slice::from_ref(&file), &flags, env)?.over(&manifest)
        };
        let merged = merge(&["C=flag", "E="]).unwrap();
        let pairs: Vec<_> = merged.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("A", "1"), ("B", "from file"), ("C", "flag"), ("D", "a=b"), ("E", ""), ("HOME_OF", "me")]);
        let given = Given::read(&[], &["DB_PASSWORD=hunter2".to_owned(), "A=1".to_owned()], env).unwrap().warnings();
        assert!(given.len() == 1 && given[0].starts_with("--env DB_PASSWORD: DB_PASSWORD looks like"), "{given:?}");
        assert!(!given[0].contains("hunter2"));
        assert_eq!(merge(&["HOME_OF"]).unwrap()["HOME_OF"], "me");
        let unset = merge(&["NOBODYS"]).unwrap_err();
        assert_eq!(unset.kind(), aws_core::error::Kind::Usage);
        assert!(unset.to_string().contains("NOBODYS") && !unset.hints().is_empty(), "{unset}");
        assert!(merge(&["S=x"]).unwrap_err().to_string().contains("secrets"));
        let bad = merge(&["1 X=hunter2"]).unwrap_err().to_string();
        assert!(bad.contains("1 X") && !bad.contains("hunter2"), "{bad}");
        assert_eq!(merge(&["discovery.type=single-node"]).unwrap()["discovery.type"], "single-node");
        let left_out = Given::read(std::slice::from_ref(&file), &[], env).unwrap().warnings();
        assert!(
            left_out.len() == 1 && left_out[0].contains("env:5: ignoring"),
            "no line is dropped silently: {left_out:?}"
        );
        assert!(!left_out[0].contains("NOBODYS"));
    }
}
