//! The policies of the roles for people. The boundary holds all of them back.
use super::{Input, ROLES_BOUNDED, document};
use serde_json::{Value, json};

/// Everything that the boundary leaves: IAM for applications with their users and identity providers, too.
pub fn administrator(_: &Input<'_>) -> Value {
    document(vec![json!({ "Effect": "Allow", "Action": "*", "Resource": "*" })])
}

/// All services; of IAM, the roles, policies and instance profiles of applications.
pub fn power_user(input: &Input<'_>) -> Value {
    document(vec![
        json!({ "Effect": "Allow", "NotAction": ["account:*", "iam:*", "organizations:*"], "Resource": "*" }),
        json!({
            "Sid": "Look", "Effect": "Allow",
            "Action": [
                "account:Get*", "account:List*", "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*",
                "organizations:Describe*", "organizations:List*"
            ],
            "Resource": "*"
        }),
        json!({
            "Sid": "BoundedRoles", "Effect": "Allow", "Action": ROLES_BOUNDED,
            "Resource": input.of_applications(&["role"]), "Condition": input.bounded()
        }),
        json!({
            "Sid": "Roles", "Effect": "Allow",
            "Action": [
                "iam:DeleteRole", "iam:PassRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole", "iam:UpdateRoleDescription"
            ],
            "Resource": input.of_applications(&["role"])
        }),
        json!({
            "Sid": "Policies", "Effect": "Allow",
            "Action": [
                "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
                "iam:SetDefaultPolicyVersion", "iam:TagPolicy", "iam:UntagPolicy"
            ],
            "Resource": input.of_applications(&["policy"])
        }),
        json!({
            "Sid": "InstanceProfiles", "Effect": "Allow",
            "Action": [
                "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:UntagInstanceProfile"
            ],
            "Resource": input.of_applications(&["instance-profile"])
        }),
        json!({
            "Sid": "ServiceLinkedRoles", "Effect": "Allow",
            "Action": ["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole"],
            "Resource": input.iam("role/aws-service-role/*")
        }),
    ])
}

/// Services of which names and settings may be looked at.
const LOOK: &[&str] = &[
    "apigateway:GET",
    "application-autoscaling:Describe*",
    "athena:List*",
    "backup:Describe*",
    "backup:List*",
    "cloudfront:List*",
    "cloudtrail:LookupEvents",
    "dynamodb:Describe*",
    "dynamodb:List*",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "kinesis:Describe*",
    "kinesis:List*",
    "logs:FilterLogEvents",
    "logs:StartQuery",
    "logs:StopQuery",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucket*",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "sts:GetCallerIdentity",
];

/// Services of which all that looks, may, and how it is called there. What no action is called like is left out: a test asks
/// AWS's reference.
const LOOK_ALL: &[(&str, &[&str])] = &[
    ("acm", &["Describe", "Get", "List"]),
    ("autoscaling", &["Describe", "Get"]),
    ("budgets", &["Describe", "List", "View"]),
    ("ce", &["Describe", "Get", "List"]),
    ("cloudformation", &["Describe", "Get", "List"]),
    ("cloudtrail", &["Describe", "Get", "List"]),
    ("cloudwatch", &["Describe", "Get", "List"]),
    ("ec2", &["Describe", "Get", "List"]),
    ("ecr", &["Describe", "Get", "List"]),
    ("ecs", &["Describe", "Get", "List"]),
    ("eks", &["Describe", "List"]),
    ("elasticache", &["Describe", "List"]),
    ("elasticfilesystem", &["Describe", "List"]),
    ("elasticloadbalancing", &["Describe", "Get"]),
    ("events", &["Describe", "Get", "List"]),
    ("iam", &["Get", "List"]),
    ("kms", &["Describe", "Get", "List"]),
    ("lambda", &["Get", "List"]),
    ("logs", &["Describe", "Get", "List"]),
    ("organizations", &["Describe", "List"]),
    ("rds", &["Describe", "List"]),
    ("resource-groups", &["Get", "List"]),
    ("route53", &["Get", "List"]),
    ("route53domains", &["Get", "List"]),
    ("servicequotas", &["Get", "List"]),
    ("sns", &["Get", "List"]),
    ("states", &["Describe", "Get", "List"]),
    ("tag", &["Describe", "Get", "List"]),
    ("trustedadvisor", &["Describe", "Get", "List"]),
];

/// A look at what there is, at logs and costs, at the settings of `minion`: not at data, and not at secrets.
pub fn read_only(input: &Input<'_>) -> Value {
    let all = LOOK_ALL.iter().flat_map(|(service, verbs)| verbs.iter().map(move |verb| format!("{service}:{verb}*")));
    let mut look: Vec<String> = all.collect();
    look.extend(LOOK.iter().map(|action| (*action).to_owned()));
    look.extend(
        [
            "s3:ListAllMyBuckets",
            "s3:ListBucket",
            "secretsmanager:ListSecrets",
            "sqs:GetQueueAttributes",
            "sqs:ListQueues",
        ]
        .map(str::to_owned),
    );
    look.extend(["ssm:DescribeInstanceInformation", "ssm:DescribeParameters"].map(str::to_owned));
    look.sort();
    document(vec![
        json!({ "Sid": "Look", "Effect": "Allow", "Action": look, "Resource": "*" }),
        json!({
            "Sid": "Parameters", "Effect": "Allow",
            "Action": ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
            "Resource": [
                input.regional("ssm", "parameter/minion/*"),
                format!("arn:{}:ssm:*::parameter/aws/*", input.partition),
            ]
        }),
        // What looks by its name, and hands out a secret or code that may hold one.
        json!({
            "Sid": "Secrets", "Effect": "Deny",
            "Action": ["ec2:GetPasswordData", "kms:Decrypt", "lambda:GetFunction", "secretsmanager:GetSecretValue"],
            "Resource": "*"
        }),
    ])
}
