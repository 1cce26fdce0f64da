//! What only several keys of a manifest together can tell, and limits of AWS and Docker.
use super::{Filesystem, FilesystemKind, HealthCheck, Manifest, Statement, log_options};
use aws_core::model::{policy_rules, tag_rules};
use files::{
    Problem,
    Step::{self, At, Key},
};
use std::collections::BTreeSet;

type Checked = Result<(), Problem>;

fn wrong(path: &[Step], message: impl Into<String>) -> Checked {
    Err(Problem::new(path, message))
}

fn within(path: &[Step], value: u32, least: u32, most: u32, unit: &str) -> Checked {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    wrong(path, format!("{value} is out of range: {least} to {most}{unit}"))
}

/// The first thing that is wrong.
pub(super) fn problem(m: &Manifest) -> Option<Problem> {
    [ports, health, environment, registries, memory, filesystems, scaling, logging, policies, tags]
        .iter()
        .find_map(|c| c(m).err())
}

fn ports(m: &Manifest) -> Checked {
    let path = [Key("exposed_ports")];
    if m.exposed_ports.is_empty() {
        return wrong(&path, "an application needs at least one port");
    }
    let mut seen = BTreeSet::new();
    for (n, port) in m.exposed_ports.iter().enumerate() {
        if !seen.insert(port) {
            return wrong(&[path[0], At(n)], format!("duplicate port {port}"));
        }
    }
    // ELBv2 quota "Listeners per Network Load Balancer"; a security group has 60 rules.
    if seen.len() > 50 {
        return wrong(&path, format!("{} ports; AWS allows 50", seen.len()));
    }
    Ok(())
}

/// ELBv2 `CreateTargetGroup`: the ranges of a health check.
fn health(m: &Manifest) -> Checked {
    let HealthCheck { path, interval, timeout, healthy_threshold, unhealthy_threshold, codes, .. } = &m.health_check;
    let at = |key| [Key("health_check"), Key(key)];
    within(&at("interval"), *interval, 5, 300, " seconds")?;
    within(&at("timeout"), *timeout, 2, 120, " seconds")?;
    within(&at("healthy_threshold"), *healthy_threshold, 2, 10, "")?;
    within(&at("unhealthy_threshold"), *unhealthy_threshold, 2, 10, "")?;
    if timeout >= interval {
        return wrong(
            &at("timeout"),
            format!("the timeout of {timeout} s must be less than the interval of {interval} s"),
        );
    }
    if let (Some(new), Some(old)) = (path, &m.health_check_http_path)
        && new != old
    {
        return wrong(
            &at("path"),
            format!("health_check.path is {new}, but health_check_http_path is {old}; keep one of them"),
        );
    }
    if codes.is_some() && m.health_check_path().is_none() {
        return wrong(&at("codes"), "codes are of use only together with a path");
    }
    Ok(())
}

fn environment(m: &Manifest) -> Checked {
    match m.secrets.keys().find(|secret| m.environment.keys().any(|name| name.as_str() == secret.as_str())) {
        Some(name) => wrong(&[Key("secrets")], format!("{name} stands under environment and under secrets; keep one")),
        None => Ok(()),
    }
}

fn registries(m: &Manifest) -> Checked {
    match super::registries::problem(&m.registry_credentials) {
        Some(message) => wrong(&[Key("registry_credentials")], message),
        None => Ok(()),
    }
}

fn memory(m: &Manifest) -> Checked {
    let Some(memory) = m.memory_mb else { return Ok(()) };
    let path = [Key("memory_mb")];
    for limit in [memory.hard, memory.soft].into_iter().flatten() {
        if limit < 6 {
            return wrong(&path, format!("{limit} MiB is too little: Docker needs at least 6"));
        }
    }
    match (memory.hard, memory.soft) {
        (None, None) => wrong(&path, "give a number of MiB, or hard, soft, or both"),
        (Some(hard), Some(soft)) if soft > hard => {
            wrong(&path, format!("the soft limit of {soft} MiB is above the hard one of {hard} MiB"))
        }
        _ => Ok(()),
    }
}

