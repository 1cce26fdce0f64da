//! Security groups and their ingress rules.
use super::tag_drift;
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        ec2::{ec2_tags, filter, specification},
        quotas,
    },
    engine::{Change, Cx, Identity, Needs, Ref, Resource, Use},
    model::{Owner, Owning as _, tag_rules},
    resources::kind::{Kind, named},
};
use aws_sdk_ec2::types::{ResourceType, SecurityGroup as Live};
use ipnet::IpNet;
use std::{collections::BTreeMap, sync::Arc};

mod rules;
use rules::Rules;

/// Longest name and longest description, in characters (EC2 `CreateSecurityGroup`).
const TEXT: usize = 255;
/// Inbound rules of a group, for IPv4 and for IPv6 each (Amazon VPC quotas "Inbound or outbound rules per
/// security group"), where it was not raised. The account's own value is judged with the plan ([`Resource::uses`]).
const RULES: usize = 60;
/// How far it can be raised: rules for each group times groups for each network interface are at most 1,000 (the same
/// page).
const MOST_RULES: usize = 1_000;
/// Rules whose description begins so are ours to revoke; others were added by hand, and stay.
const OURS: &str = "minion:";

/// A security group with its ingress rules. Egress stays as AWS makes it: open.
#[derive(Needs)]
pub struct SecurityGroup {
    /// For whom.
    pub owner: Owner,
    /// The group's name, unique in the VPC.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// What the group is for. Characters that AWS refuses are replaced.
    pub description: String,
    /// Who may connect; the order does not matter.
    pub ingress: Vec<Ingress>,
}

/// One ingress rule.
#[derive(Clone, Needs)]
pub struct Ingress {
    /// The protocol.
    pub protocol: Protocol,
    /// The first and the last port; `None` for all.
    pub ports: Option<(u16, u16)>,
    /// Who may connect.
    pub from: Source,
    /// What for; `minion:` is put in front, and characters that AWS refuses are replaced.
    pub description: String,
}

/// Protocols of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// Every protocol; a rule of this kind has no ports.
    All,
}

/// Who may connect.
#[derive(Clone, Needs)]
pub enum Source {
    /// A network, IPv4 or IPv6.
    Cidr(IpNet),
    /// The members of another group.
    Group(Ref<GroupId>),
    /// The members of this group.
    Itself,
}

/// The id of a security group, `sg-..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupId(pub String);

impl SecurityGroup {
    /// The wanted rules, on a group of this id.
    fn wanted(&self, cx: &Cx<'_, Cloud>, id: &str) -> Rules {
        // In a plan the other group may be still to be made.
        let group = |r: Ref<GroupId>| cx.try_get(r).map_or_else(|| "a group to be made".to_owned(), |g| g.0.clone());
        self.ingress.iter().map(|i| rules::wanted(i, id, group)).collect()
    }

    /// How many rules it has, as AWS counts them.
    fn count(&self) -> usize {
        // Groups that are still to be made have no ids: any name tells them apart.
        let id = |r: Ref<GroupId>| format!("{:?}", r.node());
        self.ingress.iter().map(|i| rules::wanted(i, "", id)).collect::<Rules>().count()
    }

    fn fits(&self) -> Result<()> {
        let rules = self.count();
        if rules > MOST_RULES {
            return Err(Error::usage(format!(
                "security group {} would have {rules} inbound rules; AWS takes {MOST_RULES} at most (\"VPC quotas\")",
                self.name
            ))
            .hint("There is a rule for each range of ports and each network. Name fewer peers or larger networks in the VPC's settings, or fewer ports, or ports without gaps, in the manifest."));
        }
        let count = self.name.chars().count();
        let fits = (1..=TEXT).contains(&count) && self.name.chars().all(rules::allowed);
        if fits && !self.name.to_ascii_lowercase().starts_with("sg-") {
            return Ok(());
        }
        Err(Error::usage(format!("`{}` is no name for a security group", self.name)).hint(format!(
            "AWS takes 1 to {TEXT} letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*, and not `sg-` in front."
        )))
    }

    /// Adds rules: all in one call, or, when some are there already, one by one.
    async fn authorize(&self, cloud: &Cloud, id: &str, missing: &Rules) -> Result<()> {
        for rules in missing.in_one_call().chain(missing.one_by_one()) {
            let call = cloud.ec2().authorize_security_group_ingress().group_id(id);
            let added = call.set_ip_permissions(Some(rules.permissions())).send().await;
            if added.unless_there(cloud, &self.name)?.is_some() && rules == *missing {
                break;
            }
        }
        Ok(())
    }

    /// Revokes rules: all in one call, or, when some are gone already, one by one.
    async fn revoke(&self, cloud: &Cloud, id: &str, extra: &Rules) -> Result<()> {
        for rules in extra.in_one_call().chain(extra.one_by_one()) {
            let call = cloud.ec2().revoke_security_group_ingress().group_id(id);
            let revoked = call.set_ip_permissions(Some(rules.permissions())).send().await;
            if revoked.unless_gone(cloud, &self.name)?.is_some() && rules == *extra {
                break;
            }
        }
        Ok(())
    }
}

