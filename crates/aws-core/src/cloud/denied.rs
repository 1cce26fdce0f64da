//! Denied calls: which action AWS named, which kind of policy denied it, and what to do about it.
//!
//! AWS often checks more inside a call than the action of its name, and says which action was missing. The forms are
//! those of "Troubleshoot access denied error messages" (IAM user guide) and, since 2026, with the policy's ARN at the end
//! ("Enhanced access denied error messages with policy ARNs", AWS Security Blog). Some services say less, and EC2 adds a
//! message that only `sts:DecodeAuthorizationMessage` reads.
use super::operations::{self, checked_inside, name_of};

/// Codes by which the services deny a call.
const CODES: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
    "Client.UnauthorizedOperation",
    "UnauthorizedOperation",
];

/// The call that takes a role.
pub(super) const ASSUME_ROLE: &str = name_of::<operations::sts::AssumeRole>();
/// The action that creates the role of a service.
const LINK: &str = name_of::<operations::iam::CreateServiceLinkedRole>();
/// What stands before the message that only AWS reads.
const ENCODED: &str = "Encoded authorization failure message:";

/// Whether a code says that a call was denied.
pub(crate) fn is_denied(code: &str) -> bool {
    CODES.contains(&code)
}

/// What denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Identity,
    Boundary,
    Session,
    ServiceControl,
    ResourceControl,
    Endpoint,
    Trust,
    Resource,
}

/// As messages call them. `resource-based` comes last: it is what is left of a bucket, a key, a repository.
const POLICIES: [(&str, Policy); 8] = [
    ("identity-based policy", Policy::Identity),
    ("permissions boundary", Policy::Boundary),
    ("session policy", Policy::Session),
    ("service control policy", Policy::ServiceControl),
    ("resource control policy", Policy::ResourceControl),
    ("vpc endpoint policy", Policy::Endpoint),
    ("role trust policy", Policy::Trust),
    ("resource-based policy", Policy::Resource),
];

/// A message of AWS, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Denied {
    /// The ARN of who called.
    principal: Option<String>,
    action: Option<String>,
    /// The ARN of what it was to act on.
    resource: Option<String>,
    policy: Option<Policy>,
    /// A statement of the policy denies it; else none allows it.
    explicit: bool,
    /// The ARN of the policy.
    arn: Option<String>,
    encoded: Option<String>,
}

/// The message without what only AWS reads: that stands in a hint, where it can be pasted.
pub(super) fn shown(message: &str) -> &str {
    message.split_once(ENCODED).map_or(message, |(before, _)| before).trim_end()
}

/// What to do about a call of `operation` in `region` that AWS denied with this message. `account`: the caller's number.
pub(super) fn hints(operation: &str, region: &str, account: Option<&str>, code: &str, message: &str) -> Vec<String> {
    let mut denied = parse(message);
    if code.ends_with("ServiceLinkedRoleCreationNotPermitted") || code == "AccessDeniedForDependencyException" {
        denied.action.get_or_insert_with(|| LINK.to_owned());
    }
    let mut hints = vec![denied.hint(operation, region, account)];
    hints.extend(denied.linked());
    hints.extend(denied.encoded.map(|text| {
        format!(
            "Decode AWS's reason: `aws sts decode-authorization-message --query DecodedMessage --output text \
             --encoded-message {text}`"
        )
    }));
    hints
}

