//! Domains of teams and the settings of their VPCs, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{
    Result,
    cloud::Cloud,
    engine::{Cx, Graph, Identity, Needs, Ref, World as _},
    error::Kind,
    model::{Owning as _, TeamOwner},
    registry::{self, VpcSettings},
    resources::{
        domain::{
            certificate::{self, Certificate, CertificateArn, ValidationRecord, issued},
            delegation::{Delegation, parent_zone},
            hosted_zone::{self, HostedZone, comment},
        },
        network::ids::VpcId,
        place_settings::PlaceSettings,
    },
};
use aws_sdk_route53::types::{
    Change as RecordChange, ChangeAction, ChangeBatch, HostedZoneConfig, ResourceRecord, ResourceRecordSet, RrType,
    TagResourceType,
};
use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
};

fn owner(team: &str) -> TeamOwner {
    TeamOwner {
        organization: "acme".parse().unwrap(),
        team: Some(team.parse().unwrap()),
        extra: BTreeMap::from([("cost".into(), "7".into())]),
    }
}

async fn public_zone(cloud: &Cloud, name: &str, comment: &str) -> String {
    let config = HostedZoneConfig::builder().comment(comment).private_zone(false).build();
    let call = cloud.route53().create_hosted_zone().name(name).caller_reference(support::unique("ref"));
    let made = call.hosted_zone_config(config).send().await.unwrap();
    made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned()
}

async fn change(cloud: &Cloud, zone: &str, action: ChangeAction, record: ResourceRecordSet) {
    let change = RecordChange::builder().action(action).resource_record_set(record).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    cloud.route53().change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

fn record(name: &str, kind: RrType, ttl: i64, value: &str) -> ResourceRecordSet {
    let value = ResourceRecord::builder().value(value).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(ttl).resource_records(value).build().unwrap()
}

async fn records(cloud: &Cloud, zone: &str, name: &str, kind: RrType) -> Vec<ResourceRecordSet> {
    let all = cloud.route53().list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let all = all.resource_record_sets.into_iter();
    all.filter(|r| r.name().trim_end_matches('.') == name && *r.r#type() == kind).collect()
}

async fn tags_of(cloud: &Cloud, zone: &str) -> BTreeMap<String, String> {
    let call = cloud.route53().list_tags_for_resource().resource_type(TagResourceType::Hostedzone);
    let told = call.resource_id(zone).send().await.unwrap().resource_tag_set.unwrap();
    told.tags().iter().map(|t| (t.key().unwrap().to_owned(), t.value().unwrap().to_owned())).collect()
}

/// What the emulator gives every zone.
const SERVERS: [&str; 4] =
    ["ns-2048.awsdns-64.com", "ns-2049.awsdns-65.net", "ns-2050.awsdns-66.org", "ns-2051.awsdns-67.co.uk"];

struct Domain {
    parent: String,
    parent_zone: String,
    domain: String,
}

async fn parent(cloud: &Cloud) -> Domain {
    let parent = format!("{}.example.org", support::unique("parent"));
    let parent_zone = public_zone(cloud, &parent, "").await;
    Domain { domain: format!("red.{parent}"), parent, parent_zone }
}

fn graph(d: &Domain, team: &str) -> Graph<Cloud> {
    remembering(d, team, &[])
}

/// With the name servers that the team's record remembers.
fn remembering(d: &Domain, team: &str, servers: &[&str]) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let domain = || d.domain.clone();
    let zone = graph.add(HostedZone { owner: owner(team), domain: domain() });
    graph.add(Delegation {
        zone,
        domain: domain(),
        remembered: servers.iter().copied().map(str::to_owned).collect(),
        parent: d.parent.clone(),
        parent_zone_id: None,
    });
    let certificate = graph.add(Certificate { owner: owner(team), domain: domain() });
    graph.add(ValidationRecord { zone, certificate, domain: domain() });
    graph
}

async fn zone_of(cloud: &Cloud, domain: &str) -> String {
    let zones = cloud.route53().list_hosted_zones_by_name().dns_name(domain).send().await.unwrap();
    zones.hosted_zones()[0].id().trim_start_matches("/hostedzone/").to_owned()
}

#[tokio::test]
async fn a_domain_lives_and_dies() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    support::lifecycle(&remembering(&d, "red", &SERVERS), &cloud).await;
    assert!(records(&cloud, &d.parent_zone, &d.domain, RrType::Ns).await.is_empty());
}

