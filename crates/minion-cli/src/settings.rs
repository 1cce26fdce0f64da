//! Where the operator works: flags beat the environment, the environment beats the profile. A sandbox's profile beats
//! the environment.
use crate::{
    manifest::registries::{self, RegistryCredentials},
    profile_text::with_profile,
};
use aws_core::{Error, Result, cloud::lookups::plain_zone_id};
use clap::Args;
use etcetera::BaseStrategy as _;
use files::{Kind, Text};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The name of the profile when none is named.
pub const DEFAULT_PROFILE: &str = "default";
/// The profile that `sandbox up` writes, unless `--profile` names another.
pub const SANDBOX_PROFILE: &str = "sandbox";

/// Flags that every command takes. [`Settings::resolve`] reads the `MINION_*` variables: with clap's `env`, a
/// variable that is set counts as a flag that was given, and the usage line of every error shows it as required.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Where")]
pub struct PlaceArgs {
    /// Profile of the configuration file [default: default]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Configuration file [default: minion/config.yaml in the user's configuration directory]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// AWS region
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// VPC that the applications live in
    #[arg(long, global = true, value_name = "VPC_ID")]
    pub vpc: Option<String>,
    /// Domain of the applications' DNS names
    #[arg(long, global = true, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Hosted zone of the domain, when there are several
    #[arg(long, global = true, value_name = "ID")]
    pub zone_id: Option<String>,
    /// ACM certificate of the HTTPS listeners
    #[arg(long, global = true, value_name = "ARN")]
    pub certificate_arn: Option<String>,
    /// Container registry that `images` lists; images without a host are Docker Hub's, as in Docker
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    pub registry: Option<String>,
}

/// One profile of the configuration file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// AWS region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// VPC id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// Domain of the DNS names, without a final dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Hosted zone id of the domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<String>,
    /// ACM certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
    /// Container registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Credentials for private registries that manifests do not name, as their `registry_credentials`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registry_credentials: RegistryCredentials,
    /// A sandbox on this computer. With it, no other AWS is spoken to, and no credentials of this computer are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxPlace>,
}

/// Where a sandbox answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxPlace {
    /// The address of AWS's services: `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// The address of the front door: `http://127.0.0.1:8080`.
    pub front: String,
    /// The sandbox that the profile belongs to; whoever writes one by hand need not name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What errors say of the configuration file. The predecessor kept passwords in its own, which has the same form.
const CONFIGURATION: Kind = Kind {
    noun: "configuration file",
    one: "a configuration file",
    about: "place to work in",
    least: "Write it with `minion configure`.",
    pair: "default: {region: eu-west-1}",
    list: "[eu-west-1]",
    secret: true,
    secret_below: &[],
};

/// The configuration file: profiles by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfigFile {
    /// The profiles.
    pub profiles: BTreeMap<String, Profile>,
}

impl ConfigFile {
    /// Reads the file; one that does not exist is empty.
    ///
    /// # Errors
    /// When it cannot be read or is not a mapping from names to profiles.
    pub fn read(path: &Path) -> Result<Self> {
        // A link that leads nowhere is no file either.
        if std::fs::metadata(path).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            return Ok(Self::default());
        }
        let text = files::read(path, &CONFIGURATION)?;
        Self::parse(&text, &path.display().to_string()).map_err(|e| {
            e.hint(format!(
                "Correct the file; or rename it, `mv {0} {0}.old`, and run `minion configure` with the same options.",
                terminal::command_line::quoted(&path.display().to_string())
            ))
        })
    }

    fn parse(text: &str, source: &str) -> Result<Self> {
        // Comments alone are nothing, too.
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        Text { kind: &CONFIGURATION, source, text }.parse()
    }

    /// Writes the file whole, or not at all; readable by its owner alone.
    ///
    /// # Errors
    /// When the directory or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let fail = |e: &dyn std::fmt::Display| {
            Error::failed(format!("configuration file {} cannot be written: {e}", path.display()))
        };
        let text = serde_yaml::to_string(self).map_err(|e| fail(&e))?;
        write(path, &text).map_err(|e| fail(&e))
    }

    /// Puts one profile into the file, or without one takes it out. What else is in the file, comments too, stays as
    /// it was written; where that cannot be, `warn` hears of it before the file is written anew. A file in which
    /// nothing is left is removed.
    ///
    /// # Errors
    /// When the file cannot be read, or the directory or the file cannot be written.
    pub fn set(path: &Path, name: &str, profile: Option<&Profile>, warn: impl FnOnce(&str)) -> Result<()> {
        let fail = |e: &dyn std::fmt::Display| {
            Error::failed(format!("configuration file {} cannot be written: {e}", path.display()))
        };
        let before = Self::read(path)?;
        let mut wanted = before.clone();
        match profile {
            Some(profile) => _ = wanted.profiles.insert(name.to_owned(), profile.clone()),
            None => _ = wanted.profiles.remove(name),
        }
        if wanted == before {
            return Ok(());
        }
        let block = profile.map(|profile| serde_yaml::to_string(&BTreeMap::from([(name, profile)])));
        let block = block.transpose().map_err(|e| fail(&e))?;
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let new = with_profile(&text, name, block.as_deref());
        if Self::parse(&new, "").ok().as_ref() == Some(&wanted) {
            if !new.trim().is_empty() || path.is_symlink() {
                return write(path, &new).map_err(|e| fail(&e));
            }
        } else if !wanted.profiles.is_empty() {
            if text.contains('#') {
                warn(&format!("{} is written anew: its comments are lost", path.display()));
            }
            return wanted.write(path);
        }
        std::fs::remove_file(path)
            .map_err(|e| Error::failed(format!("configuration file {} cannot be removed: {e}", path.display())))
    }
}

