//! Requests, read from their parameters.
use super::{
    fault::Fault,
    state::{Tag, Template},
    value::Value,
};

/// One request.
#[derive(Debug)]
pub(super) enum Request {
    /// `CreateAutoScalingGroup`.
    Create(Settings),
    /// `UpdateAutoScalingGroup`.
    Update(Settings),
    /// `DeleteAutoScalingGroup`; with `ForceDelete` or without.
    Delete(String, bool),
    /// `SetDesiredCapacity`.
    Resize(String, i32),
    /// `TerminateInstanceInAutoScalingGroup`; whether the group shrinks by it.
    Terminate(String, bool),
    /// `SetInstanceHealth`.
    SetHealth(Health),
    /// `AttachLoadBalancerTargetGroups`.
    Attach(String, Vec<String>),
    /// `DetachLoadBalancerTargetGroups`.
    Detach(String, Vec<String>),
    /// `PutScalingPolicy`.
    PutPolicy(PolicyRequest),
    /// `DeletePolicy`: group, if it is given, and the policy's name or ARN.
    DeletePolicy(Option<String>, String),
    /// `CreateOrUpdateTags`: group and tag.
    PutTags(Vec<(String, Tag)>),
    /// `DeleteTags`.
    DeleteTags(Vec<(String, Tag)>),
    /// `DescribeAutoScalingGroups`.
    Groups(Query),
    /// `DescribeAutoScalingInstances`.
    Instances(Query),
    /// `DescribeLoadBalancerTargetGroups`.
    TargetGroups(Query),
    /// `DescribePolicies`.
    Policies(Query),
    /// `DescribeScalingActivities`.
    Activities(Query),
    /// `DescribeTags`.
    Tags(Query),
}

/// A group as it shall be; what is not given stays, or is AWS's default.
#[derive(Debug)]
pub(super) struct Settings {
    /// The group.
    pub(super) name: String,
    /// The least number of instances.
    pub(super) min: Option<i32>,
    /// The largest number of instances.
    pub(super) max: Option<i32>,
    /// The wanted number of instances.
    pub(super) desired: Option<i32>,
    /// What its instances are made of.
    pub(super) template: Option<Template>,
    /// Subnets' ids.
    pub(super) subnets: Vec<String>,
    /// ARNs of target groups.
    pub(super) target_groups: Vec<String>,
    /// Whether load balancers' health checks count.
    pub(super) elb: Option<bool>,
    /// Until they do, in seconds.
    pub(super) grace: Option<i32>,
    /// Kept only.
    pub(super) cooldown: Option<i32>,
    /// Whether new instances are spared when the group shrinks.
    pub(super) protected: Option<bool>,
    /// Its tags.
    pub(super) tags: Vec<(String, Tag)>,
}

/// An instance's health, as somebody says.
#[derive(Debug)]
pub(super) struct Health {
    /// The instance.
    pub(super) instance: String,
    /// Whether it is well.
    pub(super) healthy: bool,
    /// Whether the group's grace period holds here too.
    pub(super) respect_grace: bool,
}

/// A scaling policy to put.
#[derive(Debug)]
pub(super) struct PolicyRequest {
    /// The group.
    pub(super) group: String,
    /// The policy's name.
    pub(super) name: String,
    /// Its type.
    pub(super) kind: String,
    /// The rest, as it was given.
    pub(super) settings: Value,
}

/// What is asked for, and which page of it.
#[derive(Debug)]
pub(super) struct Query {
    /// The group that is asked about, where one is.
    pub(super) group: Option<String>,
    /// Names, ids or types to choose by.
    pub(super) names: Vec<String>,
    /// Types to choose by.
    pub(super) kinds: Vec<String>,
    /// Filters: name and values.
    pub(super) filters: Vec<(String, Vec<String>)>,
    /// Whether groups come with their instances.
    pub(super) instances: bool,
    /// Entries in a page.
    pub(super) most: usize,
    /// Where to go on.
    pub(super) from: usize,
}

