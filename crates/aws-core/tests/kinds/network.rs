//! A VPC with its subnets, and what is looked up, on an emulator of AWS.

use crate::support;
use aws_core::{
    cloud::{lookups, network},
    error::Kind,
    model::{Architecture, Layer},
};
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

#[tokio::test]
async fn a_vpc_with_all_layers() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    let vpc = support::vpc(&cloud).await;
    let tags = [tag("Name", "place"), tag("Config", "registry: registry.example.org\n")];
    ec2.create_tags().resources(&vpc).set_tags(Some(tags.into())).send().await.unwrap();
    let described = ec2.describe_vpcs().vpc_ids(&vpc).send().await.unwrap();
    let cidr = described.vpcs()[0].cidr_block().unwrap().to_owned();
    let stem = cidr.replace(".0.0/16", "");
    let mut ids = Vec::new();
    for (n, zone, name) in [(0, "a", ""), (1, "a", "shared-a"), (2, "b", "shared-b"), (3, "b", ""), (4, "b", "")] {
        let specification =
            TagSpecification::builder().resource_type(ResourceType::Subnet).tags(tag("Name", name)).build();
        let call = ec2.create_subnet().vpc_id(&vpc).cidr_block(format!("{stem}.{n}.0/24"));
        let call = call.availability_zone(format!("{}{zone}", support::REGION));
        let call = if name.is_empty() { call } else { call.tag_specifications(specification) };
        ids.push(call.send().await.unwrap().subnet().unwrap().subnet_id().unwrap().to_owned());
    }
    // Only the first subnet has a way to the internet.
    let gateway = ec2.create_internet_gateway().send().await.unwrap();
    let gateway = gateway.internet_gateway().unwrap().internet_gateway_id().unwrap();
    ec2.attach_internet_gateway().vpc_id(&vpc).internet_gateway_id(gateway).send().await.unwrap();
    let table = ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let table = table.route_table().unwrap().route_table_id().unwrap();
    let route = ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0").gateway_id(gateway);
    route.send().await.unwrap();
    ec2.associate_route_table().route_table_id(table).subnet_id(&ids[0]).send().await.unwrap();

    let place = network::load(&cloud, &vpc).await.unwrap();
    assert_eq!(place.name.as_deref(), Some("place"));
    assert_eq!(place.config_tag.as_deref(), Some("registry: registry.example.org\n"));
    assert_eq!(place.cidrs, [cidr.parse().unwrap()]);
    assert_eq!(place.account, "123456789012");
    assert_eq!(place.subnets.len(), 5);
    let of = |layer| place.layer(layer).iter().map(|s| s.id.clone()).collect::<Vec<_>>();
    assert_eq!(of(Layer::Public), ids[..1]);
    assert_eq!(of(Layer::Shared), ids[1..3]);
    assert_eq!(place.layer(Layer::Private).len(), 1);
    place.choose(Layer::Shared, "the load balancer").unwrap().require_two_zones("the load balancer").unwrap();
    let one = place.choose(Layer::Public, "the load balancer").unwrap();
    assert_eq!(one.require_two_zones("the load balancer").unwrap_err().kind(), Kind::Refused);

    let all = lookups::vpcs(&cloud).await.unwrap();
    let found = all.iter().find(|v| v.id == vpc).unwrap();
    assert_eq!((found.name.as_deref(), found.cidr.as_str(), found.is_default), (Some("place"), cidr.as_str(), false));
    assert!(lookups::instances(&cloud, &vpc, None, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_there() {
    let cloud = support::cloud().await;
    let e = network::load(&cloud, "vpc-0123456789abcdef0").await.unwrap_err();
    assert_eq!(e.kind(), Kind::NotFound, "{e:?}");
    assert!(!e.hints().is_empty());
    let e = lookups::machine(&cloud, "t9.colossal").await.unwrap_err();
    assert_eq!(e.kind(), Kind::Usage, "{e:?}");
    let e = lookups::image_details(&cloud, "ami-0123456789abcdef0").await.unwrap_err();
    assert_eq!(e.kind(), Kind::NotFound, "{e:?}");
    assert_eq!(lookups::console_output(&cloud, "i-0123456789abcdef0").await.unwrap(), None);
}

#[tokio::test]
async fn machines_images_and_certificates() {
    let cloud = support::cloud().await;
    let arm = lookups::machine(&cloud, "t4g.small").await.unwrap();
    assert_eq!((arm.architecture, arm.vcpus, arm.memory_mib), (Architecture::Arm64, 2, 2048));
    let stored = lookups::machine(&cloud, "m5d.large").await.unwrap();
    assert_eq!((stored.architecture, stored.instance_store_gib), (Architecture::Amd64, Some(75)));
    let amis = lookups::recommended_amis(&cloud).await.unwrap();
    assert!(amis.of(Architecture::Amd64).is_none_or(|a| a.starts_with("ami-")), "{amis:?}");
    let image = cloud.ec2().describe_images().send().await.unwrap().images()[0].image_id().unwrap().to_owned();
    let details = lookups::image_details(&cloud, &image).await.unwrap();
    assert!(details.root_device.starts_with("/dev/"), "{details:?}");

    for names in [["*.certificates.example.org", "x.org"], ["certificates.example.org", "www.certificates.example.org"]]
    {
        let call = cloud.acm().request_certificate().domain_name(names[0]).subject_alternative_names(names[1]);
        // The emulator issues those of a private authority at once.
        let authority = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/1";
        call.certificate_authority_arn(authority).send().await.unwrap();
    }
    let found = lookups::certificates_for(&cloud, "certificates.example.org").await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].covers_name("a.certificates.example.org"));
}
