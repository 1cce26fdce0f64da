//! The loop on a fake world, in tokio's paused time.
use super::{
    control,
    fake::{Fake, GROUP},
    service::Service,
};
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

const WEB: (&str, &str) = ("AutoScalingGroupName", "web");

/// A service whose loop runs, with the group `web` of two instances.
async fn two() -> (Service<Fake>, watch::Sender<bool>) {
    let service = Fake::service();
    let stop = started(&service);
    service.ask("CreateAutoScalingGroup", GROUP).await;
    (service, stop)
}

fn started(service: &Service<Fake>) -> watch::Sender<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(control::run(service.clone(), stopped));
    stop
}

async fn seconds(n: u64) {
    sleep(Duration::from_secs(n)).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_comes_to_what_it_shall_have_and_no_more() {
    let (service, _stop) = two().await;
    seconds(10).await;
    assert_eq!(service.lifecycles(), ["i-1 InService", "i-2 InService"]);
    assert_eq!(service.world.count("launch"), 2);
    assert_eq!(service.world.count("register"), 2);
    assert_eq!(service.world.with(|i| i.targets.clone().into_values().collect::<Vec<_>>()), [8080, 8080]);
    let subnets = |i: &mut super::fake::Inner| {
        i.instances.values().map(|m| m.order.subnet.clone()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(service.world.with(subnets).len(), 2, "one in each zone");
    let tags = service.world.with(|i| i.instances["i-1"].order.tags.clone());
    assert!(tags.iter().any(|t| t.key == "aws:autoscaling:groupName" && t.value == "web"));
    assert!(tags.iter().any(|t| t.key == "app" && t.value == "web"));
    let activities = service.activities();
    assert!(activities.contains(&("Successful".into(), "Launching a new EC2 instance: i-1".into())), "{activities:?}");
}

#[tokio::test(start_paused = true)]
async fn slow_launches_are_not_done_twice() {
    let (service, _stop) = two().await;
    service.world.with(|i| i.slow = Duration::from_secs(8));
    service.ask("SetDesiredCapacity", &[WEB, ("DesiredCapacity", "4")]).await;
    seconds(30).await;
    assert_eq!(service.world.count("launch"), 4);
    assert_eq!(service.lifecycles().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_launch_whose_answer_was_lost_is_found_again() {
    let service = Fake::service();
    service.world.with(|i| i.losing = 1);
    let _stop = started(&service);
    service.ask("CreateAutoScalingGroup", GROUP).await;
    seconds(20).await;
    assert_eq!(service.world.count("launch"), 2);
    assert_eq!(service.lifecycles().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn only_what_answers_is_registered_but_not_for_ever() {
    let service = Fake::service();
    service.world.with(|i| i.silent = true);
    let _stop = started(&service);
    service.ask("CreateAutoScalingGroup", GROUP).await;
    seconds(20).await;
    assert_eq!(service.lifecycles(), ["i-1 InService", "i-2 InService"]);
    assert_eq!(service.world.count("register"), 0);
    seconds(15).await;
    assert_eq!(service.world.count("register"), 2);
    assert!(service.world.when("register i-1").unwrap() >= 20);
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_drained_before_it_ends() {
    let (service, _stop) = two().await;
    seconds(10).await;
    service.ask("UpdateAutoScalingGroup", &[WEB, ("MinSize", "0"), ("MaxSize", "0"), ("DesiredCapacity", "0")]).await;
    seconds(2).await;
    assert_eq!(service.lifecycles(), ["i-1 Terminating", "i-2 Terminating"]);
    let waiting = (
        "WaitingForELBConnectionDraining".into(),
        "Terminating EC2 instance: i-1 - Waiting For ELB Connection Draining.".into(),
    );
    assert!(service.activities().contains(&waiting), "{:?}", service.activities());
    seconds(10).await;
    assert!(service.lifecycles().is_empty());
    let (out, end) = (service.world.when("deregister i-1").unwrap(), service.world.when("terminate i-1").unwrap());
    assert!((5..=7).contains(&(end - out)), "drained for {} s", end - out);
    assert_eq!(service.world.count("clear i-1"), 1);
    service.ask("DeleteAutoScalingGroup", &[WEB]).await;
    assert!(service.groups().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_the_fullest_zone_goes_first() {
    let (service, _stop) = two().await;
    seconds(5).await;
    service.ask("SetDesiredCapacity", &[WEB, ("DesiredCapacity", "3")]).await;
    seconds(5).await;
    service.ask("SetDesiredCapacity", &[WEB, ("DesiredCapacity", "2")]).await;
    seconds(20).await;
    // i-1 and i-3 were in the first zone.
    assert_eq!(service.lifecycles(), ["i-2 InService", "i-3 InService"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_instance_is_replaced_without_draining() {
    let (service, _stop) = two().await;
    seconds(10).await;
    service.world.with(|i| i.instances.get_mut("i-1").unwrap().container = false);
    seconds(10).await;
    assert_eq!(service.lifecycles(), ["i-2 InService", "i-3 InService"]);
    assert_eq!(service.world.when("deregister i-1"), service.world.when("terminate i-1"));
    let causes: Vec<String> =
        service.store.read(|s| s.groups["web"].activities.iter().map(|a| a.cause.clone()).collect());
    assert!(causes.iter().any(|c| c.contains("EC2 health check indicating it has been terminated or stopped")));
    assert!(causes.last().unwrap().contains("unhealthy instance needing to be replaced"), "{causes:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_load_balancer_finds_unhealthy_is_replaced_after_the_grace_period() {
    let (service, _stop) = two().await;
    seconds(10).await;
    service.world.with(|i| i.unhealthy.insert("i-2".into()));
    seconds(40).await;
    assert_eq!(service.lifecycles(), ["i-1 InService", "i-2 InService"], "within the grace period");
    seconds(30).await;
    assert_eq!(service.lifecycles(), ["i-1 InService", "i-3 InService"]);
    assert!(service.world.when("terminate i-2").unwrap() - service.world.when("deregister i-2").unwrap() >= 5);
}

#[tokio::test(start_paused = true)]
async fn an_instance_called_unhealthy_is_replaced() {
    let (service, _stop) = two().await;
    seconds(10).await;
    let health = [("InstanceId", "i-1"), ("HealthStatus", "Unhealthy")];
    service.ask("SetInstanceHealth", &health).await;
    seconds(10).await;
    assert_eq!(service.lifecycles(), ["i-1 InService", "i-2 InService"], "within the grace period");
    service.ask("SetInstanceHealth", &[health[0], health[1], ("ShouldRespectGracePeriod", "false")]).await;
    seconds(15).await;
    assert_eq!(service.lifecycles(), ["i-2 InService", "i-3 InService"]);
}

#[tokio::test(start_paused = true)]
async fn an_instance_ended_by_hand_is_replaced_or_not() {
    let (service, _stop) = two().await;
    seconds(10).await;
    let end = [("InstanceId", "i-1"), ("ShouldDecrementDesiredCapacity", "true")];
    let answer = service.ask("TerminateInstanceInAutoScalingGroup", &end).await;
    assert!(answer.contains("<Description>Terminating EC2 instance: i-1"), "{answer}");
    seconds(15).await;
    assert_eq!(service.lifecycles(), ["i-2 InService"]);
    service.ask("TerminateInstanceInAutoScalingGroup", &[("InstanceId", "i-2"), (end[1].0, "false")]).await;
    seconds(15).await;
    assert_eq!(service.lifecycles(), ["i-3 InService"]);
}

#[tokio::test(start_paused = true)]
async fn failed_launches_are_told_and_tried_again_with_growing_pauses() {
    let service = Fake::service();
    service.world.with(|i| i.failing = 6);
    let _stop = started(&service);
    service.ask("CreateAutoScalingGroup", GROUP).await;
    seconds(1).await;
    let (status, description) = service.activities().pop().unwrap();
    assert_eq!(status, "Failed");
    assert!(description.contains("Status Reason: ec2:RunInstances: no room. Launching EC2 instance failed."));
    assert!(service.groups()[0].trouble.is_some());
    // Two at a time: at 0, 2 and 6 seconds; well at 14.
    seconds(9).await;
    assert_eq!(service.world.count("refused"), 6);
    assert_eq!(service.world.count("launch"), 0);
    seconds(15).await;
    assert_eq!(service.lifecycles(), ["i-1 InService", "i-2 InService"]);
}

#[tokio::test(start_paused = true)]
async fn instances_that_never_run_are_not_started_again_and_again() {
    let service = Fake::service();
    service.world.with(|i| i.broken = true);
    let _stop = started(&service);
    service.ask("CreateAutoScalingGroup", GROUP).await;
    seconds(60).await;
    let launched = service.world.count("launch");
    assert!((4..=12).contains(&launched), "{launched} launches in a minute");
    assert!(service.activities().iter().any(|(s, d)| s == "Failed" && d.contains("Client error on launch")));
}

#[tokio::test(start_paused = true)]
async fn deleting_with_force_drains_too() {
    let (service, _stop) = two().await;
    seconds(10).await;
    service.ask("DeleteAutoScalingGroup", &[WEB, ("ForceDelete", "true")]).await;
    seconds(2).await;
    assert!(service.groups()[0].deleting);
    assert_eq!(service.world.count("terminate"), 0);
    seconds(10).await;
    assert!(service.groups().is_empty());
    assert_eq!(service.world.count("terminate"), 2);
    assert_eq!(service.world.count("launch"), 2);
    assert!(service.world.with(|i| i.targets.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn what_instances_leave_behind_is_removed() {
    let (service, _stop) = two().await;
    seconds(3).await;
    service.world.with(|i| i.left.extend(["i-1".to_owned(), "i-long-gone".to_owned()]));
    seconds(10).await;
    assert_eq!(service.world.with(|i| i.left.clone()).into_iter().collect::<Vec<_>>(), ["i-1"]);
}
