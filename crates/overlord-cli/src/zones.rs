//! Which availability zones a team's network spans, and the slot of each.
use crate::{
    addresses,
    graph::NAT_INSTANCE,
    organization::{
        Team,
        types::{Nat, Zones},
    },
};
use aws_core::{
    Error, Result,
    cloud::{
        Cloud,
        lookups::{self, AvailabilityZone, Offers},
    },
    error::Kind,
    model::DEFAULT_INSTANCE_TYPE,
    registry::teams::{RegionRecord, ZoneRecord},
};
use ipnet::Ipv4Net;

/// Gives each zone its slot: those that have one keep it, new ones take the next. Gives back what is to be said of them.
///
/// # Errors
/// A usage error when the region has no such zones, or too few that offer what the team needs; a refusal when the network
/// has zones that the file does not ask for, or no room; what AWS answers.
pub async fn add(team: &Team, cloud: &Cloud, network: &mut RegionRecord) -> Result<Vec<String>> {
    let there: Vec<&str> = network.zones.iter().map(|z| z.id.as_str()).collect();
    let Choice { new, notes } = look(team, cloud, &there).await?;
    for zone in new {
        let slot = u8::try_from(network.zones.len()).ok().and_then(|n| addresses::slot(network.cidr, n));
        let slot = slot.ok_or_else(|| Error::refused(format!("{} has no slot left for another zone", network.cidr)))?;
        // A network that was imported may be laid out in another way.
        let there = network.zones.iter().flat_map(|z| [z.public, z.shared, z.private]).flatten();
        let overlap =
            |n: Ipv4Net| [slot.public, slot.shared, slot.private].iter().any(|s| s.contains(&n) || n.contains(s));
        if let Some(other) = there.into_iter().find(|n| overlap(*n)) {
            return Err(Error::refused(format!(
                "the slot for another zone of {} overlaps subnet {other}",
                network.cidr
            ))
            .hint("Keep the number of zones: a network that was imported with another layout cannot get more."));
        }
        network.zones.push(ZoneRecord {
            id: zone.id,
            name: zone.name,
            public: Some(slot.public),
            shared: Some(slot.shared),
            private: Some(slot.private),
        });
    }
    Ok(notes)
}

/// Checks that a region has the zones of a team that is new there. Gives back what is to be said of them.
///
/// # Errors
/// As [`add`].
pub async fn check(team: &Team, cloud: &Cloud) -> Result<Vec<String>> {
    Ok(look(team, cloud, &[]).await?.notes)
}

/// Refuses zones that are named and belong to none of the regions. `networks` have all those that do.
///
/// # Errors
/// A usage error that names the zone.
pub fn all_found(team: &Team, networks: &[RegionRecord]) -> Result<()> {
    let Zones::Named(ids) = &team.zones else { return Ok(()) };
    let has = |id: &String| networks.iter().flat_map(|n| &n.zones).any(|z| z.id == *id);
    match ids.iter().find(|id| !has(id)) {
        None => Ok(()),
        Some(id) => {
            let regions = team.regions.join(", ");
            Err(Error::usage(format!(
                "invalid zone `{id}` of team {}: none of its regions ({regions}) has it",
                team.name
            ))
            .hint(list_zones("REGION")))
        }
    }
}

fn list_zones(region: &str) -> String {
    format!(
        "List a region's zone IDs: `aws ec2 describe-availability-zones --region {region} --filters \
         Name=zone-type,Values=availability-zone --query 'AvailabilityZones[].[ZoneId,State]' --output text`."
    )
}

async fn look(team: &Team, cloud: &Cloud, there: &[&str]) -> Result<Choice> {
    // A network that has what the file asks for is not looked at again: a zone may be out of order for a while.
    let complete = match &team.zones {
        Zones::Count(wanted) => there.len() == usize::from(*wanted),
        Zones::Named(ids) => has_all(there, ids),
    };
    if complete {
        return Ok(Choice::default());
    }
    let needs = Needs { nat_instance: team.nat == Nat::Instance };
    let types = needs.types();
    let offers = async {
        match lookups::offers_by_zone_id(cloud, &types).await {
            // Then nothing is known of the zones, and none is left out.
            Err(e) if e.kind() == Kind::Access => Ok((Offers::default(), Some(unchecked(cloud.region(), &types, &e)))),
            other => other.map(|offers| (offers, None)),
        }
    };
    let (available, (offers, unchecked)) = futures::try_join!(lookups::zones_of_region(cloud), offers)?;
    let region = Region { name: cloud.region(), there, available: &available, offers: &offers };
    let mut choice = match &team.zones {
        Zones::Count(wanted) => region.count(team.name.as_str(), usize::from(*wanted), needs),
        Zones::Named(ids) => region.named(team.name.as_str(), ids, needs),
    }?;
    choice.notes.extend(unchecked);
    Ok(choice)
}

