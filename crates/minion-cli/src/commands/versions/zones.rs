//! Where the instances of a version can start: subnets in zones that offer its instance type.
use crate::site::Site;
use aws_core::{
    Error, Result,
    cloud::{
        lookups::{self, Offers},
        network::Choice,
    },
    error::Kind,
};
use terminal::Terminal;

/// The zones that offer this instance type; `None` when these credentials may not ask, which is said.
pub(super) async fn offers(terminal: &Terminal, site: &Site, instance_type: &str) -> Result<Option<Offers>> {
    match lookups::offers_by_zone_name(&site.cloud, instance_type).await {
        // Policies of before do not allow the call.
        Err(e) if e.kind() == Kind::Access => {
            terminal.warn(&format!("Could not check which Availability Zones offer {instance_type}: {e}"));
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Those of the subnets whose zones offer the instance type, and what to say of the others: Auto Scaling would try them again
/// and again (EC2 `RunInstances`, `Unsupported`).
///
/// # Errors
/// A refusal that names the zones that offer it, when none of the subnets is in one.
pub(super) fn offering(all: &Choice, offers: Option<&Offers>, instance_type: &str) -> Result<(Choice, Option<String>)> {
    let Some(offers) = offers.filter(|o| o.is_known(instance_type)) else { return Ok((all.clone(), None)) };
    let zones: Vec<String> = offers.zones(instance_type).map(str::to_owned).collect();
    let (kept, dropped) = all.within(&zones);
    let (here, there) = (all.zones.join(", "), zones.join(", "));
    if kept.ids.is_empty() {
        return Err(Error::refused(format!(
            "no Availability Zone of the instances' {} subnets ({here}) offers instance type {instance_type}",
            all.layer
        ))
        .hint(format!(
            "Choose another instance type with --instance-type, or add a {} subnet in one of: {there}.",
            all.layer
        )));
    }
    let note = (!dropped.is_empty()).then(|| {
        let (zone, does) = if dropped.len() == 1 { ("Zone", "does") } else { ("Zones", "do") };
        format!(
            "Availability {zone} {} {does} not offer instance type {instance_type}: no instances start there",
            dropped.join(", ")
        )
    });
    Ok((kept, note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::model::Layer;

    fn choice(zones: &[&str]) -> Choice {
        Choice {
            ids: zones.iter().map(|z| format!("subnet-{z}")).collect(),
            zones: zones.iter().map(ToString::to_string).collect(),
            layer: Layer::Private,
            warning: None,
        }
    }

    #[test]
    fn subnets_in_zones_without_the_instance_type_are_left_out() {
        let offers: Offers = ["a", "b", "d"].map(|z| ("t3.small", format!("us-east-1{z}"))).into_iter().collect();
        let of = |zones: &[&str], t: &str| offering(&choice(zones), Some(&offers), t);
        let (kept, note) = of(&["us-east-1a", "us-east-1e"], "t3.small").unwrap();
        assert_eq!(kept, choice(&["us-east-1a"]));
        assert_eq!(
            note.unwrap(),
            "Availability Zone us-east-1e does not offer instance type t3.small: no instances start there"
        );
        let (kept, note) = of(&["us-east-1a", "us-east-1b"], "t3.small").unwrap();
        assert_eq!((kept, note), (choice(&["us-east-1a", "us-east-1b"]), None));
        let (kept, note) = of(&["us-east-1a", "us-east-1e", "us-east-1f"], "t3.small").unwrap();
        assert_eq!(kept.ids.len(), 1);
        assert!(note.unwrap().starts_with("Availability Zones us-east-1e, us-east-1f do not"));
        let error = of(&["us-east-1e"], "t3.small").unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.to_string().contains("us-east-1e") && error.to_string().contains("t3.small"), "{error}");
        assert!(error.hints()[0].contains("us-east-1a, us-east-1b, us-east-1d"), "{error:?}");
    }

    #[test]
    fn what_nobody_tells_is_not_gone_by() {
        let all = choice(&["us-east-1e"]);
        assert_eq!(offering(&all, None, "t3.small").unwrap(), (all.clone(), None));
        // A sandbox keeps no such lists.
        assert_eq!(offering(&all, Some(&Offers::default()), "t3.small").unwrap(), (all, None));
    }
}
