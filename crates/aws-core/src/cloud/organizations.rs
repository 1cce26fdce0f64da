//! AWS Organizations: new accounts.
use super::{
    Cloud, Told as _,
    wait::{Look, Patience, poll_until},
};
use crate::{Error, Result, engine::Cancel};
use aws_sdk_organizations::types::{Account, CreateAccountState};
use std::time::Duration;

/// Time for an account: AWS says "up to a few minutes".
const ACCOUNT: Duration = Duration::from_secs(900);

/// An account that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its name: at most 50 characters.
    pub name: String,
    /// The e-mail address of its root user; unique in all of AWS.
    pub email: String,
    /// The role that AWS makes in it for the management account.
    pub role: String,
    /// The organizational unit that it is moved to, `ou-..`.
    pub unit: Option<String>,
}

/// Makes an account in the organization of `management`, or finds the one with this e-mail address, and returns its
/// number. AWS makes accounts in the background: it is waited for.
///
/// # Errors
/// What AWS answers; a failure that names AWS's reason when the account cannot be made.
pub async fn create(management: &Cloud, wanted: &NewAccount, cancel: Cancel) -> Result<String> {
    let number = match by_email(management, &wanted.email).await? {
        Some(account) => account.id.unwrap_or_default(),
        None => make(management, wanted, cancel).await?,
    };
    if let Some(unit) = &wanted.unit {
        place(management, &number, unit).await?;
    }
    Ok(number)
}

async fn by_email(cloud: &Cloud, email: &str) -> Result<Option<Account>> {
    let pages = cloud.organizations().list_accounts().into_paginator().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await;
    let all = all.told(cloud, "organizations:ListAccounts", "").map_err(|e| match e.code() {
        Some("AWSOrganizationsNotInUseException") => e.hint(
            "These credentials' account is in no organization: name the management account under `accounts.management`.",
        ),
        _ => e,
    })?;
    let mut all = all.into_iter().flat_map(|page| page.accounts.unwrap_or_default());
    Ok(all.find(|a| a.email().is_some_and(|e| e.eq_ignore_ascii_case(email))))
}

async fn make(cloud: &Cloud, wanted: &NewAccount, cancel: Cancel) -> Result<String> {
    let call = cloud.organizations().create_account().account_name(&wanted.name).email(&wanted.email);
    let begun = call.role_name(&wanted.role).send().await;
    let begun = begun.told(cloud, "organizations:CreateAccount", &wanted.email)?;
    let id = begun.create_account_status().and_then(|s| s.id()).unwrap_or_default().to_owned();
    let look = || async {
        let call = cloud.organizations().describe_create_account_status().create_account_request_id(&id);
        let told = call.send().await.told(cloud, "organizations:DescribeCreateAccountStatus", &wanted.email)?;
        let status = told.create_account_status();
        match status.and_then(|s| s.state()) {
            Some(CreateAccountState::Succeeded) => {
                let number = status.and_then(|s| s.account_id()).unwrap_or_default();
                Ok(Look::Done(number.to_owned()))
            }
            Some(CreateAccountState::Failed) => {
                let why = status.and_then(|s| s.failure_reason()).map_or("no reason given", |r| r.as_str());
                Err(Error::failed(format!("AWS could not make account {}: {why}", wanted.email)).hint(hint(why)))
            }
            _ => Ok(Look::NotYet("AWS is making it".into())),
        }
    };
    poll_until(&format!("account {}", wanted.email), &Patience::new(ACCOUNT, cancel), look, |_, _| ()).await
}

/// What to do about AWS's reason (`CreateAccountStatus.FailureReason`).
fn hint(why: &str) -> &'static str {
    match why {
        "ACCOUNT_LIMIT_EXCEEDED" => {
            "The quota \"Default maximum number of accounts\" of AWS Organizations is reached: ask for more in the Service \
             Quotas console of the management account."
        }
        "EMAIL_ALREADY_EXISTS" => "Another AWS account has this address: change `accounts.new.email`.",
        "INVALID_EMAIL" | "INVALID_ADDRESS" => "Correct `accounts.new.email`.",
        _ => "See `FailureReason` of CreateAccountStatus in the AWS Organizations API reference.",
    }
}

/// Moves the account into the unit, unless it is there.
async fn place(cloud: &Cloud, account: &str, unit: &str) -> Result<()> {
    let parents = cloud.organizations().list_parents().child_id(account).send().await;
    let parents = parents.told(cloud, "organizations:ListParents", account)?;
    let Some(now) = parents.parents().first().and_then(|p| p.id()) else { return Ok(()) };
    if now == unit {
        return Ok(());
    }
    let call = cloud.organizations().move_account().account_id(account);
    let moved = call.source_parent_id(now).destination_parent_id(unit).send().await;
    moved.told_unless(cloud, "organizations:MoveAccount", account, &["DuplicateAccountException"]).map(drop)
}
