//! What is to be known of an AWS operation beside its name.
//!
//! One table: the permissions that AWS checks inside a call, with the caller's credentials. The Deployer's policy, the
//! permissions pages and the hints of denied calls follow from it; AWS's service authorization reference has to know each
//! of them (`overlord-cli/tests/policies`). What may be repeated follows from how operations are called.

/// A permission that AWS checks inside a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inside {
    /// The action: `ec2:DescribeSubnets`.
    pub action: &'static str,
    /// What of the call needs it: the end of a sentence that begins with the action.
    pub why: &'static str,
}

/// An operation inside of which AWS checks more than the action of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// As IAM spells it: `ec2:RunInstances`.
    pub name: &'static str,
    /// What is checked in addition, in the order of names.
    pub inside: &'static [Inside],
}

const fn inside(action: &'static str, why: &'static str) -> Inside {
    Inside { action, why }
}

const CREATED_WITH_TAGS: &str = "tags in the creating call";
const EC2_TAGS: &[Inside] = &[inside("ec2:CreateTags", CREATED_WITH_TAGS)];
const ELB_TAGS: &[Inside] = &[inside("elasticloadbalancing:AddTags", CREATED_WITH_TAGS)];
const BALANCED: &str = "subnets, security groups and addresses of a load balancer";
const IN_VPC: &str = "the VPC of a target group";
const LINKED: &str = "the first load balancer, Auto Scaling group, Spot instance or transit gateway attachment of an \
                      account, unless its service-linked role exists (`overlord team create` creates them)";

/// In the order of names. Operations that check nothing but themselves are not in it.
///
/// Sources: "Elastic Load Balancing API permissions" and the managed policy `ElasticLoadBalancingFullAccess` (version of
/// February 2026; `ec2:GetSecurityGroupsForVpc` is in that one alone, see kubernetes-sigs/aws-load-balancer-controller
/// #3917); "Amazon EC2 Auto Scaling API permissions"; "Grant permission to tag Amazon EC2 resources during creation"; "IAM
/// role for publishing flow logs to CloudWatch Logs"; "Use service-linked roles for transit gateways"; "Grant a user
/// permissions to pass a role to an AWS service"; "Private registry authentication in Amazon ECR"; RAM's "Error:
/// AccessDeniedException"; the Service Authorization Reference for all that is tagged when it is created.
pub const TABLE: &[Operation] = &[
    Operation { name: "acm:RequestCertificate", inside: &[inside("acm:AddTagsToCertificate", CREATED_WITH_TAGS)] },
    Operation {
        name: "autoscaling:CreateAutoScalingGroup",
        inside: &[
            inside("autoscaling:CreateOrUpdateTags", CREATED_WITH_TAGS),
            inside("ec2:CreateTags", "tags that a launch template gives to instances and volumes"),
            inside("ec2:RunInstances", "an Auto Scaling group that starts instances from a launch template"),
            inside("iam:CreateServiceLinkedRole", LINKED),
            inside("iam:PassRole", "the instance profile that a launch template names"),
        ],
    },
    Operation { name: "cloudtrail:CreateTrail", inside: &[inside("cloudtrail:AddTags", CREATED_WITH_TAGS)] },
    Operation { name: "ec2:AllocateAddress", inside: EC2_TAGS },
    Operation { name: "ec2:CreateCustomerGateway", inside: EC2_TAGS },
    Operation { name: "ec2:CreateDhcpOptions", inside: EC2_TAGS },
    Operation { name: "ec2:CreateEgressOnlyInternetGateway", inside: EC2_TAGS },
    Operation {
        name: "ec2:CreateFlowLogs",
        inside: &[
            inside("ec2:CreateTags", CREATED_WITH_TAGS),
            inside("iam:PassRole", "the role that writes a flow log, `overlord-flow-logs-*`"),
        ],
    },
    Operation { name: "ec2:CreateInternetGateway", inside: EC2_TAGS },
    Operation { name: "ec2:CreateKeyPair", inside: EC2_TAGS },
    Operation { name: "ec2:CreateLaunchTemplate", inside: EC2_TAGS },
    Operation { name: "ec2:CreateNatGateway", inside: EC2_TAGS },
    Operation { name: "ec2:CreateRouteTable", inside: EC2_TAGS },
    Operation { name: "ec2:CreateSecurityGroup", inside: EC2_TAGS },
    Operation { name: "ec2:CreateSubnet", inside: EC2_TAGS },
    Operation { name: "ec2:CreateTransitGateway", inside: EC2_TAGS },
    Operation {
        name: "ec2:CreateTransitGatewayVpcAttachment",
        inside: &[inside("ec2:CreateTags", CREATED_WITH_TAGS), inside("iam:CreateServiceLinkedRole", LINKED)],
    },
    Operation { name: "ec2:CreateVpc", inside: EC2_TAGS },
    Operation { name: "ec2:CreateVpcEndpoint", inside: EC2_TAGS },
    Operation { name: "ec2:CreateVpcPeeringConnection", inside: EC2_TAGS },
    Operation { name: "ec2:CreateVpnConnection", inside: EC2_TAGS },
    Operation { name: "ec2:CreateVpnGateway", inside: EC2_TAGS },
    Operation { name: "ec2:RunInstances", inside: EC2_TAGS },
    Operation {
        name: "ecr:GetAuthorizationToken",
        inside: &[
            inside("ecr:BatchGetImage", "reading an image's manifest from Amazon ECR"),
            inside("ecr:GetDownloadUrlForLayer", "reading an image's manifest from Amazon ECR"),
        ],
    },
    Operation { name: "elasticloadbalancing:CreateListener", inside: ELB_TAGS },
    Operation {
        name: "elasticloadbalancing:CreateLoadBalancer",
        inside: &[
            inside("ec2:DescribeAccountAttributes", BALANCED),
            inside("ec2:DescribeAddresses", BALANCED),
            inside("ec2:DescribeInternetGateways", BALANCED),
            inside("ec2:DescribeSecurityGroups", BALANCED),
            inside("ec2:DescribeSubnets", BALANCED),
            inside("ec2:DescribeVpcs", BALANCED),
            inside("ec2:GetSecurityGroupsForVpc", BALANCED),
            inside("elasticloadbalancing:AddTags", CREATED_WITH_TAGS),
            inside("iam:CreateServiceLinkedRole", LINKED),
        ],
    },
    Operation {
        name: "elasticloadbalancing:CreateTargetGroup",
        inside: &[
            inside("ec2:DescribeInternetGateways", IN_VPC),
            inside("ec2:DescribeVpcs", IN_VPC),
            inside("elasticloadbalancing:AddTags", CREATED_WITH_TAGS),
        ],
    },
    Operation {
        // On no page of its own: the check of groups is the one of `CreateLoadBalancer`.
        name: "elasticloadbalancing:SetSecurityGroups",
        inside: &[inside("ec2:DescribeSecurityGroups", BALANCED), inside("ec2:GetSecurityGroupsForVpc", BALANCED)],
    },
    Operation {
        name: "iam:AddRoleToInstanceProfile",
        inside: &[inside("iam:PassRole", "the role that an instance profile gets")],
    },
    Operation { name: "iam:CreateInstanceProfile", inside: &[inside("iam:TagInstanceProfile", CREATED_WITH_TAGS)] },
    Operation { name: "iam:CreatePolicy", inside: &[inside("iam:TagPolicy", CREATED_WITH_TAGS)] },
    Operation { name: "iam:CreateRole", inside: &[inside("iam:TagRole", CREATED_WITH_TAGS)] },
    Operation { name: "iam:CreateSAMLProvider", inside: &[inside("iam:TagSAMLProvider", CREATED_WITH_TAGS)] },
    Operation { name: "logs:CreateLogGroup", inside: &[inside("logs:TagResource", CREATED_WITH_TAGS)] },
    Operation {
        name: "ram:CreateResourceShare",
        inside: &[
            inside("ram:AssociateResourceShare", "what is shared, named in the creating call"),
            inside("ram:TagResource", CREATED_WITH_TAGS),
        ],
    },
    Operation {
        name: "route53:ListHostedZonesByVPC",
        inside: &[inside("ec2:DescribeVpcs", "the VPC whose private zones are listed")],
    },
    Operation { name: "ssm:PutParameter", inside: &[inside("ssm:AddTagsToResource", CREATED_WITH_TAGS)] },
];

