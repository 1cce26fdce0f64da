//! Quotas: which one an error of AWS is about, and how to have it raised.
//!
//! Names, defaults and codes are those of Service Quotas (`aws service-quotas list-aws-default-service-quotas
//! --service-code ..`; "Amazon VPC quotas", "Quotas for your transit gateways", "Site-to-Site VPN quotas", "IAM and STS
//! quotas"). Where the code is not known for sure, there is none. What is read and counted before the first write is in
//! `room`.
use super::operations;
use crate::{engine::Use, error::AwsDetail, model::policy_rules};

/// A quota of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// As AWS calls it.
    pub name: &'static str,
    /// What an account has, unless it was raised.
    pub default: u32,
    /// How it is raised.
    pub raise: Raise,
}

/// How a quota is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raise {
    /// With Service Quotas, in the region: service code and quota code.
    Regional(&'static str, &'static str),
    /// With Service Quotas, in the partition's first region: service code and quota code.
    Global(&'static str, &'static str),
    /// In the console, or with a support case.
    Console,
    /// Not at all.
    Never,
}

const fn quota(name: &'static str, default: u32, raise: Raise) -> Quota {
    Quota { name, default, raise }
}

pub(crate) const ADDRESSES: Quota = quota("EC2-VPC Elastic IPs", 5, Raise::Regional("ec2", "L-0263D0A3"));
pub(super) const ATTACHMENTS: Quota =
    quota("Attachments per transit gateway", 5_000, Raise::Regional("ec2", "L-E0233F82"));
pub(super) const CUSTOMER_GATEWAYS: Quota =
    quota("Customer gateways per region", 50, Raise::Regional("ec2", "L-4FB7FF5D"));
pub(crate) const EGRESS_GATEWAYS: Quota =
    quota("Egress-only internet gateways per Region", 5, Raise::Regional("vpc", "L-45FE3B85"));
pub(crate) const GATEWAY_ENDPOINTS: Quota =
    quota("Gateway VPC endpoints per Region", 20, Raise::Regional("vpc", "L-1B52E74A"));
pub(crate) const HOSTED_ZONES: Quota = quota("Hosted zones", 500, Raise::Global("route53", "L-4EA4796A"));
pub(crate) const INTERNET_GATEWAYS: Quota =
    quota("Internet gateways per Region", 5, Raise::Regional("vpc", "L-A4707A72"));
pub(crate) const NAT_GATEWAYS: Quota =
    quota("NAT gateways per Availability Zone", 5, Raise::Regional("vpc", "L-FE5A380F"));
pub(super) const PEERINGS: Quota =
    quota("Active VPC peering connections per VPC", 50, Raise::Regional("vpc", "L-7E9ECCDB"));
const PEERING_REQUESTS: Quota =
    quota("Outstanding VPC peering connection requests", 25, Raise::Regional("vpc", "L-DC9F7029"));
/// Routes that a table takes, those that are propagated aside: 500 since June 2025, 50 before ("Amazon VPC quotas").
pub const ROUTES_PER_TABLE: u32 = 500;
pub(super) const ROUTES: Quota =
    quota("Routes per route table", ROUTES_PER_TABLE, Raise::Regional("vpc", "L-93826ACB"));
pub(super) const ROUTE_TABLES: Quota = quota("Route tables per VPC", 200, Raise::Regional("vpc", "L-589F43AA"));
pub(crate) const SECURITY_GROUPS: Quota =
    quota("VPC security groups per Region", 2_500, Raise::Regional("vpc", "L-E79EC296"));
pub(super) const SUBNETS: Quota = quota("Subnets per VPC", 200, Raise::Regional("vpc", "L-407747CB"));
pub(super) const TRAILS: Quota = quota("Trails per Region", 5, Raise::Never);
pub(crate) const TRANSIT_GATEWAYS: Quota =
    quota("Transit gateways per account", 5, Raise::Regional("ec2", "L-A2478D36"));
