"""Route 53's batches of changes, as AWS documents them and as moto does not have them.

A batch is made as a whole or not at all. Its changes are checked one after another, each
against what those before it leave: a DELETE must name all values of a record that is there, a CREATE one that is not.
The wording is AWS's.
"""

from moto.route53.exceptions import Route53ClientError
from moto.route53.models import RecordSet, Route53Backend
from moto.route53.utils import validate_domain_name

from repairs import wrap

ACTIONS = ("CREATE", "UPSERT", "DELETE")
# What makes several records of one name and type, each with an identifier; one policy for all of them.
POLICIES = {"Weight": "weighted", "Region": "latency", "Failover": "failover", "GeoLocation": "geolocation"}
HEAVIEST = 255


class Refused(Route53ClientError):
    """InvalidChangeBatch, with all that is wrong."""

    def __init__(self, messages):
        super().__init__("InvalidChangeBatch", f"[{', '.join(messages)}]")


def apply():
    """Puts all of it in place, once, before the server starts."""

    def change(_original, self, zoneid, change_list):
        zone = self.get_hosted_zone(zoneid)
        records, problems = list(zone.rrsets), []
        for change in change_list:
            problem = changed(zone.name, records, change["Action"], dict(change["ResourceRecordSet"]))
            if problem:
                problems.append(problem)
        if problems:
            raise Refused(problems)
        zone.rrsets = records

    def delete_zone(original, self, id_):
        zone = self.get_hosted_zone(id_)
        if any(not (_name(r.name) == _name(zone.name) and r.type in ("NS", "SOA")) for r in zone.rrsets):
            message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
            raise Route53ClientError("HostedZoneNotEmpty", message)
        return original(self, id_)

    wrap(Route53Backend, "change_resource_record_sets", change)
    wrap(Route53Backend, "delete_hosted_zone", delete_zone)


def _name(name):
    """A name as Route 53 compares it."""
    return name.strip(".").lower().replace("\\052", "*") + "."


def values_of(record):
    """All that a DELETE must name, in one form, of a record set as the API has it."""
    alias = record.get("AliasTarget")
    return {
        "TTL": None if record.get("TTL") is None else str(record["TTL"]),
        "ResourceRecords": sorted(record.get("ResourceRecords") or []),
        "AliasTarget": alias
        and (alias["HostedZoneId"], _name(alias["DNSName"]), str(alias.get("EvaluateTargetHealth", False)).lower()),
        **{n: None if record.get(n) is None else str(record[n]) for n in (*POLICIES, "HealthCheckId")},
    }


def _stored(record):
    """A record of moto's as the API has it."""
    return {
        "TTL": record.ttl,
        "ResourceRecords": list(record.records or []),
        "AliasTarget": record.alias_target,
        "Weight": record.weight,
        "Region": record.region,
        "Failover": record.failover,
        "GeoLocation": record.geo_location,
        "HealthCheckId": record.health_check_id,
    }


def changed(zone, records, action, wanted):
    """Makes one change in the list of records; says what AWS says where it cannot be made."""
    validate_domain_name(wanted["Name"], code="InvalidChangeBatch")
    if action not in ACTIONS:
        raise Route53ClientError("InvalidInput", f"Invalid XML ; '{action}' is none of {', '.join(ACTIONS)}")
    if int(wanted.get("Weight") or 0) > HEAVIEST:
        raise Route53ClientError("InvalidInput", f"Invalid XML ; weight {wanted['Weight']} is above {HEAVIEST}")
    wanted["Name"] = wanted["Name"].rstrip(".") + "."
    wanted["ResourceRecords"] = [r["Value"] for r in wanted.get("ResourceRecords") or []]
    name, kind, identifier = _name(wanted["Name"]), wanted["Type"], wanted.get("SetIdentifier")
    told = f"[name='{name}', type='{kind}'" + (f", set-identifier='{identifier}']" if identifier else "]")
    if not f".{name}".endswith(f".{_name(zone)}"):
        return f"RRSet with DNS name {name} is not permitted in zone {zone}"
    alike = [r for r in records if _name(r.name) == name]
    same = [r for r in alike if r.type == kind and r.set_identifier == identifier]
    if action == "DELETE":
        if not same:
            return f"Tried to delete resource record set {told} but it was not found"
        if values_of(_stored(same[0])) != values_of(wanted):
            return f"Tried to delete resource record set {told} but the values provided do not match the current values"
        records.remove(same[0])
        return None
    if action == "CREATE" and same:
        return f"Tried to create resource record set {told} but it already exists"
    problem = _conflict(zone, name, kind, identifier, wanted, [r for r in alike if r not in same])
    if problem:
        return problem
    if same:
        records[records.index(same[0])] = RecordSet(wanted)
    else:
        records.append(RecordSet(wanted))
    return None


def _conflict(zone, name, kind, identifier, wanted, others):
    """What keeps a record from standing beside the others of its name."""
    if any((r.type == "CNAME") != (kind == "CNAME") for r in others):
        return (
            f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the "
            f"same DNS name in zone {zone}"
        )
    policy = next((word for field, word in POLICIES.items() if wanted.get(field) is not None), "simple")
    for other in others:
        if other.type != kind:
            continue
        stored = _stored(other)
        standing = next((word for field, word in POLICIES.items() if stored[field] is not None), "simple")
        if standing != policy:
            return (
                f"RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} cannot be created as a "
                f"{standing} RRSet exists with the same name and type"
            )
    return None
