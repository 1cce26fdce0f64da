//! What is seen in a VPC, on an emulator of AWS.

use crate::support;
use aws_core::{cloud::lookups::sights, error::Kind, model::Layer};
use aws_sdk_ec2::types::{AttributeBooleanValue, DomainType, ResourceType, Tag, TagSpecification, VpcEndpointType};

fn tagged(kind: ResourceType, key: &str, value: &str) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).tags(Tag::builder().key(key).value(value).build()).build()
}

#[tokio::test]
async fn a_network_with_everything() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    let vpc = support::vpc(&cloud).await;
    let cidr = ec2.describe_vpcs().vpc_ids(&vpc).send().await.unwrap().vpcs()[0].cidr_block().unwrap().to_owned();
    let stem = cidr.replace(".0.0/16", "");
    let mut subnets = Vec::new();
    for (n, layer) in [(0, "public"), (1, "shared"), (2, "private")] {
        let call = ec2.create_subnet().vpc_id(&vpc).cidr_block(format!("{stem}.{n}.0/24"));
        let call = call.availability_zone(format!("{}a", support::REGION));
        let call = call.tag_specifications(tagged(ResourceType::Subnet, "layer", layer));
        subnets.push(call.send().await.unwrap().subnet().unwrap().subnet_id().unwrap().to_owned());
    }
    let gateway = ec2.create_internet_gateway().send().await.unwrap();
    let gateway = gateway.internet_gateway().unwrap().internet_gateway_id().unwrap().to_owned();
    ec2.attach_internet_gateway().vpc_id(&vpc).internet_gateway_id(&gateway).send().await.unwrap();
    let address = ec2.allocate_address().domain(DomainType::Vpc).send().await.unwrap();
    let nat = ec2.create_nat_gateway().subnet_id(&subnets[0]).allocation_id(address.allocation_id().unwrap());
    let nat = nat.send().await.unwrap().nat_gateway().unwrap().nat_gateway_id().unwrap().to_owned();
    let image = ec2.describe_images().send().await.unwrap().images()[0].image_id().unwrap().to_owned();
    let run = ec2.run_instances().image_id(image).subnet_id(&subnets[0]).min_count(1).max_count(1);
    let forwarder = run.send().await.unwrap().instances()[0].clone();
    let interface = forwarder.network_interfaces()[0].network_interface_id().unwrap().to_owned();
    let forwarder = forwarder.instance_id().unwrap().to_owned();
    let off = AttributeBooleanValue::builder().value(false).build();
    ec2.modify_instance_attribute().instance_id(&forwarder).source_dest_check(off).send().await.unwrap();
    for (n, subnet) in subnets.iter().enumerate() {
        let table = ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
        let table = table.route_table().unwrap().route_table_id().unwrap();
        let route = ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0");
        let route = match n {
            0 => route.gateway_id(&gateway),
            1 => route.nat_gateway_id(&nat),
            _ => route.network_interface_id(&interface),
        };
        route.send().await.unwrap();
        ec2.associate_route_table().route_table_id(table).subnet_id(subnet).send().await.unwrap();
    }
    let endpoint = ec2.create_vpc_endpoint().vpc_id(&vpc).vpc_endpoint_type(VpcEndpointType::Gateway);
    endpoint.service_name(format!("com.amazonaws.{}.s3", support::REGION)).send().await.unwrap();
    let other = support::vpc(&cloud).await;
    let peering = ec2.create_vpc_peering_connection().vpc_id(&other).peer_vpc_id(&vpc);
    let peering = peering.tag_specifications(tagged(ResourceType::VpcPeeringConnection, "Name", "red-blue"));
    let peering = peering.send().await.unwrap();
    let peering = peering.vpc_peering_connection().unwrap().vpc_peering_connection_id().unwrap().to_owned();
    let balancer = cloud.elb().create_load_balancer().name("front").subnets(&subnets[1]);
    let tag = |k: &str, v: &str| aws_sdk_elasticloadbalancingv2::types::Tag::builder().key(k).value(v).build();
    let balancer = balancer.tags(tag("minion:application", "web")).tags(tag("minion:version", "1.0"));
    balancer.scheme("internal".into()).send().await.unwrap();

    let seen = sights::sights(&cloud, &vpc).await.unwrap();
    assert_eq!((seen.vpc.as_str(), &seen.cidrs), (vpc.as_str(), &vec![cidr]));
    assert_eq!(seen.internet_gateway.as_deref(), Some(gateway.as_str()));
    assert!(seen.s3_endpoint.is_some() && seen.egress_only.is_none() && seen.vpn_gateway.is_none());
    let of = |layer| seen.subnets.iter().find(|s| s.layer == layer).unwrap();
    assert_eq!(of(Layer::Public).default_route.as_ref(), Some(&gateway));
    assert_eq!(of(Layer::Shared).default_route.as_ref(), Some(&nat));
    assert_eq!(of(Layer::Private).default_route.as_ref(), Some(&forwarder));
    assert!(!of(Layer::Public).zone_id.is_empty());
    let nats: Vec<(&str, &str)> = seen.nats.iter().map(|n| (n.id.as_str(), n.subnet.as_str())).collect();
    assert_eq!(nats, [(forwarder.as_str(), subnets[0].as_str()), (nat.as_str(), subnets[0].as_str())]);
    assert_eq!(seen.nats[1].address.as_deref(), address.public_ip());
    assert_eq!(seen.peerings.len(), 1, "{:?}", seen.peerings);
    let peer = &seen.peerings[0];
    assert_eq!((peer.id.as_str(), peer.vpc.as_str(), peer.name.as_deref()), (&*peering, &*other, Some("red-blue")));
    assert_eq!(peer.state, "pending-acceptance");
    let front = &seen.balancers[0];
    assert_eq!((front.name.as_str(), front.internal), ("front", true));
    assert_eq!(front.of, Some(("web".into(), "1.0".into())));
    assert_eq!(front.subnets, [subnets[1].clone()]);

    // Gone is gone.
    ec2.delete_vpc_peering_connection().vpc_peering_connection_id(&peering).send().await.unwrap();
    ec2.delete_nat_gateway().nat_gateway_id(&nat).send().await.unwrap();
    let seen = sights::sights(&support::cloud().await, &vpc).await.unwrap();
    assert!(seen.peerings.is_empty() && seen.nats.iter().all(|n| n.id != nat), "{seen:?}");
}

