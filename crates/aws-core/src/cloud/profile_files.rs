//! AWS's files of profiles, as far as the SDK reads them otherwise than the AWS CLI does, or not at all without a word.
use crate::{Error, Result};
use aws_config::ConfigLoader;
use std::{fs, path::PathBuf};

/// The variables that say where the files are.
const PLACES: [&str; 4] = ["HOME", "USERPROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];

/// Both files, as text, and the profile that was chosen.
pub(super) struct ProfileFiles {
    chosen: Option<String>,
    /// What says where they are, for the SDK's own reader.
    variables: Vec<(&'static str, String)>,
    config: File,
    credentials: File,
}

struct File {
    path: PathBuf,
    text: String,
}

/// A line `[..]`.
struct Section<'a> {
    /// Counted from one.
    line: usize,
    /// The profile's name, without quotes; none for another kind of section.
    profile: Option<&'a str>,
    /// What stands between the brackets.
    inner: &'a str,
}

impl ProfileFiles {
    /// Reads them from where AWS's settings say; `variable` reads the environment. A file that is not there is empty.
    pub(super) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let home = variable("HOME").or_else(|| variable("USERPROFILE")).unwrap_or_default();
        let file = |name: &str, usual: &str| {
            let path = variable(name).unwrap_or_else(|| format!("~/.aws/{usual}"));
            let path = PathBuf::from(match path.strip_prefix("~/") {
                Some(rest) => format!("{home}/{rest}"),
                None => path,
            });
            let text = fs::read_to_string(&path).unwrap_or_default();
            File { path, text }
        };
        Self {
            chosen: variable("AWS_PROFILE"),
            variables: PLACES.iter().filter_map(|name| Some((*name, variable(name)?))).collect(),
            config: file("AWS_CONFIG_FILE", "config"),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        }
    }

    /// Has the SDK read profiles whose names it does not take, as the AWS CLI does: those in quotes, and with white space. For
    /// that, their names are encoded, wherever they are said.
    pub(super) fn given_to(&self, loader: ConfigLoader) -> ConfigLoader {
        let odd = |s: &Section<'_>| s.profile.is_some_and(|name| !is_plain(name) || s.inner.contains(['"', '\'']));
        if !self.config.profiles(true).chain(self.credentials.profiles(false)).any(|s| odd(&s)) {
            return loader;
        }
        let loader = match &self.chosen {
            Some(name) => loader.profile_name(encoded(name)),
            None => loader,
        };
        with_contents(loader, self.config.encoded(true), self.credentials.encoded(false))
    }

    /// What is wrong with the files, or with the choice of a profile, where no region or no credentials were found.
    pub(super) async fn fault(&self) -> Option<Error> {
        if let Err(error) = self.parse().await {
            return Some(error);
        }
        let chosen = self.chosen.as_deref()?;
        let is_chosen = |s: &Section<'_>| s.profile == Some(chosen);
        if self.config.profiles(true).chain(self.credentials.profiles(false)).any(|s| is_chosen(&s)) {
            return None;
        }
        let (config, credentials) = (self.config.path.display(), self.credentials.path.display());
        let error =
            Error::usage(format!("AWS profile `{chosen}` (AWS_PROFILE) does not exist in {config} or {credentials}"));
        let bare = self.config.profiles(true).find(|s| s.inner == chosen);
        Some(match bare {
            Some(section) => error.hint(format!(
                "Change `[{chosen}]` in {config}, line {}, to `[profile {}]`.",
                section.line,
                if chosen.contains(char::is_whitespace) { format!("\"{chosen}\"") } else { chosen.to_owned() }
            )),
            None => error.hint("List the profiles with `aws configure list-profiles`, or unset AWS_PROFILE."),
        })
    }

    /// Whether the SDK can read the files: if not, it takes no notice of them, and says so only where nobody looks.
    async fn parse(&self) -> Result<()> {
        use aws_types::os_shim_internal::{Env, Fs};
        let variables: Vec<(&str, &str)> = self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let env = Env::from_slice(&variables);
        let parsed = aws_config::profile::load(&Fs::real(), &env, &Default::default(), None).await;
        parsed.map(drop).map_err(|error| {
            let mut next: Option<&dyn std::error::Error> = Some(&error);
            let mut told = String::new();
            while let Some(cause) = next {
                told = cause.to_string();
                next = cause.source();
            }
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            Error::usage(format!("could not read AWS's profiles: {told}")).hint("Fix or remove that line.")
        })
    }
}

#[expect(deprecated, reason = "the new name of this type is in a crate that is no dependency of ours")]
fn with_contents(loader: ConfigLoader, config: String, credentials: String) -> ConfigLoader {
    use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
    let files = ProfileFiles::builder()
        .with_contents(ProfileFileKind::Config, config)
        .with_contents(ProfileFileKind::Credentials, credentials);
    loader.profile_files(files.build())
}

impl File {
    fn profiles(&self, is_config: bool) -> impl Iterator<Item = Section<'_>> {
        let lines = self.text.lines().enumerate();
        lines.filter_map(move |(n, line)| section(line, is_config).map(|s| Section { line: n + 1, ..s }))
    }

    /// The text with encoded names.
    fn encoded(&self, is_config: bool) -> String {
        let line = |line: &str| {
            if let Some(Section { profile: Some(name), .. }) = section(line, is_config) {
                let prefix = if is_config && name != "default" { "profile " } else { "" };
                return format!("[{prefix}{}]\n", encoded(name));
            }
            match line.split_once('=') {
                Some((key, value)) if key.trim() == "source_profile" => format!("{key}= {}\n", encoded(value.trim())),
                _ => format!("{line}\n"),
            }
        };
        self.text.lines().map(line).collect()
    }
}

