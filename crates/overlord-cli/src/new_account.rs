//! An account for a team whose file says `new`.
use crate::{accounts::Account, networks, organization::Team, places, session::Session, survey, zones};
use aws_core::{
    Error, Result,
    cloud::{Cloud, errors::is_opt_in, lookups, organizations},
    error::Kind,
    model::TeamName,
    registry::teams::Via,
    resources::domain::delegation,
};
use std::sync::Arc;

/// Checks what can be checked before an account is made, which nobody can take back: the way to it, free addresses, the
/// regions' names and zones, the parents' zones. Gives back the connection to the management account.
///
/// # Errors
/// A usage error when the file does not say how accounts are made, or nobody could reach the account that is made; a
/// refusal when the team could not get what its file asks for; what AWS answers.
pub async fn check(session: &Session, team: &Team) -> Result<Arc<Cloud>> {
    if session.loaded.organization.accounts.new.is_none() {
        return Err(Error::usage(format!(
            "team {} asks for a new account, and nothing says how accounts are made",
            team.name
        ))
        .hint("Add `accounts.new` with an e-mail address to the organization's file."));
    }
    let management = session.accounts.management(session.accounts.region()).await?;
    organizations::check_management(&management).await?;
    let home = session.home().await?;
    for region in &team.regions {
        let known = lookups::check_region(&home, region).await;
        // Whether the home account has it is no matter then.
        if known.as_ref().err().is_none_or(|e| e.kind() != Kind::Usage) {
            enabled_in_new_accounts(&team.name, region)?;
        }
        known?;
        // The zones' ids, and what they offer, are the same for all accounts.
        let there = session.accounts.network(region).await?;
        zones::check(team, &there).await?.iter().for_each(|note| session.terminal.warn_once(note));
    }
    networks::check(session, team).await?;
    for domain in team.domains.iter().map(|d| survey::domain(&team.name, d, session)).filter(|d| d.delegate) {
        let cloud = places::parent_cloud(session, &domain, home.region()).await?;
        delegation::parent_zone(&cloud, &domain.parent, domain.zone_id.as_deref()).await?;
    }
    Ok(management)
}

/// Refuses a Region that a new account has only once somebody enabled it there.
fn enabled_in_new_accounts(team: &TeamName, region: &str) -> Result<()> {
    if !is_opt_in(region) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "invalid region `{region}` of team {team} with `account: new`: new accounts have this opt-in Region disabled"
    ))
    .hint(format!(
        "Create the account (`aws organizations create-account`), enable the Region with its credentials (`aws account \
         enable-region --region-name {region}`), then name the account by its ID, e.g. `account: \"123456789012\"`. See \
         docs/new-accounts.md#regions."
    )))
}

/// Makes the account, or finds the one that an earlier run made. It is reached from the management account: the role that
/// AWS makes in it trusts no other.
///
/// # Errors
/// As [`check`]; what AWS Organizations answers; when the account cannot be used in time.
pub async fn make(session: &Session, team: &Team) -> Result<Account> {
    let management = check(session, team).await?;
    let Some(new) = session.loaded.organization.accounts.new.clone() else {
        return Err(Error::usage("nothing says how accounts are made"));
    };
    let wanted = organizations::NewAccount {
        name: team.name.to_string(),
        email: new.email_of(&team.name, &team.organization),
        role: new.role.clone(),
        unit: new.organizational_unit.clone(),
    };
    let what = format!("Creating account {} for team {}", wanted.email, team.name);
    let cancel = session.cancel.clone();
    let step = session.terminal.waiting(&what, organizations::ACCOUNT);
    let number = organizations::create(&management, &wanted, cancel, |note, _| step.tick(note)).await;
    let number = step.end(number)?;
    let account = Account { number, role: Some(new.role), via: Some(Via::Management) };
    let cloud = session.accounts.recorded(&account, &team.regions[0]).await?;
    let what = format!("Waiting until account {} can be used", account.number);
    let step = session.terminal.waiting(&what, organizations::READY);
    let limits = organizations::Readiness::default();
    let ready = organizations::ready(&cloud, limits, session.cancel.clone(), |note, _| step.tick(note)).await;
    step.end(ready)?;
    Ok(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_that_new_accounts_have_disabled_are_refused() {
        let team = "red".parse().unwrap();
        for region in ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"] {
            assert!(enabled_in_new_accounts(&team, region).is_ok(), "{region}");
        }
        let error = enabled_in_new_accounts(&team, "eu-south-2").unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains("`eu-south-2` of team red"), "{error}");
        assert!(error.hints()[0].contains("enable-region --region-name eu-south-2"), "{error:?}");
    }
}
