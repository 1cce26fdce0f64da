//! What the emulator's answers mean.
use super::super::look::put_together;
use serde_json::{from_value, json};

#[test]
fn load_balancers_are_put_together_with_their_targets() {
    let balancer = |name: &str, kind: &str, port: Option<u16>| {
        json!({
            "arn": format!("arn:{name}"), "name": name, "dnsName": format!("{name}.ELB.aws"), "scheme": "internal",
            "stateCode": "active", "stateReason": null, "lbType": kind, "boundPort": port,
            "tags": [{"key": "minion:version", "value": "1.0"}],
        })
    };
    let mut closed = balancer("tcp", "network", None);
    closed.as_object_mut().unwrap().remove("boundPort");
    let target = |id: &str, port: Option<u16>, state: &str| json!({"id": id, "port": port, "healthState": state});
    let group = |name: &str, targets: Vec<serde_json::Value>| json!({"arn": format!("group:{name}"), "port": 5432, "loadBalancerArns": [format!("arn:{name}")], "targets": targets});
    let listener = |name: &str, port: u16, group: Option<String>| json!({"loadBalancerArn": format!("arn:{name}"), "port": port, "protocol": "X", "defaultTargetGroupArn": group});
    let balancers = json!({"loadBalancers": [balancer("web", "application", Some(40000)), closed]});
    let listeners = json!({"listeners": [
        listener("web", 80, None),
        listener("tcp", 15432, Some("group:tcp".into())),
    ]});
    let groups = json!({"targetGroups": [
        group("web", vec![target("i-1", None, "initial"), target("i-2", None, "unhealthy")]),
        group("tcp", vec![target("i-3", Some(99), "healthy"), target("i-4", None, "unhealthy")]),
    ]});
    let seen =
        put_together(from_value(balancers).unwrap(), &from_value(listeners).unwrap(), &from_value(groups).unwrap());
    let [web, tcp] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((web.dns_name.as_str(), web.port, web.network, web.healthy), ("web.elb.aws", Some(40000), false, false));
    assert_eq!((tcp.version.as_deref(), tcp.port, tcp.network, tcp.healthy), (Some("1.0"), None, true, true));
    let backends: Vec<_> = tcp.listeners[0].backends.iter().map(|b| (b.id.as_str(), b.port)).collect();
    assert_eq!((tcp.listeners[0].port, backends), (15432, vec![("i-3", 99), ("i-4", 5432)]));
}