fn filesystems(m: &Manifest) -> Checked {
    let mut seen = BTreeSet::new();
    let mut volumes = 0;
    for (n, f) in m.filesystems.iter().enumerate() {
        let at = |key| [Key("filesystems"), At(n), Key(key)];
        if !seen.insert(f.mountpoint.as_str().trim_end_matches('/')) {
            return wrong(&at("mountpoint"), format!("a second file system at {}", f.mountpoint));
        }
        match f.kind {
            FilesystemKind::Temporary => temporary(f, at)?,
            FilesystemKind::Ebs => {
                volumes += 1;
                // EC2 "Device names on Linux instances": /dev/sdf to /dev/sdp.
                if volumes > 11 {
                    return wrong(
                        &[Key("filesystems"), At(n)],
                        "more than 11 EBS volumes; EC2 recommends device names for 11",
                    );
                }
                ebs(f, n, at)?;
            }
        }
    }
    Ok(())
}

fn temporary(f: &Filesystem, at: impl Fn(&'static str) -> [Step; 3]) -> Checked {
    if f.size_gb.is_some() {
        return wrong(&at("size_gb"), "a temporary file system has its size in size_mb");
    }
    if f.volume_type.is_some() {
        return wrong(&at("volume_type"), "only file systems of type ebs have a volume_type");
    }
    if f.encrypted.is_some() {
        return wrong(
            &at("encrypted"),
            "only for file systems of type ebs; the instance's own disks are as its image has them",
        );
    }
    match f.size_mb {
        Some(size) => within(&at("size_mb"), size, 16, 64 * 1024 * 1024, " MiB"),
        None => Ok(()),
    }
}

fn ebs(f: &Filesystem, n: usize, at: impl Fn(&'static str) -> [Step; 3]) -> Checked {
    if f.size_mb.is_some() {
        return wrong(&at("size_mb"), "an EBS volume has its size in size_gb");
    }
    let Some(size) = f.size_gb else {
        return wrong(&[Key("filesystems"), At(n)], "an EBS volume needs its size: size_gb");
    };
    let kind = f.volume_type.unwrap_or_default();
    let (least, most) = kind.sizes();
    within(&at("size_gb"), size, least, most, &format!(" GiB for {}", kind.as_str()))
}

fn scaling(m: &Manifest) -> Checked {
    let s = &m.scaling;
    let at = |key| [Key("scaling"), Key(key)];
    // No limit of AWS: a slip of the finger is expensive.
    within(&at("max"), s.max, 0, 1000, " instances")?;
    if s.min > s.max {
        return wrong(&at("min"), format!("min is {}, but max is {}", s.min, s.max));
    }
    if let Some(desired) = s.desired {
        if desired < s.min || desired > s.max {
            return wrong(
                &at("desired"),
                format!("desired is {desired}, but not within min {} and max {}", s.min, s.max),
            );
        }
    } else if s.max == 0 {
        return wrong(&at("max"), "max is 0; a version needs room for one instance (or say desired: 0)");
    }
    match s.target_cpu_percent {
        Some(percent) if !(1.0..=100.0).contains(&percent) => {
            wrong(&at("target_cpu_percent"), format!("{percent} is out of range: 1 to 100 percent"))
        }
        _ => Ok(()),
    }
}

/// CloudWatch Logs `PutRetentionPolicy`.
const RETENTION: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn logging(m: &Manifest) -> Checked {
    let days = m.logging.retention_days;
    if !RETENTION.contains(&days) {
        let near = RETENTION.iter().copied().find(|d| *d >= days).unwrap_or(RETENTION[RETENTION.len() - 1]);
        return Err(Problem {
            path: vec![Key("logging"), Key("retention_days")],
            message: format!("CloudWatch Logs cannot keep logs for {days} days"),
            hint: Some(format!("The next number of days that it can is {near}.")),
        });
    }
    match m
        .logging
        .options
        .keys()
        .find(|k| k.is_empty() || k.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control()))
    {
        Some(key) => {
            wrong(&[Key("logging"), Key("options")], format!("`{key}` is not a name of an option of a log driver"))
        }
        None => Ok(()),
    }
}

fn policies(m: &Manifest) -> Checked {
    for (n, s) in m.policies.iter().enumerate() {
        let path = [Key("policies"), At(n)];
        let Statement { actions, not_actions, resources, not_resources, sid, .. } = s;
        if actions.is_empty() == not_actions.is_empty() {
            return wrong(&path, "a statement needs either actions or not_actions");
        }
        if resources.is_empty() == not_resources.is_empty() {
            return wrong(&path, "a statement needs either resources or not_resources; everything is \"*\"");
        }
        if let Some(sid) = sid.as_ref().filter(|s| s.is_empty() || !s.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return wrong(&path, format!("the sid `{sid}` has other characters than letters and digits"));
        }
    }
    // The whole policy, ours included, is measured where the application's place is known.
    let size: usize = m.policies.iter().map(|s| policy_rules::size(&s.to_json())).sum();
    if size > 10_000 {
        return Err(Problem {
            path: vec![Key("policies")],
            message: format!("the statements have {size} characters; IAM allows 10,240 for all of a role"),
            hint: Some("Make a managed policy of them, and name it under managed_policies.".into()),
        });
    }
    Ok(())
}

fn tags(m: &Manifest) -> Checked {
    // An Auto Scaling group has ten of ours: the owner's six, image, digest, ports and DNS name.
    let room = tag_rules::MOST - 10;
    if m.tags.len() > room {
        return wrong(&[Key("tags")], format!("{} tags; at most {room} have room besides our own", m.tags.len()));
    }
    Ok(())
}

/// Whether a variable of this name probably holds what few should know.
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    [
        "PASSWORD",
        "PASSWD",
        "SECRET",
        "TOKEN",
        "PRIVATE_KEY",
        "SECRET_KEY",
        "ACCESS_KEY",
        "API_KEY",
        "APIKEY",
        "CREDENTIALS",
    ]
    .iter()
    .any(|word| name.ends_with(word))
}

