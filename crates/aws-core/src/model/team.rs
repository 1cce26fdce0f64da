//! Organizations and teams: their names, and the tags of what is made for them.
use super::{
    names::name_type,
    tags::{MANAGED_BY, ORGANIZATION, OVERLORD_TEAM, Owning, TEAM, Whose, owner_of},
};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Longest name of a team or organization, in bytes. Ours: names on AWS are made of both, and stay readable.
pub const NAME: usize = 32;

/// A team's name: a DNS label of at most [`NAME`] small letters, digits and dashes that begins with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TeamName(String);

/// An organization's name, as [`TeamName`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganizationName(String);

name_type!(TeamName);
name_type!(OrganizationName);

fn check(s: &str, what: &str) -> Result<()> {
    let body = s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let ends = s.starts_with(|c: char| c.is_ascii_lowercase()) && !s.ends_with('-') && !s.contains("--");
    if body && ends && s.len() <= NAME {
        return Ok(());
    }
    Err(Error::usage(format!("`{s}` is not {what}'s name")).hint(format!(
        "At most {NAME} small letters, digits and single dashes; a letter at the beginning, no dash at the end."
    )))
}

impl FromStr for TeamName {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        check(s, "a team").map(|()| Self(s.to_owned()))
    }
}
impl FromStr for OrganizationName {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        check(s, "an organization").map(|()| Self(s.to_owned()))
    }
}

/// For whom `overlord` makes a thing: a team, or the whole organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamOwner {
    /// The organization.
    pub organization: OrganizationName,
    /// The team; `None` for what all teams share.
    pub team: Option<TeamName>,
    /// Tags that the organization's and the team's files ask for.
    pub extra: BTreeMap<String, String>,
}

impl Owning for TeamOwner {
    fn tags(&self, name: &str) -> BTreeMap<String, String> {
        let mut tags = self.extra.clone();
        tags.insert("Name".into(), name.into());
        tags.insert(MANAGED_BY.into(), "overlord".into());
        tags.insert(ORGANIZATION.into(), self.organization.to_string());
        if let Some(team) = &self.team {
            tags.insert(TEAM.into(), team.to_string());
            tags.insert(OVERLORD_TEAM.into(), team.to_string());
        }
        tags
    }

    fn lasting(&self) -> BTreeMap<String, String> {
        let all = self.tags("");
        self.extra.iter().filter(|(k, v)| all.get(*k) == Some(*v)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn whose(&self, tags: &BTreeMap<String, String>) -> Whose {
        let ours = tags.get(ORGANIZATION).map(String::as_str) == Some(self.organization.as_str())
            && tags.get(OVERLORD_TEAM).map(String::as_str) == self.team.as_ref().map(TeamName::as_str);
        if ours { Whose::Ours } else { Whose::Theirs(owner_of(tags)) }
    }

    fn way_out(&self) -> &'static str {
        "An account holds one team: name another account for this one, set `account_wide: false` in the team's file, \
         or take the thing over with `overlord team import`."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "red", "team-2"] {
            assert_eq!(good.parse::<TeamName>().unwrap().as_str(), good);
        }
        for bad in ["", "1a", "-a", "a-", "A", "a_b", "a.b", "a--b", &"a".repeat(33)] {
            assert!(bad.parse::<TeamName>().is_err(), "{bad}");
            assert!(bad.parse::<OrganizationName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn teams_and_the_organization_own_their_own() {
        let of = |team: Option<&str>| TeamOwner {
            organization: "acme".parse().unwrap(),
            team: team.map(|t| t.parse().unwrap()),
            extra: BTreeMap::from([("cost".into(), "7".into()), ("team".into(), "fake".into())]),
        };
        let red = of(Some("red")).tags("thing");
        assert_eq!(
            (red["team"].as_str(), red["overlord:team"].as_str(), red["Name"].as_str()),
            ("red", "red", "thing")
        );
        assert_eq!(of(Some("red")).whose(&red), Whose::Ours);
        assert_eq!(of(Some("blue")).whose(&red), Whose::Theirs("team red".into()));
        assert_eq!(of(None).whose(&red), Whose::Theirs("team red".into()));
        assert_eq!(of(None).whose(&of(None).tags("x")), Whose::Ours);
        assert_eq!(of(Some("red")).lasting(), BTreeMap::from([("cost".into(), "7".into())]));
    }
}
