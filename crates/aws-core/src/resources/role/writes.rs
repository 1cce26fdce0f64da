//! What is written to IAM. All calls are keyed by name and safe to repeat.
use super::{Live, POLICY, Role, instances_may_assume};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    model::Owning as _,
    resources::{
        iam::{NOT_THERE, all, aws_tags, delete_inline, delete_role, detach, uncarry},
        tag_drift,
    },
};
use aws_sdk_iam::types::{InstanceProfile, Role as IamRole, Tag};
use serde_json::Value;
use std::collections::BTreeSet;

impl Role {
    fn aws_tags(&self) -> Result<Vec<Tag>> {
        aws_tags(&self.owner.tags(&self.name))
    }

    /// Makes what is missing and changes what differs: two steps, each of calls at the same time.
    pub(super) async fn converge(&self, cloud: &Cloud, live: &Live) -> Result<Live> {
        let (role, profile) = futures::try_join!(self.role(cloud, live), self.profile(cloud, live))?;
        futures::try_join!(
            self.inline(cloud, live),
            self.managed(cloud, live),
            self.carry(cloud, live),
            self.trust(cloud, live),
            self.bound(cloud, live),
            self.retag(cloud, live),
        )?;
        Ok(Live {
            role: Some(role),
            profile: Some(profile),
            policy: self.wanted_policy().cloned(),
            attached: self.managed_policies.clone(),
        })
    }

    async fn role(&self, cloud: &Cloud, live: &Live) -> Result<IamRole> {
        if let Some(role) = &live.role {
            return Ok(role.clone());
        }
        let made = cloud
            .iam()
            .create_role()
            .role_name(&self.name)
            .description(format!("Instances of application {} in {}", self.owner.application, self.owner.vpc))
            .assume_role_policy_document(instances_may_assume().to_string())
            .set_permissions_boundary(self.boundary.clone())
            .set_tags(Some(self.aws_tags()?))
            .send()
            .await
            .told(cloud, &self.name)?;
        made.role.ok_or_else(|| Error::failed(format!("iam:CreateRole answered without the role {}", self.name)))
    }

    async fn profile(&self, cloud: &Cloud, live: &Live) -> Result<InstanceProfile> {
        if let Some(profile) = &live.profile {
            return Ok(profile.clone());
        }
        let call = cloud.iam().create_instance_profile().instance_profile_name(&self.name);
        let made = call.set_tags(Some(self.aws_tags()?)).send().await.told(cloud, &self.name)?;
        made.instance_profile
            .ok_or_else(|| Error::failed(format!("iam:CreateInstanceProfile answered without {}", self.name)))
    }

    async fn inline(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let wanted = self.wanted_policy();
        if wanted == live.policy.as_ref() {
            return Ok(());
        }
        let Some(wanted) = wanted else { return delete_inline(cloud, &self.name, POLICY).await };
        let call = cloud.iam().put_role_policy().role_name(&self.name).policy_name(POLICY);
        call.policy_document(wanted.to_string()).send().await.told(cloud, &self.name).map(drop)
    }

    async fn managed(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        // Detached first: the limit counts what is attached.
        detach(cloud, &self.name, live.attached.difference(&self.managed_policies)).await?;
        let missing = self.managed_policies.difference(&live.attached);
        let calls = missing.map(|arn| async move {
            let call = cloud.iam().attach_role_policy().role_name(&self.name).policy_arn(arn);
            let done = call.send().await.told(cloud, format!("{} and {arn}", self.name));
            // The same code says that the policy does not exist, which will not pass.
            done.map_err(|e| e.retry_on_words(NOT_THERE, "role with name")).map(drop)
        });
        all(calls.collect()).await
    }

    /// Puts the role into its profile, which holds one role at most.
    async fn carry(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        if live.carried().eq([self.name.as_str()]) {
            return Ok(());
        }
        for other in live.carried() {
            uncarry(cloud, &self.name, other).await?;
        }
        let call = cloud.iam().add_role_to_instance_profile().instance_profile_name(&self.name);
        call.role_name(&self.name).send().await.told(cloud, &self.name).map(drop)
    }

    async fn trust(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let wanted = instances_may_assume();
        if live.trust().is_none_or(|t: Value| t == wanted) {
            return Ok(());
        }
        let call = cloud.iam().update_assume_role_policy().role_name(&self.name);
        call.policy_document(wanted.to_string()).send().await.told(cloud, &self.name).map(drop)
    }

    async fn bound(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let (Some(wanted), Some(_)) = (&self.boundary, &live.role) else { return Ok(()) };
        if live.boundary() == Some(wanted) {
            return Ok(());
        }
        let call = cloud.iam().put_role_permissions_boundary().role_name(&self.name).permissions_boundary(wanted);
        call.send().await.told(cloud, &self.name).map(drop)
    }

    async fn retag(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        let stale = tag_drift::stale(&self.owner, &live.tags());
        let tags = aws_tags(&stale)?;
        if tags.is_empty() {
            return Ok(());
        }
        // What is not there yet gets its tags in the creating call.
        futures::try_join!(
            async {
                if live.role.is_none() {
                    return Ok(());
                }
                let call = cloud.iam().tag_role().role_name(&self.name).set_tags(Some(tags.clone()));
                call.send().await.told(cloud, &self.name).map(drop)
            },
            async {
                if live.profile.is_none() {
                    return Ok(());
                }
                let call = cloud.iam().tag_instance_profile().instance_profile_name(&self.name);
                call.set_tags(Some(tags.clone())).send().await.told(cloud, &self.name).map(drop)
            },
        )?;
        Ok(())
    }
}

/// Removes the profile and the role, with everything attached to them.
pub(super) async fn remove(cloud: &Cloud, name: &str, live: &Live) -> Result<()> {
    let (profiles, policies) = futures::try_join!(profiles(cloud, name), inline_policies(cloud, name))?;
    let mut carried: BTreeSet<(String, String)> = profiles.into_iter().map(|p| (p, name.to_owned())).collect();
    carried.extend(live.carried().map(|role| (name.to_owned(), role.to_owned())));
    futures::try_join!(
        all(carried.iter().map(|(profile, role)| uncarry(cloud, profile, role)).collect()),
        all(policies.iter().map(|policy| delete_inline(cloud, name, policy)).collect()),
        detach(cloud, name, live.attached.iter()),
    )?;
    let profile = async {
        if live.profile.is_none() {
            return Ok(());
        }
        let call = cloud.iam().delete_instance_profile().instance_profile_name(name);
        call.send().await.unless_gone(cloud, name).map(drop)
    };
    let role = async { if live.role.is_none() { Ok(()) } else { delete_role(cloud, name).await } };
    futures::try_join!(profile, role)?;
    Ok(())
}

/// Names of the instance profiles that carry the role.
async fn profiles(cloud: &Cloud, role: &str) -> Result<Vec<String>> {
    let call = cloud.iam().list_instance_profiles_for_role().role_name(role);
    let list = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unless_gone(cloud, role)?;
    Ok(list.unwrap_or_default().into_iter().map(|p| p.instance_profile_name).collect())
}

/// Names of the inline policies, ours and those that were added by hand.
async fn inline_policies(cloud: &Cloud, role: &str) -> Result<Vec<String>> {
    let call = cloud.iam().list_role_policies().role_name(role);
    let list = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    Ok(list.unless_gone(cloud, role)?.unwrap_or_default())
}