#[tokio::test]
async fn zone_and_certificate_carry_tags() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    support::apply(&graph(&d, "red"), &cloud).await;
    let zone = zone_of(&cloud, &d.domain).await;
    assert_eq!(tags_of(&cloud, &zone).await, owner("red").tags(&d.domain));
    // A zone whose maker was killed before it was tagged, and a tag that somebody changed.
    let call = cloud.route53().change_tags_for_resource().resource_type(TagResourceType::Hostedzone);
    let cost = aws_sdk_route53::types::Tag::builder().key("cost").value("8").build();
    call.resource_id(&zone).remove_tag_keys("overlord:team").add_tags(cost).send().await.unwrap();
    let text = support::text(&support::apply(&graph(&d, "red"), &cloud).await);
    let wanted = format!("hosted zone {}: ~ tag cost: 8 -> 7; tag overlord:team: - -> red", d.domain);
    assert!(text.contains(&wanted), "{text}");
    assert_eq!(tags_of(&cloud, &zone).await, owner("red").tags(&d.domain));
    let all = cloud.acm().list_certificates().send().await.unwrap();
    let ours = all.certificate_summary_list().iter().find(|c| c.domain_name() == Some(&d.domain)).unwrap();
    let arn = ours.certificate_arn().unwrap();
    assert!(!issued(&cloud, arn).await.unwrap(), "the emulator issues after a minute");
    assert_eq!(issued(&cloud, &format!("{arn}0")).await.unwrap_err().kind(), Kind::NotFound);
    // A tag of the certificate that differs is mended.
    let tag = aws_sdk_acm::types::Tag::builder().key("cost").value("8").build().unwrap();
    cloud.acm().add_tags_to_certificate().certificate_arn(arn).tags(tag).send().await.unwrap();
    let text = support::text(&support::apply(&graph(&d, "red"), &cloud).await);
    assert!(text.contains("~ tag cost: 8 -> 7"), "{text}");
}

#[tokio::test]
async fn a_damaged_delegation_is_repaired() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    support::apply(&graph(&d, "red"), &cloud).await;
    let made = records(&cloud, &d.parent_zone, &d.domain, RrType::Ns).await.remove(0);
    assert_eq!((made.ttl(), made.resource_records().len()), (Some(3600), 4));

    change(&cloud, &d.parent_zone, ChangeAction::Delete, made.clone()).await;
    let text = support::text(&support::apply(&graph(&d, "red"), &cloud).await);
    assert!(text.contains(&format!("delegation {}: + create", d.domain)), "{text}");

    let foreign = record(&d.domain, RrType::Ns, 60, "ns.example.net.");
    change(&cloud, &d.parent_zone, ChangeAction::Upsert, foreign.clone()).await;
    let text = support::text(&support::apply(&graph(&d, "red"), &cloud).await);
    assert!(text.contains("~ name servers: ns.example.net -> ns-2048.awsdns-64.com, "), "{text}");
    assert!(text.contains("TTL: 60 -> 3600"), "{text}");
    let mended = records(&cloud, &d.parent_zone, &d.domain, RrType::Ns).await.remove(0);
    assert_eq!(mended.resource_records().len(), 4);

    // Somebody else answers for the domain: deleting leaves that.
    change(&cloud, &d.parent_zone, ChangeAction::Upsert, foreign).await;
    support::done(&graph(&d, "red"), &cloud, Way::Destroy).await;
    assert_eq!(records(&cloud, &d.parent_zone, &d.domain, RrType::Ns).await.len(), 1);
}

/// The parent names somebody else's servers, and we have no zone: a team of that name must not cut them off.
#[tokio::test]
async fn a_name_that_the_parent_has_given_away_is_refused() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    let theirs = record(&d.domain, RrType::Ns, 60, "ns.example.net.");
    change(&cloud, &d.parent_zone, ChangeAction::Create, theirs.clone()).await;
    let plan = support::text(&support::go(&graph(&d, "red"), &cloud, Way::Plan).await);
    assert!(plan.contains("name servers: ns.example.net -> "), "{plan}");
    let report = support::go(&graph(&d, "red"), &cloud, Way::Apply).await;
    let refused = report.failures().next().unwrap().1;
    assert_eq!(refused.kind(), Kind::Refused, "{}", support::text(&report));
    assert!(refused.hints()[0].contains("choose another name"), "{:?}", refused.hints());
    let left = records(&cloud, &d.parent_zone, &d.domain, RrType::Ns).await;
    assert_eq!((left.len(), left[0].ttl()), (1, Some(60)), "it is as it was");
    let zones = cloud.route53().list_hosted_zones_by_name().dns_name(&d.domain).send().await.unwrap();
    assert!(zones.hosted_zones().iter().all(|z| !z.name().starts_with(&d.domain)), "no zone was made");
    // Once nobody needs the name, it can be had.
    change(&cloud, &d.parent_zone, ChangeAction::Delete, theirs).await;
    support::apply(&graph(&d, "red"), &cloud).await;
}

