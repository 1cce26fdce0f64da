//! Certificates that ACM issues once it sees our records in the domain's zone.
use super::{
    hosted_zone::ZoneId,
    records::{record_set, remove, values, write},
};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        operations::acm,
        wait::{Look, Patience, poll_until},
    },
    engine::{Cancel, Change, Cx, Identity, Needs, Ref, Resource},
    model::{Owning as _, TeamOwner, names, tag_rules, tags::Whose},
    resources::{
        alias_record::{list_records, plain_name},
        kind::{found_through, itself},
        tag_drift,
    },
};
use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, CertificateSummary, DomainStatus, Tag, ValidationMethod,
};
use aws_sdk_route53::types::{ChangeAction, ResourceRecordSet, RrType};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// ACM tells the records some seconds after the certificate was asked for (`RequestCertificate`).
const TOLD: Duration = Duration::from_secs(120);
/// Seconds that resolvers keep the validation records.
const TTL: i64 = 300;

/// A certificate for a domain and every name one label below it. Other people's certificates for the same domain are
/// none of ours.
#[derive(Clone, Needs)]
pub struct Certificate {
    /// For whom.
    pub owner: TeamOwner,
    /// The domain, without a final dot.
    pub domain: String,
}

/// A certificate that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateArn {
    /// Its ARN.
    pub arn: String,
    /// The CNAME records that ACM wants to see: name and value, without final dots.
    pub records: Vec<(String, String)>,
}

/// What was found of a certificate.
#[derive(Debug, Clone)]
pub struct Live {
    certificate: CertificateArn,
    tags: BTreeMap<String, String>,
}

/// Whether ACM has issued a certificate.
///
/// # Errors
/// When it will not, with ACM's reason; what AWS answers.
pub async fn issued(cloud: &Cloud, arn: &str) -> Result<bool> {
    let Some(detail) = describe(cloud, arn).await? else {
        return Err(Error::not_found(format!("certificate {arn} does not exist")));
    };
    match detail.status() {
        Some(CertificateStatus::Issued) => Ok(true),
        Some(CertificateStatus::PendingValidation) | None => Ok(false),
        Some(dead) => {
            let reason = detail.failure_reason().map(|r| format!(" ({})", r.as_str())).unwrap_or_default();
            Err(Error::failed(format!("certificate {arn} is {}{reason}", dead.as_str())).hint(
                "Check that the domain's delegation works, and that no CAA record forbids Amazon; then run the same \
                 command again.",
            ))
        }
    }
}

/// The owner's certificate for this domain, in this region.
pub async fn of_domain(cloud: &Cloud, owner: &TeamOwner, domain: &str) -> Result<Option<String>> {
    let all = list(cloud).await?;
    for arn in all.iter().filter(|c| c.domain_name() == Some(domain)).filter_map(|c| c.certificate_arn()) {
        if owner.whose(&tags_of(cloud, arn).await?) == Whose::Ours {
            return Ok(Some(arn.to_owned()));
        }
    }
    Ok(None)
}

/// The ARNs of what uses the owner's certificates for this domain in this region: load balancers, mostly. ACM deletes
/// no certificate that is in use. To be asked before anything is removed.
pub async fn in_use(cloud: &Cloud, owner: &TeamOwner, domain: &str) -> Result<Vec<String>> {
    let all = list(cloud).await?;
    let mut users = BTreeSet::new();
    for arn in all.iter().filter(|c| c.domain_name() == Some(domain)).filter_map(|c| c.certificate_arn()) {
        if owner.whose(&tags_of(cloud, arn).await?) == Whose::Ours {
            let detail = describe(cloud, arn).await?;
            users.extend(detail.and_then(|d| d.in_use_by).unwrap_or_default());
        }
    }
    Ok(users.into_iter().collect())
}

async fn describe(cloud: &Cloud, arn: &str) -> Result<Option<CertificateDetail>> {
    let answer = cloud.acm().describe_certificate().certificate_arn(arn).send().await;
    Ok(answer.unless_gone(cloud, arn)?.and_then(|d| d.certificate))
}

