//! The account's policy for passwords of IAM users.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Identity, Needs, Resource},
    resources::kind::itself,
};
use aws_sdk_iam::types::PasswordPolicy as IamPolicy;

/// A strict policy for passwords: 14 characters of all classes, none of the last 24 again. A stricter one stays.
#[derive(Clone, Needs)]
pub struct PasswordPolicy {
    /// Whether deleting goes back to AWS's default; else it stays as it is.
    pub restore: bool,
}

/// Characters, at least.
const LENGTH: i32 = 14;
/// Earlier passwords that are not taken again (the most that IAM keeps).
const REUSE: i32 = 24;

fn on(wanted: &mut Vec<Change>, field: &str, live: bool) {
    if !live {
        wanted.push(Change::new(field, "no", "yes"));
    }
}

fn changes(live: &IamPolicy) -> Vec<Change> {
    let mut changes = Vec::new();
    // Without a number, AWS takes 6 characters, and any earlier password again.
    let number = |n: Option<i32>| n.unwrap_or_default();
    if number(live.minimum_password_length) < LENGTH {
        changes.push(Change::new("length", number(live.minimum_password_length), LENGTH));
    }
    on(&mut changes, "small letters", live.require_lowercase_characters);
    on(&mut changes, "capital letters", live.require_uppercase_characters);
    on(&mut changes, "digits", live.require_numbers);
    on(&mut changes, "symbols", live.require_symbols);
    if number(live.password_reuse_prevention) < REUSE {
        changes.push(Change::new("not again", number(live.password_reuse_prevention), REUSE));
    }
    on(&mut changes, "users may change theirs", live.allow_users_to_change_password);
    changes
}

impl PasswordPolicy {
    /// Writes all of it: what the call does not name goes back to AWS's default.
    async fn put(&self, cloud: &Cloud, live: &IamPolicy) -> Result<IamPolicy> {
        let wanted = IamPolicy::builder()
            .minimum_password_length(LENGTH.max(live.minimum_password_length.unwrap_or_default()))
            .require_lowercase_characters(true)
            .require_uppercase_characters(true)
            .require_numbers(true)
            .require_symbols(true)
            .password_reuse_prevention(REUSE.max(live.password_reuse_prevention.unwrap_or_default()))
            .allow_users_to_change_password(true)
            .set_max_password_age(live.max_password_age.filter(|days| *days > 0))
            .set_hard_expiry(live.hard_expiry)
            .build();
        let call = cloud
            .iam()
            .update_account_password_policy()
            .set_minimum_password_length(wanted.minimum_password_length)
            .require_lowercase_characters(true)
            .require_uppercase_characters(true)
            .require_numbers(true)
            .require_symbols(true)
            .set_password_reuse_prevention(wanted.password_reuse_prevention)
            .allow_users_to_change_password(true)
            .set_max_password_age(wanted.max_password_age)
            .set_hard_expiry(wanted.hard_expiry);
        call.send().await.told(cloud, "")?;
        Ok(wanted)
    }
}

impl Identity for PasswordPolicy {
    const KIND: &'static str = "password policy";
    type Cloud = Cloud;
    type Live = IamPolicy;
    type Output = ();
    fn name(&self) -> String {
        "account".into()
    }
    fn noun(&self) -> String {
        "password policy of the account".into()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<IamPolicy>> {
        let load = async {
            let found = cx.cloud.iam().get_account_password_policy().send().await.unless_gone(cx.cloud, "")?;
            Ok(found.and_then(|f| f.password_policy))
        };
        Ok(cx.cloud.once("password policy", load).await?.as_ref().clone())
    }
    fn left(&self, _: &Cx<'_, Cloud>, _: &IamPolicy) -> Option<String> {
        crate::resources::guard::found(self.restore)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, _: &IamPolicy) -> Result<()> {
        cx.cloud.iam().delete_account_password_policy().send().await.unless_gone(cx.cloud, "").map(drop)
    }
    fn output(&self, _: &IamPolicy) {}
}

impl Resource for PasswordPolicy {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &IamPolicy) -> Vec<Change> {
        changes(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<IamPolicy> {
        self.put(cx.cloud, &IamPolicy::builder().build()).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &IamPolicy, _: &[Change]) -> Result<IamPolicy> {
        self.put(cx.cloud, live).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaker_ones_are_changed_and_stricter_ones_stay() {
        let strict = IamPolicy::builder()
            .minimum_password_length(20)
            .require_lowercase_characters(true)
            .require_uppercase_characters(true)
            .require_numbers(true)
            .require_symbols(true)
            .password_reuse_prevention(24)
            .allow_users_to_change_password(true);
        assert_eq!(changes(&strict.clone().build()), []);
        assert_eq!(changes(&strict.clone().minimum_password_length(8).build()), [Change::new("length", 8, 14)]);
        assert_eq!(changes(&strict.require_symbols(false).build()), [Change::new("symbols", "no", "yes")]);
        assert_eq!(changes(&IamPolicy::builder().build()).len(), 7);
    }
}
