//! NAT gateways: AWS's own way from private subnets to the internet.
use super::{
    address::ElasticIp,
    ids::{AllocationId, NatGatewayId, SubnetId},
    kinds::{KindId, On, Part, listed},
    lists::{self, Tagged, tagged},
    subnet::Subnet,
    waiting::{nameless, until},
};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        errors::advice,
        operations::{ec2, name_of},
        wait::Look,
    },
    engine::{Change, Cx, Needs, Ref, Resource},
    error::AwsDetail,
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{compare::Fixed, kind::named, tag_drift},
};
use aws_sdk_ec2::types::{NatGateway as Live, NatGatewayAddress, NatGatewayState, ResourceType};

/// A public NAT gateway. Its VPC needs an internet gateway first, or AWS lets it fail.
#[derive(Needs)]
pub struct NatGateway {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The public subnet that it stands in.
    pub subnet: Ref<SubnetId>,
    /// Its address on the internet.
    pub address: Ref<AllocationId>,
}

tagged!(Live);

fn is_there(live: &Live) -> bool {
    matches!(live.state(), Some(NatGatewayState::Available | NatGatewayState::Pending))
}

async fn read(cloud: &Cloud, name: &str, id: &str) -> Result<Option<Live>> {
    let found = cloud.ec2().describe_nat_gateways().nat_gateway_ids(id).send().await.unless_gone(cloud, name)?;
    Ok(found.and_then(|f| f.nat_gateways.unwrap_or_default().into_iter().next()))
}

/// Waits until the gateway forwards packets.
async fn usable(cloud: &Cloud, name: &str, id: &str) -> Result<Live> {
    until(&format!("NAT gateway {name}"), || async move {
        match read(cloud, name, id).await? {
            // Not visible yet.
            None => Ok(Look::NotYet("it is to appear".into())),
            Some(live) => match live.state() {
                Some(NatGatewayState::Available) => Ok(Look::Done(live)),
                Some(NatGatewayState::Failed) => Err(failed(cloud.region(), name, &live)),
                Some(NatGatewayState::Deleting | NatGatewayState::Deleted) => {
                    Err(Error::failed(format!("NAT gateway {name} ({id}) was deleted while it was made")).retryable())
                }
                state => Ok(Look::NotYet(state.map_or("unknown", |s| s.as_str()).to_owned())),
            },
        }
    })
    .await
}

impl Part for NatGateway {
    const NAME: &'static str = "NAT gateway";
    const ON: On = &[KindId::of::<Subnet>, KindId::of::<ElasticIp>];
    type Item = Live;
    type Output = NatGatewayId;

    fn id(item: &Live) -> &str {
        item.nat_gateway_id().unwrap_or_default()
    }
    /// AWS tells for an hour of one that failed or was deleted.
    fn is_gone(item: &Live) -> bool {
        !is_there(item)
    }
    listed!(describe_nat_gateways, set_filter);

    /// So long its address and its subnet are in use.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let id = Self::id(item);
        if cloud.ec2().delete_nat_gateway().nat_gateway_id(id).send().await.unless_gone(cloud, name)?.is_none() {
            return Ok(());
        }
        until(&format!("NAT gateway {name} to be gone"), || async move {
            let state = read(cloud, name, id).await?.and_then(|g| g.state);
            Ok(match state {
                None | Some(NatGatewayState::Deleted | NatGatewayState::Failed) => Look::Done(()),
                Some(state) => Look::NotYet(state.as_str().to_owned()),
            })
        })
        .await
    }
    fn output(live: &Live) -> NatGatewayId {
        NatGatewayId(Self::id(live).to_owned())
    }
}

