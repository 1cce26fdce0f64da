//! What the instances of a version need over the network, and whether their subnets lead there: said before an instance
//! hangs at boot.
use crate::{
    manifest::{Manifest, SecretRef},
    site::{Ground, Site},
};
use aws_core::{
    Error,
    cloud::{
        egress::{Need, Network, Unreached},
        network::Choice,
    },
    model::{Layer, image::ImageRef},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// What a version's instances need. KMS and STS are not among them: who decrypts is Secrets Manager or Systems Manager,
/// and credentials come from the metadata service, which is on the instance's own link.
pub fn needs(manifest: &Manifest, image: &ImageRef, region: &str) -> BTreeSet<Need> {
    let service = |called, name, region: &str| Need::Service { called, name, region: region.to_owned() };
    let mut needs = BTreeSet::new();
    match image.ecr() {
        // Its layers are in buckets of S3 (Amazon ECR "Interface VPC endpoints").
        Some(host) => needs.extend([
            service("Amazon ECR", "ecr.api", &host.region),
            service("Amazon ECR", "ecr.dkr", &host.region),
            service("Amazon S3, for the image's layers,", "s3", &host.region),
        ]),
        None if is_inside(image.registry()) => {}
        None => _ = needs.insert(Need::Host(image.registry().to_owned())),
    }
    if manifest.logging.driver.as_str() == "awslogs" {
        let of = manifest.logging.options.get("awslogs-region").map_or(region, |r| r.as_str());
        needs.insert(service("CloudWatch Logs", "logs", of));
    }
    let login = manifest.registry_credential(image.registry()).filter(|_| image.ecr().is_none());
    for reference in manifest.secrets.values().chain(login) {
        let of = reference.region().unwrap_or(region);
        needs.insert(match reference {
            SecretRef::Parameter { .. } => service("Systems Manager", "ssm", of),
            SecretRef::Secret { .. } => service("Secrets Manager", "secretsmanager", of),
        });
    }
    needs
}

/// Whether a registry's name says that it is near: what leads there is not known from here.
fn is_inside(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(_)) => true,
        Err(_) => name == "localhost" || [".internal", ".local", ".localhost"].iter().any(|end| name.ends_with(end)),
    }
}

/// Reads the routes and endpoints of the instances' subnets. Runs beside the other looks and never fails: without it there
/// is only no warning.
pub async fn look(site: &Site, ground: &Ground) -> Option<Network> {
    // Routes of a sandbox lead nowhere.
    if site.settings.values.sandbox.is_some() {
        return None;
    }
    let subnets = ground.place.choose(Layer::Private, "the instances").ok()?;
    Network::read(&site.cloud, &site.vpc, &subnets.ids, has_addresses(&subnets)).await.ok()
}

/// Instances have public addresses in the public layer alone.
fn has_addresses(subnets: &Choice) -> bool {
    subnets.layer == Layer::Public
}

/// What instances in these subnets would not reach. Whole sentences, one for each kind of subnet.
pub fn warnings(site: &Site, network: &Network, subnets: &Choice, needs: &BTreeSet<Need>) -> Vec<String> {
    let region = site.cloud.region();
    let unreached = network.unreached(&subnets.ids, has_addresses(subnets), region, needs);
    unreached.iter().map(|u| Blocked { vpc: &site.vpc, region, unreached: u }.warning(network.unread())).collect()
}

/// Subnets from which something is not reached, in words.
struct Blocked<'a> {
    vpc: &'a str,
    region: &'a str,
    unreached: &'a Unreached,
}

