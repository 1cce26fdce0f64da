//! Damage from outside: `check` finds it, `update` repairs it, and nothing else changes.
use crate::support::{Estate, Inventory};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many things of each kind each account has.
fn sizes(inventory: &BTreeMap<String, Inventory>) -> Vec<(&str, &str, usize)> {
    let rows = inventory.iter().flat_map(|(account, kinds)| {
        kinds.iter().map(move |(kind, names)| (account.as_str(), kind.as_str(), names.len()))
    });
    rows.collect()
}

/// A team whose place can be damaged.
struct Victim {
    estate: Estate,
    whole: BTreeMap<String, Inventory>,
}

impl Victim {
    fn new() -> Self {
        let estate = Estate::new();
        estate.create("red");
        let whole = estate.inventory();
        Self { estate, whole }
    }

    /// An AWS call in the team's account.
    fn call(&self, service: &str, operation: &str, arguments: Value) -> Value {
        self.estate.call("red", service, operation, arguments)
    }

    /// Fails unless `check` says that something differs, and these words, and `update` makes it as it was. `same`:
    /// even the ids.
    fn repaired(&self, words: &[&str], same: bool) {
        assert_ne!(self.estate.inventory(), self.whole, "the damage is none");
        self.repaired_unseen(words, same);
    }

    /// The same for damage that the inventory does not show.
    fn repaired_unseen(&self, words: &[&str], same: bool) {
        let checked = self.estate.overlord(&["check", "red"]).exits(5).says(words);
        assert!(checked.stdout.contains("differs"), "{}", checked.stdout);
        let rows = self.estate.overlord(&["check", "-o", "json", "red"]).exits(5).json();
        assert_eq!((&rows[0]["team"], &rows[0]["state"]), (&json!("red"), &json!("differs")));
        self.estate.overlord(&["team", "update", "red"]).ok();
        self.estate.overlord(&["check", "red"]).ok();
        self.estate.unchanged("red");
        let now = self.estate.inventory();
        if same {
            assert_eq!(now, self.whole, "{words:?} is not repaired, or more was changed");
        } else {
            assert_eq!(sizes(&now), sizes(&self.whole), "{words:?} is not repaired, or more was changed");
        }
    }

    /// Something of the team's account: the first of its kind that contains this, in words.
    fn first(&self, kind: &str, containing: &str) -> Vec<String> {
        let all = &self.estate.inventory()["red"][&format!("eu-west-1 {kind}")];
        let found = all.iter().find(|name| name.contains(containing));
        let found = found.unwrap_or_else(|| panic!("no {kind} with {containing}: {all:?}"));
        found.split(' ').map(str::to_owned).collect()
    }
}

#[test]
fn routes() {
    let victim = Victim::new();
    for target in [" nat-", " igw-"] {
        let route = victim.first("route", target);
        let default = json!({ "RouteTableId": route[0], "DestinationCidrBlock": "0.0.0.0/0" });
        victim.call("ec2", "delete_route", default);
        victim.repaired(&["0.0.0.0/0"], true);
    }
    // Another way out than it should be.
    let (inner, outer) = (victim.first("route", " nat-"), victim.first("route", " igw-"));
    let bypass = json!({ "RouteTableId": inner[0], "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": outer[2] });
    victim.call("ec2", "replace_route", bypass);
    victim.repaired(&["0.0.0.0/0"], true);
    // To the other teams.
    let route = victim.first("route", " tgw-");
    let pool = json!({ "RouteTableId": route[0], "DestinationCidrBlock": "10.0.0.0/12" });
    victim.call("ec2", "delete_route", pool);
    victim.repaired(&["10.0.0.0/12"], true);
}

