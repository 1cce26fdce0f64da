//! New accounts: an organization that makes them as slowly as AWS does, which the emulator does not.

use aws_core::{
    cloud::{
        Cloud, ConnectOptions,
        organizations::{NewAccount, Readiness, check_management, create, ready},
    },
    engine::Cancel,
    error::Kind,
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tiny_http::{Request, Response, Server};

const EMAIL: &str = "red@example.org";

/// What is there.
#[derive(Default)]
struct Aws {
    accounts: Vec<Value>,
    /// An account that is being made: its name and address.
    making: Option<(String, String)>,
    /// Looks until it is made.
    looks: u32,
    created: u32,
    moved: u32,
    /// Accounts that AWS begins to make, and says that it cannot answer.
    unanswered: u32,
    /// Answers to come: the action and the code of its error; afterwards both services are content.
    denials: Vec<(&'static str, &'static str)>,
    /// Whose credentials these are; empty: the management account's, of a role.
    arn: String,
    /// The management account, where it is another one; `none`: there is no organization.
    manager: &'static str,
}

fn account(number: &str, email: &str, state: &str) -> Value {
    json!({"Id": number, "Email": email, "Name": "red", "State": state})
}

impl Aws {
    fn status(&self, state: &str) -> Value {
        let (name, _) = self.making.as_ref().unwrap();
        json!({"Id": "car-1", "AccountName": name, "State": state, "AccountId": "222222222222"})
    }

    fn organizations(&mut self, operation: &str, asked: &Value) -> Value {
        match operation {
            "ListAccounts" => json!({ "Accounts": self.accounts }),
            "ListCreateAccountStatus" => {
                assert_eq!(asked["States"], json!(["IN_PROGRESS"]));
                let all: Vec<Value> = self.making.iter().map(|_| self.status("IN_PROGRESS")).collect();
                json!({ "CreateAccountStatuses": all })
            }
            "CreateAccount" => {
                self.created += 1;
                let text = |key: &str| asked[key].as_str().unwrap().to_owned();
                self.making = Some((text("AccountName"), text("Email")));
                json!({ "CreateAccountStatus": self.status("IN_PROGRESS") })
            }
            "DescribeCreateAccountStatus" if self.looks > 0 => {
                self.looks -= 1;
                json!({ "CreateAccountStatus": self.status("IN_PROGRESS") })
            }
            "DescribeCreateAccountStatus" => json!({ "CreateAccountStatus": self.status("SUCCEEDED") }),
            "DescribeAccount" => {
                let (_, email) = self.making.clone().unwrap();
                json!({ "Account": account("222222222222", &email, "ACTIVE") })
            }
            "ListParents" => json!({ "Parents": [{"Id": "r-1", "Type": "ROOT"}] }),
            "MoveAccount" => {
                self.moved += 1;
                json!({})
            }
            "DescribeOrganization" => {
                let manager = if self.manager.is_empty() { "222222222222" } else { self.manager };
                json!({ "Organization": {"Id": "o-1", "MasterAccountId": manager} })
            }
            other => panic!("{other}"),
        }
    }

    fn answer(&mut self, target: Option<String>, body: &str) -> (u16, String) {
        if let Some(target) = target {
            let operation = target.rsplit('.').next().unwrap().to_owned();
            if operation == "DescribeOrganization" && self.manager == "none" {
                let error = json!({"__type": "AWSOrganizationsNotInUseException", "message": "no organization"});
                return (400, error.to_string());
            }
            let answer = self.organizations(&operation, &serde_json::from_str(body).unwrap());
            if operation == "CreateAccount" && self.unanswered > 0 {
                self.unanswered -= 1;
                return (503, json!({"__type": "ServiceUnavailable", "message": "overloaded"}).to_string());
            }
            return (200, answer.to_string());
        }
        let denial = self.denials.iter().position(|(action, _)| body.contains(&format!("Action={action}&")));
        if let Some((action, code)) = denial.map(|at| self.denials.remove(at)) {
            let error = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
            let sts = action == "GetCallerIdentity";
            let whole = if sts { "ErrorResponse" } else { "Response" };
            let error = if sts { error } else { format!("<Errors>{error}</Errors>") };
            return (400, format!("<{whole}>{error}</{whole}>"));
        }
        let arn = if self.arn.is_empty() { "arn:aws:sts::222222222222:assumed-role/a/b" } else { &self.arn };
        let identity = format!(
            "<GetCallerIdentityResult><Account>222222222222</Account><Arn>{arn}</Arn></GetCallerIdentityResult>"
        );
        if body.contains("Action=GetCallerIdentity") {
            (200, format!("<GetCallerIdentityResponse>{identity}</GetCallerIdentityResponse>"))
        } else {
            (200, "<DescribeRegionsResponse><regionInfo/></DescribeRegionsResponse>".into())
        }
    }
}

fn respond(aws: &Mutex<Aws>, mut request: Request) {
    let mut body = String::new();
    request.as_reader().read_to_string(&mut body).unwrap();
    let target = request.headers().iter().find(|h| h.field.equiv("x-amz-target")).map(|h| h.value.to_string());
    let (status, text) = aws.lock().unwrap().answer(target, &body);
    let _ = request.respond(Response::from_string(text).with_status_code(status));
}

async fn cloud(aws: Aws) -> (Cloud, Arc<Mutex<Aws>>) {
    let server = Server::http("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.server_addr().to_ip().unwrap());
    let aws = Arc::new(Mutex::new(aws));
    let state = aws.clone();
    thread::spawn(move || server.incoming_requests().for_each(|request| respond(&state, request)));
    let options = ConnectOptions {
        region: Some("us-east-1".into()),
        tool: "overlord",
        endpoint: Some(endpoint),
        credentials: Some(("testing".into(), "testing".into())),
        ..ConnectOptions::default()
    };
    (Cloud::connect(options).await.unwrap(), aws)
}

fn wanted() -> NewAccount {
    NewAccount { name: "red".into(), email: EMAIL.into(), role: "Access".into(), unit: Some("ou-1".into()) }
}

#[tokio::test]
async fn an_active_account_is_found_and_a_closed_one_is_not() {
    let closed = account("111111111111", EMAIL, "SUSPENDED");
    let open = account("333333333333", "Red@Example.org", "ACTIVE");
    let (cloud, aws) = cloud(Aws { accounts: vec![closed.clone(), open], ..Aws::default() }).await;
    assert_eq!(create(&cloud, &wanted(), Cancel::default(), |_, _| ()).await.unwrap(), "333333333333");
    aws.lock().unwrap().accounts = vec![closed];
    assert_eq!(create(&cloud, &wanted(), Cancel::default(), |_, _| ()).await.unwrap(), "222222222222");
    let aws = aws.lock().unwrap();
    assert_eq!((aws.created, aws.moved), (1, 2));
}

/// The run before was cut off while AWS made the account.
#[tokio::test]
async fn an_account_that_is_being_made_is_waited_for() {
    let making = Some(("red".into(), EMAIL.into()));
    let (cloud, aws) = cloud(Aws { making, looks: 1, ..Aws::default() }).await;
    assert_eq!(create(&cloud, &wanted(), Cancel::default(), |_, _| ()).await.unwrap(), "222222222222");
    assert_eq!(aws.lock().unwrap().created, 0);
    // One of the same name and another address is somebody else's.
    aws.lock().unwrap().making = Some(("red".into(), "other@example.org".into()));
    create(&cloud, &wanted(), Cancel::default(), |_, _| ()).await.unwrap();
    assert_eq!(aws.lock().unwrap().created, 1);
}

#[tokio::test]
async fn an_account_whose_making_was_not_answered_is_not_made_twice() {
    let (cloud, aws) = cloud(Aws { unanswered: 1, ..Aws::default() }).await;
    assert_eq!(create(&cloud, &wanted(), Cancel::default(), |_, _| ()).await.unwrap(), "222222222222");
    assert_eq!(aws.lock().unwrap().created, 1);
}

#[tokio::test]
async fn a_new_account_is_waited_for_until_it_can_be_used() {
    let denials = vec![("GetCallerIdentity", "AccessDenied"), ("DescribeRegions", "OptInRequired")];
    let (cloud, aws) = cloud(Aws { denials, ..Aws::default() }).await;
    ready(&cloud, Readiness::default(), Cancel::default(), |_, _| ()).await.unwrap();
    assert!(aws.lock().unwrap().denials.is_empty());
    aws.lock().unwrap().denials = vec![("DescribeRegions", "InvalidParameterValue")];
    assert_eq!(
        ready(&cloud, Readiness::default(), Cancel::default(), |_, _| ()).await.unwrap_err().kind(),
        Kind::Failed,
        "what does not pass is told"
    );
}

/// A Region that is not enabled there, for example: nobody's permissions are to blame.
#[tokio::test]
async fn what_is_no_denial_does_not_lead_to_permissions() {
    let limits = Readiness { all: Duration::from_secs(600), denied: Duration::from_secs(1) };
    let (cloud, _) = cloud(Aws { denials: vec![("DescribeRegions", "AuthFailure"); 9], ..Aws::default() }).await;
    let error = ready(&cloud, limits, Cancel::default(), |_, _| ()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Access, Some("AuthFailure")));
    assert!(!error.hints().iter().any(|h| h.contains("trusts the management account")), "{error:?}");
}

/// What is denied for ever is not "not yet" for ever.
#[tokio::test]
async fn a_role_that_stays_denied_is_told_soon() {
    let limits = Readiness { all: Duration::from_secs(600), denied: Duration::from_secs(1) };
    let (denied, unverified) = (("GetCallerIdentity", "AccessDenied"), ("DescribeRegions", "PendingVerification"));
    let (cloud, aws) = cloud(Aws { denials: vec![denied; 9], ..Aws::default() }).await;
    let error = ready(&cloud, limits, Cancel::default(), |_, _| ()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Access, Some("AccessDenied")));
    assert!(error.hints().iter().any(|h| h.contains("trusts the management account alone")), "{error:?}");
    // AWS's verification is waited for: it passes.
    aws.lock().unwrap().denials = vec![unverified; 2];
    ready(&cloud, limits, Cancel::default(), |_, _| ()).await.unwrap();
    aws.lock().unwrap().denials = vec![unverified; 9];
    let short = Readiness { all: Duration::from_secs(1), ..limits };
    let error = ready(&cloud, short, Cancel::default(), |_, _| ()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Deadline);
    assert!(error.to_string().contains("PendingVerification") && !error.hints().is_empty(), "{error:?}");
}

#[tokio::test]
async fn accounts_are_made_from_the_management_account_alone() {
    let check = async |aws: Aws| check_management(&cloud(aws).await.0).await;
    check(Aws::default()).await.unwrap();
    let arn = |arn: &str| Aws { arn: arn.to_owned(), ..Aws::default() };
    check(arn("arn:aws:iam::222222222222:user/root")).await.unwrap();
    for (aws, words) in [
        (Aws { manager: "333333333333", ..Aws::default() }, "333333333333"),
        (Aws { manager: "none", ..Aws::default() }, "no organization"),
        (arn("arn:aws:iam::222222222222:root"), "root user"),
        (Aws { denials: vec![("GetCallerIdentity", "AccessDenied")], ..Aws::default() }, "cannot be reached"),
    ] {
        let error = check(aws).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{error:?}");
        assert!(error.to_string().contains(words) && !error.hints().is_empty(), "{error:?}");
    }
    let expired = Aws { denials: vec![("GetCallerIdentity", "ExpiredToken")], ..Aws::default() };
    assert_eq!(check(expired).await.unwrap_err().kind(), Kind::Access);
}