/// A classic load balancer with this certificate: of its load balancers, the emulator tells ACM only of those. There
/// is no client for them here.
fn use_certificate(balancer: &str, certificate: &str) {
    let form = format!(
        "Action=CreateLoadBalancer&Version=2012-06-01&LoadBalancerName={balancer}&AvailabilityZones.member.1=eu-west-1a\
         &Listeners.member.1.Protocol=HTTPS&Listeners.member.1.LoadBalancerPort=443\
         &Listeners.member.1.InstanceProtocol=HTTP&Listeners.member.1.InstancePort=80\
         &Listeners.member.1.SSLCertificateId={certificate}"
    );
    let endpoint = support::endpoint();
    let mut connection = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    let scope = format!("testing/20260101/{}/elasticloadbalancing/aws4_request", support::REGION);
    write!(
        connection,
        "POST / HTTP/1.0\r\nAuthorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn what_is_in_use_is_told_before_anything_is_removed() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    let asked = async || {
        cloud.forget();
        let records = hosted_zone::in_use(&cloud, &owner("red"), &d.domain).await.unwrap();
        (records, certificate::in_use(&cloud, &owner("red"), &d.domain).await.unwrap())
    };
    assert_eq!(asked().await, (vec![], vec![]), "there is no zone, and no certificate");
    support::apply(&graph(&d, "red"), &cloud).await;
    assert_eq!(asked().await, (vec![], vec![]), "ACM's records and our own are no use");
    let shop = format!("shop.{}", d.domain);
    change(&cloud, &zone_of(&cloud, &d.domain).await, ChangeAction::Create, record(&shop, RrType::A, 60, "10.0.0.1"))
        .await;
    let all = cloud.acm().list_certificates().send().await.unwrap();
    let ours = all.certificate_summary_list().iter().find(|c| c.domain_name() == Some(&d.domain)).unwrap();
    let user = support::unique("balancer");
    use_certificate(&user, ours.certificate_arn().unwrap());
    let (records, users) = asked().await;
    assert_eq!(records, [format!("{shop} A")]);
    assert!(users.len() == 1 && users[0].contains(&user), "{users:?}");
    // Another team's is none of ours.
    assert_eq!(hosted_zone::in_use(&cloud, &owner("blue"), &d.domain).await.unwrap(), Vec::<String>::new());
    assert_eq!(certificate::in_use(&cloud, &owner("blue"), &d.domain).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_missing_validation_record_is_repaired() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    support::apply(&graph(&d, "red"), &cloud).await;
    let zone = zone_of(&cloud, &d.domain).await;
    let name = format!("_d930b28be6c5927595552b219965053e.{}", d.domain);
    let made = records(&cloud, &zone, &name, RrType::Cname).await;
    assert_eq!(made.len(), 1, "a domain and the names below it have one record");
    change(&cloud, &zone, ChangeAction::Delete, made[0].clone()).await;
    let text = support::text(&support::apply(&graph(&d, "red"), &cloud).await);
    assert!(text.contains(&format!("validation record {}: + create", d.domain)), "{text}");
    change(&cloud, &zone, ChangeAction::Upsert, record(&name, RrType::Cname, 300, "x.example.org.")).await;
    let text = support::text(&support::apply(&graph(&d, "red"), &cloud).await);
    assert!(text.contains("x.example.org -> _c9edd76ee4a0e2a74388032f3861cc50."), "{text}");
}

#[tokio::test]
async fn a_foreign_zone_is_refused_and_left() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    let zone = public_zone(&cloud, &d.domain, &comment(&owner("blue"))).await;
    for mode in [Way::Apply, Way::Destroy] {
        let report = support::go(&graph(&d, "red"), &cloud, mode).await;
        let text = support::text(&report);
        let refused = report.failures().next().unwrap().1;
        assert_eq!(refused.kind(), Kind::Refused, "{text}");
        assert!(refused.to_string().contains("acme/blue"), "{text}");
    }
    assert_eq!(zone_of(&cloud, &d.domain).await, zone);
    assert!(records(&cloud, &d.parent_zone, &d.domain, RrType::Ns).await.is_empty(), "nothing was written");
}

