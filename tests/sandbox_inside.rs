//! What a container sees of what its manifest and the command line say.
use crate::{a_sandbox::Images, support::Sandbox};
use serde_json::{Value, json};

const MANIFEST: &str = "exposed_ports: [8080]
health_check: {path: /cgi-bin/health, interval: 5, timeout: 4, healthy_threshold: 2}
memory_mb: 96
cpu: 0.5
capabilities: [NET_ADMIN]
environment: {GREETING: \"it's $HOME, literally\", LEVEL: from the manifest}
secrets: {SECRET: \"ssm:/inside/secret\"}
filesystems:
  - {type: temporary, mountpoint: /data}
";
/// The bit of CAP_NET_ADMIN (linux/capability.h).
const NET_ADMIN: u64 = 1 << 12;
/// Has every character that a shell or a header could stumble over.
const SECRET: &str = "s3cr3t 'with' \"quotes\", $dollars and \\";

pub(crate) fn what_a_container_sees(sandbox: &Sandbox, images: &Images) {
    let parameter = json!({ "Name": "/inside/secret", "Value": SECRET, "Type": "SecureString" });
    sandbox.call("ssm", "put_parameter", &parameter, &[]);
    sandbox.application("inside", MANIFEST);
    let create = ["ver", "create", "inside", "1.0", &images.one, "--instances", "1"];
    let level = ["--env", "LEVEL=from the command line"];
    sandbox.minion(&[&create[..], &level].concat()).ok().hides(&[SECRET]);

    let page = sandbox.address("inside-1-0", "/cgi-bin/inside").page();
    let word = |name: &str| page.word(name).unwrap_or_else(|| panic!("no {name}: {}", page.body));
    assert_eq!(word("version"), "1.0");
    assert_eq!(word("greeting"), "it's $HOME, literally");
    assert_eq!(word("level"), "from the command line");
    assert_eq!(word("secret"), SECRET);
    assert_eq!(word("memory"), (96 << 20).to_string());
    // Of a tenth of a second, in microseconds; with cgroups of version 2 the period follows.
    assert_eq!(word("cpu").split(' ').next(), Some("50000"));
    assert_eq!(word("user"), "1000:1000");
    let bits = |name: &str| u64::from_str_radix(word(name), 16).unwrap();
    assert_ne!(bits("bounding") & NET_ADMIN, 0, "{}", page.body);
    assert_eq!(bits("effective"), 0, "{}", page.body);
    assert_eq!((word("root-writable"), word("data-writable")), ("no", "yes"));

    assert!(word("metadata-without-token").contains(" 401"), "{}", page.body);
    let instances = sandbox.instances("inside", "1.0");
    assert_eq!(instances.iter().map(String::as_str).collect::<Vec<_>>(), [word("instance")]);
    let credentials: Value = serde_json::from_str(word("credentials")).unwrap();
    let given = |name: &str| credentials[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", page.body));
    let identity = sandbox.call(
        "sts",
        "get_caller_identity",
        &json!({}),
        &[
            ("AWS_ACCESS_KEY_ID", given("AccessKeyId")),
            ("AWS_SECRET_ACCESS_KEY", given("SecretAccessKey")),
            ("AWS_SESSION_TOKEN", given("Token")),
        ],
    );
    let arn = identity["Arn"].as_str().unwrap();
    assert!(arn.contains(":assumed-role/") && arn.contains("inside"), "{identity}");

    sandbox.minion(&["app", "delete", "inside", "--cascade", "--yes"]).ok();
    sandbox.call("ssm", "delete_parameter", &json!({ "Name": "/inside/secret" }), &[]);
}
