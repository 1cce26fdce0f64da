//! An account for a team whose file says `new`.
use crate::{accounts::Account, networks, organization::Team, places, session::Session, survey, zones};
use aws_core::{
    Error, Result,
    cloud::{Cloud, lookups, organizations},
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
        lookups::check_region(&home, region).await?;
        // The zones' ids, and what they offer, are the same for all accounts.
        let there = session.accounts.network(region).await?;
        zones::check(team, &there).await?;
    }
    networks::check(session, team).await?;
    for domain in team.domains.iter().map(|d| survey::domain(&team.name, d, session)).filter(|d| d.delegate) {
        let cloud = places::parent_cloud(session, &domain, home.region()).await?;
        delegation::parent_zone(&cloud, &domain.parent, domain.zone_id.as_deref()).await?;
    }
    Ok(management)
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
