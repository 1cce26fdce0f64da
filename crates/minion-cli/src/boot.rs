//! What the instances of a version boot: instance type, machine image, container image.
use crate::{
    manifest::{FilesystemKind, Manifest, SecretRef},
    site::Site,
};
use aws_core::{
    Error, Result,
    cloud::{
        lookups::{self, AmiDetails, Machine},
        secrets,
    },
    error::Kind,
    images::{Credential, Registry, RegistryOptions, Resolved},
    model::{architecture::Architecture, image::ImageRef},
    registry::settings::VpcSettings,
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};
use terminal::{Terminal, command_line::quoted};

/// An instance type and a machine image that fit each other.
pub struct Boot {
    /// The instance type's name.
    pub instance_type: String,
    /// The instance type.
    pub machine: Machine,
    /// The machine image's id.
    pub machine_image: String,
    /// The machine image.
    pub details: AmiDetails,
}

/// The ECS-optimised Amazon Linux 2023 images for each architecture. Needs nothing but the region, so it
/// is asked for early; a failure counts only where one of them is needed.
pub struct Recommended(Result<Vec<(Architecture, String, AmiDetails)>>);

/// Looks the recommended images up.
///
/// # Errors
/// None: see [`Recommended`].
pub async fn recommended(site: &Site) -> Result<Recommended> {
    let look = async {
        let amis = lookups::recommended_amis(&site.cloud).await?;
        let each =
            [Architecture::Amd64, Architecture::Arm64].into_iter().filter_map(|a| Some((a, amis.of(a)?.to_owned())));
        let each: Vec<_> = each.collect();
        let details = each.iter().map(|(_, id)| lookups::image_details(&site.cloud, id));
        let details = futures::future::try_join_all(details).await?;
        Ok(each.into_iter().zip(details).map(|((a, id), d)| (a, id, d)).collect())
    };
    Ok(Recommended(look.await))
}

/// Looks the instance type and the machine image up. The manifest's `ami_id` overrides the VPC's, which overrides the
/// newest ECS-optimised Amazon Linux 2023 for the instance type's architecture.
///
/// # Errors
/// When there is no such instance type or machine image, or when their architectures differ.
pub async fn boot(
    site: &Site,
    manifest: &Manifest,
    vpc_settings: &VpcSettings,
    instance_type: &str,
    recommended: Recommended,
) -> Result<Boot> {
    let cloud = &site.cloud;
    let chosen = manifest.ami_id.as_ref().map(ToString::to_string).or_else(|| vpc_settings.ami_id.clone());
    let (machine, machine_image, details) = if let Some(id) = chosen {
        let (machine, details) =
            tokio::try_join!(lookups::machine(cloud, instance_type), lookups::image_details(cloud, &id))?;
        (machine, id, details)
    } else {
        let machine = lookups::machine(cloud, instance_type).await?;
        let found = recommended.0?.into_iter().find(|(a, ..)| *a == machine.architecture);
        let (_, id, details) = found.ok_or_else(|| {
            Error::not_found(format!(
                "no ECS-optimised Amazon Linux 2023 image for {} in {}",
                machine.architecture,
                cloud.region()
            ))
            .hint("Set `ami_id` in the manifest or in the VPC's settings.")
        })?;
        (machine, id, details)
    };
    if details.architecture.is_some_and(|a| a != machine.architecture) {
        return Err(Error::usage(format!(
            "machine image {machine_image} does not match {}, the architecture of instance type {instance_type}",
            machine.architecture
        ))
        .hint("Choose another instance type, or another `ami_id`."));
    }
    Ok(Boot { instance_type: instance_type.to_owned(), machine, machine_image, details })
}

/// Docker's own configuration, which holds credentials.
pub(crate) fn docker_config() -> Option<PathBuf> {
    let directory = std::env::var_os("DOCKER_CONFIG").filter(|d| !d.is_empty()).map(PathBuf::from);
    let directory = directory.or_else(|| etcetera::home_dir().ok().map(|h| h.join(".docker")))?;
    Some(directory.join("config.json"))
}

