//! From the words to the engine's configuration.
use super::amounts;
use aws_core::{Error, Result};
use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, RestartPolicy, RestartPolicyNameEnum as Restart,
};
use std::collections::{BTreeMap, HashMap};

/// What a `docker run` line asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunLine {
    /// The container's name.
    pub name: Option<String>,
    /// The image.
    pub image: String,
    /// The command, instead of the image's own; empty when the image's own is to run.
    pub command: Vec<String>,
    /// The network mode, as it was written (`host`). Not in `config`.
    pub network: Option<String>,
    /// Mounts, as they were written: `SOURCE:TARGET[:OPTIONS]`. Not in `config`.
    pub volumes: Vec<String>,
    /// Whether the line returns once the container runs.
    pub detach: bool,
    /// All the rest, image and command included.
    pub config: ContainerCreateBody,
}

/// Options with a value, as they are known inside; the short ones and other spellings lead to these.
const VALUES: [(&str, &str); 25] = [
    ("--cap-add", "--cap-add"),
    ("--cap-drop", "--cap-drop"),
    ("--cpus", "--cpus"),
    ("--entrypoint", "--entrypoint"),
    ("--env", "--env"),
    ("-e", "--env"),
    ("--hostname", "--hostname"),
    ("-h", "--hostname"),
    ("--label", "--label"),
    ("-l", "--label"),
    ("--log-driver", "--log-driver"),
    ("--log-opt", "--log-opt"),
    ("--memory", "--memory"),
    ("-m", "--memory"),
    ("--memory-reservation", "--memory-reservation"),
    ("--name", "--name"),
    ("--net", "--network"),
    ("--network", "--network"),
    ("--restart", "--restart"),
    ("--security-opt", "--security-opt"),
    ("--user", "--user"),
    ("-u", "--user"),
    ("--volume", "--volume"),
    ("-v", "--volume"),
    ("--workdir", "--workdir"),
];

/// Takes the words after `docker run` apart. `--env NAME` takes its value from `environment`; a name that is not there
/// is taken from the container, as Docker does.
///
/// # Errors
/// A usage error that names an option that is not known, lacks its value, or has a value that is none.
pub fn parse(arguments: &[String], environment: &BTreeMap<String, String>) -> Result<RunLine> {
    let mut line = RunLine::default();
    let mut host = HostConfig::default();
    let mut log = HostConfigLogConfig::default();
    let mut words = arguments.iter();
    let image = loop {
        let Some(word) = words.next() else {
            return Err(Error::usage("docker run: no image is named"));
        };
        if !word.starts_with('-') || word == "-" {
            break word.clone();
        }
        if word == "--" {
            match words.next() {
                Some(image) => break image.clone(),
                None => continue,
            }
        }
        let (option, attached) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word.as_str(), None),
        };
        if let Some(on) = switch(option, attached)? {
            match option {
                "--detach" | "-d" => line.detach = on,
                _ => host.init = Some(on),
            }
            continue;
        }
        let Some((_, known)) = VALUES.iter().find(|(name, _)| *name == option) else {
            return Err(Error::usage(format!("docker run: unknown option {option}")));
        };
        let value = match attached {
            Some(value) => value.to_owned(),
            None => words.next().cloned().ok_or_else(|| Error::usage(format!("docker run: {option} needs a value")))?,
        };
        take(&mut line, &mut host, &mut log, environment, known, value)?;
    };
    line.command = words.cloned().collect();
    if log != HostConfigLogConfig::default() {
        host.log_config = Some(log);
    }
    line.config.image = Some(image.clone());
    line.config.cmd = (!line.command.is_empty()).then(|| line.command.clone());
    line.config.host_config = Some(host);
    line.image = image;
    Ok(line)
}

/// An option without a value: whether it is on.
fn switch(option: &str, attached: Option<&str>) -> Result<Option<bool>> {
    if !["--detach", "-d", "--init"].contains(&option) {
        return Ok(None);
    }
    match attached {
        None | Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(wrong(option, other, "true or false")),
    }
}

fn wrong(option: &str, value: &str, wanted: &str) -> Error {
    Error::usage(format!("docker run: {option} {value}: not {wanted}"))
}

/// One option with its value.
fn take(
    line: &mut RunLine,
    host: &mut HostConfig,
    log: &mut HostConfigLogConfig,
    environment: &BTreeMap<String, String>,
    option: &str,
    value: String,
) -> Result<()> {
    let size = |value: &str| amounts::bytes(value).ok_or_else(|| wrong(option, value, "a size such as 512m"));
    match option {
        "--cap-add" => host.cap_add.get_or_insert_default().push(value),
        "--cap-drop" => host.cap_drop.get_or_insert_default().push(value),
        "--cpus" => {
            host.nano_cpus = Some(amounts::nano_cpus(&value).ok_or_else(|| wrong(option, &value, "a number"))?);
        }
        "--entrypoint" => line.config.entrypoint = Some(vec![value]),
        "--env" => {
            if value.is_empty() || value.starts_with('=') {
                return Err(wrong(option, &value, "NAME=VALUE or NAME"));
            }
            let taken = match environment.get(&value) {
                Some(own) if !value.contains('=') => format!("{value}={own}"),
                _ => value,
            };
            line.config.env.get_or_insert_default().push(taken);
        }
        "--hostname" => line.config.hostname = Some(value),
        "--label" => {
            let (name, text) = value.split_once('=').unwrap_or((&value, ""));
            line.config.labels.get_or_insert_default().insert(name.to_owned(), text.to_owned());
        }
        "--log-driver" => log.typ = Some(value),
        "--log-opt" => {
            let (name, text) = value.split_once('=').ok_or_else(|| wrong(option, &value, "NAME=VALUE"))?;
            log.config.get_or_insert_with(HashMap::new).insert(name.to_owned(), text.to_owned());
        }
        "--memory" => host.memory = Some(size(&value)?),
        "--memory-reservation" => host.memory_reservation = Some(size(&value)?),
        "--name" => line.name = Some(value),
        "--network" => line.network = Some(value),
        "--restart" => host.restart_policy = Some(restart(&value).ok_or_else(|| wrong(option, &value, "a policy"))?),
        "--security-opt" => {
            // The command line would read the file and send what is in it.
            if value.starts_with("seccomp") && !value.ends_with("unconfined") {
                return Err(wrong(option, &value, "an option that is passed on"));
            }
            host.security_opt.get_or_insert_default().push(value);
        }
        "--user" => line.config.user = Some(value),
        "--volume" => {
            if value.split(':').nth(1).is_none_or(str::is_empty) {
                return Err(wrong(option, &value, "SOURCE:TARGET"));
            }
            line.volumes.push(value);
        }
        "--workdir" => line.config.working_dir = Some(value),
        other => return Err(Error::usage(format!("docker run: unknown option {other}"))),
    }
    Ok(())
}

fn restart(text: &str) -> Option<RestartPolicy> {
    let (name, count) = match text.split_once(':') {
        Some((name, count)) => (name, Some(count.parse().ok()?)),
        None => (text, None),
    };
    let name = match name {
        "no" => Restart::NO,
        "always" => Restart::ALWAYS,
        "unless-stopped" => Restart::UNLESS_STOPPED,
        "on-failure" => Restart::ON_FAILURE,
        _ => return None,
    };
    (count.is_none() || name == Restart::ON_FAILURE)
        .then_some(RestartPolicy { name: Some(name), maximum_retry_count: count })
}
