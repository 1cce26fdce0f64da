//! What `overlord` tells `minion` of a VPC: the settings that are stored with it.
use super::{domain::certificate::CertificateArn, kind::found_through, network::ids::VpcId};
use crate::{
    Error, Result,
    cloud::Cloud,
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    registry::{VpcSettings, as_written, parameters},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Settings by their keys.
type Mapping = Map<String, Value>;

/// The stored key that lists the keys that are ours: one that is in it and no longer wanted is removed.
const OURS: &str = "overlord";
/// The key of [`PlaceSettings::certificate`].
const CERTIFICATE: &str = "certificate_arn";

/// The settings of a VPC. Only what is set here, or was before, is ours; the rest is the operators', keys that we do
/// not know included.
#[derive(Needs)]
pub struct PlaceSettings {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// Our settings: fields that are set, and lists that are not empty.
    pub base: VpcSettings,
    /// The certificate of HTTPS listeners.
    pub certificate: Option<Ref<CertificateArn>>,
    /// The ARN of the managed policy that bounds roles.
    pub boundary: Option<String>,
}

/// What is stored.
#[derive(Debug, Clone)]
pub enum Live {
    /// Settings, by their keys.
    Settings(Mapping),
    /// What cannot be read, and so cannot be kept while other keys are written; says why.
    Unreadable(String),
}

/// Reads stored settings: as a mapping, so that nothing in it gets lost.
fn parse(place: &str, yaml: &str) -> Live {
    let text = || -> Result<Mapping> {
        VpcSettings::parse(place, yaml)?;
        // Keys that are not ours are written back: as they are written, not as YAML understands them.
        let map = as_written::mapping(yaml).map_err(|e| Error::usage(format!("{place} is not YAML: {e}")))?;
        map.ok_or_else(|| Error::usage(format!("{place} is no mapping")))
    };
    text().map_or_else(|e| Live::Unreadable(e.to_string()), Live::Settings)
}

/// What is wanted, as far as it is known by now.
#[derive(Default)]
struct Wanted {
    settings: Mapping,
    /// Our keys, sorted; also those whose values are not known yet.
    keys: BTreeSet<String>,
}

/// Our keys and their values.
fn ours(settings: &VpcSettings) -> Wanted {
    let mut ours = match serde_json::to_value(settings) {
        Ok(Value::Object(ours)) => ours,
        other => unreachable!("a struct of plain values is a mapping: {other:?}"),
    };
    // Whether it is asked without TLS belongs to the registry, and goes with it.
    if settings.registry.is_some() {
        ours.insert("registry_insecure".into(), settings.registry_insecure.into());
    }
    Wanted { keys: ours.keys().cloned().collect(), settings: ours }
}

/// The keys that were ours when the settings were last written.
fn remembered(live: &Mapping) -> BTreeSet<String> {
    let list = live.get(OURS).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)).collect()
}

/// Those that were ours, are still there, and are no longer wanted.
fn stale(live: &Mapping, wanted: &Wanted) -> Vec<String> {
    let former = remembered(live);
    former.difference(&wanted.keys).filter(|key| live.contains_key(key.as_str())).cloned().collect()
}

