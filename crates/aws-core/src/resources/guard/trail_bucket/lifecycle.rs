//! How long the audit trail's log files are kept.
//!
//! One rule of ours among any others, told by its id. Log files are not moved to a cheaper class: most of them are far
//! below 128 KB, of which S3 does not move any by default, and which Glacier's classes charge for all the same (S3 user
//! guide, "Transitioning objects using Amazon S3 Lifecycle").
use super::incomplete;
use crate::{
    Result,
    cloud::{Cloud, Told as _},
    engine::Change,
};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, TransitionDefaultMinimumObjectSize,
};

/// The rule's id. Rules of other ids are somebody else's.
const ID: &str = "overlord-audit-trail";
/// Where CloudTrail puts its log files in a bucket.
const LOGS: &str = "AWSLogs/";
/// Days that a log file can still be had back after it expired or was overwritten.
const NONCURRENT: i32 = 30;
/// Days after which an upload that never came to its end goes.
const INCOMPLETE: i32 = 7;

/// A bucket's lifecycle rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Lifecycle {
    rules: Vec<LifecycleRule>,
    smallest: Option<TransitionDefaultMinimumObjectSize>,
}

impl Lifecycle {
    pub(super) async fn read(cloud: &Cloud, bucket: &str, account: &str) -> Result<Self> {
        let call = cloud.s3().get_bucket_lifecycle_configuration().bucket(bucket).expected_bucket_owner(account);
        let answer = call.send().await.unless_gone(cloud, bucket)?;
        Ok(answer.map_or_else(Self::default, |a| Self {
            rules: a.rules.unwrap_or_default(),
            smallest: a.transition_default_minimum_object_size,
        }))
    }

    /// Writes our rule, where it is another one or missing; all others stay what they are.
    pub(super) async fn write(&self, cloud: &Cloud, bucket: &str, account: &str, days: i32) -> Result<Self> {
        let rules = self.with_ours(days)?;
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(rules.clone())).build().map_err(incomplete)?;
        let call = cloud.s3().put_bucket_lifecycle_configuration().bucket(bucket).expected_bucket_owner(account);
        let call = call.set_transition_default_minimum_object_size(self.smallest.clone());
        call.lifecycle_configuration(all).send().await.told(cloud, bucket)?;
        Ok(Self { rules, smallest: self.smallest.clone() })
    }

    /// All rules, with ours for so many days.
    fn with_ours(&self, days: i32) -> Result<Vec<LifecycleRule>> {
        let theirs = self.rules.iter().filter(|r| r.id() != Some(ID)).cloned().map(filtered);
        Ok(theirs.chain([rule(days)?]).collect())
    }

    /// Whether there is a rule of ours, whatever it says.
    pub(super) fn has_ours(&self) -> bool {
        self.ours().is_some()
    }

    /// The age at which our rule lets log files expire, if it says one.
    pub(super) fn age(&self) -> Option<i32> {
        self.ours().and_then(expires)
    }

    /// Whether any rule, whoever's, lets log files expire.
    pub(super) fn anything_expires(&self) -> bool {
        self.rules.iter().any(expires_logs)
    }

    fn ours(&self) -> Option<&LifecycleRule> {
        self.rules.iter().find(|r| r.id() == Some(ID))
    }

    /// Whether our rule is as it should be.
    pub(super) fn is_right(&self, days: i32) -> bool {
        self.ours().is_some_and(|r| {
            r.status() == &ExpirationStatus::Enabled
                && expires(r) == Some(days)
                && r.noncurrent_version_expiration().and_then(|n| n.noncurrent_days()) == Some(NONCURRENT)
                && r.abort_incomplete_multipart_upload().and_then(|a| a.days_after_initiation()) == Some(INCOMPLETE)
                && r.filter().and_then(|f| f.prefix()).unwrap_or_default().is_empty()
        })
    }

    pub(super) fn change(&self, days: i32) -> Option<Change> {
        let on = self.ours().filter(|r| r.status() == &ExpirationStatus::Enabled);
        let now = on.and_then(expires).map_or_else(|| "never".to_owned(), |d| format!("after {d} days"));
        let wanted = format!("after {days} days");
        let now = if now == wanted { format!("{now}, by another rule") } else { now };
        (!self.is_right(days)).then(|| Change::new("log files expire", now, wanted))
    }

    #[cfg(test)]
    pub(super) fn of(days: i32) -> Self {
        Self::changed(days, |_| {})
    }

    /// As [`Lifecycle::of`], with a touch on the rule.
    #[cfg(test)]
    pub(super) fn changed(days: i32, touch: impl Fn(&mut LifecycleRule)) -> Self {
        let mut rule = rule(days).expect("the rule is complete");
        touch(&mut rule);
        Self { rules: vec![rule], smallest: None }
    }
}

fn expires(rule: &LifecycleRule) -> Option<i32> {
    rule.expiration()?.days()
}

/// Whether a rule lets log files expire, at least some of them. Those bear no tags.
#[expect(deprecated, reason = "what somebody else wrote may still have it")]
fn expires_logs(rule: &LifecycleRule) -> bool {
    let on = rule.status() == &ExpirationStatus::Enabled;
    let expiration = rule.expiration().is_some_and(|e| e.days().is_some() || e.date().is_some());
    let (filter, all) = (rule.filter(), rule.filter().and_then(|f| f.and()));
    let tagged = filter.is_some_and(|f| f.tag().is_some()) || all.is_some_and(|a| !a.tags().is_empty());
    let prefix = filter.and_then(|f| f.prefix()).or(all.and_then(|a| a.prefix())).or(rule.prefix()).unwrap_or_default();
    on && expiration && !tagged && (LOGS.starts_with(prefix) || prefix.starts_with(LOGS))
}

