//! Puts the script together from its parts.
use super::{
    arguments::{Arguments, Source, USER},
    parts::{Part, Script, code},
    quote::quote,
};
use crate::manifest::{Manifest, SecretRef};
use aws_core::{Error, Result, images::ecr_region, resources::launch_template};
use std::{collections::BTreeMap, fmt::Write as _, net::IpAddr};

/// The largest user data, in bytes before base64.
pub const LIMIT: usize = launch_template::USER_DATA;

/// All that the script of an instance depends on.
#[derive(Debug, Clone)]
pub struct Instance<'a> {
    /// The application's manifest.
    pub manifest: &'a Manifest,
    /// The application's name.
    pub application: &'a str,
    /// The version's name.
    pub version: &'a str,
    /// The image to run, pinned: `host/repository@sha256:..`.
    pub image: String,
    /// The image as the operator wrote it.
    pub image_tag_shown: &'a str,
    /// The region.
    pub region: &'a str,
    /// The log group for the driver `awslogs`; without one, Docker's own default driver takes its place.
    pub log_group: Option<&'a str>,
    /// The environment: the manifest's with the command line's on top of it, merged by the caller. A name that is
    /// also one of the manifest's secrets wins over the secret.
    pub environment: BTreeMap<String, String>,
    /// Capabilities beyond those of the manifest.
    pub cap_add: Vec<String>,
    /// The registry (`host:port`) to talk to without TLS.
    pub insecure: Option<&'a str>,
    /// Name servers, instead of the VPC's.
    pub nameservers: &'a [IpAddr],
    /// Certificates (PEM) that Docker trusts for the image's registry.
    pub cacerts: Option<&'a str>,
    /// The image's registry, when it is one of ECR.
    pub ecr: Option<EcrRegistry>,
    /// Where the credentials for the image's registry are, when it is another that wants some.
    pub login: Option<&'a SecretRef>,
}

/// A registry of ECR to sign in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrRegistry {
    /// The host in the image's name.
    pub host: String,
    /// Its region, which may be another than the instance's.
    pub region: String,
}

impl EcrRegistry {
    /// The registry of this host; `None` for one that is not of ECR.
    pub fn of(host: &str) -> Option<Self> {
        ecr_region(host).map(|region| Self { host: host.to_owned(), region })
    }
}

/// The script.
///
/// # Errors
/// A usage error when it would be larger than [`LIMIT`], or when a name or value cannot be passed on.
pub fn render(instance: &Instance<'_>) -> Result<String> {
    let arguments = instance.arguments()?;
    let mut script = Script::new(instance.region);
    instance.name_servers(&mut script);
    instance.registry(&mut script)?;
    let volumes = file_systems(&arguments, &mut script);
    instance.read_secrets(&arguments.secrets, &mut script)?;
    instance.container(&arguments, &volumes, &mut script);
    script.push_str(&code(include_str!("script/watch.sh")));
    let script = script.finish(&format!("{} version {}", instance.application, instance.version));
    if script.contains('\0') {
        return Err(Error::usage("the instance's user data would hold a NUL character, which no shell reads")
            .hint("Look for it in the region's name and in the VPC's settings."));
    }
    if script.len() <= LIMIT {
        return Ok(script);
    }
    Err(instance.too_large(script.len()))
}

/// Prepares the file systems; `--volume` arguments, ready for the shell.
fn file_systems(arguments: &Arguments<'_>, script: &mut Script) -> Vec<String> {
    let mut options = Vec::new();
    for volume in &arguments.volumes {
        let source = match &volume.source {
            Source::Ebs { device } => {
                script.include(Part::Ebs);
                let _ = writeln!(script, "mount_ebs {device} \"$root/var/lib/minion/{device}\"");
                format!("\"$root/var/lib/minion/{device}\"")
            }
            Source::Temporary { number, size_mb } => {
                script.include(Part::Temporary);
                let size = size_mb.map(|s| s.to_string()).unwrap_or_default();
                let _ = writeln!(script, "make_temporary {number} '{size}'");
                format!("\"$temporary/{number}\"")
            }
        };
        options.push(format!("--volume {source}:{}", quote(volume.mountpoint)));
    }
    options
}

