//! What the boot script asks AWS for with a signed `curl`: secrets and a registry's password.
use super::{Reply, Request};
use crate::serve::Parts;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

/// A call to AWS.
#[derive(Debug, PartialEq, Eq)]
struct Call<'r> {
    region: &'r str,
    service: &'r str,
    /// `AmazonSSM.GetParameter`
    target: &'r str,
    body: &'r str,
}

impl<'r> Call<'r> {
    /// Of the arguments of `curl`; `None` when they are no call in AWS's JSON protocol.
    fn of(request: &'r Request) -> Option<Self> {
        let mut scope = request.option("--aws-sigv4")?.strip_prefix("aws:amz:")?.split(':');
        let headers = request.arguments.windows(2).filter(|pair| pair[0] == "-H");
        let target = headers.filter_map(|pair| pair[1].strip_prefix("x-amz-target: ")).next()?;
        Some(Self { region: scope.next()?, service: scope.next()?, target, body: request.option("--data-raw")? })
    }
}

/// Does a call. The answer is what `curl -w '\n%{http_code} %{errormsg}'` prints.
pub(super) async fn run(parts: &Parts, request: &Request) -> Reply {
    let Some(call) = Call::of(request) else {
        let words = request.arguments.join(" ");
        return Reply::failed(2, format!("`curl {words}` is not known in the sandbox\n"));
    };
    if call.service == "ecr" {
        // The emulator's registry takes any password.
        let token = BASE64_STANDARD.encode("AWS:sandbox");
        return answered(200, &json!({ "authorizationData": [{ "authorizationToken": token }] }).to_string());
    }
    let scope = format!("{}/20200101/{}/{}/aws4_request", crate::KEY.0, call.region, call.service);
    let sent = parts
        .http
        .post(parts.emulator.clone())
        .header("Content-Type", "application/x-amz-json-1.1")
        .header("X-Amz-Target", call.target)
        .header("Authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
        .body(call.body.to_owned())
        .send()
        .await;
    let answer = match sent {
        Ok(answer) => (answer.status().as_u16(), answer.text().await),
        Err(e) => (0, Err(e)),
    };
    match answer {
        (status, Ok(text)) => answered(status, &text),
        (status, Err(e)) => Reply { code: 7, output: format!("\n{status:03} {e}"), errors: String::new() },
    }
}

fn answered(status: u16, text: &str) -> Reply {
    Reply::done(format!("{text}\n{status:03} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &[&str]) -> Request {
        Request { arguments: words.iter().map(|w| (*w).to_owned()).collect(), ..Request::default() }
    }

    /// The words of `aws_call` in the boot script.
    const WORDS: [&str; 18] = [
        "-s",
        "--connect-timeout",
        "5",
        "-m",
        "30",
        "--config",
        "-",
        "--aws-sigv4",
        "aws:amz:eu-west-1:ssm",
        "-H",
        "content-type: application/x-amz-json-1.1",
        "-H",
        "x-amz-target: AmazonSSM.GetParameter",
        "--data-raw",
        r#"{"Name":"/a","WithDecryption":true}"#,
        "-w",
        "\\n%{http_code} %{errormsg}",
        "https://ssm.eu-west-1.amazonaws.com/",
    ];

    #[test]
    fn a_signed_request_is_read() {
        let request = request(&WORDS);
        let call = Call::of(&request).unwrap();
        let wanted = Call {
            region: "eu-west-1",
            service: "ssm",
            target: "AmazonSSM.GetParameter",
            body: r#"{"Name":"/a","WithDecryption":true}"#,
        };
        assert_eq!(call, wanted);
        assert_eq!(answered(400, "{}").output, "{}\n400 ");
    }

    #[test]
    fn what_is_no_call_is_none() {
        for missing in ["--aws-sigv4", "x-amz-target: AmazonSSM.GetParameter", "--data-raw"] {
            let words: Vec<&str> = WORDS.iter().copied().filter(|word| *word != missing).collect();
            assert_eq!(Call::of(&request(&words)), None, "{missing}");
        }
        assert_eq!(Call::of(&request(&["--aws-sigv4", "aws:amz:eu-west-1", "-H", "x-amz-target: a.b"])), None);
    }
}
