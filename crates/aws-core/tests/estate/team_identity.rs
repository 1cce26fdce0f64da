//! Policies, roles and sign-in of a team's account, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{
    cloud::Cloud,
    engine::{Graph, Report, World as _},
    error::Kind,
    model::{Owning as _, TeamOwner},
    resources::identity::{
        self,
        alias::AccountAlias,
        managed_policy::ManagedPolicy,
        password_policy::PasswordPolicy,
        saml_provider::SamlProvider,
        service_linked_role::{Service, ServiceLinkedRole},
        team_role::{Managed, TeamRole, Trust},
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const POWER: &str = "arn:aws:iam::aws:policy/PowerUserAccess";
const ACCOUNT: &str = "123456789012";

fn owner(team: &str) -> TeamOwner {
    TeamOwner {
        organization: "acme".parse().expect("a name"),
        team: Some(team.parse().expect("a name")),
        extra: BTreeMap::new(),
    }
}

fn document(actions: &[&str]) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::a+b c/\u{fc}*" }]
    })
}

fn policy(name: &str) -> ManagedPolicy {
    ManagedPolicy {
        owner: owner("red"),
        name: name.into(),
        description: "what is allowed at most".into(),
        document: document(&["s3:GetObject", "s3:PutObject"]),
    }
}

fn role(name: &str) -> TeamRole {
    TeamRole {
        owner: owner("red"),
        name: name.into(),
        description: "deploys applications".into(),
        trust: Trust { principals: vec![ACCOUNT.into()], ..Trust::default() },
        managed: vec![Managed::Aws(READ_ONLY.into())],
        inline: Some(("overlord".into(), document(&["s3:ListBucket"]))),
        boundary: None,
        session_hours: 8,
    }
}

fn metadata(text: &str) -> String {
    format!("<EntityDescriptor><IDPSSODescriptor/>{}</EntityDescriptor>\n", text.repeat(600))
}

fn one<R: aws_core::engine::Resource<Identity: aws_core::engine::Identity<Cloud = Cloud>>>(
    resource: R,
) -> Graph<Cloud> {
    let mut graph = Graph::default();
    graph.add(resource);
    graph
}

/// Applies, and returns what the report says was done.
async fn applied(graph: &Graph<Cloud>, cloud: &Cloud) -> String {
    support::text(&support::apply(graph, cloud).await)
}

/// A policy, a SAML provider, and a role that has both.
fn whole(stem: &str) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let boundary = graph.add(policy(&format!("{stem}-boundary")));
    let more = graph.add(policy(&format!("{stem}-more")));
    let saml = graph.add(SamlProvider { owner: owner("red"), name: format!("{stem}-saml"), metadata: metadata("a\n") });
    let mut role = role(&format!("{stem}-role"));
    role.boundary = Some(boundary);
    role.trust.saml = Some(saml);
    role.trust.services = vec!["ec2.amazonaws.com".into()];
    role.managed.push(Managed::Ours(more));
    graph.add(role);
    graph
}

#[tokio::test]
async fn lives_and_dies_together() {
    let cloud = support::cloud().await;
    // A policy stays while a role has it.
    support::lifecycle_with(&whole("life"), &cloud, &["IAM policy"]).await;
}

#[tokio::test]
async fn a_role_is_made_with_all_of_it() {
    let cloud = support::cloud().await;
    support::apply(&whole("all"), &cloud).await;
    let role = cloud.iam().get_role().role_name("all-role").send().await.unwrap().role.unwrap();
    assert_eq!(role.max_session_duration, Some(8 * 3600));
    let boundary = role.permissions_boundary().unwrap().permissions_boundary_arn().unwrap();
    assert_eq!(boundary, format!("arn:aws:iam::{ACCOUNT}:policy/all-boundary"));
    let tags: BTreeMap<_, _> = role.tags().iter().map(|t| (t.key().to_owned(), t.value().to_owned())).collect();
    assert_eq!(tags, owner("red").tags("all-role"));
    let trust = role.assume_role_policy_document().unwrap();
    assert!(trust.contains("saml-provider") && trust.contains("all-saml"), "{trust}");
    support::destroy(&whole("all"), &cloud).await;
}

