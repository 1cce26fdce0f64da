//! A VPC's default security group, without any rule: what is in no other group talks to nobody.
use super::{
    fresh::settled,
    ids::VpcId,
    lists::{self, filter},
};
use crate::{
    Result,
    cloud::{Cloud, Told as _, wait::Look},
    engine::{Action, Change, Cx, Identity, Needs, Ref, Resource},
    model::{OrganizationName, TeamName, TeamOwner},
    resources::kind::{found_through, itself},
};
use aws_sdk_ec2::types::{IpPermission, SecurityGroup as Live};

/// The default security group of a VPC, emptied. AWS makes it with the VPC, and deletes it with the VPC.
#[derive(Clone, Needs)]
pub struct DefaultGroup {
    /// For whom.
    pub owner: TeamOwner,
    /// The VPC it belongs to.
    pub vpc: Ref<VpcId>,
}

impl DefaultGroup {
    async fn empty(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let (id, what) = (live.group_id().unwrap_or_default(), self.name());
        if !live.ip_permissions().is_empty() {
            let call = cloud.ec2().revoke_security_group_ingress().group_id(id);
            call.set_ip_permissions(Some(revocable(live.ip_permissions()))).send().await.told(cloud, &what)?;
        }
        if !live.ip_permissions_egress().is_empty() {
            let call = cloud.ec2().revoke_security_group_egress().group_id(id);
            call.set_ip_permissions(Some(revocable(live.ip_permissions_egress()))).send().await.told(cloud, &what)?;
        }
        Ok(())
    }
}

/// Rules as they are told, in the shape in which they are taken: peers by their ids alone.
fn revocable(rules: &[IpPermission]) -> Vec<IpPermission> {
    let bare = |rule: &IpPermission| {
        let mut rule = rule.clone();
        for pair in rule.user_id_group_pairs.iter_mut().flatten() {
            pair.group_name = None;
            pair.peering_status = None;
        }
        rule
    };
    rules.iter().map(bare).collect()
}

/// The rules of one direction, in words: one for each peer.
fn words(rules: &[IpPermission]) -> Vec<String> {
    let of = |rule: &IpPermission| -> Vec<String> {
        let protocol = rule.ip_protocol().filter(|p| *p != "-1").unwrap_or("all traffic");
        let ports = match (rule.from_port(), rule.to_port()) {
            (Some(from), Some(to)) if from == to => format!(" {from}"),
            (Some(from), Some(to)) => format!(" {from}-{to}"),
            _ => String::new(),
        };
        let ipv4 = rule.ip_ranges().iter().filter_map(|r| r.cidr_ip());
        let ipv6 = rule.ipv6_ranges().iter().filter_map(|r| r.cidr_ipv6());
        let lists = rule.prefix_list_ids().iter().filter_map(|p| p.prefix_list_id());
        let groups = rule.user_id_group_pairs().iter().filter_map(|g| g.group_id());
        ipv4.chain(ipv6).chain(lists).chain(groups).map(|peer| format!("{protocol}{ports} {peer}")).collect()
    };
    rules.iter().flat_map(of).collect()
}

impl Identity for DefaultGroup {
    const KIND: &'static str = "default security group";
    type Cloud = Cloud;
    type Live = Live;
    type Output = ();
    fn name(&self) -> String {
        let organization = || OrganizationName::as_str(&self.owner.organization);
        self.owner.team.as_ref().map_or_else(organization, TeamName::as_str).to_owned()
    }
    fn noun(&self) -> String {
        format!("default security group of {}", self.name())
    }
    fn step(&self, action: &Action) -> String {
        match action {
            Action::Create | Action::Update(_) => format!("Emptying {}", self.noun()),
            _ => format!("{} {}", action.verb(), self.noun()),
        }
    }
    found_through!(vpc);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let Some(vpc) = cx.try_get(self.vpc) else { return Ok(None) };
        let all = lists::default_groups(cx.cloud).await?;
        Ok(all.iter().find(|g| g.vpc_id() == Some(&vpc.id)).cloned())
    }
    /// It goes with the VPC.
    async fn remove(&self, _: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        Ok(())
    }
    fn output(&self, _: &Live) {}
}

impl Resource for DefaultGroup {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let incoming = words(live.ip_permissions()).into_iter().map(|r| Change::new("ingress", r, "-"));
        let outgoing = words(live.ip_permissions_egress()).into_iter().map(|r| Change::new("egress", r, "-"));
        incoming.chain(outgoing).collect()
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let vpc = &cx.get(self.vpc).id;
        // AWS made it with the VPC, which was not there when everything was looked at.
        let live = settled(&format!("the default security group of {vpc}"), || async {
            let call = cx.cloud.ec2().describe_security_groups();
            let call = call.filters(filter("group-name", "default")).filters(filter("vpc-id", vpc));
            let told = call.send().await.told(cx.cloud, vpc)?;
            let found = told.security_groups.unwrap_or_default().into_iter().next();
            Ok(found.map_or_else(|| Look::NotYet("AWS does not show it yet".into()), Look::Done))
        })
        .await?;
        self.empty(cx.cloud, &live).await?;
        Ok(live)
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.empty(cx.cloud, live).await?;
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{IpRange, UserIdGroupPair};

    #[test]
    fn every_peer_of_a_rule_is_told() {
        let ssh = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
        let ssh = ssh.ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build());
        let ssh = ssh.ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build()).build();
        let itself = UserIdGroupPair::builder().group_id("sg-1").group_name("default").user_id("1").build();
        let itself = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(itself).build();
        let all = [ssh, itself];
        assert_eq!(words(&all), ["tcp 22 0.0.0.0/0", "tcp 22 10.0.0.0/8", "all traffic sg-1"]);
        let pairs = revocable(&all)[1].user_id_group_pairs().to_vec();
        assert_eq!((pairs[0].group_name(), pairs[0].group_id()), (None, Some("sg-1")));
    }
}
