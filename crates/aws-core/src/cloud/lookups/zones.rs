//! Hosted zones, and the one to use.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    resources::alias_record::plain_name,
};
use aws_sdk_route53::types::{HostedZone, VpcRegion};
use std::collections::BTreeMap;

/// A hosted zone of Route 53.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// The domain's name, without a final dot.
    pub name: String,
    /// Whether only VPCs see it.
    pub private: bool,
    /// What its comment says, where that was asked for.
    pub comment: Option<String>,
}

/// A hosted zone's id alone, of any form in which AWS gives it: `Z1`, `/hostedzone/Z1` (Route 53's answers),
/// `arn:aws:route53:::hostedzone/Z1`.
pub fn plain_id(id: &str) -> String {
    id.rsplit_once("hostedzone/").map_or(id, |(_, plain)| plain).to_owned()
}

fn zone(z: &HostedZone) -> Zone {
    let config = z.config();
    Zone {
        id: plain_id(z.id()),
        name: plain_name(z.name()),
        private: config.is_some_and(|c| c.private_zone()),
        comment: config.and_then(|c| c.comment()).map(str::to_owned),
    }
}

/// The zones of exactly this domain: private ones that this VPC sees, and public ones. Sorted by id.
pub async fn zones(cloud: &Cloud, vpc: &str, domain: &str) -> Result<Vec<Zone>> {
    let domain = plain_name(domain);
    let (private, public) = futures::try_join!(private_zones(cloud, vpc), public_zones(cloud, &domain))?;
    // A zone can come from both lists only if AWS changed it in between; the id decides.
    let by_id: BTreeMap<String, Zone> = private
        .iter()
        .chain(&public)
        .filter(|z| z.name.eq_ignore_ascii_case(&domain))
        .map(|z| (z.id.clone(), z.clone()))
        .collect();
    Ok(by_id.into_values().collect())
}

/// The private zones that this VPC sees. Those that a service keeps for itself (Cloud Map, EFS) are left
/// out. Shared by all who ask in this run.
async fn private_zones(cloud: &Cloud, vpc: &str) -> Result<Vec<Zone>> {
    let load = async {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let call = cloud.route53().list_hosted_zones_by_vpc().vpc_id(vpc);
            let call = call.vpc_region(VpcRegion::from(cloud.region())).set_next_token(next);
            let page = call.send().await.told(cloud, vpc)?;
            let ours =
                page.hosted_zone_summaries().iter().filter(|z| z.owner().is_none_or(|o| o.owning_service().is_none()));
            found.extend(ours.map(|z| Zone {
                id: plain_id(z.hosted_zone_id()),
                name: plain_name(z.name()),
                private: true,
                comment: None,
            }));
            next = page.next_token().filter(|t| !t.is_empty()).map(str::to_owned);
            if next.is_none() {
                return Ok(found);
            }
        }
    };
    Ok(cloud.once(format!("zones of {vpc}"), load).await?.to_vec())
}

/// The public zones of this name. Shared by all who ask in this run.
pub(crate) async fn public_zones(cloud: &Cloud, domain: &str) -> Result<Vec<Zone>> {
    Ok(cloud.once(format!("public zones of {domain}"), read_public_zones(cloud, domain)).await?.to_vec())
}

/// As [`public_zones`], read afresh. Route 53 lists zones from this name on, in an order of its own; the ones of the
/// name come first.
pub(crate) async fn read_public_zones(cloud: &Cloud, domain: &str) -> Result<Vec<Zone>> {
    let mut found: Vec<Zone> = Vec::new();
    let (mut name, mut id) = (format!("{domain}."), None);
    loop {
        let call = cloud.route53().list_hosted_zones_by_name().dns_name(name).set_hosted_zone_id(id);
        let page = call.send().await.told(cloud, domain)?;
        let zones: Vec<Zone> = page.hosted_zones().iter().map(zone).collect();
        let past = zones.iter().any(|z| !z.name.eq_ignore_ascii_case(domain));
        found.extend(zones.into_iter().filter(|z| !z.private && z.name.eq_ignore_ascii_case(domain)));
        let Some(next) = page.next_dns_name().filter(|_| page.is_truncated() && !past) else { return Ok(found) };
        (name, id) = (next.to_owned(), page.next_hosted_zone_id().map(str::to_owned));
    }
}

