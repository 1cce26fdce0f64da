"""Things on AWS as text that is the same for two accounts which differ in ids and times only.

Ids are replaced by what they name: `vpc-0a1b2c` by `<red eu-west-1 vpc team>`. Times are left out, and so is all else
that AWS makes up anew each time. No list that we read has an order that matters, so all are sorted.
"""

import collections
import dataclasses
import datetime
import json
import re

# Fields that AWS makes up, by their names; ids of things are not among them.
MADE_UP = frozenset(
    """AssociationId AvailableIpAddressCount CallerReference ClientToken CreationToken CreatorRequestId
    CustomerGatewayConfiguration ETag InstanceProfileId KeyFingerprint KeyId NetworkInterfaceId NetworkInterfaces
    OutsideIpAddress PolicyId PreSharedKey PrivateDnsName PrivateIp PrivateIpAddress ResponseMetadata RoleId
    RoleLastUsed RouteTableAssociationId SecurityGroupRuleId Serial SubmittedAt TunnelInsideCidr VgwTelemetry
    fingerprint""".split()
)
# Names that refer to names that refer to names: a route table to its subnet, that to its VPC.
DEPTH = 5


@dataclasses.dataclass
class Thing:
    """One thing: `kind` as in "vpc"; `name`, stable, may hold ids of other things; its ids; all that we set of it.

    prefixes: beginnings of texts that are its ids too.
    """

    kind: str
    name: str
    ids: list = dataclasses.field(default_factory=list)
    fields: object = None
    prefixes: list = dataclasses.field(default_factory=list)


def cleaned(value):
    """Without times, without what AWS makes up, and without what is not there; JSON in texts is read."""
    if isinstance(value, dict):
        found = {str(k): cleaned(v) for k, v in value.items() if k not in MADE_UP}
        return {k: v for k, v in found.items() if v not in (None, {}, [], "")}
    if isinstance(value, (list, tuple, set)):
        return [item for item in map(cleaned, value) if item not in (None, {}, [])]
    if isinstance(value, datetime.datetime):
        return None
    if isinstance(value, str) and value.startswith("{"):
        try:
            return cleaned(json.loads(value))
        except ValueError:
            return value
    return value


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


class Names:
    """Ids, and what stands for them in texts."""

    def __init__(self):
        self.names, self.prefixes, self.pattern = {}, [], None

    def compile(self):
        """To be called once all names are known."""
        whole = "|".join(re.escape(i) for i in sorted(self.names.keys() - set(self.prefixes), key=len, reverse=True))
        parts = [rf"(?<![\w.-])(?:{whole})(?![\w-])(?!\.\d)"] if whole else []
        parts += [re.escape(prefix) for prefix in self.prefixes]
        self.pattern = re.compile("|".join(parts)) if parts else None

    def put(self, text, quoted=False):
        """The text with names instead of ids; quoted: within a JSON string."""
        if self.pattern is None:
            return text

        def name(found):
            name = self.names[found.group()]
            return json.dumps(name)[1:-1] if quoted else name

        return self.pattern.sub(name, text)


def canonical(places):
    """places: things by place ("red eu-west-1"). Returns `<place> <kind>` to name to fields."""
    names = Names()
    things = [(place, thing) for place, found in places.items() for thing in found]
    for place, thing in things:
        for known in filter(None, thing.ids + thing.prefixes):
            names.names.setdefault(known, f"<{place} {thing.kind} {thing.name}>")
        names.prefixes += [p for p in thing.prefixes if p not in names.prefixes]
    names.compile()
    for _ in range(DEPTH):
        before = dict(names.names)
        names.names = {known: names.put(name) for known, name in before.items()}
        if names.names == before:
            break

    grouped = collections.defaultdict(list)
    for place, thing in things:
        name = names.put(thing.name)
        grouped[f"{place} {thing.kind}", name].append((_text(names, thing), thing))
    for (_, name), same in grouped.items():
        same.sort(key=lambda one: one[0])
        for number, (_, thing) in enumerate(same[1:], 2):
            for known in filter(None, thing.ids):
                names.names[known] = f"{names.names[known]}#{number}"

    told = collections.defaultdict(dict)
    for (kind, name), same in sorted(grouped.items()):
        for number, (_, thing) in enumerate(same, 1):
            key = name if number == 1 else f"{name}#{number}"
            told[kind][key] = _sorted(json.loads(_text(names, thing)))
    return told


def _text(names, thing):
    return names.put(json.dumps(cleaned(thing.fields), sort_keys=True, default=str), quoted=True)
