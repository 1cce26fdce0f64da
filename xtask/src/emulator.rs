//! The AWS emulator: moto, and `tests/support/emulator.py`, which starts it and prepares accounts.
use crate::{cargo::workspace, stays::STAYS, tools};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Kind of thing on AWS, and the names or ids of those there are.
pub(crate) type Inventory = BTreeMap<String, Vec<String>>;

/// The one account of the bench of `minion`.
const ACCOUNT: &str = "100000000001";
/// The region of demo and bench.
const REGION: &str = "eu-west-1";
/// What stays beside [`STAYS`]: accounts are closed by people.
const CLOSED_BY_PEOPLE: &str = "organization's account";

/// A running emulator. All of it ends when the pipe to it closes: with this value, or with this
/// process, however that ends.
pub(crate) struct Emulator {
    /// `http://127.0.0.1:PORT`
    pub(crate) endpoint: String,
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A container registry on loopback.
pub(crate) struct Registry {
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    /// `docker-registry` or `built-in`
    pub(crate) program: String,
}

impl Emulator {
    /// Sets up what is needed and starts it.
    pub(crate) fn start() -> Result<Self> {
        let moto = tools::moto_server()?;
        let python = moto.with_file_name("python");
        let script = workspace().join("tests/support/emulator.py");
        let mut child = Command::new(&python)
            .arg("-B")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}, the Python beside {}", python.display(), moto.display()))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("the emulator's answers are piped")?);
        let mut emulator = Self { endpoint: String::new(), child, requests, answers };
        emulator.endpoint = text(&emulator.read()?, "endpoint")?;
        Ok(emulator)
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!("the emulator ended; what it said is above");
        }
        Ok(serde_json::from_str(&line)?)
    }

    fn ask(&mut self, account: &str, mut request: Value) -> Result<Value> {
        request["account"] = account.into();
        let requests = self.requests.as_mut().context("the emulator was stopped")?;
        writeln!(requests, "{request}").context("the emulator ended")?;
        let mut answer = self.read()?;
        if let Some(error) = answer.get("error") {
            bail!("the emulator cannot do {request}: {error}");
        }
        Ok(answer["ok"].take())
    }

    /// Prepares the account: VPC, subnets, hosted zones, certificate. The answer names them.
    pub(crate) fn seed(&mut self) -> Result<Value> {
        self.ask(ACCOUNT, json!({ "do": "seed" }))
    }

    /// Puts this many versions of this many applications into the account's private layer.
    pub(crate) fn versions(&mut self, place: &Value, applications: u32, versions: u32) -> Result<Value> {
        let options = json!({
            "vpc": place["vpc"], "subnets": place["subnets"]["private"], "domain": place["domain"],
            "zone": place["zones"]["private"][0], "applications": applications, "versions": versions,
        });
        self.ask(ACCOUNT, json!({ "do": "versions", "options": options }))
    }

    /// Starts a container registry with the demo's images in it.
    pub(crate) fn registry(&mut self, program: Option<&Path>) -> Result<Registry> {
        let made = self.ask(ACCOUNT, json!({ "do": "registry", "program": program }))?;
        Ok(Registry { host: text(&made, "host")?, program: text(&made, "program")? })
    }

    /// Removes what AWS puts into a new account; its credentials.
    pub(crate) fn prepare(&mut self, account: &str) -> Result<Value> {
        self.ask(account, json!({ "do": "prepare", "regions": [REGION] }))
    }

    /// Credentials of a role that the account has.
    pub(crate) fn assume(&mut self, account: &str, role: &str) -> Result<Value> {
        self.ask(account, json!({ "do": "assume", "role": role }))
    }

    /// A public hosted zone.
    pub(crate) fn zone(&mut self, account: &str, domain: &str) -> Result<()> {
        let arguments = json!({ "Name": domain, "CallerReference": domain });
        let what =
            json!({ "do": "call", "service": "route53", "operation": "create_hosted_zone", "arguments": arguments });
        self.ask(account, what).map(drop)
    }

    /// Any AWS call in the account of [`Emulator::seed`], in boto3's spelling.
    pub(crate) fn call(&mut self, service: &str, operation: &str, arguments: Value) -> Result<Value> {
        let what = json!({ "do": "call", "service": service, "operation": operation, "arguments": arguments });
        self.ask(ACCOUNT, what)
    }

    /// What a place and `minion`'s applications have in the account.
    pub(crate) fn inventory(&mut self, account: &str) -> Result<Inventory> {
        Ok(serde_json::from_value(self.ask(account, json!({ "do": "inventory" }))?)?)
    }

    /// Everything that stands in these accounts, by account, and did not stay on purpose.
    pub(crate) fn estate(&mut self, accounts: &[&str]) -> Result<BTreeMap<String, Inventory>> {
        let mut all = BTreeMap::new();
        for account in accounts {
            let found = self.ask(account, json!({ "do": "estate", "regions": [REGION] }))?;
            let mut found: Inventory = serde_json::from_value(found)?;
            found.retain(|kind, _| kind != CLOSED_BY_PEOPLE && !STAYS.contains(&kind.as_str()));
            all.insert((*account).to_owned(), found);
        }
        Ok(all)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}

/// A member of an answer that is a string.
pub(crate) fn text(value: &Value, name: &str) -> Result<String> {
    Ok(value[name].as_str().with_context(|| format!("the emulator's answer has no `{name}`"))?.to_owned())
}

/// The environment of the binaries: these credentials, the endpoint, a home
/// directory, and nothing of ours but what a terminal needs.
pub(crate) fn environment(credentials: &Value, endpoint: &str, home: &Path) -> Result<Vec<(String, String)>> {
    if !endpoint.starts_with("http://127.0.0.1:") {
        bail!("{endpoint} is not on this computer: refusing to go on");
    }
    let mut variables = vec![
        ("AWS_ACCESS_KEY_ID".to_owned(), text(credentials, "access_key_id")?),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), text(credentials, "secret_access_key")?),
        ("AWS_SESSION_TOKEN".to_owned(), text(credentials, "session_token")?),
        ("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned()),
        ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
        ("HOME".to_owned(), home.display().to_string()),
    ];
    for name in ["TERM", "LANG", "LC_ALL", "COLUMNS", "NO_COLOR"] {
        variables.extend(std::env::var(name).ok().map(|value| (name.to_owned(), value)));
    }
    Ok(variables)
}
