//! What an account has once: who may do what, and what watches over it.
use super::Input;
use crate::policies;
use aws_core::{
    cloud::Clouds,
    engine::{Action, Graph, Identity as _, NodeId, Outcome, Ref, Report},
    model::names::{partition, shorten},
    registry::teams::{Feature, Interconnect, Setting},
    resources::{
        guard::{
            budget::MonthlyBudget,
            cost_tags::CostTags,
            ebs_encryption::EbsEncryption,
            metadata_defaults::MetadataDefaults,
            public_access::PublicAccess,
            trail::AuditTrail,
            trail_bucket::{Bucket, OldBucket, TrailBucket},
        },
        identity::{
            alias::AccountAlias,
            managed_policy::{ManagedPolicy, PolicyArn},
            password_policy::PasswordPolicy,
            saml_provider::{SamlArn, SamlIdentity, SamlProvider},
            service_linked_role::{Service, ServiceLinkedRole},
            team_role::{TeamRole, Trust},
        },
        kind::Named,
    },
};
use serde_json::Value;

/// The trail's name.
pub(crate) const TRAIL: &str = "overlord";
/// The budget's name.
const BUDGET: &str = "overlord-monthly";

/// What comes of it for the rest of the graph.
pub(super) struct AccountWide {
    /// ARN of the permissions boundary.
    pub(super) boundary: Option<String>,
}

/// The bucket of the audit trail: unique in the world.
pub(crate) fn bucket_name(organization: &str, team: &str, account: &str) -> String {
    shorten(&format!("{organization}-{team}-trail-{account}"), 63)
}

/// Adds it.
pub(super) fn account(input: &Input<'_>, graph: &mut Graph<Clouds>) -> AccountWide {
    let (team, clouds) = (input.team, &input.places.clouds);
    if let Some(management) = input.places.management {
        clouds.put(management, CostTags { keys: team.cost_tags.clone() }).to(graph);
    }
    if !team.account_wide {
        return AccountWide { boundary: None };
    }
    service_linked_roles(input, graph);
    let boundary = identity(input, graph);
    guard_rails(input, graph);
    AccountWide { boundary: Some(boundary) }
}

/// What AWS would create in the first call that needs it, if whoever makes that call were allowed to. Deleting leaves them.
fn service_linked_roles(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    let transit = input.team.interconnect == Interconnect::TransitGateway;
    let services = Service::OF_APPLICATIONS.into_iter().chain(transit.then_some(Service::TransitGateway));
    for service in services {
        input.places.clouds.put(input.places.main(), ServiceLinkedRole { service }).to(graph);
    }
}

fn identity(input: &Input<'_>, graph: &mut Graph<Clouds>) -> String {
    let (team, clouds, main) = (input.team, &input.places.clouds, input.places.main());
    let owner = &input.owner;
    let account = input.places.account.clone();
    let partition = partition(&input.places.team[0].0);
    let boundary_arn = format!("arn:{partition}:iam::{account}:policy/{}", policies::BOUNDARY);
    // Also without a trail: what an earlier one wrote is guarded all the same.
    let bucket = bucket_name(owner.organization.as_str(), team.name.as_str(), &account);
    let domains: Vec<&str> = input.record.domains.iter().map(|d| d.name.as_str()).collect();
    let parents: Vec<&str> = input.record.domains.iter().map(|d| d.parent.as_str()).collect();
    let facts = policies::Input {
        partition,
        account: &account,
        organization: owner.organization.as_str(),
        team: team.name.as_str(),
        boundary_arn: &boundary_arn,
        trail_bucket: Some(&bucket),
        domains: &domains,
        parents: &parents,
    };
    let boundary = clouds.put(
        main,
        ManagedPolicy {
            owner: owner.clone(),
            name: policies::BOUNDARY.to_owned(),
            description: "What no role of this account may do".to_owned(),
            document: policies::boundary(&facts),
        },
    );
    let boundary: Ref<PolicyArn> = boundary.to(graph);
    let saml: Option<Ref<SamlArn>> = team.saml_metadata.as_ref().map(|metadata| {
        let (owner, name) = (owner.clone(), owner.organization.to_string());
        clouds.put(main, SamlProvider { owner, name, metadata: metadata.clone() }).to(graph)
    });
    let inline = |document: Value| Some((policies::INLINE.to_owned(), document));
    let roles = [
        (
            policies::ADMINISTRATOR,
            "All but the network, the boundary and the trail",
            inline(policies::administrator(&facts)),
        ),
        (policies::POWER_USER, "All services; roles within the boundary", inline(policies::power_user(&facts))),
        (policies::READ_ONLY, "Looks, and changes nothing", inline(policies::read_only(&facts))),
        (policies::DEPLOYER, "What minion does", inline(policies::deployer(&facts))),
    ];
    for (name, description, inline) in roles {
        let role = TeamRole {
            owner: owner.clone(),
            name: name.to_owned(),
            description: description.to_owned(),
            trust: Trust { services: Vec::new(), source_account: None, principals: input.places.trusted.clone(), saml },
            managed: Vec::new(),
            inline,
            boundary: Some(boundary),
            session_hours: team.session_hours,
        };
        clouds.put(main, role).to(graph);
    }
    boundary_arn
}

fn guard_rails(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    let (team, clouds, main) = (input.team, &input.places.clouds, input.places.main());
    if team.audit_trail {
        let (bucket, days) = (bucket(input), team.audit_trail_days);
        let bucket = clouds.put(main, TrailBucket { bucket, trail: TRAIL.to_owned(), days }).to(graph);
        clouds.put(main, AuditTrail { owner: input.owner.clone(), name: TRAIL.to_owned(), bucket }).to(graph);
    }
    settings(input, graph, true);
    if let Some(budget) = &team.budget {
        let (account, name) = (input.places.account.clone(), BUDGET.to_owned());
        clouds.put(main, MonthlyBudget { account, name, usd: budget.usd, notify: budget.notify.clone() }).to(graph);
    }
}