#[tokio::test]
async fn what_differs_is_changed_in_place() {
    let cloud = support::cloud().await;
    let name = "change";
    support::apply(&one(role(name)), &cloud).await;
    let text = applied(&one(TeamRole { session_hours: 4, ..role(name) }), &cloud).await;
    assert!(text.contains("~ session: 8 h -> 4 h"), "{text}");
    let text = applied(&one(TeamRole { description: "new".into(), session_hours: 4, ..role(name) }), &cloud).await;
    assert!(text.contains("~ description: deploys applications -> new"), "{text}");
    let text = applied(&one(role(name)), &cloud).await;
    assert!(text.contains("session: 4 h -> 8 h; description: new"), "{text}");
    let text = applied(&one(TeamRole { inline: None, ..role(name) }), &cloud).await;
    assert!(text.contains("~ policy overlord: 1 statement") && text.contains("-> -"), "{text}");
    let text = applied(&one(TeamRole { managed: vec![Managed::Aws(POWER.into())], ..role(name) }), &cloud).await;
    assert!(text.contains(&format!("managed policy: {READ_ONLY} -> -")), "{text}");
    let mut other = role(name);
    other.owner.extra.insert("cost".into(), "7".into());
    let text = applied(&one(other), &cloud).await;
    assert!(text.contains("tag cost: - -> 7"), "{text}");
    let trust = Trust { principals: vec!["210987654321".into()], ..Trust::default() };
    let text = applied(&one(TeamRole { trust, ..role(name) }), &cloud).await;
    assert!(text.contains("~ trust policy: 1 statement"), "{text}");
}

/// What somebody changed by hand goes back: another trust, another policy, no boundary.
#[tokio::test]
async fn drift_is_repaired() {
    let cloud = support::cloud().await;
    let (iam, name) = (cloud.iam(), "drift-role");
    support::apply(&whole("drift"), &cloud).await;
    let open = json!({"Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" }
    ]});
    let call = iam.update_assume_role_policy().role_name(name);
    call.policy_document(open.to_string()).send().await.unwrap();
    let call = iam.put_role_policy().role_name(name).policy_name("by-hand");
    call.policy_document(document(&["s3:*"]).to_string()).send().await.unwrap();
    iam.attach_role_policy().role_name(name).policy_arn(POWER).send().await.unwrap();
    iam.delete_role_permissions_boundary().role_name(name).send().await.unwrap();
    let text = applied(&whole("drift"), &cloud).await;
    for part in ["trust policy", "policy by-hand", &format!("managed policy: {POWER} -> -"), "permissions boundary: -"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What is attached by hand goes with the role.
    iam.attach_role_policy().role_name(name).policy_arn(POWER).send().await.unwrap();
    let call = iam.put_role_policy().role_name(name).policy_name("by-hand");
    call.policy_document(document(&["s3:*"]).to_string()).send().await.unwrap();
    iam.create_instance_profile().instance_profile_name("drift-profile").send().await.unwrap();
    let call = iam.add_role_to_instance_profile().instance_profile_name("drift-profile");
    call.role_name(name).send().await.unwrap();
    support::destroy(&whole("drift"), &cloud).await;
    assert!(iam.get_role().role_name(name).send().await.is_err());
}

/// The order of actions, and one in a list, say nothing; a boundary that is not wanted goes.
#[tokio::test]
async fn the_same_said_otherwise_is_no_change() {
    let cloud = support::cloud().await;
    let iam = cloud.iam();
    support::apply(&one(policy("same")), &cloud).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/same");
    let call = iam.create_policy_version().policy_arn(&arn).set_as_default(true);
    let other = document(&["s3:PutObject", "s3:GetObject"]);
    call.policy_document(serde_json::to_string_pretty(&other).unwrap()).send().await.unwrap();
    assert_eq!(support::done(&one(policy("same")), &cloud, Way::Plan).await.changes(), 0);

    support::apply(&one(role("same")), &cloud).await;
    iam.put_role_permissions_boundary().role_name("same").permissions_boundary(&arn).send().await.unwrap();
    let text = applied(&one(role("same")), &cloud).await;
    assert!(text.contains(&format!("~ permissions boundary: {arn} -> -")), "{text}");
}

