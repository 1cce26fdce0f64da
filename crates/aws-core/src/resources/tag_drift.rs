//! Tags that may change while a thing lives: the team's, the manifest's and the organization's own.
use crate::{
    Result,
    cloud::{Cloud, Told as _, ec2::ec2_tags},
    engine::Change,
    model::tags::Owning,
};
use std::collections::BTreeMap;

/// The tags, of those that may change, that `live` lacks or has otherwise. Tags that are no longer
/// wanted stay: nothing tells them from those that somebody else put there.
pub(super) fn stale(owner: &impl Owning, live: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    differing(owner.lasting(), live)
}

/// One change for each of [`stale`].
pub(super) fn changes(owner: &impl Owning, live: &BTreeMap<String, String>) -> Vec<Change> {
    as_changes(stale(owner, live), live)
}

/// The same, for things that are not known by their tags: all tags of `wanted`.
pub(super) fn differing(wanted: BTreeMap<String, String>, live: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    wanted.into_iter().filter(|(k, v)| live.get(k) != Some(v)).collect()
}

/// One change for each of these tags, that `live` has otherwise.
pub(super) fn as_changes(stale: BTreeMap<String, String>, live: &BTreeMap<String, String>) -> Vec<Change> {
    let stale = stale.into_iter();
    stale.map(|(k, v)| Change::new(format!("tag {k}"), live.get(&k).map_or("-", String::as_str), v)).collect()
}

/// Writes the tags of a resource of EC2 that may change and differ. `more`, of the kind itself, takes precedence.
pub(crate) async fn retag(
    cloud: &Cloud,
    owner: &impl Owning,
    (id, name): (&str, &str),
    live: &BTreeMap<String, String>,
    more: &[(&str, &str)],
) -> Result<()> {
    let mut stale = stale(owner, live);
    stale.retain(|k, _| more.iter().all(|(own, _)| own != k));
    let more = more.iter().filter(|(k, v)| live.get(*k).map(String::as_str) != Some(v));
    stale.extend(more.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    if stale.is_empty() {
        return Ok(());
    }
    let call = cloud.ec2().create_tags().resources(id).set_tags(Some(ec2_tags(&stale)));
    call.send().await.told(cloud, name).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Owner;

    #[test]
    fn only_what_is_set_and_differs_is_stale() {
        let mut owner = Owner {
            tool: "minion",
            vpc: "vpc-1".into(),
            team: Some("red".into()),
            application: "a".into(),
            version: None,
            extra: BTreeMap::from([("cost".into(), "7".into()), ("managed-by".into(), "me".into())]),
        };
        let live = owner.tags("a");
        assert_eq!(changes(&owner, &live), []);
        owner.team = Some("blue".into());
        owner.extra = BTreeMap::from([("new".into(), "1".into())]);
        assert_eq!(changes(&owner, &live), [Change::new("tag new", "-", "1"), Change::new("tag team", "red", "blue")]);
        owner.team = None;
        owner.extra.clear();
        assert_eq!(changes(&owner, &live), []);
    }
}
