//! `docs/overlord-permissions.md`: which IAM actions `overlord` needs in which account, from the calls in the sources.
use crate::pages::calls;
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
    /// What AWS asks for beside the calls: action, and why.
    beside: &'static [(&'static str, &'static str)],
}

const RECORDS: Part = ("registry/parameters.rs", &[]);
const RECORD_SETS: Part = ("resources/alias_record.rs", &[]);
const ZONES: Part = ("cloud/lookups/zones.rs", &["route53:ListHostedZonesByName"]);
const WHO: Part = ("cloud/connect.rs", &[]);
const TAGGED_PARAMETERS: (&str, &str) = ("ssm:AddTagsToResource", "a parameter gets its tags in the creating call");

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
            ("cloud/lookups/regions.rs", &[]),
            ("cloud/lookups/sights.rs", &[]),
            ("cloud/lookups/compute.rs", &["ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:GetConsoleOutput"]),
            ("cloud/network.rs", &[]),
            ("resources/domain/", &[]),
            ("resources/guard/budget.rs", &[]),
            ("resources/guard/ebs_encryption.rs", &[]),
            ("resources/guard/metadata_defaults.rs", &[]),
            ("resources/guard/public_access.rs", &[]),
            ("resources/guard/trail.rs", &[]),
            ("resources/guard/trail_bucket.rs", &[]),
            ("resources/identity/", &[]),
            ("resources/log_group.rs", &[]),
            ("resources/network/", &[]),
            ("resources/place_settings.rs", &[]),
            ("resources/security_group.rs", &["ec2:DescribeSecurityGroups"]),
            RECORDS,
            RECORD_SETS,
            WHO,
            ZONES,
        ],
        beside: &[
            ("cloudtrail:AddTags", "the trail gets its tags in the creating call"),
            ("iam:CreateServiceLinkedRole", "AWS makes its own role at an account's first transit gateway attachment"),
            ("iam:PassRole", "a flow log names the role that writes it, `overlord-flow-logs-*`"),
            TAGGED_PARAMETERS,
        ],
    },
    Account {
        title: "The account `home`",
        intro: "The records of teams and addresses and the leases, `/overlord/*` in Systems Manager, and the history, \
                `/overlord/*/history` in CloudWatch Logs, in one region.",
        parts: &[("registry/teams.rs", &[]), ("registry/lease/", &[]), ("registry/history/", &[]), RECORDS, WHO],
        beside: &[("logs:TagResource", "a log group gets its tags in the creating call"), TAGGED_PARAMETERS],
    },
    Account {
        title: "The account `network`",
        intro: "The transit gateways, and their shares with the teams' accounts. The networks of its VPCs are looked \
                at before a new team gets addresses, whatever `interconnect` says.",
        parts: &[
            ("cloud/lookups/regions.rs", &["ec2:DescribeVpcs"]),
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
            WHO,
        ],
        beside: &[],
    },
    Account {
        title: "The accounts with the parents' zones",
        intro: "The delegation: one NS record set for each team. Not needed for domains with `delegate: false`.",
        parts: &[("resources/domain/delegation.rs", &[]), RECORD_SETS, WHO, ZONES],
        beside: &[],
    },
    Account {
        title: "The management account",
        intro: "Only for teams with `account: new`, and for `guard_rails.cost_tags`.",
        parts: &[
            (
                "cloud/organizations.rs",
                &[
                    "organizations:CreateAccount",
                    "organizations:DescribeAccount",
                    "organizations:DescribeCreateAccountStatus",
                    "organizations:ListAccounts",
                    "organizations:ListCreateAccountStatus",
                    "organizations:ListParents",
                    "organizations:MoveAccount",
                ],
            ),
            ("resources/guard/cost_tags.rs", &[]),
            WHO,
        ],
        beside: &[],
    },
];

/// What is named in the sources of resources and is not called: it stands in policies that are written.
const OF_POLICIES: [(&str, &str); 7] = [
    ("resources/guard/trail_bucket.rs", "aws:SecureTransport"),
    ("resources/guard/trail_bucket.rs", "aws:SourceArn"),
    ("resources/guard/trail_bucket.rs", "s3:GetBucketAcl"),
    ("resources/guard/trail_bucket.rs", "s3:PutObject"),
    ("resources/identity/", "aws:SourceAccount"),
    ("resources/identity/", "sts:AssumeRole"),
    ("resources/identity/", "sts:AssumeRoleWithSAML"),
];