#[test]
fn routes_of_others_are_left_alone() {
    let victim = Victim::new();
    let (table, gateway) = (victim.first("route", " nat-"), victim.first("route", " igw-"));
    let theirs =
        json!({ "RouteTableId": table[0], "DestinationCidrBlock": "198.51.100.0/24", "GatewayId": gateway[2] });
    victim.call("ec2", "create_route", theirs);
    victim.estate.unchanged("red");
    // Within the pool too: only the pool itself, the default routes and other teams' networks are ours to say.
    let within = json!({ "RouteTableId": table[0], "DestinationCidrBlock": "10.15.0.0/16", "GatewayId": gateway[2] });
    victim.call("ec2", "create_route", within);
    victim.estate.unchanged("red");
    victim.estate.overlord(&["team", "update", "red"]).ok();
    assert_eq!(victim.first("route", "10.15.0.0/16")[2], gateway[2]);
    assert_eq!(victim.first("route", "198.51.100.0/24")[2], gateway[2]);
    victim.estate.delete("red");
    victim.estate.assert_as_before("a team with a route of somebody else's");
}

#[test]
fn the_delegation() {
    let victim = Victim::new();
    let zones = victim.estate.call("network", "route53", "list_hosted_zones", json!({}));
    let zone = &zones["HostedZones"][0]["Id"];
    let sets = json!({ "HostedZoneId": zone, "StartRecordName": "red.example.org", "StartRecordType": "NS" });
    let sets = victim.estate.call("network", "route53", "list_resource_record_sets", sets);
    let delegation = sets["ResourceRecordSets"][0].clone();
    assert_eq!(delegation["Name"], "red.example.org.");
    let change = |action: &str, set: &Value| {
        let batch = json!({ "Changes": [{ "Action": action, "ResourceRecordSet": set }] });
        let change = json!({ "HostedZoneId": zone, "ChangeBatch": batch });
        victim.estate.call("network", "route53", "change_resource_record_sets", change);
    };
    change("DELETE", &delegation);
    victim.repaired(&["red.example.org"], true);
    let mut elsewhere = delegation;
    elsewhere["ResourceRecords"] = json!([{ "Value": "ns1.example.com." }]);
    change("UPSERT", &elsewhere);
    victim.repaired_unseen(&["red.example.org", "ns1.example.com"], true);
    // Somebody who took the name over keeps it when the team goes.
    change("UPSERT", &elsewhere);
    victim.estate.delete("red");
    assert_eq!(victim.estate.added("network")["record set"], ["red.example.org NS"]);
}

/// What a zone's domain is, to whom it is delegated, and the zone's id.
pub(crate) fn delegated(estate: &Estate) -> (String, Value) {
    let zones = estate.call("red", "route53", "list_hosted_zones_by_name", json!({ "DNSName": "red.example.org" }));
    let parents = estate.call("network", "route53", "list_hosted_zones", json!({}));
    let sets = json!({
        "HostedZoneId": parents["HostedZones"][0]["Id"],
        "StartRecordName": "red.example.org",
        "StartRecordType": "NS",
    });
    let sets = estate.call("network", "route53", "list_resource_record_sets", sets);
    let servers = sets["ResourceRecordSets"][0]["ResourceRecords"].clone();
    (zones["HostedZones"][0]["Id"].as_str().unwrap_or_default().to_owned(), servers)
}

/// Deletes the team's zone with all that is in it.
pub(crate) fn lose_the_zone(estate: &Estate) {
    let (id, _) = delegated(estate);
    let sets = estate.call("red", "route53", "list_resource_record_sets", json!({ "HostedZoneId": id }));
    let own = |set: &&Value| !["NS", "SOA"].contains(&set["Type"].as_str().unwrap());
    let all = sets["ResourceRecordSets"].as_array().unwrap().iter().filter(own);
    let changes: Vec<Value> = all.map(|set| json!({ "Action": "DELETE", "ResourceRecordSet": set })).collect();
    if !changes.is_empty() {
        let batch = json!({ "HostedZoneId": id, "ChangeBatch": { "Changes": changes } });
        estate.call("red", "route53", "change_resource_record_sets", batch);
    }
    estate.call("red", "route53", "delete_hosted_zone", json!({ "Id": id }));
}

