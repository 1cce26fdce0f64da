"""Writes down the calls by which our binaries write to AWS, in the form that `replaying.py` makes them again from.

Left out are calls that only look, except those that told an id which a later call needs; calls that failed; and what a
call says of its client, its credentials and its time.
"""

import base64
import binascii
import dataclasses
import datetime
import io
import json
import re
import urllib.parse

import calls
import inside
import replaying
import serving
import stored
from changes import READS

OURS = re.compile(r"\bapp/(minion|overlord)-")
SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
# Headers that say something of what is asked for; `x-amz-acl` and the like, and those that S3's calls have.
HEADERS = re.compile(r"X-Amz-(?!Date|Security-Token|Content-Sha256|User-Agent|Sdk|Checksum|Trailer|Decoded)")
# What AWS makes up, by the beginning of the names it gets.
MADE_UP = {
    # vpc-0123456789abcdef0, tgw-attach-..
    None: re.compile(r"\b[a-z][a-z0-9]*(?:-[a-z]+)*-[0-9a-f]{8}(?:[0-9a-f]{9})?\b"),
    "uuid": re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    "zone": re.compile(r"(?<=/hostedzone/)[0-9A-Z]{8,32}\b"),
    # Of load balancers and target groups.
    "number": re.compile(r"(?<=/)[0-9a-f]{16}\b"),
    # Of a VPC, without what is left to its subnets.
    "ipv6": re.compile(r"\b[0-9a-f]+(?::[0-9a-f]+){2}:[0-9a-f]{2}(?=00::/56)"),
    # Of certificates' validation.
    "proof": re.compile(r"(?<![0-9A-Za-z])_[0-9a-f]{32}\b"),
}
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")


@dataclasses.dataclass
class Call:
    """A call as it was made and answered."""

    name: str
    account: str
    region: str
    service: str
    method: str
    target: str
    headers: dict
    body: bytes
    status: int
    answer: bytes

    @property
    def reads(self):
        return self.name.split(":")[1].lower().startswith(READS)

    def asked(self):
        """All that was asked for, as text."""
        return "\n".join([self.target, *self.headers.values(), urllib.parse.unquote_plus(self.body.decode())])


class Recorder:
    """An application whose calls are noted. after: told of each call of ours, before it is answered."""

    def __init__(self, application):
        self.application, self.calls, self.after = application, [], lambda _call: None
        self.names, self.account = calls.Noted(), None
        inside.on_call(self._called)

    def _called(self, _service, _region, account, _operation):
        self.account = account

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        status, headers, answer = serving.answered(self.application, environ)
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope and OURS.search(environ.get("HTTP_USER_AGENT", "")) and scope.group(2) != "sts":
            environ["wsgi.input"] = io.BytesIO(body)
            call = self._call(environ, scope, body, int(status.split()[0]), answer)
            self.calls.append(call)
            self.after(call)
        start_response(status, headers)
        return [answer]

    def _call(self, environ, scope, body, status, answer):
        named = {key[5:].replace("_", "-").title(): value for key, value in environ.items() if key[:5] == "HTTP_"}
        headers = {name: value for name, value in named.items() if HEADERS.match(name)}
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        name = self.names.name(scope.group(2), environ)
        about = (name, self.account, *scope.groups(), environ["REQUEST_METHOD"], environ["RAW_URI"])
        return Call(*about, headers, body, status, answer)


def _word(word):
    """A pattern for a whole word; the beginning of an address goes on."""
    return rf"(?<![0-9A-Za-z]){re.escape(word)}" + ("" if ":" in word else "(?![0-9A-Za-z])")


def _short(prefix):
    """The beginning of an IPv6 address as most programs write it."""
    return ":".join(group.lstrip("0") or "0" for group in prefix.split(":"))


