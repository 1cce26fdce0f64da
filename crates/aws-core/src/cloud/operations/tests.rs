use super::*;
use std::collections::BTreeSet;

#[test]
fn the_table_is_in_order_and_says_nothing_twice() {
    for rows in services::SERVICES.iter().chain([&ec2::ROWS]) {
        assert!(rows.is_sorted_by(|a, b| a.sdk < b.sdk), "{}", rows[0].service.name);
    }
    assert!(services::SERVICES.is_sorted_by(|a, b| a[0].service.client < b[0].service.client));
    assert_eq!(all().map(|row| row.name).collect::<BTreeSet<_>>().len(), all().count(), "no name twice");
    for row in all() {
        assert!(row.inside.is_sorted_by(|a, b| a.action < b.action), "{}", row.name);
        assert!(row.inside.iter().all(|inside| inside.action != row.action()), "{}", row.name);
        for codes in [row.gone, row.there, row.unseen, row.passes] {
            assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "{}: {codes:?}", row.name);
            assert!(!codes.iter().any(|code| row.service.passes.contains(code)), "{}: of the service", row.name);
        }
        assert!(!row.reads() || row.passes.is_empty() && row.there.is_empty(), "{} reads", row.name);
    }
}

#[test]
fn an_operation_is_found_by_its_names() {
    let actions = |name| checked_inside(name).iter().map(|inside| inside.action).collect::<Vec<_>>();
    assert_eq!(actions("ec2:CreateFlowLogs"), ["ec2:CreateTags", "iam:PassRole"]);
    assert!(actions("elasticloadbalancing:CreateLoadBalancer").contains(&"ec2:GetSecurityGroupsForVpc"));
    assert!(actions("ec2:DescribeVpcs").is_empty() && actions("CreateFlowLogs").is_empty());
    let name = |row: Option<&Operation>| row.map(|row| row.name);
    assert_eq!(name(find("s3:ListObjectVersions")), Some("s3:ListBucketVersions"));
    assert_eq!(name(sent("S3 Control", "GetPublicAccessBlock")), Some("s3:GetAccountPublicAccessBlock"));
    assert_eq!(name(sent("IAM", "CreateSAMLProvider")), Some("iam:CreateSAMLProvider"));
    assert_eq!(find("iam:CreateSAMLProvider").unwrap().call(), ("iam", "create_saml_provider"));
    assert_eq!(name(sent("EC2", "CreateUser")), None);
    assert_eq!(find("budgets:DescribeBudget").unwrap().action(), "budgets:ViewBudget");
}

/// How AWS names operations tells how often they may be done: a row that says otherwise is a slip.
#[test]
fn names_do_not_contradict_the_effects() {
    const READS: [&str; 3] = ["Describe", "Get", "List"];
    const SETS: [&str; 5] = ["Modify", "Put", "Set", "Tag", "Update"];
    for row in all() {
        let begins = |words: &[&str]| words.iter().any(|word| row.sdk.starts_with(word));
        let (reads, sets, ends) = (begins(&READS), begins(&SETS), begins(&["Delete", "Terminate"]));
        match row.effect {
            Effect::Read => assert!(reads || row.name == "sts:AssumeRole", "{}", row.name),
            Effect::Set => assert!(sets || row.sdk.contains("Tag"), "{}", row.name),
            Effect::End => assert!(ends, "{}", row.name),
            Effect::Make => assert!(!reads && !sets && !ends, "{}", row.name),
        }
    }
}
