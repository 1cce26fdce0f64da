//! Public hosted zones of teams.
use super::records::{remove, synced, values};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        lookups::zones::{self, Zone},
        quotas,
    },
    engine::{Change, Cx, Identity, Needs, Resource, Use},
    model::{Owning as _, TeamOwner, names, tag_rules},
    resources::{
        alias_record::{list_records, plain_name, read_records},
        kind::itself,
        tag_drift,
    },
};
use aws_sdk_route53::{
    operation::create_hosted_zone::CreateHostedZoneOutput,
    types::{HostedZoneConfig, ResourceRecordSet, RrType, Tag, TagResourceType},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Records that a refusal names at most.
const NAMED: usize = 10;
/// Record sets that one batch deletes at most: half of what Route 53 takes (`ChangeResourceRecordSets`: 1,000).
const BATCH: usize = 500;
/// Tags that Route 53 takes of a hosted zone (`ChangeTagsForResource`, `AddTags`).
const TAGS: usize = 10;
/// Longest reference of ours: Route 53 accepts 128 characters (`CreateHostedZone`, `CallerReference`), and a time may follow.
const REFERENCE: usize = 128 - " ".len() - "1790000000000000000".len();
/// Route 53's code for a reference that was used before, be it for a zone that is gone.
const ALREADY: &str = "HostedZoneAlreadyExists";
/// Looks for a zone that was made a moment ago, before it counts as gone.
const LOOKS: u32 = 4;
/// Between two of them.
const PAUSE: Duration = Duration::from_secs(3);

/// A public hosted zone. Its comment says whose it is, so that a look at all zones of a name needs no call for tags; it
/// is tagged, too.
#[derive(Clone, Needs)]
pub struct HostedZone {
    /// For whom.
    pub owner: TeamOwner,
    /// The domain, without a final dot.
    pub domain: String,
}

/// A hosted zone that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneId {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// The servers that answer for it, sorted, without final dots.
    pub name_servers: Vec<String>,
}

/// What there is of it.
#[derive(Debug, Clone)]
pub struct Live {
    zone: ZoneId,
    tags: BTreeMap<String, String>,
}

/// The comment of a zone of this owner: `overlord <organization>/<team>`.
pub fn comment(owner: &TeamOwner) -> String {
    match &owner.team {
        Some(team) => format!("overlord {}/{team}", owner.organization),
        None => format!("overlord {}", owner.organization),
    }
}

/// The records that keep the owner's zone of this domain from being deleted, as people know them:
/// `shop.red.example.org A`. Empty when there is no zone of the owner's. To be asked before anything is removed.
pub async fn in_use(cloud: &Cloud, owner: &TeamOwner, domain: &str) -> Result<Vec<String>> {
    let zones = zones::public_zones(cloud, domain).await?;
    let Some(zone) = owned(&zones, owner) else { return Ok(Vec::new()) };
    let records = match list_records(cloud, &zone.id).await {
        Err(e) if e.is_gone() => return Ok(Vec::new()),
        other => other?,
    };
    Ok(foreign(domain, &records).into_iter().map(readable).collect())
}

/// The owner's zone among those of a domain; of several the one with the lowest id: the same one in every run.
fn owned<'z>(zones: &'z [Zone], owner: &TeamOwner) -> Option<&'z Zone> {
    let comment = comment(owner);
    zones.iter().filter(|z| z.comment.as_deref() == Some(&comment)).min_by(|a, b| a.id.cmp(&b.id))
}

