//! Signing in to the image's registry at boot, and forgetting the login once the image is there.
use super::{quote::quote, render::Instance};
use crate::manifest::SecretRef;
use aws_core::{Result, model::image::DOCKER_HUB};

impl Instance<'_> {
    /// Reads the credentials for the registry and signs in, with `secret`, `parameter` and `json_key` of the script. Name
    /// and password are in variables of the shell alone: the password reaches Docker on its standard input, by a builtin.
    ///
    /// # Errors
    /// As [`SecretRef::asked_in`].
    pub(super) fn sign_in(&self) -> Result<Option<String>> {
        let Some(login) = self.login else { return Ok(None) };
        let (command, id) = match login {
            SecretRef::Parameter { name } => ("parameter", name),
            SecretRef::Secret { id, .. } => ("secret", id),
        };
        let region = login.asked_in(self.region)?;
        let host = self.image.split('/').next().unwrap_or_default();
        // Docker keeps Docker Hub's login under a name of its own, which it uses when none is given.
        let registry = if host == DOCKER_HUB { String::new() } else { format!(" {}", quote(host)) };
        Ok(Some(format!(
            "
doing='reading the credentials for the registry'
login=$(try 6 {command} {} {})
username=$(json_key \"$login\" username)
password=$(json_key \"$login\" password)
login=
doing='signing in to the registry'
sign_in() {{ printf '%s' \"$password\" | docker login --username \"$username\" --password-stdin{registry} >/dev/null; }}
try 6 sign_in
password=
",
            quote(region),
            quote(id),
        )))
    }

    /// Removes the login. Nothing is pulled after the first start: containers that stop are started again from the image
    /// that is there.
    pub(super) fn sign_out(&self) -> &'static str {
        if self.login.is_some() || self.ecr.is_some() { "rm -f \"$DOCKER_CONFIG/config.json\"\n" } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Manifest, parse};
    use std::collections::BTreeMap;

    fn manifest(credentials: &str) -> Manifest {
        let text = format!("application_name: a\nexposed_ports: [80]\nregistry_credentials: {{{credentials}}}\n");
        parse(&text, "m").unwrap()
    }

    fn instance<'a>(manifest: &'a Manifest, image: &str, registry: &str) -> Instance<'a> {
        Instance {
            manifest,
            application: "a",
            version: "1",
            image: image.to_owned(),
            image_tag_shown: "a:1",
            region: "eu-west-1",
            log_group: None,
            environment: BTreeMap::new(),
            cap_add: Vec::new(),
            insecure: None,
            nameservers: &[],
            cacerts: None,
            ecr: None,
            login: manifest.registry_credential(registry),
        }
    }

    #[test]
    fn the_password_reaches_docker_on_its_standard_input() {
        let m = manifest(
            "ghcr.io: 'secretsmanager:ghcr', 'r.example:5000': 'ssm:/r', docker.io: 'arn:aws:ssm:us-east-1:1:parameter/hub'",
        );
        for (image, registry, read, login) in [
            ("ghcr.io/a/b@sha256:0", "ghcr.io", "secret eu-west-1 ghcr", " --password-stdin ghcr.io >"),
            (
                "r.example:5000/b@sha256:0",
                "r.example:5000",
                "parameter eu-west-1 /r",
                " --password-stdin r.example:5000 >",
            ),
            // Docker Hub is signed in to without a name.
            (
                "docker.io/library/b@sha256:0",
                "docker.io",
                "parameter us-east-1 arn:aws:ssm:us-east-1:1:parameter/hub",
                " --password-stdin >",
            ),
        ] {
            let instance = instance(&m, image, registry);
            let script = super::super::render(&instance).unwrap();
            let plain = script.replace('\'', "");
            for words in
                [&format!("try 6 {read})"), login, "printf %s \"$password\" | docker login --username \"$username\""]
            {
                assert!(plain.contains(words), "{words} is not in {plain}");
            }
            let at = |words: &str| plain.find(words).unwrap_or_else(|| panic!("{words} is not in {plain}"));
            assert!(at("docker_up\n") < at("docker login") && at("docker login") < at("docker pull"));
            assert!(
                at("docker pull") < at("rm -f \"$DOCKER_CONFIG/config.json\""),
                "the login goes once the image is there"
            );
        }
        let none = instance(&m, "quay.io/a/b@sha256:0", "quay.io");
        let script = super::super::render(&none).unwrap();
        assert!(!script.contains("docker login") && !script.contains("config.json"), "{script}");
    }
}