#[tokio::test]
async fn a_zone_with_records_is_kept() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    support::apply(&graph(&d, "red"), &cloud).await;
    let zone = zone_of(&cloud, &d.domain).await;
    let shop = record(&format!("shop.{}", d.domain), RrType::A, 60, "10.0.0.1");
    change(&cloud, &zone, ChangeAction::Create, shop.clone()).await;
    let report = support::go(&graph(&d, "red"), &cloud, Way::Destroy).await;
    let text = support::text(&report);
    assert!(text.contains(&format!("shop.{} A", d.domain)), "{text}");
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused);
    assert_eq!(zone_of(&cloud, &d.domain).await, zone);
    change(&cloud, &zone, ChangeAction::Delete, shop).await;
    support::destroy(&graph(&d, "red"), &cloud).await;
}

#[tokio::test]
async fn another_certificate_for_the_domain_is_none_of_ours() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    let call = cloud.acm().request_certificate().domain_name(&d.domain);
    let theirs = call.subject_alternative_names(format!("*.{}", d.domain)).send().await.unwrap();
    support::lifecycle(&remembering(&d, "red", &SERVERS), &cloud).await;
    let theirs = theirs.certificate_arn().unwrap();
    assert!(cloud.acm().describe_certificate().certificate_arn(theirs).send().await.is_ok());
}

#[tokio::test]
async fn the_parents_zone_is_chosen_never_guessed() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    assert_eq!(parent_zone(&cloud, &d.parent, None).await.unwrap(), d.parent_zone);
    assert_eq!(parent_zone(&cloud, "nowhere.test", Some("/hostedzone/Z1")).await.unwrap(), "Z1");
    assert_eq!(parent_zone(&cloud, "nowhere.test", None).await.unwrap_err().kind(), Kind::NotFound);
    public_zone(&cloud, &d.parent, "").await;
    let cloud = support::cloud().await;
    assert_eq!(parent_zone(&cloud, &d.parent, None).await.unwrap_err().kind(), Kind::Refused);
}

/// Something that exists, for those who refer to it.
#[derive(Clone, Needs)]
struct Known<T>(T);
impl<T: Clone + Send + Sync + 'static> Identity for Known<T> {
    const KIND: &'static str = "known";
    type Cloud = Cloud;
    type Live = T;
    type Output = T;
    fn name(&self) -> String {
        std::any::type_name::<T>().into()
    }
    async fn find(&self, _: &Cx<'_, Cloud>) -> Result<Option<T>> {
        Ok(Some(self.0.clone()))
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, _: &T) -> Result<()> {
        Ok(())
    }
    fn output(&self, live: &T) -> T {
        live.clone()
    }
}

fn place(vpc: &str, base: VpcSettings) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let vpc: Ref<VpcId> = graph.external(Known(VpcId { id: vpc.into(), ipv6: None }));
    let certificate = Some(graph.external(Known(CertificateArn { arn: "arn:certificate".into(), records: vec![] })));
    graph.add(PlaceSettings { vpc, base, certificate, boundary: Some("arn:boundary".into()) });
    graph
}

async fn put(cloud: &Cloud, vpc: &str, yaml: &str) {
    let call = cloud.ssm().put_parameter().name(format!("/minion/{vpc}/settings")).value(yaml).overwrite(true);
    call.r#type(aws_sdk_ssm::types::ParameterType::String).send().await.unwrap();
}

