mod disks;
mod login;
mod programs;
mod questions;

use super::*;
use crate::manifest::parse;
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path, process::Command};

const IMAGE: &str =
    "registry.example.org/team/hello@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const BARE: &str = "application_name: hello\nexposed_ports: [8080]\nlogging: {driver: local}\n";

fn instance(manifest: &crate::manifest::Manifest) -> Instance<'_> {
    Instance {
        manifest,
        application: "hello",
        version: "1.0",
        image: IMAGE.to_owned(),
        image_tag_shown: "registry.example.org/team/hello:0.1",
        region: "eu-west-1",
        log_group: Some("/minion/hello"),
        environment: manifest.environment.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
        cap_add: Vec::new(),
        insecure: None,
        nameservers: &[],
        cacerts: None,
        ecr: None,
        login: None,
    }
}

fn real(tool: &str) -> Option<std::path::PathBuf> {
    ["/usr/bin", "/bin"].iter().map(|d| Path::new(d).join(tool)).find(|p| p.exists())
}

/// Amazon Linux's `sh` is bash, Debian's is dash: those of them that are here.
fn shells() -> impl Iterator<Item = &'static str> {
    ["sh", "dash", "bash"].into_iter().filter(|s| real(s).is_some())
}

/// What the stubs saw when a script ran.
struct Seen {
    status: std::process::ExitStatus,
    output: String,
    /// One `docker` call each.
    docker: Vec<Vec<String>>,
    /// The environment of `docker run`.
    run_environment: BTreeMap<String, String>,
    /// What the last `docker login` read of its standard input.
    login: String,
    /// Whether Docker still has a login at the end.
    signed_in: bool,
    everything: String,
}
impl Seen {
    /// The arguments of `docker run`.
    fn run(&self) -> &[String] {
        self.docker.iter().find(|c| c[0] == "run").unwrap_or_else(|| panic!("no docker run:\n{}", self.output))
    }
    fn env(&self) -> Vec<&str> {
        let run = self.run();
        run.windows(2).filter(|w| w[0] == "--env").map(|w| w[1].as_str()).collect()
    }
}

/// What a program of a test's machine does: a script. It finds its own programs.
fn stub(bin: &Path, name: &str, body: &str) {
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n")).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// The credentials of the machine's role, as the metadata service has them.
const ROLE: &str = r#"{
  "Code" : "Success",
  "Type" : "AWS-HMAC",
  "AccessKeyId" : "ASIAROLE",
  "SecretAccessKey" : "role/secret+key",
  "Token" : "role/session+token==",
  "Expiration" : "2030-01-01T00:00:00Z"
}"#;

/// A `curl` that is the metadata service and AWS: it knows these secrets, and what it was called with is in `curl`.
fn aws_stub(root: &Path, secrets: &[(&str, &str)]) {
    let at = root.display();
    fs::write(root.join("role"), ROLE).unwrap();
    let answer = |operation: &str, name: &str, answer: serde_json::Value| {
        let file = format!("answer-{operation}-{}", name.replace('/', "_"));
        fs::write(root.join(file), format!("{answer}\n200 ")).unwrap();
    };
    // base64 of AWS:ecr-password
    let token = serde_json::json!({ "authorizationToken": "QVdTOmVjci1wYXNzd29yZA==", "expiresAt": 1.0 });
    answer("GetAuthorizationToken", "", serde_json::json!({ "authorizationData": [token] }));
    for (name, value) in secrets {
        let parameter = serde_json::json!({ "Name": name, "Type": "SecureString", "Value": value });
        answer("GetParameter", name, serde_json::json!({ "Parameter": parameter }));
        answer("GetSecretValue", name, serde_json::json!({ "Name": name, "SecretString": value }));
    }
    let body = format!(
        r#"printf '%s\n' "$*" >>'{at}/curl'
before=
for argument do
    case $before in --data-raw) request=$argument ;; --config) cat >>'{at}/curl-config' ;; esac
    before=$argument