/// Settings that would make a group into something else than what is made here.
const OTHER_SOURCES: &[&str] = &["LaunchConfigurationName", "MixedInstancesPolicy", "InstanceId"];
/// What a put policy has beside its settings.
const POLICY_KEYS: &[&str] = &["Action", "Version", "AutoScalingGroupName", "PolicyName", "PolicyType"];

impl Request {
    /// The request of these parameters.
    ///
    /// # Errors
    /// `InvalidAction` for an action that is not known here, and what is wrong with a parameter.
    pub(super) fn read(action: &str, form: &Value) -> Result<Self, Fault> {
        let group = || form.required("AutoScalingGroupName");
        Ok(match action {
            "CreateAutoScalingGroup" => Self::Create(Settings::read(form)?),
            "UpdateAutoScalingGroup" => Self::Update(Settings::read(form)?),
            "DeleteAutoScalingGroup" => Self::Delete(group()?, form.flag("ForceDelete")?.unwrap_or(false)),
            "SetDesiredCapacity" => {
                let desired = form.number("DesiredCapacity")?;
                Self::Resize(group()?, desired.ok_or_else(|| Fault::invalid("DesiredCapacity is required"))?)
            }
            "TerminateInstanceInAutoScalingGroup" => {
                let shrink = form.flag("ShouldDecrementDesiredCapacity")?;
                let shrink = shrink.ok_or_else(|| Fault::invalid("ShouldDecrementDesiredCapacity is required"))?;
                Self::Terminate(form.required("InstanceId")?, shrink)
            }
            "SetInstanceHealth" => Self::SetHealth(Health {
                instance: form.required("InstanceId")?,
                healthy: match form.required("HealthStatus")?.as_str() {
                    "Healthy" => true,
                    "Unhealthy" => false,
                    other => {
                        return Err(Fault::invalid(format!("HealthStatus: `{other}` is not Healthy or Unhealthy")));
                    }
                },
                respect_grace: form.flag("ShouldRespectGracePeriod")?.unwrap_or(true),
            }),
            "AttachLoadBalancerTargetGroups" => Self::Attach(group()?, form.texts("TargetGroupARNs")),
            "DetachLoadBalancerTargetGroups" => Self::Detach(group()?, form.texts("TargetGroupARNs")),
            "PutScalingPolicy" => Self::PutPolicy(policy(form)?),
            "DeletePolicy" => {
                Self::DeletePolicy(form.text("AutoScalingGroupName").map(str::to_owned), form.required("PolicyName")?)
            }
            "CreateOrUpdateTags" => Self::PutTags(tags(form)?),
            "DeleteTags" => Self::DeleteTags(tags(form)?),
            "DescribeAutoScalingGroups" => Self::Groups(query(form, "AutoScalingGroupNames", 50, 100)?),
            "DescribeAutoScalingInstances" => Self::Instances(query(form, "InstanceIds", 50, 50)?),
            "DescribeLoadBalancerTargetGroups" => Self::TargetGroups(query(form, "", 100, 100)?),
            "DescribePolicies" => Self::Policies(query(form, "PolicyNames", 50, 100)?),
            "DescribeScalingActivities" => Self::Activities(query(form, "ActivityIds", 100, 100)?),
            "DescribeTags" => Self::Tags(query(form, "", 50, 100)?),
            "" => return Err(Fault::new("MissingAction", "The request has no parameter Action.")),
            other => {
                return Err(Fault::new(
                    "InvalidAction",
                    format!("The sandbox's Auto Scaling does not know the action {other}."),
                ));
            }
        })
    }
}

