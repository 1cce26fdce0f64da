//! Monthly budgets.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Needs, Resource},
    resources::{
        compare::join,
        kind::{Kind, Named},
    },
};
use aws_sdk_budgets::types::{
    Budget, BudgetType, ComparisonOperator, Notification, NotificationType, NotificationWithSubscribers, Spend,
    Subscriber, SubscriptionType, ThresholdType, TimeUnit,
};
use std::collections::BTreeSet;

/// Most e-mail addresses of one notification (Budgets `CreateNotification`).
const ADDRESSES: usize = 10;

/// A monthly cost budget that tells by e-mail when 80% of it are spent, and when all of it is forecast to be.
#[derive(Needs)]
pub struct MonthlyBudget {
    /// The account's number.
    pub account: String,
    /// The name, unique in the account.
    pub name: String,
    /// The limit, in US dollars.
    pub usd: u32,
    /// E-mail addresses, at most 10 (Budgets `CreateNotification`).
    pub notify: Vec<String>,
}

/// What tells: its kind, and the percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    Spent,
    Forecast,
}

impl Alarm {
    const ALL: [Self; 2] = [Self::Spent, Self::Forecast];

    fn field(self) -> &'static str {
        match self {
            Self::Spent => "told at 80% spent",
            Self::Forecast => "told at 100% forecast",
        }
    }

    fn notification(self) -> Result<Notification> {
        let (kind, percent) = match self {
            Self::Spent => (NotificationType::Actual, 80.0),
            Self::Forecast => (NotificationType::Forecasted, 100.0),
        };
        Notification::builder()
            .notification_type(kind)
            .comparison_operator(ComparisonOperator::GreaterThan)
            .threshold(percent)
            .threshold_type(ThresholdType::Percentage)
            .build()
            .map_err(incomplete)
    }
}

fn incomplete(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("a budget is incomplete").caused_by(error)
}

fn subscriber(address: &str) -> Result<Subscriber> {
    let subscriber = Subscriber::builder().subscription_type(SubscriptionType::Email).address(address);
    subscriber.build().map_err(incomplete)
}

/// What was found of a budget.
#[derive(Debug, Clone)]
pub struct Live {
    budget: Budget,
    /// Who is told, for each of [`Alarm::ALL`]; `None`: there is no such notification.
    told: [Option<BTreeSet<String>>; 2],
}

impl MonthlyBudget {
    fn addresses(&self) -> BTreeSet<String> {
        self.notify.iter().cloned().collect()
    }

    fn limit(&self) -> Result<Spend> {
        Spend::builder().amount(self.usd.to_string()).unit("USD").build().map_err(incomplete)
    }

    fn fits(&self) -> Result<()> {
        if self.usd == 0 {
            return Err(
                Error::usage("a budget of 0 US dollars is none").hint("Give at least 1, or leave the budget out.")
            );
        }
        if self.addresses().len() > ADDRESSES {
            return Err(Error::usage(format!("{} addresses are too many for a budget", self.addresses().len()))
                .hint(format!("AWS Budgets tells {ADDRESSES} at most: give the address of a mailing list.")));
        }
        Ok(())
    }

    async fn tell(
        &self,
        cloud: &Cloud,
        alarm: Alarm,
        live: Option<&BTreeSet<String>>,
        wanted: &BTreeSet<String>,
    ) -> Result<()> {
        let (budgets, account, name) = (cloud.budgets(), &self.account, &self.name);
        let notification = alarm.notification()?;
        let Some(live) = live else {
            if wanted.is_empty() {
                return Ok(());
            }
            let subscribers: Result<Vec<_>> = wanted.iter().map(|a| subscriber(a)).collect();
            let call = budgets.create_notification().account_id(account).budget_name(name).notification(notification);
            return call.set_subscribers(Some(subscribers?)).send().await.told(cloud, name).map(drop);
        };
        if wanted.is_empty() {
            // Also those who are told otherwise than by e-mail would be lost: only ours go, and a notification
            // without anybody is none.
            let call = budgets.delete_notification().account_id(account).budget_name(name).notification(notification);
            return call.send().await.unless_gone(cloud, name).map(drop);
        }
        // First the new ones: AWS wants one subscriber at least.
        for address in wanted.difference(live) {
            let call = budgets.create_subscriber().account_id(account).budget_name(name);
            let done = call.notification(notification.clone()).subscriber(subscriber(address)?).send().await;
            done.unless_there(cloud, name)?;
        }
        for address in live.difference(wanted) {
            let call = budgets.delete_subscriber().account_id(account).budget_name(name);
            let done = call.notification(notification.clone()).subscriber(subscriber(address)?).send().await;
            done.unless_gone(cloud, name)?;
        }
        Ok(())
    }

