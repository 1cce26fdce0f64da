"""Which fields of AWS's operations a user's values reach, and whether they are within the limits of AWS's models.

A test gives every free value of a manifest or an organization's file a mark of its own (`zqmk07..`), or an unusual
number, and runs the binaries. Whoever asks at FIELDS, with the marks, gets each (operation, field, mark), the limits
that botocore's model has for the field, and each value that is not within them.
"""

import base64
import binascii
import json
import os
import re
import sys
import unicodedata
import urllib.parse
import xml.etree.ElementTree

import botocore.loaders
import botocore.model

import calls

# A path that no AWS API has.
FIELDS = "/moto-api/fields-of-ours"
# Requests that are kept: with a mark in them, or with one of the numbers that stand for marks.
KEPT = re.compile(rb"zqmk|4711[12]|10\.77\.|203\.0\.113\.77|enFta", re.IGNORECASE)
# Fields that are base64 of what a user gave.
ENCODED = ("UserData",)
# A text with more marks than this is a whole file.
WHOLE = 6


# Limits that only AWS's prose tells.
PROSE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "limits-prose.tsv")
# What only looks fails before anything is written.
LOOKS = re.compile(r":(Get|List|Describe|Lookup|Head|Search)")


def prose():
    """The rows of PROSE: patterns of operation and field, limits, page."""
    rows = []
    with open(PROSE, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            operation, field, least, most, pattern, page = line.rstrip("\n").split("\t")
            limits = {"min": least, "max": most, "pattern": pattern}
            limits = {k: v if k == "pattern" else int(v) for k, v in limits.items() if v != "-"}
            rows.append((_glob(operation), _glob(field), limits, page))
    return rows


def _glob(text):
    return re.compile(".*".join(re.escape(part) for part in text.split("*")))


def limit(limits):
    """A limit in a line."""
    least, most = limits.get("min", ""), limits.get("max", "")
    words = [f"{least}..{most}"] if "min" in limits or "max" in limits else []
    words += [limits["pattern"]] if "pattern" in limits else []
    words += ["|".join(limits["enum"])] if "enum" in limits else []
    return " ".join(words) or "-"


class Models:
    """botocore's shapes."""

    def __init__(self):
        self.loader = botocore.loaders.create_loader()
        self.services = {}

    def operation(self, service, name):
        if service not in self.services:
            description = self.loader.load_service_model(service, "service-2")
            self.services[service] = botocore.model.ServiceModel(description, service)
        return self.services[service].operation_model(name)


def _xml(element):
    tag = element.tag.rsplit("}", 1)[-1]
    if len(element) == 0:
        yield (tag,), element.text or ""
    for child in element:
        for tokens, value in _xml(child):
            yield (tag, *tokens), value


def _json(value, tokens=()):
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _json(one, (*tokens, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _json(one, (*tokens, str(index)))
    else:
        yield tokens, value if isinstance(value, str) else json.dumps(value)


def _names(name, member):
    """What a member is called on the wire, in any protocol and case."""
    told = member.serialization
    return {n.lower() for n in (name, told.get("name"), told.get("locationName"), told.get("queryName")) if n}


def resolved(shape, tokens):
    """The field's path in the model and its shape; None where the model has none of that name."""
    path, rest = "", list(tokens)
    while True:
        if shape.type_name == "list":
            path += "[]"
            own = {"member", "item", (shape.member.serialization.get("name") or "member").lower()}
            if rest and rest[0].lower() in own and not (shape.member.type_name == "structure" and len(rest) == 1):
                rest.pop(0)
            if rest and rest[0].isdigit():
                rest.pop(0)
            shape = shape.member
        elif shape.type_name == "map":
            # Query: entry.1.key; JSON: the key itself.
            path += "{}"
            if rest and rest[0].lower() == "entry":
                rest = rest[2:]
            if rest:
                rest.pop(0)
            shape = shape.value
        elif shape.type_name == "structure":
            if not rest:
                return None
            token = rest.pop(0).lower()
            # The plural is the list's name in EC2's model, the singular its name on the wire.
            for name, member in shape.members.items():
                if token in _names(name, member):
                    path += f".{name}" if path else name
                    shape = member
                    break
            else:
                return None
        else:
            return (path, shape) if not rest else None


class Patterns:
    """AWS's patterns, which are Java's, as Python's."""

    def __init__(self):
        self.classes, self.compiled = {}, {}

    def category(self, letter):
        if not self.classes:
            runs = {}
            for point in range(sys.maxunicode + 1):
                key = unicodedata.category(chr(point))[0]
                spans = runs.setdefault(key, [])
                if spans and spans[-1][1] == point - 1:
                    spans[-1][1] = point
                else:
                    spans.append([point, point])
            self.classes = {k: "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in v) for k, v in runs.items()}
        return self.classes[letter]

    def __call__(self, pattern):
        if pattern not in self.compiled:
            text = pattern.replace("\\uD800\\uDC00-\\uDBFF\\uDFFF", "\\U00010000-\\U0010ffff")
            text = re.sub(r"\\p\{([LZNPSM])\}", lambda m: self.category(m.group(1)), text)
            try:
                self.compiled[pattern] = re.compile(text)
            except re.error:
                self.compiled[pattern] = None
        return self.compiled[pattern]


class Fields:
    """The requests of ours that are kept."""

    def __init__(self):
        self.kept, self.models, self.patterns, self.noted = set(), Models(), Patterns(), calls.Noted()
        self.prose = prose()

    def note(self, environ):
        ours = re.search(r"\bapp/(minion|overlord)-", environ.get("HTTP_USER_AGENT", ""))
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        if not (ours and scope):
            return
        body = calls.Noted.body(environ)
        where = environ["PATH_INFO"] + "?" + environ.get("QUERY_STRING", "")
        if KEPT.search(where.encode("latin-1", "replace")) or KEPT.search(urllib.parse.unquote_plus(body).encode()):
            self.kept.add((scope.group(1), environ["REQUEST_METHOD"], where, environ.get("HTTP_X_AMZ_TARGET"), body))

    def flat(self, service, method, where, target, body):
        """The operation's model, and each field with its value."""
        path, _, query = where.partition("?")
        model = calls.BOTOCORE.get(service, service)
        if target:
            name = target.rsplit(".", 1)[-1]
            return self.models.operation(model, name), _json(json.loads(body or "{}"))
        form = urllib.parse.parse_qsl(body, keep_blank_values=True)
        action = dict(form).get("Action")
        if action:
            return self.models.operation(model, action), ((tuple(k.split(".")), v) for k, v in form)
        if service == "s3" and path.startswith("/v20180820/"):
            model = "s3control"
        name = self.noted.routes.operation(model, method, path, query)
        if " " in name:
            return None, ()
        operation = self.models.operation(model, name)
        return operation, self._rest(operation, path, query, body)

    @staticmethod
    def _rest(operation, path, query, body):
        pieces = re.split(r"\{([^}+]*)\+?\}", operation.http["requestUri"].partition("?")[0].rstrip("/"))
        pattern = "".join(f"(?P<{p}>.+)" if n % 2 else re.escape(p) for n, p in enumerate(pieces))
        found = re.match(pattern + "$", path.rstrip("/"))
        for name, value in (found.groupdict() if found else {}).items():
            yield (name,), urllib.parse.unquote(value)
        for key, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
            yield (key,), value
        if not body:
            return
        if body.lstrip().startswith("{"):
            yield from _json(json.loads(body))
            return
        payload = operation.input_shape.serialization.get("payload")
        for tokens, value in _xml(xml.etree.ElementTree.fromstring(body)):
            yield ((payload, *tokens[1:]) if payload else tokens[1:]), value

    def fields(self):
        """Operation, field, shape and value of everything that is kept."""
        for request in sorted(self.kept, key=str):
            operation, flat = self.flat(*request)
            if operation is None or operation.input_shape is None:
                continue
            service = calls.IAM.get(request[0], request[0])
            for tokens, value in flat:
                found = resolved(operation.input_shape, tokens)
                if found is None:
                    continue
                path, shape = found
                if path.rsplit(".", 1)[-1] in ENCODED:
                    try:
                        value = base64.b64decode(value, validate=True).decode("utf-8", "replace")
                    except binascii.Error:
                        pass
                yield f"{service}:{operation.name}", path, shape, value

    def limits(self, operation, path, shape):
        """The limits of a field, each with where it is from."""
        told = {k: v for k, v in shape.metadata.items() if k in ("min", "max", "pattern", "enum")}
        found = [(told, "botocore")] if told else []
        for ours, field, limits, page in self.prose:
            if ours.fullmatch(operation) and field.fullmatch(path):
                return [*found, (limits, page)]
        return found

    def wrong(self, shape, path, limits, value):
        """What is said against a value."""
        size = len(re.sub(r"\s", "", value) if path.endswith("PolicyDocument") else value)
        if shape.type_name in ("integer", "long", "double", "float"):
            size = float(value)
        if size < limits.get("min", size):
            return f"less than {limits['min']}"
        if size > limits.get("max", size):
            return f"more than {limits['max']}"
        if limits.get("enum") and value not in limits["enum"]:
            return "none of the enumeration"
        pattern = self.patterns(limits["pattern"]) if "pattern" in limits else None
        return f"does not match {limits['pattern']}" if pattern and not pattern.fullmatch(value) else None

    def told(self, marks):
        rows, faults = {}, set()
        for operation, path, shape, value in self.fields():
            limits = self.limits(operation, path, shape)
            here = {key for mark, key in marks.items() if _has(value, mark)}
            if here and not LOOKS.search(operation):
                keys, _ = rows.setdefault((operation, path), (set(), limits))
                keys.update(["(the whole file)"] if len(here) > WHOLE else here)
            for bounds, page in limits:
                wrong = self.wrong(shape, path, bounds, value)
                if wrong:
                    faults.add(f"{operation} {path}: {wrong} ({page}): {value[:80]}")
        table = [
            "\t".join([operation, path, ", ".join(sorted(keys)), _joined(limits), _pages(limits)])
            for (operation, path), (keys, limits) in sorted(rows.items())
        ]
        return {"rows": table, "faults": sorted(faults)}


def _joined(limits):
    return "; ".join(limit(bounds) for bounds, _ in limits) or "-"


def _pages(limits):
    return "; ".join(page for _, page in limits) or "-"


def _has(value, mark):
    """A mark stands anywhere in a text, a number alone."""
    if mark.replace(".", "").isdigit():
        return bool(re.fullmatch(rf"{re.escape(mark)}(\.0|/\d+)?", value))
    return mark in value.lower()


def recorded(application):
    """moto's application, which keeps the requests of ours that hold marks."""
    fields = Fields()

    class Recorded(application):
        def __call__(self, environ, start_response):
            if environ.get("PATH_INFO") == FIELDS:
                length = int(environ.get("CONTENT_LENGTH") or 0)
                marks = json.loads(environ["wsgi.input"].read(length))
                start_response("200 OK", [("Content-Type", "application/json")])
                return [json.dumps(fields.told(marks)).encode()]
            fields.note(environ)
            return super().__call__(environ, start_response)

    return Recorded
