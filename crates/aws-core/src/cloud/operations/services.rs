//! The other services.
use super::{Called, Effect, Inside, LINKED, Operation, Service, inside, tagging};
use crate::cloud::quotas as limits;

/// IAM: it is not there, or not visible yet.
const NOT_THERE: &[&str] = &["NoSuchEntity"];
/// IAM: the look did not see it, an earlier try of this very call made it.
const THERE: &[&str] = &["EntityAlreadyExists"];
/// IAM: what was just detached may still count for a moment.
const HELD: &[&str] = &["DeleteConflict"];
/// Auto Scaling is still busy with the group.
const SCALING: &[&str] = &["ResourceInUse", "ScalingActivityInProgress", "ResourceContention"];
/// CloudTrail: the bucket, just made, or its policy, may not be known everywhere yet.
const NOT_READY: &[&str] =
    &["InsufficientS3BucketPolicyException", "S3BucketDoesNotExistException", "ConflictException"];
/// RAM: an earlier change of the share or its members is still on its way, or not visible everywhere yet.
const SHARING: &[&str] = &["InvalidStateTransitionException", "UnknownResourceException"];
/// S3: another change of the bucket is on its way, or it was made a moment ago.
const CHANGING: &[&str] = &["OperationAborted", "NoSuchBucket"];
const LOG_GROUP_MADE: &[&str] = &["ResourceAlreadyExistsException", "OperationAbortedException"];
const NO_BLOCK: &[&str] = &["NoSuchPublicAccessBlockConfiguration"];
const NO_RESOURCE: &[&str] = &["ResourceNotFoundException"];
const NO_SHARE: &[&str] = &["UnknownResourceException", "ResourceArnNotFoundException"];
const NO_ZONE: &[&str] = &["NoSuchHostedZone"];

const BALANCED: &str = "subnets, security groups and addresses of a load balancer";
const IN_VPC: &str = "the VPC of a target group";
const READ_IMAGE: &str = "reading an image's manifest from Amazon ECR";
const TAGS: &[Inside] = &[tagging("elasticloadbalancing:AddTags")];

