use super::*;

const ROLE: &str = "arn:aws:sts::123456789012:assumed-role/Deployer/ci";

/// The hints as one text.
fn told(operation: &str, code: &str, message: &str) -> String {
    hints(operation, "eu-west-1", Some("123456789012"), code, message).join("\n")
}

/// Operation | AWS's message | the policy, whether it denies explicitly | words of the hint, separated by `+`. The messages
/// are those of "Troubleshoot access denied error messages", with AWS's own examples of principals and actions, and with
/// ours.
const TABLE: &[(&str, &str, Option<Policy>, bool, &str)] = &[
    (
        "codecommit:ListRepositories",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: codecommit:ListRepositories because no \
         service control policy allows the codecommit:ListRepositories action",
        Some(Policy::ServiceControl),
        false,
        "Ask the administrators of the AWS organization to allow codecommit:ListRepositories:+does not allow it\
         +--target-id 777788889999 --filter SERVICE_CONTROL_POLICY",
    ),
    (
        "codecommit:ListRepositories",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: codecommit:ListRepositories with an \
         explicit deny in a service control policy",
        Some(Policy::ServiceControl),
        true,
        "a service control policy denies it",
    ),
    (
        "iam:ListRoles",
        "User: arn:aws:iam::123456789012:user/Matt is not authorized to perform: iam:ListRoles on resource: \
         arn:aws:iam::123456789012:role/* with an explicit deny in a service control policy: \
         arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd",
        Some(Policy::ServiceControl),
        true,
        "(arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd) denies it\
         +--target-id 123456789012",
    ),
    (
        "secretsmanager:GetSecretValue",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: secretsmanager:GetSecretValue on \
         resource: arn:aws:secretsmanager:us-east-1:111122223333:secret:x with an explicit deny in a resource control policy",
        Some(Policy::ResourceControl),
        true,
        "a resource control policy denies it+--target-id 111122223333 --filter RESOURCE_CONTROL_POLICY",
    ),
    (
        "codecommit:ListRepositories",
        "User: arn:aws:iam::123456789012:user/JohnDoe is not authorized to perform: codecommit:ListRepositories because no \
         VPC endpoint policy allows the codecommit:ListRepositories action",
        Some(Policy::Endpoint),
        false,
        "Change the policy of the VPC endpoint+does not allow+aws ec2 describe-vpc-endpoints --region eu-west-1",
    ),
    (
        "codedeploy:ListDeployments",
        "User: arn:aws:iam::123456789012:user/JohnDoe is not authorized to perform: codedeploy:ListDeployments on resource: \
         arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* with an explicit deny in a VPC endpoint policy",
        Some(Policy::Endpoint),
        true,
        "VPC endpoint+denies codedeploy:ListDeployments",
    ),
    (
        "codedeploy:ListDeployments",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: codedeploy:ListDeployments on resource: \
         arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* because no permissions boundary allows the \
         codedeploy:ListDeployments action",
        Some(Policy::Boundary),
        false,
        "Change the permissions boundary of user JohnDoe, which does not allow codedeploy:ListDeployments",
    ),
    (
        "elasticloadbalancing:CreateLoadBalancer",
        "User: arn:aws:sts::123456789012:assumed-role/Deployer/ci is not authorized to perform: \
         ec2:GetSecurityGroupsForVpc with an explicit deny in a permissions boundary: \
         arn:aws:iam::123456789012:policy/overlord-boundary",
        Some(Policy::Boundary),
        true,
        "permissions boundary of role Deployer (arn:aws:iam::123456789012:policy/overlord-boundary), which denies \
         ec2:GetSecurityGroupsForVpc (checked inside elasticloadbalancing:CreateLoadBalancer)\
         +`aws iam get-role --role-name Deployer --query Role.PermissionsBoundary`",
    ),
    (
        "codecommit:ListRepositories",
        "User: arn:aws:sts::123456789012:assumed-role/Deployer/ci is not authorized to perform: codecommit:ListRepositories \
         because no session policy allows the codecommit:ListRepositories action",
        Some(Policy::Session),
        false,
        "Sign in without the session policy+session of role Deployer+does not allow it+`aws sts get-caller-identity`",
    ),
    (
        "codedeploy:ListDeployments",
        "User: arn:aws:sts::123456789012:assumed-role/Deployer/ci is not authorized to perform: codedeploy:ListDeployments on \
         resource: arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* with an explicit deny in a session policy",
        Some(Policy::Session),
        true,
        "policy that denies it",
    ),
    (
        "ecr:BatchGetImage",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: ecr:BatchGetImage on resource: \
         arn:aws:ecr:us-east-1:123456789012:repository/shop because no resource-based policy allows the ecr:BatchGetImage \
         action",
        Some(Policy::Resource),
        false,
        "Change the policy of arn:aws:ecr:us-east-1:123456789012:repository/shop, which does not allow ecr:BatchGetImage to \
         user JohnDoe",
    ),
    (
        "sts:AssumeRole",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: sts:AssumeRole because no role trust \
         policy allows the sts:AssumeRole action",
        Some(Policy::Trust),
        false,
        "trust arn:aws:iam::777788889999:user/JohnDoe",
    ),
    (
        "sts:AssumeRole",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::123456789012:role/overlord with an explicit deny in the role trust policy",
        Some(Policy::Trust),
        true,
        "Let arn:aws:iam::123456789012:role/overlord trust+`aws iam get-role --role-name overlord",
    ),
    (
        "codedeploy:ListDeployments",
        "User: arn:aws:iam::123456789012:user/JohnDoe is not authorized to perform: codedeploy:ListDeployments on resource: \
         arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* because no identity-based policy allows the \
         codedeploy:ListDeployments action",
        Some(Policy::Identity),
        false,
        "Allow codedeploy:ListDeployments on arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* in a policy of user \
         JohnDoe+docs/permissions.md+--policy-source-arn arn:aws:iam::123456789012:user/JohnDoe --action-names \
         codedeploy:ListDeployments`",
    ),
    (
        "codedeploy:ListDeployments",
        "User: arn:aws:iam::123456789012:user/JohnDoe is not authorized to perform: codedeploy:ListDeployments on resource: \
         arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* with an explicit deny in an identity-based policy: \
         arn:aws:iam::123456789012:policy/no-deploys",
        Some(Policy::Identity),
        true,
        "Remove the statement that denies codedeploy:ListDeployments from the policies of user JohnDoe \
         (arn:aws:iam::123456789012:policy/no-deploys)",
    ),
    (
        // S3 puts the resource in quotes.
        "s3:CreateBucket",
        "User: arn:aws:sts::123456789012:assumed-role/Deployer/ci is not authorized to perform: s3:CreateBucket on resource: \
         \"arn:aws:s3:::acme-trail\" because no identity-based policy allows the s3:CreateBucket action",
        Some(Policy::Identity),
        false,
        "Allow s3:CreateBucket on arn:aws:s3:::acme-trail in a policy of role Deployer",
    ),
    (
        // aws-load-balancer-controller#3917.
        "elasticloadbalancing:CreateLoadBalancer",
        "User: arn:aws:sts::123456789012:assumed-role/Deployer/ci is not authorized to perform: ec2:GetSecurityGroupsForVpc",
        None,
        false,
        "Allow ec2:GetSecurityGroupsForVpc (checked inside elasticloadbalancing:CreateLoadBalancer) to role Deployer;\
         +AWS does not say which policy+--policy-source-arn \
         arn:aws:iam::123456789012:role/Deployer --action-names ec2:GetSecurityGroupsForVpc`",
    ),
    (
        "elasticloadbalancing:CreateLoadBalancer",
        "User: arn:aws:sts::123456789012:assumed-role/Deployer/ci is not authorized to perform: \
         iam:CreateServiceLinkedRole on resource: arn:aws:iam::123456789012:role/aws-service-role/\
         elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing because no identity-based policy allows the \
         iam:CreateServiceLinkedRole action",
        Some(Policy::Identity),
        false,
        "Allow iam:CreateServiceLinkedRole on+(checked inside elasticloadbalancing:CreateLoadBalancer)+`aws iam \
         create-service-linked-role --aws-service-name elasticloadbalancing.amazonaws.com`",
    ),
    (
        // What STS says to another account.
        "sts:AssumeRole",
        "User: arn:aws:iam::777788889999:user/JohnDoe is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::123456789012:role/overlord",
        None,
        false,
        "Allow sts:AssumeRole on arn:aws:iam::123456789012:role/overlord in a policy of user JohnDoe, and let the role trust \
         arn:aws:iam::777788889999:user/JohnDoe+`aws iam get-role --role-name overlord",
    ),
    (
        // Auto Scaling names no action: it may be one of three.
        "autoscaling:CreateAutoScalingGroup",
        "You are not authorized to use launch template: lt-0123456789abcdef0",
        None,
        false,
        "AWS does not name the action+This call also requires+ec2:RunInstances+iam:PassRole",
    ),
    (
        "organizations:CreateAccount",
        "You don't have permissions to access this resource.",
        None,
        false,
        "Allow organizations:CreateAccount (see docs/permissions.md)",
    ),
];

