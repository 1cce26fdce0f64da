//! Launch templates and Auto Scaling groups, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{
    cloud::{Cloud, lookups},
    engine::{Graph, World as _},
    error::Kind,
    model::Owner,
    resources::{
        auto_scaling_group::{self, AutoScalingGroup, Size},
        launch_template::{LaunchTemplate, Volume},
        role::Role,
        security_group::SecurityGroup,
        target_group::{HealthCheck, TargetGroup, Traffic},
    },
};
use aws_sdk_autoscaling::types::LaunchTemplateSpecification;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

struct Wanted {
    owner: Owner,
    subnets: Vec<String>,
    image: String,
    user_data: String,
    cpu: Option<f64>,
    public_ip: bool,
    spot: bool,
    grace: u64,
    mark: String,
}

async fn wanted(cloud: &Cloud) -> Wanted {
    let vpc = support::vpc(cloud).await;
    let subnets = support::subnets(cloud, &vpc).await;
    let images = cloud.ec2().describe_images().send().await.unwrap();
    let mut owner = support::owner(&vpc, &support::unique("asg"));
    owner.version = Some("1.0".into());
    Wanted {
        owner,
        subnets,
        image: images.images()[0].image_id().unwrap().into(),
        user_data: "#!/bin/sh\necho 'ü secret'\n".into(),
        cpu: None,
        public_ip: false,
        spot: false,
        grace: 300,
        mark: "registry.example.org/a:1".into(),
    }
}

impl Wanted {
    fn name(&self) -> String {
        format!("app-{}-1.0", self.owner.application)
    }
    fn graph(&self) -> Graph<Cloud> {
        let name = self.name();
        let mut graph = Graph::default();
        let of_application = Owner { version: None, ..self.owner.clone() };
        let group = graph.add(SecurityGroup {
            owner: of_application.clone(),
            name: format!("app-{}", self.owner.application),
            noun: "group".into(),
            description: "for tests".into(),
            ingress: Vec::new(),
        });
        let role = graph.add(Role {
            owner: of_application,
            name: format!("app-{}", self.owner.application),
            noun: "role".into(),
            policy: Value::Null,
            managed_policies: BTreeSet::new(),
            boundary: None,
        });
        let launch_template = graph.add(LaunchTemplate {
            owner: self.owner.clone(),
            name: name.clone(),
            noun: "launch template".into(),
            image_id: self.image.clone(),
            instance_type: "t3.micro".into(),
            key_name: None,
            security_groups: vec![group],
            role,
            user_data: self.user_data.clone(),
            root_device: "/dev/xvda".into(),
            // The emulator, unlike AWS, cannot tell a root volume's size from its image.
            volumes: [("/dev/xvda", 30), ("/dev/sdf", 7)]
                .map(|(device, size)| Volume {
                    device: device.into(),
                    size_gib: Some(size),
                    kind: None,
                    encrypted: true,
                })
                .into(),
            public_ip: self.public_ip,
            spot: self.spot,
        });
        let targets = graph.add(TargetGroup {
            owner: self.owner.clone(),
            name: name.replace('.', "-"),
            noun: "targets".into(),
            vpc: self.owner.vpc.clone(),
            protocol: Traffic::Http,
            port: 8080,
            health: HealthCheck {
                path: Some("/".into()),
                port: None,
                interval: 20,
                timeout: 10,
                healthy: 3,
                unhealthy: 5,
                codes: None,
            },
            deregistration_delay: Duration::from_secs(20),
        });
        graph.add(AutoScalingGroup {
            owner: self.owner.clone(),
            name,
            noun: "auto scaling group".into(),
            launch_template,
            target_groups: vec![targets],
            after: vec![targets.node()],
            subnets: self.subnets.clone(),
            processors: None,
            size: Size { min: 1, max: 8, desired: 2 },
            grace: Duration::from_secs(self.grace),
            target_cpu_percent: self.cpu,
            marks: BTreeMap::from([("minion:image".into(), self.mark.clone())]),
        });
        graph
    }
}

#[tokio::test]
async fn lives_and_dies() {
    let cloud = support::cloud().await;
    support::lifecycle(&wanted(&cloud).await.graph(), &cloud).await;
    let mut w = wanted(&cloud).await;
    (w.public_ip, w.spot, w.cpu) = (true, true, Some(60.0));
    support::lifecycle(&w.graph(), &cloud).await;
}

