//! What watches over a team's account, on an emulator of AWS.

mod unemulated;

use crate::support::{self, Way};
use aws_core::{
    cloud::Cloud,
    engine::{Graph, Mode, Quiet, World as _, run},
    error::Kind,
    model::TeamOwner,
    resources::guard::{
        budget::MonthlyBudget,
        cost_tags::CostTags,
        ebs_encryption::EbsEncryption,
        metadata_defaults::MetadataDefaults,
        public_access::PublicAccess,
        trail::AuditTrail,
        trail_bucket::{Bucket, OldBucket, TrailBucket},
    },
};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use serde_json::Value;
use std::collections::BTreeMap;

/// The emulator's.
const ACCOUNT: &str = "123456789012";

fn owner(team: &str) -> TeamOwner {
    TeamOwner {
        organization: "acme".parse().unwrap(),
        team: Some(team.parse().unwrap()),
        extra: BTreeMap::from([("cost".into(), "7".into())]),
    }
}

fn bucket(team: &str, name: &str) -> Bucket {
    Bucket { owner: owner(team), name: name.into(), account: ACCOUNT.into() }
}

fn audit(team: &str, name: &str) -> Graph<Cloud> {
    audit_for(team, name, None)
}

/// The same, with days that somebody chose.
fn audit_for(team: &str, name: &str, days: Option<i32>) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let bucket = graph.add(TrailBucket { bucket: bucket(team, name), trail: name.into(), days });
    graph.add(AuditTrail { owner: owner(team), name: name.into(), bucket });
    graph
}

/// Neither trail nor bucket, but for one that holds logs which are to be kept.
fn no_audit(team: &str, name: &str, keep_logs: bool) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let bucket = graph.absent(OldBucket { bucket: bucket(team, name), keep_logs });
    graph.absent(AuditTrail { owner: owner(team), name: name.into(), bucket });
    graph
}

#[tokio::test]
async fn a_trail_lives_and_dies_with_its_bucket() {
    let cloud = support::cloud().await;
    let name = support::unique("acme-life-trail");
    support::lifecycle(&audit("red", &name), &cloud).await;
}

#[tokio::test]
async fn the_first_region_of_all_takes_no_location() {
    let cloud = support::cloud().await.in_region("us-east-1");
    let name = support::unique("acme-virginia-trail");
    support::lifecycle(&audit("red", &name), &cloud).await;
}

#[tokio::test]
async fn damage_to_the_trail_is_repaired() {
    let cloud = support::cloud().await;
    let name = support::unique("acme-damage-trail");
    let graph = audit("red", &name);
    support::apply(&graph, &cloud).await;
    let status = cloud.cloudtrail().get_trail_status().name(&name).send().await.unwrap();
    assert_eq!(status.is_logging, Some(true));

    cloud.cloudtrail().stop_logging().name(&name).send().await.unwrap();
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("~ logging: no -> yes"), "{text}");

    let call = cloud.cloudtrail().update_trail().name(&name).enable_log_file_validation(false);
    call.is_multi_region_trail(false).send().await.unwrap();
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("~ all regions: no -> yes; log file validation: no -> yes"), "{text}");

    cloud.cloudtrail().delete_trail().name(&name).send().await.unwrap();
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains(&format!("audit trail {name}: + create")), "{text}");
}

#[tokio::test]
async fn damage_to_the_bucket_is_repaired() {
    let cloud = support::cloud().await;
    let name = support::unique("acme-mend-trail");
    let graph = audit("red", &name);
    support::apply(&graph, &cloud).await;
    let s3 = cloud.s3();

    let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    s3.put_bucket_versioning().bucket(&name).versioning_configuration(off).send().await.unwrap();
    s3.delete_public_access_block().bucket(&name).send().await.unwrap();
    s3.delete_bucket_policy().bucket(&name).send().await.unwrap();
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(
        text.contains("~ versioning: off -> on; public access: possible -> blocked; policy: - -> for trail"),
        "{text}"
    );
    let policy = s3.get_bucket_policy().bucket(&name).send().await.unwrap();
    let policy: Value = serde_json::from_str(policy.policy().unwrap()).unwrap();
    let arn = format!("arn:aws:cloudtrail:{}:{ACCOUNT}:trail/{name}", support::REGION);
    assert_eq!(policy["Statement"][1]["Condition"]["StringEquals"]["aws:SourceArn"], arn.as_str());
}

