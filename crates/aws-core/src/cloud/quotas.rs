//! Quotas: which one an error of AWS is about, and how to have it raised.
//!
//! Names, defaults and codes are those of Service Quotas (`aws service-quotas list-aws-default-service-quotas
//! --service-code ..`; "Amazon VPC quotas", "Quotas for your transit gateways", "Site-to-Site VPN quotas", "IAM and STS
//! quotas"). Where the code is not known for sure, there is none.
use crate::error::AwsDetail;

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

const ADDRESSES: Quota = quota("EC2-VPC Elastic IPs", 5, Raise::Regional("ec2", "L-0263D0A3"));
const ATTACHMENTS: Quota = quota("Attachments per transit gateway", 5_000, Raise::Regional("ec2", "L-E0233F82"));
const CUSTOMER_GATEWAYS: Quota = quota("Customer gateways per region", 50, Raise::Regional("ec2", "L-4FB7FF5D"));
const EGRESS_GATEWAYS: Quota =
    quota("Egress-only internet gateways per Region", 5, Raise::Regional("vpc", "L-45FE3B85"));
const GATEWAY_ENDPOINTS: Quota = quota("Gateway VPC endpoints per Region", 20, Raise::Regional("vpc", "L-1B52E74A"));
const HOSTED_ZONES: Quota = quota("Hosted zones", 500, Raise::Global("route53", "L-4EA4796A"));
const INTERNET_GATEWAYS: Quota = quota("Internet gateways per Region", 5, Raise::Regional("vpc", "L-A4707A72"));
const NAT_GATEWAYS: Quota = quota("NAT gateways per Availability Zone", 5, Raise::Regional("vpc", "L-FE5A380F"));
const PEERINGS: Quota = quota("Active VPC peering connections per VPC", 50, Raise::Regional("vpc", "L-7E9ECCDB"));
const PEERING_REQUESTS: Quota =
    quota("Outstanding VPC peering connection requests", 25, Raise::Regional("vpc", "L-DC9F7029"));
/// Routes that a table takes, those that are propagated aside: 500 since June 2025, 50 before ("Amazon VPC quotas").
pub const ROUTES_PER_TABLE: u32 = 500;
const ROUTES: Quota = quota("Routes per route table", ROUTES_PER_TABLE, Raise::Regional("vpc", "L-93826ACB"));
const ROUTE_TABLES: Quota = quota("Route tables per VPC", 200, Raise::Regional("vpc", "L-589F43AA"));
const SECURITY_GROUPS: Quota = quota("VPC security groups per Region", 2_500, Raise::Regional("vpc", "L-E79EC296"));
const SUBNETS: Quota = quota("Subnets per VPC", 200, Raise::Regional("vpc", "L-407747CB"));
const TRAILS: Quota = quota("Trails per Region", 5, Raise::Never);
const TRANSIT_GATEWAYS: Quota = quota("Transit gateways per account", 5, Raise::Regional("ec2", "L-A2478D36"));
const VPCS: Quota = quota("VPCs per Region", 5, Raise::Regional("vpc", "L-F678F1CE"));
const VPN_CONNECTIONS: Quota = quota("VPN connections per region", 50, Raise::Regional("ec2", "L-3E6EC3A3"));
const VPN_GATEWAYS: Quota = quota("Virtual private gateways per region", 5, Raise::Regional("ec2", "L-7029FAB6"));

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
    (
        "RulesPerSecurityGroupLimitExceeded",
        quota("Inbound or outbound rules per security group", 60, Raise::Regional("vpc", "L-0EA8095F")),
    ),
    ("SecurityGroupLimitExceeded", SECURITY_GROUPS),
    (
        "SecurityGroupsPerInterfaceLimitExceeded",
        quota("Security groups per network interface", 5, Raise::Regional("vpc", "L-2AFB9258")),
    ),
    ("SubnetLimitExceeded", SUBNETS),
    ("TooManyHostedZones", HOSTED_ZONES),
    ("TooManyTrailsException", TRAILS),
    ("TransitGatewayAttachmentLimitExceeded", ATTACHMENTS),
    ("TransitGatewayLimitExceeded", TRANSIT_GATEWAYS),
    ("VpcEndpointLimitExceeded", GATEWAY_ENDPOINTS),
    ("VpcLimitExceeded", VPCS),
    ("VpcPeeringConnectionLimitExceeded", PEERINGS),
    ("VpnConnectionLimitExceeded", VPN_CONNECTIONS),
    ("VpnGatewayLimitExceeded", VPN_GATEWAYS),
];

