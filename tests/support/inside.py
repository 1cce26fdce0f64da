"""moto within this process: its application, and clients that call it without a socket in between."""

import io
import urllib.parse

import botocore.awsrequest
import moto.server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

import quicker
import repairs
import serving
import sharing
from emulator import Account, Clients

# Never connected to: the clients' requests are answered before they are sent.
ENDPOINT = "http://127.0.0.1:1"


def application():
    """moto, repaired."""
    quicker.apply()
    repairs.apply()
    sharing.apply()
    return DomainDispatcherApplication(moto.server.create_backend_app)


class Raw(io.BytesIO):
    """A body, as urllib3 gives it."""

    def stream(self, *_arguments, **_named):
        yield self.read()


class Inside(Clients):
    """Clients of all accounts, answered by an application."""

    def __init__(self, application):
        super().__init__(ENDPOINT)
        self.application = application

    def client(self, service, region):
        known = (service, region) in self.clients
        client = super().client(service, region)
        if not known:
            client.meta.events.register_last(f"before-send.{client.meta.service_model.service_id.hyphenize()}", self._answer)
        return client

    def _answer(self, request, **_):
        url = urllib.parse.urlsplit(request.url)
        body = request.body
        if hasattr(body, "read"):
            body = body.read()
        if isinstance(body, str):
            body = body.encode()
        target = url.path + (f"?{url.query}" if url.query else "")
        lines = [f"{request.method} {target} HTTP/1.1", f"Host: {url.netloc}"]
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