impl Blocked<'_> {
    fn warning(&self, unread: Option<&Error>) -> String {
        let (vpc, why) = (self.vpc, self.unreached.why);
        let (subnets, needed) = (self.unreached.subnets.join(", "), self.needed());
        if let Some(error) = unread {
            return format!(
                "Instances in {subnets} may not reach {needed}: {why}, and the VPC endpoints of {vpc} could not be read: {error}"
            );
        }
        format!(
            "Instances in {subnets} cannot reach {needed}: {why}, and {vpc} has no VPC endpoint for it that they can use. They would hang at boot. {}",
            self.remedy()
        )
    }

    /// `Amazon ECR (ecr.api, ecr.dkr), registry ghcr.io`
    fn needed(&self) -> String {
        let mut services: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        let mut told = Vec::new();
        for need in &self.unreached.needs {
            match need {
                Need::Service { called, name, region } => {
                    services.entry((*called, region.as_str())).or_default().push(*name);
                }
                Need::Host(host) => told.push(format!("registry {host}")),
            }
        }
        let service = |((called, region), names): ((&str, &str), Vec<&str>)| {
            let elsewhere = if region == self.region { String::new() } else { format!(" in {region}") };
            format!("{called} ({}{elsewhere})", names.join(", "))
        };
        told.splice(0..0, services.into_iter().map(service));
        told.join(", ")
    }

    /// What to do: an endpoint for the first service that has none, else NAT.
    fn remedy(&self) -> String {
        let (vpc, region, subnets) = (self.vpc, self.region, self.unreached.subnets.join(" "));
        let here = |need: &Need| matches!(need, Need::Service { region: of, .. } if of == region);
        let first = self.unreached.needs.iter().find_map(|need| match need {
            // Its endpoint is of the other kind, and the others are missing with it as a rule.
            Need::Service { name: "s3", .. } | Need::Host(_) => None,
            Need::Service { name, .. } => Some(*name),
        });
        match first.filter(|_| self.unreached.needs.iter().all(here)) {
            Some(name) => {
                let china = if region.starts_with("cn-") { "cn." } else { "" };
                format!(
                    "Add a NAT gateway and a default route to it, or an endpoint for each, as docs/network.md shows: aws ec2 create-vpc-endpoint --region {region} --vpc-id {vpc} --vpc-endpoint-type Interface --service-name {china}com.amazonaws.{region}.{name} --subnet-ids {subnets}"
                )
            }
            None => {
                "Add a NAT gateway and a default route to it: docs/network.md lists what instances need.".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: &str = "eu-west-1";
    const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.0";

    fn manifest(more: &str) -> Manifest {
        crate::manifest::parse(&format!("application_name: a\nexposed_ports: [80]\n{more}"), "m").unwrap()
    }
    fn told(more: &str, image: &str) -> Vec<String> {
        let short = |need: &Need| match need {
            Need::Service { name, region, .. } if region == REGION => (*name).to_owned(),
            Need::Service { name, region, .. } => format!("{name} {region}"),
            Need::Host(host) => host.clone(),
        };
        let mut told: Vec<String> = needs(&manifest(more), &image.parse().unwrap(), REGION).iter().map(short).collect();
        told.sort();
        told
    }

    #[test]
    fn what_a_version_needs() {
        let quiet = "logging: {driver: local}\n";
        for (more, image, wanted) in [
            ("", ECR, &["ecr.api", "ecr.dkr", "logs", "s3"][..]),
            (quiet, ECR, &["ecr.api", "ecr.dkr", "s3"]),
            (
                quiet,
                "123456789012.dkr-ecr.eu-central-1.on.aws/web:1",
                &["ecr.api eu-central-1", "ecr.dkr eu-central-1", "s3 eu-central-1"],
            ),
            (quiet, "ghcr.io/team/web:1", &["ghcr.io"]),
            (quiet, "nginx:1", &["docker.io"]),
            (quiet, "public.ecr.aws/nginx:1", &["public.ecr.aws"]),
            (quiet, "10.0.0.7:5000/web:1", &[]),
            (quiet, "127.0.0.1:5000/web:1", &[]),
            (quiet, "registry.corp.internal/web:1", &[]),
            (quiet, "203.0.113.7:5000/web:1", &["203.0.113.7:5000"]),
            ("logging: {options: {awslogs-region: us-east-1}}\n", "10.0.0.7/web:1", &["logs us-east-1"]),
            (
                "logging: {driver: local}\nsecrets: {A: 'ssm:/a', B: 'secretsmanager:b'}\n",
                "10.0.0.7/web:1",
                &["secretsmanager", "ssm"],
            ),
            (
                "logging: {driver: local}\nsecrets: {A: 'arn:aws:ssm:us-east-1:1:parameter/a'}\n",
                "10.0.0.7/web:1",
                &["ssm us-east-1"],
            ),
            (
                "logging: {driver: local}\nregistry_credentials: {ghcr.io: 'ssm:/a'}\n",
                "ghcr.io/web:1",
                &["ghcr.io", "ssm"],
            ),
            ("logging: {driver: local}\nregistry_credentials: {ghcr.io: 'ssm:/a'}\n", "quay.io/web:1", &["quay.io"]),
        ] {
            assert_eq!(told(more, image), wanted, "{more}{image}");
        }
    }

    fn warned(needs: BTreeSet<Need>, unread: Option<&Error>) -> String {
        let subnets = vec!["subnet-1".to_owned(), "subnet-2".to_owned()];
        let unreached =
            Unreached { subnets, why: "their route table has no default route", needs: needs.into_iter().collect() };
        Blocked { vpc: "vpc-1", region: REGION, unreached: &unreached }.warning(unread)
    }
    fn of(more: &str, image: &str) -> BTreeSet<Need> {
        needs(&manifest(more), &image.parse().unwrap(), REGION)
    }

    #[test]
    fn a_warning_names_what_is_missing() {
        let all = warned(of("", ECR), None);
        for words in [
            "Instances in subnet-1, subnet-2 cannot reach",
            "Amazon ECR (ecr.api, ecr.dkr)",
            "Amazon S3",
            "CloudWatch Logs (logs)",
            "their route table has no default route",
            "aws ec2 create-vpc-endpoint --region eu-west-1 --vpc-id vpc-1 --vpc-endpoint-type Interface",
            "--subnet-ids subnet-1 subnet-2",
        ] {
            assert!(all.contains(words), "{words}: {all}");
        }
        let host = warned(of("", "ghcr.io/web:1"), None);
        assert!(host.contains("registry ghcr.io") && host.contains("NAT") && !host.contains("aws ec2"), "{host}");
        let elsewhere = warned(of("secrets: {A: 'arn:aws:ssm:us-east-1:1:parameter/a'}\n", "10.0.0.7/web:1"), None);
        assert!(
            elsewhere.contains("Systems Manager (ssm in us-east-1)") && !elsewhere.contains("aws ec2"),
            "{elsewhere}"
        );
        let unread = warned(of("", ECR), Some(&Error::failed("denied")));
        assert!(unread.contains("may not reach") && unread.contains("could not be read: denied"), "{unread}");
    }
}