done
case "$*" in
    *latest/api/token*) printf imds-token ;;
    *meta-data/iam/security-credentials/) printf the-role ;;
    *meta-data/iam/security-credentials/the-role) cat '{at}/role' ;;
    *meta-data/instance-id*) printf i-0123456789 ;;
    *x-amz-target:*)
        words=$*
        operation=${{words##*x-amz-target: }}
        operation=${{operation%% *}}
        name=$(printf '%s' "$request" | sed 's/^{{"[A-Za-z]*":"//; s/".*//; s/{{}}//; s,/,_,g')
        answer='{at}'/answer-${{operation##*.}}-$name
        if [ -e "$answer" ]; then cat "$answer"; else printf '{{"__type":"com.example#NotFound","message":"There is none."}}\n400 '; fi
        ;;
    *) exit 6 ;;
esac"#
    );
    stub(&root.join("bin"), "curl", &body);
}

/// Runs the script under this shell in a directory of its own. It finds the programs of the list, and stubs in the place
/// of those that would touch the machine.
fn play(shell: &str, script: &str, image_user: &str, secrets: &[(&str, &str)]) -> Seen {
    play_without(&[], shell, script, image_user, secrets)
}

/// The same, on a machine that lacks these programs.
fn play_without(missing: &[&str], shell: &str, script: &str, image_user: &str, secrets: &[(&str, &str)]) -> Seen {
    play_on(("mkfs.ext4", missing), shell, script, image_user, secrets)
}

/// The same, on a machine that makes file systems with the first program, and lacks the others.
fn play_on(
    (mkfs, missing): (&str, &[&str]),
    shell: &str,
    script: &str,
    image_user: &str,
    secrets: &[(&str, &str)],
) -> Seen {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let bin = root.join("bin");
    for there in ["bin", "etc", "dev", "calls"] {
        fs::create_dir_all(root.join(there)).unwrap();
    }
    let at = root.display();
    let docker = format!(
        r#"n=1; while [ -e '{at}'/calls/$n ]; do n=$((n + 1)); done
printf '%s\0' "$@" >'{at}'/calls/$n
case $1 in
    run) env -0 >'{at}'/run-env ;;
    image) echo '{image_user}' ;;
    inspect) echo 'true 0' ;;
    login) cat >'{at}'/login; mkdir -p "$DOCKER_CONFIG"; echo login >"$DOCKER_CONFIG/config.json" ;;
esac"#
    );
    stub(&bin, "docker", &docker);
    aws_stub(root, secrets);
    for name in ["sleep", "systemctl", "sysctl", "mount", mkfs, "resolvectl"] {
        stub(&bin, name, &format!("echo {name} \"$@\" >>'{at}'/others"));
    }
    stub(&bin, "blkid", "case $* in *' TYPE '*) ;; *) echo some-uuid ;; esac");
    for tool in programs::listed().into_iter().map(|program| program.name).chain(["sh", "dash", "bash"]) {
        if let Some(real) = real(tool).filter(|_| !bin.join(tool).exists()) {
            std::os::unix::fs::symlink(real, bin.join(tool)).unwrap();
        }
    }
    for program in missing {
        // This machine may lack it, too.
        let _ = fs::remove_file(bin.join(program));
    }
    let script = script.replacen("root=''", &format!("root='{at}'"), 1);
    let file = root.join("script");
    fs::write(&file, script).unwrap();
    let output = Command::new(bin.join(shell))
        .arg(&file)
        .env_clear()
        .env("PATH", &bin)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let split = |bytes: Vec<u8>| -> Vec<String> {
        let text = String::from_utf8(bytes).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    };
    let docker = (1..).map_while(|n| fs::read(root.join(format!("calls/{n}"))).ok()).map(split).collect::<Vec<_>>();
    let run_environment = fs::read(root.join("run-env")).map(split).unwrap_or_default();
    let console = fs::read_to_string(root.join("dev/console")).unwrap_or_default();
    let others = fs::read_to_string(root.join("others")).unwrap_or_default();
    let fstab = fs::read_to_string(root.join("etc/fstab")).unwrap_or_default();
    let curl = fs::read_to_string(root.join("curl")).unwrap_or_default();
    let status = output.status;
    let output =
        format!("{console}{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Seen {
        status,
        everything: format!("{output}\n{others}\n{fstab}\n{curl}").replace(&at.to_string(), "ROOT"),
        output,
        login: fs::read_to_string(root.join("login")).unwrap_or_default(),
        signed_in: root.join("run/minion/docker/config.json").exists(),
        docker,
        run_environment: run_environment
            .iter()
            .filter_map(|e| e.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
            .collect(),
    }
}

