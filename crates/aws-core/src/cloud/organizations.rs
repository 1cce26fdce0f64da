//! AWS Organizations: new accounts.
use super::{
    Cloud, Told as _,
    wait::{Look, Patience, poll_until},
};
use crate::{Error, Result, engine::Cancel, error::Kind};
use aws_sdk_organizations::types::{Account, AccountState, CreateAccountState, CreateAccountStatus};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Time for an account: AWS says "up to a few minutes".
pub const ACCOUNT: Duration = Duration::from_secs(900);
/// Time until a new account's role and EC2 can be used, after AWS says that the account is made.
pub const READY: Duration = Duration::from_secs(600);
/// How long a new account's role may be denied before that is no longer taken for "not yet": IAM's changes are seen
/// everywhere within seconds as a rule (IAM, "Changes that I make are not always immediately visible").
pub const DENIED: Duration = Duration::from_secs(120);
/// How often an account is asked for when AWS does not answer, or is overloaded; and the pause in between.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(2);
/// Codes by which EC2 says that it does not serve a new account yet.
const NOT_YET: &[&str] = &["OptInRequired", "PendingVerification"];

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

/// How long a new account is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Readiness {
    /// In all.
    pub all: Duration,
    /// While its role is denied.
    pub denied: Duration,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { all: READY, denied: DENIED }
    }
}

/// Checks that `management` is a connection to the management account of an organization, by an identity that may assume
/// roles: the role that AWS makes in a new account trusts that account alone (Organizations, "Accessing a member account
/// that has OrganizationAccountAccessRole"). Changes nothing.
///
/// # Errors
/// Usage errors: the connection cannot be made, it is another account's, or it is the root user's; what AWS answers.
pub async fn check_management(management: &Cloud) -> Result<()> {
    let caller = management.caller().await.map_err(|e| match e.kind() {
        // Credentials that are expired, for example, are no matter of the file.
        Kind::Access if is_denial(e.code()) => {
            let unreachable = Error::usage(format!("the management account cannot be reached: {e}"));
            e.hints().iter().fold(unreachable, |error, hint| error.hint(hint.clone())).hint(NAME_MANAGEMENT)
        }
        _ => e,
    })?;
    let described = management.organizations().describe_organization().send().await;
    let described = described.unless_gone(management, "")?.ok_or_else(|| {
        Error::usage(format!("account {} belongs to no organization", caller.account)).hint(NAME_MANAGEMENT)
    })?;
    let manager = described.organization.and_then(|o| o.master_account_id).unwrap_or_default();
    if manager != caller.account {
        return Err(Error::usage(format!(
            "account {} is not the management account of its organization, which is {manager}",
            caller.account
        ))
        .hint(format!(
            "Add to the organization's file: `accounts: {{management: {{account: \"{manager}\", role: ROLE}}}}`, with a \
             role of that account that these credentials may assume. See docs/overlord.md#accounts."
        )));
    }
    // STS: "Roles may not be assumed by root accounts."
    if caller.arn.ends_with(":root") {
        return Err(Error::usage("the root user of the management account cannot assume roles in other accounts")
            .hint("Use the credentials of a role or a user of the management account."));
    }
    Ok(())
}

const NAME_MANAGEMENT: &str = "Name the management account and a role in it that these credentials may assume, in the \
                               organization's file: `accounts: {management: {account: .., role: ..}}`. See \
                               docs/overlord.md#accounts.";

/// Makes an account in the organization of `management`, or finds the active one with this e-mail address, and returns
/// its number. AWS makes accounts in the background: it is waited for, also when an earlier run began it; `told` hears of it
/// as in [`poll_until`].
///
/// # Errors
/// What AWS answers; a failure that names AWS's reason when the account cannot be made.
pub async fn create(
    management: &Cloud,
    wanted: &NewAccount,
    cancel: Cancel,
    told: impl Fn(&str, Duration),
) -> Result<String> {
    let mut tries = 1;
    let number = loop {
        match find_or_make(management, wanted, &cancel, &told).await {
            // AWS may have begun to make it all the same: that is looked for first.
            Err(e) if e.is_retryable() && tries < TRIES => tokio::time::sleep(e.pause().max(PAUSE)).await,
            other => break other?,
        }
        tries += 1;
    };
    if let Some(unit) = &wanted.unit {
        place(management, &number, unit).await?;
    }
    Ok(number)
}

