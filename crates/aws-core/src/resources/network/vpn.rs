//! The way into an office or a data centre: VPN gateway, customer gateway, and the connection of the two.
use super::{
    fresh::known,
    ids::{CustomerGatewayId, VpcId, VpnGatewayId},
    kinds::{KindId, On, Part, listed},
    lists::{self, Tagged, tagged},
    vpc::Vpc,
    waiting::{nameless, until},
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, operations::ec2, quotas, wait::Look},
    engine::{Change, Cx, Needs, Ref, Resource, Use},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{compare::Fixed, kind::named, tag_drift},
};
use aws_sdk_ec2::types::{
    AttachmentStatus, CustomerGateway as LiveCustomer, GatewayType, ResourceType, VpnConnection as LiveConnection,
    VpnConnectionOptionsSpecification, VpnGateway as LiveGateway, VpnState, VpnStaticRoute,
};
use ipnet::Ipv4Net;
use std::{collections::BTreeSet, net::Ipv4Addr};

/// A virtual private gateway, attached to its VPC. A VPC takes one only.
#[derive(Needs)]
pub struct VpnGateway {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC.
    pub vpc: Ref<VpcId>,
}

/// The other end's device. AWS changes nothing of it but its tags: let the name hold the address, so that another
/// address is another gateway. The connection then moves to it, and the old one is left over ([`super::stray`]).
#[derive(Needs)]
pub struct CustomerGateway {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The device's address on the internet.
    pub address: Ipv4Addr,
    /// Its autonomous system's number, 1 to 4,294,967,295 (`CreateCustomerGateway`).
    pub asn: u32,
}

/// A VPN connection with static routes (no BGP). Its two tunnels' keys are in AWS's answers to those who may ask
/// for them; they are neither stored nor shown here.
#[derive(Needs)]
pub struct VpnConnection {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// AWS's end.
    pub gateway: Ref<VpnGatewayId>,
    /// The other end.
    pub customer: Ref<CustomerGatewayId>,
    /// The networks behind the other end; the order does not matter.
    pub routes: Vec<Ipv4Net>,
}

/// What to do about what AWS does not change.
const ANEW: &str = "AWS cannot change it: take `vpn` out of the file, update, and put it back. The tunnels get new \
                    addresses and keys: set up the other end's device anew.";
/// How EC2 says, as `InvalidParameterValue`, that a connection of the gateway is still on its way in or out.
const PENDING: &str = "pending VPNs";

tagged!(LiveGateway, LiveCustomer, LiveConnection);

fn is_going(state: Option<&str>) -> bool {
    matches!(state, Some("deleting" | "deleted"))
}

/// The VPC that the gateway is attached to, or was told to go to or to leave, and how far that is.
fn attachment(live: &LiveGateway) -> Option<(&str, &AttachmentStatus)> {
    let all = live.vpc_attachments().iter().filter_map(|a| Some((a.vpc_id()?, a.state()?)));
    let mut all = all.filter(|(_, state)| **state != AttachmentStatus::Detached);
    all.next()
}

async fn read_gateway(cloud: &Cloud, name: &str, id: &str) -> Result<Option<LiveGateway>> {
    let found = cloud.ec2().describe_vpn_gateways().vpn_gateway_ids(id).send().await.unless_gone(cloud, name)?;
    Ok(found.and_then(|f| f.vpn_gateways.unwrap_or_default().into_iter().next()))
}

/// Attaches the gateway, and waits until it is.
async fn attach(cloud: &Cloud, name: &str, id: &str, vpc: &str) -> Result<LiveGateway> {
    // Looking for it anew while it is not visible everywhere yet could make a second one.
    known(name, || async {
        cloud.ec2().attach_vpn_gateway().vpn_gateway_id(id).vpc_id(vpc).send().await.told(cloud, name)
    })
    .await
    .map_err(|e| e.retry_on_words("InvalidParameterValue", PENDING))?;
    until(&format!("VPN gateway {name} to be attached to {vpc}"), || async move {
        let live = read_gateway(cloud, name, id).await?;
        let state = live.as_ref().and_then(attachment);
        Ok(match (&live, state) {
            (Some(live), Some((to, AttachmentStatus::Attached))) if to == vpc => Look::Done(live.clone()),
            (_, Some((to, state))) => Look::NotYet(format!("{} {to}", state.as_str())),
            _ => Look::NotYet("not attached yet".into()),
        })
    })
    .await
}

