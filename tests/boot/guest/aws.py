"""The services of AWS that an instance calls: signed JSON over HTTPS. What it knows is the scenario's `aws`."""

import base64
import glob
import http.server
import json
import ssl
import time

import role
import scenario
import signature

ADDRESS = ("10.99.0.2", 443)
# The service that a request to a host must be signed for.
HOSTS = {"api.ecr": "ecr", "ssm": "ssm", "secretsmanager": "secretsmanager", "logs": "logs"}


class Missing(Exception):
    """Code and message of an error that AWS answers with status 400."""


def authorization_token(known, _):
    token = base64.b64encode(f"AWS:{known['registry_password']}".encode()).decode()
    proxy = "https://100000000001.dkr.ecr.eu-west-1.amazonaws.com"
    data = {"authorizationToken": token, "expiresAt": time.time() + 43200, "proxyEndpoint": proxy}
    return {"authorizationData": [data]}


def parameter(known, asked):
    value = known["parameters"].get(asked["Name"])
    if value is None:
        # As Systems Manager says it: the code alone.
        raise Missing("ParameterNotFound", None)
    if not asked.get("WithDecryption"):
        value = "AQICAH" + base64.b64encode(value.encode()).decode()
    return {"Parameter": {"Name": asked["Name"], "Type": "SecureString", "Value": value, "Version": 1}}


def secret(known, asked):
    value = known["secrets"].get(asked["SecretId"])
    if value is None:
        raise Missing("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    return {"Name": asked["SecretId"], "SecretString": value, "VersionStages": ["AWSCURRENT"]}


def nothing(_, __):
    return {}


# By X-Amz-Target.
OPERATIONS = {
    "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken": authorization_token,
    "AmazonSSM.GetParameter": parameter,
    "secretsmanager.GetSecretValue": secret,
    # Of Docker's log driver.
    "Logs_20140328.CreateLogStream": nothing,
    "Logs_20140328.PutLogEvents": nothing,
}


def seen_in_arguments():
    """Command lines that have the role's credentials in them, while the one who asks is still running: all programs of
    the instance can read those."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                line = file.read()
        except OSError:
            continue
        if role.SECRET_KEY in line or role.TOKEN in line:
            found.append(line.split("\0")[0])
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    known = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        target = headers.get("x-amz-target", "")
        entry = {"operation": target.split(".")[-1], "host": headers.get("host", "")}
        entry["arguments"] = seen_in_arguments()
        try:
            answer = self._carry_out(target, headers, body, entry)
            entry["status"] = 200
        except (Missing, signature.Refused) as refused:
            code, message = refused.args
            answer = {"__type": code, **({"message": message} if message else {})}
            entry.update(status=400, code=code, message=message)
        # The checks' own trial is no call of the instance.
        if "x-boot-proof" not in headers:
            scenario.log("aws", entry)
        # ensure_ascii: what is beyond ASCII comes as \u, with surrogates.
        data = json.dumps(answer).encode()
        self.send_response(entry["status"])
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _carry_out(self, target, headers, body, entry):
        service, region = signature.check("POST", self.path, headers, body)
        host = headers.get("host", "").removesuffix(f".{region}.amazonaws.com")
        if HOSTS.get(host) != service:
            raise signature.Refused("InvalidSignatureException", f"credential should be scoped to the service of {host}")
        if not headers.get("content-type", "").startswith("application/x-amz-json-1.1"):
            raise Missing("UnknownOperationException", f"the content type is {headers.get('content-type')}")
        asked = json.loads(body)
        entry["asked"] = asked.get("Name") or asked.get("SecretId") or asked.get("logStreamName")
        if "logEvents" in asked:
            entry["lines"] = [event["message"] for event in asked["logEvents"]]
        operation = OPERATIONS.get(target)
        if operation is None:
            raise Missing("UnknownOperationException", target)
        if denied := self.known.get("denied", {}).get(entry["operation"]):
            raise Missing("AccessDeniedException", denied)
        return operation(self.known, asked)

    def log_message(self, *_):
        pass


def main():
    Handler.known = scenario.load()["aws"]
    server = http.server.ThreadingHTTPServer(ADDRESS, Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/opt/boot-proof/tls/server.pem", "/opt/boot-proof/tls/server.key")
    # The handshake is the connection's thread's, so that a client that hangs keeps nobody waiting.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scenario.ready()
    server.serve_forever()


if __name__ == "__main__":
    main()
