"""Things on AWS as text that is the same for two accounts which differ in ids and times only.

Ids are replaced by what they name: `vpc-0a1b2c` by `<red eu-west-1 vpc team>`. Times are left out, and so is all else
that AWS makes up anew each time. No list that we read has an order that matters, so all are sorted.
"""

import collections
import dataclasses
import datetime
import functools
import json
import re

# Fields that AWS or moto makes up, by their names; ids of things are not among them.
MADE_UP = frozenset(
    """AssociationId AvailableIpAddressCount CallerReference ClientToken CreationToken CreatorRequestId
    CustomerGatewayConfiguration DefaultForAz ETag InstanceProfileId KeyFingerprint KeyId NetworkInterfaceId
    NetworkInterfaces OutsideIpAddress PolicyId PreSharedKey PrivateDnsName PrivateIp PrivateIpAddress
    ResponseMetadata RoleId RoleLastUsed RouteTableAssociationId SecurityGroupRuleId Serial SubmittedAt
    TunnelInsideCidr VgwTelemetry""".split()
)
# What an id may be: an ARN, or a word in which are no slashes and colons.
WORD = re.compile(r"arn:[\w:/.+=@-]*\w|\w(?:[\w.-]*\w)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# Names refer to names that refer to names: a route table to its subnet, that to its VPC.
DEPTH = 5


def cleaned(value):
    """Without times, without what AWS makes up, and without what is not there; JSON in texts is read."""
    if isinstance(value, dict):
        found = {str(k): cleaned(v) for k, v in value.items() if k not in MADE_UP}
        return {k: v for k, v in found.items() if v not in (None, {}, [], "")}
    if isinstance(value, (list, tuple, set)):
        if value and all(isinstance(item, dict) and sorted(map(str.lower, item)) == ["key", "value"] for item in value):
            # Tags and attributes.
            return {item.get("Key", item.get("key")): item.get("Value", item.get("value")) for item in value}
        return [item for item in map(cleaned, value) if item not in (None, {}, [])]
    if isinstance(value, datetime.datetime):
        return None
    if isinstance(value, str):
        if value.startswith("{"):
            try:
                return cleaned(json.loads(value))
            except ValueError:
                pass
        return TIME.sub("<time>", value)
    return value


def _mapped(value, change):
    """The same with each text changed, and with lists sorted."""
    if isinstance(value, dict):
        return {change(key): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_mapped(item, change) for item in value), key=_text)
    return change(value) if isinstance(value, str) else value


def _text(value):
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


@functools.lru_cache(maxsize=1 << 16)
def _words(text):
    """All that may be ids in a text."""
    found = set()
    for word in WORD.findall(text):
        found.add(word)
        if word.startswith("arn:"):
            found.update(WORD.findall(word[4:]))
    return found


def _collect(value, into):
    if isinstance(value, dict):
        for key, item in value.items():
            into.update(_words(key))
            _collect(item, into)
    elif isinstance(value, list):
        for item in value:
            _collect(item, into)
    elif isinstance(value, str):
        into.update(_words(value))


def put(names, text):
    """The text with names instead of ids."""

    def name(found):
        word = found.group()
        if word in names:
            return names[word]
        return "arn:" + WORD.sub(name, word[4:]) if word.startswith("arn:") else word

    return WORD.sub(name, text)


@dataclasses.dataclass
class Thing:
    """One thing: `kind` as in "vpc"; `name`, stable, may hold ids of other things; its ids; all that we set of it.

    prefix: the beginning of its addresses, which AWS chose.
    """

    kind: str
    name: str
    ids: list = dataclasses.field(default_factory=list)
    fields: object = None
    prefix: str = None

    def __post_init__(self):
        self.ids = [known for known in self.ids if known]
        self.fields = cleaned(self.fields)
        # Dumped again and again while it stays as it is, with the same names.
        self.words, self.told = set(), (None, None)
        _collect(self.fields, self.words)

    def canonical(self, names, prefixes):
        """Its fields, and the same as text."""
        here = {word: names[word] for word in self.words & names.keys()}
        known, told = self.told
        if known != (here, prefixes):

            def change(text):
                for prefix, name in prefixes.items():
                    text = text.replace(prefix, name)
                return put(here, text)

            fields = _mapped(self.fields, change)
            told = (fields, _text(fields))
            self.told = ((here, prefixes), told)
        return told


def canonical(places, texts):
    """places: things by place ("red eu-west-1"). texts: what to write instead of some texts, e.g. a path.

    Returns `<place> <kind>` to name to fields.
    """
    things = [(place, thing) for place, found in places.items() for thing in found]
    names, prefixes = {}, dict(texts)
    for place, thing in things:
        name = f"<{place} {thing.kind} {thing.name}>"
        for known in thing.ids:
            names.setdefault(known, name)
        if thing.prefix:
            prefixes[thing.prefix] = name
    for _ in range(DEPTH):
        names = {known: put(names, name) for known, name in names.items()}
    prefixes = {prefix: put(names, name) for prefix, name in prefixes.items()}

    grouped = collections.defaultdict(list)
    for place, thing in things:
        grouped[f"{place} {thing.kind}", put(names, thing.name)].append(thing)
    for (_, name), same in grouped.items():
        if len(same) > 1:
            same.sort(key=lambda thing: thing.canonical(names, prefixes)[1])
            for number, thing in enumerate(same[1:], 2):
                names.update({known: f"{names[known]}#{number}" for known in thing.ids})

    told = collections.defaultdict(dict)
    for (kind, name), same in sorted(grouped.items(), key=lambda group: group[0]):
        for number, thing in enumerate(same, 1):
            told[kind][name if number == 1 else f"{name}#{number}"] = thing.canonical(names, prefixes)[0]
    return told
