//! Records of teams and claims of networks in Systems Manager parameters, on an emulator of AWS.

use crate::support::{self, put_parameter};
use aws_core::{
    cloud::Cloud,
    error::Kind,
    model::{OrganizationName, TeamName},
    registry::teams::{self, Claim, DomainRecord, Interconnect, RegionRecord, Setting, TeamRecord, ZoneRecord},
};
use futures::future::join_all;

fn organization() -> OrganizationName {
    support::unique("acme").parse().expect("a name")
}
fn team(name: &str) -> TeamName {
    name.parse().expect("a name")
}

/// A record with so many regions, of eight zones each.
fn record(name: &str, regions: usize) -> TeamRecord {
    let region = |n: usize| RegionRecord {
        region: format!("eu-west-{n}"),
        cidr: format!("10.{n}.0.0/19").parse().expect("a network"),
        zones: (0..8)
            .map(|z| ZoneRecord {
                id: format!("euw{n}-az{z}"),
                name: format!("eu-west-{n}{z}"),
                public: format!("10.{n}.{z}.0/24").parse().ok(),
                shared: format!("10.{n}.{}.0/24", 8 + z).parse().ok(),
                private: format!("10.{n}.{}.0/23", 16 + 2 * z).parse().ok(),
            })
            .collect(),
        vpc: Some(format!("vpc-{n}")),
    };
    let domain = |n: usize| DomainRecord {
        name: format!("{name}.example{n}.org"),
        parent: format!("example{n}.org"),
        account: Some("123456789012".into()),
        role: None,
        zone_id: None,
        delegate: true,
        name_servers: Vec::new(),
    };
    TeamRecord {
        team: team(name),
        account: "123456789012".into(),
        role: Some("overlord".into()),
        via: None,
        regions: (0..regions).map(region).collect(),
        domains: (0..regions).map(domain).collect(),
        found: vec![Setting::PasswordPolicy],
        interconnect: Interconnect::TransitGateway,
        account_wide: true,
        made: Vec::new(),
        file: None,
        created: "2026-01-02T03:04:05Z".parse().expect("a time"),
    }
}

/// Names of all parameters of an organization.
async fn names(cloud: &Cloud, org: &OrganizationName) -> Vec<String> {
    support::parameters(cloud, &format!("/overlord/{org}")).await
}

