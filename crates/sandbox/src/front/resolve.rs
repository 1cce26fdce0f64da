//! What a resolver knows, and what it answers. Nothing is called here.

/// An alias or CNAME may lead to another one this many times.
const CHAIN: usize = 8;

/// Records and load balancers as they were at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Snapshot {
    pub(super) zones: Vec<Zone>,
    pub(super) balancers: Vec<Balancer>,
}

/// A hosted zone with the records that answer with addresses.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Zone {
    /// In small letters, without a final dot; so are all names here.
    pub(super) name: String,
    pub(super) private: bool,
    pub(super) records: Vec<Record>,
}

/// A record set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Tells the records of a weighted name apart.
    pub(super) set: Option<String>,
    /// 0 to 255; records that are not weighted have none.
    pub(super) weight: Option<u64>,
    pub(super) target: Target,
}

/// The types of records that lead somewhere, in the order in which they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Cname,
    A,
    Aaaa,
}

/// Where a record leads.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// A load balancer or another record. With `healthy`, it answers only while what it leads to is well.
    Alias { name: String, healthy: bool },
    /// Another name.
    Name(String),
    /// Addresses, which are no load balancer.
    Addresses(String),
}

/// A load balancer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Balancer {
    pub(super) name: String,
    /// In small letters.
    pub(super) dns_name: String,
    /// The tag of the version that it was made for.
    pub(super) version: Option<String>,
    /// It forwards connections (`network`), not requests.
    pub(super) network: bool,
    /// `provisioning`, `active`, ..
    pub(super) state: String,
    /// Each of its target groups has a healthy target.
    pub(super) healthy: bool,
    /// Where the emulator answers for it, on loopback.
    pub(super) port: Option<u16>,
    pub(super) listeners: Vec<Listener>,
}

/// A listener, with the targets of the group that it forwards to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Listener {
    pub(super) port: u16,
    pub(super) backends: Vec<Backend>,
}

/// A registered target.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Backend {
    /// An instance's id, or an address.
    pub(super) id: String,
    pub(super) port: u16,
    /// `initial`, `healthy`, `unhealthy`, `draining`, ..
    pub(super) health: String,
}

/// One of the ends that a name can lead to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lead<'s> {
    /// How many of the answers lead here, 0 to 1; all leads of a name together have 1.
    pub(super) share: f64,
    /// The set identifier of the name's own record.
    pub(super) set: Option<&'s str>,
    pub(super) end: End<'s>,
}

/// An end.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End<'s> {
    Balancer(&'s Balancer),
    /// The name of something that is not there, or not to be followed; says why.
    Nowhere(String),
    /// Addresses: a record that has nothing to do with load balancers.
    Elsewhere(&'s str),
}

impl End<'_> {
    fn is_healthy(&self) -> bool {
        match self {
            End::Balancer(balancer) => balancer.healthy,
            End::Nowhere(_) => false,
            End::Elsewhere(_) => true,
        }
    }
}

