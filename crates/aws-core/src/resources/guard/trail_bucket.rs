//! The bucket that an audit trail writes to.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Identity, Needs, Resource},
    model::{Owning as _, TeamOwner, names::partition, tag_rules},
    progress,
    resources::{kind::itself, tag_drift},
};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Delete, ObjectIdentifier,
    PublicAccessBlockConfiguration, Tag, Tagging, VersioningConfiguration,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

mod lifecycle;
use lifecycle::Lifecycle;

/// The region whose buckets are made without saying where (S3 `CreateBucket`, `LocationConstraint`).
const UNSAID: &str = "us-east-1";
/// Codes by which S3 says that the bucket is another account's or region's.
const ELSEWHERE: &[&str] = &[
    "AccessDenied",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "BucketAlreadyExists",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
];

/// A private, encrypted, versioned bucket that one trail of CloudTrail may write to.
#[derive(Clone, Needs)]
pub struct TrailBucket {
    /// Which it is.
    pub bucket: Bucket,
    /// The trail's name. Its home is the bucket's region.
    pub trail: String,
    /// Days that log files are kept, where somebody chose them. `None`: what our rule in the bucket says, and in a new
    /// bucket [`TrailBucket::DAYS`]. A bucket with logs and without our rule keeps them: nobody asked to have them deleted.
    pub days: Option<i32>,
}

/// A bucket of an account.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in all of AWS.
    pub name: String,
    /// The account's number.
    pub account: String,
}

/// A bucket that no trail writes to any more.
#[derive(Needs)]
pub struct OldBucket {
    /// Which it is.
    pub bucket: Bucket,
    /// Whether it stays while log files are in it; else they are removed, too.
    pub keep_logs: bool,
}

/// The name of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketName(pub String);

/// What was found of a bucket. Encryption is always on (S3 since 2023), and is no part of it. One without tags is half made.
#[derive(Debug, Clone, Default)]
pub struct Live {
    versioned: bool,
    private: bool,
    policy: Option<Value>,
    lifecycle: Lifecycle,
    /// Whether nothing can have been written to it yet: no trail was let in, and it is empty.
    fresh: bool,
    tags: BTreeMap<String, String>,
}

