//! What is to be known of each AWS operation that is called, said once: how often it may be done, what "not there" is
//! called, what passes by itself, its quota, and what AWS checks inside it.
//!
//! One row an operation, tied to the SDK's error by [`Called`]: where an answer is told ([`super::Told`]), its row is
//! known. Permissions pages, policies, hints of denied calls, retries and the torture tests follow from the table;
//! AWS's service authorization reference has to know each action in it (`overlord-cli/tests/policies`).
//!
//! Sources of what is checked inside: "Elastic Load Balancing API permissions" and the managed policy
//! `ElasticLoadBalancingFullAccess` (version of February 2026; `ec2:GetSecurityGroupsForVpc` is in that one alone, see
//! kubernetes-sigs/aws-load-balancer-controller#3917); "Amazon EC2 Auto Scaling API permissions"; "Grant permission to
//! tag Amazon EC2 resources during creation"; "IAM role for publishing flow logs to CloudWatch Logs"; "Use
//! service-linked roles for transit gateways"; "Grant a user permissions to pass a role to an AWS service"; "Private
//! registry authentication in Amazon ECR"; RAM's "Error: AccessDeniedException"; the Service Authorization Reference
//! for all that is tagged when it is created. Of codes: "Error codes for the Amazon EC2 API", and the "Errors" of each
//! operation's page.
use super::quotas::Quota;

/// A permission that AWS checks inside a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inside {
    /// The action: `ec2:DescribeSubnets`.
    pub action: &'static str,
    /// What of the call needs it: the end of a sentence that begins with the action.
    pub why: &'static str,
}

const fn inside(action: &'static str, why: &'static str) -> Inside {
    Inside { action, why }
}

/// The permission to tag what a call creates with tags.
const fn tagging(action: &'static str) -> Inside {
    inside(action, "tags in the creating call")
}

const LINKED: &str = "the first load balancer, Auto Scaling group, Spot instance or transit gateway attachment of an \
                      account, unless its service-linked role exists (`overlord team create` creates them)";

/// How often an operation may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing.
    Read,
    /// Doing it twice is the same as doing it once.
    Set,
    /// As `Set`; and what has the name afterwards is another one.
    End,
    /// Before it is repeated, somebody must look for what it did. Also what AWS makes idempotent by a client token
    /// ([`super::Cloud::token`]).
    Make,
}

/// A service, as the SDK and as IAM have it.
#[derive(Debug)]
struct Service {
    /// The client of [`super::Cloud`]: `elb`.
    client: &'static str,
    /// As the SDK calls it: `Elastic Load Balancing v2`.
    name: &'static str,
    /// As IAM and signatures call it: `elasticloadbalancing`.
    prefix: &'static str,
    /// Codes of what passes by itself, whatever the operation is.
    passes: &'static [&'static str],
}

/// An operation of AWS.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `ec2:RunInstances`. Of S3, where operations have other names than IAM's actions, mostly the action.
    pub name: &'static str,
    /// How often it may be done.
    pub effect: Effect,
    /// AWS's codes for what is not there.
    pub gone: &'static [&'static str],
    /// AWS's codes for what is done already: for it is there, or somebody is about it.
    pub there: &'static [&'static str],
    /// AWS's codes for what some part of AWS does not see yet, where the call is made again in its place: see
    /// `resources::network`.
    pub unseen: &'static [&'static str],
    /// AWS's codes for what passes by itself: it is tried again after another look.
    pub passes: &'static [&'static str],
    /// The quota that is meant when the code only says that one is reached.
    pub quota: Option<Quota>,
    /// What is checked in addition to its own action, in the order of names.
    pub inside: &'static [Inside],
    /// IAM's action, where it is not called as the operation is.
    action: Option<&'static str>,
    /// As the SDK calls it.
    sdk: &'static str,
    /// The client's method.
    method: &'static str,
    service: &'static Service,
}