#[tokio::test]
async fn what_the_instances_get() {
    let cloud = support::cloud().await;
    let w = wanted(&cloud).await;
    support::apply(&w.graph(), &cloud).await;
    let name = w.name();

    let versions = cloud.ec2().describe_launch_template_versions().launch_template_name(&name).send().await.unwrap();
    let data = versions.launch_template_versions()[0].launch_template_data().unwrap();
    let metadata = data.metadata_options().unwrap();
    assert_eq!(metadata.http_tokens().unwrap().as_str(), "required");
    assert_eq!(metadata.http_put_response_hop_limit(), Some(2));
    let root = data.block_device_mappings().iter().find(|m| m.device_name() == Some("/dev/xvda")).unwrap();
    assert_eq!(root.ebs().unwrap().encrypted(), Some(true));

    cloud.forget();
    let vpc = &w.owner.vpc;
    let (app, version) = (Some(w.owner.application.as_str()), Some("1.0"));
    for list in [
        auto_scaling_group::list(&cloud, vpc, None, None).await.unwrap(),
        auto_scaling_group::list(&cloud, vpc, app, None).await.unwrap(),
        auto_scaling_group::list(&cloud, vpc, app, version).await.unwrap(),
    ] {
        let [group] = list.as_slice() else { panic!("one group, not {list:?}") };
        assert_eq!(group.launch_template().unwrap().version(), Some("1"));
        assert_eq!(group.health_check_type(), Some("ELB"));
        let tags = auto_scaling_group::tags(group);
        assert_eq!(tags.get("minion:image"), Some(&w.mark));
        assert_eq!(tags.get("Name"), Some(&name));
    }
    assert!(auto_scaling_group::list(&cloud, vpc, app, Some("2")).await.unwrap().is_empty());
    assert!(auto_scaling_group::list(&cloud, "vpc-other", None, None).await.unwrap().is_empty());

    let instances = lookups::instances(&cloud, vpc, app, version).await.unwrap();
    assert_eq!(instances.len(), 2);
    let id = instances[0].instance_id().unwrap();
    lookups::console_output(&cloud, id).await.unwrap();
    assert!(lookups::instances(&cloud, vpc, app, Some("2")).await.unwrap().is_empty());
    let targets = cloud.elb().describe_target_groups().names(name.replace('.', "-")).send().await.unwrap();
    let arn = targets.target_groups()[0].target_group_arn().unwrap();
    let health = lookups::target_health(&cloud, arn).await.unwrap();
    assert_eq!(health.len(), 2, "{health:?}");
    lookups::scaling_activities(&cloud, &name).await.unwrap();

    // Scaling is the operator's: no drift.
    auto_scaling_group::resize(&cloud, &name, &Size { min: 0, max: 4, desired: 3 }).await.unwrap();
    let plan = support::done(&w.graph(), &cloud, Way::Plan).await;
    assert_eq!(plan.changes(), 0, "{}", support::text(&plan));
    let error = auto_scaling_group::resize(&cloud, "app-none-1", &Size { min: 0, max: 1, desired: 0 }).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
    support::destroy(&w.graph(), &cloud).await;
}

#[tokio::test]
async fn a_version_never_changes() {
    let cloud = support::cloud().await;
    let mut w = wanted(&cloud).await;
    support::apply(&w.graph(), &cloud).await;

    let first = std::mem::replace(&mut w.user_data, "#!/bin/sh\nother\n".into());
    let report = support::go(&w.graph(), &cloud, Way::Apply).await;
    let (node, error) = report.failures().next().unwrap();
    assert_eq!((node.kind, error.kind()), ("launch template", Kind::Refused), "{error:?}");
    assert!(error.to_string().contains("sha256:") && !error.to_string().contains("secret"), "{error}");
    w.user_data = first;
    let mark = std::mem::replace(&mut w.mark, "registry.example.org/a:2".into());
    let report = support::go(&w.graph(), &cloud, Way::Apply).await;
    let (node, error) = report.failures().next().unwrap();
    assert_eq!((node.kind, error.kind()), ("auto scaling group", Kind::Refused), "{error:?}");
    w.mark = mark;

    // What belongs to the group alone is healed: half made, or taken away by hand.
    w.grace = 120;
    w.cpu = Some(55.0);
    let plan = support::text(&support::done(&w.graph(), &cloud, Way::Plan).await);
    assert!(plan.contains("health check grace period: 300 s -> 120 s; target CPU use: - -> 55 %"), "{plan}");
    support::apply(&w.graph(), &cloud).await;

    // The AMI of the day of creation stays.
    let images = cloud.ec2().describe_images().send().await.unwrap();
    w.image = images.images()[1].image_id().unwrap().into();
    assert_eq!(support::done(&w.graph(), &cloud, Way::Plan).await.changes(), 0);
    support::destroy(&w.graph(), &cloud).await;
}

#[tokio::test]
async fn a_foreign_group_of_that_name_is_refused() {
    let cloud = support::cloud().await;
    let w = wanted(&cloud).await;
    let other = wanted(&cloud).await;
    support::apply(&other.graph(), &cloud).await;
    let template = LaunchTemplateSpecification::builder().launch_template_name(other.name()).version("1").build();
    let call = cloud.autoscaling().create_auto_scaling_group().auto_scaling_group_name(w.name());
    let call = call.launch_template(template).min_size(0).max_size(1).vpc_zone_identifier(&w.subnets[0]);
    call.send().await.unwrap();
    let report = support::go(&w.graph(), &cloud, Way::Apply).await;
    // The emulator replaces a group of that name; AWS says AlreadyExists.
    if let Some((node, error)) = report.failures().next() {
        assert_eq!((node.kind, error.kind()), ("auto scaling group", Kind::Refused), "{error:?}");
    }
    support::go(&w.graph(), &cloud, Way::Destroy).await;
    support::destroy(&other.graph(), &cloud).await;
}