/// Detaches the gateway from all that it is attached to, and waits until it is.
async fn detach(cloud: &Cloud, name: &str, live: &LiveGateway) -> Result<()> {
    let id = live.vpn_gateway_id().unwrap_or_default();
    let Some((vpc, state)) = attachment(live) else { return Ok(()) };
    if *state != AttachmentStatus::Detaching {
        let done = cloud.ec2().detach_vpn_gateway().vpn_gateway_id(id).vpc_id(vpc).send().await;
        done.unless_gone(cloud, name).map_err(|e| e.retry_on_words("InvalidParameterValue", PENDING))?;
    }
    until(&format!("VPN gateway {name} to be detached from {vpc}"), || async move {
        let live = read_gateway(cloud, name, id).await?;
        Ok(match live.as_ref().and_then(attachment) {
            Some((_, state)) => Look::NotYet(state.as_str().to_owned()),
            None => Look::Done(()),
        })
    })
    .await
}

async fn read_connection(cloud: &Cloud, name: &str, id: &str) -> Result<Option<LiveConnection>> {
    let found = cloud.ec2().describe_vpn_connections().vpn_connection_ids(id).send().await.unless_gone(cloud, name)?;
    Ok(found.and_then(|f| f.vpn_connections.unwrap_or_default().into_iter().next()))
}

impl VpnGateway {
    fn misplaced(live: &LiveGateway, vpc: Option<&VpcId>) -> Option<Change> {
        let VpcId { id: wanted, .. } = vpc?;
        match attachment(live) {
            Some((vpc, AttachmentStatus::Attached)) if vpc == wanted => None,
            Some((vpc, AttachmentStatus::Attached)) => Some(Change::new("attached to", vpc, wanted)),
            Some((vpc, state)) => Some(Change::new("attached to", format!("{} {vpc}", state.as_str()), wanted)),
            None => Some(Change::new("attached to", "-", wanted)),
        }
    }
}

impl Part for VpnGateway {
    const NAME: &'static str = "VPN gateway";
    const OF_VPC: Option<&'static str> = Some("attachment.vpc-id");
    const RARE: Option<&'static str> = Some("vpn-gateway");
    const ON: On = &[KindId::of::<Vpc>];
    type Item = LiveGateway;
    type Output = VpnGatewayId;

    fn id(item: &LiveGateway) -> &str {
        item.vpn_gateway_id().unwrap_or_default()
    }
    fn is_gone(item: &LiveGateway) -> bool {
        is_going(item.state().map(VpnState::as_str))
    }
    // Those that were detached stay in the list for a while.
    fn stands_in(item: &LiveGateway, vpc: &str) -> bool {
        attachment(item).is_some_and(|(to, state)| to == vpc && *state != AttachmentStatus::Detaching)
    }
    listed!(describe_vpn_gateways => vpn_gateways);

    /// Detaches it first.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &LiveGateway) -> Result<()> {
        detach(cloud, name, item).await?;
        cloud.ec2().delete_vpn_gateway().vpn_gateway_id(Self::id(item)).send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(live: &LiveGateway) -> VpnGatewayId {
        VpnGatewayId(Self::id(live).to_owned())
    }
}