/// IAM keeps five versions: of more changes than that, the last one is in force.
#[tokio::test]
async fn policies_change_more_often_than_iam_keeps_versions() {
    let cloud = support::cloud().await;
    let iam = cloud.iam();
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/versions");
    for n in 0..8 {
        let action = format!("s3:Get{n}");
        let graph = one(ManagedPolicy { document: document(&[&action]), ..policy("versions") });
        let text = applied(&graph, &cloud).await;
        assert!(n == 0 || text.contains("~ document: 1 statement"), "{text}");
    }
    let versions = iam.list_policy_versions().policy_arn(&arn).send().await.unwrap();
    let ids: Vec<_> = versions.versions().iter().filter_map(|v| v.version_id()).collect();
    assert_eq!(ids.len(), 5, "{ids:?}");
    let default = versions.versions().iter().find(|v| v.is_default_version).unwrap().version_id().unwrap();
    assert_eq!(default, "v8");
    support::destroy(&one(policy("versions")), &cloud).await;
    assert!(iam.get_policy().policy_arn(&arn).send().await.is_err());
}

#[tokio::test]
async fn tags_of_policies_follow() {
    let cloud = support::cloud().await;
    support::apply(&one(policy("tags")), &cloud).await;
    let mut other = policy("tags");
    other.owner.extra.insert("cost".into(), "7".into());
    let text = applied(&one(other), &cloud).await;
    assert!(text.contains("~ tag cost: - -> 7"), "{text}");
}

#[tokio::test]
async fn what_is_somebody_elses_is_refused() {
    let cloud = support::cloud().await;
    support::apply(&one(role("foreign")), &cloud).await;
    support::apply(&one(policy("foreign")), &cloud).await;
    let call = cloud.iam().create_saml_provider().name("foreign");
    call.saml_metadata_document(metadata("theirs\n")).send().await.unwrap();
    for mode in [Way::Apply, Way::Destroy] {
        let saml = SamlProvider { owner: owner("red"), name: "foreign".into(), metadata: metadata("a\n") };
        for graph in [
            one(TeamRole { owner: owner("blue"), ..role("foreign") }),
            one(ManagedPolicy { owner: owner("blue"), ..policy("foreign") }),
            one(saml),
        ] {
            let report = support::go(&graph, &cloud, mode).await;
            assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused, "{}", support::text(&report));
        }
    }
    assert_eq!(support::done(&one(role("foreign")), &cloud, Way::Plan).await.changes(), 0);
}

/// A policy that something outside of the graph has stays, and the error says who has it.
#[tokio::test]
async fn a_policy_in_use_is_not_deleted() {
    let cloud = support::cloud().await;
    let iam = cloud.iam();
    support::apply(&one(policy("used")), &cloud).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/used");
    iam.create_role().role_name("app-user").assume_role_policy_document("{}").send().await.unwrap();
    iam.attach_role_policy().role_name("app-user").policy_arn(&arn).send().await.unwrap();
    let report = support::go(&one(policy("used")), &cloud, Way::Destroy).await;
    let failure = report.failures().next().unwrap().1;
    assert_eq!(failure.kind(), Kind::Refused);
    assert!(failure.to_string().contains("role app-user"), "{failure}");
    iam.detach_role_policy().role_name("app-user").policy_arn(&arn).send().await.unwrap();
    support::destroy(&one(policy("used")), &cloud).await;
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_written() {
    let cloud = support::cloud().await;
    for graph in [
        one(TeamRole { session_hours: 13, ..role("bad") }),
        one(ManagedPolicy { document: json!("x".repeat(7_000)), ..policy("bad") }),
        one(SamlProvider { owner: owner("red"), name: "bad".into(), metadata: "<a/>".into() }),
    ] {
        let report = support::go(&graph, &cloud, Way::Apply).await;
        assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Usage, "{}", support::text(&report));
    }
}

