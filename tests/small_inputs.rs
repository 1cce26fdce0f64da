//! Small inputs that people really use: accepted as they mean them, or refused before anything is written, with the line
//! and what to write instead.
use crate::support::{Estate, Stage};
use serde_json::json;
use std::fs;

/// What of a manifest cannot be, and what is said of it.
const REFUSED: &[(&str, &[&str])] = &[
    ("logging: {options: {awslogs-stream-prefix: ecs}}", &["line 4", "awslogs-stream-prefix", "Amazon ECS"]),
    (
        "logging: {options: {awslogs-datetime-format: '%Y-%m-%d', awslogs-multiline-pattern: '^INFO'}}",
        &["line 4", "awslogs-datetime-format", "awslogs-multiline-pattern", "exclude"],
    ),
    ("logging: {driver: gelf, options: {tag: x}}", &["line 4", "gelf-address"]),
    ("health_check: {path: /health, codes: '200, 204'}", &["line 4", "200,204"]),
    ("health_check: {path: /health, codes: '200-600'}", &["line 4", "200-600", "499"]),
    ("policies: [{actions: s3:ListAllMyBuckets, resources: *}]", &["line 4, column", "Quote the value: \"*\""]),
    ("environment: {OWNER: @team}", &["line 4, column", "Quote the value: \"@team\""]),
    ("environment: {FORMAT: %h %l}", &["line 4, column", "Quote the value: \"%h %l\""]),
    ("environment: {CMD: `id`}", &["line 4, column", "Quote the value: \"`id`\""]),
    ("logging: {options: {tag: {{.Name}}/{{.ID}}}}", &["line 4, column", "Quote the value: \"{{.Name}}/{{.ID}}\""]),
    ("environment: {TABLE: !Ref Table}", &["line 4", "Quote the value: \"!Ref Table\""]),
    ("memory_mb: 0512", &["line 4", "leading zero", "512"]),
    ("scaling: {max: 08}", &["line 4", "leading zero", "Write 8"]),
];

#[test]
fn refused_before_anything_is_written() {
    let stage = Stage::new();
    for (line, words) in REFUSED {
        let manifest = stage.manifest("hello", line);
        for dry in [&["--dry-run"][..], &[]] {
            stage.minion(&[&["app", "create", &manifest][..], dry].concat()).fails(2).says(words);
        }
    }
    let leading = stage.file("web.yaml", "application_name: web\nexposed_ports: [08080]\n");
    stage.minion(&["app", "create", &leading, "--dry-run"]).fails(2).says(&[
        "web.yaml, line 2",
        "leading zero",
        "Write 8080",
    ]);
    stage.assert_as_before("manifests that are refused");
}

