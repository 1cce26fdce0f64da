//! `docs/overlord-permissions.md`: which IAM actions `overlord` needs in which account, from the calls in the sources.
use crate::pages::calls;
use aws_core::cloud::operations::{self, checked_inside};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Sources that call AWS for `overlord`, below `crates/aws-core/src/`, and what of them: nothing here is all of it.
type Part = (&'static str, &'static [&'static str]);

/// An account, and what is called in it.
struct Account {
    title: &'static str,
    intro: &'static str,
    parts: &'static [Part],
}

const RECORDS: Part = ("registry/parameters.rs", &[]);
const RECORD_SETS: Part = ("resources/alias_record.rs", &[]);
const ZONES: Part = ("cloud/lookups/zones.rs", &["route53:ListHostedZonesByName"]);
/// What is counted in a team's account before anything is made there.
const ROOM: &[&str] = &[
    "ec2:DescribeAddresses",
    "ec2:DescribeEgressOnlyInternetGateways",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ec2:DescribeVpnGateways",
    "route53:GetAccountLimit",
];
const TAGS: Part = ("resources/tag_drift.rs", &[]);
const WHO: Part = ("cloud/connect.rs", &[]);

/// In the order of the page.
const ACCOUNTS: [Account; 5] = [
    Account {
        title: "A team's account",
        intro: "Network, domain, identity, guard rails, and the settings that `minion` reads. With \
                `interconnect: peering` this holds for the accounts of the other teams too: `overlord` accepts the \
                connection there and writes the routes back. `account_wide: false` needs no `budgets`, `cloudtrail`, \
                `s3`, and of `iam` only what the role of the flow logs needs.",
        parts: &[
            ("cloud/lookups/occupants.rs", &[]),
            ("cloud/lookups/offerings.rs", &[]),
            ("cloud/lookups/regions.rs", &[]),
            ("cloud/lookups/sights.rs", &[]),
            ("cloud/membership.rs", &[]),
            ("cloud/lookups/compute.rs", &["ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:GetConsoleOutput"]),
            ("cloud/network.rs", &[]),
            ("cloud/room/count.rs", &["iam:GetAccountSummary"]),
            ("cloud/room/limit.rs", &[]),
            ("cloud/room/network.rs", ROOM),
            ("resources/domain/", &[]),
            ("resources/guard/budget.rs", &[]),
            ("resources/guard/ebs_encryption.rs", &[]),
            ("resources/guard/metadata_defaults.rs", &[]),
            ("resources/guard/public_access.rs", &[]),
            ("resources/guard/trail.rs", &[]),
            ("resources/guard/trail_bucket.rs", &[]),
            ("resources/guard/trail_bucket/", &[]),
            ("resources/iam.rs", &[]),
            ("resources/identity/", &[]),
            ("resources/load_balancer.rs", &["elasticloadbalancing:DescribeLoadBalancers"]),
            ("resources/log_group.rs", &[]),
            ("resources/network/", &[]),
            ("resources/place_settings.rs", &[]),
            TAGS,
            ("resources/security_group.rs", &["ec2:DescribeSecurityGroups"]),
            ("resources/target_group.rs", &["elasticloadbalancing:DescribeTags"]),
            RECORDS,
            RECORD_SETS,
            WHO,
            ZONES,
        ],
    },
    Account {
        title: "The account `home`",
        intro: "The records of teams and addresses and the leases, `/overlord/*` in Systems Manager, and the history, \
                `/overlord/*/history` in CloudWatch Logs, in one region.",
        parts: &[("registry/teams.rs", &[]), ("registry/lease/", &[]), ("registry/history/", &[]), RECORDS, WHO],
    },
    Account {
        title: "The account `network`",
        intro: "The transit gateways, and their shares with the teams' accounts. The networks of its VPCs are looked \
                at before a new team gets addresses, whatever `interconnect` says.",
        parts: &[
            ("cloud/lookups/offerings.rs", &[]),
            ("cloud/lookups/regions.rs", &["ec2:DescribeAvailabilityZones", "ec2:DescribeVpcs"]),
            ("cloud/membership.rs", &[]),
            ("cloud/room/limit.rs", &["servicequotas:GetServiceQuota"]),
            ("cloud/room/network.rs", &["ec2:DescribeTransitGateways"]),
            ("resources/network/transit/gateway.rs", &[]),
            (
                "resources/network/transit/share.rs",
                &[
                    "ram:AssociateResourceShare",
                    "ram:CreateResourceShare",
                    "ram:DeleteResourceShare",
                    "ram:DisassociateResourceShare",
                    "ram:GetResourceShareAssociations",
                    "ram:GetResourceShares",
                    "ram:TagResource",
                    "ram:UpdateResourceShare",
                ],
            ),
            TAGS,
            WHO,
        ],
    },
    Account {
        title: "The accounts with the parents' zones",
        intro: "The delegation: one NS record set for each team. Not needed for domains with `delegate: false`.",
        parts: &[("resources/domain/delegation.rs", &[]), RECORD_SETS, WHO, ZONES],
    },
    Account {
        title: "The management account",
        intro: "Only for teams with `account: new`, and for `guard_rails.cost_tags`. An account that `new` makes is reached \
                from here: with `sts:AssumeRole` on the role `accounts.new.role` of that account.",
        parts: &[
            (
                "cloud/organizations.rs",
                &[
                    "organizations:CreateAccount",
                    "organizations:DescribeAccount",
                    "organizations:DescribeCreateAccountStatus",
                    "organizations:DescribeOrganization",
                    "organizations:ListAccounts",
                    "organizations:ListCreateAccountStatus",
                    "organizations:ListParents",
                    "organizations:MoveAccount",
                ],
            ),
            ("resources/guard/cost_tags.rs", &[]),
            WHO,
        ],
    },
];

/// Sources that are `overlord`'s alone: each of their calls has to be on the page.
const OWN: [&str; 12] = [
    "cloud/lookups/occupants.rs",
    "cloud/lookups/regions.rs",
    "cloud/lookups/sights.rs",
    "cloud/membership.rs",
    "cloud/organizations.rs",
    "cloud/room/network.rs",
    "registry/teams.rs",
    "resources/domain/",
    "resources/guard/",
    "resources/identity/",
    "resources/network/",
    "resources/place_settings.rs",
];

/// The IAM action, where it is not called as the operation is.
fn action(operation: &str) -> &'static str {
    operations::find(operation).unwrap().action()
}

fn looks(action: &str) -> bool {
    let verb = action.split_once(':').map_or("", |(_, operation)| operation);
    ["Describe", "Get", "List", "View"].iter().any(|v| verb.starts_with(v))
}

/// What the sources call, by file below `aws-core/src/`.
fn called() -> BTreeMap<String, BTreeSet<String>> {
    let named = calls::named(&["aws-core/src"]).into_iter();
    named.map(|(file, words)| (file.strip_prefix("aws-core/src/").unwrap().to_owned(), words)).collect()
}

/// Parts of the network that act in the account `network` alone, or in the management account.
fn elsewhere(account: &Account, file: &str, word: &str) -> bool {
    let network = &ACCOUNTS[2];
    let theirs = network.parts.iter().filter(|(place, _)| place.starts_with("resources/network/transit/"));
    let shown = |(place, only): &Part| file == *place && (only.is_empty() || only.contains(&word));
    account.title == ACCOUNTS[0].title && word != "ram:GetResourceShares" && theirs.into_iter().any(shown)
}

/// The operations that are called in an account.
fn operations_of(account: &Account, called: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (place, only) in account.parts {
        let files: Vec<_> = called.iter().filter(|(file, _)| file.starts_with(place)).collect();
        assert!(!files.is_empty(), "{place}: there is no such source");
        for (file, words) in files {
            let words = words.iter().filter(|w| only.is_empty() || only.contains(&w.as_str()));
            all.extend(words.filter(|w| !elsewhere(account, file, w)).cloned());
        }
        let there: BTreeSet<&str> =
            called.iter().filter(|(f, _)| f.starts_with(place)).flat_map(|(_, w)| w).map(String::as_str).collect();
        let gone: Vec<_> = only.iter().filter(|w| !there.contains(*w)).collect();
        assert!(gone.is_empty(), "{place} does not call {gone:?} any more");
    }
    all
}

/// What AWS checks inside these calls, and which of them need it for what.
fn inside(operations: &BTreeSet<String>, actions: &BTreeSet<String>) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for inside in operations.iter().flat_map(|operation| checked_inside(operation)) {
        if !actions.contains(inside.action) {
            all.entry(inside.action).or_default().insert(inside.why);
        }
    }
    all
}

