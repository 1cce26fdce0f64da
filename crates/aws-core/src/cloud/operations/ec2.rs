//! EC2.
use super::{Called, Effect, Inside, LINKED, Operation, Service, inside, tagging};
use crate::cloud::quotas;

const TAGS: &[Inside] = &[tagging("ec2:CreateTags")];

// Of some names there are two spellings, in AWS's documentation or its answers.
const NO_ATTACHMENT: &[&str] = &["InvalidTransitGatewayAttachmentID.NotFound"];
const NO_DHCP: &[&str] = &["InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsID.NotFound"];
const NO_ENDPOINT: &[&str] = &["InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound"];
const NO_GATEWAY: &[&str] =
    &["InvalidInternetGatewayID.NotFound", "InvalidGatewayID.NotFound", "InvalidEgressOnlyInternetGatewayId.NotFound"];
const NO_GROUP: &[&str] = &["InvalidGroup.NotFound", "InvalidGroupId.NotFound"];
const NO_NAT: &[&str] = &["NatGatewayNotFound", "InvalidNatGatewayID.NotFound"];
const NO_PEERING: &[&str] = &["InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.NotFound"];
const NO_RULE: &[&str] = &["InvalidPermission.NotFound", "InvalidGroup.NotFound", "InvalidGroupId.NotFound"];
const NO_SUBNET: &[&str] = &["InvalidSubnetID.NotFound"];
const NO_TEMPLATE: &[&str] = &[
    "InvalidLaunchTemplateName.NotFoundException",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
];
const NO_TRANSIT: &[&str] = &["InvalidTransitGatewayID.NotFound"];
const NO_VPC: &[&str] = &["InvalidVpcID.NotFound", "InvalidVpcId.NotFound"];
const NO_VPN: &[&str] = &["InvalidVpnConnectionID.NotFound", "InvalidVpnConnectionID"];
const NO_VPN_GATEWAY: &[&str] = &["InvalidVpnGatewayID.NotFound"];

/// An endpoint, its VPC, or a table, is not known yet.
const NO_END: &[&str] = &[
    "InvalidVpcEndpointId.NotFound",
    "InvalidVpcID.NotFound",
    "InvalidVpcId.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidRouteTableId.NotFound",
];
/// A table, or what a route goes through, is not known yet.
const NO_WAY: &[&str] = &[
    "InvalidRouteTableID.NotFound",
    "InvalidGatewayID.NotFound",
    "InvalidInternetGatewayID.NotFound",
    "InvalidNatGatewayID.NotFound",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidTransitGatewayID.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound",
];
/// What an instance has was just made, and may not be visible everywhere yet; or the instance is on its way.
const NOT_YET: &[&str] = &[
    "InvalidAllocationID.NotFound",
    "InvalidGroup.NotFound",
    "InvalidGroupId.NotFound",
    "InvalidInstanceID.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidVpcID.NotFound",
    "IncorrectInstanceState",
];
const IN_USE: &[&str] = &["DependencyViolation"];
const STILL_USED: &[&str] = &["IncorrectState", "DependencyViolation"];
const MOVED: &[&str] = &["Resource.AlreadyAssociated", "InvalidAssociationID.NotFound"];

