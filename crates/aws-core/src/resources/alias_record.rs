//! Alias records: a DNS name for a load balancer; and how record sets are read and written.
use super::load_balancer::LoadBalancerId;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, dns::is_outdated},
    engine::{Action, Change, Cx, Identity, Needs, NodeId, Ref, Resource},
    model::names::{self, dns_suffix},
};
use aws_sdk_route53::{
    operation::change_resource_record_sets::ChangeResourceRecordSetsError,
    types::{AliasTarget, Change as RecordChange, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType},
};
use std::sync::Arc;

/// Records in one page (Route 53 `ListResourceRecordSets`, `MaxItems`: at most 300).
const PAGE: i32 = 300;
/// Route 53's code for a batch that it will not carry out.
const REFUSED: &str = "InvalidChangeBatch";

/// A simple alias record of type A.
#[derive(Needs)]
pub struct AliasRecord {
    /// Which it is.
    pub alias: Alias,
    /// What it points to.
    pub load_balancer: Ref<LoadBalancerId>,
}

/// What identifies an alias record.
#[derive(Clone, Needs)]
pub struct Alias {
    /// The hosted zone's id.
    pub zone_id: String,
    /// The name, without a final dot.
    pub name: String,
    /// The load balancer's name. It is the same for ever, so that the record is known even when its load
    /// balancer is gone.
    pub load_balancer_name: String,
    /// Nodes that it is written after, or, when it goes, is gone before.
    pub after: Vec<NodeId>,
}

/// All record sets of the zone. Shared by all who ask in this run.
pub async fn list_records(cloud: &Cloud, zone_id: &str) -> Result<Arc<Vec<ResourceRecordSet>>> {
    cloud.once(format!("records of {zone_id}"), read_records(cloud, zone_id)).await
}

/// As [`list_records`], read afresh.
pub(super) async fn read_records(cloud: &Cloud, zone_id: &str) -> Result<Vec<ResourceRecordSet>> {
    let mut records = Vec::new();
    let mut next = Some((None, None, None));
    while let Some((name, kind, identifier)) = next {
        let call = cloud.route53().list_resource_record_sets().hosted_zone_id(zone_id).max_items(PAGE);
        let call = call.set_start_record_name(name).set_start_record_type(kind).set_start_record_identifier(identifier);
        let page = call.send().await.told(cloud, format!("hosted zone {zone_id}"))?;
        let following = (page.next_record_name, page.next_record_type, page.next_record_identifier);
        next = Some(following).filter(|(name, ..)| page.is_truncated && name.is_some());
        records.extend(page.resource_record_sets);
    }
    Ok(records)
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
    let answer = call.told(cloud, format!("hosted zone {zone_id}"));
    let answer = answer.map_err(|e| if reasons.is_empty() { e } else { e.context(&reasons) })?;
    let id = answer.change_info().map(|i| i.id()).unwrap_or_default();
    Ok(id.trim_start_matches("/change/").to_owned())
}

/// Whether all of Route 53's servers know of this change.
pub async fn in_sync(cloud: &Cloud, change_id: &str) -> Result<bool> {
    let answer = cloud.route53().get_change().id(change_id).send().await.told(cloud, change_id)?;
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

/// Whether this DNS name is that of a load balancer of this name in this region:
/// `[internal-]<name>-<id>.<region>.elb.amazonaws.com` for application load balancers,
/// `<name>-<id>.elb.<region>.amazonaws.com` for network load balancers. The id is AWS's: digits, hexadecimal
/// for network load balancers.
pub fn is_load_balancer(dns_name: &str, load_balancer_name: &str, region: &str) -> bool {
    let target = target_name(dns_name);
    let name = load_balancer_name.to_ascii_lowercase();
    let matches = |target: &str| {
        let rest = target.strip_prefix(&name).and_then(|r| r.strip_prefix('-'));
        let Some((id, place)) = rest.and_then(|r| r.split_once('.')) else { return false };
        // `amazonaws.com`, and what it is in other partitions.
        let place = place.strip_suffix(dns_suffix(region)).and_then(|p| p.strip_suffix('.'));
        let here = place.is_some_and(|p| p == format!("{region}.elb") || p == format!("elb.{region}"));
        here && !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit())
    };
    matches(&target) || target.strip_prefix("internal-").is_some_and(matches)
}

/// Refuses when the name is taken by a record that is not an alias for the load balancer of this name in the
/// connection's region: to be asked before anything of the version is made.
///
/// # Errors
/// The refusal, with zone, record and target; what AWS answers.
pub async fn require_free(cloud: &Cloud, zone_id: &str, name: &str, load_balancer_name: &str) -> Result<()> {
    let claim = Claim { zone_id, name, load_balancer_name, region: cloud.region() };
    claim.refuse_foreign(&list_records(cloud, zone_id).await?)
}

/// A name in a hosted zone, and whose alias it is to be.
struct Claim<'a> {
    zone_id: &'a str,
    name: &'a str,
    load_balancer_name: &'a str,
    region: &'a str,
}

