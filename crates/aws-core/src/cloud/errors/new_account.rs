//! What an account, a Region or an Availability Zone does not offer: what stops new accounts above all.
//!
//! AWS has no one list of these. Codes and words are from "Error codes for the Amazon EC2 API", "Common error types" of
//! each service, "Troubleshoot NAT gateways" (VPC User Guide), "Enable or disable AWS Regions in your account" (Account
//! Management), the AWS Organizations API reference, and from error messages that people have published.
use crate::{
    Error,
    error::{AwsDetail, Kind},
};

/// One thing that AWS does not do for an account yet, or not there.
struct Lack {
    /// The error code.
    code: &'static str,
    /// Lowercase words that the message contains; empty: the code is enough.
    words: &'static str,
    kind: Kind,
    /// What to do, with `{region}` and `{account}`.
    hint: &'static str,
}

const fn lack(code: &'static str, words: &'static str, kind: Kind, hint: &'static str) -> Lack {
    Lack { code, words, kind, hint }
}

const SIGN_UP: &str = "Complete the sign-up of {account} (payment method, phone number): AWS activates services within \
                       24 hours of it. Then run the same command again. See docs/new-accounts.md#not-subscribed.";
const MARKETPLACE: &str = "Accept the terms of the product with {account}, on the AWS Marketplace page that the message names, or \
                           use another machine image. Then run the same command again. See \
                           docs/new-accounts.md#marketplace-images.";
const ON_DEMAND: &str = "Request more vCPUs for {account}: `aws service-quotas request-service-quota-increase \
                         --service-code ec2 --quota-code L-1216C47A --desired-value N --region {region}` (quota \
                         \"Running On-Demand Standard instances\"; other families have quotas of their own). See \
                         docs/new-accounts.md#vcpus.";
const SPOT: &str = "Request more Spot vCPUs for {account}: `aws service-quotas request-service-quota-increase \
                    --service-code ec2 --quota-code L-34B43A08 --desired-value N --region {region}` (quota \"All \
                    Standard Spot Instance Requests\"). See docs/new-accounts.md#vcpus.";
const OTHER_ZONE: &str = "Use Availability Zones that offer the instance type: list them with `aws ec2 describe-instance-type-offerings \
                          --location-type availability-zone-id --filters Name=instance-type,Values=TYPE --region \
                          {region}`. See docs/new-accounts.md#availability-zones.";
const COST_EXPLORER: &str = "Enable Cost Explorer once in the management account, in the console: Billing and Cost \
                             Management, Cost Explorer. Its data is available within 24 hours. Until then, remove \
                             `guard_rails.cost_tags`. See docs/new-accounts.md#cost-explorer.";

