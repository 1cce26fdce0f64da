//! The domain's hosted zones and their records: which zone a version's names stand in.
use crate::{
    deployed::Deployed,
    site::Site,
    traffic::{Weights, weights_of},
};
use aws_core::{
    Error, Result,
    cloud::{dns, lookups::Zone},
    error::Kind,
    model::{ApplicationName, VersionName, names::AppVersion},
    registry::settings::VpcSettings,
};
use std::collections::{BTreeMap, BTreeSet};

/// The domain, and the records of every hosted zone of that name that this VPC's applications may be in.
pub struct Names {
    /// The domain, without a final dot.
    pub domain: String,
    region: String,
    zones: Vec<(Zone, Vec<dns::RecordSet>)>,
}

/// Reads the records of the configured domain, which usually is the versions', while the versions are still being
/// read: they are remembered for the run. What fails is told when the records are needed.
pub async fn read_early(site: &Site) {
    if let Some(domain) = &site.settings.values.domain {
        let _ = Names::load(site, domain.clone()).await;
    }
}

/// The names of these versions: in the domains that their Auto Scaling groups carry, and in the configured one.
/// A domain that was set wrong must not hide the traffic that a version has.
///
/// # Errors
/// When a call fails, or when there is no domain to look in.
pub async fn names_of(site: &Site, versions: &[Deployed], start: Option<&VpcSettings>) -> Result<Vec<Names>> {
    let mut domains: BTreeSet<String> = versions.iter().filter_map(Deployed::domain).collect();
    match site.any_domain(start).await {
        Ok(domain) => drop(domains.insert(domain)),
        Err(e) if domains.is_empty() || e.kind() != Kind::Usage => return Err(e),
        Err(_) => {}
    }
    futures::future::try_join_all(domains.into_iter().map(|d| Names::load(site, d)).collect::<Vec<_>>()).await
}

impl Names {
    /// Reads all records: with `--zone-id` those of that zone alone.
    pub async fn load(site: &Site, domain: String) -> Result<Self> {
        let wanted = site.settings.values.zone_id.as_deref();
        let zones = site.zones(&domain).await?.into_iter().filter(|z| wanted.is_none_or(|w| w == z.id));
        let read = zones.map(async |z| dns::records(&site.cloud, &z.id).await.map(|r| (z, r)));
        let zones = futures::future::try_join_all(read).await?;
        Ok(Self { domain, region: site.cloud.region().to_owned(), zones })
    }

    /// The zone in which the version's own name stands.
    ///
    /// # Errors
    /// When it stands in two.
    pub fn home_of(&self, id: &AppVersion) -> Result<Option<&Zone>> {
        let name = id.dns_name(&self.domain);
        let homes: Vec<_> =
            self.zones.iter().filter(|(_, records)| records.iter().any(|r| r.name == name)).map(|(z, _)| z).collect();
        match homes.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => {
                let ids: Vec<_> = several.iter().map(|z| z.id.as_str()).collect();
                Err(Error::refused(format!("{name} stands in {} hosted zones: {}", several.len(), ids.join(", ")))
                    .hint("Say which one is meant with --zone-id."))
            }
        }
    }

    /// The application's weighted records in this zone.
    ///
    /// # Errors
    /// When the name is taken by records that are not ours.
    pub fn weights_in(&self, zone: &Zone, application: &ApplicationName) -> Result<Weights> {
        let records = self.zones.iter().find(|(z, _)| z.id == zone.id).map_or(&[][..], |(_, r)| r);
        weights_of(records, &zone.id, application, &self.domain, &self.region)
    }

    /// The application's weighted records in each zone that has some.
    ///
    /// # Errors
    /// When the name is taken by records that are not ours.
    pub fn weights(&self, application: &ApplicationName) -> Result<Vec<Weights>> {
        let all = self.zones.iter().map(|(z, r)| weights_of(r, &z.id, application, &self.domain, &self.region));
        let all: Result<Vec<_>> = all.collect();
        Ok(all?.into_iter().filter(|w| !w.raw().is_empty()).collect())
    }

    /// Each version's share of its application's traffic, in percent.
    ///
    /// # Errors
    /// When the name is taken by records that are not ours: the shares are not known then.
    pub fn percents(&self, application: &ApplicationName) -> Result<BTreeMap<VersionName, f64>> {
        Ok(self.weights(application)?.iter().flat_map(Weights::percents).collect())
    }
}

/// The version's share of the traffic in any of these domains.
///
/// # Errors
/// When the shares are not known.
pub fn share_of(names: &[Names], id: &AppVersion) -> Result<Option<f64>> {
    for names in names {
        if let Some(share) = names.percents(&id.application)?.get(&id.version) {
            return Ok(Some(*share));
        }
    }
    Ok(None)
}
