//! The permissions boundary: the most that anybody in the account may do.
use super::{
    ADMINISTRATOR, DEPLOYER, HISTORY, Input, OVERLORD, POWER_USER, READ_ONLY, RECORD_NAMES, ROLES_BOUNDED,
    USERS_BOUNDED, at_and_below, document,
};
use serde_json::{Value, json};

/// Services that are the organization's: what an account costs, whose it is, what it shares with others.
const ORGANIZATIONS: &[&str] = &[
    "account:*",
    "aws-portal:*",
    "billing:*",
    "budgets:*",
    "consolidatedbilling:*",
    "cur:*",
    "invoicing:*",
    "organizations:*",
    "payments:*",
    "purchase-orders:*",
    "ram:*",
    "savingsplans:*",
    "sso:*",
    "tax:*",
];
/// Of those, what only looks.
const LOOKS: &[&str] = &[
    "account:Get*",
    "account:List*",
    "billing:Get*",
    "billing:List*",
    "budgets:Describe*",
    "budgets:List*",
    "budgets:View*",
    "cur:Describe*",
    "organizations:Describe*",
    "organizations:List*",
    "ram:Get*",
    "ram:List*",
    "savingsplans:Describe*",
    "savingsplans:List*",
    "sso:Describe*",
    "sso:Get*",
    "sso:List*",
];

/// Writes to the network, whoever made that part of it. Those that look are called `Describe..s`: patterns end where
/// the plural begins. Not all are called so: `ec2:*Vpc` is `ec2:GetSecurityGroupsForVpc` too, without which nobody creates a
/// load balancer. A test asks AWS's reference. Short patterns: a managed policy has 6,144 characters.
const NETWORK: &[&str] = &[
    "ec2:*CustomerGateway",
    "ec2:*InternetGateway",
    "ec2:*NatGateway",
    "ec2:*NatGatewayA*",
    "ec2:*NetworkAcl",
    "ec2:*NetworkAclA*",
    "ec2:*NetworkAclE*",
    "ec2:*VgwRoutePropagation",
    "ec2:*VpcPeeringConnection",
    "ec2:*ableTransit*",
    "ec2:*ssociateNat*",
    "ec2:*ssociateRoute*",
    "ec2:*ssociateSubnet*",
    "ec2:*ssociateTransit*",
    "ec2:*ssociateVpcC*",
    "ec2:A*Vpc",
    "ec2:AcceptTransit*",
    "ec2:AssociateDhcp*",
    "ec2:AttachVpn*",
    "ec2:C*Vpc",
    "ec2:CreateClientVpn*",
    "ec2:CreateDefaultSubnet",
    "ec2:CreateDhcp*",
    "ec2:CreateFlowLogs",
    "ec2:CreateRoute*",
    "ec2:CreateSubnet*",
    "ec2:CreateTransit*",
    "ec2:CreateVpn*",
    "ec2:D*Vpc",
    "ec2:DeleteDhcp*",
    "ec2:DeleteFlowLogs",
    "ec2:DeleteRoute*",
    "ec2:DeleteSubnet*",
    "ec2:DeleteTransit*",
    "ec2:DeleteVpn*",
    "ec2:DetachVpn*",
    "ec2:M*Vpc",
    "ec2:ModifyRoute*",
    "ec2:ModifySubnet*",
    "ec2:ModifyTransit*",
    "ec2:ModifyVpcA*",
    "ec2:ModifyVpcB*",
    "ec2:ModifyVpcEnc*",
    "ec2:ModifyVpcP*",
    "ec2:ModifyVpcT*",
    "ec2:ModifyVpn*",
    "ec2:RegisterTransit*",
    "ec2:RejectTransit*",
    "ec2:ReplaceRoute*",
    "ec2:ReplaceTransit*",
    "ec2:ReplaceVpn*",
];

/// Writes to the audit trail, and to what an account has once.
const SETTINGS: &[&str] = &[
    "cloudtrail:AddTags",
    "cloudtrail:CreateTrail",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:RemoveTags",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:EnableSerialConsoleAccess",
    "ec2:ModifyEbsDefaultKmsKeyId",
    "ec2:ModifyInstanceMetadataDefaults",
    "ec2:ResetEbsDefaultKmsKeyId",
    "iam:*AccountAlias",
    "iam:DeleteAccountPasswordPolicy",
    "iam:UpdateAccountPasswordPolicy",
    "s3:PutAccountPublicAccessBlock",
];

/// All that IAM has beside `Generate*`, `Get*`, `List*` and `Simulate*`.
const IAM_WRITES: &[&str] =
    &["iam:A*", "iam:C*", "iam:D*", "iam:E*", "iam:P*", "iam:R*", "iam:Se*", "iam:T*", "iam:U*"];