impl Kind for SecurityGroup {
    const NAME: &'static str = "security group";
    type Owner = Owner;
    type Live = Live;
    type Output = GroupId;
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<Live>> {
        let vpc = owner.vpc.as_str();
        // One list of the VPC's groups serves every group of the graph, and shows a foreign one of the name.
        let all = list_of_vpc(cloud, vpc).await?;
        let named = |g: &&Live| g.group_name() == Some(name);
        let found = all.iter().find(named).cloned();
        if let Some(live) = &found {
            owner.claim(Self::NAME, name, &tags(live))?;
        }
        Ok(found)
    }
    async fn remove(cloud: &Cloud, _: &Owner, name: &str, live: &Live) -> Result<()> {
        let done = cloud.ec2().delete_security_group().group_id(id(live)).send().await.unless_gone(cloud, name);
        // Network interfaces of instances and load balancers that are going away hold it for minutes.
        let hint = "Something still uses the group: network interfaces of instances or load balancers, or another \
                    group's rules.";
        done.map_err(|e| e.hint(hint)).map(drop)
    }
    fn output(_: &str, live: &Live) -> GroupId {
        GroupId(id(live).to_owned())
    }
}

/// A group that somebody else makes.
#[derive(Needs)]
pub struct ExistingGroup {
    /// Its VPC.
    pub vpc: String,
    /// Its name or id.
    pub name: String,
}

impl Identity for ExistingGroup {
    const KIND: &'static str = SecurityGroup::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = GroupId;

    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let by_id = |g: &Live| self.name.starts_with("sg-") && g.group_id() == Some(&self.name);
        let all = list_of_vpc(cx.cloud, &self.vpc).await?;
        Ok(all.iter().find(|g| g.group_name() == Some(&self.name) || by_id(g)).cloned())
    }
    fn accept(&self, live: Option<&Live>) -> Result<()> {
        let missing = || {
            Error::not_found(format!("security group {} does not exist in {}", self.name, self.vpc))
                .hint("It is used, not made, here: create it first, or name another one.")
        };
        live.map(drop).ok_or_else(missing)
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        Err(Error::refused(format!("security group {} is a foreign resource: it is never deleted here", self.name)))
    }
    fn output(&self, live: &Live) -> GroupId {
        GroupId(id(live).to_owned())
    }
}

impl Resource for SecurityGroup {
    named!(noun);

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn uses(&self) -> Vec<Use> {
        let rules = Use::within(quotas::RULES.name, self.count() as u64, &self.name);
        vec![Use::of(quotas::SECURITY_GROUPS.name, 1), rules]
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let wanted = self.wanted(cx, id(live));
        let there = Rules::of(live);
        let mut changes: Vec<Change> =
            wanted.minus(&there).names().map(|rule| Change::new("ingress", "-", rule)).collect();
        changes.extend(there.ours().minus(&wanted).names().map(|rule| Change::new("ingress", rule, "-")));
        changes.extend(tag_drift::changes(&self.owner, &tags(live)));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.ec2().create_security_group().group_name(&self.name).vpc_id(&self.owner.vpc);
        let call = call.description(rules::sanitised(&self.description, TEXT));
        let made = call.tag_specifications(specification(ResourceType::SecurityGroup, &tags)).send().await;
        let made = made.told(cx.cloud, &self.name)?;
        let id = made.group_id().unwrap_or_default();
        let wanted = self.wanted(cx, id);
        self.authorize(cx.cloud, id, &wanted).await?;
        let live = Live::builder().group_id(id).group_name(&self.name).vpc_id(&self.owner.vpc);
        Ok(live.set_tags(Some(ec2_tags(&tags))).set_ip_permissions(Some(wanted.permissions())).build())
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let id = id(live);
        let (wanted, there) = (self.wanted(cx, id), Rules::of(live));
        let (missing, extra) = (wanted.minus(&there), there.ours().minus(&wanted));
        // What is wanted is opened before what is not is closed, so that nobody is cut off in between; unless
        // there is no room for both.
        let room = there.count() + missing.count() <= RULES;
        if !room {
            self.revoke(cx.cloud, id, &extra).await?;
        }
        let tags = tags(live);
        let retag = tag_drift::retag(cx.cloud, &self.owner, (id, &self.name), &tags, &[]);
        futures::try_join!(self.authorize(cx.cloud, id, &missing), retag)?;
        if room {
            self.revoke(cx.cloud, id, &extra).await?;
        }
        Ok(live.clone())
    }
}

fn id(live: &Live) -> &str {
    live.group_id().unwrap_or_default()
}

/// The group's tags.
pub fn tags(live: &Live) -> BTreeMap<String, String> {
    let pairs = live.tags().iter();
    pairs.map(|t| (t.key().unwrap_or_default().to_owned(), t.value().unwrap_or_default().to_owned())).collect()
}

/// All security groups of a VPC. One list for each run.
pub async fn list_of_vpc(cloud: &Cloud, vpc: &str) -> Result<Arc<Vec<Live>>> {
    let load = async {
        let of_vpc = filter("vpc-id", &literal(vpc));
        let pages = cloud.ec2().describe_security_groups().filters(of_vpc).into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")
    };
    cloud.once(format!("security groups of {vpc}"), load).await
}

/// A filter's value, with the wildcards of EC2 filters taken literally.
fn literal(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
