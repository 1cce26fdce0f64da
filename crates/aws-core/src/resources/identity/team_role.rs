//! The IAM roles of a team's account: whom people and services act as.
use super::{
    account::{account, sessions},
    documents::same,
    is_description, is_name,
    managed_policy::PolicyArn,
    own_tags,
    saml_provider::SamlArn,
};
use crate::{
    Error, Result,
    cloud::{Cloud, quotas},
    engine::{Change, Cx, Needs, Ref, Resource, Use},
    model::{Owning as _, TeamOwner, names, policy_rules, tag_rules},
    resources::{
        kind::{Kind, named},
        role::documents::{parse, short},
        tag_drift,
    },
};
use aws_sdk_iam::types::{Role, RoleDetail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

mod writes;

/// Hours that a session may last (`CreateRole`, MaxSessionDuration).
const HOURS: std::ops::RangeInclusive<u8> = 1..=12;

/// A role without an instance profile.
#[derive(Needs)]
pub struct TeamRole {
    /// For whom.
    pub owner: TeamOwner,
    /// The name: at most 64 characters, unique in the account.
    pub name: String,
    /// What it is for: at most 1,000 characters.
    pub description: String,
    /// Who may assume it.
    pub trust: Trust,
    /// The managed policies; others are detached.
    pub managed: Vec<Managed>,
    /// Name and document of the one inline policy; others are removed.
    pub inline: Option<(String, Value)>,
    /// The permissions boundary; one that is there although `None` is wanted is removed.
    pub boundary: Option<Ref<PolicyArn>>,
    /// Hours that a session may last, 1 to 12 (`CreateRole`, MaxSessionDuration).
    pub session_hours: u8,
}

/// A managed policy of a role.
#[derive(Needs)]
pub enum Managed {
    /// The ARN of one that AWS made.
    Aws(String),
    /// One of this graph.
    Ours(Ref<PolicyArn>),
}

/// Who may assume a role.
#[derive(Default, Needs)]
pub struct Trust {
    /// Services: `vpc-flow-logs.amazonaws.com`.
    pub services: Vec<String>,
    /// The account that the services must be acting for (`aws:SourceAccount`, 12 digits): without it a service could be
    /// talked into using the role for somebody else's. Only for services that say it.
    pub source_account: Option<String>,
    /// Accounts (12 digits) and ARNs of roles and users.
    pub principals: Vec<String>,
    /// Who signs in through this SAML provider, in the console or on the command line.
    pub saml: Option<Ref<SamlArn>>,
}

/// The ARN of a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleArn(pub String);

impl Trust {
    /// The trust policy, with the ARN of the SAML provider when there is one: a statement for each kind of principal.
    pub fn document(&self, saml: Option<&SamlArn>) -> Value {
        let mut statements = Vec::new();
        let mut assume = |kind: &str, who: &[String], source: Option<&String>| {
            if !who.is_empty() {
                let principal = json!({ kind: who });
                let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
                if let Some(account) = source {
                    statement["Condition"] = json!({ "StringEquals": { "aws:SourceAccount": account } });
                }
                statements.push(statement);
            }
        };
        assume("Service", &self.services, self.source_account.as_ref());
        assume("AWS", &self.principals, None);
        if let Some(SamlArn(arn)) = saml {
            statements.push(json!({
                "Effect": "Allow",
                "Principal": { "Federated": arn },
                "Action": "sts:AssumeRoleWithSAML",
                "Condition": { "StringEquals": { "SAML:aud": audience(arn) } }
            }));
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

/// Where an answer of the identity provider is for: the sign-in page of the provider's partition.
fn audience(arn: &str) -> &'static str {
    match arn.split(':').nth(1) {
        Some("aws-cn") => "https://signin.amazonaws.cn/saml",
        Some("aws-us-gov") => "https://signin.amazonaws-us-gov.com/saml",
        _ => "https://signin.aws.amazon.com/saml",
    }
}

/// What was found of a role.
#[derive(Debug, Clone, Default)]
pub struct Live {
    arn: String,
    description: String,
    /// Seconds; `None` where IAM does not say.
    session: Option<i32>,
    /// What is no JSON is `Null`.
    trust: Value,
    inline: BTreeMap<String, Value>,
    attached: BTreeSet<String>,
    boundary: Option<String>,
    profiles: Vec<String>,
    tags: BTreeMap<String, String>,
}

/// What is wanted, once the ARNs are known. What is still to be made has none.
struct Wanted {
    /// `None`: of a SAML provider that is still to be made.
    trust: Option<Value>,
    attached: BTreeSet<String>,
    /// Managed policies that are still to be made.
    to_be_made: usize,
    /// `Some(None)`: of a policy that is still to be made.
    boundary: Option<Option<String>>,
}

impl TeamRole {
    fn fits(&self) -> Result<()> {
        let name = &self.name;
        if !is_name(name, names::ROLE) {
            return Err(Error::usage(format!("`{name}` is no name for an IAM role"))
                .hint("IAM takes 1 to 64 letters, digits and +=,.@_- in a role's name."));
        }
        if !is_description(&self.description) {
            return Err(Error::usage(format!("IAM does not take the description of role {name}"))
                .hint("It takes at most 1,000 letters, digits and signs of Latin-1."));
        }
        if !HOURS.contains(&self.session_hours) {
            return Err(Error::usage(format!("a session of role {name} cannot last {} hours", self.session_hours))
                .hint("IAM takes 1 to 12 hours."));
        }
        if self.managed.len() > policy_rules::ATTACHED {
            let (count, most) = (self.managed.len(), policy_rules::ATTACHED);
            return Err(Error::usage(format!("role {name} has {count} managed policies; IAM allows {most}")));
        }
        if let Some((_, policy)) = &self.inline {
            policy_rules::document(policy, policy_rules::INLINE)
                .map_err(|e| Error::usage(format!("the inline policy of role {name}: {e}")))?;
        }
        // The provider's ARN is not known here; its longest name has 128 characters.
        let saml = self.trust.saml.map(|_| SamlArn("x".repeat(180)));
        let trust = self.trust.document(saml.as_ref());
        if trust["Statement"].as_array().is_some_and(Vec::is_empty) {
            return Err(Error::usage(format!("nobody may assume role {name}"))
                .hint("Name accounts or roles under `identity.trusted`, or a SAML provider's metadata."));
        }
        policy_rules::document(&trust, policy_rules::TRUST).map_err(|e| {
            Error::usage(format!("the trust policy of role {name}: {e}"))
                .hint("Name accounts instead of roles, or fewer of them, under `identity.trusted`.")
        })
    }

    fn wanted(&self, cx: &Cx<'_, Cloud>) -> Wanted {
        let mut wanted = Wanted { trust: None, attached: BTreeSet::new(), to_be_made: 0, boundary: None };
        for policy in &self.managed {
            match policy {
                Managed::Aws(arn) => _ = wanted.attached.insert(arn.clone()),
                Managed::Ours(policy) => match cx.try_get(*policy) {
                    Some(PolicyArn(arn)) => _ = wanted.attached.insert(arn.clone()),
                    None => wanted.to_be_made += 1,
                },
            }
        }
        let saml = self.trust.saml.map(|saml| cx.try_get(saml));
        wanted.trust = match saml {
            Some(None) => None,
            known => Some(self.trust.document(known.flatten())),
        };
        wanted.boundary = self.boundary.map(|boundary| cx.try_get(boundary).map(|PolicyArn(arn)| arn.clone()));
        wanted
    }

    fn session(&self) -> i32 {
        i32::from(self.session_hours) * 3600
    }

    fn changes(&self, live: &Live, wanted: &Wanted) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut change = |field: &str, from: &str, to: &str| changes.push(Change::new(field, from, to));
        match &wanted.trust {
            Some(trust) if same(trust, &live.trust) => {}
            Some(trust) => change("trust policy", &short(&live.trust), &short(trust)),
            None => change("trust policy", &short(&live.trust), "with the SAML provider to be made"),
        }
        for (name, from) in &live.inline {
            match &self.inline {
                Some((ours, to)) if ours == name => {
                    if !same(from, to) {
                        change(&format!("policy {name}"), &short(from), &short(to));
                    }
                }
                _ => change(&format!("policy {name}"), &short(from), "-"),
            }
        }
        if let Some((name, to)) = &self.inline
            && !live.inline.contains_key(name)
        {
            change(&format!("policy {name}"), "-", &short(to));
        }
        for arn in wanted.attached.difference(&live.attached) {
            change("managed policy", "-", arn);
        }
        for _ in 0..wanted.to_be_made {
            change("managed policy", "-", "one to be made");
        }
        for arn in live.attached.difference(&wanted.attached) {
            change("managed policy", arn, "-");
        }
        let boundary = live.boundary.as_deref().unwrap_or("-");
        match &wanted.boundary {
            Some(None) => change("permissions boundary", boundary, "one to be made"),
            Some(Some(arn)) if live.boundary.as_ref() != Some(arn) => change("permissions boundary", boundary, arn),
            None if live.boundary.is_some() => change("permissions boundary", boundary, "-"),
            _ => {}
        }
        if live.session.is_some_and(|seconds| seconds != self.session()) {
            let hours = |seconds: i32| format!("{} h", f64::from(seconds) / 3600.0);
            change("session", &hours(live.session.unwrap_or_default()), &hours(self.session()));
        }
        if live.description != self.description {
            change("description", &live.description, &self.description);
        }
        changes.extend(tag_drift::changes(&self.owner, &live.tags));
        changes
    }
}

fn read(role: &RoleDetail, more: Option<&Role>) -> Live {
    let document = |text: Option<&str>| text.map_or(Value::Null, parse);
    let inline = role.role_policy_list().iter().map(|p| {
        let name = p.policy_name().unwrap_or_default().to_owned();
        (name, document(p.policy_document()))
    });
    Live {
        arn: role.arn().unwrap_or_default().to_owned(),
        description: more.and_then(|r| r.description()).unwrap_or_default().to_owned(),
        session: more.and_then(|r| r.max_session_duration),
        trust: document(role.assume_role_policy_document()),
        inline: inline.collect(),
        attached: role.attached_managed_policies().iter().filter_map(|p| p.policy_arn()).map(str::to_owned).collect(),
        boundary: role.permissions_boundary().and_then(|b| b.permissions_boundary_arn()).map(str::to_owned),
        profiles: role.instance_profile_list().iter().map(|p| p.instance_profile_name().to_owned()).collect(),
        tags: own_tags(role.tags()),
    }
}

impl Kind for TeamRole {
    const NAME: &'static str = "IAM role";
    type Owner = TeamOwner;
    type Live = Live;
    type Output = RoleArn;
    async fn find(cloud: &Cloud, owner: &TeamOwner, name: &str) -> Result<Option<Live>> {
        let (all, more) = futures::try_join!(account(cloud), sessions(cloud))?;
        let Some(role) = all.roles.iter().find(|r| r.role_name() == Some(name)) else { return Ok(None) };
        let live = read(role, more.get(name));
        owner.claim(Self::NAME, name, &live.tags)?;
        Ok(Some(live))
    }
    async fn remove(cloud: &Cloud, _: &TeamOwner, name: &str, live: &Live) -> Result<()> {
        writes::remove(cloud, name, live).await
    }
    fn output(_: &str, live: &Live) -> RoleArn {
        RoleArn(live.arn.clone())
    }
}

impl Resource for TeamRole {
    named!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::ROLES.name, 1)]
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.changes(live, &self.wanted(cx))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        self.make(cx.cloud, &self.wanted(cx)).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.converge(cx.cloud, live, &self.wanted(cx)).await?;
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests;