/// The name in a `Host` header or an address: small letters, no port, no final dot.
pub(super) fn host(text: &str) -> String {
    let text = text.trim();
    let name = match text.rsplit_once(':') {
        // An IPv6 address in brackets has colons of its own.
        Some((name, port)) if !port.contains(']') && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => text,
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether `name` is the zone's or below it.
fn within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl Zone {
    /// Whether there is a record of this name or below it.
    fn has(&self, name: &str) -> bool {
        self.records.iter().any(|r| within(&r.name, name))
    }

    /// The records that answer for `name`: its own; else those of the closest wildcard, unless a name in between
    /// exists (RFC 4592).
    fn answer(&self, name: &str) -> Vec<&Record> {
        let of = |owner: &str| {
            let all: Vec<&Record> = self.records.iter().filter(|r| r.name == owner).collect();
            let kind = all.iter().map(|r| r.kind).min();
            all.into_iter().filter(|r| Some(r.kind) == kind).collect::<Vec<_>>()
        };
        if self.has(name) {
            return of(name);
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.').filter(|(_, parent)| within(parent, &self.name)) {
            let found = of(&format!("*.{parent}"));
            if !found.is_empty() || self.has(parent) {
                return found;
            }
            rest = parent;
        }
        Vec::new()
    }
}

impl Snapshot {
    /// All that `name` can lead to, with the shares of the answers; none when nobody knows the name.
    pub(super) fn leads(&self, name: &str) -> Option<Vec<Lead<'_>>> {
        let records = self.records(name);
        (!records.is_empty()).then(|| self.follow(&records, 0))
    }

    /// Every name that leads to a load balancer, or should; sorted.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.zones.iter().flat_map(|z| &z.records).map(|r| r.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let served = |leads: Vec<Lead<'_>>| leads.iter().any(|l| !matches!(l.end, End::Elsewhere(_)));
        names.retain(|name| self.leads(name).is_some_and(served));
        names
    }

    /// Zones of the closest name answer; of a public and a private one, the public one first.
    fn records(&self, name: &str) -> Vec<&Record> {
        let mut zones: Vec<&Zone> = self.zones.iter().filter(|z| within(name, &z.name)).collect();
        let closest = zones.iter().map(|z| z.name.len()).max();
        zones.retain(|z| Some(z.name.len()) == closest);
        zones.sort_by_key(|z| z.private);
        zones.into_iter().map(|z| z.answer(name)).find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn follow<'s>(&'s self, records: &[&'s Record], links: usize) -> Vec<Lead<'s>> {
        let ways: Vec<Vec<Lead<'s>>> = records.iter().map(|r| self.ends(r, links)).collect();
        let candidates = records.iter().zip(&ways).map(|(record, ways)| Candidate {
            weight: record.weight.unwrap_or(1),
            healthy: !matches!(record.target, Target::Alias { healthy: true, .. })
                || ways.iter().any(|way| way.end.is_healthy()),
        });
        let shares = shares(&candidates.collect::<Vec<_>>());
        let of = |(record, (ways, share)): (&&'s Record, (Vec<Lead<'s>>, f64))| {
            let set = record.set.as_deref();
            ways.into_iter().map(move |way| Lead { share: way.share * share, set: set.or(way.set), end: way.end })
        };
        records.iter().zip(ways.into_iter().zip(shares)).flat_map(of).collect()
    }

    fn ends<'s>(&'s self, record: &'s Record, links: usize) -> Vec<Lead<'s>> {
        let end = |end| vec![Lead { share: 1.0, set: None, end }];
        let name = match &record.target {
            Target::Addresses(addresses) => return end(End::Elsewhere(addresses)),
            Target::Alias { name, .. } | Target::Name(name) => name,
        };
        let bare = name.strip_prefix("dualstack.").unwrap_or(name);
        if let Some(balancer) = self.balancers.iter().find(|b| b.dns_name == bare) {
            return end(End::Balancer(balancer));
        }
        let records = self.records(name);
        if records.is_empty() {
            return end(End::Nowhere(format!("{name} is not there (any more)")));
        }
        if links == CHAIN {
            return end(End::Nowhere(format!(
                "more than {CHAIN} names lead from one to the next, the last one {name}"
            )));
        }
        self.follow(&records, links + 1)
    }
}

/// One of the records of a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) weight: u64,
    pub(super) healthy: bool,
}

/// How Route 53 shares the answers out (its guide: "Weighted routing", "How Route 53 chooses records when health
/// checking is configured"): by weight over the sum of weights, among the healthy records with a weight; those of weight 0
/// only when there are no others; when none is healthy, as if all were. Weights that are all 0 are equal.
pub(super) fn shares(candidates: &[Candidate]) -> Vec<f64> {
    let stages: [fn(&Candidate) -> bool; 4] =
        [|c| c.healthy && c.weight > 0, |c| c.healthy, |c| c.weight > 0, |_| true];
    let Some(chosen) = stages.iter().find(|chosen| candidates.iter().any(chosen)) else { return Vec::new() };
    let among: Vec<&Candidate> = candidates.iter().filter(|c| chosen(c)).collect();
    let sum: u64 = among.iter().map(|c| c.weight).sum();
    let share = |c: &Candidate| match (chosen(c), sum) {
        (false, _) => 0.0,
        (true, 0) => 1.0 / among.len() as f64,
        (true, _) => c.weight as f64 / sum as f64,
    };
    candidates.iter().map(share).collect()
}

/// The lead that a number from 0 up to 1 falls on. Never one without a share.
pub(super) fn pick<'l, 's>(leads: &'l [Lead<'s>], mut number: f64) -> Option<&'l Lead<'s>> {
    let with_share = || leads.iter().filter(|lead| lead.share > 0.0);
    for lead in with_share() {
        if number < lead.share {
            return Some(lead);
        }
        number -= lead.share;
    }
    // Rounding may leave a hair's breadth behind the last one.
    with_share().next_back()
}