#[test]
fn a_bare_application_runs_without_root() {
    let m = parse(BARE, "m").unwrap();
    let script = render(&instance(&m)).unwrap();
    for shell in shells() {
        let seen = play(shell, &script, "", &[]);
        assert!(seen.status.success(), "{}", seen.output);
        assert_eq!(
            seen.run(),
            [
                "run",
                "--detach",
                "--name",
                "app",
                "--restart",
                "unless-stopped",
                "--network",
                "host",
                "--security-opt",
                "no-new-privileges",
                "--log-driver",
                "local",
                "--user",
                "1000:1000",
                IMAGE
            ],
            "{}",
            seen.output
        );
        assert!(seen.output.contains("minion: the container runs"), "{}", seen.output);
    }
    assert!(play("sh", &script, "www", &[]).run().iter().all(|a| a != "--user"), "the image's own user stays");
}

#[test]
fn everything_at_once() {
    let m = parse(
        "application_name: hello\nexposed_ports: [80]\nmemory_mb: {hard: 512, soft: 256}\ncpu: 0.5\ncapabilities: [NET_ADMIN]
secrets: {PASSWORD: 'ssm:/hello/password', KEY: 'secretsmanager:hello#key', MANY: 'ssm:/many'}
logging: {options: {tag: x}}
filesystems: [{mountpoint: /tmp, size_mb: 100}, {type: ebs, mountpoint: /data, size_gb: 10}, {mountpoint: '/with space'}]\n",
        "m",
    )
    .unwrap();
    let mut i = instance(&m);
    i.cap_add = vec!["SYS_TIME".into(), "NET_ADMIN".into()];
    i.ecr = EcrRegistry::of("123456789012.dkr.ecr.eu-central-1.amazonaws.com");
    i.cacerts = Some("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n");
    let servers = ["10.0.0.2".parse().unwrap()];
    i.nameservers = &servers;
    let script = render(&i).unwrap();
    // The volume's device: a link, as on Nitro machines.
    let script =
        script.replacen("doing='starting'", "doing='starting'\nmkdir -p \"$root/dev/disk/by-id\"; : >\"$root/dev/sdf\"; : >\"$root/dev/disk/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_AWS1\"", 1);
    for shell in shells() {
        let seen = play(
            shell,
            &script,
            "root",
            &[
                ("/hello/password", "s3cr'et$(x)"),
                ("hello", r#"{"key": "val\"ue", "other": 1}"#),
                ("/many", "one\ntwo"),
            ],
        );
        let run: Vec<&str> = seen.run().iter().map(String::as_str).collect();
        let text = run.join("|");
        for wanted in [
            "--memory|512m|--memory-reservation|256m|--cpus|0.5|--cap-add|NET_ADMIN|--cap-add|SYS_TIME",
            "--log-driver|awslogs|--log-opt|awslogs-group=/minion/hello|--log-opt|awslogs-region=eu-west-1|--log-opt|mode=non-blocking|--log-opt|tag=x|--env|KEY|--env|MANY|--env|PASSWORD|",
            "/var/lib/minion/sdf:/data|",
            "/var/lib/minion/temporary/0:/tmp|",
            "/var/lib/minion/temporary/1:/with space|",
            "--user|1000:1000|--log-opt|awslogs-stream=i-0123456789",
        ] {
            assert!(text.contains(wanted), "{wanted}\nnot in\n{text}\n{}", seen.everything);
        }
        assert_eq!(seen.run_environment["PASSWORD"], "s3cr'et$(x)");
        assert_eq!(seen.run_environment["KEY"], "val\"ue");
        assert_eq!(seen.run_environment["MANY"], "one\ntwo");
        let role = ["ecr-password", "QVdT", "imds-token", "ASIAROLE", "role/secret", "role/session"];
        for secret in ["s3cr", "val\\\"ue"].into_iter().chain(role) {
            assert!(
                !seen.everything.contains(secret) && !text.contains(secret),
                "{secret} is seen:\n{}",
                seen.everything
            );
        }
        for wanted in [
            "sysctl -q -w net.ipv4.ip_unprivileged_port_start=80",
            "UUID=some-uuid ROOT/var/lib/minion/sdf auto",
            "ROOT/var/lib/minion/temporary/0.img ROOT/var/lib/minion/temporary/0 auto loop,",
            "NVMe_Instance_Storage_AWS1 ROOT/var/lib/minion/temporary auto defaults,",
            "--aws-sigv4 aws:amz:eu-central-1:ecr ",
            " https://api.ecr.eu-central-1.amazonaws.com/\n",
            "--aws-sigv4 aws:amz:eu-west-1:ssm ",
            "--data-raw {\"Name\":\"/hello/password\",\"WithDecryption\":true} ",
            "--data-raw {\"SecretId\":\"hello\"} ",
        ] {
            assert!(seen.everything.contains(wanted), "{wanted}\nnot in\n{}", seen.everything);
        }
    }
}

#[test]
fn xfs_makes_nothing_below_300_mib() {
    let others = |mkfs: &str| -> &'static [&'static str] { if mkfs == "mkfs.xfs" { &["mkfs.ext4"] } else { &[] } };
    let made = |mkfs: &'static str, size: &str| {
        let text = format!("application_name: hello\nexposed_ports: [80]\nfilesystems: [{{mountpoint: /tmp{size}}}]\n");
        let script = render(&instance(&parse(&text, "m").unwrap())).unwrap();
        let script = script.replacen("{ truncate -s", "{ say truncate -s \"${mib}M\"; truncate -s", 1);
        shells().map(move |shell| play_on((mkfs, others(mkfs)), shell, &script, "", &[])).collect::<Vec<_>>()
    };
    let table = [
        ("mkfs.ext4", 16, "truncate -s 16M"),
        ("mkfs.ext4", 299, "truncate -s 299M"),
        ("mkfs.xfs", 16, "truncate -s 300M"),
        ("mkfs.xfs", 299, "truncate -s 300M"),
        ("mkfs.xfs", 300, "truncate -s 300M"),
        ("mkfs.xfs", 301, "truncate -s 301M"),
        ("mkfs.xfs", 2048, "truncate -s 2048M"),
    ];
    for (mkfs, size, wanted) in table {
        for seen in made(mkfs, &format!(", size_mb: {size}")) {
            assert!(seen.status.success() && seen.everything.contains(wanted), "{size}: {}", seen.everything);
            assert!(seen.everything.contains(&format!("{mkfs} -q")), "{}", seen.everything);
            let told = seen.output.contains(&format!("has 300 MiB in place of {size}"));
            assert_eq!(told, mkfs == "mkfs.xfs" && size < 300, "{mkfs} {size}: {}", seen.output);
        }
    }
    // Without a size it is a directory, whatever the image has.
    for seen in made("mkfs.xfs", "") {
        assert!(seen.status.success() && !seen.everything.contains("mkfs.xfs -q"), "{}", seen.everything);
    }
}

