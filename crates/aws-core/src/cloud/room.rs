//! Whether what a plan creates fits into the account's quotas.
//!
//! Quotas are read and what exists is counted beside the looks, in one round, each once in a run. Nothing of this may
//! keep a command from its work: a quota that may not be read is judged by AWS's default; of one that is not read within
//! [`LIMITS`], more than the default is only warned of; what cannot be counted within [`COUNTS`] is not judged. All of that
//! is said.
use super::{
    Cloud, Clouds,
    operations::{Called, name_of},
    quotas::{self, Quota, Raise},
};
use crate::{
    Error,
    engine::{Room, Wanted},
    error::Kind,
};
use futures::future::join_all;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

mod count;
mod limit;
mod network;

/// How long reading the account's quotas may take, all of them together: they are a service to the operator, no condition.
/// In networks without an endpoint for Service Quotas, nothing answers.
const LIMITS: Duration = Duration::from_secs(3);
/// How long counting may take: of services that the plan needs anyway.
const COUNTS: Duration = Duration::from_secs(10);
/// From this many percent of a quota on there is a warning.
const NEARLY: u64 = 90;

/// A quota that is judged, and what counts against it.
pub(super) struct Judged {
    pub(super) quota: Quota,
    tally: Tally,
}

/// What counts against a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tally {
    Addresses,
    ApplicationLoadBalancers,
    NetworkLoadBalancers,
    TargetGroups,
    AutoScalingGroups,
    EgressGateways,
    Endpoints,
    HostedZones,
    InstanceProfiles,
    InternetGateways,
    Policies,
    Processors,
    Roles,
    SecurityGroups,
    TransitGateways,
    Vpcs,
    VpnGateways,
    /// Of one resource: all of it is in the plan.
    Within,
}

/// Launch templates (5,000 in a region) are not among them: they can only be counted 200 at a time.
const JUDGED: &[(Quota, Tally)] = &[
    (quotas::ADDRESSES, Tally::Addresses),
    (quotas::APPLICATION_LOAD_BALANCERS, Tally::ApplicationLoadBalancers),
    (quotas::NETWORK_LOAD_BALANCERS, Tally::NetworkLoadBalancers),
    (quotas::TARGET_GROUPS, Tally::TargetGroups),
    (quotas::AUTO_SCALING_GROUPS, Tally::AutoScalingGroups),
    (quotas::EGRESS_GATEWAYS, Tally::EgressGateways),
    (quotas::GATEWAY_ENDPOINTS, Tally::Endpoints),
    (quotas::HOSTED_ZONES, Tally::HostedZones),
    (quotas::INSTANCE_PROFILES, Tally::InstanceProfiles),
    (quotas::INTERNET_GATEWAYS, Tally::InternetGateways),
    (quotas::POLICIES, Tally::Policies),
    (quotas::ROLES, Tally::Roles),
    (quotas::SECURITY_GROUPS, Tally::SecurityGroups),
    (quotas::TRANSIT_GATEWAYS, Tally::TransitGateways),
    (quotas::VPCS, Tally::Vpcs),
    (quotas::VPN_GATEWAYS, Tally::VpnGateways),
    (quotas::APPLICATION_LISTENERS, Tally::Within),
    (quotas::NETWORK_LISTENERS, Tally::Within),
    (quotas::ROLE_POLICIES, Tally::Within),
    (quotas::RULES, Tally::Within),
];

/// The quota of this name, if it is one that is judged.
fn judged(name: &str) -> Option<Judged> {
    let listed = JUDGED.iter().find(|(quota, _)| quota.name == name);
    let listed = listed.map(|(quota, tally)| Judged { quota: *quota, tally: *tally });
    listed.or_else(|| {
        let mut all = quotas::PROCESSORS.iter().flat_map(|(_, both)| both.iter().flatten());
        all.find(|quota| quota.name == name).map(|quota| Judged { quota: *quota, tally: Tally::Processors })
    })
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unread {
    /// The credentials may not read it.
    Denied(String),
    /// There was no answer in time, or none that says it.
    Failed(String),
}

impl Unread {
    fn of(error: &Error) -> Self {
        let why = in_short(error);
        if error.kind() == Kind::Access { Self::Denied(why) } else { Self::Failed(why) }
    }
    fn why(&self) -> &str {
        match self {
            Self::Denied(why) | Self::Failed(why) => why,
        }
    }
}

/// What was read of a quota.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    limit: u64,
    /// Why the account's own value is not known.
    unread: Option<Unread>,
    /// `None`: that takes too long. `Err`: why it could not be counted.
    used: Result<Option<u64>, Unread>,
}

