//! The accounts of an organization, and the connections to them: chains of assumed roles.
use crate::organization::types::{Organization, Reach, TeamAccount};
use aws_core::{
    Error, Result,
    cloud::{AssumedRole, Cloud, ConnectOptions},
    engine::Cancel,
    model::names::partition,
    registry::teams::{TeamRecord, Via},
};
use std::{collections::BTreeMap, sync::Arc};
use terminal::Terminal;
use tokio::sync::{Mutex, OnceCell};

/// A connection's place: whose credentials assume the role, account and role (both empty: the current credentials), and
/// region.
type Key = (Option<Via>, Option<String>, Option<String>, String);

/// The accounts, reached from the current credentials.
pub struct Accounts {
    /// The current credentials, after the roles that every account is reached through.
    base: Arc<Cloud>,
    settings: crate::organization::types::Accounts,
    home_region: String,
    open: Mutex<BTreeMap<Key, Arc<Cloud>>>,
    own: OnceCell<String>,
}

/// An account as a record remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub number: String,
    /// The role that is assumed there; `None`: the current credentials.
    pub role: Option<String>,
    /// Whose credentials assume it; `None`: the current ones.
    pub via: Option<Via>,
}

impl Account {
    /// The account of a team's record.
    pub fn of(record: &TeamRecord) -> Self {
        Self { number: record.account.clone(), role: record.role.clone(), via: record.via }
    }

    /// How it is reached, for people: `role admin`.
    pub fn how(&self) -> String {
        match (&self.role, self.via) {
            (None, _) => "the current credentials".to_owned(),
            (Some(role), None) => format!("role {role}"),
            (Some(role), Some(Via::Management)) => format!("role {role}, assumed from the management account"),
        }
    }
}

impl Accounts {
    /// Reads AWS's settings; calls nothing yet.
    ///
    /// # Errors
    /// When no region is set, neither in the file nor anywhere else.
    pub async fn connect(organization: &Organization, terminal: &Terminal, cancel: &Cancel) -> Result<Self> {
        let settings = organization.accounts.clone();
        // Not the first region of the teams, nor the operator's: with another one all teams would seem to be gone.
        let Some(home_region) = settings.home.region.clone() else {
            return Err(Error::usage("nothing says in which region the records of teams and addresses are kept")
                .hint("Add to the organization's file: `accounts: {home: {region: eu-west-1}}`, with a region that stays for ever; and `account`, its number, where people use credentials of different accounts."));
        };
        let region = Some(home_region.clone());
        let (on_throttle, in_flight) = (terminal.on_throttle(), cancel.in_flight().clone());
        let options = ConnectOptions { region, tool: "overlord", on_throttle, in_flight, ..ConnectOptions::default() };
        let mut base = Cloud::connect(options).await?;
        for role_arn in &settings.through {
            let region = base.region().to_owned();
            base = base.assume(&assumed(role_arn.clone(), &settings), &region);
        }
        Ok(Self { base: Arc::new(base), settings, home_region, open: Mutex::default(), own: OnceCell::new() })
    }

    /// The operator's own credentials.
    pub fn operator(&self) -> &Cloud {
        &self.base
    }

    /// The region of the records.
    pub fn region(&self) -> &str {
        &self.home_region
    }

