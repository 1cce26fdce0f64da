//! Record sets as all kinds of this folder read and write them.
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        dns::is_outdated,
        wait::{Look, Patience, poll_until},
    },
    engine::Cancel,
    resources::alias_record::{change_batch, in_sync, plain_name},
};
use aws_sdk_route53::types::{Change, ChangeAction, ResourceRecord, ResourceRecordSet, RrType};
use std::{collections::BTreeSet, time::Duration};

/// Route 53 says 60 seconds for a change to reach all of its servers; it can be more on a bad day.
const IN_SYNC: Duration = Duration::from_secs(540);

fn incomplete(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("a change of DNS records is incomplete").caused_by(error)
}

/// A record set with these values.
pub(super) fn record_set(name: &str, kind: RrType, ttl: i64, values: &BTreeSet<String>) -> Result<ResourceRecordSet> {
    let values: Result<Vec<_>, _> =
        values.iter().map(|v| ResourceRecord::builder().value(format!("{v}.")).build()).collect();
    ResourceRecordSet::builder()
        .name(format!("{name}."))
        .r#type(kind)
        .ttl(ttl)
        .set_resource_records(Some(values.map_err(incomplete)?))
        .build()
        .map_err(incomplete)
}

/// The names that a record set points to, in small letters, without final dots.
pub(super) fn values(set: &ResourceRecordSet) -> BTreeSet<String> {
    set.resource_records().iter().map(|r| plain_name(r.value())).collect()
}

/// The record set of this name and type, in one call however large the zone is. `None` when there is none, or no
/// such zone.
pub(super) async fn record_at(
    cloud: &Cloud,
    zone_id: &str,
    name: &str,
    kind: RrType,
) -> Result<Option<ResourceRecordSet>> {
    let page = cloud
        .route53()
        .list_resource_record_sets()
        .hosted_zone_id(zone_id)
        .start_record_name(format!("{name}."))
        .start_record_type(kind.clone())
        .max_items(1)
        .send()
        .await
        .unless_gone(cloud, format!("{name} in hosted zone {zone_id}"))?;
    let sets = page.map(|p| p.resource_record_sets).unwrap_or_default();
    Ok(sets.into_iter().find(|s| *s.r#type() == kind && plain_name(s.name()) == name))
}

/// Writes all changes or none of them, and waits until all of Route 53's servers know.
pub(super) async fn write(
    cloud: &Cloud,
    zone_id: &str,
    comment: &str,
    action: &ChangeAction,
    sets: Vec<ResourceRecordSet>,
) -> Result<()> {
    let changes: Result<Vec<_>, _> =
        sets.into_iter().map(|set| Change::builder().action(action.clone()).resource_record_set(set).build()).collect();
    let done = change_batch(cloud, zone_id, comment, changes.map_err(incomplete)?).await;
    // What is gone need not be gone everywhere.
    if *action == ChangeAction::Delete {
        return done.map(drop);
    }
    // The zone may have been made a moment ago.
    synced(cloud, &done.map_err(|e| if e.is_gone() { e.retryable() } else { e })?, comment).await
}

/// Puts a record set in the place of the one that was read, or where there was none. When that is no longer so, somebody
/// else was there, or a batch whose answer was lost: the error is one to look again after.
pub(super) async fn replace(
    cloud: &Cloud,
    zone_id: &str,
    comment: &str,
    old: Option<&ResourceRecordSet>,
    new: ResourceRecordSet,
) -> Result<()> {
    // What is deleted must be there as it was read; what is created must not be there.
    let put = if old.is_some() { ChangeAction::Upsert } else { ChangeAction::Create };
    let old = old.cloned().map(|set| (ChangeAction::Delete, set));
    let changes = old.into_iter().chain([(put, new)]);
    let changes: Result<Vec<_>, _> =
        changes.map(|(action, set)| Change::builder().action(action).resource_record_set(set).build()).collect();
    let id = change_batch(cloud, zone_id, comment, changes.map_err(incomplete)?).await;
    let id = id.map_err(|e| if is_outdated(&e) { e.retryable() } else { e })?;
    synced(cloud, &id, comment).await
}

/// Removes record sets; when they, or the zone, are gone already, that is no error.
pub(super) async fn remove(cloud: &Cloud, zone_id: &str, comment: &str, sets: Vec<ResourceRecordSet>) -> Result<()> {
    if sets.is_empty() {
        return Ok(());
    }
    match write(cloud, zone_id, comment, &ChangeAction::Delete, sets).await {
        Err(e) if e.is_gone() => Ok(()),
        Err(e) if e.code() == Some("InvalidChangeBatch") && e.to_string().contains("not found") => Ok(()),
        other => other,
    }
}

/// Waits until all of Route 53's servers know of a change.
pub(super) async fn synced(cloud: &Cloud, change_id: &str, what: &str) -> Result<()> {
    let look = async || {
        let done = in_sync(cloud, change_id).await?;
        Ok(if done { Look::Done(()) } else { Look::NotYet("Route 53 is still telling its servers".into()) })
    };
    let what = format!("the DNS change for {what}");
    poll_until(&what, &Patience::new(IN_SYNC, Cancel::default()), look, |_, _| {}).await
}
