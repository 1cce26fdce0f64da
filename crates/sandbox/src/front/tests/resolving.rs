//! Names, chains, weights.
use super::{super::resolve::*, APP, alias, balancer, record, weighted};
use proptest::{collection::vec, prelude::*};

/// The load balancers' names (or what else there is) with their shares.
fn ends(snapshot: &Snapshot, name: &str) -> Vec<(String, f64)> {
    let text = |end: &End<'_>| match end {
        End::Balancer(b) => b.name.clone(),
        End::Nowhere(why) => format!("nowhere: {why}"),
        End::Elsewhere(addresses) => (*addresses).to_owned(),
    };
    snapshot.leads(name).unwrap_or_default().iter().map(|lead| (text(&lead.end), lead.share)).collect()
}

fn one(snapshot: &Snapshot, name: &str) -> String {
    ends(snapshot, name).into_iter().map(|(end, _)| end).collect::<Vec<_>>().join("+")
}

fn zone(name: &str, private: bool, records: Vec<Record>) -> Zone {
    Zone { name: name.into(), private, records }
}

#[test]
fn a_host_is_a_name_without_port_and_final_dot() {
    for given in ["app.x.org", "APP.x.Org", "app.x.org.", "app.x.org:8080", " app.x.org.:80", "app.x.org:"] {
        assert_eq!(host(given), APP, "{given}");
    }
    assert_eq!(host("[::1]:8080"), "[::1]");
    assert_eq!(host("[::1]"), "[::1]");
    assert_eq!(host(""), "");
}

#[test]
fn names_lead_through_aliases_and_cnames_to_load_balancers() {
    let addresses = Target::Addresses("10.0.0.1".into());
    let records = vec![
        record(APP, None, alias("dualstack.one.elb.aws")),
        record("www.x.org", None, Target::Name(APP.into())),
        record("far.x.org", None, alias("www.x.org")),
        record("round.x.org", None, Target::Name("round.x.org".into())),
        record("gone.x.org", None, alias("two.elb.aws")),
        record("host.x.org", None, addresses),
    ];
    let snapshot = Snapshot { zones: vec![zone("x.org", false, records)], balancers: vec![balancer("one", 1)] };
    for name in [APP, "www.x.org", "far.x.org"] {
        assert_eq!(one(&snapshot, name), "one", "{name}");
    }
    assert!(one(&snapshot, "round.x.org").contains("more than 8"));
    assert!(one(&snapshot, "gone.x.org").contains("two.elb.aws is not there"));
    assert_eq!(one(&snapshot, "host.x.org"), "10.0.0.1");
    for unknown in ["x.org", "other.x.org", "app.y.org", "appx.org", "deep.app.x.org", ""] {
        assert_eq!(snapshot.leads(unknown), None, "{unknown}");
    }
    assert_eq!(snapshot.names(), [APP, "far.x.org", "gone.x.org", "round.x.org", "www.x.org"]);
}

#[test]
fn wildcards_answer_for_what_is_not_there() {
    let records = vec![
        record("*.x.org", None, alias("any.elb.aws")),
        record("*.deep.x.org", None, alias("deep.elb.aws")),
        record(APP, None, alias("one.elb.aws")),
        record("a.between.x.org", None, alias("one.elb.aws")),
    ];
    let balancers = ["any", "deep", "one"].map(|name| balancer(name, 1)).to_vec();
    let snapshot = Snapshot { zones: vec![zone("x.org", false, records)], balancers };
    let cases = [
        (APP, "one"),
        ("new.x.org", "any"),
        ("two.labels.x.org", "any"),
        ("new.deep.x.org", "deep"),
        // What exists, or has names below it, is not for the wildcard.
        ("below.app.x.org", ""),
        ("between.x.org", ""),
        ("b.between.x.org", ""),
        ("x.org", ""),
    ];
    for (name, expected) in cases {
        assert_eq!(one(&snapshot, name), expected, "{name}");
    }
}

#[test]
fn the_closest_zone_answers_and_the_public_one_first() {
    let of = |lb: &str| vec![record(APP, None, alias(&format!("{lb}.elb.aws")))];
    let only = vec![record("in.x.org", None, alias("private.elb.aws"))];
    let balancers = ["private", "public", "org"].map(|name| balancer(name, 1)).to_vec();
    let private = [of("private"), only].concat();
    let zones = vec![zone("org", false, of("org")), zone("x.org", true, private), zone("x.org", false, of("public"))];
    let snapshot = Snapshot { zones, balancers };
    assert_eq!(one(&snapshot, APP), "public");
    assert_eq!(one(&snapshot, "in.x.org"), "private");
    assert_eq!(one(&snapshot, "out.x.org"), "");
}