/// Writes a file whole, or not at all; what a link leads to, not the link.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let target = match path.canonicalize() {
        Ok(target) => target,
        // A link to what is not there yet.
        Err(_) => match path.read_link() {
            Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => path.to_owned(),
        },
    };
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    file.write_all(text.as_bytes())?;
    file.persist(&target)?;
    Ok(())
}

/// What flags, environment and profile say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The profile's name.
    pub profile: String,
    /// The configuration file.
    pub path: PathBuf,
    /// Whether that file was named, by flag or variable.
    pub path_given: bool,
    /// The values.
    pub values: Profile,
}

impl Settings {
    /// Puts flags, environment and the profile together; with `new_profile`, a profile or
    /// file that is not there is empty.
    ///
    /// # Errors
    /// When the configuration file is damaged, when one that was named does not exist, or when a profile that was
    /// asked for is not in it.
    pub fn resolve(args: &PlaceArgs, new_profile: bool, env: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let env = |name: &str| env(name).filter(|v| !v.is_empty());
        let given = args.config.clone().or_else(|| env("MINION_CONFIG").map(PathBuf::from));
        let path = match &given {
            Some(path) => path.clone(),
            None => default_path()?,
        };
        if given.is_some() && !new_profile && path.try_exists().is_ok_and(|there| !there) {
            return Err(Error::usage(format!("configuration file {} does not exist", path.display())).hint(
                "Correct --config (or MINION_CONFIG); `minion configure` with the same --config makes the file.",
            ));
        }
        let file = ConfigFile::read(&path)?;
        let asked = args.profile.clone().or_else(|| env("MINION_PROFILE")).or_else(|| env("AWS_MINION_PROFILE"));
        let name = asked.clone().unwrap_or_else(|| DEFAULT_PROFILE.into());
        let profile = match (file.profiles.get(&name), asked) {
            (Some(profile), _) => profile.clone(),
            (None, asked) if new_profile || asked.is_none() => Profile::default(),
            (None, _) => {
                let known: Vec<_> = file.profiles.keys().map(String::as_str).collect();
                let hint = if known.is_empty() {
                    "There are no profiles yet".into()
                } else {
                    format!("There are: {}", known.join(", "))
                };
                return Err(Error::usage(format!("profile `{name}` is not in {}", path.display())).hint(
                    match name.as_str() {
                        SANDBOX_PROFILE => format!("{hint}. `minion sandbox up` makes it, with the sandbox."),
                        _ => format!("{hint}. `minion --profile {name} configure` makes it."),
                    },
                ));
            }
        };
        // A sandbox's places are made up: what a variable names is somewhere on AWS.
        let in_sandbox = profile.sandbox.is_some();
        let pick = |flag: &Option<String>, variables: &[&str], stored: Option<String>| {
            let flag = flag.clone().filter(|v| !v.is_empty());
            let variables = if in_sandbox { &[] } else { variables };
            flag.or_else(|| variables.iter().find_map(|name| env(name))).or(stored)
        };
        let region = ["MINION_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"];
        let domain = pick(&args.domain, &["MINION_DOMAIN"], profile.domain);
        let values = Profile {
            region: pick(&args.region, &region, profile.region),
            vpc: pick(&args.vpc, &["MINION_VPC"], profile.vpc),
            domain: domain.map(|d| d.trim_end_matches('.').to_ascii_lowercase()),
            zone_id: pick(&args.zone_id, &["MINION_ZONE_ID"], profile.zone_id).map(|id| plain_zone_id(&id)),
            certificate_arn: pick(&args.certificate_arn, &["MINION_CERTIFICATE_ARN"], profile.certificate_arn),
            registry: args
                .registry
                .clone()
                .filter(|v| !v.is_empty())
                .or_else(|| env("MINION_REGISTRY"))
                .or(profile.registry),
            registry_credentials: profile.registry_credentials,
            sandbox: profile.sandbox.map(on_this_computer).transpose()?,
        };
        let credentials = &values.registry_credentials;
        let wrong =
            registries::problem(credentials).or_else(|| credentials.values().find_map(|reference| reference.problem()));
        if let Some(message) = wrong {
            return Err(Error::usage(format!("{}: registry_credentials of profile {name}: {message}", path.display())));
        }
        Ok(Self { profile: name, path, path_given: given.is_some(), values })
    }

