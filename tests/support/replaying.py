"""Makes the calls again by which a release wrote to AWS, in other accounts: see `tests/upgrade`.

A line of a file is a call: {"call": "ec2:CreateVpc", "account": "red"} and

- "region" and "service" (the one that is signed for), where they are not eu-west-1 and the one in the call's name
- "target", the header by which JSON protocols tell the operation; or "method" and "path"; and other "headers"
- the body: "form" (query protocols), "json", or "text"
- "gives": what to learn from the answer, by its path in there

See `stored.py` for the names in all of them.
"""

import http.client
import json
import urllib.parse

import stored

REGION = "eu-west-1"
# What the header says of a body, when the line does not.
TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/x-amz-json-1.1",
    "text": "application/xml",
}


def replay(endpoint, lines, names, credentials):
    """Makes all calls. credentials: of an account in a region, as STS gives them."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=60)
    try:
        for number, line in enumerate(lines, 1):
            call = json.loads(line)
            try:
                _make(connection, call, names, credentials(call["account"], call.get("region", REGION)))
            except ValueError as error:
                raise ValueError(f"line {number}, {call['call']}: {error}") from error
    finally:
        connection.close()


def _body(call, names):
    """The body's kind and its bytes."""
    if "form" in call:
        return "form", urllib.parse.urlencode(names.value(call["form"])).encode()
    if "json" in call:
        return "json", json.dumps(names.value(call["json"])).encode()
    return "text", names.text(call.get("text", "")).encode()


def _make(connection, call, names, credentials):
    kind, body = _body(call, names)
    service = call.get("service", call["call"].split(":")[0])
    scope = f"{credentials['AccessKeyId']}/20000101/{call.get('region', REGION)}/{service}/aws4_request"
    headers = {
        "Content-Type": TYPES[kind],
        **({"X-Amz-Target": call["target"]} if "target" in call else {}),
        **{name: names.text(value) for name, value in call.get("headers", {}).items()},
        # moto reads who calls whom out of a signature, and does not check it.
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": credentials["SessionToken"],
    }
    connection.request(call.get("method", "POST"), names.text(call.get("path", "/")), body, headers)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status >= 300:
        raise ValueError(f"{answer.status}: {told.decode('utf-8', 'replace')[:1000]}")
    if "gives" in call:
        found = dict(stored.leaves(told))
        for path, wanted in call["gives"].items():
            if path not in found:
                raise ValueError(f"the answer has no {path}")
            names.learn(wanted, found[path])
