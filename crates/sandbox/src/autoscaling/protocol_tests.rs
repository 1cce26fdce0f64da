//! The SDK reads our answers, over HTTP.
use super::{
    fake::{Fake, GROUP, TARGETS},
    service::Service,
};
use aws_core::cloud::{Cloud, ConnectOptions, lookups, serving};
use aws_core::resources::auto_scaling_group;
use aws_sdk_autoscaling::{
    error::ProvideErrorMetadata as _,
    types::{
        AutoScalingInstanceDetails, Filter, LaunchTemplateSpecification, MetricType, PredefinedMetricSpecification,
        ScalingActivityStatusCode, Tag, TargetTrackingConfiguration,
    },
};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// A service that answers on loopback, its loop, and a client of it.
async fn serving() -> (Service<Fake>, Cloud, watch::Sender<bool>) {
    let service = Fake::service();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(super::control::run(service.clone(), stopped));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answering = service.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = answering.clone();
            let answer = service_fn(move |request| answer(service.clone(), request));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    let options = ConnectOptions {
        region: Some("eu-west-1".into()),
        endpoint: Some(endpoint),
        credentials: Some(("test".into(), "test".into())),
        ..ConnectOptions::default()
    };
    (service, Cloud::connect(options).await.unwrap(), stop)
}

async fn answer(
    service: Service<Fake>,
    request: Request<Incoming>,
) -> Result<Response<Full<hyper::body::Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let answer = service.answer(&form).await;
    let response = Response::builder().status(answer.status).header("content-type", answer.content_type);
    Ok(response.body(Full::new(answer.body.into())).unwrap())
}

/// As minion creates a group.
async fn create(cloud: &Cloud, name: &str, template: &str) -> Result<(), String> {
    let tag = |k: &str, v: &str| {
        let tag = Tag::builder().key(k).value(v).propagate_at_launch(true);
        tag.resource_id(name).resource_type("auto-scaling-group").build()
    };
    let template = LaunchTemplateSpecification::builder().launch_template_id(template).version("1").build();
    let call = cloud.autoscaling().create_auto_scaling_group().auto_scaling_group_name(name);
    let call = call.launch_template(template).target_group_arns(TARGETS).vpc_zone_identifier("subnet-a,subnet-b");
    let call = call.min_size(1).max_size(4).desired_capacity(2).health_check_type("ELB").health_check_grace_period(60);
    let call = call.new_instances_protected_from_scale_in(false).tags(tag("app", "a & b")).tags(tag("name", name));
    call.send().await.map(drop).map_err(|e| format!("{} {}", e.code().unwrap(), e.message().unwrap()))
}

