//! The weighted records of an application's name, read and written.
use super::Share;
use aws_core::{
    Error, Result,
    cloud::{
        Cloud,
        dns::{self, Change, RecordSet},
    },
    model::{ApplicationName, VersionName, names::AppVersion},
};
use std::collections::BTreeMap;
use terminal::Terminal;

/// An application's weighted records, as just read.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    zone_id: String,
    name: String,
    application: ApplicationName,
    weighted: BTreeMap<VersionName, RecordSet>,
    /// The versions' own records: where the weighted ones point to.
    own: BTreeMap<String, RecordSet>,
}

/// Picks the records of `application` out of the hosted zone's.
///
/// # Errors
/// When the application's name is taken by records that are not ours.
pub fn weights_of(
    records: &[RecordSet],
    zone_id: &str,
    application: &ApplicationName,
    domain: &str,
    region: &str,
) -> Result<Weights> {
    let name = application.dns_name(domain);
    let mut weighted = BTreeMap::new();
    for record in records.iter().filter(|r| r.name == name && r.is_address()) {
        let version =
            record.set_identifier.as_deref().and_then(|id| id.strip_prefix(&format!("{}-", application.resource())));
        let version = version.and_then(|v| v.parse::<VersionName>().ok());
        let (Some(version), Some(_)) = (version, record.weight) else {
            return Err(Error::refused(format!("{name} has a record that minion did not make: {record}"))
                .hint(format!("Remove it from hosted zone {zone_id}, or choose another application name.")));
        };
        if let Some(alias) = record.alias.as_ref().filter(|a| !a.is_in(region)) {
            return Err(Error::refused(format!("{name} is shared out in another region: {record} points to {}", alias.dns_name))
                .hint(format!("Give the applications names or domains of their own, or work with --region of that one (here: {region}).")));
        }
        weighted.insert(version, record.clone());
    }
    let prefix = format!("{application}-");
    let own = records.iter().filter(|r| r.name.starts_with(&prefix) && r.set_identifier.is_none() && r.alias.is_some());
    Ok(Weights {
        zone_id: zone_id.into(),
        application: application.clone(),
        own: own.map(|r| (r.name.clone(), r.clone())).collect(),
        weighted,
        name,
    })
}

impl Weights {
    /// The Route 53 weights by version.
    pub fn raw(&self) -> BTreeMap<VersionName, u64> {
        self.weighted.iter().map(|(v, r)| (v.clone(), r.weight.unwrap_or_default())).collect()
    }

    /// Each version's share in percent, whatever the weights add up to.
    pub fn percents(&self) -> BTreeMap<VersionName, f64> {
        let raw = self.raw();
        let total: u64 = raw.values().sum();
        // When all weights are 0, Route 53 sends the traffic to all of them equally.
        let even = 100.0 / raw.len().max(1) as f64;
        let percent = |w: u64| if total == 0 { even } else { w as f64 * 100.0 / total as f64 };
        raw.into_iter().map(|(v, w)| (v, (percent(w) * 100.0).round() / 100.0)).collect()
    }

    /// The application's DNS name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What has to be written so that the versions get these shares: nothing when they have them. Else every record of
    /// the name goes as it was read and comes as it shall be, those that stay the same too: Route 53 refuses the batch
    /// ([`dns::is_outdated`]) when any of them is no longer what the shares were computed from. A name has 100 weighted
    /// records at most, and a batch takes 1,000 changes.
    ///
    /// # Errors
    /// When a version that is to get traffic has no DNS name of its own yet.
    pub fn changes(&self, shares: &BTreeMap<VersionName, Share>, domain: &str) -> Result<Vec<Change>> {
        let mut wanted = BTreeMap::new();
        for (version, share) in shares {
            let id = AppVersion::new(self.application.clone(), version.clone())?;
            let own = self.own.get(&id.dns_name(domain));
            let live = self.weighted.get(version);
            let alias =
                own.and_then(|r| r.alias.clone()).or_else(|| live.and_then(|r| r.alias.clone())).ok_or_else(|| {
                    Error::refused(format!(
                        "{id} has no DNS name {} that traffic could be sent to",
                        id.dns_name(domain)
                    ))
                    .hint(format!(
                        "Run `minion versions create {} {version} IMAGE` again to complete it.",
                        self.application
                    ))
                })?;
            let weight = u64::from(share.units());
            let same = live.filter(|r| r.weight == Some(weight) && r.alias.as_ref() == Some(&alias));
            let record = match same {
                Some(record) => record.clone(),
                None => RecordSet::weighted_alias(&self.name, &id.resource(), weight, &alias)
                    .map_err(|e| Error::failed(format!("no DNS record for {id} can be made")).caused_by(e))?,
            };
            wanted.insert(version.clone(), record);
        }
        if wanted == self.weighted {
            return Ok(Vec::new());
        }
        let gone = self.weighted.values().cloned().map(Change::Delete);
        Ok(gone.chain(wanted.into_values().map(Change::Create)).collect())
    }

