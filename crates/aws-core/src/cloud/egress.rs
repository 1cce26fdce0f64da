//! What instances in a subnet reach: by the routes of the subnet, and by the VPC's endpoints. The reads, and a pure judge.
use super::Cloud;
use crate::{
    Error, Result,
    resources::network::{endpoint::S3Endpoint, kinds::in_vpc, route_table},
};
use aws_sdk_ec2::types::{Route, RouteState, RouteTable, VpcEndpoint, VpcEndpointType};
use ipnet::Ipv4Net;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// The look at the endpoints only warns: it may not keep a deployment waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that instances need over the network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A service of AWS in a region, as the names of its VPC endpoints end: `ecr.api`, `logs`, `s3`.
    Service {
        /// What it is called: `Amazon ECR`.
        called: &'static str,
        /// `ecr.api`
        name: &'static str,
        /// Its region.
        region: String,
    },
    /// Another host, which only a way out of the VPC leads to.
    Host(String),
}

/// What a route table says of the way out of the VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WayOut {
    /// There is one.
    Open,
    /// Some addresses have one; which, cannot be told.
    Unknown,
    /// There is none, and why.
    Closed(&'static str),
}

/// What was read of a VPC's network.
pub struct Network {
    tables: Arc<Vec<RouteTable>>,
    /// Only read where it matters.
    endpoints: Option<Result<Arc<Vec<VpcEndpoint>>>>,
}

/// Subnets from which the same is not reached, for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// The subnets' ids.
    pub subnets: Vec<String>,
    /// Why there is no way out: `their route table has no default route`.
    pub why: &'static str,
    /// What is not reached.
    pub needs: Vec<Need>,
}

impl Network {
    /// Reads the routes, and the endpoints where one of the subnets has no other way out for instances that have
    /// (`public_ip`) or do not have public addresses.
    pub async fn read(cloud: &Cloud, vpc: &str, subnets: &[String], public_ip: bool) -> Result<Self> {
        let tables = in_vpc::<route_table::RouteTable>(cloud, vpc).await?;
        let open = |subnet: &String| way_out(table_of(&tables, subnet), public_ip) == WayOut::Open;
        let endpoints = if subnets.iter().all(open) { None } else { Some(endpoints(cloud, vpc).await) };
        Ok(Self { tables, endpoints })
    }

    /// Why the endpoints could not be read: what is reached through them is then not known.
    pub fn unread(&self) -> Option<&Error> {
        self.endpoints.as_ref().and_then(|e| e.as_ref().err())
    }

    /// What instances in these subnets do not reach.
    pub fn unreached(
        &self,
        subnets: &[String],
        public_ip: bool,
        region: &str,
        needs: &BTreeSet<Need>,
    ) -> Vec<Unreached> {
        let mut all: Vec<Unreached> = Vec::new();
        let known = self.endpoints.as_ref().and_then(|e| e.as_ref().ok()).map(|e| e.as_slice()).unwrap_or_default();
        for subnet in subnets {
            let table = table_of(&self.tables, subnet);
            let WayOut::Closed(why) = way_out(table, public_ip) else { continue };
            let missing: Vec<Need> = needs.iter().filter(|n| !serves(known, table, region, n)).cloned().collect();
            match all.iter_mut().find(|one| one.why == why && one.needs == missing) {
                Some(alike) => alike.subnets.push(subnet.clone()),
                None if missing.is_empty() => {}
                None => all.push(Unreached { subnets: vec![subnet.clone()], why, needs: missing }),
            }
        }
        all
    }
}

/// The endpoints of a VPC; an error also when that takes longer than a warning is worth.
async fn endpoints(cloud: &Cloud, vpc: &str) -> Result<Arc<Vec<VpcEndpoint>>> {
    let read = tokio::time::timeout(PATIENCE, in_vpc::<S3Endpoint>(cloud, vpc)).await;
    read.unwrap_or_else(|_| {
        let patience = PATIENCE.as_secs();
        Err(Error::deadline(format!("ec2:DescribeVpcEndpoints for {vpc}: no answer within {patience} seconds")))
    })
}

