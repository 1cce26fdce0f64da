//! Manifests that were stored by an older version: read without the rules that are newer.
use super::*;

#[test]
fn what_is_stored_is_read_without_newer_rules() {
    for (lines, refused) in [
        ("tags: {Team: checkout}", "`Team`"),
        ("tags: {'overlord:team': red}", "overlord"),
        ("tags: {\"ทีม\": platform}", "U+0E35"),
        ("tags: {a: ' b'}", "space"),
        ("tags: {a: 'aws:b'}", "aws:"),
        ("tags: {Stage: a, stage: b}", "`stage`"),
        ("team_name: \"ทีม\"", "U+0E35"),
        ("policies: [{actions: 's3:Get Object', resources: '*'}]", "`s3:Get Object`"),
        ("policies: [{NotAction: 's3:', Resource: '*'}]", "`s3:`"),
        ("policies: [{actions: 's3:*', resources: bucket}]", "`bucket`"),
        ("policies: [{sid: A, actions: '*', resources: '*'}, {sid: A, actions: '*', resources: '*'}]", "`A`"),
        ("logging: {options: {max-size: 10m}}", "max-size"),
        ("logging: {options: {mode: nonblocking}}", "non-blocking"),
        ("health_check: {codes: 0200}", "0200"),
        ("secrets: {A: 'ssm:/a*'}", "not a reference"),
        ("secrets: {A: 'ssm:a$(id)'}", "not a reference"),
        ("secrets: {A: 'secretsmanager:a:b'}", "not a reference"),
        ("secrets: {A: 'arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf:key::'}", "not a reference"),
        ("secrets: {A: 'arn:aws:ssm:EU-west-1:1:parameter/a'}", "region"),
        ("environment: {TABLE: !Ref Table}", "!Ref"),
        ("tags: {a: !Sub b}", "!Sub"),
        ("application_name: shop--api", "shop--api"),
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