#[tokio::test]
async fn a_group_is_read_by_the_sdk_as_it_was_made() {
    let (service, cloud, _stop) = serving().await;
    create(&cloud, "web", "lt-1").await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while service.world.count("register") < 2 && std::time::Instant::now() < deadline {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let group = auto_scaling_group::describe(&cloud, "web").await.unwrap().unwrap();
    assert_eq!(auto_scaling_group::tags(&group)["app"], "a & b");
    assert_eq!(group.launch_template().unwrap().launch_template_id(), Some("lt-1"));
    assert_eq!(group.launch_template().unwrap().version(), Some("1"));
    assert_eq!(group.health_check_grace_period(), Some(60));
    assert_eq!(group.target_group_arns(), [TARGETS]);
    assert_eq!(group.vpc_zone_identifier(), Some("subnet-a,subnet-b"));
    assert_eq!(group.availability_zones(), ["eu-west-1a", "eu-west-1b"]);
    assert_eq!(group.status(), None);
    assert_eq!(group.instances()[0].instance_type(), Some("t3.micro"));
    let group = serving::group(&cloud, "web").await.unwrap().unwrap();
    assert_eq!((group.min, group.max, group.desired), (1, 4, 2));
    assert_eq!(group.states()["InService"], 2);
    assert!(group.members.iter().all(|m| m.healthy && m.zone.starts_with("eu-west-1")));
    assert_eq!(group.created.as_second(), 1_800_000_000);
    assert!(serving::group(&cloud, "other").await.unwrap().is_none());

    let activities = lookups::scaling_activities(&cloud, "web").await.unwrap();
    assert_eq!(activities.len(), 2);
    assert_eq!(activities[0].status, ScalingActivityStatusCode::Successful.as_str());
    assert!(activities[0].description.starts_with("Launching a new EC2 instance: i-"));
    assert!(activities[0].at.is_some());

    auto_scaling_group::resize(&cloud, "web", &auto_scaling_group::Size { min: 0, max: 0, desired: 0 }).await.unwrap();
    let call = cloud.autoscaling().delete_auto_scaling_group().auto_scaling_group_name("web").force_delete(true);
    call.send().await.unwrap();
    let group = serving::group(&cloud, "web").await.unwrap().unwrap();
    assert!(group.deleting && group.members.iter().all(|m| m.lifecycle == "Terminating"));
}

#[tokio::test]
async fn policies_are_read_as_they_were_put() {
    let (_service, cloud, _stop) = serving().await;
    create(&cloud, "web", "lt-1").await.unwrap();
    let metric =
        PredefinedMetricSpecification::builder().predefined_metric_type(MetricType::AsgAverageCpuUtilization).build();
    let tracking = TargetTrackingConfiguration::builder().predefined_metric_specification(metric).target_value(60.5);
    let call = cloud.autoscaling().put_scaling_policy().auto_scaling_group_name("web").policy_name("cpu");
    let call = call.policy_type("TargetTrackingScaling").target_tracking_configuration(tracking.build());
    let put = call.send().await.unwrap();
    assert!(put.policy_arn().unwrap().ends_with(":autoScalingGroupName/web:policyName/cpu"));
    let ask = || cloud.autoscaling().describe_policies().auto_scaling_group_name("web").policy_names("cpu").send();
    let found = ask().await.unwrap();
    let policy = &found.scaling_policies()[0];
    let tracking = policy.target_tracking_configuration().unwrap();
    assert_eq!(tracking.target_value(), Some(60.5));
    let metric = tracking.predefined_metric_specification().unwrap();
    assert_eq!(metric.predefined_metric_type(), Some(&MetricType::AsgAverageCpuUtilization));
    assert_eq!(policy.policy_arn(), put.policy_arn());
    cloud.autoscaling().delete_policy().auto_scaling_group_name("web").policy_name("cpu").send().await.unwrap();
    assert!(ask().await.unwrap().scaling_policies().is_empty());
}

#[tokio::test]
async fn lists_are_chosen_from_and_paged() {
    let (_service, cloud, _stop) = serving().await;
    for n in 0..7 {
        create(&cloud, &format!("web-{n}"), "lt-1").await.unwrap();
    }
    let pages = cloud.autoscaling().describe_auto_scaling_groups().max_records(3).into_paginator().items().send();
    assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 7);
    let filter = Filter::builder().name("tag:name").values("web-3").build();
    let call = cloud.autoscaling().describe_auto_scaling_groups().filters(filter);
    assert_eq!(call.send().await.unwrap().auto_scaling_groups().len(), 1);
    let filter = Filter::builder().name("auto-scaling-group").values("web-3").build();
    let tags = cloud.autoscaling().describe_tags().filters(filter).send().await.unwrap();
    assert_eq!(tags.tags().len(), 2);
    let new = Tag::builder().resource_id("web-3").resource_type("auto-scaling-group").key("new").value("x").build();
    cloud.autoscaling().create_or_update_tags().tags(new.clone()).send().await.unwrap();
    let group = serving::group(&cloud, "web-3").await.unwrap().unwrap();
    assert_eq!(group.tags["new"], "x");
    cloud.autoscaling().delete_tags().tags(new).send().await.unwrap();
    assert_eq!(serving::group(&cloud, "web-3").await.unwrap().unwrap().tags.len(), 2);
}