/// The account has one of each: one test.
#[tokio::test]
async fn alias_and_password_policy_of_the_account() {
    let cloud = support::cloud().await;
    let alias = |alias: &str| one(AccountAlias { alias: alias.into(), restore: true });
    support::lifecycle(&alias("acme-red"), &cloud).await;
    support::apply(&alias("acme-red"), &cloud).await;
    for mode in [Way::Apply, Way::Destroy, Way::Plan] {
        let report = support::go(&alias("acme-blue"), &cloud, mode).await;
        assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused);
    }
    // It was there before us: it stays.
    let found = one(AccountAlias { alias: "acme-red".into(), restore: false });
    support::done(&found, &cloud, Way::Destroy).await;
    assert_eq!(cloud.iam().list_account_aliases().send().await.unwrap().account_aliases(), ["acme-red"]);
    support::destroy(&alias("acme-red"), &cloud).await;

    support::lifecycle(&one(PasswordPolicy { restore: true }), &cloud).await;
    let iam = cloud.iam();
    let call = iam.update_account_password_policy().minimum_password_length(20).max_password_age(90);
    call.send().await.unwrap();
    let text = applied(&one(PasswordPolicy { restore: false }), &cloud).await;
    assert!(text.contains("symbols: no -> yes") && !text.contains("length"), "{text}");
    let kept = iam.get_account_password_policy().send().await.unwrap().password_policy.unwrap();
    assert_eq!((kept.minimum_password_length, kept.max_password_age), (Some(20), Some(90)));
    // Not asked to go back: it stays.
    support::done(&one(PasswordPolicy { restore: false }), &cloud, Way::Destroy).await;
    assert_eq!(support::done(&one(PasswordPolicy { restore: false }), &cloud, Way::Plan).await.changes(), 0);
}

#[tokio::test]
async fn roles_without_the_boundary_are_told() {
    let cloud = support::cloud().await;
    let boundary = one(policy("unbounded-boundary"));
    support::apply(&boundary, &cloud).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/unbounded-boundary");
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole"
    }]});
    for (name, boundary) in [
        ("unbounded-b", None),
        ("unbounded-a", Some("arn:aws:iam::aws:policy/PowerUserAccess")),
        ("unbounded-c", Some(arn.as_str())),
        ("other-unbounded", None),
    ] {
        let call = cloud.iam().create_role().role_name(name).assume_role_policy_document(trust.to_string());
        call.set_permissions_boundary(boundary.map(str::to_owned)).send().await.unwrap();
    }
    cloud.forget();
    let told = identity::unbounded(&cloud, "unbounded-", &arn).await.unwrap();
    assert_eq!(told, ["unbounded-a", "unbounded-b"]);
    for name in ["unbounded-a", "unbounded-b", "unbounded-c", "other-unbounded"] {
        cloud.iam().delete_role().role_name(name).send().await.unwrap();
    }
    cloud.forget();
    support::destroy(&boundary, &cloud).await;
}