fn parse(message: &str) -> Denied {
    let word = |before: &str| {
        let rest = message.split_once(before)?.1.trim_start();
        let word = rest.split_whitespace().next()?.trim_matches(|c: char| "\".,;".contains(c));
        (!word.is_empty()).then(|| word.to_owned())
    };
    let action = word("not authorized to perform: ").or_else(|| word("not authorized to perform "));
    let lower = message.to_ascii_lowercase();
    let (explicit, reason) = match (lower.split_once("with an explicit deny in "), lower.split_once("because no ")) {
        (Some((_, reason)), _) => (true, Some(reason)),
        (None, Some((_, reason))) => (false, Some(reason)),
        (None, None) => (false, None),
    };
    let policy = reason.and_then(|reason| {
        let reason = reason.trim_start_matches("a ").trim_start_matches("an ").trim_start_matches("the ");
        POLICIES.iter().find(|(name, _)| reason.starts_with(name)).map(|(_, policy)| *policy)
    });
    let named = |name: &str| {
        let at = lower.find(&format!("{name}: arn:"))? + name.len() + 2;
        let arn = message.get(at..)?.split_whitespace().next()?.trim_matches(|c: char| "\".,;".contains(c));
        Some(arn.to_owned())
    };
    let arn = POLICIES.iter().filter(|(_, p)| Some(*p) == policy).find_map(|(name, _)| named(name));
    Denied {
        principal: word("User: ").filter(|who| who.starts_with("arn:")),
        action: action.filter(|action| action.contains(':')),
        resource: word("on resource: ").filter(|what| what.starts_with("arn:")),
        policy,
        explicit,
        arn,
        encoded: word(ENCODED),
    }
}

/// A role or user, for people and for commands.
struct Who {
    noun: String,
    /// The ARN that IAM's commands take.
    arn: String,
    /// The role's name.
    role: Option<String>,
}

/// The identity behind `arn:aws:sts::123456789012:assumed-role/Deployer/session`. A role's path is not in it.
fn who(principal: &str) -> Option<Who> {
    let mut parts = principal.splitn(6, ':');
    let (partition, account, name) = (parts.nth(1)?, parts.nth(2)?, parts.next()?);
    let (kind, rest) = name.split_once('/')?;
    match kind {
        "assumed-role" => {
            let role = rest.split('/').next()?;
            let arn = format!("arn:{partition}:iam::{account}:role/{role}");
            Some(Who { noun: format!("role {role}"), arn, role: Some(role.to_owned()) })
        }
        "user" => {
            let noun = format!("user {}", rest.rsplit('/').next()?);
            Some(Who { noun, arn: principal.to_owned(), role: None })
        }
        _ => None,
    }
}

impl Denied {
    /// The sentence, which begins with what to do.
    fn hint(&self, operation: &str, region: &str, account: Option<&str>) -> String {
        let Some(action) = self.action.as_deref() else { return unnamed(operation) };
        let who = self.principal.as_deref().and_then(who);
        let noun = who.as_ref().map_or("these credentials", |who| who.noun.as_str());
        let inside = if action == operation { String::new() } else { format!(" (checked inside {operation})") };
        let (what, named) = (self.what(), self.arn.as_deref().map(|arn| format!(" ({arn})")).unwrap_or_default());
        let there = self.resource.as_deref().unwrap_or("the resource");
        match self.policy {
            Some(Policy::Identity) if self.explicit => format!(
                "Remove the statement that denies {action}{inside} from the policies of {noun}{named}: a deny overrides \
                 every allow.{}",
                simulate(who.as_ref(), action)
            ),
            Some(Policy::Identity) => format!(
                "Allow {action}{what}{inside} in a policy of {noun}; docs/permissions.md lists what is needed.{}",
                simulate(who.as_ref(), action)
            ),
            Some(Policy::Boundary) => format!(
                "Change the permissions boundary of {noun}{named}, which {} {action}{inside}: it limits \
                 what other policies can allow.{}",
                self.does(),
                who.as_ref().and_then(|who| who.role.as_deref()).map_or_else(String::new, |role| format!(
                    " Find it with `aws iam get-role --role-name {role} --query Role.PermissionsBoundary`."
                ))
            ),
            Some(Policy::Session) => format!(
                "Sign in without the session policy{named}, or with one that allows {action}{inside}: the session of {noun} \
                 was started with a policy that {} it. See who is signed in with `aws sts get-caller-identity`.",
                self.does()
            ),
            Some(Policy::ServiceControl) => {
                self.of_organization("service control", "SERVICE_CONTROL_POLICY", &inside, account)
            }
            Some(Policy::ResourceControl) => {
                self.of_organization("resource control", "RESOURCE_CONTROL_POLICY", &inside, account)
            }
            Some(Policy::Endpoint) => format!(
                "Change the policy of the VPC endpoint{named} that the call passes through, which {} {action}{inside}: `aws \
                 ec2 describe-vpc-endpoints --region {region} --query \
                 'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]'`.",
                self.does()
            ),
            Some(Policy::Trust) => format!(
                "Let {there} trust {}: `aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument` shows whom it \
                 trusts.",
                self.principal.as_deref().unwrap_or("these credentials"),
                there.rsplit('/').next().unwrap_or(there)
            ),
            Some(Policy::Resource) => {
                format!("Change the policy of {there}, which {} {action} to {noun}{inside}.", self.does())
            }
            // Between accounts, AWS does not say on which side it is missing.
            None if action == ASSUME_ROLE => format!(
                "Allow {action}{what} in a policy of {noun}, and let the role trust {}: show its trust policy with `aws iam \
                 get-role --role-name {} --query Role.AssumeRolePolicyDocument`.",
                self.principal.as_deref().unwrap_or("these credentials"),
                there.rsplit('/').next().unwrap_or(there)
            ),
            None => format!(
                "Allow {action}{what}{inside} to {noun}; docs/permissions.md lists what is needed. AWS does not say which \
                 policy is missing it or denies it.{}",
                simulate(who.as_ref(), action)
            ),
        }
    }

