//! Manifests that were stored by an older version: read without the rules that are newer.
use super::*;

#[test]
fn what_is_stored_is_read_without_newer_rules() {
    // The third: whether no version may be created from it either.
    for (lines, refused, of_version) in [
        ("tags: {Team: checkout}", "`Team`", true),
        ("tags: {'overlord:team': red}", "overlord", true),
        ("tags: {\"ทีม\": platform}", "U+0E35", true),
        ("tags: {a: ' b'}", "space", true),
        ("tags: {a: 'aws:b'}", "aws:", true),
        ("tags: {Stage: a, stage: b}", "`stage`", true),
        ("team_name: \"ทีม\"", "U+0E35", true),
        ("policies: [{actions: 's3:Get Object', resources: '*'}]", "`s3:Get Object`", false),
        ("policies: [{NotAction: 's3:', Resource: '*'}]", "`s3:`", false),
        ("policies: [{actions: 's3:*', resources: bucket}]", "`bucket`", false),
        ("policies: [{sid: A, actions: '*', resources: '*'}, {sid: A, actions: '*', resources: '*'}]", "`A`", false),
        ("logging: {options: {max-size: 10m}}", "max-size", true),
        ("logging: {options: {mode: nonblocking}}", "non-blocking", true),
        ("health_check: {codes: 0200}", "0200", true),
        ("secrets: {A: 'ssm:/a*'}", "not a reference", true),
        ("secrets: {A: 'ssm:a$(id)'}", "not a reference", true),
        ("secrets: {A: 'secretsmanager:a:b'}", "not a reference", true),
        ("secrets: {A: 'arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf:key::'}", "not a reference", true),
        ("secrets: {A: 'arn:aws:ssm:EU-west-1:1:parameter/a'}", "region", true),
        ("secrets: {A: 'arn:aws:ssm:x.evil/:1:parameter/a'}", "region", true),
        ("registry_credentials: {ghcr.io: 'arn:aws:ssm:x.evil/:1:parameter/a'}", "region", true),
        ("registry_credentials: {ghcr.io: 'ssm:/a*'}", "not a reference", true),
        ("environment: {TABLE: !Ref Table}", "!Ref", false),
        ("tags: {a: !Sub b}", "!Sub", false),
        ("application_name: shop--api", "shop--api", false),
    ] {
        let text = match lines.starts_with("application_name") {
            true => format!("exposed_ports: [80]\n{lines}\n"),
            false => format!("{HEAD}{lines}\n"),
        };
        let stored = parse(&text, "stored manifest").unwrap_or_else(|e| panic!("{lines}: {}", words(&e)));
        // What is shown of it is read again.
        assert_eq!(parse(&stored.to_yaml().unwrap(), "again").unwrap(), stored, "{lines}");
        let told = told(&text);
        assert!(told.contains("myapp.yaml, line ") && told.contains(refused), "{lines}: {told}");
        match parse_for_version(&text, "stored manifest") {
            Ok(same) => assert!(!of_version && same == stored, "{lines}"),
            Err(e) => {
                let told = words(&e);
                assert!(of_version && told.contains("stored manifest, line ") && told.contains(refused), "{told}");
                assert!(
                    told.ends_with("Hint: Fix the manifest and run `minion applications update MANIFEST`."),
                    "{told}"
                );
            }
        }
    }
    let dropped = parse(&format!("{HEAD}environment: {{TABLE: !Ref Table, V: !x 1.10}}\n"), "stored manifest").unwrap();
    let values: Vec<&str> = dropped.environment.values().map(|v| v.as_str()).collect();
    assert_eq!(values, ["Table", "1.10"]);
}

/// What never could be stored is no older than the rest: it would be taken for ours.
#[test]
fn tags_of_ours_are_never_read() {
    for key in ["Name", "team", "managed-by", "minion:vpc", "Minion:vpc", "aws:x", "''"] {
        assert!(parse(&format!("{HEAD}tags: {{{key}: x}}\n"), "stored manifest").is_err(), "{key}");
    }
}