/// Waits until ACM has told the records of all names. One that was just asked for may not be known at first; else
/// `None` says that the certificate is gone.
async fn told(cloud: &Cloud, arn: &str, new: bool) -> Result<Option<CertificateArn>> {
    let look = async || {
        let Some(detail) = describe(cloud, arn).await? else {
            return Ok(if new { Look::NotYet("ACM does not know it yet".into()) } else { Look::Done(None) });
        };
        Ok(match records(&detail) {
            Some(records) => Look::Done(Some(CertificateArn { arn: arn.to_owned(), records })),
            None => Look::NotYet("ACM has not told them yet".into()),
        })
    };
    let what = format!("the validation records of certificate {arn}");
    poll_until(&what, &Patience::new(TOLD, Cancel::default()), look, |_, _| {}).await
}

/// The records of all names; `None` while one of those is missing that is still to be validated.
fn records(detail: &CertificateDetail) -> Option<Vec<(String, String)>> {
    let options = detail.domain_validation_options();
    let waits = |status: Option<&DomainStatus>| status.is_none_or(|s| *s == DomainStatus::PendingValidation);
    let missing = options.iter().any(|o| o.resource_record().is_none() && waits(o.validation_status()));
    let pending = detail.status().is_none_or(|s| *s == CertificateStatus::PendingValidation);
    if missing || (pending && options.is_empty()) {
        return None;
    }
    // A domain and the names below it have one record.
    let records: BTreeSet<(String, String)> = options
        .iter()
        .filter_map(|o| o.resource_record())
        .map(|r| (plain_name(r.name()), plain_name(r.value())))
        .collect();
    Some(records.into_iter().collect())
}

/// All certificates of this region with keys as ours (RSA 2048). Shared by all who ask in this run.
async fn list(cloud: &Cloud) -> Result<Arc<Vec<CertificateSummary>>> {
    let load = async {
        let pages = cloud.acm().list_certificates().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")
    };
    cloud.once("certificates with RSA 2048 keys", load).await
}

async fn tags_of(cloud: &Cloud, arn: &str) -> Result<BTreeMap<String, String>> {
    let answer = cloud.acm().list_tags_for_certificate().certificate_arn(arn).send().await.unless_gone(cloud, arn)?;
    let tags = answer.and_then(|a| a.tags).unwrap_or_default();
    Ok(tags.into_iter().map(|t| (t.key, t.value.unwrap_or_default())).collect())
}

async fn remove_certificate(cloud: &Cloud, arn: &str) -> Result<()> {
    cloud.acm().delete_certificate().certificate_arn(arn).send().await.unless_gone(cloud, arn).map(drop)
}

fn acm_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    let tags: Result<_, _> = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
    tags.map_err(|e| Error::failed("a tag lacks its key").caused_by(e))
}

impl Certificate {
    fn fits(&self) -> Result<()> {
        names::domain_name(&self.domain)?;
        let length = self.domain.len();
        if length > names::CERTIFICATE {
            return Err(Error::usage(format!(
                "invalid domain `{}`: it has {length} characters; a certificate's first name has at most {}",
                self.domain,
                names::CERTIFICATE
            )));
        }
        Ok(())
    }

    /// ARNs of the domain's certificates that are, or are not, good for anything.
    async fn candidates(&self, cloud: &Cloud, good: bool) -> Result<Vec<String>> {
        let wildcard = format!("*.{}", self.domain);
        let all = list(cloud).await?;
        let of_domain = all.iter().filter(|c| {
            let names = c.subject_alternative_name_summaries();
            // An emulator lists no names.
            let covers = names.is_empty() || names.contains(&wildcard);
            c.domain_name() == Some(&self.domain) && covers
        });
        let fit = of_domain.filter(|c| {
            let alive =
                matches!(c.status(), None | Some(CertificateStatus::Issued | CertificateStatus::PendingValidation));
            alive == good
        });
        let mut arns: Vec<(bool, String)> = fit
            .filter_map(|c| Some((c.status() != Some(&CertificateStatus::Issued), c.certificate_arn()?.to_owned())))
            .collect();
        // Those that are issued first, and always in the same order.
        arns.sort();
        Ok(arns.into_iter().map(|(_, arn)| arn).collect())
    }

