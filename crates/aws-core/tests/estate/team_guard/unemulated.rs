//! The calls that the emulator lacks, answered here: EC2's metadata defaults, cost allocation tags, and budgets with
//! their subscribers. Answers have the shapes of AWS's API references.
use aws_core::cloud::{Cloud, ConnectOptions};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
};
use tiny_http::{Request, Response, Server};

/// A budget with who is told.
pub(crate) struct Stored {
    pub(crate) budget: Value,
    pub(crate) notifications: Vec<(Value, Vec<Value>)>,
}

/// What is there.
#[derive(Default)]
pub(crate) struct Aws {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) cost_tags: BTreeMap<String, bool>,
    /// Requests that are billed.
    pub(crate) cost_reads: usize,
    pub(crate) budgets: BTreeMap<String, Stored>,
}

/// A connection to it, and what is there.
pub(crate) async fn cloud() -> (Cloud, Arc<Mutex<Aws>>) {
    let server = Server::http("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.server_addr().to_ip().unwrap());
    let aws = Arc::new(Mutex::new(Aws::default()));
    let state = aws.clone();
    thread::spawn(move || server.incoming_requests().for_each(|request| answer(&state, request)));
    let options = ConnectOptions {
        region: Some("eu-west-1".into()),
        tool: "overlord",
        endpoint: Some(endpoint),
        credentials: Some(("testing".into(), "testing".into())),
        ..ConnectOptions::default()
    };
    (Cloud::connect(options).await.unwrap(), aws)
}

fn answer(aws: &Mutex<Aws>, mut request: Request) {
    let mut body = String::new();
    request.as_reader().read_to_string(&mut body).unwrap();
    let target = request.headers().iter().find(|h| h.field.equiv("x-amz-target")).map(|h| h.value.to_string());
    let mut aws = aws.lock().unwrap();
    let (status, text) = match target {
        None => (200, aws.query(&body)),
        Some(target) => {
            let operation = target.rsplit('.').next().unwrap().to_owned();
            match aws.json(&operation, &serde_json::from_str(&body).unwrap()) {
                Ok(value) => (200, value.to_string()),
                Err(code) => (400, json!({"__type": code, "Message": code}).to_string()),
            }
        }
    };
    let _ = request.respond(Response::from_string(text).with_status_code(status));
}

impl Aws {
    fn query(&mut self, body: &str) -> String {
        let form: BTreeMap<&str, &str> = body.split('&').filter_map(|p| p.split_once('=')).collect();
        match form["Action"] {
            "GetInstanceMetadataDefaults" => {
                let of = |key: &str, tag: &str| {
                    self.metadata.get(key).map(|v| format!("<{tag}>{v}</{tag}>")).unwrap_or_default()
                };
                format!(
                    "<GetInstanceMetadataDefaultsResponse><accountLevel>{}{}</accountLevel></GetInstanceMetadataDefaultsResponse>",
                    of("HttpTokens", "httpTokens"),
                    of("HttpPutResponseHopLimit", "httpPutResponseHopLimit")
                )
            }
            "ModifyInstanceMetadataDefaults" => {
                for key in ["HttpTokens", "HttpPutResponseHopLimit"] {
                    match form.get(key) {
                        Some(&("no-preference" | "-1")) => drop(self.metadata.remove(key)),
                        Some(value) => drop(self.metadata.insert(key.into(), (*value).into())),
                        None => {}
                    }
                }
                "<ModifyInstanceMetadataDefaultsResponse><return>true</return></ModifyInstanceMetadataDefaultsResponse>"
                    .into()
            }
            other => panic!("{other}"),
        }
    }

    fn json(&mut self, operation: &str, asked: &Value) -> Result<Value, &'static str> {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let name = asked["BudgetName"].as_str().unwrap_or_default();
        match operation {
            "ListCostAllocationTags" => {
                self.cost_reads += 1;
                let asked: Vec<String> = asked["TagKeys"].as_array().unwrap().iter().map(text).collect();
                let tags = self.cost_tags.iter().filter(|(k, _)| asked.contains(k));
                let tags = tags.map(|(k, active)| {
                    json!({"TagKey": k, "Type": "UserDefined", "Status": if *active { "Active" } else { "Inactive" }})
                });
                Ok(json!({ "CostAllocationTags": tags.collect::<Vec<_>>() }))
            }
            "UpdateCostAllocationTagsStatus" => {
                let mut errors = Vec::new();
                for entry in asked["CostAllocationTagsStatus"].as_array().unwrap() {
                    match self.cost_tags.get_mut(&text(&entry["TagKey"])) {
                        Some(active) => *active = entry["Status"] == "Active",
                        None => errors.push(json!({"TagKey": entry["TagKey"], "Code": "TagKeysNotFoundException"})),
                    }
                }
                Ok(json!({ "Errors": errors }))
            }
            "CreateBudget" => {
                let mut budget = asked["Budget"].clone();
                budget["BudgetLimit"]["Amount"] = format!("{}.0", text(&budget["BudgetLimit"]["Amount"])).into();
                let notifications = asked["NotificationsWithSubscribers"].as_array().cloned().unwrap_or_default();
                let notifications = notifications
                    .iter()
                    .map(|n| (n["Notification"].clone(), n["Subscribers"].as_array().unwrap().clone()));
                let stored = Stored { notifications: notifications.collect(), budget: budget.clone() };
                self.budgets.insert(text(&budget["BudgetName"]), stored);
                Ok(json!({}))
            }
            "UpdateBudget" => {
                let budget = &asked["NewBudget"];
                self.budgets.get_mut(&text(&budget["BudgetName"])).ok_or("NotFoundException")?.budget = budget.clone();
                Ok(json!({}))
            }
            "DeleteBudget" => self.budgets.remove(name).map(|_| json!({})).ok_or("NotFoundException"),
            "DescribeBudget" => Ok(json!({ "Budget": self.budgets.get(name).ok_or("NotFoundException")?.budget })),
            _ => self.notification(operation, name, asked),
        }
    }

    fn notification(&mut self, operation: &str, name: &str, asked: &Value) -> Result<Value, &'static str> {
        let all = &mut self.budgets.get_mut(name).ok_or("NotFoundException")?.notifications;
        let notification = &asked["Notification"];
        if operation == "CreateNotification" {
            all.push((notification.clone(), asked["Subscribers"].as_array().unwrap().clone()));
            return Ok(json!({}));
        }
        let at = all.iter().position(|(n, _)| n == notification).ok_or("NotFoundException")?;
        let subscribers = &mut all[at].1;
        match operation {
            "DescribeSubscribersForNotification" => Ok(json!({ "Subscribers": subscribers })),
            "CreateSubscriber" => {
                subscribers.push(asked["Subscriber"].clone());
                Ok(json!({}))
            }
            "DeleteSubscriber" => {
                subscribers.retain(|s| *s != asked["Subscriber"]);
                // As AWS: a notification has one subscriber at least.
                if subscribers.is_empty() { Err("InvalidParameterException") } else { Ok(json!({})) }
            }
            "DeleteNotification" => {
                all.remove(at);
                Ok(json!({}))
            }
            other => panic!("{other}"),
        }
    }
}
