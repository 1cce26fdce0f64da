//! Many who move traffic at the same time: the end is one of the states asked for, and so is every moment in between.
use crate::support::{Stage, endpoint};
use aws_core::{
    cloud::{Cloud, ConnectOptions, dns},
    engine::{Cancel, World as _},
    model::{ApplicationName, VersionName},
};
use minion::traffic::{Share, in_turn, reshare, weights_of, write};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

/// So many at the same time.
const MANY: u64 = 100;
const DOMAIN: &str = "team.example.org";

/// The weights of both versions, as Route 53 answers them.
fn weights(stage: &Stage) -> (u64, u64) {
    let zone = &stage.place["zones"]["private"][0];
    let records = stage.call("route53", "list_resource_record_sets", json!({ "HostedZoneId": zone }));
    let weighted =
        records["ResourceRecordSets"].as_array().unwrap().iter().filter(|r| r["Name"] == format!("hello.{DOMAIN}."));
    let by: BTreeMap<&str, u64> =
        weighted.map(|r| (r["SetIdentifier"].as_str().unwrap(), r["Weight"].as_u64().unwrap())).collect();
    let of = |version: &str| by.iter().find(|(id, _)| id.ends_with(version)).map_or(0, |(_, weight)| *weight);
    assert!(by.len() <= 2, "{by:?}");
    (of("1.0"), of("2.0"))
}

/// Looks all the time until `over`; what it saw, and how often it looked.
fn watch(stage: &Stage, over: &AtomicBool) -> (BTreeSet<(u64, u64)>, usize) {
    let (mut seen, mut looks) = (BTreeSet::new(), 0);
    while !over.load(Ordering::Relaxed) {
        seen.insert(weights(stage));
        looks += 1;
    }
    (seen, looks)
}

/// 0.5% to 50% for the second version: each of the hundred asks for another share.
fn asked_for() -> BTreeSet<(u64, u64)> {
    (1..=MANY).map(|units| (200 - units, units)).collect()
}

fn assert_only_asked_for(stage: &Stage, seen: &BTreeSet<(u64, u64)>) {
    let mut asked = asked_for();
    assert!(asked.contains(&weights(stage)), "the end is {:?}", weights(stage));
    asked.insert((200, 0));
    assert!(seen.is_subset(&asked), "in between: {:?}", seen.difference(&asked).collect::<Vec<_>>());
}

#[test]
fn a_hundred_commands_at_the_same_time() {
    let stage = Stage::of_two_versions();
    let over = AtomicBool::new(false);
    let (seen, looks) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&stage, &over));
        let begin = |units: u64| {
            let percent = (units as f64 / 2.0).to_string();
            stage.start(&["traffic", "hello", "2.0", &percent, "--no-wait", "--wait-lock=10m"])
        };
        let running: Vec<_> = (1..=MANY).map(begin).collect();
        let ended: Vec<_> = running.into_iter().map(|run| run.within(Duration::from_secs(500))).collect();
        over.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(|run| drop(run.ok()));
        watcher.join().unwrap()
    });
    assert_only_asked_for(&stage, &seen);
    assert!(looks > 20 && seen.len() > 5, "{looks} looks, {} states", seen.len());
}

/// The same without the lease: Route 53 refuses a batch that is based on an old look.
#[test]
fn compare_and_swap_alone_loses_nothing() {
    let stage = Stage::of_two_versions();
    let over = AtomicBool::new(false);
    let refused = AtomicUsize::new(0);
    let (seen, _) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&stage, &over));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            futures::future::join_all((1..=MANY).map(|units| move_traffic(&stage, units, &refused))).await;
        });
        over.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    });
    assert_only_asked_for(&stage, &seen);
    assert!(refused.load(Ordering::Relaxed) > 0, "nobody was in another one's way");
}

/// One of the hundred, with a connection of its own: all that it has in common with the others is AWS.
async fn move_traffic(stage: &Stage, units: u64, refused: &AtomicUsize) {
    let word = |name: &str| stage.place[name].as_str().unwrap().to_owned();
    let options = ConnectOptions {
        region: Some(word("region")),
        endpoint: Some(endpoint().to_owned()),
        credentials: Some((word("access_key_id"), word("secret_access_key"))),
        ..ConnectOptions::default()
    };
    let cloud = Cloud::connect(options).await.unwrap();
    let zone = stage.place["zones"]["private"][0].as_str().unwrap().trim_start_matches("/hostedzone/").to_owned();
    let application: ApplicationName = "hello".parse().unwrap();
    let (version, share): (VersionName, _) = ("2.0".parse().unwrap(), Share::from_units(units as u16).unwrap());
    let cancel = Cancel::default();
    let moved = in_turn(&cloud, &cancel, "the traffic of hello", async || {
        let records = dns::records(&cloud, &zone).await?;
        let weights = weights_of(&records, &zone, &application, DOMAIN, cloud.region())?;
        let shares = reshare(&weights.raw(), &version, share)?.shares;
        let written = write(&cloud, &weights, weights.changes(&shares, DOMAIN)?).await;
        refused.fetch_add(usize::from(written.as_ref().is_err_and(dns::is_outdated)), Ordering::Relaxed);
        written
    });
    moved.await.unwrap();
    cloud.forget();
}
