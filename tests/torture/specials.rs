//! What AWS answers, and the emulator is too lenient to: things in use, not yet there, there already, not yet ready.
use crate::{
    answers::Refusal,
    faults::{Act, Call},
};
use std::time::{Duration, Instant};

/// How long things are in use, for those that the tools have to wait for.
const IN_USE: Duration = Duration::from_secs(10);

/// A fault of some operations.
#[derive(Debug)]
pub(crate) struct Special {
    /// Its name in reports and on command lines.
    pub(crate) name: &'static str,
    how: How,
}

impl PartialEq for Special {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Special {}

#[derive(Debug)]
enum How {
    /// So many calls are refused.
    Times(usize, &'static [On]),
    /// All calls within this time are refused.
    For(Duration, &'static [On]),
    /// AWS acts, and refuses: the answer to a first try was lost, and this is the second.
    After(&'static [On]),
    /// One word of the answers of so many calls is another one: `operation`, word, and what stands there at each look.
    Looks(&'static str, &'static str, &'static [&'static str]),
}

/// What an operation answers.
#[derive(Debug)]
struct On {
    operation: &'static str,
    refusal: Refusal,
    /// Which requests of the operation.
    only: fn(&str) -> bool,
}

const fn on(operation: &'static str, status: u16, code: &'static str, message: &'static str) -> On {
    On { operation, refusal: Refusal { status, code, message }, only: |_| true }
}

const fn only(
    operation: &'static str,
    only: fn(&str) -> bool,
    status: u16,
    code: &'static str,
    message: &'static str,
) -> On {
    On { operation, refusal: Refusal { status, code, message }, only }
}

fn creates(request: &str) -> bool {
    request.contains("<Action>CREATE</Action>")
}

/// A zone that was there all the time is known, as one that delegates to ours.
fn creates_or_changes(request: &str) -> bool {
    !request.contains("<Action>DELETE</Action>") && !request.contains("<Type>NS</Type>")
}

fn no_overwrite(request: &str) -> bool {
    !request.contains("\"Overwrite\":true")
}

impl Special {
    fn refused(&self, operation: &str, request: &str) -> Option<Refusal> {
        let (How::Times(_, all) | How::For(_, all) | How::After(all)) = &self.how else { return None };
        all.iter().find(|on| on.operation == operation && (on.only)(request)).map(|on| on.refusal)
    }

    /// Whether it can make a difference at this call.
    pub(crate) fn fits(&self, call: &Call) -> bool {
        match &self.how {
            How::Looks(operation, word, _) => *operation == call.operation && call.answer.contains(word),
            _ => self.refused(&call.operation, &call.request).is_some(),
        }
    }

    /// Whether the command has to wait until it is over. What is there already may be somebody else's.
    pub(crate) fn borne(&self) -> bool {
        !matches!(self.how, How::After(_))
    }

    /// What of it fits none of these calls.
    pub(crate) fn unfit(&self, calls: &[&Call]) -> Vec<String> {
        match &self.how {
            How::Looks(operation, word, _) => {
                let fits = calls.iter().any(|call| self.fits(call));
                if fits { Vec::new() } else { vec![format!("{} {operation} {word}", self.name)] }
            }
            How::Times(_, all) | How::For(_, all) | How::After(all) => {
                let fits =
                    |on: &On| calls.iter().any(|call| call.operation == on.operation && (on.only)(&call.request));
                let unfit = all.iter().filter(|on| !fits(on));
                unfit.map(|on| format!("{} {} {}", self.name, on.operation, on.refusal.code)).collect()
            }
        }
    }

    /// Whether most of a case's time is waiting.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.how, How::For(..) | How::Looks(..))
    }

    /// What to do with a call of the operation, the `later`-th since the fault began.
    pub(crate) fn act(&self, operation: &str, request: &str, later: usize, since: Option<Instant>) -> Act {
        if let How::Looks(_, from, looks) = &self.how {
            return looks.get(later).map_or(Act::Pass, |to| Act::Edit { from, to });
        }
        let Some(refusal) = self.refused(operation, request) else { return Act::Pass };
        let (acts, after) = match &self.how {
            How::Times(times, _) => (later < *times, false),
            How::For(time, _) => (since.is_none_or(|since| since.elapsed() < *time), false),
            How::After(_) => (later == 0, true),
            How::Looks(..) => (false, false),
        };
        if acts { Act::Answer { refusal, after } } else { Act::Pass }
    }
}

const DEPENDENCY: &str = "resource has a dependent object";

/// EC2's codes: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>; those of the others stand
/// at each action of their API references.
const USED: &[On] = &[
    on("ec2:DeleteSecurityGroup", 400, "DependencyViolation", DEPENDENCY),
    on("ec2:DeleteSubnet", 400, "DependencyViolation", DEPENDENCY),
    on("ec2:DeleteRouteTable", 400, "DependencyViolation", DEPENDENCY),
    on("ec2:DeleteVpc", 400, "DependencyViolation", DEPENDENCY),
    on("ec2:DeleteInternetGateway", 400, "DependencyViolation", DEPENDENCY),
    on("ec2:DetachInternetGateway", 400, "DependencyViolation", "Network has some mapped public address(es)"),
    on("ec2:DeleteDhcpOptions", 400, "DependencyViolation", DEPENDENCY),
    on("ec2:DeleteTransitGateway", 400, "IncorrectState", "tgw-0 has non-deleted VPC Attachments"),
    on("ec2:DeleteVpnGateway", 400, "IncorrectState", "The virtual private gateway is in use"),
    on("ec2:DeleteCustomerGateway", 400, "IncorrectState", "The customer gateway is in use"),
    on("ec2:ReleaseAddress", 400, "InvalidIPAddress.InUse", "The address is in use"),
    on(
        "elasticloadbalancing:DeleteTargetGroup",
        400,
        "ResourceInUse",
        "Target group is currently in use by a listener or a rule",
    ),
    on(
        "autoscaling:DeleteAutoScalingGroup",
        400,
        "ScalingActivityInProgress",
        "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
    ),
    on("iam:DeleteRole", 409, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."),
    on(
        "iam:DeleteInstanceProfile",
        409,
        "DeleteConflict",
        "Cannot delete entity, must remove roles from instance profile first.",
    ),
    on("iam:DeletePolicy", 409, "DeleteConflict", "Cannot delete a policy attached to entities."),
    on("s3:DeleteBucket", 409, "BucketNotEmpty", "The bucket you tried to delete is not empty"),
];

/// Other words for the same.
const USED_TOO: &[On] = &[
    on("ec2:ReleaseAddress", 400, "AuthFailure", "You do not have permission to access the specified resource."),
    on("autoscaling:DeleteAutoScalingGroup", 400, "ResourceInUse", "The group has instances"),
    on(
        "iam:DeleteRole",
        409,
        "ConcurrentModification",
        "The request was rejected because multiple requests to change this object were submitted simultaneously.",
    ),
    on(
        "iam:PutRolePolicy",
        409,
        "ConcurrentModification",
        "The request was rejected because multiple requests to change this object were submitted simultaneously.",
    ),
    on(
        "iam:AttachRolePolicy",
        409,
        "ConcurrentModification",
        "The request was rejected because multiple requests to change this object were submitted simultaneously.",
    ),
    on(
        "s3:CreateBucket",
        409,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    ),
    on(
        "s3:DeleteBucket",
        409,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    ),
    on(
        "s3:PutBucketLifecycleConfiguration",
        409,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    ),
    on(
        "s3:PutBucketPolicy",
        409,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    ),
    on(
        "s3:PutPublicAccessBlock",
        409,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    ),
    on("ec2:CreateNatGateway", 400, "InvalidAllocationID.NotFound", "The allocation ID does not exist"),
];

const THERE: &[On] = &[
    on("ec2:CreateSecurityGroup", 400, "InvalidGroup.Duplicate", "The security group already exists for VPC"),
    on("ec2:CreateKeyPair", 400, "InvalidKeyPair.Duplicate", "The keypair already exists"),
    on(
        "ec2:CreateLaunchTemplate",
        400,
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "Launch template name already in use.",
    ),
    on("ec2:AuthorizeSecurityGroupIngress", 400, "InvalidPermission.Duplicate", "the specified rule already exists"),
    on("ec2:CreateRoute", 400, "RouteAlreadyExists", "The route identified by 0.0.0.0/0 already exists."),
    on("ec2:AttachInternetGateway", 400, "Resource.AlreadyAssociated", "resource is already attached to network"),
    on(
        "ec2:AssociateRouteTable",
        400,
        "Resource.AlreadyAssociated",
        "the specified association for route table conflicts with an existing association",
    ),
    on("ec2:CreateSubnet", 400, "InvalidSubnet.Conflict", "The CIDR conflicts with another subnet"),
    on(
        "ec2:CreateFlowLogs",
        400,
        "FlowLogAlreadyExists",
        "Error. There is an existing Flow Log with the same configuration and log destination.",
    ),
    on(
        "ec2:CreateVpcEndpoint",
        400,
        "RouteAlreadyExists",
        "route table already has a route with destination-prefix-list-id",
    ),
    on(
        "ec2:CreateTransitGatewayVpcAttachment",
        400,
        "DuplicateTransitGatewayAttachment",
        "tgw-0 has non-deleted Transit Gateway Attachments with same VPC ID.",
    ),
    on(
        "elasticloadbalancing:CreateLoadBalancer",
        400,
        "DuplicateLoadBalancerName",
        "A load balancer with the same name exists, but with different settings",
    ),
    on(
        "elasticloadbalancing:CreateTargetGroup",
        400,
        "DuplicateTargetGroupName",
        "A target group with the same name exists, but with different settings",
    ),
    on(
        "elasticloadbalancing:CreateListener",
        400,
        "DuplicateListener",
        "A listener already exists on this port for this load balancer",
    ),
    on("autoscaling:CreateAutoScalingGroup", 400, "AlreadyExists", "AutoScalingGroup by this name already exists"),
    on("iam:CreateRole", 409, "EntityAlreadyExists", "Role with name already exists."),
    on("iam:CreateInstanceProfile", 409, "EntityAlreadyExists", "Instance Profile already exists."),
    on("iam:CreatePolicy", 409, "EntityAlreadyExists", "A policy with that name already exists."),
    on("iam:CreateSAMLProvider", 409, "EntityAlreadyExists", "SAMLProvider already exists."),
    on(
        "iam:CreateServiceLinkedRole",
        400,
        "InvalidInput",
        "Service role name AWSServiceRoleForAutoScaling has been taken in this account, please try a different suffix.",
    ),
    on("iam:CreateAccountAlias", 409, "EntityAlreadyExists", "The account alias already exists."),
    on(
        "iam:AddRoleToInstanceProfile",
        409,
        "LimitExceeded",
        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
    ),
    only("ssm:PutParameter", no_overwrite, 400, "ParameterAlreadyExists", "The parameter already exists."),
    on("logs:CreateLogGroup", 400, "ResourceAlreadyExistsException", "The specified log group already exists"),
    on("logs:CreateLogStream", 400, "ResourceAlreadyExistsException", "The specified log stream already exists"),
    only(
        "route53:ChangeResourceRecordSets",
        creates,
        400,
        "InvalidChangeBatch",
        "[Tried to create resource record set but it already exists]",
    ),
    on(
        "route53:CreateHostedZone",
        409,
        "HostedZoneAlreadyExists",
        "A hosted zone has already been created with the specified caller reference.",
    ),
    on(
        "s3:CreateBucket",
        409,
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    on("cloudtrail:CreateTrail", 400, "TrailAlreadyExistsException", "Trail already exists"),
    on("budgets:CreateBudget", 400, "DuplicateRecordException", "The budget already exists"),
];

const PROFILE: &str = "You must use a valid fully-formed launch template. Value (app) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name";

/// IAM, and EC2's profiles: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html>, "eventually consistent".
const NOT_YET: &[On] = &[
    on("autoscaling:CreateAutoScalingGroup", 400, "ValidationError", PROFILE),
    on("iam:AddRoleToInstanceProfile", 404, "NoSuchEntity", "Instance Profile cannot be found."),
    on("iam:PutRolePolicy", 404, "NoSuchEntity", "The role with name cannot be found."),
    on("iam:AttachRolePolicy", 404, "NoSuchEntity", "The role with name cannot be found."),
    on(
        "iam:CreateRole",
        400,
        "MalformedPolicyDocument",
        "Invalid principal in policy: \"AWS\":\"arn:aws:iam::200000000001:role/x\"",
    ),
    on("ec2:AuthorizeSecurityGroupIngress", 400, "InvalidGroup.NotFound", "The security group 'sg-0' does not exist"),
    on("ec2:CreateSubnet", 400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist"),
    on("ec2:CreateRouteTable", 400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist"),
    on("ec2:CreateSecurityGroup", 400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist"),
    on("ec2:ModifyVpcAttribute", 400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist"),
    on(
        "ec2:AttachInternetGateway",
        400,
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID 'igw-0' does not exist",
    ),
    on("ec2:CreateRoute", 400, "InvalidRouteTableID.NotFound", "The routeTable ID 'rtb-0' does not exist"),
    on("ec2:AssociateRouteTable", 400, "InvalidSubnetID.NotFound", "The subnet ID 'subnet-0' does not exist"),
    on("ec2:ModifySubnetAttribute", 400, "InvalidSubnetID.NotFound", "The subnet ID 'subnet-0' does not exist"),
    on("ec2:CreateNatGateway", 400, "InvalidSubnetID.NotFound", "The subnet ID 'subnet-0' does not exist"),
    on("ec2:CreateVpcEndpoint", 400, "InvalidVpcId.NotFound", "The Vpc Id vpc-0 does not exist"),
    on("ec2:CreateFlowLogs", 400, "InvalidVpcId.NotFound", "The Vpc Id vpc-0 does not exist"),
    on("ec2:AssociateDhcpOptions", 400, "InvalidDhcpOptionID.NotFound", "The dhcpOption ID 'dopt-0' does not exist"),
    on(
        "ec2:CreateTransitGatewayVpcAttachment",
        400,
        "InvalidTransitGatewayID.NotFound",
        "Transit Gateway tgw-0 was deleted or does not exist.",
    ),
    on(
        "ec2:AcceptVpcPeeringConnection",
        400,
        "InvalidVpcPeeringConnectionID.NotFound",
        "The vpcPeeringConnection ID 'pcx-0' does not exist",
    ),
    on("elasticloadbalancing:CreateListener", 400, "TargetGroupNotFound", "One or more target groups not found"),
    on(
        "elasticloadbalancing:CreateLoadBalancer",
        400,
        "InvalidSecurityGroup",
        "One or more security groups are invalid",
    ),
    only(
        "route53:ChangeResourceRecordSets",
        creates_or_changes,
        404,
        "NoSuchHostedZone",
        "No hosted zone found with ID: Z0",
    ),
    on("s3:PutBucketLifecycleConfiguration", 404, "NoSuchBucket", "The specified bucket does not exist"),
    on("s3:PutBucketPolicy", 404, "NoSuchBucket", "The specified bucket does not exist"),
    on("s3:PutPublicAccessBlock", 404, "NoSuchBucket", "The specified bucket does not exist"),
    on("cloudtrail:StartLogging", 400, "TrailNotFoundException", "Unknown trail"),
    on(
        "cloudtrail:CreateTrail",
        400,
        "InsufficientS3BucketPolicyException",
        "Incorrect S3 bucket policy is detected for bucket",
    ),
    on("logs:PutRetentionPolicy", 400, "ResourceNotFoundException", "The specified log group does not exist."),
    on("logs:PutLogEvents", 400, "ResourceNotFoundException", "The specified log stream does not exist."),
];

const BUSY: &[On] = &[
    on(
        "route53:ChangeResourceRecordSets",
        400,
        "PriorRequestNotComplete",
        "The request was rejected because Route 53 was still processing a prior request.",
    ),
    on(
        "route53:DeleteHostedZone",
        400,
        "PriorRequestNotComplete",
        "The request was rejected because Route 53 was still processing a prior request.",
    ),
    on(
        "route53:CreateHostedZone",
        400,
        "ConflictingDomainExists",
        "A conflicting domain is already associated with the given VPC or Delegation Set",
    ),
    on(
        "ssm:PutParameter",
        400,
        "TooManyUpdates",
        "There are concurrent updates for a resource that supports one update at a time.",
    ),
    on(
        "logs:CreateLogGroup",
        400,
        "OperationAbortedException",
        "Multiple concurrent requests to update the same resource were in conflict.",
    ),
    on(
        "autoscaling:UpdateAutoScalingGroup",
        500,
        "ResourceContention",
        "You already have a pending update to an Amazon EC2 Auto Scaling resource.",
    ),
    on(
        "autoscaling:CreateAutoScalingGroup",
        500,
        "ResourceContention",
        "You already have a pending update to an Amazon EC2 Auto Scaling resource.",
    ),
    on(
        "autoscaling:PutScalingPolicy",
        500,
        "ResourceContention",
        "You already have a pending update to an Amazon EC2 Auto Scaling resource.",
    ),
    on(
        "autoscaling:DeleteAutoScalingGroup",
        500,
        "ResourceContention",
        "You already have a pending update to an Amazon EC2 Auto Scaling resource.",
    ),
];

/// All there are.
pub(crate) static SPECIALS: &[Special] = &[
    Special { name: "in-use-once", how: How::Times(1, USED) },
    Special { name: "in-use-long", how: How::For(IN_USE, USED) },
    Special { name: "in-use-otherwise", how: How::Times(2, USED_TOO) },
    Special { name: "already-there", how: How::After(THERE) },
    Special { name: "not-yet-once", how: How::Times(1, NOT_YET) },
    Special { name: "not-yet-thrice", how: How::Times(3, NOT_YET) },
    Special { name: "busy-once", how: How::Times(1, BUSY) },
    Special { name: "busy-thrice", how: How::Times(3, BUSY) },
    Special {
        name: "load-balancer-provisioning",
        how: How::Looks(
            "elasticloadbalancing:DescribeLoadBalancers",
            "<Code>active</Code>",
            &["<Code>provisioning</Code>"; 3],
        ),
    },
    Special {
        name: "targets-unhealthy",
        how: How::Looks(
            "elasticloadbalancing:DescribeTargetHealth",
            "<State>healthy</State>",
            &["<State>initial</State>", "<State>initial</State>", "<State>unhealthy</State>"],
        ),
    },
    Special {
        name: "nat-pending",
        how: How::Looks("ec2:DescribeNatGateways", "<state>available</state>", &["<state>pending</state>"; 3]),
    },
    Special {
        name: "attachment-pending",
        how: How::Looks(
            "ec2:DescribeTransitGatewayVpcAttachments",
            "<state>available</state>",
            &["<state>pending</state>"; 3],
        ),
    },
    Special {
        name: "gateway-pending",
        how: How::Looks("ec2:DescribeTransitGateways", "<state>available</state>", &["<state>pending</state>"; 3]),
    },
    Special {
        name: "peering-provisioning",
        how: How::Looks("ec2:DescribeVpcPeeringConnections", "<code>active</code>", &["<code>provisioning</code>"; 3]),
    },
    Special {
        name: "instance-pending",
        how: How::Looks("ec2:DescribeInstances", "<name>running</name>", &["<name>pending</name>"; 3]),
    },
    Special {
        name: "change-pending",
        how: How::Looks("route53:GetChange", "<Status>INSYNC</Status>", &["<Status>PENDING</Status>"; 3]),
    },
    Special {
        name: "certificate-pending",
        how: How::Looks("acm:DescribeCertificate", "\"ISSUED\"", &["\"PENDING_VALIDATION\""; 3]),
    },
];
