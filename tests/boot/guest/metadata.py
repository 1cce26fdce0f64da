"""IMDSv2: instance metadata at 169.254.169.254, only with a session token (EC2 user guide, "Use the Instance Metadata
Service to access instance metadata")."""

import http.server
import json
import re
import secrets

import role
import scenario

REGION = "eu-west-1"
INSTANCE = "i-0b007f0b007f0b007"
MAC = "0e:00:00:00:00:01"
VERSION = re.compile(r"^/(latest|1\.0|\d{4}-\d\d-\d\d)(/.*)?$")
LONGEST = 21600  # seconds that a session token is valid


def tree(user_data):
    """The service's answers; a dict is a directory."""
    identity = {
        "accountId": "100000000001",
        "architecture": "x86_64",
        "availabilityZone": f"{REGION}a",
        "imageId": "ami-0b007f0b007f0b007",
        "instanceId": INSTANCE,
        "instanceType": "t3.small",
        "privateIp": "10.99.0.10",
        "region": REGION,
        "version": "2017-09-30",
    }
    network = {"device-number": "0", "local-ipv4s": "10.99.0.10", "subnet-ipv4-cidr-block": "10.99.0.0/24"}
    return {
        "dynamic": {"instance-identity": {"document": json.dumps(identity, indent=2)}},
        "meta-data": {
            "ami-id": identity["imageId"],
            "hostname": "ip-10-99-0-10.eu-west-1.compute.internal",
            "iam": {"security-credentials": {role.NAME: lambda: json.dumps(role.document(), indent=2)}},
            "instance-id": INSTANCE,
            "instance-type": identity["instanceType"],
            "local-hostname": "ip-10-99-0-10.eu-west-1.compute.internal",
            "local-ipv4": identity["privateIp"],
            "mac": MAC,
            "network": {"interfaces": {"macs": {MAC: network}}},
            "placement": {"availability-zone": identity["availabilityZone"], "region": REGION},
            "services": {"domain": "amazonaws.com", "partition": "aws"},
        },
        "user-data": user_data,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tokens = set()
    answers = {}

    def do_PUT(self):
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token":
            return self._answer(405, b"")
        # A reverse proxy that passes requests on must not get one.
        if self.headers.get("X-Forwarded-For"):
            return self._answer(403, b"")
        if not ttl.isdigit() or not 1 <= int(ttl) <= LONGEST:
            return self._answer(400, b"")
        token = secrets.token_urlsafe(40)
        self.tokens.add(token)
        # AWS's SDK for Go, which is Docker's, takes no token without the header.
        return self._answer(200, token.encode(), {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": ttl})

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") not in self.tokens:
            return self._answer(401, b"")
        matched = VERSION.match(self.path)
        if not matched:
            return self._answer(404, b"")
        found = self.answers
        for name in filter(None, (matched[2] or "").split("/")):
            found = found.get(name) if isinstance(found, dict) else None
        if callable(found):
            found = found()
        if found is None:
            return self._answer(404, b"")
        if isinstance(found, dict):
            found = "\n".join(name + "/" * isinstance(inner, dict) for name, inner in sorted(found.items()))
        return self._answer(200, found if isinstance(found, bytes) else found.encode())

    def _answer(self, status, body, headers=()):
        scenario.log("metadata", {"method": self.command, "path": self.path, "status": status})
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    with open(f"{scenario.PLACE}/user-data", "rb") as file:
        Handler.answers = tree(file.read())
    server = http.server.ThreadingHTTPServer(("169.254.169.254", 80), Handler)
    scenario.ready()
    server.serve_forever()


if __name__ == "__main__":
    main()