/// An IAM that denies these actions, or says that the credentials have expired. It has no roles, or (`there`) the
/// service-linked role for Spot.
async fn denying(actions: &'static [&'static str], code: &'static str, there: bool) -> Cloud {
    let server = tiny_http::Server::http("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", server.server_addr());
    let error = |status: u16, code: &str, message: &str| {
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
        (status, format!("<ErrorResponse>{error}</ErrorResponse>"))
    };
    std::thread::spawn(move || {
        for mut request in server.incoming_requests() {
            let mut body = String::new();
            request.as_reader().read_to_string(&mut body).expect("a request in UTF-8");
            let action = body.split('&').find_map(|p| p.strip_prefix("Action=")).unwrap_or_default().to_owned();
            let good = |result: &str| {
                (200, format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"))
            };
            let (status, text) = match action.as_str() {
                denied if actions.contains(&denied) => {
                    error(403, code, &format!("User is not authorized to perform: iam:{action}"))
                }
                "GetRole" if there => good(&format!("<Role>{SPOT}</Role>")),
                "GetRole" => error(404, "NoSuchEntity", "The role with name AWSServiceRoleForEC2Spot cannot be found."),
                "CreateServiceLinkedRole" if there => error(400, "InvalidInput", TAKEN),
                _ => good(""),
            };
            let _ = request.respond(tiny_http::Response::from_string(text).with_status_code(status));
        }
    });
    support::cloud_at(&endpoint).await
}

const SPOT: &str = "<Path>/aws-service-role/spot.amazonaws.com/</Path><RoleName>AWSServiceRoleForEC2Spot</RoleName>\
                    <RoleId>AROA1</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate><Arn>arn:aws:iam::123456789012:\
                    role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot</Arn>";
const TAKEN: &str = "Service role name AWSServiceRoleForEC2Spot has been taken in this account, please try a different \
                     suffix.";

/// What a run does about the role for Spot, and what it warns of.
async fn spot(cloud: &Cloud, mode: Way) -> (Report, Vec<String>) {
    let (graph, warned) = (one(ServiceLinkedRole { service: Service::Spot }), support::Warned::default());
    let report = mode.run(&graph, cloud, &warned).await;
    (report, warned.texts())
}

#[tokio::test]
async fn a_service_linked_role_that_is_denied_is_warned_of_and_no_change() {
    let cloud = denying(&["CreateServiceLinkedRole"], "AccessDenied", false).await;
    let (report, warned) = spot(&cloud, Way::Apply).await;
    assert!(report.complete(), "{}", support::text(&report));
    assert_eq!((report.changes(), report.failures().count()), (0, 0), "{}", support::text(&report));
    let [warning] = &warned[..] else { panic!("one warning: {warned:?}") };
    for words in [
        "Service-linked role AWSServiceRoleForEC2Spot of spot.amazonaws.com was not created, because \
         iam:CreateServiceLinkedRole is denied: ",
        "Where it does not exist, the first call that needs it fails",
        "`aws iam create-service-linked-role --aws-service-name spot.amazonaws.com`",
    ] {
        assert!(warning.contains(words), "{warning}");
    }
    // Expired credentials are another matter.
    let cloud = denying(&["CreateServiceLinkedRole"], "ExpiredToken", false).await;
    assert!(!spot(&cloud, Way::Apply).await.0.complete());
}

#[tokio::test]
async fn a_service_linked_role_that_may_not_be_looked_at_is_never_taken_for_granted() {
    const ALL: &[&str] = &["GetAccountAuthorizationDetails", "GetRole", "CreateServiceLinkedRole"];
    for (denied, there, planned, changes, warnings) in [
        // By its name.
        (&ALL[..1], true, 0, 0, 0),
        (&ALL[..1], false, 1, 1, 0),
        // By creating it; one that exists is no change.
        (&ALL[..2], true, 1, 0, 0),
        (&ALL[..2], false, 1, 1, 0),
        (ALL, true, 1, 0, 1),
        (ALL, false, 1, 0, 1),
    ] {
        let cloud = denying(denied, "AccessDenied", there).await;
        let (plan, quiet) = spot(&cloud, Way::Plan).await;
        assert_eq!((plan.changes(), quiet.len()), (planned, 0), "{denied:?} {there}: {}", support::text(&plan));
        let (report, warned) = spot(&cloud, Way::Apply).await;
        assert!(report.complete(), "{denied:?} {there}: {}", support::text(&report));
        assert_eq!((report.changes(), warned.len()), (changes, warnings), "{denied:?} {there}: {warned:?}");
    }
}