#[tokio::test]
async fn log_files_expire_and_other_rules_of_the_bucket_stay() {
    use aws_sdk_s3::types::{
        BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    };
    let cloud = support::cloud().await;
    let name = support::unique("acme-expiry-trail");
    support::apply(&audit("red", &name), &cloud).await;
    let s3 = cloud.s3();
    let read = async || {
        let answer = s3.get_bucket_lifecycle_configuration().bucket(&name).send().await.unwrap();
        let mut rules: Vec<(String, Option<i32>)> = answer
            .rules()
            .iter()
            .map(|r| (r.id().unwrap().to_owned(), r.expiration().and_then(|e| e.days())))
            .collect();
        rules.sort();
        rules
    };
    assert_eq!(read().await, [("overlord-audit-trail".to_owned(), Some(400))]);
    assert!(support::text(&support::apply(&audit("red", &name), &cloud).await).contains("= keep"));

    // A bucket that was made before there was a rule, or whose rules somebody else writes.
    let put = async |rules: Vec<LifecycleRule>| {
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
        s3.put_bucket_lifecycle_configuration().bucket(&name).lifecycle_configuration(all).send().await.unwrap();
    };
    let rule = |id: &str, days: i32| {
        let rule = LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled);
        let rule = rule.filter(LifecycleRuleFilter::builder().prefix("theirs/").build());
        rule.expiration(LifecycleExpiration::builder().days(days).build()).build().unwrap()
    };
    let chosen = audit_for("red", &name, Some(400));
    for (theirs, change) in [
        (vec![rule("theirs", 9)], "log files expire: never -> after 400 days"),
        (vec![rule("theirs", 9), rule("overlord-audit-trail", 3)], "log files expire: after 3 days -> after 400 days"),
    ] {
        put(theirs).await;
        let text = support::text(&support::apply(&chosen, &cloud).await);
        assert!(text.contains(change), "{text}");
        assert_eq!(read().await, [("overlord-audit-trail".to_owned(), Some(400)), ("theirs".to_owned(), Some(9))]);
    }
    s3.delete_bucket_lifecycle().bucket(&name).send().await.unwrap();
    // Nobody chose that its log files expire: they stay.
    assert!(support::text(&support::apply(&audit("red", &name), &cloud).await).contains("= keep"));
    assert!(s3.get_bucket_lifecycle_configuration().bucket(&name).send().await.is_err(), "no rule was written");
    let text = support::text(&support::apply(&chosen, &cloud).await);
    assert!(text.contains("log files expire: never -> after 400 days"), "{text}");
}

#[tokio::test]
async fn a_plan_warns_of_log_files_that_never_expire() {
    use aws_sdk_s3::types::{
        BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    };
    let cloud = support::cloud().await;
    let name = support::unique("acme-forever-trail");
    support::apply(&audit("red", &name), &cloud).await;
    let warnings = async |days: Option<i32>| {
        cloud.forget();
        let warned = support::Warned::default();
        let graph = audit_for("red", &name, days);
        assert!(Way::Plan.run(&graph, &cloud, &warned).await.complete());
        warned.texts()
    };
    assert_eq!(warnings(None).await, [""; 0], "our rule lets them expire");
    let s3 = cloud.s3();
    s3.delete_bucket_lifecycle().bucket(&name).send().await.unwrap();
    let [warning] = &warnings(None).await[..] else { panic!("one warning") };
    for words in [name.as_str(), "are kept forever", "`audit_trail_days: 400`", "`audit_trail_days: 36500`"] {
        assert!(warning.contains(words), "{warning}");
    }
    assert_eq!(warnings(Some(36_500)).await, [""; 0], "somebody chose that");
    for (prefix, count) in [("theirs/", 1), ("", 0), ("AWSLogs/", 0)] {
        let rule = LifecycleRule::builder().id("theirs").status(ExpirationStatus::Enabled);
        let rule = rule.filter(LifecycleRuleFilter::builder().prefix(prefix).build());
        let rule = rule.expiration(LifecycleExpiration::builder().days(90).build()).build().unwrap();
        let all = BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
        s3.put_bucket_lifecycle_configuration().bucket(&name).lifecycle_configuration(all).send().await.unwrap();
        assert_eq!(warnings(None).await.len(), count, "{prefix}");
    }
}

#[tokio::test]
async fn tags_that_somebody_added_stay() {
    let cloud = support::cloud().await;
    let name = support::unique("acme-tags-trail");
    support::apply(&audit("red", &name), &cloud).await;
    let tagging = cloud.s3().get_bucket_tagging().bucket(&name).send().await.unwrap();
    let tag = |k: &str, v: &str| aws_sdk_s3::types::Tag::builder().key(k).value(v).build().unwrap();
    let mut tags: Vec<_> = tagging.tag_set().iter().filter(|t| t.key() != "cost").cloned().collect();
    tags.extend([tag("cost", "8"), tag("mine", "1")]);
    let tagging = aws_sdk_s3::types::Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
    cloud.s3().put_bucket_tagging().bucket(&name).tagging(tagging).send().await.unwrap();
    let text = support::text(&support::apply(&audit("red", &name), &cloud).await);
    assert!(text.contains("~ tag cost: 8 -> 7"), "{text}");
    let now = cloud.s3().get_bucket_tagging().bucket(&name).send().await.unwrap();
    assert!(now.tag_set().iter().any(|t| t.key() == "mine"));
}

