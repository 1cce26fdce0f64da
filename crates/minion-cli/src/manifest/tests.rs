mod hidden;
mod log_options;
mod stored;
mod yaml;

use super::*;
use aws_core::error::Kind;
use insta::assert_snapshot;
use proptest::prelude::*;
use std::{fs, path::Path};

const HEAD: &str = "application_name: myapp\nexposed_ports: [8080]\n";

/// The error of a manifest, with its hints, as a user sees them.
fn told(text: &str) -> String {
    words(&parse_new(text, "myapp.yaml").expect_err(text))
}
fn words(e: &aws_core::Error) -> String {
    assert_eq!(e.kind(), Kind::Usage);
    let mut all = e.to_string();
    for hint in e.hints() {
        all.push_str("\nHint: ");
        all.push_str(hint);
    }
    all
}
fn more(text: &str) -> String {
    told(&format!("{HEAD}{text}"))
}

#[test]
fn every_example_loads() {
    let mut names = Vec::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/manifests")).unwrap() {
        let path = file.unwrap().path();
        if path.ends_with("team.yaml") {
            // A team's file: overlord's tests read it.
            continue;
        }
        let loaded = load(&path).unwrap_or_else(|e| panic!("{}", words(&e)));
        assert_eq!(loaded.text, fs::read_to_string(&path).unwrap());
        assert_eq!(loaded.warnings, [""; 0]);
        let again = parse(&loaded.manifest.to_yaml().unwrap(), "again").unwrap_or_else(|e| panic!("{}", words(&e)));
        assert_eq!(again, loaded.manifest);
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["aws-minion-manifest.yaml", "everything.yaml", "minimal.yaml", "tcp-public.yaml"]);
}

/// Every key of the manifest stands in the example that claims so.
#[test]
fn the_example_with_everything_has_every_key() {
    let text = include_str!("../../../../examples/manifests/everything.yaml");
    let schema = schema();
    for key in schema["properties"].as_object().unwrap().keys().filter(|k| *k != "health_check_http_path") {
        assert!(text.lines().any(|l| l.starts_with(&format!("{key}:"))), "{key}");
    }
}

#[test]
fn the_predecessors_manifests_load_unchanged() {
    for old in [
        "---\napplication_name: myapp\nteam_name: MyOrganization/MyTeam\nexposed_ports: [8080]\ninstance_type: t2.micro\nhealth_check_http_path: /health\n",
        "---\napplication_name: myapp\nteam_name: MyOrganization/MyTeam\nstateful: false\nexposed_ports: [80]\nfilesystems:\n    - type: temporary\n      mountpoint: /tmp\n      size_mb: 100\n",
        "---\napplication_name: docker-registry\nteam_name: Infrastructure\nexposed_ports: [5000]\n",
        "application_name: a\nexposed_ports:\n- 22\nexposed_protocol: tcp\nroot: true\nfilesystems: [{mountpoint: /data}]\n",
    ] {
        parse(old, "old").unwrap_or_else(|e| panic!("{}", words(&e)));
    }
}

/// Found by fuzzing: names that YAML reads as something else.
#[test]
fn every_name_makes_a_bare_manifest() {
    for name in ["null", "true", "y", "inf", "e1", "a"] {
        let name: aws_core::model::ApplicationName = name.parse().unwrap();
        assert_eq!(Manifest::bare(&name).application_name, name);
    }
}

#[test]
fn defaults_are_the_predecessors() {
    let m = parse(HEAD, "m").unwrap();
    assert_eq!((m.health_check_path(), m.health_check_codes()), (Some("/"), Some("200")));
    assert_eq!(
        (m.health_check.interval, m.health_check.healthy_threshold, m.health_check.unhealthy_threshold),
        (20, 3, 5)
    );
    assert_eq!((m.scaling.min, m.scaling.max, m.desired()), (1, 8, 1));
    assert_eq!(m.traffic_port().get(), 8080);
    assert!(m.ssh_key && m.uses_log_group());
    let tcp = parse("application_name: a\nexposed_ports: [1, 2]\nexposed_protocol: tcp\n", "m").unwrap();
    assert_eq!((tcp.health_check_path(), tcp.health_check_codes(), tcp.traffic_ports().len()), (None, None, 2));
}