#[test]
fn codes_and_conditions_reach_aws_as_they_are_written() {
    let stage = Stage::new();
    let manifest = stage.manifest(
        "hello",
        "health_check: {path: /health, codes: '200-399,401'}\n\
         logging: {options: {mode: non-blocking, max-buffer-size: 4m, awslogs-create-group: true, tag: \"{{.Name}}\"}}\n\
         policies:\n\
         - effect: Deny\n  actions: s3:GetObject\n  resources: \"*\"\n  condition:\n    StringEquals:\n      \
         \"aws:PrincipalAccount\": [012345678901]\n      \"aws:PrincipalTag/version\": [1.10]\n      \
         \"aws:PrincipalTag/flag\": [0x10, on, 1_000]\n      \"aws:PrincipalTag/one\": 1.10\n",
    );
    stage.application(&manifest);
    let names = json!({ "RoleName": stage.inventory()["role"][0], "PolicyName": "minion" });
    let document = stage.call("iam", "get_role_policy", names)["PolicyDocument"].to_string();
    for written in
        [r#"["012345678901"]"#, r#"["1.10"]"#, r#"["0x10","on","1_000"]"#, r#""aws:PrincipalTag/one":"1.10""#]
    {
        assert!(document.contains(written), "{written} not in {document}");
    }
    stage.minion(&["app", "update", &manifest, "--dry-run", "--detailed-exitcode"]).exits(0);
    stage.version("hello", "1.0");
    let groups = stage.call("elbv2", "describe_target_groups", json!({}));
    assert_eq!(groups["TargetGroups"][0]["Matcher"]["HttpCode"], "200-399,401");
    // The same again: nothing differs.
    stage.version("hello", "1.0");
}

/// The predecessor stored certificates as a list of addresses.
#[test]
fn an_old_config_tag_does_not_block_anything() {
    let stage = Stage::new();
    let tag = "{nameservers: [192.0.2.53], registry: registry.example.org, cacerts: ['https://example.org/ca.pem']}";
    let tags = json!({ "Resources": [stage.word("vpc")], "Tags": [{ "Key": "Config", "Value": tag }] });
    stage.call("ec2", "create_tags", tags);
    let manifest = stage.manifest("hello", "");
    stage.minion(&["app", "create", &manifest, "--dry-run"]).ok().says(&["`cacerts`", "`Config`"]);
    let run = stage.minion(&["app", "create", &manifest]).ok().says(&["`cacerts`"]);
    assert_eq!(run.stderr.matches("`cacerts`").count(), 2, "said once, with what to do: {}", run.stderr);
    let shown = stage.minion(&["configure", "--dry-run", "--vpc", stage.word("vpc")]).ok();
    assert!(shown.stdout.contains("registry: registry.example.org"), "{}", shown.stdout);
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
}

/// The predecessor's file has the same form, other keys, and passwords.
#[test]
fn a_configuration_file_is_never_quoted() {
    let stage = Stage::new();
    for (text, words) in [
        (
            "default:\n  domain: apps.example.org\n  log_account: acme\n  log_password: hunter2\n",
            &["line 3", "log_account", "minion configure"][..],
        ),
        ("default:\n  log_password: hunter2\n  domain: a\n", &["line 2", "log_password", "minion configure"]),
        ("default:\n  domain: a: hunter2\n", &["line 2", "minion configure"]),
        ("default:\n  domain: *hunter2\n", &["line 2", "minion configure"]),
        ("default:\n  domain: !hunter2 x\n", &["line 2", "minion configure"]),
        ("default:\n  domain: [hunter2]\n", &["line 2", "minion configure"]),
        ("default: hunter2\n", &["line 1", "minion configure"]),
        ("default:\n  domain: 'hunter2\n", &["minion configure"]),
        ("default:\n  domain: \"\\hunter2\"\n", &["line 2", "minion configure"]),
        ("default:\n\tdomain: hunter2\n", &["line 2", "spaces"]),
        ("hunter2\n", &["line 1", "minion configure"]),
    ] {
        let path = stage.file("old.yaml", text);
        for arguments in [&["app"][..], &["configure", "--region", "eu-west-1"], &["configure", "--dry-run"]] {
            let arguments = [&["--config", &path][..], arguments].concat();
            stage.minion(&arguments).fails(2).says(words).says(&["old.yaml"]).hides(&["hunter2"]);
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "the file stays as it is");
        }
    }
}

#[test]
fn files_of_overlord_say_what_to_write() {
    let estate = Estate::new();
    for (lines, words) in [
        ("identity: {account_alias: {team}-prod}\n", &["red.yaml", "line 2", "Quote the value: \"{team}-prod\""][..]),
        ("tags: {owner: @red}\n", &["red.yaml", "line 2", "Quote the value: \"@red\""]),
        ("identity: {trusted: [*]}\n", &["red.yaml", "line 2", "Quote the value: \"*\""]),
        ("zones: 02\n", &["red.yaml", "line 2", "Write 2"]),
        ("tags: {owner: !Ref Owner}\n", &["red.yaml", "line 2", "Quote the value: \"!Ref Owner\""]),
    ] {
        estate.shell().file("teams/red.yaml", format!("team: red\n{lines}"));
        estate.overlord(&["team", "plan", "red"]).fails(2).says(words);
    }
    estate.assert_as_before("team files that are refused");
}
