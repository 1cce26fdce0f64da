//! The NS records by which a parent domain names a team's servers.
use super::{
    hosted_zone::ZoneId,
    records::{record_at, record_set, remove, replace, values},
};
use crate::{
    Error, Result,
    cloud::{Cloud, lookups::zones},
    engine::{Change, Cx, NodeId, Ref, Resource},
    error::Kind,
    model::names,
};
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use std::collections::BTreeSet;

/// Seconds that resolvers keep the answer.
const TTL: i64 = 3600;

/// The NS record set of a domain in its parent's zone. Acts in the account of the parent's zone. One that names other
/// servers is repaired once the domain's own zone is there; before, the name is somebody else's, and refused.
pub struct Delegation {
    /// The domain's own zone.
    pub zone: Ref<ZoneId>,
    /// The domain, without a final dot.
    pub domain: String,
    /// The parent domain.
    pub parent: String,
    /// The parent's zone; `None`: the only public one of that name.
    pub parent_zone_id: Option<String>,
}

/// The record set, and the zone that it is in.
#[derive(Debug, Clone)]
pub struct Live {
    zone_id: String,
    record: ResourceRecordSet,
}

/// The id of the parent domain's zone: the named one (without a call), else the only public zone of that name. To be
/// asked before anything is made. Shared by all who ask in this run.
///
/// # Errors
/// Not found, when there is none; a refusal, when there are several; what AWS answers.
pub async fn parent_zone(cloud: &Cloud, parent: &str, zone_id: Option<&str>) -> Result<String> {
    if let Some(id) = zone_id {
        return Ok(zones::plain_id(id));
    }
    let found = zones::public_zones(cloud, parent).await?;
    match found.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(Error::not_found(format!("there is no public hosted zone for the parent domain {parent}")).hint(
            "Name the account that has it (`account` of the domain in the organization's file), or set `delegate: false`.",
        )),
        several => {
            let ids: Vec<&str> = several.iter().map(|z| z.id.as_str()).collect();
            Err(Error::refused(format!("{} public hosted zones are for {parent}: {}", several.len(), ids.join(", ")))
                .hint("Say which one: `zone_id` of the domain in the organization's file."))
        }
    }
}

impl Delegation {
    async fn put(
        &self,
        cloud: &Cloud,
        zone_id: String,
        old: Option<&ResourceRecordSet>,
        zone: &ZoneId,
    ) -> Result<Live> {
        let servers: BTreeSet<String> = zone.name_servers.iter().cloned().collect();
        if servers.is_empty() {
            return Err(Error::failed(format!("hosted zone {} for {} names no servers", zone.id, self.domain)));
        }
        let record = record_set(&self.domain, RrType::Ns, TTL, &servers)?;
        let comment = format!("delegation of {}", self.domain);
        replace(cloud, &zone_id, &comment, old, record.clone())
            .await
            .map_err(|e| e.context(format!("{} in hosted zone {zone_id} of {}", self.domain, self.parent)))?;
        Ok(Live { zone_id, record })
    }
}

/// Without a zone of ours the name is another's: what it names now is not to be cut off by a team of the same name.
fn taken(domain: &str, record: &ResourceRecordSet) -> Change {
    let live: Vec<String> = values(record).into_iter().collect();
    let hint = format!(
        "Somebody else's servers answer for {domain}: remove that NS record from the parent's zone when nobody needs \
         it, or choose another name for the team or its domain."
    );
    Change::refused("name servers", live.join(", "), "those of a zone to be made", hint)
}

fn compare(domain: &str, record: &ResourceRecordSet, zone: Option<&ZoneId>) -> Vec<Change> {
    let Some(zone) = zone else { return vec![taken(domain, record)] };
    let mut changes = Vec::new();
    let live = values(record);
    if live != zone.name_servers.iter().cloned().collect() {
        let live: Vec<String> = live.into_iter().collect();
        changes.push(Change::new("name servers", live.join(", "), zone.name_servers.join(", ")));
    }
    if record.ttl() != Some(TTL) {
        changes.push(Change::new("TTL", record.ttl().map_or_else(|| "-".into(), |t| t.to_string()), TTL));
    }
    changes
}

impl Resource for Delegation {
    const KIND: &'static str = "delegation";
    type Cloud = Cloud;
    type Live = Live;
    type Output = ();

    fn name(&self) -> String {
        self.domain.clone()
    }
    fn noun(&self) -> String {
        format!("delegation of {} by {}", self.domain, self.parent)
    }
    fn needs(&self) -> Vec<NodeId> {
        vec![self.zone.node()]
    }

    /// Without a zone of the parent there is no record; [`Resource::create`] says so, and [`parent_zone`] earlier.
    fn check(&self) -> Result<()> {
        names::domain_name(&self.domain)
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let zone_id = match parent_zone(cx.cloud, &self.parent, self.parent_zone_id.as_deref()).await {
            Err(e) if e.kind() == Kind::NotFound => return Ok(None),
            other => other?,
        };
        let record = record_at(cx.cloud, &zone_id, &self.domain, RrType::Ns).await?;
        Ok(record.map(|record| Live { zone_id, record }))
    }

    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        compare(&self.domain, &live.record, cx.try_get(self.zone))
    }

    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let zone_id = parent_zone(cx.cloud, &self.parent, self.parent_zone_id.as_deref()).await?;
        self.put(cx.cloud, zone_id, None, cx.get(self.zone)).await
    }

    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let zone = cx.get(self.zone);
        if compare(&self.domain, &live.record, Some(zone)).is_empty() {
            return Ok(live.clone());
        }
        self.put(cx.cloud, live.zone_id.clone(), Some(&live.record), zone).await
    }

    /// Servers that are not ours are left as they are: then somebody else answers for the domain.
    async fn delete(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        let ours: BTreeSet<String> =
            cx.try_get(self.zone).map(|z| z.name_servers.iter().cloned().collect()).unwrap_or_default();
        if values(&live.record) != ours {
            return Ok(());
        }
        let comment = format!("delegation of {}", self.domain);
        remove(cx.cloud, &live.zone_id, &comment, vec![live.record.clone()]).await
    }

    fn output(&self, _: &Live) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_ttl_are_compared() {
        let record = |ttl, servers: &[&str]| {
            let servers = servers.iter().map(|s| (*s).to_owned()).collect();
            record_set("red.example.org", RrType::Ns, ttl, &servers).unwrap()
        };
        let zone = ZoneId { id: "Z".into(), name_servers: vec!["a.example".into(), "b.example".into()] };
        let compare = |record, zone| compare("red.example.org", &record, zone);
        assert_eq!(compare(record(TTL, &["b.example", "a.example"]), Some(&zone)), []);
        assert_eq!(
            compare(record(60, &["x"]), Some(&zone)),
            [Change::new("name servers", "x", "a.example, b.example"), Change::new("TTL", 60, 3600)]
        );
        assert!(matches!(compare(record(TTL, &["x"]), None).as_slice(), [Change { refused: Some(_), .. }]));
    }
}