    /// The number of the current account.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn own(&self) -> Result<&str> {
        self.own.get_or_try_init(|| self.base.account()).await.map(String::as_str)
    }

    /// The place of the records.
    ///
    /// # Errors
    /// When the account cannot be reached.
    pub async fn home(&self) -> Result<Arc<Cloud>> {
        self.reach(&self.settings.home, &self.home_region).await
    }

    /// The account with the transit gateways, in a region.
    ///
    /// # Errors
    /// When the account cannot be reached.
    pub async fn network(&self, region: &str) -> Result<Arc<Cloud>> {
        self.reach(self.settings.network.as_ref().unwrap_or(&self.settings.home), region).await
    }

    /// The management account of AWS Organizations.
    ///
    /// # Errors
    /// When the account cannot be reached.
    pub async fn management(&self, region: &str) -> Result<Arc<Cloud>> {
        self.reach(self.settings.management.as_ref().unwrap_or(&Reach::default()), region).await
    }

    /// An account of the file, in a region.
    ///
    /// # Errors
    /// When there are no credentials, or the account's number is wrong.
    pub async fn reach(&self, reach: &Reach, region: &str) -> Result<Arc<Cloud>> {
        let Some(account) = &reach.account else {
            return match &reach.role {
                None => self.get(None, None, region).await,
                Some(role) => self.get(Some(self.own().await?), Some(role), region).await,
            };
        };
        let own = self.own().await?;
        let role = self.role(reach, account, own);
        if role.is_none() && account != own {
            return Err(Error::usage(format!("nothing says how account {account} is reached"))
                .hint(format!("These credentials are account {own}'s. Name the role to assume there: `role` beside the account, or `role` under `accounts` for all of them.")));
        }
        match role {
            None => self.get(None, None, region).await,
            role => self.get(Some(account), role.as_deref(), region).await,
        }
    }

    /// An account as a record has it.
    ///
    /// # Errors
    /// As [`Accounts::reach`].
    pub async fn recorded(&self, account: &Account, region: &str) -> Result<Arc<Cloud>> {
        if let (Some(Via::Management), Some(role)) = (account.via, &account.role) {
            let management = self.management(&self.home_region).await?;
            return self.as_role(&management, account.via, (&account.number, role), region).await;
        }
        self.reach(&Reach { account: Some(account.number.clone()), role: account.role.clone(), region: None }, region)
            .await
    }

    /// The account that a team's file names. `known`: the one of its record. `None`: one that is still to be made.
    ///
    /// # Errors
    /// When the file names another one than the record, or what it names is no account.
    pub async fn of_team(&self, wanted: &TeamAccount, known: Option<&Account>) -> Result<Option<Account>> {
        let reach = match wanted {
            TeamAccount::New => return Ok(known.cloned()),
            TeamAccount::Current => Reach::default(),
            TeamAccount::Number(number) => Reach { account: Some(number.clone()), ..Reach::default() },
            TeamAccount::Reach(reach) => reach.clone(),
        };
        let own = self.own().await?;
        let number = reach.account.clone().unwrap_or_else(|| own.to_owned());
        if let Some(known) = known
            && known.number != number
        {
            return Err(Error::refused(format!(
                "the team's place is in account {}, and its file names {number}",
                known.number
            ))
            .hint("A team stays in its account: correct the file, or delete the team and create it again there."));
        }
        let role = self.role(&reach, &number, own);
        Ok(Some(match known {
            // The file names the account that was made for the team, and no other role in it.
            Some(known) if known.via.is_some() && (role.is_none() || role == known.role) => known.clone(),
            _ => Account { number, role, via: None },
        }))
    }

    /// The role that is named, else, for an account other than our own, the one for all of them.
    fn role(&self, reach: &Reach, number: &str, own: &str) -> Option<String> {
        reach.role.clone().or_else(|| self.settings.role.clone().filter(|_| number != own))
    }

    /// A connection with the operator's credentials: these themselves, or those of a role that they assume.
    async fn get(&self, account: Option<&str>, role: Option<&str>, region: &str) -> Result<Arc<Cloud>> {
        if let (Some(account), Some(role)) = (account, role) {
            return self.as_role(&self.base, None, (account, role), region).await;
        }
        let key = (None, None, None, region.to_owned());
        let cloud =
            || if region == self.base.region() { self.base.clone() } else { Arc::new(self.base.in_region(region)) };
        Ok(self.open.lock().await.entry(key).or_insert_with(cloud).clone())
    }

    /// A connection as a role of an account, which `from` assumes.
    async fn as_role(
        &self,
        from: &Cloud,
        via: Option<Via>,
        (account, role): (&str, &str),
        region: &str,
    ) -> Result<Arc<Cloud>> {
        let mut open = self.open.lock().await;
        let same = (via, Some(account.to_owned()), Some(role.to_owned()));
        let key = (same.0, same.1.clone(), same.2.clone(), region.to_owned());
        if let Some(cloud) = open.get(&key) {
            return Ok(cloud.clone());
        }
        // The same credentials serve every region.
        let sibling = open.iter().find(|((v, a, r, _), _)| (*v, a, r) == (same.0, &same.1, &same.2));
        let cloud = Arc::new(match sibling {
            Some((_, cloud)) => cloud.in_region(region),
            None => {
                let arn = if role.starts_with("arn:") {
                    role.to_owned()
                } else {
                    format!("arn:{}:iam::{account}:role/{role}", partition(region))
                };
                from.assume(&assumed(arn, &self.settings), region)
            }
        });
        open.insert(key, cloud.clone());
        Ok(cloud)
    }
}

fn assumed(role_arn: String, settings: &crate::organization::types::Accounts) -> AssumedRole {
    AssumedRole { role_arn, session: "overlord".into(), external_id: settings.external_id.clone() }
}
