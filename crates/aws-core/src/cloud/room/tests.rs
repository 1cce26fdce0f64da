use super::*;
use crate::engine::Use;

const ALB: &str = quotas::APPLICATION_LOAD_BALANCERS.name;

fn wanted(node: usize, created: bool, taken: Use) -> Wanted {
    Wanted { node, created, written: created, taken }
}

fn reading(limit: u64, used: u64) -> Reading {
    Reading { limit, unread: None, used: Ok(Some(used)) }
}

/// What comes of one quota's uses.
fn verdict(all: &[Wanted], reading: &Reading) -> Verdict {
    let groups = grouped(all);
    assert_eq!(groups.len(), 1, "one quota at a time");
    let place = Place { account: Some("123456789012".into()), region: "eu-west-1".into() };
    judge(&judged(groups[0].quota).unwrap(), &groups[0], reading, &place)
}

fn over(verdict: Verdict) -> Error {
    match verdict {
        Verdict::Over(error) => error,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_quota_that_is_reached_is_told_with_its_numbers_and_what_to_type() {
    let error = over(verdict(&[wanted(3, true, Use::of(ALB, 1))], &reading(50, 50)));
    assert_eq!(
        error.to_string(),
        "the quota \"Application Load Balancers per Region\" of account 123456789012 in eu-west-1 is reached: 50 of 50 in \
         use, 1 more needed"
    );
    assert_eq!(
        error.hints(),
        [
            "Request an increase: `aws service-quotas request-service-quota-increase --service-code elasticloadbalancing \
          --quota-code L-53DA6B97 --desired-value 62 --region eu-west-1`; or delete what is not needed."
        ]
    );
    assert_eq!(error.kind(), crate::error::Kind::Refused);
}

#[test]
fn from_nine_tenths_on_there_is_a_warning() {
    let uses = [wanted(0, true, Use::of(ALB, 1))];
    let table = [(0, "fits"), (43, "fits"), (44, "nearly"), (48, "nearly"), (49, "nearly"), (50, "over"), (51, "over")];
    for (used, expected) in table {
        let now = match verdict(&uses, &reading(50, used)) {
            Verdict::Fits => "fits",
            Verdict::Nearly(text) => {
                assert!(text.contains(&format!("nearly reached: {} of 50", used + 1)), "{text}");
                "nearly"
            }
            Verdict::Over(_) => "over",
        };
        assert_eq!(now, expected, "{used} of 50");
    }
}

#[test]
fn several_are_summed_up_and_what_exists_already_takes_no_more() {
    let name = quotas::ADDRESSES.name;
    let three = [0, 1, 2].map(|node| wanted(node, true, Use::of(name, 1)));
    let error = over(verdict(&three, &reading(5, 3)));
    assert!(error.to_string().contains("3 of 5 in use, 3 more needed"), "{error}");
    assert!(matches!(verdict(&three, &reading(5, 2)), Verdict::Nearly(_)));
    // The first stands already, and is counted.
    let two =
        [wanted(0, false, Use::of(name, 1)), wanted(1, true, Use::of(name, 1)), wanted(2, true, Use::of(name, 1))];
    let groups = grouped(&two);
    assert_eq!((groups[0].need, groups[0].node, groups[0].written), (2, 1, true));
    // A plan that creates nothing of it is not judged.
    assert!(!grouped(&[wanted(0, false, Use::of(name, 1))])[0].written);
}

#[test]
fn what_one_resource_has_for_itself_is_all_in_the_plan() {
    let rules = |n, created, written| Wanted {
        node: 7,
        created,
        written,
        taken: Use::within(quotas::RULES.name, n, "app-x-lb"),
    };
    let error = over(verdict(&[rules(61, false, true)], &reading(60, 0)));
    assert!(error.to_string().contains("for app-x-lb allows 60, and 61 are needed"), "{error}");
    assert!(matches!(verdict(&[rules(60, true, true)], &reading(60, 0)), Verdict::Nearly(_)));
    assert!(matches!(verdict(&[rules(61, true, true)], &reading(100, 0)), Verdict::Fits));
    // Two listeners of one load balancer count together, though one of them stands; those of another do not.
    let listener =
        |node, created, balancer: &str| wanted(node, created, Use::within(quotas::NETWORK_LISTENERS.name, 1, balancer));
    let all = [listener(0, false, "a"), listener(1, true, "a"), listener(2, true, "b")];
    let sums: Vec<_> = grouped(&all).iter().map(|g| (g.within, g.need)).collect();
    assert_eq!(sums, [(Some("a"), 2), (Some("b"), 1)]);
}

#[test]
fn without_the_accounts_value_the_default_holds_and_the_way_out_is_told() {
    let unread = |limit, used| Reading { unread: Some("denied".into()), ..reading(limit, used) };
    let uses = [wanted(0, true, Use::of(ALB, 1))];
    let error = over(verdict(&uses, &unread(50, 50)));
    assert!(error.to_string().contains("50 of 50 (AWS's default) in use"), "{error}");
    assert!(error.hints()[1].contains("servicequotas:ListServiceQuotas"), "{:?}", error.hints());
    // More than the default stands there: it was raised.
    assert!(matches!(verdict(&uses, &unread(50, 51)), Verdict::Fits));
    // AWS raises this one as an account grows: nobody is kept from deploying by a default of 5.
    let processors = quotas::processors_of("t3.small", false).unwrap().name;
    let uses = [wanted(0, true, Use::of(processors, 4))];
    assert!(matches!(verdict(&uses, &unread(5, 4)), Verdict::Fits));
    assert!(over(verdict(&uses, &reading(5, 4))).to_string().contains("4 of 5 in use, 4 more needed"));
}

#[test]
fn what_cannot_be_counted_is_not_judged() {
    let uses = [wanted(0, true, Use::of(ALB, 1))];
    for used in [Ok(None), Err("elasticloadbalancing:DescribeLoadBalancers: AccessDenied".to_owned())] {
        assert!(matches!(verdict(&uses, &Reading { used, ..reading(50, 0) }), Verdict::Fits));
    }
}

#[test]
fn each_reason_is_told_once() {
    let mut unknown = Unknown::default();
    let denied = |why: &str| Reading { unread: Some(why.into()), ..reading(50, 0) };
    unknown.note(&denied("servicequotas:ListServiceQuotas: AccessDeniedException"), &quotas::TARGET_GROUPS);
    unknown.note(&denied("servicequotas:ListServiceQuotas: AccessDeniedException"), &quotas::VPCS);
    let uncounted = Reading { used: Err("ec2:DescribeAddresses: UnauthorizedOperation".into()), ..reading(5, 0) };
    unknown.note(&uncounted, &quotas::ADDRESSES);
    assert_eq!(
        unknown.told().unwrap(),
        "using AWS's default quotas, because the account's own could not be read (servicequotas:ListServiceQuotas: \
         AccessDeniedException); not checked: the quotas \"EC2-VPC Elastic IPs\" (ec2:DescribeAddresses: \
         UnauthorizedOperation)."
    );
    assert_eq!(Unknown::default().told(), None);
}

#[test]
fn every_quota_that_a_resource_names_is_known_and_can_be_asked_for() {
    for (quota, tally) in JUDGED {
        let found = judged(quota.name).unwrap();
        assert_eq!((found.quota, found.tally), (*quota, *tally), "no name twice");
        assert!(quota.command("1", "eu-west-1").is_some(), "{}", quota.name);
        // What IAM tells in its summary has a key there; its values are not in Service Quotas of the region.
        let of_iam = service_of(quota).is_some_and(|(service, _)| service == "iam");
        assert_eq!(of_iam, !count::iam_quota(quota).is_empty(), "{}", quota.name);
    }
    assert!(judged("no such quota").is_none());
}

/// In a private network without an endpoint for Service Quotas, nothing answers.
#[tokio::test(start_paused = true)]
async fn quotas_that_nobody_answers_for_are_waited_for_three_seconds_in_all() {
    let (region, endpoint) = (Some("eu-west-1".to_owned()), Some("http://127.0.0.1:1".to_owned()));
    let credentials = Some(("id".to_owned(), "secret".to_owned()));
    let options = crate::cloud::ConnectOptions { region, endpoint, credentials, ..Default::default() };
    let cloud = Cloud::connect(options).await.unwrap();
    let never = || std::future::pending::<crate::Result<u64>>();
    let limit = |what| once(&cloud, what, ("Service Quotas", LIMITS), never());
    let began = tokio::time::Instant::now();
    let (vpc, elb) = futures::join!(limit("vpc"), limit("elasticloadbalancing"));
    // The second time, with the plan, it is known that nothing answers.
    let again = limit("vpc").await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let mut unknown = Unknown::default();
    for (why, quota) in [(vpc, quotas::VPCS), (elb, quotas::APPLICATION_LOAD_BALANCERS), (again, quotas::VPCS)] {
        unknown.note(&Reading { unread: why.err(), ..reading(5, 0) }, &quota);
    }
    assert_eq!(
        unknown.told().unwrap(),
        "using AWS's default quotas, because the account's own could not be read (Service Quotas: no answer within 3 s)."
    );
    assert!(counted(&cloud, "ec2:DescribeVpcs", never()).await.unwrap_err().starts_with("ec2:DescribeVpcs: no answer"));
}
