//! Who may do what: a table, and what nobody may, whatever the role says.
use crate::{
    ACCOUNT, BOUNDARY, BUCKET,
    evaluator::{Call, Identity},
    input, policy_of,
};
use overlord::policies;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// Role (`app`: an application's, with `*` on `*`) | action | on what | what AWS knows of it | allowed.
///
/// ARNs of IAM are short: `role/x`; so are those of EC2: `ec2 vpc/x`. `@` is the boundary's ARN, `pass` a role that the
/// call passes to a service.
const TABLE: &str = r"
# Roles without the boundary, and ways around it.
PowerUser     | iam:CreateRole                    | role/app-x                | iam:PermissionsBoundary=@                   | yes
PowerUser     | iam:CreateRole                    | role/app-x                |                                             | no
PowerUser     | iam:CreateRole                    | role/app-x                | iam:PermissionsBoundary=arn:aws:iam::aws:policy/AdministratorAccess | no
PowerUser     | iam:CreateRole                    | role/x                    | iam:PermissionsBoundary=@                   | no
Administrator | iam:CreateRole                    | role/app-x                | iam:PermissionsBoundary=@                   | yes
Administrator | iam:CreateRole                    | role/app-x                |                                             | no
Administrator | iam:CreateRole                    | role/x                    | iam:PermissionsBoundary=@                   | no
Deployer      | iam:CreateRole                    | role/app-x                | iam:PermissionsBoundary=@                   | yes
Deployer      | iam:CreateRole                    | role/app-x                |                                             | no
Deployer      | iam:CreateRole                    | role/app-x                | iam:PermissionsBoundary=arn:aws:iam::123456789012:policy/app-wide | no
ReadOnly      | iam:CreateRole                    | role/app-x                | iam:PermissionsBoundary=@                   | no
app           | iam:CreateRole                    | role/app-x                |                                             | no
app           | iam:CreateRole                    | role/app-x                | iam:PermissionsBoundary=@                   | yes
PowerUser     | iam:PutRolePermissionsBoundary    | role/app-x                | iam:PermissionsBoundary=@                   | yes
PowerUser     | iam:PutRolePermissionsBoundary    | role/app-x                | iam:PermissionsBoundary=arn:aws:iam::aws:policy/AdministratorAccess | no
PowerUser     | iam:PutRolePermissionsBoundary    | role/PowerUser            | iam:PermissionsBoundary=@                   | no
PowerUser     | iam:DeleteRolePermissionsBoundary | role/PowerUser            | iam:PermissionsBoundary=@                   | no
PowerUser     | iam:DeleteRolePermissionsBoundary | role/app-x                | iam:PermissionsBoundary=@                   | no
Administrator | iam:DeleteRolePermissionsBoundary | role/app-x                | iam:PermissionsBoundary=@                   | no
Administrator | iam:DeleteUserPermissionsBoundary | user/app-x                | iam:PermissionsBoundary=@                   | no
Administrator | iam:CreatePolicyVersion           | policy/overlord-boundary  |                                             | no
Administrator | iam:SetDefaultPolicyVersion       | policy/overlord-boundary  |                                             | no
PowerUser     | iam:CreatePolicyVersion           | policy/overlord-boundary  |                                             | no
PowerUser     | iam:DeletePolicy                  | policy/overlord-boundary  |                                             | no
app           | iam:CreatePolicyVersion           | policy/overlord-boundary  |                                             | no
PowerUser     | iam:CreatePolicyVersion           | policy/app-x              |                                             | yes