fn unchecked(region: &str, types: &[&str], error: &Error) -> String {
    let types = types.join(" and ");
    format!("Could not check which Availability Zones of {region} offer {types}, so none is left out: {error}")
}

/// What the ids of a region's zones begin with: `use1`.
fn group(id: &str) -> &str {
    id.split("-az").next().unwrap_or_default()
}

/// Whether a network has exactly those of the zones that are its region's.
fn has_all(there: &[&str], ids: &[String]) -> bool {
    let Some(first) = there.first() else { return false };
    let here: Vec<&str> = ids.iter().map(String::as_str).filter(|id| group(id) == group(first)).collect();
    here.iter().all(|id| there.contains(id)) && there.iter().all(|id| here.contains(id))
}

/// What a team's zones have to offer.
#[derive(Debug, Clone, Copy)]
struct Needs {
    nat_instance: bool,
}

impl Needs {
    fn types(self) -> Vec<&'static str> {
        let nat = self.nat_instance.then_some(NAT_INSTANCE);
        [Some(DEFAULT_INSTANCE_TYPE), nat].into_iter().flatten().collect()
    }
}

/// What is added to a network.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choice {
    new: Vec<AvailabilityZone>,
    notes: Vec<String>,
}

/// A region as one team sees it.
struct Region<'a> {
    name: &'a str,
    /// The ids of the zones that its network has.
    there: &'a [&'a str],
    /// All zones, by id.
    available: &'a [AvailabilityZone],
    offers: &'a Offers,
}

