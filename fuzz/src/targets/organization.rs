//! An organization's file, and a team's file over it.
use crate::input::{assert_told, parts};
use overlord::organization::{Organization, TeamFile, parse, parse_team, resolve};
use std::{path::PathBuf, sync::LazyLock};
use tempfile::TempDir;

/// Where the files seem to be: nothing else is there.
static NOWHERE: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary directory can be made"));

fn place(name: &str) -> PathBuf {
    NOWHERE.path().join(name)
}

/// Any two texts are an organization's and a team's file, or a mistake whose line is shown. Those that are written out are
/// read as the same ones.
pub fn fuzz(data: &[u8]) {
    let ([organization, team], _) = parts(data);
    let team = parse_team(&place("team.yaml"), team.into_owned()).map_err(|e| assert_told(&e, true)).ok();
    let loaded = match parse(&place("overlord.yaml"), organization.into_owned()) {
        Ok(loaded) => loaded,
        Err(e) => return assert_told(&e, true),
    };
    let written = serde_yaml::to_string(&loaded.organization).expect("an organization can be written");
    let again: Organization = serde_yaml::from_str(&written).unwrap_or_else(|e| panic!("{e}\n{written}"));
    assert_eq!(again, loaded.organization, "{written}");
    assert!(loaded.warnings().iter().all(|w| !w.is_empty()));
    let name = match &team {
        Some(team) => {
            let written = serde_yaml::to_string(&team.file).expect("a team can be written");
            let again: TeamFile = serde_yaml::from_str(&written).unwrap_or_else(|e| panic!("{e}\n{written}"));
            assert_eq!(again, team.file, "{written}");
            team.file.team.clone()
        }
        None => "red".parse().expect("red is a team's name"),
    };
    match resolve(&loaded, &name, team.as_ref(), Some("eu-west-1")) {
        Ok(resolved) => assert_eq!(resolved.name, name),
        Err(e) => assert_told(&e, true),
    }
}
