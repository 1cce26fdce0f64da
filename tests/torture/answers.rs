//! Errors as AWS answers them, in the protocol and in the words of each service.
use crate::operation::Operation;
use http_body_util::Full;
use hyper::{Response, body::Bytes, header::CONTENT_TYPE};

/// An answer's status, code and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Of HTTP.
    pub(crate) status: u16,
    /// AWS's error code.
    pub(crate) code: &'static str,
    /// AWS's message.
    pub(crate) message: &'static str,
}

/// How a service speaks.
enum Protocol {
    Ec2,
    Query,
    S3,
    Json,
    RestJson,
}

fn protocol(service: &str) -> Protocol {
    match service {
        "ec2" => Protocol::Ec2,
        "autoscaling" | "elasticloadbalancing" | "iam" | "sts" | "route53" => Protocol::Query,
        "s3" => Protocol::S3,
        "ram" => Protocol::RestJson,
        _ => Protocol::Json,
    }
}

/// The error as HTTP.
pub(crate) fn answer(operation: &Operation, refusal: Refusal) -> Response<Full<Bytes>> {
    let Refusal { status, code, message } = refusal;
    let id = "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE";
    // AWS puts all of a client's mistakes under `Sender`, also 403 and throttles.
    let kind = if status >= 500 { "Receiver" } else { "Sender" };
    let error = format!("<Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    let protocol = match protocol(&operation.service) {
        // S3 Control's errors have an envelope, S3's have none.
        Protocol::S3 if operation.name.contains("Account") => Protocol::Query,
        other => other,
    };
    let (content, body) = match protocol {
        Protocol::Ec2 => {
            let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            ("text/xml", format!("<Response><Errors>{error}</Errors><RequestID>{id}</RequestID></Response>"))
        }
        Protocol::Query => ("text/xml", format!("<ErrorResponse>{error}<RequestId>{id}</RequestId></ErrorResponse>")),
        Protocol::S3 => (
            "application/xml",
            format!("<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{id}</RequestId></Error>"),
        ),
        Protocol::Json => {
            ("application/x-amz-json-1.1", format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}"))
        }
        Protocol::RestJson => ("application/json", format!("{{\"message\":\"{message}\"}}")),
    };
    let builder = Response::builder().status(status).header(CONTENT_TYPE, content).header("x-amzn-requestid", id);
    let builder = match protocol {
        Protocol::Json | Protocol::RestJson => builder.header("x-amzn-errortype", code),
        _ => builder,
    };
    builder.body(Full::from(body)).unwrap()
}

/// Something broke at AWS.
pub(crate) fn internal(operation: &Operation) -> Refusal {
    let code = match operation.service.as_str() {
        "ec2" | "s3" => "InternalError",
        "ssm" => "InternalServerError",
        "iam" => "ServiceFailure",
        "ram" => "ServerInternalException",
        "organizations" => "ServiceException",
        "budgets" => "InternalErrorException",
        _ => "InternalFailure",
    };
    Refusal { status: 500, code, message: "An internal error has occurred" }
}

/// Too many calls.
pub(crate) fn throttle(operation: &Operation) -> Refusal {
    let (status, code) = match operation.service.as_str() {
        "ec2" => (503, "RequestLimitExceeded"),
        "s3" => (503, "SlowDown"),
        "autoscaling" | "elasticloadbalancing" | "iam" | "route53" | "sts" => (400, "Throttling"),
        "organizations" => (400, "TooManyRequestsException"),
        "ram" => (429, "ThrottlingException"),
        _ => (400, "ThrottlingException"),
    };
    Refusal { status, code, message: "Rate exceeded" }
}

/// Nobody there for the moment.
pub(crate) fn unavailable(operation: &Operation) -> Refusal {
    let code = match operation.service.as_str() {
        "ec2" => "Unavailable",
        "logs" => "ServiceUnavailableException",
        "ram" => "ServiceUnavailableException",
        _ => "ServiceUnavailable",
    };
    Refusal { status: 503, code, message: "The server is overloaded and cannot handle the request" }
}

/// A policy says no. The message does not name the action: some of AWS's do not.
pub(crate) fn denied(operation: &Operation) -> Refusal {
    let (status, code) = match operation.service.as_str() {
        "ec2" => (403, "UnauthorizedOperation"),
        "autoscaling" | "elasticloadbalancing" | "iam" | "route53" | "sts" | "s3" => (403, "AccessDenied"),
        _ => (400, "AccessDeniedException"),
    };
    Refusal { status, code, message: "You are not authorized to perform this operation." }
}