/// What is allowed, and probably not meant. Whole sentences.
pub fn warnings(m: &Manifest) -> Vec<String> {
    let mut all = Vec::new();
    for name in m.environment.keys().filter(|name| looks_secret(name.as_str())) {
        all.push(format!("{name} under environment looks like a secret: its value can be read in the instances' user data. Keep it in SSM Parameter Store or Secrets Manager, and name it under secrets."));
    }
    if !m.capabilities.is_empty() && !m.root {
        all.push("capabilities have an effect only on programs of root (root: true), or on programs in the image that carry capabilities of their own.".into());
    }
    if m.stateful && m.filesystems.iter().all(|f| f.kind == FilesystemKind::Temporary) {
        all.push("The application is stateful, but has no file system of type ebs: its data is on the instance's root volume or on temporary file systems.".into());
    }
    if m.stateful && m.spot {
        all.push("The application is stateful, but AWS may take its Spot instances back at any time.".into());
    }
    if m.logging.driver.as_str() == "none" {
        all.push("logging.driver is none: the container's output is lost.".into());
    }
    if m.logging.driver.as_str() == "awslogs" && m.logging.options.contains_key("awslogs-group") {
        all.push("logging.options names a log group of its own: the application's role may write to it only when policies say so.".into());
    }
    all.extend(log_options::warnings(&m.logging));
    if m.scaling.target_cpu_percent.is_some() && m.scaling.min == m.scaling.max {
        all.push("scaling.target_cpu_percent has no effect: min and max are the same.".into());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_probably_hold_secrets() {
        let secret = ["PGPASSWORD", "db_password", "API_KEY", "AWS_SECRET_ACCESS_KEY", "STRIPE_APIKEY", "GITHUB_TOKEN"];
        let open = ["AWS_ACCESS_KEY_ID", "KEYBOARD", "TOKENIZER", "PUBLIC_KEY", "DATABASE_URL", "PASSWORD_FILE"];
        assert!(secret.iter().all(|name| looks_secret(name)) && !open.iter().any(|name| looks_secret(name)));
    }
}
