//! Sharing out the traffic anew when one version gets another share.
use super::Share;
use aws_core::{Error, Result, model::VersionName};
use std::collections::BTreeMap;

/// New shares, and what the operator should hear of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resharing {
    /// Every version that gets traffic. Adds up to the whole, or is empty.
    pub shares: BTreeMap<VersionName, Share>,
    /// Set when the named version gets another share than asked for.
    pub note: Option<String>,
}

/// Gives `version` exactly `share`; the other versions that have traffic keep their proportions.
///
/// `weights` are the Route 53 weights as read; they need not add up to anything. None of the others falls
/// below one step (largest remainders decide on the rest), and one without traffic stays without. The only
/// version with traffic gets all of it.
///
/// # Errors
/// When the others could not keep one step each.
pub fn reshare(weights: &BTreeMap<VersionName, u64>, version: &VersionName, share: Share) -> Result<Resharing> {
    let others: BTreeMap<&VersionName, u64> =
        weights.iter().filter(|(v, w)| *v != version && **w > 0).map(|(v, w)| (v, *w)).collect();
    let mut shares = BTreeMap::new();
    let mut note = None;
    if others.is_empty() {
        if share != Share::NONE {
            shares.insert(version.clone(), Share::ALL);
            note = (share != Share::ALL).then(|| {
                format!("{version} is the only version with traffic, so it gets 100%, not {share}. Give another version traffic first.")
            });
        }
        return Ok(Resharing { shares, note });
    }
    if share != Share::NONE {
        shares.insert(version.clone(), share);
    }
    if share != Share::ALL {
        let rest = share.rest().units();
        if others.len() > usize::from(rest) {
            let most = usize::from(Share::WHOLE).saturating_sub(others.len());
            return Err(Error::refused(format!(
                "{} other versions have traffic and each keeps at least 0.5%, so {version} can get at most {}%, or 100%",
                others.len(),
                most as f64 / 2.0
            ))
            .hint("Set versions that are no longer needed to 0 first."));
        }
        shares.extend(apportion(&others, rest).into_iter().map(|(v, units)| (v.clone(), units)));
    }
    Ok(Resharing { shares, note })
}