impl Settings {
    fn read(form: &Value) -> Result<Self, Fault> {
        if let Some(other) = OTHER_SOURCES.iter().find(|name| form.get(name).is_some()) {
            return Err(Fault::invalid(format!("The sandbox's groups launch by a LaunchTemplate, not by {other}.")));
        }
        let name = form.required("AutoScalingGroupName")?;
        if name.chars().count() > 255 || name.contains(':') {
            return Err(Fault::invalid(format!(
                "AutoScalingGroupName: `{name}` has more than 255 characters or a colon"
            )));
        }
        let template = form.get("LaunchTemplate").map(|t| Template {
            id: t.text("LaunchTemplateId").map(str::to_owned),
            name: t.text("LaunchTemplateName").map(str::to_owned),
            version: t.text("Version").map(str::to_owned),
        });
        let subnets = form.text("VPCZoneIdentifier").unwrap_or_default().split(',');
        let kinds = form.text("HealthCheckType").map(|t| t.split(',').any(|kind| kind.trim() == "ELB"));
        Ok(Self {
            min: form.number("MinSize")?,
            max: form.number("MaxSize")?,
            desired: form.number("DesiredCapacity")?,
            template,
            subnets: subnets.map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect(),
            target_groups: form.texts("TargetGroupARNs"),
            elb: kinds,
            grace: form.number("HealthCheckGracePeriod")?,
            cooldown: form.number("DefaultCooldown")?,
            protected: form.flag("NewInstancesProtectedFromScaleIn")?,
            tags: tags(form)?,
            name,
        })
    }
}

fn tags(form: &Value) -> Result<Vec<(String, Tag)>, Fault> {
    let own = form.text("AutoScalingGroupName").unwrap_or_default();
    let tag = |t: &Value| {
        let key = t.required("Key")?;
        if key.starts_with("aws:") {
            return Err(Fault::invalid(format!("Tag keys that start with aws: are reserved: {key}")));
        }
        let value = t.text("Value").unwrap_or_default().to_owned();
        let propagate = t.flag("PropagateAtLaunch")?.unwrap_or(false);
        Ok((t.text("ResourceId").unwrap_or(own).to_owned(), Tag { key, value, propagate }))
    };
    form.list("Tags").iter().map(tag).collect()
}

fn policy(form: &Value) -> Result<PolicyRequest, Fault> {
    let kind = form.text("PolicyType").unwrap_or("SimpleScaling").to_owned();
    if !["TargetTrackingScaling", "SimpleScaling", "StepScaling"].contains(&kind.as_str()) {
        return Err(Fault::invalid(format!("PolicyType: `{kind}` is not known to the sandbox's Auto Scaling")));
    }
    let tracking = form.get("TargetTrackingConfiguration");
    if kind == "TargetTrackingScaling" && tracking.is_none_or(|t| t.get("TargetValue").is_none()) {
        return Err(Fault::invalid("TargetTrackingConfiguration must be specified with a TargetValue"));
    }
    let Value::Fields(mut settings) = form.clone() else { return Err(Fault::invalid("the request is empty")) };
    settings.retain(|key, _| !POLICY_KEYS.contains(&key.as_str()));
    Ok(PolicyRequest {
        group: form.required("AutoScalingGroupName")?,
        name: form.required("PolicyName")?,
        kind,
        settings: Value::Fields(settings),
    })
}

fn query(form: &Value, names: &str, usual: usize, limit: usize) -> Result<Query, Fault> {
    let most = form.number("MaxRecords")?.map_or(Some(usual), |n| usize::try_from(n).ok());
    let Some(most) = most.filter(|n| (1..=limit).contains(n)) else {
        return Err(Fault::invalid(format!("MaxRecords must be between 1 and {limit}")));
    };
    let from = form.text("NextToken").map_or(Ok(0), str::parse);
    let filter = |f: &Value| Ok((f.required("Name")?, f.texts("Values")));
    Ok(Query {
        group: form.text("AutoScalingGroupName").map(str::to_owned),
        names: form.texts(names),
        kinds: form.texts("PolicyTypes"),
        filters: form.list("Filters").iter().map(filter).collect::<Result<_, Fault>>()?,
        instances: form.flag("IncludeInstances")?.unwrap_or(true),
        most,
        from: from.map_err(|_| Fault::new("InvalidNextToken", "The token is not valid."))?,
    })
}
