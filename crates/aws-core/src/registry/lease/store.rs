//! A lease's parameter: reading what holds, putting, removing.
use super::record::{Said, Seen};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    model::{OrganizationName, Owner, Owning as _, TeamName, TeamOwner},
};
use aws_sdk_ssm::{
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    types::{Parameter, ParameterTier, ParameterType, Tag},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// Versions that one call reads.
const BATCH: i64 = 10;
/// How far back what holds is looked for. AWS keeps a hundred versions.
const BACK: i64 = 90;
/// One try of a call: shorter than of others, so that there is time for another one before a lease runs out, or while
/// it is let go of.
const ATTEMPT: Duration = Duration::from_secs(5);

/// What is different at a lease's calls.
fn promptly() -> Builder {
    Builder::new().timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build())
}

/// What a lease is for, and where it is kept.
#[derive(Debug, Clone)]
pub struct Place {
    pub(super) what: String,
    pub(super) parameter: String,
    pub(super) tags: BTreeMap<String, String>,
}

impl Place {
    /// What the lease is for, for people: `application shop`.
    pub fn what(&self) -> &str {
        &self.what
    }
    /// An application: `/minion/<vpc>/leases/<application>`.
    pub fn application(owner: &Owner) -> Self {
        let name = &owner.application;
        Self {
            what: format!("application {name}"),
            parameter: format!("/minion/{}/leases/{name}", owner.vpc),
            tags: owner.tags(name),
        }
    }
    /// A team's place: `/overlord/<organization>/leases/<team>`, in the account of the records.
    pub fn team(organization: &OrganizationName, team: &TeamName) -> Self {
        let (organization, team) = (organization.clone(), team.clone());
        Self {
            what: format!("team {team}"),
            parameter: format!("/overlord/{organization}/leases/{team}"),
            tags: TeamOwner { organization, team: Some(team.clone()), extra: BTreeMap::new() }.tags(team.as_str()),
        }
    }
}

/// Versions of the parameter, by their number.
async fn versions(cloud: &Cloud, name: &str, which: impl IntoIterator<Item = i64>) -> Result<BTreeMap<i64, Parameter>> {
    let names: Vec<String> = which.into_iter().map(|v| format!("{name}:{v}")).collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = parameters(cloud, name, names).await?;
    Ok(found.into_iter().map(|p| (p.version, p)).collect())
}

async fn parameters(cloud: &Cloud, name: &str, names: Vec<String>) -> Result<Vec<Parameter>> {
    let call = cloud.ssm().get_parameters().set_names(Some(names)).customize().config_override(promptly());
    Ok(call.send().await.told(cloud, name)?.parameters.unwrap_or_default())
}

fn said(parameter: &Parameter) -> Said {
    Said::parse(parameter.value().unwrap_or_default())
}

/// What holds; `None` when there is no parameter.
pub(super) async fn read(cloud: &Cloud, name: &str) -> Result<Option<Seen>> {
    let Some(last) = parameters(cloud, name, vec![name.to_owned()]).await?.into_iter().next() else { return Ok(None) };
    let written = last.last_modified_date().and_then(|d| d.to_millis().ok());
    let written = written.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let (mut next, seen) = (last.version, |said| Some(Seen { said, last: last.version, written }));
    let first = said(&last);
    if first.is_genuine(last.version) {
        return Ok(seen(first));
    }
    let end = (last.version - BACK).max(1);
    while next > end {
        let from = (next - BATCH).max(end);
        let older = versions(cloud, name, from..next).await?;
        for (version, parameter) in older.iter().rev() {
            let said = said(parameter);
            if said.is_genuine(*version) {
                return Ok(seen(said));
            }
        }
        next = from;
    }
    // The one that holds is not to be seen (yet).
    Ok(seen(Said::Unknown))
}

/// The last of these versions that became what it meant to.
pub(super) async fn genuine(cloud: &Cloud, name: &str, from: i64, to: i64) -> Result<Option<(i64, Said)>> {
    let from = from.max(to - BACK);
    let mut next = to;
    while next >= from {
        let begin = (next - BATCH + 1).max(from);
        let found = versions(cloud, name, begin..=next).await?;
        for (version, parameter) in found.iter().rev() {
            let said = said(parameter);
            if said.is_genuine(*version) {
                return Ok(Some((*version, said)));
            }
        }
        next = begin - 1;
    }
    Ok(None)
}

/// Writes the first version; `false` when there is one.
pub(super) async fn create(cloud: &Cloud, place: &Place, said: &Said) -> Result<bool> {
    let tags: Result<Vec<Tag>, _> = place.tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
    let tags = tags.map_err(|e| Error::failed("a tag lacks its key or value").caused_by(e))?;
    let call = cloud.ssm().put_parameter().name(&place.parameter).value(said.claiming(1).text());
    let call = call.r#type(ParameterType::String).tier(ParameterTier::Standard).overwrite(false).set_tags(Some(tags));
    Ok(call.customize().config_override(promptly()).send().await.unless_there(cloud, &place.parameter)?.is_some())
}

/// Writes over what there is, meaning to become `claim`; says which version it became.
pub(super) async fn put(cloud: &Cloud, name: &str, said: &Said, claim: i64) -> Result<i64> {
    let call = cloud.ssm().put_parameter().name(name).value(said.claiming(claim).text());
    let call = call.r#type(ParameterType::String).tier(ParameterTier::Standard).overwrite(true);
    Ok(call.customize().config_override(promptly()).send().await.told(cloud, name)?.version)
}

/// Removes the parameter. Not tried again by the SDK: by then it may be somebody else's.
pub(super) async fn remove(cloud: &Cloud, name: &str) -> Result<()> {
    let once = promptly().retry_config(RetryConfig::disabled());
    let call = cloud.ssm().delete_parameters().names(name).customize().config_override(once);
    call.send().await.told(cloud, name).map(drop)
}
