//! The other team's routes to us.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    model::{
        TeamOwner,
        tags::{ORGANIZATION, OVERLORD_TEAM},
    },
    resources::{
        kind::itself,
        network::{ids::PeeringId, lists::filter},
    },
};
use aws_sdk_ec2::types::{Route, RouteOrigin, RouteState, RouteTable};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ipnet::Ipv4Net;
use std::sync::Arc;

/// Route tables written at the same time.
const PARALLEL: usize = 4;

/// The routes of another team to our network, in all of its route tables in a region. Acts in that team's account.
///
/// AWS: [`ROUTES_PER_TABLE`](crate::cloud::quotas::ROUTES_PER_TABLE) routes in a table by default.
#[derive(Clone, Needs)]
pub struct PeerRoutes {
    /// The other team.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The connection that the routes go through. AWS takes no route before it is accepted: put it after that.
    pub peering: Ref<PeeringId>,
    /// Our network.
    pub to: Ipv4Net,
}

/// A route table with its route to our network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    id: String,
    name: Option<String>,
    route: Option<Target>,
}

/// Where a route goes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    to: String,
    dead: bool,
}

impl Table {
    fn label(&self) -> String {
        self.name.as_ref().map_or_else(|| self.id.clone(), |name| format!("{name} ({})", self.id))
    }
    /// Its route, when that goes through a peering connection.
    fn peering(&self) -> Option<&Target> {
        self.route.as_ref().filter(|r| r.to.starts_with("pcx-"))
    }
}