/// All hosted zones of the account, sorted by name.
pub async fn all_zones(cloud: &Cloud) -> Result<Vec<Zone>> {
    let pages = cloud.route53().list_hosted_zones().into_paginator().items().send();
    let found = pages.collect::<Result<Vec<HostedZone>, _>>().await.told(cloud, "")?;
    let mut zones: Vec<Zone> = found.iter().map(zone).collect();
    zones.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(zones)
}

/// The zone for a load balancer's name. An internal one goes into the private zone when there is one;
/// everything else into the public one. `zone_id`, when given, must be among `zones`.
///
/// # Errors
/// Not found, when there is none; a refusal that names `--zone-id`, when there are two.
pub fn choose_zone<'z>(zones: &'z [Zone], internal: bool, zone_id: Option<&str>) -> Result<&'z Zone> {
    if let Some(id) = zone_id {
        let id = plain_id(id);
        return zones.iter().find(|z| z.id == id).ok_or_else(|| {
            Error::not_found(format!("hosted zone {id} is not one of the domain's that this VPC can use"))
                .hint(format!("Give --zone-id one of: {}.", list(zones)))
        });
    }
    let of = |private: bool| zones.iter().filter(|z| z.private == private).collect::<Vec<_>>();
    let private = if internal { of(true) } else { Vec::new() };
    let candidates = if private.is_empty() { of(false) } else { private };
    match candidates.as_slice() {
        [one] => Ok(one),
        [] if zones.is_empty() => Err(Error::not_found("there is no hosted zone for the domain")
            .hint("Create the zone, or set another domain (`configure` lists the zones that these credentials see).")),
        [] => Err(Error::not_found("there is no public hosted zone for the domain")
            .hint(format!("A name for the internet needs a public zone; there are only: {}.", list(zones)))),
        several => {
            let several: Vec<Zone> = several.iter().map(|z| (*z).clone()).collect();
            Err(Error::refused(format!("{} hosted zones could be meant: {}", several.len(), list(&several)))
                .hint("Say which one with --zone-id."))
        }
    }
}

fn list(zones: &[Zone]) -> String {
    let text = |z: &Zone| format!("{} ({}, {})", z.id, z.name, if z.private { "private" } else { "public" });
    if zones.is_empty() { "none".into() } else { zones.iter().map(text).collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn some(zones: &[(&str, bool)]) -> Vec<Zone> {
        zones
            .iter()
            .map(|(id, private)| Zone { id: (*id).into(), name: "x.org".into(), private: *private, comment: None })
            .collect()
    }

    #[test]
    fn one_zone_is_chosen_never_guessed() {
        let both = some(&[("P", true), ("W", false)]);
        let chosen =
            |z: &[Zone], internal, id| choose_zone(z, internal, id).map(|z| z.id.clone()).map_err(|e| e.kind());
        assert_eq!(chosen(&both, true, None), Ok("P".into()));
        assert_eq!(chosen(&both, false, None), Ok("W".into()));
        assert_eq!(chosen(&both, true, Some("W")), Ok("W".into()));
        for form in [
            "P",
            "/hostedzone/P",
            "hostedzone/P",
            "arn:aws:route53:::hostedzone/P",
            "arn:aws-cn:route53:::hostedzone/P",
        ] {
            assert_eq!(chosen(&both, false, Some(form)), Ok("P".into()), "{form}");
        }
        assert_eq!(chosen(&both, true, Some("X")), Err(Kind::NotFound));
        // Internal names go into the public zone where there is no private one; not the other way round.
        assert_eq!(chosen(&some(&[("W", false)]), true, None), Ok("W".into()));
        assert_eq!(chosen(&some(&[("P", true)]), false, None), Err(Kind::NotFound));
        assert_eq!(chosen(&[], true, None), Err(Kind::NotFound));
        let two = some(&[("P", true), ("Q", true), ("W", false)]);
        assert_eq!(chosen(&two, true, None), Err(Kind::Refused));
        assert_eq!(chosen(&two, false, None), Ok("W".into()));
        let e = choose_zone(&two, true, None).unwrap_err();
        assert!(e.hints()[0].contains("--zone-id") && e.to_string().contains('Q'));
    }
}