impl Cloud {
    /// The account's value of a quota, and how much of it is used.
    async fn reading(&self, name: &'static str) -> Option<(Reading, Judged)> {
        let judged = judged(name)?;
        let (limit, used) = futures::join!(limit::of(self, &judged), count::of(self, &judged));
        let default = u64::from(judged.quota.default);
        let reading = match limit {
            Ok(Some(value)) => Reading { limit: self.at_least_vpcs(name, value).await, unread: None, used },
            // Not listed: AWS's default, unless there is more already.
            Ok(None) if matches!(used, Ok(Some(used)) if used > default) => {
                Reading { limit: u64::MAX, unread: None, used }
            }
            Ok(None) => Reading { limit: self.at_least_vpcs(name, default).await, unread: None, used },
            Err(why) => Reading { limit: default, unread: Some(why), used },
        };
        Some((reading, judged))
    }

    /// Internet gateways have the quota of VPCs, whatever is listed for them ("Amazon VPC quotas").
    async fn at_least_vpcs(&self, name: &str, limit: u64) -> u64 {
        if ![quotas::INTERNET_GATEWAYS.name, quotas::EGRESS_GATEWAYS.name].contains(&name) {
            return limit;
        }
        let Some(vpcs) = judged(quotas::VPCS.name) else { return limit };
        limit::of(self, &vpcs).await.ok().flatten().map_or(limit, |vpcs| vpcs.max(limit))
    }

    /// Whether what is wanted here fits.
    pub(super) async fn room_for(&self, wanted: &[Wanted]) -> Room {
        let mut room = Room::default();
        if !self.has_quotas() {
            return room;
        }
        let groups = grouped(wanted);
        let readings = join_all(groups.iter().map(|group| self.reading(group.quota))).await;
        let place = Place { account: self.known_account(), region: self.region().to_owned() };
        let mut unknown = Unknown::default();
        for (group, (reading, judged)) in groups.iter().zip(readings).filter_map(|(g, r)| Some((g, r?))) {
            if !group.written {
                continue;
            }
            unknown.note(&reading, &judged.quota);
            match judge(&judged, group, &reading, &place) {
                Verdict::Fits => {}
                Verdict::Tight(text) => room.warnings.push(text),
                Verdict::Over(error) => room.refused.push((group.node, error)),
            }
        }
        room.warnings.extend(unknown.told());
        room
    }
}

/// What a plan takes of one quota, in one resource or in the whole place.
struct Group<'a> {
    quota: &'static str,
    within: Option<&'a str>,
    need: u64,
    /// Whether the plan writes any of it.
    written: bool,
    /// The first node that is written.
    node: usize,
}