pub(crate) const VPCS: Quota = quota("VPCs per Region", 5, Raise::Regional("vpc", "L-F678F1CE"));
pub(super) const VPN_CONNECTIONS: Quota = quota("VPN connections per region", 50, Raise::Regional("ec2", "L-3E6EC3A3"));
pub(crate) const VPN_GATEWAYS: Quota =
    quota("Virtual private gateways per region", 5, Raise::Regional("ec2", "L-7029FAB6"));

/// Elastic Load Balancing, "Quotas for your Application Load Balancers", ".. Network Load Balancers".
pub(crate) const APPLICATION_LOAD_BALANCERS: Quota =
    quota("Application Load Balancers per Region", 50, Raise::Regional("elasticloadbalancing", "L-53DA6B97"));
pub(crate) const NETWORK_LOAD_BALANCERS: Quota =
    quota("Network Load Balancers per Region", 50, Raise::Regional("elasticloadbalancing", "L-69A177A2"));
pub(crate) const TARGET_GROUPS: Quota =
    quota("Target Groups per Region", 3_000, Raise::Regional("elasticloadbalancing", "L-B22855CB"));
pub(crate) const APPLICATION_LISTENERS: Quota =
    quota("Listeners per Application Load Balancer", 50, Raise::Regional("elasticloadbalancing", "L-B6DF7632"));
pub(crate) const NETWORK_LISTENERS: Quota =
    quota("Listeners per Network Load Balancer", 50, Raise::Regional("elasticloadbalancing", "L-57A373D6"));
/// "Quotas for Amazon EC2 Auto Scaling".
pub(crate) const AUTO_SCALING_GROUPS: Quota =
    quota("Auto Scaling groups per region", 500, Raise::Regional("autoscaling", "L-CDE20ADC"));
/// For IPv4 and for IPv6 each ("Amazon VPC quotas").
pub(crate) const RULES: Quota =
    quota("Inbound or outbound rules per security group", 60, Raise::Regional("vpc", "L-0EA8095F"));
pub(crate) const ROLES: Quota = quota("Roles per account", 1_000, Raise::Global("iam", "L-FE177D64"));
pub(crate) const INSTANCE_PROFILES: Quota =
    quota("Instance profiles per account", 1_000, Raise::Global("iam", "L-6E65F664"));
pub(crate) const POLICIES: Quota =
    quota("Customer managed policies per account", 1_500, Raise::Global("iam", "L-E95E4862"));
pub(crate) const ROLE_POLICIES: Quota =
    quota("Managed policies per role", policy_rules::ATTACHED as u32, Raise::Global("iam", "L-0DA4ABF3"));

