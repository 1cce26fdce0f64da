//! The policy of the role for `minion`: its calls and no more, on what applications have.
//!
//! Every action is named. `tests/minion-calls.txt` lists the calls; a test compares.
use super::{HISTORY, Input, RECORD_NAMES, ROLES_BOUNDED, document};
use aws_core::resources::identity::service_linked_role::Service;
use serde_json::{Value, json};

/// What looks: AWS cannot restrict most of it to single things, and `minion` finds things by looking at all. Some of it AWS
/// checks inside calls (`aws_core::cloud::operations`).
const LOOK: &[&str] = &[
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "autoscaling:DescribeAccountLimits",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeKeyPairs",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ec2:GetConsoleOutput",
    "ec2:GetSecurityGroupsForVpc",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "iam:GetAccountSummary",
    "logs:DescribeLogGroups",
    "route53:GetChange",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "route53:ListHostedZonesByVPC",
    "route53:ListResourceRecordSets",
    "servicequotas:GetServiceQuota",
    "servicequotas:ListServiceQuotas",
    "sts:GetCallerIdentity",
];

/// The calls of `minion`: for people and pipelines that deploy applications.
pub fn deployer(input: &Input<'_>) -> Value {
    let mut statements = vec![json!({ "Sid": "Look", "Effect": "Allow", "Action": LOOK, "Resource": "*" })];
    statements.extend(identity(input));
    statements.extend(network(input));
    statements.extend(fleet(input));
    statements.extend(records(input));
    document(statements)
}

