//! The IAM role of an application's instances, with the instance profile that carries it to them. Both
//! have one name, and are one resource.
use super::{iam::own_tags, tag_drift};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, quotas},
    engine::{Change, Cx, Identity, Needs, Resource, Use},
    error::Kind as ErrorKind,
    model::{Owner, Owning as _, names, policy_rules, tag_rules},
    resources::kind::{Kind, named},
};
use aws_sdk_iam::types::{InstanceProfile, Role as IamRole, SummaryKeyType, Tag};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) mod documents;
mod writes;
pub use documents::instances_may_assume;

/// Name of the one inline policy.
const POLICY: &str = "minion";

/// A role that EC2 instances assume, and its instance profile.
#[derive(Needs)]
pub struct Role {
    /// For whom.
    pub owner: Owner,
    /// The name of the role and of the instance profile: at most 64 characters, unique in the account.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// The inline policy. One without statements (or `null`) means: none.
    pub policy: Value,
    /// ARNs of the managed policies; others are detached.
    pub managed_policies: BTreeSet<String>,
    /// ARN of the permissions boundary. `None` leaves what is there.
    pub boundary: Option<String>,
}

/// What others need of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleId {
    /// The role's ARN.
    pub role_arn: String,
    /// The instance profile's name.
    pub profile: String,
}

/// What there is of a role: any part may be missing.
#[derive(Debug, Clone, Default)]
pub struct Live {
    role: Option<IamRole>,
    profile: Option<InstanceProfile>,
    /// The inline policy; a document that is no JSON is `Null`.
    policy: Option<Value>,
    attached: BTreeSet<String>,
}

impl Live {
    fn carried(&self) -> impl Iterator<Item = &str> {
        self.profile.iter().flat_map(InstanceProfile::roles).map(IamRole::role_name)
    }
    /// What is wrong with the instance profile of this name.
    fn carrying(&self, name: &str) -> Option<Change> {
        if self.profile.is_none() {
            return Some(Change::new("instance profile", "-", name));
        }
        let wrong = !self.carried().eq([name]);
        wrong.then(|| Change::new("role in instance profile", self.carried().next().unwrap_or("-"), name))
    }
    fn boundary(&self) -> Option<&str> {
        self.role.as_ref()?.permissions_boundary()?.permissions_boundary_arn()
    }
    fn trust(&self) -> Option<Value> {
        self.role.as_ref()?.assume_role_policy_document().map(documents::parse)
    }
    fn tags(&self) -> BTreeMap<String, String> {
        // Of two sets of tags that should be the same, a tag counts that both have.
        let role = self.role.as_ref().map(|r| own_tags(r.tags()));
        let profile = self.profile.as_ref().map(|p| own_tags(p.tags()));
        match (role, profile) {
            (Some(role), Some(profile)) => role.into_iter().filter(|(k, v)| profile.get(k) == Some(v)).collect(),
            (one, other) => one.or(other).unwrap_or_default(),
        }
    }
}

impl Role {
    fn fits(&self) -> Result<()> {
        let count = self.name.len();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
        if !(1..=names::ROLE).contains(&count) || !self.name.bytes().all(allowed) {
            return Err(Error::usage(format!("`{}` is no name for an IAM role", self.name))
                .hint("IAM takes 1 to 64 letters, digits and +=,.@_- in a role's name."));
        }
        policy_rules::document(&self.policy, policy_rules::INLINE).map_err(|e| {
            Error::usage(format!("{e} ({})", self.noun)).hint("Correct `policies` in the manifest; a large one can be a managed policy, named under `managed_policies`.")
        })?;
        let managed = self.managed_policies.len();
        // What this account allows was asked before; this is what AWS allows anybody.
        if managed > policy_rules::ATTACHED_MOST {
            return Err(Error::usage(format!(
                "{} has {managed} managed policies; IAM allows at most {} on a role",
                self.noun,
                policy_rules::ATTACHED_MOST
            ))
            .hint("Merge some of them into one, or move statements to policies."));
        }
        Ok(())
    }

    /// The inline policy, when one is wanted.
    fn wanted_policy(&self) -> Option<&Value> {
        let statements = match &self.policy["Statement"] {
            Value::Array(list) => !list.is_empty(),
            Value::Object(_) => true,
            _ => false,
        };
        statements.then_some(&self.policy)
    }
}

/// Role, policies and instance profile of this name; read once in each run.
async fn read(cloud: &Cloud, name: &str) -> Result<Live> {
    let load = async {
        let iam = cloud.iam();
        let (role, policy, attached, profile) = futures::try_join!(
            async { iam.get_role().role_name(name).send().await.unless_gone(cloud, name) },
            async {
                let call = iam.get_role_policy().role_name(name).policy_name(POLICY);
                call.send().await.unless_gone(cloud, name)
            },
            attached(cloud, name),
            async {
                let call = iam.get_instance_profile().instance_profile_name(name);
                call.send().await.unless_gone(cloud, name)
            },
        )?;
        Ok(Live {
            role: role.and_then(|r| r.role),
            profile: profile.and_then(|p| p.instance_profile),
            policy: policy.map(|p| documents::parse(p.policy_document())),
            attached,
        })
    };
    Ok(cloud.once(format!("role {name}"), load).await?.as_ref().clone())
}