/// In the order in which they are tried.
const LACKS: &[Lack] = &[
    lack(
        "OperationNotPermitted",
        "does not support creating load balancers",
        Kind::Failed,
        "Open a case with AWS Support for {account}: https://support.console.aws.amazon.com/support/home#/case/create. \
         AWS restricts some new accounts, and only AWS Support can lift the restriction. Then run the same command again. \
         See docs/new-accounts.md#load-balancers.",
    ),
    lack(
        "PendingVerification",
        "",
        Kind::Failed,
        "Run the same command again once AWS has verified {account} for {region}, which usually takes minutes and at most \
         4 hours. AWS sends an e-mail to the root user's address. See docs/new-accounts.md#verification.",
    ),
    lack(
        "Blocked",
        "",
        Kind::Failed,
        "Open a case with AWS Support for {account}: https://support.console.aws.amazon.com/support/home#/case/create. \
         AWS has blocked the account until it is verified. See docs/new-accounts.md#verification.",
    ),
    lack(
        "AccountProblem",
        "",
        Kind::Failed,
        "Open a case with AWS Support for {account}: https://support.console.aws.amazon.com/support/home#/case/create. \
         See docs/new-accounts.md#verification.",
    ),
    // Of a product of AWS Marketplace: `In order to use this AWS Marketplace product you need to accept terms and subscribe.`
    lack("OptInRequired", "accept terms and subscribe", Kind::Access, MARKETPLACE),
    lack("OptInRequired", "", Kind::Access, SIGN_UP),
    lack("SubscriptionRequiredException", "", Kind::Access, SIGN_UP),
    lack("SubscriptionRequired", "", Kind::Access, SIGN_UP),
    lack("NotSignedUp", "", Kind::Access, SIGN_UP),
    lack("VcpuLimitExceeded", "", Kind::Failed, ON_DEMAND),
    lack("MaxSpotInstanceCountExceeded", "", Kind::Failed, SPOT),
    lack(
        "InsufficientInstanceCapacity",
        "",
        Kind::Failed,
        "Run the same command again later, or use another instance type or more Availability Zones: AWS currently has no \
         free capacity for this instance type there.",
    ),
    lack("Unsupported", "not supported in your requested availability zone", Kind::Failed, OTHER_ZONE),
    lack(
        "NotAvailableInZone",
        "",
        Kind::Failed,
        "Use `nat: single`, or for a new team name other Availability Zones by ID (`zones: [..]`): AWS does not offer NAT \
         gateways in this one. See docs/new-accounts.md#availability-zones.",
    ),
    lack(
        "IncorrectState",
        "transit gateway is not available in availability zone",
        Kind::Failed,
        "Use `interconnect: peering`, or for a new team name other Availability Zones by ID (`zones: [..]`): AWS does not \
         offer transit gateways in this one. See docs/new-accounts.md#availability-zones.",
    ),
    lack("AccessDeniedException", "not enabled for cost explorer", Kind::Access, COST_EXPLORER),
    lack("DataUnavailableException", "", Kind::Failed, COST_EXPLORER),
    lack(
        "AccessDeniedException",
        "linked account doesn't have access to cost allocation tags",
        Kind::Access,
        "Name the management account under `accounts.management` in the organization's file: only that account \
         activates cost allocation tags. See docs/new-accounts.md#cost-explorer.",
    ),
    lack(
        "AccessDeniedException",
        "to enable budgets",
        Kind::Access,
        "Enable Cost Explorer once in the management account, in the console: Billing and Cost Management, Cost \
         Explorer; member accounts can then have budgets. Until then, remove `guard_rails.budget`. See \
         docs/new-accounts.md#cost-explorer.",
    ),
    lack(
        "RegionDisabledException",
        "",
        Kind::Access,
        "Activate AWS STS in {region} for {account}, in the console: IAM, Account settings, Security Token Service.",
    ),
    lack(
        "FinalizingOrganizationException",
        "",
        Kind::Failed,
        "Run the same command again later: AWS is still creating the organization, which takes up to an hour.",
    ),
    lack(
        "AccountOwnerNotVerifiedException",
        "",
        Kind::Failed,
        "Verify the management account's e-mail address: AWS Organizations has sent a link to it. Then run the same \
         command again.",
    ),
    lack(
        "ConstraintViolationException",
        "payment",
        Kind::Failed,
        "Add a valid payment method to the management account, in the console: Billing and Cost Management, Payment \
         preferences. Then run the same command again.",
    ),
];

/// Codes by which services in a Region that is not enabled refuse credentials that are good elsewhere.
const STRANGE: [&str; 3] = ["AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"];

/// Regions that every account has; all others must be enabled ("AWS Regions", the table's column "Opt-in status").
const DEFAULT_REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Whether an account has a Region only once it was enabled. China and AWS GovCloud have none of that kind.
pub fn is_opt_in(region: &str) -> bool {
    !DEFAULT_REGIONS.contains(&region) && !region.starts_with("cn-") && !region.contains("-gov-")
}

fn filled(hint: &str, account: Option<&str>, region: &str) -> String {
    let account = account.map_or_else(|| "the account".to_owned(), |number| format!("account {number}"));
    hint.replace("{account}", &account).replace("{region}", region)
}

impl Lack {
    fn is(&self, code: &str, message: &str) -> bool {
        self.code == code && message.contains(self.words)
    }
}

