//! The SAML identity provider of an account: who signs in with the company's login.
pub mod metadata;

use super::{aws_tags, is_name, own_tags};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Identity, Needs, Resource},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::tag_drift,
};
use std::collections::BTreeMap;

/// Longest name (`CreateSAMLProvider`).
const NAME: usize = 128;

/// A SAML identity provider.
#[derive(Needs)]
pub struct SamlProvider {
    /// For whom.
    pub owner: TeamOwner,
    /// The name: at most 128 characters, unique in the account.
    pub name: String,
    /// The metadata document that the identity provider publishes (XML): 1,000 to 10,000,000 characters.
    pub metadata: String,
}

/// The ARN of a SAML provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SamlArn(pub String);

/// What was found of a SAML provider.
#[derive(Debug, Clone)]
pub struct Live {
    arn: String,
    metadata: String,
    tags: BTreeMap<String, String>,
}

impl SamlProvider {
    fn fits(&self) -> Result<()> {
        if !is_name(&self.name, NAME) || self.name.contains(['+', '=', ',', '@']) {
            return Err(Error::usage(format!("`{}` is no name for a SAML provider", self.name))
                .hint(format!("IAM takes 1 to {NAME} letters, digits and ._- in its name.")));
        }
        metadata::read(&self.metadata).map(drop).map_err(|why| {
            Error::usage(format!("invalid SAML metadata: {why}"))
                .hint("Download the federation metadata (XML) of your identity provider.")
        })?;
        Ok(())
    }

    fn untagged(&self, live: &Live) -> bool {
        self.identity().untagged(live)
    }

    fn changes(&self, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        if !same(&live.metadata, &self.metadata) {
            let characters = |text: &str| format!("{} characters", text.chars().count());
            changes.push(Change::new("metadata", characters(&live.metadata), characters(&self.metadata)));
        }
        if !self.untagged(live) {
            changes.extend(tag_drift::changes(&self.owner, &live.tags));
        }
        changes
    }
}

/// Line ends, and white space around the document, say nothing.
fn same(a: &str, b: &str) -> bool {
    a.trim().lines().eq(b.trim().lines())
}

/// What identifies a SAML provider.
#[derive(Needs)]
pub struct SamlIdentity {
    /// For whom.
    pub owner: TeamOwner,
    /// The name.
    pub name: String,
    /// The document by which one without any tags is known to be ours, where there is one.
    pub document: Option<String>,
}

impl SamlIdentity {
    /// An emulator of AWS keeps no tags of these providers. What carries none at all, and is the very document that
    /// is wanted, is as good as ours: there is nothing about it that a write would change.
    fn untagged(&self, live: &Live) -> bool {
        live.tags.is_empty() && self.document.as_ref().is_some_and(|document| same(&live.metadata, document))
    }
}

impl Identity for SamlIdentity {
    const KIND: &'static str = "SAML provider";
    type Cloud = Cloud;
    type Live = Live;
    type Output = SamlArn;

    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let cloud = cx.cloud;
        let list = async {
            let all = cloud.iam().list_saml_providers().send().await.told(cloud, "")?;
            Ok(all.saml_provider_list.unwrap_or_default().into_iter().filter_map(|p| p.arn).collect::<Vec<_>>())
        };
        let all = cloud.once("saml providers", list).await?;
        let ends = format!(":saml-provider/{}", self.name);
        let Some(arn) = all.iter().find(|arn| arn.ends_with(&ends)) else { return Ok(None) };
        let load = async {
            let found = cloud.iam().get_saml_provider().saml_provider_arn(arn).send().await;
            let found = found.unless_gone(cloud, &self.name)?;
            Ok(found.map(|f| Live {
                arn: arn.clone(),
                tags: own_tags(f.tags()),
                metadata: f.saml_metadata_document.unwrap_or_default(),
            }))
        };
        let found = cloud.once(format!("saml provider {arn}"), load).await?.as_ref().clone();
        if let Some(live) = &found
            && !self.untagged(live)
        {
            self.owner.claim(Self::KIND, &self.name, &live.tags)?;
        }
        Ok(found)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        let done = cx.cloud.iam().delete_saml_provider().saml_provider_arn(&live.arn).send().await;
        done.unless_gone(cx.cloud, &self.name).map(drop)
    }
    fn output(&self, live: &Live) -> SamlArn {
        SamlArn(live.arn.clone())
    }
}

impl Resource for SamlProvider {
    type Identity = SamlIdentity;

    fn identity(&self) -> SamlIdentity {
        let document = Some(self.metadata.clone());
        SamlIdentity { owner: self.owner.clone(), name: self.name.clone(), document }
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.changes(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.iam().create_saml_provider().name(&self.name).saml_metadata_document(&self.metadata);
        let made = call.set_tags(Some(aws_tags(&tags)?)).send().await.told(cx.cloud, &self.name)?;
        let arn = made.saml_provider_arn.ok_or_else(|| {
            Error::failed(format!("iam:CreateSAMLProvider answered without the ARN of {}", self.name))
        })?;
        Ok(Live { arn, metadata: self.metadata.clone(), tags })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let iam = cx.cloud.iam();
        if !same(&live.metadata, &self.metadata) {
            let call = iam.update_saml_provider().saml_provider_arn(&live.arn).saml_metadata_document(&self.metadata);
            call.send().await.told(cx.cloud, &self.name)?;
        }
        let stale = tag_drift::stale(&self.owner, &live.tags);
        if !stale.is_empty() && !self.untagged(live) {
            let call = iam.tag_saml_provider().saml_provider_arn(&live.arn).set_tags(Some(aws_tags(&stale)?));
            call.send().await.told(cx.cloud, &self.name)?;
        }
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> SamlProvider {
        SamlProvider {
            owner: TeamOwner {
                organization: "acme".parse().unwrap(),
                team: Some("red".parse().unwrap()),
                extra: BTreeMap::from([("cost".into(), "7".into())]),
            },
            name: "acme".into(),
            metadata: format!("<EntityDescriptor><IDPSSODescriptor/>{}</EntityDescriptor>", "x\n".repeat(600)),
        }
    }

    #[test]
    fn only_metadata_and_a_name_that_iam_takes() {
        wanted().check().unwrap();
        for (name, metadata) in [("a b", wanted().metadata), ("a+b", wanted().metadata), ("a", "<Entity/>".into())] {
            assert!(SamlProvider { name: name.into(), metadata, ..wanted() }.check().is_err(), "{name}");
        }
    }

    #[test]
    fn metadata_and_tags_are_compared() {
        let wanted = wanted();
        let live = Live { arn: String::new(), metadata: wanted.metadata.clone(), tags: wanted.owner.tags("acme") };
        assert_eq!(wanted.changes(&live), []);
        let windows = Live { metadata: live.metadata.replace('\n', "\r\n") + "\n", ..live.clone() };
        assert_eq!(wanted.changes(&windows), []);
        let other = Live { metadata: "x".into(), ..live.clone() };
        assert_eq!(wanted.changes(&other), [Change::new("metadata", "1 characters", "1256 characters")]);
        let mut tags = live.tags.clone();
        tags.remove("cost");
        assert_eq!(wanted.changes(&Live { tags, ..live.clone() }), [Change::new("tag cost", "-", "7")]);
        assert!(wanted.untagged(&Live { tags: BTreeMap::new(), ..live }));
        assert!(!wanted.untagged(&Live { tags: BTreeMap::new(), ..other }));
    }
}
