//! Whether the instances of a new version will get their image: what is worth a warning before they try.
use crate::{
    egress,
    graph::{application::location, policy},
    manifest::Manifest,
    site::{Ground, Site},
};
use aws_core::{
    Result,
    cloud::{egress::Network, network::Choice},
    model::{
        Layer,
        image::{DOCKER_HUB, ImageRef},
    },
    resources::role,
};

/// Who pulls what, where.
pub(super) struct Pulls<'a> {
    pub(super) site: &'a Site,
    pub(super) ground: &'a Ground,
    /// The application's manifest as it is stored: the role was written by it.
    pub(super) stored: &'a Manifest,
    /// The same with what the operator's profile adds.
    pub(super) manifest: &'a Manifest,
    pub(super) image: &'a ImageRef,
}

/// What was looked at.
pub(super) struct Looked {
    network: Option<Network>,
    /// A sentence, where the role lacks what the profile names.
    ungranted: Option<String>,
}

impl Pulls<'_> {
    /// Looks at the network and the role.
    pub(super) async fn look(&self) -> Result<Looked> {
        let (network, ungranted) = tokio::join!(egress::look(self.site, self.ground), self.ungranted());
        Ok(Looked { network, ungranted: ungranted? })
    }

    /// Credentials that the profile alone names are in the role's policy only if the application was last updated with
    /// that profile.
    async fn ungranted(&self) -> Result<Option<String>> {
        let registry = self.image.registry();
        let reference = self.manifest.registry_credential(registry).filter(|_| self.image.ecr().is_none());
        let Some(reference) = reference.filter(|_| self.stored.registry_credential(registry).is_none()) else {
            return Ok(None);
        };
        let (name, region) = (&self.stored.application_name, self.site.cloud.region());
        let written = role::inline_policy(&self.site.cloud, &name.role(region)).await?.unwrap_or_default();
        if policy::grants(&written, reference, &location(region, self.ground)) {
            return Ok(None);
        }
        Ok(Some(format!(
            "The role of application {name} is not allowed to read {reference}, which your profile sets for {registry}: run `minion applications update MANIFEST` with this profile, or set it under registry_credentials in the manifest"
        )))
    }

    /// Whole sentences.
    pub(super) fn warnings(&self, looked: &Looked, instances: &Choice) -> Vec<String> {
        let mut all = Vec::new();
        all.extend(looked.ungranted.clone());
        if let Some(network) = &looked.network {
            all.extend(limited(self.manifest, self.image, instances.layer));
            all.extend(foreign(self.manifest, self.image, &location(self.site.cloud.region(), self.ground)));
            let needs = egress::needs(self.manifest, self.image, self.site.cloud.region());
            all.extend(egress::warnings(self.site, network, instances, &needs));
        }
        all
    }
}

/// Docker Hub without a login, for all instances behind one address together.
fn limited(manifest: &Manifest, image: &ImageRef, layer: Layer) -> Option<String> {
    let anonymous = image.registry() == DOCKER_HUB && manifest.registry_credential(DOCKER_HUB).is_none();
    (anonymous && layer != Layer::Public).then(|| {
        // Docker Hub "Pull usage and limits".
        format!(
            "Instances pull {image} from Docker Hub without signing in: Docker Hub allows 100 such pulls in 6 hours from each IPv4 address, and instances behind one NAT gateway share an address. Set credentials for docker.io under registry_credentials, or use a pull through cache of Amazon ECR (docs/network.md)"
        )
    })
}

/// Amazon ECR of another account: the role pulls from its own account's registries, unless the manifest says more.
fn foreign(manifest: &Manifest, image: &ImageRef, at: &policy::Location<'_>) -> Option<String> {
    let host = image.ecr().filter(|host| host.account != at.account)?;
    let more = manifest.policies.iter().flat_map(|s| &s.actions).any(|a| a == "*" || a.starts_with("ecr:"));
    if more || !manifest.managed_policies.is_empty() {
        return None;
    }
    Some(format!(
        "The role of application {} is not allowed to pull from account {}: add to policies `{{actions: [ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer], resources: \"arn:{}:ecr:{}:{}:repository/{}\"}}`, and allow it in the repository's policy",
        manifest.application_name,
        host.account,
        at.partition(),
        host.region,
        host.account,
        image.repository()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_hub_limits_who_has_no_login() {
        let manifest = |more: &str| {
            crate::manifest::parse(&format!("application_name: a\nexposed_ports: [80]\n{more}"), "m").unwrap()
        };
        let warned =
            |more: &str, image: &str, layer| limited(&manifest(more), &image.parse().unwrap(), layer).is_some();
        let login = "registry_credentials: {index.docker.io: 'ssm:/hub'}\n";
        let other = "registry_credentials: {ghcr.io: 'ssm:/ghcr'}\n";
        for (more, image, layer, wanted) in [
            ("", "nginx:1", Layer::Private, true),
            (other, "docker.io/team/web:1", Layer::Shared, true),
            (login, "nginx:1", Layer::Private, false),
            ("", "nginx:1", Layer::Public, false),
            ("", "ghcr.io/team/web:1", Layer::Private, false),
            ("", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1", Layer::Private, false),
        ] {
            assert_eq!(warned(more, image, layer), wanted, "{more}{image}");
        }
    }

    #[test]
    fn a_registry_of_another_account_needs_a_grant() {
        let manifest = |more: &str| {
            crate::manifest::parse(&format!("application_name: a\nexposed_ports: [80]\n{more}"), "m").unwrap()
        };
        let at = policy::Location { region: "eu-west-1", account: "123456789012" };
        let warned = |more: &str, image: &str| foreign(&manifest(more), &image.parse().unwrap(), &at);
        let other = "210987654321.dkr-ecr.eu-central-1.on.aws/team/web:1";
        let told = warned("", other).unwrap();
        assert!(told.contains("arn:aws:ecr:eu-central-1:210987654321:repository/team/web"), "{told}");
        for (more, image) in [
            ("", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:1"),
            ("", "123456789012.dkr-ecr.eu-central-1.on.aws/web:1"),
            ("", "public.ecr.aws/nginx:1"),
            ("", "ghcr.io/team/web:1"),
            ("policies: [{actions: 'ecr:*', resources: '*'}]\n", other),
            ("managed_policies: [AmazonEC2ContainerRegistryReadOnly]\n", other),
        ] {
            assert_eq!(warned(more, image), None, "{more}{image}");
        }
    }
}