# The four roles, and those that are not the team's.
PowerUser     | iam:PutRolePolicy                 | role/Administrator        | iam:PermissionsBoundary=@                   | no
Administrator | iam:PutRolePolicy                 | role/Administrator        | iam:PermissionsBoundary=@                   | no
Deployer      | iam:PutRolePolicy                 | role/Deployer             | iam:PermissionsBoundary=@                   | no
app           | iam:PutRolePolicy                 | role/Administrator        | iam:PermissionsBoundary=@                   | no
PowerUser     | iam:AttachRolePolicy              | role/PowerUser            | iam:PermissionsBoundary=@ iam:PolicyARN=arn:aws:iam::aws:policy/AdministratorAccess | no
app           | iam:AttachRolePolicy              | role/app-x                | iam:PermissionsBoundary=@                   | yes
Deployer      | iam:AttachRolePolicy              | role/app-x                | iam:PermissionsBoundary=@                   | yes
Deployer      | iam:AttachRolePolicy              | role/app-x                |                                             | no
PowerUser     | iam:AttachRolePolicy              | role/app-x                |                                             | no
Administrator | iam:UpdateAssumeRolePolicy        | role/Administrator        |                                             | no
PowerUser     | iam:UpdateAssumeRolePolicy        | role/Administrator        |                                             | no
app           | iam:UpdateAssumeRolePolicy        | role/Administrator        |                                             | no
PowerUser     | iam:UpdateAssumeRolePolicy        | role/OrganizationAccountAccessRole |                                    | no
Administrator | iam:UpdateAssumeRolePolicy        | role/somebodys            |                                             | no
Administrator | iam:DeleteRole                    | role/ReadOnly             |                                             | no
Administrator | iam:DeleteRole                    | role/overlord-flow-logs   |                                             | no
Administrator | iam:DeleteRole                    | role/app-x                | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | iam:DeleteRole                    | role/app-x                |                                             | yes
PowerUser     | iam:TagRole                       | role/app-x                | aws:TagKeys=team                            | yes
PowerUser     | iam:TagRole                       | role/app-x                | aws:TagKeys=team,overlord:team              | no
PowerUser     | sts:AssumeRole                    | role/Administrator        |                                             | no
app           | sts:AssumeRole                    | role/Deployer             |                                             | no
Administrator | sts:AssumeRole                    | role/OrganizationAccountAccessRole |                                    | no
PowerUser     | sts:AssumeRole                    | arn:aws:iam::210987654321:role/OrganizationAccountAccessRole |          | no
PowerUser     | sts:AssumeRole                    | arn:aws:iam::210987654321:role/overlord-home |                          | no
Deployer      | sts:AssumeRole                    | arn:aws:iam::210987654321:role/reader |                                 | no
app           | sts:AssumeRole                    | arn:aws:iam::210987654321:role/reader |                                 | yes

# Users and sign-in.
Administrator | iam:CreateUser                    | user/app-x                |                                             | no
Administrator | iam:CreateUser                    | user/app-x                | iam:PermissionsBoundary=@                   | yes
Administrator | iam:CreateAccessKey               | user/app-x                |                                             | yes
Administrator | iam:CreateAccessKey               | user/somebody             |                                             | no
Administrator | iam:CreateLoginProfile            | user/somebody             |                                             | no
Administrator | iam:AddUserToGroup                | group/admins              |                                             | no
PowerUser     | iam:CreateUser                    | user/app-x                | iam:PermissionsBoundary=@                   | no
PowerUser     | iam:CreateUser                    | user/app-x                |                                             | no
PowerUser     | iam:CreateAccessKey               | user/somebody             |                                             | no
Deployer      | iam:CreateUser                    | user/app-x                | iam:PermissionsBoundary=@                   | no
app           | iam:CreateUser                    | user/app-x                |                                             | no
app           | iam:CreateAccessKey               | user/somebody             |                                             | no
Administrator | iam:UpdateSAMLProvider            | saml-provider/acme        |                                             | no
PowerUser     | iam:DeleteSAMLProvider            | saml-provider/acme        |                                             | no
Administrator | iam:CreateSAMLProvider            | saml-provider/mine        |                                             | no
Administrator | iam:CreateOpenIDConnectProvider   | oidc-provider/oidc.eks    |                                             | yes
ReadOnly      | iam:GetRole                       | role/Administrator        |                                             | yes
Administrator | iam:ListRoles                     | *                         |                                             | yes
Administrator | iam:EnableMFADevice               | user/somebody             |                                             | no
Administrator | iam:RemoveRoleFromInstanceProfile | instance-profile/x        |                                             | no