/// Virtual processors that run at the same time, by family, On-Demand and Spot ("Amazon EC2 instance type quotas"). The
/// defaults are those of a new account; AWS raises them by itself as an account grows.
pub(crate) const PROCESSORS: &[(&[&str], [Option<Quota>; 2])] = &[
    (
        &["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"],
        [
            processors("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5, "L-1216C47A"),
            processors("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5, "L-34B43A08"),
        ],
    ),
    (
        &["g", "gr", "vt"],
        [
            processors("Running On-Demand G and VT instances", 0, "L-DB2E81BA"),
            processors("All G and VT Spot Instance Requests", 0, "L-3819A6DF"),
        ],
    ),
    (
        &["p"],
        [
            processors("Running On-Demand P instances", 0, "L-417A185B"),
            processors("All P Spot Instance Requests", 0, "L-7212CCBC"),
        ],
    ),
    (
        &["inf"],
        [
            processors("Running On-Demand Inf instances", 0, "L-1945791B"),
            processors("All Inf Spot Instance Requests", 0, "L-B5D1601B"),
        ],
    ),
    (
        &["trn"],
        [
            processors("Running On-Demand Trn instances", 0, "L-2C3B7624"),
            processors("All Trn Spot Instance Requests", 0, "L-6B0D517C"),
        ],
    ),
    (&["x"], [processors("Running On-Demand X instances", 0, "L-7295265B"), None]),
    (&["f"], [processors("Running On-Demand F instances", 0, "L-74FC7D96"), None]),
    (&["dl"], [processors("Running On-Demand DL instances", 0, "L-6E869C2A"), None]),
    (&["u"], [processors("Running On-Demand High Memory instances", 0, "L-43DA4232"), None]),
    (&["hpc"], [processors("Running On-Demand HPC instances", 0, "L-F7808C92"), None]),
];

const fn processors(name: &'static str, default: u32, code: &'static str) -> Option<Quota> {
    Some(quota(name, default, Raise::Regional("ec2", code)))
}

/// The quota that an instance of this type counts against; none for a family that we do not know.
pub(crate) fn processors_of(instance_type: &str, spot: bool) -> Option<Quota> {
    let family: String = instance_type.chars().take_while(char::is_ascii_lowercase).collect();
    let (_, quotas) = PROCESSORS.iter().find(|(families, _)| families.contains(&family.as_str()))?;
    quotas[usize::from(spot)]
}

/// The processors that so many are of the account's: those of instances of this type.
pub fn uses_processors(instance_type: &str, spot: bool, processors: u64) -> Option<Use> {
    processors_of(instance_type, spot).map(|quota| Use::of(quota.name, processors))
}

pub(super) const CERTIFICATES: Quota = quota("ACM certificates", 2_500, Raise::Regional("acm", "L-F141DD1D"));
pub(super) const INLINE_POLICIES: Quota = quota("Characters in all inline policies of a role", 10_240, Raise::Never);
pub(super) const LOG_GROUPS: Quota = quota("Log groups", 1_000_000, Raise::Regional("logs", "L-C7B9AAAB"));
pub(super) const POLICY_VERSIONS: Quota = quota("Versions per managed policy", 5, Raise::Never);
pub(super) const SAML_PROVIDERS: Quota = quota("SAML providers per account", 100, Raise::Console);

/// AWS accounts in an organization. `CreateAccount` tells of it in its status (`ACCOUNT_LIMIT_EXCEEDED`), too.
pub const ACCOUNTS: Quota = quota("Default maximum number of accounts", 10, Raise::Console);

/// Codes that name their quota.
const BY_CODE: &[(&str, Quota)] = &[
    ("ActiveVpcPeeringConnectionPerVpcLimitExceeded", PEERINGS),
    ("AddressLimitExceeded", ADDRESSES),
    ("CustomerGatewayLimitExceeded", CUSTOMER_GATEWAYS),
    ("InternetGatewayLimitExceeded", INTERNET_GATEWAYS),
    ("MaximumNumberOfTrailsExceededException", TRAILS),
    ("NatGatewayLimitExceeded", NAT_GATEWAYS),
    ("OutstandingVpcPeeringConnectionLimitExceeded", PEERING_REQUESTS),
    ("RouteLimitExceeded", ROUTES),
    ("RouteTableLimitExceeded", ROUTE_TABLES),
    ("RulesPerSecurityGroupLimitExceeded", RULES),
    ("SecurityGroupLimitExceeded", SECURITY_GROUPS),
    (
        "SecurityGroupsPerInterfaceLimitExceeded",
        quota("Security groups per network interface", 5, Raise::Regional("vpc", "L-2AFB9258")),
    ),
    ("SubnetLimitExceeded", SUBNETS),
    ("TooManyHostedZones", HOSTED_ZONES),
    ("TooManyTargetGroups", TARGET_GROUPS),
    ("TooManyTrailsException", TRAILS),
    ("TransitGatewayAttachmentLimitExceeded", ATTACHMENTS),
    ("TransitGatewayLimitExceeded", TRANSIT_GATEWAYS),
    ("VpcEndpointLimitExceeded", GATEWAY_ENDPOINTS),
    ("VpcLimitExceeded", VPCS),
    ("VpcPeeringConnectionLimitExceeded", PEERINGS),
    ("VpnConnectionLimitExceeded", VPN_CONNECTIONS),
    ("VpnGatewayLimitExceeded", VPN_GATEWAYS),
];

/// The quota that an error is about; `None` when it is about none, or about one that we do not know.
pub fn reached(operation: &str, code: &str, message: &str) -> Option<Quota> {
    if let Some((_, quota)) = BY_CODE.iter().find(|(key, _)| *key == code) {
        return Some(*quota);
    }
    // Of the many constraints of Organizations, the one on the number of accounts: its reason is not in the code.
    if code == "ConstraintViolationException" {
        let text = message.to_lowercase();
        let accounts =
            ["account_number_limit_exceeded", "account limit", "number of aws accounts", "number of accounts"];
        return accounts.iter().any(|words| text.contains(words)).then_some(ACCOUNTS);
    }
    // It only says that some quota is reached.
    is_about_a_quota(code).then(|| operations::find(operation)?.quota).flatten()
}

/// Whether a code says that some quota is reached.
pub(super) fn is_about_a_quota(code: &str) -> bool {
    code.ends_with("LimitExceeded")
        || code.ends_with("LimitExceededException")
        // Systems Manager's `TooManyUpdates` is about the same parameter at the same time.
        || (code.starts_with("TooMany") && code != "TooManyUpdates")
        || code.starts_with("MaximumNumberOf")
        || code == "ServiceQuotaExceededException"
}

impl Quota {
    /// The command that asks for more, where Service Quotas takes it.
    pub(crate) fn command(&self, value: &str, region: &str) -> Option<String> {
        let (service, code, region) = match self.raise {
            Raise::Regional(service, code) => (service, code, region),
            Raise::Global(service, code) => (service, code, home_of(region)),
            Raise::Console | Raise::Never => return None,
        };
        Some(format!(
            "aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} \
             --desired-value {value} --region {region}"
        ))
    }
    /// Whether it holds for the whole account and not for each region.
    pub(crate) fn is_global(&self) -> bool {
        matches!(self.raise, Raise::Global(..))
    }
    /// What to do when it is reached. `account` is the account's number, when it is known.
    pub fn hint(&self, account: Option<&str>, region: &str) -> String {
        let of = account.map_or_else(|| "the account".to_owned(), |number| format!("account {number}"));
        let reached = format!("The quota \"{}\" ({} by default) of {of} is reached", self.name, self.default);
        match self.raise {
            Raise::Regional(..) | Raise::Global(..) => {
                let command = self.command("N", region).unwrap_or_default();
                format!("{reached}: ask for more with `{command}`, or remove what is not needed.")
            }
            Raise::Console => format!("{reached}: ask AWS Support for more, or remove what is not needed."),
            Raise::Never => format!("{reached}, and AWS does not raise it: remove what is not needed."),
        }
    }
}

/// Where the quotas of global services are kept: one region of each partition.
fn home_of(region: &str) -> &'static str {
    match region {
        r if r.starts_with("cn-") => "cn-northwest-1",
        r if r.starts_with("us-gov-") => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// The hint for an error that says that a quota is reached.
pub(super) fn hint(detail: &AwsDetail, message: &str, account: Option<&str>) -> Option<String> {
    let code = detail.code.as_deref()?;
    let known = reached(&detail.operation, code, message).map(|quota| quota.hint(account, &detail.region));
    known.or_else(|| {
        is_about_a_quota(code).then(|| {
            "A quota of the account is reached: raise it in the Service Quotas console, or remove what is not needed."
                .to_owned()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(operation: &str, code: &str, message: &str) -> Option<&'static str> {
        reached(operation, code, message).map(|q| q.name)
    }

    #[test]
    fn codes_and_operations_name_their_quota() {
        assert_eq!(told("ec2:CreateVpc", "VpcLimitExceeded", ""), Some("VPCs per Region"));
        assert_eq!(told("ec2:ReplaceRoute", "RouteLimitExceeded", ""), Some("Routes per route table"));
        assert_eq!(told("iam:CreateRole", "LimitExceeded", ""), Some("Roles per account"));
        assert_eq!(told("iam:CreatePolicy", "LimitExceeded", ""), Some("Customer managed policies per account"));
        assert_eq!(told("acm:RequestCertificate", "LimitExceededException", ""), Some("ACM certificates"));
        let routes = reached("ec2:CreateRoute", "RouteLimitExceeded", "").unwrap();
        assert_eq!(routes.default, ROUTES_PER_TABLE, "what route tables are checked against");
        // A code that is in no list: what was to be made says it.
        assert_eq!(told("ec2:CreateTransitGateway", "TgwLimitExceeded", ""), Some("Transit gateways per account"));
    }

    #[test]
    fn what_is_about_no_quota_names_none() {
        assert_eq!(told("ec2:CreateVpc", "InvalidParameterValue", ""), None);
        assert_eq!(told("iam:CreateUser", "LimitExceeded", ""), None);
        assert!(!is_about_a_quota("TooManyUpdates") && is_about_a_quota("TooManyBuckets"));
        let organizations = |message| told("organizations:CreateAccount", "ConstraintViolationException", message);
        assert_eq!(organizations("You have exceeded the allowed number of AWS accounts."), Some(ACCOUNTS.name));
        assert_eq!(organizations("The account must have a payment method."), None);
    }

    #[test]
    fn a_type_counts_against_its_family() {
        let code = |instance_type: &str, spot| match processors_of(instance_type, spot).map(|q| q.raise) {
            Some(Raise::Regional("ec2", code)) => Some(code),
            _ => None,
        };
        for standard in
            ["t3.small", "m7i-flex.large", "c8g.medium", "im4gn.large", "is4gen.medium", "z1d.large", "a1.large"]
        {
            assert_eq!(code(standard, false), Some("L-1216C47A"), "{standard}");
            assert_eq!(code(standard, true), Some("L-34B43A08"), "{standard}");
        }
        for (instance_type, expected) in [
            ("g5.xlarge", "L-DB2E81BA"),
            ("gr6.4xlarge", "L-DB2E81BA"),
            ("vt1.3xlarge", "L-DB2E81BA"),
            ("p5.48xlarge", "L-417A185B"),
            ("inf2.xlarge", "L-1945791B"),
            ("trn1.2xlarge", "L-2C3B7624"),
            ("x2gd.large", "L-7295265B"),
            ("dl1.24xlarge", "L-6E869C2A"),
            ("u-6tb1.56xlarge", "L-43DA4232"),
            ("hpc7g.4xlarge", "L-F7808C92"),
        ] {
            assert_eq!(code(instance_type, false), Some(expected), "{instance_type}");
        }
        // Not known, or with a quota of its own: AWS decides.
        for unknown in ["mac2.metal", "quux9.large", "", "7x"] {
            assert_eq!(code(unknown, false), None, "{unknown}");
        }
    }

    #[test]
    fn hints_say_what_to_type() {
        assert_eq!(
            VPCS.hint(Some("123456789012"), "eu-west-1"),
            "The quota \"VPCs per Region\" (5 by default) of account 123456789012 is reached: ask for more with `aws \
             service-quotas request-service-quota-increase --service-code vpc --quota-code L-F678F1CE --desired-value N \
             --region eu-west-1`, or remove what is not needed."
        );
        let global = HOSTED_ZONES.hint(None, "eu-west-1");
        assert!(global.contains("of the account is reached") && global.contains("--region us-east-1"), "{global}");
        assert!(HOSTED_ZONES.hint(None, "cn-north-1").contains("--region cn-northwest-1"));
        assert!(TRAILS.hint(None, "eu-west-1").contains("AWS does not raise it"));
    }

    #[test]
    fn the_lists_are_clean() {
        assert!(BY_CODE.is_sorted_by(|(a, _), (b, _)| a < b), "no key twice");
        let by_operation = operations::all().filter_map(|row| Some((row.name, row.quota?)));
        for (key, quota) in by_operation.chain(BY_CODE.iter().copied()) {
            if let Raise::Regional(_, code) | Raise::Global(_, code) = quota.raise {
                let digits = code.strip_prefix("L-").expect(key);
                assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{key}: {code}");
            }
        }
        assert!(BY_CODE.iter().all(|(code, _)| is_about_a_quota(code)), "every code is recognised as one");
    }
}