/// What is meant when the code only says that some quota is reached.
const BY_OPERATION: &[(&str, Quota)] = &[
    ("acm:RequestCertificate", quota("ACM certificates", 2_500, Raise::Regional("acm", "L-F141DD1D"))),
    ("cloudtrail:CreateTrail", TRAILS),
    ("ec2:AcceptVpcPeeringConnection", PEERINGS),
    ("ec2:AllocateAddress", ADDRESSES),
    ("ec2:CreateCustomerGateway", CUSTOMER_GATEWAYS),
    ("ec2:CreateEgressOnlyInternetGateway", EGRESS_GATEWAYS),
    ("ec2:CreateInternetGateway", INTERNET_GATEWAYS),
    ("ec2:CreateNatGateway", NAT_GATEWAYS),
    ("ec2:CreateRoute", ROUTES),
    ("ec2:CreateRouteTable", ROUTE_TABLES),
    ("ec2:CreateSecurityGroup", SECURITY_GROUPS),
    ("ec2:CreateSubnet", SUBNETS),
    ("ec2:CreateTransitGateway", TRANSIT_GATEWAYS),
    ("ec2:CreateTransitGatewayVpcAttachment", ATTACHMENTS),
    ("ec2:CreateVpc", VPCS),
    ("ec2:CreateVpcEndpoint", GATEWAY_ENDPOINTS),
    ("ec2:CreateVpcPeeringConnection", PEERINGS),
    ("ec2:CreateVpnConnection", VPN_CONNECTIONS),
    ("ec2:CreateVpnGateway", VPN_GATEWAYS),
    ("iam:AttachRolePolicy", quota("Managed policies per role", 10, Raise::Global("iam", "L-0DA4ABF3"))),
    ("iam:CreatePolicy", quota("Customer managed policies per account", 1_500, Raise::Global("iam", "L-E95E4862"))),
    ("iam:CreatePolicyVersion", quota("Versions per managed policy", 5, Raise::Never)),
    ("iam:CreateRole", quota("Roles per account", 1_000, Raise::Global("iam", "L-FE177D64"))),
    ("iam:CreateSAMLProvider", quota("SAML providers per account", 100, Raise::Console)),
    ("iam:PutRolePolicy", quota("Characters in all inline policies of a role", 10_240, Raise::Never)),
    ("logs:CreateLogGroup", quota("Log groups", 1_000_000, Raise::Regional("logs", "L-C7B9AAAB"))),
    ("organizations:CreateAccount", ACCOUNTS),
    ("route53:CreateHostedZone", HOSTED_ZONES),
];

/// The quota that an error is about; `None` when it is about none, or about one that we do not know.
pub fn reached(operation: &str, code: &str, message: &str) -> Option<Quota> {
    let in_list = |list: &[(&str, Quota)], key: &str| list.iter().find(|(k, _)| *k == key).map(|(_, q)| *q);
    if let Some(quota) = in_list(BY_CODE, code) {
        return Some(quota);
    }
    // Of the many constraints of Organizations, the one on the number of accounts: its reason is not in the code.
    if code == "ConstraintViolationException" {
        let text = message.to_lowercase();
        let accounts =
            ["account_number_limit_exceeded", "account limit", "number of aws accounts", "number of accounts"];
        return accounts.iter().any(|words| text.contains(words)).then_some(ACCOUNTS);
    }
    is_about_a_quota(code).then(|| in_list(BY_OPERATION, operation)).flatten()
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
    /// What to do when it is reached. `account` is the account's number, when it is known.
    pub fn hint(&self, account: Option<&str>, region: &str) -> String {
        let of = account.map_or_else(|| "the account".to_owned(), |number| format!("account {number}"));
        let reached = format!("The quota \"{}\" ({} by default) of {of} is reached", self.name, self.default);
        let ask = |service: &str, code: &str, region: &str| {
            format!(
                "{reached}: ask for more with `aws service-quotas request-service-quota-increase --service-code {service} \
                 --quota-code {code} --desired-value N --region {region}`, or remove what is not needed."
            )
        };
        match self.raise {
            Raise::Regional(service, code) => ask(service, code, region),
            Raise::Global(service, code) => ask(service, code, home_of(region)),
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
    use std::collections::BTreeSet;

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
        for list in [BY_CODE, BY_OPERATION] {
            let keys: BTreeSet<&str> = list.iter().map(|(k, _)| *k).collect();
            assert_eq!(keys.len(), list.len(), "no key twice");
            assert!(list.is_sorted_by_key(|(k, _)| *k));
            for (key, quota) in list {
                if let Raise::Regional(_, code) | Raise::Global(_, code) = quota.raise {
                    let digits = code.strip_prefix("L-").expect(key);
                    assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{key}: {code}");
                }
            }
        }
        assert!(BY_CODE.iter().all(|(code, _)| is_about_a_quota(code)), "every code is recognised as one");
    }
}
