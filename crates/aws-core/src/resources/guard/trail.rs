//! Audit trails: who did what in the account.
use super::trail_bucket::BucketName;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::kind::{found_through, itself},
};
use aws_sdk_cloudtrail::types::{Tag, Trail};
use std::collections::BTreeMap;

/// A trail of CloudTrail over all regions; the region that it is made in is its home.
#[derive(Clone, Needs)]
pub struct AuditTrail {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region; 3 to 128 characters (CloudTrail `CreateTrail`).
    pub name: String,
    /// Where it writes to.
    pub bucket: Ref<BucketName>,
}

/// What was found of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    bucket: String,
    all_regions: bool,
    global_events: bool,
    validated: bool,
    logging: bool,
}

/// One that has all that it should.
fn whole(BucketName(bucket): &BucketName) -> Live {
    Live { bucket: bucket.clone(), all_regions: true, global_events: true, validated: true, logging: true }
}

fn compare(live: &Live, bucket: Option<&BucketName>) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(BucketName(bucket)) = bucket {
        Change::compare(&mut changes, "bucket", &live.bucket, bucket);
    }
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    Change::compare(&mut changes, "all regions", &yes(live.all_regions), &"yes");
    Change::compare(&mut changes, "events of global services", &yes(live.global_events), &"yes");
    Change::compare(&mut changes, "log file validation", &yes(live.validated), &"yes");
    Change::compare(&mut changes, "logging", &yes(live.logging), &"yes");
    changes
}

impl AuditTrail {
    /// What is wrong with a tag without a value (`CreateTrail`, TagsList: 1 to 256 characters).
    pub fn empty_tag(key: &str) -> String {
        format!("invalid tag value of `{key}`: CloudTrail does not accept an empty value")
    }

    /// CloudTrail `CreateTrail`: the name, and tags whose values are never empty.
    fn fits(&self) -> Result<()> {
        let word = |c: char| c.is_ascii_alphanumeric();
        let body = self.name.chars().all(|c| word(c) || "._-".contains(c));
        if !(3..=128).contains(&self.name.len()) || !body || !self.name.starts_with(word) || !self.name.ends_with(word)
        {
            return Err(Error::usage(format!("invalid trail name `{}`", self.name))
                .hint("CloudTrail accepts 3 to 128 letters, digits, dots, underscores and hyphens."));
        }
        match self.owner.tags(&self.name).into_iter().find(|(_, value)| value.is_empty()) {
            None => Ok(()),
            Some((key, _)) => Err(Error::usage(Self::empty_tag(&key))),
        }
    }

    async fn read(&self, cloud: &Cloud) -> Result<Option<Trail>> {
        // Trails of other regions show as shadows: they are changed at home only.
        let call = cloud.cloudtrail().describe_trails().trail_name_list(&self.name).include_shadow_trails(false);
        let trails = call.send().await.told(cloud, &self.name)?;
        Ok(trails.trail_list.unwrap_or_default().into_iter().find(|t| t.name() == Some(&self.name)))
    }

    async fn tags(&self, cloud: &Cloud, arn: &str) -> Result<BTreeMap<String, String>> {
        let answer = cloud.cloudtrail().list_tags().resource_id_list(arn).send().await.told(cloud, &self.name)?;
        let tags =
            answer.resource_tag_list.unwrap_or_default().into_iter().flat_map(|r| r.tags_list.unwrap_or_default());
        Ok(tags.map(|t| (t.key, t.value.unwrap_or_default())).collect())
    }

    async fn start(&self, cloud: &Cloud) -> Result<()> {
        cloud.cloudtrail().start_logging().name(&self.name).send().await.told(cloud, &self.name).map(drop)
    }
}

impl Identity for AuditTrail {
    const KIND: &'static str = "audit trail";
    type Cloud = Cloud;
    type Live = Live;
    type Output = ();
    fn name(&self) -> String {
        self.name.clone()
    }
    found_through!(bucket);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let Some(trail) = self.read(cx.cloud).await? else { return Ok(None) };
        let bucket = trail.s3_bucket_name.unwrap_or_default();
        if cx.try_get(self.bucket).is_none_or(|ours| ours.0 != bucket) {
            let tags = self.tags(cx.cloud, trail.trail_arn.as_deref().unwrap_or_default()).await?;
            self.owner.claim(Self::KIND, &self.name, &tags)?;
        }
        let status = cx.cloud.cloudtrail().get_trail_status().name(&self.name).send().await;
        let status = status.unless_gone(cx.cloud, &self.name)?;
        Ok(status.map(|status| Live {
            bucket,
            all_regions: trail.is_multi_region_trail == Some(true),
            global_events: trail.include_global_service_events == Some(true),
            validated: trail.log_file_validation_enabled == Some(true),
            logging: status.is_logging == Some(true),
        }))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        cx.cloud.cloudtrail().delete_trail().name(&self.name).send().await.unless_gone(cx.cloud, &self.name).map(drop)
    }
    fn output(&self, _: &Live) {}
}

impl Resource for AuditTrail {
    itself!();

    /// A trail of this name that writes to our bucket is ours: the bucket's policy lets in no other. Only for one
    /// that writes elsewhere its tags are asked.
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        compare(live, cx.try_get(self.bucket))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let bucket = cx.get(self.bucket);
        let tags: Result<Vec<Tag>, _> =
            self.owner.tags(&self.name).iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
        let tags = tags.map_err(|e| Error::failed("a tag lacks its key").caused_by(e))?;
        let call = cx.cloud.cloudtrail().create_trail().name(&self.name).s3_bucket_name(&bucket.0);
        let made = call
            .is_multi_region_trail(true)
            .include_global_service_events(true)
            .enable_log_file_validation(true)
            .set_tags_list(Some(tags))
            .send()
            .await;
        match made.told(cx.cloud, &self.name) {
            // The SDK sends a call again when its answer was lost. Else it is one of another region.
            Err(e) if e.code() == Some("TrailAlreadyExistsException") => {
                if self.read(cx.cloud).await?.is_none() {
                    return Err(e.hint(
                        "A trail of this name has its home in another region: delete it there (`aws cloudtrail \
                         describe-trails` names its HomeRegion); then run the same command again.",
                    ));
                }
            }
            other => drop(other?),
        }
        self.start(cx.cloud).await?;
        Ok(whole(bucket))
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let bucket = cx.get(self.bucket);
        let wanted = whole(bucket);
        if (Live { logging: true, ..live.clone() }) != wanted {
            let call = cx.cloud.cloudtrail().update_trail().name(&self.name).s3_bucket_name(&bucket.0);
            let done = call
                .is_multi_region_trail(true)
                .include_global_service_events(true)
                .enable_log_file_validation(true)
                .send()
                .await;
            done.told(cx.cloud, &self.name)?;
        }
        if !live.logging {
            self.start(cx.cloud).await?;
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_switched_off_is_a_change() {
        let whole = Live { bucket: "b".into(), all_regions: true, global_events: true, validated: true, logging: true };
        assert_eq!(compare(&whole, Some(&BucketName("b".into()))), []);
        assert_eq!(compare(&whole, None), []);
        assert_eq!(compare(&whole, Some(&BucketName("c".into()))), [Change::new("bucket", "b", "c")]);
        let off = Live { all_regions: false, global_events: false, validated: false, logging: false, ..whole };
        assert_eq!(compare(&off, None).len(), 4);
    }
}