    /// Every record once more, as it is: name servers take the changes of a zone one after another, so that whoever waits
    /// for this one waits for one whose answer was lost, too.
    pub fn once_more(&self) -> Vec<Change> {
        let records = || self.weighted.values().cloned();
        records().map(Change::Delete).chain(records().map(Change::Create)).collect()
    }

    /// The id of the hosted zone.
    pub fn zone_id(&self) -> &str {
        &self.zone_id
    }

    /// Whether there is nothing that a batch could be refused for.
    pub fn is_empty(&self) -> bool {
        self.weighted.is_empty()
    }
}

/// Writes all changes in one atomic batch. Returns the change's id, or `None` when there is nothing to do.
///
/// # Errors
/// When Route 53 refuses the batch; nothing is changed then. See [`super::in_turn`].
pub async fn write(cloud: &Cloud, weights: &Weights, changes: Vec<Change>) -> Result<Option<String>> {
    if changes.is_empty() {
        return Ok(None);
    }
    let comment = format!("minion traffic {}", weights.application);
    dns::change(cloud, &weights.zone_id, &comment, changes).await.map(Some)
}

/// Runs [`write()`] as a step.
///
/// # Errors
/// Those of `writing`.
pub async fn written<T>(terminal: &Terminal, text: &str, writing: impl Future<Output = Result<T>>) -> Result<T> {
    let step = terminal.step(text);
    let result = writing.await;
    match &result {
        Err(e) if dns::is_outdated(e) => step.otherwise("CHANGED MEANWHILE, looking again"),
        Err(e) if e.is_retryable() => step.otherwise("NO ANSWER, looking what became of it"),
        _ => return step.end(result),
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::cloud::dns::Alias;

    fn load_balancer(version: &str) -> Alias {
        Alias { dns_name: format!("app-{version}-1.eu-west-1.elb.amazonaws.com"), zone_id: "Z9".into() }
    }
    fn weights(shares: &[(&str, u64)]) -> Weights {
        let record = |version: &str, weight| {
            let id = format!("app-hello-{version}");
            RecordSet::weighted_alias("hello.example.org", &id, weight, &load_balancer(version)).unwrap()
        };
        let own = |version: &str| {
            let name = format!("hello-{}.example.org", version.replace('.', "-"));
            (name.clone(), RecordSet::weighted_alias(&name, "x", 1, &load_balancer(version)).unwrap())
        };
        Weights {
            zone_id: "Z1".into(),
            name: "hello.example.org".into(),
            application: "hello".parse().unwrap(),
            weighted: shares.iter().map(|(v, w)| (v.parse().unwrap(), record(v, *w))).collect(),
            own: ["1.0", "2.0", "3.0"].map(own).into(),
        }
    }
    fn told(weights: &Weights, shares: &[(&str, u16)]) -> Vec<String> {
        let shares = shares.iter().map(|(v, s)| (v.parse().unwrap(), Share::from_units(*s).unwrap())).collect();
        names(&weights.changes(&shares, "example.org").unwrap())
    }
    fn names(changes: &[Change]) -> Vec<String> {
        let told = changes.iter().map(|change| {
            let (sign, record) = match change {
                Change::Create(r) => ('+', r),
                Change::Delete(r) => ('-', r),
            };
            format!("{sign}{} {}", record.set_identifier.as_deref().unwrap(), record.weight.unwrap())
        });
        told.collect()
    }

    #[test]
    fn a_batch_names_every_record_that_it_was_computed_from() {
        let now = weights(&[("1.0", 140), ("2.0", 60)]);
        assert_eq!(told(&now, &[("1.0", 140), ("2.0", 60)]), [""; 0]);
        assert_eq!(
            told(&now, &[("1.0", 100), ("2.0", 100)]),
            ["-app-hello-1.0 140", "-app-hello-2.0 60", "+app-hello-1.0 100", "+app-hello-2.0 100"]
        );
        // Those that stay are named too.
        assert_eq!(
            told(&weights(&[("1.0", 0), ("2.0", 200)]), &[("2.0", 200)]),
            ["-app-hello-1.0 0", "-app-hello-2.0 200", "+app-hello-2.0 200"]
        );
        assert_eq!(told(&now, &[("3.0", 200)]), ["-app-hello-1.0 140", "-app-hello-2.0 60", "+app-hello-3.0 200"]);
        assert_eq!(told(&weights(&[]), &[("1.0", 200)]), ["+app-hello-1.0 200"]);
        assert_eq!(told(&now, &[]), ["-app-hello-1.0 140", "-app-hello-2.0 60"]);
    }

    #[test]
    fn once_more_changes_nothing() {
        assert_eq!(
            names(&weights(&[("1.0", 140), ("2.0", 60)]).once_more()),
            ["-app-hello-1.0 140", "-app-hello-2.0 60", "+app-hello-1.0 140", "+app-hello-2.0 60"]
        );
        assert!(weights(&[]).once_more().is_empty());
    }
}