fn same(live: Option<&Value>, wanted: &Value) -> bool {
    // What is off is not written.
    live == Some(wanted) || (live.is_none() && *wanted == Value::Bool(false))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(s) if s.lines().count() > 1 => format!("{} lines", s.lines().count()),
        Value::String(s) => s.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn compare(live: &Live, wanted: &Wanted) -> Vec<Change> {
    let live = match live {
        Live::Settings(live) => live,
        Live::Unreadable(why) => {
            return vec![Change::refused(
                "settings",
                why,
                "settings that can be read",
                "Correct the parameter in the AWS console or with `aws ssm put-parameter`, or delete it; then run the \
                 same command again.",
            )];
        }
    };
    let there = |key: &str| live.get(key).map_or_else(|| "-".into(), text);
    let differ = wanted.settings.iter().filter(|(key, wanted)| !same(live.get(key.as_str()), wanted));
    let mut changes: Vec<Change> = differ.map(|(key, wanted)| Change::new(key, there(key), text(wanted))).collect();
    changes.extend(stale(live, wanted).into_iter().map(|key| Change::new(&key, there(&key), "-")));
    if changes.is_empty() && remembered(live) != wanted.keys {
        let keys: Vec<&str> = wanted.keys.iter().map(String::as_str).collect();
        changes.push(Change::new("keys that overlord writes", there(OURS), keys.join(", ")));
    }
    changes
}

/// The stored settings with ours in them, and without what was ours.
fn merged(live: &Mapping, wanted: Wanted) -> Mapping {
    let mut merged = live.clone();
    for key in stale(live, &wanted) {
        merged.remove(&key);
    }
    for (key, value) in wanted.settings {
        if !same(merged.get(&key), &value) {
            merged.insert(key, value);
        }
    }
    if wanted.keys.is_empty() {
        merged.remove(OURS);
    } else {
        merged.insert(OURS.into(), wanted.keys.into_iter().collect());
    }
    merged
}

impl PlaceSettings {
    fn wanted(&self, cx: &Cx<'_, Cloud>) -> Wanted {
        let certificate = self.certificate.and_then(|c| cx.try_get(c)).map(|c| c.arn.clone());
        let base = self.base.clone();
        let mut wanted = ours(&VpcSettings {
            certificate_arn: certificate.or(base.certificate_arn),
            permissions_boundary: self.boundary.clone().or(base.permissions_boundary),
            ..base
        });
        if self.certificate.is_some() {
            wanted.keys.insert(CERTIFICATE.into());
        }
        wanted
    }

    async fn write(&self, cx: &Cx<'_, Cloud>, live: &Mapping) -> Result<Live> {
        let vpc = &cx.get(self.vpc).id;
        let merged = merged(live, self.wanted(cx));
        let yaml =
            serde_yaml::to_string(&merged).map_err(|e| Error::failed("the settings do not fit YAML").caused_by(e))?;
        parameters::write_settings_text(cx.cloud, vpc, &yaml).await?;
        Ok(Live::Settings(merged))
    }
}

/// The settings of a VPC, whatever they are.
#[derive(Clone, Needs)]
pub struct SettingsOf {
    /// The VPC.
    pub vpc: Ref<VpcId>,
}

impl Identity for SettingsOf {
    const KIND: &'static str = "settings";
    type Cloud = Cloud;
    type Live = Live;
    type Output = ();
    fn name(&self) -> String {
        "of the VPC".into()
    }
    fn noun(&self) -> String {
        "settings of the VPC for minion".into()
    }
    found_through!(vpc);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let Some(vpc) = cx.try_get(self.vpc) else { return Ok(None) };
        match parameters::read_settings_text(cx.cloud, &vpc.id).await {
            Ok(yaml) => Ok(yaml.map(|yaml| parse(&parameters::settings_name(&vpc.id), &yaml))),
            // Told by AWS: no connection, no permission. Not told by AWS: what is stored is damaged.
            Err(e) if e.aws().is_none() => Ok(Some(Live::Unreadable(e.to_string()))),
            Err(e) => Err(e),
        }
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        match cx.try_get(self.vpc) {
            Some(vpc) => parameters::delete_settings(cx.cloud, &vpc.id).await,
            None => Ok(()),
        }
    }
    fn output(&self, _: &Live) {}
}

impl Resource for PlaceSettings {
    type Identity = SettingsOf;

