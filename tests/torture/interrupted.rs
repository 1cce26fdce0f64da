//! What a command may still do, and has to say, after Ctrl-C: what is in flight is finished, nothing is begun.
use crate::{
    client::{Ended, HEARD},
    faults::Call,
    proxy::Change,
};
use std::time::{Duration, Instant};

/// How long a call that was sent before takes to arrive, on a busy computer; the call that Ctrl-C was pressed at is
/// answered later.
const ARRIVES: Duration = Duration::from_millis(500);

/// So long the signal takes to reach a command on a busy computer, and its words to reach us.
const HEARS: Duration = Duration::from_secs(5);

/// What finishes something that was begun: by a call of which of these operations, which may be the one that Ctrl-C was
/// pressed at and only read. All others begin something.
const FINISHES: &[(&str, &[&str])] = &[
    ("acm:AddTagsToCertificate", &["acm:RequestCertificate", "acm:AddTagsToCertificate"]),
    ("cloudtrail:StartLogging", &["cloudtrail:CreateTrail"]),
    ("ec2:AcceptVpcPeeringConnection", &["ec2:CreateVpcPeeringConnection"]),
    ("ec2:AssociateAddress", &["ec2:RunInstances"]),
    ("ec2:RunInstances", &["ec2:CreateSecurityGroup"]),
    ("ec2:AssociateDhcpOptions", &["ec2:CreateDhcpOptions"]),
    ("ec2:AssociateRouteTable", &["ec2:CreateRouteTable"]),
    ("ec2:AttachInternetGateway", &["ec2:CreateInternetGateway"]),
    ("ec2:AttachVpnGateway", &["ec2:CreateVpnGateway"]),
    ("ec2:AuthorizeSecurityGroupIngress", &["ec2:CreateSecurityGroup"]),
    ("ec2:CreateRoute", &["ec2:CreateRouteTable", "ec2:CreateRoute"]),
    ("ec2:CreateTags", &["ec2:CreateTags"]),
    ("ec2:CreateVpnConnectionRoute", &["ec2:CreateVpnConnection"]),
    ("ec2:DeleteInternetGateway", &["ec2:DetachInternetGateway"]),
    ("ec2:DeleteRoute", &["ec2:DeleteRoute"]),
    ("ec2:DeleteRouteTable", &["ec2:DisassociateRouteTable"]),
    ("ec2:DeleteSecurityGroup", &["ec2:TerminateInstances"]),
    ("ec2:DeleteTransitGateway", &["ec2:DescribeTransitGatewayAttachments"]),
    ("ec2:DeleteVpnGateway", &["ec2:DetachVpnGateway"]),
    ("ec2:DisassociateRouteTable", &["ec2:DisassociateRouteTable"]),
    ("ec2:ModifyInstanceAttribute", &["ec2:RunInstances"]),
    ("ec2:ModifySubnetAttribute", &["ec2:CreateSubnet"]),
    ("ec2:ModifyVpcAttribute", &["ec2:CreateVpc", "ec2:ModifyVpcAttribute"]),
    ("ec2:ReplaceRoute", &["ec2:ReplaceRoute"]),
    ("ec2:RevokeSecurityGroupEgress", &["ec2:RevokeSecurityGroupIngress", "ec2:DescribeSecurityGroups"]),
    ("elasticloadbalancing:ModifyLoadBalancerAttributes", &["elasticloadbalancing:CreateLoadBalancer"]),
    ("elasticloadbalancing:ModifyTargetGroupAttributes", &["elasticloadbalancing:CreateTargetGroup"]),
    ("autoscaling:PutScalingPolicy", &["autoscaling:CreateAutoScalingGroup"]),
    ("autoscaling:DeleteAutoScalingGroup", &["autoscaling:UpdateAutoScalingGroup"]),
    ("autoscaling:UpdateAutoScalingGroup", &["autoscaling:DescribeAutoScalingGroups"]),
    ("iam:AddRoleToInstanceProfile", &["iam:CreateInstanceProfile"]),
    ("iam:AttachRolePolicy", &["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"]),
    ("iam:CreateInstanceProfile", &["iam:CreateRole"]),
    ("iam:DeleteInstanceProfile", &["iam:RemoveRoleFromInstanceProfile"]),
    ("iam:DeletePolicy", &["iam:ListEntitiesForPolicy"]),
    ("iam:DeleteRole", &["iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteInstanceProfile"]),
    (
        "iam:DeleteRolePolicy",
        &[
            "iam:RemoveRoleFromInstanceProfile",
            "iam:DetachRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
            "iam:ListAttachedRolePolicies",
        ],
    ),
    (
        "iam:DetachRolePolicy",
        &[
            "iam:RemoveRoleFromInstanceProfile",
            "iam:DeleteRolePolicy",
            "iam:AttachRolePolicy",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
            "iam:ListAttachedRolePolicies",
        ],
    ),
    ("iam:PutRolePolicy", &["iam:CreateRole", "iam:UpdateRole", "iam:PutRolePolicy"]),
    (
        "iam:RemoveRoleFromInstanceProfile",
        &["iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"],
    ),
    ("iam:TagRole", &["iam:UpdateRole"]),
    ("iam:UpdateRole", &["iam:UpdateRole", "iam:TagRole"]),
    ("logs:PutRetentionPolicy", &["logs:CreateLogGroup"]),
    ("logs:TagResource", &["logs:PutRetentionPolicy"]),
    ("ram:AssociateResourceShare", &["ram:CreateResourceShare"]),
    ("ram:AcceptResourceShareInvitation", &["ram:CreateResourceShare", "ram:AssociateResourceShare"]),
    ("route53:ChangeTagsForResource", &["route53:CreateHostedZone"]),
    ("route53:DeleteHostedZone", &["route53:ChangeResourceRecordSets"]),
    ("s3:PutBucketLifecycleConfiguration", &["s3:CreateBucket"]),
    ("s3:PutBucketPolicy", &["s3:CreateBucket"]),
    ("s3:PutBucketTagging", &["s3:CreateBucket"]),
    ("s3:PutBucketVersioning", &["s3:CreateBucket"]),
    ("s3:PutPublicAccessBlock", &["s3:CreateBucket"]),
    ("s3:DeleteBucket", &["s3:DeleteObjects", "s3:ListObjectVersions"]),
];