# Roles that are passed on.
PowerUser     | ec2:RunInstances                  | ec2 instance/*            | pass=role/Administrator>ec2.amazonaws.com   | no
PowerUser     | lambda:CreateFunction             | *                         | pass=role/Administrator>lambda.amazonaws.com | no
PowerUser     | lambda:CreateFunction             | *                         | pass=role/overlord-flow-logs>lambda.amazonaws.com | no
PowerUser     | lambda:CreateFunction             | *                         | pass=role/app-x>lambda.amazonaws.com        | yes
Administrator | ec2:RunInstances                  | ec2 instance/*            | pass=role/OrganizationAccountAccessRole>ec2.amazonaws.com | no
Deployer      | ec2:RunInstances                  | ec2 instance/*            | pass=role/app-x>ec2.amazonaws.com           | yes
Deployer      | ec2:RunInstances                  | ec2 instance/*            | pass=role/PowerUser>ec2.amazonaws.com       | no
Deployer      | iam:PassRole                      | role/app-x                | iam:PassedToService=lambda.amazonaws.com    | no
app           | lambda:CreateFunction             | *                         | pass=role/PowerUser>lambda.amazonaws.com    | no
PowerUser     | iam:AddRoleToInstanceProfile      | instance-profile/app-x    | pass=role/Administrator>ec2.amazonaws.com   | no
PowerUser     | iam:CreateServiceLinkedRole       | role/aws-service-role/es.amazonaws.com/x | iam:AWSServiceName=es.amazonaws.com | yes
Deployer      | iam:CreateServiceLinkedRole       | role/aws-service-role/spot.amazonaws.com/x | iam:AWSServiceName=spot.amazonaws.com | yes
Deployer      | iam:CreateServiceLinkedRole       | role/aws-service-role/es.amazonaws.com/x | iam:AWSServiceName=es.amazonaws.com | no
ReadOnly      | iam:CreateServiceLinkedRole       | role/aws-service-role/es.amazonaws.com/x | iam:AWSServiceName=es.amazonaws.com | no

# The trail, its bucket, the account's settings, the organization.
Administrator | cloudtrail:StopLogging            | arn:aws:cloudtrail:eu-west-1:123456789012:trail/overlord |              | no
PowerUser     | cloudtrail:DeleteTrail            | arn:aws:cloudtrail:eu-west-1:123456789012:trail/overlord |              | no
app           | cloudtrail:PutEventSelectors      | arn:aws:cloudtrail:eu-west-1:123456789012:trail/overlord |              | no
PowerUser     | cloudtrail:LookupEvents           | *                         |                                             | yes
Administrator | s3:DeleteObject                   | arn:aws:s3:::TRAIL/AWSLogs/x |                                          | no
Administrator | s3:DeleteObjectVersion            | arn:aws:s3:::TRAIL/AWSLogs/x |                                          | no
PowerUser     | s3:PutBucketPolicy                | arn:aws:s3:::TRAIL        |                                             | no
PowerUser     | s3:PutLifecycleConfiguration      | arn:aws:s3:::TRAIL        |                                             | no
app           | s3:DeleteBucket                   | arn:aws:s3:::TRAIL        |                                             | no
Administrator | s3:GetObject                      | arn:aws:s3:::TRAIL/AWSLogs/x |                                          | yes
PowerUser     | s3:DeleteObject                   | arn:aws:s3:::shop/x       |                                             | yes
Administrator | ec2:ModifyInstanceMetadataDefaults | *                        |                                             | no
Administrator | ec2:DisableEbsEncryptionByDefault | *                         |                                             | no
PowerUser     | s3:PutAccountPublicAccessBlock    | *                         |                                             | no
Administrator | iam:UpdateAccountPasswordPolicy   | *                         |                                             | no
Administrator | iam:DeleteAccountAlias            | *                         |                                             | no
Administrator | iam:CreateAccountAlias            | *                         |                                             | no
Administrator | organizations:LeaveOrganization   | *                         |                                             | no
Administrator | organizations:DescribeOrganization | *                        |                                             | yes
Administrator | account:CloseAccount              | *                         |                                             | no
Administrator | account:PutContactInformation     | *                         |                                             | no
Administrator | budgets:ModifyBudget              | *                         |                                             | no
ReadOnly      | budgets:ViewBudget                | *                         |                                             | yes
ReadOnly      | budgets:DescribeBudgets           | *                         |                                             | yes
PowerUser     | logs:DeleteLogGroup               | arn:aws:logs:eu-west-1:123456789012:log-group:/overlord/red/flows |     | no
PowerUser     | ssm:PutParameter                  | arn:aws:ssm:eu-west-1:123456789012:parameter/overlord/acme/teams/red |  | no

# The network.
Administrator | ec2:DeleteVpc                     | ec2 vpc/vpc-1             |                                             | no
Administrator | ec2:CreateRoute                   | ec2 route-table/rtb-1     |                                             | no
PowerUser     | ec2:CreateVpcPeeringConnection    | ec2 vpc/vpc-1             |                                             | no
PowerUser     | ec2:DescribeVpcs                  | *                         |                                             | yes
ReadOnly      | ec2:DescribeRouteTables           | *                         |                                             | yes
PowerUser     | ec2:TerminateInstances            | ec2 instance/i-1          |                                             | yes
PowerUser     | ec2:TerminateInstances            | ec2 instance/i-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:AuthorizeSecurityGroupIngress | ec2 security-group/sg-1   |                                             | yes
PowerUser     | ec2:AuthorizeSecurityGroupIngress | ec2 security-group/sg-1   | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:DeleteTags                    | ec2 vpc/vpc-1             | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:RunInstances                  | ec2 subnet/subnet-1       | aws:ResourceTag/overlord:organization=acme  | yes
PowerUser     | ec2:CreateSecurityGroup           | ec2 vpc/vpc-1             | aws:ResourceTag/overlord:organization=acme  | yes
PowerUser     | ec2:CreateVpcEndpoint             | ec2 vpc/vpc-1             | aws:ResourceTag/overlord:organization=acme  | yes
PowerUser     | ec2:AssignPrivateIpAddresses      | ec2 network-interface/eni-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:AssociateAddress              | ec2 elastic-ip/eipalloc-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:AttachNetworkInterface        | ec2 instance/i-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:CreateTags                    | ec2 subnet/subnet-1       | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:DeleteNetworkInterface        | ec2 network-interface/eni-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:DeleteSecurityGroup           | ec2 security-group/sg-1   | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:DeleteVolume                  | ec2 volume/vol-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:DeleteVpcEndpoints            | ec2 vpc-endpoint/vpce-1   | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:DetachNetworkInterface        | ec2 instance/i-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:DisassociateAddress           | ec2 elastic-ip/eipalloc-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:EnableAddressTransfer         | ec2 elastic-ip/eipalloc-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifyAddressAttribute        | ec2 elastic-ip/eipalloc-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifyInstanceAttribute       | ec2 instance/i-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifyInstanceMetadataOptions | ec2 instance/i-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifyNetworkInterfaceAttribute | ec2 network-interface/eni-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifySecurityGroupRules      | ec2 security-group/sg-1   | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifyVolume                  | ec2 volume/vol-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:RebootInstances               | ec2 instance/i-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ReleaseAddress                | ec2 elastic-ip/eipalloc-1 | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:RevokeSecurityGroupIngress    | ec2 security-group/sg-1   | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:StopInstances                 | ec2 instance/i-1          | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:UpdateSecurityGroupRuleDescriptionsIngress | ec2 security-group/sg-1   | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifyVpcEndpoint             | ec2 vpc-endpoint/vpce-1   | aws:ResourceTag/overlord:organization=acme  | no
PowerUser     | ec2:ModifyVpcEndpoint             | ec2 subnet/subnet-1       | aws:ResourceTag/overlord:organization=acme  | yes
PowerUser     | ec2:ModifyVpcEndpoint             | ec2 route-table/rtb-1     | aws:ResourceTag/overlord:organization=acme  | yes
PowerUser     | ec2:ModifyFleet                   | ec2 subnet/subnet-1       | aws:ResourceTag/overlord:organization=acme  | yes
PowerUser     | ec2:CreateNetworkInterface        | ec2 subnet/subnet-1       | aws:ResourceTag/overlord:organization=acme  | yes
PowerUser     | ec2:ModifyVpcEndpoint             | ec2 vpc-endpoint/vpce-1   |                                             | yes
PowerUser     | ec2:ModifySubnetAttribute         | ec2 subnet/subnet-1       |                                             | no

# Names in DNS.
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A,AAAA route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.red.example.org,\052.red.example.org | yes
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=red.example.org | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.blue.example.org | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.red.example.org,blue.example.org | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.myred.example.org | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.red.example.org | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 |                                             | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=CNAME route53:ChangeResourceRecordSetsNormalizedRecordNames=_x.red.example.org | no
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=NS route53:ChangeResourceRecordSetsNormalizedRecordNames=dev.red.example.org | yes
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=MX route53:ChangeResourceRecordSetsNormalizedRecordNames=red.example.org | yes
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.example.com | yes
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=myexample.org | yes
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=NS route53:ChangeResourceRecordSetsNormalizedRecordNames=blue.example.org | no
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=MX route53:ChangeResourceRecordSetsNormalizedRecordNames=example.org | no
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=NS route53:ChangeResourceRecordSetsNormalizedRecordNames=red.example.org,blue.example.org | no
Administrator | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=NS route53:ChangeResourceRecordSetsNormalizedRecordNames=blue.example.org | no
app           | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=www.example.org | no
app           | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A,TXT route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.red.example.org,red.example.org | yes
app           | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A route53:ChangeResourceRecordSetsNormalizedRecordNames=shop.example.net | yes

# Leases and the history: written by whoever deploys, deleted by nobody.
Deployer      | ssm:PutParameter                  | arn:aws:ssm:eu-west-1:123456789012:parameter/minion/vpc-1/leases/shop |              | yes
Deployer      | ssm:DeleteParameters              | arn:aws:ssm:eu-west-1:123456789012:parameter/minion/vpc-1/leases/shop |              | yes
Deployer      | logs:CreateLogGroup               | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history | aws:TagKeys=managed-by | yes
Deployer      | logs:CreateLogStream              | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history:log-stream:shop | | yes
Deployer      | logs:PutLogEvents                 | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history:log-stream:shop | | yes
Deployer      | logs:PutLogEvents                 | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/shop:log-stream:i-1 | | no
Deployer      | logs:GetLogEvents                 | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history:log-stream:shop | | yes
Deployer      | logs:DeleteLogGroup               | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history |                | no
Deployer      | logs:PutRetentionPolicy           | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history |                | no
Deployer      | logs:DeleteLogGroup               | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/shop | | yes
PowerUser     | logs:DeleteLogStream              | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history:log-stream:shop | | no
PowerUser     | logs:PutLogEvents                 | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history:log-stream:shop | | yes
Administrator | logs:DeleteLogGroup               | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history |                | no
Administrator | logs:PutRetentionPolicy           | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history |                | no
app           | logs:DeleteLogGroup               | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history |                | no
ReadOnly      | logs:GetLogEvents                 | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history:log-stream:shop | | yes
ReadOnly      | logs:PutLogEvents                 | arn:aws:logs:eu-west-1:123456789012:log-group:/minion/vpc-1/history:log-stream:shop | | no

# What each is for.
PowerUser     | rds:CreateDBInstance              | *                         |                                             | yes
PowerUser     | s3:CreateBucket                   | arn:aws:s3:::shop         |                                             | yes
PowerUser     | kms:CreateKey                     | *                         |                                             | yes
PowerUser     | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 |                                       | yes
app           | dynamodb:PutItem                  | *                         |                                             | yes
app           | secretsmanager:GetSecretValue     | *                         |                                             | yes
Deployer      | s3:GetObject                      | arn:aws:s3:::shop/x       |                                             | no
Deployer      | secretsmanager:GetSecretValue     | *                         |                                             | no
Deployer      | ec2:DeleteSecurityGroup           | ec2 security-group/sg-1   |                                             | no
Deployer      | ec2:DeleteSecurityGroup           | ec2 security-group/sg-1   | aws:ResourceTag/managed-by=minion           | yes
Deployer      | ec2:CreateTags                    | ec2 security-group/sg-1   |                                             | no
Deployer      | ec2:TerminateInstances            | ec2 instance/i-1          | aws:ResourceTag/managed-by=minion           | no
Deployer      | ssm:PutParameter                  | arn:aws:ssm:eu-west-1:123456789012:parameter/minion/vpc-1/applications/x | | yes
Deployer      | ssm:PutParameter                  | arn:aws:ssm:eu-west-1:123456789012:parameter/other |                    | no
Deployer      | logs:DeleteLogGroup               | arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/x |           | no
Deployer      | autoscaling:DeleteAutoScalingGroup | arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:1:autoScalingGroupName/web | | no
Deployer      | elasticloadbalancing:DeleteLoadBalancer | arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1 | | no
Deployer      | route53:ChangeResourceRecordSets  | arn:aws:route53:::hostedzone/Z1 | route53:ChangeResourceRecordSetsRecordTypes=A,NS | no
ReadOnly      | logs:GetLogEvents                 | *                         |                                             | yes
ReadOnly      | s3:GetObject                      | arn:aws:s3:::shop/x       |                                             | no
ReadOnly      | secretsmanager:GetSecretValue     | *                         |                                             | no
ReadOnly      | ssm:GetParameters                 | arn:aws:ssm:eu-west-1:123456789012:parameter/minion/vpc-1/settings |    | yes
ReadOnly      | ssm:GetParameters                 | arn:aws:ssm:eu-west-1:123456789012:parameter/secret |                   | no
ReadOnly      | ssm:PutParameter                  | arn:aws:ssm:eu-west-1:123456789012:parameter/minion/vpc-1/settings |    | no
ReadOnly      | ec2:RunInstances                  | ec2 instance/*            |                                             | no
";

struct Row {
    line: String,
    who: String,
    call: Call,
    allowed: bool,
}

fn arn(short: &str) -> String {
    let short = short.replace("TRAIL", BUCKET);
    match short.split_once(' ') {
        _ if short.starts_with("arn:") => short,
        Some((service, what)) => format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{what}"),
        None => format!("arn:aws:iam::{ACCOUNT}:{short}"),
    }
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let [who, action, resource, context, answer] =
        line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"));
    let mut call = Call { action: action.into(), ..Call::default() };
    if resource != "*" {
        call.resources.push(arn(resource));
    }
    for pair in context.split_whitespace() {
        let (key, value) = pair.split_once('=').unwrap();
        match (key, value) {
            ("pass", value) => {
                let (role, service) = value.split_once('>').unwrap();
                call.passes = Some((arn(role), service.to_owned()));
            }
            (key, "@") => call.context.push((key.into(), vec![BOUNDARY.into()])),
            (key, value) => call.context.push((key.into(), value.split(',').map(str::to_owned).collect())),
        }
    }
    let allowed = match answer {
        "yes" => true,
        "no" => false,
        other => panic!("{other}: {line}"),
    };
    Row { line: line.into(), who: who.into(), call, allowed }
}

/// The rows whose answer is another one.
fn wrong<'r>(rows: &'r [Row], identities: &BTreeMap<&str, Identity>) -> Vec<&'r str> {
    let other = |row: &&Row| identities[row.who.as_str()].may(&row.call) != row.allowed;
    rows.iter().filter(other).map(|row| row.line.as_str()).collect()
}

fn identities() -> BTreeMap<&'static str, Identity> {
    identities_within(&policies::boundary(&input()))
}

fn identities_within(boundary: &Value) -> BTreeMap<&'static str, Identity> {
    let roles = [policies::ADMINISTRATOR, policies::POWER_USER, policies::READ_ONLY, policies::DEPLOYER, "app"];
    roles.into_iter().map(|role| (role, Identity::new(&policy_of(role), boundary))).collect()
}

#[test]
fn who_may_do_what() {
    let rows = rows();
    assert!(rows.len() >= 60, "{}", rows.len());
    let wrong = wrong(&rows, &identities());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each statement of the boundary decides something in the table or in the list below: none could be left out.
#[test]
fn every_statement_of_the_boundary_counts() {
    let (rows, whole) = (rows(), policies::boundary(&input()));
    let count = whole["Statement"].as_array().unwrap().len();
    for n in 0..count {
        let mut less = whole.clone();
        let gone = less["Statement"].as_array_mut().unwrap().remove(n);
        let identities = identities_within(&less);
        let opened = never().iter().any(|call| identities["app"].may(call));
        assert!(opened || !wrong(&rows, &identities).is_empty(), "nothing tries {gone}");
    }
}

/// Each action of the boundary's lists of writes is one of those that are tried, and each pattern closes one of them.
#[test]
fn every_pattern_of_the_boundary_closes_something() {
    let policy = policies::boundary(&input());
    let tried: Vec<String> = never().into_iter().chain(rows().into_iter().map(|r| r.call)).map(|c| c.action).collect();
    let matches = |pattern: &str, action: &str| match pattern.split('*').collect::<Vec<_>>()[..] {
        [one] => one == action,
        [start, end] => action.len() >= pattern.len() - 1 && action.starts_with(start) && action.ends_with(end),
        [start, middle, end] => action.starts_with(start) && action.ends_with(end) && action.contains(middle),
        _ => panic!("{pattern}"),
    };
    let mut idle = Vec::new();
    for statement in policy["Statement"].as_array().unwrap() {
        if !matches!(statement["Sid"].as_str(), Some("Network" | "Settings" | "Overlords")) {
            continue;
        }
        for pattern in statement["Action"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()) {
            if !tried.iter().any(|action| matches(pattern, action)) {
                idle.push(pattern);
            }
        }
    }
    assert!(idle.is_empty(), "nothing tries {idle:?}");
}

/// What nobody may, on anything, whatever else AWS knows: action, and an ARN where it knows one.
const NEVER: &str = "
ec2:CreateVpc ec2:DeleteVpc ec2:CreateDefaultVpc ec2:ModifyVpcAttribute ec2:ModifyVpcTenancy ec2:AssociateVpcCidrBlock
ec2:DisassociateVpcCidrBlock ec2:CreateSubnet ec2:DeleteSubnet ec2:ModifySubnetAttribute ec2:CreateDefaultSubnet
ec2:AssociateSubnetCidrBlock ec2:CreateRouteTable ec2:DeleteRouteTable ec2:CreateRoute ec2:DeleteRoute ec2:ReplaceRoute
ec2:AssociateRouteTable ec2:DisassociateRouteTable ec2:ReplaceRouteTableAssociation ec2:EnableVgwRoutePropagation
ec2:DisableVgwRoutePropagation ec2:CreateInternetGateway ec2:DeleteInternetGateway ec2:AttachInternetGateway
ec2:DetachInternetGateway ec2:CreateEgressOnlyInternetGateway ec2:DeleteEgressOnlyInternetGateway ec2:CreateNatGateway
ec2:DeleteNatGateway ec2:AssociateNatGatewayAddress ec2:DisassociateNatGatewayAddress ec2:AssignPrivateNatGatewayAddress
ec2:CreateVpcPeeringConnection ec2:AcceptVpcPeeringConnection ec2:DeleteVpcPeeringConnection
ec2:RejectVpcPeeringConnection ec2:ModifyVpcPeeringConnectionOptions ec2:CreateTransitGateway ec2:DeleteTransitGateway
ec2:ModifyTransitGateway ec2:CreateTransitGatewayVpcAttachment ec2:DeleteTransitGatewayVpcAttachment
ec2:ModifyTransitGatewayVpcAttachment ec2:AcceptTransitGatewayVpcAttachment ec2:RejectTransitGatewayVpcAttachment
ec2:CreateTransitGatewayRoute ec2:DeleteTransitGatewayRoute ec2:ReplaceTransitGatewayRoute
ec2:AssociateTransitGatewayRouteTable ec2:DisassociateTransitGatewayRouteTable
ec2:EnableTransitGatewayRouteTablePropagation ec2:DisableTransitGatewayRouteTablePropagation ec2:CreateVpnGateway
ec2:DeleteVpnGateway ec2:AttachVpnGateway ec2:DetachVpnGateway ec2:CreateVpnConnection ec2:DeleteVpnConnection
ec2:ModifyVpnConnection ec2:CreateVpnConnectionRoute ec2:DeleteVpnConnectionRoute ec2:CreateCustomerGateway
ec2:DeleteCustomerGateway ec2:CreateClientVpnEndpoint ec2:CreateDhcpOptions ec2:DeleteDhcpOptions
ec2:AssociateDhcpOptions ec2:CreateFlowLogs ec2:DeleteFlowLogs ec2:CreateNetworkAcl ec2:DeleteNetworkAcl
ec2:CreateNetworkAclEntry ec2:ModifyRouteServer ec2:ModifyVpcBlockPublicAccessOptions ec2:ModifyVpcEncryptionControl
ec2:AssociateSecurityGroupVpc
ec2:DisassociateSecurityGroupVpc ec2:MoveAddressToVpc ec2:RegisterTransitGatewayMulticastGroupMembers ec2:ReplaceVpnTunnel cloudtrail:AddTags cloudtrail:CreateTrail
cloudtrail:RemoveTags ec2:DisableImageBlockPublicAccess ec2:DisableSnapshotBlockPublicAccess
ec2:EnableSerialConsoleAccess ec2:ResetEbsDefaultKmsKeyId ec2:ReplaceNetworkAclEntry ec2:DeleteNetworkAclEntry ec2:ReplaceNetworkAclAssociation
cloudtrail:StopLogging cloudtrail:DeleteTrail cloudtrail:UpdateTrail cloudtrail:PutEventSelectors
cloudtrail:PutInsightSelectors ec2:DisableEbsEncryptionByDefault ec2:ModifyEbsDefaultKmsKeyId
ec2:ModifyInstanceMetadataDefaults s3:PutAccountPublicAccessBlock iam:UpdateAccountPasswordPolicy
iam:DeleteAccountPasswordPolicy iam:CreateAccountAlias iam:DeleteAccountAlias iam:DeleteRolePermissionsBoundary
iam:DeleteUserPermissionsBoundary organizations:LeaveOrganization organizations:CreateAccount account:CloseAccount
account:PutAlternateContact account:DisableRegion billing:UpdateBillingPreferences budgets:ModifyBudget
payments:UpdatePaymentPreferences ram:DisassociateResourceShare ram:CreateResourceShare sso:CreateInstance
iam:CreateSAMLProvider@saml-provider/acme iam:UpdateSAMLProvider@saml-provider/acme
iam:DeleteSAMLProvider@saml-provider/acme iam:CreatePolicyVersion@policy/overlord-boundary
iam:DeletePolicyVersion@policy/overlord-boundary iam:SetDefaultPolicyVersion@policy/overlord-boundary
iam:DeletePolicy@policy/overlord-boundary iam:UntagPolicy@policy/overlord-boundary
iam:UpdateAssumeRolePolicy@role/Administrator iam:PutRolePolicy@role/PowerUser iam:AttachRolePolicy@role/ReadOnly
iam:DeleteRole@role/Deployer iam:TagRole@role/Administrator iam:UpdateRole@role/Deployer
iam:DetachRolePolicy@role/Administrator iam:PutRolePermissionsBoundary@role/Administrator
iam:PassRole@role/Administrator iam:PassRole@role/PowerUser iam:PassRole@role/ReadOnly iam:PassRole@role/Deployer
iam:PassRole@role/overlord-flow-logs iam:PassRole@role/OrganizationAccountAccessRole
iam:UpdateAssumeRolePolicy@role/OrganizationAccountAccessRole iam:PutRolePolicy@role/overlord-flow-logs
iam:CreateRole@role/overlord-x iam:CreateAccessKey@user/somebody iam:AttachGroupPolicy@group/admins
iam:PutGroupPolicy@group/admins iam:AddUserToGroup@group/admins sts:AssumeRole@role/Administrator
sts:AssumeRole@role/OrganizationAccountAccessRole
s3:DeleteObject@arn:aws:s3:::TRAIL/x s3:PutObject@arn:aws:s3:::TRAIL/x s3:DeleteObjectVersion@arn:aws:s3:::TRAIL/x
s3:PutBucketPolicy@arn:aws:s3:::TRAIL s3:DeleteBucketPolicy@arn:aws:s3:::TRAIL s3:DeleteBucket@arn:aws:s3:::TRAIL
s3:PutBucketVersioning@arn:aws:s3:::TRAIL s3:PutLifecycleConfiguration@arn:aws:s3:::TRAIL
s3:PutBucketPublicAccessBlock@arn:aws:s3:::TRAIL s3:BypassGovernanceRetention@arn:aws:s3:::TRAIL/x
";

fn never() -> Vec<Call> {
    let call = |text: &str| match text.split_once('@') {
        Some((action, on)) => Call { action: action.into(), resources: vec![arn(on)], ..Call::default() },
        None => Call { action: text.into(), ..Call::default() },
    };
    NEVER.split_whitespace().map(call).collect()
}

#[test]
fn what_looks_at_the_network_is_allowed() {
    let app = &identities()["app"];
    for action in [
        "DescribeVpcs",
        "DescribeVpcAttribute",
        "DescribeSubnets",
        "DescribeRouteTables",
        "DescribeInternetGateways",
        "DescribeEgressOnlyInternetGateways",
        "DescribeNatGateways",
        "DescribeVpcPeeringConnections",
        "DescribeTransitGateways",
        "DescribeTransitGatewayAttachments",
        "SearchTransitGatewayRoutes",
        "DescribeVpnConnections",
        "DescribeVpnGateways",
        "DescribeCustomerGateways",
        "DescribeDhcpOptions",
        "DescribeFlowLogs",
        "DescribeNetworkAcls",
        "DescribeVpcEndpoints",
        "GetEbsEncryptionByDefault",
        "GetInstanceMetadataDefaults",
        "CreateVpcEndpoint",
        "CreateNetworkInterface",
        "AllocateAddress",
        "AssociateAddress",
        "CreateSecurityGroup",
        "CreateVolume",
        "ModifyInstanceAttribute",
    ] {
        assert!(app.may(&Call { action: format!("ec2:{action}"), ..Call::default() }), "{action}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// An application's role with everything, and the administrator: no context opens what the boundary closes.
    #[test]
    fn nobody_may_what_the_boundary_forbids(
        tags in proptest::collection::btree_map("(minion|app|team):?[a-z]{0,6}", "[a-z]{0,8}", 0..4),
        bounded in any::<bool>(),
        somewhere in "[a-z0-9-]{1,20}",
        service in "(ec2|lambda|ecs-tasks|glue)\\.amazonaws\\.com",
    ) {
        let identities = identities();
        let mut context: Vec<(String, Vec<String>)> = vec![("iam:PassedToService".into(), vec![service])];
        for by in ["RequestTag", "ResourceTag"] {
            context.extend(tags.iter().map(|(key, value)| (format!("aws:{by}/{key}"), vec![value.clone()])));
        }
        context.push(("aws:TagKeys".into(), tags.keys().cloned().collect()));
        if bounded {
            context.push(("iam:PermissionsBoundary".into(), vec![BOUNDARY.into()]));
        }
        for call in never() {
            let mut call = Call { context: context.clone(), ..call };
            // Of what is forbidden on anything: nothing, or some thing.
            if call.resources.is_empty() && !tags.is_empty() {
                let service = call.action.split(':').next().unwrap();
                call.resources.push(format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:thing/{somewhere}"));
            }
            for who in ["app", "Administrator", "PowerUser", "Deployer"] {
                prop_assert!(!identities[who].may(&call), "{who}: {call:?}");
            }
        }
    }
}
