mod mistakes;
mod yaml;

use super::*;
use aws_core::{Result, error::Kind, model::TeamName};
use insta::assert_snapshot;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use types::{Interconnect, Nat, TeamAccount, Zones};

const HEAD: &str = "organization: acme\naddresses: {pool: [10.0.0.0/8]}\n";

/// Files in a directory of their own; errors call it `.`.
struct Files(TempDir);

impl Files {
    fn new(organization: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("overlord.yaml", organization);
        files
    }
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
    fn load(&self) -> Result<Loaded> {
        load(&self.0.path().join("overlord.yaml"))
    }
    fn team(&self, text: &str) -> Result<Team> {
        let loaded = self.load()?;
        let file = load_team(&self.write("team.yaml", text))?;
        resolve(&loaded, &file.file.team.clone(), Some(&file), Some("eu-west-1"))
    }
    /// An error with its hints, as a user sees them.
    fn words(&self, e: &aws_core::Error) -> String {
        assert_eq!(e.kind(), Kind::Usage);
        let all = [e.to_string()].into_iter().chain(e.hints().iter().map(|h| format!("Hint: {h}")));
        all.collect::<Vec<_>>().join("\n").replace(&self.0.path().display().to_string(), ".")
    }
}

fn red() -> TeamName {
    "red".parse().unwrap()
}
/// What is told of an organization's file with these keys more.
fn told(more: &str) -> String {
    let files = Files::new(&format!("{HEAD}{more}"));
    files.words(&files.load().expect_err(more))
}
/// What is told of a whole organization's file.
fn told_of(text: &str) -> String {
    let files = Files::new(text);
    files.words(&files.load().expect_err(text))
}
/// What is told of a team's file with these keys more, in an organization with these keys more.
fn told_team(organization: &str, more: &str) -> String {
    let files = Files::new(&format!("{HEAD}{organization}"));
    files.words(&files.team(&format!("team: red\n{more}")).expect_err(more))
}
fn warned(text: &str) -> Vec<String> {
    Files::new(text).load().unwrap().warnings()
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}
fn example(name: &str) -> Loaded {
    load(&examples().join("organization").join(name).join(FILE)).unwrap()
}

#[test]
fn every_example_loads_without_a_warning() {
    let mut names = Vec::new();
    for entry in fs::read_dir(examples().join("organization")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let loaded = example(&name);
        assert_eq!(loaded.warnings(), [""; 0], "{name}");
        let files = team_files(&loaded).unwrap();
        for file in &files {
            let team = resolve(&loaded, &file.file.team, Some(file), Some("eu-west-1")).unwrap();
            assert_eq!(team.name, file.file.team);
            let again: TeamFile = serde_yaml::from_str(&serde_yaml::to_string(&file.file).unwrap()).unwrap();
            assert_eq!(again, file.file);
        }
        resolve(&loaded, &"other".parse().unwrap(), None, Some("eu-west-1")).unwrap();
        let again: Organization = serde_yaml::from_str(&serde_yaml::to_string(&loaded.organization).unwrap()).unwrap();
        assert_eq!(again, loaded.organization);
        names.push((name, files.len()));
    }
    names.sort();
    assert_eq!(
        names,
        [("demo".into(), 1), ("full".into(), 3), ("minimal".into(), 0), ("peering".into(), 2), ("sandbox".into(), 1)]
    );
    let file = load_team(&examples().join("manifests/team.yaml")).unwrap();
    resolve(&example("minimal"), &file.file.team.clone(), Some(&file), None).unwrap();
}

/// Every key stands in the example that claims so.
#[test]
fn the_full_example_has_every_key() {
    fn keys(schema: &serde_json::Value, all: &mut Vec<String>) {
        match schema {
            serde_json::Value::Object(map) => {
                if let Some(properties) = map.get("properties").and_then(|p| p.as_object()) {
                    all.extend(properties.keys().cloned());
                }
                map.values().for_each(|v| keys(v, all));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|v| keys(v, all)),
            _ => {}
        }
    }
    let full = example("full");
    let teams: String = team_files(&full).unwrap().into_iter().map(|f| f.text).collect();
    let (mut organization, mut team) = (Vec::new(), Vec::new());
    keys(&reference::organization_schema(), &mut organization);
    keys(&reference::team_schema(), &mut team);
    assert!(organization.len() > 50 && team.len() > 30);
    for key in organization {
        assert!(full.text.contains(&format!("{key}:")), "{key}");
    }
    for key in team_file::OWN {
        assert!(teams.contains(&format!("{key}:")), "{key}");
    }
    for key in team {
        assert!(full.text.contains(&format!("{key}:")) || teams.contains(&format!("{key}:")), "{key}");
    }
}