/// Managed policies that a role may have in this account; `None` where these credentials may not ask.
pub async fn managed_quota(cloud: &Cloud) -> Result<Option<usize>> {
    let summary = cloud.iam().get_account_summary().send().await.told(cloud, "");
    let summary = match summary {
        Err(e) if e.kind() == ErrorKind::Access => return Ok(None),
        other => other?,
    };
    let quota = summary.summary_map().and_then(|m| m.get(&SummaryKeyType::AttachedPoliciesPerRoleQuota));
    Ok(quota.and_then(|n| usize::try_from(*n).ok()))
}

/// The command that requests so many managed policies of a role.
pub fn request_managed(count: usize) -> String {
    quotas::ROLE_POLICIES.command(&count.to_string(), "us-east-1").unwrap_or_default()
}

/// The inline policy that the role of this name has now; one that is not there has none. One reading serves the whole run.
pub async fn inline_policy(cloud: &Cloud, name: &str) -> Result<Option<Value>> {
    Ok(read(cloud, name).await?.policy)
}

impl Kind for Role {
    const NAME: &'static str = "IAM role";
    type Owner = Owner;
    type Live = Live;
    type Output = RoleId;
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<Live>> {
        let live = read(cloud, name).await?;
        if live.role.is_none() && live.profile.is_none() {
            return Ok(None);
        }
        let claim = |kind, tags: &[Tag]| owner.claim(kind, name, &own_tags(tags));
        live.role.as_ref().map_or(Ok(()), |r| claim(Self::NAME, r.tags()))?;
        live.profile.as_ref().map_or(Ok(()), |p| claim("instance profile", p.tags()))?;
        Ok(Some(live))
    }
    async fn remove(cloud: &Cloud, _: &Owner, name: &str, live: &Live) -> Result<()> {
        writes::remove(cloud, name, live).await
    }
    fn output(name: &str, live: &Live) -> RoleId {
        RoleId {
            role_arn: live.role.as_ref().map_or_else(String::new, |r| r.arn().to_owned()),
            profile: name.to_owned(),
        }
    }
}

/// A role that somebody else makes, with an instance profile of its name.
#[derive(Needs)]
pub struct ExistingRole {
    /// The name of the role and of the instance profile.
    pub name: String,
}

impl Identity for ExistingRole {
    const KIND: &'static str = Role::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = RoleId;

    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let live = read(cx.cloud, &self.name).await?;
        Ok(live.role.is_some().then_some(live))
    }
    fn accept(&self, live: Option<&Live>) -> Result<()> {
        let live = live.ok_or_else(|| Error::not_found(format!("IAM role {} does not exist", self.name)))?;
        let Some(change) = live.carrying(&self.name) else { return Ok(()) };
        Err(Error::refused(format!("IAM role {} is not what is needed, and not ours to change: {change}", self.name)))
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, _: &Live) -> Result<()> {
        Err(Error::refused(format!("IAM role {} is a foreign resource: it is never deleted here", self.name)))
    }
    fn output(&self, live: &Live) -> RoleId {
        Role::output(&self.name, live)
    }
}

impl Resource for Role {
    named!(noun);