/// The route table of a subnet: its own, else the VPC's main one.
pub(super) fn table_of<'t>(tables: &'t [RouteTable], subnet: &str) -> Option<&'t RouteTable> {
    let own = tables.iter().find(|t| t.associations().iter().any(|a| a.subnet_id() == Some(subnet)));
    own.or_else(|| tables.iter().find(|t| t.associations().iter().any(|a| a.main() == Some(true))))
}

/// Where the routes of a table lead instances that have (`public_ip`) or do not have public addresses.
fn way_out(table: Option<&RouteTable>, public_ip: bool) -> WayOut {
    const NO_ROUTE: WayOut = WayOut::Closed("their route table has no default route");
    let Some(table) = table else { return NO_ROUTE };
    let default = table.routes().iter().find(|r| r.destination_cidr_block() == Some("0.0.0.0/0"));
    match default {
        Some(route) if route.state() == Some(&RouteState::Blackhole) => {
            WayOut::Closed("the default route of their route table is a blackhole")
        }
        Some(route) if route.gateway_id().is_some_and(|id| id.starts_with("igw-")) && !public_ip => WayOut::Closed(
            "their default route leads to an internet gateway, which serves public addresses alone, and they have none",
        ),
        // A peer does not pass on what is for others (VPC peering "Limitations").
        Some(route) if route.vpc_peering_connection_id().is_some() => WayOut::Unknown,
        Some(_) => WayOut::Open,
        None if table.routes().iter().any(is_wide) => WayOut::Unknown,
        None => NO_ROUTE,
    }
}

/// Whether a route may lead to AWS or to a registry: a list of addresses (other than that of a gateway endpoint), or a
/// large public network.
fn is_wide(route: &Route) -> bool {
    let to_endpoint = route.gateway_id().is_some_and(|id| id.starts_with("vpce-"));
    let list = route.destination_prefix_list_id().is_some() && !to_endpoint;
    let network = route.destination_cidr_block().and_then(|cidr| cidr.parse::<Ipv4Net>().ok());
    let public = network.is_some_and(|n| !n.network().is_private() && n.prefix_len() <= 16);
    (list || public) && route.state() != Some(&RouteState::Blackhole)
}

/// Whether one of the endpoints leads to this, from subnets with this route table, in a VPC of this region.
fn serves(endpoints: &[VpcEndpoint], table: Option<&RouteTable>, region: &str, need: &Need) -> bool {
    let Need::Service { name, region: of, .. } = need else { return false };
    // An endpoint is for the services of its own region.
    of == region && endpoints.iter().any(|endpoint| leads(endpoint, table, region, name))
}