#[test]
fn the_least_has_all_defaults() {
    let team = resolve(&example("minimal"), &red(), None, Some("eu-west-3")).unwrap();
    assert_eq!(team.regions, ["eu-west-3"]);
    assert_eq!(team.account, TeamAccount::Current);
    assert_eq!((team.zones, team.network_size, team.session_hours), (Zones::Count(3), 19, 1));
    assert_eq!((team.nat, team.interconnect), (Nat::PerAz, Interconnect::TransitGateway));
    assert_eq!(team.flow_logs_days, Some(30));
    assert!(team.account_wide && team.audit_trail && team.ebs_encryption && team.block_public_buckets);
    assert!(team.imds_v2 && team.password_policy);
    assert!(!team.ipv6 && team.vpn.is_none() && team.budget.is_none() && team.account_alias.is_none());
    assert!(team.domains.is_empty() && team.tags.is_empty() && team.trusted.is_none() && team.cost_tags.is_empty());
    assert_eq!(team.pool, ["10.0.0.0/8".parse().unwrap()]);
    let error = resolve(&example("minimal"), &red(), None, None).unwrap_err();
    assert!(error.to_string().contains("team red has no region") && error.hints()[0].contains("--region"));
}

#[test]
fn a_teams_file_wins_key_by_key() {
    let full = example("full");
    let files = team_files(&full).unwrap();
    let of = |name: &str| {
        let file = files.iter().find(|f| f.file.team.as_str() == name).unwrap();
        resolve(&full, &file.file.team, Some(file), None).unwrap()
    };
    let (red, blue, green) = (of("red"), of("blue"), of("green"));
    assert_eq!((red.network_size, blue.network_size), (18, 19));
    assert_eq!((red.regions.len(), green.regions.len()), (1, 2));
    let domains = |t: &Team| t.domains.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
    assert_eq!((domains(&red), domains(&blue).len()), (vec!["example.org".to_owned()], 2));
    let budget = |t: &Team| t.budget.clone().map(|b| (b.usd, b.notify.join(" "))).unwrap();
    assert_eq!(budget(&red), (9000, "red@example.org".into()));
    assert_eq!(budget(&blue), (2000, "blue@example.org finance@example.org".into()));
    // The other guard rails are still the organization's.
    assert_eq!((red.cost_tags.len(), red.session_hours), (2, 8));
    assert_eq!(red.account_alias.as_deref(), Some("acme-red"));
    assert_eq!(
        red.tags.into_iter().collect::<Vec<_>>(),
        [("cost-center".into(), "4711".into()), ("stage".into(), "live".into())]
    );
    assert!(red.account_wide && !blue.account_wide && red.ipv6 && !blue.ipv6);
    assert!(green.saml_metadata.unwrap().contains("EntityDescriptor"));
    assert_eq!(green.account, TeamAccount::New);
    let new = full.organization.accounts.new.as_ref().unwrap();
    assert_eq!(new.email_of(&green.name, &green.organization), "aws+green@example.org");

    let sandbox = example("sandbox");
    let team = resolve(&sandbox, &"x".parse().unwrap(), None, None).unwrap();
    assert_eq!(
        (team.nat, team.flow_logs_days, team.zones, team.audit_trail),
        (Nat::Instance, None, Zones::Count(1), false)
    );
}

#[test]
fn days_of_the_audit_trail_are_known_only_where_a_file_says_them() {
    let days = |more: &str| Files::new(HEAD).team(&format!("team: red\n{more}")).unwrap().audit_trail_days;
    assert_eq!(days(""), None);
    assert_eq!(days("guard_rails: {audit_trail_days: 400}\n"), Some(400));
}

#[test]
fn empty_tag_values_are_refused_where_there_is_an_audit_trail() {
    let hint = "guard_rails: {audit_trail: false}";
    let of_team = told_team("", "tags: {a: x, stage: ''}\n");
    assert!(of_team.contains("team.yaml, line 2, column 21") && of_team.contains("tag value of `stage`"), "{of_team}");
    assert!(of_team.contains("CloudTrail") && of_team.contains(hint), "{of_team}");
    let of_all = told_team("teams: {tags: {stage: ''}}\n", "tags: {a: x}\n");
    assert!(of_all.contains("overlord.yaml, line 3, column") && of_all.contains(hint), "{of_all}");
    for without in ["account_wide: false\n", "guard_rails: {audit_trail: false}\n"] {
        let team = Files::new(HEAD).team(&format!("team: red\ntags: {{stage: ''}}\n{without}")).unwrap();
        assert_eq!(team.tags["stage"], "", "{without}");
    }
    // The team's value counts.
    let team = Files::new(&format!("{HEAD}teams: {{tags: {{stage: ''}}}}\n")).team("team: red\ntags: {stage: live}\n");
    assert_eq!(team.unwrap().tags["stage"], "live");
}

