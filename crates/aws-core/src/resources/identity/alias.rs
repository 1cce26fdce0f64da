//! The account's alias, in sign-in addresses.
use super::THERE;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Cx, Identity, Needs, Resource},
    resources::kind::itself,
};

/// The one alias that an account can have. An account that has another one is refused: it is the wrong account.
#[derive(Clone, Needs)]
pub struct AccountAlias {
    /// 3 to 63 small letters, digits and single dashes; unique in all of AWS.
    pub alias: String,
    /// Whether deleting removes it: the account had none before we came.
    pub restore: bool,
}

impl AccountAlias {
    fn fits(&self) -> Result<()> {
        let alias = self.alias.as_str();
        let body = alias.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let dashes = alias.starts_with('-') || alias.ends_with('-') || alias.contains("--");
        let number = alias.len() == 12 && alias.bytes().all(|b| b.is_ascii_digit());
        if (3..=63).contains(&alias.len()) && body && !dashes && !number {
            return Ok(());
        }
        Err(Error::usage(format!("`{alias}` is no alias for an account"))
            .hint("IAM takes 3 to 63 small letters, digits and single dashes, not at the ends; and no account number."))
    }

    fn judge(&self, aliases: &[String]) -> Result<Option<()>> {
        if aliases.contains(&self.alias) {
            return Ok(Some(()));
        }
        let Some(other) = aliases.first() else { return Ok(None) };
        Err(Error::refused(format!("the account has the alias {other}, not {}: it is another account", self.alias))
            .hint("Check the account's number, role and profile; or change `account_alias`."))
    }
}

impl Identity for AccountAlias {
    const KIND: &'static str = "account alias";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        self.alias.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let load = async {
            Ok(cx.cloud.iam().list_account_aliases().send().await.told(cx.cloud, &self.alias)?.account_aliases)
        };
        self.judge(&cx.cloud.once("account aliases", load).await?)
    }
    fn left(&self, _: &Cx<'_, Cloud>, _: &()) -> Option<String> {
        crate::resources::guard::found(self.restore)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        let done = cx.cloud.iam().delete_account_alias().account_alias(&self.alias).send().await;
        done.unless_gone(cx.cloud, &self.alias).map(drop)
    }
    fn output(&self, (): &()) {}
}

impl Resource for AccountAlias {
    itself!();

    fn check(&self) -> Result<()> {
        self.fits()
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<()> {
        let made = cx.cloud.iam().create_account_alias().account_alias(&self.alias).send().await;
        made.told(cx.cloud, &self.alias).map(drop).map_err(|e| match e.code() {
            Some(THERE) => e.hint("Aliases are unique in all of AWS, and another account has this one."),
            _ => e,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn aliases_that_aws_takes() {
        let check = |alias: &str| AccountAlias { alias: alias.into(), restore: true }.check();
        for good in ["abc", "acme-red", "a1-2-3", &"a".repeat(63)] {
            check(good).unwrap();
        }
        for bad in ["", "ab", "-abc", "abc-", "a--b", "Abc", "a_b", "123456789012", &"a".repeat(64)] {
            assert_eq!(check(bad).unwrap_err().kind(), Kind::Usage, "{bad}");
        }
    }

    #[test]
    fn another_alias_is_another_account() {
        let wanted = AccountAlias { alias: "acme-red".into(), restore: true };
        assert_eq!(wanted.judge(&[]).unwrap(), None);
        assert_eq!(wanted.judge(&["acme-red".into()]).unwrap(), Some(()));
        assert_eq!(wanted.judge(&["acme-blue".into()]).unwrap_err().kind(), Kind::Refused);
    }
}
