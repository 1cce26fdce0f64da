//! The codes of EC2 that the sources wait for are those that EC2 sends: a code that never comes is a case that is not
//! handled.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]
use std::{collections::BTreeSet, fs, path::Path};

/// "Error codes for the Amazon EC2 API", client error codes: those of the kind `Invalid..` that the sources name. A new one
/// is looked up there first.
const ON_THE_PAGE: &[&str] = &[
    "InvalidAMIID.Malformed",
    "InvalidAMIID.NotFound",
    "InvalidAMIID.Unavailable",
    "InvalidAllocationID.NotFound",
    "InvalidAssociationID.NotFound",
    "InvalidCustomerGatewayID.NotFound",
    "InvalidDhcpOptionID.NotFound",
    "InvalidDhcpOptionsID.NotFound",
    "InvalidFlowLogId.NotFound",
    "InvalidGatewayID.NotFound",
    "InvalidGroup.Duplicate",
    "InvalidGroup.InUse",
    "InvalidGroup.NotFound",
    "InvalidIPAddress.InUse",
    "InvalidInstanceID.Malformed",
    "InvalidInstanceID.NotFound",
    "InvalidInternetGatewayID.NotFound",
    "InvalidKeyPair.Duplicate",
    "InvalidKeyPair.NotFound",
    "InvalidLaunchTemplateId.Malformed",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidLaunchTemplateName.AlreadyExistsException",
    "InvalidLaunchTemplateName.NotFoundException",
    "InvalidNatGatewayID.NotFound",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidPermission.Duplicate",
    "InvalidPermission.NotFound",
    "InvalidRoute.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidSubnet.Conflict",
    "InvalidSubnetID.NotFound",
    "InvalidVpcEndpoint.NotFound",
    "InvalidVpcEndpointId.NotFound",
    "InvalidVpcID.Malformed",
    "InvalidVpcID.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound",
    "InvalidVpnConnectionID.NotFound",
    "InvalidVpnGatewayAttachment.NotFound",
    "InvalidVpnGatewayID.NotFound",
];

/// Codes that the page does not have, and why they are waited for all the same. The page is not complete: of newer kinds of
/// resources it has no codes at all, and of some ids it has two spellings.
const ELSEWHERE: &[(&str, &str)] = &[
    ("InvalidEgressOnlyInternetGatewayId.NotFound", "not on the page, which has no code of that kind"),
    ("InvalidGroupId.NotFound", "the page has InvalidGroupId.Malformed beside InvalidGroup.NotFound"),
    ("InvalidRouteTableId.NotFound", "the page has InvalidRouteTableId.Malformed beside InvalidRouteTableID.NotFound"),
    ("InvalidSubnetId.Malformed", "the page has InvalidSubnetID.Malformed; other ids have both spellings"),
    ("InvalidTransitGatewayAttachmentID.NotFound", "not on the page, which has no code of that kind"),
    ("InvalidTransitGatewayID.NotFound", "not on the page, which has no code of that kind"),
    ("InvalidVpcId.Malformed", "the page has InvalidVpcID.Malformed; other ids have both spellings"),
    ("InvalidVpcId.NotFound", "the page has InvalidVpcID.NotFound; other ids have both spellings"),
    ("InvalidVpcPeeringConnectionId.NotFound", "the page has ..Id.Malformed beside ..ID.NotFound"),
];

/// `InvalidVpcID.NotFound`
fn is_code(word: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let ends = ["NotFound", "NotFoundException", "Malformed", "Duplicate", "InUse", "Conflict", "Unavailable"];
    let more = ["AlreadyExistsException", "VersionNotFound"];
    word.split_once('.').is_some_and(|(thing, what)| {
        let known = ends.contains(&what) || more.contains(&what);
        thing.starts_with("Invalid") && plain(thing) && plain(what) && known
    })
}

fn named(directory: &Path, codes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            named(&path, codes);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            codes.extend(code.split('"').filter(|word| is_code(word)).map(str::to_owned));
        }
    }
}

#[test]
fn each_code_is_one_that_ec2_sends() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut codes = BTreeSet::new();
    for place in ["aws-core/src", "minion-cli/src", "overlord-cli/src", "sandbox/src"] {
        named(&crates.join(place), &mut codes);
    }
    assert!(codes.len() > 35, "{codes:?}");
    let known: BTreeSet<&str> = ON_THE_PAGE.iter().copied().chain(ELSEWHERE.iter().map(|(code, _)| *code)).collect();
    let unknown: Vec<_> = codes.iter().filter(|c| !known.contains(c.as_str())).collect();
    assert!(unknown.is_empty(), "look them up on the page: {unknown:?}");
    let unused: Vec<_> = known.iter().filter(|c| !codes.contains(**c)).collect();
    assert!(unused.is_empty(), "no source names {unused:?} any more");
}