#[test]
fn the_scripts_pass_shellcheck() {
    // Beside the emulator's program, in the same environment; else on the PATH.
    let beside = std::env::var_os("MINION_MOTO").map(|m| std::path::PathBuf::from(m).with_file_name("shellcheck"));
    let shellcheck = beside.filter(|p| p.is_file()).unwrap_or_else(|| "shellcheck".into());
    let there = Command::new(&shellcheck).arg("--version").output().is_ok();
    assert!(there, "there is no shellcheck: `cargo xtask test` installs it, and so does `apt-get install shellcheck`");
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, script: &str| {
        let path = dir.path().join(name).with_extension("sh");
        fs::write(&path, script).unwrap();
        path
    };
    let files = |of: &str| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(of);
        fs::read_dir(root).unwrap().map(|f| f.unwrap().path()).collect::<Vec<_>>()
    };
    let mut scripts = Vec::new();
    // team.yaml is overlord's.
    for file in files("examples/manifests").iter().filter(|path| !path.ends_with("team.yaml")) {
        let loaded = crate::manifest::load(file).unwrap();
        let script = render(&instance(&loaded.manifest)).unwrap();
        assert!(script.len() < 12_000, "{} leaves no room: {} bytes", file.display(), script.len());
        scripts.push(write(file.file_stem().unwrap().to_str().unwrap(), &script));
    }
    // What fuzzing found: manifest and environment are parts of it (see the crate `fuzz`).
    for file in files("fuzz/corpus/user_data") {
        let text = fs::read(&file).unwrap();
        let mut parts = text.split(|b| *b == 0xff).map(String::from_utf8_lossy);
        let Ok(manifest) = parse(&parts.next().unwrap_or_default(), "m") else { continue };
        let mut instance = instance(&manifest);
        let given = parts.skip(8).filter_map(|e| e.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())));
        instance.environment.extend(given);
        // Shellcheck refuses to read control characters, which shells do not mind.
        let tame = |script: &String| !script.contains(|c: char| c.is_control() && c != '\n' && c != '\t');
        scripts.extend(render(&instance).ok().filter(tame).map(|script| write(&format!("{}", scripts.len()), &script)));
    }
    assert!(scripts.len() > 30, "{}", scripts.len());
    // SC2329, SC2317: functions that only `try` calls. SC2016: values are quoted on purpose. SC1003, SC1110 to SC1112,
    // SC2026 and SC2089: values that look like a slip of the quotes.
    let meant = "SC2317,SC2329,SC2016,SC1003,SC1110,SC1111,SC1112,SC2026,SC2089,SC2090";
    let out = Command::new(&shellcheck).args(["-s", "sh", "-e", meant]).args(&scripts).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
}

