//! Customer managed policies: one JSON document, of which IAM keeps up to five versions.
use super::{account::account, aws_tags, documents::same, is_description, is_name, own_tags};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _, quotas,
        wait::{Look, Patience, poll_until},
    },
    engine::{Cancel, Change, Cx, Needs, Resource, Use},
    error::Kind as ErrorKind,
    model::{Owning as _, TeamOwner, policy_rules, tag_rules},
    resources::{
        kind::{Kind, named},
        role::documents::{parse, short},
        tag_drift,
    },
};
use aws_sdk_iam::types::{ManagedPolicyDetail, PolicyVersion};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Size of a managed policy, in characters without white space.
const LIMIT: usize = policy_rules::MANAGED;
/// Versions that IAM keeps of a policy (IAM quotas; fixed).
const VERSIONS: usize = 5;
/// Longest name (`CreatePolicy`).
const NAME: usize = 128;
/// How long the users of a policy that is to go may still be seen after they went.
const USERS_GONE: Duration = Duration::from_secs(30);

/// A managed policy of the account.
#[derive(Needs)]
pub struct ManagedPolicy {
    /// For whom.
    pub owner: TeamOwner,
    /// The name: at most 128 characters, unique in the account.
    pub name: String,
    /// What it is for: at most 1,000 characters. IAM never changes it.
    pub description: String,
    /// What it says: at most 6,144 characters without white space.
    pub document: Value,
}

/// The ARN of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyArn(pub String);

/// What was found of a managed policy.
#[derive(Debug, Clone)]
pub struct Live {
    arn: String,
    /// The version in force; one that is no JSON is `Null`.
    document: Value,
    /// The others, oldest first.
    older: Vec<String>,
    tags: BTreeMap<String, String>,
}

impl ManagedPolicy {
    fn fits(&self) -> Result<()> {
        if !is_name(&self.name, NAME) {
            return Err(Error::usage(format!("`{}` is no name for an IAM policy", self.name))
                .hint(format!("IAM takes 1 to {NAME} letters, digits and +=,.@_- in a policy's name.")));
        }
        if !is_description(&self.description) {
            return Err(Error::usage(format!("IAM does not take the description of policy {}", self.name))
                .hint("It takes at most 1,000 letters, digits and signs of Latin-1."));
        }
        policy_rules::document(&self.document, LIMIT).map_err(|e| Error::usage(format!("policy {}: {e}", self.name)))
    }

    fn changes(&self, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        if !same(&live.document, &self.document) {
            changes.push(Change::new("document", short(&live.document), short(&self.document)));
        }
        changes.extend(tag_drift::changes(&self.owner, &live.tags));
        changes
    }

    /// Puts the wanted document in force, in the place of the oldest version when there is no room.
    async fn put(&self, cloud: &Cloud, live: &Live) -> Result<()> {
        // One more is in force.
        for version in live.older.iter().take((live.older.len() + 2).saturating_sub(VERSIONS)) {
            drop_version(cloud, &self.name, &live.arn, version).await?;
        }
        let call = cloud.iam().create_policy_version().policy_arn(&live.arn).set_as_default(true);
        call.policy_document(self.document.to_string()).send().await.told(cloud, &self.name).map(drop)
    }
}

async fn drop_version(cloud: &Cloud, policy: &str, arn: &str, version: &str) -> Result<()> {
    let call = cloud.iam().delete_policy_version().policy_arn(arn).version_id(version);
    let what = format!("{policy} {version}");
    call.send().await.unless_gone(cloud, what).map(drop)
}

/// Who still has the policy, attached or as the boundary: `role x`.
async fn users(cloud: &Cloud, policy: &str, arn: &str) -> Result<Vec<String>> {
    let mut pages = cloud.iam().list_entities_for_policy().policy_arn(arn).into_paginator().send();
    let mut users = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unless_gone(cloud, policy)?;
        let Some(page) = page else { break };
        users.extend(page.policy_roles().iter().filter_map(|r| r.role_name()).map(|n| format!("role {n}")));
        users.extend(page.policy_users().iter().filter_map(|u| u.user_name()).map(|n| format!("user {n}")));
        users.extend(page.policy_groups().iter().filter_map(|g| g.group_name()).map(|n| format!("group {n}")));
    }
    users.sort();
    users.dedup();
    Ok(users)
}

/// Waits until nobody has the policy any more: who was deleted just now may still be listed.
async fn unused(cloud: &Cloud, policy: &str, arn: &str) -> Result<()> {
    let patience = Patience::new(USERS_GONE, Cancel::default());
    let look = || async {
        let users = users(cloud, policy, arn).await?;
        Ok(if users.is_empty() { Look::Done(()) } else { Look::NotYet(users.join(", ")) })
    };
    poll_until(&format!("the end of all use of policy {policy}"), &patience, look, |_, _| {}).await.map_err(|e| match e
        .kind()
    {
        ErrorKind::Deadline => Error::refused(format!("policy {policy} is in use: {e}"))
            .hint("Delete what has it first: `minion applications delete`, or by hand; then run this again."),
        _ => e,
    })
}

