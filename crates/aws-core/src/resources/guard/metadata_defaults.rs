//! How instances answer for metadata, unless they say otherwise.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
    engine::{Action, Change, Cx, Identity, Needs, Resource},
    resources::kind::itself,
};
use aws_sdk_ec2::types::{HttpTokensState, ManagedBy, MetadataDefaultHttpTokensState};

/// Containers on an instance are one hop further away than the instance itself. A lower limit is stricter, and somebody's
/// choice: it stays.
const HOPS: i32 = 2;
/// By which EC2 takes a default back (`ModifyInstanceMetadataDefaults`).
const NO_PREFERENCE: i32 = -1;

/// New instances of this account and region answer by IMDSv2 only, also to containers (two hops).
#[derive(Clone, Needs)]
pub struct MetadataDefaults {
    /// Whether deleting takes the defaults back: there were none before we came.
    pub restore: bool,
}

/// The defaults; `None`: what the image or AWS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    tokens: Option<String>,
    hops: Option<i32>,
    /// Set by a declarative policy of AWS Organizations: the account cannot change them.
    declared: bool,
}

/// The limit that is to be: ours, or a stricter one that is there.
fn hops(live: &Live) -> i32 {
    live.hops.map_or(HOPS, |there| there.min(HOPS))
}

fn compare(live: &Live) -> Vec<Change> {
    if live.declared {
        return Vec::new();
    }
    let mut changes = Vec::new();
    let text = |v: Option<String>| v.unwrap_or_else(|| "-".into());
    let required = HttpTokensState::Required.as_str().to_owned();
    Change::compare(&mut changes, "IMDSv2", &text(live.tokens.clone()), &required);
    if live.hops != Some(hops(live)) {
        changes.push(Change::new("hop limit", text(live.hops.map(|h| h.to_string())), HOPS));
    }
    changes
}

async fn write(cloud: &Cloud, tokens: MetadataDefaultHttpTokensState, hops: i32) -> Result<()> {
    let call = cloud.ec2().modify_instance_metadata_defaults().http_tokens(tokens).http_put_response_hop_limit(hops);
    call.send().await.told(cloud, "").map(drop)
}

async fn require(cloud: &Cloud, hops: i32) -> Result<Live> {
    write(cloud, MetadataDefaultHttpTokensState::Required, hops).await?;
    Ok(Live { tokens: Some(HttpTokensState::Required.as_str().to_owned()), hops: Some(hops), declared: false })
}

impl Identity for MetadataDefaults {
    const KIND: &'static str = "instance metadata";
    type Cloud = Cloud;
    type Live = Live;
    type Output = ();
    fn name(&self) -> String {
        "by IMDSv2 only".into()
    }
    fn noun(&self) -> String {
        "IMDSv2 as the default of new instances".into()
    }
    fn step(&self, action: &Action) -> String {
        super::step(action, &self.noun())
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let level = cx.cloud.ec2().get_instance_metadata_defaults().send().await.told(cx.cloud, "")?.account_level;
        let live = level.map(|l| Live {
            tokens: l.http_tokens.map(|t| t.as_str().to_owned()),
            hops: l.http_put_response_hop_limit.filter(|h| *h != NO_PREFERENCE),
            declared: l.managed_by == Some(ManagedBy::DeclarativePolicy),
        });
        Ok(live.filter(|l| l.tokens.is_some() || l.hops.is_some() || l.declared))
    }
    fn left(&self, _: &Cx<'_, Cloud>, live: &Live) -> Option<String> {
        let declared = live.declared.then(|| "a declarative policy of the organization sets it".to_owned());
        declared.or_else(|| super::found(self.restore))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        write(cx.cloud, MetadataDefaultHttpTokensState::NoPreference, NO_PREFERENCE).await
    }
    fn output(&self, _: &Live) {}
}

impl Resource for MetadataDefaults {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        compare(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        require(cx.cloud, HOPS).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        require(cx.cloud, hops(live)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_defaults_are_compared() {
        let live = |tokens: Option<&str>, hops| Live { tokens: tokens.map(Into::into), hops, declared: false };
        assert_eq!(compare(&live(Some("required"), Some(2))), []);
        assert_eq!(
            compare(&live(Some("optional"), None)),
            [Change::new("IMDSv2", "optional", "required"), Change::new("hop limit", "-", 2)]
        );
        assert_eq!(compare(&live(Some("required"), Some(1))), [], "stricter");
        assert_eq!(compare(&live(Some("required"), Some(3))), [Change::new("hop limit", 3, 2)]);
        assert_eq!(compare(&Live { declared: true, ..live(Some("optional"), Some(1)) }), []);
    }
}
