//! The gateway endpoint through which S3 is reached without the internet.
use super::{
    fresh::{known, settled},
    ids::{RouteTableId, VpcId},
    kinds::{KindId, On, Part, listed},
    lists::{self, Tagged as _, retag},
    route_table::RouteTable,
    waiting::undone,
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, operations::ec2, quotas, wait::Look},
    engine::{Change, Cx, Needs, Ref, Resource, Use},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{compare::Fixed, kind::named, tag_drift},
};
use aws_sdk_ec2::types::{ResourceType, VpcEndpoint as Live, VpcEndpointType};

/// A gateway endpoint for S3, in all of these route tables. Others that somebody put it into stay.
#[derive(Needs)]
pub struct S3Endpoint {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is in.
    pub vpc: Ref<VpcId>,
    /// The route tables that lead to it.
    pub route_tables: Vec<Ref<RouteTableId>>,
}

impl S3Endpoint {
    /// Those of the route tables that are there, but do not lead to it.
    fn missing(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<String> {
        let tables = self.route_tables.iter().filter_map(|t| cx.try_get(*t)).map(|t| t.0.clone());
        tables.filter(|t| !live.route_table_ids().contains(t)).collect()
    }
}

/// Whether its state is one of these: the service returns some in small letters.
fn is_in(live: &Live, states: &[&str]) -> bool {
    live.state().is_some_and(|state| states.iter().any(|s| state.as_str().eq_ignore_ascii_case(s)))
}

/// What S3 is called in a region.
fn service(region: &str) -> String {
    let china = if region.starts_with("cn-") { "cn." } else { "" };
    format!("{china}com.amazonaws.{region}.s3")
}

fn taken(e: Error) -> Error {
    match e.code() {
        Some("RouteAlreadyExists") => {
            e.hint("Another endpoint for S3 is in that route table: remove it there, then run the same command again.")
        }
        _ => e,
    }
}

impl Part for S3Endpoint {
    const NAME: &'static str = "S3 endpoint";
    const NOUN: &'static str = "VPC endpoint";
    const ON: On = &[KindId::of::<RouteTable>];
    type Item = Live;
    type Output = ();

    fn id(item: &Live) -> &str {
        item.vpc_endpoint_id().unwrap_or_default()
    }
    fn is_gone(item: &Live) -> bool {
        Self::is_out(item) || is_in(item, &["failed", "rejected", "expired"])
    }
    fn is_out(item: &Live) -> bool {
        is_in(item, &["deleting", "deleted"])
    }
    listed!(describe_vpc_endpoints);

    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let id = Self::id(item);
        let done = cloud.ec2().delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unless_gone(cloud, name)?;
        let left = done.and_then(|d| undone::<ec2::DeleteVpcEndpoints>(cloud.region(), name, d.unsuccessful()));
        if let Some(e) = left.filter(|e| !e.is_gone()) {
            return Err(e);
        }
        // Its routes hold the route tables until it is gone.
        settled(&format!("the end of S3 endpoint {name}"), || async {
            let told = cloud.ec2().describe_vpc_endpoints().vpc_endpoint_ids(id).send().await;
            let told = told.unless_gone(cloud, name)?;
            let left = told.iter().flat_map(|t| t.vpc_endpoints()).filter(|e| e.vpc_endpoint_id() == Some(id));
            let state =
                left.filter_map(|e| e.state()).map(|s| s.as_str().to_ascii_lowercase()).find(|s| s != "deleted");
            Ok(state.map_or(Look::Done(()), Look::NotYet))
        })
        .await
    }
    fn output(_: &Live) {}
}

impl Resource for S3Endpoint {
    named!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::GATEWAY_ENDPOINTS.name, 1)]
    }
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut fixed = Fixed::new("Delete it, and run the same command again.");
        fixed.compare("service", live.service_name(), Some(service(cx.cloud.region())));
        fixed.compare("VPC", live.vpc_id(), cx.try_get(self.vpc).map(|v| &v.id));
        let mut changes = fixed.changes;
        changes.extend(self.missing(cx, live).into_iter().map(|t| Change::new("route table", "-", t)));
        changes.extend(tag_drift::changes(&self.owner, &live.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let tables: Vec<String> = self.route_tables.iter().map(|t| cx.get(*t).0.clone()).collect();
        let made = known(&self.name, || async {
            let call = cx.cloud.ec2().create_vpc_endpoint().vpc_id(&cx.get(self.vpc).id);
            let call = call.vpc_endpoint_type(VpcEndpointType::Gateway).service_name(service(cx.cloud.region()));
            let call = call.set_route_table_ids(Some(tables.clone()));
            let call = call.tag_specifications(lists::specification(ResourceType::VpcEndpoint, &tags));
            let call = call.client_token(cx.cloud.token::<ec2::CreateVpcEndpoint>(&self.name));
            call.send().await.told(cx.cloud, &self.name)
        })
        .await
        .map_err(taken)?;
        made.vpc_endpoint.ok_or_else(|| Error::failed("AWS answered without the endpoint it made"))
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let missing = self.missing(cx, live);
        if !missing.is_empty() {
            known(&self.name, || async {
                let call = cx.cloud.ec2().modify_vpc_endpoint().vpc_endpoint_id(Self::id(live));
                call.set_add_route_table_ids(Some(missing.clone())).send().await.told(cx.cloud, &self.name)
            })
            .await
            .map_err(taken)?;
        }
        retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS answers in small letters where its model has capitals; one that is on its way is in nobody's way.
    #[test]
    fn what_is_leaving_is_gone_however_it_is_spelt() {
        let gone = |state: &str| S3Endpoint::is_gone(&Live::builder().state(state.into()).build());
        for state in ["deleting", "Deleting", "deleted", "Deleted", "failed", "Failed", "rejected", "expired"] {
            assert!(gone(state), "{state}");
        }
        for state in ["available", "Available", "pending", "Pending", "pendingAcceptance"] {
            assert!(!gone(state), "{state}");
        }
        // Network interfaces of one that failed hold the subnets.
        let out = |state: &str| S3Endpoint::is_out(&Live::builder().state(state.into()).build());
        assert!(["deleting", "Deleted"].into_iter().all(out));
        assert!(!["failed", "Rejected", "expired", "available"].into_iter().any(out));
    }

    #[test]
    fn the_service_is_named_by_partition() {
        assert_eq!(super::service("eu-west-1"), "com.amazonaws.eu-west-1.s3");
        assert_eq!(super::service("us-gov-west-1"), "com.amazonaws.us-gov-west-1.s3");
        assert_eq!(super::service("cn-north-1"), "cn.com.amazonaws.cn-north-1.s3");
    }
}
