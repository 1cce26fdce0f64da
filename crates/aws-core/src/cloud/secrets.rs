//! Values of secrets, read with the operator's credentials. They go nowhere but to whom they are for.
use super::{Cloud, Told as _};
use crate::{Error, Result};

/// The value of a parameter of Systems Manager, decrypted; by name (with a version or label) or ARN.
///
/// # Errors
/// Not found; what AWS answers.
pub async fn parameter(cloud: &Cloud, name: &str) -> Result<String> {
    // The call that is made for settings and manifests too, so that it needs no permission of its own.
    let answer = cloud.ssm().get_parameters().names(name).with_decryption(true).send().await.told(cloud, name)?;
    let value = answer.parameters.and_then(|p| p.into_iter().next()).and_then(|p| p.value);
    value.ok_or_else(|| Error::not_found(format!("parameter {name} does not exist in {}", cloud.region())))
}

/// The text of a secret of Secrets Manager; by name or ARN.
///
/// # Errors
/// Not found, also when it holds bytes instead of a text; what AWS answers.
pub async fn secret(cloud: &Cloud, id: &str) -> Result<String> {
    let answer = cloud.secretsmanager().get_secret_value().secret_id(id).send().await.unless_gone(cloud, id)?;
    let Some(answer) = answer else {
        return Err(Error::not_found(format!("secret {id} does not exist in {}", cloud.region())));
    };
    answer.secret_string.ok_or_else(|| Error::not_found(format!("secret {id} in {} holds no text", cloud.region())))
}