/// The permissions that AWS checks inside an operation, `elasticloadbalancing:CreateLoadBalancer`, in addition to the
/// action of its name.
pub fn checked_inside(operation: &str) -> &'static [Inside] {
    TABLE.iter().find(|row| row.name == operation).map_or(&[], |row| row.inside)
}

/// How the names of operations begin that only read.
const READS: [&str; 11] =
    ["Describe", "List", "Get", "Head", "Search", "Lookup", "Filter", "BatchGet", "Simulate", "Query", "AssumeRole"];
/// How the names of those begin that say how it shall be; what is gone already is no error to those who delete.
const SETTINGS: [&str; 8] = ["Put", "Set", "Modify", "Update", "Delete", "Tag", "Untag", "Terminate"];
/// Others of that kind.
const TAGS: [&str; 5] = ["CreateTags", "AddTags", "AddTagsToResource", "AddTagsToCertificate", "ChangeTagsForResource"];

/// Whether it changes nothing. By the SDK's name: `DescribeVpcs`.
pub(super) fn is_read(name: &str) -> bool {
    READS.iter().any(|begin| name.starts_with(begin))
}

/// Whether doing this twice is the same as doing it once. By IAM's or the SDK's name: `ec2:CreateVpc`, `CreateVpc`.
///
/// What AWS makes idempotent by a client token ([`super::Cloud::token`]) is not taken for that: it is looked for first, as
/// all that is made.
pub(super) fn is_repeatable(operation: &str) -> bool {
    let name = operation.rsplit(':').next().unwrap_or(operation);
    is_read(name) || SETTINGS.iter().any(|begin| name.starts_with(begin)) || TAGS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_says_nothing_twice() {
        assert!(TABLE.is_sorted_by(|a, b| a.name < b.name));
        for row in TABLE {
            assert!(!row.inside.is_empty(), "{}", row.name);
            assert!(row.inside.is_sorted_by(|a, b| a.action < b.action), "{}", row.name);
            assert!(row.inside.iter().all(|inside| inside.action != row.name), "{}", row.name);
        }
    }

    #[test]
    fn an_operation_is_found_by_its_name() {
        let actions = |name| checked_inside(name).iter().map(|inside| inside.action).collect::<Vec<_>>();
        assert_eq!(actions("ec2:CreateFlowLogs"), ["ec2:CreateTags", "iam:PassRole"]);
        assert!(actions("elasticloadbalancing:CreateLoadBalancer").contains(&"ec2:GetSecurityGroupsForVpc"));
        assert!(actions("ec2:DescribeVpcs").is_empty() && actions("CreateFlowLogs").is_empty());
    }
}
