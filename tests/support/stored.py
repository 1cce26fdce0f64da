"""Texts as `tests/upgrade` stores them: with names instead of what is another thing in each account, at each time.

`@{vpc-1}`, `@{zone-2}`: what AWS called something, learned from an answer. `@{red}`: an account's number. `@{registry}`:
the registry's host. `@{time-12.345}`: so many whole seconds before the clock, and this fraction, in RFC 3339;
`@{millis-12345}`: so many milliseconds before it, as their number since 1970.
"""

import base64
import datetime
import json
import re
import xml.etree.ElementTree

NAME = re.compile(r"@\{([a-z][\w.+-]*)\}")
TIME = re.compile(r"time([+-]\d+)(?:\.(\d+))?")
MILLIS = re.compile(r"millis([+-]\d+)")
# What names that are not known yet may stand for.
ANYTHING, ADDRESS = r"([\w.-]+)", r"([0-9a-f:]+)"


class Names:
    """What names stand for."""

    def __init__(self, known, clock):
        """clock: seconds since 1970, whole ones."""
        self.known, self.clock = dict(known), clock

    def _meaning(self, name):
        if name in self.known:
            return self.known[name]
        found = TIME.fullmatch(name)
        if found:
            then = datetime.datetime.fromtimestamp(self.clock + int(found.group(1)), datetime.timezone.utc)
            fraction = f".{found.group(2)}" if found.group(2) else ""
            return f"{then:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        found = MILLIS.fullmatch(name)
        if found:
            return str(self.clock * 1000 + int(found.group(1)))
        raise ValueError(f"nothing has told what @{{{name}}} is")

    def text(self, stored):
        return NAME.sub(lambda found: self._meaning(found.group(1)), stored)

    def value(self, stored):
        """The same of a value of JSON; {"base64": text} is that text, encoded."""
        if isinstance(stored, dict):
            if list(stored) == ["base64"]:
                return base64.b64encode(self.text(stored["base64"]).encode()).decode()
            return {self.text(key): self.value(item) for key, item in stored.items()}
        if isinstance(stored, list):
            return [self.value(item) for item in stored]
        if not isinstance(stored, str):
            return stored
        name = NAME.fullmatch(stored)
        return int(self.text(stored)) if name and MILLIS.fullmatch(name.group(1)) else self.text(stored)

    def _pattern(self, name):
        if name in self.known:
            return re.escape(self.known[name])
        return ADDRESS if name.startswith("ipv6") else ANYTHING

    def learn(self, stored, told):
        """Learns the names in a stored text that are not known yet from what an answer says in its place."""
        new, pattern, end = [], "", 0
        for found in NAME.finditer(stored):
            name = found.group(1)
            pattern += re.escape(stored[end : found.start()])
            pattern += self._pattern(name)
            new += [] if name in self.known else [name]
            end = found.end()
        found = re.fullmatch(pattern + re.escape(stored[end:]), told)
        if not found:
            raise ValueError(f"the answer says {told!r}, and should say {stored!r}")
        self.known.update(zip(new, found.groups(), strict=True))


def leaves(answer):
    """Path and text of each value in an answer, which is XML or JSON: `CreateVpcResponse/vpc/vpcId`."""
    text = answer.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        root = xml.etree.ElementTree.fromstring(text)
        yield from _elements(root, _tag(root))
    elif text.startswith(("{", "[")):
        yield from _items(json.loads(text), "")


def _tag(element):
    return element.tag.rsplit("}", 1)[-1]


def _elements(element, path):
    if len(element) == 0:
        yield path, element.text or ""
    seen = {}
    for child in element:
        tag = _tag(child)
        seen[tag] = seen.get(tag, -1) + 1
        yield from _elements(child, f"{path}/{tag}" + (f"#{seen[tag]}" if seen[tag] else ""))


def _items(value, path):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _items(item, f"{path}/{key}" if path else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            # Parameters come in any order.
            named = isinstance(item, dict) and isinstance(item.get("Name"), str)
            yield from _items(item, f"{path}/{item['Name'] if named else number}")
    elif isinstance(value, str):
        yield path, value
