//! The script that an instance boots with.
use crate::{
    input::{assert_told, parts},
    shell::{self, Machine, Ran},
};
use aws_core::{
    images::is_ecr,
    model::{ApplicationName, ImageRef, VersionName},
};
use docker::run_line;
use minion::{
    manifest::{Manifest, SecretRef, parse},
    user_data::{Arguments, Instance, LIMIT, Source, render},
};
use std::{collections::BTreeMap, net::IpAddr};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// All that a script depends on, by parts of the input.
struct Case<'a> {
    manifest: Manifest,
    application: ApplicationName,
    version: VersionName,
    image: ImageRef,
    region: &'a str,
    log_group: Option<String>,
    insecure: Option<&'a str>,
    nameservers: Vec<IpAddr>,
    cacerts: Option<&'a str>,
    cap_add: Vec<String>,
    environment: BTreeMap<String, String>,
    machine: Machine,
}

/// Whatever an application and its place say, the script runs the intended commands with the intended arguments, and
/// nothing else; or it is refused.
pub fn fuzz(data: &[u8]) {
    // Most inputs are seen by one shell: they differ little, and starting one takes the most time.
    let shells = shell::shells();
    let sum = data.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    let shell = if sum % 8 == 0 { shells[sum / 8 % shells.len()] } else { shells[0] };
    check(data, &[shell]);
}

/// The same, with every shell that is here.
pub fn fuzz_everywhere(data: &[u8]) {
    check(data, &shell::shells());
}

fn check(data: &[u8], shells: &[&str]) {
    let ([manifest, names, image, region, place, cacerts, capabilities, user, secret], environment) = parts(data);
    let Ok(manifest) = parse(&manifest, "m.yaml") else { return };
    let (application, version) = names.split_once(' ').unwrap_or(("hello", "1.0"));
    let (Ok(application), Ok(version), Ok(image)) = (application.parse(), version.parse(), image.parse::<ImageRef>())
    else {
        return;
    };
    let mut machine =
        Machine { image_user: user.replace('\0', ""), secret: secret.replace('\0', ""), ..Machine::default() };
    // The shell itself drops line ends from what a program printed.
    machine.image_user.truncate(machine.image_user.trim_end_matches('\n').len());
    machine.secret.truncate(machine.secret.trim_end_matches('\n').len());
    let case = Case {
        log_group: manifest.uses_log_group().then(|| format!("/minion/{application}")),
        application,
        version,
        region: &region,
        insecure: place.contains("insecure").then(|| image.registry()),
        nameservers: place.split_whitespace().filter_map(|w| w.parse().ok()).collect(),
        cacerts: (!cacerts.is_empty()).then_some(&cacerts),
        cap_add: capabilities.split_whitespace().map(str::to_owned).collect(),
        environment: environment.filter_map(|e| e.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()))).collect(),
        machine,
        image: image.clone(),
        manifest,
    };
    case.check(shells);
}