/// The section that a line begins. In the configuration file, profiles but for `default` have `profile` in front of their
/// names, and quotes around them where there is white space ("Configuration and credential file settings in the AWS CLI").
fn section(line: &str, is_config: bool) -> Option<Section<'_>> {
    let (inner, _) = line.trim().strip_prefix('[')?.split_once(']')?;
    let inner = inner.trim();
    let unquoted = |name: &'_ str| -> Option<(usize, usize)> {
        let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''));
        match quote {
            Some(quote) => name[1..].strip_suffix(quote).map(|inside| (1, 1 + inside.len())),
            None => (!name.contains(char::is_whitespace)).then_some((0, name.len())),
        }
    };
    let profile = if !is_config || inner == "default" {
        Some(inner)
    } else {
        let name = inner.strip_prefix("profile").filter(|rest| rest.starts_with(char::is_whitespace)).map(str::trim);
        name.and_then(|name| unquoted(name).map(|(from, to)| &name[from..to]))
    };
    Some(Section { line: 0, profile, inner })
}

/// What the SDK takes as a name (`aws-runtime`, `env_config`).
fn is_plain(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-/.%@:+".contains(&b))
}

/// A name that the SDK takes.
fn encoded(name: &str) -> String {
    if is_plain(name) {
        return name.to_owned();
    }
    let byte = |b: u8| match b {
        b if b != b'%' && is_plain(char::from(b).encode_utf8(&mut [0; 4])) => char::from(b).to_string(),
        b => format!("%{b:02x}"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(config: &str, credentials: &str, chosen: &str) -> (tempfile::TempDir, ProfileFiles) {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/config"), config).unwrap();
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        let at = home.path().display().to_string();
        let read = ProfileFiles::read(&|name| match name {
            "HOME" => Some(at.clone()),
            "AWS_PROFILE" => Some(chosen.to_owned()),
            _ => None,
        });
        (home, read)
    }

    #[test]
    fn names_are_those_of_the_aws_cli() {
        let profile = |line: &'static str, is_config| section(line, is_config).and_then(|s| s.profile);
        for (line, in_config, in_credentials) in [
            ("[default]", Some("default"), Some("default")),
            ("[dev]", None, Some("dev")),
            ("  [ profile dev ]  # mine", Some("dev"), Some("profile dev")),
            ("[profile\tdev]", Some("dev"), Some("profile\tdev")),
            ("[profile \"with space\"]", Some("with space"), Some("profile \"with space\"")),
            ("[profile 'a b']", Some("a b"), Some("profile 'a b'")),
            ("[profile \"dev\"]", Some("dev"), Some("profile \"dev\"")),
            ("[profile two words]", None, Some("profile two words")),
            ("[with space]", None, Some("with space")),
            ("[sso-session x]", None, Some("sso-session x")),
            ("[profiles]", None, Some("profiles")),
        ] {
            assert_eq!((profile(line, true), profile(line, false)), (in_config, in_credentials), "{line}");
        }
        for line in ["region = [x]", "# [profile x]", "[profile broken", ""] {
            assert!(section(line, true).is_none(), "{line}");
        }
    }

    #[test]
    fn odd_names_are_encoded_wherever_they_are_said() {
        let (_home, read) = files(
            "[default]\nregion = x\n[profile \"with space\"]\nregion = eu-west-1\n[profile b]\nsource_profile = with space\n",
            "[with space]\naws_access_key_id = AKID\n",
            "with space",
        );
        assert_eq!(
            read.config.encoded(true),
            "[default]\nregion = x\n[profile with%20space]\nregion = eu-west-1\n[profile b]\nsource_profile = with%20space\n"
        );
        assert_eq!(read.credentials.encoded(false), "[with%20space]\naws_access_key_id = AKID\n");
        assert_eq!((encoded("ü%"), encoded("a%b")), ("%c3%bc%25".into(), "a%b".into()));
    }

    #[tokio::test]
    async fn a_profile_that_is_not_there() {
        let told = |read: ProfileFiles| async move {
            let error = read.fault().await.expect("a fault");
            (error.to_string(), error.hints()[0].clone())
        };
        let (_home, read) = files("[profile a]\n\n[dev]\nregion = eu-west-2\n", "", "dev");
        let (error, hint) = told(read).await;
        assert!(error.contains("profile `dev`") && error.contains(".aws/config"), "{error}");
        assert!(hint.contains("line 3") && hint.contains("`[profile dev]`"), "{hint}");
        let (_home, read) = files("[profile a]\n", "[b]\n", "nosuch");
        let (error, hint) = told(read).await;
        assert!(error.contains("`nosuch`") && hint.contains("list-profiles"), "{error} {hint}");
        for chosen in ["a", "b", "default"] {
            let (_home, read) = files("[profile a]\n[default]\n", "[b]\n", chosen);
            assert!(read.fault().await.is_none(), "{chosen}");
        }
        let (_home, read) = files("[profile \"with space\"]\n", "", "with space");
        assert!(read.fault().await.is_none());
        // A line that the SDK cannot read: it would take no notice of either file.
        for (config, line) in
            [("[profile a]\nregion = x\n[profile broken\n", 3), ("region = x\n", 1), ("[profile a]\nx\n", 2)]
        {
            let (_home, read) = files(config, "[a]\naws_secret_access_key = hunter2\n", "a");
            let (error, _) = told(read).await;
            assert!(error.contains(".aws/config on line") && error.contains(&format!("line {line}:")), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }
}
