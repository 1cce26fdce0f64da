//! A stage: an AWS account with a team's place in it, a home directory, and the binaries.
use super::{
    emulator::Emulator,
    run::{Run, Running},
    shell::Shell,
    wire::Wire,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Kind of thing on AWS, and the names or ids of those there are.
pub(crate) type Inventory = BTreeMap<String, Vec<String>>;

/// How the place differs from the usual one; the words are those of `seed` in `place.py`.
pub(crate) struct Options(Value);

impl Options {
    /// The usual place: three zones, three layers, hosted zones public and private, a certificate.
    pub(crate) fn usual() -> Self {
        Self(json!({}))
    }
    /// With another value for one of `seed`'s arguments.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }
}

/// An account of its own, so that tests run beside each other.
pub(crate) struct Stage {
    /// What `place.py` made: region, vpc, domain, subnets by layer, zones by kind, certificate_arn.
    pub(crate) place: Value,
    /// The account's number.
    pub(crate) account: String,
    shell: Shell,
    before: Inventory,
}

impl Stage {
    /// A stage with the usual place.
    pub(crate) fn new() -> Self {
        Self::with(Options::usual())
    }

    /// A stage with application `hello` and its versions 1.0 and 2.0; all traffic goes to the first.
    pub(crate) fn of_two_versions() -> Self {
        let stage = Self::new();
        stage.application(&stage.manifest("hello", ""));
        stage.version("hello", "1.0");
        stage.version("hello", "2.0");
        stage.minion(&["traffic", "hello", "1.0", "100", "--no-wait"]).ok();
        stage
    }

    /// A stage with this place.
    pub(crate) fn with(options: Options) -> Self {
        let emulator = Emulator::get();
        let account = emulator.new_account();
        let place = emulator.ask(&json!({ "do": "seed", "account": account, "options": options.0 }));
        let mut shell = Shell::new(&place);
        for (variable, word) in [
            ("MINION_REGION", "region"),
            ("MINION_VPC", "vpc"),
            ("MINION_DOMAIN", "domain"),
            ("MINION_CERTIFICATE_ARN", "certificate_arn"),
        ] {
            shell.set(variable, place[word].as_str());
        }
        let mut stage = Self { place, account, shell, before: Inventory::new() };
        stage.before = stage.inventory();
        stage
    }

    /// One word of the place, e.g. `vpc`.
    pub(crate) fn word(&self, name: &str) -> &str {
        self.place[name].as_str().unwrap()
    }

    /// Sets a variable of the binaries' environment, or removes it. They get no others than the stage's.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        self.shell.set(name, value);
        self
    }

    /// Removes what tells the tool its region, VPC, domain and certificate.
    pub(crate) fn forget_settings(&mut self) {
        self.shell.forget_settings();
    }

    /// The access key of the credentials.
    pub(crate) fn access_key(&self) -> &str {
        self.shell.access_key()
    }

    /// The home directory, and the working directory.
    pub(crate) fn home(&self) -> &Path {
        self.shell.home()
    }

    /// Writes a file into the home directory and returns its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        self.shell.file(name, text)
    }

    /// A manifest for an application of this name on port 8080, with these lines added.
    pub(crate) fn manifest(&self, application: &str, more: &str) -> String {
        let text = format!("application_name: {application}\nteam_name: team\nexposed_ports: [8080]\n{more}");
        self.file(&format!("{application}.yaml"), text)
    }

    /// `registry/repository:tag` of an image that the tests' registry has (`registry.py` says which).
    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}", Emulator::get().registry())
    }

    /// `minion` with these arguments, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.shell.command("minion", arguments)
    }

    /// Runs `minion` with these arguments, with nothing on stdin.
    pub(crate) fn minion(&self, arguments: &[&str]) -> Run {
        self.start(arguments).wait()
    }

    /// Starts `minion` with these arguments.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.shell.start("minion", arguments)
    }

    /// Starts `minion`, and holds it up: see [`Shell::start_held`].
    pub(crate) fn start_held(&self, arguments: &[&str], wire: &Wire, behind: &'static [&'static str]) -> Running {
        self.shell.start_held("minion", arguments, wire, behind)
    }

    /// Any AWS call, in boto3's spelling; it must work.
    pub(crate) fn call(&self, service: &str, operation: &str, arguments: Value) -> Value {
        Emulator::get().ask(&json!({
            "do": "call", "account": self.account, "service": service, "operation": operation, "arguments": arguments,
        }))
    }

    /// Everything that stands in the account.
    pub(crate) fn inventory(&self) -> Inventory {
        let found = Emulator::get().ask(&json!({ "do": "inventory", "account": self.account }));
        serde_json::from_value(found).unwrap()
    }

    /// What stands in the account and did not at the beginning.
    pub(crate) fn added(&self) -> Inventory {
        let mut now = self.inventory();
        now.retain(|kind, names| {
            names.retain(|name| !self.before.get(kind).is_some_and(|before| before.contains(name)));
            !names.is_empty()
        });
        now
    }

    /// Fails when the account is not as it was at the beginning.
    pub(crate) fn assert_as_before(&self, after: &str) {
        let now = self.inventory();
        assert_eq!(now, self.before, "the account is not as it was before {after}; added: {:#?}", self.added());
    }

    /// Puts an application with this manifest in place.
    pub(crate) fn application(&self, manifest: &str) {
        self.minion(&["applications", "create", manifest]).ok();
    }

    /// Puts a version with the image `hello-world:0.1` in place.
    pub(crate) fn version(&self, application: &str, version: &str) {
        self.minion(&["versions", "create", application, version, &self.image("hello-world:0.1")]).ok();
    }

    /// The data of a launch template, and the script in it.
    pub(crate) fn template(&self, name: &str) -> (Value, String) {
        let found = self.call("ec2", "describe_launch_template_versions", json!({ "LaunchTemplateName": name }));
        let data = found["LaunchTemplateVersions"][0]["LaunchTemplateData"].clone();
        let mut decoder = Command::new("base64");
        let mut decoder = decoder.arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        decoder.stdin.take().unwrap().write_all(data["UserData"].as_str().unwrap().as_bytes()).unwrap();
        (data, String::from_utf8(decoder.wait_with_output().unwrap().stdout).unwrap())
    }

    /// `<version> <weight>` (200 is all) of each weighted record of this name in Route 53, sorted.
    pub(crate) fn records(&self, name: &str) -> Vec<String> {
        let start = format!("{name} A ");
        let all = self.inventory().remove("record set").unwrap_or_default();
        let weighted = all.iter().filter_map(|record| record.strip_prefix(&start)?.rsplit_once(' '));
        // The identifier names the version, with or without the application's name in front.
        let version = |identifier: &str| identifier.rsplit(['-', '/', ':']).next().unwrap_or_default().to_owned();
        weighted.map(|(identifier, weight)| format!("{} {weight}", version(identifier))).collect()
    }

    /// Weight in percent of each version, as `versions -o json` says.
    pub(crate) fn weights(&self, application: &str) -> BTreeMap<String, Option<f64>> {
        let listing = self.minion(&["versions", "-o", "json"]).ok().json();
        let rows = listing.as_array().expect("an array").iter().filter(|row| row["application_name"] == application);
        rows.map(|row| (row["version"].as_str().unwrap().to_owned(), row["weight"].as_f64())).collect()
    }
}

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