    fn uses(&self) -> Vec<Use> {
        vec![
            Use::of(quotas::ROLES.name, 1),
            Use::of(quotas::INSTANCE_PROFILES.name, 1),
            Use::within(quotas::ROLE_POLICIES.name, self.managed_policies.len() as u64, &self.name),
        ]
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.changes(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        self.converge(cx.cloud, &Live::default()).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.converge(cx.cloud, live).await
    }
}

impl Role {
    fn changes(&self, live: &Live) -> Vec<Change> {
        let mut changes: Vec<Change> = live.carrying(&self.name).into_iter().collect();
        let mut change = |field: &str, from: &str, to: &str| changes.push(Change::new(field, from, to));
        match live.trust() {
            None => change("role", "-", &self.name),
            Some(trust) if trust != instances_may_assume() => {
                change("trust policy", &documents::short(&trust), &documents::short(&instances_may_assume()));
            }
            Some(_) => {}
        }
        if live.policy.as_ref() != self.wanted_policy() {
            let text = |p: Option<&Value>| p.map_or_else(|| "-".to_owned(), documents::short);
            change("policies", &text(live.policy.as_ref()), &text(self.wanted_policy()));
        }
        for arn in self.managed_policies.difference(&live.attached) {
            change("managed policy", "-", arn);
        }
        for arn in live.attached.difference(&self.managed_policies) {
            change("managed policy", arn, "-");
        }
        // A role that is not there yet gets its boundary and tags in the creating call.
        if let (Some(wanted), Some(_)) = (&self.boundary, &live.role)
            && live.boundary() != Some(wanted)
        {
            change("permissions boundary", live.boundary().unwrap_or("-"), wanted);
        }
        changes.extend(tag_drift::changes(&self.owner, &live.tags()));
        changes
    }
}

/// ARNs of the managed policies of a role; none when there is no role.
async fn attached(cloud: &Cloud, name: &str) -> Result<BTreeSet<String>> {
    let pages = cloud.iam().list_attached_role_policies().role_name(name).into_paginator().items().send();
    let policies = pages.collect::<Result<Vec<_>, _>>().await.unless_gone(cloud, name)?;
    Ok(policies.unwrap_or_default().into_iter().filter_map(|p| p.policy_arn).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_iam::{primitives::DateTime, types::AttachedPermissionsBoundary};
    use serde_json::json;

    fn wanted() -> Role {
        Role {
            owner: Owner {
                tool: "minion",
                vpc: "vpc-1".into(),
                team: None,
                application: "a".into(),
                version: None,
                extra: BTreeMap::new(),
            },
            name: "app-a".into(),
            noun: "IAM role and instance profile".into(),
            policy: json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}),
            managed_policies: BTreeSet::from(["arn:aws:iam::aws:policy/A".into()]),
            boundary: Some("arn:b".into()),
        }
    }
    fn role(boundary: Option<&str>) -> IamRole {
        IamRole::builder()
            .path("/")
            .role_name("app-a")
            .role_id("x")
            .arn("arn:r")
            .create_date(DateTime::from_secs(0))
            .assume_role_policy_document(instances_may_assume().to_string().replace('"', "%22"))
            .set_permissions_boundary(
                boundary.map(|b| AttachedPermissionsBoundary::builder().permissions_boundary_arn(b).build()),
            )
            .build()
            .unwrap()
    }
    fn live() -> Live {
        let profile = InstanceProfile::builder()
            .path("/")
            .instance_profile_name("app-a")
            .instance_profile_id("x")
            .arn("arn:p")
            .create_date(DateTime::from_secs(0))
            .roles(role(None))
            .build()
            .unwrap();
        Live {
            role: Some(role(Some("arn:b"))),
            profile: Some(profile),
            policy: Some(wanted().policy),
            attached: wanted().managed_policies,
        }
    }
    fn fields(role: &Role, live: &Live) -> Vec<String> {
        role.changes(live).into_iter().map(|c| c.field).collect()
    }

    #[test]
    fn each_part_that_differs_is_a_change() {
        let none = Vec::<String>::new();
        assert_eq!(fields(&wanted(), &live()), none);
        assert_eq!(fields(&wanted(), &Live { profile: None, ..live() }), ["instance profile"]);
        assert_eq!(fields(&wanted(), &Live { policy: None, ..live() }), ["policies"]);
        assert_eq!(fields(&wanted(), &Live { role: Some(role(None)), ..live() }), ["permissions boundary"]);
        assert_eq!(
            fields(&wanted(), &Live { attached: ["x".into()].into(), ..live() }),
            ["managed policy", "managed policy"]
        );
        assert_eq!(fields(&Role { boundary: None, ..wanted() }, &live()), none);
        assert_eq!(fields(&Role { policy: Value::Null, ..wanted() }, &Live { policy: None, ..live() }), none);
        let other = Role { name: "app-b".into(), ..wanted() };
        assert_eq!(fields(&other, &live()), ["role in instance profile"]);
    }

    #[test]
    fn an_existing_role_only_needs_its_profile() {
        let existing = ExistingRole { name: "app-a".into() };
        existing.accept(Some(&Live { attached: BTreeSet::new(), ..live() })).unwrap();
        let told = existing.accept(Some(&Live { profile: None, ..live() })).unwrap_err().to_string();
        assert!(told.ends_with("not ours to change: instance profile: - -> app-a"), "{told}");
    }

    #[test]
    fn limits_are_checked_before_anything_is_written() {
        wanted().check().unwrap();
        let statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}", "x".repeat(policy_rules::INLINE))});
        let long = Role { policy: json!({ "Statement": [statement] }), ..wanted() };
        assert!(long.check().unwrap_err().to_string().contains("10240"));
        let many = Role { managed_policies: (0..26).map(|n| n.to_string()).collect(), ..wanted() };
        assert!(many.check().unwrap_err().to_string().contains("26 managed policies"));
        assert!(Role { name: "x".repeat(65), ..wanted() }.check().is_err());
        assert!(Role { name: "a b".into(), ..wanted() }.check().is_err());
    }
}