/// All route tables of a team in this region. One list for each run.
async fn tables(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<RouteTable>>> {
    let (organization, team) = (owner.organization.as_str(), owner.team.as_ref().map(|t| t.as_str().to_owned()));
    let team = team.unwrap_or_default();
    cloud
        .once(format!("route tables of peer {organization}/{team}"), async {
            let tag = |key: &str, value: &str| filter(format!("tag:{key}"), value);
            let call = cloud.ec2().describe_route_tables().filters(tag(ORGANIZATION, organization));
            let pages = call.filters(tag(OVERLORD_TEAM, &team)).into_paginator().items().send();
            let all: Result<Vec<RouteTable>, _> = pages.collect().await;
            all.told(cloud, "")
        })
        .await
}

/// Where a route goes, in words that tell kinds of targets apart by their ids.
fn target(route: &Route) -> Target {
    let ids = [
        route.vpc_peering_connection_id(),
        route.transit_gateway_id(),
        route.nat_gateway_id(),
        route.network_interface_id(),
        route.egress_only_internet_gateway_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
        route.gateway_id(),
        route.instance_id(),
    ];
    let to = ids.into_iter().flatten().find(|id| !id.is_empty()).unwrap_or("nothing").to_owned();
    Target { to, dead: route.state() == Some(&RouteState::Blackhole) }
}

fn read(table: &RouteTable, to: Ipv4Net) -> Option<Table> {
    let written = |r: &&Route| r.origin() != Some(&RouteOrigin::EnableVgwRoutePropagation);
    let same = |r: &&Route| r.destination_cidr_block().and_then(|c| c.parse::<Ipv4Net>().ok()) == Some(to);
    let route = table.routes().iter().filter(written).find(same).map(target);
    let name = crate::cloud::network::tag_map(table.tags()).remove("Name").filter(|n| !n.is_empty());
    Some(Table { id: table.route_table_id()?.to_owned(), name, route })
}

impl PeerRoutes {
    async fn read(&self, cloud: &Cloud) -> Result<Vec<Table>> {
        Ok(tables(cloud, &self.owner).await?.iter().filter_map(|t| read(t, self.to)).collect())
    }

    /// Makes a table's route, or turns it to the connection.
    async fn write(&self, cloud: &Cloud, peering: &PeeringId, table: &Table) -> Result<Table> {
        let (to, id, what) = (self.to.to_string(), table.id.as_str(), format!("{} in {}", self.to, table.label()));
        if table.route.is_some() {
            let call = cloud.ec2().replace_route().route_table_id(id).destination_cidr_block(to);
            let done = call.vpc_peering_connection_id(&peering.0).send().await;
            // It may have been removed meanwhile.
            done.told(cloud, what).map_err(|e| e.retry_on_words("InvalidParameterValue", "no route defined"))?;
        } else {
            let call = cloud.ec2().create_route().route_table_id(id).destination_cidr_block(to);
            call.vpc_peering_connection_id(&peering.0).send().await.told(cloud, what)?;
        }
        Ok(Table { route: Some(Target { to: peering.0.clone(), dead: false }), ..table.clone() })
    }

    async fn write_all(&self, cx: &Cx<'_, Cloud>, tables: &[Table]) -> Result<Vec<Table>> {
        let peering = cx.get(self.peering);
        let writes = tables.iter().map(|t| async move {
            if goes(t, peering) { Ok(t.clone()) } else { self.write(cx.cloud, peering, t).await }
        });
        stream::iter(writes.collect::<Vec<_>>()).buffered(PARALLEL).try_collect().await
    }
}

/// Whether the table's route is as wanted.
fn goes(table: &Table, peering: &PeeringId) -> bool {
    table.route.as_ref().is_some_and(|r| r.to == peering.0 && !r.dead)
}

impl Identity for PeerRoutes {
    const KIND: &'static str = "peer routes";
    type Cloud = Cloud;
    type Live = Vec<Table>;
    type Output = ();
    fn name(&self) -> String {
        self.name.clone()
    }
    fn noun(&self) -> String {
        match &self.owner.team {
            Some(team) => format!("routes of team {team} to {}", self.to),
            None => format!("routes to {}", self.to),
        }
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Vec<Table>>> {
        let tables = self.read(cx.cloud).await?;
        let there = tables.is_empty() || tables.iter().any(|t| t.peering().is_some());
        Ok(there.then_some(tables))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Vec<Table>) -> Result<()> {
        let removed = live.iter().filter(|t| t.peering().is_some()).map(|t| async move {
            let call = cx.cloud.ec2().delete_route().route_table_id(&t.id).destination_cidr_block(self.to.to_string());
            call.send().await.unless_gone(cx.cloud, format!("{} in {}", self.to, t.label())).map(drop)
        });
        stream::iter(removed.collect::<Vec<_>>()).buffered(PARALLEL).try_collect().await
    }
    fn output(&self, _: &Vec<Table>) {}
}

impl Resource for PeerRoutes {
    itself!();

    /// There when at least one table has such a route; and when there is no table that could have one.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Vec<Table>) -> Vec<Change> {
        let Some(peering) = cx.try_get(self.peering) else { return Vec::new() };
        let change = |t: &Table| {
            let from = match &t.route {
                Some(Target { to, dead: true }) => format!("{to} (blackhole)"),
                Some(Target { to, .. }) => to.clone(),
                None => "-".to_owned(),
            };
            Change::new(format!("route to {} in {}", self.to, t.label()), from, &peering.0)
        };
        live.iter().filter(|t| !goes(t, peering)).map(change).collect()
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Vec<Table>> {
        let tables = self.read(cx.cloud).await?;
        self.write_all(cx, &tables).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Vec<Table>, _: &[Change]) -> Result<Vec<Table>> {
        self.write_all(cx, live).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: &str = "10.2.0.0/19";

    fn route() -> aws_sdk_ec2::types::builders::RouteBuilder {
        Route::builder().destination_cidr_block(TO)
    }
    fn found(route: Route) -> Option<Target> {
        let table = RouteTable::builder().route_table_id("rtb-1").routes(route).build();
        read(&table, TO.parse().unwrap()).unwrap().route
    }

    #[test]
    fn routes_are_told_by_where_they_go() {
        let goes = |to: &str, dead| Some(Target { to: to.into(), dead });
        assert_eq!(found(route().vpc_peering_connection_id("pcx-1").build()), goes("pcx-1", false));
        assert_eq!(found(route().gateway_id("vgw-1").build()), goes("vgw-1", false));
        assert_eq!(found(route().network_interface_id("eni-1").instance_id("i-1").build()), goes("eni-1", false));
        let dead = route().vpc_peering_connection_id("pcx-1").state(RouteState::Blackhole);
        assert_eq!(found(dead.build()), goes("pcx-1", true));
        // What a VPN gateway tells the table does not keep a route of ours out.
        let told = route().gateway_id("vgw-1").origin(RouteOrigin::EnableVgwRoutePropagation);
        assert_eq!(found(told.build()), None);
        assert_eq!(found(Route::builder().destination_cidr_block("10.2.0.0/20").gateway_id("igw-1").build()), None);
    }

    #[test]
    fn only_a_living_route_through_the_connection_will_do() {
        let peering = PeeringId("pcx-1".into());
        let table = |route| Table { id: "rtb-1".into(), name: None, route };
        let target = |to: &str, dead| table(Some(Target { to: to.into(), dead }));
        assert!(goes(&target("pcx-1", false), &peering));
        for other in [target("pcx-1", true), target("pcx-2", false), target("igw-1", false), table(None)] {
            assert!(!goes(&other, &peering), "{other:?}");
        }
        assert!(target("igw-1", false).peering().is_none(), "never deleted");
    }
}
