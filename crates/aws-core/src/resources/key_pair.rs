//! Key pairs. AWS makes the key and tells the private half once, in the answer to the creating call.
use super::tag_drift;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Resource},
    model::{Owner, Owning as _, tag_rules},
};
use aws_sdk_ec2::types::{Filter, KeyFormat, KeyPairInfo, KeyType, ResourceType, Tag, TagSpecification};
use std::{collections::BTreeMap, sync::Arc};

/// Keeps the private half (PEM) of a new key pair.
pub type Save = Arc<dyn Fn(&str) -> Result<()> + Send + Sync>;

/// A key pair (ed25519).
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

    async fn remove(&self, cloud: &Cloud) -> Result<()> {
        let done = cloud.ec2().delete_key_pair().key_name(&self.name).send().await;
        done.told_unless(cloud, "ec2:DeleteKeyPair", &self.name, &["InvalidKeyPair.NotFound"]).map(drop)
    }
}

impl Resource for KeyPair {
    const KIND: &'static str = "key pair";
    type Cloud = Cloud;
    type Live = KeyPairInfo;
    type Output = KeyName;

    fn name(&self) -> String {
        self.name.clone()
    }
    fn noun(&self) -> String {
        self.noun.clone()
    }

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<KeyPairInfo>> {
        // A filter: asked by name, AWS answers with an error when there is none. Not paginated.
        let filter = Filter::builder().name("key-name").values(&self.name).build();
        let load = async {
            let found = cx.cloud.ec2().describe_key_pairs().filters(filter).send().await;
            let found = found.told(cx.cloud, "ec2:DescribeKeyPairs", &self.name)?;
            let mut pairs = found.key_pairs.unwrap_or_default().into_iter();
            // Filters take * and ? as wildcards.
            Ok(pairs.find(|p| p.key_name() == Some(&self.name)))
        };
        let live = cx.cloud.once(format!("key pair {}", self.name), load).await?.as_ref().clone();
        if let Some(live) = &live {
            self.owner.claim(Self::KIND, &self.name, &tags(live))?;
        }
        Ok(live)
    }

    fn diff(&self, _: &Cx<'_, Cloud>, live: &KeyPairInfo) -> Vec<Change> {
        tag_drift::changes(&self.owner, &tags(live))
    }

    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<KeyPairInfo> {
        let tags: Vec<Tag> = self.owner.tags(&self.name).iter().map(|(k, v)| tag(k, v)).collect();
        let made = cx
            .cloud
            .ec2()
            .create_key_pair()
            .key_name(&self.name)
            .key_type(KeyType::Ed25519)
            .key_format(KeyFormat::Pem)
            .tag_specifications(
                TagSpecification::builder().resource_type(ResourceType::KeyPair).set_tags(Some(tags.clone())).build(),
            )
            .send()
            .await
            .told(cx.cloud, "ec2:CreateKeyPair", &self.name)
            .map_err(|e| match e.code() {
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
                self.remove(cx.cloud).await?;
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
            return Err(match self.remove(cx.cloud).await {
                Ok(()) => e.hint("The key pair was removed again; once the cause is gone, run the same command."),
                Err(left) => e.hint(format!(
                    "Removing the key pair failed, too ({left}): remove it with `aws ec2 delete-key-pair --key-name {}`, \
                     or it stays without a private half.",
                    self.name
                )),
            });
        }
        let fingerprint = made.key_fingerprint.clone();
        Ok(KeyPairInfo::builder()
            .key_name(&self.name)
            .key_pair_id(id)
            .set_key_fingerprint(fingerprint)
            .set_tags(Some(tags))
            .build())
    }

    async fn update(&self, cx: &Cx<'_, Cloud>, live: &KeyPairInfo, _: &[Change]) -> Result<KeyPairInfo> {
        let stale = tag_drift::stale(&self.owner, &tags(live));
        let tags = stale.iter().map(|(k, v)| tag(k, v)).collect();
        let call = cx.cloud.ec2().create_tags().resources(live.key_pair_id().unwrap_or_default());
        call.set_tags(Some(tags)).send().await.told(cx.cloud, "ec2:CreateTags", &self.name)?;
        Ok(live.clone())
    }

    async fn delete(&self, cx: &Cx<'_, Cloud>, _: &KeyPairInfo) -> Result<()> {
        self.remove(cx.cloud).await
    }

    fn output(&self, _: &KeyPairInfo) -> KeyName {
        KeyName(self.name.clone())
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn tags(live: &KeyPairInfo) -> BTreeMap<String, String> {
    let pairs = live.tags().iter();
    pairs.map(|t| (t.key().unwrap_or_default().to_owned(), t.value().unwrap_or_default().to_owned())).collect()
}