fn readable(record: &ResourceRecordSet) -> String {
    format!("{} {}", plain_name(record.name()), record.r#type().as_str())
}

impl HostedZone {
    /// The zone of ours among those of this domain.
    ///
    /// # Errors
    /// A refusal, when there are only other people's.
    fn ours<'z>(&self, zones: &'z [Zone]) -> Result<Option<&'z Zone>> {
        match (owned(zones, &self.owner), zones.first()) {
            (None, Some(foreign)) => {
                let whose = match foreign.comment.as_deref().and_then(|c| c.strip_prefix("overlord ")) {
                    Some(other) => format!("`{other}`"),
                    None => "somebody else (its comment is not one of ours)".to_owned(),
                };
                Err(Error::refused(format!(
                    "hosted zone {} for {} exists already and belongs to {whose}",
                    foreign.id, self.domain
                ))
                .hint(self.owner.way_out()))
            }
            (ours, _) => Ok(ours),
        }
    }

    async fn make(&self, cloud: &Cloud, reference: &str) -> Result<CreateHostedZoneOutput> {
        let config = HostedZoneConfig::builder().comment(comment(&self.owner)).private_zone(false).build();
        let call = cloud.route53().create_hosted_zone().name(format!("{}.", self.domain)).hosted_zone_config(config);
        call.caller_reference(reference).send().await.told(cloud, &self.domain).map_err(|e| match e.code() {
            Some("DelegationSetNotAvailable" | "ConflictingDomainExists") => e.hint(
                "Route 53 keeps this name's servers for other zones of that name: ask AWS support, or use another domain.",
            ),
            _ => e,
        })
    }

    /// The zone of a reference that was used before, tagged. `None` when there is none.
    async fn appears(&self, cloud: &Cloud) -> Result<Option<Live>> {
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let zones = zones::read_public_zones(cloud, &self.domain).await?;
            if let Some(zone) = self.ours(&zones)? {
                let mut tags = tags_of(cloud, &zone.id, &self.domain).await?;
                let stale = self.stale(&tags);
                self.tag(cloud, &zone.id, &stale).await?;
                tags.extend(stale);
                let records = read_records(cloud, &zone.id).await?;
                return Ok(Some(Live { zone: self.read(zone, &records), tags }));
            }
        }
        Ok(None)
    }

    fn read(&self, zone: &Zone, records: &[ResourceRecordSet]) -> ZoneId {
        ZoneId { id: zone.id.clone(), name_servers: name_servers(&self.domain, records) }
    }

    /// The tags that it is to have beside those that it has: those that say whose it is, and of the others as many as
    /// there is room for, by name.
    fn tags(&self, live: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let lasting = self.owner.lasting();
        let mut tags = self.owner.tags(&self.domain);
        tags.retain(|key, _| !lasting.contains_key(key));
        let mut taken: BTreeSet<String> = live.keys().chain(tags.keys()).cloned().collect();
        for (key, value) in lasting {
            if taken.contains(&key) || taken.len() < TAGS {
                taken.insert(key.clone());
                tags.insert(key, value);
            }
        }
        tags
    }

    /// Those of them that are missing or differ: the comment is what it is known by.
    fn stale(&self, live: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        tag_drift::differing(self.tags(live), live)
    }

    async fn tag(&self, cloud: &Cloud, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        if tags.is_empty() {
            return Ok(());
        }
        let tags = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
        let call = cloud.route53().change_tags_for_resource().resource_type(TagResourceType::Hostedzone);
        call.resource_id(id).set_add_tags(Some(tags)).send().await.told(cloud, &self.domain).map(drop)
    }
}

async fn tags_of(cloud: &Cloud, id: &str, domain: &str) -> Result<BTreeMap<String, String>> {
    let call = cloud.route53().list_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(id);
    let answer = call.send().await.unless_gone(cloud, domain)?;
    let tags = answer.and_then(|a| a.resource_tag_set).and_then(|set| set.tags).unwrap_or_default();
    Ok(tags.into_iter().filter_map(|t| Some((t.key?, t.value.unwrap_or_default()))).collect())
}

/// The servers that a zone's own NS record set names: those that its parent has to name, too.
fn name_servers(domain: &str, records: &[ResourceRecordSet]) -> Vec<String> {
    let apex = records.iter().find(|r| *r.r#type() == RrType::Ns && plain_name(r.name()) == domain);
    apex.map(|r| values(r).into_iter().collect()).unwrap_or_default()
}

/// Whether ACM asked for this record; nothing else needs it.
fn validates(record: &ResourceRecordSet) -> bool {
    *record.r#type() == RrType::Cname
        && plain_name(record.name()).starts_with('_')
        && values(record).iter().any(|v| v.ends_with(".acm-validations.aws"))
}

/// The records that are neither the zone's own nor ACM's.
fn foreign<'r>(domain: &str, records: &'r [ResourceRecordSet]) -> Vec<&'r ResourceRecordSet> {
    let own = |r: &ResourceRecordSet| matches!(r.r#type(), RrType::Soa | RrType::Ns) && plain_name(r.name()) == domain;
    records.iter().filter(|r| !own(r) && !validates(r)).collect()
}

