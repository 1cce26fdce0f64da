//! Route tables: their routes, their subnets, and what a VPN gateway tells them.
use super::{
    egress::{EgressGatewayId, EgressOnlyGateway},
    fresh::known,
    gateways::InternetGateway,
    ids::{
        AttachmentId, GatewayId, NatGatewayId, NatInstanceId, PeeringId, RouteTableId, SubnetId, TransitGatewayId,
        VpcId, VpnGatewayId,
    },
    kinds::{self, KindId, On, Part, listed},
    lists::{self, Tagged as _, retag},
    nat_gateway::NatGateway,
    nat_instance::Machine,
    peering::PeeringConnection,
    subnet::Subnet,
    transit::TransitAttachment,
    vpn::VpnGateway,
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, operations::ec2, quotas},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{compare::Fixed, kind::itself, tag_drift},
};
use aws_sdk_ec2::types::{
    ResourceType, RouteTable as Ec2RouteTable, RouteTableAssociation, RouteTableAssociationStateCode as State,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

mod routes;
use routes::{Step, Wanted, steps};

/// Routes of a table, in all.
const ROUTES: usize = quotas::ROUTES_PER_TABLE as usize;

/// A route table with its routes and subnets.
#[derive(Clone, Needs)]
pub struct RouteTable {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is in.
    pub vpc: Ref<VpcId>,
    /// The routes that must be there.
    pub routes: Vec<Route>,
    /// The subnets that use it.
    pub subnets: Vec<Ref<SubnetId>>,
    /// The VPN gateway that adds routes of its own.
    pub propagate: Option<Ref<VpnGatewayId>>,
    /// Destinations that are ours: a route to one of them that is not wanted is removed; so are unwanted default routes,
    /// and routes within them that lead nowhere.
    pub managed: Vec<IpNet>,
}

/// A route.
#[derive(Clone, Needs)]
pub struct Route {
    /// To these addresses.
    pub to: IpNet,
    /// Through this.
    pub via: Via,
}

/// What a route goes through.
#[derive(Clone, Copy, Needs)]
pub enum Via {
    /// An internet gateway.
    Internet(Ref<GatewayId>),
    /// An egress-only internet gateway.
    EgressOnly(Ref<EgressGatewayId>),
    /// A NAT gateway.
    Nat(Ref<NatGatewayId>),
    /// A NAT instance.
    Instance(Ref<NatInstanceId>),
    /// A transit gateway.
    Transit {
        /// The gateway.
        gateway: Ref<TransitGatewayId>,
        /// The attachment of the VPC, which must stand before the route does.
        attachment: Ref<AttachmentId>,
    },
    /// A peering connection.
    Peering {
        /// The connection.
        peering: Ref<PeeringId>,
        /// The other side's yes, which must have come before the route does.
        accepted: Ref<()>,
    },
}

/// What a route goes through, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// `igw-..`
    Internet(String),
    /// `eigw-..`
    EgressOnly(String),
    /// `nat-..`
    Nat(String),
    /// `eni-..`
    Interface(String),
    /// `tgw-..`
    Transit(String),
    /// `pcx-..`
    Peering(String),
}

impl Target {
    fn id(&self) -> &str {
        match self {
            Self::Internet(id)
            | Self::EgressOnly(id)
            | Self::Nat(id)
            | Self::Interface(id)
            | Self::Transit(id)
            | Self::Peering(id) => id,
        }
    }
}

impl Via {
    fn noun(self) -> &'static str {
        match self {
            Self::Internet(_) => "internet gateway",
            Self::EgressOnly(_) => "egress-only internet gateway",
            Self::Nat(_) => "NAT gateway",
            Self::Instance(_) => "NAT instance",
            Self::Transit { .. } => "transit gateway's attachment",
            Self::Peering { .. } => "peering connection",
        }
    }
    /// By its id; `None` while it is still to be made.
    fn target(self, cx: &Cx<'_, Cloud>) -> Option<Target> {
        Some(match self {
            Self::Internet(r) => Target::Internet(cx.try_get(r)?.0.clone()),
            Self::EgressOnly(r) => Target::EgressOnly(cx.try_get(r)?.0.clone()),
            Self::Nat(r) => Target::Nat(cx.try_get(r)?.0.clone()),
            Self::Instance(r) => Target::Interface(cx.try_get(r)?.interface.clone()),
            Self::Transit { gateway, attachment } => {
                cx.try_get(attachment)?;
                Target::Transit(cx.try_get(gateway)?.id.clone())
            }
            Self::Peering { peering, .. } => Target::Peering(cx.try_get(peering)?.0.clone()),
        })
    }
}

