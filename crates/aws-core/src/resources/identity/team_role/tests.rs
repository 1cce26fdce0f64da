use super::*;

fn wanted() -> TeamRole {
    let owner = TeamOwner {
        organization: "acme".parse().unwrap(),
        team: Some("red".parse().unwrap()),
        extra: BTreeMap::from([("cost".into(), "7".into())]),
    };
    TeamRole {
        owner,
        name: "Deployer".into(),
        description: "deploys".into(),
        trust: Trust { principals: vec!["123456789012".into()], ..Trust::default() },
        managed: vec![Managed::Aws("arn:aws:iam::aws:policy/A".into())],
        inline: Some(("p".into(), json!({"Statement": [{"Action": ["a:A", "b:B"]}]}))),
        boundary: None,
        session_hours: 8,
    }
}

fn known(role: &TeamRole) -> Wanted {
    Wanted {
        trust: Some(role.trust.document(None)),
        attached: BTreeSet::from(["arn:aws:iam::aws:policy/A".into()]),
        to_be_made: 0,
        boundary: Some(Some("arn:b".into())),
    }
}

fn live() -> Live {
    Live {
        arn: "arn:r".into(),
        description: "deploys".into(),
        session: Some(8 * 3600),
        trust: json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": ["sts:AssumeRole"]
        }}),
        inline: BTreeMap::from([("p".into(), json!({"Statement": {"Action": ["b:B", "a:A"]}}))]),
        attached: BTreeSet::from(["arn:aws:iam::aws:policy/A".into()]),
        boundary: Some("arn:b".into()),
        profiles: Vec::new(),
        tags: wanted().owner.tags("Deployer"),
    }
}

fn fields(live: &Live, wanted: &Wanted) -> Vec<String> {
    self::wanted().changes(live, wanted).into_iter().map(|c| c.field).collect()
}

#[test]
fn each_part_that_differs_is_a_change() {
    let plain = known(&wanted());
    assert_eq!(fields(&live(), &plain), Vec::<String>::new());
    let trust = json!({"Statement": []});
    assert_eq!(fields(&Live { trust, ..live() }, &plain), ["trust policy"]);
    assert_eq!(fields(&Live { inline: BTreeMap::new(), ..live() }, &plain), ["policy p"]);
    let extra = live().inline.into_iter().chain([("x".into(), json!({}))]).collect();
    assert_eq!(fields(&Live { inline: extra, ..live() }, &plain), ["policy x"]);
    assert_eq!(fields(&Live { attached: ["x".into()].into(), ..live() }, &plain), ["managed policy", "managed policy"]);
    assert_eq!(fields(&Live { boundary: None, ..live() }, &plain), ["permissions boundary"]);
    assert_eq!(fields(&live(), &Wanted { boundary: None, ..known(&wanted()) }), ["permissions boundary"]);
    assert_eq!(fields(&Live { session: Some(3600), ..live() }, &plain), ["session"]);
    assert_eq!(fields(&Live { description: String::new(), ..live() }, &plain), ["description"]);
    let tags = BTreeMap::from([("cost".into(), "8".into())]);
    assert_eq!(fields(&Live { tags, ..live() }, &plain), ["tag cost"]);
}

#[test]
fn what_is_still_to_be_made_is_a_change_too() {
    let unknown = Wanted { trust: None, to_be_made: 1, boundary: Some(None), ..known(&wanted()) };
    assert_eq!(fields(&live(), &unknown), ["trust policy", "managed policy", "permissions boundary"]);
}

#[test]
fn trust_has_a_statement_for_each_kind() {
    let trust = Trust { services: vec!["ec2.amazonaws.com".into()], ..Trust::default() };
    let of = |partition: &str| {
        let saml = SamlArn(format!("arn:{partition}:iam::123456789012:saml-provider/acme"));
        trust.document(Some(&saml))["Statement"].clone()
    };
    let statements = of("aws");
    assert_eq!(statements.as_array().unwrap().len(), 2);
    assert_eq!(statements[0]["Principal"], json!({"Service": ["ec2.amazonaws.com"]}));
    assert_eq!(statements[1]["Action"], "sts:AssumeRoleWithSAML");
    let audience = |s: &Value| s[1]["Condition"]["StringEquals"]["SAML:aud"].as_str().unwrap().to_owned();
    assert_eq!(audience(&statements), "https://signin.aws.amazon.com/saml");
    assert_eq!(audience(&of("aws-cn")), "https://signin.amazonaws.cn/saml");
    assert_eq!(audience(&of("aws-us-gov")), "https://signin.amazonaws-us-gov.com/saml");
}

/// Nobody gets a service to use the role for another account.
#[test]
fn services_act_for_their_account_only() {
    let trust = Trust {
        services: vec!["vpc-flow-logs.amazonaws.com".into()],
        source_account: Some("123456789012".into()),
        principals: vec!["210987654321".into()],
        ..Trust::default()
    };
    let statements = trust.document(None)["Statement"].clone();
    assert_eq!(statements[0]["Condition"], json!({"StringEquals": {"aws:SourceAccount": "123456789012"}}));
    assert_eq!(statements[1].get("Condition"), None, "accounts do not say for whom they act");
    let any = Trust { source_account: None, ..trust };
    assert_eq!(any.document(None)["Statement"][0].get("Condition"), None);
    // One of an earlier version gets it.
    let role = TeamRole { trust: Trust { source_account: Some("123456789012".into()), ..any }, ..wanted() };
    let before = Live { trust: Trust { source_account: None, ..clone(&role.trust) }.document(None), ..live() };
    let changes = role.changes(&before, &known(&role));
    assert_eq!(changes.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["trust policy"]);
}

fn clone(trust: &Trust) -> Trust {
    Trust { services: trust.services.clone(), principals: trust.principals.clone(), ..Trust::default() }
}

#[test]
fn limits_are_checked_before_anything_is_written() {
    wanted().check().unwrap();
    let principals = (0..60).map(|n| format!("arn:aws:iam::123456789012:role/role-{n}")).collect();
    for bad in [
        TeamRole { name: "a b".into(), ..wanted() },
        TeamRole { name: "x".repeat(65), ..wanted() },
        TeamRole { description: "x".repeat(1_001), ..wanted() },
        TeamRole { session_hours: 0, ..wanted() },
        TeamRole { session_hours: 13, ..wanted() },
        TeamRole { inline: Some(("p".into(), json!("x".repeat(policy_rules::INLINE)))), ..wanted() },
        TeamRole { managed: (0..11).map(|n| Managed::Aws(n.to_string())).collect(), ..wanted() },
        TeamRole { trust: Trust::default(), ..wanted() },
        TeamRole { trust: Trust { principals, ..Trust::default() }, ..wanted() },
    ] {
        assert_eq!(bad.check().unwrap_err().kind(), crate::error::Kind::Usage);
    }
}