impl Case<'_> {
    fn instance(&self) -> Instance<'_> {
        let registry = self.image.registry();
        Instance {
            manifest: &self.manifest,
            application: self.application.as_str(),
            version: self.version.as_str(),
            image: self.image.pinned(DIGEST),
            image_tag_shown: self.image.as_str(),
            region: self.region,
            log_group: self.log_group.as_deref(),
            environment: self.environment.clone(),
            cap_add: self.cap_add.clone(),
            insecure: self.insecure,
            nameservers: &self.nameservers,
            cacerts: self.cacerts,
            ecr: is_ecr(registry).then(|| registry.to_owned()),
            login: None,
        }
    }

    fn check(&self, shells: &[&str]) {
        let instance = self.instance();
        let script = match render(&instance) {
            Ok(script) => script,
            Err(e) => return assert_told(&e, false),
        };
        assert!(script.len() <= LIMIT && !script.contains('\0'));
        let arguments = instance.arguments().expect("what is rendered has arguments");
        for shell in shells {
            let machine = Machine {
                secrets: arguments.secrets.iter().map(|(n, _)| (*n).to_owned()).collect(),
                ..self.machine.clone()
            };
            let ran = shell::run(shell, &script, &machine);
            self.compare(shell, &instance, &arguments, &ran);
        }
    }

    fn compare(&self, shell: &str, instance: &Instance<'_>, arguments: &Arguments<'_>, ran: &Ran) {
        assert_eq!(ran.code, Some(0), "{shell}: {}", ran.output);
        let run = ran.calls.iter().find(|c| c.len() > 1 && c[1] == "run").expect("the container is started");
        let wanted = self.calls(instance, arguments, &ran.root);
        assert_eq!(ran.calls, wanted, "{shell}");
        assert_eq!(ran.secrets, vec![self.machine.secret.as_str(); arguments.secrets.len()], "{shell}");
        for (path, text) in &ran.files {
            let wanted = match *path {
                "etc/resolv.conf" => self.nameservers.iter().map(|a| format!("nameserver {a}\n")).collect(),
                "etc/docker/daemon.json" => self
                    .insecure
                    .map(|host| format!("{}\n", serde_json::json!({ "insecure-registries": [host] })))
                    .unwrap_or_default(),
                _ => String::new(),
            };
            assert_eq!(*text, wanted, "{shell}: {path}");
        }
        // The engine of this computer would be told the same.
        let line = run_line::parse(&run[2..], &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}: {run:?}"));
        assert_eq!(line.image, instance.image);
        let environment = line.config.env.unwrap_or_default();
        let given = self.environment.iter().map(|(k, v)| format!("{k}={v}"));
        let secrets = arguments.secrets.iter().map(|(name, _)| (*name).to_owned());
        assert_eq!(environment, given.chain(secrets).collect::<Vec<_>>());
    }

    /// The calls of `docker`, `aws` and `python3` that are meant.
    fn calls(&self, instance: &Instance<'_>, arguments: &Arguments<'_>, root: &str) -> Vec<Vec<String>> {
        let mut calls: Vec<Vec<String>> = Vec::new();
        let mut call = |words: &[&str]| calls.push(words.iter().map(|w| (*w).to_owned()).collect());
        call(&["docker", "info"]);
        if let Some(host) = &instance.ecr {
            let region = host.split('.').nth(3).unwrap_or_default();
            call(&["aws", "ecr", "get-login-password", "--region", region]);
            call(&["docker", "login", "--username", "AWS", "--password-stdin", host]);
        }
        for (_, reference) in &arguments.secrets {
            let region_of = |id: &str| id.strip_prefix("arn:").and_then(|a| a.split(':').nth(2).map(str::to_owned));
            let (service, verb, option, id, key, query) = match reference {
                SecretRef::Parameter { name } => ("ssm", "get-parameter", "--name", name, None, "Parameter.Value"),
                SecretRef::Secret { id, key } => {
                    ("secretsmanager", "get-secret-value", "--secret-id", id, key.as_ref(), "SecretString")
                }
            };
            let region = region_of(id).unwrap_or_else(|| self.region.to_owned());
            let mut words = vec!["aws", service, verb, "--region", &region, option, id];
            words.extend(["--with-decryption"].iter().filter(|_| service == "ssm"));
            words.extend(["--query", query, "--output", "text"]);
            call(&words);
            if let Some(key) = key {
                call(&["python3", key]);
            }
        }
        call(&["docker", "pull", "--quiet", &instance.image]);
        if !self.manifest.root {
            call(&["docker", "image", "inspect", "--format", "{{.Config.User}}", &instance.image]);
        }
        let run = self.run(instance, arguments, root);
        call(&run.iter().map(String::as_str).collect::<Vec<_>>());
        for _ in 0..5 {
            call(&["docker", "inspect", "--format", "{{.State.Running}} {{.RestartCount}}", "app"]);
        }
        calls
    }

    fn run(&self, instance: &Instance<'_>, arguments: &Arguments<'_>, root: &str) -> Vec<String> {
        let fixed = "docker run --detach --name app --restart unless-stopped --network host";
        let mut run: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
        for (option, value) in &arguments.options {
            run.extend([(*option).to_owned(), value.clone()]);
        }
        for volume in &arguments.volumes {
            let source = match &volume.source {
                Source::Ebs { device } => format!("{root}/var/lib/minion/{device}"),
                Source::Temporary { number, .. } => format!("{root}/var/lib/minion/temporary/{number}"),
            };
            run.extend(["--volume".to_owned(), format!("{source}:{}", volume.mountpoint)]);
        }
        if let Some(user) = arguments.user(&self.machine.image_user) {
            run.extend(["--user".to_owned(), user.to_owned()]);
        }
        if self.manifest.logging.driver.as_str() == "awslogs"
            && !self.manifest.logging.options.contains_key("awslogs-stream")
        {
            run.extend(["--log-opt".to_owned(), "awslogs-stream=node".to_owned()]);
        }
        run.push(instance.image.clone());
        run
    }
}
