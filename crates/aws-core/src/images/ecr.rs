//! Amazon's registry: tokens and listings through its own API.
use super::{RepositoryImage, credentials::Credential};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    model::image::EcrHost,
};
use aws_config::Region;
use aws_sdk_ecr::config::Config;
use base64::Engine as _;

/// Whether the host is one of Amazon's private registries.
pub fn is_ecr(host: &str) -> bool {
    EcrHost::parse(host).is_some()
}

/// The region of one of Amazon's private registries; `None` for other hosts.
pub fn ecr_region(host: &str) -> Option<String> {
    EcrHost::parse(host).map(|host| host.region)
}

/// The registry's region may be another than the cloud's.
fn config(host: &EcrHost) -> aws_sdk_ecr::config::Builder {
    Config::builder().region(Region::new(host.region.clone()))
}

/// A password for twelve hours.
pub(super) async fn login(cloud: &Cloud, host: &EcrHost) -> Result<Credential> {
    let what = format!("registry {} in {}", host.account, host.region);
    let call = cloud.ecr().get_authorization_token().customize().config_override(config(host));
    let answer = call.send().await.told(cloud, &what)?;
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
        let call = call.set_next_token(next).customize().config_override(config(host));
        let page = call.send().await.told(cloud, &host.account)?;
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
        let call = call.max_results(1000).set_next_token(next).customize().config_override(config(host));
        let page = call.send().await.unless_gone(cloud, repository)?.ok_or_else(|| {
            Error::not_found(format!("repository {repository} is not in registry {} in {}", host.account, host.region))
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