/// Whoever gets the servers of a zone that is gone takes the name over: its delegation must not be left behind.
#[test]
fn the_hosted_zone_disappears() {
    let victim = Victim::new();
    let (lost, _) = delegated(&victim.estate);
    lose_the_zone(&victim.estate);
    victim.estate.overlord(&["check", "red"]).exits(5).says(&["hosted zone red.example.org is missing"]);
    victim.estate.overlord(&["team", "update", "red"]).ok();
    victim.estate.overlord(&["check", "red"]).ok();
    let (made, servers) = delegated(&victim.estate);
    assert_ne!(made, lost);
    let zone = victim.call("route53", "get_hosted_zone", json!({ "Id": made }));
    let own: Vec<String> = zone["DelegationSet"]["NameServers"].as_array().unwrap().iter().map(plain).collect();
    let mut named: Vec<String> = servers.as_array().unwrap().iter().map(|server| plain(&server["Value"])).collect();
    named.sort();
    assert!(own.iter().all(|server| named.contains(server)), "{own:?} {named:?}");
    lose_the_zone(&victim.estate);
    victim.estate.overlord(&["team", "delete", "red", "--dry-run"]).says(&["- delete delegation red.example.org"]);
    victim.estate.delete("red");
    victim.estate.assert_as_before("a team whose zone was lost");
}

fn plain(name: &Value) -> String {
    name.as_str().unwrap().trim_end_matches('.').to_owned()
}

#[test]
fn a_subnet_at_another_table() {
    let victim = Victim::new();
    let pair = victim.first("subnet's route table", "subnet-");
    let tables = json!({ "RouteTableIds": [pair[1]] });
    let table = victim.call("ec2", "describe_route_tables", tables);
    let associations = table["RouteTables"][0]["Associations"].as_array().unwrap();
    let association = associations.iter().find(|a| a["SubnetId"] == pair[0].as_str()).unwrap();
    let gone = json!({ "AssociationId": association["RouteTableAssociationId"] });
    victim.call("ec2", "disassociate_route_table", gone);
    victim.repaired(&["route table"], true);
    // At one that is not the team's.
    let vpc = victim.estate.named("red", "vpc", "red");
    let other = victim.call("ec2", "create_route_table", json!({ "VpcId": vpc }));
    let other = &other["RouteTable"]["RouteTableId"];
    let table = victim.call("ec2", "describe_route_tables", json!({ "RouteTableIds": [pair[1]] }));
    let associations = table["RouteTables"][0]["Associations"].as_array().unwrap();
    let association = associations.iter().find(|a| a["SubnetId"] == pair[0].as_str()).unwrap();
    let moved = json!({ "AssociationId": association["RouteTableAssociationId"], "RouteTableId": other });
    victim.call("ec2", "replace_route_table_association", moved);
    victim.estate.overlord(&["check", "red"]).exits(5);
    victim.estate.overlord(&["team", "update", "red"]).ok();
    victim.estate.unchanged("red");
    assert_eq!(victim.first("subnet's route table", &pair[0]), pair);
    victim.call("ec2", "delete_route_table", json!({ "RouteTableId": other }));
    assert_eq!(victim.estate.inventory(), victim.whole);
}