/// Sums up. What a resource has for itself is all in the plan; of what is shared, what exists is counted on AWS.
fn grouped(wanted: &[Wanted]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<(&'static str, Option<&str>), Group<'_>> = BTreeMap::new();
    for one in wanted {
        let within = one.taken.within.as_deref();
        let new = Group { quota: one.taken.quota, within, need: 0, written: false, node: one.node };
        let group = groups.entry((one.taken.quota, within)).or_insert(new);
        let counts = if within.is_some() { one.written } else { one.created && one.taken.amount > 0 };
        if within.is_some() || one.created {
            group.need += one.taken.amount;
        }
        if counts && !group.written {
            (group.written, group.node) = (true, one.node);
        }
    }
    groups.into_values().collect()
}

/// Whose quota it is.
struct Place {
    account: Option<String>,
    region: String,
}

#[derive(Debug)]
enum Verdict {
    Fits,
    /// What to warn of.
    Tight(String),
    Over(Error),
}

fn judge(judged: &Judged, group: &Group<'_>, reading: &Reading, place: &Place) -> Verdict {
    let Ok(Some(used)) = reading.used else { return Verdict::Fits };
    let (quota, limit, need) = (&judged.quota, reading.limit, group.need);
    let total = used + need;
    // More than the default is there already: it was raised, and to what is not known. Those of processors are raised by
    // AWS as the account grows.
    if reading.unread.is_some() && (used > limit || judged.tally == Tally::Processors) {
        return Verdict::Fits;
    }
    let subject = subject(quota, group, place);
    let by_default = if reading.unread.is_some() { " (AWS's default)" } else { "" };
    // Room for some more of the same, so that the next one does not have to ask again.
    let more = (total + total.div_ceil(5)).to_string();
    let command = quota.command(&more, &place.region);
    if total > limit {
        let text = if group.within.is_some() {
            format!("{subject} allows {limit}{by_default}, and {need} are needed")
        } else {
            format!("{subject} is reached: {used} of {limit}{by_default} in use, {need} more needed")
        };
        let raise = command.map_or_else(
            || "Delete what is not needed; AWS does not raise this quota.".to_owned(),
            |command| format!("Request an increase: `{command}`; or delete what is not needed."),
        );
        let error = |text| Error::refused(text).hint(raise.as_str());
        return match &reading.unread {
            None => Verdict::Over(error(text)),
            Some(Unread::Denied(_)) => Verdict::Over(error(text).hint(READ_PERMISSIONS)),
            // A raised quota would be refused because of a network: AWS says soon enough whether it was.
            Some(Unread::Failed(_)) => {
                Verdict::Tight(format!("{text}. This fails unless the quota was raised. {raise}"))
            }
        };
    }
    if total * 100 < limit * NEARLY {
        return Verdict::Fits;
    }
    let raise = command.map(|command| format!(" To request an increase: `{command}`")).unwrap_or_default();
    Verdict::Tight(format!("{subject} is nearly reached: {total} of {limit}{by_default}.{raise}"))
}

const READ_PERMISSIONS: &str = "If the quota was raised: allow servicequotas:GetServiceQuota and \
     servicequotas:ListServiceQuotas, so that its value is read (docs/permissions.md).";

fn subject(quota: &Quota, group: &Group<'_>, place: &Place) -> String {
    let account = place.account.as_ref().map(|number| format!(" of account {number}")).unwrap_or_default();
    let region = if quota.is_global() { String::new() } else { format!(" in {}", place.region) };
    let within = group.within.map(|name| format!(" for {name}")).unwrap_or_default();
    format!("the quota \"{}\"{account}{region}{within}", quota.name)
}

/// What could not be found out, each reason once.
#[derive(Default)]
struct Unknown {
    limits: BTreeMap<String, Vec<&'static str>>,
    counts: BTreeMap<String, Vec<&'static str>>,
}

impl Unknown {
    fn note(&mut self, reading: &Reading, quota: &Quota) {
        match &reading.used {
            Err(unread) => self.counts.entry(unread.why().to_owned()).or_default().push(quota.name),
            Ok(_) => {
                if let Some(unread) = &reading.unread {
                    self.limits.entry(unread.why().to_owned()).or_default().push(quota.name);
                }
            }
        }
    }
    fn told(self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.limits.is_empty() {
            let why: Vec<String> = self.limits.into_keys().collect();
            parts.push(format!(
                "using AWS's default quotas, because the account's own could not be read ({})",
                why.join("; ")
            ));
        }
        if !self.counts.is_empty() {
            let names: Vec<&str> = self.counts.values().flatten().copied().collect();
            let why: Vec<&str> = self.counts.keys().map(String::as_str).collect();
            parts.push(format!("not checked: the quotas {} ({})", quoted(&names), why.join("; ")));
        }
        (!parts.is_empty()).then(|| parts.join("; ") + ".")
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// A failure to read, in few words: operation and code.
fn in_short(error: &Error) -> String {
    match (error.aws(), error.code()) {
        (Some(aws), Some(code)) => format!("{}: {code}", aws.operation),
        (Some(aws), None) => format!("{}: no usable answer", aws.operation),
        (None, _) => error.to_string(),
    }
}

/// Reads something once in a run; a failure is remembered, too, and so is that it took too long. `who` does not answer then.
async fn once<T: Clone + Send + Sync + 'static>(
    cloud: &Cloud,
    what: &str,
    (who, within): (&str, Duration),
    load: impl Future<Output = crate::Result<T>>,
) -> Result<T, Unread> {
    let load = async {
        let read = tokio::time::timeout(within, load).await;
        let late = || Err(Unread::Failed(format!("{who}: no answer within {} s", within.as_secs())));
        Ok(read.map_or_else(|_| late(), |answer| answer.map_err(|e| Unread::of(&e))))
    };
    let kept: Arc<Result<T, Unread>> = cloud.once(format!("room {what}"), load).await.map_err(|e| Unread::of(&e))?;
    kept.as_ref().clone()
}

/// As [`once`], for what is counted.
async fn counted<E: Called, T: Clone + Send + Sync + 'static>(
    cloud: &Cloud,
    load: impl Future<Output = crate::Result<T>>,
) -> Result<T, Unread> {
    once(cloud, name_of::<E>(), (name_of::<E>(), COUNTS), load).await
}

impl Clouds {
    /// As [`Cloud::room_for`], for each place; of what an account has once, all places of the account are one.
    pub(super) async fn room_for(&self, wanted: &[Wanted]) -> Room {
        let mut parts: BTreeMap<usize, Vec<Wanted>> = BTreeMap::new();
        for one in wanted {
            let global = judged(one.taken.quota).is_some_and(|j| j.quota.is_global());
            let part = if global { self.first_of_account(one.taken.part) } else { one.taken.part };
            parts.entry(part).or_default().push(one.clone());
        }
        let rooms = join_all(parts.iter().map(|(part, wanted)| self.part(*part).room_for(wanted))).await;
        let mut all = Room::default();
        for room in rooms {
            all.refused.extend(room.refused);
            all.warnings.extend(room.warnings);
        }
        all.warnings.sort();
        all.warnings.dedup();
        all
    }

    /// The first place of the same account; of the same region, where the accounts are not known.
    fn first_of_account(&self, part: usize) -> usize {
        let Some(account) = self.part(part).known_account() else { return part };
        let same = |other: &usize| self.part(*other).known_account().as_deref() == Some(&account);
        (0..part).find(same).unwrap_or(part)
    }
}

/// Where a quota's value is read.
pub(super) fn service_of(quota: &Quota) -> Option<(&'static str, &'static str)> {
    match quota.raise {
        Raise::Regional(service, code) | Raise::Global(service, code) => Some((service, code)),
        Raise::Console | Raise::Never => None,
    }
}

#[cfg(test)]
mod tests;