impl Resource for VpnGateway {
    named!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::VPN_GATEWAYS.name, 1)]
    }
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &LiveGateway) -> Vec<Change> {
        let mut changes: Vec<Change> = Self::misplaced(live, cx.try_get(self.vpc)).into_iter().collect();
        changes.extend(tag_drift::changes(&self.owner, &live.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveGateway> {
        let tags = lists::specification(ResourceType::VpnGateway, &self.owner.tags(&self.name));
        let call = cx.cloud.ec2().create_vpn_gateway().r#type(GatewayType::Ipsec1).tag_specifications(tags);
        let made = call.send().await.told(cx.cloud, &self.name)?;
        let id = made.vpn_gateway.and_then(|g| g.vpn_gateway_id).ok_or_else(nameless::<ec2::CreateVpnGateway>)?;
        attach(cx.cloud, &self.name, &id, &cx.get(self.vpc).id).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &LiveGateway, _: &[Change]) -> Result<LiveGateway> {
        let id = Self::id(live);
        lists::retag(cx.cloud, &self.owner, (id, &self.name), &live.tag_map(), &[]).await?;
        let vpc = cx.get(self.vpc);
        if Self::misplaced(live, Some(vpc)).is_none() {
            return Ok(live.clone());
        }
        if attachment(live).is_some_and(|(to, state)| to != vpc.id || *state == AttachmentStatus::Detaching) {
            detach(cx.cloud, &self.name, live).await?;
        }
        attach(cx.cloud, &self.name, id, &vpc.id).await
    }
}

impl Part for CustomerGateway {
    const NAME: &'static str = "customer gateway";
    const OF_VPC: Option<&'static str> = None;
    const RARE: Option<&'static str> = Some("customer-gateway");
    type Item = LiveCustomer;
    type Output = CustomerGatewayId;

    fn id(item: &LiveCustomer) -> &str {
        item.customer_gateway_id().unwrap_or_default()
    }
    fn is_gone(item: &LiveCustomer) -> bool {
        is_going(item.state())
    }
    listed!(describe_customer_gateways => customer_gateways);

    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &LiveCustomer) -> Result<()> {
        let done = cloud.ec2().delete_customer_gateway().customer_gateway_id(Self::id(item)).send().await;
        done.unless_gone(cloud, name).map(drop)
    }
    fn output(live: &LiveCustomer) -> CustomerGatewayId {
        CustomerGatewayId(Self::id(live).to_owned())
    }
}

impl Resource for CustomerGateway {
    named!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &LiveCustomer) -> Vec<Change> {
        let mut fixed = Fixed::new(ANEW);
        fixed.compare("address", live.ip_address(), Some(self.address));
        // EC2 tells large numbers in a field of their own.
        fixed.compare("ASN", live.bgp_asn_extended().or(live.bgp_asn()), Some(self.asn));
        let mut changes = fixed.changes;
        changes.extend(tag_drift::changes(&self.owner, &live.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveCustomer> {
        let tags = lists::specification(ResourceType::CustomerGateway, &self.owner.tags(&self.name));
        // Without a name of its own, EC2 would answer with another gateway of the same address and number.
        let call = cx.cloud.ec2().create_customer_gateway().r#type(GatewayType::Ipsec1).device_name(&self.name);
        let call = match i32::try_from(self.asn) {
            Ok(asn) => call.bgp_asn(asn),
            Err(_) => call.bgp_asn_extended(self.asn.into()),
        };
        let made = call.ip_address(self.address.to_string()).tag_specifications(tags).send().await;
        let made = made.told(cx.cloud, &self.name)?;
        made.customer_gateway
            .filter(|g| g.customer_gateway_id().is_some())
            .ok_or_else(nameless::<ec2::CreateCustomerGateway>)
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &LiveCustomer, _: &[Change]) -> Result<LiveCustomer> {
        lists::retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
        Ok(live.clone())
    }
}

/// The networks that are, or are about to be, routed to the other end.
fn routed(live: &LiveConnection) -> BTreeSet<Ipv4Net> {
    let staying = live.routes().iter().filter(|r| !is_going(r.state().map(VpnState::as_str)));
    staying.filter_map(VpnStaticRoute::destination_cidr_block).filter_map(|cidr| cidr.parse().ok()).collect()
}

impl VpnConnection {
    fn wanted(&self) -> BTreeSet<Ipv4Net> {
        self.routes.iter().map(Ipv4Net::trunc).collect()
    }

    /// What cannot be changed without new keys for the other end's device.
    fn moved(&self, live: &LiveConnection, gateway: Option<&VpnGatewayId>) -> Vec<Change> {
        let mut fixed = Fixed::new(ANEW);
        fixed.compare("VPN gateway", live.vpn_gateway_id(), gateway.map(|g| &g.0));
        if live.options().and_then(|o| o.static_routes_only()) == Some(false) {
            fixed.compare("routing", Some("BGP"), Some("static"));
        }
        fixed.changes
    }

    /// Gives the connection its customer gateway, in place (`ModifyVpnConnection`), when it has another one, and waits
    /// until it takes routes. "Temporarily unavailable" meanwhile.
    async fn settle(
        &self,
        cloud: &Cloud,
        live: &LiveConnection,
        customer: &CustomerGatewayId,
    ) -> Result<LiveConnection> {
        let id = Self::id(live);
        let moves = live.customer_gateway_id() != Some(&customer.0);
        if !moves && live.state() == Some(&VpnState::Available) {
            return Ok(live.clone());
        }
        if live.state() != Some(&VpnState::Available) {
            // It cannot be changed while it is made, or changed: perhaps by an earlier run, and as wanted.
            let live = self.usable(cloud, id, None).await?;
            if live.customer_gateway_id() == Some(&customer.0) {
                return Ok(live);
            }
        }
        let call = cloud.ec2().modify_vpn_connection().vpn_connection_id(id).customer_gateway_id(&customer.0);
        call.send().await.told(cloud, &self.name)?;
        self.usable(cloud, id, Some(customer)).await
    }

    /// Waits until the connection takes routes, with this customer gateway.
    async fn usable(&self, cloud: &Cloud, id: &str, customer: Option<&CustomerGatewayId>) -> Result<LiveConnection> {
        until(&format!("VPN connection {}", self.name), || async move {
            let Some(live) = read_connection(cloud, &self.name, id).await? else {
                return Ok(Look::NotYet("it is to appear".into()));
            };
            match live.state() {
                Some(VpnState::Available) if customer.is_none_or(|c| live.customer_gateway_id() == Some(&c.0)) => {
                    Ok(Look::Done(live))
                }
                Some(VpnState::Available) => Ok(Look::NotYet("it is to get its customer gateway".into())),
                Some(VpnState::Deleting | VpnState::Deleted) => {
                    Err(Error::failed(format!("VPN connection {} ({id}) was deleted while it was made", self.name))
                        .retryable())
                }
                state => Ok(Look::NotYet(state.map_or("unknown", VpnState::as_str).to_owned())),
            }
        })
        .await
    }

    /// Adds the missing routes, then removes the others.
    async fn route(&self, cloud: &Cloud, live: &LiveConnection) -> Result<LiveConnection> {
        let id = Self::id(live);
        let (wanted, there) = (self.wanted(), routed(live));
        for to in wanted.difference(&there) {
            let call = cloud.ec2().create_vpn_connection_route().vpn_connection_id(id);
            call.destination_cidr_block(to.to_string()).send().await.told(cloud, &self.name)?;
        }
        for to in there.difference(&wanted) {
            let call = cloud.ec2().delete_vpn_connection_route().vpn_connection_id(id);
            call.destination_cidr_block(to.to_string()).send().await.unless_gone(cloud, &self.name)?;
        }
        Ok(live.clone())
    }
}

impl Part for VpnConnection {
    const NAME: &'static str = "VPN connection";
    const OF_VPC: Option<&'static str> = None;
    const RARE: Option<&'static str> = Some("vpn-connection");
    const ON: On = &[KindId::of::<VpnGateway>, KindId::of::<CustomerGateway>];
    type Item = LiveConnection;
    type Output = ();

    fn id(item: &LiveConnection) -> &str {
        item.vpn_connection_id().unwrap_or_default()
    }
    fn is_gone(item: &LiveConnection) -> bool {
        is_going(item.state().map(VpnState::as_str))
    }
    listed!(describe_vpn_connections => vpn_connections);

    /// So long both gateways are in use.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &LiveConnection) -> Result<()> {
        let id = Self::id(item);
        if cloud.ec2().delete_vpn_connection().vpn_connection_id(id).send().await.unless_gone(cloud, name)?.is_none() {
            return Ok(());
        }
        until(&format!("VPN connection {name} to be gone"), || async move {
            Ok(match read_connection(cloud, name, id).await?.and_then(|c| c.state) {
                None | Some(VpnState::Deleted) => Look::Done(()),
                Some(state) => Look::NotYet(state.as_str().to_owned()),
            })
        })
        .await
    }
    fn output(_: &LiveConnection) {}
}

impl Resource for VpnConnection {
    named!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &LiveConnection) -> Vec<Change> {
        let mut changes = self.moved(live, cx.try_get(self.gateway));
        if let Some(CustomerGatewayId(wanted)) = cx.try_get(self.customer) {
            let there = live.customer_gateway_id().unwrap_or("-");
            Change::compare(&mut changes, "customer gateway", &there, &wanted.as_str());
        }
        if let Some(state) = live.state().filter(|s| **s != VpnState::Available) {
            changes.push(Change::new("state", state.as_str(), "available"));
        }
        let (wanted, there) = (self.wanted(), routed(live));
        changes.extend(wanted.difference(&there).map(|to| Change::new(format!("route {to}"), "-", "added")));
        changes.extend(there.difference(&wanted).map(|to| Change::new(format!("route {to}"), "there", "removed")));
        changes.extend(tag_drift::changes(&self.owner, &live.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveConnection> {
        let tags = lists::specification(ResourceType::VpnConnection, &self.owner.tags(&self.name));
        let options = VpnConnectionOptionsSpecification::builder().static_routes_only(true).build();
        let call = cx.cloud.ec2().create_vpn_connection().r#type("ipsec.1").options(options).tag_specifications(tags);
        let call = call.vpn_gateway_id(&cx.get(self.gateway).0).customer_gateway_id(&cx.get(self.customer).0);
        let made = call.send().await.told(cx.cloud, &self.name)?.vpn_connection;
        let id = made.and_then(|c| c.vpn_connection_id).ok_or_else(nameless::<ec2::CreateVpnConnection>)?;
        let live = self.usable(cx.cloud, &id, None).await?;
        self.route(cx.cloud, &live).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &LiveConnection, _: &[Change]) -> Result<LiveConnection> {
        Change::allowed(&self.moved(live, cx.try_get(self.gateway)), format!("VPN connection {}", self.name))?;
        lists::retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
        let live = self.settle(cx.cloud, live, cx.get(self.customer)).await?;
        self.route(cx.cloud, &live).await
    }
}
