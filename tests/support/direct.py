"""Reads of a boto3 client that moto answers within this process.

boto3 makes a request of a call in steps that anybody may change, and a reply is understood in as many; for reads from
an application beside it most of them decide nothing, and take longer than the answer. Left are those that do: its
serializers, its parsers, and what it does with policies of IAM.
"""

import functools
import types
import urllib.parse

import botocore.handlers
import botocore.utils
from botocore.awsrequest import HeadersDict

import serving

READS = ("Describe", "Get", "List")
# boto3 puts the bucket or the account into S3's address later than its serializer does.
OTHERWISE = ("s3", "s3control")


def shorten(client, application, credentials):
    """Makes a client's reads direct. credentials: of whoever calls, looked at anew at each call."""
    model = client.meta.service_model
    if model.service_name in OTHERWISE:
        return
    scope = f"20000101/{client.meta.region_name}/{model.signing_name}/aws4_request, SignedHeaders=host, Signature=0"
    reads = _Reads(client, application, credentials, scope)
    original = client._make_api_call

    @functools.wraps(original)
    def call(_self, name, arguments):
        return reads.call(name, arguments) if name.startswith(READS) else original(name, arguments)

    client._make_api_call = types.MethodType(call, client)


class _Reads:
    def __init__(self, client, application, credentials, scope):
        self.client, self.application, self.credentials, self.scope = client, application, credentials, scope
        # Which of moto's applications a service is, is seen from its first request.
        self.of_service = None

    def call(self, name, arguments):
        operation = self.client.meta.service_model.operation_model(name)
        environ = self._environ(self.client._serializer.serialize_to_request(arguments, operation))
        if self.of_service is None:
            self.of_service = self.application.get_application(environ)
        status, headers, body = serving.answered(self.of_service, environ)
        answer = {"status_code": int(status.split()[0]), "headers": HeadersDict(headers), "body": body, "context": {}}
        parsed = self.client._response_parser.parse(answer, operation.output_shape)
        if answer["status_code"] >= 300:
            raise self.client.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, name)
        if self.client.meta.service_model.service_name == "iam":
            # Policies are JSON in an encoding of URLs.
            botocore.handlers.json_decode_policies(parsed, operation)
        return parsed

    def _environ(self, request):
        body, query = request["body"], request["query_string"]
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body, doseq=True)
        if isinstance(body, str):
            body = body.encode()
        path, _, fixed = request["url_path"].partition("?")
        query = "&".join(part for part in (fixed, botocore.utils.percent_encode_sequence(query or {})) if part)
        environ = serving.environment(request["method"], f"{path}?{query}" if query else path, body)
        environ["HTTP_HOST"] = "127.0.0.1:1"
        environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={self.credentials.access_key}/{self.scope}"
        if self.credentials.token:
            environ["HTTP_X_AMZ_SECURITY_TOKEN"] = self.credentials.token
        for name, value in request["headers"].items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        return environ
