use super::{amounts, *};
use aws_core::error::Kind;
use bollard::models::RestartPolicyNameEnum;
use std::collections::BTreeMap;

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|t| (*t).to_owned()).collect()
}

fn read(text: &[&str]) -> RunLine {
    let environment = BTreeMap::from([("PASSWORD".to_owned(), "s3=cret\n".to_owned())]);
    parse(&words(text), &environment).unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

#[test]
fn all_that_the_script_of_an_instance_gives() {
    let line = read(&[
        "--detach",
        "--name",
        "app",
        "--restart",
        "unless-stopped",
        "--network",
        "host",
        "--memory",
        "512m",
        "--memory-reservation",
        "256m",
        "--cpus",
        "0.5",
        "--cap-add",
        "NET_ADMIN",
        "--cap-add",
        "SYS_TIME",
        "--security-opt",
        "no-new-privileges",
        "--log-driver",
        "awslogs",
        "--log-opt",
        "awslogs-group=/minion/hello",
        "--log-opt",
        "mode=non-blocking",
        "--env",
        "A=1",
        "--env",
        "B=x=y z",
        "--env",
        "PASSWORD",
        "--env",
        "NOT_THERE",
        "--volume",
        "/var/lib/minion/sdf:/data",
        "--volume",
        "/var/lib/minion/temporary/1:/with space",
        "--user",
        "1000:1000",
        "host/image@sha256:abc",
    ]);
    assert!(line.detach);
    assert_eq!(line.name.as_deref(), Some("app"));
    assert_eq!(line.network.as_deref(), Some("host"));
    assert_eq!(line.image, "host/image@sha256:abc");
    assert_eq!(line.command, Vec::<String>::new());
    assert_eq!(line.volumes, ["/var/lib/minion/sdf:/data", "/var/lib/minion/temporary/1:/with space"]);
    let config = line.config;
    assert_eq!(config.image.as_deref(), Some("host/image@sha256:abc"));
    assert_eq!(config.cmd, None);
    assert_eq!(config.user.as_deref(), Some("1000:1000"));
    assert_eq!(config.env.unwrap(), ["A=1", "B=x=y z", "PASSWORD=s3=cret\n", "NOT_THERE"]);
    let host = config.host_config.unwrap();
    assert_eq!((host.memory, host.memory_reservation), (Some(512 << 20), Some(256 << 20)));
    assert_eq!(host.nano_cpus, Some(500_000_000));
    assert_eq!(host.cap_add.unwrap(), ["NET_ADMIN", "SYS_TIME"]);
    assert_eq!(host.security_opt.unwrap(), ["no-new-privileges"]);
    let log = host.log_config.unwrap();
    assert_eq!(log.typ.as_deref(), Some("awslogs"));
    assert_eq!(log.config.unwrap()["awslogs-group"], "/minion/hello");
    assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::UNLESS_STOPPED));
    assert_eq!((host.network_mode, host.binds), (None, None));
}

#[test]
fn both_spellings_mean_the_same() {
    let apart = read(&["-d", "--memory", "1g", "--env", "A=b=c", "--volume", "/a:/b:ro", "--name", "x", "image"]);
    let joined = read(&["--detach=true", "--memory=1g", "--env=A=b=c", "--volume=/a:/b:ro", "--name=x", "image"]);
    assert_eq!(apart, joined);
}

#[test]
fn what_follows_the_image_is_the_command() {
    let line = read(&["--env", "A=1", "image", "sh", "-c", "--env", "exit 1"]);
    assert_eq!(line.command, ["sh", "-c", "--env", "exit 1"]);
    assert_eq!(line.config.cmd.unwrap(), line.command);
    assert_eq!(read(&["--", "image", "-x"]).command, ["-x"]);
    assert!(!line.detach);
}

#[test]
fn what_is_wrong_is_named() {
    for (text, wanted) in [
        (&["--gpus", "all", "image"][..], "unknown option --gpus"),
        (&["--frobnicate=1", "image"], "unknown option --frobnicate"),
        (&["-it", "image"], "unknown option -it"),
        (&["--memory"], "--memory needs a value"),
        (&["--memory", "lots", "image"], "--memory lots"),
        (&["--cpus", "-1", "image"], "--cpus -1"),
        (&["--cpus", "1e3", "image"], "--cpus 1e3"),
        (&["--detach=maybe", "image"], "--detach maybe"),
        (&["--env", "=x", "image"], "--env =x"),
        (&["--volume", "/a", "image"], "--volume /a"),
        (&["--restart", "sometimes", "image"], "--restart sometimes"),
        (&["--restart", "always:3", "image"], "--restart always:3"),
        (&["--log-opt", "x", "image"], "--log-opt x"),
        (&["--security-opt", "seccomp=/a.json", "image"], "seccomp"),
        (&["--detach"], "no image"),
        (&["--"], "no image"),
        (&[], "no image"),
    ] {
        let e = parse(&words(text), &BTreeMap::new()).expect_err(&text.join(" "));
        assert_eq!(e.kind(), Kind::Usage);
        assert!(e.to_string().contains(wanted), "{e}");
    }
}

#[test]
fn amounts_are_dockers() {
    for (text, bytes) in [
        ("512m", Some(512 << 20)),
        ("512M", Some(512 << 20)),
        ("512MB", Some(512 << 20)),
        ("512MiB", Some(512 << 20)),
        ("1.5g", Some(3 << 29)),
        ("1024", Some(1024)),
        ("7b", Some(7)),
        ("1t", Some(1 << 40)),
        (".5k", Some(512)),
        ("", None),
        ("m", None),
        ("-1m", None),
        ("1x", None),
        ("99999999999999t", None),
    ] {
        assert_eq!(amounts::bytes(text), bytes, "{text}");
    }
    assert_eq!(amounts::nano_cpus("1.5"), Some(1_500_000_000));
    assert_eq!(amounts::nano_cpus("0.1"), Some(100_000_000));
    assert_eq!(amounts::nano_cpus("x"), None);
}
