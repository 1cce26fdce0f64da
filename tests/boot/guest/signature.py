"""Checks the signature of a request (IAM user guide, "Create a signed AWS API request": AWS4-HMAC-SHA256)."""

import datetime
import hashlib
import hmac
import re
import urllib.parse

import role

AUTHORIZATION = re.compile(
    r"^AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$"
)
# Seconds that the time of a request may differ from AWS's own.
SKEW = 300


class Refused(Exception):
    """The code that AWS answers, and why."""


def check(method, target, headers, body):
    """(service, region) that a request is signed for.

    Raises Refused with AWS's code. headers: names in small letters, with their values.
    """
    matched = AUTHORIZATION.match(headers.get("authorization", ""))
    if not matched:
        raise Refused("MissingAuthenticationTokenException", "the request is not signed")
    key, day, region, service, signed, given = matched.groups()
    if key != role.ACCESS_KEY or headers.get("x-amz-security-token") != role.TOKEN:
        raise Refused("UnrecognizedClientException", "the security token included in the request is invalid")
    moment = headers.get("x-amz-date", "")
    _in_time(moment, day)
    names = signed.split(";")
    # Those that AWS requires: the host, and each header of its own that is sent.
    required = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    if missing := required - set(names):
        raise Refused("InvalidSignatureException", f"{', '.join(sorted(missing))} must be a signed header")
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = _canonical(method, target, names, headers, body)
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = ("AWS4" + role.SECRET_KEY).encode()
    for part in (day, region, service, "aws4_request"):
        signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(hmac.new(signature, text.encode(), hashlib.sha256).hexdigest(), given):
        raise Refused("InvalidSignatureException", f"the signature does not match; the canonical request: {canonical!r}")
    return service, region


def _in_time(moment, day):
    try:
        then = datetime.datetime.strptime(moment, "%Y%m%dT%H%M%SZ")
    except ValueError:
        raise Refused("IncompleteSignatureException", "there is no X-Amz-Date") from None
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    if abs((now - then).total_seconds()) > SKEW or not moment.startswith(day):
        raise Refused("InvalidSignatureException", f"signature expired: {moment}")


def _canonical(method, target, names, headers, body):
    path, _, query = target.partition("?")
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    query = "&".join(f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}" for k, v in pairs)
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names)
    return "\n".join([method, path or "/", query, lines, ";".join(names), hashlib.sha256(body).hexdigest()])
