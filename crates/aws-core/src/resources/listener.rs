//! Listeners: a port of a load balancer, and where its traffic goes.
use super::{
    load_balancer::LoadBalancerId,
    target_group::{TargetGroupArn, tag_list},
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, quotas},
    engine::{Change, Cx, Identity, Needs, Ref, Resource, Use},
    model::{Owner, Owning as _, tag_rules},
    resources::kind::{found_through, itself},
};
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, Listener as Live, ProtocolEnum, RedirectActionConfig,
    RedirectActionStatusCodeEnum,
};
use std::sync::Arc;

/// TLS 1.2 and 1.3 only.
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

/// A listener.
#[derive(Clone, Needs)]
pub struct Listener {
    /// For whom.
    pub owner: Owner,
    /// `<load balancer>:<port>`.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// On which load balancer.
    pub load_balancer: Ref<LoadBalancerId>,
    /// On which port.
    pub port: u16,
    /// What is spoken on it.
    pub protocol: ListenerProtocol,
    /// Where the traffic goes.
    pub action: ListenerAction,
}

/// What a listener speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerProtocol {
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https {
        /// The certificate in ACM.
        certificate_arn: String,
    },
    /// TCP, passed through.
    Tcp,
    /// TLS, ended at the load balancer; TCP behind it.
    Tls {
        /// The certificate in ACM.
        certificate_arn: String,
    },
}

/// Where a listener's traffic goes.
#[derive(Clone, Needs)]
pub enum ListenerAction {
    /// To the targets of this group.
    Forward(Ref<TargetGroupArn>),
    /// Back to the client, which shall use HTTPS on port 443.
    RedirectToHttps,
}

/// The ARN of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerArn(pub String);

impl ListenerProtocol {
    fn name(&self) -> ProtocolEnum {
        match self {
            Self::Http => ProtocolEnum::Http,
            Self::Https { .. } => ProtocolEnum::Https,
            Self::Tcp => ProtocolEnum::Tcp,
            Self::Tls { .. } => ProtocolEnum::Tls,
        }
    }
    fn certificate(&self) -> Option<&str> {
        match self {
            Self::Https { certificate_arn } | Self::Tls { certificate_arn } => Some(certificate_arn),
            Self::Http | Self::Tcp => None,
        }
    }
    fn certificates(&self) -> Option<Vec<Certificate>> {
        Some(vec![Certificate::builder().certificate_arn(self.certificate()?).build()])
    }
    fn tls_policy(&self) -> Option<&'static str> {
        self.certificate().map(|_| TLS_POLICY)
    }
}

fn key(load_balancer: &str) -> String {
    format!("listeners of {load_balancer}")
}

/// Remembers that a load balancer has no listeners, because it was made just now: its listeners need not
/// be looked for. A retry forgets this, and looks.
pub(super) async fn none_yet(cloud: &Cloud, load_balancer: &str) -> Result<()> {
    cloud.once(key(load_balancer), async { Ok(Vec::<Live>::new()) }).await.map(drop)
}

/// All listeners of the load balancer of this ARN; none when it is gone. Shared by all who ask in this run.
pub async fn list(cloud: &Cloud, load_balancer: &str) -> Result<Arc<Vec<Live>>> {
    let load = async {
        let pages = cloud.elb().describe_listeners().load_balancer_arn(load_balancer).into_paginator().items().send();
        let found = pages.collect::<Result<Vec<Live>, _>>().await.unless_gone(cloud, load_balancer)?;
        Ok(found.unwrap_or_default())
    };
    cloud.once(key(load_balancer), load).await
}

fn redirect() -> Action {
    let config = RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port("443")
        .host("#{host}")
        .path("/#{path}")
        .query("#{query}")
        .status_code(RedirectActionStatusCodeEnum::Http301)
        .build();
    Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(config).build()
}

fn forward(target_group: &str) -> Action {
    Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group).build()
}

/// The action in words, for comparing and for showing.
fn words(action: &Action) -> String {
    let name = |arn: &str| arn.split(":targetgroup/").last().unwrap_or(arn).to_owned();
    match action.r#type() {
        Some(ActionTypeEnum::Forward) => {
            let several = action.forward_config().map(|f| f.target_groups()).unwrap_or_default();
            let mut names: Vec<String> = several.iter().filter_map(|t| t.target_group_arn()).map(name).collect();
            if names.is_empty() {
                names.extend(action.target_group_arn().map(name));
            }
            format!("forward to {}", names.join(" and "))
        }
        Some(ActionTypeEnum::Redirect) => {
            let to = action.redirect_config();
            let part = |p: Option<&str>, default: &str| p.unwrap_or(default).to_owned();
            format!(
                "redirect to {}:{}",
                part(to.and_then(|r| r.protocol()), "#{protocol}"),
                part(to.and_then(|r| r.port()), "#{port}")
            )
        }
        other => other.map_or_else(|| "-".into(), |t| t.as_str().to_owned()),
    }
}

