//! The VPC.
use super::{
    dhcp_options::DhcpOptions,
    fresh::{known, settled},
    ids::{DhcpOptionsId, VpcId},
    kinds::{self, KindId, On, Part, listed},
    lists::{self, Tagged as _, retag},
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, quotas, wait::Look},
    engine::{Change, Cx, Identity, Needs, Ref, Resource, Use},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{kind::itself, tag_drift},
};
use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Vpc as Ec2Vpc, VpcAttributeName, VpcCidrBlockStateCode as State, VpcState,
};
use ipnet::{Ipv4Net, Ipv6Net};

/// The largest and the smallest network of a VPC or subnet, in bits (`CreateVpc`, `CreateSubnet`, `CidrBlock`).
const SIZES: std::ops::RangeInclusive<u8> = 16..=28;
/// The DHCP options that every region has.
const DEFAULT: &str = "default";

/// A VPC with DNS support and host names.
#[derive(Clone, Needs)]
pub struct Vpc {
    /// For whom.
    pub owner: TeamOwner,
    /// Its name, unique in the region.
    pub name: String,
    /// Its IPv4 network.
    pub cidr: Ipv4Net,
    /// Whether it has an IPv6 network (/56) of Amazon's.
    pub ipv6: bool,
    /// Its DHCP options; `None` leaves what is there, unless that is ours.
    pub dhcp: Option<Ref<DhcpOptionsId>>,
}

/// What was found of a VPC.
#[derive(Debug, Clone)]
pub struct Live {
    vpc: Ec2Vpc,
    dns_support: bool,
    dns_names: bool,
    /// Whether its DHCP options carry our tags.
    dhcp_is_ours: bool,
}

impl Live {
    fn id(&self) -> &str {
        self.vpc.vpc_id().unwrap_or_default()
    }
    fn dhcp(&self) -> &str {
        self.vpc.dhcp_options_id().unwrap_or(DEFAULT)
    }
}

/// Whether AWS takes it as the network of `what`.
pub(super) fn fits(cidr: Ipv4Net, what: &str) -> Result<()> {
    if SIZES.contains(&cidr.prefix_len()) {
        return Ok(());
    }
    let (largest, smallest) = (SIZES.start(), SIZES.end());
    Err(Error::usage(format!("{cidr} is no network for {what}"))
        .hint(format!("AWS takes networks from /{largest} to /{smallest}.")))
}

impl Vpc {
    /// The DHCP options that it should have, where that is known and not what it has.
    fn other_dhcp<'a>(&self, cx: &'a Cx<'_, Cloud>, live: &Live) -> Option<&'a str> {
        let wanted = match self.dhcp {
            Some(options) => cx.try_get(options)?.0.as_str(),
            None if live.dhcp_is_ours => DEFAULT,
            None => return None,
        };
        (wanted != live.dhcp()).then_some(wanted)
    }