    /// The tags of a certificate, when they say that it is ours.
    async fn tags_if_ours(&self, cloud: &Cloud, arn: &str) -> Result<Option<BTreeMap<String, String>>> {
        let tags = tags_of(cloud, arn).await?;
        Ok((self.owner.whose(&tags) == Whose::Ours).then_some(tags))
    }
}

impl Identity for Certificate {
    const KIND: &'static str = "certificate";
    type Cloud = Cloud;
    type Live = Live;
    type Output = CertificateArn;
    fn name(&self) -> String {
        self.domain.clone()
    }
    fn noun(&self) -> String {
        format!("certificate for {0} and *.{0}", self.domain)
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        for arn in self.candidates(cx.cloud, true).await? {
            if let Some(tags) = self.tags_if_ours(cx.cloud, &arn).await?
                && let Some(certificate) = told(cx.cloud, &arn, false).await?
            {
                return Ok(Some(Live { certificate, tags }));
            }
        }
        Ok(None)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        remove_certificate(cx.cloud, &live.certificate.arn).await.map_err(|e| {
            // Load balancers that were just deleted hold it for a while.
            let used = e.code() == Some("ResourceInUseException");
            if used {
                e.hint(format!(
                    "A load balancer still uses it: `aws acm describe-certificate --certificate-arn {}` says which \
                     (InUseBy). Delete that version first; then run the same command again.",
                    live.certificate.arn
                ))
            } else {
                e
            }
        })
    }
    fn output(&self, live: &Live) -> CertificateArn {
        live.certificate.clone()
    }
}

impl Resource for Certificate {
    itself!();

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.domain)), self.fits()])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        tag_drift::changes(&self.owner, &live.tags)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        for arn in self.candidates(cx.cloud, false).await? {
            if self.tags_if_ours(cx.cloud, &arn).await?.is_some() {
                match remove_certificate(cx.cloud, &arn).await {
                    // An expired one may still be in use; it does no harm there.
                    Err(e) if e.code() == Some("ResourceInUseException") => {}
                    other => other?,
                }
            }
        }
        let tags = self.owner.tags(&self.domain);
        let made = cx
            .cloud
            .acm()
            .request_certificate()
            .idempotency_token(cx.cloud.token::<acm::RequestCertificate>(&self.domain))
            .domain_name(&self.domain)
            .subject_alternative_names(format!("*.{}", self.domain))
            .validation_method(ValidationMethod::Dns)
            .set_tags(Some(acm_tags(&tags)?))
            .send()
            .await
            .told(cx.cloud, &self.domain)?;
        let arn = made.certificate_arn.unwrap_or_default();
        let certificate = told(cx.cloud, &arn, true).await?;
        let certificate =
            certificate.ok_or_else(|| Error::failed(format!("certificate {arn} vanished while it was made")))?;
        Ok(Live { certificate, tags })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let stale = tag_drift::stale(&self.owner, &live.tags);
        if !stale.is_empty() {
            let call = cx.cloud.acm().add_tags_to_certificate().certificate_arn(&live.certificate.arn);
            call.set_tags(Some(acm_tags(&stale)?)).send().await.told(cx.cloud, &self.domain)?;
        }
        Ok(live.clone())
    }
}

/// The records that ACM wants to see, in the domain's zone. It looks at them again whenever it renews.
#[derive(Clone, Needs)]
pub struct ValidationRecord {
    /// The domain's zone.
    pub zone: Ref<ZoneId>,
    /// The certificate.
    pub certificate: Ref<CertificateArn>,
    /// The domain, without a final dot.
    pub domain: String,
}

/// CNAME records by name.
type Records = BTreeMap<String, ResourceRecordSet>;

fn compare(live: &Records, wanted: &CertificateArn) -> Vec<Change> {
    let differs = |(name, value): &&(String, String)| live.get(name).is_none_or(|r| !values(r).contains(value));
    let change = |(name, value): &(String, String)| {
        let from = live.get(name).map(|r| values(r).into_iter().collect::<Vec<_>>().join(", "));
        Change::new(format!("CNAME {name}"), from.as_deref().unwrap_or("-"), value)
    };
    wanted.records.iter().filter(differs).map(change).collect()
}

