//! What an account has once: who may do what, and what watches over it.
use super::Input;
use crate::policies;
use aws_core::{
    cloud::Clouds,
    engine::{Action, Graph, Outcome, Ref, Report, Resource as _},
    model::names::{partition, shorten},
    registry::teams::{Interconnect, Setting},
    resources::{
        guard::{
            budget::MonthlyBudget, cost_tags::CostTags, ebs_encryption::EbsEncryption,
            metadata_defaults::MetadataDefaults, public_access::PublicAccess, trail::AuditTrail,
            trail_bucket::TrailBucket,
        },
        identity::{
            alias::AccountAlias,
            managed_policy::{ManagedPolicy, PolicyArn},
            password_policy::PasswordPolicy,
            saml_provider::{SamlArn, SamlProvider},
            service_linked_role::{Service, ServiceLinkedRole},
            team_role::{TeamRole, Trust},
        },
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
    let (team, clouds, main) = (input.team, &input.places.clouds, input.places.main());
    // What deleting leaves alone is no part of it.
    if let (Some(management), false) = (input.places.management, input.destroying) {
        clouds.put(management, CostTags { keys: team.cost_tags.clone() }).to(graph);
    }
    if !team.account_wide {
        return AccountWide { boundary: None };
    }
    let restore = !input.record.found.contains(&Setting::AccountAlias);
    if let Some(alias) = team.account_alias.as_ref().filter(|_| restore || !input.destroying) {
        clouds.put(main, AccountAlias { alias: alias.clone(), restore }).to(graph);
    }
    service_linked_roles(input, graph);
    let boundary = identity(input, graph);
    guard_rails(input, graph);
    AccountWide { boundary: Some(boundary) }
}

/// What AWS would create in the first call that needs it, if whoever makes that call were allowed to. Deleting leaves them.
fn service_linked_roles(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    if input.destroying {
        return;
    }
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
    let saml: Option<Ref<SamlArn>> =
        team.saml_metadata.as_ref().map(|metadata| clouds.put(main, saml(input, metadata)).to(graph));
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

fn saml(input: &Input<'_>, metadata: &str) -> SamlProvider {
    let name = input.owner.organization.to_string();
    SamlProvider { owner: input.owner.clone(), name, metadata: metadata.to_owned() }
}

/// The SAML provider of a team whose file names none any more.
pub(super) fn no_saml(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    input.places.clouds.put(input.places.main(), saml(input, "")).to(graph);
}

/// The budget of a team whose file has none any more.
pub(super) fn no_budget(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    let account = input.places.account.clone();
    let budget = MonthlyBudget { account, name: BUDGET.to_owned(), usd: 1, notify: Vec::new() };
    input.places.clouds.put(input.places.main(), budget).to(graph);
}

fn guard_rails(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    let (team, clouds, main) = (input.team, &input.places.clouds, input.places.main());
    let account = input.places.account.clone();
    let restore = |setting: Setting| !input.record.found.contains(&setting);
    // What deleting leaves as it is is no part of it.
    let part = |asked: bool, setting: Setting| asked && (!input.destroying || restore(setting));
    if team.audit_trail {
        trail(input, graph);
    }
    for (_, spot) in &input.places.team {
        if part(team.ebs_encryption, Setting::EbsEncryption) {
            clouds.put(*spot, EbsEncryption { restore: restore(Setting::EbsEncryption) }).to(graph);
        }
        if part(team.imds_v2, Setting::ImdsV2) {
            clouds.put(*spot, MetadataDefaults { restore: restore(Setting::ImdsV2) }).to(graph);
        }
    }
    if part(team.block_public_buckets, Setting::BlockPublicBuckets) {
        let restore = restore(Setting::BlockPublicBuckets);
        clouds.put(main, PublicAccess { account: account.clone(), restore }).to(graph);
    }
    if part(team.password_policy, Setting::PasswordPolicy) {
        clouds.put(main, PasswordPolicy { restore: restore(Setting::PasswordPolicy) }).to(graph);
    }
    if let Some(budget) = &team.budget {
        let budget = MonthlyBudget { account, name: BUDGET.to_owned(), usd: budget.usd, notify: budget.notify.clone() };
        clouds.put(main, budget).to(graph);
    }
}

/// The trail and its bucket.
pub(super) fn trail(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    let (clouds, main, owner) = (&input.places.clouds, input.places.main(), &input.owner);
    let account = input.places.account.clone();
    let bucket = TrailBucket {
        owner: owner.clone(),
        name: bucket_name(owner.organization.as_str(), input.team.name.as_str(), &account),
        trail: TRAIL.to_owned(),
        account,
        days: input.team.audit_trail_days,
        keep_logs: input.keep_logs,
    };
    let bucket = clouds.put(main, bucket).to(graph);
    clouds.put(main, AuditTrail { owner: owner.clone(), name: TRAIL.to_owned(), bucket }).to(graph);
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
