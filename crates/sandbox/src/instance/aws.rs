//! What the boot script asks the AWS command line for: secrets and a registry's password.
use super::{Reply, Request};
use crate::serve::Parts;
use aws_core::{Error, Result, cloud::Told as _};

/// Runs `aws ..`.
pub(super) async fn run(parts: &Parts, request: &Request) -> Reply {
    let words: Vec<&str> = request.arguments.iter().take(2).map(String::as_str).collect();
    let done = match words[..] {
        ["ssm", "get-parameter"] => parameter(parts, request).await,
        ["secretsmanager", "get-secret-value"] => secret(parts, request).await,
        // The emulator's registry takes any password.
        ["ecr", "get-login-password"] => Ok("sandbox\n".to_owned()),
        _ => Err(Error::failed(format!("`aws {}` is not known in the sandbox", request.arguments.join(" ")))),
    };
    match done {
        Ok(output) => Reply::done(output),
        Err(error) => Reply::failed(255, format!("{error}\n")),
    }
}

fn needed<'r>(request: &'r Request, name: &str) -> Result<&'r str> {
    request.option(name).ok_or_else(|| Error::usage(format!("{name} is missing")))
}

async fn parameter(parts: &Parts, request: &Request) -> Result<String> {
    let name = needed(request, "--name")?;
    let cloud = &parts.cloud;
    let asked = cloud.ssm().get_parameter().name(name).with_decryption(true).send().await;
    let got = asked.told(cloud, "ssm:GetParameter", name)?;
    let value = got.parameter.and_then(|p| p.value).unwrap_or_default();
    Ok(format!("{value}\n"))
}

/// Secrets Manager has no client here for one call: its protocol is a JSON document to one address.
async fn secret(parts: &Parts, request: &Request) -> Result<String> {
    let id = needed(request, "--secret-id")?;
    let region = parts.cloud.region();
    let scope = format!("{}/20200101/{region}/secretsmanager/aws4_request", crate::KEY.0);
    let body = serde_json::json!({ "SecretId": id }).to_string();
    let sent = parts
        .http
        .post(parts.emulator.clone())
        .header("Content-Type", "application/x-amz-json-1.1")
        .header("X-Amz-Target", "secretsmanager.GetSecretValue")
        .header("Authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
        .body(body)
        .send()
        .await;
    let failed = |e: &dyn std::fmt::Display| Error::failed(format!("secret {id} cannot be read: {e}"));
    let text = sent.map_err(|e| failed(&e))?.text().await.map_err(|e| failed(&e))?;
    let answer: serde_json::Value = serde_json::from_str(&text).map_err(|e| failed(&e))?;
    match answer["SecretString"].as_str() {
        Some(value) => Ok(format!("{value}\n")),
        None => Err(failed(&answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or("it has no string"))),
    }
}