/// What was found of a route table.
#[derive(Debug, Clone)]
pub struct Live {
    table: Ec2RouteTable,
    /// The table that each subnet of the region sits in, and the association by which it does.
    seats: BTreeMap<String, Seat>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seat {
    table: String,
    association: String,
}

impl Live {
    fn id(&self) -> &str {
        self.table.route_table_id().unwrap_or_default()
    }
}

/// The associations that subnets have of their own with a table.
fn associations(table: &Ec2RouteTable) -> impl Iterator<Item = &RouteTableAssociation> {
    let leaving = [State::Disassociating, State::Disassociated, State::Failed];
    let stands = move |a: &&RouteTableAssociation| {
        !a.association_state().and_then(|s| s.state()).is_some_and(|s| leaving.contains(s))
    };
    table.associations().iter().filter(|a| a.main() != Some(true)).filter(stands)
}

fn seats(tables: &[Ec2RouteTable]) -> BTreeMap<String, Seat> {
    let of = |t: &Ec2RouteTable| -> Vec<(String, Seat)> {
        let table = t.route_table_id().unwrap_or_default();
        let seat = |a: &RouteTableAssociation| {
            let association = a.route_table_association_id().unwrap_or_default().to_owned();
            Some((a.subnet_id()?.to_owned(), Seat { table: table.to_owned(), association }))
        };
        associations(t).filter_map(seat).collect()
    };
    tables.iter().flat_map(of).collect()
}

/// A call about the route to these addresses. The calls about routes have types of their own.
macro_rules! destined {
    ($call:expr, $to:expr) => {
        match $to {
            IpNet::V4(to) => $call.destination_cidr_block(to.to_string()),
            IpNet::V6(to) => $call.destination_ipv6_cidr_block(to.to_string()),
        }
    };
}

/// The same, with what the route goes through.
macro_rules! through {
    ($call:expr, $to:expr, $target:expr) => {{
        let call = destined!($call, $to);
        match $target {
            Target::Internet(id) => call.gateway_id(id),
            Target::EgressOnly(id) => call.egress_only_internet_gateway_id(id),
            Target::Nat(id) => call.nat_gateway_id(id),
            Target::Interface(id) => call.network_interface_id(id),
            Target::Transit(id) => call.transit_gateway_id(id),
            Target::Peering(id) => call.vpc_peering_connection_id(id),
        }
    }};
}

impl RouteTable {
    fn fits(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.routes.iter().find(|r| !seen.insert(r.to.trunc())) {
            return Err(Error::usage(format!("route table {} would have two routes to {}", self.name, twice.to)));
        }
        if self.routes.len() > ROUTES {
            return Err(Error::usage(format!("route table {} would have {} routes", self.name, self.routes.len()))
                .hint(format!("AWS takes {ROUTES}.")));
        }
        Ok(())
    }

    fn wanted(&self, cx: &Cx<'_, Cloud>) -> Vec<Wanted> {
        let wanted = |r: &Route| Wanted { to: r.to.trunc(), target: r.via.target(cx), noun: r.via.noun() };
        self.routes.iter().map(wanted).collect()
    }

    /// Whether the VPN gateway adds its routes, or need not.
    fn propagates(&self, cx: &Cx<'_, Cloud>, live: &Live) -> bool {
        let Some(gateway) = self.propagate.and_then(|g| cx.try_get(g)) else { return self.propagate.is_none() };
        live.table.propagating_vgws().iter().any(|v| v.gateway_id() == Some(&gateway.0))
    }

