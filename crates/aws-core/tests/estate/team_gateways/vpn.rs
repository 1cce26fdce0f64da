//! VPN: both gateways, their connection, and its routes.
use super::*;
use aws_core::resources::network::ids::{CustomerGatewayId, VpnGatewayId};

fn vpn(owner: &TeamOwner, vpc: &str, address: &str, routes: &[&str]) -> Graph<Cloud> {
    let (mut graph, name) = (Graph::default(), || "office".to_owned());
    let vpc = graph.external(Given("vpc", VpcId { id: vpc.into(), ipv6: None }));
    let gateway: Ref<VpnGatewayId> = graph.add(VpnGateway { owner: owner.clone(), name: name(), vpc });
    let address: std::net::Ipv4Addr = address.parse().unwrap();
    let customer = CustomerGateway { owner: owner.clone(), name: format!("office-{address}"), address, asn: 65_010 };
    let customer: Ref<CustomerGatewayId> = graph.add(customer);
    let routes = routes.iter().map(|r| r.parse().unwrap()).collect();
    graph.add(VpnConnection { owner: owner.clone(), name: name(), gateway, customer, routes });
    graph
}

/// The emulator knows no static routes of a VPN connection, and changes none: this does. A changed one shows its new
/// gateway, and is available, with the second look.
fn routing() -> (Front, Arc<Mutex<Vec<String>>>) {
    let routes = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = routes.clone();
    let moved = Mutex::new(None::<(String, u32)>);
    let front = Front::new(move |question, ask| {
        let mut routes = kept.lock().unwrap();
        let to = || question.value("DestinationCidrBlock").unwrap();
        match question.action.as_str() {
            "CreateVpnConnectionRoute" => routes.push(to()),
            "DeleteVpnConnectionRoute" => routes.retain(|r| *r != to()),
            "ModifyVpnConnection" => {
                *moved.lock().unwrap() = Some((question.value("CustomerGatewayId").unwrap(), 0));
            }
            "CreateVpnConnection" => {
                assert_eq!(question.value("Options.StaticRoutesOnly").as_deref(), Some("true"));
                return ask();
            }
            "DescribeVpnConnections" => {
                let mut answer = ask();
                let item = |(to, state): (&str, &str)| {
                    format!("<item><destinationCidrBlock>{to}</destinationCidrBlock><state>{state}</state></item>")
                };
                let all = routes.iter().map(|r| (r.as_str(), "available")).chain([("192.0.2.0/24", "deleted")]);
                let items: String = all.map(item).collect();
                let told = format!("<routes>{items}</routes><vpnConnectionId>");
                answer.body = answer.body.replace("<routes/>", "").replace("<vpnConnectionId>", &told);
                if let Some((customer, looks)) = &mut *moved.lock().unwrap() {
                    *looks += 1;
                    if *looks == 1 {
                        answer.body =
                            answer.body.replace("<vpnConnectionId>", "<state>modifying</state><vpnConnectionId>");
                    } else if let Some((before, rest)) = answer.body.split_once("<customerGatewayId>") {
                        let (_, after) = rest.split_once('<').unwrap();
                        answer.body = format!("{before}<customerGatewayId>{customer}<{after}");
                    }
                }
                return answer;
            }
            _ => return ask(),
        }
        Answer::empty(&question.action)
    });
    (front, routes)
}

#[tokio::test]
async fn a_vpn_lives_and_dies_and_its_routes_follow() {
    let (front, routes) = routing();
    let cloud = front.cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    let graph = vpn(&owner, &vpc, "198.51.100.7", &["192.168.0.0/16", "172.16.0.0/12"]);
    support::apply(&graph, &cloud).await;
    assert_eq!(routes.lock().unwrap().len(), 2);
    let graph = vpn(&owner, &vpc, "198.51.100.7", &["192.168.0.0/16", "10.99.0.0/16"]);
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("~ route 10.99.0.0/16: - -> added; route 172.16.0.0/12: there -> removed"), "{text}");
    assert_eq!(*routes.lock().unwrap(), ["192.168.0.0/16", "10.99.0.0/16"]);
    support::destroy(&graph, &cloud).await;
    routes.lock().unwrap().clear();
    life(&graph, &cloud, 3).await;
}

async fn customers(cloud: &Cloud, owner: &TeamOwner) -> Vec<Thing> {
    cloud.forget();
    let all = strays(cloud, owner).await.unwrap().into_iter();
    all.filter(|s| s.kind == KindId::of::<CustomerGateway>()).collect()
}

/// The office moves: its new address is another gateway, to which the connection changes in place.
#[tokio::test]
async fn a_vpn_follows_the_address_of_the_other_end() {
    let (front, routes) = routing();
    let cloud = front.cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    support::apply(&vpn(&owner, &vpc, "198.51.100.7", &["192.168.0.0/16"]), &cloud).await;
    let old = customers(&cloud, &owner).await.remove(0);
    let graph = vpn(&owner, &vpc, "198.51.100.8", &["192.168.0.0/16"]);
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("customer gateway office-198.51.100.8: + create"), "{text}");
    let both = customers(&cloud, &owner).await;
    let new = both.iter().find(|s| s.id != old.id).unwrap();
    assert!(text.contains(&format!("VPN connection office: ~ customer gateway: {} -> {}", old.id, new.id)), "{text}");
    assert_eq!(*routes.lock().unwrap(), ["192.168.0.0/16"], "they stay");
    assert_eq!((both.len(), old.name.as_str()), (2, "office-198.51.100.7"), "the old one is left over");
    support::destroy(&graph, &cloud).await;
}

/// What has no name of its own cannot be changed; what to do is said.
#[tokio::test]
async fn another_number_of_the_device_is_refused() {
    let (cloud, owner) = (support::cloud().await, owner());
    let device = |asn| {
        let mut graph = Graph::default();
        let address = "198.51.100.7".parse().unwrap();
        graph.add(CustomerGateway { owner: owner.clone(), name: "office".into(), address, asn });
        graph
    };
    support::apply(&device(65_010), &cloud).await;
    let report = support::go(&device(65_011), &cloud, Way::Apply).await;
    let (_, e) = report.failures().next().unwrap();
    assert!(e.to_string().contains("cannot change ASN: 65010 -> 65011"), "{e}");
    assert!(e.hints()[0].contains("take `vpn` out of the file, update, and put it back"), "{:?}", e.hints());
}

#[tokio::test]
async fn a_vpn_gateway_that_was_detached_is_attached_again() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    let mut graph = Graph::default();
    let given = graph.external(Given("vpc", VpcId { id: vpc.clone(), ipv6: None }));
    graph.add(VpnGateway { owner: owner.clone(), name: "office".into(), vpc: given });
    support::apply(&graph, &cloud).await;
    let found = cloud.ec2().describe_vpn_gateways().send().await.unwrap().vpn_gateways.unwrap();
    let ours = |g: &&aws_sdk_ec2::types::VpnGateway| g.vpc_attachments().iter().any(|a| a.vpc_id() == Some(&vpc));
    let id = found.iter().find(ours).unwrap().vpn_gateway_id().unwrap().to_owned();
    cloud.ec2().detach_vpn_gateway().vpn_gateway_id(&id).vpc_id(&vpc).send().await.unwrap();
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains(&format!("~ attached to: - -> {vpc}")), "{text}");
    support::destroy(&graph, &cloud).await;
}
