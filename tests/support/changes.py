"""What of an account a call may have changed, by the readers of a dump.

What is not known here may have changed all of it. Each undisturbed run of the torture compares what is believed with
what is read anew.
"""

import account_things as of_account
import application_things as of_region
import network_things as of_network

READS = ("describe", "get", "list", "head", "search", "lookup")

# Of a service's calls, by the first word that is in the operation's name; the last one, without a word, is all others.
_NETWORKS = set(of_network.READERS)
_INSTANCES = {of_region.instances, of_region.scaling_groups, of_region.target_groups, of_network.nat}
_ROLES, _IDENTITY, _BUCKETS = {of_account.roles}, {of_account.identity}, {of_account.buckets}
CHANGES = {
    "ec2": (
        ("SecurityGroup", {of_network.security_groups}),
        ("LaunchTemplate", {of_region.templates}),
        ("KeyPair", {of_region.templates}),
        ("Vpn", {of_network.vpn, of_network.routing}),
        ("CustomerGateway", {of_network.vpn}),
        ("VgwRoute", {of_network.vpn, of_network.routing}),
        ("TransitGateway", {of_network.transit, of_network.routing, of_network.nat, of_network.subnets}),
        ("VpcPeering", {of_network.peerings, of_network.routing}),
        ("VpcEndpoint", _NETWORKS - {of_network.vpn, of_network.transit, of_network.peerings, of_network.defaults}),
        ("FlowLogs", {of_network.services}),
        ("Subnet", {of_network.subnets, of_network.routing}),
        # An endpoint names the route tables that it is in.
        ("Route", {of_network.routing, of_network.services}),
        ("InternetGateway", {of_network.gateways, of_network.routing}),
        ("NatGateway", {of_network.nat, of_network.subnets}),
        ("Address", {of_network.nat, of_region.instances}),
        ("EbsEncryption", {of_network.defaults}),
        ("MetadataDefaults", {of_network.defaults}),
        ("", {*_NETWORKS, *_INSTANCES, of_region.templates}),
    ),
    "autoscaling": (("", _INSTANCES),),
    "elbv2": (("", {of_region.balancers, of_region.target_groups}),),
    "ssm": (("", {of_region.parameters}),),
    # What is written into a log group is no part of a dump.
    "logs": (("PutLogEvents", set()), ("LogStream", set()), ("", {of_region.logs})),
    "acm": (("", {of_region.certificates}),),
    "ram": (("", set()),),
    "cloudtrail": (("", {of_region.trails}),),
    "iam": (
        ("SAMLProvider", _IDENTITY),
        ("AccountAlias", _IDENTITY),
        ("PasswordPolicy", _IDENTITY),
        ("Role", _ROLES),
        ("InstanceProfile", _ROLES),
        ("Policy", _ROLES),
        ("", _ROLES | _IDENTITY),
    ),
    "route53": (("", {of_account.zones}),),
    "s3": (("", _BUCKETS),),
    "s3control": (("", _BUCKETS),),
    "budgets": (("", {of_account.billing}),),
    "ce": (("", {of_account.billing}),),
    "organizations": (("", set()),),
    "sts": (("", set()),),
}
# What calls of one account may change in all of them, likewise. A tag may be on anything.
EVERYWHERE = {
    "ec2": (
        ("TransitGateway", {of_network.transit}),
        ("VpcPeering", {of_network.peerings}),
        ("Vpc", {of_network.peerings}),
        ("Tags", {of_network.transit, of_network.peerings}),
    ),
    "ram": (("", {of_region.shares, of_network.transit}),),
    "organizations": (("", {of_account.organization}),),
}


def _first(table, operation):
    return next((readers for word, readers in table if word in operation), set())


def changed(service, operation):
    """Two sets of readers: of what a call may have changed in its own account and region, and in all of them.

    Of a service that is not known both are none: anything may have changed.
    """
    if operation.lower().startswith(READS):
        return set(), set()
    if service not in CHANGES:
        return None, None
    return _first(CHANGES[service], operation), _first(EVERYWHERE.get(service, ()), operation)