/// The same rule with a filter instead of the prefix of before there were filters: S3 refuses a configuration that has both
/// kinds of rules ("Lifecycle configuration elements", `Prefix`).
#[expect(deprecated, reason = "what somebody else wrote may still have it")]
fn filtered(mut rule: LifecycleRule) -> LifecycleRule {
    let prefix = rule.prefix.take();
    if rule.filter.is_none() {
        rule.filter = Some(LifecycleRuleFilter::builder().prefix(prefix.unwrap_or_default()).build());
    }
    rule
}

/// With an age in days S3 also removes the markers of what expired ("Lifecycle configuration elements").
fn rule(days: i32) -> Result<LifecycleRule> {
    LifecycleRule::builder()
        .id(ID)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("").build())
        .expiration(LifecycleExpiration::builder().days(days).build())
        .noncurrent_version_expiration(NoncurrentVersionExpiration::builder().noncurrent_days(NONCURRENT).build())
        .abort_incomplete_multipart_upload(
            AbortIncompleteMultipartUpload::builder().days_after_initiation(INCOMPLETE).build(),
        )
        .build()
        .map_err(incomplete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types::{LifecycleRuleAndOperator, Tag};

    #[test]
    #[expect(deprecated, reason = "what somebody else wrote may still have it")]
    fn rules_of_others_get_a_filter_and_are_otherwise_the_same() {
        let theirs = |id: &str| {
            LifecycleRule::builder()
                .id(id)
                .status(ExpirationStatus::Enabled)
                .expiration(LifecycleExpiration::builder().days(9).build())
        };
        let new = theirs("new").filter(LifecycleRuleFilter::builder().prefix("b/").build()).build().unwrap();
        let rules =
            vec![theirs("old").prefix("a/").build().unwrap(), theirs("all").prefix("").build().unwrap(), new.clone()];
        let lifecycle = Lifecycle { rules, smallest: None };
        let all = lifecycle.with_ours(400).unwrap();
        let prefixes: Vec<_> = all.iter().map(|r| (r.id().unwrap(), r.filter().and_then(|f| f.prefix()))).collect();
        assert_eq!(prefixes, [("old", Some("a/")), ("all", Some("")), ("new", Some("b/")), (ID, Some(""))]);
        assert!(all.iter().all(|r| r.prefix().is_none()), "S3 refuses both kinds together");
        assert!(all[..3].iter().all(|r| expires(r) == Some(9)) && all[2] == new);
        // Once more: ours is there once.
        assert_eq!(Lifecycle { rules: all.clone(), smallest: None }.with_ours(400).unwrap(), all);
    }

    #[test]
    fn our_rule_is_told_by_its_id_and_every_part_of_it_counts() {
        assert!(Lifecycle::of(400).is_right(400) && Lifecycle::of(400).change(400).is_none());
        let told = |lifecycle: &Lifecycle| lifecycle.change(400).map(|c| c.to_string());
        assert_eq!(told(&Lifecycle::default()).as_deref(), Some("log files expire: never -> after 400 days"));
        assert_eq!(told(&Lifecycle::of(30)).as_deref(), Some("log files expire: after 30 days -> after 400 days"));
        let with = |change: &dyn Fn(&mut LifecycleRule)| Lifecycle::changed(400, change);
        for other in [
            with(&|r| r.status = ExpirationStatus::Disabled),
            with(&|r| r.expiration = None),
            with(&|r| r.noncurrent_version_expiration = None),
            with(&|r| r.abort_incomplete_multipart_upload = None),
            with(&|r| r.filter = Some(LifecycleRuleFilter::builder().prefix("some/").build())),
            with(&|r| r.id = Some("mine".into())),
        ] {
            assert!(!other.is_right(400) && told(&other).is_some(), "{other:?}");
        }
    }

    #[test]
    #[expect(deprecated, reason = "what somebody else wrote may still have it")]
    fn log_files_expire_by_any_rule_that_reaches_them() {
        let filter = || LifecycleRuleFilter::builder();
        let tag = || Tag::builder().key("a").value("b").build().unwrap();
        let with = |change: &dyn Fn(&mut LifecycleRule)| Lifecycle::changed(9, change).anything_expires();
        let on = |prefix: &str| with(&|r| r.filter = Some(filter().prefix(prefix).build()));
        assert_eq!(["", "AWS", "AWSLogs/", "AWSLogs/123456789012/"].map(on), [true; 4]);
        assert_eq!(["theirs/", "AWSLogs2/"].map(on), [false; 2]);
        let old = |prefix: &str| {
            with(&|r| {
                r.filter = None;
                r.prefix = Some(prefix.into());
            })
        };
        assert!(old("") && !old("theirs/") && with(&|r| r.filter = None));
        let both = |and: LifecycleRuleAndOperator| with(&|r| r.filter = Some(filter().and(and.clone()).build()));
        let and = || LifecycleRuleAndOperator::builder();
        assert!(both(and().prefix("AWSLogs/").object_size_greater_than(1).build()));
        assert!(!both(and().prefix("theirs/").object_size_greater_than(1).build()));
        assert!(
            !both(and().prefix("").tags(tag()).build()) && !with(&|r| r.filter = Some(filter().tag(tag()).build()))
        );
        let marker = LifecycleExpiration::builder().expired_object_delete_marker(true).build();
        assert!(!with(&|r| r.expiration = Some(marker.clone())) && !with(&|r| r.expiration = None));
        assert!(!with(&|r| r.status = ExpirationStatus::Disabled));
        assert!(!Lifecycle::default().anything_expires());
        assert_eq!((Lifecycle::of(9).age(), Lifecycle::default().age()), (Some(9), None));
    }
}
