//! The organization that demo and bench play in: that of `examples/organization/demo`.
use crate::{
    cargo::workspace,
    emulator::{Emulator, Inventory},
};
use anyhow::Result;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Holds the records; its credentials are the operator's.
pub(crate) const HOME: &str = "111111111111";
/// Owns the transit gateway and the zone of [`DOMAIN`].
pub(crate) const NETWORK: &str = "222222222222";
/// The team's.
pub(crate) const RED: &str = "333333333333";
/// The region.
pub(crate) const REGION: &str = "eu-west-1";
/// The parent of the teams' domains.
pub(crate) const DOMAIN: &str = "example.org";
/// The role that deploys in a team's account.
pub(crate) const DEPLOYER: &str = "Deployer";

/// Its file.
pub(crate) fn file() -> PathBuf {
    workspace().join("examples/organization/demo/overlord.yaml")
}

/// Prepares the accounts, and returns the operator's credentials.
pub(crate) fn prepare(emulator: &mut Emulator) -> Result<Value> {
    let operator = emulator.prepare(HOME)?;
    for account in [NETWORK, RED] {
        emulator.prepare(account)?;
    }
    emulator.zone(NETWORK, DOMAIN)?;
    Ok(operator)
}

/// Everything that stands in the accounts, but what stays on purpose.
pub(crate) fn standing(emulator: &mut Emulator) -> Result<BTreeMap<String, Inventory>> {
    emulator.estate(&[HOME, NETWORK, RED])
}

/// What the second has and the first has not: `333333333333: role Deployer`.
pub(crate) fn added(before: &BTreeMap<String, Inventory>, after: &BTreeMap<String, Inventory>) -> Vec<String> {
    let things = |all: &BTreeMap<String, Inventory>| -> BTreeSet<String> {
        let named = all.iter().flat_map(|(account, kinds)| {
            let of = kinds.iter().flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind} {name}")));
            of.map(move |thing| format!("{account}: {thing}"))
        });
        named.collect()
    };
    things(after).difference(&things(before)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_by_its_name() {
        let standing = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            BTreeMap::from([(RED.to_owned(), Inventory::from([("role".to_owned(), names)]))])
        };
        let (before, after) = (standing(&["mine"]), standing(&["Deployer", "mine"]));
        assert_eq!(added(&before, &after), ["333333333333: role Deployer"]);
        assert!(added(&after, &before).is_empty());
    }
}