/// What CloudTrail needs ("Amazon S3 bucket policy for CloudTrail"), and no access without TLS.
pub fn policy(bucket: &str, trail: &str, account: &str, region: &str) -> Value {
    let partition = partition(region);
    let arn = format!("arn:{partition}:s3:::{bucket}");
    let trail = format!("arn:{partition}:cloudtrail:{region}:{account}:trail/{trail}");
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AWSCloudTrailAclCheck",
                "Effect": "Allow",
                "Principal": { "Service": "cloudtrail.amazonaws.com" },
                "Action": "s3:GetBucketAcl",
                "Resource": arn,
                "Condition": { "StringEquals": { "aws:SourceArn": trail } },
            },
            {
                "Sid": "AWSCloudTrailWrite",
                "Effect": "Allow",
                "Principal": { "Service": "cloudtrail.amazonaws.com" },
                "Action": "s3:PutObject",
                "Resource": format!("{arn}/AWSLogs/{account}/*"),
                "Condition": {
                    "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail },
                },
            },
            {
                "Sid": "DenyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, format!("{arn}/*")],
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            },
        ],
    })
}

fn s3_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    let tags: Result<_, _> = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
    tags.map_err(incomplete)
}

fn incomplete(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("a request to S3 is incomplete").caused_by(error)
}

impl Bucket {
    async fn remove(&self, cloud: &Cloud) -> Result<()> {
        let call = cloud.s3().delete_bucket().bucket(&self.name).expected_bucket_owner(&self.account);
        call.send().await.unless_gone(cloud, &self.name).map(drop)
    }

    /// A bucket's name is somebody's in all of AWS.
    fn elsewhere(&self, e: Error) -> Error {
        if !e.code().is_some_and(|c| ELSEWHERE.contains(&c)) {
            return e;
        }
        Error::refused(format!(
            "bucket {} is in another account or region, or these credentials may not read it ({e})",
            self.name
        ))
        .hint(format!(
            "If the bucket is account {}'s, check the permissions of these credentials for S3, and that the team's first \
             region is still the same. Else choose another name for the team or the organization.",
            self.account
        ))
    }

    async fn tags(&self, cloud: &Cloud) -> Result<Option<BTreeMap<String, String>>> {
        let call = cloud.s3().get_bucket_tagging().bucket(&self.name).expected_bucket_owner(&self.account);
        match call.send().await.unless_gone(cloud, &self.name) {
            Ok(Some(answer)) => Ok(Some(answer.tag_set.into_iter().map(|t| (t.key, t.value)).collect())),
            Ok(None) => Ok(None),
            Err(e) if e.code() == Some("NoSuchTagSet") => Ok(Some(BTreeMap::new())),
            Err(e) => Err(self.elsewhere(e)),
        }
    }

    async fn live_policy(&self, cloud: &Cloud) -> Result<Option<Value>> {
        let call = cloud.s3().get_bucket_policy().bucket(&self.name).expected_bucket_owner(&self.account);
        let answer = call.send().await.unless_gone(cloud, &self.name)?;
        // One that is no JSON is none of ours.
        Ok(answer.and_then(|a| a.policy).map(|p| serde_json::from_str(&p).unwrap_or(Value::Null)))
    }

    /// Whether a run was cut off before it could tag the bucket. The account has it, its name holds the organization, the
    /// team and the account, and there is nothing in it: whose else could it be?
    async fn half_made(&self, cloud: &Cloud, tags: &BTreeMap<String, String>) -> Result<bool> {
        Ok(tags.is_empty() && self.live_policy(cloud).await?.is_none() && self.versions(cloud, 1).await?.is_empty())
    }

    /// Up to 1,000 versions and deletion markers (S3 `ListObjectVersions`).
    async fn versions(&self, cloud: &Cloud, most: i32) -> Result<Vec<ObjectIdentifier>> {
        let call = cloud.s3().list_object_versions().bucket(&self.name).expected_bucket_owner(&self.account);
        let Some(page) = call.max_keys(most).send().await.unless_gone(cloud, &self.name)? else {
            return Ok(Vec::new());
        };
        let versions = page.versions.unwrap_or_default().into_iter().map(|v| (v.key, v.version_id));
        let markers = page.delete_markers.unwrap_or_default().into_iter().map(|m| (m.key, m.version_id));
        versions
            .chain(markers)
            .map(|(key, version)| {
                let object = ObjectIdentifier::builder().key(key.unwrap_or_default());
                object.set_version_id(version).build().map_err(incomplete)
            })
            .collect()
    }

    /// Removes everything in it. A run that is interrupted goes on with what is left.
    async fn empty(&self, cloud: &Cloud) -> Result<()> {
        loop {
            let versions = self.versions(cloud, 1000).await?;
            if versions.is_empty() {
                return Ok(());
            }
            let delete = Delete::builder().set_objects(Some(versions)).quiet(true).build().map_err(incomplete)?;
            let call = cloud.s3().delete_objects().bucket(&self.name).expected_bucket_owner(&self.account);
            let done = call.delete(delete).send().await.told(cloud, &self.name)?;
            if let Some(e) = done.errors().first() {
                let (key, message) = (e.key().unwrap_or_default(), e.message().unwrap_or_default());
                return Err(Error::failed(format!("{key} in bucket {} cannot be deleted: {message}", self.name)));
            }
        }
    }
}

impl TrailBucket {
    /// Days that log files are kept when nobody chose them: a year, as auditors ask for (PCI DSS 10.5.1), and some weeks to
    /// look into it.
    pub const DAYS: i32 = 400;
    /// The longest that can be chosen, a hundred years: S3 takes any number of days.
    pub const MOST_DAYS: i32 = 36_500;

    /// Days after which log files are to expire; `None`: that is left as it is. A choice that is taken out of the files
    /// again shortens nothing.
    fn days(&self, live: &Live) -> Option<i32> {
        let ours = live.lifecycle.has_ours();
        self.days.or_else(|| (live.fresh || ours).then(|| live.lifecycle.age().unwrap_or(Self::DAYS)))
    }

    /// Whether log files are kept for ever although nobody chose that.
    fn keeps_forever(&self, live: &Live) -> bool {
        self.days(live).is_none() && !live.lifecycle.anything_expires()
    }

    fn fits(&self) -> Result<()> {
        // S3 user guide, "General purpose bucket naming rules".
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let name = self.bucket.name.as_str();
        let body = name.chars().all(|c| edge(c) || c == '-' || c == '.') && !name.contains("..");
        if (3..=63).contains(&name.len()) && body && name.starts_with(edge) && name.ends_with(edge) {
            return Ok(());
        }
        Err(Error::usage(format!("invalid bucket name `{name}`"))
            .hint("S3 accepts 3 to 63 lowercase letters, digits, dots and hyphens; a letter or digit at both ends."))
    }

    /// What to say of such a bucket.
    fn kept_forever(&self) -> String {
        format!(
            "Log files in bucket {} are kept forever: the bucket exists, and `guard_rails.audit_trail_days` is not set. Set it to \
             let them expire, e.g. `audit_trail_days: {}`. To keep them without this warning, set `audit_trail_days: {}`.",
            self.bucket.name,
            Self::DAYS,
            Self::MOST_DAYS
        )
    }

    fn policy(&self, cloud: &Cloud) -> Value {
        policy(&self.bucket.name, &self.trail, &self.bucket.account, cloud.region())
    }

    async fn versioned(&self, cloud: &Cloud) -> Result<bool> {
        let call =
            cloud.s3().get_bucket_versioning().bucket(&self.bucket.name).expected_bucket_owner(&self.bucket.account);
        let answer = call.send().await.told(cloud, &self.bucket.name)?;
        Ok(answer.status == Some(BucketVersioningStatus::Enabled))
    }

    async fn private(&self, cloud: &Cloud) -> Result<bool> {
        let call =
            cloud.s3().get_public_access_block().bucket(&self.bucket.name).expected_bucket_owner(&self.bucket.account);
        let answer = call.send().await.unless_gone(cloud, &self.bucket.name)?;
        let block = answer.and_then(|a| a.public_access_block_configuration);
        Ok(block.is_some_and(|b| {
            [b.block_public_acls, b.ignore_public_acls, b.block_public_policy, b.restrict_public_buckets]
                .iter()
                .all(|on| *on == Some(true))
        }))
    }

    /// Replaces all tags of the bucket.
    async fn put_tags(&self, cloud: &Cloud, tags: &BTreeMap<String, String>) -> Result<()> {
        let tagging = Tagging::builder().set_tag_set(Some(s3_tags(tags)?)).build().map_err(incomplete)?;
        let call =
            cloud.s3().put_bucket_tagging().bucket(&self.bucket.name).expected_bucket_owner(&self.bucket.account);
        call.tagging(tagging).send().await.told(cloud, &self.bucket.name).map(drop)
    }

    /// Writes what differs, one after the other: S3 refuses writes to one bucket at the same time.
    async fn converge(&self, cloud: &Cloud, live: &Live) -> Result<Live> {
        let (s3, name, account) = (cloud.s3(), &self.bucket.name, &self.bucket.account);
        let all = || self.bucket.owner.tags(&self.bucket.name);
        let stale = if live.tags.is_empty() { all() } else { tag_drift::stale(&self.bucket.owner, &live.tags) };
        let mut tags = live.tags.clone();
        if !stale.is_empty() {
            tags.extend(stale);
            self.put_tags(cloud, &tags).await?;
        }
        if !live.private {
            let block = PublicAccessBlockConfiguration::builder()
                .block_public_acls(true)
                .ignore_public_acls(true)
                .block_public_policy(true)
                .restrict_public_buckets(true)
                .build();
            let call = s3.put_public_access_block().bucket(name).expected_bucket_owner(account);
            call.public_access_block_configuration(block).send().await.told(cloud, name)?;
        }
        if !live.versioned {
            let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            let call = s3.put_bucket_versioning().bucket(name).expected_bucket_owner(account);
            call.versioning_configuration(versioning).send().await.told(cloud, name)?;
        }
        // Before the policy: a bucket without both is half made, and not one whose logs nobody wants to expire.
        let lifecycle = match self.days(live) {
            Some(days) if !live.lifecycle.is_right(days) => live.lifecycle.write(cloud, name, account, days).await?,
            _ => live.lifecycle.clone(),
        };
        let policy = self.policy(cloud);
        if live.policy.as_ref() != Some(&policy) {
            let call = s3.put_bucket_policy().bucket(name).expected_bucket_owner(account);
            call.policy(policy.to_string()).send().await.told(cloud, name)?;
        }
        Ok(Live { versioned: true, private: true, policy: Some(policy), lifecycle, fresh: live.fresh, tags })
    }

    fn changes(&self, region: &str, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        let on = |on: bool| if on { "on" } else { "off" };
        Change::compare(&mut changes, "versioning", &on(live.versioned), &"on");
        let public = if live.private { "blocked" } else { "possible" };
        Change::compare(&mut changes, "public access", &public, &"blocked");
        let policy = policy(&self.bucket.name, &self.trail, &self.bucket.account, region);
        if live.policy.as_ref() != Some(&policy) {
            let from = if live.policy.is_some() { "another one" } else { "-" };
            changes.push(Change::new("policy", from, format!("for trail {}", self.trail)));
        }
        changes.extend(self.days(live).and_then(|days| live.lifecycle.change(days)));
        changes.extend(tag_drift::changes(&self.bucket.owner, &live.tags));
        changes
    }

    async fn make(&self, cloud: &Cloud, tags: Option<Vec<Tag>>) -> Result<()> {
        let region = cloud.region();
        let place = (region != UNSAID).then(|| BucketLocationConstraint::from(region));
        let configuration = (place.is_some() || tags.is_some())
            .then(|| CreateBucketConfiguration::builder().set_location_constraint(place).set_tags(tags).build());
        let call = cloud.s3().create_bucket().bucket(&self.bucket.name).set_create_bucket_configuration(configuration);
        match call.send().await.told(cloud, &self.bucket.name) {
            Err(e) if e.code() == Some("BucketAlreadyExists") => Err(self.bucket.elsewhere(e)),
            other => other.map(drop),
        }
    }
}

impl Identity for TrailBucket {
    const KIND: &'static str = "bucket";
    type Cloud = Cloud;
    type Live = Live;
    type Output = BucketName;
    fn name(&self) -> String {
        self.bucket.name.clone()
    }
    fn noun(&self) -> String {
        format!("bucket {} for the audit trail", self.bucket.name)
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let Some(tags) = self.bucket.tags(cx.cloud).await? else { return Ok(None) };
        let cloud = cx.cloud;
        if !self.bucket.half_made(cloud, &tags).await? {
            self.bucket.owner.claim(Self::KIND, &self.bucket.name, &tags)?;
        }
        let (versioned, private, policy, lifecycle) = futures::try_join!(
            self.versioned(cloud),
            self.private(cloud),
            self.bucket.live_policy(cloud),
            Lifecycle::read(cloud, &self.bucket.name, &self.bucket.account)
        )?;
        let fresh = policy.is_none() && !lifecycle.has_ours() && self.bucket.versions(cloud, 1).await?.is_empty();
        let live = Live { versioned, private, policy, lifecycle, fresh, tags };
        if self.keeps_forever(&live) {
            progress::warn(self.kept_forever());
        }
        Ok(Some(live))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        self.bucket.remove(cx.cloud).await
    }
    fn output(&self, _: &Live) -> BucketName {
        BucketName(self.bucket.name.clone())
    }
}

impl Identity for OldBucket {
    const KIND: &'static str = TrailBucket::KIND;
    type Cloud = Cloud;
    /// Whether something is in it that stays.
    type Live = bool;
    type Output = BucketName;

    fn name(&self) -> String {
        self.bucket.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<bool>> {
        let Some(tags) = self.bucket.tags(cx.cloud).await? else { return Ok(None) };
        if !self.bucket.half_made(cx.cloud, &tags).await? {
            self.bucket.owner.claim(Self::KIND, &self.bucket.name, &tags)?;
        }
        Ok(Some(self.keep_logs && !self.bucket.versions(cx.cloud, 1).await?.is_empty()))
    }
    fn left(&self, _: &Cx<'_, Cloud>, logs: &bool) -> Option<String> {
        logs.then(|| "log files are in it (`overlord team delete --delete-audit-logs` deletes them, too)".into())
    }
    /// CloudTrail writes for some minutes after its trail is gone: then another look finds log files.
    async fn remove(&self, cx: &Cx<'_, Cloud>, _: &bool) -> Result<()> {
        if !self.keep_logs {
            self.bucket.empty(cx.cloud).await?;
        }
        self.bucket.remove(cx.cloud).await
    }
    fn output(&self, _: &bool) -> BucketName {
        BucketName(self.bucket.name.clone())
    }
}

impl Resource for TrailBucket {
    itself!();

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.bucket.owner.tags(&self.bucket.name)), self.fits()])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.changes(cx.cloud.region(), live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.bucket.owner.tags(&self.bucket.name);
        match self.make(cx.cloud, Some(s3_tags(&tags)?)).await {
            // The SDK sends a call again when its answer was lost: it was not there a moment ago.
            Err(e) if e.code() == Some("BucketAlreadyOwnedByYou") => {}
            // Not all regions take tags with the creating call (S3 has it since November 2025).
            Err(e) if e.code() == Some("UnsupportedArgument") => self.make(cx.cloud, None).await?,
            other => other?,
        }
        // An endpoint that does not know tags in the creating call leaves them out without a word.
        self.put_tags(cx.cloud, &tags).await?;
        self.converge(cx.cloud, &Live { tags, fresh: true, ..Live::default() }).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.converge(cx.cloud, live).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> TrailBucket {
        let owner = TeamOwner {
            organization: "acme".parse().unwrap(),
            team: Some("red".parse().unwrap()),
            extra: BTreeMap::from([("cost".into(), "7".into())]),
        };
        let bucket = Bucket { owner, name: "logs".into(), account: "123456789012".into() };
        TrailBucket { bucket, trail: "audit".into(), days: Some(400) }
    }

    #[test]
    fn the_policy_names_the_trail_in_its_partition() {
        let text = policy("logs", "audit", "123456789012", "cn-north-1").to_string();
        assert!(text.contains("arn:aws-cn:cloudtrail:cn-north-1:123456789012:trail/audit"), "{text}");
        assert!(text.contains("arn:aws-cn:s3:::logs/AWSLogs/123456789012/*"), "{text}");
    }

    #[test]
    fn what_is_missing_is_a_change() {
        let bucket = wanted();
        let whole = Live {
            versioned: true,
            private: true,
            policy: Some(policy("logs", "audit", "123456789012", "eu-west-1")),
            lifecycle: Lifecycle::of(400),
            fresh: false,
            tags: bucket.bucket.owner.tags("logs"),
        };
        assert_eq!(bucket.changes("eu-west-1", &whole), []);
        let fields: Vec<String> = bucket.changes("eu-west-1", &Live::default()).into_iter().map(|c| c.field).collect();
        assert_eq!(fields, ["versioning", "public access", "policy", "log files expire", "tag cost"]);
        assert_eq!(bucket.changes("eu-central-1", &whole)[0].from, "another one");
    }

    #[test]
    fn logs_of_an_existing_bucket_expire_only_when_somebody_chose_that() {
        let bucket = |days| TrailBucket { days, ..wanted() };
        let live = |lifecycle, fresh| Live { lifecycle, fresh, ..Live::default() };
        for (days, lifecycle, fresh, expected) in [
            (None, Lifecycle::default(), false, None),
            (None, Lifecycle::default(), true, Some(400)),
            // The key was taken out again: the rule keeps its age.
            (None, Lifecycle::of(30), false, Some(30)),
            (None, Lifecycle::of(3000), false, Some(3000)),
            (None, Lifecycle::changed(30, |rule| rule.expiration = None), false, Some(400)),
            (Some(30), Lifecycle::default(), false, Some(30)),
            (Some(30), Lifecycle::of(400), true, Some(30)),
        ] {
            let live = live(lifecycle, fresh);
            assert_eq!(bucket(days).days(&live), expected, "{days:?} {live:?}");
            let changes = bucket(days).changes("eu-west-1", &live);
            let changes = changes.iter().any(|c| c.field == "log files expire");
            assert_eq!(changes, expected.is_some_and(|days| !live.lifecycle.is_right(days)), "{days:?} {live:?}");
        }
    }

    #[test]
    fn logs_that_are_kept_forever_are_warned_of_unless_somebody_lets_them_expire() {
        let bucket = |days| TrailBucket { days, ..wanted() };
        let live = |lifecycle, fresh| Live { lifecycle, fresh, ..Live::default() };
        let theirs = || Lifecycle::changed(30, |rule| rule.id = Some("theirs".into()));
        assert!(bucket(None).keeps_forever(&live(Lifecycle::default(), false)));
        assert!(!bucket(None).keeps_forever(&live(Lifecycle::default(), true)));
        assert!(!bucket(None).keeps_forever(&live(theirs(), false)));
        assert!(!bucket(Some(TrailBucket::MOST_DAYS)).keeps_forever(&live(Lifecycle::default(), false)));
        let warning = bucket(None).kept_forever();
        for words in ["bucket logs are kept forever", "`audit_trail_days: 400`", "`audit_trail_days: 36500`"] {
            assert!(warning.contains(words), "{warning}");
        }
    }
}