async fn find_or_make(
    management: &Cloud,
    wanted: &NewAccount,
    cancel: &Cancel,
    told: impl Fn(&str, Duration),
) -> Result<String> {
    if let Some(account) = by_email(management, &wanted.email).await? {
        return Ok(account.id.unwrap_or_default());
    }
    match begun(management, wanted, cancel, &told).await? {
        Some(number) => Ok(number),
        None => make(management, wanted, cancel.clone(), told).await,
    }
}

/// Waits until a new account can be used: its role be assumed, and EC2 asked. AWS grants both some time after it says
/// that the account is made. `told` hears of it as in [`poll_until`].
///
/// # Errors
/// What AWS answers; what is denied for longer than `limits.denied`; a deadline that says what was still missing.
pub async fn ready(account: &Cloud, limits: Readiness, cancel: Cancel, told: impl Fn(&str, Duration)) -> Result<()> {
    let denied_since: Mutex<Option<Instant>> = Mutex::default();
    let look = || async {
        let error = match usable(account).await {
            Ok(()) => return Ok(Look::Done(())),
            Err(e) => e,
        };
        if error.code().is_some_and(|c| NOT_YET.contains(&c)) {
            return Ok(Look::NotYet(error.to_string()));
        }
        if error.kind() != Kind::Access {
            return Err(error);
        }
        let since = *denied_since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        if since.elapsed() < limits.denied {
            return Ok(Look::NotYet(error.to_string()));
        }
        Err(if is_denial(error.code()) { error.hint(DENIED_STILL) } else { error })
    };
    let patience = Patience::new(limits.all, cancel);
    poll_until("the new account to be usable", &patience, look, told).await.map_err(|e| match e.kind() {
        Kind::Deadline => e.hint(
            "Run the same command again later: it finds the account by its e-mail address, and goes on. See \
             docs/new-accounts.md#verification.",
        ),
        _ => e,
    })
}

/// Whether an error is that somebody may not: a Region that is not enabled, for example, says `AuthFailure`. Without a code,
/// the role could not be assumed.
fn is_denial(code: Option<&str>) -> bool {
    code.is_none_or(super::is_denied)
}

/// Why a role that AWS has made stays denied.
const DENIED_STILL: &str = "Check who may call sts:AssumeRole on it: the role trusts the management account alone, whose \
                            identity needs the permission, and no service control policy may deny it. Then run the same \
                            command again: it finds the account by its e-mail address.";

async fn usable(account: &Cloud) -> Result<()> {
    account.sts().get_caller_identity().send().await.told(account, "")?;
    account.ec2().describe_regions().send().await.told(account, "").map(drop)
}

/// An account that is closed keeps its address, and is of no use.
fn active(account: &Account) -> bool {
    // `Status` is what AWS told before there was `State` (September 2025).
    let state = account.state().map(AccountState::as_str).or(account.status.as_ref().map(|s| s.as_str()));
    state == Some(AccountState::Active.as_str())
}

fn has_email(account: &Account, email: &str) -> bool {
    account.email().is_some_and(|e| e.eq_ignore_ascii_case(email))
}

async fn by_email(cloud: &Cloud, email: &str) -> Result<Option<Account>> {
    let pages = cloud.organizations().list_accounts().into_paginator().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "").map_err(|e| match e.is_gone() {
        true => e.hint(
            "These credentials' account is in no organization: name the management account under `accounts.management`.",
        ),
        false => e,
    })?;
    let mut all = all.into_iter().flat_map(|page| page.accounts.unwrap_or_default());
    Ok(all.find(|a| has_email(a, email) && active(a)))
}

/// The number of the account that AWS is making already, once it is made. AWS tells its name only; `None` when it turns
/// out to have another address, or fails.
async fn begun(
    cloud: &Cloud,
    wanted: &NewAccount,
    cancel: &Cancel,
    told: impl Fn(&str, Duration),
) -> Result<Option<String>> {
    let call = cloud.organizations().list_create_account_status().states(CreateAccountState::InProgress);
    let pages = call.into_paginator().send().collect::<Result<Vec<_>, _>>().await.told(cloud, &wanted.name)?;
    let all = pages.into_iter().flat_map(|page| page.create_account_statuses.unwrap_or_default());
    for status in all.filter(|s| s.account_name() == Some(&wanted.name)) {
        let status = ended(cloud, wanted, status.id().unwrap_or_default(), cancel.clone(), &told).await?;
        let Some(number) = status.account_id() else { continue };
        let made = cloud.organizations().describe_account().account_id(number).send().await.told(cloud, number)?;
        if made.account().is_some_and(|a| has_email(a, &wanted.email)) {
            return Ok(Some(number.to_owned()));
        }
    }
    Ok(None)
}

