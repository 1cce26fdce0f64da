//! Encryption of new EBS volumes.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
    engine::{Action, Cx, Identity, Needs, Resource},
    resources::kind::itself,
};

/// New EBS volumes of this account and region are encrypted.
#[derive(Clone, Needs)]
pub struct EbsEncryption {
    /// Whether deleting turns it off: it was off before we came.
    pub restore: bool,
}

impl Identity for EbsEncryption {
    const KIND: &'static str = "EBS encryption";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        "by default".into()
    }
    fn noun(&self) -> String {
        "encryption of new EBS volumes".into()
    }
    fn step(&self, action: &Action) -> String {
        super::step(action, &self.noun())
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let answer = cx.cloud.ec2().get_ebs_encryption_by_default().send().await.told(cx.cloud, "")?;
        Ok((answer.ebs_encryption_by_default == Some(true)).then_some(()))
    }
    fn left(&self, _: &Cx<'_, Cloud>, _: &()) -> Option<String> {
        super::found(self.restore)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        cx.cloud.ec2().disable_ebs_encryption_by_default().send().await.told(cx.cloud, "").map(drop)
    }
    fn output(&self, (): &()) {}
}

impl Resource for EbsEncryption {
    itself!();

    /// Off counts as not there.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<()> {
        cx.cloud.ec2().enable_ebs_encryption_by_default().send().await.told(cx.cloud, "").map(drop)
    }
}
