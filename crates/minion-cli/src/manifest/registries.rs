//! Credentials for container registries: by reference, of a manifest and of a profile.
use super::{Manifest, RegistryHost, SecretRef};
use std::collections::BTreeMap;

/// References by the registry's host.
pub type RegistryCredentials = BTreeMap<RegistryHost, SecretRef>;

/// What is wrong with them that a single one does not show.
pub fn problem(credentials: &RegistryCredentials) -> Option<String> {
    let mut seen: BTreeMap<String, &RegistryHost> = BTreeMap::new();
    for (host, reference) in credentials {
        if let SecretRef::Secret { key: Some(key), .. } = reference {
            return Some(format!(
                "invalid reference `{reference}` for {host}: the whole secret is a JSON object with `username` and `password`, so it takes no `#{key}`"
            ));
        }
        if let Some(first) = seen.insert(host.registry().to_ascii_lowercase(), host) {
            return Some(format!("{first} and {host} are the same registry; keep one"));
        }
    }
    None
}

/// Who else can read them. Whole sentences.
pub fn readable(credentials: &RegistryCredentials) -> Option<String> {
    let all: Vec<String> = credentials.iter().map(|(host, reference)| format!("{reference} ({host})")).collect();
    (!all.is_empty()).then(|| {
        format!(
            "The application can read the registry credentials {}: the container has the instance's role. Store a token there that may only pull.",
            all.join(", ")
        )
    })
}

/// The reference for a registry, as images name it.
pub fn find<'c>(credentials: &'c RegistryCredentials, registry: &str) -> Option<&'c SecretRef> {
    let found = credentials.iter().find(|(host, _)| host.registry().eq_ignore_ascii_case(registry));
    found.map(|(_, reference)| reference)
}

impl Manifest {
    /// The reference to the credentials for a registry.
    pub fn registry_credential(&self, registry: &str) -> Option<&SecretRef> {
        find(&self.registry_credentials, registry)
    }

    /// The same manifest, with the credentials of the operator's profile for registries that it does not name.
    #[must_use]
    pub fn with_registry_credentials(mut self, profile: &RegistryCredentials) -> Self {
        for (host, reference) in profile {
            if self.registry_credential(host.registry()).is_none() {
                self.registry_credentials.insert(host.clone(), reference.clone());
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn credentials_for_registries() {
        let more = |text: &str| parse(&format!("application_name: a\nexposed_ports: [80]\n{text}"), "m.yaml");
        let good = more(
            "registry_credentials:\n  ghcr.io: secretsmanager:ghcr\n  registry.example.org:5000: ssm:/registry\n  \
             index.docker.io: 'arn:aws:secretsmanager:eu-west-1:1:secret:hub-AbCdEf'\n",
        )
        .unwrap();
        let of = |registry: &str| good.registry_credential(registry).map(ToString::to_string);
        for (registry, reference) in [
            ("ghcr.io", Some("secretsmanager:ghcr")),
            ("GHCR.io", Some("secretsmanager:ghcr")),
            ("registry.example.org:5000", Some("ssm:/registry")),
            ("docker.io", Some("arn:aws:secretsmanager:eu-west-1:1:secret:hub-AbCdEf")),
            ("registry.example.org", None),
            ("quay.io", None),
        ] {
            assert_eq!(of(registry).as_deref(), reference, "{registry}");
        }
        let told = readable(&good.registry_credentials).unwrap();
        assert!(told.contains("secretsmanager:ghcr (ghcr.io)") && told.contains("only pull"), "{told}");
        assert_eq!(readable(&more("").unwrap().registry_credentials), None);
        for (bad, words) in [
            ("ghcr: 'ssm:/a'", "invalid registry `ghcr`"),
            ("'https://ghcr.io': 'ssm:/a'", "invalid registry `https://ghcr.io`"),
            ("'ghcr.io/team': 'ssm:/a'", "invalid registry `ghcr.io/team`"),
            ("'': 'ssm:/a'", "invalid registry ``"),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com: 'ssm:/a'", "with the application's role"),
            ("123456789012.dkr-ecr.eu-west-1.on.aws: 'ssm:/a'", "with the application's role"),
            ("ghcr.io: hunter2", "does not say where"),
            ("ghcr.io: 'secretsmanager:a#password'", "takes no `#password`"),
            ("{docker.io: 'ssm:/a', index.docker.io: 'ssm:/b'}", "docker.io and index.docker.io are the same registry"),
        ] {
            let text = if bad.starts_with('{') { format!(" {bad}") } else { format!("\n  {bad}") };
            let error = more(&format!("registry_credentials:{text}\n")).unwrap_err();
            assert_eq!(error.kind(), aws_core::error::Kind::Usage);
            let told = format!("{error}");
            assert!(told.contains(words) && told.contains("m.yaml, line"), "{bad}: {told}");
        }
        // The profile's fill what the manifest does not name.
        let profile: std::collections::BTreeMap<_, _> = [("ghcr.io", "ssm:/mine"), ("quay.io", "ssm:/quay")]
            .map(|(host, reference)| {
                (RegistryHost::try_from(host.to_owned()).unwrap(), SecretRef::try_from(reference.to_owned()).unwrap())
            })
            .into();
        let both = good.clone().with_registry_credentials(&profile);
        let of = |registry: &str| both.registry_credential(registry).map(ToString::to_string).unwrap();
        assert_eq!((of("ghcr.io"), of("quay.io")), ("secretsmanager:ghcr".into(), "ssm:/quay".into()));
    }
}
