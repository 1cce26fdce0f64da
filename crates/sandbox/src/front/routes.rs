//! What is served, in words for `minion sandbox status`.
use super::{
    known::{Known, Opened},
    resolve::{Balancer, End, Lead},
};
use serde::{Deserialize, Serialize};

/// One address to open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The name in DNS.
    pub name: String,
    /// `http://NAME:PORT/`, or `tcp://127.0.0.1:PORT` for what is no HTTP.
    pub url: String,
    /// Where the name leads.
    pub versions: Vec<Share>,
    /// Why nothing, or not all of it, would be answered.
    pub problem: Option<String>,
}

/// A version's part of a name's traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The version; for what `minion` did not make: the record's set identifier or the load balancer's name.
    pub version: String,
    /// Of all requests, in percent.
    pub percent: f64,
    /// `active`, `provisioning`, `no healthy target`, ..
    pub state: String,
}

impl Known {
    /// All routes there are, sorted by name.
    pub(super) fn routes(&self) -> Vec<Route> {
        let now = self.now();
        let routes = |name: &str| {
            let leads = now.leads(name).unwrap_or_default();
            let opened = self.opened(name).into_iter().map(|(port, opened)| tcp_route(name, port, &opened, &leads));
            let mut routes: Vec<Route> = opened.collect();
            if routes.is_empty() {
                routes.push(http_route(name, self.http_port(), &leads));
            }
            routes
        };
        now.names().into_iter().flat_map(routes).collect()
    }
}

fn http_route(name: &str, port: u16, leads: &[Lead<'_>]) -> Route {
    let problem = leads.iter().filter(|lead| lead.share > 0.0).find_map(|lead| why_not(&lead.end));
    Route { name: name.to_owned(), url: format!("http://{name}:{port}/"), versions: versions(leads), problem }
}

fn tcp_route(name: &str, port: u16, opened: &Opened, leads: &[Lead<'_>]) -> Route {
    let url = match opened.port {
        Some(local) => format!("tcp://127.0.0.1:{local}"),
        None => format!("tcp://{name}:{port}"),
    };
    Route { name: name.to_owned(), url, versions: versions(leads), problem: opened.problem.clone() }
}

fn versions(leads: &[Lead<'_>]) -> Vec<Share> {
    let share = |lead: &Lead<'_>| {
        let (version, state) = match &lead.end {
            End::Balancer(b) => (b.version.as_deref().or(lead.set).unwrap_or(&b.name), state(b)),
            End::Nowhere(why) => (lead.set.unwrap_or("?"), why.clone()),
            End::Elsewhere(addresses) => (lead.set.unwrap_or("?"), (*addresses).to_owned()),
        };
        Share { version: version.to_owned(), percent: (lead.share * 10_000.0).round() / 100.0, state }
    };
    leads.iter().map(share).collect()
}

/// A load balancer's state in a word or two.
fn state(balancer: &Balancer) -> String {
    match balancer {
        b if !b.state.starts_with("active") => b.state.clone(),
        b if !b.network && b.port.is_none() => "starting".to_owned(),
        b if !b.healthy => "no healthy target".to_owned(),
        b => b.state.clone(),
    }
}

/// Why an HTTP request to this end would not be answered by an application.
pub(super) fn why_not(end: &End<'_>) -> Option<String> {
    match end {
        End::Balancer(b) if !b.state.starts_with("active") => Some(format!("load balancer {} is {}", b.name, b.state)),
        End::Balancer(b) if b.network => {
            Some(format!("load balancer {} forwards connections, not HTTP requests", b.name))
        }
        End::Balancer(b) if b.port.is_none() => {
            Some(format!("load balancer {} has just been made and has no port yet", b.name))
        }
        End::Balancer(b) if !b.healthy => Some(format!("load balancer {} has no healthy target", b.name)),
        End::Balancer(_) => None,
        End::Nowhere(why) => Some(why.clone()),
        End::Elsewhere(addresses) => Some(format!("it leads to {addresses}, which is no load balancer of the sandbox")),
    }
}