/// AWS tells only here, not in the answer to the creating call, what was wrong.
fn failed(region: &str, name: &str, live: &Live) -> Error {
    let code = live.failure_code().unwrap_or("unknown error");
    let message = live.failure_message().unwrap_or("no message");
    let detail = AwsDetail {
        operation: name_of::<ec2::CreateNatGateway>().into(),
        region: region.into(),
        code: Some(code.into()),
        request_id: None,
    };
    let error = Error::failed(format!("NAT gateway {name} failed: {message} ({code})")).at(detail).judged();
    match advice(&format!("{code} - {message}"), None, region) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The address that the gateway was made with.
pub(crate) fn primary(live: &Live) -> Option<&NatGatewayAddress> {
    let all = live.nat_gateway_addresses();
    all.iter().find(|a| a.is_primary() == Some(true)).or(all.first())
}

fn address(live: &Live) -> Option<&str> {
    primary(live)?.allocation_id()
}

impl NatGateway {
    /// What cannot be changed in place; what is still to be made is not compared.
    fn moved(&self, live: &Live, subnet: Option<&SubnetId>, to: Option<&AllocationId>) -> Vec<Change> {
        let hint = format!("Delete NAT gateway {}, then run the same command: it is made anew.", Self::id(live));
        let mut fixed = Fixed::new(hint);
        fixed.compare("subnet", live.subnet_id(), subnet.map(|s| &s.0));
        fixed.compare("address", address(live), to.map(|a| &a.0));
        fixed.changes
    }
}

impl Resource for NatGateway {
    named!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut changes = self.moved(live, cx.try_get(self.subnet), cx.try_get(self.address));
        if live.state() == Some(&NatGatewayState::Pending) {
            changes.push(Change::new("state", "pending", "available"));
        }
        changes.extend(tag_drift::changes(&self.owner, &live.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let (SubnetId(subnet), AllocationId(address)) = (cx.get(self.subnet), cx.get(self.address));
        let tags = lists::specification(ResourceType::Natgateway, &self.owner.tags(&self.name));
        // With the token, a try after a lost answer makes no second gateway.
        let token = cx.cloud.token::<ec2::CreateNatGateway>(&self.name);
        let call = cx.cloud.ec2().create_nat_gateway().subnet_id(subnet).allocation_id(address).client_token(token);
        let made = call.tag_specifications(tags).send().await.told(cx.cloud, &self.name)?;
        let made = made.nat_gateway.ok_or_else(nameless::<ec2::CreateNatGateway>)?;
        usable(cx.cloud, &self.name, Self::id(&made)).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let moved = self.moved(live, cx.try_get(self.subnet), cx.try_get(self.address));
        Change::allowed(&moved, format!("NAT gateway {}", self.name))?;
        lists::retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
        match live.state() {
            Some(NatGatewayState::Pending) => usable(cx.cloud, &self.name, Self::id(live)).await,
            _ => Ok(live.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(state: NatGatewayState, code: &str) -> Live {
        let secondary = NatGatewayAddress::builder().allocation_id("eipalloc-2").is_primary(false).build();
        let primary = NatGatewayAddress::builder().allocation_id("eipalloc-1").is_primary(true).build();
        let live = Live::builder().state(state).failure_code(code).failure_message("why");
        live.nat_gateway_addresses(secondary).nat_gateway_addresses(primary).build()
    }

    #[test]
    fn what_failed_or_was_deleted_is_not_there() {
        use NatGatewayState::{Available, Deleted, Deleting, Failed, Pending};
        for (state, there) in [(Available, true), (Pending, true), (Failed, false), (Deleting, false), (Deleted, false)]
        {
            assert_eq!(is_there(&gateway(state.clone(), "")), there, "{state:?}");
        }
    }

    #[test]
    fn a_failure_is_told_and_tried_again_when_it_passes() {
        let e = |code| failed("eu-west-1", "nat-a", &gateway(NatGatewayState::Failed, code));
        assert_eq!(e("Gateway.NotAttached").to_string(), "NAT gateway nat-a failed: why (Gateway.NotAttached)");
        assert!(!e("Gateway.NotAttached").is_retryable() && !e("InsufficientFreeAddressesInSubnet").is_retryable());
        assert!(e("Resource.AlreadyAssociated").is_retryable());
        assert_eq!(address(&gateway(NatGatewayState::Available, "")), Some("eipalloc-1"));
    }
}