    /// Makes it as it should be, and tells what it is then.
    async fn converge(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<Live> {
        let (cloud, id, name) = (cx.cloud, live.id(), self.name.as_str());
        let on = || AttributeBooleanValue::builder().value(true).build();
        // One attribute a call (`ModifyVpcAttribute`); host names need the support.
        if !live.dns_support {
            known(name, || async {
                cloud.ec2().modify_vpc_attribute().vpc_id(id).enable_dns_support(on()).send().await.told(cloud, name)
            })
            .await?;
        }
        if !live.dns_names {
            known(name, || async {
                cloud.ec2().modify_vpc_attribute().vpc_id(id).enable_dns_hostnames(on()).send().await.told(cloud, name)
            })
            .await?;
        }
        if let Some(options) = self.other_dhcp(cx, live) {
            known(name, || async {
                cloud.ec2().associate_dhcp_options().vpc_id(id).dhcp_options_id(options).send().await.told(cloud, name)
            })
            .await?;
        }
        retag(cloud, &self.owner, (id, name), &live.vpc.tag_map(), &[]).await?;
        let mut vpc = live.vpc.clone();
        if self.ipv6 && ipv6(&vpc).is_none() {
            if !vpc.ipv6_cidr_block_association_set().iter().any(|a| state(a) == Some(&State::Associating)) {
                let call = cloud.ec2().associate_vpc_cidr_block().vpc_id(id).amazon_provided_ipv6_cidr_block(true);
                call.send().await.told(cloud, name)?;
            }
            vpc = self.usable(cloud, id).await?;
        }
        Ok(Live { vpc, dns_support: true, dns_names: true, dhcp_is_ours: live.dhcp_is_ours })
    }

    /// Waits until it is available, with its IPv6 network.
    async fn usable(&self, cloud: &Cloud, id: &str) -> Result<Ec2Vpc> {
        settled(&format!("VPC {}", self.name), || async {
            let told = cloud.ec2().describe_vpcs().vpc_ids(id).send().await.unless_gone(cloud, &self.name)?;
            let Some(vpc) = told.and_then(|t| t.vpcs.unwrap_or_default().into_iter().next()) else {
                return Ok(Look::NotYet("AWS does not know it yet".into()));
            };
            if vpc.state() == Some(&VpcState::Pending) {
                return Ok(Look::NotYet("pending".into()));
            }
            if self.ipv6 && ipv6(&vpc).is_none() {
                let sets = vpc.ipv6_cidr_block_association_set().iter();
                let failed = sets.filter_map(|a| a.ipv6_cidr_block_state()).find(|s| s.state() == Some(&State::Failed));
                if let Some(why) = failed {
                    let why = why.status_message().unwrap_or("AWS does not say why");
                    return Err(Error::failed(format!("VPC {} got no IPv6 network: {why}", self.name)));
                }
                return Ok(Look::NotYet("it has no IPv6 network yet".into()));
            }
            Ok(Look::Done(vpc))
        })
        .await
    }
}

fn state(association: &aws_sdk_ec2::types::VpcIpv6CidrBlockAssociation) -> Option<&State> {
    association.ipv6_cidr_block_state()?.state()
}

/// The VPC's IPv6 network, once it is usable.
fn ipv6(vpc: &Ec2Vpc) -> Option<Ipv6Net> {
    let mut usable = vpc.ipv6_cidr_block_association_set().iter().filter(|a| state(a) == Some(&State::Associated));
    usable.find_map(|a| a.ipv6_cidr_block()?.parse().ok())
}

/// Whether an attribute is on; `None` when the VPC is gone.
async fn attribute(cloud: &Cloud, id: &str, attribute: VpcAttributeName) -> Result<Option<bool>> {
    let told = cloud.ec2().describe_vpc_attribute().vpc_id(id).attribute(attribute.clone()).send().await;
    let told = told.unless_gone(cloud, id)?;
    Ok(told.map(|t| {
        let value = match attribute {
            VpcAttributeName::EnableDnsSupport => t.enable_dns_support,
            _ => t.enable_dns_hostnames,
        };
        value.and_then(|v| v.value).unwrap_or_default()
    }))
}

impl Part for Vpc {
    const NAME: &'static str = "VPC";
    const WHOLE: bool = true;
    const OF_VPC: Option<&'static str> = None;
    const ON: On = &[KindId::of::<DhcpOptions>];
    type Item = Ec2Vpc;
    type Output = VpcId;

    fn id(item: &Ec2Vpc) -> &str {
        item.vpc_id().unwrap_or_default()
    }
    listed!(describe_vpcs);

    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Ec2Vpc) -> Result<()> {
        let hint = "Something is still in the VPC that was not made here: instances, network interfaces, security \
                    groups, endpoints. Remove it, then run the same command again.";
        let done = cloud.ec2().delete_vpc().vpc_id(Self::id(item)).send().await.unless_gone(cloud, name);
        done.map_err(|e| e.hint(hint)).map(drop)
    }
    fn output(item: &Ec2Vpc) -> VpcId {
        VpcId { id: Self::id(item).to_owned(), ipv6: ipv6(item) }
    }
}

