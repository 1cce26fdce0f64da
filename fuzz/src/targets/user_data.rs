//! The script that an instance boots with.
use crate::{
    input::{assert_told, parts},
    shell::{self, Machine, Ran},
};
use aws_core::model::{ApplicationName, ImageRef, VersionName, names::dns_suffix};
use docker::run_line;
use minion::{
    manifest::{Manifest, SecretRef, parse_for_version},
    user_data::{Arguments, EcrRegistry, Instance, LIMIT, Source, render},
};
use serde_json::{Value, json};
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
    /// The value of every secret.
    secret: String,
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
    let Ok(manifest) = parse_for_version(&manifest, "m.yaml") else { return };
    let (application, version) = names.split_once(' ').unwrap_or(("hello", "1.0"));
    let (Ok(application), Ok(version), Ok(image)) = (application.parse(), version.parse(), image.parse::<ImageRef>())
    else {
        return;
    };
    // The shell itself drops line ends from what a program printed, and has no NUL.
    let plain = |text: &str| text.replace('\0', "").trim_end_matches('\n').to_owned();
    let machine = Machine { image_user: plain(&user), ..Machine::default() };
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
        secret: plain(&secret),
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
            ecr: EcrRegistry::of(registry),
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
                answers: self.answers(&instance, &arguments),
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
        assert_eq!(ran.secrets, vec![self.secret.as_str(); arguments.secrets.len()], "{shell}");
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

    /// What AWS answers to the calls that are meant.
    fn answers(&self, instance: &Instance<'_>, arguments: &Arguments<'_>) -> Vec<String> {
        // base64 of AWS:x
        let token = json!({ "authorizationData": [{ "authorizationToken": "QVdTOng=" }] });
        let secret = |reference: &SecretRef| match reference {
            SecretRef::Parameter { name } => json!({ "Parameter": { "Name": name, "Value": self.secret } }),
            SecretRef::Secret { id, key: None } => json!({ "Name": id, "SecretString": self.secret }),
            SecretRef::Secret { id, key: Some(key) } => {
                json!({ "Name": id, "SecretString": json!({ key: self.secret, "": [self.secret] }).to_string() })
            }
        };
        let secrets = arguments.secrets.iter().map(|(_, reference)| secret(reference));
        instance.ecr.iter().map(|_| token.clone()).chain(secrets).map(|answer| answer.to_string()).collect()
    }

    /// The calls of `docker` and `curl` that are meant.
    fn calls(&self, instance: &Instance<'_>, arguments: &Arguments<'_>, root: &str) -> Vec<Vec<String>> {
        let mut calls = Calls::default();
        calls.add(&["docker", "info"]);
        if let Some(EcrRegistry { host, region }) = &instance.ecr {
            let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
            calls.aws(self.region, "ecr", "api.ecr", region, target, &json!({}));
            calls.add(&["docker", "login", "--username", "AWS", "--password-stdin", host]);
        }
        for (_, reference) in &arguments.secrets {
            let (service, target, id, request) = match reference {
                SecretRef::Parameter { name } => {
                    ("ssm", "AmazonSSM.GetParameter", name, json!({ "Name": name, "WithDecryption": true }))
                }
                SecretRef::Secret { id, .. } => {
                    ("secretsmanager", "secretsmanager.GetSecretValue", id, json!({ "SecretId": id }))
                }
            };
            let region = id.strip_prefix("arn:").and_then(|a| a.split(':').nth(2)).unwrap_or(self.region);
            calls.aws(self.region, service, service, region, target, &request);
        }
        calls.add(&["docker", "pull", "--quiet", &instance.image]);
        if !self.manifest.root {
            calls.add(&["docker", "image", "inspect", "--format", "{{.Config.User}}", &instance.image]);
        }
        if self.streams() {
            calls.metadata("instance-id");
        }
        let run = self.run(instance, arguments, root);
        calls.add(&run.iter().map(String::as_str).collect::<Vec<_>>());
        for _ in 0..5 {
            calls.add(&["docker", "inspect", "--format", "{{.State.Running}} {{.RestartCount}}", "app"]);
        }
        calls.0
    }

    /// Whether the log stream is called as the instance.
    fn streams(&self) -> bool {
        let logging = &self.manifest.logging;
        logging.driver.as_str() == "awslogs" && !logging.options.contains_key("awslogs-stream")
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
        if self.streams() {
            run.extend(["--log-opt".to_owned(), "awslogs-stream=node".to_owned()]);
        }
        run.push(instance.image.clone());
        run
    }
}

/// Calls of programs, with their names.
#[derive(Default)]
struct Calls(Vec<Vec<String>>);

impl Calls {
    fn add(&mut self, words: &[&str]) {
        self.0.push(words.iter().map(|w| (*w).to_owned()).collect());
    }

    fn metadata(&mut self, path: &str) {
        let service = "http://169.254.169.254/latest";
        let seconds = "x-aws-ec2-metadata-token-ttl-seconds: 60";
        self.add(&["curl", "-sf", "-m", "5", "-X", "PUT", "-H", seconds, &format!("{service}/api/token")]);
        self.add(&["curl", "-sf", "-m", "5", "--config", "-", &format!("{service}/meta-data/{path}")]);
        self.add(&["config", "header = \"x-aws-ec2-metadata-token: token\""]);
    }

    fn aws(&mut self, home: &str, service: &str, host: &str, region: &str, target: &str, request: &Value) {
        self.metadata("iam/security-credentials/");
        self.metadata("iam/security-credentials/role");
        let (scope, target) = (format!("aws:amz:{region}:{service}"), format!("x-amz-target: {target}"));
        let mut words =
            vec!["curl", "-s", "--connect-timeout", "5", "-m", "30", "--config", "-", "--aws-sigv4", &scope];
        words.extend(["-H", "content-type: application/x-amz-json-1.1", "-H", &target]);
        let (request, url) = (request.to_string(), format!("https://{host}.{region}.{}/", dns_suffix(home)));
        words.extend(["--data-raw", &request, "-w", "\\n%{http_code} %{errormsg}", &url]);
        self.add(&words);
        self.add(&["config", "user = \"ID:KEY\""]);
        self.add(&["config", "header = \"x-amz-security-token: SESSION\""]);
    }
}