fn leads(endpoint: &VpcEndpoint, table: Option<&RouteTable>, region: &str, name: &str) -> bool {
    // `com.amazonaws.<region>.<name>`, in China with `cn.` in front. EC2 tells states in small letters.
    let of_service = endpoint.service_name().is_some_and(|s| s.ends_with(&format!(".{region}.{name}")));
    let available = endpoint.state().is_none_or(|s| s.as_str().eq_ignore_ascii_case("available"));
    let reached = match endpoint.vpc_endpoint_type() {
        Some(VpcEndpointType::Interface) => endpoint.private_dns_enabled() == Some(true),
        Some(VpcEndpointType::Gateway) | None => {
            let id = table.and_then(|t| t.route_table_id());
            endpoint.route_table_ids().iter().any(|t| Some(t.as_str()) == id)
        }
        Some(_) => false,
    };
    of_service && available && reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{RouteTableAssociation, State};

    fn table(id: &str, routes: Vec<Route>) -> RouteTable {
        let own = RouteTableAssociation::builder().subnet_id(format!("of-{id}")).build();
        RouteTable::builder().route_table_id(id).associations(own).set_routes(Some(routes)).build()
    }
    fn to(cidr: &str) -> aws_sdk_ec2::types::builders::RouteBuilder {
        Route::builder().destination_cidr_block(cidr).state(RouteState::Active)
    }

    #[test]
    fn where_routes_lead() {
        let local = || to("10.0.0.0/16").gateway_id("local").build();
        let open = WayOut::Open;
        let closed = |words: &'static str| WayOut::Closed(words);
        let no_route = || closed("their route table has no default route");
        let blackhole = || closed("the default route of their route table is a blackhole");
        let igw = closed(
            "their default route leads to an internet gateway, which serves public addresses alone, and they have none",
        );
        let list = |gateway: &str| Route::builder().destination_prefix_list_id("pl-1").gateway_id(gateway).build();
        for (name, routes, public_ip, wanted) in [
            ("nothing", vec![], false, no_route()),
            ("local", vec![local()], true, no_route()),
            ("NAT gateway", vec![local(), to("0.0.0.0/0").nat_gateway_id("nat-1").build()], false, open.clone()),
            (
                "NAT instance",
                vec![to("0.0.0.0/0").network_interface_id("eni-1").instance_id("i-1").build()],
                false,
                open.clone(),
            ),
            ("transit gateway", vec![to("0.0.0.0/0").transit_gateway_id("tgw-1").build()], false, open.clone()),
            ("VPN", vec![to("0.0.0.0/0").gateway_id("vgw-1").build()], false, open.clone()),
            ("firewall", vec![to("0.0.0.0/0").gateway_id("vpce-1").build()], false, open.clone()),
            ("internet", vec![to("0.0.0.0/0").gateway_id("igw-1").build()], true, open),
            ("internet without address", vec![to("0.0.0.0/0").gateway_id("igw-1").build()], false, igw),
            (
                "NAT that is gone",
                vec![to("0.0.0.0/0").nat_gateway_id("nat-1").state(RouteState::Blackhole).build()],
                false,
                blackhole(),
            ),
            (
                "stopped instance",
                vec![to("0.0.0.0/0").instance_id("i-1").state(RouteState::Blackhole).build()],
                true,
                blackhole(),
            ),
            ("peer", vec![to("0.0.0.0/0").vpc_peering_connection_id("pcx-1").build()], false, WayOut::Unknown),
            (
                "halves",
                vec![to("0.0.0.0/1").nat_gateway_id("n").build(), to("128.0.0.0/1").nat_gateway_id("n").build()],
                false,
                WayOut::Unknown,
            ),
            ("list to a NAT gateway", vec![list("nat-1")], false, WayOut::Unknown),
            ("gateway endpoint", vec![local(), list("vpce-1")], false, no_route()),
            ("another network", vec![to("192.168.0.0/16").transit_gateway_id("tgw-1").build()], false, no_route()),
            ("a single address", vec![to("203.0.113.7/32").nat_gateway_id("nat-1").build()], false, no_route()),
        ] {
            assert_eq!(way_out(Some(&table("t", routes)), public_ip), wanted, "{name}");
        }
        assert_eq!(way_out(None, true), no_route());
    }

    #[test]
    fn the_main_table_counts_where_a_subnet_has_none() {
        let main = RouteTableAssociation::builder().main(true).build();
        let tables = [table("a", vec![]), RouteTable::builder().route_table_id("main").associations(main).build()];
        let of = |subnet: &str| table_of(&tables, subnet).and_then(|t| t.route_table_id());
        assert_eq!((of("of-a"), of("other")), (Some("a"), Some("main")));
        assert_eq!(table_of(&tables[..1], "other"), None);
    }

    #[test]
    fn subnets_that_miss_the_same_are_told_together() {
        let logs = Need::Service { called: "CloudWatch Logs", name: "logs", region: "eu-west-1".into() };
        let host = Need::Host("ghcr.io".into());
        let needs = BTreeSet::from([logs.clone(), host.clone()]);
        let nat = to("0.0.0.0/0").nat_gateway_id("nat-1").build();
        let gone = to("0.0.0.0/0").nat_gateway_id("nat-2").state(RouteState::Blackhole).build();
        let tables = [("a", vec![]), ("b", vec![]), ("c", vec![nat]), ("d", vec![gone])];
        let tables = tables.map(|(id, routes)| table(id, routes)).to_vec();
        let network = |endpoints: Vec<VpcEndpoint>| Network {
            tables: Arc::new(tables.clone()),
            endpoints: Some(Ok(endpoints.into())),
        };
        let subnets = ["of-a", "of-b", "of-c", "of-d"].map(str::to_owned);
        let told = |network: &Network, needs: &BTreeSet<Need>| {
            let all = network.unreached(&subnets, false, "eu-west-1", needs);
            all.into_iter().map(|u| (u.subnets.join(" "), u.needs)).collect::<Vec<_>>()
        };
        let none = network(Vec::new());
        let both: Vec<Need> = needs.iter().cloned().collect();
        assert_eq!(told(&none, &needs), [("of-a of-b".into(), both.clone()), ("of-d".into(), both)]);
        let with = network(vec![interface("com.amazonaws.eu-west-1.logs").build()]);
        assert_eq!(told(&with, &needs), [("of-a of-b".into(), vec![host.clone()]), ("of-d".into(), vec![host])]);
        assert!(told(&with, &BTreeSet::from([logs])).is_empty());
        assert!(told(&none, &BTreeSet::new()).is_empty());
    }

    fn interface(service: &str) -> aws_sdk_ec2::types::builders::VpcEndpointBuilder {
        let kind = VpcEndpointType::Interface;
        let state = State::from("available");
        VpcEndpoint::builder().vpc_endpoint_type(kind).service_name(service).private_dns_enabled(true).state(state)
    }
    fn gateway(service: &str, table: &str) -> VpcEndpoint {
        let kind = VpcEndpointType::Gateway;
        VpcEndpoint::builder().vpc_endpoint_type(kind).service_name(service).route_table_ids(table).build()
    }

    #[test]
    fn which_endpoints_lead_where() {
        let need = |name: &'static str, region: &str| Need::Service { called: "X", name, region: region.into() };
        let ours = table("t", vec![]);
        let there = |endpoint: VpcEndpoint, name: &'static str, of: &str, region: &str| {
            serves(&[endpoint], Some(&ours), region, &need(name, of))
        };
        let west = "eu-west-1";
        for (name, endpoint, service, of, region, wanted) in [
            ("interface", interface("com.amazonaws.eu-west-1.logs").build(), "logs", west, west, true),
            (
                "China",
                interface("cn.com.amazonaws.cn-north-1.ecr.api").build(),
                "ecr.api",
                "cn-north-1",
                "cn-north-1",
                true,
            ),
            ("another service", interface("com.amazonaws.eu-west-1.ecr.dkr").build(), "ecr.api", west, west, false),
            ("a longer name", interface("com.amazonaws.eu-west-1.ssmmessages").build(), "ssm", west, west, false),
            ("a name that ends alike", interface("com.amazonaws.eu-west-1.x-logs").build(), "logs", west, west, false),
            (
                "without private DNS",
                interface("com.amazonaws.eu-west-1.ssm").private_dns_enabled(false).build(),
                "ssm",
                west,
                west,
                false,
            ),
            (
                "pending",
                interface("com.amazonaws.eu-west-1.ssm").state(State::Pending).build(),
                "ssm",
                west,
                west,
                false,
            ),
            (
                "another region's secret",
                interface("com.amazonaws.eu-west-1.ssm").build(),
                "ssm",
                "eu-central-1",
                west,
                false,
            ),
            ("gateway", gateway("com.amazonaws.eu-west-1.s3", "t"), "s3", west, west, true),
            ("gateway of other tables", gateway("com.amazonaws.eu-west-1.s3", "other"), "s3", west, west, false),
            ("interface of S3", interface("com.amazonaws.eu-west-1.s3").build(), "s3", west, west, true),
            ("gateway of DynamoDB", gateway("com.amazonaws.eu-west-1.dynamodb", "t"), "s3", west, west, false),
        ] {
            assert_eq!(there(endpoint, service, of, region), wanted, "{name}");
        }
        let host = Need::Host("ghcr.io".into());
        assert!(!serves(&[interface("com.amazonaws.eu-west-1.logs").build()], Some(&ours), west, &host));
    }
}
