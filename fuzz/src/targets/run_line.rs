//! The words of a `docker run` line.
use crate::input::{assert_told, parts};
use docker::run_line::{RunLine, parse};
use std::collections::BTreeMap;

/// Any words are a line, or a mistake. A line that is written out is read as the same one.
pub fn fuzz(data: &[u8]) {
    let ([first], rest) = parts(data);
    let environment: BTreeMap<String, String> =
        first.lines().filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let words: Vec<String> = rest.map(|w| w.into_owned()).collect();
    let line = match parse(&words, &environment) {
        Ok(line) => line,
        Err(e) => return assert_told(&e, false),
    };
    assert!(words.ends_with(&line.command));
    assert_eq!(words[words.len() - line.command.len() - 1], line.image);
    let written = write(&line);
    let again = parse(&written, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}\n{written:?}"));
    assert_eq!(again, line, "{written:?}");
}

/// The words of a line, in one order and one spelling.
fn write(line: &RunLine) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |option: &str, value: &str| words.push(format!("{option}={value}"));
    let (config, host) = (&line.config, line.config.host_config.clone().unwrap_or_default());
    if line.detach {
        add("--detach", "true");
    }
    if let Some(init) = host.init {
        add("--init", &init.to_string());
    }
    for (option, value) in [
        ("--name", &line.name),
        ("--network", &line.network),
        ("--hostname", &config.hostname),
        ("--user", &config.user),
        ("--workdir", &config.working_dir),
    ] {
        value.iter().for_each(|value| add(option, value));
    }
    for (option, values) in [
        ("--volume", Some(&line.volumes)),
        ("--env", config.env.as_ref()),
        ("--entrypoint", config.entrypoint.as_ref()),
        ("--cap-add", host.cap_add.as_ref()),
        ("--cap-drop", host.cap_drop.as_ref()),
        ("--security-opt", host.security_opt.as_ref()),
    ] {
        values.into_iter().flatten().for_each(|value| add(option, value));
    }
    for (option, size) in [("--memory", host.memory), ("--memory-reservation", host.memory_reservation)] {
        size.iter().for_each(|size| add(option, &size.to_string()));
    }
    if let Some(nano) = host.nano_cpus {
        add("--cpus", &format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000));
    }
    if let Some(policy) = host.restart_policy {
        let name = policy.name.map(|n| n.to_string()).unwrap_or_default();
        let count = policy.maximum_retry_count.map(|c| format!(":{c}")).unwrap_or_default();
        add("--restart", &format!("{name}{count}"));
    }
    for (name, value) in config.labels.iter().flatten() {
        add("--label", &format!("{name}={value}"));
    }
    if let Some(log) = host.log_config {
        log.typ.iter().for_each(|driver| add("--log-driver", driver));
        log.config.iter().flatten().for_each(|(name, value)| add("--log-opt", &format!("{name}={value}")));
    }
    words.push("--".to_owned());
    words.push(line.image.clone());
    words.extend(line.command.iter().cloned());
    words
}