/// What an account has anyway, set or as it was.
fn settings(input: &Input<'_>, graph: &mut Graph<Clouds>, set: bool) {
    let (team, clouds, main) = (input.team, &input.places.clouds, input.places.main());
    let restore = |setting: Setting| !input.record.found.contains(&setting);
    if let Some(alias) = &team.account_alias {
        let alias = AccountAlias { alias: alias.clone(), restore: restore(Setting::AccountAlias) };
        clouds.put(main, alias).wished(set, graph);
    }
    for (_, spot) in &input.places.team {
        if team.ebs_encryption {
            clouds.put(*spot, EbsEncryption { restore: restore(Setting::EbsEncryption) }).wished(set, graph);
        }
        if team.imds_v2 {
            clouds.put(*spot, MetadataDefaults { restore: restore(Setting::ImdsV2) }).wished(set, graph);
        }
    }
    if team.block_public_buckets {
        let (account, restore) = (input.places.account.clone(), restore(Setting::BlockPublicBuckets));
        clouds.put(main, PublicAccess { account, restore }).wished(set, graph);
    }
    if team.password_policy {
        clouds.put(main, PasswordPolicy { restore: restore(Setting::PasswordPolicy) }).wished(set, graph);
    }
}

fn bucket(input: &Input<'_>) -> Bucket {
    let (owner, account) = (input.owner.clone(), input.places.account.clone());
    let name = bucket_name(owner.organization.as_str(), input.team.name.as_str(), &account);
    Bucket { owner, name, account }
}

/// What an account has once, to be removed with the team. Service-linked roles and tags for bills stay.
pub(super) fn without(input: &Input<'_>, graph: &mut Graph<Clouds>, keep_logs: bool) {
    let (team, clouds, main) = (input.team, &input.places.clouds, input.places.main());
    if !team.account_wide {
        return;
    }
    let boundary = Named::<ManagedPolicy>::new(&input.owner, policies::BOUNDARY);
    let mut under = vec![clouds.put(main, boundary).absent(graph).node()];
    let had = |feature: Feature, asked: bool| asked || input.record.made.contains(&feature);
    if had(Feature::Saml, team.saml_metadata.is_some()) {
        under.push(without_saml(input, graph, &[]));
    }
    for name in [policies::ADMINISTRATOR, policies::POWER_USER, policies::READ_ONLY, policies::DEPLOYER] {
        clouds.put(main, Named::<TeamRole>::new(&input.owner, name)).after(under.clone()).absent(graph);
    }
    if had(Feature::AuditTrail, team.audit_trail) {
        without_trail(input, graph, keep_logs, &[]);
    }
    settings(input, graph, false);
    if had(Feature::Budget, team.budget.is_some()) {
        without_budget(input, graph, &[]);
    }
}

/// The SAML provider, once `after` are done.
pub(super) fn without_saml(input: &Input<'_>, graph: &mut Graph<Clouds>, after: &[NodeId]) -> NodeId {
    let (owner, document) = (input.owner.clone(), input.team.saml_metadata.clone());
    let provider = SamlIdentity { name: owner.organization.to_string(), owner, document };
    input.places.clouds.put(input.places.main(), provider).after(after.iter().copied()).absent(graph).node()
}

/// The budget, once `after` are done.
pub(super) fn without_budget(input: &Input<'_>, graph: &mut Graph<Clouds>, after: &[NodeId]) {
    let budget = Named::<MonthlyBudget>::new(&input.places.account, BUDGET);
    input.places.clouds.put(input.places.main(), budget).after(after.iter().copied()).absent(graph);
}

/// The trail and its bucket, once `after` are done.
pub(super) fn without_trail(input: &Input<'_>, graph: &mut Graph<Clouds>, keep_logs: bool, after: &[NodeId]) {
    let (clouds, main) = (&input.places.clouds, input.places.main());
    let bucket = clouds.put(main, OldBucket { bucket: bucket(input), keep_logs });
    let bucket = bucket.after(after.iter().copied()).absent(graph);
    let trail = AuditTrail { owner: input.owner.clone(), name: TRAIL.to_owned(), bucket };
    clouds.put(main, trail).after(after.iter().copied()).absent(graph);
}

/// Whether the bucket of a trail that goes is left, with the log files in it.
pub fn bucket_left(report: &Report) -> bool {
    report.nodes.iter().any(|n| n.kind == OldBucket::KIND && matches!(n.outcome, Outcome::Left(_)))
}

/// Of the settings that an account has once, those that are as they should be in this plan.
pub fn settings_found(plan: &Report) -> Vec<Setting> {
    let kept = |kind: &str| {
        let mut nodes = plan.nodes.iter().filter(|n| n.kind == kind).peekable();
        nodes.peek().is_some() && nodes.all(|n| matches!(n.outcome, Outcome::Done(Action::Keep)))
    };
    let all = [
        (EbsEncryption::KIND, Setting::EbsEncryption),
        (MetadataDefaults::KIND, Setting::ImdsV2),
        (PublicAccess::KIND, Setting::BlockPublicBuckets),
        (PasswordPolicy::KIND, Setting::PasswordPolicy),
        (AccountAlias::KIND, Setting::AccountAlias),
    ];
    all.into_iter().filter(|(kind, _)| kept(kind)).map(|(_, setting)| setting).collect()
}