impl ValidationRecord {
    async fn upsert(&self, cx: &Cx<'_, Cloud>) -> Result<Records> {
        let (zone, certificate) = (cx.get(self.zone), cx.get(self.certificate));
        let sets: Result<Records> = certificate
            .records
            .iter()
            .map(|(name, value)| Ok((name.clone(), record_set(name, RrType::Cname, TTL, &[value.clone()].into())?)))
            .collect();
        let sets = sets?;
        if sets.is_empty() {
            return Ok(sets);
        }
        let comment = format!("validation of {}", self.domain);
        write(cx.cloud, &zone.id, &comment, &ChangeAction::Upsert, sets.values().cloned().collect()).await?;
        Ok(sets)
    }
}

impl Identity for ValidationRecord {
    const KIND: &'static str = "validation record";
    type Cloud = Cloud;
    type Live = Records;
    type Output = ();
    fn name(&self) -> String {
        self.domain.clone()
    }
    fn noun(&self) -> String {
        format!("validation record of {}", self.domain)
    }
    found_through!(zone, certificate);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Records>> {
        let (Some(zone), Some(certificate)) = (cx.try_get(self.zone), cx.try_get(self.certificate)) else {
            return Ok(None);
        };
        let records = list_records(cx.cloud, &zone.id).await?;
        let named = |r: &&ResourceRecordSet| {
            let name = plain_name(r.name());
            *r.r#type() == RrType::Cname && certificate.records.iter().any(|(wanted, _)| *wanted == name)
        };
        let live: Records = records.iter().filter(named).map(|r| (plain_name(r.name()), r.clone())).collect();
        // An imported certificate's, or one of long ago, may have none.
        Ok((!live.is_empty() || certificate.records.is_empty()).then_some(live))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Records) -> Result<()> {
        let Some(zone) = cx.try_get(self.zone) else { return Ok(()) };
        let comment = format!("validation of {}", self.domain);
        remove(cx.cloud, &zone.id, &comment, live.values().cloned().collect()).await
    }
    fn output(&self, _: &Records) {}
}

impl Resource for ValidationRecord {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Records) -> Vec<Change> {
        cx.try_get(self.certificate).map(|c| compare(live, c)).unwrap_or_default()
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Records> {
        self.upsert(cx).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Records, _: &[Change]) -> Result<Records> {
        if compare(live, cx.get(self.certificate)).is_empty() {
            return Ok(live.clone());
        }
        self.upsert(cx).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_acm::types::{DomainValidation, RecordType, ResourceRecord};

    fn detail(status: CertificateStatus, records: &[Option<&str>]) -> CertificateDetail {
        let options = records.iter().map(|r| {
            let record = r.map(|name| {
                ResourceRecord::builder().name(name).value("V.acm-validations.aws.").r#type(RecordType::Cname)
            });
            DomainValidation::builder()
                .domain_name("x")
                .validation_status(DomainStatus::PendingValidation)
                .set_resource_record(record.map(|r| r.build().unwrap()))
                .build()
                .unwrap()
        });
        CertificateDetail::builder().status(status).set_domain_validation_options(Some(options.collect())).build()
    }

    #[test]
    fn records_are_told_once_and_only_when_complete() {
        use CertificateStatus::{Issued, PendingValidation};
        assert_eq!(records(&detail(PendingValidation, &[])), None);
        assert_eq!(records(&detail(PendingValidation, &[Some("_A.x."), None])), None);
        let both = records(&detail(PendingValidation, &[Some("_A.x."), Some("_a.x")]));
        assert_eq!(both, Some(vec![("_a.x".into(), "v.acm-validations.aws".into())]));
        assert_eq!(records(&detail(Issued, &[])), Some(vec![]));
    }

    #[test]
    fn each_record_is_compared() {
        let wanted = CertificateArn { arn: "a".into(), records: vec![("_a.x".into(), "v".into())] };
        let live = |value: &str| {
            let set = record_set("_a.x", RrType::Cname, TTL, &[value.to_owned()].into()).unwrap();
            Records::from([("_a.x".to_owned(), set)])
        };
        assert_eq!(compare(&live("v"), &wanted), []);
        assert_eq!(compare(&live("w"), &wanted), [Change::new("CNAME _a.x", "w", "v")]);
        assert_eq!(compare(&Records::new(), &wanted), [Change::new("CNAME _a.x", "-", "v")]);
    }
}