#[tokio::test]
async fn a_foreign_bucket_and_a_foreign_trail_are_refused() {
    let cloud = support::cloud().await;
    let name = support::unique("acme-foreign-trail");
    support::apply(&audit("blue", &name), &cloud).await;
    for mode in [Way::Apply, Way::Destroy] {
        let report = support::go(&audit("red", &name), &cloud, mode).await;
        let refused = report.failures().next().unwrap().1;
        assert_eq!(refused.kind(), Kind::Refused);
        assert!(refused.to_string().contains("team blue"), "{refused}");
    }
    // A trail of our name that writes to somebody else's bucket.
    let other = support::unique("acme-other-bucket");
    let mut graph = Graph::default();
    let trail = TrailBucket { bucket: bucket("red", &other), trail: name.clone(), days: Some(400) };
    let bucket = graph.add(trail);
    graph.add(AuditTrail { owner: owner("red"), name: name.clone(), bucket });
    let report = support::go(&graph, &cloud, Way::Apply).await;
    let text = support::text(&report);
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused, "{text}");
    assert!(cloud.s3().get_bucket_policy().bucket(&name).send().await.is_ok(), "what is theirs is as it was");
}

#[tokio::test]
async fn a_bucket_with_logs_is_kept_unless_they_may_go() {
    let cloud = support::cloud().await;
    let name = support::unique("acme-logs-trail");
    support::apply(&audit("red", &name), &cloud).await;
    // The emulator does not read a policy's conditions: ours would keep out everybody.
    cloud.s3().delete_bucket_policy().bucket(&name).send().await.unwrap();
    for key in ["a", "a", "b"] {
        cloud.s3().put_object().bucket(&name).key(key).body(b"log".to_vec().into()).send().await.unwrap();
    }
    // A deletion marker counts, too.
    cloud.s3().delete_object().bucket(&name).key("b").send().await.unwrap();
    for way in [Way::Plan, Way::Apply] {
        let report = support::done(&no_audit("red", &name, true), &cloud, way).await;
        let text = support::text(&report);
        assert!(text.contains(&format!("bucket {name}: = left, because log files are in it")), "{text}");
        assert_eq!(report.changes(), 1, "what is kept holds nothing up:\n{text}");
    }
    let left = cloud.s3().list_object_versions().bucket(&name).send().await.unwrap();
    assert_eq!((left.versions().len(), left.delete_markers().len()), (3, 1));
    let report = support::done(&no_audit("red", &name, false), &cloud, Way::Apply).await;
    assert_eq!(report.changes(), 1, "the trail is gone already");
    assert_eq!(support::done(&no_audit("red", &name, false), &cloud, Way::Apply).await.changes(), 0);
}

fn only(
    resource: impl aws_core::engine::Resource<Identity: aws_core::engine::Identity<Cloud = Cloud>>,
) -> Graph<Cloud> {
    let mut graph = Graph::default();
    graph.add(resource);
    graph
}

#[tokio::test]
async fn ebs_encryption_is_taken_back_only_when_asked() {
    // A region of its own: the setting is one in each.
    let cloud = support::cloud().await.in_region("eu-central-1");
    support::lifecycle(&only(EbsEncryption { restore: true }), &cloud).await;
    support::apply(&only(EbsEncryption { restore: false }), &cloud).await;
    cloud.ec2().disable_ebs_encryption_by_default().send().await.unwrap();
    let text = support::text(&support::apply(&only(EbsEncryption { restore: false }), &cloud).await);
    assert!(text.contains("+ create"), "{text}");
    support::done(&only(EbsEncryption { restore: false }), &cloud, Way::Destroy).await;
    let now = cloud.ec2().get_ebs_encryption_by_default().send().await.unwrap();
    assert_eq!(now.ebs_encryption_by_default, Some(true));
}

#[tokio::test]
async fn public_access_is_blocked_and_taken_back_only_when_asked() {
    let cloud = support::cloud().await;
    let wanted = |restore| only(PublicAccess { account: ACCOUNT.into(), restore });
    support::lifecycle(&wanted(true), &cloud).await;
    let some = PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(false);
    let some = some.block_public_policy(true).restrict_public_buckets(false).build();
    let call = cloud.s3control().put_public_access_block().account_id(ACCOUNT);
    call.public_access_block_configuration(some).send().await.unwrap();
    let text = support::text(&support::apply(&wanted(false), &cloud).await);
    assert!(text.contains("~ IgnorePublicAcls: off -> on; RestrictPublicBuckets: off -> on"), "{text}");
    support::done(&wanted(false), &cloud, Way::Destroy).await;
    assert!(cloud.s3control().get_public_access_block().account_id(ACCOUNT).send().await.is_ok(), "it stays");
}

