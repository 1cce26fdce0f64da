//! What is written to IAM. All calls are keyed by name and safe to repeat.
use super::{Live, TeamRole, Wanted, same};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    model::Owning as _,
    resources::{
        iam::{NOT_THERE, all, aws_tags, delete_inline, delete_role, detach, uncarry},
        tag_drift,
    },
};
use std::collections::BTreeMap;

/// A SAML provider just made may not be known as a principal yet. Other principals are the operator's words: one that
/// is wrong stays wrong.
fn principals(e: Error) -> Error {
    e.retry_on_words("MalformedPolicyDocument", "\"federated\"")
}

impl TeamRole {
    /// Makes the role, then gives it its policies.
    pub(super) async fn make(&self, cloud: &Cloud, wanted: &Wanted) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let trust = wanted.trust.clone().unwrap_or_default();
        let boundary = wanted.boundary.clone().flatten();
        let made = cloud
            .iam()
            .create_role()
            .role_name(&self.name)
            .description(&self.description)
            .assume_role_policy_document(trust.to_string())
            .max_session_duration(self.session())
            .set_permissions_boundary(boundary.clone())
            .set_tags(Some(aws_tags(&tags)?))
            .send()
            .await
            .told(cloud, &self.name)
            // The boundary was just made. One that is the operator's word, as a manifest's, never will be.
            .map_err(|e| principals(e).retry_on(&[NOT_THERE]))?;
        let arn = made.role.map(|r| r.arn);
        let arn =
            arn.ok_or_else(|| Error::failed(format!("iam:CreateRole answered without the role {}", self.name)))?;
        let live = Live {
            arn,
            description: self.description.clone(),
            session: Some(self.session()),
            trust,
            boundary,
            tags,
            ..Live::default()
        };
        self.converge(cloud, &live, wanted).await?;
        Ok(live)
    }

    /// Changes what differs. The boundary comes first: a role is never without it while it is given more.
    pub(super) async fn converge(&self, cloud: &Cloud, live: &Live, wanted: &Wanted) -> Result<()> {
        self.bound(cloud, live, wanted).await?;
        futures::try_join!(
            self.trust(cloud, live, wanted),
            self.inline(cloud, live),
            self.managed(cloud, live, wanted),
            self.describe(cloud, live),
            self.retag(cloud, live),
        )?;
        Ok(())
    }

    async fn bound(&self, cloud: &Cloud, live: &Live, wanted: &Wanted) -> Result<()> {
        let wanted = wanted.boundary.clone().flatten();
        if wanted == live.boundary {
            return Ok(());
        }
        let Some(arn) = wanted else {
            let done = cloud.iam().delete_role_permissions_boundary().role_name(&self.name).send().await;
            let done = done.unless_gone(cloud, &self.name);
            return done.map(drop);
        };
        let call = cloud.iam().put_role_permissions_boundary().role_name(&self.name).permissions_boundary(arn);
        let done = call.send().await.told(cloud, &self.name);
        // The boundary may have been made just now.
        done.map_err(|e| e.retry_on(&[NOT_THERE])).map(drop)
    }

    async fn trust(&self, cloud: &Cloud, live: &Live, wanted: &Wanted) -> Result<()> {
        let Some(trust) = wanted.trust.as_ref().filter(|trust| !same(trust, &live.trust)) else { return Ok(()) };
        let call = cloud.iam().update_assume_role_policy().role_name(&self.name);
        call.policy_document(trust.to_string()).send().await.told(cloud, &self.name).map_err(principals).map(drop)
    }

    async fn inline(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let ours = self.inline.as_ref().map(|(name, _)| name);
        // Removed first: the limit counts all of them together.
        let extra = live.inline.keys().filter(|name| Some(*name) != ours);
        all(extra.map(|name| delete_inline(cloud, &self.name, name)).collect()).await?;
        let Some((name, document)) = &self.inline else { return Ok(()) };
        if live.inline.get(name).is_some_and(|there| same(there, document)) {
            return Ok(());
        }
        let call = cloud.iam().put_role_policy().role_name(&self.name).policy_name(name);
        call.policy_document(document.to_string()).send().await.told(cloud, &self.name).map(drop)
    }

    async fn managed(&self, cloud: &Cloud, live: &Live, wanted: &Wanted) -> Result<()> {
        // Detached first: the limit counts what is attached.
        detach(cloud, &self.name, live.attached.difference(&wanted.attached)).await?;
        let missing = wanted.attached.difference(&live.attached);
        let calls = missing.map(|arn| async move {
            let call = cloud.iam().attach_role_policy().role_name(&self.name).policy_arn(arn);
            let done = call.send().await.told(cloud, format!("{} and {arn}", self.name));
            // Role and policy may have been made just now; a policy of AWS that does not exist never will.
            let theirs = arn.contains(":iam::aws:");
            done.map_err(|e| match theirs {
                true => e.retry_on_words(NOT_THERE, "role with name"),
                false => e.retry_on(&[NOT_THERE]),
            })
            .map(drop)
        });
        all(calls.collect()).await
    }

    async fn describe(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let session = live.session.unwrap_or_else(|| self.session());
        if live.description == self.description && session == self.session() {
            return Ok(());
        }
        let call = cloud.iam().update_role().role_name(&self.name).description(&self.description);
        call.max_session_duration(self.session()).send().await.told(cloud, &self.name).map(drop)
    }

    async fn retag(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let stale: BTreeMap<String, String> = tag_drift::stale(&self.owner, &live.tags);
        if stale.is_empty() {
            return Ok(());
        }
        let call = cloud.iam().tag_role().role_name(&self.name).set_tags(Some(aws_tags(&stale)?));
        call.send().await.told(cloud, &self.name).map(drop)
    }
}

/// Removes the role with everything attached to it, also what was attached by hand: IAM deletes no other.
pub(super) async fn remove(cloud: &Cloud, name: &str, live: &Live) -> Result<()> {
    futures::try_join!(
        all(live.profiles.iter().map(|profile| uncarry(cloud, profile, name)).collect()),
        all(live.inline.keys().map(|policy| delete_inline(cloud, name, policy)).collect()),
        detach(cloud, name, live.attached.iter()),
    )?;
    delete_role(cloud, name).await
}
