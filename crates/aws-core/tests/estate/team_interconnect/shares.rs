//! Shares of a transit gateway with accounts in and outside of the AWS organization.
use super::{OTHER, OWN, done, go, owner, settled};
use crate::{
    given::Given,
    support::{self, Way},
};
use aws_core::{
    cloud::{
        Cloud, Clouds, ConnectOptions, Spot,
        membership::{Membership, membership},
    },
    engine::{Graph, Outcome, World as _},
    model::Owning as _,
    resources::network::{
        ids::TransitGatewayId,
        transit::{ResourceShare, ShareMembership, SharePrincipal},
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tiny_http::{Response, Server};

/// Resource Access Manager for an owner and one other account, as AWS documents it: the resource
/// is associated a while after it was shared, the account is invited, and sees the share once it has accepted. (The
/// emulator has no members, invitations, and other accounts' shares.)
#[derive(Default)]
struct Ram {
    share: Option<&'static str>,
    looks: u32,
    principals: BTreeMap<String, &'static str>,
    invited: bool,
    accepted: u32,
    /// Whether the share allows external principals.
    external: bool,
    /// Whether the other account is in the owner's organization, and sharing within it enabled.
    inside: bool,
    enabled: bool,
    /// A service control policy denies shares that allow external principals.
    denies: bool,
}

const DENIED: &str = "User: arn:aws:sts::123456789012:assumed-role/overlord/x is not authorized to perform: \
                      ram:CreateResourceShare with an explicit deny in a service control policy";

const SHARE: &str = "arn:aws:ram:eu-west-1:123456789012:resource-share/1";
const GATEWAY: &str = "arn:aws:ec2:eu-west-1:123456789012:transit-gateway/tgw-1";

impl Ram {
    /// An answer, or a code and a message.
    fn answer(&mut self, member: bool, path: &str, body: &str) -> Result<Value, (&'static str, &'static str)> {
        let asked: Value = serde_json::from_str(body).unwrap_or_default();
        if self.denies && asked["allowExternalPrincipals"] == true {
            return Err(("AccessDeniedException", DENIED));
        }
        self.external = asked["allowExternalPrincipals"].as_bool().unwrap_or(self.external);
        let external = self.external;
        let share = |status: &str| {
            let tags: Vec<Value> =
                owner(None).tags("hub").iter().map(|(k, v)| json!({ "key": k, "value": v })).collect();
            json!({ "resourceShareArn": SHARE, "name": "hub", "status": status, "allowExternalPrincipals": external, "tags": tags })
        };
        Ok(match path {
            "/createresourceshare" => {
                assert_eq!(asked["resourceArns"], json!([GATEWAY]));
                self.share = Some("ACTIVE");
                json!({ "resourceShare": share("PENDING") })
            }
            "/getresourceshares" => {
                let theirs = asked["resourceOwner"] == "OTHER-ACCOUNTS";
                assert_eq!(theirs, member, "each side asks for what it can see");
                let seen = self.share.filter(|_| !theirs || self.principals.values().any(|s| *s == "ASSOCIATED"));
                json!({ "resourceShares": seen.map(share).into_iter().collect::<Vec<_>>() })
            }
            "/getresourceshareassociations" if asked["associationType"] == "RESOURCE" => {
                self.looks += 1;
                let status = if self.looks > 1 { "ASSOCIATED" } else { "ASSOCIATING" };
                let one = json!({ "resourceShareArn": SHARE, "associatedEntity": GATEWAY, "status": status });
                json!({ "resourceShareAssociations": self.share.map(|_| one).into_iter().collect::<Vec<_>>() })
            }
            "/getresourceshareassociations" => {
                let one = |(account, status): (&String, &&str)| json!({ "resourceShareArn": SHARE, "associatedEntity": account, "status": status, "external": !self.inside });
                json!({ "resourceShareAssociations": self.principals.iter().map(one).collect::<Vec<_>>() })
            }
            "/associateresourceshare" => {
                let account = asked["principals"][0].as_str().unwrap().to_owned();
                let within = self.inside && self.enabled;
                if !self.external && !within {
                    return Err((
                        "OperationNotPermittedException",
                        "The resource you are attempting to share can only be shared within your AWS Organization. This \
                         error may also occur if you have not enabled sharing with your AWS organization, or that onboarding \
                         process is still in progress.",
                    ));
                }
                self.principals.insert(account, if within { "ASSOCIATED" } else { "ASSOCIATING" });
                self.invited = !within;
                json!({})
            }
            "/updateresourceshare" => json!({ "resourceShare": share("ACTIVE") }),
            "/disassociateresourceshare" => {
                self.principals.insert(asked["principals"][0].as_str().unwrap().to_owned(), "DISASSOCIATED");
                json!({})
            }
            "/getresourceshareinvitations" => {
                assert!(member);
                let status = if self.invited { "PENDING" } else { "ACCEPTED" };
                json!({ "resourceShareInvitations": [{ "resourceShareArn": SHARE, "resourceShareInvitationArn": "arn:1", "status": status }] })
            }
            "/acceptresourceshareinvitation" => {
                assert!(member && asked["resourceShareInvitationArn"] == "arn:1");
                (self.invited, self.accepted) = (false, self.accepted + 1);
                self.principals.values_mut().for_each(|s| *s = "ASSOCIATED");
                json!({})
            }
            path if path.starts_with("/deleteresourceshare") => {
                self.share = None;
                self.principals.clear();
                json!({ "returnValue": true })
            }
            other => panic!("not a call that is expected: {other}"),
        })
    }
}

/// Serves [`Ram`] and the callers' account numbers for the rest of the test.
fn serve(ram: Arc<Mutex<Ram>>) -> String {
    let server = Server::http("127.0.0.1:0").unwrap();
    let address = format!("http://{}", server.server_addr());
    std::thread::spawn(move || {
        for mut request in server.incoming_requests() {
            let header = request.headers().iter().find(|h| h.field.equiv("Authorization"));
            let member = header.is_some_and(|h| h.value.as_str().contains("Credential=member/"));
            let path = request.url().to_owned();
            let mut body = String::new();
            request.as_reader().read_to_string(&mut body).unwrap();
            let answer = if path == "/" {
                let account = if member { OTHER } else { OWN };
                format!(
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{account}</Account>\
                     </GetCallerIdentityResult></GetCallerIdentityResponse>"
                )
            } else {
                match ram.lock().unwrap().answer(member, &path, &body) {
                    Ok(answer) => answer.to_string(),
                    Err((code, message)) => {
                        let answer = json!({ "__type": code, "message": message }).to_string();
                        request.respond(Response::from_string(answer).with_status_code(400)).unwrap();
                        continue;
                    }
                }
            };
            request.respond(Response::from_string(answer)).unwrap();
        }
    });
    address
}

/// The connections, and the owner's and the other account's place in them.
struct Both(Clouds, Spot, Spot);

/// Connects both.
async fn both(ram: &Arc<Mutex<Ram>>) -> Both {
    let address = serve(ram.clone());
    let (mut clouds, mut spots) = (Clouds::default(), Vec::new());
    for (who, label) in [("owner", None), ("member", Some("the team's account"))] {
        let credentials = Some((who.to_owned(), "secret".to_owned()));
        let (region, endpoint) = (Some(support::REGION.to_owned()), Some(address.clone()));
        let options = ConnectOptions { region, tool: "overlord", endpoint, credentials, ..ConnectOptions::default() };
        spots.push(clouds.add(Arc::new(Cloud::connect(options).await.unwrap()), label.map(str::to_owned)));
    }
    Both(clouds, spots[0], spots[1])
}

/// A share of a gateway that stands, with its own account and the other one.
fn hub(Both(clouds, home, team): &Both, outside: Option<bool>) -> Graph<Clouds> {
    let mut graph = Graph::default();
    let gateway = TransitGatewayId { id: "tgw-1".into(), arn: GATEWAY.into() };
    let gateway = graph.external(clouds.put(*home, Given("hub", gateway)));
    let share = ResourceShare { owner: owner(None), name: "hub".into(), gateway, outside };
    let share = clouds.put(*home, share).to(&mut graph);
    let own = clouds.put(*home, SharePrincipal { share, account: OWN.into() }).to(&mut graph);
    let principal = clouds.put(*home, SharePrincipal { share, account: OTHER.into() }).to(&mut graph);
    let membership = clouds.put(*team, ShareMembership { share }).after([own.node(), principal.node()]);
    membership.to(&mut graph);
    graph
}

async fn warnings(graph: &Graph<Clouds>, Both(clouds, ..): &Both) -> Vec<String> {
    clouds.forget();
    let warned = support::Warned::default();
    assert!(Way::Apply.run(graph, clouds, &warned).await.complete());
    warned.texts()
}

/// All that the errors of a run say, with their hints.
async fn fails(graph: &Graph<Clouds>, Both(clouds, ..): &Both) -> String {
    let report = go(graph, clouds, Way::Apply).await;
    assert!(!report.complete(), "{}", support::text(&report));
    let errors = report.nodes.iter().filter_map(|node| match &node.outcome {
        Outcome::Failed(e) => Some(format!("{e}\n{}", e.hints().join("\n"))),
        _ => None,
    });
    errors.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_account_outside_of_the_organization_is_invited_and_accepts() {
    let ram = Arc::new(Mutex::new(Ram::default()));
    let clouds = both(&ram).await;
    let graph = hub(&clouds, Some(true));

    done(&graph, &clouds.0, Way::Apply).await;
    settled(&graph, &clouds.0, Way::Plan).await;
    settled(&graph, &clouds.0, Way::Apply).await;
    {
        let ram = ram.lock().unwrap();
        assert_eq!((ram.accepted, ram.external), (1, true));
        assert_eq!(ram.principals, BTreeMap::from([(OTHER.to_owned(), "ASSOCIATED")]), "not with itself");
    }

    // Taken out by hand: it comes back.
    ram.lock().unwrap().principals.insert(OTHER.into(), "DISASSOCIATED");
    let text = done(&graph, &clouds.0, Way::Apply).await;
    assert!(text.contains(&format!("share with account {OTHER}: + create")), "{text}");
    assert_eq!(ram.lock().unwrap().accepted, 2);

    done(&graph, &clouds.0, Way::Destroy).await;
    settled(&graph, &clouds.0, Way::Destroy).await;
    assert!(ram.lock().unwrap().share.is_none());
}

#[tokio::test]
async fn within_the_organization_a_share_allows_no_external_principals() {
    // Such a policy is in many organizations.
    let ram = Arc::new(Mutex::new(Ram { inside: true, enabled: true, denies: true, ..Ram::default() }));
    let clouds = both(&ram).await;
    let graph = hub(&clouds, Some(false));
    done(&graph, &clouds.0, Way::Apply).await;
    settled(&graph, &clouds.0, Way::Plan).await;
    {
        let ram = ram.lock().unwrap();
        assert_eq!((ram.external, ram.accepted, ram.invited), (false, 0, false), "there at once");
    }
    // Where nobody may ask about the organization any more, the share stays as it is.
    settled(&hub(&clouds, None), &clouds.0, Way::Apply).await;
    assert!(!ram.lock().unwrap().external);
}

#[tokio::test]
async fn an_existing_share_is_opened_in_place_and_never_restricted() {
    let ram = Arc::new(Mutex::new(Ram { inside: true, enabled: true, ..Ram::default() }));
    let clouds = both(&ram).await;
    done(&hub(&clouds, None), &clouds.0, Way::Apply).await;
    assert!(ram.lock().unwrap().external, "what is not known is allowed");
    settled(&hub(&clouds, None), &clouds.0, Way::Plan).await;
    // All accounts are in the organization; whether RAM shares within it, nobody says.
    settled(&hub(&clouds, Some(false)), &clouds.0, Way::Apply).await;
    assert!(ram.lock().unwrap().external, "its accounts would lose the gateway");
    let [warning] = &warnings(&hub(&clouds, Some(false)), &clouds).await[..] else { panic!("no warning") };
    let command = format!(
        "`aws ram update-resource-share --resource-share-arn {SHARE} --no-allow-external-principals --region eu-west-1`"
    );
    for words in ["resource share hub", "enable-sharing-with-aws-organization", command.as_str()] {
        assert!(warning.to_lowercase().contains(words), "{warning}");
    }
    // As the warning says.
    ram.lock().unwrap().external = false;
    assert_eq!(warnings(&hub(&clouds, Some(false)), &clouds).await, [""; 0]);

    // A team outside of the organization joins: the share is opened, and stays open for the others' runs.
    let text = done(&hub(&clouds, Some(true)), &clouds.0, Way::Apply).await;
    assert!(text.contains("external principals: false -> true"), "{text}");
    ram.lock().unwrap().inside = false;
    assert_eq!(warnings(&hub(&clouds, Some(false)), &clouds).await, [""; 0], "it has an external principal");
    assert!(ram.lock().unwrap().external);
}

#[tokio::test]
async fn a_denied_share_names_the_policy_and_the_way_out() {
    let ram = Arc::new(Mutex::new(Ram { denies: true, ..Ram::default() }));
    let clouds = both(&ram).await;
    let told = fails(&hub(&clouds, None), &clouds).await;
    for words in
        ["service control policy", "organizations:DescribeOrganization", "ram:RequestedAllowsExternalPrincipals"]
    {
        assert!(told.contains(words), "{told}");
    }
    let told = fails(&hub(&clouds, Some(true)), &clouds).await;
    assert!(told.contains("Exempt this share") && !told.contains("DescribeOrganization"), "{told}");
    assert!(ram.lock().unwrap().share.is_none());
}

#[tokio::test]
async fn sharing_that_is_not_enabled_says_how_to_enable_it() {
    let ram = Arc::new(Mutex::new(Ram { inside: true, ..Ram::default() }));
    let clouds = both(&ram).await;
    let told = fails(&hub(&clouds, Some(false)), &clouds).await;
    assert!(told.contains("`aws ram enable-sharing-with-aws-organization`"), "{told}");
    ram.lock().unwrap().enabled = true;
    done(&hub(&clouds, Some(false)), &clouds.0, Way::Apply).await;
    assert!(!ram.lock().unwrap().external);
}

#[tokio::test]
async fn an_account_knows_its_organization() {
    let cloud = support::cloud().await;
    assert_eq!(membership(&cloud).await.unwrap(), Membership::Alone);
}