impl Identity for HostedZone {
    const KIND: &'static str = "hosted zone";
    type Cloud = Cloud;
    type Live = Live;
    type Output = ZoneId;
    fn name(&self) -> String {
        self.domain.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let zones = zones::public_zones(cx.cloud, &self.domain).await?;
        let Some(zone) = self.ours(&zones)? else { return Ok(None) };
        // The records are looked at for the certificate, too: one call for both.
        let (records, tags) =
            tokio::try_join!(list_records(cx.cloud, &zone.id), tags_of(cx.cloud, &zone.id, &self.domain))?;
        Ok(Some(Live { zone: self.read(zone, &records), tags }))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        let id = live.zone.id.as_str();
        // Afresh: records were deleted in this run.
        let records = match read_records(cx.cloud, id).await {
            Err(e) if e.is_gone() => return Ok(()),
            other => other?,
        };
        let foreign = foreign(&self.domain, &records);
        if !foreign.is_empty() {
            let mut names: Vec<String> = foreign.iter().take(NAMED).map(|r| readable(r)).collect();
            if foreign.len() > NAMED {
                names.push(format!("and {} more", foreign.len() - NAMED));
            }
            return Err(Error::refused(format!(
                "hosted zone {} still has records that are not ours: {}",
                self.domain,
                names.join(", ")
            ))
            .hint("Delete the applications and records below this domain first; then run the same command again."));
        }
        let ours: Vec<ResourceRecordSet> = records.iter().filter(|r| validates(r)).cloned().collect();
        for batch in ours.chunks(BATCH) {
            remove(cx.cloud, id, &self.domain, batch.to_vec()).await?;
        }
        cx.cloud.route53().delete_hosted_zone().id(id).send().await.unless_gone(cx.cloud, &self.domain).map(drop)
    }
    fn output(&self, live: &Live) -> ZoneId {
        live.zone.clone()
    }
}

impl Resource for HostedZone {
    itself!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::HOSTED_ZONES.name, 1)]
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.domain)), names::domain_name(&self.domain)])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        tag_drift::as_changes(self.stale(&live.tags), &live.tags)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        // The same in each run, so that a zone whose making was not answered is not made a second time.
        let reference = names::shorten(&format!("{} {}", comment(&self.owner), self.domain), REFERENCE);
        let made = match self.make(cx.cloud, &reference).await {
            Err(e) if e.code() == Some(ALREADY) => {
                // It stands, and was not seen yet; or it was deleted, and the reference is used up.
                if let Some(live) = self.appears(cx.cloud).await? {
                    return Ok(live);
                }
                self.make(cx.cloud, &format!("{reference} {}", jiff::Timestamp::now().as_nanosecond())).await?
            }
            other => other?,
        };
        let id = made.hosted_zone().map(|z| zones::plain_id(z.id())).unwrap_or_default();
        let mut name_servers: Vec<String> =
            made.delegation_set().map(|d| d.name_servers().iter().map(|n| plain_name(n)).collect()).unwrap_or_default();
        name_servers.sort();
        let tags = self.tags(&BTreeMap::new());
        self.tag(cx.cloud, &id, &tags).await?;
        // Who asks a server that does not know the zone yet is told that there is none, and believes it for a while.
        let change = made.change_info().map(|c| c.id().trim_start_matches("/change/").to_owned()).unwrap_or_default();
        synced(cx.cloud, &change, &self.domain).await?;
        Ok(Live { zone: ZoneId { id, name_servers }, tags })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.tag(cx.cloud, &live.zone.id, &self.stale(&live.tags)).await?;
        Ok(live.clone())
    }
}

/// The public zone of this domain that can be taken over: the only one in the account, and not the owner's already.
/// `None` when there is nothing to take over, or several could be meant.
///
/// # Errors
/// What AWS answers; a refusal when `overlord` made the zone for somebody else.
pub async fn adoptable(cloud: &Cloud, owner: &TeamOwner, domain: &str) -> Result<Option<String>> {
    let zones = zones::public_zones(cloud, domain).await?;
    to_adopt(&zones, owner, domain)
}

fn to_adopt(zones: &[Zone], owner: &TeamOwner, domain: &str) -> Result<Option<String>> {
    if owned(zones, owner).is_some() {
        return Ok(None);
    }
    let other = zones.iter().find_map(|z| Some((z, z.comment.as_deref()?.strip_prefix("overlord ")?)));
    if let Some((zone, other)) = other {
        return Err(Error::refused(format!("hosted zone {} for {domain} belongs to `{other}`", zone.id))
            .hint("Nobody's zone is taken away: choose another domain, or delete the other team first."));
    }
    match zones {
        [one] => Ok(Some(one.id.clone())),
        _ => Ok(None),
    }
}