/// The variable that Docker reads before its configuration.
pub(crate) fn docker_auth() -> Option<String> {
    std::env::var("DOCKER_AUTH_CONFIG").ok().filter(|text| !text.is_empty())
}

/// The client of container registries, with the VPC's settings; `credentials` come before Docker's own.
pub fn registry<'s>(
    site: &'s Site,
    vpc_settings: &VpcSettings,
    credentials: BTreeMap<String, Credential>,
) -> Registry<'s> {
    let insecure = vpc_settings.registry_insecure.then(|| vpc_settings.registry.clone()).flatten();
    let options = RegistryOptions {
        insecure: insecure.into_iter().collect(),
        docker_config: docker_config(),
        docker_auth: docker_auth(),
        credentials,
        ..RegistryOptions::default()
    };
    Registry::connect(options, Some(&site.cloud))
}

/// The credentials that a manifest or profile names for a registry. An operator who may not read them gets a warning, and the
/// registry is asked with Docker's own login.
///
/// # Errors
/// When the secret does not exist, or is not what it should be: instances could not use it either.
pub async fn credentials(
    terminal: &Terminal,
    site: &Site,
    registry: &str,
    reference: Option<&SecretRef>,
) -> Result<BTreeMap<String, Credential>> {
    let Some(reference) = reference else { return Ok(BTreeMap::new()) };
    match credential(site, reference).await {
        Ok(credential) => Ok(BTreeMap::from([(registry.to_owned(), credential)])),
        Err(e) if e.kind() == Kind::Access => {
            terminal.warn(&format!(
                "Could not read the registry credentials {reference}; using your own login to {registry}, if you have one: {e}"
            ));
            Ok(BTreeMap::new())
        }
        Err(e) if e.kind() == Kind::NotFound => Err(e.hint(store(registry, reference, site.cloud.region()))),
        Err(e) => Err(e),
    }
}

/// The command that stores a login for this registry where the reference says. The token is typed in and goes through a pipe,
/// from a builtin of the shell: arguments are seen by everybody on the machine, and kept in the shell's history.
fn store(registry: &str, reference: &SecretRef, region: &str) -> String {
    let region = reference.region().unwrap_or(region);
    let (region, name) = (quoted(region), quoted(reference.name()));
    let command = match reference {
        SecretRef::Parameter { .. } => {
            format!(
                "aws ssm put-parameter --region {region} --name {name} --type SecureString --value file:///dev/stdin"
            )
        }
        SecretRef::Secret { .. } => format!(
            "aws secretsmanager create-secret --region {region} --name {name} --secret-string file:///dev/stdin"
        ),
    };
    // Secrets Manager chooses the end of an ARN.
    let then = match reference {
        SecretRef::Secret { id, .. } if id.starts_with("arn:") => {
            "; then write the ARN that it prints in place of this one"
        }
        _ => "",
    };
    format!(
        "Store a token of {registry} that may only pull (replace USER, and type the token when the command waits{then}): \
         read -rs TOKEN && printf '{{\"username\": \"USER\", \"password\": \"%s\"}}' \"$TOKEN\" | {command}"
    )
}

/// Refuses an image that the operator's own login may pull, and instances, which have none, may not.
pub fn without_login(image: &ImageRef, region: &str) -> Error {
    let registry = image.registry();
    // A colon is no letter of a secret's name.
    let id = format!("minion/registry/{}", registry.replace(':', "-"));
    let reference = SecretRef::Secret { id, key: None };
    Error::refused(format!(
        "image {image} requires a login to registry {registry}: your Docker login may pull it, but instances have none"
    ))
    .hint(store(registry, &reference, region))
    .hint(format!(
        "Then add `registry_credentials: {{\"{registry}\": \"{reference}\"}}` to the manifest, and run `minion applications update MANIFEST`."
    ))
}