impl Identity for Vpc {
    const KIND: &'static str = Self::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = VpcId;
    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let cloud = cx.cloud;
        let Some(vpc) = kinds::named::<Self>(cloud, &self.owner, &self.name).await? else {
            let all = kinds::all::<Self>(cloud).await?;
            if let Some(other) = all.iter().find(|v| v.tag_name() == Some(&self.name)) {
                self.owner.claim(Self::KIND, &self.name, &other.tag_map())?;
            }
            return Ok(None);
        };
        let id = Self::id(&vpc);
        let dhcp_is_ours = async {
            let options = vpc.dhcp_options_id().filter(|o| self.dhcp.is_none() && *o != DEFAULT);
            let Some(options) = options else { return Ok(false) };
            let ours = kinds::owned::<DhcpOptions>(cloud, &self.owner).await?;
            Ok(ours.iter().any(|o| o.dhcp_options_id() == Some(options)))
        };
        let (support, names, dhcp_is_ours) = futures::try_join!(
            attribute(cloud, id, VpcAttributeName::EnableDnsSupport),
            attribute(cloud, id, VpcAttributeName::EnableDnsHostnames),
            dhcp_is_ours,
        )?;
        let (Some(dns_support), Some(dns_names)) = (support, names) else { return Ok(None) };
        Ok(Some(Live { vpc, dns_support, dns_names, dhcp_is_ours }))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        Self::delete(cx.cloud, &self.owner, &self.name, &live.vpc).await
    }
    fn output(&self, live: &Live) -> VpcId {
        <Self as Part>::output(&live.vpc)
    }
}

impl Resource for Vpc {
    itself!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::VPCS.name, 1)]
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), fits(self.cidr, &format!("VPC {}", self.name))])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        let cidr = live.vpc.cidr_block().unwrap_or_default();
        if cidr != self.cidr.trunc().to_string() {
            let hint = "AWS does not change the network of a VPC: write the old one back, or delete the team's network \
                        in this region first and let it be made anew.";
            changes.push(Change::refused("network", cidr, self.cidr.trunc(), hint));
        }
        match (ipv6(&live.vpc), self.ipv6) {
            (None, true) => changes.push(Change::new("IPv6 network", "-", "one of Amazon's")),
            (Some(net), false) => {
                let hint = "What has addresses in there would lose them: remove the subnets' and the VPC's IPv6 \
                            networks by hand first, or leave `ipv6` on.";
                changes.push(Change::refused("IPv6 network", net, "-", hint));
            }
            _ => {}
        }
        let word = |on: bool| if on { "on" } else { "off" };
        for (field, on) in [("DNS support", live.dns_support), ("DNS host names", live.dns_names)] {
            Change::compare(&mut changes, field, &word(on), &word(true));
        }
        if let Some(options) = self.other_dhcp(cx, live) {
            changes.push(Change::new("DHCP options", live.dhcp(), options));
        }
        changes.extend(tag_drift::changes(&self.owner, &live.vpc.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.ec2().create_vpc().cidr_block(self.cidr.trunc().to_string());
        let call = call.tag_specifications(lists::specification(ResourceType::Vpc, &tags));
        let made = call.amazon_provided_ipv6_cidr_block(self.ipv6).send().await.told(cx.cloud, &self.name)?;
        let id = made.vpc().and_then(|v| v.vpc_id()).unwrap_or_default();
        let vpc = self.usable(cx.cloud, id).await?;
        // So are VPCs made (VPC user guide, "DNS attributes in your VPC").
        self.converge(cx, &Live { vpc, dns_support: true, dns_names: false, dhcp_is_ours: false }).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.converge(cx, live).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{VpcCidrBlockState, VpcIpv6CidrBlockAssociation};

    #[test]
    fn only_networks_that_aws_takes() {
        let owner = TeamOwner { organization: "acme".parse().unwrap(), team: None, extra: Default::default() };
        let vpc = |cidr: &str| {
            Vpc { owner: owner.clone(), name: "v".into(), cidr: cidr.parse().unwrap(), ipv6: false, dhcp: None }.check()
        };
        assert!(vpc("10.0.0.0/16").is_ok() && vpc("10.0.0.0/28").is_ok());
        assert!(vpc("10.0.0.0/15").is_err() && vpc("10.0.0.0/29").is_err());
    }

    #[test]
    fn an_ipv6_network_counts_once_it_is_usable() {
        let with = |code: State| {
            let state = VpcCidrBlockState::builder().state(code).build();
            let set = VpcIpv6CidrBlockAssociation::builder().ipv6_cidr_block("2a05:d018:1:ab00::/56");
            Ec2Vpc::builder().ipv6_cidr_block_association_set(set.ipv6_cidr_block_state(state).build()).build()
        };
        assert_eq!(ipv6(&with(State::Associated)), Some("2a05:d018:1:ab00::/56".parse().unwrap()));
        for not in [State::Associating, State::Disassociating, State::Disassociated, State::Failed] {
            assert_eq!(ipv6(&with(not)), None);
        }
    }
}
