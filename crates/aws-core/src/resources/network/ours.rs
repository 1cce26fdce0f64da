//! What the parts of a network have in common: their tags, how they are looked for, and how they are waited for.
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        network::tag_map,
        wait::{Look, Patience, poll_until},
    },
    engine::Cancel,
    model::{
        TeamOwner,
        tags::{ORGANIZATION, OVERLORD_TEAM, Owning as _, Whose},
    },
    resources::tag_drift,
};
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use std::time::Duration;

/// Less than a node's deadline, which is ten minutes: so what was missing is told.
const PATIENCE: Duration = Duration::from_secs(570);

/// The key under which a list of this owner's things is shared.
pub(super) fn key(kind: &str, owner: &TeamOwner) -> String {
    let team = owner.team.as_ref().map_or("", |t| t.as_str());
    format!("{kind} of {}/{team}", owner.organization)
}

/// Finds what carries the owner's tags. EC2 also answers with what a team has when the organization's own is
/// asked for: [`is_ours`] tells them apart.
pub(super) fn filters(owner: &TeamOwner) -> Vec<Filter> {
    let tag = |key: &str, value: &str| Filter::builder().name(format!("tag:{key}")).values(value).build();
    let mut filters = vec![tag(ORGANIZATION, owner.organization.as_str())];
    filters.extend(owner.team.as_ref().map(|t| tag(OVERLORD_TEAM, t.as_str())));
    filters
}

/// Whether a thing with these tags is the owner's.
pub(super) fn is_ours(owner: &TeamOwner, tags: &[Tag]) -> bool {
    owner.whose(&tag_map(tags)) == Whose::Ours
}

/// Whether a thing with these tags is the owner's, and has this name.
pub(super) fn is_named(owner: &TeamOwner, name: &str, tags: &[Tag]) -> bool {
    is_ours(owner, tags) && name_of(tags) == name
}

/// The `Name` of a thing with these tags; empty when it has none.
pub(super) fn name_of(tags: &[Tag]) -> &str {
    tags.iter().find(|t| t.key() == Some("Name")).and_then(Tag::value).unwrap_or_default()
}

/// The tags of a new thing of this name.
pub(super) fn tags(owner: &TeamOwner, name: &str) -> Vec<Tag> {
    owner.tags(name).into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}

/// The tags of a new thing of this name, for the call that makes it.
pub(super) fn tagged(kind: ResourceType, owner: &TeamOwner, name: &str) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags(owner, name))).build()
}

/// Writes the tags, of those that may change, that are not as they should be.
pub(super) async fn retag(cloud: &Cloud, owner: &TeamOwner, name: &str, id: &str, live: &[Tag]) -> Result<()> {
    let stale = tag_drift::stale(owner, &tag_map(live));
    if stale.is_empty() {
        return Ok(());
    }
    let tags = stale.into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
    let done = cloud.ec2().create_tags().resources(id).set_tags(Some(tags)).send().await;
    done.told(cloud, "ec2:CreateTags", name).map(drop)
}

/// Looks until it is done, in the end with an error that can be tried again by running the command again.
pub(super) async fn wait<T, F>(what: &str, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Look<T>>>,
{
    poll_until(what, &Patience::new(PATIENCE, Cancel::default()), look, |_, _| {}).await
}

/// AWS made a thing, and did not say which.
pub(super) fn nameless(operation: &str) -> Error {
    Error::failed(format!("{operation} answered without an id"))
}
