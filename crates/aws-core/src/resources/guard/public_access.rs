//! The account's bar on public S3 buckets.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
    engine::{Action, Change, Cx, Identity, Needs, Resource},
    resources::kind::itself,
};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;

/// No bucket of the account can be made public.
#[derive(Clone, Needs)]
pub struct PublicAccess {
    /// The account's number.
    pub account: String,
    /// Whether deleting takes it back: it was not there before we came.
    pub restore: bool,
}

/// The four switches, by the names that S3 has for them.
fn switches(block: &PublicAccessBlockConfiguration) -> [(&'static str, bool); 4] {
    [
        ("BlockPublicAcls", block.block_public_acls == Some(true)),
        ("IgnorePublicAcls", block.ignore_public_acls == Some(true)),
        ("BlockPublicPolicy", block.block_public_policy == Some(true)),
        ("RestrictPublicBuckets", block.restrict_public_buckets == Some(true)),
    ]
}

impl Identity for PublicAccess {
    const KIND: &'static str = "public access block";
    type Cloud = Cloud;
    type Live = PublicAccessBlockConfiguration;
    type Output = ();
    fn name(&self) -> String {
        format!("of account {}", self.account)
    }
    fn step(&self, action: &Action) -> String {
        super::step(action, &self.noun())
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<PublicAccessBlockConfiguration>> {
        let answer = cx.cloud.s3control().get_public_access_block().account_id(&self.account).send().await;
        let answer = answer.unless_gone(cx.cloud, &self.account)?;
        let block = answer.and_then(|a| a.public_access_block_configuration);
        // All of it off is AWS's way to say that there is none.
        Ok(block.filter(|b| switches(b).iter().any(|(_, on)| *on)))
    }
    fn left(&self, _: &Cx<'_, Cloud>, _: &PublicAccessBlockConfiguration) -> Option<String> {
        super::found(self.restore)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, _: &PublicAccessBlockConfiguration) -> Result<()> {
        let done = cx.cloud.s3control().delete_public_access_block().account_id(&self.account).send().await;
        done.unless_gone(cx.cloud, &self.account).map(drop)
    }
    fn output(&self, _: &PublicAccessBlockConfiguration) {}
}

impl Resource for PublicAccess {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &PublicAccessBlockConfiguration) -> Vec<Change> {
        let off = switches(live).into_iter().filter(|(_, on)| !on);
        off.map(|(name, _)| Change::new(name, "off", "on")).collect()
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<PublicAccessBlockConfiguration> {
        let all = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let call = cx.cloud.s3control().put_public_access_block().account_id(&self.account);
        call.public_access_block_configuration(all.clone()).send().await.told(cx.cloud, &self.account)?;
        Ok(all)
    }
}
