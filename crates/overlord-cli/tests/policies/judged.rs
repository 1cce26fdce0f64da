//! Every policy that we write, by AWS's service authorization reference: what an action does not know, IAM takes all the
//! same, and it then means nothing.
use crate::{
    ACCOUNT, input,
    judges::{Reference, faults, looks_denied},
};
use aws_core::{
    cloud::operations,
    resources::{
        guard::trail_bucket,
        identity::{saml_provider::SamlArn, team_role::Trust},
        role::instances_may_assume,
    },
};
use minion::{graph::policy as application, manifest};
use overlord::policies::{self, Input};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Boundary and roles: with and without domains and a trail, in each partition.
fn of_a_team() -> BTreeMap<String, Value> {
    let plain = Input { domains: &[], parents: &[], trail_bucket: None, ..input() };
    let partition = |partition, boundary_arn| Input { partition, boundary_arn, ..input() };
    let inputs = [
        ("", input()),
        (" without domains", plain),
        (" in China", partition("aws-cn", "arn:aws-cn:iam::123456789012:policy/overlord-boundary")),
        (" in GovCloud", partition("aws-us-gov", "arn:aws-us-gov:iam::123456789012:policy/overlord-boundary")),
    ];
    let mut all = BTreeMap::new();
    for (of, input) in inputs {
        for (name, policy) in [
            ("boundary", policies::boundary(&input)),
            (policies::ADMINISTRATOR, policies::administrator(&input)),
            (policies::POWER_USER, policies::power_user(&input)),
            (policies::READ_ONLY, policies::read_only(&input)),
            (policies::DEPLOYER, policies::deployer(&input)),
        ] {
            all.insert(format!("{name}{of}"), policy);
        }
        let group = format!("arn:{}:logs:eu-west-1:{ACCOUNT}:log-group:/overlord/red/flow-logs", input.partition);
        all.insert(format!("flow logs{of}"), policies::flow_logs(&group));
    }
    for region in ["eu-west-1", "cn-north-1", "us-gov-west-1"] {
        all.insert(
            format!("trail bucket in {region}"),
            trail_bucket::policy("acme-trail", "overlord", ACCOUNT, region),
        );
    }
    all
}

/// Who may assume roles.
fn of_trust() -> BTreeMap<String, Value> {
    let saml = SamlArn(format!("arn:aws:iam::{ACCOUNT}:saml-provider/acme"));
    let people = Trust { principals: vec![ACCOUNT.into()], ..Trust::default() };
    let services = Trust {
        services: vec!["vpc-flow-logs.amazonaws.com".into()],
        source_account: Some(ACCOUNT.into()),
        ..Trust::default()
    };
    [
        ("trust of people", people.document(Some(&saml))),
        ("trust of the flow logs", services.document(None)),
        ("trust of instances", instances_may_assume()),
    ]
    .map(|(name, policy)| (name.to_owned(), policy))
    .into()
}

/// The roles of applications: each example, with all that a manifest's own `policies` say.
fn of_applications() -> BTreeMap<String, Value> {
    let files = fs::read_dir(root().join("examples/manifests")).unwrap().map(|file| file.unwrap().path());
    // `overlord`'s.
    let files = files.filter(|file| !file.ends_with("team.yaml"));
    let files = files.chain([root().join("examples/hello/manifest.yaml")]);
    let mut all = BTreeMap::new();
    for file in files.filter(|file| file.extension().is_some_and(|e| e == "yaml")) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest = manifest::parse(&fs::read_to_string(&file).unwrap(), &name).unwrap();
        for region in ["eu-west-1", "cn-north-1"] {
            let at = application::Location { region, account: ACCOUNT };
            all.insert(format!("{name} in {region}"), application::policy(&manifest, &at, None));
        }
    }
    all
}

/// What users are told to attach.
fn of_pages() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for page in ["permissions.md", "overlord-permissions.md"] {
        let text = fs::read_to_string(root().join("docs").join(page)).unwrap();
        let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        for (n, block) in blocks.enumerate() {
            all.insert(format!("{page} {n}"), serde_json::from_str(block).unwrap());
        }
    }
    all
}

#[test]
fn every_policy_can_be_meant() {
    let reference = Reference::open();
    let all: Vec<_> = [of_a_team(), of_trust(), of_applications(), of_pages()].into_iter().flatten().collect();
    assert!(all.len() > 40, "{}", all.len());
    let found = all
        .iter()
        .flat_map(|(name, policy)| faults(&reference, policy).into_iter().map(move |fault| format!("{name}: {fault}")));
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A boundary that denies what only looks keeps people from more than it is for.
#[test]
fn the_boundary_denies_nothing_that_only_looks() {
    let reference = Reference::open();
    for (name, policy) in of_a_team().iter().filter(|(name, _)| name.starts_with("boundary")) {
        assert_eq!(looks_denied(&reference, policy), BTreeSet::new(), "{name}");
    }
    let before = serde_json::json!({ "Statement": [{ "Effect": "Deny", "Action": "ec2:*Vpc", "Resource": "*" }] });
    assert_eq!(looks_denied(&reference, &before), BTreeSet::from(["ec2:GetSecurityGroupsForVpc".to_owned()]));
}

/// Operations and what is checked inside them are AWS's.
#[test]
fn the_table_of_operations_names_actions_that_exist() {
    let reference = Reference::open();
    let actions = operations::all().flat_map(|row| row.inside.iter().map(|i| i.action).chain([row.action()]));
    let lacking: BTreeSet<&str> = actions.filter(|action| reference.action(action).is_none()).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

/// Calls that could tag what they create, and do not.
const UNTAGGED: [(&str, &str); 5] = [
    ("ec2:AuthorizeSecurityGroupIngress", "rules are told by their descriptions"),
    ("ec2:CreateRoute", "a route has no tags"),
    ("ec2:CreateVpnConnectionRoute", "a route has no tags"),
    ("organizations:CreateAccount", "an account is the organization's"),
    ("s3:CreateBucket", "a bucket gets its tags in a call of its own"),
];

/// "Grant permission to tag resources during creation": with tags in the creating call, AWS checks the action that tags.
#[test]
fn what_is_created_with_tags_says_so() {
    let reference = Reference::open();
    let mut lacking = Vec::new();
    for row in operations::all() {
        let operation = row.name;
        let Some(action) = reference.action(row.name) else { continue };
        let tags = |name: &str| name.contains(":Tag") || name.contains(":AddTags") || name.contains(":CreateTags");
        // The reference lists this key with resources, too: then also actions know it that create nothing.
        let creates = ["Allocate", "Authorize", "Create", "Put", "Request", "Run"];
        let creates = operation.split(':').nth(1).is_some_and(|name| creates.iter().any(|verb| name.starts_with(verb)));
        if !creates || !action.knows("aws:RequestTag/team") || tags(operation) {
            continue;
        }
        let tagging = row.inside.iter().any(|inside| tags(inside.action) || inside.action.ends_with("OrUpdateTags"));
        if tagging == UNTAGGED.iter().any(|(untagged, _)| *untagged == operation) {
            lacking.push(operation);
        }
    }
    assert!(operations::all().count() > 150 && lacking.is_empty(), "{lacking:?}");
}