class Texts:
    """Calls to stored calls. given: what to write instead of some texts, which are whole words."""

    def __init__(self, noted, given, clock):
        self.clock, self.origins = clock, {}
        self.given = dict(given)
        asked = ""
        for call in noted:
            asked += call.asked()
            if call.status < 300:
                self._origins(call, asked)
        self._name(noted)
        self.words = re.compile("|".join(map(_word, sorted(self.given, key=len, reverse=True))))

    def _origins(self, call, asked):
        """Notes which words an answer made up."""
        for path, text in stored.leaves(call.answer):
            for kind, shape in MADE_UP.items():
                for word in shape.findall(text):
                    # What the tool made up itself stays as it is.
                    if word not in self.origins and word not in asked:
                        self.origins[word] = (call, path, text, kind or word.rsplit("-", 1)[0])

    def _name(self, noted):
        """Names those of the words that a call needs."""
        written = "\n".join(call.asked() for call in noted if not call.reads and call.status < 300)
        written += "\n".join(self._decoded(call) for call in noted if not call.reads)
        counts = {}
        for word, (_, _, _, kind) in self.origins.items():
            forms = {word, _short(word)} if kind == "ipv6" else {word}
            if any(form in written for form in forms):
                counts[kind] = counts.get(kind, 0) + 1
                self.given.update(dict.fromkeys(forms, f"@{{{kind}-{counts[kind]}}}"))

    def _decoded(self, call):
        return json.dumps(list(self._form(call).values())) if "form" in self._kind(call) else ""

    def text(self, told):
        """The text with names in it."""
        if stored.NAME.search(told):
            raise ValueError(f"this looks like a name: {told}")
        return TIME.sub(self._time, self.words.sub(lambda found: self.given[found.group()], told))

    def _time(self, found):
        then = datetime.datetime.fromisoformat(f"{found.group(1)}+00:00").timestamp()
        fraction = f".{found.group(2)}" if found.group(2) else ""
        return f"@{{time{int(then) - self.clock:+d}{fraction}}}"

    def value(self, told, key=None):
        if isinstance(told, dict):
            return {self.text(name): self.value(item, name) for name, item in told.items()}
        if isinstance(told, list):
            return [self.value(item) for item in told]
        if key == "timestamp" and isinstance(told, int):
            return f"@{{millis{told - self.clock * 1000:+d}}}"
        return self.text(told) if isinstance(told, str) else told

    @staticmethod
    def _kind(call):
        kind = call.headers.get("Content-Type", "")
        return "form" if "form-urlencoded" in kind else "json" if "json" in kind else "text"

    @staticmethod
    def _form(call):
        form = dict(urllib.parse.parse_qsl(call.body.decode(), keep_blank_values=True, strict_parsing=True))
        for key, value in form.items():
            if key.endswith("UserData"):
                try:
                    form[key] = {"base64": base64.b64decode(value, validate=True).decode()}
                except (binascii.Error, UnicodeDecodeError):
                    pass
        return form

    def line(self, call, accounts):
        """A call as it is stored."""
        kind = self._kind(call)
        made = {"call": call.name, "account": accounts[call.account]}
        made |= {} if call.region == replaying.REGION else {"region": call.region}
        made |= {} if call.name.startswith(f"{call.service}:") else {"service": call.service}
        if (call.method, call.target) != ("POST", "/"):
            made |= {"method": call.method, "path": self.text(call.target)}
        headers = {name: self.text(value) for name, value in call.headers.items()}
        if "X-Amz-Target" in headers:
            made["target"] = headers.pop("X-Amz-Target")
        if kind != "json" or headers["Content-Type"] == replaying.TYPES["json"]:
            headers.pop("Content-Type", None)
        made |= {"headers": headers} if headers else {}
        if kind == "form":
            made["form"] = self.value(self._form(call))
        elif call.body:
            made[kind] = self.value(json.loads(call.body)) if kind == "json" else self.text(call.body.decode())
        gives = {
            path: self.text(text)
            for word, (origin, path, text, _) in self.origins.items()
            if origin is call and word in self.given
        }
        made |= {"gives": gives} if gives else {}
        return made

    def wanted(self, call):
        """Whether a call is one that has to be made again."""
        told = any(origin is call and word in self.given for word, (origin, *_) in self.origins.items())
        return call.status < 300 and (told or not call.reads)