/// Writes to one thing in EC2 that carries tags, beside those of [`NETWORK`]: addresses, the NAT instance with its network
/// interface, volume and group, the endpoint. None of them names subnets that it does not change.
const EC2_WRITES: &[&str] = &[
    "ec2:AssignPrivateIpAddresses",
    "ec2:AssociateAddress",
    "ec2:AttachNetworkInterface",
    "ec2:AuthorizeSecurityGroup*",
    "ec2:CreateTags",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteTags",
    "ec2:DeleteVolume",
    "ec2:DeleteVpcEndpoints",
    "ec2:DetachNetworkInterface",
    "ec2:DisassociateAddress",
    "ec2:EnableAddressTransfer",
    "ec2:ModifyAddress*",
    "ec2:ModifyInstance*",
    "ec2:ModifyNetworkInterface*",
    "ec2:ModifySecurityGroupRules",
    "ec2:ModifyVolume*",
    "ec2:RebootInstances",
    "ec2:ReleaseAddress",
    "ec2:RevokeSecurityGroup*",
    "ec2:StopInstances",
    "ec2:TerminateInstances",
    "ec2:UpdateSecurityGroup*",
];

/// The permissions boundary of the four roles, and of every role and user that they make.
pub fn boundary(input: &Input<'_>) -> Value {
    let bounded: Vec<&str> = ROLES_BOUNDED.into_iter().chain(USERS_BOUNDED).collect();
    let tagged: Vec<&str> = EC2_WRITES.iter().chain(IAM_WRITES).copied().chain(["sts:AssumeRole"]).collect();
    let mut open = input.of_applications(&["instance-profile", "policy", "role", "user"]);
    let others = ["mfa/*", "oidc-provider/*", "role/aws-service-role/*", "server-certificate/*"];
    open.extend(others.map(|what| input.iam(what)));
    let mut closed: Vec<String> =
        [ADMINISTRATOR, POWER_USER, READ_ONLY, DEPLOYER].map(|role| input.iam(&format!("role/{role}"))).to_vec();
    for role in [OVERLORD, "OrganizationAccountAccessRole", "AWSControlTowerExecution"] {
        closed.push(format!("arn:{}:iam::*:role/{role}", input.partition));
    }
    let mut statements = vec![
        json!({ "Effect": "Allow", "NotAction": ORGANIZATIONS, "Resource": "*" }),
        json!({ "Effect": "Allow", "Action": LOOKS, "Resource": "*" }),
        json!({ "Sid": "Network", "Effect": "Deny", "Action": NETWORK, "Resource": "*" }),
        json!({ "Sid": "Settings", "Effect": "Deny", "Action": SETTINGS, "Resource": "*" }),
        // Only what applications have is the team's to write.
        json!({ "Sid": "Names", "Effect": "Deny", "Action": IAM_WRITES, "NotResource": open }),
        json!({
            "Sid": "Bounded", "Effect": "Deny", "Action": bounded, "Resource": "*",
            "Condition": { "StringNotEquals": { "iam:PermissionsBoundary": input.boundary_arn } }
        }),
        json!({ "Sid": "StayBounded", "Effect": "Deny", "Action": "iam:Delete*PermissionsBoundary", "Resource": "*" }),
        json!({ "Sid": "Roles", "Effect": "Deny", "Action": "sts:*", "Resource": closed }),
        json!({
            "Sid": "Overlords", "Effect": "Deny", "Action": tagged, "Resource": "*",
            "Condition": { "Null": { "aws:ResourceTag/overlord:organization": "false" } }
        }),
        json!({
            "Sid": "Tags", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "ForAnyValue:StringLike": { "aws:TagKeys": "overlord:*" } }
        }),
        json!({
            "Sid": "Records", "Effect": "Deny",
            "Action": ["logs:Delete*", "logs:Put*", "ssm:Delete*", "ssm:Put*"],
            "Resource": [
                input.regional("logs", "log-group:/overlord/*"),
                input.regional("ssm", "parameter/overlord/*"),
            ]
        }),
    ];
    // Who did what stays, whatever is deleted.
    statements.push(json!({
        "Sid": "History", "Effect": "Deny", "Action": ["logs:Delete*", "logs:PutRetentionPolicy"],
        "Resource": input.regional("logs", HISTORY)
    }));
    // One's own endpoint may be put into subnets that are ours.
    statements.push(json!({
        "Sid": "Endpoint", "Effect": "Deny", "Action": "ec2:ModifyVpcEndpoint",
        "Resource": input.regional("ec2", "vpc-endpoint/*"),
        "Condition": { "Null": { "aws:ResourceTag/overlord:organization": "false" } }
    }));
    // The parent's zone may be in this account; other zones are the team's own. All names of a call are of one zone.
    if !input.domains.is_empty() && !input.parents.is_empty() {
        statements.push(json!({
            "Sid": "Parents", "Effect": "Deny", "Action": "route53:ChangeResourceRecordSets", "Resource": "*",
            "Condition": {
                "ForAnyValue:StringLike": { RECORD_NAMES: at_and_below(input.parents) },
                "ForAnyValue:StringNotLike": { RECORD_NAMES: at_and_below(input.domains) }
            }
        }));
    }
    if let Some(bucket) = input.trail_bucket {
        let bucket = format!("arn:{}:s3:::{bucket}", input.partition);
        statements.push(json!({
            "Sid": "TrailBucket", "Effect": "Deny", "NotAction": ["s3:Get*", "s3:List*"],
            "Resource": [bucket, format!("{bucket}/*")]
        }));
    }
    document(statements)
}
