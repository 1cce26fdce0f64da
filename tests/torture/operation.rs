//! Which operation of AWS a request is.
use aws_core::cloud::operations;
use hyper::header::{AUTHORIZATION, HeaderMap};

/// A call, as its request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The service in the signature: `ec2`, `route53`.
    pub(crate) service: String,
    /// `DescribeVpcs`
    pub(crate) name: String,
}

impl Operation {
    /// The service from the signature's scope, the operation from where its protocol has it.
    pub(crate) fn of(headers: &HeaderMap, method: &str, path: &str, query: &str, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ..
        let scope = header(AUTHORIZATION.as_str()).and_then(|value| value.split("Credential=").nth(1));
        let service = scope.and_then(|scope| scope.split('/').nth(3)).unwrap_or("?").to_owned();
        let target = header("x-amz-target").and_then(|target| target.rsplit('.').next());
        let action = || std::str::from_utf8(body).ok()?.split('&').find_map(|pair| pair.strip_prefix("Action="));
        let name = target.or_else(action).map(str::to_owned);
        let name = name.unwrap_or_else(|| match service.as_str() {
            "route53" => route53(method, path),
            "s3" if path.starts_with("/v20180820/") => verb(method, "AccountPublicAccessBlock"),
            "s3" => s3(method, path, query),
            // The path is the name: /getresourceshares
            _ => spelt(path.trim_matches('/')),
        });
        Self { service, name }
    }

    /// `ec2:DescribeVpcs`
    pub(crate) fn full(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }

    /// Whether it changes nothing.
    pub(crate) fn reads(&self) -> bool {
        reads(&self.full())
    }
}

/// Whether an operation, `ec2:DescribeVpcs`, changes nothing: as the table of the tools says, which has all that they call.
pub(crate) fn reads(operation: &str) -> bool {
    operations::find(operation).unwrap_or_else(|| panic!("{operation} has no row in the table of operations")).reads()
}

fn verb(method: &str, what: &str) -> String {
    let verb = match method {
        "PUT" => "Put",
        "DELETE" => "Delete",
        _ => "Get",
    };
    format!("{verb}{what}")
}

/// Paths of <https://docs.aws.amazon.com/Route53/latest/APIReference/>.
fn route53(method: &str, path: &str) -> String {
    let words: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    let name = match (method, words.as_slice()) {
        ("GET", ["hostedzone"]) => "ListHostedZones",
        ("POST", ["hostedzone"]) => "CreateHostedZone",
        ("GET", ["hostedzonesbyname"]) => "ListHostedZonesByName",
        ("GET", ["hostedzonesbyvpc"]) => "ListHostedZonesByVPC",
        ("GET", ["hostedzone", _]) => "GetHostedZone",
        ("POST", ["hostedzone", _]) => "UpdateHostedZoneComment",
        ("DELETE", ["hostedzone", _]) => "DeleteHostedZone",
        ("GET", ["hostedzone", _, "rrset"]) => "ListResourceRecordSets",
        ("POST", ["hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
        ("POST", ["hostedzone", _, "associatevpc"]) => "AssociateVPCWithHostedZone",
        ("POST", ["hostedzone", _, "disassociatevpc"]) => "DisassociateVPCFromHostedZone",
        ("GET", ["change", _]) => "GetChange",
        ("GET", ["accountlimit", _]) => "GetAccountLimit",
        ("GET", ["tags", ..]) => "ListTagsForResource",
        ("POST", ["tags", _, _]) => "ChangeTagsForResource",
        ("POST", ["tags", _]) => "ListTagsForResources",
        _ => return format!("{method} {path}"),
    };
    name.to_owned()
}

/// Sub-resources of a bucket, in the query.
fn s3(method: &str, path: &str, query: &str) -> String {
    let has = |name: &str| query.split('&').any(|part| part.split('=').next() == Some(name));
    for (name, what) in [
        ("policy", "BucketPolicy"),
        ("tagging", "BucketTagging"),
        ("versioning", "BucketVersioning"),
        ("encryption", "BucketEncryption"),
        ("lifecycle", "BucketLifecycleConfiguration"),
        ("publicAccessBlock", "PublicAccessBlock"),
        ("location", "BucketLocation"),
    ] {
        if has(name) {
            return verb(method, what);
        }
    }
    let object = path.trim_matches('/').contains('/');
    let name = match (method, object) {
        ("GET", false) if has("versions") => "ListObjectVersions",
        ("POST", _) if has("delete") => "DeleteObjects",
        ("GET", false) if path == "/" => "ListBuckets",
        ("GET", false) => "ListObjectsV2",
        ("HEAD", false) => "HeadBucket",
        ("PUT", false) => "CreateBucket",
        ("DELETE", false) => "DeleteBucket",
        ("GET", true) => "GetObject",
        ("HEAD", true) => "HeadObject",
        ("PUT", true) => "PutObject",
        ("DELETE", true) => "DeleteObject",
        _ => return format!("{method} {path}"),
    };
    name.to_owned()
}

/// `getresourceshares` with capitals, as far as we call it.
fn spelt(path: &str) -> String {
    const NAMES: [&str; 12] = [
        "AcceptResourceShareInvitation",
        "AssociateResourceShare",
        "CreateResourceShare",
        "DeleteResourceShare",
        "DisassociateResourceShare",
        "GetResourceShareAssociations",
        "GetResourceShareInvitations",
        "GetResourceShares",
        "ListPrincipals",
        "ListResources",
        "TagResource",
        "UpdateResourceShare",
    ];
    NAMES.iter().find(|name| name.eq_ignore_ascii_case(path)).map_or_else(|| path.to_owned(), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn of(service: &str, request: &str, body: &str) -> String {
        let scope = format!("AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/{service}/aws4_request, Signature=0");
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&scope).unwrap())]);
        if service == "ssm" {
            headers.insert("x-amz-target", HeaderValue::from_static("AmazonSSM.GetParameters"));
        }
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Operation::of(&headers, method, path, query, body.as_bytes()).full()
    }

    #[test]
    fn every_protocol_tells_its_operation() {
        for (service, request, body, wanted) in [
            ("ec2", "POST /", "Action=DescribeVpcs&Version=1", "ec2:DescribeVpcs"),
            ("ssm", "POST /", "{}", "ssm:GetParameters"),
            ("route53", "GET /2013-04-01/hostedzone/Z1/rrset", "", "route53:ListResourceRecordSets"),
            ("route53", "POST /2013-04-01/hostedzone/Z1/rrset/", "<a/>", "route53:ChangeResourceRecordSets"),
            ("route53", "GET /2013-04-01/change/C1", "", "route53:GetChange"),
            ("route53", "GET /2013-04-01/accountlimit/MAX_HOSTED_ZONES_BY_OWNER", "", "route53:GetAccountLimit"),
            ("s3", "PUT /bucket?policy", "{}", "s3:PutBucketPolicy"),
            ("s3", "PUT /bucket", "", "s3:CreateBucket"),
            ("s3", "GET /v20180820/configuration/publicAccessBlock", "", "s3:GetAccountPublicAccessBlock"),
            ("ram", "POST /getresourceshares", "{}", "ram:GetResourceShares"),
        ] {
            assert_eq!(of(service, request, body), wanted);
        }
        assert!(
            reads("ec2:DescribeVpcs")
                && reads("sts:AssumeRole")
                && reads("s3:GetPublicAccessBlock")
                && !reads("ec2:CreateVpc")
        );
    }
}
