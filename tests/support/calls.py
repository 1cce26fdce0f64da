"""Which operations of AWS the binaries call: noted by moto's server, by the name that IAM has for each.

Noted are calls of ours only: the AWS SDK for Rust writes `app/minion-0.1.0` into the user agent. Whoever asks gets
them at CALLS.
"""

import io
import json
import re
import threading

import botocore.loaders
import botocore.model

# A path that no AWS API has.
CALLS = "/moto-api/calls-of-ours"

# The service in a signature, where botocore or IAM call it otherwise. IAM's prefixes:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
BOTOCORE = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
IAM = {"monitoring": "cloudwatch"}
# S3's actions are named after permissions, not after operations.
S3_ACTIONS = {"ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket", "HeadObject": "GetObject"}
S3_ACTIONS |= {f"{verb}BucketLifecycleConfiguration": f"{verb}LifecycleConfiguration" for verb in ("Get", "Put")}


class Routes:
    """Operations of the services with REST protocols, by method and path."""

    def __init__(self):
        self.loader = botocore.loaders.create_loader()
        self.services = {}

    def _load(self, service):
        description = self.loader.load_service_model(service, "service-2")
        model = botocore.model.ServiceModel(description, service)
        routes = []
        for name in model.operation_names:
            http = model.operation_model(name).http
            path, _, query = http["requestUri"].partition("?")
            # A slash at the end is written by some SDKs, and not by others.
            pieces = re.split(r"(\{[^}]*\})", path.rstrip("/"))
            pattern = "".join(
                (".+" if piece.endswith("+}") else "[^/]+") if piece.startswith("{") else re.escape(piece)
                for piece in pieces
            )
            fixed = {part.split("=")[0] for part in query.split("&") if part and "{" not in part}
            routes.append((http["method"], re.compile(pattern + "/?$"), fixed, name))
        # The path with the fewest variables first, the longest query first.
        return sorted(routes, key=lambda r: (-len(r[2]), r[1].pattern.count("[^/]+"), -len(r[1].pattern)))

    def operation(self, service, method, path, query):
        if service not in self.services:
            try:
                self.services[service] = self._load(service)
            except botocore.exceptions.UnknownServiceError:
                self.services[service] = []
        given = {part.split("=")[0] for part in query.split("&") if part}
        for wanted, pattern, fixed, name in self.services[service]:
            if wanted == method and fixed <= given and pattern.match(path):
                return name
        return f"{method} {path}"


class Noted:
    """The set of calls, by binary."""

    def __init__(self):
        self.calls = {}
        self.routes = Routes()
        self.lock = threading.Lock()

    def note(self, environ):
        # `app/minion-0.1.0`
        ours = re.search(r"\bapp/(minion|overlord)-", environ.get("HTTP_USER_AGENT", ""))
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        if not (ours and scope):
            return
        name = self.name(scope.group(1), environ)
        with self.lock:
            self.calls.setdefault(ours.group(1), set()).add(name)

    def name(self, service, environ):
        prefix = IAM.get(service, service)
        target = environ.get("HTTP_X_AMZ_TARGET")
        if target:
            return f"{prefix}:{target.rsplit('.', 1)[-1]}"
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            action = re.search(r"(?:^|&)Action=([^&]*)", self.body(environ))
            return f"{prefix}:{action.group(1) if action else '?'}"
        model = BOTOCORE.get(service, service)
        if service == "s3" and environ["PATH_INFO"].startswith("/v20180820/"):
            model = "s3control"
        query = environ.get("QUERY_STRING", "")
        with self.lock:
            operation = self.routes.operation(model, environ["REQUEST_METHOD"], environ["PATH_INFO"], query)
        if service == "s3":
            operation = S3_ACTIONS.get(operation, operation)
        return f"{prefix}:{operation}"

    @staticmethod
    def body(environ):
        """The body, which stays where it is for moto."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        return body.decode("utf-8", "replace")

    def told(self):
        with self.lock:
            return {binary: sorted(names) for binary, names in self.calls.items()}


def recorded(application):
    """moto's application, with a note of each request of ours."""
    noted = Noted()

    class Recorded(application):
        def __call__(self, environ, start_response):
            if environ.get("PATH_INFO") == CALLS:
                start_response("200 OK", [("Content-Type", "application/json")])
                return [json.dumps(noted.told()).encode()]
            noted.note(environ)
            return super().__call__(environ, start_response)

    return Recorded