/// What the list says of a policy, without its tags.
fn read(policy: &ManagedPolicyDetail) -> Live {
    let mut versions: Vec<&PolicyVersion> = policy.policy_version_list().iter().collect();
    // v9 is older than v10.
    let number = |v: &PolicyVersion| v.version_id().and_then(|id| id.trim_start_matches('v').parse::<u64>().ok());
    versions.sort_by_key(|v| number(v));
    let default = policy.default_version_id();
    let in_force = |v: &PolicyVersion| v.version_id().is_some() && v.version_id() == default;
    let document = versions.iter().find(|v| in_force(v)).and_then(|v| v.document());
    Live {
        arn: policy.arn().unwrap_or_default().to_owned(),
        document: document.map_or(Value::Null, parse),
        older: versions.iter().filter(|v| !in_force(v)).filter_map(|v| v.version_id()).map(str::to_owned).collect(),
        tags: BTreeMap::new(),
    }
}

impl Kind for ManagedPolicy {
    const NAME: &'static str = "IAM policy";
    type Owner = TeamOwner;
    type Live = Live;
    type Output = PolicyArn;
    async fn find(cloud: &Cloud, owner: &TeamOwner, name: &str) -> Result<Option<Live>> {
        let all = account(cloud).await?;
        // An ARN ends in the name, whatever the path.
        let named =
            |p: &&ManagedPolicyDetail| p.arn().and_then(|arn| arn.rsplit_once('/')).is_some_and(|(_, n)| n == name);
        let Some(found) = all.policies.iter().find(named) else { return Ok(None) };
        let mut live = read(found);
        let load = async {
            let tags = cloud.iam().list_policy_tags().policy_arn(&live.arn).into_paginator().items().send();
            tags.collect::<Result<Vec<_>, _>>().await.unless_gone(cloud, name)
        };
        let tags = cloud.once(format!("iam policy tags {name}"), load).await?;
        let Some(tags) = tags.as_ref() else { return Ok(None) };
        live.tags = own_tags(tags);
        owner.claim(Self::NAME, name, &live.tags)?;
        Ok(Some(live))
    }
    async fn remove(cloud: &Cloud, _: &TeamOwner, name: &str, live: &Live) -> Result<()> {
        unused(cloud, name, &live.arn).await?;
        for version in &live.older {
            drop_version(cloud, name, &live.arn, version).await?;
        }
        cloud.iam().delete_policy().policy_arn(&live.arn).send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(_: &str, live: &Live) -> PolicyArn {
        PolicyArn(live.arn.clone())
    }
}

impl Resource for ManagedPolicy {
    named!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::POLICIES.name, 1)]
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.changes(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.iam().create_policy().policy_name(&self.name).description(&self.description);
        let call = call.policy_document(self.document.to_string()).set_tags(Some(aws_tags(&tags)?));
        let made = call.send().await.told(cx.cloud, &self.name)?;
        let arn = made.policy.and_then(|p| p.arn);
        let arn =
            arn.ok_or_else(|| Error::failed(format!("iam:CreatePolicy answered without the ARN of {}", self.name)))?;
        Ok(Live { arn, document: self.document.clone(), older: Vec::new(), tags })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        if !same(&live.document, &self.document) {
            self.put(cx.cloud, live).await?;
        }
        let stale = tag_drift::stale(&self.owner, &live.tags);
        if !stale.is_empty() {
            let call = cx.cloud.iam().tag_policy().policy_arn(&live.arn).set_tags(Some(aws_tags(&stale)?));
            call.send().await.told(cx.cloud, &self.name)?;
        }
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted() -> ManagedPolicy {
        let owner = TeamOwner {
            organization: "acme".parse().unwrap(),
            team: Some("red".parse().unwrap()),
            extra: BTreeMap::new(),
        };
        ManagedPolicy { owner, name: "p".into(), description: "d".into(), document: json!({"Statement": []}) }
    }

    #[test]
    fn versions_are_told_by_their_numbers() {
        let version = |id: &str, text: &str| PolicyVersion::builder().version_id(id).document(text).build();
        let policy = ManagedPolicyDetail::builder()
            .arn("arn:p")
            .default_version_id("v10")
            .policy_version_list(version("v10", "%7B%22a%22%3A1%7D"))
            .policy_version_list(version("v11", "{}"))
            .policy_version_list(version("v9", "{}"))
            .build();
        let live = read(&policy);
        assert_eq!((live.document, live.older), (json!({"a": 1}), vec!["v9".to_owned(), "v11".to_owned()]));
    }

    #[test]
    fn limits_are_checked_before_anything_is_written() {
        wanted().check().unwrap();
        let document = |n: usize| json!("x".repeat(n - 2));
        ManagedPolicy { document: document(LIMIT), ..wanted() }.check().unwrap();
        for bad in [
            ManagedPolicy { document: document(LIMIT + 1), ..wanted() },
            ManagedPolicy { name: "a b".into(), ..wanted() },
            ManagedPolicy { name: "x".repeat(129), ..wanted() },
            ManagedPolicy { description: "\u{2014}".into(), ..wanted() },
        ] {
            assert_eq!(bad.check().unwrap_err().kind(), ErrorKind::Usage);
        }
    }
}
