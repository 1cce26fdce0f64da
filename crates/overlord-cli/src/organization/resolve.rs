//! A team's file over the organization's, defaults filled in.
use super::{
    Loaded, LoadedTeam, Team,
    types::{Defaults, GuardRails, Identity, MonthlyBudget, ParentDomain, TeamAccount},
};
use aws_core::{Error, Result, model::TeamName};
use std::fs;

/// Days that flow logs are kept when no file says it.
const FLOW_LOG_DAYS: i32 = 30;
/// Availability zones of a network when no file says it.
const ZONES: u8 = 3;
/// Hours that a login lasts when no file says it: AWS's own default (IAM `CreateRole`).
const SESSION_HOURS: u8 = 1;

/// What holds for a team: its own file, if it has one, over the organization's, and defaults where neither says
/// anything. `current_region` is that of the current settings of AWS, for files that name none.
///
/// # Errors
/// Usage errors that show the line that is wrong: of another team's file, without a region, with values that AWS or
/// `overlord` does not take.
pub fn resolve(
    loaded: &Loaded,
    name: &TeamName,
    file: Option<&LoadedTeam>,
    current_region: Option<&str>,
) -> Result<Team> {
    let organization = &loaded.organization;
    if let Some(file) = file.filter(|f| f.file.team != *name) {
        return Err(Error::usage(format!(
            "{} is the file of team {}, not {name}",
            file.path.display(),
            file.file.team
        )));
    }
    let own = file.map(|f| &f.file);
    let empty = Defaults::default();
    let (of_team, of_all) = (own.map_or(&empty, |f| &f.overrides), &organization.teams);
    macro_rules! either {
        ($key:ident) => {
            of_team.$key.clone().or_else(|| of_all.$key.clone())
        };
    }
    let regions = either!(regions).or_else(|| current_region.map(|r| vec![r.to_owned()])).ok_or_else(|| {
        Error::usage(format!("team {name} has no region")).hint(
            "Name it with `regions: [..]` in the team's file or under `teams` of the organization's, or with --region.",
        )
    })?;
    let identity = merge_identity(of_team.identity.clone(), of_all.identity.clone());
    let rails = merge_rails(of_team.guard_rails.clone(), of_all.guard_rails.clone());
    let replaced =
        |s: &String| s.replace("{team}", name.as_str()).replace("{organization}", organization.organization.as_str());
    let saml_metadata = identity.saml_metadata.as_ref().map(|path| {
        let path = loaded.root.join(path);
        fs::read_to_string(&path).map_err(|e| Error::usage(format!("SAML metadata {}: {e}", path.display())))
    });
    let domains: Vec<ParentDomain> = match own.and_then(|f| f.domains.as_ref()) {
        None => organization.domains.clone(),
        Some(names) => {
            names.iter().filter_map(|name| organization.domains.iter().find(|d| d.name == *name)).cloned().collect()
        }
    };
    let mut tags = of_all.tags.clone();
    tags.extend(of_team.tags.clone());
    Ok(Team {
        organization: organization.organization.clone(),
        name: name.clone(),
        account: own.and_then(|f| f.account.clone()).unwrap_or_else(|| TeamAccount::Word("current".into())),
        regions,
        zones: either!(zones).unwrap_or(ZONES),
        network_size: own.and_then(|f| f.network_size).unwrap_or(organization.addresses.network),
        nat: either!(nat).unwrap_or_default(),
        interconnect: either!(interconnect).unwrap_or_default(),
        ipv6: either!(ipv6).unwrap_or_default(),
        dns_servers: either!(dns_servers).unwrap_or_default(),
        internal_domain: either!(internal_domain),
        flow_logs_days: Some(either!(flow_logs_days).unwrap_or(FLOW_LOG_DAYS)).filter(|days| *days != 0),
        vpn: either!(vpn),
        domains,
        saml_metadata: saml_metadata.transpose()?,
        trusted: identity.trusted.unwrap_or_default(),
        session_hours: identity.session_hours.unwrap_or(SESSION_HOURS),
        account_alias: identity.account_alias.as_ref().map(replaced),
        account_wide: either!(account_wide).unwrap_or(true),
        audit_trail: rails.audit_trail.unwrap_or(true),
        ebs_encryption: rails.ebs_encryption.unwrap_or(true),
        block_public_buckets: rails.block_public_buckets.unwrap_or(true),
        imds_v2: rails.imds_v2.unwrap_or(true),
        password_policy: rails.password_policy.unwrap_or(true),
        budget: rails.budget.map(|b| MonthlyBudget { usd: b.usd, notify: b.notify.iter().map(replaced).collect() }),
        cost_tags: rails.cost_tags.unwrap_or_default(),
        registry: either!(registry),
        peers: either!(peers).unwrap_or_default(),
        tags,
        pool: organization.addresses.pool.clone(),
    })
}

/// Key by key: a team that changes one keeps the others.
fn merge_identity(own: Option<Identity>, all: Option<Identity>) -> Identity {
    let (own, all) = (own.unwrap_or_default(), all.unwrap_or_default());
    Identity {
        saml_metadata: own.saml_metadata.or(all.saml_metadata),
        trusted: own.trusted.or(all.trusted),
        session_hours: own.session_hours.or(all.session_hours),
        account_alias: own.account_alias.or(all.account_alias),
    }
}

/// Key by key, as [`merge_identity`].
fn merge_rails(own: Option<GuardRails>, all: Option<GuardRails>) -> GuardRails {
    let (own, all) = (own.unwrap_or_default(), all.unwrap_or_default());
    GuardRails {
        audit_trail: own.audit_trail.or(all.audit_trail),
        ebs_encryption: own.ebs_encryption.or(all.ebs_encryption),
        block_public_buckets: own.block_public_buckets.or(all.block_public_buckets),
        imds_v2: own.imds_v2.or(all.imds_v2),
        password_policy: own.password_policy.or(all.password_policy),
        budget: own.budget.or(all.budget),
        cost_tags: own.cost_tags.or(all.cost_tags),
    }
}