    fn changes(&self, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        let hint = "Delete that budget, or rename it; then run the same command again.";
        if (&live.budget.budget_type, &live.budget.time_unit) != (&BudgetType::Cost, &TimeUnit::Monthly) {
            let from = format!("{} {}", live.budget.time_unit.as_str(), live.budget.budget_type.as_str());
            changes.push(Change::refused("kind", from, "MONTHLY COST", hint));
        }
        if !self.has_limit(&live.budget) {
            let from = live.budget.budget_limit().map_or_else(|| "-".into(), |l| format!("{} {}", l.amount, l.unit));
            changes.push(Change::new("limit", from, format!("{} USD", self.usd)));
        }
        let wanted = self.addresses();
        for (alarm, told) in Alarm::ALL.into_iter().zip(&live.told) {
            let told = told.clone().unwrap_or_default();
            if told != wanted {
                changes.push(Change::new(alarm.field(), join(&told), join(&wanted)));
            }
        }
        changes
    }

    /// AWS writes amounts as `100.0`.
    fn has_limit(&self, budget: &Budget) -> bool {
        budget.budget_limit().is_some_and(|l| {
            l.unit == "USD" && l.amount.parse::<f64>().is_ok_and(|a| (a - f64::from(self.usd)).abs() < 0.005)
        })
    }
}

/// E-mail addresses that this notification goes to; `None` when there is none such.
async fn told(cloud: &Cloud, account: &str, name: &str, alarm: Alarm) -> Result<Option<BTreeSet<String>>> {
    let call = cloud.budgets().describe_subscribers_for_notification().account_id(account);
    let pages = call.budget_name(name).notification(alarm.notification()?).into_paginator().items().send();
    let all = pages.collect::<Result<Vec<Subscriber>, _>>().await.unless_gone(cloud, name)?;
    Ok(all.map(|all| {
        let mail = all.into_iter().filter(|s| s.subscription_type == SubscriptionType::Email);
        mail.map(|s| s.address).collect()
    }))
}

impl Kind for MonthlyBudget {
    const NAME: &'static str = "budget";
    type Owner = String;
    type Live = Live;
    type Output = ();
    async fn find(cloud: &Cloud, owner: &String, name: &str) -> Result<Option<Live>> {
        let call = cloud.budgets().describe_budget().account_id(owner).budget_name(name);
        let answer = call.send().await.unless_gone(cloud, name)?;
        let Some(budget) = answer.and_then(|a| a.budget) else { return Ok(None) };
        let (spent, forecast) =
            futures::try_join!(told(cloud, owner, name, Alarm::Spent), told(cloud, owner, name, Alarm::Forecast))?;
        Ok(Some(Live { budget, told: [spent, forecast] }))
    }
    async fn remove(cloud: &Cloud, owner: &String, name: &str, _: &Live) -> Result<()> {
        let call = cloud.budgets().delete_budget().account_id(owner).budget_name(name);
        call.send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(_: &str, _: &Live) {}
}

impl Resource for MonthlyBudget {
    type Identity = Named<Self>;