#[tokio::test]
async fn a_vpn_and_a_transit_gateway() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    let vpc = support::vpc(&cloud).await;
    let customer = ec2.create_customer_gateway().r#type("ipsec.1".into()).ip_address("198.51.100.7").bgp_asn(65000);
    let customer = customer.send().await.unwrap();
    let customer = customer.customer_gateway().unwrap().customer_gateway_id().unwrap().to_owned();
    let gateway = ec2.create_vpn_gateway().r#type("ipsec.1".into()).send().await.unwrap();
    let gateway = gateway.vpn_gateway().unwrap().vpn_gateway_id().unwrap().to_owned();
    ec2.attach_vpn_gateway().vpc_id(&vpc).vpn_gateway_id(&gateway).send().await.unwrap();
    let vpn = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(customer).vpn_gateway_id(&gateway);
    vpn.send().await.unwrap();
    let transit = ec2.create_transit_gateway().send().await.unwrap();
    let transit = transit.transit_gateway().unwrap().transit_gateway_id().unwrap().to_owned();
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block(
        ec2.describe_vpcs().vpc_ids(&vpc).send().await.unwrap().vpcs()[0].cidr_block().unwrap().replace("/16", "/24"),
    );
    let subnet = subnet.send().await.unwrap().subnet().unwrap().subnet_id().unwrap().to_owned();
    let attach = ec2.create_transit_gateway_vpc_attachment().transit_gateway_id(&transit).vpc_id(&vpc);
    attach.subnet_ids(&subnet).send().await.unwrap();
    let table = ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let table = table.route_table().unwrap().route_table_id().unwrap().to_owned();
    let route = ec2.create_route().route_table_id(&table).destination_cidr_block("10.0.0.0/8");
    route.transit_gateway_id(&transit).send().await.unwrap();

    let seen = sights::sights(&cloud, &vpc).await.unwrap();
    assert_eq!(seen.vpn_gateway.as_deref(), Some(gateway.as_str()));
    assert_eq!(seen.vpns.len(), 1);
    assert_eq!((seen.vpns[0].address.as_deref(), seen.vpns[0].asn.as_deref()), (Some("198.51.100.7"), Some("65000")));
    assert_eq!(seen.transits.len(), 1, "{:?}", seen.transits);
    assert_eq!(
        (seen.transits[0].gateway.as_str(), seen.transits[0].routes.as_slice()),
        (&*transit, &["10.0.0.0/8".to_owned()][..])
    );
    assert_eq!(seen.subnets[0].default_route, None);
}

#[tokio::test]
async fn no_such_vpc() {
    let e = sights::sights(&support::cloud().await, "vpc-0123456789abcdef0").await.unwrap_err();
    assert_eq!(e.kind(), Kind::NotFound, "{e:?}");
    assert!(!e.hints().is_empty());
}
