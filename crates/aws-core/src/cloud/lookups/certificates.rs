//! Certificates of ACM, and what they cover.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
};
use aws_sdk_acm::types::{CertificateStatus, CertificateSummary, Filters, KeyAlgorithm};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A certificate in ACM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The names it is for, sorted; `*.example.org` among them.
    pub names: Vec<String>,
    /// Its status in ACM, e.g. `ISSUED`.
    pub status: String,
    /// When it ends.
    pub not_after: Option<Timestamp>,
}

impl Certificate {
    /// Whether it covers `<anything>.<domain>`.
    pub fn covers(&self, domain: &str) -> bool {
        self.names.iter().any(|n| covers_all_of(n, domain))
    }
    /// Whether it covers this host name.
    pub fn covers_name(&self, name: &str) -> bool {
        self.names.iter().any(|n| covers(n, name))
    }
}

/// How many certificates are described at the same time.
const PARALLEL: usize = 8;

/// Issued certificates of this region that cover `*.<domain>` and have not ended, the one that lasts
/// longest first. Asked once in each run.
pub async fn certificates_for(cloud: &Cloud, domain: &str) -> Result<Vec<Certificate>> {
    Ok(cloud.once(format!("certificates of {domain}"), read_certificates(cloud, domain)).await?.as_ref().clone())
}

async fn read_certificates(cloud: &Cloud, domain: &str) -> Result<Vec<Certificate>> {
    // Without this filter ACM lists certificates with RSA keys of 1024 and 2048 bits only.
    let key_types = [
        KeyAlgorithm::EcPrime256v1,
        KeyAlgorithm::EcSecp384r1,
        KeyAlgorithm::EcSecp521r1,
        KeyAlgorithm::Rsa1024,
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::Rsa3072,
        KeyAlgorithm::Rsa4096,
    ];
    let keys = Filters::builder().set_key_types(Some(key_types.into())).build();
    let call = cloud.acm().list_certificates().certificate_statuses(CertificateStatus::Issued).includes(keys);
    let pages = call.into_paginator().items().send();
    let summaries = pages.collect::<Result<Vec<CertificateSummary>, _>>().await.told(cloud, "")?;
    let mut found: Vec<Certificate> = stream::iter(summaries)
        .map(|s| complete(cloud, s, domain))
        .buffer_unordered(PARALLEL)
        .try_filter_map(async |c| Ok(c))
        .try_collect()
        .await?;
    let now = Timestamp::now();
    found.retain(|c| c.covers(domain) && c.not_after.is_none_or(|end| end > now));
    found.sort_by(|a, b| b.not_after.cmp(&a.not_after).then_with(|| a.arn.cmp(&b.arn)));
    Ok(found)
}

/// The certificate of this summary. A summary has at most 100 names (and an emulator's none): the rest is
/// asked for, unless what is there covers `domain` already.
async fn complete(cloud: &Cloud, summary: CertificateSummary, domain: &str) -> Result<Option<Certificate>> {
    let Some(arn) = summary.certificate_arn() else { return Ok(None) };
    let listed = summary.subject_alternative_name_summaries();
    let names: BTreeSet<&str> = listed.iter().map(String::as_str).chain(summary.domain_name()).collect();
    let mut certificate = Certificate {
        arn: arn.to_owned(),
        names: names.into_iter().map(str::to_owned).collect(),
        status: summary.status().map_or("ISSUED", |s| s.as_str()).to_owned(),
        not_after: summary.not_after().and_then(|t| Timestamp::from_second(t.secs()).ok()),
    };
    let partial = listed.is_empty() || summary.has_additional_subject_alternative_names() == Some(true);
    if !partial || certificate.covers(domain) {
        return Ok(Some(certificate));
    }
    let described = cloud.acm().describe_certificate().certificate_arn(arn).send().await.unless_gone(cloud, arn)?;
    let Some(detail) = described.and_then(|d| d.certificate) else { return Ok(None) };
    let more = detail.subject_alternative_names().iter().cloned();
    certificate.names = certificate.names.into_iter().chain(more).collect::<BTreeSet<_>>().into_iter().collect();
    Ok(Some(certificate))
}

/// Whether a certificate for `pattern` is good for `name`. A star stands for exactly one label, the first
/// (RFC 6125 §6.4.3).
fn covers(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.trim_end_matches('.'), name.trim_end_matches('.'));
    match (pattern.strip_prefix("*."), name.split_once('.')) {
        (Some(parent), Some((label, rest))) => !label.is_empty() && parent.eq_ignore_ascii_case(rest),
        (Some(_), None) => false,
        (None, _) => pattern.eq_ignore_ascii_case(name),
    }
}

/// Whether a certificate for `pattern` is good for every name one label below `domain`.
fn covers_all_of(pattern: &str, domain: &str) -> bool {
    pattern.starts_with("*.") && covers(pattern, &format!("any.{}", domain.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_label() {
        for (pattern, name, yes) in [
            ("*.example.org", "a.example.org", true),
            ("*.Example.org", "a.example.ORG.", true),
            ("*.example.org", "a.b.example.org", false),
            ("*.example.org", "example.org", false),
            ("*.example.org", ".example.org", false),
            ("example.org", "example.org", true),
            ("a.example.org", "b.example.org", false),
            ("*.org", "example.org", true),
            ("*.example.org", "a.badexample.org", false),
        ] {
            assert_eq!(covers(pattern, name), yes, "{pattern} {name}");
        }
    }

    #[test]
    fn a_domain_needs_a_star() {
        let certificate = |names: &[&str]| Certificate {
            arn: "arn".into(),
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            status: "ISSUED".into(),
            not_after: None,
        };
        assert!(certificate(&["example.org", "*.team.example.org"]).covers("team.example.org."));
        assert!(!certificate(&["any.team.example.org"]).covers("team.example.org"));
        assert!(!certificate(&["*.example.org"]).covers("team.example.org"));
        assert!(certificate(&["x.example.org"]).covers_name("X.example.org"));
    }
}