#[test]
fn what_is_not_healthy_is_left_out_while_something_else_is_well() {
    let mut snapshot = weighted(&[(1, 140), (2, 60)]);
    let shares = |snapshot: &Snapshot| ends(snapshot, APP).into_iter().map(|(_, share)| share).collect::<Vec<_>>();
    assert_eq!(shares(&snapshot), [0.7, 0.3]);
    snapshot.balancers[0].healthy = false;
    assert_eq!(shares(&snapshot), [0.0, 1.0]);
    snapshot.balancers[1].healthy = false;
    assert_eq!(shares(&snapshot), [0.7, 0.3]);
    // A load balancer that is gone is not well either.
    snapshot.balancers.remove(0);
    snapshot.balancers[0].healthy = true;
    assert_eq!(shares(&snapshot), [0.0, 1.0]);
    // Weight 0 is for when nothing else is well.
    let mut snapshot = weighted(&[(1, 200), (2, 0)]);
    assert_eq!(shares(&snapshot), [1.0, 0.0]);
    snapshot.balancers[0].healthy = false;
    assert_eq!(shares(&snapshot), [0.0, 1.0]);
}

#[test]
fn addresses_of_version_4_are_asked_for_first() {
    let mut snapshot = weighted(&[(1, 140), (2, 60)]);
    let mut six = snapshot.zones[0].records.clone();
    six.iter_mut().for_each(|record| record.kind = Kind::Aaaa);
    snapshot.zones[0].records.splice(0..0, six);
    assert_eq!(ends(&snapshot, APP).len(), 2);
    snapshot.zones[0].records.retain(|record| record.kind == Kind::Aaaa);
    assert_eq!(ends(&snapshot, APP).len(), 2);
}

proptest! {
    #[test]
    fn shares_follow_the_weights(weights in vec(0..=255_u64, 1..8), health in vec(any::<bool>(), 8)) {
        let candidates: Vec<Candidate> =
            weights.iter().zip(&health).map(|(&weight, &healthy)| Candidate { weight, healthy }).collect();
        let shares = shares(&candidates);
        prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let some_weight = weights.iter().any(|&weight| weight > 0);
        let some_healthy = candidates.iter().any(|c| c.healthy);
        for (candidate, share) in candidates.iter().zip(&shares) {
            prop_assert!((0.0..=1.0).contains(share));
            // Among the healthy ones only, if there is one.
            prop_assert!(candidate.healthy || !some_healthy || *share == 0.0);
            let healthy_weight = candidates.iter().any(|c| c.healthy && c.weight > 0);
            if candidate.weight == 0 && some_weight && (healthy_weight || !some_healthy) {
                prop_assert_eq!(*share, 0.0);
            }
        }
        if health.iter().all(|h| *h) && some_weight {
            let sum: u64 = weights.iter().sum();
            for (weight, share) in weights.iter().zip(&shares) {
                prop_assert!((share - *weight as f64 / sum as f64).abs() < 1e-9);
            }
        }
        if !some_weight && !some_healthy {
            prop_assert!(shares.iter().all(|share| (share - 1.0 / shares.len() as f64).abs() < 1e-9));
        }
    }

    #[test]
    fn nothing_without_a_share_is_picked(weights in vec(0..=255_u64, 1..8), number in 0.0..1.0_f64) {
        let ports: Vec<(u16, u64)> = (1..).zip(weights.iter().copied()).collect();
        let snapshot = weighted(&ports);
        let leads = snapshot.leads(APP).unwrap();
        for number in [number, 0.0, 1.0 - f64::EPSILON, 1.0] {
            let picked = pick(&leads, number).unwrap();
            prop_assert!(picked.share > 0.0);
            let set: usize = picked.set.unwrap().trim_start_matches("lb-").parse().unwrap();
            prop_assert!(weights[set - 1] > 0 || weights.iter().all(|&weight| weight == 0));
        }
    }

    #[test]
    fn no_text_is_too_strange_for_a_name(text in ".{0,40}") {
        let name = host(&text);
        prop_assert!(weighted(&[(1, 1)]).leads(&name).is_none() || name == APP);
    }
}