fn table(actions: &BTreeSet<String>) -> String {
    let mut services: BTreeMap<&str, [Vec<String>; 2]> = BTreeMap::new();
    for action in actions {
        let (service, _) = action.split_once(':').unwrap();
        services.entry(service).or_default()[usize::from(!looks(action))].push(format!("`{action}`"));
    }
    let mut text = "| Service | Looks | Changes |\n|---|---|---|\n".to_owned();
    for (service, [looks, changes]) in services {
        writeln!(text, "| {service} | {} | {} |", looks.join(", "), changes.join(", ")).unwrap();
    }
    text
}

/// A policy with all that looks, for `check` and `plan`.
fn policy(all: &BTreeSet<String>) -> String {
    let (stored, general): (Vec<&String>, Vec<&String>) =
        all.iter().filter(|a| looks(a)).partition(|a| a.starts_with("ssm:"));
    let places = ["*:*:parameter/overlord/*", "*:*:parameter/minion/*", "*::parameter/aws/*"];
    let places: Vec<String> = places.iter().map(|place| format!("arn:aws:ssm:{place}")).collect();
    let places: Vec<&String> = places.iter().collect();
    let statement = |sid: &str, actions: &[&String], resource: &str| {
        format!(
            "    {{\n      \"Sid\": \"{sid}\",\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \
             \"Resource\": {resource}\n    }}",
            list(actions)
        )
    };
    let text = format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{},\n{}\n  ]\n}}",
        statement("Look", &general, "\"*\""),
        statement("Parameters", &stored, &list(&places))
    );
    let policy: serde_json::Value = serde_json::from_str(&text).unwrap();
    let size = policy.to_string().len();
    assert!(size <= 6144, "{size} characters: more than IAM takes for a managed policy");
    text
}