    fn does(&self) -> &'static str {
        if self.explicit { "denies" } else { "does not allow" }
    }

    /// ` on arn:..`; nothing where AWS names nothing.
    fn what(&self) -> String {
        self.resource.as_deref().map(|arn| format!(" on {arn}")).unwrap_or_default()
    }

    /// A policy of AWS Organizations: nobody in the account can change it.
    fn of_organization(&self, kind: &str, filter: &str, inside: &str, account: Option<&str>) -> String {
        // One for resources holds in the account of the resource.
        let number = |arn: Option<&'_ str>| -> Option<String> {
            arn?.split(':').nth(4).filter(|n| n.len() == 12 && !n.contains('*')).map(str::to_owned)
        };
        let (principal, resource) = (number(self.principal.as_deref()), number(self.resource.as_deref()));
        let (first, second) =
            if self.policy == Some(Policy::ResourceControl) { (resource, principal) } else { (principal, resource) };
        let number = first.or_else(|| account.map(str::to_owned)).or(second);
        let target = number.as_deref().unwrap_or("ACCOUNT");
        let action = self.action.as_deref().unwrap_or_default();
        let named = self.arn.as_deref().map(|arn| format!(" ({arn})")).unwrap_or_default();
        format!(
            "Ask the administrators of the AWS organization to allow {action}{inside}: a {kind} policy{named} {} it, and no \
             policy of the account can. They find it with `aws organizations list-policies-for-target --target-id {target} \
             --filter {filter}`; also check the organizational units above the account.",
            self.does()
        )
    }

    /// A role that somebody who may can create beforehand.
    fn linked(&self) -> Option<String> {
        if self.action.as_deref() != Some(LINK) {
            return None;
        }
        let service =
            self.resource.as_deref().and_then(|arn| arn.split("/aws-service-role/").nth(1)?.split('/').next());
        let service = service.unwrap_or("SERVICE.amazonaws.com");
        Some(format!(
            "Or ask an administrator to create the role once in the account: `aws iam create-service-linked-role \
             --aws-service-name {service}`; `overlord team create` does that in a team's account."
        ))
    }
}

/// Some services do not name the action.
fn unnamed(operation: &str) -> String {
    let (inside, action) =
        (checked_inside(operation), operations::find(operation).map_or(operation, |row| row.action()));
    let also = if inside.is_empty() {
        String::new()
    } else {
        let actions: Vec<&str> = inside.iter().map(|inside| inside.action).collect();
        format!(" This call also requires {}.", actions.join(", "))
    };
    format!(
        "Allow {action} (see docs/permissions.md) if it is not allowed yet: AWS does not name the action that it \
         denied.{also}"
    )
}

fn simulate(who: Option<&Who>, action: &str) -> String {
    let Some(who) = who else { return String::new() };
    format!(
        " Test it with `aws iam simulate-principal-policy --policy-source-arn {} --action-names {action}`.",
        who.arn
    )
}

#[cfg(test)]
mod tests;
