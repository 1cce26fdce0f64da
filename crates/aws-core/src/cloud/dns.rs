//! Record sets of a hosted zone in plain values: names without Route 53's escapes and final dots.
use super::Cloud;
use crate::{Result, resources::alias_record};
use aws_sdk_route53::{
    error::BuildError,
    types::{self, AliasTarget, ChangeAction, ResourceRecordSet, RrType},
};
use std::fmt;

/// A record set, with Route 53's own kept for a deletion, which must name it exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordSet {
    /// The name, without a final dot.
    pub name: String,
    /// Tells the records of a weighted name apart.
    pub set_identifier: Option<String>,
    /// The weight, 0 to 255.
    pub weight: Option<u64>,
    /// Where an alias points to.
    pub alias: Option<Alias>,
    exact: ResourceRecordSet,
}

/// Where an alias points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The target's DNS name, in small letters, without `dualstack.` and final dot.
    pub dns_name: String,
    /// The hosted zone of the target (for a load balancer: its canonical one).
    pub zone_id: String,
}

impl Alias {
    /// Whether the target is a load balancer of this region (`<name>.<region>.elb.` or `<name>.elb.<region>.`).
    pub fn is_in(&self, region: &str) -> bool {
        self.dns_name.contains(&format!(".{region}.elb.")) || self.dns_name.contains(&format!(".elb.{region}."))
    }
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Make it; refused when there is one of that name, type and identifier.
    Create(RecordSet),
    /// Remove it; refused when it is not exactly as it was read.
    Delete(RecordSet),
}

impl RecordSet {
    /// An A record that is one of the weighted ones of `name`, pointing to a load balancer. Route 53 leaves it
    /// out of its answers while all of the load balancer's targets are unhealthy, as long as another one is well.
    ///
    /// # Errors
    /// When a value that Route 53 needs is empty.
    pub fn weighted_alias(name: &str, set_identifier: &str, weight: u64, alias: &Alias) -> Result<Self, BuildError> {
        let target = AliasTarget::builder()
            .dns_name(format!("{}.", alias.dns_name))
            .hosted_zone_id(&alias.zone_id)
            .evaluate_target_health(true)
            .build()?;
        let exact = ResourceRecordSet::builder()
            .name(format!("{name}."))
            .r#type(RrType::A)
            .set_identifier(set_identifier)
            .weight(i64::try_from(weight).unwrap_or(i64::MAX))
            .alias_target(target)
            .build()?;
        Ok(Self::from(&exact))
    }
    /// Whether it answers with addresses: A, AAAA or CNAME.
    pub fn is_address(&self) -> bool {
        matches!(self.exact.r#type(), RrType::A | RrType::Aaaa | RrType::Cname)
    }
}

impl From<&ResourceRecordSet> for RecordSet {
    fn from(r: &ResourceRecordSet) -> Self {
        Self {
            name: alias_record::plain_name(r.name()),
            set_identifier: r.set_identifier().map(str::to_owned),
            weight: r.weight().and_then(|w| u64::try_from(w).ok()),
            alias: r.alias_target().map(|a| {
                let name = alias_record::plain_name(a.dns_name());
                let dns_name = name.strip_prefix("dualstack.").unwrap_or(&name).to_owned();
                Alias { dns_name, zone_id: a.hosted_zone_id().to_owned() }
            }),
            exact: r.clone(),
        }
    }
}

impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.exact.r#type().as_str())?;
        if let Some(id) = &self.set_identifier {
            write!(f, " `{id}`")?;
        }
        Ok(())
    }
}

/// All record sets of a hosted zone; shared within the run.
pub async fn records(cloud: &Cloud, zone_id: &str) -> Result<Vec<RecordSet>> {
    Ok(alias_record::list_records(cloud, zone_id).await?.iter().map(RecordSet::from).collect())
}

/// Whether Route 53 refused a batch because the records are not as they were when it was put together: somebody else
/// changed them, or it was carried out and its answer was lost.
pub fn is_outdated(error: &crate::Error) -> bool {
    const WORDS: [&str; 3] = ["but it was not found", "but the values provided do not match", "but it already exists"];
    let text = error.to_string();
    error.code() == Some("InvalidChangeBatch") && WORDS.iter().any(|words| text.contains(words))
}

/// Writes all changes or none of them. Returns the change's id, for [`alias_record::in_sync`].
///
/// # Errors
/// When Route 53 refuses the batch; see [`is_outdated`].
pub async fn change(cloud: &Cloud, zone_id: &str, comment: &str, changes: Vec<Change>) -> Result<String> {
    let changes = changes.into_iter().map(|c| {
        let (action, record) = match c {
            Change::Create(r) => (ChangeAction::Create, r.exact),
            Change::Delete(r) => (ChangeAction::Delete, r.exact),
        };
        types::Change::builder().action(action).resource_record_set(record).build()
    });
    let changes: Result<Vec<_>, _> = changes.collect();
    let changes = changes.map_err(|e| crate::Error::failed("a DNS change is incomplete").caused_by(e))?;
    alias_record::change_batch(cloud, zone_id, comment, changes).await
}