impl Region<'_> {
    /// What of it a zone lacks. A type that no zone is known to offer says nothing of one of them.
    fn lacks(&self, zone: &str, needs: Needs) -> Vec<&'static str> {
        let types = needs.types().into_iter();
        types.filter(|t| self.offers.is_known(t) && !self.offers.has(t, zone)).collect()
    }

    /// A NAT instance must start somewhere in the region.
    fn has_nat_instances(&self, needs: Needs) -> Result<()> {
        let lacking = needs.nat_instance && self.offers.is_known(DEFAULT_INSTANCE_TYPE);
        if lacking && !self.offers.is_known(NAT_INSTANCE) {
            return Err(Error::usage(format!(
                "invalid value `instance` of nat: no availability zone of {} offers {NAT_INSTANCE}",
                self.name
            ))
            .hint("Use `nat: single`, or `nat: per-az`."));
        }
        Ok(())
    }

    /// The first zones, by id, that offer what is needed, until there are so many.
    fn count(&self, team: &str, wanted: usize, needs: Needs) -> Result<Choice> {
        if self.there.len() > wanted {
            return Err(Error::refused(format!(
                "the network of team {team} in {} spans {} zones, and its file asks for {wanted}",
                self.name,
                self.there.len()
            ))
            .hint(
                "Keep the zones: zones can be added, but not removed, because what runs there would lose its subnet.",
            ));
        }
        let more = wanted - self.there.len();
        if more == 0 {
            return Ok(Choice::default());
        }
        self.has_nat_instances(needs)?;
        let free = self.available.iter().filter(|z| !self.there.contains(&z.id.as_str()));
        let (good, bad): (Vec<_>, Vec<_>) = free.cloned().partition(|z| self.lacks(&z.id, needs).is_empty());
        let without: Vec<String> =
            bad.iter().map(|z| format!("{} (no {})", z.id, self.lacks(&z.id, needs).join(", no "))).collect();
        let new: Vec<AvailabilityZone> = good.into_iter().take(more).collect();
        if new.len() < more {
            let left_out = if without.is_empty() { String::new() } else { format!(" without {}", without.join(", ")) };
            return Err(Error::usage(format!(
                "team {team} asks for {wanted} zones, and {} has {}{left_out}",
                self.name,
                self.there.len() + new.len()
            ))
            .hint("Set `zones` of the team to a smaller number, name zones by ID (`zones: [..]`), or remove the region from `regions`."));
        }
        // Only those that would have been taken before the last of these.
        let last = new.last().map(|z| z.id.clone()).unwrap_or_default();
        let passed: Vec<String> = bad.iter().zip(without).filter(|(z, _)| z.id < last).map(|(_, text)| text).collect();
        let notes = if passed.is_empty() {
            Vec::new()
        } else {
            vec![format!("Skipped zones of {}: {}", self.name, passed.join(", "))]
        };
        Ok(Choice { new, notes })
    }

    /// The zones that are named, by id.
    fn named(&self, team: &str, ids: &[String], needs: Needs) -> Result<Choice> {
        let own = self.available.first().map(|z| group(&z.id)).unwrap_or_default();
        let here: Vec<&String> = ids.iter().filter(|id| group(id) == own).collect();
        let list = || self.available.iter().map(|z| z.id.as_str()).collect::<Vec<_>>().join(", ");
        if here.is_empty() {
            return Err(Error::usage(format!(
                "team {team} names zones, and none of {}, where it has a network ({})",
                self.name,
                list()
            ))
            .hint("Add zones of this region to `zones`, or remove the region from `regions`."));
        }
        let unknown =
            |id: &&&String| !self.there.contains(&id.as_str()) && !self.available.iter().any(|z| z.id == ***id);
        if let Some(strange) = here.iter().find(unknown) {
            return Err(Error::usage(format!(
                "invalid zone `{strange}` of team {team}: {} has {} available",
                self.name,
                list()
            ))
            .hint(list_zones(self.name)));
        }
        if let Some(lost) = self.there.iter().find(|id| !here.iter().any(|h| h.as_str() == **id)) {
            return Err(Error::refused(format!(
                "the network of team {team} in {} has zone {lost}, which its file does not name",
                self.name
            ))
            .hint("Add it to `zones`: zones can be added, but not removed, because what runs there would lose its subnet."));
        }
        let wanted = |z: &&AvailabilityZone| here.contains(&&z.id) && !self.there.contains(&z.id.as_str());
        let new: Vec<AvailabilityZone> = self.available.iter().filter(wanted).cloned().collect();
        self.has_nat_instances(needs)?;
        // The NAT instance stands in the first zone.
        let first = new.first().filter(|_| self.there.is_empty());
        if let Some(first) = first.filter(|z| self.lacks(&z.id, needs).contains(&NAT_INSTANCE)) {
            return Err(Error::usage(format!(
                "invalid value `instance` of nat: {}, the first zone of team {team}, does not offer {NAT_INSTANCE}",
                first.id
            ))
            .hint("Use `nat: single`, or name other zones."));
        }
        let lacking = |z: &AvailabilityZone| {
            let lacks = self.lacks(&z.id, needs).contains(&DEFAULT_INSTANCE_TYPE);
            lacks.then(|| {
                format!(
                    "Zone {} does not offer {DEFAULT_INSTANCE_TYPE}, minion's default: only versions with another \
                     `instance_type` run there",
                    z.id
                )
            })
        };
        let notes = new.iter().filter_map(lacking).collect();
        Ok(Choice { new, notes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// us-east-1 as AWS tells of it: `use1-az3` has neither of the types.
    fn us_east(types: &[&str]) -> (Vec<AvailabilityZone>, Offers) {
        let zone = |n: u8| AvailabilityZone { id: format!("use1-az{n}"), name: format!("us-east-1{n}") };
        let offer = |t: &&str| [1, 2, 4, 5, 6].map(|n| ((*t).to_owned(), format!("use1-az{n}")));
        ((1..=6).map(zone).collect(), types.iter().flat_map(offer).collect())
    }

    const BOTH: [&str; 2] = [DEFAULT_INSTANCE_TYPE, NAT_INSTANCE];

    fn ids(choice: Result<Choice>) -> Vec<String> {
        choice.unwrap().new.into_iter().map(|z| z.id).collect()
    }

    fn count(offers: &[&str], there: &[&str], wanted: usize, nat_instance: bool) -> Result<Choice> {
        let (available, offers) = us_east(offers);
        Region { name: "us-east-1", there, available: &available, offers: &offers }.count(
            "red",
            wanted,
            Needs { nat_instance },
        )
    }

    fn named(offers: &[&str], there: &[&str], wanted: &[&str], nat_instance: bool) -> Result<Choice> {
        let (available, offers) = us_east(offers);
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        Region { name: "us-east-1", there, available: &available, offers: &offers }.named(
            "red",
            &wanted,
            Needs { nat_instance },
        )
    }

    #[test]
    fn zones_are_those_that_offer_what_is_needed_by_id() {
        assert_eq!(ids(count(&BOTH, &[], 2, true)), ["use1-az1", "use1-az2"]);
        assert_eq!(ids(count(&BOTH, &[], 3, true)), ["use1-az1", "use1-az2", "use1-az4"]);
        assert_eq!(ids(count(&[DEFAULT_INSTANCE_TYPE], &[], 5, false)).len(), 5);
        // What a team has, it keeps.
        assert_eq!(ids(count(&BOTH, &["use1-az3", "use1-az1"], 4, true)), ["use1-az2", "use1-az4"]);
        assert_eq!(ids(count(&BOTH, &["use1-az3"], 1, true)), Vec::<String>::new());
        // Where nothing is known of the types, all zones will do.
        assert_eq!(ids(count(&[], &[], 3, false)), ["use1-az1", "use1-az2", "use1-az3"]);
        assert_eq!(ids(count(&[NAT_INSTANCE], &[], 3, true)), ["use1-az1", "use1-az2", "use1-az4"]);
    }

    #[test]
    fn zones_that_are_left_out_are_named_when_they_would_have_been_taken() {
        let notes = |wanted| count(&BOTH, &[], wanted, true).unwrap().notes;
        assert_eq!(notes(2), Vec::<String>::new());
        assert_eq!(notes(3), ["Skipped zones of us-east-1: use1-az3 (no t3.small, no t4g.nano)"]);
        let error = count(&BOTH, &[], 6, false).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.to_string(), "team red asks for 6 zones, and us-east-1 has 5 without use1-az3 (no t3.small)");
        assert_eq!(count(&BOTH, &["use1-az1", "use1-az2"], 1, false).unwrap_err().kind(), Kind::Refused);
        let error = count(&[DEFAULT_INSTANCE_TYPE], &[], 2, true).unwrap_err();
        assert!(error.kind() == Kind::Usage && error.to_string().contains("t4g.nano"), "{error:?}");
    }

    #[test]
    fn zones_that_are_named() {
        assert_eq!(ids(named(&BOTH, &[], &["use1-az4", "use1-az1", "euw1-az1"], true)), ["use1-az1", "use1-az4"]);
        assert_eq!(ids(named(&BOTH, &["use1-az4"], &["use1-az4", "use1-az1"], false)), ["use1-az1"]);
        let lacking = named(&BOTH, &[], &["use1-az1", "use1-az3"], true).unwrap();
        assert_eq!(lacking.new.len(), 2);
        assert!(lacking.notes[0].contains("use1-az3 does not offer t3.small"), "{:?}", lacking.notes);
        let kind = |there: &[&str], wanted: &[&str], nat| named(&BOTH, there, wanted, nat).unwrap_err().kind();
        assert_eq!(kind(&[], &["use1-az9"], false), Kind::Usage);
        assert_eq!(kind(&[], &["euw1-az1"], false), Kind::Usage);
        assert_eq!(kind(&["use1-az2"], &["use1-az1"], false), Kind::Refused);
        // What a network has is not judged anew.
        assert!(has_all(&["use1-az3", "use1-az1"], &["use1-az1".into(), "use1-az3".into(), "euw1-az1".into()]));
        assert!(!has_all(&["use1-az3"], &["use1-az1".into(), "use1-az3".into()]));
        assert!(!has_all(&["use1-az3", "use1-az1"], &["use1-az3".into()]) && !has_all(&[], &["use1-az1".into()]));
        assert_eq!(ids(named(&BOTH, &["use1-az9"], &["use1-az9", "use1-az1"], false)), ["use1-az1"]);
        // The NAT instance would stand in the first.
        assert_eq!(kind(&[], &["use1-az3", "use1-az4"], true), Kind::Usage);
        assert!(named(&BOTH, &[], &["use1-az2", "use1-az3"], true).is_ok());
    }
}