#[tokio::test]
async fn metadata_defaults() {
    let (cloud, aws) = unemulated::cloud().await;
    support::lifecycle(&only(MetadataDefaults { restore: true }), &cloud).await;
    aws.lock().unwrap().metadata = BTreeMap::from([("HttpTokens".into(), "optional".into())]);
    let text = support::text(&support::apply(&only(MetadataDefaults { restore: false }), &cloud).await);
    assert!(text.contains("~ IMDSv2: optional -> required; hop limit: - -> 2"), "{text}");
    // A stricter limit stays, whatever else is mended.
    let strict = [("HttpTokens", "optional"), ("HttpPutResponseHopLimit", "1")];
    aws.lock().unwrap().metadata = strict.map(|(k, v)| (k.into(), v.into())).into();
    let text = support::text(&support::apply(&only(MetadataDefaults { restore: false }), &cloud).await);
    assert!(text.contains("~ IMDSv2: optional -> required") && !text.contains("hop limit"), "{text}");
    assert_eq!(aws.lock().unwrap().metadata["HttpPutResponseHopLimit"], "1");
    support::done(&only(MetadataDefaults { restore: false }), &cloud, Way::Destroy).await;
    assert_eq!(aws.lock().unwrap().metadata["HttpTokens"], "required", "it stays");
}

#[tokio::test]
async fn cost_tags_are_activated_once_billing_has_seen_them() {
    let (cloud, aws) = unemulated::cloud().await;
    let graph = only(CostTags { keys: vec!["team".into(), "unseen".into()] });
    assert_eq!(support::apply(&graph, &cloud).await.changes(), 0, "a tag that billing has not seen is no change");
    aws.lock().unwrap().cost_tags = BTreeMap::from([("team".into(), false), ("other".into(), false)]);
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("~ cost allocation by team: off -> on"), "{text}");
    // A survey looks before the run does: both are one request.
    cloud.forget();
    let before = aws.lock().unwrap().cost_reads;
    for _ in 0..2 {
        assert!(run(&graph, &cloud, Mode::Plan, &support::options(), &Quiet).await.complete());
    }
    assert_eq!(aws.lock().unwrap().cost_reads - before, 1, "each request is billed");
    support::done(&graph, &cloud, Way::Destroy).await;
    assert_eq!(aws.lock().unwrap().cost_tags, BTreeMap::from([("team".into(), true), ("other".into(), false)]));
}

#[tokio::test]
async fn a_budget_lives_follows_and_dies() {
    let (cloud, aws) = unemulated::cloud().await;
    let budget = |usd, notify: &[&str]| {
        let notify = notify.iter().map(|a| (*a).to_owned()).collect();
        only(MonthlyBudget { account: ACCOUNT.into(), name: "acme-red".into(), usd, notify })
    };
    support::lifecycle(&budget(100, &["a@example.org"]), &cloud).await;
    support::apply(&budget(100, &["a@example.org"]), &cloud).await;
    let text = support::text(&support::apply(&budget(250, &["b@example.org"]), &cloud).await);
    assert!(text.contains("~ limit: 100.0 USD -> 250 USD"), "{text}");
    assert!(text.contains("told at 80% spent: a@example.org -> b@example.org"), "{text}");
    {
        // Its filters are the operators'.
        let mut aws = aws.lock().unwrap();
        let stored = &mut aws.budgets.get_mut("acme-red").unwrap().budget;
        stored["CostFilters"] = serde_json::json!({"Service": ["Amazon EC2"]});
        stored["BudgetLimit"]["Amount"] = "1".into();
        aws.budgets.get_mut("acme-red").unwrap().notifications.clear();
    }
    let text = support::text(&support::apply(&budget(250, &["b@example.org"]), &cloud).await);
    assert!(text.contains("told at 100% forecast: - -> b@example.org"), "{text}");
    assert_eq!(aws.lock().unwrap().budgets["acme-red"].budget["CostFilters"]["Service"][0], "Amazon EC2");
    support::apply(&budget(250, &[]), &cloud).await;
    assert!(aws.lock().unwrap().budgets["acme-red"].notifications.is_empty());
    support::destroy(&budget(250, &[]), &cloud).await;
    let report = support::go(&budget(0, &[]), &cloud, Way::Apply).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Usage);
    cloud.forget();
}