async fn make(cloud: &Cloud, wanted: &NewAccount, cancel: Cancel, told: impl Fn(&str, Duration)) -> Result<String> {
    let call = cloud.organizations().create_account().account_name(&wanted.name).email(&wanted.email);
    let begun = call.role_name(&wanted.role).send().await.told(cloud, &wanted.email)?;
    let id = begun.create_account_status().and_then(|s| s.id()).unwrap_or_default();
    let status = ended(cloud, wanted, id, cancel, told).await?;
    if status.state() == Some(&CreateAccountState::Succeeded) {
        return Ok(status.account_id.unwrap_or_default());
    }
    let why = status.failure_reason().map_or("no reason given", |r| r.as_str());
    Err(Error::failed(format!("AWS could not make account {}: {why}", wanted.email)).hint(hint(why)))
}

/// Waits until AWS has made an account, or could not.
async fn ended(
    cloud: &Cloud,
    wanted: &NewAccount,
    id: &str,
    cancel: Cancel,
    heard: impl Fn(&str, Duration),
) -> Result<CreateAccountStatus> {
    let look = || async {
        let call = cloud.organizations().describe_create_account_status().create_account_request_id(id);
        let told = call.send().await.told(cloud, &wanted.email)?;
        let end = |s: &CreateAccountStatus| {
            matches!(s.state(), Some(CreateAccountState::Succeeded | CreateAccountState::Failed))
        };
        let status = told.create_account_status.filter(end);
        Ok(status.map_or_else(|| Look::NotYet("AWS is making it".into()), Look::Done))
    };
    poll_until(&format!("account {}", wanted.email), &Patience::new(ACCOUNT, cancel), look, heard).await
}

/// What to do about AWS's reason (Organizations, `CreateAccountStatus.FailureReason`).
fn hint(why: &str) -> &'static str {
    match why {
        "ACCOUNT_LIMIT_EXCEEDED" => {
            "The quota \"Default maximum number of accounts\" of AWS Organizations is reached: ask for more in the Service \
             Quotas console of the management account."
        }
        "EMAIL_ALREADY_EXISTS" | "GOVCLOUD_ACCOUNT_ALREADY_EXISTS" => {
            "Another AWS account has this address, a closed one perhaps: change `accounts.new.email`."
        }
        "INVALID_EMAIL" | "INVALID_ADDRESS" => "Correct `accounts.new.email`.",
        "CONCURRENT_ACCOUNT_MODIFICATION" => {
            "Run the same command again in some minutes: another request for the same account is under way."
        }
        "INVALID_PAYMENT_INSTRUMENT" | "MISSING_PAYMENT_INSTRUMENT" => {
            "Add a valid payment method to the management account, in the console: Billing and Cost Management, Payment \
             preferences. Then run the same command again."
        }
        "FAILED_BUSINESS_VALIDATION"
        | "IDENTITY_INVALID_BUSINESS_VALIDATION"
        | "INVALID_IDENTITY_FOR_BUSINESS_VALIDATION"
        | "MISSING_BUSINESS_VALIDATION"
        | "PENDING_BUSINESS_VALIDATION"
        | "UNKNOWN_BUSINESS_VALIDATION" => {
            "Complete the business validation of the management account, then run the same command again."
        }
        "INTERNAL_FAILURE" => "Run the same command again. If AWS fails again, open a case with AWS Support.",
        _ => "See `FailureReason` of CreateAccountStatus in the AWS Organizations API reference.",
    }
}

/// Moves the account into the unit, unless it is there.
async fn place(cloud: &Cloud, account: &str, unit: &str) -> Result<()> {
    let parents = cloud.organizations().list_parents().child_id(account).send().await.told(cloud, account)?;
    let Some(now) = parents.parents().first().and_then(|p| p.id()) else { return Ok(()) };
    if now == unit {
        return Ok(());
    }
    let call = cloud.organizations().move_account().account_id(account);
    call.source_parent_id(now).destination_parent_id(unit).send().await.unless_there(cloud, account).map(drop)
}
