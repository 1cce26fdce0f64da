use super::*;
use crate::{cloud::operations::ec2, engine::Use, error::AwsDetail};

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

fn tight(verdict: Verdict) -> String {
    match verdict {
        Verdict::Tight(text) => text,
        other => panic!("no warning: {other:?}"),
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
            Verdict::Tight(text) => {
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
    assert!(matches!(verdict(&three, &reading(5, 2)), Verdict::Tight(_)));
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
    assert!(matches!(verdict(&[rules(60, true, true)], &reading(60, 0)), Verdict::Tight(_)));
    assert!(matches!(verdict(&[rules(61, true, true)], &reading(100, 0)), Verdict::Fits));
    // Two listeners of one load balancer count together, though one of them stands; those of another do not.
    let listener =
        |node, created, balancer: &str| wanted(node, created, Use::within(quotas::NETWORK_LISTENERS.name, 1, balancer));
    let all = [listener(0, false, "a"), listener(1, true, "a"), listener(2, true, "b")];
    let sums: Vec<_> = grouped(&all).iter().map(|g| (g.within, g.need)).collect();
    assert_eq!(sums, [(Some("a"), 2), (Some("b"), 1)]);
}

#[test]
fn a_quota_that_may_not_be_read_has_the_default_and_the_way_out_is_told() {
    let unread = |limit, used| Reading { unread: Some(Unread::Denied("denied".into())), ..reading(limit, used) };
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

/// It may have been raised: nothing is refused because of a network or of an outage of Service Quotas.
#[test]
fn a_quota_that_could_not_be_read_is_only_warned_of() {
    let unread = |limit, used| Reading { unread: Some(Unread::Failed("no answer".into())), ..reading(limit, used) };
    let uses = [wanted(0, true, Use::of(ALB, 1))];
    let warning = tight(verdict(&uses, &unread(50, 50)));
    for words in [
        "is reached: 50 of 50 (AWS's default) in use, 1 more needed. This fails unless the quota was raised. Request",
        "`aws service-quotas request-service-quota-increase --service-code elasticloadbalancing",
    ] {
        assert!(warning.contains(words), "{warning}");
    }
    assert!(!warning.contains("servicequotas:"), "no permission is missing: {warning}");
    assert!(matches!(verdict(&uses, &unread(50, 51)), Verdict::Fits));
    assert!(tight(verdict(&uses, &unread(50, 49))).contains("nearly reached: 50 of 50 (AWS's default)"));
}

#[test]
fn what_is_denied_is_told_from_what_has_no_answer() {
    let aws = |code: &str| AwsDetail { code: Some(code.into()), operation: "a:B".into(), ..AwsDetail::default() };
    let denied = Error::new(Kind::Access, "no").at(aws("AccessDeniedException"));
    assert_eq!(Unread::of(&denied), Unread::Denied("a:B: AccessDeniedException".into()));
    let busy = Error::failed("no").at(aws("ServiceException"));
    assert_eq!(Unread::of(&busy), Unread::Failed("a:B: ServiceException".into()));
}

#[test]
fn what_cannot_be_counted_is_not_judged() {
    let uses = [wanted(0, true, Use::of(ALB, 1))];
    for used in [Ok(None), Err(Unread::Denied("elasticloadbalancing:DescribeLoadBalancers: AccessDenied".into()))] {
        assert!(matches!(verdict(&uses, &Reading { used, ..reading(50, 0) }), Verdict::Fits));
    }
}

#[test]
fn each_reason_is_told_once() {
    let mut unknown = Unknown::default();
    let denied = |why: &str| Reading { unread: Some(Unread::Denied(why.into())), ..reading(50, 0) };
    unknown.note(&denied("servicequotas:ListServiceQuotas: AccessDeniedException"), &quotas::TARGET_GROUPS);
    unknown.note(&denied("servicequotas:ListServiceQuotas: AccessDeniedException"), &quotas::VPCS);
    let uncounted = Err(Unread::Denied("ec2:DescribeAddresses: UnauthorizedOperation".into()));
    let uncounted = Reading { used: uncounted, ..reading(5, 0) };
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
async fn quotas_that_nobody_answers_for_are_waited_for_three_seconds_in_all_and_refuse_nothing() {
    // The connection is made, and nobody takes it.
    let silent = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (region, endpoint) = (Some("eu-west-1".to_owned()), Some(format!("http://{}", silent.local_addr().unwrap())));
    let credentials = Some(("id".to_owned(), "secret".to_owned()));
    let options = crate::cloud::ConnectOptions { region, endpoint, credentials, ..Default::default() };
    let cloud = Cloud::connect(options).await.unwrap().with_quotas();
    // Of one resource each, where nothing is counted: the rules of a group, and the listeners of a load balancer.
    let wanted =
        [Use::within(quotas::RULES.name, 61, "app-x-lb"), Use::within(quotas::APPLICATION_LISTENERS.name, 1, "app-x")];
    let wanted: Vec<Wanted> = wanted.into_iter().map(|taken| self::wanted(0, true, taken)).collect();
    let began = tokio::time::Instant::now();
    let room = cloud.room_for(&wanted).await;
    assert!(began.elapsed() < Duration::from_secs(4), "both at once: {:?}", began.elapsed());
    let [over, unread] = &room.warnings[..] else { panic!("{:?}", room.warnings) };
    assert!(over.contains("for app-x-lb allows 60 (AWS's default), and 61 are needed. This fails unless"), "{over}");
    assert_eq!(
        unread,
        "using AWS's default quotas, because the account's own could not be read (Service Quotas: no answer within 3 s)."
    );
    assert!(room.refused.is_empty(), "{:?}", room.refused);
    let limit = limit::of(&cloud, &judged(quotas::RULES.name).unwrap()).await;
    assert_eq!(limit, Err(Unread::Failed("Service Quotas: no answer within 3 s".into())));
    // The second time, with the plan, it is known that nothing answers.
    let again = cloud.room_for(&wanted).await;
    assert_eq!(again.warnings, room.warnings);
    assert!(began.elapsed() < Duration::from_secs(4), "not waited for again: {:?}", began.elapsed());
    let never = std::future::pending::<crate::Result<u64>>();
    let uncounted = counted::<ec2::DescribeVpcs, _>(&cloud, never).await.unwrap_err();
    assert!(uncounted.why().starts_with("ec2:DescribeVpcs: no answer"), "{uncounted:?}");
}
