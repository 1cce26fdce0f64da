//! What `overlord` tells `minion` of a VPC: the settings that are stored with it.
use super::{domain::certificate::CertificateArn, network::ids::VpcId};
use crate::{
    Error, Result,
    cloud::Cloud,
    engine::{Change, Cx, NodeId, Ref, Resource},
    registry::{VpcSettings, parameters},
};
use serde_json::{Map, Value};

/// Settings by their keys.
type Mapping = Map<String, Value>;

/// The settings of a VPC. Only what is set here is ours; the rest is the operators', keys that we do not know
/// included.
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
        if yaml.trim().is_empty() {
            return Ok(Mapping::new());
        }
        serde_yaml::from_str(yaml).map_err(|e| Error::usage(format!("{place} is no mapping: {e}")))
    };
    text().map_or_else(|e| Live::Unreadable(e.to_string()), Live::Settings)
}

/// Our keys.
fn ours(settings: &VpcSettings) -> Mapping {
    let mut ours = match serde_json::to_value(settings) {
        Ok(Value::Object(ours)) => ours,
        other => unreachable!("a struct of plain values is a mapping: {other:?}"),
    };
    // Whether it is asked without TLS belongs to the registry, and goes with it.
    if settings.registry.is_some() {
        ours.insert("registry_insecure".into(), settings.registry_insecure.into());
    }
    ours
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

fn compare(live: &Live, ours: &Mapping) -> Vec<Change> {
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
    let differ = ours.iter().filter(|(key, wanted)| !same(live.get(key.as_str()), wanted));
    differ.map(|(key, wanted)| Change::new(key, live.get(key).map_or_else(|| "-".into(), text), text(wanted))).collect()
}

/// The stored settings with ours in them.
fn merged(live: &Mapping, ours: Mapping) -> Mapping {
    let mut merged = live.clone();
    for (key, wanted) in ours {
        if !same(merged.get(&key), &wanted) {
            merged.insert(key, wanted);
        }
    }
    merged
}

impl PlaceSettings {
    /// Our settings, as far as they are known by now.
    fn wanted(&self, cx: &Cx<'_, Cloud>) -> Mapping {
        let certificate = self.certificate.and_then(|c| cx.try_get(c)).map(|c| c.arn.clone());
        let base = self.base.clone();
        ours(&VpcSettings {
            certificate_arn: certificate.or(base.certificate_arn),
            permissions_boundary: self.boundary.clone().or(base.permissions_boundary),
            ..base
        })
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

impl Resource for PlaceSettings {
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
    fn needs(&self) -> Vec<NodeId> {
        [Some(self.vpc.node()), self.certificate.map(Ref::node)].into_iter().flatten().collect()
    }
    fn found_through(&self) -> Vec<NodeId> {
        vec![self.vpc.node()]
    }

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let Some(vpc) = cx.try_get(self.vpc) else { return Ok(None) };
        match parameters::read_settings_text(cx.cloud, &vpc.id).await {
            Ok(yaml) => Ok(yaml.map(|yaml| parse(&parameters::settings_name(&vpc.id), &yaml))),
            // Told by AWS: no connection, no permission. Not told by AWS: what is stored is damaged.
            Err(e) if e.aws().is_none() => Ok(Some(Live::Unreadable(e.to_string()))),
            Err(e) => Err(e),
        }
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

    async fn delete(&self, cx: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        match cx.try_get(self.vpc) {
            Some(vpc) => parameters::delete_settings(cx.cloud, &vpc.id).await,
            None => Ok(()),
        }
    }

    fn output(&self, _: &Live) {}
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
        let wanted = "{ami_id: ami-1, future: {a: 1}, domain: red.example.org, peers: [10.0.0.0/8]}";
        assert_eq!(stored(&text), stored(wanted));
        assert_eq!(compare(&Live::Settings(stored("")), &ours(&VpcSettings::default())), []);
    }

    #[test]
    fn tls_goes_with_the_registry() {
        let base = VpcSettings { registry: Some("r:5000".into()), ..VpcSettings::default() };
        assert_eq!(compare(&Live::Settings(stored("registry: r:5000")), &ours(&base)), []);
        let insecure = Live::Settings(stored("registry: r:5000\nregistry_insecure: true"));
        assert_eq!(compare(&insecure, &ours(&base)), [Change::new("registry_insecure", "true", "false")]);
        assert!(ours(&VpcSettings::default()).is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in ["a: b: c", "peers: nowhere", "[1]"] {
            let changes = compare(&parse("x", bad), &Mapping::new());
            assert!(changes[0].refused.is_some(), "{bad}: {changes:?}");
        }
    }
}