    /// Makes it as it should be. Everything that it needs is there.
    async fn converge(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        let (cloud, id, name) = (cx.cloud, live.id(), self.name.as_str());
        for step in steps(&self.wanted(cx), &self.managed, live.table.routes()) {
            match step {
                Step::Create(wanted) => self.create_route(cloud, id, &wanted).await?,
                Step::Replace(_, wanted) => self.replace_route(cloud, id, &wanted).await?,
                Step::Delete(_, to) => {
                    let call = destined!(cloud.ec2().delete_route().route_table_id(id), to);
                    call.send().await.unless_gone(cloud, name)?;
                }
            }
        }
        for subnet in &self.subnets {
            self.seat(cloud, live, &cx.get(*subnet).0).await?;
        }
        if let (Some(gateway), false) = (self.propagate, self.propagates(cx, live)) {
            let gateway = &cx.get(gateway).0;
            // A gateway that was just attached is not known to be everywhere yet.
            known(name, || async {
                let call = cloud.ec2().enable_vgw_route_propagation().route_table_id(id).gateway_id(gateway);
                call.send().await.told(cloud, name)
            })
            .await?;
        }
        retag(cloud, &self.owner, (id, name), &live.table.tag_map(), &[]).await
    }

    async fn create_route(&self, cloud: &Cloud, id: &str, wanted: &Wanted) -> Result<()> {
        let call = through!(cloud.ec2().create_route().route_table_id(id), wanted.to, self.target(wanted)?);
        let what = format!("{} to {}", self.name, wanted.to);
        known(&what, || async { call.clone().send().await.told(cloud, &what) }).await.map(drop)
    }

    async fn replace_route(&self, cloud: &Cloud, id: &str, wanted: &Wanted) -> Result<()> {
        let call = through!(cloud.ec2().replace_route().route_table_id(id), wanted.to, self.target(wanted)?);
        let what = format!("{} to {}", self.name, wanted.to);
        known(&what, || async { call.clone().send().await.told(cloud, &what) })
            .await
            // It is gone meanwhile: the next look makes it.
            .map_err(|e| e.retry_on_words("InvalidParameterValue", "no route defined"))
            .map(drop)
    }

    fn target(&self, wanted: &Wanted) -> Result<Target> {
        wanted.target.clone().ok_or_else(|| {
            Error::failed(format!("route table {}: {} is not there, so no route to {}", self.name, wanted, wanted.to))
        })
    }

    /// Lets a subnet use this table.
    async fn seat(&self, cloud: &Cloud, live: &Live, subnet: &str) -> Result<()> {
        let (id, what) = (live.id(), format!("{} and {subnet}", self.name));
        match live.seats.get(subnet) {
            Some(seat) if seat.table == id => Ok(()),
            // In one step, so that the subnet is never on the VPC's main table in between.
            Some(seat) => {
                let call = cloud.ec2().replace_route_table_association().association_id(&seat.association);
                let call = call.route_table_id(id);
                known(&what, || async { call.clone().send().await.told(cloud, &what) }).await.map(drop)
            }
            None => {
                let call = cloud.ec2().associate_route_table().route_table_id(id).subnet_id(subnet);
                known(&what, || async { call.clone().send().await.told(cloud, &what) }).await.map(drop)
            }
        }
    }
}

impl Part for RouteTable {
    const NAME: &'static str = "route table";
    const WHOLE: bool = true;
    const ON: On = &[
        KindId::of::<InternetGateway>,
        KindId::of::<EgressOnlyGateway>,
        KindId::of::<Subnet>,
        KindId::of::<NatGateway>,
        KindId::of::<Machine>,
        KindId::of::<VpnGateway>,
        KindId::of::<TransitAttachment>,
        KindId::of::<PeeringConnection>,
    ];
    type Item = Ec2RouteTable;
    type Output = ();

    fn id(item: &Ec2RouteTable) -> &str {
        item.route_table_id().unwrap_or_default()
    }
    fn is_of_vpc(item: &Ec2RouteTable) -> bool {
        item.associations().iter().any(|a| a.main() == Some(true))
    }
    listed!(describe_route_tables);

