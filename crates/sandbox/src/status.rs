//! What goes on in a sandbox.
use crate::{autoscaling::GroupState, front::Route, serve::Parts};
use serde::{Deserialize, Serialize};

/// A sandbox, as its process sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The sandbox's id.
    pub id: String,
    /// Auto Scaling groups, and their instances.
    pub groups: Vec<GroupState>,
    /// The names that the front door answers to.
    pub routes: Vec<Route>,
}

impl Status {
    /// That of the sandbox at this address; nothing where none answers.
    pub async fn of(endpoint: &str) -> Option<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(10)).build().ok()?;
        let answer = client.get(format!("{endpoint}/_minion/status")).send().await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    /// What to open for a name.
    pub fn url(&self, name: &str) -> Option<&str> {
        let name = name.trim_end_matches('.');
        self.routes.iter().find(|route| route.name == name).map(|route| route.url.as_str())
    }
}

/// Asks the parts.
pub(crate) fn of(parts: &Parts) -> Status {
    Status { id: parts.id.clone(), groups: parts.groups.groups(), routes: parts.front.routes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_an_address() {
        let route =
            |name: &str, url: &str| Route { name: name.into(), url: url.into(), versions: Vec::new(), problem: None };
        let routes = vec![route("a.localhost", "http://a.localhost:8080/"), route("b.localhost", "tcp://127.0.0.1:9")];
        let status = Status { id: String::new(), groups: Vec::new(), routes };
        assert_eq!(status.url("b.localhost."), Some("tcp://127.0.0.1:9"));
        assert_eq!(status.url("localhost"), None);
    }
}
