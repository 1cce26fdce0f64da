//! Leases: one holder at a time, whatever happens to the calls. On an emulator of AWS.
mod faults;

use crate::support;
use aws_core::{
    Result,
    cloud::Cloud,
    engine::{Cancel, Stop},
    error::Kind,
    registry::lease::{self, Lease, Place, Wanted},
};
use aws_sdk_ssm::types::ParameterType;
use faults::{FAULTS, Fault, Faulty};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

fn place(vpc: &str) -> Place {
    Place::application(&support::owner(vpc, "shop"))
}

fn parameter(vpc: &str) -> String {
    format!("/minion/{vpc}/leases/shop")
}

async fn take(cloud: &Cloud, vpc: &str, wait: Option<u64>) -> Result<Lease> {
    let wait = wait.map(Duration::from_secs);
    let wanted = Wanted { place: place(vpc), command: "minion test".into(), wait };
    lease::acquire(cloud, cloud, &wanted, &Cancel::default(), |_, _| {}).await
}

/// A lease as another operator would have written it.
fn theirs(seconds: i64) -> Value {
    let now = Timestamp::now();
    json!({
        "token": "theirs", "owner": "arn:aws:iam::1:user/berta", "host": "berta@elsewhere", "command": "minion traffic shop 1 100",
        "taken": now, "expires": now + SignedDuration::from_secs(seconds),
    })
}

async fn put(cloud: &Cloud, vpc: &str, value: &Value) {
    let call = cloud.ssm().put_parameter().name(parameter(vpc)).value(value.to_string());
    call.r#type(ParameterType::String).overwrite(true).send().await.expect("PutParameter");
}

async fn get(cloud: &Cloud, vpc: &str) -> Option<Value> {
    let answer = cloud.ssm().get_parameters().names(parameter(vpc)).send().await.expect("GetParameters");
    let text = answer.parameters().first()?.value()?.to_owned();
    Some(serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn a_lease_is_taken_and_let_go_of() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-lease");
    let lease = take(&cloud, &vpc, None).await.unwrap();
    assert!(lease.is_fresh() && !lease.waited());
    let record = get(&cloud, &vpc).await.unwrap();
    assert!(record["owner"].as_str().unwrap().starts_with("arn:"), "{record}");
    let error = take(&cloud, &vpc, None).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("with `minion test`, since "), "{error}");
    assert!(error.hints()[0].contains("--wait-lock"), "{:?}", error.hints());
    lease.check().unwrap();
    lease.release(false).await.unwrap();
    assert_eq!(get(&cloud, &vpc).await.unwrap()["free"], true);
    let again = take(&cloud, &vpc, None).await.unwrap();
    assert!(!again.is_fresh());
    again.release(true).await.unwrap();
    assert_eq!(get(&cloud, &vpc).await, None);
    take(&cloud, &vpc, None).await.unwrap().release(true).await.unwrap();
}

#[tokio::test]
async fn what_run_out_or_whose_process_is_over_is_taken_over() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-lease");
    put(&cloud, &vpc, &theirs(100)).await;
    assert_eq!(take(&cloud, &vpc, None).await.err().unwrap().kind(), Kind::Refused);
    put(&cloud, &vpc, &theirs(-31)).await;
    let lease = take(&cloud, &vpc, None).await.unwrap();
    // One that was killed lets go of nothing.
    let mut killed = get(&cloud, &vpc).await.unwrap();
    drop(lease);
    assert_eq!(take(&cloud, &vpc, None).await.err().unwrap().kind(), Kind::Refused);
    if cfg!(target_os = "linux") {
        killed["started"] = "1".into();
        killed.as_object_mut().unwrap().remove("claim");
        put(&cloud, &vpc, &killed).await;
        take(&cloud, &vpc, None).await.unwrap().release(false).await.unwrap();
    }
}

#[tokio::test]
async fn of_many_who_come_at_once_one_gets_it() {
    let cloud = support::cloud().await;
    for (what, value) in [("run out", Some(theirs(-60))), ("never taken", None), ("free", Some(json!({"free": true})))]
    {
        let vpc = support::unique("vpc-lease");
        if let Some(value) = &value {
            put(&cloud, &vpc, value).await;
        }
        let all = join_all((0..20).map(|_| take(&cloud, &vpc, None))).await;
        let (got, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!(got.len(), 1, "{what}");
        for error in refused.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), Kind::Refused, "{what}: {error}");
        }
        for lease in got {
            lease.unwrap().release(false).await.unwrap();
        }
        assert_eq!(get(&cloud, &vpc).await.unwrap()["free"], true, "{what}");
    }
}

#[tokio::test]
async fn those_who_wait_work_one_after_another() {
    let (cloud, vpc) = (support::cloud().await, support::unique("vpc-lease"));
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || async {
        let lease = take(&cloud, &vpc, Some(120)).await.unwrap();
        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        inside.fetch_sub(1, Ordering::SeqCst);
        lease.release(false).await.unwrap();
    };
    join_all((0..12).map(|_| work())).await;
    assert_eq!(most.into_inner(), 1);
}