#[test]
fn the_nearest_file_is_found() {
    let files = Files::new(HEAD);
    let root = files.0.path();
    fs::create_dir_all(root.join("a/b")).unwrap();
    assert_eq!(find(None, &root.join("a/b")).unwrap(), root.join(FILE));
    let nearer = files.write("a/overlord.yaml", HEAD);
    assert_eq!(find(None, &root.join("a/b")).unwrap(), nearer);
    assert_eq!(find(Some(Path::new("x.yaml")), root).unwrap(), Path::new("x.yaml"));
    let nothing = tempfile::tempdir().unwrap();
    let error = find(None, nothing.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    let hints = error.hints().join(" ");
    assert!(hints.contains("--config FILE") && hints.contains("organization: acme"), "{hints}");
    let loaded = load(&root.join(FILE)).unwrap();
    assert_eq!((loaded.root.as_path(), loaded.text.as_str()), (root, HEAD));
}

#[test]
fn team_files_stand_beside_or_are_named() {
    let files = Files::new(HEAD);
    assert_eq!(team_files(&files.load().unwrap()).unwrap().len(), 0);
    files.write("teams/b.yaml", "team: blue\n");
    files.write("teams/a.yml", "team: red\n");
    files.write("teams/notes.txt", "nothing");
    let names = |files: &Files| -> Vec<String> {
        team_files(&files.load().unwrap()).unwrap().iter().map(|f| f.file.team.to_string()).collect()
    };
    assert_eq!(names(&files), ["red", "blue"]);
    files.write("teams/c.yaml", "team: red\n");
    let error = team_files(&files.load().unwrap()).unwrap_err();
    assert_snapshot!(files.words(&error), @r"
    team red has two files: ./teams/a.yml and ./teams/c.yaml
    Hint: Keep one of them, or correct the name in the other.
    ");
    files.write("overlord.yaml", &format!("{HEAD}team_files: [teams/b.yaml]\n"));
    assert_eq!(names(&files), ["blue"]);
    files.write("overlord.yaml", &format!("{HEAD}team_files: [teams/z.yaml]\n"));
    assert!(team_files(&files.load().unwrap()).unwrap_err().to_string().contains("teams/z.yaml does not exist"));
    // Of another team.
    let error = resolve(
        &files.load().unwrap(),
        &"green".parse().unwrap(),
        Some(&load_team(&files.0.path().join("teams/b.yaml")).unwrap()),
        None,
    );
    assert_snapshot!(files.words(&error.unwrap_err()), @r"
    ./teams/b.yaml, line 1, column 7: this is the file of team blue, not green
      |
    1 | team: blue
      |       ^
    ");
}

#[test]
fn what_is_probably_not_meant_is_told() {
    assert_eq!(warned(HEAD), [""; 0]);
    let public = warned("organization: acme\naddresses: {pool: [203.0.0.0/16]}\n");
    assert!(public.len() == 1 && public[0].starts_with("203.0.0.0/16 of the pool is no network for private use"));
    // Docker's own network is not given out; a pool that has nothing else is of no use.
    assert_eq!(warned("organization: acme\naddresses: {pool: [172.16.0.0/12]}\n"), [""; 0]);
    for pool in ["172.17.0.0/16", "172.17.128.0/17", "172.17.0.0/16, 172.18.0.0/20"] {
        let docker = warned(&format!("organization: acme\naddresses: {{pool: [{pool}]}}\n"));
        assert!(docker.iter().any(|w| w.contains("Docker's own network")), "{docker:?}");
    }
    let outside = warned("organization: acme\naddresses: {pool: [10.0.0.0/8], reserved: [192.168.0.0/16]}\n");
    assert!(outside.len() == 1 && outside[0].contains("outside the pool"), "{outside:?}");
    let small = warned("organization: acme\naddresses: {pool: [10.0.0.0/8, 192.168.1.0/24]}\n");
    assert!(small.len() == 1 && small[0].contains("no room for a /19"), "{small:?}");
    let alias = warned(&format!("{HEAD}teams: {{identity: {{account_alias: acme}}}}\n"));
    assert!(alias.len() == 1 && alias[0].contains("{team}"), "{alias:?}");
}