operations! {
    aws_sdk_ec2, ec2, "EC2", "ec2", [];
    // The last one: it was accepted a moment ago.
    make AcceptVpcPeeringConnection {
        gone: &[
            "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.NotFound",
            "InvalidStateTransition",
        ],
        quota: Some(quotas::PEERINGS),
    };
    make AllocateAddress { quota: Some(quotas::ADDRESSES), inside: TAGS };
    make AssociateAddress { passes: NOT_YET };
    make AssociateDhcpOptions {
        gone: NO_VPC,
        unseen: &[
            "InvalidVpcID.NotFound", "InvalidVpcId.NotFound", "InvalidDhcpOptionID.NotFound",
            "InvalidDhcpOptionsID.NotFound",
        ],
    };
    // It was associated, or sat elsewhere, meanwhile: the next look tells.
    make AssociateRouteTable { unseen: &["InvalidRouteTableID.NotFound", "InvalidSubnetID.NotFound"], passes: MOVED };
    make AssociateSubnetCidrBlock;
    make AssociateVpcCidrBlock;
    // Attached: by an earlier try of this very call.
    make AttachInternetGateway {
        unseen: &["InvalidInternetGatewayID.NotFound", "InvalidGatewayID.NotFound", "InvalidVpcID.NotFound"],
        passes: &["Resource.AlreadyAssociated"],
    };
    make AttachVpnGateway {
        unseen: &["InvalidVpnGatewayID.NotFound", "InvalidVpcID.NotFound"],
        passes: &["IncorrectState"],
    };
    // A group just made may not be visible everywhere yet; a rule that is there, an earlier try may have made.
    make AuthorizeSecurityGroupIngress {
        there: &["InvalidPermission.Duplicate"],
        unseen: NO_GROUP,
        passes: &["InvalidPermission.Duplicate", "InvalidGroup.NotFound", "InvalidGroupId.NotFound"],
    };
    make CreateCustomerGateway { quota: Some(quotas::CUSTOMER_GATEWAYS), inside: TAGS };
    make CreateDhcpOptions { inside: TAGS };
    make CreateEgressOnlyInternetGateway { unseen: NO_VPC, quota: Some(quotas::EGRESS_GATEWAYS), inside: TAGS };
    make CreateFlowLogs {
        passes: NO_VPC,
        inside: &[
            tagging("ec2:CreateTags"),
            inside("iam:PassRole", "the role that writes a flow log, `overlord-flow-logs-*`"),
        ],
    };
    make CreateInternetGateway { quota: Some(quotas::INTERNET_GATEWAYS), inside: TAGS };
    make CreateKeyPair { inside: TAGS };
    // The look did not see it: an earlier try of this very call made it.
    make CreateLaunchTemplate { passes: &["InvalidLaunchTemplateName.AlreadyExistsException"], inside: TAGS };
    // The subnet and the address, just made, may not be visible everywhere yet. Also what a gateway says that
    // failed.
    make CreateNatGateway {
        passes: &[
            "InternalError", "InvalidAllocationID.NotFound", "InvalidSubnetID.NotFound", "Resource.AlreadyAssociated",
        ],
        quota: Some(quotas::NAT_GATEWAYS),
        inside: TAGS,
    };
    // Somebody else was faster: the next look tells whether it is the right one.
    make CreateRoute {
        unseen: NO_WAY,
        passes: &[
            "RouteAlreadyExists", "InvalidRouteTableID.NotFound", "InvalidVpcPeeringConnectionID.NotFound",
            "InvalidVpcPeeringConnectionId.NotFound",
        ],
        quota: Some(quotas::ROUTES),
    };
    make CreateRouteTable { unseen: NO_VPC, quota: Some(quotas::ROUTE_TABLES), inside: TAGS };
    // A group of that name that the look did not see: an earlier try of this very call made it.
    make CreateSecurityGroup {
        passes: &["InvalidGroup.Duplicate", "InvalidVpcID.NotFound"],
        quota: Some(quotas::SECURITY_GROUPS),
        inside: TAGS,
    };
    make CreateSubnet { unseen: NO_VPC, quota: Some(quotas::SUBNETS), inside: TAGS };
    set CreateTags { unseen: NO_DHCP };
    make CreateTransitGateway { quota: Some(quotas::TRANSIT_GATEWAYS), inside: TAGS };
    // An earlier one is still going away, or an earlier try of this very call made it. The others were just
    // made, or just shared.
    make CreateTransitGatewayVpcAttachment {
        passes: &[
            "DuplicateTransitGatewayAttachment", "IncorrectState", "InvalidTransitGatewayID.NotFound",
            "InvalidVpcID.NotFound", "InvalidSubnetID.NotFound",
        ],
        quota: Some(quotas::ATTACHMENTS),
        inside: &[tagging("ec2:CreateTags"), inside("iam:CreateServiceLinkedRole", LINKED)],
    };
    make CreateVpc { quota: Some(quotas::VPCS), inside: TAGS };
    make CreateVpcEndpoint { unseen: NO_END, quota: Some(quotas::GATEWAY_ENDPOINTS), inside: TAGS };
    // An earlier try of this very call made it, or the VPC is not visible everywhere yet.
    make CreateVpcPeeringConnection {
        passes: &["VpcPeeringConnectionAlreadyExists", "InvalidVpcID.NotFound"],
        quota: Some(quotas::PEERINGS),
        inside: TAGS,
    };
    // The gateways, just made, may not be visible everywhere yet.
    make CreateVpnConnection {
        passes: &["InvalidVpnGatewayID.NotFound", "InvalidCustomerGatewayID.NotFound", "IncorrectState"],
        quota: Some(quotas::VPN_CONNECTIONS),
        inside: TAGS,
    };
    make CreateVpnConnectionRoute { passes: &["IncorrectState"] };
    make CreateVpnGateway { quota: Some(quotas::VPN_GATEWAYS), inside: TAGS };
    end DeleteCustomerGateway { gone: &["InvalidCustomerGatewayID.NotFound"], passes: STILL_USED };
    end DeleteDhcpOptions { gone: NO_DHCP, passes: IN_USE };
    end DeleteEgressOnlyInternetGateway { gone: NO_GATEWAY, passes: IN_USE };
    end DeleteFlowLogs { gone: &["InvalidFlowLogId.NotFound"] };
    // NAT gateways and load balancers that are going away hold public addresses for minutes.
    end DeleteInternetGateway { gone: NO_GATEWAY, passes: IN_USE };
    end DeleteKeyPair { gone: &["InvalidKeyPair.NotFound"] };
    end DeleteLaunchTemplate { gone: NO_TEMPLATE };
    end DeleteNatGateway { gone: NO_NAT, passes: IN_USE };
    // Without the table there is no route.
    end DeleteRoute { gone: &["InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"] };
    end DeleteRouteTable { gone: &["InvalidRouteTableID.NotFound"], passes: IN_USE };
    // Network interfaces of instances and load balancers that are going away hold it for minutes.
    end DeleteSecurityGroup { gone: NO_GROUP, passes: &["DependencyViolation", "InvalidGroup.InUse"] };
    // Network interfaces of what is going away hold it for minutes.
    end DeleteSubnet { gone: NO_SUBNET, passes: IN_USE };
    // Of its attachments, one may be on its way out.
    end DeleteTransitGateway { gone: NO_TRANSIT, passes: STILL_USED };
    end DeleteTransitGatewayVpcAttachment { gone: NO_ATTACHMENT, passes: &["IncorrectState"] };
    end DeleteVpc { gone: NO_VPC, passes: IN_USE };
    end DeleteVpcEndpoints { gone: NO_ENDPOINT };
    // The last one: the other side has removed it a moment ago.
    end DeleteVpcPeeringConnection {
        gone: &[
            "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.NotFound",
            "InvalidStateTransition",
        ],
    };
    // One that is still being made cannot be deleted.
    end DeleteVpnConnection { gone: NO_VPN, passes: &["IncorrectState"] };
    end DeleteVpnConnectionRoute { gone: &["InvalidRoute.NotFound"], passes: &["IncorrectState"] };
    // Detached, or rid of its connections, only in a moment.
    end DeleteVpnGateway { gone: NO_VPN_GATEWAY, passes: STILL_USED };
    read DescribeAddresses;
    read DescribeAvailabilityZones;
    read DescribeCustomerGateways;
    read DescribeDhcpOptions;
    read DescribeEgressOnlyInternetGateways;
    read DescribeFlowLogs;
    read DescribeImages { gone: &["InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable"] };
    read DescribeInstanceTypeOfferings;
    read DescribeInstanceTypes { gone: &["InvalidInstanceType"] };
    read DescribeInstances { gone: &["InvalidInstanceID.NotFound"] };
    read DescribeInternetGateways;
    read DescribeKeyPairs;
    // A malformed one is the sandbox's: its callers name what they like.
    read DescribeLaunchTemplateVersions {
        gone: &[
            "InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.NotFound",
            "InvalidLaunchTemplateId.VersionNotFound", "InvalidLaunchTemplateId.Malformed",
        ],
    };
    read DescribeLaunchTemplates { gone: NO_TEMPLATE };
    read DescribeNatGateways { gone: NO_NAT };
    read DescribeNetworkAcls;
    read DescribeNetworkInterfaces;
    read DescribeRegions;
    read DescribeRouteTables;
    read DescribeSecurityGroups;
    read DescribeSubnets { gone: &["InvalidSubnetID.NotFound", "InvalidSubnetId.Malformed"] };
    read DescribeTags;
    read DescribeTransitGatewayAttachments;
    read DescribeTransitGatewayVpcAttachments { gone: NO_ATTACHMENT };
    read DescribeTransitGateways { gone: NO_TRANSIT };
    read DescribeVpcAttribute { gone: NO_VPC };
    read DescribeVpcEndpoints { gone: NO_ENDPOINT };
    read DescribeVpcPeeringConnections { gone: NO_PEERING };
    // The VPC may be the operator's word.
    read DescribeVpcs {
        gone: &["InvalidVpcID.NotFound", "InvalidVpcId.NotFound", "InvalidVpcID.Malformed", "InvalidVpcId.Malformed"],
    };
    read DescribeVpnConnections { gone: NO_VPN };
    read DescribeVpnGateways { gone: NO_VPN_GATEWAY };
    make DetachInternetGateway { gone: &["Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"], passes: IN_USE };
    make DetachVpnGateway {
        gone: &["InvalidVpnGatewayID.NotFound", "InvalidVpnGatewayAttachment.NotFound"],
        passes: STILL_USED,
    };
    make DisableEbsEncryptionByDefault;
    make DisassociateRouteTable { gone: &["InvalidAssociationID.NotFound"] };
    make EnableEbsEncryptionByDefault;
    // A gateway that was just attached is not known to be everywhere yet.
    make EnableVgwRoutePropagation { unseen: &["InvalidRouteTableID.NotFound", "Gateway.NotAttached"] };
    read GetConsoleOutput { gone: &["InvalidInstanceID.NotFound", "IncorrectInstanceState", "UnsupportedOperation"] };
    read GetEbsEncryptionByDefault;
    read GetInstanceMetadataDefaults;
    set ModifyInstanceAttribute { passes: NOT_YET };
    set ModifyInstanceMetadataDefaults;
    set ModifyInstanceMetadataOptions { passes: NOT_YET };
    set ModifySubnetAttribute { unseen: NO_SUBNET };
    set ModifyTransitGateway { passes: &["IncorrectState"] };
    set ModifyTransitGatewayVpcAttachment { passes: &["IncorrectState", "InvalidSubnetID.NotFound"] };
    set ModifyVpcAttribute { unseen: NO_VPC };
    set ModifyVpcEndpoint { unseen: NO_END };
    // The gateway, just made, may not be visible everywhere yet.
    set ModifyVpnConnection { passes: &["InvalidCustomerGatewayID.NotFound", "IncorrectState"] };
    make RegisterImage;
    // A gateway or instance that is going away holds it for a while.
    make ReleaseAddress { gone: &["InvalidAllocationID.NotFound"], passes: &["InvalidIPAddress.InUse"] };
    // It is gone meanwhile: the next look makes it.
    make ReplaceRoute {
        unseen: NO_WAY,
        passes: &[
            "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound", "InvalidVpcPeeringConnectionID.NotFound",
            "InvalidVpcPeeringConnectionId.NotFound",
        ],
    };
    make ReplaceRouteTableAssociation { unseen: &["InvalidRouteTableID.NotFound"], passes: MOVED };
    // A rule that somebody took away makes the whole call fail: the next look shows what is left.
    make RevokeSecurityGroupEgress { passes: NO_RULE };
    make RevokeSecurityGroupIngress { gone: &["InvalidPermission.NotFound"], passes: NO_RULE };
    make RunInstances { passes: NOT_YET, inside: TAGS };
    make StartInstances { passes: NOT_YET };
    make StopInstances { passes: NOT_YET };
    end TerminateInstances { gone: &["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"] };
}