/// Spreads `units` in proportion to the weights by largest remainder, one unit each at least. The order of
/// equal remainders is that of the names, so it does not depend on the order of the records.
fn apportion<'v>(weights: &BTreeMap<&'v VersionName, u64>, units: u16) -> Vec<(&'v VersionName, Share)> {
    // Whoever's quota is less than one step gets one step; the others share what is left. Taking a step
    // away lowers their quotas, so look again until all that are left have at least one.
    let mut small: Vec<&VersionName> = Vec::new();
    let mut pool: Vec<(&VersionName, u64)> = weights.iter().map(|(v, w)| (*v, *w)).collect();
    let (left, total) = loop {
        let left = u64::from(units) - small.len() as u64;
        let total: u64 = pool.iter().map(|(_, w)| *w).sum();
        let (fits, falls): (Vec<_>, Vec<_>) = pool.iter().partition(|(_, w)| w * left >= total);
        if falls.is_empty() {
            break (left, total);
        }
        small.extend(falls.iter().map(|(v, _)| *v));
        pool = fits;
    };
    let mut out: Vec<(&VersionName, u64)> = small.into_iter().map(|v| (v, 1)).collect();
    if !pool.is_empty() {
        let mut parts: Vec<(&VersionName, u64, u64)> =
            pool.iter().map(|(v, w)| (*v, w * left / total, w * left % total)).collect();
        let missing = left - parts.iter().map(|(_, whole, _)| whole).sum::<u64>();
        parts.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(b.0)));
        let bonus = |i: usize| u64::from((i as u64) < missing);
        out.extend(parts.into_iter().enumerate().map(|(i, (v, whole, _))| (v, whole + bonus(i))));
    }
    out.into_iter()
        .map(|(v, n)| {
            let share = u16::try_from(n).ok().and_then(Share::from_units);
            (v, share.expect("no part is larger than the whole"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v(name: &str) -> VersionName {
        name.parse().unwrap()
    }
    fn set(weights: &[(&str, u64)], version: &str, percent: &str) -> Vec<(String, f64)> {
        let weights = weights.iter().map(|(n, w)| (v(n), *w)).collect();
        let done = reshare(&weights, &v(version), percent.parse().unwrap()).unwrap();
        done.shares.into_iter().map(|(v, s)| (v.to_string(), s.percent())).collect()
    }
    fn list(shares: &[(&str, f64)]) -> Vec<(String, f64)> {
        shares.iter().map(|(n, s)| ((*n).to_owned(), *s)).collect()
    }

    #[test]
    fn table() {
        assert_eq!(set(&[], "1.0", "100"), list(&[("1.0", 100.0)]));
        assert_eq!(set(&[("1.0", 200)], "2.0", "100"), list(&[("2.0", 100.0)]));
        assert_eq!(set(&[("1.0", 200)], "2.0", "30"), list(&[("1.0", 70.0), ("2.0", 30.0)]));
        assert_eq!(set(&[("1.0", 200), ("2.0", 0)], "3.0", "10"), list(&[("1.0", 90.0), ("3.0", 10.0)]));
        assert_eq!(set(&[("1.0", 140), ("2.0", 60)], "2.0", "0"), list(&[("1.0", 100.0)]));
        assert_eq!(set(&[("1.0", 199), ("2.0", 1)], "3.0", "99"), list(&[("1.0", 0.5), ("2.0", 0.5), ("3.0", 99.0)]));
        assert_eq!(
            set(&[("1", 1), ("2", 1), ("3", 1)], "4", "0.5"),
            list(&[("1", 33.5), ("2", 33.0), ("3", 33.0), ("4", 0.5)])
        );
        assert_eq!(set(&[("1.0", 200)], "1.0", "0"), list(&[]));
    }

    #[test]
    fn the_only_version_gets_all_and_it_is_said() {
        let done = reshare(&BTreeMap::from([(v("1.0"), 200)]), &v("1.0"), "30".parse().unwrap()).unwrap();
        assert_eq!(done.shares, BTreeMap::from([(v("1.0"), Share::ALL)]));
        assert!(done.note.unwrap().contains("only version with traffic"));
    }

    #[test]
    fn others_are_never_pushed_below_one_step() {
        let weights = BTreeMap::from([(v("1"), 100), (v("2"), 100)]);
        let refused = reshare(&weights, &v("3"), "99.5".parse().unwrap()).unwrap_err();
        assert!(refused.to_string().contains("at most 99%"), "{refused}");
    }

    proptest! {
        #[test]
        fn invariants(raw in proptest::collection::vec(0u64..=255, 0..12), named in 0usize..14, units in 0u16..=200) {
            let weights: BTreeMap<_, _> = raw.iter().enumerate().map(|(i, w)| (v(&format!("1.{i}")), *w)).collect();
            let (name, share) = (v(&format!("1.{named}")), Share::from_units(units).unwrap());
            let Ok(done) = reshare(&weights, &name, share) else {
                let active = weights.iter().filter(|(v, w)| **v != name && **w > 0).count();
                prop_assert!(active > usize::from(share.rest().units()));
                return Ok(());
            };
            let sum: u16 = done.shares.values().map(|s| s.units()).sum();
            prop_assert_eq!(sum, if done.shares.is_empty() { 0 } else { 200 });
            let active = |x: &VersionName| weights.get(x).is_some_and(|w| *w > 0);
            prop_assert!(done.shares.iter().all(|(x, s)| s.units() >= 1 && (*x == name || active(x))));
            let alone = !weights.keys().any(|x| *x != name && active(x));
            if !alone {
                prop_assert_eq!(done.shares.get(&name).copied().unwrap_or(Share::NONE), share);
                prop_assert!(share == Share::ALL || weights.keys().filter(|x| **x != name && active(x)).all(|x| done.shares.contains_key(x)));
            }
            // Setting the same share again changes nothing.
            let written = done.shares.iter().map(|(v, s)| (v.clone(), u64::from(s.units()))).collect();
            prop_assert_eq!(reshare(&written, &name, share).unwrap().shares, done.shares);
        }

        #[test]
        fn larger_weights_never_get_less(a in 1u64..=255, b in 1u64..=255, units in 0u16..=198) {
            let weights = BTreeMap::from([(v("a"), a), (v("b"), b)]);
            let done = reshare(&weights, &v("c"), Share::from_units(units).unwrap()).unwrap();
            let of = |n: &str| done.shares[&v(n)];
            prop_assert!(a <= b || of("a") >= of("b"));
            prop_assert!(a >= b || of("a") <= of("b"));
        }
    }
}