impl Change {
    /// Whether it is about the lease or the history, which every command writes.
    pub(crate) fn accompanies(&self) -> bool {
        let history = self.operation.starts_with("logs:") && self.request.contains("/history");
        history || (self.operation.starts_with("ssm:") && self.request.contains("/leases/"))
    }

    /// A parameter that is there already is written once more, with leave to overwrite it.
    fn overwrites(&self, (operation, request): (&str, &str)) -> bool {
        let name = |request: &str| request.split_once("\",\"Value").map(|(name, _)| name.to_owned());
        let same = self.operation == "ssm:PutParameter" && self.operation == operation;
        same && name(&self.request).is_some_and(|of| name(request) == Some(of))
    }

    /// What a team does last: it gives its addresses back.
    fn returns_addresses(&self) -> bool {
        self.operation == "ssm:DeleteParameters" && self.request.contains("/overlord/acme/addresses/")
    }

    /// The team's record, which says how far it came although nothing is begun any more.
    fn record(&self) -> bool {
        self.operation.starts_with("ssm:") && self.request.contains("/overlord/acme/teams/")
    }
}

/// What is wrong with a run that was interrupted at this call, `pressed`, with its calls that change something.
pub(crate) fn problems(run: &Ended, changes: &[Change], call: &Call, pressed: Instant) -> Vec<String> {
    let begun = |late: &Change| {
        let finishes = FINISHES.iter().find(|(operation, _)| *operation == late.operation);
        let earlier = changes.iter().filter(|one| one.at < late.at);
        let mut same = earlier.map(|one| (one.operation.as_str(), one.request.as_str()));
        let again = same.any(|one| late.overwrites(one)) || late.overwrites((&call.operation, &call.request));
        let known =
            |of: &&str| call.operation == **of || changes.iter().any(|one| one.operation == **of && one.at < late.at);
        again || finishes.is_some_and(|(_, all)| all.iter().any(known))
    };
    // Who is killed by the second Ctrl-C may not have said that he heard the first.
    let heard = run.heard.unwrap_or(pressed).min(pressed + HEARS) + ARRIVES;
    let late = changes.iter().filter(|one| one.at > heard && !one.accompanies() && !one.record());
    let mut late: Vec<&Change> = late.filter(|one| !begun(one)).collect();
    let mut problems = Vec::new();
    if run.ok() {
        // All was done but this.
        late.retain(|one| !one.returns_addresses());
    }
    let mut late: Vec<&str> = late.iter().map(|one| one.operation.as_str()).collect();
    late.dedup();
    if !late.is_empty() {
        let code = run.told();
        problems.push(format!("after Ctrl-C it begins something else: {} ({code})", late.join(", ")));
    }
    if run.code == Some(130) {
        let changed = changes.iter().any(|one| !one.accompanies() && !one.record());
        if !tells(&run.stderr, changed) {
            problems.push(format!("after Ctrl-C it does not say what is done and what is not: {}", run.stderr.trim()));
        }
    }
    problems
}

/// Words that say what an interrupted command has left.
const LEFT: [&str; 11] = [
    "Creating account ",
    "Not begun:",
    "Not tried",
    "Made:",
    "Changed:",
    "Removed:",
    "Perhaps done:",
    "may have happened:",
    "before ",
    "after the traffic was moved",
    "interrupted while waiting for",
];

