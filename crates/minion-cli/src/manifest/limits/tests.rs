//! Each rule with what it lets through, what it refuses, and the line.
use crate::manifest::{limits, parse, parse_new};
use serde_json::json;

const HEAD: &str = "application_name: web\nexposed_ports: [8080]\n";

/// What is wrong with a manifest of the two usual lines and these.
fn told(more: &str) -> String {
    parse_new(&format!("{HEAD}{more}"), "m.yaml").map_or_else(|e| e.to_string(), |_| String::new())
}

/// Each line of `good` is taken; each of `bad` is refused with these words, at that line.
fn table(good: &[&str], bad: &[(&str, usize, &[&str])]) {
    for text in good {
        assert_eq!(told(text), "", "{text}");
    }
    for (text, line, words) in bad {
        let told = told(text);
        assert!(told.contains(&format!("m.yaml, line {line},")), "{text}: {told}");
        for word in *words {
            assert!(told.contains(word), "{text}: no `{word}` in: {told}");
        }
    }
}

#[test]
fn tag_keys_that_iam_takes_for_one() {
    table(
        &[
            "tags: {Stage: live, stages: live}",
            "tags: {Teams: a, teamwork: b}",
            "tags: {cost-center: '7', cost_center: '7'}",
        ],
        &[
            ("team_name: checkout\ntags: {Team: checkout}", 4, &["`Team`", "`team`", "upper and lower case"]),
            ("tags:\n  Stage: live\n  stage: live", 5, &["`stage`", "`Stage`"]),
            ("tags: {name: shop}", 3, &["`name`", "`Name`"]),
            ("tags: {NAME: shop}", 3, &["`NAME`"]),
            ("tags: {TEAM: a}", 3, &["`TEAM`"]),
            ("tags: {Managed-By: me}", 3, &["`managed-by`"]),
            ("tags: {'Minion:vpc': me}", 3, &["minion"]),
            ("tags: {'overlord:team': red}", 3, &["overlord"]),
            ("tags:\n  Ära: a\n  ära: b", 5, &["`ära`"]),
        ],
    );
}

#[test]
fn characters_of_tags_and_teams() {
    table(
        &[
            "tags: {Zürich: Genève}",
            "team_name: Zürich",
            "tags: {東京: 大阪}",
            "tags: {'a b': 'c=d@e:f/g+h.i_j-k'}",
            "tags: {empty: ''}",
        ],
        &[
            ("tags: {\"ทีม\": platform}", 3, &["U+0E35", "tag key"]),
            ("tags:\n  a: b\n  team-th: \"ทีม\"", 5, &["U+0E35", "tag value"]),
            ("team_name: \"ทีม\"", 3, &["U+0E35"]),
            ("team_name: \"हिन्दी\"", 3, &["U+093F"]),
            ("tags: {\"Zu\u{308}rich\": a}", 3, &["U+0308"]),
            ("tags: {a: \"1\u{200b}2\"}", 3, &["U+200B"]),
            ("tags: {a: '50%'}", 3, &["U+0025"]),
            ("tags: {a: 'x '}", 3, &["space"]),
            ("tags: {a: 'aws:x'}", 3, &["aws:"]),
            ("tags: {'AWS:x': a}", 3, &["aws:"]),
        ],
    );
}

#[test]
fn names_for_which_no_version_can_exist() {
    let named = |name: &str| {
        parse_new(&format!("team_name: a\napplication_name: {name}\nexposed_ports: [80]\n"), "m.yaml")
            .map_or_else(|e| e.to_string(), |_| String::new())
    };
    for good in ["shop-api", "a", &"a".repeat(61)] {
        assert_eq!(named(good), "", "{good}");
    }
    for bad in ["shop--api", "a---b", &"a".repeat(62), &"a".repeat(63), &format!("a--{}", "b".repeat(40))] {
        let told = named(bad);
        assert!(told.contains("m.yaml, line 2,") && told.contains(bad), "{bad}: {told}");
        // Made before, it can still be read: to be looked at and deleted.
        parse(&format!("application_name: {bad}\nexposed_ports: [80]\n"), "stored manifest").unwrap();
    }
}