/// An error of this kind, told; `None`: it is of another kind.
pub(super) fn told(text: &str, detail: &AwsDetail, message: &str, account: Option<&str>) -> Option<Error> {
    let (code, small) = (detail.code.as_deref()?, message.to_lowercase());
    let region = &detail.region;
    if STRANGE.contains(&code) && is_opt_in(region) {
        let enable = format!(
            "Enable Region {region} with credentials of the account that needs it: `aws account enable-region --region-name \
             {region}`. This takes minutes to hours. See docs/new-accounts.md#regions."
        );
        let check = "If it is enabled, AWS does not accept these credentials: check AWS_PROFILE and the AWS_* variables, \
                     and this machine's clock.";
        return Some(Error::new(Kind::Access, text).at(detail.clone()).hint(enable).hint(check));
    }
    // Two changes of one organization at a time: the second one is refused, and passes a moment later.
    if code == "ConcurrentModificationException" && detail.operation.starts_with("organizations:") {
        let hint = "Run the same command again: the organization was being changed by another request.";
        return Some(Error::new(Kind::Failed, text).at(detail.clone()).retryable().hint(hint));
    }
    let lack = LACKS.iter().find(|lack| lack.is(code, &small))?;
    Some(Error::new(lack.kind, text).at(detail.clone()).hint(filled(lack.hint, account, region)))
}

