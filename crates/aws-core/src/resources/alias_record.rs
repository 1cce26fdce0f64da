//! Alias records: a DNS name for a load balancer; and how record sets are read and written.
use super::load_balancer::LoadBalancerId;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Action, Change, Cx, NodeId, Ref, Resource},
};
use aws_sdk_route53::{
    operation::change_resource_record_sets::ChangeResourceRecordSetsError,
    types::{AliasTarget, Change as RecordChange, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType},
};
use std::sync::Arc;

/// Records in one page (Route 53 `ListResourceRecordSets`, `MaxItems`: at most 300).
const PAGE: i32 = 300;

/// A simple alias record of type A.
pub struct AliasRecord {
    /// The noun phrase of step lines.
    pub noun: String,
    /// The hosted zone's id.
    pub zone_id: String,
    /// The name, without a final dot.
    pub name: String,
    /// What it points to.
    pub load_balancer: Ref<LoadBalancerId>,
    /// The load balancer's name. It is the same for ever, so that the record is known even when its load
    /// balancer is gone.
    pub load_balancer_name: String,
}

/// All record sets of the zone. Shared by all who ask in this run.
///
/// # Errors
/// What AWS answers.
pub async fn list_records(cloud: &Cloud, zone_id: &str) -> Result<Arc<Vec<ResourceRecordSet>>> {
    let load = async {
        let mut records = Vec::new();
        let mut next = Some((None, None, None));
        while let Some((name, kind, identifier)) = next {
            let page = cloud
                .route53()
                .list_resource_record_sets()
                .hosted_zone_id(zone_id)
                .max_items(PAGE)
                .set_start_record_name(name)
                .set_start_record_type(kind)
                .set_start_record_identifier(identifier)
                .send()
                .await
                .told(cloud, "route53:ListResourceRecordSets", format!("hosted zone {zone_id}"))?;
            let following = (page.next_record_name, page.next_record_type, page.next_record_identifier);
            next = Some(following).filter(|(name, ..)| page.is_truncated && name.is_some());
            records.extend(page.resource_record_sets);
        }
        Ok(records)
    };
    cloud.once(format!("records of {zone_id}"), load).await
}

/// Writes all changes or none of them. Returns the change's id, for [`in_sync`].
///
/// # Errors
/// What AWS answers, with all that it finds wrong with the batch.
pub async fn change_batch(cloud: &Cloud, zone_id: &str, comment: &str, changes: Vec<RecordChange>) -> Result<String> {
    let batch = ChangeBatch::builder().comment(comment).set_changes(Some(changes)).build().map_err(incomplete)?;
    let call = cloud.route53().change_resource_record_sets().hosted_zone_id(zone_id).change_batch(batch).send().await;
    // Some endpoints put the reasons into a list, and leave the message empty.
    let reasons = match call.as_ref().err().and_then(|e| e.as_service_error()) {
        Some(ChangeResourceRecordSetsError::InvalidChangeBatch(e)) => e.messages().join("; "),
        _ => String::new(),
    };
    let answer = call.told(cloud, "route53:ChangeResourceRecordSets", format!("hosted zone {zone_id}"));
    let answer = answer.map_err(|e| {
        // Another batch for this zone is not done yet; it passes.
        let e = e.retry_on(&["PriorRequestNotComplete"]);
        if reasons.is_empty() { e } else { e.context(&reasons) }
    })?;
    let id = answer.change_info().map(|i| i.id()).unwrap_or_default();
    Ok(id.trim_start_matches("/change/").to_owned())
}

/// Whether all of Route 53's servers know of this change.
///
/// # Errors
/// What AWS answers.
pub async fn in_sync(cloud: &Cloud, change_id: &str) -> Result<bool> {
    let answer = cloud.route53().get_change().id(change_id).send().await.told(cloud, "route53:GetChange", change_id)?;
    Ok(answer.change_info().is_some_and(|i| *i.status() == ChangeStatus::Insync))
}

fn incomplete(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("a change of DNS records is incomplete").caused_by(error)
}

