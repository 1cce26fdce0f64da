//! Who may do what in a team's account: the permissions boundary and the policies of the four roles.
//!
//! What must hold for everybody stands in the boundary, as explicit denials: the roles, and all roles that they make
//! for applications, carry it. Each role's own policy then says what the role is for.
//!
//! Roles, users, policies and instance profiles of applications are called `app-*`. Everything else in IAM is not the
//! team's to write, so that no role without the boundary can be taken over: neither those that `overlord` made, nor the
//! one by which the organization reaches the account.
mod boundary;
mod deployer;
mod roles;

pub use boundary::boundary;
pub use deployer::deployer;
pub use roles::{administrator, power_user, read_only};

use serde_json::{Value, json};

/// The managed policy that is the permissions boundary.
pub const BOUNDARY: &str = "overlord-boundary";
/// The role for whoever is in charge of the account.
pub const ADMINISTRATOR: &str = "Administrator";
/// The role for developers.
pub const POWER_USER: &str = "PowerUser";
/// The role for a look.
pub const READ_ONLY: &str = "ReadOnly";
/// The role for `minion`.
pub const DEPLOYER: &str = "Deployer";
/// The name of the inline policy of each role.
pub const INLINE: &str = "overlord";

/// What names in policies begin with: those of applications, and those of `overlord`.
const APPLICATIONS: &str = "app-*";
const OVERLORD: &str = "overlord-*";

/// The log groups with the history of applications, and their streams.
const HISTORY: &str = "log-group:/minion/vpc-*/history*";

/// The account that policies are for.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: &'a str,
    /// The account's number.
    pub account: &'a str,
    /// The organization's name.
    pub organization: &'a str,
    /// The team's name.
    pub team: &'a str,
    /// The ARN of the boundary itself.
    pub boundary_arn: &'a str,
    /// The bucket of the audit trail, when there is one.
    pub trail_bucket: Option<&'a str>,
    /// The team's domains: `red.example.org`. Small letters, no final dot.
    pub domains: &'a [&'a str],
    /// The organization's domains that they are below: `example.org`.
    pub parents: &'a [&'a str],
}

/// Names of the records that a call changes: small letters, no final dots (Route 53, "Normalizing condition key values").
const RECORD_NAMES: &str = "route53:ChangeResourceRecordSetsNormalizedRecordNames";

impl Input<'_> {
    /// The ARN of something in IAM: `role/app-*`.
    fn iam(&self, what: &str) -> String {
        format!("arn:{}:iam::{}:{what}", self.partition, self.account)
    }
    /// The ARN of something in all regions: `log-group:/minion/*` of `logs`.
    fn regional(&self, service: &str, what: &str) -> String {
        format!("arn:{}:{service}:*:{}:{what}", self.partition, self.account)
    }
    /// The ARNs of what applications have in IAM.
    fn of_applications(&self, kinds: &[&str]) -> Vec<String> {
        kinds.iter().map(|kind| self.iam(&format!("{kind}/{APPLICATIONS}"))).collect()
    }
    /// The condition that the role or user has, or gets, the boundary.
    fn bounded(&self) -> Value {
        json!({ "StringEquals": { "iam:PermissionsBoundary": self.boundary_arn } })
    }
}

/// Patterns for the domains and for all names below them.
fn at_and_below(domains: &[&str]) -> Vec<String> {
    domains.iter().flat_map(|d| [(*d).to_owned(), format!("*.{d}")]).collect()
}

/// What the role of the flow logs may do: write to their log group, of this ARN ("IAM role for publishing flow logs to
/// CloudWatch Logs", VPC user guide; the group exists already).
pub fn flow_logs(group: &str) -> Value {
    document(vec![json!({
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
        "Resource": [group, format!("{group}:*")]
    })])
}

fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Whatever changes what a role or user may do, and can be asked for its boundary (Service Authorization Reference of
/// IAM, condition key `iam:PermissionsBoundary`).
const ROLES_BOUNDED: [&str; 6] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
];
/// As [`ROLES_BOUNDED`], of users.
const USERS_BOUNDED: [&str; 6] = [
    "iam:AttachUserPolicy",
    "iam:CreateUser",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
];
