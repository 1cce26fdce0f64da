//! What an application's role and a team's have in common. All calls are keyed by name and safe to repeat.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
};
use aws_sdk_iam::{error::BuildError, types::Tag};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::BTreeMap;

/// IAM's code for what is not there, or not visible yet.
pub(super) const NOT_THERE: &str = "NoSuchEntity";

pub(super) fn aws_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| {
        let tag: Result<Tag, BuildError> = Tag::builder().key(key).value(value).build();
        tag.map_err(|e| Error::failed("a tag lacks its key or value").caused_by(e))
    };
    tags.iter().map(tag).collect()
}

pub(super) fn own_tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|t| (t.key().to_owned(), t.value().to_owned())).collect()
}

/// Runs the calls at the same time, a few at once.
pub(super) async fn all<F: Future<Output = Result<()>>>(calls: Vec<F>) -> Result<()> {
    stream::iter(calls).map(Ok).try_for_each_concurrent(4, |call| call).await
}

pub(super) async fn delete_inline(cloud: &Cloud, role: &str, policy: &str) -> Result<()> {
    let call = cloud.iam().delete_role_policy().role_name(role).policy_name(policy);
    call.send().await.unless_gone(cloud, role).map(drop)
}

pub(super) async fn detach(cloud: &Cloud, role: &str, arns: impl Iterator<Item = &String>) -> Result<()> {
    let calls = arns.map(|arn| async move {
        let call = cloud.iam().detach_role_policy().role_name(role).policy_arn(arn);
        call.send().await.unless_gone(cloud, role).map(drop)
    });
    all(calls.collect()).await
}

/// Takes the role out of an instance profile.
pub(super) async fn uncarry(cloud: &Cloud, profile: &str, role: &str) -> Result<()> {
    let call = cloud.iam().remove_role_from_instance_profile().instance_profile_name(profile).role_name(role);
    call.send().await.unless_gone(cloud, profile).map(drop)
}

/// Deletes a role from which everything was detached.
pub(super) async fn delete_role(cloud: &Cloud, role: &str) -> Result<()> {
    cloud.iam().delete_role().role_name(role).send().await.unless_gone(cloud, role).map(drop)
}