#[test]
fn values_keep_their_spelling() {
    let m =
        parse(&format!("{HEAD}environment: {{A: 1.10, B: yes, C: 0755, D: ''}}\ntags: {{cost: 007}}\n"), "m").unwrap();
    let values: Vec<&str> = m.environment.values().map(|v| v.as_str()).collect();
    assert_eq!(values, ["1.10", "yes", "0755", ""]);
    assert_eq!(m.extra_tags()["cost"], "007");
}

#[test]
fn statements_read_both_spellings() {
    let text = "policies:\n- {Effect: Deny, NotAction: 's3:*', Resource: ['*'], Condition: {Bool: {'aws:SecureTransport': 'false'}}}\n- {actions: ['s3:GetObject'], resources: '*'}\n";
    let m = parse(&format!("{HEAD}{text}"), "m").unwrap();
    let json: Vec<String> = m.policies.iter().map(|s| s.to_json().to_string()).collect();
    assert_snapshot!(json.join("\n"), @r#"
    {"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","NotAction":["s3:*"],"Resource":["*"]}
    {"Action":["s3:GetObject"],"Effect":"Allow","Resource":["*"]}
    "#);
}

#[test]
fn references_to_secrets() {
    let read = |s: &str| SecretRef::try_from(s.to_owned());
    for good in [
        "ssm:/a/b",
        "ssm:a",
        "secretsmanager:a/b",
        "secretsmanager:a#k",
        "arn:aws:ssm:eu-west-1:1:parameter/a",
        "arn:aws-cn:secretsmanager:cn-north-1:1:secret:a-AbCdEf#k",
        // Every spelling that AWS documents: versions and labels, names with a path, ARNs of all partitions, ARNs
        // without the characters that AWS adds.
        "ssm:/a/b:3",
        "ssm:a:live",
        "arn:aws:ssm:eu-west-1:1:parameter/a/b:3",
        "arn:aws-us-gov:ssm:us-gov-west-1:1:parameter/a",
        "arn:aws-iso-b:secretsmanager:us-isob-east-1:1:secret:a",
        "arn:aws:secretsmanager:eu-west-1:1:secret:team/a+b=c.d@e_f-AbCdEf",
    ] {
        assert_eq!(read(good).unwrap().to_string(), good);
        assert_eq!(read(good).unwrap().problem(), None, "{good}");
    }
    for bad in [
        "",
        "/a",
        "ssm:",
        "vault:a",
        "ssm:a b",
        "ssm:-a",
        "secretsmanager:#k",
        "secretsmanager:a#",
        "arn:aws:s3:::a",
        "arn:aws:secretsmanager:eu west:1:secret:a",
        "arn:aws:ssm",
        "ssm:/a/b#k",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    // Read where it is stored, refused where it is new.
    for bad in [
        "arn:aws:ssm:eu-west-1.example.org/:1:parameter/a",
        "arn:aws:ssm:{a,b}:1:parameter/a",
        "arn:aws:secretsmanager:EU-west-1:1:secret:a",
        "arn:aws:secretsmanager:x?y#:1:secret:a",
        "ssm:a:",
        "ssm:a:1:2",
        "ssm:a$(id)",
        "secretsmanager:a:b",
        "arn:aws:ssm:eu-west-1:1:a",
        "arn:aws:ssm:eu-west-1:1:document/a",
        "arn:aws:secretsmanager:eu-west-1:1:a",
        // As ECS spells a key: `#key` is meant.
        "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf:key::",
    ] {
        assert!(read(bad).unwrap().problem().is_some(), "{bad}");
    }
    let arn = |s: &str| read(s).unwrap().resource("aws", "eu-west-1", "123456789012");
    assert_eq!(arn("ssm:/a/b"), "arn:aws:ssm:eu-west-1:123456789012:parameter/a/b");
    assert_eq!(arn("secretsmanager:a#k"), "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-??????");
    for (reference, resource) in [
        ("arn:aws:ssm:eu-west-1:1:parameter/a", "arn:aws:ssm:eu-west-1:1:parameter/a"),
        ("arn:aws:ssm:eu-west-1:1:parameter/a/b:3", "arn:aws:ssm:eu-west-1:1:parameter/a/b"),
        ("ssm:/a/b:3", "arn:aws:ssm:eu-west-1:123456789012:parameter/a/b"),
        ("ssm:a:live", "arn:aws:ssm:eu-west-1:123456789012:parameter/a"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf", "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf#k", "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:a", "arn:aws:secretsmanager:eu-west-1:1:secret:a-??????"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:a-b#k", "arn:aws:secretsmanager:eu-west-1:1:secret:a-b-??????"),
    ] {
        assert_eq!(arn(reference), resource, "{reference}");
    }
    for (reference, name) in [
        ("ssm:/a/b:3", "/a/b"),
        ("ssm:a:live", "a"),
        ("secretsmanager:a/b#k", "a/b"),
        ("arn:aws:ssm:eu-west-1:1:parameter/a/b:3", "/a/b"),
        ("arn:aws:ssm:eu-west-1:1:parameter/a", "a"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:team/a-b-AbCdEf#k", "team/a-b"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:a", "a"),
    ] {
        assert_eq!(read(reference).unwrap().name(), name, "{reference}");
    }
    assert_eq!(read("arn:aws-cn:ssm:cn-north-1:1:parameter/a").unwrap().region(), Some("cn-north-1"));
    assert_eq!(read("ssm:/a").unwrap().region(), None);
}

#[test]
fn bad_files() {
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        words(&load(&path).unwrap_err()).replace(dir.path().to_str().unwrap(), "DIR")
    };
    let missing = words(&load(&dir.path().join("missing.yaml")).unwrap_err());
    assert_snapshot!(missing.replace(dir.path().to_str().unwrap(), "DIR"), @r"
    manifest DIR/missing.yaml does not exist
    Hint: Name the YAML file that describes the application.
    ");
    let directory = words(&load(dir.path()).unwrap_err());
    assert_snapshot!(directory.replace(dir.path().to_str().unwrap(), "DIR"), @r"
    DIR is a directory, not a manifest
    Hint: Name the YAML file that describes the application.
    ");
    assert_snapshot!(of("empty.yaml", b""), @r"
    manifest DIR/empty.yaml is empty
    Hint: The least that it needs is application_name and exposed_ports.
    ");
    assert_snapshot!(of("comment.yaml", b"# nothing\n"), @r"
    manifest DIR/comment.yaml is empty
    Hint: The least that it needs is application_name and exposed_ports.
    ");
    assert_snapshot!(of("latin1.yaml", b"application_name: a\nteam_name: M\xfcnchen\n"), @r"
    manifest DIR/latin1.yaml, line 2: not UTF-8 text
    Hint: Save the file with the encoding UTF-8.
    ");
    let huge = dir.path().join("huge.yaml");
    fs::File::create(&huge).unwrap().set_len(100 << 20).unwrap();
    assert_snapshot!(words(&load(&huge).unwrap_err()).replace(dir.path().to_str().unwrap(), "DIR"), @"manifest DIR/huge.yaml is too large: 104857600 bytes; a manifest has at most 256 KiB");
}

#[test]
fn errors_show_the_line() {
    assert_snapshot!(told("application_name: myapp\nexposed_port: [8080]\n"), @r"
    myapp.yaml, line 2, column 1: unknown key `exposed_port`
      |
    2 | exposed_port: [8080]
      | ^
    Hint: Did you mean `exposed_ports`?
    ");
    assert_snapshot!(more("health_check:\n  intervall: 5\n"), @r"
    myapp.yaml, line 4, column 3: unknown key `intervall`
      |
    4 |   intervall: 5
      |   ^
    Hint: Did you mean `interval`?
    ");
    assert_snapshot!(more("colour: red\n"), @r"
    myapp.yaml, line 3, column 1: unknown key `colour`
      |
    3 | colour: red
      | ^
    Hint: The keys here are application_name, team_name, exposed_ports, exposed_protocol, instance_type, health_check_http_path, health_check, root, stateful, environment, secrets, registry_credentials, memory_mb, cpu, capabilities, filesystems, scaling, spot, policies, managed_policies, logging, tags, ssh_key, ami_id.
    ");
    assert_snapshot!(told("exposed_ports: [1]\n"), @r"
    myapp.yaml, line 1, column 1: `application_name` is missing
      |
    1 | exposed_ports: [1]
      | ^
    ");
    assert_snapshot!(more("root: true\nroot: false\n"), @r"
    myapp.yaml, line 4, column 1: duplicate key `root`
      |
    4 | root: false
      | ^
    ");
    assert_snapshot!(told("application_name: myapp\nexposed_ports: [0]\n"), @r"
    myapp.yaml, line 2, column 17: 0 is not a port; ports are 1 to 65535
      |
    2 | exposed_ports: [0]
      |                 ^
    ");
    assert_snapshot!(told("application_name: myapp\nexposed_ports:\n  - 80\n  - 70000\n"), @r"
    myapp.yaml, line 4, column 5: 70000 is not a port; ports are 1 to 65535
      |
    4 |   - 70000
      |     ^
    ");
    assert_snapshot!(told("application_name: myapp\nexposed_ports: 8080\n"), @r"
    myapp.yaml, line 2, column 16: expected a list, e.g. [8080]
      |
    2 | exposed_ports: 8080
      |                ^
    ");
    assert_snapshot!(told("application_name: myapp\nexposed_ports: [http]\n"), @r"
    myapp.yaml, line 2, column 17: expected a whole number
      |
    2 | exposed_ports: [http]
      |                 ^
    ");
    assert_snapshot!(told("application_name: My_App\nexposed_ports: [1]\n"), @r"
    myapp.yaml, line 1, column 19: `My_App` is not an application name. An application name begins with a small letter; small letters, digits and dashes follow; it does not end in a dash
      |
    1 | application_name: My_App
      |                   ^
    ");
    assert_snapshot!(told(&format!("application_name: {}\nexposed_ports: [1]\n", "a".repeat(64))), @r"
    myapp.yaml, line 1, column 19: application name `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` has 64 characters; a DNS label has at most 63. Choose a shorter application_name
      |
    1 | application_name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      |                   ^
    ");
    assert_snapshot!(more("exposed_protocol: htp\n"), @r"
    myapp.yaml, line 3, column 19: invalid value `htp`: expected one of http, tcp
      |
    3 | exposed_protocol: htp
      |                   ^
    Hint: Did you mean `http`?
    ");
    assert_snapshot!(more("root: maybe\n"), @r"
    myapp.yaml, line 3, column 7: expected `true` or `false`
      |
    3 | root: maybe
      |       ^
    ");
    assert_snapshot!(more("environment:\n  A:\n"), @r#"
    myapp.yaml, line 4, column 4: missing value
      |
    4 |   A:
      |    ^
    Hint: Write "" where an empty text is meant.
    "#);
    assert_snapshot!(more("environment:\n  A: [1]\n"), @r#"
    myapp.yaml, line 4, column 6: expected one value, not a list or a map
      |
    4 |   A: [1]
      |      ^
    Hint: Quote the value: "[1]" (YAML reserves `[`).
    "#);
    assert_snapshot!(more("environment: {9 A: x}\n"), @r"
    myapp.yaml, line 3, column 15: invalid variable name `9 A`: a name is not empty and has no white space and no `=`
      |
    3 | environment: {9 A: x}
      |               ^
    ");
    assert_snapshot!(more("filesystems:\n\t- type: ebs\n"), @r"
    myapp.yaml, line 4, column 2: tabs disallowed within this context (block indentation)
      |
    4 |  - type: ebs
      |  ^
    Hint: Indent with spaces: YAML allows no tabs there.
    ");
    assert_snapshot!(more("---\napplication_name: other\n"), @r"
    myapp.yaml, line 4, column 1: a second document begins here
      |
    4 | application_name: other
      | ^
    Hint: A manifest is one document: write each application into a file of its own.
    ");
    assert_snapshot!(more("tags: {aws:x: y}\n"), @r"
    myapp.yaml, line 3, column 8: invalid tag key `aws:x`: it must not begin with aws:, which AWS reserves
      |
    3 | tags: {aws:x: y}
      |        ^
    ");
    assert_snapshot!(more("tags: {Name: y}\n"), @r"
    myapp.yaml, line 3, column 8: invalid tag key `Name`: this tag is set automatically
      |
    3 | tags: {Name: y}
      |        ^
    ");
    assert_snapshot!(more("secrets: {A: hunter2}\n"), @"myapp.yaml, line 3, column 14: A: invalid reference to a secret: it does not say where the secret is kept; write ssm:/path/name, secretsmanager:name, secretsmanager:name#json_key, or an ARN of either");
    assert_snapshot!(more("memory_mb: much\n"), @r"
    myapp.yaml, line 3, column 12: expected a number of MiB, or {hard: 512, soft: 256}
      |
    3 | memory_mb: much
      |            ^
    ");
    assert_snapshot!(more("instance_type: big\n"), @r"
    myapp.yaml, line 3, column 16: `big` is not an instance type; one looks like t3.small
      |
    3 | instance_type: big
      |                ^
    ");
    assert_snapshot!(told("hello"), @r"
    myapp.yaml, line 1, column 1: expected keys with values, e.g. `application_name: myapp`
      |
    1 | hello
      | ^
    ");
    assert_snapshot!(told("{ application_name: 'a\n"), @r"
    myapp.yaml, line 1, column 21: unclosed quote
      |
    1 | { application_name: 'a
      |                     ^
    ");
    assert_snapshot!(told("application_name: *nobody\n"), @r#"
    myapp.yaml, line 1, column 19: alias references unknown anchor
      |
    1 | application_name: *nobody
      |                   ^
    Hint: Quote the value: "*nobody" (YAML reserves `*`).
    "#);
}

#[test]
fn errors_across_keys_show_the_line_too() {
    assert_snapshot!(more("health_check:\n  interval: 5\n  timeout: 5\n"), @r"
    myapp.yaml, line 5, column 12: the timeout of 5 s must be less than the interval of 5 s
      |
    5 |   timeout: 5
      |            ^
    ");
    assert_snapshot!(more("health_check: {interval: 301}\n"), @r"
    myapp.yaml, line 3, column 26: 301 is out of range: 5 to 300 seconds
      |
    3 | health_check: {interval: 301}
      |                          ^
    ");
    assert_snapshot!(more("health_check: {codes: 200-500}\n"), @r"
    myapp.yaml, line 3, column 23: invalid HTTP codes `200-500`: codes and ranges within 200 to 499, e.g. 200,204 or 200-299,401
      |
    3 | health_check: {codes: 200-500}
      |                       ^
    ");
    assert_snapshot!(more("health_check_http_path: /a\nhealth_check: {path: /b}\n"), @r"
    myapp.yaml, line 4, column 22: health_check.path is /b, but health_check_http_path is /a; keep one of them
      |
    4 | health_check: {path: /b}
      |                      ^
    ");
    assert_snapshot!(told("application_name: a\nexposed_ports: [1, 2, 1]\n"), @r"
    myapp.yaml, line 2, column 23: duplicate port 1
      |
    2 | exposed_ports: [1, 2, 1]
      |                       ^
    ");
    assert_snapshot!(told("application_name: a\nexposed_ports: []\n"), @r"
    myapp.yaml, line 2, column 16: an application needs at least one port
      |
    2 | exposed_ports: []
      |                ^
    ");
    assert_snapshot!(more("memory_mb: 5\n"), @r"
    myapp.yaml, line 3, column 12: 5 MiB is too little: Docker needs at least 6
      |
    3 | memory_mb: 5
      |            ^
    ");
    assert_snapshot!(more("memory_mb: {hard: 100, soft: 200}\n"), @r"
    myapp.yaml, line 3, column 12: the soft limit of 200 MiB is above the hard one of 100 MiB
      |
    3 | memory_mb: {hard: 100, soft: 200}
      |            ^
    ");
    assert_snapshot!(more("scaling:\n  min: 9\n"), @r"
    myapp.yaml, line 4, column 8: min is 9, but max is 8
      |
    4 |   min: 9
      |        ^
    ");
    assert_snapshot!(more("scaling: {min: 2, max: 4, desired: 5}\n"), @r"
    myapp.yaml, line 3, column 36: desired is 5, but not within min 2 and max 4
      |
    3 | scaling: {min: 2, max: 4, desired: 5}
      |                                    ^
    ");
    assert_snapshot!(more("logging: {retention_days: 31}\n"), @r"
    myapp.yaml, line 3, column 27: CloudWatch Logs cannot keep logs for 31 days
      |
    3 | logging: {retention_days: 31}
      |                           ^
    Hint: The next number of days that it can is 60.
    ");
    assert_snapshot!(more("filesystems:\n  - {type: ebs, mountpoint: /a}\n"), @r"
    myapp.yaml, line 4, column 5: an EBS volume needs its size: size_gb
      |
    4 |   - {type: ebs, mountpoint: /a}
      |     ^
    ");
    assert_snapshot!(more("filesystems:\n  - {type: ebs, mountpoint: /a, size_gb: 10, volume_type: st1}\n"), @r"
    myapp.yaml, line 4, column 42: 10 is out of range: 125 to 16384 GiB for st1
      |
    4 |   - {type: ebs, mountpoint: /a, size_gb: 10, volume_type: st1}
      |                                          ^
    ");
    assert_snapshot!(more("filesystems:\n  - mountpoint: /a\n  - mountpoint: /a/\n"), @r"
    myapp.yaml, line 5, column 17: a second file system at /a/
      |
    5 |   - mountpoint: /a/
      |                 ^
    ");
    assert_snapshot!(more("environment: {A: 1}\nsecrets: {A: 'ssm:/a'}\n"), @"myapp.yaml, line 4, column 10: A stands under environment and under secrets; keep one");
    assert_snapshot!(more("policies:\n  - {effect: Allow, actions: 's3:*'}\n"), @r#"
    myapp.yaml, line 4, column 5: a statement needs either resources or not_resources; everything is "*"
      |
    4 |   - {effect: Allow, actions: 's3:*'}
      |     ^
    "#);
}

#[test]
fn more_bad_values() {
    for bad in [
        "health_check: {timeout: 1}",
        "health_check: {healthy_threshold: 1}",
        "health_check: {unhealthy_threshold: 11}",
        "health_check: {path: health}",
        "health_check: {codes: 'all'}",
        "exposed_protocol: tcp\nhealth_check: {codes: 200}",
        "scaling: {max: 0}",
        "scaling: {max: 100000}",
        "scaling: {target_cpu_percent: 101}",
        "scaling: {target_cpu_percent: .nan}",
        "cpu: 0",
        "cpu: .inf",
        "memory_mb: {}",
        "memory_mb: -5",
        "memory_mb: 99999999999",
        "filesystems: [{mountpoint: data}]",
        "filesystems: [{mountpoint: /}]",
        "filesystems: [{mountpoint: '/a:b'}]",
        "filesystems: [{mountpoint: /a/../b}]",
        "filesystems: [{mountpoint: /a, size_gb: 1}]",
        "filesystems: [{mountpoint: /a, volume_type: gp3}]",
        "filesystems: [{type: ebs, mountpoint: /a, size_mb: 1}]",
        "filesystems: [{type: ebs, mountpoint: /a, size_gb: 1, volume_type: io1}]",
        "logging: {driver: awslog}",
        "logging: {options: {'a=b': c}}",
        "managed_policies: ['not a name']",
        "policies: [{actions: foo, resources: '*'}]",
        "capabilities: [net_admin]",
        "ami_id: ami-xyz",
        "tags: {'minion:x': y}",
        "tags: {'a?': y}",
        "spot: 1",
        "health_check:",
    ] {
        let error = more(bad);
        assert!(error.contains("myapp.yaml, line "), "{bad}: {error}");
    }
    let list: String = (0..12).map(|n| format!("\n- {{type: ebs, size_gb: 1, mountpoint: /{n}}}")).collect();
    assert!(more(&format!("filesystems:{list}")).contains("more than 11"));
    let tags: String = (0..41).map(|n| format!("\n  t{n}: x")).collect();
    assert!(more(&format!("tags:{tags}")).contains("41 tags"));
}

#[test]
fn a_bomb_of_aliases_is_defused() {
    let bomb: String = (0..5000)
        .map(|n| format!("a{n}: &a{n} [{}]\n", if n == 0 { "x".into() } else { format!("*a{0}, *a{0}", n - 1) }))
        .collect();
    let start = std::time::Instant::now();
    let actions = "'a:b', ".repeat(100);
    let statements = "- *s\n".repeat(900);
    let error = told(&format!("{HEAD}policies:\n- &s {{resources: '*', actions: [{actions}]}}\n{statements}"));
    assert!(error.contains("too much: an alias"), "{error}");
    assert!(told(&bomb).contains("unknown key `a0`"));
    let deep = format!("{HEAD}policies: {}", "[".repeat(20_000));
    assert!(told(&deep).contains("myapp.yaml, line 3"));
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn warnings_are_about_what_is_probably_not_meant() {
    let of = |text: &str| check::warnings(&parse(&format!("{HEAD}{text}"), "m").unwrap()).join("\n");
    assert_eq!(of(""), "");
    assert_snapshot!(of("environment: {DB_PASSWORD: x}\ncapabilities: [NET_ADMIN]\nstateful: true\nspot: true\nfilesystems: [{mountpoint: /a}]\nlogging: {driver: none}\nscaling: {min: 2, max: 2, target_cpu_percent: 50}\n"), @r"
    DB_PASSWORD under environment looks like a secret: its value can be read in the instances' user data. Keep it in SSM Parameter Store or Secrets Manager, and name it under secrets.
    capabilities have an effect only on programs of root (root: true), or on programs in the image that carry capabilities of their own.
    The application is stateful, but has no file system of type ebs: its data is on the instance's root volume or on temporary file systems.
    The application is stateful, but AWS may take its Spot instances back at any time.
    logging.driver is none: the container's output is lost.
    scaling.target_cpu_percent has no effect: min and max are the same.
    ");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}|[a-z:\\[\\]{}&*!|>'\"%@`#, \n\t-]{0,200}") {
        let _ = parse(&text, "m");
        let _ = parse(&format!("{HEAD}{text}"), "m");
    }

    #[test]
    fn what_is_written_is_read_again(
        env in proptest::collection::btree_map("[A-Z_][A-Z0-9_]{0,5}", "(\\PC|\n|\t){0,30}|yes|null|~|1\\.10|0x1F|- a|: |#", 0..5),
        ports in proptest::collection::btree_set(1i64..65536, 1..5),
    ) {
        let mut m = parse(HEAD, "m").unwrap();
        m.exposed_ports = ports.into_iter().map(|p| Port::try_from(p).unwrap()).collect();
        m.environment = env.into_iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect();
        let yaml = m.to_yaml().unwrap();
        prop_assert_eq!(parse(&yaml, "m").map_err(|e| TestCaseError::fail(format!("{e}\n{yaml}")))?, m);
    }
}