    fn identity(&self) -> Named<Self> {
        Named::new(&self.account, &self.name)
    }
    fn check(&self) -> Result<()> {
        self.fits()
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.changes(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let budget = Budget::builder()
            .budget_name(&self.name)
            .budget_type(BudgetType::Cost)
            .time_unit(TimeUnit::Monthly)
            .budget_limit(self.limit()?)
            .build()
            .map_err(incomplete)?;
        let addresses = self.addresses();
        let mut call = cx.cloud.budgets().create_budget().account_id(&self.account).budget(budget.clone());
        if !addresses.is_empty() {
            for alarm in Alarm::ALL {
                let subscribers: Result<Vec<_>> = addresses.iter().map(|a| subscriber(a)).collect();
                let both = NotificationWithSubscribers::builder().notification(alarm.notification()?);
                let both = both.set_subscribers(Some(subscribers?)).build().map_err(incomplete)?;
                call = call.notifications_with_subscribers(both);
            }
        }
        call.send().await.told(cx.cloud, &self.name)?;
        Ok(Live { budget, told: [Some(addresses.clone()), Some(addresses)] })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let mut budget = live.budget.clone();
        if !self.has_limit(&budget) {
            budget.budget_limit = Some(self.limit()?);
            // The other ways to set a limit, and what only AWS may say.
            budget.planned_budget_limits = None;
            budget.auto_adjust_data = None;
            budget.calculated_spend = None;
            budget.last_updated_time = None;
            budget.health_status = None;
            let call = cx.cloud.budgets().update_budget().account_id(&self.account).new_budget(budget.clone());
            call.send().await.told(cx.cloud, &self.name)?;
        }
        let wanted = self.addresses();
        for (alarm, told) in Alarm::ALL.into_iter().zip(&live.told) {
            if told.clone().unwrap_or_default() != wanted {
                self.tell(cx.cloud, alarm, told.as_ref(), &wanted).await?;
            }
        }
        Ok(Live { budget, told: [Some(wanted.clone()), Some(wanted)] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(usd: u32, notify: &[&str]) -> MonthlyBudget {
        let notify = notify.iter().map(|a| (*a).to_owned()).collect();
        MonthlyBudget { account: "123456789012".into(), name: "red".into(), usd, notify }
    }

    fn live(amount: &str, kind: BudgetType, told: [Option<&[&str]>; 2]) -> Live {
        let limit = Spend::builder().amount(amount).unit("USD").build().unwrap();
        let budget = Budget::builder().budget_name("red").budget_type(kind).time_unit(TimeUnit::Monthly);
        Live {
            budget: budget.budget_limit(limit).build().unwrap(),
            told: told.map(|t| t.map(|t| t.iter().map(|a| (*a).to_owned()).collect())),
        }
    }

    #[test]
    fn limit_and_addresses_are_compared() {
        let both = wanted(100, &["b@x.org", "a@x.org"]);
        let same: Option<&[&str]> = Some(&["a@x.org", "b@x.org"]);
        assert_eq!(both.changes(&live("100.0", BudgetType::Cost, [same, same])), []);
        assert_eq!(
            both.changes(&live("50", BudgetType::Cost, [None, Some(&["a@x.org"])])),
            [
                Change::new("limit", "50 USD", "100 USD"),
                Change::new("told at 80% spent", "-", "a@x.org, b@x.org"),
                Change::new("told at 100% forecast", "a@x.org", "a@x.org, b@x.org"),
            ]
        );
        assert!(both.changes(&live("100", BudgetType::Usage, [same, same]))[0].refused.is_some());
        // Nobody to tell, and no notification: the same.
        assert_eq!(wanted(7, &[]).changes(&live("7.00", BudgetType::Cost, [None, None])), []);
    }

    #[test]
    fn only_what_aws_takes_is_written() {
        wanted(1, &[]).check().unwrap();
        assert!(wanted(0, &[]).check().is_err());
        let many: Vec<String> = (0..11).map(|n| format!("{n}@x.org")).collect();
        assert!(MonthlyBudget { notify: many, ..wanted(1, &[]) }.check().is_err());
    }
}