    /// Takes its subnets away first; they fall back to the VPC's main table.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Ec2RouteTable) -> Result<()> {
        for association in associations(item).filter_map(|a| a.route_table_association_id()) {
            cloud.ec2().disassociate_route_table().association_id(association).send().await.unless_gone(cloud, name)?;
        }
        cloud.ec2().delete_route_table().route_table_id(Self::id(item)).send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(_: &Ec2RouteTable) {}
}

impl Identity for RouteTable {
    const KIND: &'static str = Self::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = RouteTableId;
    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let Some(table) = kinds::named::<Self>(cx.cloud, &self.owner, &self.name).await? else { return Ok(None) };
        Ok(Some(Live { table, seats: seats(&kinds::all::<Self>(cx.cloud).await?) }))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        Self::delete(cx.cloud, &self.owner, &self.name, &live.table).await
    }
    fn output(&self, live: &Live) -> RouteTableId {
        RouteTableId(live.id().to_owned())
    }
}

impl Resource for RouteTable {
    itself!();

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut fixed = Fixed::new("Delete it, and run the same command again.");
        fixed.compare("VPC", live.table.vpc_id(), cx.try_get(self.vpc).map(|v| &v.id));
        let mut changes = fixed.changes;
        for step in steps(&self.wanted(cx), &self.managed, live.table.routes()) {
            changes.push(match step {
                Step::Create(wanted) => Change::new(format!("route to {}", wanted.to), "-", &wanted),
                Step::Replace(there, wanted) => Change::new(format!("route to {}", wanted.to), there, &wanted),
                Step::Delete(there, to) => Change::new(format!("route to {to}"), there, "-"),
            });
        }
        // One that is still to be made is told by its own line of the plan.
        for subnet in self.subnets.iter().filter_map(|s| cx.try_get(*s)) {
            let there = live.seats.get(&subnet.0).map_or("the main table", |s| s.table.as_str());
            if there != live.id() {
                changes.push(Change::new(format!("table of {}", subnet.0), there, live.id()));
            }
        }
        if !self.propagates(cx, live) {
            let gateway = self.propagate.and_then(|g| cx.try_get(g)).map_or("the VPN gateway to be made", |g| &g.0);
            changes.push(Change::new("routes told by", "-", gateway));
        }
        changes.extend(tag_drift::changes(&self.owner, &live.table.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        // Before anything is made: a subnet may sit in a table of somebody else's.
        let seats = seats(&kinds::all::<Self>(cx.cloud).await?);
        let made = known(&self.name, || async {
            let call = cx.cloud.ec2().create_route_table().vpc_id(&cx.get(self.vpc).id);
            let call = call.tag_specifications(lists::specification(ResourceType::RouteTable, &tags));
            let call = call.client_token(cx.cloud.token::<ec2::CreateRouteTable>(&self.name));
            call.send().await.told(cx.cloud, &self.name)
        })
        .await?;
        let table = made.route_table.ok_or_else(|| Error::failed("AWS answered without the route table it made"))?;
        let live = Live { table, seats };
        self.converge(cx, &live).await?;
        Ok(live)
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.converge(cx, live).await?;
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::RouteTableAssociationState;

    #[test]
    fn a_subnet_sits_where_it_is_associated() {
        let association = |id: &str, subnet: Option<&str>, main: bool, state: State| {
            RouteTableAssociation::builder()
                .route_table_association_id(id)
                .set_subnet_id(subnet.map(str::to_owned))
                .main(main)
                .association_state(RouteTableAssociationState::builder().state(state).build())
                .build()
        };
        let tables = [
            Ec2RouteTable::builder()
                .route_table_id("rtb-1")
                .associations(association("a-0", None, true, State::Associated))
                .associations(association("a-1", Some("subnet-1"), false, State::Disassociating))
                .build(),
            Ec2RouteTable::builder()
                .route_table_id("rtb-2")
                .associations(association("a-2", Some("subnet-1"), false, State::Associated))
                .associations(association("a-3", Some("subnet-2"), false, State::Associating))
                .build(),
        ];
        let all = seats(&tables);
        let seat = |association: &str| Seat { table: "rtb-2".into(), association: association.into() };
        assert_eq!(all, BTreeMap::from([("subnet-1".into(), seat("a-2")), ("subnet-2".into(), seat("a-3"))]));
        assert_eq!(associations(&tables[0]).count(), 0);
    }
}