impl Claim<'_> {
    /// The records that answer for addresses of this name: any of them is in the way of ours.
    fn of_name<'r>(&self, records: &'r [ResourceRecordSet]) -> Vec<&'r ResourceRecordSet> {
        let name = plain_name(self.name);
        let about_addresses = |r: &&ResourceRecordSet| matches!(r.r#type(), RrType::A | RrType::Aaaa | RrType::Cname);
        records.iter().filter(about_addresses).filter(|r| plain_name(r.name()) == name).collect()
    }
    /// Another region's load balancer may have our name: its record is another deployment's.
    fn is_ours(&self, record: &ResourceRecordSet) -> bool {
        let target = record.alias_target().map(AliasTarget::dns_name);
        *record.r#type() == RrType::A
            && record.set_identifier().is_none()
            && target.is_some_and(|t| is_load_balancer(t, self.load_balancer_name, self.region))
    }
    fn ours<'r>(&self, records: &'r [ResourceRecordSet]) -> Option<&'r ResourceRecordSet> {
        self.of_name(records).into_iter().find(|r| self.is_ours(r))
    }
    /// `Err` says what stands there instead.
    fn refuse_foreign(&self, records: &[ResourceRecordSet]) -> Result<()> {
        let Some(foreign) = self.of_name(records).into_iter().find(|r| !self.is_ours(r)) else { return Ok(()) };
        let mut what = format!("a record of type {}", foreign.r#type().as_str());
        if let Some(id) = foreign.set_identifier() {
            what.push_str(&format!(" with the routing identifier {id}"));
        }
        let values: Vec<&str> = foreign.resource_records().iter().map(|v| v.value()).collect();
        match foreign.alias_target() {
            Some(alias) => what.push_str(&format!(" that points to {}", plain_name(alias.dns_name()))),
            None if values.is_empty() => {}
            None => what.push_str(&format!(" that points to {}", values.join(", "))),
        }
        let Self { name, zone_id, region, .. } = self;
        Err(Error::refused(format!("DNS name {name} exists already in hosted zone {zone_id} and is somebody else's: {what}"))
            .hint(format!(
                "Nobody's record is taken over. Choose another version name or domain, or remove that record first; if it is a version's in another region than {region}, delete it there."
            )))
    }
}

impl Alias {
    fn claim<'a>(&'a self, cloud: &'a Cloud) -> Claim<'a> {
        Claim {
            zone_id: &self.zone_id,
            name: &self.name,
            load_balancer_name: &self.load_balancer_name,
            region: cloud.region(),
        }
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
    async fn write(&self, cloud: &Cloud, changes: &[(ChangeAction, &ResourceRecordSet)]) -> Result<()> {
        let change = |(action, record): &(ChangeAction, &ResourceRecordSet)| {
            RecordChange::builder().action(action.clone()).resource_record_set((*record).clone()).build()
        };
        let changes: Result<Vec<_>, _> = changes.iter().map(change).collect();
        let Self { name, zone_id, .. } = self;
        match change_batch(cloud, zone_id, name, changes.map_err(incomplete)?).await {
            // Somebody else was there since we looked, or our own change, whose answer was lost: look again.
            Err(e) if is_outdated(&e) => Err(e.retryable()),
            // What Route 53 finds wrong with a batch does not pass with time.
            Err(e) if e.code() == Some(REFUSED) => {
                Err(e.context(format!("Route 53 refuses DNS name {name} in hosted zone {zone_id}")).hint(format!(
                    "`aws route53 list-resource-record-sets --hosted-zone-id {zone_id}` shows what stands there. Remove what is in the way, or choose another version name."
                )))
            }
            other => other.map(drop),
        }
    }
}

fn compare(live: &ResourceRecordSet, wanted: Option<&LoadBalancerId>) -> Vec<Change> {
    let (Some(alias), Some(wanted)) = (live.alias_target(), wanted) else { return Vec::new() };
    let mut changes = Vec::new();
    Change::compare(&mut changes, "load balancer", &target_name(alias.dns_name()), &target_name(&wanted.dns_name));
    Change::compare(&mut changes, "zone of the load balancer", &alias.hosted_zone_id(), &wanted.zone_id.as_str());
    Change::compare(&mut changes, "checks the target's health", &alias.evaluate_target_health(), &true);
    changes
}

impl Identity for Alias {
    const KIND: &'static str = "DNS name";
    type Cloud = Cloud;
    type Live = ResourceRecordSet;
    type Output = ();
    fn name(&self) -> String {
        self.name.clone()
    }
    fn step(&self, action: &Action) -> String {
        match action {
            Action::Create => format!("Configuring DNS name {}. ", self.name),
            other => format!("{} {}", other.verb(), self.noun()),
        }
    }
    /// Somebody else's record of that name is not found, so that it is never deleted; [`require_free`] and
    /// [`Resource::create`] refuse to touch it.
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<ResourceRecordSet>> {
        let records = match list_records(cx.cloud, &self.zone_id).await {
            Err(e) if e.is_gone() => return Ok(None),
            other => other?,
        };
        Ok(self.claim(cx.cloud).ours(&records).cloned())
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &ResourceRecordSet) -> Result<()> {
        match self.write(cx.cloud, &[(ChangeAction::Delete, live)]).await {
            Err(e) if e.is_gone() => Ok(()),
            Err(e) if e.code() == Some(REFUSED) && e.to_string().contains("not found") => Ok(()),
            other => other,
        }
    }
    fn output(&self, _: &ResourceRecordSet) {}
}

impl Resource for AliasRecord {
    type Identity = Alias;