    /// The VPC.
    ///
    /// # Errors
    /// When none is set.
    pub fn vpc(&self) -> Result<&str> {
        self.values.vpc.as_deref().ok_or_else(|| {
            Error::usage("no VPC is set").hint("Run `minion configure` once, or give --region, --vpc and --domain (or MINION_REGION, MINION_VPC, MINION_DOMAIN).")
        })
    }
}

fn address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://").and_then(|rest| rest.parse().ok())
}

/// A sandbox is here: anywhere else, credentials that everybody knows would be sent there.
fn on_this_computer(place: SandboxPlace) -> Result<SandboxPlace> {
    if address(&place.endpoint).is_some_and(|host| host.ip().is_loopback()) {
        return Ok(place);
    }
    Err(Error::usage(format!("{} is no address of a sandbox: not on this computer", place.endpoint))
        .hint("`minion sandbox up` writes the profile; `sandbox` is for nothing else."))
}

/// `minion/config.yaml` in the user's configuration directory (XDG, or what the system has instead).
fn default_path() -> Result<PathBuf> {
    let dirs = etcetera::choose_base_strategy().map_err(|_| {
        Error::usage("there is no home directory, so no configuration file").hint("Set HOME, or give --config FILE.")
    })?;
    Ok(dirs.config_dir().join("minion").join("config.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(file: &str, args: PlaceArgs, env: &[(&str, &str)]) -> Result<Settings> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        std::fs::write(&path, file).unwrap();
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Settings::resolve(&PlaceArgs { config: Some(path), ..args }, false, |k| env.get(k).cloned())
    }
    const FILE: &str = "default:\n  region: eu-west-1\n  vpc: vpc-1\nstaging:\n  region: eu-west-1\n  vpc: vpc-2\n";

    #[test]
    fn flags_beat_environment_beats_profile() {
        let got = resolve(FILE, PlaceArgs::default(), &[("AWS_REGION", "us-east-1")]).unwrap();
        assert_eq!((got.values.region.as_deref(), got.values.vpc.as_deref()), (Some("us-east-1"), Some("vpc-1")));
        let args =
            PlaceArgs { region: Some("eu-north-1".into()), profile: Some("staging".into()), ..PlaceArgs::default() };
        let got = resolve(FILE, args, &[("AWS_REGION", "us-east-1")]).unwrap();
        assert_eq!((got.values.region.as_deref(), got.values.vpc.as_deref()), (Some("eu-north-1"), Some("vpc-2")));
    }

    #[test]
    fn credentials_for_registries_are_the_profiles() {
        let with = |more: &str| resolve(&format!("default:\n  region: eu-west-1\n{more}"), PlaceArgs::default(), &[]);
        let got = with("  registry_credentials: {ghcr.io: 'secretsmanager:ghcr'}\n").unwrap().values;
        let reference = registries::find(&got.registry_credentials, "ghcr.io").unwrap();
        assert_eq!(reference.to_string(), "secretsmanager:ghcr");
        // Errors about this file quote nothing of it: it may hold passwords.
        for (bad, words) in [
            ("{ghcr.io: hunter2}", "line 3"),
            ("{'https://hunter2': 'ssm:/a'}", "line 3"),
            ("{ghcr.io: 'secretsmanager:a#key'}", "takes no `#key`"),
            ("{ghcr.io: 'ssm:/a*'}", "not a reference"),
        ] {
            let error = with(&format!("  registry_credentials: {bad}\n")).unwrap_err();
            assert_eq!(error.kind(), aws_core::error::Kind::Usage);
            assert!(error.to_string().contains(words) && !error.to_string().contains("hunter2"), "{error}");
        }
        for form in ["Z1", "/hostedzone/Z1", "arn:aws:route53:::hostedzone/Z1"] {
            assert_eq!(with(&format!("  zone_id: {form}\n")).unwrap().values.zone_id.as_deref(), Some("Z1"), "{form}");
        }
    }

    #[test]
    fn variables_come_between_flags_and_profile() {
        let env = [("MINION_REGION", "eu-central-1"), ("AWS_REGION", "us-east-1"), ("MINION_VPC", "vpc-3")];
        let got = resolve(FILE, PlaceArgs::default(), &env).unwrap();
        assert_eq!((got.values.region.as_deref(), got.values.vpc.as_deref()), (Some("eu-central-1"), Some("vpc-3")));
        let args = PlaceArgs { vpc: Some("vpc-4".into()), ..PlaceArgs::default() };
        assert_eq!(resolve(FILE, args, &env).unwrap().values.vpc.as_deref(), Some("vpc-4"));
        let both = [("MINION_PROFILE", "staging"), ("AWS_MINION_PROFILE", "default"), ("MINION_VPC", "")];
        let got = resolve(FILE, PlaceArgs::default(), &both).unwrap();
        assert_eq!((got.profile.as_str(), got.values.vpc.as_deref()), ("staging", Some("vpc-2")), "empty is not set");
        let rest = [
            ("MINION_DOMAIN", "Team.example.org."),
            ("MINION_ZONE_ID", "Z1"),
            ("MINION_CERTIFICATE_ARN", "arn"),
            ("MINION_REGISTRY", "r:5000"),
        ];
        let Profile { domain, zone_id, certificate_arn, registry, .. } =
            resolve(FILE, PlaceArgs::default(), &rest).unwrap().values;
        assert_eq!((domain.as_deref(), zone_id.as_deref()), (Some("team.example.org"), Some("Z1")));
        assert_eq!((certificate_arn.as_deref(), registry.as_deref()), (Some("arn"), Some("r:5000")));
    }

    #[test]
    fn a_file_that_was_named_exists() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nofile.yaml");
        let args = PlaceArgs { config: Some(path.clone()), ..PlaceArgs::default() };
        let error = Settings::resolve(&args, false, |_| None).unwrap_err();
        assert!(error.to_string().ends_with("nofile.yaml does not exist"), "{error}");
        let env = |name: &str| (name == "MINION_CONFIG").then(|| path.to_str().unwrap().to_owned());
        assert!(Settings::resolve(&PlaceArgs::default(), false, env).is_err());
        assert_eq!(Settings::resolve(&PlaceArgs::default(), true, env).unwrap().path, path, "`configure` makes it");
    }

    #[test]
    fn a_sandbox_is_on_this_computer() {
        let file = |host: &str| {
            format!("default:\n  sandbox: {{endpoint: 'http://{host}', front: 'http://127.0.0.1:8080'}}\n")
        };
        let settings = resolve(&file("127.0.0.1:4566"), PlaceArgs::default(), &[]).unwrap();
        assert_eq!(settings.values.sandbox.unwrap().front, "http://127.0.0.1:8080");
        for elsewhere in ["10.0.0.1:4566", "example.org:80", "127.0.0.1.example.org:80"] {
            assert!(resolve(&file(elsewhere), PlaceArgs::default(), &[]).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn variables_do_not_lead_out_of_a_sandbox() {
        let file = "default:\n  region: eu-west-1\n  vpc: vpc-1\n  domain: sandbox.localhost\n  sandbox: {endpoint: 'http://127.0.0.1:4566', front: 'http://127.0.0.1:8080'}\n";
        let names = [
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "MINION_REGION",
            "MINION_VPC",
            "MINION_DOMAIN",
            "MINION_ZONE_ID",
            "MINION_CERTIFICATE_ARN",
        ];
        let env = names.map(|name| (name, "elsewhere"));
        let values = resolve(file, PlaceArgs::default(), &env).unwrap().values;
        assert_eq!((values.region.as_deref(), values.vpc.as_deref()), (Some("eu-west-1"), Some("vpc-1")));
        assert_eq!(
            (values.domain.as_deref(), values.zone_id, values.certificate_arn),
            (Some("sandbox.localhost"), None, None)
        );
        let args = PlaceArgs { vpc: Some("vpc-2".into()), ..PlaceArgs::default() };
        assert_eq!(resolve(file, args, &env).unwrap().values.vpc.as_deref(), Some("vpc-2"));
    }

    #[test]
    fn an_unknown_profile_names_the_known_ones() {
        let error = resolve(FILE, PlaceArgs { profile: Some("prod".into()), ..PlaceArgs::default() }, &[]).unwrap_err();
        assert!(error.hints()[0].contains("default, staging"), "{:?}", error.hints());
        assert_eq!(
            resolve(FILE, PlaceArgs::default(), &[("AWS_MINION_PROFILE", "staging")]).unwrap().values.vpc.as_deref(),
            Some("vpc-2")
        );
    }

    #[test]
    fn the_file_is_written_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/config.yaml");
        let profile = Profile { vpc: Some("vpc-1".into()), ..Profile::default() };
        let file = ConfigFile { profiles: BTreeMap::from([("default".into(), profile)]) };
        file.write(&path).unwrap();
        assert_eq!(ConfigFile::read(&path).unwrap(), file);
        std::fs::write(&path, "default: [1").unwrap();
        assert_eq!(ConfigFile::read(&path).unwrap_err().kind(), aws_core::error::Kind::Usage);
    }

    #[test]
    fn what_the_file_holds_is_never_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("old config.yaml");
        for (text, place) in [
            (
                "default:\n  domain: apps.example.org\n  log_account: acme\n  log_password: hunter2\n",
                "line 3, column 3",
            ),
            ("default:\n  log_password: hunter2\n", "line 2, column 3: unknown key `log_password`"),
            ("default:\n  domain: a: hunter2\n", "line 2, "),
            ("default:\n  domain: *hunter2\n", "line 2, "),
            ("default:\n  domain: !hunter2 x\n", "line 2, "),
            ("default:\n  domain: [hunter2]\n", "line 2, "),
            ("default: hunter2\n", "line 1, "),
            ("default:\n  domain: 'hunter2\n", "line "),
            ("default:\n  sandbox: {endpoint: hunter2, password: hunter2}\n", "unknown key `password`"),
            ("hunter2\n", "line 1, "),
        ] {
            std::fs::write(&path, text).unwrap();
            let e = ConfigFile::read(&path).unwrap_err();
            let told = format!("{e}\n{}", e.hints().join("\n"));
            assert!(told.contains(&format!("old config.yaml, {place}")) || told.contains(place), "{told}");
            assert!(!told.contains("hunter2") && told.contains("minion configure"), "{told}");
            assert!(
                told.contains(".yaml' '") || told.contains(".yaml'.old"),
                "a path with a space is in quotes: {told}"
            );
            assert_eq!(e.kind(), aws_core::error::Kind::Usage);
        }
    }

    #[test]
    fn one_profile_is_set_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (real, path) = (dir.path().join("real.yaml"), dir.path().join("config.yaml"));
        let text = "# of the team\ndefault:\n  vpc: vpc-1 # the old one\n";
        std::fs::write(&real, text).unwrap();
        std::os::unix::fs::symlink("real.yaml", &path).unwrap();
        let profile = Profile { vpc: Some("vpc-2".into()), ..Profile::default() };
        let set = |profile| {
            let mut warned = false;
            ConfigFile::set(&path, "sandbox", profile, |_| warned = true).unwrap();
            warned
        };
        assert!(!set(Some(&profile)));
        assert_eq!(ConfigFile::read(&path).unwrap().profiles["sandbox"], profile);
        assert!(std::fs::read_to_string(&real).unwrap().starts_with(text), "the link's target is written");
        assert!(path.is_symlink());
        assert!(!set(None));
        assert_eq!(std::fs::read_to_string(&real).unwrap(), text);
        std::fs::write(&real, "{default: {vpc: vpc-1}} # in one line\n").unwrap();
        assert!(set(Some(&profile)), "what cannot be kept is told");
        assert_eq!(ConfigFile::read(&path).unwrap().profiles.len(), 2);
        std::fs::remove_file(&path).unwrap();
        set(Some(&profile));
        set(None);
        assert!(!path.exists(), "nothing is left in it");
    }
}
