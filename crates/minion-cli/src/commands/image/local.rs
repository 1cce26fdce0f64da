//! From what an instance would tell Docker to what this computer's engine is told.
use crate::{
    manifest::Manifest,
    user_data::{Arguments, Source},
};
use aws_core::Result;
use docker::{
    bollard::models::{ContainerCreateBody, HostConfig, PortBinding, VolumeCreateRequest},
    run_line,
};
use std::{
    collections::{BTreeMap, HashMap},
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
};

/// What marks everything that a run makes; its value is the run's id.
pub(super) const LABEL: &str = "minion-image-run";

/// The run's container, as the engine is told of it, and what it needs.
pub(super) struct Local {
    pub(super) body: ContainerCreateBody,
    pub(super) volumes: Vec<VolumeCreateRequest>,
    /// Directories that everybody may write to, as on an instance.
    pub(super) open: Vec<String>,
}

/// The configuration of the container. `ports` are the container's, and where they are published: 0 is anywhere.
///
/// # Errors
/// None that a checked manifest can cause.
pub(super) fn local(
    arguments: &Arguments<'_>,
    secrets: &BTreeMap<String, String>,
    image: &str,
    image_user: &str,
    ports: &BTreeMap<u16, u16>,
    id: &str,
) -> Result<Local> {
    let mut words: Vec<String> = Vec::new();
    let mut add = |option: &str, value: &str| words.extend([option.to_owned(), value.to_owned()]);
    for (option, value) in &arguments.options {
        // The log stays here, whatever the instance's driver would be.
        if !option.starts_with("--log-") {
            add(option, value);
        }
    }
    add("--log-driver", "json-file");
    if let Some(user) = arguments.user(image_user) {
        add("--user", user);
    }
    add("--label", &format!("{LABEL}={id}"));
    let (mut volumes, mut open) = (Vec::new(), Vec::new());
    for (n, volume) in arguments.volumes.iter().enumerate() {
        let name = format!("minion-run-{id}-{n}");
        // Not with what the image has there: the instance mounts over it.
        add("--volume", &format!("{name}:{}:nocopy", volume.mountpoint));
        let size = match volume.source {
            Source::Temporary { size_mb, .. } => size_mb,
            Source::Ebs { .. } => None,
        };
        let options = size.map(|mib| {
            let text = |t: &str| t.to_owned();
            let size = format!("size={mib}m,mode=1777");
            HashMap::from([(text("type"), text("tmpfs")), (text("device"), text("tmpfs")), (text("o"), size)])
        });
        if options.is_none() {
            open.push(volume.mountpoint.to_owned());
        }
        volumes.push(VolumeCreateRequest {
            name: Some(name),
            driver: Some("local".to_owned()),
            driver_opts: options,
            labels: Some(HashMap::from([(LABEL.to_owned(), id.to_owned())])),
            ..VolumeCreateRequest::default()
        });
    }
    words.push(image.to_owned());
    let line = run_line::parse(&words, secrets)?;
    let bindings = ports.iter().map(|(inside, outside)| {
        let host_port = Some(if *outside == 0 { String::new() } else { outside.to_string() });
        (format!("{inside}/tcp"), Some(vec![PortBinding { host_ip: Some(Ipv4Addr::LOCALHOST.to_string()), host_port }]))
    });
    let lowest = |port: u16| HashMap::from([("net.ipv4.ip_unprivileged_port_start".to_owned(), port.to_string())]);
    let body = ContainerCreateBody {
        exposed_ports: Some(ports.keys().map(|port| format!("{port}/tcp")).collect()),
        host_config: Some(HostConfig {
            binds: Some(line.volumes),
            port_bindings: Some(bindings.collect()),
            sysctls: arguments.unprivileged_port.map(lowest),
            ..line.config.host_config.unwrap_or_default()
        }),
        ..line.config
    };
    Ok(Local { body, volumes, open })
}