impl Instance<'_> {
    fn name_servers(&self, script: &mut Script) {
        if self.nameservers.is_empty() {
            return;
        }
        let list = |sep: &str| self.nameservers.iter().map(ToString::to_string).collect::<Vec<_>>().join(sep);
        let resolv = list("\\nnameserver ");
        // `~.`: these servers are asked before those that DHCP names for the link.
        let _ = write!(
            script,
            "
doing='setting the name servers'
if has resolvectl; then
    mkdir -p \"$root/etc/systemd/resolved.conf.d\"
    printf '[Resolve]\\nDNS=%s\\nDomains=~.\\n' {} >\"$root/etc/systemd/resolved.conf.d/minion.conf\"
    systemctl restart systemd-resolved
else
    printf 'nameserver {resolv}\\n' >\"$root/etc/resolv.conf\"
fi
",
            quote(&list(" ")),
        );
    }

    /// What Docker must know about the registry.
    ///
    /// # Errors
    /// As [`SecretRef::asked_in`].
    fn registry(&self, script: &mut Script) -> Result<()> {
        let host = self.image.split('/').next().unwrap_or_default();
        if let Some(pem) = self.cacerts {
            let _ = write!(
                script,
                "
doing='trusting the registry'
mkdir -p \"$root\"/etc/docker/certs.d/{host}
printf '%s\\n' {pem} >\"$root\"/etc/docker/certs.d/{host}/ca.crt
",
                host = quote(host),
                pem = quote(pem.trim_end()),
            );
        }
        if let Some(insecure) = self.insecure {
            let json = serde_json::json!({ "insecure-registries": [insecure] }).to_string();
            let _ = write!(
                script,
                "
doing='configuring Docker'
if [ -e \"$root/etc/docker/daemon.json\" ]; then
    say 'keeping the daemon.json of the machine image; it must allow the registry without TLS'
else
    mkdir -p \"$root/etc/docker\"
    echo {} >\"$root/etc/docker/daemon.json\"
    if has systemctl; then systemctl restart docker; fi
fi
",
                quote(&json),
            );
        }
        script.push_str(
            "\nif has systemctl; then systemctl enable --now --no-block docker >/dev/null 2>&1 || :; fi\ndocker_up\n",
        );
        if let Some(commands) = self.sign_in()? {
            script.include(Part::Secrets);
            script.push_str(&commands);
        }
        if let Some(registry) = &self.ecr {
            script.include(Part::Ecr);
            let _ = write!(
                script,
                "
doing='logging in to the registry'
password=$(try 6 ecr_password {})
printf '%s' \"$password\" | docker login --username AWS --password-stdin {} >/dev/null
password=
",
                quote(&registry.region),
                quote(&registry.host),
            );
        }
        Ok(())
    }

    /// # Errors
    /// As [`SecretRef::asked_in`].
    fn read_secrets(&self, secrets: &[(&str, &SecretRef)], script: &mut Script) -> Result<()> {
        if secrets.is_empty() {
            return Ok(());
        }
        script.include(Part::Secrets);
        for (n, (name, reference)) in secrets.iter().enumerate() {
            let (command, id, key) = match reference {
                SecretRef::Parameter { name } => ("parameter", name, None),
                SecretRef::Secret { id, key } => ("secret", id, key.as_deref()),
            };
            let region = reference.asked_in(self.region)?;
            let _ = writeln!(script, "doing='reading the secret for {name}'");
            let _ = writeln!(script, "minion_{n}=$(try 6 {command} {} {})", quote(region), quote(id));
            if let Some(key) = key {
                let _ = writeln!(script, "minion_{n}=$(json_key \"$minion_{n}\" {})", quote(key));
            }
        }
        Ok(())
    }

    /// Pulls the image and starts the container.
    fn container(&self, arguments: &Arguments<'_>, volumes: &[String], script: &mut Script) {
        let m = self.manifest;
        if let Some(port) = arguments.unprivileged_port {
            let _ = write!(
                script,
                "
# The container is not root, but has a port below 1024.
mkdir -p \"$root/etc/sysctl.d\"
echo net.ipv4.ip_unprivileged_port_start={port} >\"$root/etc/sysctl.d/90-minion.conf\"
if has sysctl; then
    sysctl -q -w net.ipv4.ip_unprivileged_port_start={port} || say 'ports below 1024 may need root: true'
fi
"
            );
        }
        let _ = write!(
            script,
            "
minion_image={}
doing='pulling the image'
say {}
try 8 docker pull --quiet \"$minion_image\" >/dev/null
{}
set --",
            quote(&self.image),
            quote(&format!("pulling {}", self.image_tag_shown)),
            self.sign_out(),
        );
        for argument in arguments.shell().iter().chain(volumes) {
            let _ = write!(script, " \\\n    {argument}");
        }
        script.push_str("\n");
        if !m.root {
            let _ = write!(
                script,
                "case $(docker image inspect --format '{{{{.Config.User}}}}' \"$minion_image\") in
    '' | root | root:* | 0 | 0:*) set -- \"$@\" --user {USER} ;;
esac
"
            );
        }
        if m.logging.driver.as_str() == "awslogs"
            && (self.log_group.is_some() || !m.uses_log_group())
            && !m.logging.options.contains_key("awslogs-stream")
        {
            script.include(Part::InstanceId);
            script.push_str("set -- \"$@\" --log-opt awslogs-stream=\"$(instance_id)\"\n");
        }
        script.push_str("\ndoing='starting the container'\nsay \"$doing\"\n");
        for (n, (name, _)) in arguments.secrets.iter().enumerate() {
            let _ = writeln!(script, "{name}=$minion_{n} \\");
        }
        script.push_str(
            "docker run --detach --name app --restart unless-stopped --network host \"$@\" \"$minion_image\" >/dev/null\n",
        );
    }

    fn too_large(&self, size: usize) -> Error {
        let environment: usize = self.environment.iter().map(|(k, v)| k.len() + v.len() + 8).sum();
        let secrets: usize =
            self.manifest.secrets.iter().map(|(k, v)| k.as_str().len() * 3 + v.to_string().len()).sum();
        let certificates = self.cacerts.map_or(0, str::len);
        let options: usize = self.manifest.logging.options.iter().map(|(k, v)| k.len() + v.as_str().len()).sum();
        let (bytes, what) = [
            (environment, "the environment"),
            (secrets, "the secrets' references"),
            (certificates, "the certificates of the registry"),
            (options, "the options of the log driver"),
        ]
        .into_iter()
        .max()
        .unwrap_or_default();
        Error::usage(format!(
            "the instance's user data has {size} bytes; EC2 allows {LIMIT}. Most of it is {what}: {bytes} bytes"
        ))
        .hint("Keep long values in SSM Parameter Store and name them under secrets, or put them into the image.")
    }
}