#[test]
fn rules_in_the_default_group() {
    let victim = Victim::new();
    let vpc = victim.estate.named("red", "vpc", "red");
    let filters = json!([{ "Name": "vpc-id", "Values": [vpc] }, { "Name": "group-name", "Values": ["default"] }]);
    let groups = victim.call("ec2", "describe_security_groups", json!({ "Filters": filters }));
    let group = &groups["SecurityGroups"][0]["GroupId"];
    let world = json!([{ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]);
    for operation in ["authorize_security_group_ingress", "authorize_security_group_egress"] {
        victim.call("ec2", operation, json!({ "GroupId": group, "IpPermissions": world }));
        victim.repaired(&["default"], true);
    }
}

#[test]
fn guard_rails() {
    let victim = Victim::new();
    victim.call("cloudtrail", "stop_logging", json!({ "Name": "overlord" }));
    victim.repaired(&["trail", "overlord"], true);
    victim.call("cloudtrail", "update_trail", json!({ "Name": "overlord", "EnableLogFileValidation": false }));
    victim.repaired_unseen(&["trail", "overlord"], true);
    victim.call("ec2", "disable_ebs_encryption_by_default", json!({}));
    victim.repaired(&["ebs"], true);
    victim.call("ec2", "modify_instance_metadata_defaults", json!({ "HttpTokens": "optional" }));
    victim.repaired(&["metadata"], true);
    victim.call("s3control", "delete_public_access_block", json!({ "AccountId": victim.estate.number("red") }));
    victim.repaired(&["public"], true);
    victim.call("iam", "delete_account_password_policy", json!({}));
    victim.repaired(&["password"], true);
    let bucket = &victim.whole["red"]["bucket"][0];
    victim.call("s3", "delete_public_access_block", json!({ "Bucket": bucket }));
    victim.repaired_unseen(&[bucket], true);
    victim.call("s3", "delete_bucket_policy", json!({ "Bucket": bucket }));
    victim.repaired_unseen(&[bucket], true);
}

#[test]
fn roles_and_the_boundary() {
    let victim = Victim::new();
    let anybody = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" }],
    });
    let trust = json!({ "RoleName": "Deployer", "PolicyDocument": anybody.to_string() });
    victim.call("iam", "update_assume_role_policy", trust);
    victim.repaired_unseen(&["Deployer"], true);
    victim.call("iam", "delete_role_permissions_boundary", json!({ "RoleName": "PowerUser" }));
    victim.repaired_unseen(&["PowerUser", "overlord-boundary"], true);
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    victim.call("iam", "attach_role_policy", json!({ "RoleName": "Deployer", "PolicyArn": administrator }));
    victim.repaired_unseen(&["Deployer", "AdministratorAccess"], true);
    let everything = json!({
        "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    });
    let arn = format!("arn:aws:iam::{}:policy/overlord-boundary", victim.estate.number("red"));
    // Six times: AWS keeps five versions of a policy, and who makes a sixth has to remove one first.
    for _ in 0..6 {
        let versions = victim.call("iam", "list_policy_versions", json!({ "PolicyArn": arn }));
        let versions = versions["Versions"].as_array().unwrap();
        if versions.len() == 5 {
            let other = versions.iter().find(|version| version["IsDefaultVersion"] == false).unwrap();
            let other = json!({ "PolicyArn": arn, "VersionId": other["VersionId"] });
            victim.call("iam", "delete_policy_version", other);
        }
        let version = json!({ "PolicyArn": arn, "PolicyDocument": everything.to_string(), "SetAsDefault": true });
        victim.call("iam", "create_policy_version", version);
        victim.repaired_unseen(&["overlord-boundary"], true);
    }
}

#[test]
fn things_that_are_gone() {
    let victim = Victim::new();
    let log = victim.first("flow log", "fl-");
    victim.call("ec2", "delete_flow_logs", json!({ "FlowLogIds": log }));
    victim.repaired(&["flow log"], false);
    let endpoint = victim.first("vpc endpoint", "vpce-");
    victim.call("ec2", "delete_vpc_endpoints", json!({ "VpcEndpointIds": endpoint }));
    victim.repaired(&["endpoint"], false);
    let gateway = victim.first("nat gateway", "nat-");
    victim.call("ec2", "delete_nat_gateway", json!({ "NatGatewayId": gateway[0] }));
    victim.repaired(&["NAT gateway"], false);
    let attachment = victim.first("transit gateway attachment", "tgw-attach-");
    victim.call("ec2", "delete_transit_gateway_vpc_attachment", json!({ "TransitGatewayAttachmentId": attachment[0] }));
    victim.repaired(&["attachment"], false);
    victim.call("iam", "delete_role_policy", json!({ "RoleName": "ReadOnly", "PolicyName": "overlord" }));
    victim.repaired_unseen(&["ReadOnly"], false);
    victim.estate.delete("red");
    victim.estate.assert_as_before("a team that was repaired often");
}

#[test]
fn a_file_that_is_gone_keeps_nobody_from_deleting() {
    let victim = Victim::new();
    std::fs::remove_file(victim.estate.shell().home().join("teams/red.yaml")).unwrap();
    victim.estate.delete("red");
    victim.estate.assert_as_before("a team whose file is gone");
}
