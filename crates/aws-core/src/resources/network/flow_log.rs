//! Flow logs: which packets a VPC's network interfaces saw, told to CloudWatch Logs.
use super::{
    ids::VpcId,
    kinds::{self, KindId, On, Part, listed},
    lists::{self, Tagged, tagged},
    vpc::Vpc,
    waiting::{nameless, undone},
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, operations::ec2},
    engine::{Change, Cx, Needs, Ref, Resource},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{identity::team_role::RoleArn, kind::named, log_group::LogGroupName, tag_drift},
};
use aws_sdk_ec2::types::{FlowLog as Live, FlowLogsResourceType, LogDestinationType, ResourceType, TrafficType};

/// All traffic of a VPC, told to a log group.
#[derive(Needs)]
pub struct FlowLog {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// Whose traffic.
    pub vpc: Ref<VpcId>,
    /// Where it is told.
    pub log_group: Ref<LogGroupName>,
    /// The role by which AWS writes there.
    pub role: Ref<RoleArn>,
}

tagged!(Live);

/// What is wrong with the delivery of the owner's flow logs, a sentence each. AWS notices it minutes later, and goes
/// on trying: nothing needs to be written once the cause is gone, so it is no difference. Costs no call after a
/// [`FlowLog`] was looked for.
pub async fn notes(cloud: &Cloud, owner: &TeamOwner) -> Result<Vec<String>> {
    Ok(kinds::owned::<FlowLog>(cloud, owner).await?.iter().filter_map(|f| note(cloud.region(), f)).collect())
}

fn note(region: &str, live: &Live) -> Option<String> {
    (live.deliver_logs_status() == Some("FAILED")).then(|| {
        format!(
            "Flow log {} in {region} does not reach its log group: {}.",
            live.tag_name().unwrap_or_default(),
            live.deliver_logs_error_message().unwrap_or("AWS does not say why")
        )
    })
}

impl Part for FlowLog {
    const NAME: &'static str = "flow log";
    const OF_VPC: Option<&'static str> = None;
    const ON: On = &[KindId::of::<Vpc>];
    type Item = Live;
    type Output = ();

    fn id(item: &Live) -> &str {
        item.flow_log_id().unwrap_or_default()
    }
    listed!(describe_flow_logs, set_filter);

    /// What it told so far stays in the log group.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let done = cloud.ec2().delete_flow_logs().flow_log_ids(Self::id(item)).send().await.unless_gone(cloud, name)?;
        match done.and_then(|d| undone::<ec2::DeleteFlowLogs>(cloud.region(), name, d.unsuccessful())) {
            Some(e) if !e.is_gone() => Err(e),
            _ => Ok(()),
        }
    }
    fn output(_: &Live) {}
}

/// A role that was just made cannot be assumed everywhere yet: EC2 then says `InvalidParameter: Unable to assume
/// given IAM role`.
fn passing(e: Error) -> Error {
    let code = e.code().unwrap_or_default().to_owned();
    e.retry_on_words(&code, "unable to assume")
}

impl FlowLog {
    /// What is otherwise than it should be. AWS changes nothing of a flow log but its tags: it is made anew.
    fn differs(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let (vpc, group, role) = (cx.try_get(self.vpc), cx.try_get(self.log_group), cx.try_get(self.role));
        let wanted = [
            ("VPC", live.resource_id(), vpc.map(|v| v.id.as_str())),
            ("log group", live.log_group_name(), group.map(|g| g.0.as_str())),
            ("role", live.deliver_logs_permission_arn(), role.map(|r| r.0.as_str())),
            ("traffic", live.traffic_type().map(TrafficType::as_str), Some(TrafficType::All.as_str())),
        ];
        let differing = wanted.into_iter().filter(|(_, live, wanted)| wanted.is_some() && live != wanted);
        differing.map(|(field, live, to)| Change::new(field, live.unwrap_or("-"), to.unwrap_or("-"))).collect()
    }
}

impl Resource for FlowLog {
    named!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut changes = self.differs(cx, live);
        changes.extend(tag_drift::changes(&self.owner, &live.tag_map()));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let (vpc, group, role) = (cx.get(self.vpc), cx.get(self.log_group), cx.get(self.role));
        let call = cx.cloud.ec2().create_flow_logs().resource_type(FlowLogsResourceType::Vpc).resource_ids(&vpc.id);
        let call = call.traffic_type(TrafficType::All).log_destination_type(LogDestinationType::CloudWatchLogs);
        let call = call.log_group_name(&group.0).deliver_logs_permission_arn(&role.0);
        let tags = self.owner.tags(&self.name);
        let call = call.tag_specifications(lists::specification(ResourceType::VpcFlowLog, &tags));
        let call = call.client_token(cx.cloud.token::<ec2::CreateFlowLogs>(&self.name));
        let made = call.send().await.told(cx.cloud, &self.name).map_err(|e| {
            let there = e.code() == Some("FlowLogAlreadyExists");
            let e = passing(e);
            if there {
                e.hint(format!("Another flow log of {} has the same log group: remove it first.", vpc.id))
            } else {
                e
            }
        })?;
        if let Some(e) = undone::<ec2::CreateFlowLogs>(cx.cloud.region(), &self.name, made.unsuccessful()) {
            return Err(passing(e));
        }
        let id = made.flow_log_ids().first().ok_or_else(nameless::<ec2::CreateFlowLogs>)?;
        let live = Live::builder().flow_log_id(id).resource_id(&vpc.id).log_group_name(&group.0);
        let live = live.deliver_logs_permission_arn(&role.0).traffic_type(TrafficType::All);
        Ok(live.set_tags(Some(lists::ec2_tags(&tags))).build())
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        if self.differs(cx, live).is_empty() {
            lists::retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
            return Ok(live.clone());
        }
        // First away with the old one: AWS keeps only one for a VPC and log group.
        Self::delete(cx.cloud, &self.owner, &self.name, live).await?;
        self.create(cx).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{UnsuccessfulItem, UnsuccessfulItemError};

    fn item(code: &str, message: &str) -> UnsuccessfulItem {
        UnsuccessfulItem::builder().error(UnsuccessfulItemError::builder().code(code).message(message).build()).build()
    }

    #[test]
    fn what_was_not_done_is_an_error() {
        let told = |items: &[UnsuccessfulItem]| undone::<ec2::CreateFlowLogs>("eu-west-1", "all", items).map(passing);
        assert!(told(&[]).is_none());
        let e = told(&[item("FlowLogAlreadyExists", "it exists")]).unwrap();
        assert_eq!(e.to_string(), "ec2:CreateFlowLogs for all in eu-west-1: it exists (FlowLogAlreadyExists)");
        assert!(!e.is_retryable());
        assert!(told(&[item("InvalidParameter", "Unable to assume given IAM role: x")]).unwrap().is_retryable());
        assert!(!told(&[item("AccessDenied", "no")]).unwrap().is_retryable());
        assert!(told(&[UnsuccessfulItem::builder().build()]).is_some());
    }

    #[test]
    fn a_delivery_that_fails_is_noted() {
        let live = Live::builder().deliver_logs_status("SUCCESS");
        assert_eq!(note("eu-west-1", &live.clone().build()), None);
        let failing = live.deliver_logs_status("FAILED").deliver_logs_error_message("Access error").build();
        let words = "Flow log  in eu-west-1 does not reach its log group: Access error.";
        assert_eq!(note("eu-west-1", &failing).as_deref(), Some(words));
    }
}
