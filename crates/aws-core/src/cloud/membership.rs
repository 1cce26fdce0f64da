//! Which AWS organization an account belongs to.
use super::{Cloud, Told as _};
use crate::{Result, error::Kind};

/// What an account knows of its AWS organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It is a member of the one with this id, `o-..`.
    Of(String),
    /// It is in none.
    Alone,
    /// These credentials may not ask; AWS's words.
    Unknown(String),
}

impl Membership {
    /// Whether two accounts are in one organization; `None` when that is not known.
    pub fn shared(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Of(one), Self::Of(other)) => Some(one == other),
            (Self::Alone, _) | (_, Self::Alone) => Some(false),
            _ => None,
        }
    }
}

/// Asks the account itself: every member may, unless a policy denies it.
///
/// # Errors
/// When the operator interrupts.
pub async fn membership(account: &Cloud) -> Result<Membership> {
    match account.organizations().describe_organization().send().await.unless_gone(account, "") {
        Ok(None) => Ok(Membership::Alone),
        Ok(Some(found)) => Ok(match found.organization.and_then(|o| o.id) {
            Some(id) => Membership::Of(id),
            None => Membership::Unknown("organizations:DescribeOrganization answered without an id".to_owned()),
        }),
        Err(e) if e.kind() == Kind::Interrupted => Err(e),
        // It decides a detail of a share: no reason to stop for.
        Err(e) => Ok(Membership::Unknown(e.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::Membership::{self, Alone, Of};

    #[test]
    fn two_accounts_are_in_one_organization_when_both_say_so() {
        let of = |id: &str| Of(id.to_owned());
        let unknown = || Membership::Unknown("denied".into());
        for (one, other, shared) in [
            (of("o-1"), of("o-1"), Some(true)),
            (of("o-1"), of("o-2"), Some(false)),
            (of("o-1"), Alone, Some(false)),
            (Alone, Alone, Some(false)),
            (unknown(), Alone, Some(false)),
            (of("o-1"), unknown(), None),
            (unknown(), unknown(), None),
        ] {
            assert_eq!(one.shared(&other), shared, "{one:?} {other:?}");
            assert_eq!(other.shared(&one), shared, "{other:?} {one:?}");
        }
    }
}
