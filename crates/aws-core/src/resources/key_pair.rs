//! Key pairs. AWS makes the key and tells the private half once, in the answer to the creating call.
use super::tag_drift;
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        ec2::{ec2_tags, filter, specification},
        network::tag_map,
    },
    engine::{Change, Cx, Needs, Resource},
    model::{Owner, Owning as _, tag_rules},
    resources::kind::{Kind, named},
};
use aws_sdk_ec2::types::{KeyFormat, KeyPairInfo, KeyType, ResourceType};
use std::sync::Arc;

/// Keeps the private half (PEM) of a new key pair.
pub type Save = Arc<dyn Fn(&str) -> Result<()> + Send + Sync>;

/// A key pair (ed25519).
#[derive(Needs)]
pub struct KeyPair {
    /// For whom.
    pub owner: Owner,
    /// The name, unique in the region.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// Stores the private half. When it fails, the key pair is removed again.
    pub save: Save,
}

/// The name of a key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(pub String);

impl KeyPair {
    fn fits(&self) -> Result<()> {
        // EC2 `CreateKeyPair`: up to 255 ASCII characters.
        if (1..=255).contains(&self.name.len()) && self.name.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Ok(());
        }
        Err(Error::usage(format!("invalid key pair name `{}`: EC2 accepts 1 to 255 ASCII characters", self.name)))
    }
}

async fn delete(cloud: &Cloud, name: &str) -> Result<()> {
    cloud.ec2().delete_key_pair().key_name(name).send().await.unless_gone(cloud, name).map(drop)
}

impl Kind for KeyPair {
    const NAME: &'static str = "key pair";
    type Owner = Owner;
    type Live = KeyPairInfo;
    type Output = KeyName;
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<KeyPairInfo>> {
        // A filter: asked by name, AWS answers with an error when there is none. Not paginated.
        let load = async {
            let found =
                cloud.ec2().describe_key_pairs().filters(filter("key-name", name)).send().await.told(cloud, name)?;
            let mut pairs = found.key_pairs.unwrap_or_default().into_iter();
            // Filters take * and ? as wildcards.
            Ok(pairs.find(|p| p.key_name() == Some(name)))
        };
        let live = cloud.once(format!("key pair {name}"), load).await?.as_ref().clone();
        if let Some(live) = &live {
            owner.claim(Self::NAME, name, &tag_map(live.tags()))?;
        }
        Ok(live)
    }
    async fn remove(cloud: &Cloud, _: &Owner, name: &str, _: &KeyPairInfo) -> Result<()> {
        delete(cloud, name).await
    }
    fn output(name: &str, _: &KeyPairInfo) -> KeyName {
        KeyName(name.to_owned())
    }
}

impl Resource for KeyPair {
    named!(noun);

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &KeyPairInfo) -> Vec<Change> {
        tag_drift::changes(&self.owner, &tag_map(live.tags()))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<KeyPairInfo> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.ec2().create_key_pair().key_name(&self.name);
        let call = call.key_type(KeyType::Ed25519).key_format(KeyFormat::Pem);
        let made = call.tag_specifications(specification(ResourceType::KeyPair, &tags)).send().await;
        let made = made.told(cx.cloud, &self.name).map_err(|e| match e.code() {
            // The first answer was lost on its way, and the private half with it.
            Some("InvalidKeyPair.Duplicate") => e.hint(format!(
                "It was made a moment ago, but its private half did not arrive: remove it (`aws ec2 delete-key-pair \
                 --key-name {}`), then run the same command again.",
                self.name
            )),
            _ => e,
        });
        let made = match made {
            // If it was made, its private half was in the answer that was lost: of no use to anybody.
            Err(e) if e.is_retryable() => {
                delete(cx.cloud, &self.name).await?;
                return Err(e);
            }
            other => other?,
        };
        let id = made.key_pair_id().unwrap_or_default();
        let saved = match made.key_material() {
            Some(material) => (self.save)(material),
            None => Err(Error::failed("AWS answered without the private half")),
        };
        if let Err(e) = saved {
            let e = e.context(format!("key pair {} was made, but its private half could not be stored", self.name));
            return Err(match delete(cx.cloud, &self.name).await {
                Ok(()) => e.hint("The key pair was removed again; once the cause is gone, run the same command."),
                Err(left) => e.hint(format!(
                    "Removing the key pair failed, too ({left}): remove it with `aws ec2 delete-key-pair --key-name {}`, \
                     or it stays without a private half.",
                    self.name
                )),
            });
        }
        let live = KeyPairInfo::builder().key_name(&self.name).key_pair_id(id);
        Ok(live.set_key_fingerprint(made.key_fingerprint.clone()).set_tags(Some(ec2_tags(&tags))).build())
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &KeyPairInfo, _: &[Change]) -> Result<KeyPairInfo> {
        let id = live.key_pair_id().unwrap_or_default();
        tag_drift::retag(cx.cloud, &self.owner, (id, &self.name), &tag_map(live.tags()), &[]).await?;
        Ok(live.clone())
    }
}