/// Words that are enough where nothing was changed.
const NOTHING: [&str; 4] = ["nothing was in flight", "nothing was begun", "nothing was changed", "Error: interrupted"];

/// Whether an output says what was left; `changed`: whether something was.
fn tells(said: &str, changed: bool) -> bool {
    let mut lines = said.lines().filter(|line| !line.starts_with(HEARD) && !line.starts_with("Interrupted again"));
    let one_of = |line: &str, words: &[&str]| words.iter().any(|word| line.contains(word));
    lines.any(|line| one_of(line, &LEFT) || (!changed && one_of(line, &NOTHING)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(said: &str) -> Ended {
        Ended {
            line: String::new(),
            code: Some(130),
            signal: None,
            hung: false,
            stdout: String::new(),
            stderr: said.to_owned(),
            took: Duration::ZERO,
            at: Instant::now(),
            heard: None,
        }
    }

    #[test]
    fn what_was_begun_is_finished_and_nothing_else() {
        let pressed = Instant::now();
        let at = |seconds: i64, operation: &str, request: &str| Change {
            at: if seconds < 0 { pressed } else { pressed + Duration::from_secs(seconds.unsigned_abs()) },
            operation: operation.to_owned(),
            request: request.to_owned(),
        };
        let said = run("Interrupted: 1 of 2 resources. Made: role. Not begun: bucket.");
        let pressed_at = |operation: &str| Call {
            operation: operation.to_owned(),
            n: 1,
            request: String::new(),
            answer: String::new(),
            status: 200,
            stale_differs: false,
        };
        let problems = |run: &Ended, changes: &[Change], operation: &str| {
            super::problems(run, changes, &pressed_at(operation), pressed)
        };
        let lease = at(2, "ssm:PutParameter", "/minion/team/leases/hello");
        let follows = [at(-1, "iam:CreateRole", ""), at(1, "iam:PutRolePolicy", ""), lease.clone()];
        assert!(problems(&said, &follows, "iam:CreateRole").is_empty());
        let begins = [at(-1, "iam:CreateRole", ""), at(1, "s3:CreateBucket", ""), lease];
        assert_eq!(problems(&said, &begins, "iam:CreateRole").len(), 1);
        assert_eq!(problems(&run("Interrupted: finishing what is in flight"), &follows, "iam:CreateRole").len(), 1);
        assert_eq!(problems(&run("Error: interrupted; nothing was in flight"), &follows, "iam:CreateRole").len(), 1);
        assert!(problems(&run("Error: interrupted; nothing was in flight"), &[], "iam:GetRole").is_empty());
        // On a busy computer it hears late; but not for ever.
        let begins = [at(2, "s3:CreateBucket", "")];
        for (heard, wrong) in [(0, 1), (1, 1), (2, 0), (60, 0)] {
            let ended = Ended { heard: Some(pressed + Duration::from_secs(heard)), ..said.clone() };
            assert_eq!(problems(&ended, &begins, "iam:CreateRole").len(), wrong, "{heard}");
        }
        let ended = Ended { heard: Some(pressed + Duration::from_secs(60)), ..said.clone() };
        assert_eq!(problems(&ended, &[at(6, "s3:CreateBucket", "")], "iam:CreateRole").len(), 1);
        // A role is being deleted since the read that Ctrl-C was pressed at.
        let parts = [at(1, "iam:DetachRolePolicy", ""), at(2, "iam:DeleteRole", "")];
        assert!(problems(&said, &parts, "iam:ListInstanceProfilesForRole").is_empty());
        assert_eq!(problems(&said, &parts, "iam:GetRole").len(), 1);
        let write = at(1, "ssm:PutParameter", "{\"Name\":\"/minion/a\",\"Value\":\"1\"}");
        assert!(write.overwrites(("ssm:PutParameter", "{\"Name\":\"/minion/a\",\"Value\":\"2\"}")));
        assert!(!write.overwrites(("ssm:PutParameter", "{\"Name\":\"/minion/b\",\"Value\":\"1\"}")));
        let twice =
            |before: i64| [at(before, "ssm:PutParameter", &write.request), at(2, "ssm:PutParameter", &write.request)];
        assert!(problems(&said, &twice(0), "ec2:CreateTags").is_empty(), "it was begun before");
        assert_eq!(problems(&said, &twice(2), "ec2:CreateTags").len(), 1);
        let given_back = [at(1, "ssm:DeleteParameters", "/overlord/acme/addresses/10.0.0.0-19")];
        assert_eq!(problems(&said, &given_back, "ec2:DeleteVpc").len(), 1);
        let done = Ended { code: Some(0), ..run("Team red is gone.") };
        assert!(problems(&done, &given_back, "ec2:DeleteVpc").is_empty());
    }
}