/// Makes the zone that [`adoptable`] tells the owner's, with the records that it has. Its id; `None` when there is none.
/// Doing it twice is harmless.
///
/// # Errors
/// As [`adoptable`].
pub async fn adopt(cloud: &Cloud, owner: &TeamOwner, domain: &str) -> Result<Option<String>> {
    let Some(id) = adoptable(cloud, owner, domain).await? else { return Ok(None) };
    // The comment is what makes it the owner's: it comes last.
    let zone = HostedZone { owner: owner.clone(), domain: domain.to_owned() };
    let tags = tags_of(cloud, &id, domain).await?;
    zone.tag(cloud, &id, &zone.stale(&tags)).await?;
    let call = cloud.route53().update_hosted_zone_comment().id(&id).comment(comment(owner));
    call.send().await.told(cloud, domain)?;
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::domain::records::record_set;

    fn zone(id: &str, comment: Option<&str>) -> Zone {
        Zone { id: id.into(), name: "red.example.org".into(), private: false, comment: comment.map(Into::into) }
    }

    #[test]
    fn a_zone_is_known_by_its_comment() {
        let owner = TeamOwner {
            organization: "acme".parse().unwrap(),
            team: Some("red".parse().unwrap()),
            extra: Default::default(),
        };
        let wanted = HostedZone { owner, domain: "red.example.org".into() };
        let ours = |zones: &[Zone]| wanted.ours(zones).map(|z| z.map(|z| z.id.clone())).map_err(|e| e.to_string());
        assert_eq!(ours(&[]), Ok(None));
        let both = [zone("B", Some("overlord acme/red")), zone("F", None), zone("A", Some("overlord acme/red"))];
        assert_eq!(ours(&both), Ok(Some("A".into())));
        assert!(ours(&[zone("F", None)]).unwrap_err().contains("somebody else"));
        assert!(ours(&[zone("F", Some("overlord acme/blue"))]).unwrap_err().contains("acme/blue"));
    }

    #[test]
    fn foreign_records_are_told_from_ours() {
        let set = |name: &str, kind, value: &str| record_set(name, kind, 60, &[value.to_owned()].into()).unwrap();
        let records = [
            set("red.example.org", RrType::Ns, "ns-1.awsdns-1.com"),
            set("red.example.org", RrType::Soa, "x"),
            set("_a.red.example.org", RrType::Cname, "_b.c.acm-validations.aws"),
            set("_dmarc.red.example.org", RrType::Cname, "x.example.org"),
            set("sub.red.example.org", RrType::Ns, "ns.example.net"),
        ];
        let names: Vec<String> = foreign("red.example.org", &records).iter().map(|r| plain_name(r.name())).collect();
        assert_eq!(names, ["_dmarc.red.example.org", "sub.red.example.org"]);
        assert_eq!(name_servers("red.example.org", &records), ["ns-1.awsdns-1.com"]);
    }

    #[test]
    fn a_zone_has_no_more_tags_than_route_53_takes() {
        let extra = (0..9).map(|n| (format!("t{n}"), n.to_string()));
        let extra = extra.chain([("team".to_owned(), "mine".to_owned())]).collect();
        let (organization, team) = ("acme".parse().unwrap(), Some("red".parse().unwrap()));
        let zone = HostedZone { owner: TeamOwner { organization, team, extra }, domain: "red.example.org".into() };
        let keys = |live: &BTreeMap<_, _>| zone.tags(live).into_keys().collect::<Vec<_>>().join(" ");
        let own = "Name managed-by overlord:organization overlord:team";
        assert_eq!(keys(&BTreeMap::new()), format!("{own} t0 t1 t2 t3 t4 team"));
        let mut live = zone.tags(&BTreeMap::new());
        assert_eq!(zone.stale(&live), BTreeMap::new());
        live.remove("Name");
        live.insert("team".into(), "blue".into());
        let stale = [("Name".to_owned(), "red.example.org".to_owned()), ("team".to_owned(), "red".to_owned())];
        assert_eq!(zone.stale(&live), stale.into());
        // Those that were wanted once, and somebody's own, are counted.
        let live = ["old", "mine", "t3"].map(|key| (key.to_owned(), "x".to_owned())).into();
        assert_eq!(keys(&live), format!("{own} t0 t1 t3 team"));
        let live = (0..10).map(|n| (format!("own{n}"), String::new())).collect();
        assert_eq!(keys(&live), format!("{own} team"));
    }

    #[test]
    fn the_only_zone_of_nobody_can_be_taken_over() {
        let owner = TeamOwner {
            organization: "acme".parse().unwrap(),
            team: Some("red".parse().unwrap()),
            extra: Default::default(),
        };
        let take = |zones: &[Zone]| to_adopt(zones, &owner, "red.example.org").map_err(|e| e.to_string());
        assert_eq!(take(&[]), Ok(None));
        assert_eq!(take(&[zone("A", None)]), Ok(Some("A".into())));
        assert_eq!(take(&[zone("A", Some("made by hand"))]), Ok(Some("A".into())));
        assert_eq!(take(&[zone("A", None), zone("B", None)]), Ok(None));
        assert_eq!(take(&[zone("A", None), zone("B", Some("overlord acme/red"))]), Ok(None));
        let refused = take(&[zone("A", None), zone("B", Some("overlord acme/blue"))]).unwrap_err();
        assert!(refused.contains("`acme/blue`") && refused.contains(" B "), "{refused}");
    }
}