/// A list in JSON, three to a line.
fn list(words: &[&String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let lines: Vec<String> = quoted.chunks(3).map(|line| format!("        {}", line.join(", "))).collect();
    format!("[\n{}\n      ]", lines.join(",\n"))
}

const INTRO: &str = "<!-- Generated from the calls in the sources; `cargo xtask docs` rewrites it. -->\n\
# Permissions of `overlord`\n\n\
The IAM actions that [`overlord`](overlord.md) needs, by account and service. One account may be several of these: it \
then needs all of their actions. `team plan`, `team create --dry-run`, `team list`, `team show`, `check`, `addresses`, \
`diagram` and `history` need the column \"Looks\" alone; the others need both. For `minion` see [permissions.md](permissions.md).\n\n\
The credentials that `overlord` is started with also need `sts:AssumeRole` on each role that the organization's file \
names: `accounts.role`, the roles beside accounts, the first of `accounts.through` (each of these assumes the next one, \
and the last one all others). The roles have to trust them.\n\n\
The AWS emulators that the project is tested on do not judge policies. The list of calls is exact. What AWS \
checks inside the calls follows AWS's documentation and has not been tried in an account yet. When an action is missing, the \
error names the one that AWS named, and says which kind of policy denied it.\n\n\
Whoever may make roles, trails and networks in an account is its administrator. In the teams' accounts the role that \
AWS Organizations makes there, `OrganizationAccountAccessRole`, is meant for that. The tables are for those who want to \
give less.\n";

/// The page.
pub(crate) fn page() -> String {
    let called = called();
    let mut page = INTRO.to_owned();
    let mut all = BTreeSet::new();
    for account in &ACCOUNTS {
        let operations = operations_of(account, &called);
        let actions: BTreeSet<String> = operations.iter().map(|operation| action(operation).to_owned()).collect();
        write!(page, "\n## {}\n\n{}\n\n{}", account.title, account.intro, table(&actions)).unwrap();
        let inside = inside(&operations, &actions);
        if !inside.is_empty() {
            page.push_str("\nWhat AWS checks inside the calls:\n\n");
        }
        for (action, why) in inside {
            writeln!(page, "- `{action}`: {}.", why.into_iter().collect::<Vec<_>>().join("; ")).unwrap();
        }
        all.extend(actions);
    }
    let own = called.iter().filter(|(file, _)| OWN.iter().any(|place| file.starts_with(place)));
    let own: BTreeSet<String> = own.flat_map(|(_, words)| words).map(|w| action(w).to_owned()).collect();
    let missing: Vec<_> = own.difference(&all).collect();
    assert!(missing.is_empty(), "no account is said to need {missing:?}");
    assert!(own.len() > 150, "{own:?}");
    write!(
        page,
        "\n## A policy to look\n\nFor the nightly `overlord check` and for plans of pull requests: a role with it in \
         each account. It allows no change, and reads no parameters but those of `overlord`, `minion` and AWS.\n\n\
         ```json\n{}\n```\n",
        policy(&all)
    )
    .unwrap();
    page
}
