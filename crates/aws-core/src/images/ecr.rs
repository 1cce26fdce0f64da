//! Amazon's registry: tokens and listings through its own API.
use super::{RepositoryImage, credentials::Credential};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
};
use aws_config::Region;
use aws_sdk_ecr::config::Config;
use base64::Engine as _;

/// A registry's host taken apart: `<account>.dkr.ecr.<region>.amazonaws.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EcrHost {
    pub(super) account: String,
    pub(super) region: String,
}

/// Whether the host is one of Amazon's private registries.
pub fn is_ecr(host: &str) -> bool {
    EcrHost::parse(host).is_some()
}

/// The region of one of Amazon's private registries; `None` for other hosts.
pub fn ecr_region(host: &str) -> Option<String> {
    EcrHost::parse(host).map(|host| host.region)
}

impl EcrHost {
    /// Private registries only, FIPS endpoints and China included (Amazon ECR "Private registries").
    pub(super) fn parse(host: &str) -> Option<Self> {
        let host = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
        let (account, rest) = host.split_once(".dkr.")?;
        let region = rest.strip_prefix("ecr.").or_else(|| rest.strip_prefix("ecr-fips."))?;
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let word = !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (digits && word).then(|| Self { account: account.into(), region: region.into() })
    }
    /// The registry's region may be another than the cloud's.
    fn config(&self) -> aws_sdk_ecr::config::Builder {
        Config::builder().region(Region::new(self.region.clone()))
    }
}

/// A password for twelve hours.
pub(super) async fn login(cloud: &Cloud, host: &EcrHost) -> Result<Credential> {
    let what = format!("registry {} in {}", host.account, host.region);
    let call = cloud.ecr().get_authorization_token().customize().config_override(host.config());
    let answer = call.send().await.told(cloud, "ecr:GetAuthorizationToken", &what)?;
    let token = answer.authorization_data().first().and_then(|d| d.authorization_token()).unwrap_or_default();
    let decoded = base64::engine::general_purpose::STANDARD.decode(token).unwrap_or_default();
    let text = String::from_utf8(decoded).unwrap_or_default();
    let (user, password) = text
        .split_once(':')
        .ok_or_else(|| Error::failed(format!("ecr:GetAuthorizationToken for {what}: the token cannot be read")))?;
    Ok(Credential::Password(user.into(), password.into()))
}

/// All repositories' names (`DescribeRepositories`, 1000 a page).
pub(super) async fn repositories(cloud: &Cloud, host: &EcrHost) -> Result<Vec<String>> {
    let (mut names, mut next) = (Vec::new(), None);
    loop {
        let call = cloud.ecr().describe_repositories().registry_id(&host.account).max_results(1000);
        let call = call.set_next_token(next).customize().config_override(host.config());
        let page = call.send().await.told(cloud, "ecr:DescribeRepositories", &host.account)?;
        names.extend(page.repositories().iter().filter_map(|r| r.repository_name().map(str::to_owned)));
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(names);
        }
    }
}

/// A repository's tagged images (`DescribeImages`, 1000 a page).
pub(super) async fn images(cloud: &Cloud, host: &EcrHost, repository: &str) -> Result<Vec<RepositoryImage>> {
    let (mut images, mut next) = (Vec::new(), None);
    loop {
        let call = cloud.ecr().describe_images().registry_id(&host.account).repository_name(repository);
        let call = call.max_results(1000).set_next_token(next).customize().config_override(host.config());
        let absent = &["RepositoryNotFoundException"];
        let page =
            call.send().await.told_unless(cloud, "ecr:DescribeImages", repository, absent)?.ok_or_else(|| {
                Error::not_found(format!(
                    "repository {repository} is not in registry {} in {}",
                    host.account, host.region
                ))
                .hint("`minion images` lists the repositories.")
            })?;
        for image in page.image_details() {
            let pushed = image.image_pushed_at().and_then(|t| jiff::Timestamp::from_second(t.secs()).ok());
            images.extend(image.image_tags().iter().map(|tag| RepositoryImage {
                repository: repository.into(),
                tag: tag.clone(),
                digest: image.image_digest().map(str::to_owned),
                pushed,
            }));
        }
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(images);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, region) in [
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("12345678901.dkr.ecr.eu-central-1.amazonaws.com", None),
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example", None),
            ("123456789012.dkr.ecr.a.b.amazonaws.com", None),
            ("public.ecr.aws", None),
            ("docker.io", None),
        ] {
            assert_eq!(EcrHost::parse(host).map(|h| h.region).as_deref(), region, "{host}");
        }
    }
}