/// Reads the credentials for a registry, with the operator's credentials on AWS.
///
/// # Errors
/// When the secret does not exist, may not be read, or is not what it should be. Its value is never part of the error.
pub async fn credential(site: &Site, reference: &SecretRef) -> Result<Credential> {
    let elsewhere = reference.region().filter(|region| *region != site.cloud.region());
    let elsewhere = elsewhere.map(|region| site.cloud.in_region(region));
    let cloud = elsewhere.as_ref().unwrap_or(&site.cloud);
    let text = match reference {
        SecretRef::Parameter { name } => secrets::parameter(cloud, name).await,
        SecretRef::Secret { id, .. } => secrets::secret(cloud, id).await,
    }?;
    /// What the secret holds.
    #[derive(Deserialize)]
    struct Login {
        username: String,
        password: String,
    }
    match serde_json::from_str::<Login>(&text) {
        Ok(login) if !login.username.is_empty() && !login.password.is_empty() => {
            Ok(Credential::Password(login.username, login.password))
        }
        _ => Err(Error::refused(format!(
            "invalid registry credentials `{reference}`: the secret must be a JSON object with the texts `username` and `password`"
        ))),
    }
}

impl Boot {
    /// Refuses an image that is not made for the instance type's architecture.
    ///
    /// # Errors
    /// The refusal, which names both.
    pub fn runs(&self, image: &ImageRef, resolved: &Resolved) -> Result<()> {
        let wanted = self.machine.architecture.to_string();
        if resolved.architectures.is_empty() || resolved.architectures.contains(&wanted) {
            return Ok(());
        }
        Err(Error::refused(format!(
            "image {image} is built for {}, but instance type {} is {wanted}",
            resolved.architectures.join(", "),
            self.instance_type
        ))
        .hint("Choose an instance type of that architecture with --instance-type, or build the image for both."))
    }

    /// Size of the root volume in GiB: the machine image's, and room for temporary file systems where the
    /// instance type has no disks of its own.
    pub fn root_gib(&self, manifest: &Manifest) -> i32 {
        // 30 GiB is the size of the ECS-optimised images' root volume.
        let base = self.details.root_size_gib.unwrap_or(30);
        if self.machine.instance_store_gib.is_some() {
            return base;
        }
        let temporary = manifest.filesystems.iter().filter(|f| f.kind == FilesystemKind::Temporary);
        let mib: u64 = temporary.filter_map(|f| f.size_mb).map(u64::from).sum();
        base.saturating_add(i32::try_from(mib.div_ceil(1024)).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_an_argument() {
        for (reference, wanted) in [
            (
                "secretsmanager:team/ghcr",
                "aws secretsmanager create-secret --region eu-west-1 --name team/ghcr --secret-string file:///dev/stdin",
            ),
            (
                "arn:aws:secretsmanager:us-east-1:1:secret:ghcr-AbCdEf",
                "aws secretsmanager create-secret --region us-east-1 --name ghcr --secret-string file:///dev/stdin",
            ),
            (
                "ssm:/ghcr:3",
                "aws ssm put-parameter --region eu-west-1 --name /ghcr --type SecureString --value file:///dev/stdin",
            ),
            (
                "arn:aws:ssm:us-east-1:1:parameter/team/ghcr",
                "aws ssm put-parameter --region us-east-1 --name /team/ghcr --type SecureString --value file:///dev/stdin",
            ),
            ("ssm:a$(id)", "--name 'a$(id)' --type"),
        ] {
            let told = store("ghcr.io", &SecretRef::try_from(reference.to_owned()).unwrap(), "eu-west-1");
            assert!(told.contains(wanted), "{reference}: {told}");
            assert_eq!(
                told.contains("then write the ARN"),
                reference.contains(":secretsmanager:"),
                "{reference}: {told}"
            );
            assert!(
                told.contains(r#"read -rs TOKEN && printf '{"username": "USER", "password": "%s"}' "$TOKEN" | aws "#)
            );
        }
    }
}