/// Sources that are `overlord`'s alone: each of their calls has to be on the page.
const OWN: [&str; 10] = [
    "cloud/lookups/occupants.rs",
    "cloud/lookups/regions.rs",
    "cloud/lookups/sights.rs",
    "cloud/organizations.rs",
    "registry/teams.rs",
    "resources/domain/",
    "resources/guard/",
    "resources/identity/",
    "resources/network/",
    "resources/place_settings.rs",
];

/// The IAM action, where it is not called as the operation is (Service Authorization Reference of AWS Budgets). S3's are
/// called by the action in the sources.
fn action(operation: &str) -> &str {
    match operation.split_once(':') {
        Some(("budgets", looks)) if looks.starts_with("Describe") => "budgets:ViewBudget",
        Some(("budgets", _)) => "budgets:ModifyBudget",
        _ => operation,
    }
}

fn looks(action: &str) -> bool {
    let verb = action.split_once(':').map_or("", |(_, operation)| operation);
    ["Describe", "Get", "List", "View"].iter().any(|v| verb.starts_with(v))
}

/// What the sources call, by file below `aws-core/src/`.
fn called() -> BTreeMap<String, BTreeSet<String>> {
    let in_policy = |file: &str, word: &str| OF_POLICIES.iter().any(|(place, w)| file.starts_with(place) && *w == word);
    let named = calls::named(&["aws-core/src"]).into_iter().map(|(file, actions)| {
        let file = file.strip_prefix("aws-core/src/").unwrap().to_owned();
        let actions = actions.into_iter().filter(|word| !in_policy(&file, word)).collect();
        (file, actions)
    });
    named.collect()
}

/// Parts of the network that act in the account `network` alone, or in the management account.
fn elsewhere(account: &Account, file: &str, word: &str) -> bool {
    let network = &ACCOUNTS[2];
    let theirs = network.parts.iter().filter(|(place, _)| place.starts_with("resources/network/transit/"));
    let shown = |(place, only): &Part| file == *place && (only.is_empty() || only.contains(&word));
    account.title == ACCOUNTS[0].title && word != "ram:GetResourceShares" && theirs.into_iter().any(shown)
}

fn actions_of(account: &Account, called: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (place, only) in account.parts {
        let files: Vec<_> = called.iter().filter(|(file, _)| file.starts_with(place)).collect();
        assert!(!files.is_empty(), "{place}: there is no such source");
        for (file, words) in files {
            let words = words.iter().filter(|w| only.is_empty() || only.contains(&w.as_str()));
            all.extend(words.filter(|w| !elsewhere(account, file, w)).map(|w| action(w).to_owned()));
        }
        let there: BTreeSet<&str> =
            called.iter().filter(|(f, _)| f.starts_with(place)).flat_map(|(_, w)| w).map(String::as_str).collect();
        let gone: Vec<_> = only.iter().filter(|w| !there.contains(*w)).collect();
        assert!(gone.is_empty(), "{place} does not call {gone:?} any more");
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
The AWS emulators that the project is tested on do not judge policies. The list of calls is exact. What AWS asks for \
beside the calls follows AWS's documentation and has not been tried in an account yet. When an action is missing, the \
error names it (`These credentials may not call ..`).\n\n\
Whoever may make roles, trails and networks in an account is its administrator. In the teams' accounts the role that \
AWS Organizations makes there, `OrganizationAccountAccessRole`, is meant for that. The tables are for those who want to \
give less.\n";

/// The page.
pub(crate) fn page() -> String {
    let called = called();
    let mut page = INTRO.to_owned();
    let mut all = BTreeSet::new();
    for account in &ACCOUNTS {
        let actions = actions_of(account, &called);
        write!(page, "\n## {}\n\n{}\n\n{}", account.title, account.intro, table(&actions)).unwrap();
        if !account.beside.is_empty() {
            page.push_str("\nWhat AWS asks for beside the calls:\n\n");
        }
        for (action, why) in account.beside {
            assert!(!actions.contains(*action), "{action} is called, and need not stand beside");
            writeln!(page, "- `{action}`: {why}.").unwrap();
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
