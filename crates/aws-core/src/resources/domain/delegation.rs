//! The NS records by which a parent domain names a team's servers.
use super::{
    hosted_zone::ZoneId,
    records::{record_at, record_set, remove, replace, values},
};
use crate::{
    Error, Result,
    cloud::{Cloud, lookups::zones},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    error::Kind,
    model::names,
    resources::kind::itself,
};
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use std::collections::BTreeSet;

/// Seconds that resolvers keep the answer.
const TTL: i64 = 3600;

/// The NS record set of a domain in its parent's zone. Acts in the account of the parent's zone. One that names other
/// servers is repaired once the domain's own zone is there; before, the name is somebody else's, and refused.
#[derive(Clone, Needs)]
pub struct Delegation {
    /// The domain's own zone.
    pub zone: Ref<ZoneId>,
    /// The domain, without a final dot.
    pub domain: String,
    /// The servers that the domain's zone had when we last wrote the record.
    pub remembered: Vec<String>,
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

impl Delegation {
    /// Whether these are servers of a zone of ours: of the one that is there, or of one that was.
    fn are_ours(&self, servers: &BTreeSet<String>, zone: Option<&ZoneId>) -> bool {
        let of_zone = zone.map(|z| &z.name_servers);
        let mut known = of_zone.into_iter().chain([&self.remembered]).filter(|list| !list.is_empty());
        known.any(|list| list.iter().cloned().collect::<BTreeSet<_>>() == *servers)
    }

    fn compare(&self, record: &ResourceRecordSet, zone: Option<&ZoneId>) -> Vec<Change> {
        let live = values(record);
        let there = live.iter().cloned().collect::<Vec<_>>().join(", ");
        let Some(zone) = zone else {
            let made = Change::new("name servers", there, "those of a zone to be made");
            return vec![if self.are_ours(&live, None) { made } else { taken(&self.domain, record) }];
        };
        let mut changes = Vec::new();
        if live != zone.name_servers.iter().cloned().collect() {
            changes.push(Change::new("name servers", there, zone.name_servers.join(", ")));
        }
        if record.ttl() != Some(TTL) {
            changes.push(Change::new("TTL", record.ttl().map_or_else(|| "-".into(), |t| t.to_string()), TTL));
        }
        changes
    }
}

impl Identity for Delegation {
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
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let zone_id = match parent_zone(cx.cloud, &self.parent, self.parent_zone_id.as_deref()).await {
            Err(e) if e.kind() == Kind::NotFound => return Ok(None),
            other => other?,
        };
        let record = record_at(cx.cloud, &zone_id, &self.domain, RrType::Ns).await?;
        Ok(record.map(|record| Live { zone_id, record }))
    }
    /// Servers that are not ours: then somebody else answers for the domain.
    fn left(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Option<String> {
        let there = values(&live.record);
        if self.are_ours(&there, cx.try_get(self.zone)) {
            return None;
        }
        let there: Vec<String> = there.into_iter().collect();
        Some(format!(
            "it names servers that are not known to be the team's ({}): remove the NS record from {} if nobody needs it",
            there.join(", "),
            self.parent
        ))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        let comment = format!("delegation of {}", self.domain);
        remove(cx.cloud, &live.zone_id, &comment, vec![live.record.clone()]).await
    }
    fn output(&self, _: &Live) {}
}

impl Resource for Delegation {
    itself!();

    /// Without a zone of the parent there is no record; [`Resource::create`] says so, and [`parent_zone`] earlier.
    fn check(&self) -> Result<()> {
        names::domain_name(&self.domain)
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.compare(&live.record, cx.try_get(self.zone))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let zone_id = parent_zone(cx.cloud, &self.parent, self.parent_zone_id.as_deref()).await?;
        self.put(cx.cloud, zone_id, None, cx.get(self.zone)).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let zone = cx.get(self.zone);
        if self.compare(&live.record, Some(zone)).is_empty() {
            return Ok(live.clone());
        }
        self.put(cx.cloud, live.zone_id.clone(), Some(&live.record), zone).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::Graph, model::TeamOwner, resources::domain::hosted_zone::HostedZone};
    use std::collections::BTreeMap;

    fn record(ttl: i64, servers: &[&str]) -> ResourceRecordSet {
        let servers = servers.iter().map(|s| (*s).to_owned()).collect();
        record_set("red.example.org", RrType::Ns, ttl, &servers).unwrap()
    }
    fn delegation(remembered: &[&str]) -> Delegation {
        let mut graph = Graph::<Cloud>::default();
        let owner = TeamOwner { organization: "acme".parse().unwrap(), team: None, extra: BTreeMap::new() };
        let domain = "red.example.org".to_owned();
        let zone = graph.absent(HostedZone { owner, domain: domain.clone() });
        let remembered = remembered.iter().map(|s| (*s).to_owned()).collect();
        Delegation { zone, domain, remembered, parent: "example.org".into(), parent_zone_id: None }
    }

    #[test]
    fn servers_and_ttl_are_compared() {
        let zone = ZoneId { id: "Z".into(), name_servers: vec!["a.example".into(), "b.example".into()] };
        let compare = |record, zone| delegation(&[]).compare(&record, zone);
        assert_eq!(compare(record(TTL, &["b.example", "a.example"]), Some(&zone)), []);
        assert_eq!(
            compare(record(60, &["x"]), Some(&zone)),
            [Change::new("name servers", "x", "a.example, b.example"), Change::new("TTL", 60, 3600)]
        );
    }

    /// Without its zone, a record is ours when it names the servers that the zone had.
    #[test]
    fn servers_are_remembered() {
        let compare = |remembered: &[&str]| delegation(remembered).compare(&record(TTL, &["x"]), None);
        assert!(matches!(compare(&[]).as_slice(), [Change { refused: Some(_), .. }]));
        assert!(matches!(compare(&["y"]).as_slice(), [Change { refused: Some(_), .. }]));
        assert_eq!(compare(&["x"]), [Change::new("name servers", "x", "those of a zone to be made")]);
    }
}