#[tokio::test]
async fn settings_keep_what_operators_wrote() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-settings");
    let base =
        |domain: &str| VpcSettings { domain: Some(domain.into()), team: Some("red".into()), ..VpcSettings::default() };
    let report = support::apply(&place(&vpc, base("red.example.org")), &cloud).await;
    assert_eq!(report.changes(), 1);
    let read = async || registry::read_start(&cloud, &vpc, None).await.unwrap().settings;
    let first = read().await;
    assert_eq!(first.domain.as_deref(), Some("red.example.org"));
    assert_eq!(first.certificate_arn.as_deref(), Some("arn:certificate"));
    assert_eq!(first.permissions_boundary.as_deref(), Some("arn:boundary"));

    put(&cloud, &vpc, "ami_id: ami-1\nshiny: [1]\nteam: red\ndomain: wrong\n").await;
    let text = support::text(&support::apply(&place(&vpc, base("new.example.org")), &cloud).await);
    assert!(text.contains("domain: wrong -> new.example.org"), "{text}");
    assert!(text.contains("certificate_arn: - -> arn:certificate"), "{text}");
    assert!(!text.contains("ami_id"), "{text}");
    let now = read().await;
    assert_eq!((now.ami_id.as_deref(), now.domain.as_deref()), (Some("ami-1"), Some("new.example.org")));
    let stored = cloud.ssm().get_parameter().name(format!("/minion/{vpc}/settings")).send().await.unwrap();
    assert!(stored.parameter().unwrap().value().unwrap().contains("shiny"), "keys of newer tools stay");

    // What we no longer want goes; what operators wrote does not.
    let mut less = Graph::default();
    let id: Ref<VpcId> = less.external(Known(VpcId { id: vpc.clone(), ipv6: None }));
    let team = VpcSettings { team: Some("red".into()), ..VpcSettings::default() };
    less.add(PlaceSettings { vpc: id, base: team, certificate: None, boundary: None });
    let text = support::text(&support::apply(&less, &cloud).await);
    assert!(text.contains("certificate_arn: arn:certificate -> -; domain: new.example.org -> -"), "{text}");
    let team = VpcSettings { team: Some("red".into()), ami_id: Some("ami-1".into()), ..VpcSettings::default() };
    assert_eq!(read().await, team);

    support::destroy(&place(&vpc, base("new.example.org")), &cloud).await;
    assert_eq!(read().await, VpcSettings::default());
    support::disappears(&place(&vpc, base("new.example.org")), &cloud, &[]).await;
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_refused_and_deleted() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-unreadable");
    put(&cloud, &vpc, "peers: nowhere\n").await;
    let graph = place(&vpc, VpcSettings::default());
    let report = support::go(&graph, &cloud, Way::Apply).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused);
    support::destroy(&graph, &cloud).await;
}

#[tokio::test]
async fn large_settings_are_kept_and_deleted_whole() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-large");
    let base = VpcSettings { cacerts: Some("x".repeat(9000)), ..VpcSettings::default() };
    support::apply(&place(&vpc, base.clone()), &cloud).await;
    support::destroy(&place(&vpc, base), &cloud).await;
    let left = cloud.ssm().get_parameters_by_path().path(format!("/minion/{vpc}")).recursive(true);
    assert_eq!(left.send().await.unwrap().parameters().len(), 0);
}

#[tokio::test]
async fn a_zone_that_stands_is_taken_over() {
    let cloud = support::cloud().await;
    let d = parent(&cloud).await;
    assert_eq!(hosted_zone::adopt(&cloud, &owner("red"), &d.domain).await.unwrap(), None);
    cloud.forget();
    let id = public_zone(&cloud, &d.domain, "by hand").await;
    assert_eq!(hosted_zone::adoptable(&cloud, &owner("red"), &d.domain).await.unwrap(), Some(id.clone()));
    let zone = cloud.route53().get_hosted_zone().id(&id).send().await.unwrap();
    assert_eq!(zone.hosted_zone().unwrap().config().unwrap().comment(), Some("by hand"), "looking writes nothing");
    assert_eq!(hosted_zone::adopt(&cloud, &owner("red"), &d.domain).await.unwrap(), Some(id.clone()));
    let zone = cloud.route53().get_hosted_zone().id(&id).send().await.unwrap();
    assert_eq!(zone.hosted_zone().unwrap().config().unwrap().comment(), Some("overlord acme/red"));
    cloud.forget();
    assert_eq!(hosted_zone::adopt(&cloud, &owner("red"), &d.domain).await.unwrap(), None);
    let e = hosted_zone::adopt(&cloud, &owner("blue"), &d.domain).await.unwrap_err();
    assert!(e.kind() == Kind::Refused && e.to_string().contains("acme/red"), "{e}");
    // It is found like one that was made here.
    support::apply(&graph(&d, "red"), &cloud).await;
    assert_eq!(zone_of(&cloud, &d.domain).await, id);
}