/// A name as people write it: no final dot, small letters, and Route 53's `\052` as `*`.
pub fn plain_name(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.trim_end_matches('.');
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(byte) if byte.is_ascii() => {
                plain.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            _ => {
                plain.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain.make_ascii_lowercase();
    plain
}

/// The load balancer's DNS name behind an alias: without what Route 53's console puts in front.
fn target_name(dns_name: &str) -> String {
    let name = plain_name(dns_name);
    name.strip_prefix("dualstack.").map_or(name.clone(), str::to_owned)
}

/// Whether this DNS name is that of a load balancer of this name: `[internal-]<name>-<digits>.`, where the
/// digits (hexadecimal for network load balancers) are AWS's.
pub fn is_load_balancer(dns_name: &str, load_balancer_name: &str) -> bool {
    let target = target_name(dns_name);
    let name = load_balancer_name.to_ascii_lowercase();
    let matches = |target: &str| {
        let rest = target.strip_prefix(&name).and_then(|r| r.strip_prefix('-'));
        let id = rest.and_then(|r| r.split('.').next());
        id.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    matches(&target) || target.strip_prefix("internal-").is_some_and(matches)
}

impl AliasRecord {
    /// The records that answer for addresses of this name: any of them is in the way of ours.
    fn of_name<'r>(&self, records: &'r [ResourceRecordSet]) -> Vec<&'r ResourceRecordSet> {
        let name = plain_name(&self.name);
        let about_addresses = |r: &&ResourceRecordSet| matches!(r.r#type(), RrType::A | RrType::Aaaa | RrType::Cname);
        records.iter().filter(about_addresses).filter(|r| plain_name(r.name()) == name).collect()
    }
    fn is_ours(&self, record: &ResourceRecordSet) -> bool {
        let target = record.alias_target().map(AliasTarget::dns_name);
        *record.r#type() == RrType::A
            && record.set_identifier().is_none()
            && target.is_some_and(|t| is_load_balancer(t, &self.load_balancer_name))
    }
    /// `Err` says what stands there instead.
    fn refuse_foreign(&self, records: &[ResourceRecordSet]) -> Result<()> {
        let Some(foreign) = self.of_name(records).into_iter().find(|r| !self.is_ours(r)) else { return Ok(()) };
        let what = match (foreign.set_identifier(), foreign.alias_target()) {
            (Some(id), _) => format!("a record with the routing identifier {id}"),
            (None, Some(alias)) => format!("an alias for {}", plain_name(alias.dns_name())),
            (None, None) => format!("a record of type {}", foreign.r#type().as_str()),
        };
        Err(Error::refused(format!("DNS name {} exists already and is somebody else's: {what}", self.name))
            .hint("Choose another version name, or remove that record first."))
    }
    fn record(&self, to: &LoadBalancerId) -> Result<ResourceRecordSet> {
        let alias = AliasTarget::builder()
            .hosted_zone_id(&to.zone_id)
            .dns_name(format!("{}.", to.dns_name.trim_end_matches('.')))
            .evaluate_target_health(true)
            .build()
            .map_err(incomplete)?;
        let name = format!("{}.", self.name.trim_end_matches('.'));
        ResourceRecordSet::builder().name(name).r#type(RrType::A).alias_target(alias).build().map_err(incomplete)
    }
    async fn write(&self, cloud: &Cloud, action: ChangeAction, record: ResourceRecordSet) -> Result<()> {
        let change = RecordChange::builder().action(action).resource_record_set(record).build().map_err(incomplete)?;
        change_batch(cloud, &self.zone_id, &self.name, vec![change]).await.map(|_| ())
    }
    fn compare(&self, live: &ResourceRecordSet, wanted: Option<&LoadBalancerId>) -> Vec<Change> {
        let (Some(alias), Some(wanted)) = (live.alias_target(), wanted) else { return Vec::new() };
        let mut changes = Vec::new();
        Change::compare(&mut changes, "load balancer", &target_name(alias.dns_name()), &target_name(&wanted.dns_name));
        Change::compare(&mut changes, "zone of the load balancer", &alias.hosted_zone_id(), &wanted.zone_id.as_str());
        Change::compare(&mut changes, "checks the target's health", &alias.evaluate_target_health(), &true);
        changes
    }
}

impl Resource for AliasRecord {
    const KIND: &'static str = "DNS name";
    type Cloud = Cloud;
    type Live = ResourceRecordSet;
    type Output = ();

    fn name(&self) -> String {
        self.name.clone()
    }
    fn noun(&self) -> String {
        self.noun.clone()
    }
    fn step(&self, action: &Action) -> String {
        match action {
            Action::Create => format!("Configuring DNS name {}. ", self.name),
            other => format!("{} {}", other.verb(), self.noun),
        }
    }
    fn needs(&self) -> Vec<NodeId> {
        vec![self.load_balancer.node()]
    }

    /// Somebody else's record of that name is not found, so that it is never deleted; [`Resource::create`]
    /// refuses to touch it.
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<ResourceRecordSet>> {
        let records = match list_records(cx.cloud, &self.zone_id).await {
            Err(e) if e.code() == Some("NoSuchHostedZone") => return Ok(None),
            other => other?,
        };
        Ok(self.of_name(&records).into_iter().find(|r| self.is_ours(r)).cloned())
    }

    fn diff(&self, cx: &Cx<'_, Cloud>, live: &ResourceRecordSet) -> Vec<Change> {
        self.compare(live, cx.try_get(self.load_balancer))
    }

    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<ResourceRecordSet> {
        self.refuse_foreign(&list_records(cx.cloud, &self.zone_id).await?)?;
        let record = self.record(cx.get(self.load_balancer))?;
        match self.write(cx.cloud, ChangeAction::Create, record.clone()).await {
            // Made since the look, or an earlier answer was lost: look again.
            Err(e) => Err(e.retry_on_words("InvalidChangeBatch", "already exists")),
            Ok(()) => Ok(record),
        }
    }

    async fn update(&self, cx: &Cx<'_, Cloud>, _: &ResourceRecordSet, _: &[Change]) -> Result<ResourceRecordSet> {
        let record = self.record(cx.get(self.load_balancer))?;
        self.write(cx.cloud, ChangeAction::Upsert, record.clone()).await?;
        Ok(record)
    }

    async fn delete(&self, cx: &Cx<'_, Cloud>, live: &ResourceRecordSet) -> Result<()> {
        match self.write(cx.cloud, ChangeAction::Delete, live.clone()).await {
            Err(e) if e.code() == Some("NoSuchHostedZone") => Ok(()),
            Err(e) if e.code() == Some("InvalidChangeBatch") && e.to_string().contains("not found") => Ok(()),
            other => other,
        }
    }

    fn output(&self, _: &ResourceRecordSet) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them() {
        for (route53, plain) in [
            ("App.example.org.", "app.example.org"),
            (r"\052.example.org.", "*.example.org"),
            (r"a\\b", r"a\\b"),
            (r"a\05", r"a\05"),
            ("", ""),
        ] {
            assert_eq!(plain_name(route53), plain, "{route53}");
        }
    }

    #[test]
    fn a_load_balancer_is_known_by_its_name() {
        for (target, name, ours) in [
            ("internal-app-foo-1-0-1088772597.eu-west-1.elb.amazonaws.com.", "app-foo-1-0", true),
            ("dualstack.internal-app-foo-1-0-1088772597.eu-west-1.elb.amazonaws.com.", "app-foo-1-0", true),
            ("dualstack.app-foo-1-0-1088772597.eu-west-1.elb.amazonaws.com", "app-foo-1-0", true),
            ("app-foo-1-0-0a1b2c3d4e5f6789.elb.eu-west-1.amazonaws.com", "app-foo-1-0", true),
            ("APP-foo-1-0-1.eu-west-1.elb.amazonaws.com", "app-FOO-1-0", true),
            // Another version, another application, no load balancer at all.
            ("app-foo-1-0-1088772597.eu-west-1.elb.amazonaws.com", "app-foo-1", false),
            ("app-foo-1-0-1088772597.eu-west-1.elb.amazonaws.com", "app-foo", false),
            ("app-foobar-1088772597.eu-west-1.elb.amazonaws.com", "app-foo", false),
            ("app-foo.example.org", "app-foo", false),
            ("app-foo-.example.org", "app-foo", false),
            ("d111111abcdef8.cloudfront.net", "app-foo", false),
        ] {
            assert_eq!(is_load_balancer(target, name), ours, "{target} {name}");
        }
    }
}
