//! An estate: an organization's accounts, its file, and `overlord`.
use super::{
    emulator::{Emulator, ask, endpoint},
    refusals::{Refusal, Request, refusing},
    run::{Run, Running},
    shell::Shell,
    stage::Inventory,
    stays::STAYS,
    wire::Wire,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The regions that are looked at.
pub(crate) const REGIONS: [&str; 2] = ["eu-west-1", "eu-central-1"];
/// The layers of a network.
pub(crate) const LAYERS: [&str; 3] = ["public", "shared", "private"];
/// The role that is assumed in the accounts.
const ROLE: &str = "OrganizationAccountAccessRole";
/// What stays beside [`STAYS`]: accounts are closed by people.
const ACCOUNT: &str = "organization's account";

/// Several accounts. The credentials are those of `home`; the others are reached by assuming a role.
pub(crate) struct Estate {
    accounts: BTreeMap<&'static str, String>,
    shell: Shell,
    before: BTreeMap<String, Inventory>,
}

impl Estate {
    /// `home`, `network` (with the zone of example.org), `red` and `blue`, and the files of an organization and of
    /// these two teams: two zones, one NAT gateway, in eu-west-1.
    pub(crate) fn new() -> Self {
        let mut estate = Self::empty(&["home", "network", "red", "blue"]);
        estate.zone("network", "example.org");
        estate.organization("");
        estate.team("red", "");
        estate.team("blue", "");
        estate.remember();
        estate
    }

    /// Accounts of these names, `home` among them, with nothing in them, and no files.
    pub(crate) fn empty(names: &[&'static str]) -> Self {
        let mut accounts = BTreeMap::new();
        let mut credentials = Value::Null;
        for name in names {
            let number = Emulator::get().new_account();
            let made = prepare(&number);
            if *name == "home" {
                credentials = made;
            }
            accounts.insert(*name, number);
        }
        let mut estate = Self { accounts, shell: Shell::new(&credentials), before: BTreeMap::new() };
        estate.remember();
        estate
    }

    /// One more account, with nothing in it.
    pub(crate) fn add(&mut self, name: &'static str) -> String {
        let number = Emulator::get().new_account();
        prepare(&number);
        self.before.insert(name.to_owned(), inventory(&number));
        self.accounts.insert(name, number.clone());
        number
    }

    /// Takes what stands now for what stood at the beginning.
    pub(crate) fn remember(&mut self) {
        self.before = self.inventory();
    }

    /// An account's number.
    pub(crate) fn number(&self, account: &str) -> &str {
        &self.accounts[account]
    }

    /// Where `overlord` runs.
    pub(crate) fn shell(&self) -> &Shell {
        &self.shell
    }

    /// Sets a variable of the environment, or removes it.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        self.shell.set(name, value);
    }

    /// Writes `overlord.yaml`, with these lines added, and returns its path.
    pub(crate) fn organization(&self, more: &str) -> String {
        self.organization_with("{pool: [10.0.0.0/12]}", "{regions: [eu-west-1], zones: 2, nat: single}", more)
    }

    /// The same with other addresses and other defaults.
    pub(crate) fn organization_with(&self, addresses: &str, teams: &str, more: &str) -> String {
        let (home, network) = (self.number("home"), self.number("network"));
        let text = format!(
            "organization: acme\n\
             addresses: {addresses}\n\
             accounts:\n  home: {{account: \"{home}\", region: eu-west-1}}\n  network: {{account: \"{network}\"}}\n  \
             role: {ROLE}\n\
             teams: {teams}\n\
             domains:\n  - {{name: example.org, account: {{account: \"{network}\"}}}}\n{more}"
        );
        self.shell.file("overlord.yaml", text)
    }

    /// Writes a team's file, in the account of its name, with these lines added, and returns its path.
    pub(crate) fn team(&self, name: &str, more: &str) -> String {
        let text = format!("team: {name}\naccount: \"{}\"\n{more}", self.number(name));
        self.shell.file(&format!("teams/{name}.yaml"), text)
    }

    /// A hosted zone in an account; its id.
    pub(crate) fn zone(&self, account: &str, domain: &str) -> String {
        let reference = json!({ "Name": domain, "CallerReference": domain });
        let made = self.call(account, "route53", "create_hosted_zone", reference);
        made["HostedZone"]["Id"].as_str().unwrap().trim_start_matches("/hostedzone/").to_owned()
    }

    /// Runs `overlord` with these arguments, with nothing on stdin.
    pub(crate) fn overlord(&self, arguments: &[&str]) -> Run {
        self.shell.run("overlord", arguments)
    }

    /// A wire on which the calls that the rule picks are answered with this.
    pub(crate) fn answering(
        &self,
        refusal: Refusal,
        picks: impl Fn(&Request<'_>) -> bool + Send + Sync + 'static,
    ) -> Wire {
        let known = [(self.shell.access_key(), self.number("home"))];
        refusing(endpoint(), &known, move |request| picks(request).then_some(refusal))
    }

    /// Runs `overlord` on a wire.
    pub(crate) fn through(&mut self, wire: &Wire, arguments: &[&str]) -> Run {
        self.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
        let run = self.overlord(arguments);
        self.set("AWS_ENDPOINT_URL", Some(endpoint()));
        run
    }

    /// Starts `overlord` with these arguments.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.shell.start("overlord", arguments)
    }

    /// Starts `overlord`, and holds it up: see [`Shell::start_held`].
    pub(crate) fn start_held(&self, arguments: &[&str], wire: &Wire, behind: &'static [&'static str]) -> Running {
        self.shell.start_held("overlord", arguments, wire, behind)
    }

    /// Creates a team's place, and fails unless its plan is empty afterwards.
    pub(crate) fn create(&self, team: &str) -> Run {
        let run = self.overlord(&["team", "create", team]).ok();
        self.unchanged(team);
        run
    }

    /// Fails unless a team's plan is empty.
    pub(crate) fn unchanged(&self, team: &str) {
        self.overlord(&["team", "plan", team, "--detailed-exitcode"]).ok().says(&["No changes"]);
    }

    /// A team's plan, which must not be empty: its lines, without the sum.
    pub(crate) fn plan(&self, team: &str) -> Vec<String> {
        let run = self.overlord(&["team", "plan", team, "--detailed-exitcode"]).exits(5);
        let lines = run.stdout.lines().filter(|line| !line.starts_with("Plan: "));
        lines.map(str::to_owned).collect()
    }

    /// Deletes a team's place.
    pub(crate) fn delete(&self, team: &str) -> Run {
        self.overlord(&["team", "delete", team, "--delete-audit-logs", "--yes"]).ok()
    }

    /// Any AWS call in an account's eu-west-1, in boto3's spelling; it must work.
    pub(crate) fn call(&self, account: &str, service: &str, operation: &str, arguments: Value) -> Value {
        self.call_in(account, REGIONS[0], service, operation, arguments)
    }

    /// The same in any region.
    pub(crate) fn call_in(
        &self,
        account: &str,
        region: &str,
        service: &str,
        operation: &str,
        arguments: Value,
    ) -> Value {
        ask(&json!({
            "do": "call", "account": self.number(account), "region": region, "service": service,
            "operation": operation, "arguments": arguments,
        }))
    }

    /// The id of the one thing of this kind in an account's eu-west-1 that has this `Name`.
    pub(crate) fn named(&self, account: &str, kind: &str, name: &str) -> String {
        let filters = json!([{ "Name": "tag:Name", "Values": [name] }]);
        let (operation, list, id) = match kind {
            "subnet" => ("describe_subnets", "Subnets", "SubnetId"),
            "vpc" => ("describe_vpcs", "Vpcs", "VpcId"),
            other => panic!("{other} is not known"),
        };
        let found = self.call(account, "ec2", operation, json!({ "Filters": filters }));
        let found = found[list].as_array().unwrap();
        assert_eq!(found.len(), 1, "{kind} {name} in {account}: {found:?}");
        found[0][id].as_str().unwrap().to_owned()
    }

    /// Everything that stands in each account, in all regions.
    pub(crate) fn inventory(&self) -> BTreeMap<String, Inventory> {
        self.accounts.iter().map(|(name, number)| ((*name).to_owned(), inventory(number))).collect()
    }

    /// What stands in an account and did not at the beginning.
    pub(crate) fn added(&self, account: &str) -> Inventory {
        added(&self.before[account], inventory(self.number(account)))
    }

    /// Names of the kinds of which an account has more than at the beginning, and how many more.
    pub(crate) fn counts(&self, account: &str) -> BTreeMap<String, usize> {
        self.added(account).into_iter().map(|(kind, names)| (kind, names.len())).collect()
    }

    /// Fails when an account is not as it was at the beginning.
    pub(crate) fn assert_as_before(&self, after: &str) {
        let now = self.inventory();
        for (account, before) in &self.before {
            let extra = added(before, now[account].clone());
            assert_eq!(now[account], *before, "{account} is not as it was before {after}; added: {extra:#?}");
        }
    }

    /// Somebody who works in an account with a role's credentials.
    pub(crate) fn as_role(&self, account: &str, role: &str) -> Shell {
        Shell::new(&ask(&json!({ "do": "assume", "account": self.number(account), "role": role })))
    }
}

/// Removes what AWS puts into a new account; its credentials.
fn prepare(number: &str) -> Value {
    ask(&json!({ "do": "prepare", "account": number, "regions": REGIONS }))
}

fn inventory(number: &str) -> Inventory {
    let found = ask(&json!({ "do": "estate", "account": number, "regions": REGIONS }));
    let mut found: Inventory = serde_json::from_value(found).unwrap();
    found.retain(|kind, _| kind != ACCOUNT && !STAYS.contains(&kind.as_str()));
    found
}

fn added(before: &Inventory, mut now: Inventory) -> Inventory {
    now.retain(|kind, names| {
        names.retain(|name| !before.get(kind).is_some_and(|before| before.contains(name)));
        !names.is_empty()
    });
    now
}
