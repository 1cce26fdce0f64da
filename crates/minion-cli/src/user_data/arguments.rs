//! What `docker run` is told of an application: once, for the script of an instance and for this computer's engine.
use super::{quote::quote, render::Instance};
use crate::manifest::{EnvName, FilesystemKind, SecretRef};
use aws_core::{Error, Result};
use std::collections::BTreeMap;

/// The user and group of a container whose image names none, unless the manifest says `root: true`.
pub const USER: &str = "1000:1000";

/// The arguments of `docker run` that are known beforehand.
#[derive(Debug, Clone)]
pub struct Arguments<'a> {
    /// Options with their values, in order.
    pub options: Vec<(&'static str, String)>,
    /// Secrets that the container gets in its environment, by name; `options` has their names alone.
    pub secrets: Vec<(&'a str, &'a SecretRef)>,
    /// Directories that are file systems of their own.
    pub volumes: Vec<Volume<'a>>,
    /// The lowest port that a container which is not root listens on, where that is below 1024.
    pub unprivileged_port: Option<u16>,
    root: bool,
}

/// A directory of the container that is a file system of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume<'a> {
    /// Where it is kept.
    pub source: Source,
    /// The absolute directory in the container.
    pub mountpoint: &'a str,
}

/// Where a file system is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// On an EBS volume.
    Ebs {
        /// Its device name without `/dev/`.
        device: String,
    },
    /// On the instance.
    Temporary {
        /// Counted from 0.
        number: usize,
        /// Its size in MiB, where it has one.
        size_mb: Option<u32>,
    },
}

impl Arguments<'_> {
    /// The options, ready for the shell, one an entry.
    pub(super) fn shell(&self) -> Vec<String> {
        self.options.iter().map(|(option, value)| format!("{option} {}", quote(value))).collect()
    }

    /// The user to run as, for an image that names `image_user`.
    pub fn user(&self, image_user: &str) -> Option<&'static str> {
        // As the script of the instance has it.
        let root = ["", "root", "0"].contains(&image_user.split(':').next().unwrap_or_default());
        (!self.root && root).then_some(USER)
    }
}

/// Names that would steer the Docker client or the shell itself, were a secret called so.
fn steers(name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "PATH",
        "HOME",
        "IFS",
        "OPTIND",
        "SHLVL",
        "_",
        "ENV",
        "PPID",
        "UID",
        "EUID",
        "SHELLOPTS",
        "RANDOM",
        "SECONDS",
        "LINENO",
        "GROUPS",
        "FUNCNAME",
        "DIRSTACK",
    ];
    NAMES.contains(&name) || ["LD_", "DOCKER_", "BASH", "EPOCH", "minion_"].iter().any(|p| name.starts_with(p))
}

impl Instance<'_> {
    /// The manifest's secrets that the environment does not replace.
    fn secrets(&self) -> Result<Vec<(&str, &SecretRef)>> {
        let mut secrets = Vec::new();
        for (name, reference) in &self.manifest.secrets {
            if self.environment.contains_key(name.as_str()) {
                continue;
            }
            if steers(name.as_str()) {
                return Err(Error::usage(format!("a secret cannot be passed to the container as {name}"))
                    .hint("The name means something to the shell or to Docker on the instance; choose another."));
            }
            secrets.push((name.as_str(), reference));
        }
        Ok(secrets)
    }

    /// What `docker run` is told.
    ///
    /// # Errors
    /// A usage error when a name or a value cannot be passed on.
    pub fn arguments(&self) -> Result<Arguments<'_>> {
        let m = self.manifest;
        let secrets = self.secrets()?;
        let mut options = Vec::new();
        let mut add = |option: &'static str, value: &str| options.push((option, value.to_owned()));
        if let Some(memory) = m.memory_mb {
            if let Some(hard) = memory.hard {
                add("--memory", &format!("{hard}m"));
            }
            if let Some(soft) = memory.soft {
                add("--memory-reservation", &format!("{soft}m"));
            }
        }
        if let Some(cpu) = m.cpu {
            add("--cpus", &cpu.to_string());
        }
        let mut capabilities: Vec<&str> = m.capabilities.iter().map(|c| c.as_str()).collect();
        capabilities.extend(self.cap_add.iter().map(String::as_str));
        let mut seen = std::collections::BTreeSet::new();
        for capability in capabilities.iter().filter(|c| seen.insert(**c)) {
            add("--cap-add", capability);
        }
        if !m.root && capabilities.is_empty() {
            add("--security-opt", "no-new-privileges");
        }
        self.log_arguments(&mut add);
        for (name, value) in &self.environment {
            name.parse::<EnvName>().map_err(Error::usage)?;
            if value.contains('\0') {
                return Err(Error::usage(format!("the value of {name} holds a NUL character")));
            }
            add("--env", &format!("{name}={value}"));
        }
        for (name, _) in &secrets {
            add("--env", name);
        }
        if let Some((option, value)) = options.iter().find(|(_, value)| value.contains('\0')) {
            let shown = value.escape_default();
            return Err(Error::usage(format!("{option} {shown}: a NUL character cannot be passed to Docker")));
        }
        let low = m.exposed_ports.iter().map(|p| p.get()).min().filter(|p| *p < 1024);
        let unprivileged_port = low.filter(|_| !m.root);
        Ok(Arguments { options, secrets, volumes: self.volumes(), unprivileged_port, root: m.root })
    }

    fn log_arguments(&self, add: &mut impl FnMut(&'static str, &str)) {
        let logging = &self.manifest.logging;
        let driver = logging.driver.as_str();
        let mut options: BTreeMap<&str, &str> = logging.options.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if driver == "awslogs" {
            match self.log_group {
                Some(group) => _ = options.entry("awslogs-group").or_insert(group),
                None if !options.contains_key("awslogs-group") => return,
                None => {}
            }
            options.entry("awslogs-region").or_insert(self.region);
            // The application must not stand still when CloudWatch Logs does.
            options.entry("mode").or_insert("non-blocking");
        }
        add("--log-driver", driver);
        for (key, value) in options {
            add("--log-opt", &format!("{key}={value}"));
        }
    }

    /// EBS volumes first.
    fn volumes(&self) -> Vec<Volume<'_>> {
        let of = |kind| self.manifest.filesystems.iter().filter(move |f| f.kind == kind);
        let devices = self.manifest.ebs_volumes().into_iter();
        let ebs = of(FilesystemKind::Ebs).zip(devices).map(|(f, volume)| Volume {
            source: Source::Ebs { device: volume.device.trim_start_matches("/dev/").to_owned() },
            mountpoint: f.mountpoint.as_str(),
        });
        let temporary = of(FilesystemKind::Temporary).enumerate().map(|(number, f)| Volume {
            source: Source::Temporary { number, size_mb: f.size_mb },
            mountpoint: f.mountpoint.as_str(),
        });
        ebs.chain(temporary).collect()
    }
}
