"""moto within this process: its application, and clients that call it without a socket in between."""

import io
import urllib.parse

import botocore
import botocore.awsrequest
import moto.server
from moto.core.responses import BaseResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

import direct
import repaired
import repairs
import serving
from emulator import Account, Clients

# Never connected to: the clients' requests are answered before they are sent.
ENDPOINT = "http://127.0.0.1:1"


def application():
    """moto, repaired."""
    repaired.apply()
    return DomainDispatcherApplication(moto.server.create_backend_app)


def on_call(told):
    """Tells of each call: service, region, account, operation."""

    def setup(original, self, request, *arguments, **named):
        original(self, request, *arguments, **named)
        operation = self.querystring.get("Action", [None])[0] or request.headers.get("X-Amz-Target", "").split(".")[-1]
        if not operation:
            reads = request.method in ("GET", "HEAD")
            # RAM asks for everything with POST, and has the operation in the path.
            operation = "Get" if reads else self.path.strip("/") if self.service_name == "ram" else request.method
        told(self.service_name, self.region, self.current_account, operation)

    repairs.wrap(BaseResponse, "setup_class", setup)


class Raw(io.BytesIO):
    """A body, as urllib3 gives it."""

    def stream(self, *_arguments, **_named):
        yield self.read()


class Inside(Clients):
    """Clients of all accounts, answered by an application."""

    # moto reads who calls whom out of a signature, and does not check it.
    SETTINGS = {**Clients.SETTINGS, "signature_version": botocore.UNSIGNED, "parameter_validation": False}

    def __init__(self, application):
        super().__init__(ENDPOINT)
        self.application = application

    def client(self, service, region):
        known = (service, region) in self.clients
        client = super().client(service, region)
        if not known:
            model = client.meta.service_model
            scope = f"20000101/{region}/{model.signing_name}/aws4_request, SignedHeaders=host, Signature=0"
            event = f"before-send.{model.service_id.hyphenize()}"
            client.meta.events.register_last(event, lambda request, **_: self._answer(request, scope))
            direct.shorten(client, self.application, self.credentials)
        return client

    def _answer(self, request, scope):
        url = urllib.parse.urlsplit(request.url)
        body = request.body
        if hasattr(body, "read"):
            body = body.read()
        if isinstance(body, str):
            body = body.encode()
        target = url.path + (f"?{url.query}" if url.query else "")
        lines = [f"{request.method} {target} HTTP/1.1", f"Host: {url.netloc}"]
        key, token = self.credentials.access_key, self.credentials.token
        lines.append(f"Authorization: AWS4-HMAC-SHA256 Credential={key}/{scope}")
        if token:
            lines.append(f"X-Amz-Security-Token: {token}")
        for name, value in request.headers.items():
            lines.append(f"{name}: {value.decode() if isinstance(value, bytes) else value}")
        environ = serving.environ_of("\r\n".join(lines).encode("latin-1"), bytes(body or b""))
        status, headers, answer = serving.answered(self.application, environ)
        return botocore.awsrequest.AWSResponse(
            request.url, int(status.split()[0]), botocore.awsrequest.HeadersDict(headers), Raw(answer)
        )


class Accounts:
    """The accounts that somebody asked about."""

    def __init__(self, clients):
        self.clients, self.accounts = clients, {}

    def get(self, number, region):
        if (number, region) not in self.accounts:
            self.accounts[number, region] = Account(self.clients, number, region)
        return self.accounts[number, region]