#[tokio::test]
async fn target_groups_come_and_go() {
    let (_service, cloud, _stop) = serving().await;
    create(&cloud, "web", "lt-1").await.unwrap();
    let more = TARGETS.replace("0123", "4567");
    let call = cloud.autoscaling().attach_load_balancer_target_groups().auto_scaling_group_name("web");
    call.target_group_arns(&more).send().await.unwrap();
    assert_eq!(serving::group(&cloud, "web").await.unwrap().unwrap().target_groups.len(), 2);
    let call = cloud.autoscaling().describe_load_balancer_target_groups().auto_scaling_group_name("web");
    assert_eq!(call.send().await.unwrap().load_balancer_target_groups().len(), 2);
    let call = cloud.autoscaling().detach_load_balancer_target_groups().auto_scaling_group_name("web");
    call.target_group_arns(&more).send().await.unwrap();
    assert_eq!(serving::group(&cloud, "web").await.unwrap().unwrap().target_groups, [TARGETS]);
    assert_eq!(launched(&cloud).await.auto_scaling_group_name(), Some("web"));
}

/// The first instance, once the loop has launched it.
async fn launched(cloud: &Cloud) -> AutoScalingInstanceDetails {
    for _ in 0..200 {
        let told = cloud.autoscaling().describe_auto_scaling_instances().send().await.unwrap();
        if let Some(instance) = told.auto_scaling_instances().first() {
            return instance.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing is launched within ten seconds");
}

#[tokio::test]
async fn errors_have_the_codes_of_aws() {
    let (_service, cloud, _stop) = serving().await;
    let template = create(&cloud, "web", "lt-2").await.unwrap_err();
    assert!(template.starts_with("ValidationError") && template.contains("specified launch template"), "{template}");
    create(&cloud, "web", "lt-1").await.unwrap();
    assert!(create(&cloud, "web", "lt-1").await.unwrap_err().starts_with("AlreadyExists"));
    let size = auto_scaling_group::Size { min: 0, max: 1, desired: 1 };
    let missing = auto_scaling_group::resize(&cloud, "other", &size).await.unwrap_err();
    assert_eq!(missing.kind(), aws_core::error::Kind::NotFound, "{missing}");
    let bad = auto_scaling_group::Size { min: 0, max: 1, desired: 2 };
    let bad = auto_scaling_group::resize(&cloud, "web", &bad).await.unwrap_err();
    assert_eq!(bad.code(), Some("ValidationError"));
    // Until the loop has launched something, the group is empty.
    launched(&cloud).await;
    let call = cloud.autoscaling().delete_auto_scaling_group().auto_scaling_group_name("web").send().await;
    assert_eq!(call.unwrap_err().code(), Some("ResourceInUse"));
    let call = cloud.autoscaling().describe_policies().auto_scaling_group_name("other").send().await.unwrap_err();
    assert!(call.message().unwrap().contains("AutoScalingGroup name not found"));
    let unknown = cloud.autoscaling().describe_account_limits().send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("InvalidAction"));
    assert!(unknown.message().unwrap().contains("DescribeAccountLimits"));
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let service = Fake::service();
    let refused = async |change: (&str, &str), words: &str| {
        let pairs: Vec<(&str, &str)> = GROUP.iter().copied().filter(|(k, _)| *k != change.0).chain([change]).collect();
        let answer = service.answer(&super::fake::form("CreateAutoScalingGroup", &pairs)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(words), "{}", answer.body);
    };
    refused(("VPCZoneIdentifier", "subnet-a,subnet-c"), "subnet-c").await;
    refused(("VPCZoneIdentifier", ""), "At least one").await;
    refused(("TargetGroupARNs.member.1", "arn:x"), "target groups not found").await;
    refused(("MinSize", "5"), "Min bound, 5").await;
    refused(("DesiredCapacity", "5"), "Desired capacity:5").await;
    refused(("MixedInstancesPolicy.X", "y"), "MixedInstancesPolicy").await;
    refused(("Tags.member.1.Key", "aws:x"), "reserved").await;
    assert!(service.groups().is_empty());
}