#[tokio::test]
async fn who_comes_too_late_does_no_harm() {
    let (cloud, vpc) = (support::cloud().await, support::unique("vpc-lease"));
    let lease = take(&cloud, &vpc, None).await.unwrap();
    // Somebody who had read what was there before, and whose put comes only now.
    let mut late = theirs(100);
    late["claim"] = 1.into();
    put(&cloud, &vpc, &late).await;
    let error = take(&cloud, &vpc, None).await.err().unwrap();
    assert!(error.to_string().contains("minion test"), "the holder is told, not the late one: {error}");
    lease.release(false).await.unwrap();
    put(&cloud, &vpc, &late).await;
    take(&cloud, &vpc, None).await.unwrap().release(false).await.unwrap();
    // A text that a person wrote is respected for as long as a lease would be.
    put(&cloud, &vpc, &json!("keep out")).await;
    assert_eq!(take(&cloud, &vpc, None).await.err().unwrap().kind(), Kind::Refused);
}

#[tokio::test]
async fn waiting_ends_in_time_and_on_ctrl_c() {
    let (cloud, vpc) = (support::cloud().await, support::unique("vpc-lease"));
    put(&cloud, &vpc, &theirs(1000)).await;
    let error = take(&cloud, &vpc, Some(1)).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Deadline);
    assert!(error.to_string().contains("berta@elsewhere"), "{error}");
    let cancel = Cancel::default();
    let wanted = Wanted { place: place(&vpc), command: "minion test".into(), wait: Some(Duration::from_secs(60)) };
    let told = AtomicUsize::new(0);
    let waiting = lease::acquire(&cloud, &cloud, &wanted, &cancel, |held, _| {
        assert!(held.to_string().contains("berta"));
        told.fetch_add(1, Ordering::SeqCst);
        cancel.advance();
    });
    assert_eq!(waiting.await.err().unwrap().kind(), Kind::Interrupted);
    assert_eq!((told.into_inner(), cancel.state()), (1, Stop::Soon));
    assert_eq!(get(&cloud, &vpc).await.unwrap()["token"], "theirs");
}

/// Takes and lets go of a lease over a wire on which one call goes wrong; then it must be to be had at once.
#[tokio::test]
async fn a_call_that_goes_wrong_breaks_nothing() {
    let cloud = support::cloud().await;
    let free = json!({"free": true});
    for (what, before, remove) in [
        ("new", None, false),
        ("new, and removed", None, true),
        ("free", Some(&free), false),
        ("run out", Some(&theirs(-60)), false),
    ] {
        let cases = (0..5).flat_map(|at| FAULTS.map(|fault| (at, fault)));
        let run = |(at, fault): (usize, Fault)| {
            let cloud = &cloud;
            async move {
                let vpc = support::unique("vpc-fault");
                if let Some(value) = before {
                    put(cloud, &vpc, value).await;
                }
                let wire = Faulty::new(&support::endpoint(), at, fault);
                let through = support::cloud_at(&wire.endpoint).await;
                let told = format!("{what}: {fault:?} at call {at}");
                let lease = take(&through, &vpc, None).await.unwrap_or_else(|e| panic!("{told}: {e:?}"));
                let record = get(cloud, &vpc).await.unwrap();
                assert_eq!(record["command"], "minion test", "{told}");
                assert_eq!(take(cloud, &vpc, None).await.err().map(|e| e.kind()), Some(Kind::Refused), "{told}");
                lease.release(remove).await.unwrap_or_else(|e| panic!("{told}: {e:?}"));
                let left = get(cloud, &vpc).await;
                assert_eq!(left.map(|l| l["free"] == true), (!remove).then_some(true), "{told}");
                take(cloud, &vpc, None).await.unwrap_or_else(|e| panic!("{told}: {e:?}")).release(true).await.unwrap();
                wire.calls()
            }
        };
        let calls = join_all(cases.map(run)).await;
        assert!(calls.iter().any(|n| *n > 4), "{what}: {calls:?}");
    }
}

/// Several who want it, each over a wire on which another call goes wrong: one after another all the same.
#[tokio::test]
async fn of_many_on_bad_days_one_works_at_a_time() {
    let vpc = support::unique("vpc-fault");
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = |n: usize| {
        let (vpc, inside, most) = (&vpc, &inside, &most);
        async move {
            let wire = Faulty::new(&support::endpoint(), n % 4, FAULTS[n / 4 % FAULTS.len()]);
            let cloud = support::cloud_at(&wire.endpoint).await;
            let lease = take(&cloud, vpc, Some(200)).await.unwrap();
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            inside.fetch_sub(1, Ordering::SeqCst);
            lease.release(false).await.unwrap();
        }
    };
    join_all((0..12).map(work)).await;
    assert_eq!(most.into_inner(), 1);
}
