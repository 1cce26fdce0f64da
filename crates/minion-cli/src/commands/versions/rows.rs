//! The rows of a listing of versions.
use crate::{
    deployed,
    dns::{names_of, read_early},
    site::{Session, Site},
};
use aws_core::{Error, Result, model::ApplicationName};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use terminal::{
    Cell, Column, Listing,
    look::{BAD, GOOD},
};

/// One version, as listed and as `-o json` gives it.
#[derive(Debug, Clone, Serialize)]
pub struct VersionRow {
    /// The application.
    pub application_name: String,
    /// The version.
    pub version: String,
    /// The image as the operator wrote it.
    pub image: String,
    /// The digest that the instances run; `null` when the image was not checked.
    pub image_digest: Option<String>,
    /// Number of instances by state.
    pub instance_states: BTreeMap<String, usize>,
    /// Wanted number of instances.
    pub desired: i32,
    /// Share of the application's traffic in percent; `null` without traffic, and when it is not known.
    pub weight: Option<f64>,
    /// Whether the traffic could be read.
    #[serde(skip)]
    pub traffic_known: bool,
    /// The version's own DNS name.
    pub dns_name: Option<String>,
    /// RFC 3339.
    pub created_at: jiff::Timestamp,
}

impl Listing for VersionRow {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Application Name"),
            Column::left("Ver."),
            Column::left("Docker Image"),
            Column::left("Instance States"),
            Column::right("Desired#"),
            Column::right("Weight"),
            Column::left("Created"),
        ];
        COLUMNS
    }
    fn cells(&self, now: jiff::Timestamp) -> Vec<Cell> {
        let states: Vec<_> = self.instance_states.iter().map(|(state, n)| format!("{n}x {state}")).collect();
        let wanted = usize::try_from(self.desired).unwrap_or_default();
        let in_service = self.instance_states.get("InService").copied().unwrap_or_default();
        let unhealthy = self.instance_states.contains_key("Unhealthy");
        let style = match (in_service >= wanted && !unhealthy, unhealthy) {
            (true, _) if wanted > 0 => Some(GOOD),
            (_, true) => Some(BAD),
            _ => None,
        };
        vec![
            Cell::new(&self.application_name),
            Cell::new(&self.version),
            Cell::new(&self.image),
            Cell::styled(states.join(", "), style),
            Cell::new(self.desired),
            Cell::maybe(self.weight.map(|w| format!("{w}%"))),
            Cell::age(self.created_at, now),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &[
            "application_name",
            "version",
            "image",
            "image_digest",
            "instance_states",
            "desired",
            "weight",
            "dns_name",
            "created_at",
        ]
    }
}

/// Reads the versions and their traffic: calls per page, none per version. Where the records of a domain
/// cannot be read there are no weights, and the operator hears why.
///
/// # Errors
/// When the versions cannot be read.
pub async fn load(session: &Session, site: &Site, application: Option<&ApplicationName>) -> Result<Vec<VersionRow>> {
    let (versions, ()) = tokio::join!(deployed::versions(&site.cloud, &site.vpc, application, None), read_early(site));
    let versions = versions?;
    let unknown = |e: &Error| session.terminal.warn(&format!("the traffic of the versions is not known: {e}"));
    let mut known = true;
    let names = match names_of(site, &versions, None).await {
        Ok(names) => names,
        Err(e) => {
            if !versions.is_empty() {
                unknown(&e);
            }
            known = false;
            Vec::new()
        }
    };
    let mut percents: HashMap<ApplicationName, BTreeMap<_, f64>> = HashMap::new();
    for application in versions.iter().map(|d| &d.id.application).collect::<BTreeSet<_>>() {
        for names in &names {
            match names.percents(application) {
                Ok(shares) => percents.entry(application.clone()).or_default().extend(shares),
                Err(e) => {
                    known = false;
                    unknown(&e);
                }
            }
        }
    }
    let rows = versions.into_iter().map(|d| VersionRow {
        application_name: d.id.application.to_string(),
        version: d.id.version.to_string(),
        image: d.image().to_owned(),
        image_digest: d.digest().map(str::to_owned),
        instance_states: d.group.states(),
        desired: d.group.desired,
        weight: percents.get(&d.id.application).and_then(|shares| shares.get(&d.id.version)).copied(),
        traffic_known: known,
        dns_name: d.dns_name().map(str::to_owned),
        created_at: d.group.created,
    });
    Ok(rows.collect())
}
