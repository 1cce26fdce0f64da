//! The harness of several accounts itself: what the tests of `overlord` believe about it.
use crate::support::{Estate, REGIONS, Request, endpoint, refusing};
use serde_json::json;

#[test]
fn accounts_are_apart_and_the_inventory_sees_every_account_and_region() {
    let estate = Estate::new();
    estate.assert_as_before("nothing at all");
    let vpc = json!({ "CidrBlock": "10.2.0.0/19" });
    let made = estate.call_in("red", REGIONS[1], "ec2", "create_vpc", vpc);
    let counts = estate.counts("red");
    assert_eq!(counts["eu-central-1 vpc"], 1);
    assert!(counts.keys().all(|kind| kind.starts_with(REGIONS[1])), "{counts:?}");
    for other in ["home", "network", "blue"] {
        assert_eq!(estate.counts(other), [].into(), "{other}");
    }
    estate.call_in("red", REGIONS[1], "ec2", "delete_vpc", json!({ "VpcId": made["Vpc"]["VpcId"] }));
    estate.assert_as_before("a VPC that is gone");
}

#[test]
fn the_inventory_sees_settings_of_an_account() {
    let estate = Estate::empty(&["home"]);
    let call = |service: &str, operation: &str, arguments| estate.call("home", service, operation, arguments);
    call("ec2", "enable_ebs_encryption_by_default", json!({}));
    call("ec2", "modify_instance_metadata_defaults", json!({ "HttpTokens": "required" }));
    call("iam", "update_account_password_policy", json!({ "MinimumPasswordLength": 14 }));
    call("iam", "create_account_alias", json!({ "AccountAlias": "acme-home" }));
    let block = json!({ "BlockPublicAcls": true });
    let block = json!({ "AccountId": estate.number("home"), "PublicAccessBlockConfiguration": block });
    call("s3control", "put_public_access_block", block);
    let kinds: Vec<String> = estate.added("home").into_keys().collect();
    let wanted = [
        "account alias",
        "eu-west-1 ebs encryption by default",
        "eu-west-1 metadata default",
        "password policy",
        "public access block",
    ];
    assert_eq!(kinds, wanted);
    call("ec2", "disable_ebs_encryption_by_default", json!({}));
    call("ec2", "modify_instance_metadata_defaults", json!({ "HttpTokens": "no-preference" }));
    call("iam", "delete_account_password_policy", json!({}));
    call("iam", "delete_account_alias", json!({ "AccountAlias": "acme-home" }));
    call("s3control", "delete_public_access_block", json!({ "AccountId": estate.number("home") }));
    estate.assert_as_before("settings that are taken back");
}

#[test]
fn a_transit_gateway_is_seen_where_it_is_shared_and_only_then() {
    let estate = Estate::empty(&["home", "network", "red"]);
    let made = estate.call("network", "ec2", "create_transit_gateway", json!({}));
    let gateway = &made["TransitGateway"];
    let share = json!({ "name": "acme", "resourceArns": [gateway["TransitGatewayArn"]] });
    let share = estate.call("network", "ram", "create_resource_share", share);
    let share = &share["resourceShare"]["resourceShareArn"];
    let seen = || {
        let all = estate.call("red", "ec2", "describe_transit_gateways", json!({}));
        all["TransitGateways"].as_array().unwrap().len()
    };
    let principal = json!({ "resourceShareArn": share, "principals": [estate.number("red")] });
    estate.call("network", "ram", "associate_resource_share", principal);
    assert_eq!(seen(), 0, "the invitation is not accepted yet");
    let invitations = estate.call("red", "ram", "get_resource_share_invitations", json!({}));
    let invitation = &invitations["resourceShareInvitations"][0]["resourceShareInvitationArn"];
    let accept = json!({ "resourceShareInvitationArn": invitation });
    estate.call("red", "ram", "accept_resource_share_invitation", accept);
    assert_eq!(seen(), 1);
    assert_eq!(estate.counts("red"), [].into(), "it is the owner's");
    assert_eq!(estate.counts("network")["eu-west-1 transit gateway"], 1);
}

#[test]
fn somebody_may_refuse_the_calls_of_one_account() {
    let estate = Estate::empty(&["home"]);
    let home = estate.number("home").to_owned();
    let rule = move |request: &Request<'_>| {
        let refused = request.account == home && request.service == "sts" && request.is("GetCallerIdentity");
        refused.then_some(("AccessDenied", "not you"))
    };
    let key = estate.shell().access_key().to_owned();
    let wire = refusing(endpoint(), &[(&key, estate.number("home"))], rule);
    let ask = |key: &str, action: &str| {
        let scope = format!("Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/sts/aws4_request");
        let body = format!("Action={action}&Version=2011-06-15");
        let form = "Content-Type: application/x-www-form-urlencoded";
        let head = format!("POST / HTTP/1.1\r\nHost: sts\r\n{scope}, SignedHeaders=host, Signature=0\r\n{form}\r\n");
        crate::harness::ask(&wire.endpoint, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
    };
    let refused = ask(&key, "GetCallerIdentity");
    assert!(refused.contains("<ErrorResponse><Error>") && refused.contains("<Code>AccessDenied</Code>"), "{refused}");
    assert!(ask("AKIAOTHER", "GetCallerIdentity").starts_with("HTTP/1.1 200"));
    assert!(!ask(&key, "GetSessionToken").contains("AccessDenied"));
}