#[test]
fn each_kind_of_policy_has_its_own_way_out() {
    for (operation, message, policy, explicit, words) in TABLE {
        let denied = parse(message);
        assert_eq!((denied.policy, denied.explicit), (*policy, *explicit), "{message}");
        let told = told(operation, "AccessDenied", message);
        for word in words.split('+') {
            assert!(told.contains(word), "{message}\n{told}\nlacks {word}");
        }
        let first = told.split(' ').next().unwrap();
        assert!(["Allow", "Ask", "Change", "Let", "Remove", "Sign"].contains(&first), "{told}");
    }
}

/// An action that AWS did not name is blamed by nobody.
#[test]
fn the_action_that_aws_named_is_the_one_that_is_told() {
    let message = format!("User: {ROLE} is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/x");
    let told = told("autoscaling:CreateAutoScalingGroup", "AccessDenied", &message);
    assert!(told.contains("iam:PassRole") && !told.contains("ec2:RunInstances"), "{told}");
    assert!(!told.contains("Allow autoscaling:CreateAutoScalingGroup"), "{told}");
}

#[test]
fn what_only_aws_reads_is_told_once_and_can_be_pasted() {
    let encoded = "4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abc_DEF";
    let old = format!("You are not authorized to perform this operation. {ENCODED} {encoded}");
    let new = format!(
        "You are not authorized to perform this operation. User: {ROLE} is not authorized to perform: ec2:CreateVpc on \
         resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc \
         action. {ENCODED} {encoded}"
    );
    for (message, first) in [
        (&old, "Allow ec2:CreateVpc (see docs/permissions.md) if it is not"),
        (&new, "Allow ec2:CreateVpc on arn:aws:ec2:eu-west-1:123456789012:vpc/* in a policy of role Deployer;"),
    ] {
        let told = told("ec2:CreateVpc", "UnauthorizedOperation", message);
        assert!(told.starts_with(first), "{told}");
        let pasted = format!("--encoded-message {encoded}`");
        assert!(told.contains("`aws sts decode-authorization-message ") && told.contains(&pasted), "{told}");
        assert!(!shown(message).contains(encoded) && shown(message).ends_with('.'), "{}", shown(message));
    }
    assert_eq!(shown("denied"), "denied");
}

#[test]
fn codes_that_name_the_missing_role_need_no_message() {
    let message =
        "The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances.";
    let told = told("ec2:RunInstances", "AuthFailure.ServiceLinkedRoleCreationNotPermitted", message);
    assert!(told.contains("iam:CreateServiceLinkedRole") && told.contains("create-service-linked-role"), "{told}");
    assert!(is_denied("AuthFailure.ServiceLinkedRoleCreationNotPermitted") && !is_denied("AuthFailure"));
}

/// Whatever AWS says, there is a hint.
#[test]
fn odd_messages_are_no_trouble() {
    for message in [
        "",
        "User: ",
        "User: root is not authorized to perform: ",
        "is not authorized to perform: x on resource: ",
        "with an explicit deny in ",
        "because no ",
        "because no friend allows",
        ENCODED,
        "User: arn:aws:iam is not authorized to perform: a:B with an explicit deny in a session policy: arn:",
        "User: arn:aws:sts::1:federated-user/x is not authorized to perform: a:B",
    ] {
        let told = told("ec2:CreateVpc", "AccessDenied", message);
        assert!(!told.is_empty() && !told.contains("  "), "{message}: {told}");
    }
}