#[test]
fn a_command_that_fails_is_named() {
    let m = parse(&format!("{BARE}secrets: {{PASSWORD: 'ssm:/nothing'}}\n"), "m").unwrap();
    let seen = play("sh", &render(&instance(&m)).unwrap(), "", &[]);
    assert!(seen.docker.iter().all(|c| c[0] != "run"));
    assert!(
        seen.output.contains("minion: failed with status 1 while reading the secret for PASSWORD"),
        "{}",
        seen.output
    );
    assert_eq!(
        seen.output.matches("GetParameter failed: HTTP 400 NotFound: There is none.").count(),
        1,
        "{}",
        seen.output
    );
}

#[test]
fn too_much_is_refused() {
    let m = parse(BARE, "m").unwrap();
    let mut i = instance(&m);
    i.environment.insert("BIG".into(), "x".repeat(16_000));
    let e = render(&i).unwrap_err();
    assert_eq!(e.kind(), aws_core::error::Kind::Usage);
    assert!(e.to_string().contains("EC2 allows 16384. Most of it is the environment: 16011 bytes"), "{e}");
    i.environment = [("9 ".to_owned(), String::new())].into();
    assert!(render(&i).is_err());
    i.environment = [("A".to_owned(), "\0".to_owned())].into();
    assert!(render(&i).is_err());
    let m = parse(BARE, "m").unwrap();
    let mut i = instance(&m);
    i.cacerts = Some("\0");
    assert!(render(&i).unwrap_err().to_string().contains("NUL"));
    // Found by fuzzing: a key of the log driver's options.
    let e = parse(&BARE.replace("local}", "local, options: {\"a\\0b\": c}}"), "m").unwrap_err();
    assert!(e.to_string().contains("is not a name of an option of a log driver"), "{e}");
    // Found by fuzzing: dash refuses OPTIND, and bash sets the others itself.
    for name in ["PATH", "OPTIND", "_", "SHLVL"] {
        let m = parse(&format!("{BARE}secrets: {{{name}: 'ssm:/a'}}\n"), "m").unwrap();
        assert!(render(&instance(&m)).is_err(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    /// Whatever the values, the container gets exactly them.
    #[test]
    fn values_arrive_as_they_are(
        environment in proptest::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,8}", "(\\PC|[\n\t\r'\"$`\\\\!*~&|;<>(){} ]|\\$\\(id\\)|'; id; '){0,20}", 0..6),
        capability in "[A-Z'$ ]{1,10}",
    ) {
        let m = parse(BARE, "m").unwrap();
        let mut i = instance(&m);
        i.environment = environment.clone();
        i.cap_add = vec![capability.clone()];
        let script = render(&i).unwrap();
        let seen = play("sh", &script, "", &[]);
        let wanted: Vec<String> = environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
        prop_assert_eq!(seen.env(), wanted);
        prop_assert!(seen.run().contains(&capability));
    }
}