/// The container's ports, each with the one on this computer: the same where it is free, else 0 for any.
pub(super) fn ports(manifest: &Manifest) -> BTreeMap<u16, u16> {
    let mut ports: Vec<u16> = manifest.exposed_ports.iter().map(|p| p.get()).collect();
    ports.extend(manifest.health_check.port.map(|p| p.get()));
    ports.into_iter().map(|port| (port, if is_taken(port) { 0 } else { port })).collect()
}

/// A port below 1024 may not be ours to try, but the engine's.
fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err_and(|e| e.kind() == ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest::parse, user_data::Instance};

    fn arguments_of(manifest: &Manifest) -> Instance<'_> {
        super::super::run::instance(manifest, "hello:1.0", BTreeMap::new(), Vec::new())
    }

    #[test]
    fn what_the_engine_is_told() {
        let m = parse(
            "application_name: hello\nexposed_ports: [80, 9000]\nmemory_mb: {hard: 512, soft: 256}\ncpu: 0.5
environment: {A: b}\nsecrets: {PASSWORD: 'ssm:/p'}\nlogging: {options: {tag: x}}
filesystems: [{mountpoint: /tmp, size_mb: 100}, {type: ebs, mountpoint: /data, size_gb: 10}, {mountpoint: /more}]\n",
            "m",
        )
        .unwrap();
        let mut instance = arguments_of(&m);
        instance.environment = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
        let arguments = instance.arguments().unwrap();
        let secrets = BTreeMap::from([("PASSWORD".to_owned(), "s3cret".to_owned())]);
        let ports = BTreeMap::from([(80, 80), (9000, 0)]);
        let got = local(&arguments, &secrets, "hello:1.0", "", &ports, "0a1b2c3d").unwrap();
        assert_eq!(got.body.user.as_deref(), Some("1000:1000"));
        assert_eq!(got.body.env.unwrap(), ["A=b", "PASSWORD=s3cret"]);
        assert_eq!(got.body.labels.unwrap()[LABEL], "0a1b2c3d");
        let host = got.body.host_config.unwrap();
        assert_eq!((host.memory, host.memory_reservation), (Some(512 << 20), Some(256 << 20)));
        assert_eq!(host.nano_cpus, Some(500_000_000));
        assert_eq!(host.security_opt.unwrap(), ["no-new-privileges"]);
        assert_eq!(host.log_config.unwrap().typ.as_deref(), Some("json-file"));
        assert_eq!(host.sysctls.unwrap()["net.ipv4.ip_unprivileged_port_start"], "80");
        let binds = host.binds.unwrap();
        assert_eq!(binds[0], "minion-run-0a1b2c3d-0:/data:nocopy");
        assert_eq!(binds.len(), 3);
        let bindings = host.port_bindings.unwrap();
        let published = |port: &str| bindings[port].as_ref().unwrap()[0].clone();
        assert_eq!(published("80/tcp").host_port.as_deref(), Some("80"));
        assert_eq!(published("9000/tcp").host_port.as_deref(), Some(""));
        assert_eq!(published("80/tcp").host_ip.as_deref(), Some("127.0.0.1"));
        let sizes: Vec<_> = got.volumes.iter().map(|v| v.driver_opts.as_ref().map(|o| o["o"].as_str())).collect();
        assert_eq!(sizes, [None, Some("size=100m,mode=1777"), None]);
        assert_eq!(got.open, ["/data", "/more"]);
    }

    #[test]
    fn the_images_own_user_stays() {
        let m = parse("application_name: hello\nexposed_ports: [8080]\n", "m").unwrap();
        let instance = arguments_of(&m);
        let arguments = instance.arguments().unwrap();
        for (image, user) in
            [("", Some("1000:1000")), ("root:x", Some("1000:1000")), ("0", Some("1000:1000")), ("www", None)]
        {
            assert_eq!(arguments.user(image), user, "{image}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_published_elsewhere() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let m = parse(&format!("application_name: hello\nexposed_ports: [{port}]\n"), "m").unwrap();
        assert_eq!(ports(&m)[&port], 0);
    }
}
