//! The places that commands are run in: accounts on the emulator, and files in a home directory.
use crate::{
    case::difference,
    client::{HOME, RANDOM},
    emulator::Server,
    scenes::Place,
    stays::STAYS,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where teams have networks here.
const REGIONS: [&str; 1] = ["eu-west-1"];

const HELLO: &str = "\
application_name: hello
team_name: team
exposed_ports: [8080]
policies:
  - {effect: Allow, actions: [s3:GetObject], resources: 'arn:aws:s3:::pictures/*'}
managed_policies: [AmazonS3ReadOnlyAccess]
secrets: {PASSWORD: 'ssm:/team/old'}
scaling: {min: 1, max: 4, desired: 1, target_cpu_percent: 60}
logging: {driver: awslogs, retention_days: 30}
tags: {stage: test}
";

/// What an update changes: ports, policies, how long logs are kept, tags.
const CHANGED: &str = "\
application_name: hello
team_name: team
exposed_ports: [9090]
policies:
  - {effect: Allow, actions: [s3:GetObject, s3:PutObject], resources: 'arn:aws:s3:::pictures/*'}
managed_policies: [CloudWatchReadOnlyAccess]
secrets: {PASSWORD: 'ssm:/team/new'}
scaling: {min: 1, max: 4, desired: 1, target_cpu_percent: 60}
logging: {driver: awslogs, retention_days: 90}
tags: {stage: live}
";

const TCP: &str = "\
application_name: hello
team_name: team
exposed_protocol: tcp
exposed_ports: [5432, 5433]
ssh_key: false
";

/// A login for the registry.
const LOGIN: &str = "\
application_name: hello
team_name: team
exposed_ports: [8080]
registry_credentials: {'{registry}': 'secretsmanager:minion/registry/test'}
secrets: {PASSWORD: 'ssm:/team/old'}
";

/// A team with everything that is made differently from the rest.
const RED: &str = "\
identity: {account_alias: \"acme-{team}\"}
nat: single
guard_rails:
  budget: {usd: 500, notify: [\"cloud+{team}@example.org\"]}
";
/// A team at a transit gateway, with what the other ones have not.
const HUB: &str = "\
zones: 1
nat: instance
ipv6: true
vpn: {gateway: 203.0.113.7, routes: [192.168.0.0/16]}
identity: {saml_metadata: idp.xml}
";

/// What an identity provider says of itself.
const IDENTITY_PROVIDER: &str = include_str!("../../examples/organization/full/identity-provider.xml");

/// How AWS Organizations is to make accounts.
const MORE_ACCOUNTS: &str = "accounts:\n  new: {email: \"aws+{team}@example.org\"}\n";

const MORE: &str = "\
zones: 3
nat: per-az
flow_logs_days: 14
dns_servers: [10.15.0.2]
identity: {session_hours: 8, account_alias: \"acme-{team}\"}
guard_rails:
  budget: {usd: 600, notify: [\"cloud+{team}@example.org\"]}
tags: {cost-center: \"4711\"}
";
const LESS: &str = "\
zones: 3
identity: {account_alias: \"acme-{team}\"}
nat: none
interconnect: none
flow_logs_days: 0
domains: []
";

/// Where the history of what the commands change is kept: account, log group and stream.
pub(crate) struct Book {
    pub(crate) account: String,
    pub(crate) group: String,
    pub(crate) stream: &'static str,
}

/// A place without anything of ours in it, and what is needed to work there.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) accounts: Value,
    pub(crate) book: Book,
    registry: String,
    grows: bool,
}

impl World {
    /// A copy of `first` with a place in it.
    pub(crate) async fn new(place: Place, first: &Server, registry: &str) -> Self {
        let server = first.fork().await;
        let (given, accounts, files) = match place {
            Place::Team | Place::Closed => team(&server, place == Place::Closed, registry).await,
            Place::Organization | Place::Growing => organization(&server).await,
        };
        let grows = place == Place::Growing;
        if grows {
            let call = json!({
                "account": accounts["home"], "service": "organizations", "operation": "create_organization",
                "arguments": { "FeatureSet": "ALL" },
            });
            server.ask("call", &call).await;
        }
        let mut environment: BTreeMap<String, String> = BTreeMap::new();
        for (variable, word) in [
            ("AWS_ACCESS_KEY_ID", "access_key_id"),
            ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
            ("AWS_SESSION_TOKEN", "session_token"),
            ("MINION_REGION", "region"),
            ("MINION_VPC", "vpc"),
            ("MINION_DOMAIN", "domain"),
            ("MINION_CERTIFICATE_ARN", "certificate_arn"),
        ] {
            environment.extend(given[word].as_str().map(|value| (variable.to_owned(), value.to_owned())));
        }
        for (variable, value) in [("AWS_EC2_METADATA_DISABLED", "true"), ("TERM", "dumb"), ("LANG", "C.UTF-8")] {
            environment.insert(variable.to_owned(), value.to_owned());
        }
        let (holder, group, stream) = match place {
            Place::Team | Place::Closed => ("team", format!("/minion/{}/history", environment["MINION_VPC"]), "hello"),
            Place::Organization | Place::Growing => ("home", "/overlord/acme/history".to_owned(), "red"),
        };
        let book = Book { account: accounts[holder].as_str().unwrap().to_owned(), group, stream };
        Self { server, environment, files, accounts, book, registry: registry.to_owned(), grows }
    }

    /// The words of a command line.
    pub(crate) fn words(&self, line: &str) -> Vec<String> {
        let line = line.replace("{image}", &format!("{}/hello-world:0.1", self.registry));
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// What stands when nothing of ours is there; accounts that AWS keeps are.
    pub(crate) async fn empty(&self) -> Value {
        let copy = self.server.fork().await;
        if self.grows {
            let call = json!({
                "account": self.accounts["home"], "service": "organizations", "operation": "create_account",
                "arguments": { "AccountName": "red", "Email": "aws+red@example.org" },
            });
            copy.ask("call", &call).await;
        }
        let empty = self.dump(&copy).await;
        copy.end().await;
        empty
    }

    /// The accounts that were made since, by name.
    async fn made(&self, server: &Server) -> BTreeMap<String, String> {
        if !self.grows {
            return BTreeMap::new();
        }
        let call =
            json!({ "account": self.accounts["home"], "service": "organizations", "operation": "list_accounts" });
        let told = server.ask("call", &call).await;
        let all = told["Accounts"].as_array().unwrap().iter().map(|account| account["Id"].as_str().unwrap());
        let new = all.filter(|id| self.accounts.as_object().unwrap().values().all(|known| known != id));
        new.enumerate().map(|(n, id)| (format!("new {n}"), id.to_owned())).collect()
    }

    /// Everything that stands in a state of it, but what stays on purpose.
    pub(crate) async fn dump(&self, server: &Server) -> Value {
        self.read(server, false).await
    }

    /// The same, and fails when the emulator believed what had changed since it was read: see `tests/support/dump.py`.
    pub(crate) async fn dump_and_check(&self, server: &Server) -> Value {
        let (believed, read) = (self.read(server, false).await, self.read(server, true).await);
        let lines = difference(&read, &believed);
        assert!(lines.is_empty(), "`changes.py` does not know what a call changes:\n{}", lines.join("\n"));
        believed
    }

    async fn read(&self, server: &Server, anew: bool) -> Value {
        let made = self.made(server).await;
        let mut accounts = self.accounts.clone();
        accounts.as_object_mut().unwrap().extend(made.iter().map(|(name, id)| (name.clone(), json!(id))));
        // The record of a team says where its file was.
        let mut all = without(&server.dump(&accounts, &REGIONS, anew).await.to_string(), HOME, RANDOM);
        for (name, id) in &made {
            all = all.replace(id, &format!("<{name}>"));
        }
        if !made.is_empty() {
            // Prefix lists of AWS are the emulator's own in each account.
            all = without(&all, "pl-", 17);
        }
        let mut all: Value = serde_json::from_str(&all).unwrap();
        if !made.is_empty() {
            sort(&mut all);
        }
        if let Some(kinds) = all.as_object_mut() {
            kinds.retain(|kind, _| !STAYS.iter().any(|stays| kind.ends_with(&format!(" {stays}"))));
        }
        all
    }
}

/// A text without what is made up: so many bytes behind each `mark`, and the mark.
fn without(text: &str, mark: &str, length: usize) -> String {
    let mut parts = text.split(mark);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.get(length..).unwrap_or_default())
}

/// Sorts the lists in it once more: no list of a dump has an order that matters.
fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            items.sort_by_cached_key(Value::to_string);
        }
        Value::Object(members) => members.values_mut().for_each(sort),
        _ => {}
    }
}

async fn team(server: &Server, closed: bool, registry: &str) -> (Value, Value, Vec<(String, String)>) {
    let account = "100000000001";
    let given = server.ask("seed", &json!({ "account": account, "options": { "way_out": !closed } })).await;
    if closed {
        let login = json!({ "username": "me", "password": "pull-only" }).to_string();
        let call = json!({
            "account": account, "service": "secretsmanager", "operation": "create_secret",
            "arguments": { "Name": "minion/registry/test", "SecretString": login },
        });
        server.ask("call", &call).await;
    }
    let files = [("hello.yaml", HELLO), ("changed.yaml", CHANGED), ("tcp.yaml", TCP), ("login.yaml", LOGIN)];
    let files = files.map(|(name, text)| (name.to_owned(), text.replace("{registry}", registry)));
    (given, json!({ "team": account }), files.into())
}

async fn organization(server: &Server) -> (Value, Value, Vec<(String, String)>) {
    let accounts = json!({
        "home": "200000000001", "network": "200000000002", "red": "200000000003", "blue": "200000000004",
    });
    let mut given = Value::Null;
    for (name, number) in accounts.as_object().unwrap() {
        let made = server.ask("prepare", &json!({ "account": number, "regions": REGIONS })).await;
        if name == "home" {
            given = made;
        }
    }
    let zone = json!({ "Name": "example.org", "CallerReference": "example.org" });
    let call = json!({
        "account": accounts["network"], "service": "route53", "operation": "create_hosted_zone", "arguments": zone,
    });
    server.ask("call", &call).await;
    let number = |name: &str| accounts[name].as_str().unwrap().to_owned();
    let organization = |interconnect: &str| {
        let (home, network) = (number("home"), number("network"));
        format!(
            "organization: acme\naddresses: {{pool: [10.0.0.0/12]}}\naccounts:\n  \
             home: {{account: \"{home}\", region: eu-west-1}}\n  network: {{account: \"{network}\"}}\n  \
             role: OrganizationAccountAccessRole\n\
             teams: {{regions: [eu-west-1], zones: 2, nat: none, interconnect: {interconnect}}}\n\
             domains:\n  - {{name: example.org, account: {{account: \"{network}\"}}}}\n"
        )
    };
    let team = |name: &str, more: &str| format!("team: {name}\naccount: \"{}\"\n{more}", number(name));
    let files = [
        ("overlord.yaml", organization("peering")),
        ("teams/red.yaml", team("red", RED)),
        ("teams/blue.yaml", team("blue", "zones: 1\naccount_wide: false\n")),
        ("more/red.yaml", team("red", MORE)),
        ("less/red.yaml", team("red", LESS)),
        ("hub/overlord.yaml", organization("transit-gateway")),
        ("hub/teams/red.yaml", team("red", HUB)),
        ("fresh/overlord.yaml", organization("none").replace("accounts:\n", MORE_ACCOUNTS)),
        ("fresh/teams/red.yaml", "team: red\naccount: new\nzones: 1\n".to_owned()),
        ("hub/idp.xml", IDENTITY_PROVIDER.to_owned()),
    ];
    (given, accounts.clone(), files.map(|(name, text)| (name.to_owned(), text)).into())
}