impl Operation {
    const fn new(
        effect: Effect,
        name: &'static str,
        sdk: &'static str,
        method: &'static str,
        of: &'static Service,
    ) -> Self {
        let (none, inside): (&[&str], &[Inside]) = (&[], &[]);
        let (gone, there, unseen, passes) = (none, none, none, none);
        Self { name, effect, gone, there, unseen, passes, quota: None, inside, action: None, sdk, method, service: of }
    }
    /// IAM's action.
    pub fn action(&self) -> &'static str {
        self.action.unwrap_or(self.name)
    }
    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        self.effect == Effect::Read
    }
    /// Whether doing it twice is the same as doing it once.
    pub fn is_repeatable(&self) -> bool {
        self.effect != Effect::Make
    }
    /// As the SDK calls it: `RunInstances`.
    pub fn sdk(&self) -> &'static str {
        self.sdk
    }
    /// Client of [`super::Cloud`] and its method: `ec2`, `run_instances`.
    pub fn call(&self) -> (&'static str, &'static str) {
        (self.service.client, self.method)
    }
    /// Whether what AWS answered with this code passes by itself.
    pub(super) fn passes(&self, code: &str) -> bool {
        self.passes.contains(&code) || self.service.passes.contains(&code)
    }
}

/// The SDK's error of an operation: says which one it is.
pub trait Called {
    /// Its row.
    const OPERATION: &'static Operation;
}

/// The name of the operation with this error.
pub(crate) const fn name_of<E: Called>() -> &'static str {
    E::OPERATION.name
}

/// The rows of a service: crate and client, the SDK's name and IAM's, the codes of what passes whatever the operation;
/// then the operations by name. Each is a type, too: the SDK's error, `ec2::RunInstances`.
macro_rules! operations {
    ($sdk:ident, $client:ident, $service:literal, $prefix:literal, [$($passes:literal),*];
     $($effect:ident $op:ident $(as $name:literal)? $({ $($column:ident: $value:expr),* $(,)? })?;)*) => {
        pastey::paste! {
            const SERVICE: &Service =
                &Service { client: stringify!($client), name: $service, prefix: $prefix, passes: &[$($passes),*] };
            pub(in crate::cloud::operations) const ROWS: &[&Operation] = &[$($op::OPERATION),*];
            $(
                #[doc = concat!("`", $prefix, ":", stringify!($op), "`")]
                // The SDK's modules write abbreviations as words.
                pub type $op =
                    $sdk::operation::[<$op:replace("SAML", "Saml"):replace("VPC", "Vpc"):snake>]::[<$op Error>];
                impl Called for $op {
                    const OPERATION: &'static Operation = &Operation {
                        $($($column: $value,)*)?
                        ..Operation::new(
                            Effect::[<$effect:camel>],
                            [$($name,)? concat!($prefix, ":", stringify!($op))][0],
                            stringify!($op),
                            stringify!([<$op:replace("SAML", "Saml"):replace("VPC", "Vpc"):snake>]),
                            SERVICE,
                        )
                    };
                }
            )*
        }
    };
}

/// A module for each service.
macro_rules! services {
    ($($(#[$doc:meta])* $client:ident: $sdk:ident, $service:literal, $prefix:literal, $passes:tt { $($rows:tt)* })*) => {
        $(
            $(#[$doc])*
            pub mod $client {
                use super::*;
                operations! { $sdk, $client, $service, $prefix, $passes; $($rows)* }
            }
        )*
        pub(super) const SERVICES: &[&[&Operation]] = &[$($client::ROWS),*];
    };
}

pub mod ec2;
mod services;

pub use services::*;

/// All that are called.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    services::SERVICES.iter().chain([&ec2::ROWS]).copied().flatten().copied()
}

/// By its name, or by IAM's name of the service and the SDK's of the operation: `s3:ListBucketVersions`,
/// `s3:ListObjectVersions`.
pub fn find(name: &str) -> Option<&'static Operation> {
    let sdk = |row: &Operation| name.split_once(':') == Some((row.service.prefix, row.sdk));
    all().find(|row| row.name == name).or_else(|| all().find(|row| sdk(row)))
}

/// As the SDK sends it: `EC2`, `RunInstances`.
pub(super) fn sent(service: &str, name: &str) -> Option<&'static Operation> {
    all().find(|row| row.service.name == service && row.sdk == name)
}

/// The permissions that AWS checks inside an operation, `elasticloadbalancing:CreateLoadBalancer`, in addition to the
/// action of its name.
pub fn checked_inside(operation: &str) -> &'static [Inside] {
    find(operation).map_or(&[], |row| row.inside)
}

#[cfg(test)]
mod tests;
