//! The commands, and what stands before each.
use crate::{
    case::{Stage, difference},
    client::{Ended, HOME, RANDOM},
    emulator::Server,
    faults::Call,
    proxy::Role,
    stays::STAYS,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Where teams have networks here.
const REGIONS: [&str; 1] = ["eu-west-1"];

/// Which accounts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// One, with a team's network, as `minion` finds it.
    Team,
    /// The same without a way to the internet, and with a login for the registry in Secrets Manager.
    Closed,
    /// Four of an organization, with nothing in them but the zone of example.org.
    Organization,
    /// The same, and AWS Organizations makes more. AWS keeps those: what is left in them has to be nothing of ours.
    Growing,
}

/// A command, and what goes before and after it. Words are separated by spaces; `{image}` is an image of the registry.
#[derive(Debug)]
pub(crate) struct Scene {
    /// In reports.
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    /// What stands before all; what is left of the account after `clean` has to be this.
    before: &'static [&'static str],
    /// What is made for the command.
    prepare: &'static [&'static str],
    pub(crate) command: &'static str,
    /// Whether a plan of the command is empty once it is done.
    pub(crate) plans: bool,
    /// Takes away what `prepare` and the command made.
    pub(crate) clean: &'static [&'static str],
    /// Another scene of the same command: only operations that do not occur there are of interest.
    pub(crate) beside: Option<&'static str>,
}

impl Scene {
    /// Whether the command, run again, is content: what was to be taken away does not exist any more.
    pub(crate) fn done(&self, again: &Ended) -> bool {
        let gone = self.command.contains(" delete ") && again.code == Some(1);
        again.ok() || (gone && again.said().contains("does not exist"))
    }
}

const CASCADE: &str = "minion app delete hello --cascade --yes";
const CREATE: &str = "minion app create hello.yaml";
const FIRST: &str = "minion ver create hello 1.0 {image}";
const SECOND: &str = "minion ver create hello 2.0 {image}";
const ALL_TO_FIRST: &str = "minion traffic hello 1.0 100";
const TEAM_GOES: &str = "overlord team delete red --delete-audit-logs --yes";

/// All of them.
pub(crate) static SCENES: &[Scene] = &[
    Scene {
        name: "app create",
        place: Place::Team,
        before: &[],
        prepare: &[],
        command: CREATE,
        plans: true,
        clean: &["minion app delete hello --yes"],
        beside: None,
    },
    Scene {
        name: "app update",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST],
        command: "minion app update changed.yaml",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "app delete",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE],
        command: "minion app delete hello --yes",
        plans: false,
        clean: &[],
        beside: None,
    },
    Scene {
        name: "app delete --cascade",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, ALL_TO_FIRST],
        command: CASCADE,
        plans: false,
        clean: &[],
        beside: None,
    },
    Scene {
        name: "ver create",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, ALL_TO_FIRST],
        command: "minion ver create hello 2.0 {image} --public",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver create (tcp)",
        place: Place::Team,
        before: &[],
        prepare: &["minion app create tcp.yaml"],
        command: "minion ver create hello 1.0 {image} --no-wait",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver create (closed network)",
        place: Place::Closed,
        before: &[],
        prepare: &["minion app create login.yaml"],
        command: "minion ver create hello 1.0 {image}",
        plans: true,
        clean: &[CASCADE],
        beside: Some("ver create"),
    },
    Scene {
        name: "ver scale",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, ALL_TO_FIRST],
        command: "minion ver scale hello 1.0 5",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver delete",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, ALL_TO_FIRST],
        command: "minion ver delete hello 2.0 --yes",
        plans: false,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver delete --force",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, "minion traffic hello 1.0 100", "minion traffic hello 2.0 50"],
        command: "minion ver delete hello 2.0 --force --no-wait --yes",
        plans: false,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "traffic 50",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, ALL_TO_FIRST],
        command: "minion traffic hello 2.0 50",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "traffic 100",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, ALL_TO_FIRST],
        command: "minion traffic hello 2.0 100",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "team create",
        place: Place::Organization,
        before: &["overlord team create blue"],
        prepare: &[],
        command: "overlord team create red",
        plans: true,
        clean: &[TEAM_GOES],
        beside: None,
    },
    Scene {
        name: "team update",
        place: Place::Organization,
        before: &["overlord team create blue"],
        prepare: &["overlord team create red"],
        command: "overlord team update red -f more/red.yaml",
        plans: true,
        clean: &[TEAM_GOES],
        beside: None,
    },
    Scene {
        name: "team update (less)",
        place: Place::Organization,
        before: &[],
        prepare: &["overlord team create red -f more/red.yaml"],
        command: "overlord team update red -f less/red.yaml",
        plans: true,
        clean: &[TEAM_GOES],
        beside: Some("team update"),
    },
    Scene {
        name: "team create (transit gateway)",
        place: Place::Organization,
        before: &[],
        prepare: &[],
        command: "overlord team create red -c hub/overlord.yaml",
        plans: true,
        clean: &["overlord team delete red -c hub/overlord.yaml --delete-audit-logs --yes"],
        beside: Some("team create"),
    },
    Scene {
        name: "team create (new account)",
        place: Place::Growing,
        before: &[],
        prepare: &[],
        command: "overlord team create red -c fresh/overlord.yaml",
        plans: true,
        clean: &["overlord team delete red -c fresh/overlord.yaml --delete-audit-logs --yes"],
        beside: Some("team create"),
    },
    Scene {
        name: "team delete",
        place: Place::Organization,
        before: &["overlord team create blue"],
        prepare: &["overlord team create red"],
        command: TEAM_GOES,
        plans: false,
        clean: &[],
        beside: None,
    },
    Scene {
        name: "team delete (transit gateway)",
        place: Place::Organization,
        before: &[],
        prepare: &["overlord team create red -c hub/overlord.yaml"],
        command: "overlord team delete red -c hub/overlord.yaml --delete-audit-logs --yes",
        plans: false,
        clean: &[],
        beside: Some("team delete"),
    },
];

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

