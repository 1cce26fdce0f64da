//! Service-linked roles: the roles by which AWS services act in an account.
//!
//! AWS creates such a role in the first call that needs it, with the permissions of whoever makes that call. An account
//! that has them already needs nobody who may create roles. They belong to their services and are never deleted: what
//! else in the account uses them cannot be known.
use super::{THERE, account::account};
use crate::{
    Error, Result,
    cloud::{self, Cloud, Told as _},
    engine::{Cx, Identity, Needs, Resource},
    progress,
    resources::kind::itself,
};
use aws_sdk_iam::types::RoleDetail;

/// The code with which IAM refuses one that exists: `Service role name .. has been taken in this account, please try a
/// different suffix.`
const REFUSED: &str = "InvalidInput";
const TAKEN: &str = "has been taken in this account";

/// A service that acts in the account by a role of its own ("AWS services that work with IAM", IAM user guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Starts and stops the instances of Auto Scaling groups.
    AutoScaling,
    /// Puts the network interfaces of load balancers into subnets.
    LoadBalancing,
    /// Starts Spot instances.
    Spot,
    /// Puts the network interfaces of transit gateway attachments into subnets.
    TransitGateway,
}

impl Service {
    /// What an application's first version needs.
    pub const OF_APPLICATIONS: [Self; 3] = [Self::LoadBalancing, Self::AutoScaling, Self::Spot];

    /// The service's name, as the role trusts it and as `iam:AWSServiceName` compares it.
    pub fn principal(self) -> &'static str {
        match self {
            Self::AutoScaling => "autoscaling.amazonaws.com",
            Self::LoadBalancing => "elasticloadbalancing.amazonaws.com",
            Self::Spot => "spot.amazonaws.com",
            Self::TransitGateway => "transitgateway.amazonaws.com",
        }
    }
    /// The name that AWS gives the role.
    pub fn role(self) -> &'static str {
        match self {
            Self::AutoScaling => "AWSServiceRoleForAutoScaling",
            Self::LoadBalancing => "AWSServiceRoleForElasticLoadBalancing",
            Self::Spot => "AWSServiceRoleForEC2Spot",
            Self::TransitGateway => "AWSServiceRoleForVPCTransitGateway",
        }
    }
    /// Whether a role is the service's default one. Auto Scaling takes others, too, which end in `_<suffix>`.
    fn has(self, role: &RoleDetail) -> bool {
        self.owns(role.path(), role.role_name())
    }
    fn owns(self, path: Option<&str>, name: Option<&str>) -> bool {
        let own = format!("/aws-service-role/{}/", self.principal());
        path == Some(own.as_str()) && name.is_some_and(|name| !name.contains('_'))
    }
}

/// The service-linked role of a service. Deleting leaves it.
#[derive(Clone, Needs)]
pub struct ServiceLinkedRole {
    /// Whose.
    pub service: Service,
}

impl ServiceLinkedRole {
    /// One that exists is what is wanted, whoever created it: an earlier try whose answer was lost, or AWS itself in a
    /// call that needed it.
    fn taken(e: &Error) -> bool {
        e.code() == Some(THERE) || (e.code() == Some(REFUSED) && e.to_string().contains(TAKEN))
    }
}

/// Whether these credentials may not; those that are expired are another matter.
fn is_denied(e: &Error) -> bool {
    e.code().is_some_and(cloud::is_denied)
}

impl Service {
    /// What to say when the role may not be created: nothing of the team's needs it before the service does.
    fn denied(self, e: &Error) -> String {
        let first = e.to_string();
        let first = first.lines().next().unwrap_or_default();
        let (role, principal) = (self.role(), self.principal());
        format!(
            "Service-linked role {role} of {principal} was not created, because iam:CreateServiceLinkedRole is denied: \
             {first}. Where it does not exist, the first call that needs it fails for identities that may not create it. \
             Create it with other credentials: `aws iam create-service-linked-role --aws-service-name {principal}`."
        )
    }

    /// Looks for the role by its name, where not all roles may be read. Where that is denied, too, nobody knows whether it
    /// exists: creating one that does is no error.
    async fn by_name(self, cloud: &Cloud) -> Result<Option<()>> {
        match cloud.iam().get_role().role_name(self.role()).send().await.unless_gone(cloud, self.role()) {
            Err(e) if is_denied(&e) => Ok(None),
            answer => {
                let role = answer?.and_then(|a| a.role);
                Ok(role.is_some_and(|r| self.owns(Some(&r.path), Some(&r.role_name))).then_some(()))
            }
        }
    }
}

impl Identity for ServiceLinkedRole {
    const KIND: &'static str = "service-linked role";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        self.service.role().to_owned()
    }
    /// By its path: the account's roles are read for the others anyway.
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let all = match account(cx.cloud).await {
            Err(e) if is_denied(&e) => return self.service.by_name(cx.cloud).await,
            other => other?,
        };
        Ok(all.roles.iter().any(|role| self.service.has(role)).then_some(()))
    }
    fn left(&self, _: &Cx<'_, Cloud>, (): &()) -> Option<String> {
        Some("other resources of the account may use it".into())
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        Ok(())
    }
    fn output(&self, (): &()) {}
}

impl Resource for ServiceLinkedRole {
    itself!();

    /// AWS gives it its name, and it bears no tags.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<()> {
        let call = cx.cloud.iam().create_service_linked_role().aws_service_name(self.service.principal());
        match call.send().await.told(cx.cloud, self.service.role()) {
            // Where roles may not be read, it existed before: no change.
            Err(e) if Self::taken(&e) => account(cx.cloud).await.map(drop).map_err(|_| e.tolerable()),
            // A team has no other use for the permission, and its network and roles do without.
            Err(e) if is_denied(&e) => {
                progress::warn(self.service.denied(&e));
                Err(e.tolerable())
            }
            other => other.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{AwsDetail, Kind};

    #[test]
    fn a_role_is_known_by_its_path() {
        let role = |path: &str, name: &str| RoleDetail::builder().path(path).role_name(name).build();
        let scaling = "/aws-service-role/autoscaling.amazonaws.com/";
        assert!(Service::AutoScaling.has(&role(scaling, Service::AutoScaling.role())));
        assert!(!Service::Spot.has(&role(scaling, Service::AutoScaling.role())));
        // Another one, for a customer managed key.
        assert!(!Service::AutoScaling.has(&role(scaling, "AWSServiceRoleForAutoScaling_keys")));
        // Somebody's own role.
        assert!(!Service::AutoScaling.has(&role("/", Service::AutoScaling.role())));
        assert!(!Service::AutoScaling.has(&RoleDetail::builder().build()));
    }

    #[test]
    fn one_that_exists_is_no_error() {
        let error = |code: &str, message: &str| {
            let aws = AwsDetail { code: Some(code.into()), ..AwsDetail::default() };
            Error::new(Kind::Failed, message).at(aws)
        };
        let taken = "Service role name AWSServiceRoleForAutoScaling has been taken in this account, please try a \
                     different suffix.";
        assert!(ServiceLinkedRole::taken(&error("InvalidInput", taken)));
        assert!(ServiceLinkedRole::taken(&error("EntityAlreadyExists", "Role with name x already exists.")));
        assert!(!ServiceLinkedRole::taken(&error("InvalidInput", "1 validation error detected")));
        assert!(!ServiceLinkedRole::taken(&error("AccessDenied", taken)));
    }
}