#[test]
fn sids_and_resources() {
    let statement =
        |sid: &str, resource: &str| format!("- {{sid: {sid}, actions: 's3:GetObject', resources: '{resource}'}}\n");
    let two = |a: String, b: String| format!("policies:\n{a}{b}");
    assert_eq!(told(&two(statement("A", "*"), statement("a", "arn:aws:s3:::b/*"))), "");
    for sid in crate::graph::policy::OUR_SIDS {
        let told = told(&two(statement("A", "*"), statement(sid, "*")));
        assert!(told.contains("line 5,") && told.contains(sid), "{told}");
    }
    let twice = told(&two(statement("A", "*"), statement("A", "*")));
    assert!(twice.contains("line 5,") && twice.contains("`A`"), "{twice}");
    table(
        &[
            "policies: [{actions: 's3:*', resources: ['*', 'arn:aws:s3:::bucket/*']}]",
            "policies: [{Action: 'dynamodb:*', Resource: 'arn:aws:dynamodb:*:123456789012:table/${aws:PrincipalTag/team}'}]",
            "policies: [{actions: '*', not_resources: 'arn:aws:iam::*:role/x'}]",
        ],
        &[
            ("policies:\n- actions: 's3:*'\n  resources:\n  - '*'\n  - bucket", 7, &["`bucket`", "ARN"]),
            ("policies:\n- Action: 's3:*'\n  Resource: bucket", 5, &["`bucket`"]),
            ("policies:\n- actions: 's3:*'\n  not_resources: ['s3:::b']", 5, &["`s3:::b`"]),
            ("policies: [{actions: 's3:*', resources: 'arn:aws'}]", 3, &["ARN"]),
            ("policies: [{actions: 's3:*', resources: 'arn:aws:*:::b'}]", 3, &["wildcards"]),
            ("policies: [{actions: 's3:*', resources: 'arn:amazon:s3:::b'}]", 3, &["partition"]),
            ("policies: [{actions: 's3:*', resources: 'arn:aws:s3:::日本'}]", 3, &["U+65E5"]),
            (
                "policies: [{actions: 's3:*', resources: '*', condition: {StringEquals: {'aws:PrincipalTag/a': 日本}}}]",
                3,
                &["U+65E5"],
            ),
            ("policies: [{actions: 's3: GetObject', resources: '*'}]", 3, &["`s3: GetObject`"]),
        ],
    );
}

#[test]
fn names_of_secrets() {
    table(
        &[
            "secrets: {A: 'ssm:/a/b.c-d_e', B: 'secretsmanager:a/b@c#key', C: 'ssm:/a:3', D: 'secretsmanager:rds!db-1'}",
            "secrets: {A: 'arn:aws:ssm:eu-west-1:123456789012:parameter/a'}",
        ],
        &[
            ("secrets: {A: 'ssm:/a*'}", 3, &["`ssm:/a*`", "not a reference"]),
            ("secrets:\n  A: 'ssm:/a'\n  B: 'ssm:/a?'", 5, &["`ssm:/a?`"]),
            ("secrets: {A: 'secretsmanager:*'}", 3, &["not a reference"]),
            ("secrets: {A: 'secretsmanager:a:b'}", 3, &["not a reference"]),
            ("secrets: {A: 'arn:aws:ssm:eu-west-1:123456789012:parameter/*'}", 3, &["not a reference"]),
        ],
    );
    assert!(told(&format!("secrets: {{A: 'ssm:{}'}}", "a".repeat(1012))).contains("1,011"));
    assert!(told(&format!("secrets: {{A: 'secretsmanager:{}'}}", "a".repeat(513))).contains("512"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let told =
        told("tags:\n  Stage: a\n  stage: b\npolicies:\n- {sid: PullImages, actions: 's3:*', resources: bucket}\n");
    for part in ["line 5,", "line 7,", "`PullImages`", "`bucket`", "`stage`"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn managed_policies_by_the_accounts_quota() {
    let manifest = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("P{n}")).collect();
        parse_new(&format!("{HEAD}managed_policies: [{}]\n", names.join(", ")), "m.yaml").unwrap()
    };
    for (count, quota, fine) in [
        (10, Some(10), true),
        (11, Some(10), false),
        (11, Some(20), true),
        (10, None, true),
        (11, None, false),
        (26, Some(25), false),
    ] {
        assert_eq!(limits::attached(&manifest(count), quota).is_none(), fine, "{count} of {quota:?}");
        assert_eq!(limits::asks_for_quota(&manifest(count)), count > 10);
    }
    assert!(limits::attached(&manifest(11), None).unwrap().message.contains("iam:GetAccountSummary"));
    // The same one twice is one.
    let twice = parse_new(&format!("{HEAD}managed_policies: [{}]\n", ["A"; 12].join(", ")), "m.yaml").unwrap();
    assert!(limits::attached(&twice, None).is_none());
}

#[test]
fn a_policy_that_is_too_large_with_ours() {
    let policy = |size: usize| json!({"Statement": [{"Resource": "x".repeat(size)}]});
    let frame = policy(0).to_string().len();
    assert!(limits::inline(&policy(10_240 - frame)).is_none());
    assert!(limits::inline(&policy(10_241 - frame)).unwrap().message.contains("10241"));
}