/// A scene with its state, and what an undisturbed run makes of it.
pub(crate) struct Prepared {
    pub(crate) scene: &'static Scene,
    pub(crate) world: World,
    /// The state that the command begins with.
    pub(crate) server: Server,
    /// What stands once all is deleted: what stood before anything of `prepare`, and accounts that AWS keeps.
    pub(crate) before: Value,
    /// What stands after an undisturbed run.
    pub(crate) wanted: Value,
    /// The calls of that run.
    pub(crate) calls: Vec<Call>,
    pub(crate) took: Duration,
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
    async fn empty(&self) -> Value {
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

    /// Everything that stands in a state of it, but what stays on purpose: bills of the past are still split by tags,
    /// and service-linked roles belong to their services.
    pub(crate) async fn dump(&self, server: &Server) -> Value {
        let made = self.made(server).await;
        let mut accounts = self.accounts.clone();
        accounts.as_object_mut().unwrap().extend(made.iter().map(|(name, id)| (name.clone(), json!(id))));
        // The record of a team says where its file was.
        let mut all = without(&server.dump(&accounts, &REGIONS).await.to_string(), HOME, RANDOM);
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

impl Prepared {
    /// Runs what goes before, then the command, undisturbed, twice: both must come to the same.
    pub(crate) async fn new(scene: &'static Scene, first: &Server, registry: &str) -> Self {
        let world = World::new(scene.place, first, registry).await;
        let stage = Stage::on(&world, world.server.clone()).await;
        for line in scene.before {
            stage.must(line).await;
        }
        let before = world.empty().await;
        for line in scene.prepare {
            stage.must(line).await;
        }
        let server = world.server.clone();
        let mut prepared =
            Self { scene, world, server, before, wanted: Value::Null, calls: Vec::new(), took: Duration::ZERO };
        for round in 0..2 {
            let (copy, old) = (prepared.server.fork().await, prepared.server.fork().await);
            let stage = Stage::with(&prepared.world, copy.clone(), Role::Record { before: old.clone() }).await;
            let run = stage.must(scene.command).await;
            let calls = stage.proxy.calls();
            let dump = prepared.world.dump(&copy).await;
            if round == 0 {
                (prepared.calls, prepared.wanted, prepared.took) = (calls, dump, run.took);
            } else {
                let lines = difference(&prepared.wanted, &dump);
                assert!(lines.is_empty(), "{}: two undisturbed runs differ:\n{}", scene.name, lines.join("\n"));
            }
            let again = stage.run(scene.command).await;
            assert!(scene.done(&again), "undisturbed, the second time:\n{}", again.transcript());
            let lines = difference(&prepared.wanted, &prepared.world.dump(&copy).await);
            assert!(lines.is_empty(), "{}: the second time it makes something else:\n{}", scene.name, lines.join("\n"));
            if scene.plans {
                stage.must(&format!("{} --dry-run --detailed-exitcode", scene.command)).await;
            }
            for line in scene.clean {
                stage.must(line).await;
            }
            let lines = difference(&prepared.before, &prepared.world.dump(&copy).await);
            assert!(lines.is_empty(), "{}: it leaves something:\n{}", scene.name, lines.join("\n"));
            copy.end().await;
            old.end().await;
        }
        prepared
    }
}