/// What to do about a message that holds such an error: those of Auto Scaling's activities begin with `Could not launch
/// On-Demand Instances. VcpuLimitExceeded - ..`. `None`: it holds none.
pub fn advice(message: &str, account: Option<&str>, region: &str) -> Option<String> {
    let small = message.to_lowercase();
    let words: Vec<&str> = message.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let said = |lack: &&Lack| {
        if lack.words.is_empty() {
            words.contains(&lack.code) && message.contains(&format!("{} - ", lack.code))
        } else {
            small.contains(lack.words)
        }
    };
    // Some messages come without their code.
    let uncoded = || {
        let code = match () {
            () if small.contains("current vcpu limit") => "VcpuLimitExceeded",
            () if small.contains("max spot instance count exceeded") => "MaxSpotInstanceCountExceeded",
            () if small.contains("account is currently blocked") => "Blocked",
            () if small.contains("is being validated") => "PendingVerification",
            () if small.contains("do not have sufficient") => "InsufficientInstanceCapacity",
            () => return None,
        };
        LACKS.iter().find(|lack| lack.code == code)
    };
    let lack = LACKS.iter().find(said).or_else(uncoded)?;
    Some(filled(lack.hint, account, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(operation: &str, region: &str, code: &str, message: &str) -> Option<Error> {
        let detail =
            AwsDetail { operation: operation.into(), region: region.into(), code: Some(code.into()), request_id: None };
        told(&format!("{operation}: {message} ({code})"), &detail, message, Some("123456789012"))
    }

    /// What AWS says, and a piece of the hint.
    const SAID: &[(&str, &str, &str, &str)] = &[
        (
            "elasticloadbalancing:CreateLoadBalancer",
            "OperationNotPermitted",
            "This AWS account currently does not support creating load balancers. For more information, please contact AWS Support.",
            "support.console.aws.amazon.com",
        ),
        (
            "ec2:RunInstances",
            "PendingVerification",
            "Your request for accessing resources in this region is being validated, and you will not be able to launch additional resources in this region until the validation is complete.",
            "at most 4 hours",
        ),
        ("ec2:RunInstances", "OptInRequired", "You are not subscribed to this service.", "sign-up"),
        (
            "ec2:RunInstances",
            "OptInRequired",
            "In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please visit https://aws.amazon.com/marketplace/pp?sku=abc",
            "Marketplace page that the message names",
        ),
        (
            "ssm:GetParameters",
            "SubscriptionRequiredException",
            "The AWS Access Key Id needs a subscription for the service",
            "sign-up",
        ),
        ("s3:CreateBucket", "NotSignedUp", "Your account is not signed up for the Amazon S3 service.", "sign-up"),
        (
            "ec2:RunInstances",
            "Blocked",
            "This account is currently blocked and not recognized as a valid account.",
            "case with AWS Support",
        ),
        (
            "ec2:RunInstances",
            "VcpuLimitExceeded",
            "You have requested more vCPU capacity than your current vCPU limit of 5 allows",
            "--quota-code L-1216C47A",
        ),
        ("ec2:RunInstances", "MaxSpotInstanceCountExceeded", "Max spot instance count exceeded", "L-34B43A08"),
        (
            "ec2:RunInstances",
            "Unsupported",
            "Your requested instance type (t4g.nano) is not supported in your requested Availability Zone (us-east-1e).",
            "describe-instance-type-offerings",
        ),
        (
            "ec2:CreateNatGateway",
            "NotAvailableInZone",
            "Nat Gateway is not available in this availability zone",
            "nat: single",
        ),
        (
            "ec2:CreateTransitGatewayVpcAttachment",
            "IncorrectState",
            "Transit Gateway is not available in availability zone us-west-2d",
            "interconnect: peering",
        ),
        (
            "ce:ListCostAllocationTags",
            "AccessDeniedException",
            "User not enabled for cost explorer access",
            "Cost Explorer once in the management account",
        ),
        (
            "ce:UpdateCostAllocationTagsStatus",
            "AccessDeniedException",
            "Failed to update Cost Allocation Tag: Linked account doesn't have access to cost allocation tags.",
            "accounts.management",
        ),
        (
            "budgets:CreateBudget",
            "AccessDeniedException",
            "Account 123456789012 is a linked account. To enable budgets for your account, ask the payer account to enable budgets first.",
            "guard_rails.budget",
        ),
        ("ce:GetTags", "DataUnavailableException", "Data is not available.", "24 hours"),
        (
            "sts:AssumeRole",
            "RegionDisabledException",
            "STS is not activated in the requested region",
            "Activate AWS STS",
        ),
        (
            "organizations:CreateAccount",
            "FinalizingOrganizationException",
            "AWS Organizations couldn't perform the operation because your organization hasn't finished initializing.",
            "an hour",
        ),
        ("organizations:CreateAccount", "AccountOwnerNotVerifiedException", "verify", "e-mail"),
        (
            "organizations:CreateAccount",
            "ConstraintViolationException",
            "The organization's management account has no valid payment instrument.",
            "payment method",
        ),
    ];

    #[test]
    fn what_a_new_account_lacks_is_told_with_what_to_do() {
        for (operation, code, message, hint) in SAID {
            let error = of(operation, "eu-west-1", code, message).unwrap_or_else(|| panic!("{code} has no words"));
            let hints = error.hints().join(" ");
            assert!(hints.contains(hint), "{code}: {hints}");
            assert!(!hints.contains('{'), "{code}: {hints}");
            assert_eq!(error.code(), Some(*code));
            assert!(!error.is_retryable(), "{code} does not pass within a command");
        }
        let used: Vec<&str> = SAID.iter().map(|(_, code, ..)| *code).collect();
        for lack in LACKS.iter().filter(|l| !["AccountProblem", "SubscriptionRequired"].contains(&l.code)) {
            let known = used.contains(&lack.code) || lack.code == "InsufficientInstanceCapacity";
            assert!(known, "{}: no message of it is tried", lack.code);
        }
    }

    /// Each page that a hint names has that section.
    #[test]
    fn the_pages_of_the_hints_exist() {
        let page = include_str!("../../../../../docs/new-accounts.md");
        let heading = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        let sections: Vec<String> = page.lines().filter(|line| line.starts_with("## ")).map(heading).collect();
        let named = |hint: &'static str| hint.split("docs/new-accounts.md#").skip(1);
        for section in LACKS.iter().flat_map(|lack| named(lack.hint)) {
            let section = section.trim_end_matches('.');
            assert!(sections.iter().any(|s| s == section), "docs/new-accounts.md has no section {section}");
        }
        assert!(sections.iter().any(|s| s == "regions"));
    }

    #[test]
    fn other_errors_of_the_same_codes_are_none_of_these() {
        for (operation, code, message) in [
            ("elasticloadbalancing:DeleteLoadBalancer", "OperationNotPermitted", "deletion protection is enabled"),
            ("ec2:DeleteTransitGateway", "IncorrectState", "tgw-1 has non-deleted VPC attachments"),
            ("ec2:RunInstances", "Unsupported", "The requested configuration is currently not supported."),
            ("ce:ListCostAllocationTags", "AccessDeniedException", "User: x is not authorized to perform: ce:.."),
            ("organizations:CreateAccount", "ConstraintViolationException", "You have exceeded the number of accounts"),
            ("ec2:CreateVpc", "VpcLimitExceeded", "The maximum number of VPCs has been reached."),
        ] {
            assert!(of(operation, "eu-west-1", code, message).is_none(), "{code}: {message}");
        }
    }

    #[test]
    fn credentials_that_a_region_does_not_know_may_be_good() {
        for code in STRANGE {
            let error = of("ec2:DescribeVpcs", "ap-southeast-5", code, "not able to validate").unwrap();
            assert_eq!(error.kind(), Kind::Access);
            assert!(error.hints()[0].contains("enable-region --region-name ap-southeast-5"), "{:?}", error.hints());
            assert!(error.hints()[1].contains("AWS_PROFILE"));
            for region in ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"] {
                assert!(of("ec2:DescribeVpcs", region, code, "not able to validate").is_none(), "{region}");
            }
        }
        assert!(DEFAULT_REGIONS.is_sorted());
        for region in ["af-south-1", "ap-east-1", "eu-south-2", "me-central-1", "il-central-1", "ca-west-1"] {
            assert!(is_opt_in(region), "{region}");
        }
    }

    #[test]
    fn two_changes_of_an_organization_at_a_time_pass() {
        let error = of("organizations:CreateAccount", "eu-west-1", "ConcurrentModificationException", "try again");
        assert!(error.unwrap().is_retryable());
        assert!(of("route53:ChangeResourceRecordSets", "eu-west-1", "ConcurrentModificationException", "x").is_none());
    }

    #[test]
    fn activities_of_auto_scaling_are_understood() {
        let advised = |message: &str| advice(message, Some("123456789012"), "eu-west-1").unwrap_or_default();
        for (message, words) in [
            (
                "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of 5 allows for the instance bucket that the specified instance type belongs to. Launching EC2 instance failed.",
                "L-1216C47A",
            ),
            (
                "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket that the specified instance type belongs to.",
                "L-1216C47A",
            ),
            (
                "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded. Launching EC2 instance failed.",
                "L-34B43A08",
            ),
            (
                "Could not launch On-Demand Instances. PendingVerification - Your request for accessing resources in this region is being validated. Launching EC2 instance failed.",
                "4 hours",
            ),
            (
                "This account is currently blocked and not recognized as a valid account. Launching EC2 instance failed.",
                "AWS Support",
            ),
            (
                "Could not launch On-Demand Instances. OptInRequired - You are not subscribed to this service. Launching EC2 instance failed.",
                "sign-up",
            ),
            (
                "Could not launch On-Demand Instances. OptInRequired - In order to use this AWS Marketplace product you need to accept terms and subscribe. Launching EC2 instance failed.",
                "or use another machine image",
            ),
            (
                "Your requested instance type (t3.small) is not supported in your requested Availability Zone (us-east-1e). Launching EC2 instance failed.",
                "describe-instance-type-offerings",
            ),
            (
                "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-west-1a). Launching EC2 instance failed.",
                "no free capacity",
            ),
        ] {
            assert!(advised(message).contains(words), "{message}: {}", advised(message));
        }
        assert_eq!(advice("Launching a new EC2 instance: i-0123. Blocked by nothing", None, "eu-west-1"), None);
        assert_eq!(advice("", None, "eu-west-1"), None);
    }
}