    fn identity(&self) -> Alias {
        self.alias.clone()
    }
    fn check(&self) -> Result<()> {
        names::domain_name(&self.alias.name)
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &ResourceRecordSet) -> Vec<Change> {
        compare(live, cx.try_get(self.load_balancer))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<ResourceRecordSet> {
        let claim = self.alias.claim(cx.cloud);
        claim.refuse_foreign(&list_records(cx.cloud, &self.alias.zone_id).await?)?;
        let wanted = cx.get(self.load_balancer);
        let record = self.alias.record(wanted)?;
        match self.alias.write(cx.cloud, &[(ChangeAction::Create, &record)]).await {
            // What is in the way may be what an earlier try made, whose answer was lost.
            Err(e) if e.code() == Some(REFUSED) => {
                let now = read_records(cx.cloud, &self.alias.zone_id).await?;
                claim.refuse_foreign(&now)?;
                let made = claim.ours(&now).filter(|r| compare(r, Some(wanted)).is_empty());
                made.cloned().ok_or(e)
            }
            Err(e) => Err(e),
            Ok(()) => Ok(record),
        }
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &ResourceRecordSet, _: &[Change]) -> Result<ResourceRecordSet> {
        let record = self.alias.record(cx.get(self.load_balancer))?;
        // Refused unless it is still as it was read.
        self.alias.write(cx.cloud, &[(ChangeAction::Delete, live), (ChangeAction::Upsert, &record)]).await?;
        Ok(record)
    }
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
    fn a_load_balancer_is_known_by_its_name_and_region() {
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
            ("app-foo-1.example.org", "app-foo", false),
            ("d111111abcdef8.cloudfront.net", "app-foo", false),
            // The load balancer of that name in another region.
            ("app-foo-1-0-1088772597.eu-west-2.elb.amazonaws.com", "app-foo-1-0", false),
            ("app-foo-1-0-0a1b2c3d4e5f6789.elb.eu-west-2.amazonaws.com", "app-foo-1-0", false),
            ("app-foo-1-0-1.eu-west-1.elb.amazonaws.com.example.org", "app-foo-1-0", false),
        ] {
            assert_eq!(is_load_balancer(target, name, "eu-west-1"), ours, "{target} {name}");
        }
        for (region, suffix) in [("cn-north-1", "amazonaws.com.cn"), ("eusc-de-east-1", "amazonaws.eu")] {
            let target = format!("app-foo-1-0-1.{region}.elb.{suffix}");
            assert!(is_load_balancer(&target, "app-foo-1-0", region), "{target}");
            assert!(!is_load_balancer(&target, "app-foo-1-0", "eu-west-1"), "{target}");
        }
    }

    #[test]
    fn what_is_not_ours_is_refused_with_zone_record_and_target() {
        let claim = Claim {
            zone_id: "Z1",
            name: "foo-1-0.example.org",
            load_balancer_name: "app-foo-1-0",
            region: "eu-west-1",
        };
        let record = |kind: RrType| ResourceRecordSet::builder().name("foo-1-0.example.org.").r#type(kind);
        let alias = |region: &str| {
            let name = format!("app-foo-1-0-1.{region}.elb.amazonaws.com.");
            AliasTarget::builder().hosted_zone_id("Z2").dns_name(name).evaluate_target_health(true).build().unwrap()
        };
        let ours = record(RrType::A).alias_target(alias("eu-west-1")).build().unwrap();
        claim.refuse_foreign(std::slice::from_ref(&ours)).unwrap();
        assert_eq!(claim.ours(std::slice::from_ref(&ours)), Some(&ours));

        let value = aws_sdk_route53::types::ResourceRecord::builder().value("other.example.org").build().unwrap();
        for (foreign, target) in [
            (record(RrType::A).alias_target(alias("eu-west-2")), "app-foo-1-0-1.eu-west-2.elb.amazonaws.com"),
            (record(RrType::A).alias_target(alias("eu-west-1")).set_identifier("blue").weight(1), "blue"),
            (record(RrType::Cname).ttl(60).resource_records(value), "other.example.org"),
        ] {
            let foreign = [foreign.build().unwrap()];
            assert_eq!(claim.ours(&foreign), None);
            let e = claim.refuse_foreign(&foreign).unwrap_err();
            let text = e.to_string();
            assert!(["Z1", "foo-1-0.example.org", target].iter().all(|w| text.contains(w)), "{text}");
            assert_eq!((e.kind(), e.hints().len()), (crate::error::Kind::Refused, 1));
        }
    }
}