#[tokio::test]
async fn records_of_every_size_live_and_die() {
    let cloud = support::cloud().await;
    let org = organization();
    for regions in [1, 2, 12] {
        let mut red = record("red", regions);
        assert_eq!(teams::read(&cloud, &org, &red.team).await.unwrap(), None);
        teams::create(&cloud, &org, &red).await.unwrap();
        assert_eq!(teams::read(&cloud, &org, &red.team).await.unwrap().as_ref(), Some(&red));
        assert_eq!(names(&cloud, &org).await.len() > 1, regions == 12, "what fits into one parameter is in one");
        red.account_wide = false;
        teams::write(&cloud, &org, &red).await.unwrap();
        assert_eq!(teams::list(&cloud, &org).await.unwrap(), [red]);
        for _ in 0..2 {
            teams::delete(&cloud, &org, &team("red")).await.unwrap();
            assert_eq!(names(&cloud, &org).await, [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_record_is_tagged_and_readable() {
    let cloud = support::cloud().await;
    let org = organization();
    teams::create(&cloud, &org, &record("red", 1)).await.unwrap();
    let name = format!("/overlord/{org}/teams/red");
    let value = cloud.ssm().get_parameter().name(&name).send().await.unwrap().parameter.unwrap().value.unwrap();
    assert!(value.contains("team: red\n") && value.contains("cidr: 10.0.0.0/19\n"), "{value}");
    let tags = cloud.ssm().list_tags_for_resource().resource_type("Parameter".into()).resource_id(&name).send().await;
    let tags = tags.unwrap().tag_list.unwrap_or_default();
    let value = |key: &str| tags.iter().find(|t| t.key() == key).map(|t| t.value().to_owned());
    assert_eq!(value("overlord:team").as_deref(), Some("red"));
    assert_eq!(value("overlord:organization").as_deref(), Some(org.as_str()));
}

#[tokio::test]
async fn creating_is_once_only() {
    let cloud = support::cloud().await;
    for regions in [1, 12] {
        let org = organization();
        let first = record("red", regions);
        teams::create(&cloud, &org, &first).await.unwrap();
        let before = names(&cloud, &org).await;
        let mut second = record("red", regions);
        second.account = "210987654321".into();
        let error = teams::create(&cloud, &org, &second).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.to_string().contains("team red"), "{error}");
        // The very same record is one whose answer got lost.
        teams::create(&cloud, &org, &first).await.unwrap();
        assert_eq!(names(&cloud, &org).await, before);
        assert_eq!(teams::read(&cloud, &org, &first.team).await.unwrap().as_ref(), Some(&first));
    }
}

#[tokio::test]
async fn of_two_who_create_a_team_at_once_one_does() {
    let cloud = support::cloud().await;
    let other = support::cloud().await;
    let org = organization();
    let (mut a, mut b) = (record("red", 12), record("red", 12));
    (a.account, b.account) = ("111111111111".into(), "222222222222".into());
    let (one, two) = futures::join!(teams::create(&cloud, &org, &a), teams::create(&other, &org, &b));
    assert!(one.is_ok() != two.is_ok());
    let there = teams::read(&cloud, &org, &a.team).await.unwrap().unwrap();
    assert_eq!(there, if one.is_ok() { a } else { b });
}

#[tokio::test]
async fn more_teams_than_a_page_has_are_listed() {
    let cloud = support::cloud().await;
    let org = organization();
    let all: Vec<TeamRecord> = (10..33).map(|n| record(&format!("team-{n}"), if n == 20 { 12 } else { 1 })).collect();
    for record in &all {
        teams::create(&cloud, &org, record).await.unwrap();
    }
    assert_eq!(teams::list(&cloud, &org).await.unwrap(), all);
    assert_eq!(teams::list(&cloud, &organization()).await.unwrap(), []);
}

#[tokio::test]
async fn a_damaged_record_is_told_by_its_parameter() {
    let cloud = support::cloud().await;
    let org = organization();
    let large = record("large", 12);
    teams::create(&cloud, &org, &large).await.unwrap();
    let part = names(&cloud, &org).await.into_iter().find(|n| n.ends_with("-1")).unwrap();
    cloud.ssm().delete_parameter().name(part).send().await.unwrap();
    for (name, value) in [("red", "team: red\n"), ("green", "nothing"), ("blue", "#minion-base64 x")] {
        put_parameter(&cloud, format!("/overlord/{org}/teams/{name}"), value).await;
    }
    let other = serde_json::to_string(&record("other", 1)).unwrap();
    put_parameter(&cloud, format!("/overlord/{org}/teams/moved"), &other).await;
    for name in ["large", "red", "green", "blue", "moved"] {
        let error = teams::read(&cloud, &org, &team(name)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.to_string().contains(&format!("/overlord/{org}/teams/{name}")), "{error}");
    }
    let error = teams::list(&cloud, &org).await.unwrap_err();
    assert!(error.to_string().contains(&format!("/overlord/{org}/teams/")), "{error}");
    // Written anew, or removed, all is well.
    teams::write(&cloud, &org, &large).await.unwrap();
    for name in ["red", "green", "blue", "moved"] {
        teams::delete(&cloud, &org, &team(name)).await.unwrap();
    }
    assert_eq!(teams::list(&cloud, &org).await.unwrap(), [large]);
}

fn claim(cidr: &str, name: &str) -> Claim {
    Claim { cidr: cidr.parse().expect("a network"), team: team(name), region: "eu-west-1".into() }
}

#[tokio::test]
async fn networks_are_claimed_and_released() {
    let cloud = support::cloud().await;
    let org = organization();
    let (red, blue) = (claim("10.2.0.0/19", "red"), claim("10.2.32.0/19", "blue"));
    let (one, two) = futures::join!(teams::claim(&cloud, &org, &red), teams::claim(&cloud, &org, &blue));
    assert!(one.unwrap() && two.unwrap());
    assert_eq!(names(&cloud, &org).await.len(), 2);
    assert!(names(&cloud, &org).await.contains(&format!("/overlord/{org}/addresses/10.2.0.0-19")));
    assert_eq!(teams::claims(&cloud, &org).await.unwrap(), [red.clone(), blue.clone()]);
    assert!(teams::claim(&cloud, &org, &red).await.unwrap(), "a second run of the same team");
    for taken in ["10.2.0.0/19", "10.2.0.0/16", "10.2.8.0/24"] {
        assert!(!teams::claim(&cloud, &org, &claim(taken, "green")).await.unwrap(), "{taken}");
    }
    let elsewhere = Claim { region: "eu-central-1".into(), ..red.clone() };
    assert!(!teams::claim(&cloud, &org, &elsewhere).await.unwrap());
    assert_eq!(teams::claims(&cloud, &org).await.unwrap(), [red.clone(), blue.clone()]);
    // Not ours to give back.
    teams::release(&cloud, &org, &claim("10.2.0.0/19", "green")).await.unwrap();
    teams::release(&cloud, &org, &elsewhere).await.unwrap();
    assert_eq!(teams::claims(&cloud, &org).await.unwrap().len(), 2);
    for _ in 0..2 {
        teams::release(&cloud, &org, &red).await.unwrap();
        assert_eq!(teams::claims(&cloud, &org).await.unwrap(), std::slice::from_ref(&blue));
    }
    put_parameter(&cloud, format!("/overlord/{org}/addresses/ten"), "team: red\nregion: eu-west-1\n").await;
    let error = teams::claims(&cloud, &org).await.unwrap_err();
    assert!(error.to_string().contains(&format!("/overlord/{org}/addresses/ten")), "{error}");
}

#[tokio::test]
async fn of_two_who_claim_the_same_network_at_once_one_gets_it() {
    let (cloud, other) = (support::cloud().await, support::cloud().await);
    let org = organization();
    let (red, blue) = (claim("10.2.0.0/19", "red"), claim("10.2.0.0/19", "blue"));
    let (one, two) = futures::join!(teams::claim(&cloud, &org, &red), teams::claim(&other, &org, &blue));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one != two);
    assert_eq!(teams::claims(&cloud, &org).await.unwrap(), [if one { red } else { blue }]);
}

#[tokio::test]
async fn of_two_who_claim_networks_that_overlap_at_once_the_earlier_one_gets_it() {
    let (cloud, other) = (support::cloud().await, support::cloud().await);
    for (a, b) in [("10.2.0.0/19", "10.2.0.0/18"), ("10.2.0.0/18", "10.2.0.0/19"), ("10.2.0.0/16", "10.2.96.0/19")] {
        let org = organization();
        let (red, blue) = (claim(a, "red"), claim(b, "blue"));
        let (one, two) = futures::join!(teams::claim(&cloud, &org, &red), teams::claim(&other, &org, &blue));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one != two, "{a} {b}: {one} {two}");
        assert_eq!(teams::claims(&cloud, &org).await.unwrap(), [if one { red } else { blue }]);
    }
}

/// The claim is there without our having heard so: its answer got lost.
#[tokio::test]
async fn a_claim_that_does_not_stand_goes_unless_the_record_has_it() {
    let cloud = support::cloud().await;
    let org = organization();
    let (red, blue) = (claim("10.0.0.0/16", "red"), claim("10.0.0.0/19", "blue"));
    assert!(teams::claim(&cloud, &org, &red).await.unwrap());
    let theirs = format!("/overlord/{org}/addresses/10.0.0.0-19");
    put_parameter(&cloud, theirs.clone(), "team: blue\nregion: eu-west-1\n").await;
    assert!(!teams::claim(&cloud, &org, &blue).await.unwrap());
    assert_eq!(teams::claims(&cloud, &org).await.unwrap(), std::slice::from_ref(&red));
    put_parameter(&cloud, theirs, "team: blue\nregion: eu-west-1\n").await;
    let mut recorded = record("blue", 1);
    recorded.regions[0].region = "eu-west-1".into();
    teams::create(&cloud, &org, &recorded).await.unwrap();
    assert!(!teams::claim(&cloud, &org, &blue).await.unwrap());
    assert_eq!(teams::claims(&cloud, &org).await.unwrap(), [red, blue]);
}

/// A crowd, each with another network that overlaps some of the others': what stands does not overlap, and everybody
/// knows whether theirs does.
#[tokio::test]
async fn a_crowd_never_gets_networks_that_overlap() {
    let cloud = support::cloud().await;
    let org = organization();
    let wanted = ["10.0.0.0/16", "10.0.0.0/17", "10.0.128.0/17", "10.0.0.0/18", "10.0.64.0/18", "10.0.192.0/19"];
    let all: Vec<Claim> = wanted.iter().enumerate().map(|(n, c)| claim(c, &format!("team-{n}"))).collect();
    let got = join_all(all.iter().map(|claim| teams::claim(&cloud, &org, claim))).await;
    let got: Vec<bool> = got.into_iter().map(|g| g.unwrap()).collect();
    let mut theirs: Vec<&Claim> = all.iter().zip(&got).filter(|(_, got)| **got).map(|(claim, _)| claim).collect();
    theirs.sort_by_key(|c| c.cidr);
    let stand = teams::claims(&cloud, &org).await.unwrap();
    assert_eq!(stand.iter().collect::<Vec<_>>(), theirs);
    assert!(!stand.is_empty());
    for (n, one) in stand.iter().enumerate() {
        for other in &stand[n + 1..] {
            assert!(!one.cidr.contains(&other.cidr) && !other.cidr.contains(&one.cidr), "{one:?} {other:?}");
        }
    }
}