impl Listener {
    fn wanted(&self, cx: &Cx<'_, Cloud>) -> Option<Action> {
        match &self.action {
            ListenerAction::Forward(group) => cx.try_get(*group).map(|g| forward(&g.0)),
            ListenerAction::RedirectToHttps => Some(redirect()),
        }
    }
    fn compare(&self, live: &Live, action: Option<&Action>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut compare = |field: &str, now: Option<&str>, wanted: Option<&str>| {
            if now.unwrap_or("-") != wanted.unwrap_or("-") {
                changes.push(Change::new(field, now.unwrap_or("-"), wanted.unwrap_or("-")));
            }
        };
        compare("protocol", live.protocol().map(ProtocolEnum::as_str), Some(self.protocol.name().as_str()));
        // Without TLS there is neither, whatever AWS may keep.
        if let Some(certificate) = self.protocol.certificate() {
            let now = live.certificates().first().and_then(|c| c.certificate_arn());
            compare("certificate", now, Some(certificate));
            compare("TLS policy", live.ssl_policy(), self.protocol.tls_policy());
        }
        if let Some(action) = action {
            let now: Vec<String> = live.default_actions().iter().map(words).collect();
            compare("action", Some(&now.join(", ")), Some(&words(action)));
        }
        changes
    }
}

impl Identity for Listener {
    const KIND: &'static str = "listener";
    type Cloud = Cloud;
    type Live = Live;
    type Output = ListenerArn;
    fn name(&self) -> String {
        self.name.clone()
    }
    fn noun(&self) -> String {
        self.noun.clone()
    }
    found_through!(load_balancer);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        // When deleting: a listener goes with its load balancer. Whose it is was asked there.
        let Some(load_balancer) = cx.try_get(self.load_balancer) else { return Ok(None) };
        let all = list(cx.cloud, &load_balancer.arn).await?;
        Ok(all.iter().find(|l| l.port() == Some(self.port.into())).cloned())
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        let arn = live.listener_arn().unwrap_or_default();
        cx.cloud.elb().delete_listener().listener_arn(arn).send().await.unless_gone(cx.cloud, &self.name).map(drop)
    }
    fn output(&self, live: &Live) -> ListenerArn {
        ListenerArn(live.listener_arn().unwrap_or_default().into())
    }
}

impl Resource for Listener {
    itself!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn uses(&self) -> Vec<Use> {
        let quota = match self.protocol {
            ListenerProtocol::Http | ListenerProtocol::Https { .. } => quotas::APPLICATION_LISTENERS,
            ListenerProtocol::Tcp | ListenerProtocol::Tls { .. } => quotas::NETWORK_LISTENERS,
        };
        let balancer = self.name.rsplit_once(':').map_or(self.name.as_str(), |(balancer, _)| balancer);
        vec![Use::within(quota.name, 1, balancer)]
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.compare(live, self.wanted(cx).as_ref())
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let call = cx
            .cloud
            .elb()
            .create_listener()
            .load_balancer_arn(&cx.get(self.load_balancer).arn)
            .port(self.port.into())
            .protocol(self.protocol.name())
            .set_certificates(self.protocol.certificates())
            .set_ssl_policy(self.protocol.tls_policy().map(str::to_owned))
            .set_default_actions(self.wanted(cx).map(|a| vec![a]))
            .set_tags(Some(tag_list(&self.owner.tags(&self.name))))
            .send()
            .await;
        let answer = call.told(cx.cloud, &self.name).map_err(explain)?;
        let made = answer.listeners.unwrap_or_default().into_iter().next();
        made.ok_or_else(|| Error::failed("AWS answered without the new listener").retryable())
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let call = cx
            .cloud
            .elb()
            .modify_listener()
            .listener_arn(live.listener_arn().unwrap_or_default())
            .port(self.port.into())
            .protocol(self.protocol.name())
            .set_certificates(self.protocol.certificates())
            .set_ssl_policy(self.protocol.tls_policy().map(str::to_owned))
            .set_default_actions(self.wanted(cx).map(|a| vec![a]))
            .send()
            .await;
        let answer = call.told(cx.cloud, &self.name).map_err(explain)?;
        Ok(answer.listeners.unwrap_or_default().into_iter().next().unwrap_or_else(|| live.clone()))
    }
}

fn explain(error: Error) -> Error {
    match error.code() {
        Some("CertificateNotFound" | "UnsupportedCertificate") => error.hint(
            "Check certificate_arn in the settings: it must be an issued certificate of this region and account.",
        ),
        Some("TargetGroupAssociationLimit") => error.hint(
            "The target group serves another load balancer already: remove that one, or choose another version name.",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticloadbalancingv2::types::{ForwardActionConfig, TargetGroupTuple};

    const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/app-a-1/0123";

    #[test]
    fn actions_in_words() {
        let several = ForwardActionConfig::builder()
            .target_groups(TargetGroupTuple::builder().target_group_arn(GROUP).build())
            .target_groups(TargetGroupTuple::builder().target_group_arn("other").build())
            .build();
        let split = Action::builder().r#type(ActionTypeEnum::Forward).forward_config(several).build();
        let fixed = Action::builder().r#type(ActionTypeEnum::FixedResponse).build();
        for (action, text) in [
            (forward(GROUP), "forward to app-a-1/0123"),
            (split, "forward to app-a-1/0123 and other"),
            (redirect(), "redirect to HTTPS:443"),
            (fixed, "fixed-response"),
        ] {
            assert_eq!(words(&action), text);
        }
    }
}