/// Roles and instance profiles.
fn identity(input: &Input<'_>) -> Vec<Value> {
    let mut services = Service::OF_APPLICATIONS.map(Service::principal);
    services.sort_unstable();
    let ec2 = match input.partition {
        "aws-cn" => json!(["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]),
        _ => json!("ec2.amazonaws.com"),
    };
    vec![
        json!({
            "Sid": "BoundedRoles", "Effect": "Allow", "Action": ROLES_BOUNDED,
            "Resource": input.of_applications(&["role"]), "Condition": input.bounded()
        }),
        json!({
            "Sid": "Roles", "Effect": "Allow",
            "Action": [
                "iam:DeleteRole", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
                "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:TagRole", "iam:UpdateAssumeRolePolicy"
            ],
            "Resource": input.of_applications(&["role"])
        }),
        json!({
            "Sid": "InstanceProfiles", "Effect": "Allow",
            "Action": [
                "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
                "iam:GetInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile"
            ],
            "Resource": input.of_applications(&["instance-profile"])
        }),
        json!({
            "Sid": "PassRolesToInstances", "Effect": "Allow", "Action": "iam:PassRole",
            "Resource": input.of_applications(&["role"]),
            "Condition": { "StringEquals": { "iam:PassedToService": ec2 } }
        }),
        json!({
            "Sid": "FirstOfTheAccount", "Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
            "Resource": input.iam("role/aws-service-role/*"),
            "Condition": { "StringEquals": { "iam:AWSServiceName": services } }
        }),
    ]
}

/// Security groups, key pairs, launch templates: EC2 has ids in place of names, so tags tell whose they are.
fn network(input: &Input<'_>) -> Vec<Value> {
    let ec2 = |kind: &str| input.regional("ec2", kind);
    let made_with = json!({ "StringEquals": { "aws:RequestTag/managed-by": "minion" } });
    let carries = json!({ "StringEquals": { "aws:ResourceTag/managed-by": "minion" } });
    vec![
        json!({
            "Sid": "MakeTagged", "Effect": "Allow",
            "Action": ["ec2:CreateLaunchTemplate", "ec2:CreateSecurityGroup"],
            "Resource": [ec2("launch-template/*"), ec2("security-group/*")], "Condition": made_with
        }),
        // A group is made in a VPC, which is not minion's.
        json!({ "Sid": "MakeInVpc", "Effect": "Allow", "Action": "ec2:CreateSecurityGroup", "Resource": ec2("vpc/*") }),
        json!({
            "Sid": "WriteTagged", "Effect": "Allow",
            "Action": [
                "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags", "ec2:DeleteLaunchTemplate",
                "ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress"
            ],
            "Resource": "*", "Condition": carries
        }),
        json!({
            "Sid": "KeyPairs", "Effect": "Allow", "Action": ["ec2:CreateKeyPair", "ec2:DeleteKeyPair"],
            "Resource": ec2("key-pair/app-*")
        }),
        json!({
            "Sid": "TagWhatIsMade", "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": ec2("*/*"),
            "Condition": { "StringEquals": { "ec2:CreateAction": [
                "CreateKeyPair", "CreateLaunchTemplate", "CreateSecurityGroup", "RunInstances"
            ] } }
        }),
        // Checked when an Auto Scaling group is made: image, subnet and groups are those of its launch template.
        json!({ "Sid": "Instances", "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" }),
    ]
}

/// Auto Scaling groups and load balancers, by their names.
fn fleet(input: &Input<'_>) -> Vec<Value> {
    let elb = |what: &str| input.regional("elasticloadbalancing", what);
    vec![
        json!({
            "Sid": "Groups", "Effect": "Allow",
            "Action": [
                "autoscaling:AttachLoadBalancerTargetGroups", "autoscaling:CreateAutoScalingGroup",
                "autoscaling:CreateOrUpdateTags", "autoscaling:DeleteAutoScalingGroup",
                "autoscaling:PutScalingPolicy", "autoscaling:UpdateAutoScalingGroup"
            ],
            "Resource": input.regional("autoscaling", "autoScalingGroup:*:autoScalingGroupName/app-*")
        }),
        json!({
            "Sid": "LoadBalancers", "Effect": "Allow",
            "Action": [
                "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener",
                "elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup",
                "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
                "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:ModifyListener",
                "elasticloadbalancing:ModifyLoadBalancerAttributes",
                "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:SetSecurityGroups"
            ],
            "Resource": [
                elb("listener/app/app-*"), elb("listener/net/app-*"), elb("loadbalancer/app/app-*"),
                elb("loadbalancer/net/app-*"), elb("targetgroup/app-*")
            ]
        }),
    ]
}

/// Parameters, log groups, the history, DNS records.
fn records(input: &Input<'_>) -> Vec<Value> {
    let parameters = input.regional("ssm", "parameter/minion/*");
    vec![
        json!({
            "Sid": "ReadParameters", "Effect": "Allow", "Action": ["ssm:GetParameters", "ssm:GetParametersByPath"],
            "Resource": [parameters, format!("arn:{}:ssm:*::parameter/aws/service/*", input.partition)]
        }),
        json!({
            "Sid": "Parameters", "Effect": "Allow",
            "Action": ["ssm:AddTagsToResource", "ssm:DeleteParameters", "ssm:PutParameter"],
            "Resource": parameters
        }),
        json!({
            "Sid": "LogGroups", "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:GetLogEvents", "logs:ListTagsForResource",
                "logs:PutRetentionPolicy", "logs:TagResource"
            ],
            "Resource": input.regional("logs", "log-group:/minion/*")
        }),
        // Credentials for private registries, to check an image with; those in parameters are among the above.
        json!({
            "Sid": "RegistryCredentials", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
            "Resource": input.regional("secretsmanager", "secret:minion/registry/*")
        }),
        // Written and read; the boundary keeps it from being deleted.
        json!({
            "Sid": "History", "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup", "logs:CreateLogStream", "logs:GetLogEvents", "logs:PutLogEvents",
                "logs:TagResource"
            ],
            "Resource": input.regional("logs", HISTORY)
        }),
        json!({
            "Sid": "DnsNames", "Effect": "Allow", "Action": "route53:ChangeResourceRecordSets",
            "Resource": format!("arn:{}:route53:::hostedzone/*", input.partition), "Condition": dns_names(input)
        }),
    ]
}

/// Addresses below the team's domains: not those of the zone itself, and not those that prove whose a domain is. In a
/// team that has no domain the zones are its own.
fn dns_names(input: &Input<'_>) -> Value {
    let types = "route53:ChangeResourceRecordSetsRecordTypes";
    let addresses = json!({ types: ["A", "AAAA"] });
    if input.domains.is_empty() {
        return json!({ "ForAllValues:StringEquals": addresses });
    }
    let below: Vec<String> = input.domains.iter().map(|d| format!("*.{d}")).collect();
    json!({
        "ForAllValues:StringEquals": addresses,
        "ForAllValues:StringLike": { RECORD_NAMES: below },
        // All of none is true.
        "Null": { RECORD_NAMES: "false", types: "false" }
    })
}