services! {
    /// AWS Certificate Manager.
    acm: aws_sdk_acm, "ACM", "acm", [] {
        set AddTagsToCertificate;
        // Load balancers that were just deleted hold it for a while.
        end DeleteCertificate { gone: NO_RESOURCE, passes: &["ResourceInUseException", "ConflictException"] };
        read DescribeCertificate { gone: NO_RESOURCE };
        read ListCertificates;
        read ListTagsForCertificate { gone: NO_RESOURCE };
        make RequestCertificate { quota: Some(limits::CERTIFICATES), inside: &[tagging("acm:AddTagsToCertificate")] };
    }
    /// Auto Scaling.
    autoscaling: aws_sdk_autoscaling, "Auto Scaling", "autoscaling", [] {
        make AttachLoadBalancerTargetGroups { passes: SCALING };
        make CreateAutoScalingGroup {
            passes: SCALING,
            inside: &[
                tagging("autoscaling:CreateOrUpdateTags"),
                inside("ec2:CreateTags", "tags that a launch template gives to instances and volumes"),
                inside("ec2:RunInstances", "an Auto Scaling group that starts instances from a launch template"),
                inside("iam:CreateServiceLinkedRole", LINKED),
                inside("iam:PassRole", "the instance profile that a launch template names"),
            ],
        };
        end DeleteAutoScalingGroup { passes: SCALING };
        read DescribeAccountLimits;
        read DescribeAutoScalingGroups;
        read DescribePolicies;
        read DescribeScalingActivities;
        set PutScalingPolicy { passes: SCALING };
        set UpdateAutoScalingGroup { passes: SCALING };
    }
    /// AWS Budgets.
    budgets: aws_sdk_budgets, "Budgets", "budgets", [] {
        make CreateBudget { passes: &["DuplicateRecordException"], action: Some("budgets:ModifyBudget") };
        make CreateNotification { passes: &["DuplicateRecordException"], action: Some("budgets:ModifyBudget") };
        make CreateSubscriber { there: &["DuplicateRecordException"], action: Some("budgets:ModifyBudget") };
        end DeleteBudget { gone: &["NotFoundException"], action: Some("budgets:ModifyBudget") };
        end DeleteNotification { gone: &["NotFoundException"], action: Some("budgets:ModifyBudget") };
        end DeleteSubscriber { gone: &["NotFoundException"], action: Some("budgets:ModifyBudget") };
        read DescribeBudget { gone: &["NotFoundException"], action: Some("budgets:ViewBudget") };
        read DescribeSubscribersForNotification { gone: &["NotFoundException"], action: Some("budgets:ViewBudget") };
        set UpdateBudget { action: Some("budgets:ModifyBudget") };
    }
    /// CloudTrail.
    cloudtrail: aws_sdk_cloudtrail, "CloudTrail", "cloudtrail", [] {
        make CreateTrail { passes: NOT_READY, quota: Some(limits::TRAILS), inside: &[tagging("cloudtrail:AddTags")] };
        end DeleteTrail { gone: &["TrailNotFoundException"], passes: &["ConflictException"] };
        read DescribeTrails;
        read GetTrailStatus { gone: &["TrailNotFoundException"] };
        read ListTags;
        make StartLogging {
            passes: &[
                "InsufficientS3BucketPolicyException", "S3BucketDoesNotExistException", "ConflictException",
                "TrailNotFoundException",
            ],
        };
        set UpdateTrail { passes: NOT_READY };
    }
    /// Cost Explorer.
    costs: aws_sdk_costexplorer, "Cost Explorer", "ce", [] {
        read ListCostAllocationTags;
        set UpdateCostAllocationTagsStatus;
    }
    /// Container registry.
    ecr: aws_sdk_ecr, "ECR", "ecr", [] {
        read DescribeImages { gone: &["RepositoryNotFoundException"] };
        read DescribeRepositories;
        read GetAuthorizationToken {
            inside: &[inside("ecr:BatchGetImage", READ_IMAGE), inside("ecr:GetDownloadUrlForLayer", READ_IMAGE)],
        };
    }
    /// Elastic Load Balancing.
    elb: aws_sdk_elasticloadbalancingv2, "Elastic Load Balancing v2", "elasticloadbalancing", [] {
        // What was just made may not be known everywhere yet; one on that port that the look did not see,
        // an earlier try made.
        make CreateListener {
            passes: &["DuplicateListener", "LoadBalancerNotFound", "TargetGroupNotFound"],
            inside: TAGS,
        };
        // One that the look did not see, an earlier try made; a group just made may not be known
        // everywhere yet.
        make CreateLoadBalancer {
            passes: &["DuplicateLoadBalancerName", "InvalidSecurityGroup"],
            inside: &[
                inside("ec2:DescribeAccountAttributes", BALANCED),
                inside("ec2:DescribeAddresses", BALANCED),
                inside("ec2:DescribeInternetGateways", BALANCED),
                inside("ec2:DescribeSecurityGroups", BALANCED),
                inside("ec2:DescribeSubnets", BALANCED),
                inside("ec2:DescribeVpcs", BALANCED),
                inside("ec2:GetSecurityGroupsForVpc", BALANCED),
                tagging("elasticloadbalancing:AddTags"),
                inside("iam:CreateServiceLinkedRole", LINKED),
            ],
        };
        // One that the look did not see, an earlier try made.
        make CreateTargetGroup {
            passes: &["DuplicateTargetGroupName"],
            inside: &[
                inside("ec2:DescribeInternetGateways", IN_VPC),
                inside("ec2:DescribeVpcs", IN_VPC),
                tagging("elasticloadbalancing:AddTags"),
            ],
        };
        end DeleteListener { gone: &["ListenerNotFound", "LoadBalancerNotFound"] };
        end DeleteLoadBalancer { gone: &["LoadBalancerNotFound"] };
        // In use until the listener is gone everywhere.
        end DeleteTargetGroup { gone: &["TargetGroupNotFound"], passes: &["ResourceInUse"] };
        make DeregisterTargets { gone: &["TargetGroupNotFound", "InvalidTarget"] };
        read DescribeListeners { gone: &["LoadBalancerNotFound", "ListenerNotFound"] };
        read DescribeLoadBalancerAttributes { gone: &["LoadBalancerNotFound"] };
        read DescribeLoadBalancers { gone: &["LoadBalancerNotFound"] };
        // One that has just gone makes the whole call fail.
        read DescribeTags { gone: &["LoadBalancerNotFound", "TargetGroupNotFound"] };
        read DescribeTargetGroupAttributes { gone: &["TargetGroupNotFound"] };
        read DescribeTargetGroups { gone: &["TargetGroupNotFound"] };
        read DescribeTargetHealth;
        set ModifyListener { passes: &["ListenerNotFound"] };
        set ModifyLoadBalancerAttributes { passes: &["LoadBalancerNotFound"] };
        set ModifyTargetGroupAttributes { passes: &["TargetGroupNotFound"] };
        make RegisterTargets;
        // On no page of its own: the check of groups is the one of `CreateLoadBalancer`.
        set SetSecurityGroups {
            inside: &[
                inside("ec2:DescribeSecurityGroups", BALANCED),
                inside("ec2:GetSecurityGroupsForVpc", BALANCED),
            ],
        };
    }
    /// IAM.
    /// Passes: another write is still on its way.
    iam: aws_sdk_iam, "IAM", "iam", ["ConcurrentModification", "EntityTemporarilyUnmodifiable"] {
        // Both may have been made just now; of two tries at the same time, the look of the next one sees
        // the other's.
        make AddRoleToInstanceProfile {
            passes: &["NoSuchEntity", "LimitExceeded"],
            inside: &[inside("iam:PassRole", "the role that an instance profile gets")],
        };
        make AttachRolePolicy { quota: Some(limits::ROLE_POLICIES) };
        make CreateAccountAlias;
        make CreateInstanceProfile {
            passes: THERE,
            quota: Some(limits::INSTANCE_PROFILES),
            inside: &[tagging("iam:TagInstanceProfile")],
        };
        make CreatePolicy { passes: THERE, quota: Some(limits::POLICIES), inside: &[tagging("iam:TagPolicy")] };
        // Versions that were made or deleted meanwhile: another look sees them.
        make CreatePolicyVersion { passes: &["LimitExceeded"], quota: Some(limits::POLICY_VERSIONS) };
        make CreateRole { passes: THERE, quota: Some(limits::ROLES), inside: &[tagging("iam:TagRole")] };
        make CreateSAMLProvider {
            passes: THERE,
            quota: Some(limits::SAML_PROVIDERS),
            inside: &[tagging("iam:TagSAMLProvider")],
        };
        make CreateServiceLinkedRole;
        end DeleteAccountAlias { gone: NOT_THERE };
        end DeleteAccountPasswordPolicy { gone: NOT_THERE };
        end DeleteInstanceProfile { gone: NOT_THERE, passes: HELD };
        end DeletePolicy { gone: NOT_THERE, passes: HELD };
        end DeletePolicyVersion { gone: NOT_THERE };
        end DeleteRole { gone: NOT_THERE, passes: HELD };
        end DeleteRolePermissionsBoundary { gone: NOT_THERE };
        end DeleteRolePolicy { gone: NOT_THERE };
        end DeleteSAMLProvider { gone: NOT_THERE };
        make DetachRolePolicy { gone: NOT_THERE };
        read GetAccountAuthorizationDetails;
        read GetAccountPasswordPolicy { gone: NOT_THERE };
        read GetAccountSummary;
        read GetInstanceProfile { gone: NOT_THERE };
        read GetRole { gone: NOT_THERE };
        read GetRolePolicy { gone: NOT_THERE };
        read GetSAMLProvider { gone: NOT_THERE };
        read ListAccountAliases;
        read ListAttachedRolePolicies { gone: NOT_THERE };
        read ListEntitiesForPolicy { gone: NOT_THERE };
        read ListInstanceProfilesForRole { gone: NOT_THERE };
        read ListPolicyTags { gone: NOT_THERE };
        read ListRolePolicies { gone: NOT_THERE };
        read ListRoles;
        read ListSAMLProviders;
        set PutRolePermissionsBoundary;
        // A role just made may not be visible everywhere yet.
        set PutRolePolicy { passes: NOT_THERE, quota: Some(limits::INLINE_POLICIES) };
        make RemoveRoleFromInstanceProfile { gone: NOT_THERE };
        set TagInstanceProfile;
        set TagPolicy;
        set TagRole;
        set TagSAMLProvider;
        set UpdateAccountPasswordPolicy;
        set UpdateAssumeRolePolicy;
        set UpdateRole;
        set UpdateSAMLProvider;
    }
    /// CloudWatch Logs.
    logs: aws_sdk_cloudwatchlogs, "CloudWatch Logs", "logs", [] {
        // Aborted: somebody else makes it at this moment.
        make CreateLogGroup {
            there: LOG_GROUP_MADE,
            passes: LOG_GROUP_MADE,
            quota: Some(limits::LOG_GROUPS),
            inside: &[tagging("logs:TagResource")],
        };
        make CreateLogStream { gone: NO_RESOURCE, there: &["ResourceAlreadyExistsException"] };
        end DeleteLogGroup { gone: NO_RESOURCE, passes: &["OperationAbortedException"] };
        read DescribeLogGroups;
        read GetLogEvents { gone: NO_RESOURCE };
        read ListTagsForResource { gone: NO_RESOURCE };
        set PutLogEvents { gone: NO_RESOURCE };
        // The group may have been made just now.
        set PutRetentionPolicy { passes: &["OperationAbortedException", "ResourceNotFoundException"] };
        set TagResource;
    }
    /// AWS Organizations.
    organizations: aws_sdk_organizations, "Organizations", "organizations", [] {
        make CreateAccount { quota: Some(limits::ACCOUNTS) };
        read DescribeAccount;
        read DescribeCreateAccountStatus;
        // The account is in no organization.
        read DescribeOrganization { gone: &["AWSOrganizationsNotInUseException"] };
        read ListAccounts { gone: &["AWSOrganizationsNotInUseException"] };
        read ListCreateAccountStatus;
        read ListParents;
        make MoveAccount { there: &["DuplicateAccountException"] };
    }
    /// Service Quotas.
    quotas: aws_sdk_servicequotas, "Service Quotas", "servicequotas", [] {
        read GetServiceQuota { gone: &["NoSuchResourceException"] };
        read ListServiceQuotas;
    }
    /// Resource Access Manager.
    ram: aws_sdk_ram, "RAM", "ram", [] {
        make AcceptResourceShareInvitation { there: &["ResourceShareInvitationAlreadyAcceptedException"] };
        make AssociateResourceShare { passes: SHARING };
        // What is shared, just made, may not be known to RAM yet.
        make CreateResourceShare {
            passes: SHARING,
            inside: &[
                inside("ram:AssociateResourceShare", "what is shared, named in the creating call"),
                tagging("ram:TagResource"),
            ],
        };
        end DeleteResourceShare { gone: NO_SHARE, passes: &["InvalidStateTransitionException"] };
        make DisassociateResourceShare { gone: NO_SHARE, passes: &["InvalidStateTransitionException"] };
        read GetResourceShareAssociations;
        // What is shared within the organization, and what was just shared, has none.
        read GetResourceShareInvitations { gone: NO_SHARE };
        read GetResourceShares;
        set TagResource;
        set UpdateResourceShare { passes: SHARING };
    }
    /// Route 53.
    route53: aws_sdk_route53, "Route 53", "route53", [] {
        // Another batch for the zone is not done yet.
        make ChangeResourceRecordSets { gone: NO_ZONE, passes: &["PriorRequestNotComplete"] };
        set ChangeTagsForResource;
        make CreateHostedZone { quota: Some(limits::HOSTED_ZONES) };
        // Something was written since the look: look again, and say what.
        end DeleteHostedZone { gone: NO_ZONE, passes: &["HostedZoneNotEmpty", "PriorRequestNotComplete"] };
        read GetAccountLimit;
        read GetChange;
        read ListHostedZones;
        read ListHostedZonesByName;
        read ListHostedZonesByVPC { inside: &[inside("ec2:DescribeVpcs", "the VPC whose private zones are listed")] };
        read ListResourceRecordSets { gone: NO_ZONE };
        read ListTagsForResource { gone: NO_ZONE };
        set UpdateHostedZoneComment;
    }
    /// S3.
    s3: aws_sdk_s3, "S3", "s3", [] {
        make CreateBucket { passes: CHANGING };
        // What was just deleted may still count for a moment.
        end DeleteBucket { gone: &["NoSuchBucket"], passes: &["BucketNotEmpty", "OperationAborted"] };
        end DeleteObjects as "s3:DeleteObjectVersion";
        read GetBucketLifecycleConfiguration as "s3:GetLifecycleConfiguration" {
            gone: &["NoSuchBucket", "NoSuchLifecycleConfiguration"],
        };
        read GetBucketPolicy { gone: &["NoSuchBucketPolicy"] };
        read GetBucketTagging { gone: &["NoSuchBucket"] };
        read GetBucketVersioning;
        read GetPublicAccessBlock as "s3:GetBucketPublicAccessBlock" { gone: NO_BLOCK };
        read ListObjectVersions as "s3:ListBucketVersions" { gone: &["NoSuchBucket"] };
        set PutBucketLifecycleConfiguration as "s3:PutLifecycleConfiguration" { passes: CHANGING };
        set PutBucketPolicy { passes: CHANGING };
        set PutBucketTagging { passes: CHANGING };
        set PutBucketVersioning { passes: CHANGING };
        set PutPublicAccessBlock as "s3:PutBucketPublicAccessBlock" { passes: CHANGING };
    }
    /// S3 of an account.
    s3control: aws_sdk_s3control, "S3 Control", "s3", [] {
        end DeletePublicAccessBlock as "s3:DeleteAccountPublicAccessBlock" {
            gone: NO_BLOCK,
            passes: &["OperationAborted"],
            action: Some("s3:PutAccountPublicAccessBlock"),
        };
        read GetPublicAccessBlock as "s3:GetAccountPublicAccessBlock" { gone: NO_BLOCK };
        set PutPublicAccessBlock as "s3:PutAccountPublicAccessBlock" { passes: &["OperationAborted"] };
    }
    /// Secrets Manager.
    secretsmanager: aws_sdk_secretsmanager, "Secrets Manager", "secretsmanager", [] {
        read GetSecretValue { gone: NO_RESOURCE };
    }
    /// Systems Manager.
    ssm: aws_sdk_ssm, "SSM", "ssm", [] {
        end DeleteParameters { passes: &["TooManyUpdates"] };
        read GetParameter;
        read GetParameters;
        read GetParametersByPath;
        set PutParameter {
            there: &["ParameterAlreadyExists"],
            passes: &["TooManyUpdates"],
            inside: &[tagging("ssm:AddTagsToResource")],
        };
    }
    /// Security Token Service.
    sts: aws_sdk_sts, "STS", "sts", [] {
        read AssumeRole;
        read GetCallerIdentity;
    }
}