    fn identity(&self) -> SettingsOf {
        SettingsOf { vpc: self.vpc }
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        compare(live, &self.wanted(cx))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        self.write(cx, &Mapping::new()).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        match live {
            Live::Settings(stored) if compare(live, &self.wanted(cx)).is_empty() => Ok(Live::Settings(stored.clone())),
            Live::Settings(stored) => self.write(cx, stored).await,
            Live::Unreadable(why) => Err(Error::refused(why.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(yaml: &str) -> Mapping {
        match parse("x", yaml) {
            Live::Settings(mapping) => mapping,
            Live::Unreadable(why) => panic!("{why}"),
        }
    }

    #[test]
    fn only_our_keys_are_compared_and_written() {
        let base = VpcSettings {
            domain: Some("red.example.org".into()),
            peers: vec!["10.0.0.0/8".parse().unwrap()],
            ..VpcSettings::default()
        };
        let live = stored("ami_id: ami-1\nfuture: {a: 1}\ndomain: old.example.org\n");
        assert_eq!(
            compare(&Live::Settings(live.clone()), &ours(&base)),
            [Change::new("domain", "old.example.org", "red.example.org"), Change::new("peers", "-", "10.0.0.0/8")]
        );
        let now = merged(&live, ours(&base));
        assert_eq!(compare(&Live::Settings(now.clone()), &ours(&base)), []);
        let text = serde_yaml::to_string(&now).unwrap();
        let wanted = "{ami_id: ami-1, future: {a: 1}, domain: red.example.org, peers: [10.0.0.0/8], overlord: [domain, \
                      peers]}";
        assert_eq!(stored(&text), stored(wanted));
        assert_eq!(compare(&Live::Settings(stored("")), &ours(&VpcSettings::default())), []);
    }

    #[test]
    fn what_is_not_ours_is_written_back_as_it_was() {
        let base = VpcSettings { domain: Some("red.example.org".into()), ..VpcSettings::default() };
        let live =
            stored("team: 1.10\naccount: 012345678901\nfuture: {limit: 1_000, on: off, n: 5, list: [0x10, 007]}\n");
        let text = serde_yaml::to_string(&merged(&live, ours(&base))).unwrap();
        let again = stored(&text);
        for value in ["1.10", "012345678901", "1_000", "off", "0x10", "007", "5"] {
            assert!(text.contains(value), "{value} not in {text}");
        }
        assert_eq!((&again["team"], &again["account"]), (&"1.10".into(), &"012345678901".into()));
        assert_eq!(VpcSettings::parse("x", &text).unwrap().team.as_deref(), Some("1.10"));
    }

    #[test]
    fn what_was_ours_and_is_no_longer_wanted_goes() {
        let live = stored(
            "{ami_id: ami-1, domain: x.org, certificate_arn: a, peers: [10.0.0.0/8], overlord: [domain, \
                           certificate_arn]}",
        );
        let none = ours(&VpcSettings::default());
        let changes = compare(&Live::Settings(live.clone()), &none);
        assert_eq!(changes, [Change::new("certificate_arn", "a", "-"), Change::new("domain", "x.org", "-")]);
        assert_eq!(merged(&live, none), stored("{ami_id: ami-1, peers: [10.0.0.0/8]}"), "the operators' stay");
        // A certificate that is only known later is still wanted.
        let later = Wanted { keys: ["certificate_arn".into(), "domain".into()].into(), ..Wanted::default() };
        assert_eq!(compare(&Live::Settings(live.clone()), &later), []);
        assert_eq!(merged(&live, later)["certificate_arn"], "a");
        // What an operator wrote with our value is remembered from now on.
        let base = VpcSettings { domain: Some("x.org".into()), ..VpcSettings::default() };
        let changes = compare(&Live::Settings(stored("domain: x.org")), &ours(&base));
        assert_eq!(changes, [Change::new("keys that overlord writes", "-", "domain")]);
        assert_eq!(merged(&stored("domain: x.org"), ours(&base)), stored("{domain: x.org, overlord: [domain]}"));
        // `minion` does not mind the list.
        assert_eq!(VpcSettings::parse("x", "{domain: x.org, overlord: [domain]}").unwrap(), base);
    }

    #[test]
    fn tls_goes_with_the_registry() {
        let base = VpcSettings { registry: Some("r:5000".into()), ..VpcSettings::default() };
        let keys = "overlord: [registry, registry_insecure]";
        assert_eq!(compare(&Live::Settings(stored(&format!("registry: r:5000\n{keys}"))), &ours(&base)), []);
        let insecure = Live::Settings(stored(&format!("registry: r:5000\nregistry_insecure: true\n{keys}")));
        assert_eq!(compare(&insecure, &ours(&base)), [Change::new("registry_insecure", "true", "false")]);
        assert!(ours(&VpcSettings::default()).settings.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in ["a: b: c", "peers: nowhere", "[1]"] {
            let changes = compare(&parse("x", bad), &Wanted::default());
            assert!(changes[0].refused.is_some(), "{bad}: {changes:?}");
        }
    }
}
